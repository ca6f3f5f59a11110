//! The addresses of a year's ranking and summary.

use std::collections::HashMap;

use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{By, KindOverview, Place, RankedUnit, Ranking, SchemeCount, Summary};
use super::render;
use super::store::{self, Ranked, Standing};
use super::summary::{self, Names};
use super::tally::{Tally, points};
use crate::codes::FiscalYear;
use crate::db::{AnyConnection, Db};
use crate::fault::Text;
use crate::http::accept::{Form, form, json};
use crate::http::auth::Overseer;
use crate::http::page::{Limit, Page};
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::schemes::library::{Compiled, Library};
use crate::scoring::scheme::SchemeDocument;
use crate::scoring::score::Range;
use crate::scoring::text::{Code, SchemeId};
use crate::units::model::UnitKind;

/// Adds the routes of the answers over all units.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/fiscal-years/{year}/ranking").get(get_ranking))
        .service(resource("/api/v1/fiscal-years/{year}/summary").get(get_summary));
}

/// What to rank.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RankingQuery {
    /// What to rank by: `total`, as when it is left out, or the code of a section (一级指标) of the scheme, such as `process`.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    by: Option<By>,
    /// Only units of this kind, ranked among themselves.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    kind: Option<UnitKind>,
    /// `false`: instead of the ranking those that cannot be ranked, since a line is open; by the most that their total can
    /// still be.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    complete: Option<Flag>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    cursor: Option<Place>,
}

/// Get the ranking of a year
///
/// The units whose latest submission counts (submitted, under review, approved or published), the best first, by total or
/// by the points of one section. What counts is the review's points where there are any, else the unit's own. Units with
/// equal points share a rank: 1, 2, 2, 4. Those with an open line have no total and no rank; they are counted, and listed
/// by `complete=false`. With `Accept: text/plain` the answer is a table in Chinese. For the bureau and auditors.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}/ranking",
    operation_id = "get_ranking",
    tag = "fiscal-years",
    params(("year" = FiscalYear, Path, description = "The fiscal year"), RankingQuery),
    responses((status = 200, description = "A page of the ranking",
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
            content((Ranking = "application/json"), (String = "text/plain"))),
        CommonErrors),
)]
pub async fn get_ranking(
    _: Overseer,
    Path(year): Path<FiscalYear>,
    Query(query): Query<RankingQuery>,
    db: Data<Db>,
    library: Data<Library>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let form = form(&request)?;
    let (ranking, scheme) = db
        .scan(move |conn| conn.snapshot(|conn| rank(conn, &library, year, query)))
        .await?;
    let body = match form {
        Form::Json => json(&ranking)?,
        Form::Text => Bytes::from(render::ranking(&ranking, &scheme.scheme.document)),
    };
    Ok(form.answer(ranking.page.begin(&request), body))
}

fn rank(
    conn: &mut AnyConnection,
    library: &Library,
    year: FiscalYear,
    query: RankingQuery,
) -> Result<(Ranking, Compiled), Problem> {
    let scheme = in_force(conn, library, year)?;
    let by = query.by.unwrap_or_default();
    let ranked = Ranked {
        year,
        section: by.section().cloned(),
        kind: query.kind,
    };
    let schemes = store::schemes(conn, &ranked)?;
    let (units, with_points) = match &ranked.section {
        None => (
            schemes.iter().map(|row| row.units).sum(),
            schemes.iter().map(|row| row.with_total).sum(),
        ),
        Some(section) => {
            let counts = store::section_counts(conn, &ranked, section)?;
            if counts.0 == 0 {
                must_have(&scheme.scheme.document, section)?;
            }
            counts
        }
    };
    let complete = query.complete.is_none_or(bool::from);
    let limit = query.limit.unwrap_or_default();
    let places = match complete {
        true => store::places(conn, &ranked, query.cursor.as_ref(), limit)?,
        false => store::open_places(conn, &ranked, query.cursor.as_ref(), limit)?,
    };
    let mut ranks = match places.first() {
        Some(first) if complete => {
            let (better, equal) = store::before(conn, &ranked, first)?;
            Some(Ranks::new(first.points, better, equal))
        }
        _ => None,
    };
    let known = store::standings_at(conn, year, &places)?;
    let mut known: HashMap<String, Standing> = known.into_iter().map(|row| (row.unit.clone(), row)).collect();
    let mut rows = Vec::with_capacity(places.len());
    for place in places {
        let rank = ranks.as_mut().map(|ranks| ranks.next(place.points));
        let standing = known
            .remove(&place.unit)
            .ok_or_else(|| Problem::internal(format!("{} has parts and no standing", place.unit)))?;
        rows.push((place, rank, standing));
    }
    let by_what = complete.then_some(());
    let page = Page::new(
        rows,
        limit,
        |(place, ..)| place,
        |(place, rank, standing)| RankedUnit {
            rank,
            points: by_what.map(|()| points(place.points)),
            ..describe(year, standing, &scheme.scheme.document)
        },
    );
    let ranking = Ranking {
        year,
        by: by.as_str().to_owned(),
        kind: query.kind,
        complete,
        ranked: with_points,
        incomplete: units - with_points,
        not_submitted: store::not_submitted(conn, &ranked)?,
        schemes: counted(schemes),
        page,
    };
    Ok((ranking, scheme))
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

fn describe(year: FiscalYear, standing: Standing, scheme: &SchemeDocument) -> RankedUnit {
    RankedUnit {
        rank: None,
        link: format!("/api/v1/units/{}/evaluations/{year}", standing.unit),
        unit: standing.unit,
        unit_name: standing.unit_name,
        kind: standing.kind,
        points: None,
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

fn counted(schemes: Vec<store::SchemeRow>) -> Vec<SchemeCount> {
    let count = |row: store::SchemeRow| SchemeCount {
        scheme: row.scheme,
        units: row.units,
    };
    schemes.into_iter().map(count).collect()
}

/// The scheme in force for a year.
///
/// # Errors
/// 404 if the year is not set up.
fn in_force(conn: &mut AnyConnection, library: &Library, year: FiscalYear) -> Result<Compiled, Problem> {
    let (id, edition) = store::scheme_in_force(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
    let id = SchemeId::try_from(id).map_err(Problem::internal)?;
    library.in_force(conn, &id, edition)
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
    Err(Problem::invalid_parameters(vec![At::parameter(
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

/// What to sum up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SummaryQuery {
    /// Only units of this kind.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    kind: Option<UnitKind>,
}

/// Get the summary of a year
///
/// How far the year has come (evaluations by state); how the totals are distributed (grades, bands of five points, mean,
/// median, quartiles); what was got in each section; which indicators lose most points. Of all units, and of each kind of
/// unit. Points count as in the ranking. With `Accept: text/plain` the answer is tables in Chinese. For the bureau and
/// auditors.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}/summary",
    operation_id = "get_summary",
    tag = "fiscal-years",
    params(("year" = FiscalYear, Path, description = "The fiscal year"), SummaryQuery),
    responses((status = 200, description = "The summary", content((Summary = "application/json"), (String = "text/plain"))),
        CommonErrors),
)]
pub async fn get_summary(
    _: Overseer,
    Path(year): Path<FiscalYear>,
    Query(query): Query<SummaryQuery>,
    db: Data<Db>,
    library: Data<Library>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let form = form(&request)?;
    let summary = db
        .scan(move |conn| conn.snapshot(|conn| sum_up(conn, &library, year, query.kind)))
        .await?;
    let body = match form {
        Form::Json => json(&summary)?,
        Form::Text => Bytes::from(render::summary(&summary)),
    };
    Ok(form.answer(HttpResponse::Ok(), body))
}

fn sum_up(
    conn: &mut AnyConnection,
    library: &Library,
    year: FiscalYear,
    kind: Option<UnitKind>,
) -> Result<Summary, Problem> {
    let scheme = in_force(conn, library, year)?;
    let mut kinds = summary::by_kind(store::counts(conn, year)?);
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
        overall: summary::overview(&all, &names),
        by_kind: match kind {
            Some(_) => Vec::new(),
            None => kinds
                .into_iter()
                .map(|(kind, tally)| KindOverview {
                    overview: summary::overview(&tally, &names),
                    kind,
                })
                .collect(),
        },
    })
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
