//! What a published table contradicts in itself, without storing anything.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use crate::checks::table::{Examination, PublishedTable, examine};
use crate::db::Db;
use crate::fault::Fault;
use crate::http::accept;
use crate::http::auth::Reader;
use crate::http::body::Json;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, CommonErrors};
use crate::preview::{sent_along, stored};
use crate::schemes::library::Library;

/// Adds the route.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/checks:preview").post(post));
}

/// Check a published table
///
/// Takes a self-evaluation table as it is printed and says what in it contradicts itself: ratios and points that do not
/// follow from the row's own figures, weights, sections and totals that do not add up, full marks on a miss, points off
/// without a reason, a fact scored twice. Each finding has both numbers, and the probable cause where a usual mistake gives
/// exactly the number that is printed. How the table rounds is inferred from its rows unless it is stated. Nothing is
/// stored.
#[utoipa::path(
    post,
    path = "/api/v1/checks:preview",
    operation_id = "preview_checks",
    tag = "checks",
    security(("token" = ["read"])),
    request_body(content = PublishedTable, example = json!({
        "title": "某局2021年度部门整体支出绩效自评表",
        "complete": false,
        "funding": {"total": {"initial_budget": "4753.66", "adjusted_budget": "4753.66", "executed": "3824.26"}},
        "rows": [
            {"name": "预算执行率", "weight": "10", "ratio": "100%", "points": "10", "measure": {"kind": "execution"}},
            {"name": "三公经费变动率", "weight": "8", "ratio": "98.31%", "points": "0",
                "measure": {"kind": "ratio", "numerator": "63.46 - 32", "denominator": "32"},
                "rule": {"kind": "deduct", "target": "0", "off": "above", "step": "1", "points_per_step": "0.8"}},
            {"name": "造林面积", "weight": "10", "points": "10", "measure": {"kind": "quantity", "target": "≥1.2万亩", "actual": "1.2万亩"}},
            {"name": "提高就业率", "weight": "6", "points": "6", "measure": {"kind": "quality", "expected": "显著", "achieved": "显著"}}
        ]
    })),
    responses((status = 200, description = "What was found", body = Examination), CommonErrors, BodyErrors),
)]
pub async fn post(
    _: Reader,
    Json(mut table): Json<PublishedTable>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let scheme = match (table.scheme.take(), table.scheme_document.take()) {
        (None, None) => None,
        (Some(id), None) => Some(stored(id, &db, library).await?),
        (None, Some(document)) => Some(sent_along(document)),
        (Some(_), Some(_)) => Some(Err(vec![Fault::new(
            "/scheme_document",
            "one_of",
            "scheme（已存评分标准的编号）与scheme_document（随附的评分标准）至多填一项。",
            "give `scheme`, the id of a stored one, or `scheme_document`, but not both",
        )])),
    };
    let scheme = scheme.transpose().map_err(Problem::invalid)?.map(|(_, scheme)| scheme);
    let examination = examine(&table, scheme.as_deref()).map_err(Problem::invalid)?;
    let body = accept::json(&examination)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}
