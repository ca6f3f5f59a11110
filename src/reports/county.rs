//! A county's report: how far a year has come, how the totals lie, who stands where and who is still to submit.

use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::county_page::{Links, county_page};
use super::page::POLICY;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::evaluations::workflow::State;
use crate::http::accept::{json, preferred};
use crate::http::auth::Overseer;
use crate::http::language::Language;
use crate::http::page::{Limit, Page, query_with};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::rankings::handlers::in_force;
use crate::rankings::model::{Place, Ranking, Summary};
use crate::rankings::store::{self, Ranked, WaitingRow};
use crate::rankings::{ranking, summary};
use crate::schemes::library::Library;
use crate::units::model::UnitKind;

/// Adds the route of the county's report, below `/api/v1/fiscal-years`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{year}/report").get(get));
}

/// A county's report on a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountyReport {
    /// How far the year has come, how the totals are distributed, what was got and lost where.
    pub summary: Summary,
    /// A page of the ranking by total.
    pub ranking: Ranking,
    /// A page of the units that have no submission that counts, by code.
    pub not_submitted: Page<Waiting>,
}

/// A unit that has no submission that counts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Waiting {
    /// Its budget unit code.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// Its name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// Its kind.
    #[schema(value_type = UnitKind)]
    pub kind: String,
    /// Where its evaluation is: nothing filed, a draft, or returned.
    pub state: State,
    /// Its evaluation.
    #[schema(example = "/api/v1/units/219001/evaluations/2019")]
    pub link: String,
}

/// A form of the county's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountyFormat {
    /// All of it, for programs.
    Json,
    /// A page to look at and to print.
    Html,
}

/// What to report on, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CountyQuery {
    /// Only units of this kind.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    kind: Option<UnitKind>,
    /// How many units a page of the ranking, and of those that have not submitted, has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `ranking.next_cursor` of the page before.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    cursor: Option<Place>,
    /// `not_submitted.next_cursor` of the page before.
    #[serde(default, deserialize_with = "given")]
    waiting_cursor: Option<UnitCode>,
    /// The form of the report, whatever `Accept` says.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    format: Option<CountyFormat>,
    /// The language of the page, whatever `Accept-Language` says; Chinese where neither says one.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    lang: Option<Language>,
}

/// Get a county's report on a year
///
/// The summary of the year, the ranking by total, and the units that are still to submit, in one answer: JSON, or with
/// `Accept: text/html` or `format=html` a page to look at and to print, with charts of how the totals lie and of what was got
/// where. For the bureau and auditors.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}/report",
    operation_id = "get_county_report",
    tag = "fiscal-years",
    security(("token" = ["oversee"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year"), CountyQuery),
    responses((status = 200, description = "The report",
            headers(("Link" = String, description = "The next page of the ranking, `rel=\"next\"`")),
            content((CountyReport = "application/json"), (String = "text/html"))),
        CommonErrors),
)]
pub async fn get(
    _: Overseer,
    Path(year): Path<FiscalYear>,
    Query(query): Query<CountyQuery>,
    db: Data<Db>,
    library: Data<Library>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let format = match query.format {
        Some(format) => format,
        None => [CountyFormat::Json, CountyFormat::Html][preferred(&request, &["application/json", "text/html"])?],
    };
    let ranked = Ranked {
        year,
        section: None,
        kind: query.kind,
    };
    let limit = query.limit.unwrap_or_default();
    let report = db
        .scan(move |conn| {
            conn.snapshot(|conn| {
                let scheme = in_force(conn, &library, year)?;
                let document = &scheme.scheme.document;
                let waiting = store::waiting(conn, &ranked, query.waiting_cursor.as_ref(), limit)?;
                let waiting: Vec<_> = waiting
                    .into_iter()
                    .map(|row| show(row, year))
                    .collect::<Result<_, _>>()?;
                Ok(CountyReport {
                    summary: summary::summary(conn, &scheme, year, query.kind)?,
                    ranking: ranking::page(conn, document, &ranked, true, query.cursor.as_ref(), limit)?,
                    not_submitted: Page::new(waiting, limit, |unit| &unit.unit, |unit| unit),
                })
            })
        })
        .await?;
    let mut response = report.ranking.page.begin(&request);
    response.insert_header((VARY, "accept, accept-language"));
    Ok(match format {
        CountyFormat::Json => response
            .insert_header((CONTENT_TYPE, "application/json"))
            .body(json(&report)?),
        CountyFormat::Html => {
            let language = query
                .lang
                .unwrap_or_else(|| Language::wanted_or(request.headers(), Language::Chinese));
            let next = |parameter, page: &Option<String>| page.as_ref().map(|at| query_with(&request, parameter, at));
            let links = Links {
                json: query_with(&request, "format", "json"),
                other_language: match language {
                    Language::Chinese => query_with(&request, "lang", "en"),
                    Language::English => query_with(&request, "lang", "zh"),
                },
                next_ranked: next("cursor", &report.ranking.page.next_cursor),
                next_waiting: next("waiting_cursor", &report.not_submitted.next_cursor),
            };
            response
                .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
                .insert_header((CONTENT_LANGUAGE, language.tag()))
                .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
                .body(county_page(&report, language, &links))
        }
    })
}

fn show(row: WaitingRow, year: FiscalYear) -> Result<Waiting, Problem> {
    let state = row.state.as_deref().map_or(Ok(State::NotStarted), str::parse);
    Ok(Waiting {
        link: format!("/api/v1/units/{}/evaluations/{year}", row.unit),
        unit: row.unit,
        unit_name: row.name,
        kind: row.kind,
        state: state.map_err(Problem::internal)?,
    })
}
