//! The addresses of the units.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{Row, Unit, UnitInput, UnitKind};
use super::store::{self, Filter};
use crate::codes::UnitCode;
use crate::db::{AnyConnection, Db};
use crate::fault::Fault;
use crate::http::auth::{Bureau, Reader};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::Preconditions;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, SearchText, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::patch_of;

patch_of!(
    /// Some fields of [`UnitInput`].
    UnitPatch,
    UnitInput
);

/// Adds the routes of the units.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/units").get(list)).service(
        resource("/api/v1/units/{code}")
            .get(get)
            .put(put)
            .patch(patch)
            .delete(delete),
    );
}

/// The longest place in the hierarchy: ten levels of the longest codes.
const LONGEST_PATH: i32 = 211;

/// Which units to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only units of this kind.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    kind: Option<UnitKind>,
    /// Only the units directly below this one.
    #[serde(default, deserialize_with = "given")]
    parent: Option<UnitCode>,
    /// Only this unit and all below it, on any level.
    #[serde(default, deserialize_with = "given")]
    under: Option<UnitCode>,
    /// Only units whose name contains this, or whose code begins with it.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    q: Option<SearchText>,
    /// By code, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the code of its last unit.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<UnitCode>,
}

/// List units
///
/// By budget unit code. A unit's token sees its own units and those below them.
#[utoipa::path(
    get,
    path = "/api/v1/units",
    operation_id = "list_units",
    tag = "units",
    params(ListQuery),
    responses((status = 200, description = "A page of units", body = Page<Unit>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    Reader(principal): Reader,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .scan(move |conn| {
            let filter = Filter {
                kind: query.kind,
                parent: query.parent,
                under: query.under,
                q: query.q.map(|q| q.as_str().to_owned()),
                scope: principal.scope(),
            };
            Ok(store::list(
                conn,
                &filter,
                query.order.unwrap_or_default(),
                query.cursor.as_ref(),
                limit,
            )?)
        })
        .await?;
    Ok(Page::new(rows, limit, |row| &row.code, Unit::from).respond(&request))
}

/// Get a unit
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}",
    operation_id = "get_unit",
    tag = "units",
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    responses((status = 200, description = "The unit", body = Unit, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let row = db.read(move |conn| require(conn, &code)).await?;
    principal.may_see(&row.path)?;
    preconditions.answer(&row.etag(), |mut response| Ok(response.json(Unit::from(row))))
}

/// Create or replace a unit
///
/// The same request may be sent again: a unit that is already so keeps its version. A unit that gets another `parent`
/// takes all below it along. Only for the finance bureau.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}",
    operation_id = "put_unit",
    tag = "units",
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    request_body = UnitInput,
    responses((status = 201, description = "It was created", body = Unit,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = Unit,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    _: Bureau,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    Json(input): Json<UnitInput>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (created, row) = db
        .write(move |conn| {
            let before = store::find(conn, code.as_str())?;
            preconditions.check(before.as_ref().map(Row::etag).as_ref())?;
            Ok((before.is_none(), save(conn, &code, before, &input)?))
        })
        .await?;
    let address = format!("/api/v1/units/{}", row.code);
    Ok(row.etag().saved(created, &address).json(Unit::from(row)))
}

/// Change some fields of a unit
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a field away. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}",
    operation_id = "patch_unit",
    tag = "units",
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    request_body(content = UnitPatch, content_type = "application/merge-patch+json", example = json!({"parent": "219"})),
    responses((status = 200, description = "The unit after the change", body = Unit,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    _: Bureau,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let row = db
        .write(move |conn| {
            let before = require(conn, &code)?;
            preconditions.check(Some(&before.etag()))?;
            let input = patch.apply(&UnitInput::try_from(&before).map_err(Problem::internal)?)?;
            save(conn, &code, Some(before), &input)
        })
        .await?;
    Ok(row.etag().saved(false, "").json(Unit::from(row)))
}

/// Delete a unit
///
/// Refused while other units, evaluations, special funds or tokens refer to it. Only for the finance bureau.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}",
    operation_id = "delete_unit",
    tag = "units",
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    _: Bureau,
    Path(code): Path<UnitCode>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    db.write(move |conn| {
        let row = require(conn, &code)?;
        preconditions.check(Some(&row.etag()))?;
        let by = store::references(conn, code.as_str())?;
        Problem::if_referenced(&[
            ("units", by.children, "个下级单位", "units below it"),
            ("evaluations", by.evaluations, "份绩效自评", "evaluations"),
            ("special_funds", by.special_funds, "项专项资金", "special funds"),
            ("tokens", by.tokens, "个访问令牌", "tokens"),
        ])?;
        Ok(store::delete(conn, code.as_str())?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn require(conn: &mut AnyConnection, code: &UnitCode) -> Result<Row, Problem> {
    store::find(conn, code.as_str())?.ok_or_else(|| Problem::no_unit(code))
}

/// Stores what the row does not say already, after looking at what only the database can judge.
fn save(conn: &mut AnyConnection, code: &UnitCode, before: Option<Row>, input: &UnitInput) -> Result<Row, Problem> {
    if let Some(row) = &before
        && UnitInput::try_from(row).as_ref() == Ok(input)
    {
        return Ok(row.clone());
    }
    let mut faults = Vec::new();
    let mut path = format!("/{code}/");
    if let Some(parent) = &input.parent {
        match store::find(conn, parent.as_str())? {
            None if parent != code => faults.push(Fault::new(
                "/parent",
                "unknown_unit",
                format!("上级单位{parent}不存在，请先录入。"),
                format!("there is no unit {parent}; store it first"),
            )),
            Some(above) if !above.path.contains(&path) => path = format!("{}{code}/", above.path),
            _ => faults.push(Fault::new(
                "/parent",
                "cycle",
                format!("{parent}是本单位或其下级单位，不能作为上级单位。"),
                format!("{parent} is this unit or below it, and so cannot be above it"),
            )),
        }
    }
    if let Some(uscc) = &input.uscc
        && let Some(holder) = store::holder_of(conn, uscc.as_str(), code.as_str())?
    {
        faults.push(Fault::new(
            "/uscc",
            "taken",
            format!("该统一社会信用代码已属于单位{holder}。"),
            format!("unit {holder} has this unified social credit code"),
        ));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let row = store::save(conn, code, before.as_ref(), input, path)?;
    if input.parent.is_some() && store::longest_path(conn, &row.path)? > LONGEST_PATH {
        return Err(Problem::invalid(vec![Fault::new(
            "/parent",
            "too_deep",
            "单位层级过深。",
            "the hierarchy of units is too deep",
        )]));
    }
    Ok(row)
}
