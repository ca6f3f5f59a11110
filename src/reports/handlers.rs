//! The address of a unit's report.

use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::format::Format;
use super::model::Report;
use super::page::POLICY;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::documents::FontFolder;
use crate::http::accept::json;
use crate::http::auth::Reader;
use crate::http::etag::{ETag, Preconditions};
use crate::http::language::Language;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, TemplateErrors};
use crate::imports::handlers::File;
use crate::schemes::library::Library;

/// Adds the route of a unit's report, below `/api/v1/units/{code}/evaluations/{year}`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/report").get(get));
}

/// In which form to answer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The form of the report, whatever `Accept` says.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    format: Option<Format>,
    /// The language of a page, whatever `Accept-Language` says; Chinese where neither says one.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    lang: Option<Language>,
}

/// Get the report of a unit's year
///
/// All that is known of it in one document: what was submitted, with its score, lines, special funds and findings, as it was
/// frozen then; the review, what counts after it, and the unit's trend. While no submission counts, it is of what is filed,
/// as submitting would keep it now: `document.submitted_at` is `null`. Its form is that of `Accept`, or of `format`: JSON, or a
/// page to look at and to print, in Chinese or English, with charts of the points got and lost; as DOCX and PDF the report that
/// people sign (自评报告), set as official documents are (GB/T 9704-2012) and written by the year's report template from the
/// figures and the unit's narrative, with its forms attached.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/report",
    operation_id = "get_report",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), ReportQuery),
    responses((status = 200, description = "The report", content((Report = "application/json"), (String = "text/html"),
                (inline(File) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
                (inline(File) = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
                (inline(File) = "application/pdf")),
            headers(("ETag" = String, description = "Of all that it says, and of its form and language"),
                ("Content-Disposition" = String, description = "A name for the file, where it is no JSON"))),
        (status = 304, description = "It is still what `If-None-Match` names"), CommonErrors, TemplateErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<ReportQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
    fonts: Data<FontFolder>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let format = Format::wanted(query.format, &request)?;
    let language = query
        .lang
        .unwrap_or_else(|| Language::wanted_or(request.headers(), Language::Chinese));
    let (report, etag) = db
        .scan(move |conn| {
            let report = conn.snapshot(|conn| Report::find(conn, &library, &principal, (&unit, year)))?;
            let form = [env!("CARGO_PKG_VERSION"), format.word(), language.tag()].map(str::as_bytes);
            let wording = &report.wording;
            let words = [wording.notice.as_deref().unwrap_or_default(), wording.template.text()].map(str::as_bytes);
            let etag = ETag::over(form.into_iter().chain(words).chain([&*json(&report)?]));
            Ok((report, etag))
        })
        .await?;
    let varying = (VARY, "accept, accept-language");
    if preconditions.knows(&etag) {
        let mut response = etag.stamp(HttpResponse::NotModified());
        return Ok(response.insert_header(varying).finish());
    }
    let mut response = etag.stamp(HttpResponse::Ok());
    response
        .insert_header(varying)
        .insert_header((CONTENT_TYPE, format.media_type()));
    if format.is_compressed() {
        response.insert_header((CONTENT_ENCODING, "identity"));
    }
    if let Some(disposition) = format.disposition(&report.document) {
        response.insert_header((CONTENT_DISPOSITION, disposition));
    }
    if format == Format::Html {
        response
            .insert_header((CONTENT_LANGUAGE, language.tag()))
            .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()));
    }
    let written = web::block(move || format.write(&report, language, &fonts)).await;
    let body = written.unwrap_or_else(|_| Err(Problem::internal("a report could not be written")))?;
    Ok(response.body(body))
}
