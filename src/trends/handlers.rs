//! The address of a unit's trend.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::model::{Trend, trend};
use super::store;
use crate::codes::UnitCode;
use crate::db::sql::lineage;
use crate::db::{AnyConnection, Db};
use crate::http::auth::{Principal, Reader};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;

/// Adds the route.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{code}/trend").get(get));
}

/// Get a unit's trend
///
/// Its points, grade and sections over the years for which a submission counts, oldest first. A reform (机构改革) does not
/// break it: the years before the unit was there are those of the units that it continues (`predecessors`), each row
/// naming the unit that filed it. Years are compared where they are of one unit, under its old or its new code.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/trend",
    operation_id = "get_unit_trend",
    tag = "units",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    responses((status = 200, description = "The trend", body = Trend), CommonErrors),
)]
pub async fn get(Reader(principal): Reader, Path(code): Path<UnitCode>, db: Data<Db>) -> Result<HttpResponse, Problem> {
    let found = db.scan(move |conn| find(conn, &principal, code)).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// A unit's trend.
///
/// # Errors
/// 404 if there is no such unit, 403 for a principal who may not see it.
pub fn find(conn: &mut AnyConnection, principal: &Principal, code: UnitCode) -> Result<Trend, Problem> {
    let (links, _) = lineage(conn, vec![code.to_string()])?;
    let mut line: Vec<String> = links.iter().map(|(_, predecessor)| predecessor.clone()).collect();
    line.push(code.to_string());
    let units = store::units(conn, &line)?;
    let own = units.iter().find(|unit| unit.code == code.as_str());
    principal.may_see(&own.ok_or_else(|| Problem::no_unit(&code))?.path)?;
    let standings = store::standings(conn, &line)?;
    let sections = store::sections(conn, &line)?;
    Ok(trend(code, &units, &links, standings, &sections))
}
