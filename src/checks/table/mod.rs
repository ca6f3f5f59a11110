//! A published self-evaluation table as a document, typed off its page, and what in it contradicts itself.
//!
//! Nothing is concluded from the name of a row: what is not stated as data is not checked.

mod examine;
mod judge;
mod kinds;
mod money;
mod rows;
mod sums;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::finding::Finding;
use super::judged::Rounds;
use crate::fault::Text;
use crate::scoring::printed::{Printed, PrintedRatio};
use crate::scoring::scheme::{Round, Rounding, Rule, SchemeDocument};
use crate::scoring::score::Range;
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::{Comparison, Funding};
use crate::scoring::tagged::tagged_schema;
use crate::scoring::text::{Code, FormulaText, Label, SchemeId, Words};
use crate::scoring::values::{Points, exact};

pub use examine::examine;
pub use kinds::checks;

/// A published table (自评表) as it is printed.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedTable {
    /// What it is the table of.
    #[serde(default)]
    pub title: Option<Label>,
    /// Where it was read.
    #[serde(default)]
    pub source: Option<Words>,
    /// The full marks of the whole table. Left out: 100.
    #[serde(default)]
    pub full_marks: Option<Points>,
    /// False where only a part of the table was typed in: then what is missing may still make its sums right. Left out: true.
    #[serde(default = "yes")]
    pub complete: bool,
    /// How its points are rounded, if the table says so. Left out: that of the scheme, else the way that contradicts the
    /// fewest of its rows.
    #[serde(default)]
    pub rounding: Option<Rounding>,
    /// What its money is printed in. Left out: 万元.
    #[serde(default)]
    pub amounts_in: Option<AmountUnit>,
    /// Its money (项目资金), as printed.
    #[serde(default)]
    pub funding: Option<Funding>,
    /// The id of a stored scheme, for rows that name an indicator of it.
    #[serde(default)]
    pub scheme: Option<SchemeId>,
    /// Or a scheme sent along.
    #[serde(default)]
    pub scheme_document: Option<SchemeDocument>,
    /// The base data sheet (基础数据表), for rows whose ratios are formulas over it or indicators of the scheme.
    #[serde(default)]
    pub base_data: Option<BaseData>,
    /// The sections (一级指标), where the table prints their weights.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub sections: Vec<PublishedSection>,
    /// The rows, in the order of the page.
    #[schema(min_items = 1, max_items = 300)]
    pub rows: Vec<PublishedRow>,
    /// The total that is printed (总分).
    #[serde(default)]
    pub total: Option<Points>,
}

fn yes() -> bool {
    true
}

/// What money is printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmountUnit {
    /// 万元, as the forms ask.
    #[default]
    TenThousandYuan,
    /// 元.
    Yuan,
}

/// A section (一级指标) of a published table.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedSection {
    /// Its name, by which rows refer to it.
    pub name: Label,
    /// Its full marks.
    #[serde(default)]
    pub weight: Option<Points>,
    /// Its points, where the table prints a subtotal.
    #[serde(default)]
    pub points: Option<Points>,
    /// Present where the table gives each row the section's weight divided by the number of rows: how that is rounded.
    #[serde(default)]
    pub equal_shares: Option<Round>,
}

/// A row of a published table.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    /// Its name (三级指标).
    pub name: Label,
    /// The name of its section, one of `sections`.
    #[serde(default)]
    pub section: Option<Label>,
    /// Its full marks (分值).
    #[serde(default)]
    pub weight: Option<Points>,
    /// The ratio that is printed (比率, 完成率).
    #[serde(default)]
    pub ratio: Option<PrintedRatio>,
    /// The points that are printed (得分).
    #[serde(default)]
    pub points: Option<Points>,
    /// What it measures, and the figures that are printed.
    pub measure: RowMeasure,
    /// How points follow. Left out: weight × ratio for an execution rate, the form's rule for a target (met gets full marks,
    /// missed its share), the scheme's for an indicator; points for another ratio are then not checked.
    #[serde(default)]
    pub rule: Option<Rule>,
    /// Where it measures the money once more, what of it.
    #[serde(default)]
    pub about: Option<About>,
    /// The reason for a deviation, where one is printed (偏差原因).
    #[serde(default)]
    pub deviation: Option<Words>,
}

/// What of the table's own money a row measures once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The execution rate (预算执行率).
    ExecutionRate,
    /// The rate of what is left over at the end of the year (结转结余率).
    CarryOverRate,
    /// What was spent (成本), in the unit of the table's money.
    Cost,
}

/// What a row measures.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RowMeasure {
    /// Executed / adjusted budget, both from `funding`.
    Execution(ExecutionMeasure),
    /// A ratio of two figures.
    Ratio(RatioMeasure),
    /// A number against a target (定量指标).
    Quantity(PrintedQuantity),
    /// A goal in words (定性指标).
    Quality(PrintedQuality),
    /// An indicator of the scheme, worked out from `base_data`.
    Indicator(IndicatorMeasure),
}

tagged_schema!(RowMeasure: "What a row measures.",
    "execution" => ExecutionMeasure,
    "ratio" => RatioMeasure,
    "quantity" => PrintedQuantity,
    "quality" => PrintedQuality,
    "indicator" => IndicatorMeasure,
);

/// Executed / adjusted budget (预算执行率 = B/A), both from `funding`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionMeasure {}

/// A ratio: numerator / denominator × 100, in percent.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatioMeasure {
    /// What is divided: figures such as `"63.46 - 32"`, or a formula over `base_data`.
    #[schema(examples("63.46 - 32"))]
    pub numerator: FormulaText,
    /// What it is divided by.
    #[schema(examples("32"))]
    pub denominator: FormulaText,
}

/// A number against a target, as printed.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintedQuantity {
    /// How the number should stand to the target. Left out: as the target's sign says, else at least.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// The target (指标值).
    pub target: Printed,
    /// What was reached (实际完成值).
    #[serde(default)]
    pub actual: Option<Printed>,
}

/// A goal in words, as printed. Which points it deserves is for people to judge, and is not checked.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintedQuality {
    /// What was expected.
    #[serde(default)]
    pub expected: Option<Words>,
    /// What was reached.
    #[serde(default)]
    pub achieved: Option<Words>,
}

/// An indicator of the scheme.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorMeasure {
    /// Its code in the scheme.
    pub code: Code,
}

/// What in a published table contradicts itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Examination {
    /// The answer in a sentence.
    pub summary: Text,
    /// How many findings of each severity.
    pub counts: Counts,
    /// How the table rounds its points.
    pub rounding: RoundingUsed,
    /// What is found, in the order of the page: its money, its rows, its sections, its total.
    pub findings: Vec<Finding>,
    /// Each row, with what was printed and what follows.
    pub rows: Vec<RowExamined>,
    /// The total, with what was printed and what follows.
    pub total: TotalExamined,
}

/// How many findings of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ContradictionCounts)]
pub struct Counts {
    /// What cannot be right.
    pub errors: usize,
    /// What wants a reason.
    pub warnings: usize,
    /// For information.
    pub notices: usize,
}

/// How a table rounds its points, and how that is known.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RoundingUsed {
    /// The way of rounding.
    #[serde(flatten)]
    pub rounds: Rounds,
    /// How it is known.
    pub known: KnownBy,
    /// The printed points for which it matters how they are rounded.
    pub tested: usize,
    /// Those of them that follow so.
    pub explained: usize,
    /// Other ways of rounding under which as many follow.
    pub also: Vec<Rounds>,
    /// The same in a sentence.
    pub text: Text,
}

/// How a way of rounding is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// The table or its scheme says so.
    Stated,
    /// Of the ways that tables use it contradicts the fewest rows.
    Inferred,
    /// No row tells; two decimals, half up, are usual.
    Usual,
}

/// A row, with what was printed and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RowExamined {
    /// Its JSON Pointer.
    #[schema(example = "/rows/0")]
    pub pointer: String,
    /// Its name.
    pub name: Label,
    /// Whether its ratio and points follow.
    pub verdict: RowVerdict,
    /// The ratio that is printed.
    pub printed_ratio: Option<PrintedRatio>,
    /// The ratio that follows from the figures, in percent; `null` where none does.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "80.4488")]
    pub ratio: Option<Decimal>,
    /// The points that are printed.
    pub printed_points: Option<Points>,
    /// The points that follow from the rule; `null` where people judge.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "8.04")]
    pub points: Option<Decimal>,
}

/// Whether what is printed of a row follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowVerdict {
    /// All that is printed and can be checked follows.
    Follows,
    /// Its ratio or its points contradict its figures.
    Contradicts,
    /// Nothing of it can be checked: people judge, or nothing is printed.
    NotChecked,
}

/// The total, with what was printed and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TotalExamined {
    /// The total that is printed.
    pub printed: Option<Points>,
    /// What the printed points add up to: between these two where rows or points are missing.
    pub of_printed_points: Range,
    /// The same with the points that follow, where they can be worked out.
    pub of_points_that_follow: Range,
}
