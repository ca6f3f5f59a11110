//! A scoring scheme (评分标准) as data: sections, indicators, weights, rules and grades.
//!
//! [`SchemeDocument`] is what a county writes and reads; [`Scheme`] is the same after [`Scheme::compile`] found no fault
//! in it, and the only thing that the engine scores by.

use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::explain;
use super::formula::Formula;
use super::tagged::tagged_schema;
use super::text::{Code, FormulaText, Label, Words};
use super::values::{Percent, Points, Share};
use crate::fault::{Fault, Text};

/// A scoring scheme (评分标准) as it is written and read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemeDocument {
    /// Its name, as the notice gives it.
    pub name: Label,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<Label>,
    /// The notice or document that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Words>,
    /// True for a frame, or a draft that is not finished: weights and rules may be missing and need not add up, and nothing
    /// can be scored by it. False once it is complete.
    #[serde(default)]
    pub template: bool,
    /// The points of all sections together, usually 100. Left out in a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Points>,
    /// How ratios and points are rounded. Left out: ratios are not, points to two decimals, half up.
    #[serde(default)]
    pub rounding: Rounding,
    /// The grades, best first. Left out: 优 from 90% of the total, 良 from 80%, 中 from 60%, 差 below.
    #[serde(default = "usual_grades")]
    #[schema(min_items = 1, max_items = 10)]
    pub grades: Vec<Grade>,
    /// The sections (一级指标), in the order of the form.
    #[schema(min_items = 1, max_items = 20)]
    pub sections: Vec<Section>,
}

/// A grade (等级) and from where on it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// Its code.
    pub code: Code,
    /// Its name, such as 优.
    pub name: Label,
    /// The least total that gets it, in percent of the scheme's total.
    pub from: Share,
}

fn usual_grades() -> Vec<Grade> {
    [
        ("excellent", "优", 90),
        ("good", "良", 80),
        ("fair", "中", 60),
        ("poor", "差", 0),
    ]
    .into_iter()
    .filter_map(|(code, name, from)| {
        Some(Grade {
            code: Code::try_from(code.to_owned()).ok()?,
            name: Label::try_from(name.to_owned()).ok()?,
            from: Share::try_from(Decimal::from(from)).ok()?,
        })
    })
    .collect()
}

/// How ratios and points are rounded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// Rounds the ratio, in percent, before the rule sees it. Left out: the rule sees the exact ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Round>,
    /// Rounds the points of each line. Left out: two decimals, half up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Round>,
}

/// One rounding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// How the last digit is found.
    pub mode: RoundMode,
    /// How many decimals are kept; without effect where `mode` is `exact`.
    #[serde(default)]
    pub decimals: Decimals,
}

/// A number of decimals: 0 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = u8, minimum = 0, maximum = 6)]
pub struct Decimals(u8);

impl Decimals {
    /// So many decimals, at most 6.
    pub(crate) const fn of(decimals: u8) -> Self {
        assert!(decimals <= 6);
        Self(decimals)
    }
}

impl TryFrom<u8> for Decimals {
    type Error = String;

    fn try_from(decimals: u8) -> Result<Self, String> {
        match decimals {
            0..=6 => Ok(Self(decimals)),
            _ => Err(format!(
                "小数位数应为0至6。{}expected 0 to 6 decimals",
                crate::fault::LANGUAGES
            )),
        }
    }
}

impl From<Decimals> for u8 {
    fn from(decimals: Decimals) -> u8 {
        decimals.0
    }
}

/// How the last digit of a rounding is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundMode {
    /// Cut off what follows (向下取整).
    Floor,
    /// Half and more goes up (四舍五入).
    HalfUp,
    /// Not rounded at all.
    Exact,
}

impl Round {
    /// Two decimals, half up: what county systems keep.
    pub const USUAL_POINTS: Self = Self {
        mode: RoundMode::HalfUp,
        decimals: Decimals(2),
    };

    /// The number, rounded.
    pub fn apply(self, number: Decimal) -> Decimal {
        let decimals = u32::from(self.decimals.0);
        match self.mode {
            RoundMode::Exact => number,
            RoundMode::Floor => number.round_dp_with_strategy(decimals, RoundingStrategy::ToNegativeInfinity),
            RoundMode::HalfUp => number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero),
        }
    }
}

/// A section (一级指标) of a scheme: its indicators, or rows that each unit sets for itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its code, unlike any other section's.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<Label>,
    /// Its share of the total, in points. Left out in a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Points>,
    /// Its indicators; empty where the rows are the unit's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub indicators: Vec<Indicator>,
    /// Present where each unit names its own rows (targets with weights) for this section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rows: Option<OwnRows>,
}

/// How rows that a unit names for itself are scored when they are judged and not counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnRows {
    /// An achieved goal gets from this share of the weight up to all of it, in percent.
    #[serde(default = "eighty")]
    pub achieved_from: Share,
    /// A partly achieved goal gets from this share up to `achieved_from`; one not achieved gets less.
    #[serde(default = "sixty")]
    pub partly_from: Share,
}

fn eighty() -> Share {
    Share::try_from(Decimal::from(80)).unwrap_or_default()
}

fn sixty() -> Share {
    Share::try_from(Decimal::from(60)).unwrap_or_default()
}

/// An indicator (指标): one line of the scoring table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its code, unlike any other indicator's.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<Label>,
    /// The second-level heading that it stands under (二级指标).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Label>,
    /// Its full marks, in points. Left out in a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Points>,
    /// The ratio that its rule judges. Left out: the rule is for people to judge, or its ratio comes from the
    /// assessment's `achieved` and `possible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// How points follow. Left out in a template only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What a denominator of 0 means.
    #[serde(default)]
    pub when_zero_denominator: ZeroDenominator,
    /// When the indicator does not apply to a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable_when: Option<Condition>,
    /// What it gets when it does not apply.
    #[serde(default)]
    pub when_not_applicable: Outcome,
    /// The scoring standard in the words of the form (评分标准).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Words>,
    /// Where this row was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Words>,
    /// False where the row follows the form's usual wording and was not compared with the document itself.
    #[serde(default = "yes")]
    pub verified: bool,
}

fn yes() -> bool {
    true
}

/// A ratio over the base data sheet: numerator / denominator × 100, in percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// What is divided.
    pub numerator: FormulaText,
    /// What it is divided by.
    pub denominator: FormulaText,
}

/// What an indicator gets without its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Full marks.
    #[default]
    Full,
    /// No points.
    Zero,
    /// Undecided: the line stays open until somebody judges it.
    Open,
}

/// What a denominator of 0 means, for a numerator of 0 and for any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ZeroDenominator {
    /// 0/0: nothing planned and nothing done. Left out: full marks.
    pub zero_over_zero: Outcome,
    /// x/0: something done where nothing was planned. Left out: no points.
    pub over_zero: Outcome,
}

impl Default for ZeroDenominator {
    fn default() -> Self {
        Self {
            zero_over_zero: Outcome::Full,
            over_zero: Outcome::Zero,
        }
    }
}

/// When an indicator does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The sheet says outright that no building was finished this year.
    NoBuilding,
}

/// How points follow from a ratio or a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Points come off for each step by which the ratio misses its target.
    Deduct(Deduct),
    /// Points by bands of the ratio.
    Bands(Bands),
    /// Points for each item that is fulfilled.
    Checklist(Checklist),
    /// Points come off for each case.
    Incidents(Incidents),
    /// Weight × ratio, never more than the weight.
    Proportion(Proportion),
    /// One of a few named levels.
    Rating(Rating),
    /// Points that a person gives, with a reason.
    Assessed(Assessed),
}

tagged_schema!(Rule: "How points follow from a ratio or a judgement.",
    "deduct" => Deduct,
    "bands" => Bands,
    "checklist" => Checklist,
    "incidents" => Incidents,
    "proportion" => Proportion,
    "rating" => Rating,
    "assessed" => Assessed,
);

/// Points come off for each step by which the ratio misses its target, down to 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deduct {
    /// The target, in percent.
    pub target: Percent,
    /// On which side of the target points come off.
    pub off: Side,
    /// The step, in percentage points; more than 0.
    pub step: Percent,
    /// The points that each step costs.
    pub points_per_step: Points,
    /// How a step that is not whole counts. Left out: whole steps only, as units do (99.27% under 每低于5%扣2分 keeps all).
    #[serde(default)]
    pub count: Steps,
}

/// A side of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Points come off above the target.
    Above,
    /// Points come off below it.
    Below,
    /// Points come off on either side.
    Either,
}

/// How a step that is not whole counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Steps {
    /// Not at all.
    #[default]
    Whole,
    /// As a whole step.
    Started,
    /// For its part.
    Proportional,
}

/// Points by bands of the ratio, all bounded above or all bounded below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// The bands, in the order in which they are tried: upper bounds rising, or lower bounds falling.
    #[schema(min_items = 1, max_items = 20)]
    pub bands: Vec<Band>,
    /// The points where no band fits.
    pub otherwise: Points,
}

/// One band: exactly one bound, and its points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Ratios up to and with this one, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Percent>,
    /// Ratios below this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Percent>,
    /// Ratios from this one on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Percent>,
    /// Ratios above this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Percent>,
    /// The points of the band.
    pub points: Points,
}

/// The one bound of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// ≤
    AtMost(Decimal),
    /// <
    Below(Decimal),
    /// ≥
    AtLeast(Decimal),
    /// >
    Above(Decimal),
}

impl Bound {
    /// Whether a ratio (percent) lies in the band.
    pub fn holds(self, ratio: Decimal) -> bool {
        match self {
            Self::AtMost(bound) => ratio <= bound,
            Self::Below(bound) => ratio < bound,
            Self::AtLeast(bound) => ratio >= bound,
            Self::Above(bound) => ratio > bound,
        }
    }

    fn is_upper(self) -> bool {
        matches!(self, Self::AtMost(_) | Self::Below(_))
    }

    /// Where the band ends, as a place on the line of ratios: `<5` ends before `≤5`, `>5` begins after `≥5`.
    fn place(self) -> (Decimal, i8) {
        match self {
            Self::Below(bound) | Self::AtLeast(bound) => (bound, 0),
            Self::AtMost(bound) | Self::Above(bound) => (bound, 1),
        }
    }
}

impl Band {
    /// Its one bound; `None` where it has none or several.
    pub fn bound(&self) -> Option<Bound> {
        match (self.at_most, self.below, self.at_least, self.above) {
            (Some(bound), None, None, None) => Some(Bound::AtMost(bound.get())),
            (None, Some(bound), None, None) => Some(Bound::Below(bound.get())),
            (None, None, Some(bound), None) => Some(Bound::AtLeast(bound.get())),
            (None, None, None, Some(bound)) => Some(Bound::Above(bound.get())),
            _ => None,
        }
    }
}

/// Points for each item that is fulfilled; the items' points add up to the weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    /// The items.
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<Item>,
}

/// One item of a checklist, or one level of a rating.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its code, unlike any other's in the rule.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// Its points.
    pub points: Points,
}

/// Points come off for each case, down to 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Incidents {
    /// The points that each case costs.
    pub points_per_case: Points,
    /// What counts as a case, in the words of the form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub cases: Vec<Label>,
}

/// Weight × ratio, never more than the weight and never less than 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proportion {}

/// One of a few named levels, best first; the best gets the weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// The levels.
    #[schema(min_items = 1, max_items = 20)]
    pub levels: Vec<Item>,
}

/// Points that a person gives, with a reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessed {}

impl Rule {
    /// The word that names the rule in a document.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deduct(_) => "deduct",
            Self::Bands(_) => "bands",
            Self::Checklist(_) => "checklist",
            Self::Incidents(_) => "incidents",
            Self::Proportion(_) => "proportion",
            Self::Rating(_) => "rating",
            Self::Assessed(_) => "assessed",
        }
    }

    /// What is wrong with it for an indicator of that weight; it stands at the JSON Pointer `at`.
    pub fn faults(&self, at: &str, weight: Decimal) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_rule(at, self, weight, &mut faults);
        faults
    }

    /// Whether the rule judges a ratio.
    pub fn needs_ratio(&self) -> bool {
        matches!(self, Self::Deduct(_) | Self::Bands(_) | Self::Proportion(_))
    }
}

/// A scheme without faults, its formulas parsed.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// The document that it was compiled from.
    pub document: SchemeDocument,
    /// The points of all sections together.
    pub total: Decimal,
    /// How ratios are rounded before the rule; `None`: not at all.
    pub round_ratio: Option<Round>,
    /// How points are rounded.
    pub round_points: Round,
    /// The sections with what the engine needs of them.
    pub sections: Vec<CompiledSection>,
}

/// A section without faults.
#[derive(Debug, Clone)]
pub struct CompiledSection {
    /// Its share of the total.
    pub weight: Decimal,
    /// Its indicators, in the order of the document's.
    pub indicators: Vec<CompiledIndicator>,
}

/// An indicator without faults.
#[derive(Debug, Clone)]
pub struct CompiledIndicator {
    /// Its full marks.
    pub weight: Decimal,
    /// Its ratio.
    pub ratio: Option<CompiledRatio>,
    /// Both parts of its ratio as the scheme writes them, or the two numbers that people find instead.
    pub formulas: (Box<str>, Box<str>),
    /// Its rule.
    pub rule: Rule,
    /// What all its lines say of themselves.
    pub heading: Arc<Heading>,
}

/// What a line of the scoring table says of itself, whatever is found: of an indicator made once, and shared by all its lines. (Were
/// each text shared by itself, the processors that score by one scheme would wait for each other at the count of every one of them.)
#[derive(Debug, PartialEq)]
pub struct Heading {
    /// The indicator's code; for a unit's own row its section's code and its number, such as `output_1`.
    pub code: String,
    /// The code of its section.
    pub section: Code,
    /// The second-level heading (二级指标).
    pub group: Option<Label>,
    /// Its name.
    pub name: Label,
    /// Its name in English.
    pub name_en: Option<Label>,
    /// Its full marks, in points; `None` for a unit's own row without a weight.
    pub weight: Option<Decimal>,
    /// The rule as the scheme has it; `None` for a unit's own row. Not answered: `rule_text` says it in words.
    pub rule: Option<Rule>,
    /// The rule in words.
    pub rule_text: Text,
    /// False where the rule follows the form's usual wording and was not compared with the document itself.
    pub verified: bool,
}

/// A ratio whose formulas are parsed.
#[derive(Debug, Clone)]
pub struct CompiledRatio {
    /// What is divided.
    pub numerator: Formula,
    /// What it is divided by.
    pub denominator: Formula,
}

impl Scheme {
    /// Checks a document and parses its formulas.
    ///
    /// # Errors
    /// Every fault in it, each with the JSON Pointer of its place: weights that do not add up, unknown variables with
    /// their position, overlapping bands, codes used twice, a template (nothing can be scored by one).
    pub fn compile(document: SchemeDocument) -> Result<Self, Vec<Fault>> {
        let mut faults = faults_of_any(&document);
        if document.template {
            faults.push(Fault::new(
                "/template",
                "is_template",
                "这是没有分值的模板，不能据以评分；请复制后补齐分值。",
                "this is a template without weights: nothing can be scored by it; copy it and complete the weights",
            ));
            return Err(faults);
        }
        let sections = compile_sections(&document, &mut faults);
        let total = document.total.map(Points::get);
        match total {
            None => faults.push(missing("/total", "总分", "the total")),
            // Every grade would begin at 0 points, and the best would be given for nothing.
            Some(total) if total.is_zero() => faults.push(Fault::new(
                "/total",
                "out_of_range",
                "总分应大于0。",
                "the total must be more than 0",
            )),
            Some(total) => check_sum(
                &mut faults,
                "/total",
                ("各部分分值", "the sections' weights"),
                document.sections.iter().map(|section| section.weight),
                total,
            ),
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            total: total.unwrap_or_default(),
            round_ratio: document.rounding.ratio,
            round_points: document.rounding.points.unwrap_or(Round::USUAL_POINTS),
            sections,
            document,
        })
    }

    /// The faults of a document that is to be stored: those of [`Scheme::compile`], or for a template only those that
    /// even a template must not have.
    pub fn faults(document: &SchemeDocument) -> Vec<Fault> {
        if document.template {
            return faults_of_any(document);
        }
        Self::compile(document.clone()).err().unwrap_or_default()
    }

    /// The grade of a total; `None` only if no grade begins at 0 and the total lies below all.
    pub fn grade(&self, total: Decimal) -> Option<&Grade> {
        self.document
            .grades
            .iter()
            .find(|grade| total * Decimal::ONE_HUNDRED >= grade.from.get() * self.total)
    }
}

fn missing(pointer: &str, zh: &str, en: &str) -> Fault {
    Fault::new(
        pointer,
        "missing_field",
        format!("缺少{zh}；只有模板（template）可以不填。"),
        format!("{en} is missing; only a template may leave it out"),
    )
}

fn check_sum(
    faults: &mut Vec<Fault>,
    pointer: &str,
    (zh, en): (&str, &str),
    weights: impl Iterator<Item = Option<Points>>,
    expected: Decimal,
) {
    // A missing weight is a fault of its own; the sum would only say the same again.
    let Some(sum) = weights.map(|weight| weight.map(Points::get)).sum::<Option<Decimal>>() else {
        return;
    };
    if sum != expected {
        faults.push(Fault::new(
            pointer,
            "weights_do_not_add_up",
            format!("{zh}合计为{sum}分，应为{expected}分。"),
            format!("{en} add up to {sum}, not {expected}"),
        ));
    }
}

/// Faults that neither a scheme nor a template may have: codes used twice, grades out of order, formulas that do not parse.
fn faults_of_any(document: &SchemeDocument) -> Vec<Fault> {
    let mut faults = Vec::new();
    let sections = || document.sections.iter().enumerate();
    check_codes(
        &mut faults,
        sections().map(|(s, section)| (format!("/sections/{s}/code"), &section.code)),
    );
    check_codes(
        &mut faults,
        sections().flat_map(|(s, section)| {
            section
                .indicators
                .iter()
                .enumerate()
                .map(move |(i, indicator)| (format!("/sections/{s}/indicators/{i}/code"), &indicator.code))
        }),
    );
    check_codes(
        &mut faults,
        document
            .grades
            .iter()
            .enumerate()
            .map(|(g, grade)| (format!("/grades/{g}/code"), &grade.code)),
    );
    check_grades(&mut faults, &document.grades);
    for (s, section) in sections() {
        for (i, indicator) in section.indicators.iter().enumerate() {
            if let Some(ratio) = &indicator.ratio {
                let at = format!("/sections/{s}/indicators/{i}/ratio");
                parse(&mut faults, &format!("{at}/numerator"), &ratio.numerator);
                parse(&mut faults, &format!("{at}/denominator"), &ratio.denominator);
            }
        }
    }
    faults
}

fn check_codes<'a>(faults: &mut Vec<Fault>, codes: impl Iterator<Item = (String, &'a Code)>) {
    let mut seen = std::collections::HashSet::new();
    for (pointer, code) in codes {
        if !seen.insert(code) {
            faults.push(Fault::new(
                pointer,
                "duplicate_code",
                format!("代码“{code}”重复。"),
                format!("the code \"{code}\" is used twice"),
            ));
        }
    }
}

fn check_grades(faults: &mut Vec<Fault>, grades: &[Grade]) {
    for (g, pair) in grades.windows(2).enumerate() {
        if let [better, worse] = pair
            && better.from <= worse.from
        {
            faults.push(Fault::new(
                format!("/grades/{}/from", g + 1),
                "grades_out_of_order",
                format!(
                    "等级应从高到低排列：“{}”的起点应低于“{}”的{}%。",
                    worse.name, better.name, better.from
                ),
                format!(
                    "grades go from best to worst: \"{}\" must begin below {}%",
                    worse.code, better.from
                ),
            ));
        }
    }
    if let Some(last) = grades.last()
        && last.from.get() != Decimal::ZERO
    {
        faults.push(Fault::new(
            format!("/grades/{}/from", grades.len() - 1),
            "grades_leave_a_gap",
            "最低等级的起点应为0。",
            "the last grade must begin at 0",
        ));
    }
}

fn parse(faults: &mut Vec<Fault>, pointer: &str, text: &FormulaText) -> Option<Formula> {
    Formula::parse(text.as_str())
        .map_err(|error| {
            faults.push(Fault::new(
                pointer,
                error.code,
                format!("第{}个字符处：{}。", error.position, error.text.zh),
                format!("at character {}: {}", error.position, error.text.en),
            ));
        })
        .ok()
}

fn compile_sections(document: &SchemeDocument, faults: &mut Vec<Fault>) -> Vec<CompiledSection> {
    let mut compiled = Vec::with_capacity(document.sections.len());
    for (s, section) in document.sections.iter().enumerate() {
        let at = format!("/sections/{s}");
        if section.weight.is_none() {
            faults.push(missing(&format!("{at}/weight"), "本部分的分值", "the section's weight"));
        }
        match (&section.own_rows, section.indicators.is_empty()) {
            (Some(_), false) | (None, true) => faults.push(Fault::new(
                format!("{at}/indicators"),
                "indicators_or_own_rows",
                "应填写指标（indicators），或由单位自定指标（own_rows），二者必居其一且只居其一。",
                "a section has either indicators or own_rows",
            )),
            (None, false) => {
                if let Some(weight) = section.weight {
                    check_sum(
                        faults,
                        &format!("{at}/weight"),
                        ("本部分各指标分值", "the weights of its indicators"),
                        section.indicators.iter().map(|indicator| indicator.weight),
                        weight.get(),
                    );
                }
            }
            (Some(own), true) => {
                if own.partly_from > own.achieved_from {
                    faults.push(Fault::new(
                        format!("{at}/own_rows/partly_from"),
                        "out_of_range",
                        "“部分达成”的起点不应高于“达成”的起点。",
                        "partly_from must not exceed achieved_from",
                    ));
                }
            }
        }
        let indicators = section
            .indicators
            .iter()
            .enumerate()
            .filter_map(|(i, indicator)| {
                compile_indicator(&format!("{at}/indicators/{i}"), &section.code, indicator, faults)
            })
            .collect();
        compiled.push(CompiledSection {
            weight: section.weight.map(Points::get).unwrap_or_default(),
            indicators,
        });
    }
    compiled
}

fn compile_indicator(
    at: &str,
    section: &Code,
    indicator: &Indicator,
    faults: &mut Vec<Fault>,
) -> Option<CompiledIndicator> {
    if indicator.weight.is_none() {
        faults.push(missing(&format!("{at}/weight"), "指标分值", "the indicator's weight"));
    }
    if indicator.rule.is_none() {
        faults.push(missing(&format!("{at}/rule"), "评分规则", "the rule"));
    }
    let (weight, rule) = (indicator.weight?.get(), indicator.rule.as_ref()?);
    check_rule(&format!("{at}/rule"), rule, weight, faults);
    if indicator.ratio.is_some() && !rule.needs_ratio() {
        faults.push(Fault::new(
            format!("{at}/ratio"),
            "ratio_without_use",
            format!("评分规则“{}”不使用比率。", rule.kind()),
            format!("the rule \"{}\" judges no ratio", rule.kind()),
        ));
    }
    let ratio = match &indicator.ratio {
        None => None,
        // What does not parse was already reported by `faults_of_any`.
        Some(ratio) => Some(CompiledRatio {
            numerator: Formula::parse(ratio.numerator.as_str()).ok()?,
            denominator: Formula::parse(ratio.denominator.as_str()).ok()?,
        }),
    };
    let formulas = indicator.ratio.as_ref();
    let formulas = formulas.map_or(("achieved", "possible"), |ratio| {
        (ratio.numerator.as_str(), ratio.denominator.as_str())
    });
    Some(CompiledIndicator {
        weight,
        ratio,
        formulas: (formulas.0.into(), formulas.1.into()),
        heading: Arc::new(Heading {
            code: indicator.code.as_str().to_owned(),
            section: section.clone(),
            group: indicator.group.clone(),
            name: indicator.name.clone(),
            name_en: indicator.name_en.clone(),
            weight: Some(weight),
            rule: Some(rule.clone()),
            rule_text: explain::rule(rule, weight),
            verified: indicator.verified,
        }),
        rule: rule.clone(),
    })
}

fn check_rule(at: &str, rule: &Rule, weight: Decimal, faults: &mut Vec<Fault>) {
    match rule {
        Rule::Deduct(deduct) => {
            if deduct.step.get() <= Decimal::ZERO {
                faults.push(Fault::new(
                    format!("{at}/step"),
                    "out_of_range",
                    "扣分档距应大于0。",
                    "the step must be more than 0",
                ));
            }
        }
        Rule::Bands(bands) => check_bands(at, bands, weight, faults),
        Rule::Checklist(checklist) => {
            check_codes(faults, item_codes(&format!("{at}/items"), &checklist.items));
            check_sum(
                faults,
                &format!("{at}/items"),
                ("各检查项分值", "the items' points"),
                checklist.items.iter().map(|item| Some(item.points)),
                weight,
            );
        }
        Rule::Rating(rating) => {
            let at = format!("{at}/levels");
            check_codes(faults, item_codes(&at, &rating.levels));
            let points: Vec<_> = rating.levels.iter().map(|level| level.points.get()).collect();
            check_best_first(faults, &at, &points, weight);
        }
        Rule::Incidents(_) | Rule::Proportion(_) | Rule::Assessed(_) => {}
    }
}

fn item_codes<'a>(at: &str, items: &'a [Item]) -> impl Iterator<Item = (String, &'a Code)> {
    items
        .iter()
        .enumerate()
        .map(move |(i, item)| (format!("{at}/{i}/code"), &item.code))
}

fn check_best_first(faults: &mut Vec<Fault>, at: &str, points: &[Decimal], weight: Decimal) {
    if points.first() != Some(&weight) {
        faults.push(Fault::new(
            format!("{at}/0/points"),
            "full_marks_out_of_reach",
            format!("最高一档应得满分{weight}分。"),
            format!("the best level must get the weight, {weight}"),
        ));
    }
    for (n, pair) in points.windows(2).enumerate() {
        if let [better, worse] = pair
            && worse >= better
        {
            faults.push(Fault::new(
                format!("{at}/{}/points", n + 1),
                "levels_out_of_order",
                "各档分值应从高到低排列。",
                "levels go from best to worst",
            ));
        }
    }
}

fn check_bands(at: &str, rule: &Bands, weight: Decimal, faults: &mut Vec<Fault>) {
    let mut before: Option<Bound> = None;
    for (b, band) in rule.bands.iter().enumerate() {
        let at = format!("{at}/bands/{b}");
        let Some(bound) = band.bound() else {
            faults.push(Fault::new(
                at,
                "one_bound",
                "每档应有且只有一个界限：at_most、below、at_least 或 above。",
                "a band has exactly one bound: at_most, below, at_least or above",
            ));
            continue;
        };
        if let Some(before) = before {
            if before.is_upper() != bound.is_upper() {
                faults.push(Fault::new(
                    at,
                    "mixed_bounds",
                    "各档应一律以上限（at_most、below）或一律以下限（at_least、above）划分。",
                    "bands are all bounded above (at_most, below) or all below (at_least, above)",
                ));
            } else if (bound.is_upper() && bound.place() <= before.place())
                || (!bound.is_upper() && bound.place() >= before.place())
            {
                faults.push(Fault::new(
                    at,
                    "overlapping_bands",
                    "本档与前一档重叠：上限应逐档升高，下限应逐档降低。",
                    "the band overlaps the one before it: upper bounds rise, lower bounds fall",
                ));
            }
        }
        before = Some(bound);
    }
    let points: Vec<Decimal> = rule
        .bands
        .iter()
        .map(|band| band.points.get())
        .chain([rule.otherwise.get()])
        .collect();
    if points.iter().max() != Some(&weight) {
        faults.push(Fault::new(
            format!("{at}/bands"),
            "full_marks_out_of_reach",
            format!("最高一档应得满分{weight}分。"),
            format!("the best band must get the weight, {weight}"),
        ));
    }
    let rising = points.windows(2).all(|pair| pair[0] <= pair[1]);
    let falling = points.windows(2).all(|pair| pair[0] >= pair[1]);
    if !rising && !falling {
        faults.push(Fault::new(
            format!("{at}/bands"),
            "bands_not_monotone",
            "各档分值应随比率单向变化，否则较差的比率可能得到更高的分；两侧都扣分的请用 deduct（off: either）。",
            "points must go one way along the ratio, or a worse ratio could gain; for a loss on either side use deduct with off: either",
        ));
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::super::fixtures::{builtin, dec, faults_of, from, of_indicators, of_own_rows, scheme};
    use super::*;

    /// An indicator worth 5 under this rule.
    fn indicator(rule: Value) -> Value {
        json!({"code": "one", "name": "指标一", "weight": "5", "rule": rule})
    }

    fn assessed() -> Value {
        indicator(json!({"kind": "assessed"}))
    }

    /// The faults of a scheme with one indicator worth 5 under this rule.
    fn rule_faults(rule: Value) -> Vec<String> {
        faults_of(of_indicators(json!([indicator(rule)])))
    }

    fn with(mut document: Value, pointer: &str, value: Value) -> Value {
        *document.pointer_mut(pointer).unwrap() = value;
        document
    }

    #[test]
    fn weights_must_add_up_in_the_total_and_in_each_section() {
        let document = of_indicators(json!([assessed()]));
        assert_eq!(
            faults_of(with(document.clone(), "/total", json!("100"))),
            ["/total weights_do_not_add_up"]
        );
        assert_eq!(
            faults_of(with(document, "/sections/0/weight", json!("6"))),
            [
                "/sections/0/weight weights_do_not_add_up",
                "/total weights_do_not_add_up"
            ]
        );
    }

    #[test]
    fn the_sum_that_was_found_is_told_beside_the_one_expected() {
        let document = with(of_indicators(json!([assessed()])), "/total", json!("100"));
        let faults = Scheme::compile(from(document)).unwrap_err();
        assert_eq!(faults[0].text.zh, "各部分分值合计为5分，应为100分。");
        assert_eq!(faults[0].text.en, "the sections' weights add up to 5, not 100");
    }

    #[test]
    fn a_total_of_nothing_is_refused() {
        let mut document = of_indicators(json!([assessed()]));
        for pointer in ["/total", "/sections/0/weight", "/sections/0/indicators/0/weight"] {
            document = with(document, pointer, json!("0"));
        }
        assert_eq!(faults_of(document), ["/total out_of_range"]);
    }

    #[test]
    fn weights_and_rules_may_be_missing_in_a_template_only() {
        let document = json!({
            "name": "模板",
            "sections": [{"code": "s", "name": "部分", "indicators": [{"code": "i", "name": "指标"}]}]
        });
        assert_eq!(
            faults_of(document.clone()),
            [
                "/sections/0/weight missing_field",
                "/sections/0/indicators/0/weight missing_field",
                "/sections/0/indicators/0/rule missing_field",
                "/total missing_field",
            ]
        );
        let mut template = document;
        template["template"] = json!(true);
        assert_eq!(Scheme::faults(&from(template.clone())), []);
        assert_eq!(faults_of(template), ["/template is_template"]);
    }

    #[test]
    fn an_unknown_variable_is_refused_with_its_position() {
        let mut indicator = indicator(json!({"kind": "proportion"}));
        indicator["ratio"] = json!({"numerator": "budget.initial - staff.pots", "denominator": "(budget.initial"});
        let faults = Scheme::compile(from(of_indicators(json!([indicator])))).unwrap_err();
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code))
            .collect();
        assert_eq!(
            found,
            [
                ("/sections/0/indicators/0/ratio/numerator", "unknown_variable"),
                ("/sections/0/indicators/0/ratio/denominator", "formula_syntax"),
            ]
        );
        assert_eq!(
            faults[0].text.zh,
            "第18个字符处：没有名为“staff.pots”的变量，最接近的是“staff.posts”（编制数）。"
        );
        assert_eq!(
            faults[0].text.en,
            "at character 18: there is no variable \"staff.pots\"; did you mean \"staff.posts\" (authorised posts)?"
        );
    }

    #[test]
    fn bands_must_not_overlap_mix_their_sides_or_lack_a_bound() {
        let bands = |bands: Value| rule_faults(json!({"kind": "bands", "bands": bands, "otherwise": "0"}));
        let at = "/sections/0/indicators/0/rule/bands";
        // Equal bounds overlap too, except that below 10 may come before at most 10.
        assert_eq!(
            bands(json!([{"at_most": "10", "points": "5"}, {"at_most": "10", "points": "4"}])),
            [format!("{at}/1 overlapping_bands")]
        );
        assert_eq!(
            bands(json!([{"at_least": "80", "points": "5"}, {"at_least": "90", "points": "4"}])),
            [format!("{at}/1 overlapping_bands")]
        );
        assert_eq!(
            bands(json!([{"at_most": "10", "points": "5"}, {"at_least": "20", "points": "4"}])),
            [format!("{at}/1 mixed_bounds")]
        );
        assert_eq!(
            bands(
                json!([{"at_most": "10", "points": "5"}, {"points": "4"}, {"at_most": "20", "below": "30", "points": "3"}])
            ),
            [format!("{at}/1 one_bound"), format!("{at}/2 one_bound")]
        );
        scheme(of_indicators(json!([indicator(json!({
            "kind": "bands",
            "bands": [{"below": "10", "points": "5"}, {"at_most": "10", "points": "4"}],
            "otherwise": "0"
        }))])));
    }

    #[test]
    fn bands_must_reach_full_marks_and_go_one_way() {
        let at = "/sections/0/indicators/0/rule/bands";
        assert_eq!(
            rule_faults(json!({"kind": "bands", "bands": [{"at_most": "10", "points": "4"}], "otherwise": "0"})),
            [format!("{at} full_marks_out_of_reach")]
        );
        // 3, then 5, then 4: a ratio of 12% would gain over both its neighbours.
        assert_eq!(
            rule_faults(json!({
                "kind": "bands",
                "bands": [{"at_most": "10", "points": "3"}, {"at_most": "20", "points": "5"}],
                "otherwise": "4"
            })),
            [format!("{at} bands_not_monotone")]
        );
    }

    #[test]
    fn items_levels_and_steps_are_checked_against_the_weight() {
        let at = "/sections/0/indicators/0/rule";
        assert_eq!(
            rule_faults(
                json!({"kind": "deduct", "target": "100", "off": "above", "step": "0", "points_per_step": "1"})
            ),
            [format!("{at}/step out_of_range")]
        );
        assert_eq!(
            rule_faults(json!({"kind": "checklist", "items": [
                {"code": "a", "name": "甲", "points": "2"}, {"code": "a", "name": "乙", "points": "2"}
            ]})),
            [
                format!("{at}/items/1/code duplicate_code"),
                format!("{at}/items weights_do_not_add_up")
            ]
        );
        assert_eq!(
            rule_faults(json!({"kind": "rating", "levels": [
                {"code": "a", "name": "甲", "points": "4"}, {"code": "b", "name": "乙", "points": "4"}
            ]})),
            [
                format!("{at}/levels/0/points full_marks_out_of_reach"),
                format!("{at}/levels/1/points levels_out_of_order")
            ]
        );
    }

    #[test]
    fn a_rule_that_judges_no_ratio_has_none() {
        let mut indicator = assessed();
        indicator["ratio"] = json!({"numerator": "staff.in_post", "denominator": "staff.posts"});
        assert_eq!(
            faults_of(of_indicators(json!([indicator]))),
            ["/sections/0/indicators/0/ratio ratio_without_use"]
        );
    }

    #[test]
    fn a_section_has_indicators_or_own_rows_and_not_both() {
        let neither = with(of_indicators(json!([assessed()])), "/sections/0/indicators", json!([]));
        assert_eq!(faults_of(neither), ["/sections/0/indicators indicators_or_own_rows"]);
        let mut both = of_own_rows();
        both["sections"][0]["indicators"] = json!([assessed()]);
        assert_eq!(faults_of(both), ["/sections/0/indicators indicators_or_own_rows"]);
        let mut upside_down = of_own_rows();
        upside_down["sections"][0]["own_rows"] = json!({"achieved_from": "60", "partly_from": "80"});
        assert_eq!(
            faults_of(upside_down),
            ["/sections/0/own_rows/partly_from out_of_range"]
        );
    }

    #[test]
    fn grades_go_from_best_to_worst_and_end_at_zero() {
        let mut document = of_indicators(json!([assessed()]));
        document["grades"] = json!([
            {"code": "a", "name": "优", "from": "80"},
            {"code": "b", "name": "良", "from": "80"},
            {"code": "a", "name": "差", "from": "10"}
        ]);
        assert_eq!(
            faults_of(document),
            [
                "/grades/2/code duplicate_code",
                "/grades/1/from grades_out_of_order",
                "/grades/2/from grades_leave_a_gap"
            ]
        );
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut second = assessed();
        second["rule"] = json!({"kind": "deduct", "target": "0", "off": "above", "step": "-1", "points_per_step": "1"});
        let mut document = of_indicators(json!([assessed(), second]));
        document["total"] = json!("99");
        document["sections"][0]["weight"] = json!("11");
        assert_eq!(
            faults_of(document),
            [
                "/sections/0/indicators/1/code duplicate_code",
                "/sections/0/weight weights_do_not_add_up",
                "/sections/0/indicators/1/rule/step out_of_range",
                "/total weights_do_not_add_up",
            ]
        );
    }

    #[test]
    fn a_grade_begins_exactly_at_its_share_of_the_total() {
        let hunan = builtin("hunan-2019");
        for (total, code) in [
            ("100", "excellent"),
            ("90", "excellent"),
            ("89.99", "good"),
            ("80", "good"),
            ("60", "fair"),
            ("59.99", "poor"),
            ("0", "poor"),
        ] {
            assert_eq!(hunan.grade(dec(total)).unwrap().code.as_str(), code, "{total}");
        }
        // Of 50 points, 45 are 90%.
        assert_eq!(scheme(of_own_rows()).grade(dec("45")).unwrap().name.as_str(), "优");
    }

    #[test]
    fn a_rounding_cuts_or_goes_up_from_half_or_leaves_all_as_it_is() {
        let round = |mode: &str, decimals: u8, number: &str| {
            let round: Round = from(json!({"mode": mode, "decimals": decimals}));
            round.apply(dec(number)).normalize().to_string()
        };
        assert_eq!(round("floor", 0, "9.91"), "9");
        assert_eq!(round("floor", 1, "1.89"), "1.8");
        assert_eq!(round("floor", 0, "-0.5"), "-1");
        assert_eq!(round("half_up", 0, "8.5"), "9");
        assert_eq!(round("half_up", 0, "8.49"), "8");
        assert_eq!(round("half_up", 2, "4.985"), "4.99");
        assert_eq!(round("exact", 0, "4.985"), "4.985");
        assert!(serde_json::from_value::<Round>(json!({"mode": "floor", "decimals": 7})).is_err());
    }
}
