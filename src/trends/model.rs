//! How a trend is put together from where units stand, and what it is on the wire.

use std::collections::BTreeMap;

use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::{FiscalYear, UnitCode};
use crate::evaluations::workflow::State;
use crate::scoring::text::SchemeId;
use crate::scoring::values::digits;

/// A unit of the line, as its row holds it.
#[derive(Debug, Clone, Queryable)]
pub struct UnitRow {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its place in the hierarchy.
    pub path: String,
    /// The first fiscal year that it files for.
    pub valid_from: Option<i64>,
}

/// Where a unit-year stands, as its row holds it; points in millionths.
#[derive(Debug, Clone, Queryable)]
pub struct StandingRow {
    /// The fiscal year.
    pub year: i64,
    /// The unit.
    pub unit: String,
    /// The state of the evaluation.
    pub state: String,
    /// The number of the submission that counts.
    pub submission: i64,
    /// The scheme that it was scored by.
    pub scheme: String,
    /// The code of the grade.
    pub grade: Option<String>,
    /// What counts.
    pub points: Option<i64>,
    /// The unit's own points.
    pub self_points: Option<i64>,
    /// The least that what counts can be.
    pub low: i64,
    /// The most that what counts can be.
    pub high: i64,
}

/// A section of a unit-year, as its row holds it; points in millionths.
#[derive(Debug, Clone, Queryable)]
pub struct SectionRow {
    /// The fiscal year.
    pub year: i64,
    /// The unit.
    pub unit: String,
    /// The section's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its full marks.
    pub weight: i64,
    /// Its points.
    pub points: Option<i64>,
}

/// How the unit of a row is related to the one whose trend it is; from the closest to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It is that unit.
    Same,
    /// It was renamed to that unit (更名): the same under another code.
    Renamed,
    /// That unit is a part of it (拆分).
    Split,
    /// It is one of several that were merged into that unit (合并).
    Merged,
}

/// A unit over the years.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Trend {
    /// The unit.
    pub unit: UnitCode,
    /// Its name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The years for which a submission counts (submitted, under review, approved or published), oldest first. A year of
    /// units that were merged has a row for each of them.
    pub years: Vec<TrendYear>,
}

/// A year of a trend.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct TrendYear {
    /// The fiscal year.
    #[schema(value_type = FiscalYear)]
    pub year: i64,
    /// The unit that filed it.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// That unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// How that unit is related to the one whose trend it is.
    pub relation: Relation,
    /// The state of the evaluation.
    #[schema(value_type = State, example = "published")]
    pub state: String,
    /// The number of the submission that counts.
    #[schema(example = 1)]
    pub submission: i64,
    /// The scheme that it was scored by.
    #[schema(value_type = SchemeId)]
    pub scheme: String,
    /// The full marks of that scheme, in points.
    #[schema(example = "100")]
    pub full_marks: String,
    /// The points that count: the review's where there is one, else the unit's own; `null` while a line is open.
    #[schema(example = "92.5")]
    pub points: Option<String>,
    /// The points by the unit's own figures; `null` while a line is open.
    #[schema(example = "94")]
    pub self_points: Option<String>,
    /// The least that the points can be.
    #[schema(example = "92.5")]
    pub low: String,
    /// The most that the points can be.
    #[schema(example = "92.5")]
    pub high: String,
    /// The code of the grade; `null` while it is open.
    #[schema(example = "excellent")]
    pub grade: Option<String>,
    /// The sections (一级指标), by code.
    pub sections: Vec<TrendSection>,
    /// The change against the year before, of the same unit or of the one that was renamed to it; `null` where that year
    /// has no such row.
    pub change: Option<Change>,
    /// The evaluation.
    #[schema(example = "/api/v1/units/219001/evaluations/2019")]
    pub link: String,
}

/// A section of a year of a trend.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct TrendSection {
    /// Its code.
    #[schema(example = "process")]
    pub code: String,
    /// Its name.
    #[schema(example = "过程")]
    pub name: String,
    /// Its full marks, in points.
    #[schema(example = "60")]
    pub weight: String,
    /// The points that count; `null` while a line of it is open.
    #[schema(example = "55")]
    pub points: Option<String>,
}

/// A change against the year before.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = TrendChange)]
pub struct Change {
    /// The unit that filed the year before.
    #[schema(value_type = UnitCode)]
    pub from_unit: String,
    /// Points more than the year before, negative for fewer; `null` while either is open, or where the full marks differ.
    #[schema(example = "-1.5")]
    pub points: Option<String>,
    /// Whether both years were scored by the scheme of the same id; if not, the points measure different things.
    pub same_scheme: bool,
    /// Whether both schemes have the same full marks.
    pub same_full_marks: bool,
}

/// Puts a trend together. `links` are pairs of a unit and one that it continues.
///
/// A unit's rows are those before the first year of the unit that continues it: `valid_from` where it is known, else the
/// first year that it has a row of.
pub fn trend(
    unit: UnitCode,
    units: &[UnitRow],
    links: &[(String, String)],
    standings: Vec<StandingRow>,
    sections: &[SectionRow],
) -> Trend {
    let name_of = |code: &str| {
        let found = units.iter().find(|unit| unit.code == code);
        found.map(|unit| unit.name.clone()).unwrap_or_default()
    };
    let reach = reach(unit.as_str(), units, links, &standings);
    let mut years: Vec<TrendYear> = Vec::new();
    for row in standings {
        let Some((_, relation)) = reach.get(&row.unit).filter(|(before, _)| row.year < *before) else {
            continue;
        };
        let of_row = || {
            sections
                .iter()
                .filter(|section| section.year == row.year && section.unit == row.unit)
        };
        years.push(TrendYear {
            relation: *relation,
            full_marks: points(of_row().map(|section| section.weight).sum()),
            sections: of_row().map(TrendSection::from).collect(),
            unit_name: name_of(&row.unit),
            link: format!("/api/v1/units/{}/evaluations/{}", row.unit, row.year),
            change: None,
            points: row.points.map(points),
            self_points: row.self_points.map(points),
            low: points(row.low),
            high: points(row.high),
            year: row.year,
            unit: row.unit,
            state: row.state,
            submission: row.submission,
            scheme: row.scheme,
            grade: row.grade,
        });
    }
    for n in 0..years.len() {
        years[n].change = change(&years[n], &years);
    }
    Trend {
        unit_name: name_of(unit.as_str()),
        unit,
        years,
    }
}

/// Each unit of the line with the year before which its rows belong to the trend, and how it is related.
fn reach(
    unit: &str,
    units: &[UnitRow],
    links: &[(String, String)],
    standings: &[StandingRow],
) -> BTreeMap<String, (i64, Relation)> {
    let mut reach: BTreeMap<String, (i64, Relation)> = BTreeMap::new();
    let mut next = vec![(unit.to_owned(), i64::MAX, Relation::Same)];
    while let Some((unit, before, relation)) = next.pop() {
        // A unit that is reached by two ways keeps the one that shows more of it. So each is visited finitely often.
        if reach.get(&unit).is_some_and(|(known, _)| *known >= before) {
            continue;
        }
        let valid_from = units.iter().find(|row| row.code == unit).and_then(|row| row.valid_from);
        let first_row = standings.iter().find(|row| row.unit == unit).map(|row| row.year);
        let began = valid_from.or(first_row).unwrap_or(before).min(before);
        let predecessors: Vec<_> = links.iter().filter(|(successor, _)| *successor == unit).collect();
        for (_, predecessor) in &predecessors {
            let successors = links.iter().filter(|(_, before)| before == predecessor).count();
            let step = match (predecessors.len(), successors) {
                (1, 1) => Relation::Renamed,
                (1, _) => Relation::Split,
                _ => Relation::Merged,
            };
            next.push((predecessor.clone(), began, relation.max(step)));
        }
        reach.insert(unit, (before, relation));
    }
    reach
}

/// The change of a year against the one before, where the two are of one unit.
fn change(row: &TrendYear, years: &[TrendYear]) -> Option<Change> {
    let mut last = years.iter().filter(|other| other.year == row.year - 1);
    let before = last.clone().find(|other| other.unit == row.unit).or_else(|| {
        let one = |row: &TrendYear| row.relation <= Relation::Renamed;
        last.find(|other| one(other)).filter(|_| one(row))
    })?;
    let same_full_marks = before.full_marks == row.full_marks;
    let (now, was) = (row.points.as_deref().map(number), before.points.as_deref().map(number));
    let difference = now.zip(was).filter(|_| same_full_marks).map(|(now, was)| now - was);
    Some(Change {
        from_unit: before.unit.clone(),
        points: difference.map(digits),
        same_scheme: before.scheme == row.scheme,
        same_full_marks,
    })
}

fn points(millionths: i64) -> String {
    digits(Decimal::new(millionths, 6))
}

fn number(points: &str) -> Decimal {
    points.parse().unwrap_or_default()
}

impl From<&SectionRow> for TrendSection {
    fn from(row: &SectionRow) -> Self {
        Self {
            code: row.code.clone(),
            name: row.name.clone(),
            weight: points(row.weight),
            points: row.points.map(points),
        }
    }
}
