//! A score as it is answered: the total or its interval, the grade, and one line per indicator with its reasons.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use super::claims::Claim;
use super::rule::Applied;
use super::scheme::Heading;
use super::text::{Code, Label};
use super::values::exact;
use super::variables::Origin;
use crate::fault::Text;

/// A computed, explained score. Points are exact decimals in strings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// The total (总得分); `null` while a line is open or the table contradicts itself.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub total: Option<Decimal>,
    /// What the total can still be: if every open line got nothing, and if each got all that it still can.
    pub interval: Range,
    /// The full marks of the scheme.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "100")]
    pub full_marks: Decimal,
    /// True when no line is open.
    pub complete: bool,
    /// The grade (等级); `null` while the interval's ends lie in different grades.
    pub grade: Option<GradeGiven>,
    /// The score in a sentence.
    pub summary: Text,
    /// The sections (一级指标), in the order of the form.
    pub sections: Vec<SectionScore>,
    /// The lines, in the order of the form.
    #[schema(value_type = Vec<LineDocument>)]
    pub lines: Vec<Line>,
    /// What is still to be filled in, each field once, with the lines that wait for it.
    pub missing: Vec<Missing>,
    /// What is worth a look, such as a target set far too low.
    pub notices: Vec<Notice>,
}

/// The least and the most that something can be, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Range {
    /// If everything open got nothing.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "5")]
    pub low: Decimal,
    /// If everything open got all that it still can.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "100")]
    pub high: Decimal,
}

impl Range {
    /// A range of one value.
    pub fn exactly(points: Decimal) -> Self {
        Self {
            low: points,
            high: points,
        }
    }

    /// The one value of a range that has only one.
    pub fn decided(self) -> Option<Decimal> {
        (self.low == self.high).then_some(self.low)
    }
}

impl std::ops::AddAssign for Range {
    fn add_assign(&mut self, other: Self) {
        self.low += other.low;
        self.high += other.high;
    }
}

/// A grade (等级) given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GradeGiven {
    /// Its code.
    pub code: Code,
    /// Its name, such as 优.
    pub name: Label,
}

/// A section's points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SectionScore {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// Its full marks.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "60")]
    pub weight: Decimal,
    /// Its points; `null` while one of its lines is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "55")]
    pub points: Option<Decimal>,
    /// What its points can still be.
    pub interval: Range,
}

/// One line of the scoring table: its heading, and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it says of itself.
    pub heading: Arc<Heading>,
    /// Whether it is decided.
    pub status: Status,
    /// Its points; `None` while it is open.
    pub points: Option<Decimal>,
    /// What its points can still be.
    pub interval: Range,
    /// Full marks less points; `None` while it is open.
    pub lost: Option<Decimal>,
    /// The figures that it was worked out from.
    pub inputs: Vec<Input>,
    /// The ratio; `None` where the rule judges none, or while a figure is missing.
    pub ratio: Option<RatioFound>,
    /// How the rule was applied; `None` while the line is open without any part of it known.
    pub applied: Option<Applied>,
    /// What it waits for.
    pub missing: Vec<Field>,
    /// How the points came about, in a sentence for the report.
    pub explanation: Text,
    /// What the unit wrote itself, where it claimed something of this line; compared only, see the findings.
    pub claimed: Option<Claim>,
}

impl Deref for Line {
    type Target = Heading;

    fn deref(&self) -> &Heading {
        &self.heading
    }
}

/// One line of the scoring table.
// As it is written and read: the heading's fields stand among its own.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(remote = "Line")]
#[schema(as = Line)]
pub struct LineDocument {
    /// The indicator's code; for a unit's own row its section's code and its number, such as `output_1`.
    #[serde(getter = "code")]
    code: String,
    /// The code of its section.
    #[serde(getter = "section")]
    section: Code,
    /// The second-level heading (二级指标).
    #[serde(getter = "group")]
    group: Option<Label>,
    /// Its name.
    #[serde(getter = "name")]
    name: Label,
    /// Its name in English.
    #[serde(getter = "name_en")]
    name_en: Option<Label>,
    /// Its full marks; `null` for a unit's own row without a weight.
    #[serde(getter = "weight", serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "5")]
    weight: Option<Decimal>,
    /// Whether it is decided.
    status: Status,
    /// Its points; `null` while it is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "5")]
    points: Option<Decimal>,
    /// What its points can still be.
    interval: Range,
    /// Full marks less points; `null` while it is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "0")]
    lost: Option<Decimal>,
    /// The figures that it was worked out from.
    inputs: Vec<Input>,
    /// The ratio; `null` where the rule judges none, or while a figure is missing.
    ratio: Option<RatioFound>,
    /// The rule in words.
    #[serde(getter = "rule_text")]
    rule_text: Text,
    /// How the rule was applied; `null` while the line is open without any part of it known.
    applied: Option<Applied>,
    /// What it waits for.
    missing: Vec<Field>,
    /// How the points came about, in a sentence for the report.
    explanation: Text,
    /// What the unit wrote itself, where it claimed something of this line; compared only, see the findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<Claim>,
    /// False where the rule follows the form's usual wording and was not compared with the document itself.
    #[serde(getter = "verified")]
    verified: bool,
}

/// The fields of a line's heading, for serde.
macro_rules! of_heading {
    ($($field:ident: $type:ty),*) => {$(
        fn $field(line: &Line) -> &$type {
            &line.heading.$field
        }
    )*};
}

of_heading! {
    code: String, section: Code, group: Option<Label>, name: Label, name_en: Option<Label>, weight: Option<Decimal>,
    rule_text: Text, verified: bool
}

impl From<LineDocument> for Line {
    fn from(line: LineDocument) -> Self {
        Self {
            heading: Arc::new(Heading {
                code: line.code,
                section: line.section,
                group: line.group,
                name: line.name,
                name_en: line.name_en,
                weight: line.weight,
                rule: None,
                rule_text: line.rule_text,
                verified: line.verified,
            }),
            status: line.status,
            points: line.points,
            interval: line.interval,
            lost: line.lost,
            inputs: line.inputs,
            ratio: line.ratio,
            applied: line.applied,
            missing: line.missing,
            explanation: line.explanation,
            claimed: line.claimed,
        }
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LineDocument::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LineDocument::deserialize(deserializer)
    }
}

/// Whether a line is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has its points.
    Scored,
    /// Something is missing.
    Open,
    /// It does not apply, and has the points that the scheme gives then.
    NotApplicable,
}

/// A figure that a line was worked out from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Input {
    /// The variable's name in formulas, or the assessment's field.
    #[schema(value_type = String, example = "staff.in_post")]
    pub name: Cow<'static, str>,
    /// Its label in Chinese and English.
    pub label: Text,
    /// The figure; `null` when it is missing.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "104")]
    pub value: Option<Decimal>,
    /// What it is counted in, as the forms print it; empty for a pure number.
    #[schema(value_type = String, example = "人")]
    pub unit: Cow<'static, str>,
    /// Where it came from; `null` when it is missing.
    pub origin: Option<Origin>,
}

/// A ratio with its two parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RatioFound {
    /// The numerator's formula.
    #[schema(value_type = String, example = "staff.in_post")]
    pub numerator_formula: Box<str>,
    /// The denominator's formula.
    #[schema(value_type = String, example = "staff.posts")]
    pub denominator_formula: Box<str>,
    /// The numerator.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "104")]
    pub numerator: Decimal,
    /// The denominator.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "171")]
    pub denominator: Decimal,
    /// Numerator / denominator × 100 to 28 digits; `null` where the denominator is 0.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "60.818713450292397660818713450")]
    pub percent: Option<Decimal>,
    /// The ratio that the rule saw: rounded first where the scheme says so.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "60.818713450292397660818713450")]
    pub used: Option<Decimal>,
}

/// A field of a document that is to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    /// The document that it belongs to.
    pub document: Document,
    /// Its JSON Pointer in that document.
    #[schema(example = "/budget/initial")]
    pub pointer: String,
    /// Its label in Chinese and English.
    pub label: Text,
}

/// A document that scores are worked out from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// The base data sheet (基础数据表).
    BaseData,
    /// The assessments.
    Assessments,
    /// The special-fund table (专项资金绩效目标自评表).
    SpecialFund,
}

/// A field that is to be filled in, and the lines that wait for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// The field.
    #[serde(flatten)]
    pub field: Field,
    /// The codes of the lines (or of the section) that wait for it.
    pub lines: Vec<String>,
}

/// Something worth a look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// How much it matters: an error leaves the score without a total.
    pub severity: Severity,
    /// A stable word for programs.
    #[schema(value_type = String, example = "target_too_low")]
    pub code: Cow<'static, str>,
    /// The code of the line or section that it is about.
    pub line: String,
    /// What it is.
    pub text: Text,
}

/// How much a notice or a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The table contradicts itself; no total can be given.
    Error,
    /// Something is odd and wants a reason.
    Warning,
    /// For information.
    Notice,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{builtin, score_of, whole_assessments, whole_sheet};
    use super::*;

    #[test]
    fn a_score_that_is_read_back_is_written_as_it_was() {
        let scheme = builtin("hunan-2019");
        for (sheet, assessments) in [
            (whole_sheet(), whole_assessments()),
            (whole_sheet(), json!({})),
            (json!({}), whole_assessments()),
            (json!({}), json!({})),
        ] {
            let score = score_of(&scheme, sheet, assessments);
            let text = serde_json::to_string(&score).unwrap();
            let read: Score = serde_json::from_str(&text).unwrap();
            assert_eq!(
                serde_json::to_value(&read).unwrap(),
                serde_json::from_str::<Value>(&text).unwrap()
            );
        }
    }
}
