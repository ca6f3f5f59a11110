//! The addresses of the scoring schemes.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{
    EntryRow, Row, SchemeComparison, SchemeCopy, SchemeEntry, SchemeUsed, Stored, StoredScheme, Users, address,
};
use super::store;
use crate::db::changes::{Change, Resource};
use crate::db::{AnyConnection, Db, Tx};
use crate::fault::Text;
use crate::http::auth::{Bureau, Reader};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::Preconditions;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Flag, Query, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::idempotency::answer::Answer;
use crate::idempotency::once::Once;
use crate::patch_of;
use crate::scoring::scheme::{Scheme, SchemeDocument};
use crate::scoring::scheme_diff;
use crate::scoring::text::SchemeId;

patch_of!(
    /// Some fields of [`SchemeDocument`].
    SchemePatch,
    SchemeDocument
);

/// Adds the routes of the scoring schemes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list))
        .service(resource("/{id}").get(get).put(put).patch(patch).delete(delete));
    config
        .service(resource("/{id}/copy").post(copy))
        .service(resource("/{id}/diff").get(diff));
}

/// Which schemes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// True: only templates without weights. False: only schemes that can be scored by.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    template: Option<Flag>,
    /// By id, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the id of its last scheme.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<SchemeId>,
}

/// List scoring schemes
///
/// Those that come with the program and the county's own, without their documents.
#[utoipa::path(
    get,
    path = "/api/v1/scoring-schemes",
    operation_id = "list_scoring_schemes",
    tag = "scoring-schemes",
    security(("token" = ["read"])),
    params(ListQuery),
    responses((status = 200, description = "A page of schemes", body = Page<SchemeEntry>,
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
            let template = query.template.map(bool::from);
            Ok(store::list(
                conn,
                template,
                query.order.unwrap_or_default(),
                query.cursor.as_ref(),
                limit,
            )?)
        })
        .await?;
    Ok(Page::new(rows, limit, |row: &EntryRow| &row.0, SchemeEntry::from).respond(&request))
}

/// Get a scoring scheme
///
/// With its `status`, and with what uses it: a scheme that is used does not change any more. Copy it to go on from it.
#[utoipa::path(
    get,
    path = "/api/v1/scoring-schemes/{id}",
    operation_id = "get_scoring_scheme",
    tag = "scoring-schemes",
    security(("token" = ["read"])),
    params(("id" = SchemeId, Path, description = "The scheme's id")),
    responses((status = 200, description = "The scheme", body = StoredScheme,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    _: Reader,
    Path(id): Path<SchemeId>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    // A scan: the funds that use it are counted.
    let stored = db.scan(move |conn| require(conn, &id)).await?;
    preconditions.answer(&stored.etag(), |mut response| {
        Ok(response.json(StoredScheme::try_from(stored)?))
    })
}

/// Create or replace a scoring scheme
///
/// A scheme with any fault is refused, and every fault is named with its place: weights that do not add up to the total,
/// codes given twice, bands that overlap, names that no sheet has (with their position in the formula). What is not
/// finished is stored with `"template": true`: then weights and rules may be missing and need not add up, and nothing can
/// be scored by it. A scheme that a fiscal year or a special fund uses does not change any more, nor does one that came
/// with the program: copy it. Only for the finance bureau.
#[utoipa::path(
    put,
    path = "/api/v1/scoring-schemes/{id}",
    operation_id = "put_scoring_scheme",
    tag = "scoring-schemes",
    security(("token" = ["configure"])),
    params(("id" = SchemeId, Path, description = "The scheme's id")),
    request_body(content = SchemeDocument, example = json!({
        "name": "某县部门整体支出绩效评价指标", "total": "10",
        "sections": [{"code": "input", "name": "投入", "weight": "10", "indicators": [{
            "code": "in_post_control", "name": "在职人员控制率", "weight": "10",
            "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"},
            "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "0.5"}
        }]}]
    })),
    responses((status = 201, description = "It was created", body = StoredScheme,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = StoredScheme,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    Bureau(principal): Bureau,
    Path(id): Path<SchemeId>,
    preconditions: Preconditions,
    Json(document): Json<SchemeDocument>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    refuse_faults(&document)?;
    let (created, stored) = db
        .write(principal.origin(), move |tx| {
            let before = store::find_with_users(tx, id.as_str())?;
            preconditions.check(before.as_ref().map(Stored::etag).as_ref())?;
            Ok((before.is_none(), save(tx, &id, before, &document)?))
        })
        .await?;
    saved(created, stored)
}

/// Change some fields of a scoring scheme
///
/// A JSON Merge Patch (RFC 7396); `sections` and `grades` are lists and so are replaced as a whole. Refused for a scheme
/// that is in use or came with the program. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/scoring-schemes/{id}",
    operation_id = "patch_scoring_scheme",
    tag = "scoring-schemes",
    security(("token" = ["configure"])),
    params(("id" = SchemeId, Path, description = "The scheme's id")),
    request_body(content = SchemePatch, content_type = "application/merge-patch+json",
        example = json!({"source": "衡财绩〔2020〕1号"})),
    responses((status = 200, description = "The scheme after the change", body = StoredScheme,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    Bureau(principal): Bureau,
    Path(id): Path<SchemeId>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let stored = db
        .write(principal.origin(), move |tx| {
            let before = require(tx, &id)?;
            preconditions.check(Some(&before.etag()))?;
            let document = patch.apply(&before.row.document()?)?;
            refuse_faults(&document)?;
            save(tx, &id, Some(before), &document)
        })
        .await?;
    saved(false, stored)
}

/// Delete a scoring scheme
///
/// Refused for one that is in use or came with the program. Only for the finance bureau.
#[utoipa::path(
    delete,
    path = "/api/v1/scoring-schemes/{id}",
    operation_id = "delete_scoring_scheme",
    tag = "scoring-schemes",
    security(("token" = ["configure"])),
    params(("id" = SchemeId, Path, description = "The scheme's id")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    Bureau(principal): Bureau,
    Path(id): Path<SchemeId>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    db.write(principal.origin(), move |tx| {
        let stored = require(tx, &id)?;
        preconditions.check(Some(&stored.etag()))?;
        refuse_builtin(&stored.row)?;
        let years = i64::try_from(stored.users.fiscal_years.len()).unwrap_or(i64::MAX);
        Problem::if_referenced(&[
            ("fiscal_years", years, "个年度", "fiscal years"),
            (
                "special_funds",
                stored.users.special_funds,
                "项专项资金",
                "special funds",
            ),
        ])?;
        store::delete(tx, id.as_str())?;
        tx.record(Change::deleted(Resource::ScoringScheme, address(id.as_str())))
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Copy a scoring scheme
///
/// The copy is the county's own and can be changed as long as nothing uses it; a copy of a template stays a template until
/// it is complete. Schemes that came with the program, or are in use, are changed in this way. Refused where the id is
/// taken. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/scoring-schemes/{id}/copy",
    operation_id = "copy_scoring_scheme",
    tag = "scoring-schemes",
    security(("token" = ["configure"])),
    params(("id" = SchemeId, Path, description = "The id of the scheme to copy"), Once),
    request_body(content = SchemeCopy,
        example = json!({"id": "hengshan-2020", "name": "衡山县部门整体支出绩效评价指标（2020年度）"})),
    responses((status = 201, description = "The copy", body = StoredScheme,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn copy(
    Bureau(principal): Bureau,
    Path(id): Path<SchemeId>,
    once: Once,
    Json(input): Json<SchemeCopy>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    once.write(&db, principal.origin(), move |tx| {
        let mut document = require(tx, &id)?.row.document()?;
        if store::find(tx, input.id.as_str())?.is_some() {
            return Err(taken(&input.id));
        }
        if let Some(name) = &input.name {
            document.name = name.clone();
            // It was the original's.
            document.name_en = None;
        }
        let stored = save(tx, &input.id, None, &document)?;
        let etag = stored.etag();
        Ok(Answer::created(address(input.id.as_str()), &StoredScheme::try_from(stored)?)?.tagged(&etag))
    })
    .await
}

/// With which scheme to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// The scheme to compare with, usually the one of the year before.
    #[serde(default, deserialize_with = "given")]
    #[param(required = true)]
    against: Option<SchemeId>,
}

/// Compare two scoring schemes
///
/// What is different in this scheme compared with the one that `against` names: sections and indicators that were added,
/// removed or changed, each field with both values in words and each difference in a sentence, in Chinese and English.
/// `affects_score` tells what can make another score from what is only wording. Templates can be compared too.
#[utoipa::path(
    get,
    path = "/api/v1/scoring-schemes/{id}/diff",
    operation_id = "diff_scoring_schemes",
    tag = "scoring-schemes",
    security(("token" = ["read"])),
    params(("id" = SchemeId, Path, description = "The scheme's id"), DiffQuery),
    responses((status = 200, description = "The differences, in the order of the form", body = SchemeComparison), CommonErrors),
)]
pub async fn diff(
    _: Reader,
    Path(id): Path<SchemeId>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let against = query.against.ok_or_else(|| Problem::missing_parameter("against"))?;
    // A scan: schemes can be large.
    let comparison = db
        .scan(move |conn| {
            let mut row = |id: &SchemeId| store::find(conn, id.as_str())?.ok_or_else(|| Problem::no_scheme(id));
            let (after, before) = (row(&id)?, row(&against)?);
            Ok(SchemeComparison {
                diff: scheme_diff::diff(&before.document()?, &after.document()?),
                against: SchemeUsed::from(&before),
                scheme: SchemeUsed::from(&after),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(comparison))
}

/// The scheme of that id as it is answered.
///
/// # Errors
/// 404 if there is none.
pub fn view(conn: &mut AnyConnection, id: &SchemeId) -> Result<StoredScheme, Problem> {
    StoredScheme::try_from(require(conn, id)?)
}

fn require(conn: &mut AnyConnection, id: &SchemeId) -> Result<Stored, Problem> {
    store::find_with_users(conn, id.as_str())?.ok_or_else(|| Problem::no_scheme(id))
}

fn saved(created: bool, stored: Stored) -> Result<HttpResponse, Problem> {
    let address = address(&stored.row.id);
    Ok(stored
        .etag()
        .saved(created, &address)
        .json(StoredScheme::try_from(stored)?))
}

fn taken(id: &SchemeId) -> Problem {
    let text = Text::new(
        format!("评分标准{id}已存在，请为副本另选编号。"),
        format!("There is a scoring scheme {id} already; choose another id for the copy."),
    );
    Problem::already_exists(text.zh.clone(), text.en.clone()).with_errors([At::body("/id", "taken", text)])
}

fn refuse_faults(document: &SchemeDocument) -> Result<(), Problem> {
    match Scheme::faults(document) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Problem::invalid(faults)),
    }
}

fn refuse_builtin(row: &Row) -> Result<(), Problem> {
    match row.builtin {
        false => Ok(()),
        true => Err(Problem::read_only(
            format!("{}是系统内置的评分标准，不能修改或删除。", row.id),
            format!("{} came with the program and does not change.", row.id),
        )),
    }
}

/// Stores what the row does not say already, unless the scheme is in use.
fn save(tx: &mut Tx<'_>, id: &SchemeId, before: Option<Stored>, document: &SchemeDocument) -> Result<Stored, Problem> {
    let body = serde_json::to_string(document).map_err(|error| Problem::internal(error.to_string()))?;
    let Some(Stored { row, users }) = before else {
        let row = store::insert(tx, id.as_str(), document, body, false)?;
        tx.record(row.change(true))?;
        return Ok(Stored {
            row,
            users: Users::default(),
        });
    };
    if row.body == body {
        return Ok(Stored { row, users });
    }
    refuse_builtin(&row)?;
    if users.any() {
        let (years, funds) = (users.fiscal_years.len(), users.special_funds);
        return Err(Problem::read_only(
            format!("评分标准{id}已被{years}个年度、{funds}项专项资金采用，不能再修改。"),
            format!("{id} is used by {years} fiscal years and {funds} special funds and does not change any more."),
        ));
    }
    let row = store::update(tx, row, document, body)?;
    tx.record(row.change(false))?;
    Ok(Stored { row, users })
}
