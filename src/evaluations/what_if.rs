//! What to do about a score: where its points are to be won, what it rests on, and how it stands beside another.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::cache::Basis;
use super::handlers::{compute, in_force, named, require};
use super::parts;
use super::store::{Context, Part};
use super::submissions::{Inputs, thaw_scheme};
use crate::codes::{FiscalYear, Ordinal, UnitCode};
use crate::db::{AnyConnection, Db};
use crate::fault::{LANGUAGES, Text};
use crate::http::auth::{Principal, Reader};
use crate::http::etag::Preconditions;
use crate::http::path::Path;
use crate::http::problem::{At, Problem};
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, UnfitParameter};
use crate::schemes::library::{Compiled, Library};
use crate::schemes::model::SchemeUsed;
use crate::scoring::compare::{Comparison, compare};
use crate::scoring::gaps::{Gaps, gaps};
use crate::scoring::score::Score;
use crate::scoring::sensitivity::{Sensitivity, sensitivity};
use crate::scoring::text::SchemeId;
use crate::scoring::values::{Percent, Points, digits};
use crate::scoring::what_if::Trial;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/score/gaps").get(get_gaps))
        .service(resource("/score/sensitivity").get(get_sensitivity))
        .service(resource("/comparison").get(get_comparison));
}

/// What to aim at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GapsQuery {
    /// The total to reach, in points, at most the scheme's full marks. Left out: the bound of the next better grade, or
    /// full marks in the best.
    #[serde(default, deserialize_with = "given")]
    // As text: a parameter has no other type, and a number's schema would promise more decimals than points have.
    #[param(value_type = Option<String>, pattern = r"^(1000(\.0{1,4})?|[0-9]{1,3}(\.[0-9]{1,4})?)$", example = "90")]
    target: Option<Points>,
    /// Another scheme than the one in force for the year.
    #[serde(default, deserialize_with = "given")]
    scheme: Option<SchemeId>,
}

/// What a unit-year's score lacks to a target.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitGaps {
    /// The unit.
    pub unit: UnitCode,
    /// The unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scheme that it was computed by.
    pub scheme: SchemeUsed,
    /// The gaps and the ways.
    #[serde(flatten)]
    pub gaps: Gaps,
}

/// Get what a score lacks to a target
///
/// Which lines lose points or are open, what each would take to win points back, cheapest first, and whether the target
/// can be reached. For a ratio that is the value of each of its figures, the others as they are, at which the next better
/// points and full marks are reached: solved for that one figure, taken to its own step (0.01 万元, whole people) on the
/// safe side, and scored again, so that the gain holds for the total with all its lines. Figures of last year, and what
/// was carried in from it, are not proposed: they cannot change. Where points run on without steps, the next whole point
/// is told. Nothing is stored. Figures are facts: this is for what was left out or mistyped, and for next year.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/score/gaps",
    operation_id = "get_evaluation_score_gaps",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), GapsQuery),
    responses((status = 200, description = "The gaps, and the ways to close them", body = UnitGaps,
            headers(("ETag" = String, description = "Of all that it follows from"))),
        (status = 304, description = "It is still the one that `If-None-Match` names"), CommonErrors, UnfitParameter),
)]
pub async fn get_gaps(
    Reader(principal): Reader,
    Path((code, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<GapsQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    // Some hundreds of scores: not for the threads that answer everyone.
    let (etag, gaps) = db
        .scan(move |conn| {
            let (context, compiled) = asked(
                conn,
                &library,
                &principal,
                (&code, year),
                ("scheme", query.scheme.as_ref()),
            )?;
            let target = query.target.map(Points::get);
            let full = compiled.scheme.total;
            if target.is_some_and(|target| target > full) {
                let text = Text::new(
                    format!("目标分不能超过该评分标准的总分{}分。", digits(full)),
                    format!("the target cannot exceed the {} points of the scheme", digits(full)),
                );
                return Err(Problem::unfit_parameters(vec![At::parameter(
                    "target",
                    "out_of_range",
                    text,
                )]));
            }
            let form = format!("gaps {}", target.map(digits).unwrap_or_default());
            let etag = Basis::of(&context, &compiled.edition).etag(&compiled.id, &form);
            let answer = UnitGaps {
                gaps: gaps(&trial(conn, &compiled, &context)?, target),
                scheme: SchemeUsed::from(&compiled),
                unit: code.clone(),
                unit_name: context.unit_name,
                year,
            };
            Ok((etag, answer))
        })
        .await?;
    preconditions.answer(&etag, |mut response| Ok(response.json(gaps)))
}

/// By how much to move the figures.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SensitivityQuery {
    /// By how many percent each figure is moved up and down. Left out: 1.
    #[serde(default, deserialize_with = "given")]
    #[param(example = "1")]
    percent: Option<Shift>,
    /// Another scheme than the one in force for the year.
    #[serde(default, deserialize_with = "given")]
    scheme: Option<SchemeId>,
}

/// By how many percent figures are moved: 0.01 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift(Decimal);

impl Default for Shift {
    fn default() -> Self {
        Self(Decimal::ONE)
    }
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = Percent::deserialize(deserializer).map(Percent::get);
        match percent {
            Ok(percent) if (Decimal::new(1, 2)..=Decimal::ONE_HUNDRED).contains(&percent) => Ok(Self(percent)),
            _ => Err(D::Error::custom(format!(
                "应为0.01至100的百分数（最多6位小数）。{LANGUAGES}expected a percentage from 0.01 to 100 with at most 6 decimals"
            ))),
        }
    }
}

impl PartialSchema for Shift {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(
                r"^(0*100(\.0+)?|0*[1-9][0-9]?(\.[0-9]{1,6})?|0+\.(0[1-9]|[1-9][0-9]?)[0-9]{0,4})$",
            ))
            .description(Some("A percentage from 0.01 to 100, with at most six decimals."))
            .examples([serde_json::Value::from("1")])
            .into()
    }
}

impl ToSchema for Shift {}

/// How a unit-year's score moves with its figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitSensitivity {
    /// The unit.
    pub unit: UnitCode,
    /// The unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scheme that it was computed by.
    pub scheme: SchemeUsed,
    /// Figure by figure.
    #[serde(flatten)]
    pub sensitivity: Sensitivity,
}

/// Get how a score moves with each of its figures
///
/// For each figure that the score rests on: the total if it was a little higher and lower, and the nearest values up and
/// down at which the total is another (the next step, the next band). Each is scored again with all its lines. Nothing is
/// stored. It shows which figures are worth checking twice.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/score/sensitivity",
    operation_id = "get_evaluation_score_sensitivity",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), SensitivityQuery),
    responses((status = 200, description = "Figure by figure", body = UnitSensitivity,
            headers(("ETag" = String, description = "Of all that it follows from"))),
        (status = 304, description = "It is still the one that `If-None-Match` names"), CommonErrors, UnfitParameter),
)]
pub async fn get_sensitivity(
    Reader(principal): Reader,
    Path((code, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<SensitivityQuery>,
    preconditions: Preconditions,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let (etag, answer) = db
        .scan(move |conn| {
            let (context, compiled) = asked(
                conn,
                &library,
                &principal,
                (&code, year),
                ("scheme", query.scheme.as_ref()),
            )?;
            let Shift(percent) = query.percent.unwrap_or_default();
            let form = format!("sensitivity {}", digits(percent));
            let etag = Basis::of(&context, &compiled.edition).etag(&compiled.id, &form);
            let answer = UnitSensitivity {
                sensitivity: sensitivity(&trial(conn, &compiled, &context)?, percent),
                scheme: SchemeUsed::from(&compiled),
                unit: code.clone(),
                unit_name: context.unit_name,
                year,
            };
            Ok((etag, answer))
        })
        .await?;
    preconditions.answer(&etag, |mut response| Ok(response.json(answer)))
}

/// What to compare. At least one is to be given; they can be combined.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ComparisonQuery {
    /// The first score is of this submission of the unit's year, as it was frozen, instead of what is filed now.
    #[serde(default, deserialize_with = "given")]
    submission: Option<Ordinal>,
    /// The second score is of this submission, of the unit and year that the other parameters name.
    #[serde(default, deserialize_with = "given")]
    with_submission: Option<Ordinal>,
    /// The second score is by this scheme, instead of the one in force for its year or the frozen one of its submission.
    #[serde(default, deserialize_with = "given")]
    with_scheme: Option<SchemeId>,
    /// The second score is of this year.
    #[serde(default, deserialize_with = "given")]
    with_year: Option<FiscalYear>,
    /// The second score is of this unit.
    #[serde(default, deserialize_with = "given")]
    with_unit: Option<UnitCode>,
}

/// Two scores of unit-years side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoresCompared {
    /// Whose score the first is.
    pub first_of: Scored,
    /// Whose score the second is.
    pub second_of: Scored,
    /// Line by line.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Whose score, and by which scheme.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scored {
    /// The unit.
    pub unit: UnitCode,
    /// The unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The number of the submission; `null` for what is filed now.
    #[schema(minimum = 1, example = 1)]
    pub submission: Option<i64>,
    /// The scheme.
    pub scheme: SchemeUsed,
}

/// Compare a score with another
///
/// Line by line, with what is not the same in both: figures, judgements, rules, weights. The second score is that of the
/// same unit and year but for what the parameters say: under another scheme, of another year, of another unit, or several
/// of these at once. Either can be that of a submission instead of what is filed now: `submission=1&with_submission=2` says
/// what was corrected between the two, and `submission=1` alone what was changed since. A submission is scored by its
/// frozen figures and scheme. Lines are the same when their codes are. Whoever asks must be allowed to read both.
#[utoipa::path(
    get,
    path = "/api/v1/units/{code}/evaluations/{year}/comparison",
    operation_id = "get_evaluation_comparison",
    tag = "evaluations",
    security(("token" = ["read"])),
    params(("code" = UnitCode, Path, description = "The budget unit code (预算单位编码)"),
        ("year" = FiscalYear, Path, description = "The fiscal year"), ComparisonQuery),
    responses((status = 200, description = "The two scores, line by line", body = ScoresCompared), CommonErrors, UnfitParameter),
)]
pub async fn get_comparison(
    Reader(principal): Reader,
    Path((code, year)): Path<(UnitCode, FiscalYear)>,
    Query(query): Query<ComparisonQuery>,
    db: Data<Db>,
    library: Data<Library>,
) -> Result<HttpResponse, Problem> {
    let ComparisonQuery {
        submission,
        with_submission,
        with_scheme,
        with_year,
        with_unit,
    } = query;
    if let (None, None, None, None, None) = (submission, with_submission, &with_scheme, with_year, &with_unit) {
        let text = Text::new(
            "应指明与什么对比：with_scheme（另一评分标准）、with_year（另一年度）、with_unit（另一单位）、submission或with_submission\
             （某次提交）至少填一项。",
            "say what to compare: at least one of with_scheme, with_year, with_unit, submission, with_submission",
        );
        return Err(Problem::unfit_parameters(vec![At::parameter(
            "with_scheme",
            "missing_parameter",
            text,
        )]));
    }
    let answer = db
        .scan(move |conn| {
            let (first_of, first) = scored(conn, &library, &principal, (&code, year), submission, None)?;
            let other = (with_unit.as_ref().unwrap_or(&code), with_year.unwrap_or(year));
            let by = with_scheme.as_ref();
            let (second_of, second) = scored(conn, &library, &principal, other, with_submission, by)?;
            Ok(ScoresCompared {
                first_of,
                second_of,
                comparison: compare(&first, &second),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// The unit-year that is asked for, if the one who asks may see it, with the scheme to score it by.
fn asked(
    conn: &mut AnyConnection,
    library: &Library,
    principal: &Principal,
    (unit, year): (&UnitCode, FiscalYear),
    scheme: (&'static str, Option<&SchemeId>),
) -> Result<(Context, Compiled), Problem> {
    let context = require(conn, unit, year)?;
    principal.may_see(&context.unit_path)?;
    let compiled = match scheme {
        (parameter, Some(id)) => named(conn, library, parameter, id)?,
        (_, None) => in_force(conn, library, &context)?,
    };
    Ok((context, compiled))
}

/// The score of what is filed now, or of a submission.
fn scored(
    conn: &mut AnyConnection,
    library: &Library,
    principal: &Principal,
    (unit, year): (&UnitCode, FiscalYear),
    submission: Option<Ordinal>,
    scheme: Option<&SchemeId>,
) -> Result<(Scored, Score), Problem> {
    let context = require(conn, unit, year)?;
    principal.may_see(&context.unit_path)?;
    let named = scheme.map(|id| named(conn, library, "with_scheme", id)).transpose()?;
    let (unit_name, scheme, score) = match submission {
        None => {
            let compiled = match named {
                Some(compiled) => compiled,
                None => in_force(conn, library, &context)?,
            };
            let score = compute(conn, &compiled, &context)?;
            (context.unit_name, SchemeUsed::from(&compiled), score)
        }
        Some(number) => {
            let inputs = Inputs::find(conn, unit, year, number)?;
            match named {
                Some(compiled) => {
                    let score = inputs.score(&compiled.scheme);
                    (inputs.unit_name, SchemeUsed::from(&compiled), score)
                }
                None => {
                    let score = inputs.score(&thaw_scheme(conn, &inputs.scheme.digest)?);
                    (inputs.unit_name, SchemeUsed::from(inputs.scheme), score)
                }
            }
        }
    };
    let scored = Scored {
        unit: unit.clone(),
        unit_name,
        year,
        submission: submission.map(Ordinal::get),
        scheme,
    };
    Ok((scored, score))
}

fn trial<'a>(conn: &mut AnyConnection, compiled: &'a Compiled, context: &Context) -> Result<Trial<'a>, Problem> {
    let sheet = parts::year_sheet(conn, context)?.filled().clone();
    let assessments = parts::read(Part::Assessments, context.evaluation.as_ref())?.unwrap_or_default();
    Ok(Trial::new(&compiled.scheme, sheet, assessments))
}
