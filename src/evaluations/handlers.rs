//! The addresses of a unit's year, and of its score.

use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::cache::{Basis, ScoreCache};
use super::locks::{actions, words};
use super::model::{
    Evaluation, EvaluationEntry, EvaluationExpansion, ExpandedEvaluation, Links, Part as PartState, Parts, ScoreBrief,
    UnitScore, Unused,
};
use super::store::{self, Context, EntryRow, Part};
use super::{checks, history, part_handlers, parts, review, submissions, transitions, what_if};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::{AnyConnection, Db};
use crate::fault::Fault;
use crate::http::accept::{Form, form, score_json};
use crate::http::answers::Answer;
use crate::http::auth::{Principal, Reader};
use crate::http::etag::{ETag, Preconditions};
use crate::http::expand::Expand;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, UnfitParameter};
use crate::render;
use crate::schemes::library::{Compiled, Library, Unfit};
use crate::schemes::model::SchemeUsed;
use crate::scoring::Case;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::completeness::{Completeness, completeness};
use crate::scoring::prior::YearSheet;
use crate::scoring::score::Score;
use crate::scoring::text::SchemeId;
use crate::scoring::values::digits;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::timeline;
use crate::units;

/// Adds the route of a unit's years, below `/api/v1/units`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/{code}/evaluations").get(list));
}

/// Adds the routes of a unit's year, below `/api/v1/units/{code}/evaluations/{year}`.
pub fn year_routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(get))
        .service(resource("/score").get(get_score))
        .configure(part_handlers::routes)
        .configure(transitions::routes)
        .configure(submissions::routes)
        .configure(review::routes)
        .configure(history::routes)
        .configure(checks::routes)
        .configure(what_if::routes);
}

/// Which years to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
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

/// List the years of a unit
///
/// Those for which something is filed.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations",
    operation_id = "list_evaluations",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"), ListQuery),
    responses((status = 200, description = "A page of years", body = Page<EvaluationEntry>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    Reader(principal): Reader,
    Path(code): Path<UnitCode>,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let unit = code.clone();
    let rows = db
        .scan(move |conn| {
            let path = store::unit_path(conn, &unit)?.ok_or_else(|| Problem::no_unit(&unit))?;
            principal.may_see(&path)?;
            Ok(store::list(
                conn,
                &unit,
                query.order.unwrap_or_default(),
                query.cursor,
                limit,
            )?)
        })
        .await?;
    let show = |(year, state, created_at, updated_at)| EvaluationEntry {
        year,
        state,
        created_at,
        updated_at,
        link: format!("/api/v1/units/{code}/evaluations/{year}"),
    };
    Ok(Page::new(rows, limit, |row: &EntryRow| &row.0, show).respond(&request))
}

/// What to answer besides.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvaluationQuery {
    /// What the answer is to hold besides, under `expanded`.
    #[serde(default, deserialize_with = "given")]
    #[param(inline, style = Form, explode = false)]
    expand: Option<Expand<EvaluationExpansion>>,
}

/// Get a unit's year
///
/// Where it stands, what is known of its total, how complete it is and what is missing for which lines, and where its
/// parts are; with `expand` some of these parts themselves. It exists as soon as the unit and the fiscal
/// year do; before anything is filed its state is `not_started`.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}",
    operation_id = "get_evaluation",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), EvaluationQuery),
    responses((status = 200, description = "The unit's year", body = Evaluation,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    Reader(principal): Reader,
    Path((code, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<EvaluationQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let (etag, evaluation) = db
        .read(move |conn| {
            let context = require(conn, &code, year)?;
            principal.may_see(&context.unit_path)?;
            let expand = query.expand.as_ref();
            let expanded = expand
                .map(|expand| expanded(conn, &library, (&code, year), &context, expand))
                .transpose()?;
            let (etag, evaluation) = view(conn, &library, &principal, code, year, context)?;
            Ok((etag, Evaluation { expanded, ..evaluation }))
        })
        .await?;
    preconditions.answer(&etag, |mut response| Ok(response.json(evaluation)))
}

fn expanded(
    conn: &mut AnyConnection,
    library: &Library,
    (code, year): (&UnitCode, FiscalYear),
    context: &Context,
    expand: &Expand<EvaluationExpansion>,
) -> Result<ExpandedEvaluation, Problem> {
    let row = context.evaluation.as_ref();
    Ok(ExpandedEvaluation {
        unit: expand.with(&EvaluationExpansion::Unit, || units::handlers::view(conn, code))?,
        base_data: expand
            .with(&EvaluationExpansion::BaseData, || parts::read(Part::BaseData, row))?
            .flatten(),
        assessments: expand
            .with(&EvaluationExpansion::Assessments, || {
                parts::read(Part::Assessments, row)
            })?
            .flatten(),
        reasons: expand
            .with(&EvaluationExpansion::Reasons, || parts::read(Part::Reasons, row))?
            .flatten(),
        claims: expand
            .with(&EvaluationExpansion::Claims, || parts::read(Part::Claims, row))?
            .flatten(),
        narrative: expand
            .with(&EvaluationExpansion::Narrative, || parts::read(Part::Narrative, row))?
            .flatten(),
        score: expand.with(&EvaluationExpansion::Score, || {
            let compiled = in_force(conn, library, context)?;
            unit_score(conn, &compiled, (code, year), context)
        })?,
    })
}

/// A unit's year as this principal sees it, with its tag.
pub(super) fn view(
    conn: &mut AnyConnection,
    library: &Library,
    principal: &Principal,
    unit: UnitCode,
    year: FiscalYear,
    context: Context,
) -> Result<(ETag, Evaluation), Problem> {
    let compiled = in_force(conn, library, &context)?;
    let etag = tag(&compiled, principal, &context)?;
    let (sheet, score) = scored(conn, &compiled, &context)?;
    let completeness = completeness(&score, &sheet);
    Ok((etag, describe(principal, unit, year, context, &score, completeness)?))
}

/// The tag of a unit's year as this principal sees it.
pub(super) fn tag(compiled: &Compiled, principal: &Principal, context: &Context) -> Result<ETag, Problem> {
    let state = context.state()?;
    let mut parts = vec![state.as_str()];
    parts.extend(words(&actions(principal, &context.season, state)));
    let form = format!("evaluation {}", parts.join(" "));
    Ok(Basis::of(context, &compiled.edition).etag(&compiled.id, &form))
}

fn describe(
    principal: &Principal,
    unit: UnitCode,
    year: FiscalYear,
    context: Context,
    score: &Score,
    completeness: Completeness,
) -> Result<Evaluation, Problem> {
    let state = context.state()?;
    let this = format!("/api/v1/units/{unit}/evaluations/{year}");
    let row = context.evaluation.as_ref();
    let part = |part: Part| {
        let (document, version) = part.of(row);
        PartState {
            filed: document.is_some(),
            version,
        }
    };
    Ok(Evaluation {
        state,
        submission: row.map(|row| row.submission).filter(|number| *number > 0),
        actions: actions(principal, &context.season, state),
        score: brief(score),
        completeness,
        parts: Parts {
            base_data: part(Part::BaseData),
            assessments: part(Part::Assessments),
            reasons: part(Part::Reasons),
            claims: part(Part::Claims),
            narrative: part(Part::Narrative),
        },
        links: Links {
            base_data: format!("{this}/base-data"),
            base_data_prefilled: format!("{this}/base-data/prefilled"),
            assessments: format!("{this}/assessments"),
            reasons: format!("{this}/reasons"),
            checks: format!("{this}/checks"),
            claims: format!("{this}/claims"),
            narrative: format!("{this}/narrative"),
            score: format!("{this}/score"),
            score_gaps: format!("{this}/score/gaps"),
            score_sensitivity: format!("{this}/score/sensitivity"),
            comparison: format!("{this}/comparison"),
            special_funds: format!("/api/v1/special-funds?unit={unit}&year={year}"),
            submissions: format!("{this}/submissions"),
            review: format!("{this}/review"),
            history: format!("{this}/history"),
            this,
        },
        expanded: None,
        unit,
        unit_name: context.unit_name,
        year,
        scheme: context.scheme_id,
    })
}

fn brief(score: &Score) -> ScoreBrief {
    ScoreBrief {
        total: score.total.map(digits),
        interval: score.interval,
        missing: score.missing.len(),
        summary: score.summary.clone(),
    }
}

/// By which scheme to score.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScoreQuery {
    /// Another scheme than the one in force for the year, to see what it would give.
    #[serde(default, deserialize_with = "given")]
    scheme: Option<SchemeId>,
}

/// Get a unit's score
///
/// Worked out from what is filed, and explained line by line. Last year's columns (上年数) that the unit left out are taken
/// from the base data sheet of the year before; such an input has the origin `prior_year`. While something is missing, the
/// total is an interval and `missing` names every field to fill in, with its place in its document. Under another scheme
/// the same figures and assessments are scored by its indicators: what it asks for and was not filed is missing, and
/// `unused` says what was filed and it does not ask for. With `Accept: text/plain` the answer is the scoring table as plain
/// text in Chinese.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/score",
    operation_id = "get_evaluation_score",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), ScoreQuery),
    responses((status = 200, description = "The score", headers(("ETag" = String, description = "Of all that it follows from")),
            content((UnitScore = "application/json"), (String = "text/plain"))),
        (status = 304, description = "It is still the one that `If-None-Match` names"), CommonErrors, UnfitParameter),
)]
pub async fn get_score(
    Reader(principal): Reader,
    Path((code, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<ScoreQuery>,
    db: Data<Db>,
    library: Data<Library>,
    scores: Data<ScoreCache>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    let form = form(&request)?;
    let made = db.read(move |conn| {
        let context = require(conn, &code, year)?;
        principal.may_see(&context.unit_path)?;
        let compiled = match &query.scheme {
            Some(id) => named(conn, &library, "scheme", id)?,
            None => in_force(conn, &library, &context)?,
        };
        let basis = Basis::of(&context, &compiled.edition);
        let etag = basis.etag(&compiled.id, form.media_type());
        let body = match form {
            Form::Text => {
                let heading = format!(
                    "{}（{code}）{year}年度部门整体支出绩效自评得分\n评分标准：{}（{}）",
                    context.unit_name, compiled.scheme.document.name, compiled.id
                );
                Bytes::from(render::score(&heading, &compute(conn, &compiled, &context)?))
            }
            Form::Json => scores.get_or_render((&code, year, &compiled.id), basis, || {
                score_json(&unit_score(conn, &compiled, (&code, year), &context)?)
            })?,
        };
        Ok((context.unit_path, etag, body))
    });
    let (path, etag, body) = made.await?;
    let answer = Answer::of_unit(path, etag, form, body)?.in_one_of_several_forms();
    Ok(answer.counted_by(&METRICS.scores_from_cache))
}

/// A unit's score as it is answered.
fn unit_score(
    conn: &mut AnyConnection,
    compiled: &Compiled,
    (code, year): (&UnitCode, FiscalYear),
    context: &Context,
) -> Result<UnitScore, Problem> {
    Ok(UnitScore {
        unit: code.clone(),
        unit_name: context.unit_name.clone(),
        year,
        scheme: SchemeUsed::from(compiled),
        prior_base_data: context.prior.clone(),
        score: compute(conn, compiled, context)?,
        unused: unused(compiled, context)?,
    })
}

/// The year of a unit.
///
/// # Errors
/// 404 that says which of the two does not exist.
pub fn require(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear) -> Result<Context, Problem> {
    let context = store::context(conn, unit, year)?;
    both(conn, unit, year, context)
}

/// The same for who does not go by the sheet of the year before: where that is found is left out (`prior`).
///
/// # Errors
/// Those of [`require`].
pub(super) fn require_without_prior(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
) -> Result<Context, Problem> {
    let context = store::context_without_prior(conn, unit, year)?;
    both(conn, unit, year, context)
}

fn both(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    context: Option<Context>,
) -> Result<Context, Problem> {
    match context {
        Some(context) => Ok(context),
        None if store::unit_path(conn, unit)?.is_none() => Err(Problem::no_unit(unit)),
        None => Err(Problem::no_year(year)),
    }
}

/// The scheme in force for the year.
pub(super) fn in_force(conn: &mut AnyConnection, library: &Library, context: &Context) -> Result<Compiled, Problem> {
    let id = SchemeId::try_from(context.scheme_id.clone()).map_err(Problem::internal)?;
    library.in_force(conn, &id, context.scheme_edition.clone())
}

/// The scheme that a parameter names.
///
/// # Errors
/// 404 if there is none, 422 for a template.
pub(super) fn named(
    conn: &mut AnyConnection,
    library: &Library,
    parameter: &'static str,
    id: &SchemeId,
) -> Result<Compiled, Problem> {
    library.find(conn, id)?.map_err(|unfit| refuse(unfit, parameter, id))
}

/// Says why nothing can be scored by the scheme that `parameter` names.
fn refuse(unfit: Unfit, parameter: &'static str, id: &SchemeId) -> Problem {
    match unfit {
        Unfit::Unknown => Problem::no_scheme(id),
        Unfit::Template => {
            let fault = Fault::template_scheme(id);
            Problem::unfit_parameters(vec![At::parameter(parameter, fault.code, fault.text)])
        }
    }
}

/// What is filed in the assessments that does not fit the scheme.
fn unused(compiled: &Compiled, context: &Context) -> Result<Vec<Unused>, Problem> {
    let assessments: Assessments = parts::read(Part::Assessments, context.evaluation.as_ref())?.unwrap_or_default();
    let faults = assessments.faults(&compiled.scheme);
    Ok(faults.into_iter().map(Unused::from).collect())
}

/// The score of what is filed.
///
/// # Errors
/// 500 if the table holds what this program cannot read.
pub(super) fn compute(conn: &mut AnyConnection, compiled: &Compiled, context: &Context) -> Result<Score, Problem> {
    scored(conn, compiled, context).map(|(_, score)| score)
}

/// The sheet with its gaps filled, and the score that follows.
fn scored(conn: &mut AnyConnection, compiled: &Compiled, context: &Context) -> Result<(YearSheet, Score), Problem> {
    let sheet = parts::year_sheet(conn, context)?;
    let row = context.evaluation.as_ref();
    let assessments = parts::read(Part::Assessments, row)?.unwrap_or_default();
    let mut score = timeline::score(&compiled.scheme, &Case::of_year(&sheet, &assessments));
    if let Some(claims) = parts::read::<Claims>(Part::Claims, row)? {
        claims.beside(&mut score);
    }
    Ok((sheet, score))
}
