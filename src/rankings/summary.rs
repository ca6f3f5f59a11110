//! A summary of a year, from what the store counts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::model::{
    Band, GradeCount, GradeName, IndicatorOverview, KindOverview, Overview, SectionOverview, StateCounts, Summary,
    Totals,
};
use super::ranking::counted;
use super::store::{self, Counts, Ranked, SECTION};
use super::tally::{self, PartTally, Tally};
use crate::codes::FiscalYear;
use crate::db::AnyConnection;
use crate::evaluations::workflow::State;
use crate::http::problem::Problem;
use crate::schemes::library::Compiled;
use crate::scoring::scheme::SchemeDocument;
use crate::units::model::UnitKind;

/// The summary of a year, of units of one kind or of all.
///
/// # Errors
/// Those of the database.
pub fn summary(
    conn: &mut AnyConnection,
    scheme: &Compiled,
    year: FiscalYear,
    kind: Option<UnitKind>,
) -> Result<Summary, Problem> {
    let mut kinds = by_kind(store::counts(conn, year)?);
    if let Some(kind) = kind {
        kinds.retain(|word, _| word == kind.as_str());
    }
    let parts = store::part_names(conn, year)?;
    let names = Names {
        scheme: &scheme.scheme.document,
        parts: parts
            .into_iter()
            .map(|(part, code, name)| ((part, code), name))
            .collect(),
    };
    let mut all = Tally::default();
    for tally in kinds.values() {
        all += tally;
    }
    let ranked = Ranked {
        year,
        section: None,
        kind,
    };
    Ok(Summary {
        year,
        scheme: scheme.id.to_string(),
        schemes: counted(store::schemes(conn, &ranked)?),
        kind,
        overall: overview(&all, &names),
        by_kind: match kind {
            Some(_) => Vec::new(),
            None => kinds
                .into_iter()
                .map(|(kind, tally)| KindOverview {
                    overview: overview(&tally, &names),
                    kind,
                })
                .collect(),
        },
    })
}

/// What is counted, by kind of unit.
fn by_kind(counts: Counts) -> BTreeMap<String, Tally> {
    let mut kinds: BTreeMap<String, Tally> = BTreeMap::new();
    for (kind, units) in counts.units {
        kinds
            .entry(kind)
            .or_default()
            .states
            .insert(State::NotStarted.to_string(), units);
    }
    for row in counts.states {
        let states = &mut kinds.entry(row.kind).or_default().states;
        // Who has an evaluation has started. One of a unit that did not exist in the year was not among those that have not.
        *states.entry(State::NotStarted.to_string()).or_default() -= row.existed;
        *states.entry(row.state).or_default() += row.units;
    }
    for row in counts.totals {
        let tally = kinds.entry(row.kind).or_default();
        match row.points {
            Some(points) => tally.totals.add(points, row.units),
            None => tally.incomplete += row.units,
        }
    }
    for (kind, grade, units) in counts.grades {
        let grades = &mut kinds.entry(kind).or_default().grades;
        *grades.entry(grade.unwrap_or_default()).or_default() += units;
    }
    for row in counts.parts {
        let tally = PartTally {
            units: row.units,
            losing: row.losing,
            points: row.points,
            weight: row.weight,
        };
        kinds
            .entry(row.kind)
            .or_default()
            .parts
            .insert((row.part, row.code), tally);
    }
    kinds
}

/// What summaries call things: sections, indicators and grades.
struct Names<'a> {
    /// The scheme in force for the year, which gives the order of sections and the grades.
    scheme: &'a SchemeDocument,
    /// The names of parts, by what they are and their code.
    parts: HashMap<(String, String), String>,
}

impl Names<'_> {
    fn part(&self, key: &(String, String)) -> String {
        self.parts.get(key).unwrap_or(&key.1).clone()
    }
}

/// A grade with its name in a scheme.
pub fn grade(scheme: &SchemeDocument, code: String) -> GradeName {
    let known = scheme.grades.iter().find(|grade| grade.code.as_str() == code);
    GradeName {
        name: known.map_or_else(|| code.clone(), |grade| grade.name.to_string()),
        code,
    }
}

/// What is to say of a group of units.
fn overview(tally: &Tally, names: &Names) -> Overview {
    let state = |state: State| tally.states.get(state.as_str()).copied().unwrap_or(0);
    let mut sections = Vec::new();
    let mut indicators = Vec::new();
    for (key, part) in &tally.parts {
        let (name, code) = (names.part(key), key.1.clone());
        let rate = tally::percent(part.points, part.weight);
        if key.0 == SECTION {
            sections.push(SectionOverview {
                code,
                name,
                units: part.units,
                mean: tally::mean(part.points, part.units),
                rate,
            });
            continue;
        }
        let lost = part.weight - part.points;
        indicators.push(IndicatorOverview {
            code,
            name,
            units: part.units,
            losing: part.losing,
            losing_percent: tally::percent(part.losing, part.units),
            lost: tally::points(lost),
            mean_lost: tally::mean(lost, part.units),
            rate,
        });
    }
    // The sorts are stable: what is equal stays in the order of its codes.
    let place = |code: &str| {
        let mut known = names.scheme.sections.iter();
        known
            .position(|section| section.code.as_str() == code)
            .unwrap_or(usize::MAX)
    };
    sections.sort_by_key(|section| place(&section.code));
    indicators.sort_by_key(|indicator| Reverse(indicator.lost));
    Overview {
        units: tally.states.values().sum(),
        states: StateCounts {
            not_started: state(State::NotStarted),
            draft: state(State::Draft),
            submitted: state(State::Submitted),
            returned: state(State::Returned),
            under_review: state(State::UnderReview),
            approved: state(State::Approved),
            published: state(State::Published),
        },
        totals: totals(tally, names.scheme),
        sections,
        indicators,
    }
}

fn totals(tally: &Tally, scheme: &SchemeDocument) -> Totals {
    let ranked = tally.totals.count();
    let known = scheme.grades.iter().map(|grade| grade.code.as_str());
    let others = tally.grades.keys().map(String::as_str);
    let others =
        others.filter(|code| !code.is_empty() && !scheme.grades.iter().any(|grade| grade.code.as_str() == *code));
    let grades = known.chain(others).map(|code| {
        let units = tally.grades.get(code).copied().unwrap_or(0);
        GradeCount {
            grade: grade(scheme, code.to_owned()),
            units,
            percent: tally::percent(units, ranked),
        }
    });
    let bands = tally.totals.bands().into_iter();
    Totals {
        ranked,
        incomplete: tally.incomplete,
        mean: tally.totals.mean(),
        min: tally.totals.min(),
        lower_quartile: tally.totals.quartile(1),
        median: tally.totals.quartile(2),
        upper_quartile: tally.totals.quartile(3),
        max: tally.totals.max(),
        grades: grades.collect(),
        bands: bands.map(|(from, to, units)| Band { from, to, units }).collect(),
    }
}
