//! What is submitted: one document with all that the score follows from and the score itself, frozen as its bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::header::ContentType;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filing::Filing;
use super::handlers::{in_force, require};
use super::store::{Context, Part};
use super::submission_store::{self, NewSubmission, SubmissionRow};
use super::workflow::SubmissionState;
use crate::checks::finding::Finding;
use crate::checks::reasons::Reasons;
use crate::codes::{Digest, FiscalYear, Ordinal, UnitCode};
use crate::db::{AnyConnection, Db};
use crate::documents::narrative::Narrative;
use crate::http::auth::{Principal, Reader};
use crate::http::etag::{ETag, Preconditions};
use crate::http::kinds;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;
use crate::schemes::library::{Compiled, Library};
use crate::schemes::model::SchemeUsed;
use crate::scoring::Case;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::prior::YearSheet;
use crate::scoring::review::Tally;
use crate::scoring::scheme::{Scheme, SchemeDocument};
use crate::scoring::score::Score;
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::FundTable;
use crate::scoring::text::SchemeId;
use crate::telemetry::timeline;
use crate::units::model::UnitKind;

/// Adds the routes of an evaluation's submissions.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/submissions").get(list))
        .service(resource("/submissions/{number}").get(get));
}

/// Adds the route of the schemes that they keep.
pub fn scheme_routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/frozen-schemes/{digest}").get(get_scheme));
}

/// A submission (提交件): everything as it was when it was submitted. It never changes and is answered byte for byte. In a
/// report on what is not submitted yet: everything as submitting it now would keep it.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Submission)]
pub struct SubmissionDocument {
    /// The unit.
    pub unit: UnitCode,
    /// The unit's name then.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// What the unit was then.
    #[schema(value_type = UnitKind)]
    pub unit_kind: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// Which of the unit-year's submissions it is, from 1; of what is not submitted, which it would be.
    #[schema(minimum = 1, example = 1)]
    pub number: i64,
    /// When it was submitted (RFC 3339, UTC); `null` while it is not.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub submitted_at: Option<String>,
    /// Whose token submitted it; `null` while it is not.
    #[schema(example = "开云镇财政所")]
    pub submitted_by: Option<String>,
    /// The scheme in force then.
    pub scheme: FrozenScheme,
    /// The base data sheet (基础数据表); `null` if none was filed.
    pub base_data: Option<BaseData>,
    /// The sheet of the year before, from which prior-year columns are filled; `null` if there was none.
    pub prior_base_data: Option<BaseData>,
    /// The assessments; `null` if none were filed.
    pub assessments: Option<Assessments>,
    /// What the unit wrote itself (自填得分); `null` if it wrote nothing.
    pub claims: Option<Claims>,
    /// Why warnings are right nevertheless (情况说明); `null` if nothing was said.
    pub reasons: Option<Reasons>,
    /// The words of the report (自评报告文字部分); left out if none were filed, and of submissions from before there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub narrative: Option<Narrative>,
    /// The special funds of the unit and year, by id.
    pub special_funds: Vec<FrozenFund>,
    /// The score (自评得分).
    pub score: Score,
    /// What the cross-checks found.
    pub findings: Vec<Finding>,
}

/// A special fund as it was submitted.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrozenFund {
    /// The fund's id.
    #[schema(example = "kaiyun-2019-dilapidated-housing")]
    pub id: String,
    /// Its name then.
    #[schema(example = "危房改造资金")]
    pub name: String,
    /// Whether it goes on in the next year (跨年度项目); left out of what was submitted before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub continues: Option<bool>,
    /// The scheme that it was scored by.
    pub scheme: FrozenScheme,
    /// Its table.
    pub table: FundTable,
    /// Its score.
    pub score: Score,
}

/// A scheme as it was, kept as its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrozenScheme {
    /// Its id.
    #[schema(example = "hunan-2019")]
    pub id: String,
    /// Its name then.
    #[schema(example = "湖南省部门整体支出绩效评价指标（2019年度）")]
    pub name: String,
    /// Its version then.
    #[schema(example = 1)]
    pub version: i64,
    /// The SHA-256 of its text, which `/api/v1/frozen-schemes/{digest}` answers.
    #[schema(value_type = Digest)]
    pub digest: String,
}

impl From<&Compiled> for FrozenScheme {
    fn from(compiled: &Compiled) -> Self {
        Self {
            id: compiled.id.to_string(),
            name: compiled.scheme.document.name.to_string(),
            version: compiled.edition.version,
            digest: compiled.digest.to_string(),
        }
    }
}

impl From<FrozenScheme> for SchemeUsed {
    fn from(frozen: FrozenScheme) -> Self {
        Self {
            id: Some(frozen.id),
            name: frozen.name,
            version: Some(frozen.version),
        }
    }
}

/// What of a frozen document is needed to review it.
#[derive(Debug, Deserialize)]
pub struct Outline {
    /// What the unit was then.
    pub unit_kind: String,
    /// The points of the score.
    pub score: Tally,
}

impl SubmissionDocument {
    /// Reads a stored document back.
    ///
    /// # Errors
    /// 500 if this program cannot read it.
    pub fn read(document: &str) -> Result<Self, Problem> {
        read(document)
    }
}

impl Outline {
    /// Reads it from a stored document.
    ///
    /// # Errors
    /// 500 if this program cannot read it.
    pub fn read(document: &str) -> Result<Self, Problem> {
        read(document)
    }
}

/// What of a frozen document its score follows from.
#[derive(Debug, Deserialize)]
pub struct Inputs {
    /// The unit's name then.
    pub unit_name: String,
    /// The scheme in force then.
    pub scheme: FrozenScheme,
    base_data: Option<BaseData>,
    prior_base_data: Option<BaseData>,
    assessments: Option<Assessments>,
}

impl Inputs {
    /// Those of a submission.
    ///
    /// # Errors
    /// 404 if there is none of that number, 500 if this program cannot read it.
    pub fn find(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear, number: Ordinal) -> Result<Self, Problem> {
        let found = submission_store::find(conn, unit, year, number.get())?;
        let (_, document) = found.ok_or_else(|| no_submission(unit, year, number.get()))?;
        read(&document)
    }

    /// The score that follows from them by a scheme.
    pub fn score(&self, scheme: &Scheme) -> Score {
        let sheet = YearSheet::new(
            self.base_data.clone().unwrap_or_default(),
            self.prior_base_data.as_ref(),
        );
        let assessments = self.assessments.clone().unwrap_or_default();
        timeline::score(scheme, &Case::of_year(&sheet, &assessments))
    }
}

/// Reads a part of a stored document.
fn read<T: DeserializeOwned>(document: &str) -> Result<T, Problem> {
    serde_json::from_str(document)
        .map_err(|error| Problem::internal(format!("a stored submission cannot be read: {error}")))
}

/// The scheme that a submission was scored by, compiled from its frozen text.
///
/// # Errors
/// 500 if it is not there or this program cannot read it.
pub fn thaw_scheme(conn: &mut AnyConnection, digest: &str) -> Result<Scheme, Problem> {
    let unreadable = |reason: String| Problem::internal(format!("the frozen scheme {digest}: {reason}"));
    let text = submission_store::frozen_scheme(conn, digest)?.ok_or_else(|| unreadable("is not there".to_owned()))?;
    let document: SchemeDocument = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    Scheme::compile(document).map_err(|faults| unreadable(format!("{faults:?}")))
}

/// The scheme that something was scored by: as it is in force, else as it was frozen. `None` where it was changed and nothing
/// was submitted by it.
///
/// # Errors
/// 500 for what this program cannot read.
pub fn scheme_of(
    conn: &mut AnyConnection,
    library: &Library,
    scheme: &FrozenScheme,
) -> Result<Option<Arc<Scheme>>, Problem> {
    let id = SchemeId::try_from(scheme.id.clone()).map_err(Problem::internal)?;
    if let Ok(now) = library.find(conn, &id)?
        && *now.digest == *scheme.digest
    {
        return Ok(Some(now.scheme));
    }
    match submission_store::frozen_scheme(conn, &scheme.digest)? {
        Some(_) => thaw_scheme(conn, &scheme.digest).map(|scheme| Some(Arc::new(scheme))),
        None => Ok(None),
    }
}

/// Who submits what, and when.
pub(super) struct Submitting<'a> {
    pub unit: &'a UnitCode,
    pub year: FiscalYear,
    pub at: &'a str,
    pub by: &'a Principal,
}

/// Makes a document of all that is filed, by this scheme, and keeps the texts of the schemes that it names.
///
/// # Errors
/// 409 with every finding that stands in the way.
pub(super) fn freeze(
    conn: &mut AnyConnection,
    library: &Library,
    compiled: &Compiled,
    context: &Context,
    submitting: &Submitting<'_>,
) -> Result<SubmissionDocument, Problem> {
    let at = (submitting.unit, submitting.year);
    let filing = Filing::load(conn, library, compiled, at, context)?;
    let findings = filing.findings();
    refuse(&filing.obstacles(&findings))?;
    let mut document = compose(filing, findings, compiled, at.0, context);
    document.submitted_at = Some(submitting.at.to_owned());
    document.submitted_by = Some(submitting.by.name.clone());
    let funds = document.special_funds.iter().map(|fund| &fund.scheme);
    let schemes: BTreeMap<_, _> = funds
        .chain([&document.scheme])
        .map(|scheme| (&scheme.digest, &scheme.id))
        .collect();
    for (digest, id) in schemes {
        let text = submission_store::scheme_text(conn, id)?;
        submission_store::freeze_scheme(conn, digest, &text)?;
    }
    Ok(document)
}

/// The document that submitting what is filed would make now, if nothing stood in the way.
///
/// # Errors
/// 500 for what this program cannot read.
pub fn draft(
    conn: &mut AnyConnection,
    library: &Library,
    (unit, year): (&UnitCode, FiscalYear),
    context: &Context,
) -> Result<SubmissionDocument, Problem> {
    let compiled = in_force(conn, library, context)?;
    let filing = Filing::load(conn, library, &compiled, (unit, year), context)?;
    let findings = filing.findings();
    Ok(compose(filing, findings, &compiled, unit, context))
}

pub(super) fn compose(
    filing: Filing,
    findings: Vec<Finding>,
    compiled: &Compiled,
    unit: &UnitCode,
    context: &Context,
) -> SubmissionDocument {
    let row = context.evaluation.as_ref();
    let filed = |part: Part| part.of(row).0.is_some();
    let funds = filing.funds.into_iter().zip(&filing.fund_schemes);
    SubmissionDocument {
        unit: unit.clone(),
        unit_name: context.unit_name.clone(),
        unit_kind: context.unit_kind.clone(),
        year: filing.year,
        number: row.map_or(0, |row| row.submission) + 1,
        submitted_at: None,
        submitted_by: None,
        scheme: compiled.into(),
        base_data: filed(Part::BaseData).then_some(filing.sheet.into_own()),
        prior_base_data: filing.prior,
        assessments: filed(Part::Assessments).then_some(filing.assessments),
        claims: filing.claims,
        reasons: filed(Part::Reasons).then_some(filing.reasons),
        narrative: filing.narrative,
        special_funds: funds
            .map(|(fund, compiled)| FrozenFund {
                id: fund.id,
                name: fund.name,
                continues: Some(fund.continues),
                scheme: compiled.into(),
                table: fund.table,
                score: fund.score,
            })
            .collect(),
        score: filing.score,
        findings,
    }
}

/// Lets a submission pass that nothing stands in the way of.
///
/// # Errors
/// 409 with every finding that does.
fn refuse(obstacles: &[&Finding]) -> Result<(), Problem> {
    let errors = obstacles
        .iter()
        .map(|finding| At::new(finding.check.clone(), finding.text.clone()).keyed(finding.key.clone()));
    match obstacles.len() {
        0 => Ok(()),
        count => Err(Problem::new(
            &kinds::NOT_SUBMITTABLE,
            format!("尚有{count}个问题未更正或未说明理由，不能提交。"),
            match count {
                1 => "1 finding is neither corrected nor explained.".to_owned(),
                _ => format!("{count} findings are neither corrected nor explained."),
            },
        )
        .with_errors(errors)),
    }
}

/// Stores a frozen document as the bytes that it will be answered as.
pub(super) fn store(
    conn: &mut AnyConnection,
    document: &SubmissionDocument,
    submitting: &Submitting<'_>,
    state: SubmissionState,
) -> Result<(), Problem> {
    let text = serde_json::to_string(document).map_err(|error| Problem::internal(error.to_string()))?;
    submission_store::insert(
        conn,
        &NewSubmission {
            unit_code: document.unit.to_string(),
            year: document.year.get(),
            number: document.number,
            state: state.to_string(),
            submitted_at: submitting.at.to_owned(),
            submitted_by: submitting.by.name.clone(),
            scheme_id: document.scheme.id.clone(),
            scheme_digest: document.scheme.digest.clone(),
            review_version: 0,
            updated_at: submitting.at.to_owned(),
            document: text,
        },
    )?;
    Ok(())
}

/// A submission in the list of a unit's year, without its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionEntry {
    /// Which of the unit-year's submissions it is, from 1.
    #[schema(minimum = 1, example = 1)]
    pub number: i64,
    /// What became of it.
    #[schema(value_type = SubmissionState)]
    pub state: String,
    /// When it was submitted (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub submitted_at: String,
    /// Whose token submitted it.
    #[schema(example = "开云镇财政所")]
    pub submitted_by: String,
    /// The id of the scheme in force then.
    #[schema(value_type = SchemeId)]
    pub scheme: String,
    /// The SHA-256 of that scheme's text.
    #[schema(value_type = Digest)]
    pub scheme_digest: String,
    /// When it or its review was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// The submission.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/submissions/1")]
    pub link: String,
}

/// Which submissions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// By number, from the first or from the latest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: its last number.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<Ordinal>,
}

/// List the submissions of a unit's year
///
/// Each time it was submitted is one, numbered from 1, with what became of it.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/submissions",
    operation_id = "list_submissions",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), ListQuery),
    responses((status = 200, description = "A page of submissions", body = Page<SubmissionEntry>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    Reader(principal): Reader,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let address = format!("/api/v1/units/{unit}/evaluations/{year}/submissions");
    let rows = db
        .scan(move |conn| {
            let context = require(conn, &unit, year)?;
            principal.may_see(&context.unit_path)?;
            Ok(submission_store::list(
                conn,
                &unit,
                year,
                query.order.unwrap_or_default(),
                query.cursor.map(Ordinal::get),
                limit,
            )?)
        })
        .await?;
    let show = |row: SubmissionRow| SubmissionEntry {
        link: format!("{address}/{}", row.number),
        number: row.number,
        state: row.state,
        submitted_at: row.submitted_at,
        submitted_by: row.submitted_by,
        scheme: row.scheme_id,
        scheme_digest: row.scheme_digest,
        updated_at: row.updated_at,
    };
    Ok(Page::new(rows, limit, |row| &row.number, show).respond(&request))
}

/// Get a submission
///
/// What was filed, the score that followed, the scheme that it was scored by and what the cross-checks found, as they were
/// when it was submitted: the same bytes at all times, whatever becomes of the unit, the scheme or this program.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/submissions/{number}",
    operation_id = "get_submission",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"),
        ("number" = Ordinal, Path, description = "Which submission, from 1")),
    responses((status = 200, description = "The submission", body = SubmissionDocument,
            headers(("ETag" = String, description = "Of its bytes"))),
        (status = 304, description = "It is what `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path((unit, year, number)): Path<(UnitCode, FiscalYear, Ordinal)>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let document = db
        .scan(move |conn| {
            let context = require(conn, &unit, year)?;
            principal.may_see(&context.unit_path)?;
            let found = submission_store::find(conn, &unit, year, number.get())?;
            Ok(found.ok_or_else(|| no_submission(&unit, year, number.get()))?.1)
        })
        .await?;
    let etag = ETag::over(["submission", document.as_str()]);
    preconditions.answer(&etag, |response| Ok(answer_json(response, document)))
}

/// There is no submission of that number.
pub fn no_submission(unit: &UnitCode, year: FiscalYear, number: i64) -> Problem {
    Problem::not_found(
        format!("单位{unit}的{year}年度自评没有第{number}次提交。"),
        format!("Unit {unit} has no submission {number} for {year}."),
    )
}

/// Ends an answer with a text that is JSON already.
fn answer_json(mut response: HttpResponseBuilder, text: String) -> HttpResponse {
    response.content_type(ContentType::json()).body(text)
}

/// Get a scheme as it was
///
/// The text of a scheme that something was submitted under, by its SHA-256. It never changes.
#[utoipa::path(
    get,
    path = "/api/v1/frozen-schemes/{digest}",
    operation_id = "get_frozen_scheme",
    tag = "scoring-schemes",
    security(("token" = ["read"])),
    params(("digest" = Digest, Path, description = "The SHA-256 of its text, as submissions name it")),
    responses((status = 200, description = "The scheme, byte for byte", body = SchemeDocument,
            headers(("ETag" = String, description = "Of its bytes"))),
        (status = 304, description = "It is what `If-None-Match` names"), CommonErrors),
)]
pub async fn get_scheme(
    _: Reader,
    Path(digest): Path<Digest>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let etag = ETag::over(["frozen-scheme", digest.as_str()]);
    let text = db
        .read(move |conn| {
            submission_store::frozen_scheme(conn, digest.as_str())?.ok_or_else(|| {
                Problem::not_found(
                    format!("没有摘要为{digest}的评分标准。"),
                    format!("There is no frozen scheme {digest}."),
                )
            })
        })
        .await?;
    preconditions.answer(&etag, |response| Ok(answer_json(response, text)))
}
