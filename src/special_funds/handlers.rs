//! The addresses of the special funds.

use std::collections::BTreeSet;

use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{ExpandedFund, FundEntry, FundExpansion, FundScore, Row, SpecialFund, SpecialFundInput, address};
use super::saving;
use super::store::{self, Filter};
use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::db::changes::{Change, Resource};
use crate::db::{AnyConnection, Db, Saved, Tx};
use crate::http::accept::{Form, form, score_json};
use crate::http::auth::{Editor, Reader};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::{ETag, Preconditions};
use crate::http::expand::Expand;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Flag, Query, SearchText, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::idempotency::answer::Answer;
use crate::idempotency::once::Once;
use crate::patch_of;
use crate::render;
use crate::schemes::library::{Compiled, Library};
use crate::schemes::model::SchemeUsed;
use crate::scoring::Case;
use crate::telemetry::timeline;
use crate::units;

patch_of!(
    /// Some fields of [`SpecialFundInput`].
    SpecialFundPatch,
    SpecialFundInput
);

/// Adds the routes of the special funds.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list).post(post))
        .service(resource("/{id}").get(get).put(put).patch(patch).delete(delete))
        .service(resource("/{id}/score").get(get_score));
}

/// Which funds to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only funds of this unit.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
    /// Only funds of this fiscal year.
    #[serde(default, deserialize_with = "given")]
    year: Option<FiscalYear>,
    /// True: only funds that go on in the next year. False: only those that do not.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    continues: Option<Flag>,
    /// Only funds whose name contains this.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    q: Option<SearchText>,
    /// By id, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the id of its last fund.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<FundId>,
}

/// List special funds
///
/// Without their tables. A unit's token sees the funds of its own units and those below them.
#[utoipa::path(
    get,
    path = "/api/v1/special-funds",
    operation_id = "list_special_funds",
    tag = "special-funds",
    security(("token" = ["read"])),
    params(ListQuery),
    responses((status = 200, description = "A page of funds", body = Page<FundEntry>,
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
                unit: query.unit,
                year: query.year,
                continues: query.continues.map(bool::from),
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
    Ok(Page::new(rows, limit, |row| &row.0, FundEntry::from).respond(&request))
}

/// Create a special fund
///
/// It gets an id. To choose the id, and to be able to send the same request again at any time, use PUT; within a day an
/// `Idempotency-Key` does.
#[utoipa::path(
    post,
    path = "/api/v1/special-funds",
    operation_id = "create_special_fund",
    tag = "special-funds",
    security(("token" = ["file"])),
    params(Once),
    request_body(content = SpecialFundInput, example = json!({
    "unit": "219001", "year": 2019, "name": "危房改造资金",
    "targets": [{"section": "output", "group": "数量指标", "name": "四类对象危房改造户数", "weight": "50",
        "measure": {"kind": "quantity", "comparison": "at_least", "target": "326", "actual": "326", "unit": "户"}}]
})),
    responses((status = 201, description = "It was created", body = SpecialFund,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn post(
    Editor(principal): Editor,
    once: Once,
    Json(input): Json<SpecialFundInput>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    // Made here and not in the work, which may be run again.
    let id = uuid::Uuid::now_v7().to_string();
    let (who, unit) = (principal.clone(), input.unit.clone());
    let reach = move |tx: &mut Tx<'_>| match store::units(tx, BTreeSet::from([unit.as_str()]))?.remove(unit.as_str()) {
        Some((path, _)) => who.may_see(&path),
        // It does not exist, which is said with all else that is at fault.
        None => Ok(()),
    };
    once.write_within(&db, principal.origin(), reach, move |tx, ()| {
        let id = FundId::try_from(id.clone()).map_err(Problem::internal)?;
        let (_, row) = saving::put(tx, &library, &principal, &id, &Preconditions::default(), &input)?;
        let (address, etag) = (address(&row.id), row.etag());
        Ok(Answer::created(address, &SpecialFund::try_from(row)?)?.tagged(&etag))
    })
    .await
}

/// What to answer besides.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FundQuery {
    /// What the answer is to hold besides, under `expanded`.
    #[serde(default, deserialize_with = "given")]
    #[param(inline, style = Form, explode = false)]
    expand: Option<Expand<FundExpansion>>,
}

/// Get a special fund
///
/// The money, the goal and the targets, as they were filed; with `expand` its unit and its score too.
#[utoipa::path(
    get,
    path = "/api/v1/special-funds/{id}",
    operation_id = "get_special_fund",
    tag = "special-funds",
    security(("token" = ["read"])),
    params(("id" = FundId, Path, description = "The fund's id"), FundQuery),
    responses((status = 200, description = "The fund", body = SpecialFund,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path(id): Path<FundId>,
    Query(query): Query<FundQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let (row, expanded) = db
        .read(move |conn| {
            let (row, unit_path) = require(conn, &id)?;
            principal.may_see(&unit_path)?;
            let expand = query.expand.as_ref();
            let expanded = expand
                .map(|expand| expanded(conn, &library, &row, expand))
                .transpose()?;
            Ok((row, expanded))
        })
        .await?;
    preconditions.answer(&row.etag(), |mut response| {
        let fund = SpecialFund::try_from(row)?;
        Ok(response.json(SpecialFund { expanded, ..fund }))
    })
}

fn expanded(
    conn: &mut AnyConnection,
    library: &Library,
    row: &Row,
    expand: &Expand<FundExpansion>,
) -> Result<ExpandedFund, Problem> {
    let input = row.input()?;
    Ok(ExpandedFund {
        unit: expand.with(&FundExpansion::Unit, || units::handlers::view(conn, &input.unit))?,
        score: expand.with(&FundExpansion::Score, || {
            let compiled = scheme_of(conn, library, row, &input)?;
            Ok(score_of(row, input.clone(), &compiled))
        })?,
    })
}

/// Create or replace a special fund
///
/// The id is the client's choice. The unit, the fiscal year and the scheme must exist; the targets must fit the scheme.
/// The same request may be sent again: a fund that is already so keeps its version. Refused while the year is closed, and
/// while the evaluation of its unit and year is submitted.
#[utoipa::path(
    put,
    path = "/api/v1/special-funds/{id}",
    operation_id = "put_special_fund",
    tag = "special-funds",
    security(("token" = ["file"])),
    params(("id" = FundId, Path, description = "The fund's id")),
    request_body(content = SpecialFundInput, example = json!({
    "unit": "219001", "year": 2019, "name": "危房改造资金",
    "targets": [{"section": "output", "group": "数量指标", "name": "四类对象危房改造户数", "weight": "50",
        "measure": {"kind": "quantity", "comparison": "at_least", "target": "326", "actual": "326", "unit": "户"}}]
})),
    responses((status = 201, description = "It was created", body = SpecialFund,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = SpecialFund,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    Editor(principal): Editor,
    Path(id): Path<FundId>,
    preconditions: Preconditions,
    Json(input): Json<SpecialFundInput>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let (saved, row) = db
        .write(principal.origin(), move |tx| {
            saving::put(tx, &library, &principal, &id, &preconditions, &input)
        })
        .await?;
    let created = saved == Saved::Created;
    let address = address(&row.id);
    Ok(row.etag().saved(created, &address).json(SpecialFund::try_from(row)?))
}

/// Change some fields of a special fund
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a field away; `targets` is a list and so is
/// replaced as a whole.
#[utoipa::path(
    patch,
    path = "/api/v1/special-funds/{id}",
    operation_id = "patch_special_fund",
    tag = "special-funds",
    security(("token" = ["file"])),
    params(("id" = FundId, Path, description = "The fund's id")),
    request_body(content = SpecialFundPatch, content_type = "application/merge-patch+json",
        example = json!({"funding": {"total": {"executed": "2.21"}}})),
    responses((status = 200, description = "The fund after the change", body = SpecialFund,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    Editor(principal): Editor,
    Path(id): Path<FundId>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let row = db
        .write(principal.origin(), move |tx| {
            let (before, unit_path) = require(tx, &id)?;
            principal.may_see(&unit_path)?;
            preconditions.check(Some(&before.etag()))?;
            let input = patch.apply(&before.input()?)?;
            let (_, row) = saving::put(tx, &library, &principal, &id, &Preconditions::default(), &input)?;
            Ok(row)
        })
        .await?;
    Ok(row.etag().saved(false, "").json(SpecialFund::try_from(row)?))
}

/// Delete a special fund
///
/// Refused while its year is closed, and while the evaluation of its unit and year is submitted.
#[utoipa::path(
    delete,
    path = "/api/v1/special-funds/{id}",
    operation_id = "delete_special_fund",
    tag = "special-funds",
    security(("token" = ["file"])),
    params(("id" = FundId, Path, description = "The fund's id")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    Editor(principal): Editor,
    Path(id): Path<FundId>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    db.write(principal.origin(), move |tx| {
        let (row, unit_path) = require(tx, &id)?;
        principal.may_see(&unit_path)?;
        preconditions.check(Some(&row.etag()))?;
        saving::refuse_locked(tx, &principal, &row)?;
        store::delete(tx, id.as_str())?;
        let change = Change::deleted(Resource::SpecialFund, address(&row.id));
        tx.record(change.of_unit(row.unit_code).in_year(row.year))
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Get a special fund's score
///
/// The execution rate and every target, explained line by line. With `Accept: text/plain` the answer is the table as
/// plain text in Chinese.
#[utoipa::path(
    get,
    path = "/api/v1/special-funds/{id}/score",
    operation_id = "get_special_fund_score",
    tag = "special-funds",
    security(("token" = ["read"])),
    params(("id" = FundId, Path, description = "The fund's id")),
    responses((status = 200, description = "The score", headers(("ETag" = String, description = "Of all that it follows from")),
            content((FundScore = "application/json"), (String = "text/plain"))),
        (status = 304, description = "It is still the one that `If-None-Match` names"), CommonErrors),
)]
pub async fn get_score(
    Reader(principal): Reader,
    Path(id): Path<FundId>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let form = form(&request)?;
    let (etag, body) = db
        .read(move |conn| {
            let (row, unit_path) = require(conn, &id)?;
            principal.may_see(&unit_path)?;
            let input = row.input()?;
            let compiled = scheme_of(conn, &library, &row, &input)?;
            let version = row.version.to_string();
            let edition = compiled.edition.version.to_string();
            let etag = ETag::over([
                form.media_type(),
                &version,
                &row.updated_at,
                &edition,
                &compiled.edition.updated_at,
            ]);
            let scored = score_of(&row, input, &compiled);
            let body = match form {
                Form::Text => {
                    let heading = format!(
                        "{}（{id}）{}年度专项资金绩效目标自评得分\n评分标准：{}（{}）",
                        scored.name, scored.year, compiled.scheme.document.name, compiled.id
                    );
                    Bytes::from(render::score(&heading, &scored.score))
                }
                Form::Json => score_json(&scored)?,
            };
            Ok((etag, body))
        })
        .await?;
    preconditions.answer(&etag, |response| Ok(form.answer(response, body)))
}

/// The scheme that a fund is scored by.
fn scheme_of(
    conn: &mut AnyConnection,
    library: &Library,
    row: &Row,
    input: &SpecialFundInput,
) -> Result<Compiled, Problem> {
    library
        .find(conn, &input.scheme)?
        .map_err(|unfit| Problem::internal(format!("fund {}: scheme {}: {unfit:?}", row.id, input.scheme)))
}

/// A fund's score as it is answered.
fn score_of(row: &Row, input: SpecialFundInput, compiled: &Compiled) -> FundScore {
    let table = input.table();
    FundScore {
        id: row.id.clone(),
        name: input.name,
        unit: input.unit,
        year: input.year,
        scheme: SchemeUsed::from(compiled),
        executions: table.executions(),
        score: timeline::score(&compiled.scheme, &Case::of_fund(&table)),
    }
}

fn require(conn: &mut AnyConnection, id: &FundId) -> Result<(Row, String), Problem> {
    store::find(conn, id.as_str())?.ok_or_else(|| {
        Problem::not_found(
            format!("专项资金{id}不存在。"),
            format!("There is no special fund {id}."),
        )
    })
}

/// A piece of all funds by id: after `after`, at most `most`. `within`: only of units at or below one of each list.
///
/// # Errors
/// Those of the database, and 500 for what this program cannot read.
pub fn walk(
    conn: &mut AnyConnection,
    of: (Option<FiscalYear>, &[Vec<String>]),
    after: Option<&FundId>,
    most: i64,
) -> Result<Vec<(FundId, SpecialFundInput)>, Problem> {
    let rows = store::walk(conn, of, after.map_or("", FundId::as_str), most)?;
    rows.iter().map(identified).collect()
}

fn identified(row: &Row) -> Result<(FundId, SpecialFundInput), Problem> {
    let id = FundId::try_from(row.id.clone()).map_err(Problem::internal)?;
    Ok((id, row.input()?))
}

/// The funds of a unit's year by id.
///
/// # Errors
/// Those of the database, and 500 for what this program cannot read.
pub fn of_year(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
) -> Result<Vec<(FundId, SpecialFundInput)>, Problem> {
    store::of_year(conn, unit, year)?.iter().map(identified).collect()
}
