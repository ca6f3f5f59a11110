//! Where a unit-year stands, as narrow rows that rankings, summaries and trends are read from.

use diesel::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::workflow::State;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::schema::{standing_parts, standings};
use crate::scoring::review::Tally;
use crate::scoring::scheme::Scheme;

/// The row of a unit-year; points in millionths.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = standings, treat_none_as_default_value = false)]
pub struct StandingRow {
    /// The fiscal year.
    pub year: i64,
    /// The unit.
    pub unit_code: String,
    /// What the unit was when it submitted, as a word.
    pub unit_kind: String,
    /// The state of the evaluation, as a word.
    pub state: String,
    /// The number of the submission that counts.
    pub submission: i64,
    /// The scheme that it was scored by.
    pub scheme_id: String,
    /// The code of the grade; `None` while it is open.
    pub grade: Option<String>,
    /// What counts: the review's total where there is a review, else the unit's own; `None` while a line is open.
    pub points: Option<i64>,
    /// The unit's own total; `None` while a line is open.
    pub self_points: Option<i64>,
    /// The least that what counts can be.
    pub low: i64,
    /// The most that what counts can be.
    pub high: i64,
}

/// The row of a section or an indicator of a unit-year; points in millionths.
#[derive(Debug, Clone, PartialEq, Insertable)]
#[diesel(table_name = standing_parts, treat_none_as_default_value = false)]
pub struct PartRow {
    /// The fiscal year.
    pub year: i64,
    /// `section` or `line`.
    pub part: &'static str,
    /// The code of the section or indicator.
    pub code: String,
    /// The unit.
    pub unit_code: String,
    /// What the unit was when it submitted, as a word.
    pub unit_kind: String,
    /// The name of the section or indicator.
    pub name: String,
    /// Its full marks.
    pub weight: i64,
    /// Its points, those of the review where there is one; `None` while it is open.
    pub points: Option<i64>,
}

/// Where a unit-year stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// On the whole.
    pub row: StandingRow,
    /// By section and by indicator of the scheme; a unit's own rows are not comparable and not among them.
    pub parts: Vec<PartRow>,
}

/// Which submission it is that stands.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The unit.
    pub unit: &'a UnitCode,
    /// What the unit was when it submitted, as a word.
    pub unit_kind: &'a str,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The state of the evaluation.
    pub state: State,
    /// The number of the submission.
    pub submission: i64,
    /// The id of the scheme.
    pub scheme_id: &'a str,
}

impl Standing {
    /// Where a submission stands with the unit's `own` points and those that count.
    pub fn of(subject: Subject<'_>, own: &Tally, counted: &Tally, scheme: &Scheme) -> Self {
        let part = |part, code: &str, name: &str, weight, points: Option<Decimal>| PartRow {
            year: subject.year.get(),
            part,
            code: code.to_owned(),
            unit_code: subject.unit.to_string(),
            unit_kind: subject.unit_kind.to_owned(),
            name: name.to_owned(),
            weight: millionths(weight),
            points: points.map(millionths),
        };
        let sections = counted.sections.iter().map(|section| {
            part(
                "section",
                section.code.as_str(),
                section.name.as_str(),
                section.weight,
                section.points,
            )
        });
        let of_the_scheme = |code: &str| {
            let mut sections = scheme.document.sections.iter();
            sections.any(|section| {
                section
                    .indicators
                    .iter()
                    .any(|indicator| indicator.code.as_str() == code)
            })
        };
        let lines = counted.lines.iter().filter(|line| of_the_scheme(&line.code));
        let lines =
            lines.filter_map(|line| Some(part("line", &line.code, line.name.as_str(), line.weight?, line.points)));
        Self {
            parts: sections.chain(lines).collect(),
            row: StandingRow {
                year: subject.year.get(),
                unit_code: subject.unit.to_string(),
                unit_kind: subject.unit_kind.to_owned(),
                state: subject.state.to_string(),
                submission: subject.submission,
                scheme_id: subject.scheme_id.to_owned(),
                grade: counted.grade.as_ref().map(|grade| grade.code.as_str().to_owned()),
                points: counted.total.map(millionths),
                self_points: own.total.map(millionths),
                low: millionths(counted.interval.low),
                high: millionths(counted.interval.high),
            },
        }
    }
}

/// Points in millionths, rounded half up where a scheme that does not round gives more digits. Points are at most some
/// thousands, far from where this number ends.
fn millionths(points: Decimal) -> i64 {
    let scaled = (points * Decimal::from(1_000_000)).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    scaled.to_i64().unwrap_or(i64::MAX)
}
