//! The review (复核) of what was submitted: the bureau's own points, line by line, beside the unit's.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::handlers::require;
use super::standings::{Standing, Subject};
use super::submission_store::{self, SubmissionRow};
use super::submissions::{Outline, no_submission, thaw_scheme};
use super::transitions::{find_step, record};
use super::workflow::{Action, SubmissionState};
use crate::codes::{FiscalYear, Ordinal, UnitCode};
use crate::db::changes::{Change, Resource};
use crate::db::{AnyConnection, Db, now};
use crate::fault::Text;
use crate::http::auth::{Principal, Reader, Reviewer};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::{ETag, Preconditions};
use crate::http::kinds;
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::patch_of;
use crate::scoring::review::{Review, Tally};
use crate::scoring::scheme::Scheme;
use crate::scoring::score::{GradeGiven, Range};
use crate::scoring::text::{Code, Label, Reason};
use crate::scoring::values::exact;
use crate::tokens::model::Role;

patch_of!(
    /// Some points of a [`Review`].
    ReviewPatch,
    Review
);

/// Adds the routes of the review.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/review").get(get).put(put).patch(patch));
}

/// The review of a submission (复核), with the unit's own score beside it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewView {
    /// The unit.
    pub unit: UnitCode,
    /// The fiscal year.
    pub year: FiscalYear,
    /// Which submission it is of.
    #[schema(minimum = 1, example = 1)]
    pub submission: i64,
    /// What became of that submission.
    #[schema(value_type = SubmissionState)]
    pub state: String,
    /// Counts the changes of the review; 0 before the bureau gave points.
    #[schema(example = 3)]
    pub version: i64,
    /// When the submission or its review was last changed (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// The unit's own total (自评得分).
    pub self_score: Total,
    /// The total with the bureau's points in place of the unit's (复核得分).
    pub review_score: Total,
    /// What is still open: codes of lines without points, and of sections whose rows do not add up to their full marks.
    #[schema(example = json!([]))]
    pub open: Vec<String>,
    /// The sections, in the order of the form.
    pub sections: Vec<ReviewedSection>,
    /// The lines, in the order of the form.
    pub lines: Vec<ReviewedLine>,
    /// The review as it was sent, and as it can be sent again.
    pub review: Review,
}

/// A total with its grade.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewTotal)]
pub struct Total {
    /// The total; `null` while a line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub total: Option<Decimal>,
    /// What the total can still be.
    pub interval: Range,
    /// The grade; `null` while the interval's ends lie in different grades.
    pub grade: Option<GradeGiven>,
}

/// A section's points, the unit's and those of the review.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewedSection {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// Its full marks.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "60")]
    pub weight: Decimal,
    /// The unit's own points; `null` while one of its lines is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "55")]
    pub self_points: Option<Decimal>,
    /// The points after the review; `null` while one of its lines is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "53.5")]
    pub points: Option<Decimal>,
}

/// A line's points, the unit's and those of the review.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewedLine {
    /// Its code.
    #[schema(example = "in_post_control")]
    pub code: String,
    /// The code of its section.
    pub section: Code,
    /// Its name.
    pub name: Label,
    /// Its full marks; `null` for a unit's own row without a weight.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "5")]
    pub weight: Option<Decimal>,
    /// The unit's own points (自评得分); `null` while the line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "5")]
    pub self_points: Option<Decimal>,
    /// The bureau's points (复核得分); `null` where it gave none and the unit's stand.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "4.5")]
    pub review_points: Option<Decimal>,
    /// The points that count: the bureau's, else the unit's; `null` while the line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "4.5")]
    pub points: Option<Decimal>,
    /// Why the bureau's points differ; `null` where nothing was said.
    pub reason: Option<Reason>,
}

/// A submission with all that its review needs.
struct Reviewing {
    row: SubmissionRow,
    outline: Outline,
    scheme: Scheme,
    review: Review,
}

impl Reviewing {
    fn find(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear, number: i64) -> Result<Self, Problem> {
        let (row, document) =
            submission_store::find(conn, unit, year, number)?.ok_or_else(|| no_submission(unit, year, number))?;
        let review = row.review.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            outline: Outline::read(&document)?,
            scheme: thaw_scheme(conn, &row.scheme_digest)?,
            review: review
                .map_err(|error| Problem::internal(format!("a stored review cannot be read: {error}")))?
                .unwrap_or_default(),
            row,
        })
    }

    fn counted(&self) -> Tally {
        self.review.apply(&self.outline.score, &self.scheme)
    }

    fn view(self, unit: UnitCode, year: FiscalYear) -> (ETag, ReviewView) {
        let etag = self.row.review_etag();
        let (counted, own) = (self.counted(), &self.outline.score);
        let total = |tally: &Tally| Total {
            total: tally.total,
            interval: tally.interval,
            grade: tally.grade.clone(),
        };
        let sections = own.sections.iter().zip(&counted.sections);
        let lines = own.lines.iter().zip(&counted.lines);
        let view = ReviewView {
            unit,
            year,
            submission: self.row.number,
            state: self.row.state,
            version: self.row.review_version,
            updated_at: self.row.updated_at,
            self_score: total(own),
            review_score: total(&counted),
            open: counted.open().into_iter().map(str::to_owned).collect(),
            sections: sections
                .map(|(own, counted)| ReviewedSection {
                    code: own.code.clone(),
                    name: own.name.clone(),
                    weight: own.weight,
                    self_points: own.points,
                    points: counted.points,
                })
                .collect(),
            lines: lines
                .map(|(own, counted)| {
                    let reviewed = self.review.of(&own.code);
                    ReviewedLine {
                        code: own.code.clone(),
                        section: own.section.clone(),
                        name: own.name.clone(),
                        weight: own.weight,
                        self_points: own.points,
                        review_points: reviewed.map(|reviewed| reviewed.points.get()),
                        points: counted.points,
                        reason: reviewed.and_then(|reviewed| reviewed.reason.clone()),
                    }
                })
                .collect(),
            review: self.review,
        };
        (etag, view)
    }
}

/// Lets an approval pass if every line of a submission has points, its own or the review's.
///
/// # Errors
/// 409 that names what is open.
pub(super) fn refuse_open(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    number: i64,
) -> Result<(), Problem> {
    let counted = Reviewing::find(conn, unit, year, number)?.counted();
    let open = counted.open();
    if open.is_empty() {
        return Ok(());
    }
    let name = |code: &str| {
        let line = counted
            .lines
            .iter()
            .find(|line| line.code == code)
            .map(|line| &line.name);
        let section = || counted.sections.iter().find(|section| section.code.as_str() == code);
        let name = line.or_else(|| section().map(|section| &section.name));
        name.map_or_else(|| code.to_owned(), ToString::to_string)
    };
    let errors = open.iter().map(|code| {
        At::new(
            "open",
            Text::new(
                format!("“{}”（{code}）尚无得分。", name(code)),
                format!("{code} has no points yet"),
            ),
        )
    });
    Err(Problem::new(
        &kinds::REVIEW_INCOMPLETE,
        format!("尚有{}项没有得分，不能审定。", open.len()),
        format!("{} of its lines or sections have no points yet.", open.len()),
    )
    .with_errors(errors))
}

/// Which review to get.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReviewQuery {
    /// The number of a submission; the latest when left out.
    #[serde(default, deserialize_with = "given")]
    submission: Option<Ordinal>,
}

/// Get the review of a unit's year
///
/// The unit's own score and the bureau's points side by side, line by line, what they add up to, and what is still open. A
/// unit's token reads it once the evaluation is approved.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/review",
    operation_id = "get_review",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), ReviewQuery),
    responses((status = 200, description = "The review", body = ReviewView,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<ReviewQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (etag, view) = db
        .scan(move |conn| {
            let context = require(conn, &unit, year)?;
            principal.may_see(&context.unit_path)?;
            let latest = context.evaluation.as_ref().map_or(0, |row| row.submission);
            let number = query.submission.map_or(latest, Ordinal::get);
            if number == 0 {
                return Err(Problem::not_found(
                    format!("单位{unit}尚未提交{year}年度自评。"),
                    format!("Unit {unit} has not submitted its evaluation for {year}."),
                ));
            }
            let reviewing = Reviewing::find(conn, &unit, year, number)?;
            refuse_before_its_end(&principal, &reviewing.row)?;
            Ok(reviewing.view(unit, year))
        })
        .await?;
    preconditions.answer(&etag, |mut response| Ok(response.json(view)))
}

/// The review of a submission as this principal may read it; `None` where the bureau gave no points, or while only the bureau
/// may read it.
///
/// # Errors
/// 404 if there is no such submission.
pub fn readable(
    conn: &mut AnyConnection,
    principal: &Principal,
    (unit, year): (&UnitCode, FiscalYear),
    number: i64,
) -> Result<Option<ReviewView>, Problem> {
    let reviewing = Reviewing::find(conn, unit, year, number)?;
    let readable = reviewing.row.review_version > 0 && has_ended_for(principal, &reviewing.row)?;
    Ok(readable.then(|| reviewing.view(unit.clone(), year).1))
}

/// Lets units read a review only when it has ended.
fn refuse_before_its_end(principal: &Principal, row: &SubmissionRow) -> Result<(), Problem> {
    match has_ended_for(principal, row)? {
        false => Err(Problem::forbidden(
            "复核结果审定后，单位方可查看。",
            "Units read the review once the evaluation is approved.",
        )),
        true => Ok(()),
    }
}

/// Whether a review is far enough for this principal to read it.
fn has_ended_for(principal: &Principal, row: &SubmissionRow) -> Result<bool, Problem> {
    use SubmissionState as S;
    let state: S = row.state.parse().map_err(Problem::internal)?;
    Ok(principal.role != Role::Unit || matches!(state, S::Approved | S::Published | S::Reopened))
}

/// Give or replace the points of the review
///
/// While it is under review. Lines left out keep the unit's points; points that differ from them need a reason. Send the ETag
/// in `If-Match`, so that no other reviewer's points are lost. Only for the finance bureau.
#[utoipa::path(
    put,
    path = "/api/v1/units/{code}/evaluations/{year}/review",
    operation_id = "put_review",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = Review, example = json!({
        "lines": {"key_work": {"points": "7", "reason": "两项重点工作未按期完成"}}, "comment": "基础数据真实，评分依据基本充分。"
    })),
    responses((status = 200, description = "The review, as it is now", body = ReviewView,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn put(
    Reviewer(principal): Reviewer,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    Json(review): Json<Review>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    change(principal, at, preconditions, db, move |_| Ok(Review::clone(&review))).await
}

/// Change some points of the review
///
/// A JSON Merge Patch (RFC 7396): lines left out stay, `null` gives a line back its own points. Two reviewers who change
/// different lines do not disturb each other. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/units/{code}/evaluations/{year}/review",
    operation_id = "patch_review",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year")),
    request_body(content = ReviewPatch, content_type = "application/merge-patch+json",
        example = json!({"lines": {"key_work": {"points": "7", "reason": "两项重点工作未按期完成"}}})),
    responses((status = 200, description = "The review after the change", body = ReviewView,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    Reviewer(principal): Reviewer,
    Path(at): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    change(principal, at, preconditions, db, move |before| patch.apply(before)).await
}

async fn change(
    principal: Principal,
    (unit, year): (UnitCode, FiscalYear),
    preconditions: Preconditions,
    db: Data<Db>,
    make: impl Fn(&Review) -> Result<Review, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let (etag, view) = db
        .write(principal.origin(), move |tx| {
            let context = require(tx, &unit, year)?;
            let (row, step) = find_step(&principal, year, &context, Action::Review)?;
            let mut reviewing = Reviewing::find(tx, &unit, year, row.submission)?;
            preconditions.check(Some(&reviewing.row.review_etag()))?;
            let review = make(&reviewing.review)?;
            if review != reviewing.review {
                let faults = review.faults(&reviewing.outline.score);
                if !faults.is_empty() {
                    return Err(Problem::invalid(faults));
                }
                let text = serde_json::to_string(&review).map_err(|error| Problem::internal(error.to_string()))?;
                let at = now();
                let key = format!("/api/v1/units/{unit}/evaluations/{year}/review");
                let first = reviewing.row.review_version == 0;
                let change = Change::saved(first, Resource::Review, key, &review)?;
                tx.record(change.of_unit(unit.as_str()).in_year(year.get()))?;
                reviewing.review = review;
                reviewing.row.review_version += 1;
                reviewing.row.updated_at.clone_from(&at);
                let version = (row.submission, reviewing.row.review_version);
                submission_store::set_review(tx, &unit, year, version, &text, &at)?;
                let subject = Subject {
                    unit: &unit,
                    unit_kind: &reviewing.outline.unit_kind,
                    year,
                    state: step.to,
                    submission: row.submission,
                    scheme_id: &reviewing.row.scheme_id,
                };
                let own = &reviewing.outline.score;
                let standing = Standing::of(subject, own, &reviewing.counted(), &reviewing.scheme);
                submission_store::stand(tx, &standing)?;
                // So that an approval with `If-Match` is of the points that were seen.
                submission_store::move_to(tx, row, step.to, row.submission, &at)?;
                record(tx, &principal, row, step, row.submission, None, at)?;
            }
            Ok(reviewing.view(unit.clone(), year))
        })
        .await?;
    Ok(etag.stamp(HttpResponse::Ok()).json(view))
}
