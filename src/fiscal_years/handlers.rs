//! The addresses of the fiscal years.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{ExpandedYear, FiscalYearInput, FiscalYearView, Row, YearExpansion, YearStatus};
use super::{roll_over, store};
use crate::codes::FiscalYear;
use crate::db::changes::{Change, Resource};
use crate::db::{AnyConnection, Db, Tx};
use crate::fault::Fault;
use crate::http::auth::{Bureau, Reader};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::Preconditions;
use crate::http::expand::Expand;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::patch_of;
use crate::schemes;
use crate::scoring::text::SchemeId;

patch_of!(
    /// Some fields of [`FiscalYearInput`].
    FiscalYearPatch,
    FiscalYearInput
);

/// Adds the routes of the fiscal years.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list))
        .service(resource("/{year}").get(get).put(put).patch(patch).delete(delete));
    roll_over::routes(config);
}

/// Which fiscal years to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only years that are open, or closed.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    status: Option<YearStatus>,
    /// By year, from the first or from the latest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: its last year.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<FiscalYear>,
}

/// List fiscal years
///
/// By year.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years",
    operation_id = "list_fiscal_years",
    tag = "fiscal-years",
    security(("token" = ["read"])),
    params(ListQuery),
    responses((status = 200, description = "A page of fiscal years", body = Page<FiscalYearView>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    _: Reader,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .scan(move |conn| {
            Ok(store::list(
                conn,
                query.status,
                query.order.unwrap_or_default(),
                query.cursor,
                limit,
            )?)
        })
        .await?;
    Ok(Page::new(rows, limit, |row| &row.year, FiscalYearView::from).respond(&request))
}

/// What to answer besides.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct YearQuery {
    /// What the answer is to hold besides, under `expanded`.
    #[serde(default, deserialize_with = "given")]
    #[param(inline, style = Form, explode = false)]
    expand: Option<Expand<YearExpansion>>,
}

/// Get a fiscal year
///
/// With the scheme in force, and whether units may still file; with `expand` the scheme itself too.
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}",
    operation_id = "get_fiscal_year",
    tag = "fiscal-years",
    security(("token" = ["read"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year"), YearQuery),
    responses((status = 200, description = "The fiscal year", body = FiscalYearView,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    _: Reader,
    Path(year): Path<FiscalYear>,
    Query(query): Query<YearQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (row, expanded) = match query.expand {
        None => (db.read(move |conn| require(conn, year)).await?, None),
        // A scan, as for the scheme itself.
        Some(expand) => {
            db.scan(move |conn| {
                let row = require(conn, year)?;
                let expanded = expanded(conn, &row, &expand)?;
                Ok((row, Some(expanded)))
            })
            .await?
        }
    };
    preconditions.answer(&row.etag(), |mut response| {
        Ok(response.json(FiscalYearView {
            expanded,
            ..FiscalYearView::from(row)
        }))
    })
}

fn expanded(conn: &mut AnyConnection, row: &Row, expand: &Expand<YearExpansion>) -> Result<ExpandedYear, Problem> {
    Ok(ExpandedYear {
        scheme: expand.with(&YearExpansion::Scheme, || {
            let id = SchemeId::try_from(row.scheme_id.clone()).map_err(Problem::internal)?;
            schemes::handlers::view(conn, &id)
        })?,
    })
}

/// Set up or replace a fiscal year
///
/// The scheme must exist and have weights. The same request may be sent again: a year that is already so keeps its
/// version. Only for the finance bureau.
#[utoipa::path(
    put,
    path = "/api/v1/fiscal-years/{year}",
    operation_id = "put_fiscal_year",
    tag = "fiscal-years",
    security(("token" = ["configure"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = FiscalYearInput, example = json!({"scheme": "hunan-2019", "notice_number": "山财绩〔2020〕176号", "closes_on": "2020-06-30"})),
    responses((status = 201, description = "It was set up", body = FiscalYearView,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = FiscalYearView,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    Bureau(principal): Bureau,
    Path(year): Path<FiscalYear>,
    preconditions: Preconditions,
    Json(input): Json<FiscalYearInput>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (created, row) = db
        .write(principal.origin(), move |tx| {
            let before = store::find(tx, year)?;
            preconditions.check(before.as_ref().map(Row::etag).as_ref())?;
            Ok((before.is_none(), save(tx, year, before, &input)?))
        })
        .await?;
    Ok(row
        .etag()
        .saved(created, &address(year))
        .json(FiscalYearView::from(row)))
}

/// Change some fields of a fiscal year
///
/// A JSON Merge Patch (RFC 7396), such as `{"status": "closed"}`. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/fiscal-years/{year}",
    operation_id = "patch_fiscal_year",
    tag = "fiscal-years",
    security(("token" = ["configure"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = FiscalYearPatch, content_type = "application/merge-patch+json", example = json!({"status": "closed"})),
    responses((status = 200, description = "The fiscal year after the change", body = FiscalYearView,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    Bureau(principal): Bureau,
    Path(year): Path<FiscalYear>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let row = db
        .write(principal.origin(), move |tx| {
            let before = require(tx, year)?;
            preconditions.check(Some(&before.etag()))?;
            let input = patch.apply(&FiscalYearInput::try_from(&before).map_err(Problem::internal)?)?;
            save(tx, year, Some(before), &input)
        })
        .await?;
    Ok(row.etag().saved(false, "").json(FiscalYearView::from(row)))
}

/// Delete a fiscal year
///
/// Refused while evaluations or special funds refer to it. Only for the finance bureau.
#[utoipa::path(
    delete,
    path = "/api/v1/fiscal-years/{year}",
    operation_id = "delete_fiscal_year",
    tag = "fiscal-years",
    security(("token" = ["configure"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    Bureau(principal): Bureau,
    Path(year): Path<FiscalYear>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    db.write(principal.origin(), move |tx| {
        let row = require(tx, year)?;
        preconditions.check(Some(&row.etag()))?;
        let (evaluations, funds) = store::references(tx, year)?;
        Problem::if_referenced(&[
            ("evaluations", evaluations, "份绩效自评", "evaluations"),
            ("special_funds", funds, "项专项资金", "special funds"),
        ])?;
        store::delete(tx, year)?;
        tx.record(Change::deleted(Resource::FiscalYear, address(year)).in_year(year.get()))
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn address(year: FiscalYear) -> String {
    format!("/api/v1/fiscal-years/{year}")
}

/// The row of a fiscal year.
///
/// # Errors
/// 404 if it is not set up.
pub(super) fn require(conn: &mut AnyConnection, year: FiscalYear) -> Result<Row, Problem> {
    store::find(conn, year)?.ok_or_else(|| Problem::no_year(year))
}

/// Stores what the row does not say already, after looking at what only the database can judge.
fn save(tx: &mut Tx<'_>, year: FiscalYear, before: Option<Row>, input: &FiscalYearInput) -> Result<Row, Problem> {
    if let Some(row) = &before
        && FiscalYearInput::try_from(row).as_ref() == Ok(input)
    {
        return Ok(row.clone());
    }
    judge(tx, input)?;
    store(tx, year, before.as_ref(), input)
}

/// Stores the settings of a year.
///
/// # Errors
/// 500 when the database fails.
pub(super) fn store(
    tx: &mut Tx<'_>,
    year: FiscalYear,
    before: Option<&Row>,
    input: &FiscalYearInput,
) -> Result<Row, Problem> {
    let row = store::save(tx, year, before, input)?;
    tx.record(Change::saved(before.is_none(), Resource::FiscalYear, address(year), input)?.in_year(year.get()))?;
    Ok(row)
}

/// Looks at what only the database can judge of a fiscal year's settings, and at the order of its days.
///
/// # Errors
/// 422 with every fault.
pub(super) fn judge(conn: &mut AnyConnection, input: &FiscalYearInput) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let scheme = &input.scheme;
    match store::scheme_is_template(conn, scheme.as_str())? {
        Some(false) => {}
        Some(true) => faults.push(Fault::template_scheme(scheme)),
        None => faults.push(Fault::unknown_scheme(scheme)),
    }
    if let (Some(opens), Some(closes)) = (input.opens_on, input.closes_on)
        && closes < opens
    {
        faults.push(Fault::new(
            "/closes_on",
            "out_of_order",
            format!("填报截止日{closes}早于开始日{opens}。"),
            format!("{closes} is before {opens}, the first day"),
        ));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Problem::invalid(faults)),
    }
}
