//! A unit's year on the wire and in the table.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::workflow::{Action, State};
use crate::checks::reasons::Reasons;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::schema::evaluations;
use crate::documents::narrative::Narrative;
use crate::fault::{Fault, Text};
use crate::http::problem::Problem;
use crate::schemes::model::SchemeUsed;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::completeness::Completeness;
use crate::scoring::score::{Range, Score};
use crate::scoring::sheet::BaseData;
use crate::units::model::Unit;

/// A stored evaluation, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evaluations, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Row {
    /// The unit.
    pub unit_code: String,
    /// The fiscal year.
    pub year: i64,
    /// Where in its life it is, as a word.
    pub state: String,
    /// The base data sheet, as JSON.
    pub base_data: Option<String>,
    /// Counts the changes of the sheet; 0 before the first.
    pub base_data_version: i64,
    /// The assessments, as JSON.
    pub assessments: Option<String>,
    /// Counts the changes of the assessments; 0 before the first.
    pub assessments_version: i64,
    /// What the unit wrote itself, as JSON.
    pub claims: Option<String>,
    /// Counts the changes of the claims; 0 before the first.
    pub claims_version: i64,
    /// When a part was first filed.
    pub created_at: String,
    /// When anything of it was last changed.
    pub updated_at: String,
    /// Why what the checks found is right nevertheless, as JSON.
    pub reasons: Option<String>,
    /// Counts the changes of the reasons; 0 before the first.
    pub reasons_version: i64,
    /// The number of the latest submission; 0 before the first.
    pub submission: i64,
    /// The words of the report, as JSON.
    pub narrative: Option<String>,
    /// Counts the changes of the narrative; 0 before the first.
    pub narrative_version: i64,
}

impl Row {
    /// Where in its life it is.
    ///
    /// # Errors
    /// 500 for a word that this program does not know.
    pub fn state(&self) -> Result<State, Problem> {
        self.state.parse().map_err(Problem::internal)
    }
}

/// A unit's year (部门整体支出绩效自评): where it stands, and what is filed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evaluation {
    /// The unit.
    pub unit: UnitCode,
    /// The unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scoring scheme in force for the year.
    #[schema(example = "hunan-2019")]
    pub scheme: String,
    /// Where it is in its life.
    pub state: State,
    /// What is known of the total.
    pub score: ScoreBrief,
    /// How much of what is needed is filled in, and what is missing for which lines.
    pub completeness: Completeness,
    /// The number of the latest submission; `null` before the first.
    #[schema(example = json!(null))]
    pub submission: Option<i64>,
    /// What this token may do with it now.
    #[schema(example = json!(["submit"]))]
    pub actions: Vec<Action>,
    /// Whether each part is filed.
    pub parts: Parts,
    /// Where its parts are.
    pub links: Links,
    /// What `expand` asked for; left out where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expanded: Option<ExpandedEvaluation>,
}

/// What an evaluation can be asked to hold besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationExpansion {
    /// The unit.
    Unit,
    /// The base data sheet (基础数据表).
    BaseData,
    /// The assessments (评价打分依据).
    Assessments,
    /// The reasons for what the checks found (情况说明).
    Reasons,
    /// What the unit wrote itself (自填得分).
    Claims,
    /// The words of the report (自评报告文字部分).
    Narrative,
    /// The score, line by line.
    Score,
}

/// What an evaluation holds besides: each as its own address answers it; a part that is not filed is left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpandedEvaluation {
    /// The unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit: Option<Unit>,
    /// The base data sheet (基础数据表).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub base_data: Option<BaseData>,
    /// The assessments (评价打分依据).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assessments: Option<Assessments>,
    /// The reasons for what the checks found (情况说明).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reasons: Option<Reasons>,
    /// What the unit wrote itself (自填得分).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub claims: Option<Claims>,
    /// The words of the report (自评报告文字部分).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub narrative: Option<Narrative>,
    /// The score, line by line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub score: Option<UnitScore>,
}

/// What is known of a total.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreBrief {
    /// The total, in points; `null` while something is missing.
    #[schema(example = json!(null))]
    pub total: Option<String>,
    /// What it can still be.
    pub interval: Range,
    /// Fields that are missing.
    #[schema(example = 27)]
    pub missing: usize,
    /// The same in a sentence.
    pub summary: Text,
}

/// Whether each part of an evaluation is filed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Parts {
    /// The base data sheet (基础数据表).
    pub base_data: Part,
    /// The assessments.
    pub assessments: Part,
    /// The reasons for what the checks found (情况说明).
    pub reasons: Part,
    /// What the unit wrote itself (自填得分).
    pub claims: Part,
    /// The words of the report (自评报告文字部分).
    pub narrative: Part,
}

/// Whether a part is filed, and which version of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Part {
    /// True when it is there.
    pub filed: bool,
    /// Counts its changes; 0 before the first.
    #[schema(example = 3)]
    pub version: i64,
}

/// Where the parts of an evaluation are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// This evaluation.
    #[serde(rename = "self")]
    #[schema(example = "/api/v1/units/219001/evaluations/2019")]
    pub this: String,
    /// Its base data sheet.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/base-data")]
    pub base_data: String,
    /// The sheet as the next one could be sent: with last year's columns filled in.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/base-data/prefilled")]
    pub base_data_prefilled: String,
    /// Its assessments.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/assessments")]
    pub assessments: String,
    /// The reasons for what the checks found.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/reasons")]
    pub reasons: String,
    /// What the checks find.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/checks")]
    pub checks: String,
    /// Its claims.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/claims")]
    pub claims: String,
    /// The words of its report.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/narrative")]
    pub narrative: String,
    /// Its score.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/score")]
    pub score: String,
    /// What its score lacks to a target.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/score/gaps")]
    pub score_gaps: String,
    /// How its score moves with each figure.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/score/sensitivity")]
    pub score_sensitivity: String,
    /// Its score beside another; a parameter says which.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/comparison")]
    pub comparison: String,
    /// Its special funds.
    #[schema(example = "/api/v1/special-funds?unit=219001&year=2019")]
    pub special_funds: String,
    /// What was submitted, each time.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/submissions")]
    pub submissions: String,
    /// The review of the latest submission.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/review")]
    pub review: String,
    /// What was done to it, when, by whom and why.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/history")]
    pub history: String,
}

/// An evaluation in a unit's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationEntry {
    /// The fiscal year.
    #[schema(example = 2019)]
    pub year: i64,
    /// Where it is in its life.
    #[schema(value_type = State)]
    pub state: String,
    /// When something was first filed (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When something was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// The evaluation.
    #[schema(example = "/api/v1/units/219001/evaluations/2019")]
    pub link: String,
}

/// A unit-year's score, and what it was computed from.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitScore {
    /// The unit.
    pub unit: UnitCode,
    /// The unit's name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scheme that it was computed by.
    pub scheme: SchemeUsed,
    /// The sheet of the year before, from which last year's columns that were left out are taken; `null` if there is none.
    pub prior_base_data: Option<PriorSheet>,
    /// The score itself.
    #[serde(flatten)]
    pub score: Score,
    /// What is filed in the assessments and has no use under this scheme; left out when everything fits. Assessments are
    /// filed for the scheme in force, so another may not know their indicators, items, levels or sections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub unused: Vec<Unused>,
}

/// Something in the assessments that a scheme has no use for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unused {
    /// Its JSON Pointer in the assessments.
    #[schema(example = "/indicators/key_work")]
    pub pointer: String,
    /// A stable word for programs.
    #[schema(value_type = String, example = "unknown_indicator")]
    pub code: &'static str,
    /// Why it has no use.
    pub text: Text,
}

impl From<Fault> for Unused {
    fn from(fault: Fault) -> Self {
        Self {
            pointer: fault.pointer,
            code: fault.code,
            text: fault.text,
        }
    }
}

/// The base data sheet of the year before, without its text: of the unit itself or, where it filed none, of the one unit
/// that it alone continues (a unit that was renamed; those that were merged or split have no comparable figures).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriorSheet {
    /// The unit that filed it.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// The fiscal year that it is of.
    #[schema(value_type = FiscalYear, example = 2018)]
    pub year: i64,
    /// Its version.
    #[schema(example = 3)]
    pub version: i64,
    /// When the evaluation that it belongs to began: versions count anew from there.
    #[serde(skip)]
    pub since: String,
}

/// The base data sheet as the next one could be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Prefilled {
    /// What is filed, with last year's columns (上年数) filled in: the body of the next `PUT …/base-data`.
    pub base_data: BaseData,
    /// The fields that are not filed but were filled in.
    pub prefilled: Vec<PrefilledField>,
}

/// A field that was filled in.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrefilledField {
    /// Its JSON Pointer in the sheet.
    #[schema(example = "/three_public/total/prior_budget")]
    pub pointer: String,
    /// The fiscal year whose sheet it comes from.
    #[schema(value_type = FiscalYear, example = 2018)]
    pub from_year: i64,
    /// The unit whose sheet it comes from.
    #[schema(value_type = UnitCode)]
    pub unit: String,
}
