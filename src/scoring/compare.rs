//! Two scores side by side (得分对比): line by line, with what made the difference.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::score::{GradeGiven, Line, Range, Score, SectionScore, Status};
use super::text::{Code, Label};
use super::values::{digits, exact};
use crate::fault::Text;

/// Two scores side by side. Points are exact decimals in strings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ScoreComparison)]
pub struct Comparison {
    /// The first score.
    pub first: Totals,
    /// The second score.
    pub second: Totals,
    /// The second total less the first; `null` while either is open. Where their full marks differ, think of the
    /// percentages instead.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "-2.5")]
    pub difference: Option<Decimal>,
    /// The same in a sentence.
    pub summary: Text,
    /// The sections of either, those of the first in its order, then those that only the second has.
    pub sections: Vec<SectionCompared>,
    /// The lines of either, those of the first in its order, then those that only the second has.
    pub lines: Vec<LineCompared>,
}

/// What a score comes to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ComparedTotals)]
pub struct Totals {
    /// The total; `null` while a line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub total: Option<Decimal>,
    /// What the total can still be.
    pub interval: Range,
    /// The full marks of its scheme.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "100")]
    pub full_marks: Decimal,
    /// The grade (等级); `null` while the interval's ends lie in different grades.
    pub grade: Option<GradeGiven>,
}

impl From<&Score> for Totals {
    fn from(score: &Score) -> Self {
        Self {
            total: score.total,
            interval: score.interval,
            full_marks: score.full_marks,
            grade: score.grade.clone(),
        }
    }
}

/// A section (一级指标) of two scores.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SectionCompared {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Label,
    /// In the first score; `null` where that has no such section.
    pub first: Option<PointsOf>,
    /// In the second score; `null` where that has no such section.
    pub second: Option<PointsOf>,
    /// Its points in the second less those in the first; `null` where either is open or missing.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "-2")]
    pub difference: Option<Decimal>,
}

/// A line of two scores.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineCompared {
    /// Its code.
    #[schema(example = "budget_control")]
    pub code: String,
    /// Its name.
    pub name: Label,
    /// In the first score; `null` where that has no such line.
    pub first: Option<PointsOf>,
    /// In the second score; `null` where that has no such line.
    pub second: Option<PointsOf>,
    /// Its points in the second less those in the first; `null` where either is open or missing.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "-2")]
    pub difference: Option<Decimal>,
    /// What is not the same in both; empty where everything is.
    pub why: Vec<Why>,
    /// The figures that are not the same in both.
    pub figures: Vec<FigureCompared>,
}

/// The points of a line or a section.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PointsOf {
    /// Its full marks; `null` for a unit's own row without a weight.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "5")]
    pub weight: Option<Decimal>,
    /// Its points; `null` while it is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "3")]
    pub points: Option<Decimal>,
    /// What its points can still be.
    pub interval: Range,
    /// For a line with a ratio: the ratio that its rule saw, in percent.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "16.5")]
    pub ratio: Option<Decimal>,
}

impl From<&Line> for PointsOf {
    fn from(line: &Line) -> Self {
        Self {
            weight: line.weight,
            points: line.points,
            interval: line.interval,
            ratio: line.ratio.as_ref().and_then(|ratio| ratio.used),
        }
    }
}

impl From<&SectionScore> for PointsOf {
    fn from(section: &SectionScore) -> Self {
        Self {
            weight: Some(section.weight),
            points: section.points,
            interval: section.interval,
            ratio: None,
        }
    }
}

/// What differs between two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Only the first score has it.
    OnlyFirst,
    /// Only the second score has it.
    OnlySecond,
    /// Its figures are others.
    OtherFigures,
    /// People judged it otherwise, or it applies in one of the two only.
    OtherJudgement,
    /// Its formula or its rule is another.
    OtherRule,
    /// Its full marks are others.
    OtherWeight,
    /// Nothing of these, and yet other points: the schemes round otherwise, or rule otherwise on what does not apply.
    OtherTreatment,
}

impl Why {
    /// The word for it in the forms' language, and in English.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::OnlyFirst => ("仅前者有", "only in the first"),
            Self::OnlySecond => ("仅后者有", "only in the second"),
            Self::OtherFigures => ("数据不同", "other figures"),
            Self::OtherJudgement => ("评定结果不同", "other judgements"),
            Self::OtherRule => ("计分规则不同", "other rules"),
            Self::OtherWeight => ("分值不同", "other weights"),
            Self::OtherTreatment => (
                "取舍或不适用情形的处理不同",
                "other rounding, or other treatment of what does not apply",
            ),
        }
    }
}

/// A figure that is not the same in two lines.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FigureCompared {
    /// The variable's name in formulas, or the assessment's field.
    #[schema(example = "budget.supplementary")]
    pub name: String,
    /// Its label in Chinese and English.
    pub label: Text,
    /// What it is counted in, as the forms print it; empty for a pure number.
    #[schema(example = "万元")]
    pub unit: String,
    /// In the first; `null` where it is missing or not used.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "150")]
    pub first: Option<Decimal>,
    /// In the second; `null` where it is missing or not used.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "165")]
    pub second: Option<Decimal>,
    /// The second less the first; `null` where either is missing.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "15")]
    pub difference: Option<Decimal>,
}

/// Two scores, line by line. Lines and sections are the same when their codes are.
pub fn compare(first: &Score, second: &Score) -> Comparison {
    let lines: Vec<_> = pairs(&first.lines, &second.lines, |line| line.code.as_str())
        .into_iter()
        .map(line_compared)
        .collect();
    let sections = pairs(&first.sections, &second.sections, |section| section.code.as_str())
        .into_iter()
        .filter_map(|pair| {
            let either = pair.0.or(pair.1)?;
            let (first, second) = (pair.0.map(PointsOf::from), pair.1.map(PointsOf::from));
            Some(SectionCompared {
                code: either.code.clone(),
                name: either.name.clone(),
                difference: difference(&first, &second),
                first,
                second,
            })
        })
        .collect();
    let difference = first.total.zip(second.total).map(|(first, second)| second - first);
    Comparison {
        summary: summary(first, second, &lines),
        first: Totals::from(first),
        second: Totals::from(second),
        difference,
        sections,
        lines: lines.into_iter().collect(),
    }
}

/// What two lists have under the same code, and what only one of them has.
fn pairs<'a, T>(first: &'a [T], second: &'a [T], code: fn(&T) -> &str) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut rest: BTreeMap<&str, &T> = second.iter().map(|item| (code(item), item)).collect();
    let mut pairs: Vec<_> = first.iter().map(|item| (Some(item), rest.remove(code(item)))).collect();
    let only_second = second.iter().filter(|item| rest.contains_key(code(item)));
    pairs.extend(only_second.map(|item| (None, Some(item))));
    pairs
}

fn difference(first: &Option<PointsOf>, second: &Option<PointsOf>) -> Option<Decimal> {
    let (first, second) = (first.as_ref()?, second.as_ref()?);
    Some(second.points? - first.points?)
}

fn line_compared((first, second): (Option<&Line>, Option<&Line>)) -> LineCompared {
    let figures = figures_compared(first, second);
    let why = why(first, second, &figures);
    let (code, name) = match first.or(second) {
        Some(line) => (line.code.clone(), line.name.clone()),
        None => Default::default(),
    };
    let (first, second) = (first.map(PointsOf::from), second.map(PointsOf::from));
    LineCompared {
        code,
        name,
        difference: difference(&first, &second),
        first,
        second,
        why,
        figures,
    }
}

fn figures_compared(first: Option<&Line>, second: Option<&Line>) -> Vec<FigureCompared> {
    let of = |line: Option<&'_ Line>| line.map(|line| line.inputs.clone()).unwrap_or_default();
    let (first, second) = (of(first), of(second));
    let compared = pairs(&first, &second, |input| &input.name);
    let figures = compared.into_iter().filter_map(|(first, second)| {
        let either = first.or(second)?;
        let value = |input: Option<&super::score::Input>| input.and_then(|input| input.value);
        let (first, second) = (value(first), value(second));
        (first != second).then(|| FigureCompared {
            name: either.name.to_string(),
            label: either.label.clone(),
            unit: either.unit.to_string(),
            first,
            second,
            difference: first.zip(second).map(|(first, second)| second - first),
        })
    });
    figures.collect()
}

fn why(first: Option<&Line>, second: Option<&Line>, figures: &[FigureCompared]) -> Vec<Why> {
    let (first, second) = match (first, second) {
        (Some(first), Some(second)) => (first, second),
        (Some(_), None) => return vec![Why::OnlyFirst],
        _ => return vec![Why::OnlySecond],
    };
    let formulas = |line: &Line| {
        let ratio = line.ratio.as_ref();
        ratio.map(|ratio| (ratio.numerator_formula.clone(), ratio.denominator_formula.clone()))
    };
    let mut found = Vec::new();
    let other_formula = formulas(first)
        .zip(formulas(second))
        .is_some_and(|(first, second)| first != second);
    // The rule in words holds its points, and a row's target: what the unit set itself is its rule.
    let other_rule = first.rule != second.rule || first.rule.is_none() && first.rule_text != second.rule_text;
    if !figures.is_empty() && !other_formula {
        found.push(Why::OtherFigures);
    }
    let applies = |line: &Line| line.status == Status::NotApplicable;
    let judged = first.inputs.is_empty() && second.inputs.is_empty() && !other_rule;
    if applies(first) != applies(second) || judged && first.applied != second.applied {
        found.push(Why::OtherJudgement);
    }
    if other_rule || other_formula {
        found.push(Why::OtherRule);
    }
    if first.weight != second.weight {
        found.push(Why::OtherWeight);
    }
    if found.is_empty() && first.interval != second.interval {
        // Points that a person gave show nowhere but in the points.
        found.push(match first.applied {
            Some(super::rule::Applied::Assessed) => Why::OtherJudgement,
            _ => Why::OtherTreatment,
        });
    }
    found
}

fn summary(first: &Score, second: &Score, lines: &[LineCompared]) -> Text {
    let total = |score: &Score| match score.total {
        Some(total) => (format!("{}分", digits(total)), digits(total)),
        None => {
            let (low, high) = (digits(score.interval.low), digits(score.interval.high));
            (format!("{low}至{high}分"), format!("{low} to {high}"))
        }
    };
    let (first, second) = (total(first), total(second));
    let mut counts: BTreeMap<Why, usize> = BTreeMap::new();
    for why in lines.iter().flat_map(|line| &line.why) {
        *counts.entry(*why).or_default() += 1;
    }
    let differing = lines.iter().filter(|line| !line.why.is_empty()).count();
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for (why, count) in counts {
        let words = why.words();
        zh.push(format!("{}{count}项", words.0));
        en.push(format!("{count} with {}", words.1));
    }
    let (zh, en) = match differing {
        0 => ("各指标均相同".to_owned(), "no line differs".to_owned()),
        count => (
            format!("{count}项指标有差异（{}）", zh.join("，")),
            format!("{count} of the lines differ ({})", en.join(", ")),
        ),
    };
    Text::new(
        format!("前者{}，后者{}；{zh}。", first.0, second.0),
        format!("The first has {}, the second {}; {en}.", first.1, second.1),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{builtin, d01_scheme, d01_sheet, dec, score_of, whole_assessments, whole_sheet};
    use super::*;

    fn line<'a>(comparison: &'a Comparison, code: &str) -> &'a LineCompared {
        comparison.lines.iter().find(|line| line.code == code).unwrap()
    }

    #[test]
    fn a_score_does_not_differ_from_itself() {
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), whole_assessments());
        let comparison = compare(&score, &score);
        assert_eq!(comparison.difference, Some(Decimal::ZERO));
        assert!(
            comparison
                .lines
                .iter()
                .all(|line| line.why.is_empty() && line.figures.is_empty())
        );
        assert!(
            comparison.summary.zh.ends_with("各指标均相同。"),
            "{}",
            comparison.summary.zh
        );
    }

    #[test]
    fn other_figures_and_judgements_are_told_where_they_count() {
        let hunan = builtin("hunan-2019");
        let (mut sheet, mut assessments) = (whole_sheet(), whole_assessments());
        sheet["budget"]["supplementary"] = json!("300");
        let indicators = &mut assessments["indicators"];
        indicators["admin_efficiency"]["rating"] = json!("fair");
        indicators["social_benefit"]["points"] = json!("3");
        indicators["key_work"] = json!({});
        let comparison = compare(
            &score_of(&hunan, whole_sheet(), whole_assessments()),
            &score_of(&hunan, sheet, assessments),
        );
        // 767.86 of 1922.76 is 39.9%, 300 is 15.6%: 3 points instead of none.
        let control = line(&comparison, "budget_control");
        assert_eq!(
            (control.difference, &control.why[..]),
            (Some(dec("3")), &[Why::OtherFigures][..])
        );
        let figure = &control.figures[0];
        assert_eq!(
            (figure.name.as_str(), figure.difference),
            ("budget.supplementary", Some(dec("-467.86")))
        );
        // The whole budget is smaller too; what was left over is still less than a step of it.
        let completion = line(&comparison, "budget_completion");
        assert_eq!(
            (completion.difference, &completion.why[..]),
            (Some(dec("0")), &[Why::OtherFigures][..])
        );
        for code in ["admin_efficiency", "social_benefit"] {
            assert_eq!(line(&comparison, code).why, [Why::OtherJudgement], "{code}");
        }
        let open = line(&comparison, "key_work");
        assert_eq!((open.difference, open.figures.len()), (None, 2));
        assert_eq!(comparison.difference, None);
        assert!(line(&comparison, "in_post_control").why.is_empty());
    }

    #[test]
    fn other_rules_and_weights_are_told_and_lines_of_one_score_only_are_kept() {
        let comparison = compare(
            &score_of(&builtin("hunan-2019"), d01_sheet(), json!({})),
            &score_of(&d01_scheme(), d01_sheet(), json!({})),
        );
        let why = |code| line(&comparison, code).why.clone();
        // 0.5 for each point above 100% in both; of 5 points there and of 8 here.
        assert_eq!(why("in_post_control"), [Why::OtherWeight]);
        assert_eq!(line(&comparison, "in_post_control").difference, Some(dec("3")));
        // 0.5 there and 0.8 here.
        assert_eq!(why("three_public_change"), [Why::OtherRule, Why::OtherWeight]);
        assert_eq!(why("management_system"), [Why::OnlyFirst]);
        assert_eq!(comparison.lines.len(), 17);
        let sections: Vec<_> = comparison
            .sections
            .iter()
            .map(|section| section.code.as_str())
            .collect();
        assert_eq!(sections, ["input", "process", "output", "all"]);
        assert_eq!(comparison.sections[3].first, None);
    }
}
