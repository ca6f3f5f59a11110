//! The addresses of the documents of a unit's year.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, ServiceConfig};

use super::handlers::{require, require_without_prior};
use super::model::{Prefilled, PrefilledField};
use super::parts::{self, Document, Wanted, not_filed, stored};
use super::store::Part;
use crate::checks::reasons::Reasons;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::{Db, Saved};
use crate::documents::narrative::Narrative;
use crate::http::auth::{Editor, Principal, Reader};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::Preconditions;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::patch_of;
use crate::schemes::library::Library;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::sheet::BaseData;

patch_of!(
    /// Some figures of a [`BaseData`].
    BaseDataPatch,
    BaseData
);
patch_of!(
    /// Some of the [`Assessments`].
    AssessmentsPatch,
    Assessments
);
patch_of!(
    /// Some of the [`Claims`].
    ClaimsPatch,
    Claims
);
patch_of!(
    /// Some of the [`Narrative`].
    NarrativePatch,
    Narrative
);
patch_of!(
    /// Some of the [`Reasons`].
    ReasonsPatch,
    Reasons
);

/// Adds the routes of the documents.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/base-data")
                .get(get_base_data)
                .put(put_base_data)
                .patch(patch_base_data)
                .delete(delete_base_data),
        )
        .service(resource("/base-data/prefilled").get(get_prefilled))
        .service(
            resource("/assessments")
                .get(get_assessments)
                .put(put_assessments)
                .patch(patch_assessments)
                .delete(delete_assessments),
        )
        .service(
            resource("/claims")
                .get(get_claims)
                .put(put_claims)
                .patch(patch_claims)
                .delete(delete_claims),
        )
        .service(
            resource("/reasons")
                .get(get_reasons)
                .put(put_reasons)
                .patch(patch_reasons)
                .delete(delete_reasons),
        )
        .service(
            resource("/narrative")
                .get(get_narrative)
                .put(put_narrative)
                .patch(patch_narrative)
                .delete(delete_narrative),
        );
}

fn answer(mut response: actix_web::HttpResponseBuilder, document: String) -> HttpResponse {
    response.content_type(ContentType::json()).body(document)
}

async fn get_part(
    part: Part,
    principal: Principal,
    (unit, year): (UnitCode, FiscalYear),
    preconditions: Preconditions,
    db: &Db,
) -> Result<HttpResponse, Problem> {
    let (document, etag) = db
        .read(move |conn| {
            let context = require_without_prior(conn, &unit, year)?;
            principal.may_see(&context.unit_path)?;
            stored(part, context.evaluation.as_ref())
                .map(|(document, etag)| (document.to_owned(), etag))
                .ok_or_else(|| not_filed(part, &unit, year))
        })
        .await?;
    preconditions.answer(&etag, |response| Ok(answer(response, document)))
}

async fn change<T: Document>(
    wanted: Wanted<Box<T>>,
    principal: Principal,
    (unit, year): (UnitCode, FiscalYear),
    preconditions: Preconditions,
    db: &Db,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let address = parts::address(&unit, year, T::PART);
    let (saved, after) = db
        .write(principal.origin(), move |tx| {
            parts::apply::<T, Box<T>>(tx, &library, &principal, &(unit.clone(), year), &wanted, &preconditions)
        })
        .await?;
    let created = saved == Saved::Created;
    Ok(match after {
        None => HttpResponse::NoContent().finish(),
        Some((document, etag)) => answer(etag.saved(created, &address), document),
    })
}

/// Get the base data sheet
///
/// As it was filed (基础数据表).
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/base-data",
    operation_id = "get_base_data",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The sheet", body = BaseData, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get_base_data(
    Reader(principal): Reader,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    get_part(Part::BaseData, principal, at, preconditions, &db).await
}

/// File or replace the base data sheet
///
/// Amounts in 万元, as decimal strings or as numbers. Leave out what is not known: a missing figure never counts as 0.
/// The same sheet may be sent again: it keeps its version. Refused while the fiscal year is closed.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}/evaluations/{year}/base-data",
    operation_id = "put_base_data",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = BaseData, example = json!({
        "staff": {"posts": 171, "in_post": 104},
        "budget": {"carried_in": "0", "initial": "1166.07", "supplementary": "0", "carried_out": "0"}
    })),
    responses((status = 201, description = "It was filed", body = BaseData,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = BaseData,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put_base_data(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    Json(sheet): Json<BaseData>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<BaseData>(
        Wanted::put::<BaseData>(sheet)?,
        principal,
        at,
        preconditions,
        &db,
        library,
    )
    .await
}

/// Change some figures of the base data sheet
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a figure away.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}/evaluations/{year}/base-data",
    operation_id = "patch_base_data",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = BaseDataPatch, content_type = "application/merge-patch+json",
        example = json!({"staff": {"in_post": 103}})),
    responses((status = 200, description = "The sheet after the change", body = BaseData,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch_base_data(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<BaseData>(Wanted::Patch(patch), principal, at, preconditions, &db, library).await
}

/// Take the base data sheet back
///
/// The assessments stay. Refused while the fiscal year is closed.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}/evaluations/{year}/base-data",
    operation_id = "delete_base_data",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete_base_data(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<BaseData>(Wanted::Delete, principal, at, preconditions, &db, library).await
}

/// Get the base data sheet prefilled
///
/// What is filed, with last year's columns (上年数) that are left out filled in from the base data sheet of the year before:
/// of the unit or, where it has none, of the unit that it alone continues. Nothing is stored by it: change what is to be
/// changed and send it as the next sheet. Before anything is filed it holds what the year before knows.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/base-data/prefilled",
    operation_id = "get_prefilled_base_data",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The sheet, and what was filled in", body = Prefilled), CommonErrors),
)]
pub async fn get_prefilled(
    Reader(principal): Reader,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let prefilled = db
        .read(move |conn| {
            let context = require(conn, &unit, year)?;
            principal.may_see(&context.unit_path)?;
            let sheet = parts::year_sheet(conn, &context)?;
            let fields = context.prior.iter().flat_map(|prior| {
                sheet.places().iter().map(|pointer| PrefilledField {
                    pointer: pointer.clone(),
                    from_year: prior.year,
                    unit: prior.unit.clone(),
                })
            });
            Ok(Prefilled {
                prefilled: fields.collect(),
                base_data: sheet.filled().clone(),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(prefilled))
}

/// Get the assessments
///
/// What people judged, with reasons and evidence (评价打分依据).
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/assessments",
    operation_id = "get_assessments",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The assessments", body = Assessments,
            headers(("ETag" = String, description = "Their version"))),
        (status = 304, description = "They are still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get_assessments(
    Reader(principal): Reader,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    get_part(Part::Assessments, principal, at, preconditions, &db).await
}

/// File or replace the assessments
///
/// They must fit the scheme in force for the year: its indicators, and for each what its rule asks for. Refused while the
/// fiscal year is closed.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}/evaluations/{year}/assessments",
    operation_id = "put_assessments",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = Assessments, example = json!({"indicators": {
        "key_work": {"achieved": "95", "possible": "100", "evidence": "县委县政府2019年度绩效考核通报"},
        "fund_compliance": {"incidents": 0}
    }})),
    responses((status = 201, description = "They were filed", body = Assessments,
            headers(("ETag" = String, description = "Their version"), ("Location" = String, description = "Their address"))),
        (status = 200, description = "They were replaced, or were so already", body = Assessments,
            headers(("ETag" = String, description = "Their version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put_assessments(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    Json(assessments): Json<Assessments>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Assessments>(
        Wanted::put::<Assessments>(assessments)?,
        principal,
        at,
        preconditions,
        &db,
        library,
    )
    .await
}

/// Change some assessments
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes an assessment away; `targets` is a list and so is
/// replaced as a whole.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}/evaluations/{year}/assessments",
    operation_id = "patch_assessments",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = AssessmentsPatch, content_type = "application/merge-patch+json",
        example = json!({"indicators": {"fund_compliance": {"incidents": 1}}})),
    responses((status = 200, description = "The assessments after the change", body = Assessments,
        headers(("ETag" = String, description = "Their version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch_assessments(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Assessments>(Wanted::Patch(patch), principal, at, preconditions, &db, library).await
}

/// Take the assessments back
///
/// The base data sheet stays. Refused while the fiscal year is closed.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}/evaluations/{year}/assessments",
    operation_id = "delete_assessments",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 204, description = "They are gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete_assessments(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Assessments>(Wanted::Delete, principal, at, preconditions, &db, library).await
}

/// Get the claims
///
/// What the unit wrote itself (自填得分): ratios, points and the total of its own table.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/claims",
    operation_id = "get_claims",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The claims", body = Claims,
            headers(("ETag" = String, description = "Their version"))),
        (status = 304, description = "They are still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get_claims(
    Reader(principal): Reader,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    get_part(Part::Claims, principal, at, preconditions, &db).await
}

/// File or replace the claims
///
/// Ratios and points as the unit's own table prints them, by the codes of the score's lines. They are compared with what
/// follows from the figures, and never change a score: each difference is a finding of `…/checks`, with both numbers and
/// the probable cause. Refused while the fiscal year is closed.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}/evaluations/{year}/claims",
    operation_id = "put_claims",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = Claims, example = json!({
        "lines": {"in_post_control": {"ratio": "60.82%", "points": "5"}, "fund_compliance": {"points": "6"}},
        "total": "97"
    })),
    responses((status = 201, description = "They were filed", body = Claims,
            headers(("ETag" = String, description = "Their version"), ("Location" = String, description = "Their address"))),
        (status = 200, description = "They were replaced, or were so already", body = Claims,
            headers(("ETag" = String, description = "Their version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put_claims(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    Json(claims): Json<Claims>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Claims>(
        Wanted::put::<Claims>(claims)?,
        principal,
        at,
        preconditions,
        &db,
        library,
    )
    .await
}

/// Change some claims
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a claim away.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}/evaluations/{year}/claims",
    operation_id = "patch_claims",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = ClaimsPatch, content_type = "application/merge-patch+json",
        example = json!({"lines": {"in_post_control": {"points": "5"}}, "total": null})),
    responses((status = 200, description = "The claims after the change", body = Claims,
        headers(("ETag" = String, description = "Their version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch_claims(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Claims>(Wanted::Patch(patch), principal, at, preconditions, &db, library).await
}

/// Take the claims back
///
/// The other parts stay. Refused while the fiscal year is closed.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}/evaluations/{year}/claims",
    operation_id = "delete_claims",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 204, description = "They are gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete_claims(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Claims>(Wanted::Delete, principal, at, preconditions, &db, library).await
}

/// Get the reasons
///
/// What the unit says to the findings of its year (情况说明), by their `key`.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/reasons",
    operation_id = "get_reasons",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The reasons", body = Reasons,
            headers(("ETag" = String, description = "Their version"))),
        (status = 304, description = "They are still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get_reasons(
    Reader(principal): Reader,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    get_part(Part::Reasons, principal, at, preconditions, &db).await
}

/// File or replace the reasons
///
/// A warning needs one before the evaluation can be submitted; an error cannot be argued away. They are filed by the
/// finding's `key`, which stays the same when figures change. Refused while the fiscal year is closed.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}/evaluations/{year}/reasons",
    operation_id = "put_reasons",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = Reasons, example = json!({"findings": {
        "reception_up_total_down": "2019年机构改革后并入三个事业单位，接待批次相应增加，接待费在预算内支出。"
    }})),
    responses((status = 201, description = "They were filed", body = Reasons,
            headers(("ETag" = String, description = "Their version"), ("Location" = String, description = "Their address"))),
        (status = 200, description = "They were replaced, or were so already", body = Reasons,
            headers(("ETag" = String, description = "Their version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put_reasons(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    Json(reasons): Json<Reasons>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Reasons>(
        Wanted::put::<Reasons>(reasons)?,
        principal,
        at,
        preconditions,
        &db,
        library,
    )
    .await
}

/// Change some reasons
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a reason away.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}/evaluations/{year}/reasons",
    operation_id = "patch_reasons",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = ReasonsPatch, content_type = "application/merge-patch+json",
        example = json!({"findings": {"incomplete": "本年度未开展满意度调查，该项尚无数据。"}})),
    responses((status = 200, description = "The reasons after the change", body = Reasons,
        headers(("ETag" = String, description = "Their version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch_reasons(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Reasons>(Wanted::Patch(patch), principal, at, preconditions, &db, library).await
}

/// Take the reasons back
///
/// What was filed otherwise stays. Refused while the fiscal year is closed.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}/evaluations/{year}/reasons",
    operation_id = "delete_reasons",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 204, description = "They are gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete_reasons(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Reasons>(Wanted::Delete, principal, at, preconditions, &db, library).await
}

/// Get the narrative
///
/// The words of the self-evaluation report (自评报告文字部分), by its sections.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/narrative",
    operation_id = "get_narrative",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The narrative", body = Narrative,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get_narrative(
    Reader(principal): Reader,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    get_part(Part::Narrative, principal, at, preconditions, &db).await
}

/// File or replace the narrative
///
/// A text per section, a line each paragraph, and why figures changed against last year. Figures need no words: the report
/// takes them from the forms. All of it may be left out. Refused while the fiscal year is closed.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}/evaluations/{year}/narrative",
    operation_id = "put_narrative",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = Narrative, example = json!({
        "overview": "开云镇地处衡山县城，辖17个行政村、8个社区居委会。",
        "difficulties": "财政资金支出延缓，项目资金不能按计划和进度付款。",
        "changes": {"public_funds": "机构改革后人员由64人增加到91人", "reception": "接待批次由上年的74批次增加到105批次"}
    })),
    responses((status = 201, description = "It was filed", body = Narrative,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        (status = 200, description = "It was replaced, or was so already", body = Narrative,
            headers(("ETag" = String, description = "Its version"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put_narrative(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    Json(narrative): Json<Narrative>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Narrative>(
        Wanted::put::<Narrative>(narrative)?,
        principal,
        at,
        preconditions,
        &db,
        library,
    )
    .await
}

/// Change some of the narrative
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a text away.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}/evaluations/{year}/narrative",
    operation_id = "patch_narrative",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = NarrativePatch, content_type = "application/merge-patch+json",
        example = json!({"other": "无", "changes": {"reception": null}})),
    responses((status = 200, description = "The narrative after the change", body = Narrative,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch_narrative(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Narrative>(Wanted::Patch(patch), principal, at, preconditions, &db, library).await
}

/// Take the narrative back
///
/// What was filed otherwise stays. Refused while the fiscal year is closed.
#[utoipa::path(
    delete,
    path = "/api/v1/units/{code}/evaluations/{year}/narrative",
    operation_id = "delete_narrative",
    tag = "evaluations",
    security(("token" = ["file"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete_narrative(
    Editor(principal): Editor,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    change::<Narrative>(Wanted::Delete, principal, at, preconditions, &db, library).await
}
