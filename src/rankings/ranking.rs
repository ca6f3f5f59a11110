//! A page of a ranking, from what the store counts and finds.

use std::collections::HashMap;

use super::model::{Place, RankedUnit, Ranking, SchemeCount};
use super::store::{self, Ranked, Standing};
use super::summary;
use super::tally::points;
use crate::codes::FiscalYear;
use crate::db::AnyConnection;
use crate::fault::Text;
use crate::http::page::{Limit, Page};
use crate::http::problem::{At, Problem};
use crate::scoring::scheme::SchemeDocument;
use crate::scoring::score::Range;
use crate::scoring::text::Code;

/// A page of the ranking, or where `complete` is false of those that cannot be ranked, from behind `after` on.
///
/// # Errors
/// 400 for a section that neither the scheme in force nor any submission has.
pub fn page(
    conn: &mut AnyConnection,
    scheme: &SchemeDocument,
    ranked: &Ranked,
    complete: bool,
    after: Option<&Place>,
    limit: Limit,
) -> Result<Ranking, Problem> {
    let schemes = store::schemes(conn, ranked)?;
    let (units, with_points) = match &ranked.section {
        None => (
            schemes.iter().map(|row| row.units).sum(),
            schemes.iter().map(|row| row.with_total).sum(),
        ),
        Some(section) => {
            let counts = store::section_counts(conn, ranked, section)?;
            if counts.0 == 0 {
                must_have(scheme, section)?;
            }
            counts
        }
    };
    Ok(Ranking {
        year: ranked.year,
        by: ranked.section.as_ref().map_or("total", Code::as_str).to_owned(),
        kind: ranked.kind,
        complete,
        ranked: with_points,
        incomplete: units - with_points,
        not_submitted: store::not_submitted(conn, ranked)?,
        schemes: counted(schemes),
        page: Page::new(
            rows(conn, ranked, complete, after, limit)?,
            limit,
            |row| &row.place,
            |row| row.show(ranked.year, complete, scheme),
        ),
    })
}

/// A row of the list, from its three sources.
struct Row {
    place: Place,
    rank: Option<i64>,
    standing: Standing,
}

fn rows(
    conn: &mut AnyConnection,
    ranked: &Ranked,
    complete: bool,
    after: Option<&Place>,
    limit: Limit,
) -> Result<Vec<Row>, Problem> {
    let places = match complete {
        true => store::places(conn, ranked, after, limit)?,
        false => store::open_places(conn, ranked, after, limit)?,
    };
    let mut ranks = match places.first() {
        Some(first) if complete => {
            let (better, equal) = store::before(conn, ranked, first)?;
            Some(Ranks::new(first.points, better, equal))
        }
        _ => None,
    };
    let standings = store::standings_at(conn, ranked.year, &places)?;
    let mut standings: HashMap<String, Standing> = standings.into_iter().map(|row| (row.unit.clone(), row)).collect();
    let row = |place: Place| {
        let rank = ranks.as_mut().map(|ranks| ranks.next(place.points));
        let standing = standings
            .remove(&place.unit)
            .ok_or_else(|| Problem::internal(format!("{} has parts and no standing", place.unit)))?;
        Ok(Row { place, rank, standing })
    };
    places.into_iter().map(row).collect()
}

impl Row {
    fn show(self, year: FiscalYear, complete: bool, scheme: &SchemeDocument) -> RankedUnit {
        let standing = self.standing;
        RankedUnit {
            rank: self.rank,
            link: format!("/api/v1/units/{}/evaluations/{year}", standing.unit),
            unit: standing.unit,
            unit_name: standing.unit_name,
            kind: standing.kind,
            points: complete.then(|| points(self.place.points)),
            total: standing.points.map(points),
            self_total: standing.self_points.map(points),
            interval: Range {
                low: points(standing.low),
                high: points(standing.high),
            },
            grade: standing.grade.map(|code| summary::grade(scheme, code)),
            state: standing.state,
            submission: standing.submission,
            scheme: standing.scheme,
        }
    }
}

/// Competition ranking along a page: who has equal points shares a rank, who comes next is as much behind.
struct Ranks {
    /// The rank of the row before, and its points.
    rank: i64,
    points: i64,
    /// How many rows there are before the next one, on earlier pages too.
    passed: i64,
}

impl Ranks {
    /// Begins at a row with `points`, before which there are `better` rows with more and `equal` with as many.
    fn new(points: i64, better: i64, equal: i64) -> Self {
        Self {
            rank: better + 1,
            points,
            passed: better + equal,
        }
    }

    fn next(&mut self, points: i64) -> i64 {
        if points != self.points {
            self.rank = self.passed + 1;
            self.points = points;
        }
        self.passed += 1;
        self.rank
    }
}

/// How many units have submitted by which scheme.
pub fn counted(schemes: Vec<store::SchemeRow>) -> Vec<SchemeCount> {
    let count = |row: store::SchemeRow| SchemeCount {
        scheme: row.scheme,
        units: row.units,
    };
    schemes.into_iter().map(count).collect()
}

/// Refuses a section that neither the scheme in force nor any submission has.
fn must_have(scheme: &SchemeDocument, section: &Code) -> Result<(), Problem> {
    if scheme.sections.iter().any(|known| known.code == *section) {
        return Ok(());
    }
    let known: Vec<String> = scheme
        .sections
        .iter()
        .map(|known| format!("{}（{}）", known.code, known.name))
        .collect();
    let codes: Vec<&str> = scheme.sections.iter().map(|known| known.code.as_str()).collect();
    Err(Problem::unfit_parameters(vec![At::parameter(
        "by",
        "unknown_section",
        Text::new(
            format!(
                "该年度没有一级指标“{section}”，可用：total（总分）、{}。",
                known.join("、")
            ),
            format!(
                "the year has no section \"{section}\"; there are total, {}",
                codes.join(", ")
            ),
        ),
    )]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_points_share_a_rank_and_the_next_is_as_much_behind() {
        let ranks = |first: (i64, i64), points: &[i64]| {
            let mut ranks = Ranks::new(points[0], first.0, first.1);
            points.iter().map(|points| ranks.next(*points)).collect::<Vec<_>>()
        };
        assert_eq!(ranks((0, 0), &[9, 8, 8, 7, 7, 7, 6]), [1, 2, 2, 4, 4, 4, 7]);
        // A page that begins within a tie: two better ones and one equal are on the page before.
        assert_eq!(ranks((2, 1), &[8, 8, 7]), [3, 3, 6]);
    }
}
