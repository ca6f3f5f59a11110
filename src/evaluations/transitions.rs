//! What is done to an evaluation as a whole: each action is one transaction that reads, checks, freezes and writes, so that
//! no change comes in between and nothing is left half done.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::handlers::{in_force, require, tag, view};
use super::locks::{actions, must_be_in_window, must_be_open, words};
use super::model::{Evaluation, Row};
use super::review;
use super::standings::{Standing, Subject};
use super::store::Context;
use super::submission_store::{self, EventRow};
use super::submissions::{self, Submitting};
use super::workflow::{Action, State, Transition};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::{Change, Resource};
use crate::db::{Db, Tx, now};
use crate::http::auth::{Principal, Reviewer, Submitter};
use crate::http::body::{Json, OptionalJson};
use crate::http::etag::{ETag, Preconditions};
use crate::http::kinds;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::idempotency::answer::Answer;
use crate::idempotency::once::Once;
use crate::schemes::library::Library;
use crate::scoring::review::Tally;
use crate::scoring::text::Reason;

/// Adds the routes of the actions.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/submit").post(submit))
        .service(resource("/withdraw").post(withdraw))
        .service(resource("/begin-review").post(begin_review))
        .service(resource("/return").post(return_to_unit))
        .service(resource("/approve").post(approve))
        .service(resource("/publish").post(publish))
        .service(resource("/reopen").post(reopen));
}

/// A word along with an action, for the history.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// Why, or what is to be noted; may be left out.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Why an action is taken that needs a reason.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grounds {
    /// Why: the unit reads it, and it stays in the history.
    pub reason: Reason,
}

impl From<OptionalJson<Remark>> for Option<Reason> {
    fn from(OptionalJson(remark): OptionalJson<Remark>) -> Self {
        remark.and_then(|remark| remark.reason)
    }
}

/// One who takes an action, on what.
struct Act {
    action: Action,
    principal: Principal,
    unit: UnitCode,
    year: FiscalYear,
    reason: Option<Reason>,
    preconditions: Preconditions,
}

impl Act {
    async fn take(self, db: &Db, library: Data<Library>, once: Once) -> Result<HttpResponse, Problem> {
        let (who, unit, year) = (self.principal.clone(), self.unit.clone(), self.year);
        let reach = move |tx: &mut Tx<'_>| {
            let context = require(tx, &unit, year)?;
            who.may_see(&context.unit_path)?;
            Ok(context)
        };
        once.write_within(db, self.principal.origin(), reach, move |tx, context| {
            let (etag, evaluation) = self.run(tx, &library, &context)?;
            Ok(Answer::ok(&evaluation)?.tagged(&etag))
        })
        .await
    }

    fn run(&self, tx: &mut Tx<'_>, library: &Library, context: &Context) -> Result<(ETag, Evaluation), Problem> {
        let Self {
            principal, unit, year, ..
        } = self;
        let compiled = in_force(tx, library, context)?;
        self.preconditions.check(Some(&tag(&compiled, principal, context)?))?;
        let (row, step) = find_step(principal, *year, context, self.action)?;
        let at = now();
        let submission = match self.action {
            Action::Submit => {
                let submitting = Submitting {
                    unit,
                    year: *year,
                    at: &at,
                    by: principal,
                };
                let document = submissions::freeze(tx, library, &compiled, context, &submitting)?;
                submissions::store(tx, &document, &submitting, step.submission)?;
                let own = Tally::from(&document.score);
                let subject = Subject {
                    unit,
                    unit_kind: &document.unit_kind,
                    year: *year,
                    state: step.to,
                    submission: document.number,
                    scheme_id: &document.scheme.id,
                };
                let standing = Standing::of(subject, &own, &own, &compiled.scheme);
                submission_store::stand(tx, &standing)?;
                document.number
            }
            Action::Approve => {
                review::refuse_open(tx, unit, *year, row.submission)?;
                row.submission
            }
            _ => row.submission,
        };
        if self.action != Action::Submit {
            submission_store::set_state(tx, unit, *year, submission, step.submission, &at)?;
            match step.to.counts() {
                true => submission_store::stand_in_state(tx, unit, *year, step.to)?,
                false => submission_store::fall(tx, unit.as_str(), year.get())?,
            }
        }
        submission_store::move_to(tx, row, step.to, submission, &at)?;
        record(tx, principal, row, step, submission, self.reason.as_ref(), at)?;
        let moved = Moved {
            state: step.to,
            submission,
            reason: self.reason.as_ref(),
        };
        let key = format!("/api/v1/units/{unit}/evaluations/{year}");
        let change = Change::done(self.action.done(), Resource::Evaluation, key, &moved)?;
        tx.record(change.of_unit(unit.as_str()).in_year(year.get()))?;
        let context = require(tx, unit, *year)?;
        view(tx, library, principal, unit.clone(), *year, context)
    }
}

/// The step that an action takes from where the evaluation is, if this principal may take it now.
///
/// # Errors
/// 409: the year is closed, the state does not allow it, or a unit's token is outside the filing window.
pub(super) fn find_step<'a>(
    principal: &Principal,
    year: FiscalYear,
    context: &'a Context,
    action: Action,
) -> Result<(&'a Row, &'static Transition), Problem> {
    must_be_open(year, &context.season)?;
    let state = context.state()?;
    match (&context.evaluation, Transition::find(action, state)) {
        (Some(row), Some(step)) => {
            if step.in_window {
                must_be_in_window(principal, year, &context.season, state)?;
            }
            Ok((row, step))
        }
        _ => Err(wrong_state(principal, context, action, state)),
    }
}

/// 409: the action cannot be taken from this state.
fn wrong_state(principal: &Principal, context: &Context, action: Action, state: State) -> Problem {
    let allowed = actions(principal, &context.season, state);
    let zh: Vec<_> = allowed.iter().map(|action| format!("“{}”", action.zh())).collect();
    let words = words(&allowed);
    let (can_zh, can_en) = match allowed.is_empty() {
        true => ("该令牌此时不能对其执行操作".to_owned(), "nothing".to_owned()),
        false => (format!("可执行的操作：{}", zh.join("、")), words.join(", ")),
    };
    Problem::new(
        &kinds::WRONG_STATE,
        format!("自评当前状态为“{}”，不能{}；{can_zh}。", state.zh(), action.zh()),
        format!("The evaluation is {state}; {action} is not possible. This token can do: {can_en}."),
    )
    .in_state(state.as_str(), words)
}

/// Adds a step to the history.
pub(super) fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    row: &Row,
    step: &Transition,
    submission: i64,
    reason: Option<&Reason>,
    at: String,
) -> Result<(), Problem> {
    submission_store::record(
        tx,
        EventRow {
            unit_code: row.unit_code.clone(),
            year: row.year,
            number: 0,
            at,
            action: step.action.to_string(),
            from_state: row.state.clone(),
            to_state: step.to.to_string(),
            submission,
            token_id: principal.token_id.clone(),
            actor: principal.name.clone(),
            role: principal.role.to_string(),
            reason: reason.map(ToString::to_string),
        },
    )?;
    Ok(())
}

/// What the change log keeps of an evaluation as a whole.
#[derive(Serialize)]
struct Moved<'a> {
    state: State,
    submission: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Reason>,
}

/// Submit a unit's year
///
/// Freezes all that is filed, the score and the scheme as they are, as the next submission; from then on nothing of it can be
/// changed until it is withdrawn, returned or reopened. Refused while a cross-check finds an error, or a warning without a
/// reason; and with a unit's token outside the filing window, unless it was returned. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/submit",
    operation_id = "submit_evaluation",
    tag = "evaluations",
    security(("token" = ["submit"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Option<Remark>, example = json!({"reason": "已据实填报，请审核"})),
    responses((status = 200, description = "It is submitted", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn submit(
    Submitter(principal): Submitter,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    remark: OptionalJson<Remark>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::Submit,
        principal,
        unit,
        year,
        reason: remark.into(),
        preconditions,
    };
    act.take(&db, library, once).await
}

/// Withdraw a unit's year
///
/// Takes it back before it is reviewed, to correct it: it is a draft again, and the submission is kept. With a unit's token
/// within the filing window only. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/withdraw",
    operation_id = "withdraw_evaluation",
    tag = "evaluations",
    security(("token" = ["submit"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Option<Remark>, example = json!({"reason": "预算数有误，更正后再提交"})),
    responses((status = 200, description = "It is a draft again", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn withdraw(
    Submitter(principal): Submitter,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    remark: OptionalJson<Remark>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::Withdraw,
        principal,
        unit,
        year,
        reason: remark.into(),
        preconditions,
    };
    act.take(&db, library, once).await
}

/// Begin to review a unit's year
///
/// From then on the bureau gives points of its own, see `…/review`. Only for the finance bureau. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/begin-review",
    operation_id = "begin_review",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Option<Remark>, example = json!({"reason": "由绩效股复核"})),
    responses((status = 200, description = "It is under review", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn begin_review(
    Reviewer(principal): Reviewer,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    remark: OptionalJson<Remark>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::BeginReview,
        principal,
        unit,
        year,
        reason: remark.into(),
        preconditions,
    };
    act.take(&db, library, once).await
}

/// Return a unit's year
///
/// Gives it back to the unit with the reason, to be corrected and submitted again, also after the filing window. The submission
/// and its review are kept. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/return",
    operation_id = "return_evaluation",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Grounds, example = json!({"reason": "三公经费变动率应按预算数计算，请更正后重新提交"})),
    responses((status = 200, description = "It is returned", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn return_to_unit(
    Reviewer(principal): Reviewer,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    Json(grounds): Json<Grounds>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::Return,
        principal,
        unit,
        year,
        reason: Some(grounds.reason),
        preconditions,
    };
    act.take(&db, library, once).await
}

/// End the review of a unit's year
///
/// The points of the review count from then on, and the unit may read it. Refused while a line is open that the review gives no
/// points to. Only for the finance bureau. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/approve",
    operation_id = "approve_evaluation",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Option<Remark>, example = json!({"reason": "经绩效评价工作领导小组审定"})),
    responses((status = 200, description = "It is approved", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn approve(
    Reviewer(principal): Reviewer,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    remark: OptionalJson<Remark>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::Approve,
        principal,
        unit,
        year,
        reason: remark.into(),
        preconditions,
    };
    act.take(&db, library, once).await
}

/// Publish a unit's year
///
/// Says that it was made public (公开), within 20 days of the approval. Only for the finance bureau. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/publish",
    operation_id = "publish_evaluation",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Option<Remark>, example = json!({"reason": "已在县人民政府门户网站公开"})),
    responses((status = 200, description = "It is published", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn publish(
    Reviewer(principal): Reviewer,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    remark: OptionalJson<Remark>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::Publish,
        principal,
        unit,
        year,
        reason: remark.into(),
        preconditions,
    };
    act.take(&db, library, once).await
}

/// Reopen a unit's year
///
/// Makes a draft of what was approved or published, to be corrected and submitted again; the submission and its review are kept.
/// With a unit's token it can be changed within the filing window only. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/units/{code}/evaluations/{year}/reopen",
    operation_id = "reopen_evaluation",
    tag = "evaluations",
    security(("token" = ["review"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), Once),
    request_body(content = Grounds, example = json!({"reason": "审计发现公用经费决算数有误"})),
    responses((status = 200, description = "It is a draft again", body = Evaluation,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn reopen(
    Reviewer(principal): Reviewer,
    Path((unit, year)): Path<(UnitCode, FiscalYear)>,
    preconditions: Preconditions,
    once: Once,
    Json(grounds): Json<Grounds>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let act = Act {
        action: Action::Reopen,
        principal,
        unit,
        year,
        reason: Some(grounds.reason),
        preconditions,
    };
    act.take(&db, library, once).await
}
