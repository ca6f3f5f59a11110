//! The addresses of a year's ranking and summary.

use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{By, Place, Ranking, Summary};
use super::store::{self, Ranked};
use super::{ranking, render, summary};
use crate::codes::FiscalYear;
use crate::db::{AnyConnection, Db};
use crate::http::accept::{Form, form, json};
use crate::http::auth::Overseer;
use crate::http::page::Limit;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, UnfitParameter};
use crate::schemes::library::{Compiled, Library};
use crate::scoring::text::SchemeId;
use crate::units::model::UnitKind;

/// Adds the routes of the answers over all units.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/{year}/ranking").get(get_ranking))
        .service(resource("/{year}/summary").get(get_summary));
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
    security(("token" = ["oversee"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year"), RankingQuery),
    responses((status = 200, description = "A page of the ranking",
            headers(("Link" = String, description = "The next page, `rel=\"next\"`")),
            content((Ranking = "application/json"), (String = "text/plain"))),
        CommonErrors, UnfitParameter),
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
    let ranked = Ranked {
        year,
        section: query.by.unwrap_or_default().into_section(),
        kind: query.kind,
    };
    let complete = query.complete.is_none_or(bool::from);
    let limit = query.limit.unwrap_or_default();
    let (ranking, scheme) = db
        .scan(move |conn| {
            conn.snapshot(|conn| {
                let scheme = in_force(conn, &library, year)?;
                let document = &scheme.scheme.document;
                let page = ranking::page(conn, document, &ranked, complete, query.cursor.as_ref(), limit)?;
                Ok((page, scheme))
            })
        })
        .await?;
    let body = match form {
        Form::Json => json(&ranking)?,
        Form::Text => Bytes::from(render::ranking(&ranking, &scheme.scheme.document)),
    };
    Ok(form.answer(ranking.page.begin(&request), body))
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
    security(("token" = ["oversee"])),
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
        .scan(move |conn| {
            conn.snapshot(|conn| {
                let scheme = in_force(conn, &library, year)?;
                summary::summary(conn, &scheme, year, query.kind)
            })
        })
        .await?;
    let body = match form {
        Form::Json => json(&summary)?,
        Form::Text => Bytes::from(render::summary(&summary)),
    };
    Ok(form.answer(HttpResponse::Ok(), body))
}

/// The scheme in force for a year.
///
/// # Errors
/// 404 if the year is not set up.
pub fn in_force(conn: &mut AnyConnection, library: &Library, year: FiscalYear) -> Result<Compiled, Problem> {
    let (id, edition) = store::scheme_in_force(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
    let id = SchemeId::try_from(id).map_err(Problem::internal)?;
    library.in_force(conn, &id, edition)
}
