//! The history of a unit's year: who did what, when and why.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::handlers::require;
use super::submission_store::{self, EventRow};
use super::workflow::{Action, State};
use crate::codes::{FiscalYear, Ordinal, UnitCode};
use crate::db::Db;
use crate::http::auth::Reader;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;

/// Adds the route of the history.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/history").get(list));
}

/// Something that was done to an evaluation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Counts what was done to the unit's year, from 1.
    #[schema(minimum = 1, example = 1)]
    pub number: i64,
    /// When (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub at: String,
    /// What.
    #[schema(value_type = Action)]
    pub action: String,
    /// The state before.
    #[schema(value_type = State)]
    pub from: String,
    /// The state after.
    #[schema(value_type = State)]
    pub to: String,
    /// The number of the submission that it is about.
    #[schema(minimum = 1, example = 1)]
    pub submission: i64,
    /// Whose token it was.
    #[schema(example = "开云镇财政所")]
    pub actor: String,
    /// What that token may do: `bureau` or `unit`.
    #[schema(example = "unit")]
    pub role: String,
    /// Why; `null` where nothing was said.
    #[schema(example = json!(null))]
    pub reason: Option<String>,
}

/// Which part of the history to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// By number, from the first or from the latest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: its last number.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<Ordinal>,
}

/// List the history of a unit's year
///
/// Who submitted, withdrew, reviewed, returned, approved, published or reopened it, when and why.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/history",
    operation_id = "list_evaluation_history",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), HistoryQuery),
    responses((status = 200, description = "A page of the history", body = Page<Event>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    Reader(principal): Reader,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<HistoryQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .scan(move |conn| {
            let context = require(conn, &unit, year)?;
            principal.may_see(&context.unit_path)?;
            let cursor = query.cursor.map(Ordinal::get);
            let order = query.order.unwrap_or_default();
            Ok(submission_store::events(conn, &unit, year, order, cursor, limit)?)
        })
        .await?;
    let show = |row: EventRow| Event {
        number: row.number,
        at: row.at,
        action: row.action,
        from: row.from_state,
        to: row.to_state,
        submission: row.submission,
        actor: row.actor,
        role: row.role,
        reason: row.reason,
    };
    Ok(Page::new(rows, limit, |row| &row.number, show).respond(&request))
}
