//! The cross-checks (勾稽关系) over HTTP: the catalogue, and what the checks find in a unit's year.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filing::Filing;
use super::handlers::{in_force, require};
use crate::checks::catalogue::{self, CATALOGUE, Check, Topic};
use crate::checks::finding::Finding;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::fault::Text;
use crate::http::auth::Reader;
use crate::http::etag::Preconditions;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::schemes::library::Library;
use crate::schemes::model::SchemeUsed;
use crate::scoring::score::Severity;
use crate::scoring::text::{Code, Reason};

/// Adds the catalogue's routes.
pub fn catalogue_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/checks").get(list_catalogue))
        .service(resource("/api/v1/checks/{check}").get(get_check));
}

/// Adds the route of an evaluation's findings.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/checks").get(get));
}

/// A cross-check (勾稽关系) of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Check)]
pub struct CheckEntry {
    /// Its code.
    #[schema(value_type = Code, example = "three_public_parts")]
    code: &'static str,
    /// An error blocks submission, a warning needs a reason, a notice informs.
    severity: Severity,
    /// What it looks at.
    topic: Topic,
    /// The fields that it reads: places in the base data sheet (`budget.initial`; of the year before `prior.budget.initial`),
    /// in a special fund's table (`fund.funding.total.executed`), in the assessments, the score or a table.
    #[schema(example = json!(["three_public.total.final", "three_public.reception.final"]))]
    reads: Vec<String>,
    /// The relations of which each is a finding where it holds, over variables of the sheet (after `prior:` of the sheet of
    /// the year before); empty for a check that is no relation of figures.
    #[schema(example = json!(["three_public.total.final ≠ three_public.reception.final + …"]))]
    relations: Vec<String>,
    /// How far figures may be apart without a finding.
    tolerance: Text,
    /// Its name.
    title: Text,
    /// What it compares, and why that matters.
    meaning: Text,
    /// What to do about a finding.
    remedy: Text,
}

impl From<&'static Check> for CheckEntry {
    fn from(check: &'static Check) -> Self {
        Self {
            code: check.code,
            severity: check.severity,
            topic: check.topic,
            reads: check.reads(),
            relations: check.relations(),
            tolerance: check.tolerance.clone(),
            title: check.title.clone(),
            meaning: check.meaning.clone(),
            remedy: check.remedy.clone(),
        }
    }
}

/// The catalogue of checks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Catalogue {
    /// Every check, by topic.
    items: Vec<CheckEntry>,
}

/// Which checks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogueQuery {
    /// Only those that look at this.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    topic: Option<Topic>,
    /// Only those of this severity.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    severity: Option<Severity>,
}

/// List the checks
///
/// The whole catalogue of cross-checks (勾稽关系), each with what it reads, how far figures may be apart, what a finding
/// means and how to put it right. It is the program's own and changes only with its version.
#[utoipa::path(
    get,
    path = "/api/v1/checks",
    operation_id = "list_checks",
    tag = "checks",
    security(("token" = ["read"])),
    params(CatalogueQuery),
    responses((status = 200, description = "The catalogue", body = Catalogue), CommonErrors),
)]
pub async fn list_catalogue(_: Reader, Query(query): Query<CatalogueQuery>) -> HttpResponse {
    let asked = |check: &&Check| {
        query.topic.is_none_or(|topic| topic == check.topic)
            && query.severity.is_none_or(|severity| severity == check.severity)
    };
    HttpResponse::Ok().json(Catalogue {
        items: CATALOGUE.iter().filter(asked).map(CheckEntry::from).collect(),
    })
}

/// Get a check
///
/// What it reads, how far figures may be apart, what a finding means and how to put it right.
#[utoipa::path(
    get,
    path = "/api/v1/checks/{check}",
    operation_id = "get_check",
    tag = "checks",
    security(("token" = ["read"])),
    params(("check" = Code, Path, description = "The check's code, as findings name it")),
    responses((status = 200, description = "The check", body = CheckEntry), CommonErrors),
)]
pub async fn get_check(_: Reader, Path(code): Path<Code>) -> Result<HttpResponse, Problem> {
    let check = catalogue::find(code.as_str()).ok_or_else(|| {
        Problem::not_found(
            format!("没有代码为{code}的检查项，全部检查项见 /api/v1/checks。"),
            format!("There is no check {code}; /api/v1/checks lists those there are."),
        )
    })?;
    Ok(HttpResponse::Ok().json(CheckEntry::from(check)))
}

/// What the checks find in a unit's year.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckReport {
    /// The unit.
    unit: UnitCode,
    /// The unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    unit_name: String,
    /// The fiscal year.
    year: FiscalYear,
    /// The scheme that the score was computed by.
    scheme: SchemeUsed,
    /// Whether the findings let the evaluation be submitted: no error, and a reason for every warning.
    submittable: bool,
    /// The same in a sentence.
    summary: Text,
    /// How many findings there are of each severity.
    counts: Counts,
    /// What was found, in the order of the catalogue.
    findings: Vec<ReasonedFinding>,
}

/// How many findings there are.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = FindingCounts)]
pub struct Counts {
    /// Errors: each blocks submission.
    #[schema(example = 0)]
    errors: usize,
    /// Warnings: each needs a reason.
    #[schema(example = 4)]
    warnings: usize,
    /// Of the warnings, those without a reason.
    #[schema(example = 3)]
    unexplained: usize,
    /// Notices.
    #[schema(example = 2)]
    notices: usize,
}

/// A finding, and what the unit says to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingWithReason)]
pub struct ReasonedFinding {
    /// What was found.
    #[serde(flatten)]
    finding: Finding,
    /// Whether it stands in the way of a submission.
    blocks: bool,
    /// The reason that was filed for it; `null` if there is none.
    reason: Option<Reason>,
}

impl Counts {
    fn summary(&self) -> Text {
        let Self {
            errors,
            warnings,
            unexplained,
            notices,
        } = self;
        let (zh, en) = match (errors, unexplained) {
            (0, 0) => ("可以提交".to_owned(), "it can be submitted".to_owned()),
            (0, _) => (
                format!("其中{unexplained}个警告尚未说明情况，暂不能提交"),
                format!("{unexplained} of the warnings still need a reason before it can be submitted"),
            ),
            (_, 0) => (
                "错误更正前不能提交".to_owned(),
                "the errors are to be corrected before it can be submitted".to_owned(),
            ),
            _ => (
                format!("错误更正、{unexplained}个警告说明情况后方可提交"),
                format!("it can be submitted once the errors are corrected and {unexplained} warnings have a reason"),
            ),
        };
        Text::new(
            format!("发现错误{errors}个、警告{warnings}个、提示{notices}个：{zh}。"),
            format!("{errors} errors, {warnings} warnings, {notices} notices: {en}"),
        )
    }
}

/// Check a unit's year
///
/// What the cross-checks find in what is filed now: within the base data sheet, against the year before, against the
/// special funds, and in what the score rests on. Each finding has both figures, says where they stand, and what to do.
/// Errors block submission; a warning needs a reason (`PUT …/reasons`, by the finding's `key`); notices inform.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/checks",
    operation_id = "get_evaluation_checks",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    responses((status = 200, description = "What was found", body = CheckReport,
            headers(("ETag" = String, description = "Of all that it follows from"))),
        (status = 304, description = "It is still the one that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path((code, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    // A scan: each special fund is scored.
    let (etag, report) = db
        .scan(move |conn| {
            let context = require(conn, &code, year)?;
            principal.may_see(&context.unit_path)?;
            let compiled = in_force(conn, &library, &context)?;
            let filing = Filing::load(conn, &library, &compiled, (&code, year), &context)?;
            let mut counts = Counts::default();
            let mut findings = Vec::new();
            for finding in filing.findings() {
                let reason = filing.reasons.of(&finding.key).cloned();
                let blocks = finding.blocks(reason.as_ref());
                match finding.severity {
                    Severity::Error => counts.errors += 1,
                    Severity::Warning => {
                        counts.warnings += 1;
                        counts.unexplained += usize::from(blocks);
                    }
                    Severity::Notice => counts.notices += 1,
                }
                findings.push(ReasonedFinding {
                    finding,
                    blocks,
                    reason,
                });
            }
            let report = CheckReport {
                unit: code,
                unit_name: context.unit_name,
                year,
                scheme: SchemeUsed::from(&compiled),
                submittable: findings.iter().all(|finding| !finding.blocks),
                summary: counts.summary(),
                counts,
                findings,
            };
            Ok((filing.etag, report))
        })
        .await?;
    preconditions.answer(&etag, |mut response| Ok(response.json(report)))
}
