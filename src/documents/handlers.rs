//! The address of a year's report template.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::model::{InForce, ReportTemplate, ReportTemplateInput, TemplateText};
use super::{store, template};
use crate::codes::FiscalYear;
use crate::db::changes::{Change, Resource};
use crate::db::{AnyConnection, Db, Tx};
use crate::http::auth::{Bureau, Reader};
use crate::http::body::Json;
use crate::http::etag::Preconditions;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};

/// Adds the routes of the report templates, below `/api/v1/fiscal-years`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{year}/report-template").get(get).put(put));
}

/// Get a year's report template
///
/// What the self-evaluation reports of the year are written by: the county's own template, else the one that comes with the
/// program, to begin with. Each line is a paragraph; `# ` begins a title, `## ` to `#### ` headings, `| ` a row of a table,
/// `- ` an attachment, `> ` the signature, `---` a new page. Names stand in `{{ }}`, conditions and loops in `{% %}` (Jinja):
/// figures have the names of formulas (`three_public.total.final`), `changes.three_public` is a sentence with the reason, and
/// `narrative.difficulties` a text of the unit; `| wan` adds 万元, and what is not filed is said to be so (未填报).
#[utoipa::path(
    get,
    path = "/api/v1/fiscal-years/{year}/report-template",
    operation_id = "get_report_template",
    tag = "fiscal-years",
    security(("token" = ["read"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "The template in force", body = ReportTemplate,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    _: Reader,
    Path(year): Path<FiscalYear>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let in_force = db.read(move |conn| require(conn, year)).await?;
    preconditions.answer(&in_force.etag(), |mut response| {
        Ok(response.json(ReportTemplate::from(&in_force)))
    })
}

/// Replace a year's report template
///
/// From then on the reports of the year are written by it; `null` goes back to the built-in one. A template may use what the
/// built-in one uses, and nothing else: every unknown name and filter is refused with its line and column, so that no report
/// fails later. Only for the finance bureau.
#[utoipa::path(
    put,
    path = "/api/v1/fiscal-years/{year}/report-template",
    operation_id = "put_report_template",
    tag = "fiscal-years",
    security(("token" = ["configure"])),
    params(("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = ReportTemplateInput, example = json!({
        "template": "# {{ unit.name }}{{ year }}年度自评报告\n## 一、基本支出\n{{ year }}年度基本支出{{ basic_expenditure.total.final | wan }}。"
    })),
    responses((status = 200, description = "It is in force, or was so already", body = ReportTemplate,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    Bureau(principal): Bureau,
    Path(year): Path<FiscalYear>,
    preconditions: Preconditions,
    Json(input): Json<ReportTemplateInput>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    if let Some(text) = &input.template {
        template::check(text.as_str()).map_err(Problem::invalid)?;
    }
    let in_force = db
        .write(principal.origin(), move |tx| {
            let before = require(tx, year)?;
            preconditions.check(Some(&before.etag()))?;
            replace(tx, year, before, &input)
        })
        .await?;
    Ok(in_force.etag().saved(false, "").json(ReportTemplate::from(&in_force)))
}

/// Puts a template in place of the one in force, if it is another.
fn replace(
    tx: &mut Tx<'_>,
    year: FiscalYear,
    before: InForce,
    input: &ReportTemplateInput,
) -> Result<InForce, Problem> {
    let wanted = input.template.as_ref().map(TemplateText::as_str);
    let is_so = match &before {
        InForce::Own(row) => wanted == Some(row.template.as_str()),
        InForce::BuiltIn => wanted.is_none(),
    };
    if is_so {
        return Ok(before);
    }
    let after = store::set(tx, year, &before, wanted)?;
    let key = format!("/api/v1/fiscal-years/{year}/report-template");
    let created = matches!(before, InForce::BuiltIn);
    let change = match wanted {
        Some(_) => Change::saved(created, Resource::ReportTemplate, key, input)?,
        None => Change::deleted(Resource::ReportTemplate, key),
    };
    tx.record(change.in_year(year.get()))?;
    Ok(after)
}

/// Makes the own template of a year that of a new one too; whether there is one. Unless `store`, only says so.
///
/// # Errors
/// 500 if the table holds what this program cannot read, or the database fails.
pub fn carry_over(tx: &mut Tx<'_>, (from, year): (FiscalYear, FiscalYear), store: bool) -> Result<bool, Problem> {
    let InForce::Own(row) = require(tx, from)? else {
        return Ok(false);
    };
    if store {
        let template = TemplateText::try_from(row.template).map_err(Problem::internal)?;
        let input = ReportTemplateInput {
            template: Some(template),
        };
        replace(tx, year, InForce::BuiltIn, &input)?;
    }
    Ok(true)
}

/// The template in force for a year.
///
/// # Errors
/// 404 if the year is not set up.
fn require(conn: &mut AnyConnection, year: FiscalYear) -> Result<InForce, Problem> {
    let found = store::find(conn, year)?.ok_or_else(|| Problem::no_year(year))?;
    Ok(found.template)
}
