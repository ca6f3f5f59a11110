//! What a unit wrote itself (自填得分) against what follows from its figures.

use rust_decimal::Decimal;

use super::catalogue::{Check, NONE, Rule, Topic, check};
use super::cause::{self, Cause, Worked};
use super::facts::Facts;
use super::finding::{Finding, Source};
use super::judged::{Judged, PROPORTION, Rounds};
use super::wording::{name_of, span, working};
use crate::fault::Text;
use crate::scoring::formula::Formula;
use crate::scoring::printed::PrintedRatio;
use crate::scoring::rule::Applied;
use crate::scoring::score::{Line, Severity};
use crate::scoring::values::digits;

fn of(code: &'static str, tolerance: Text) -> (&'static str, Severity, Topic, Text) {
    (code, Severity::Warning, Topic::Claims, tolerance)
}

/// The checks of the claims.
pub fn checks() -> Vec<Check> {
    vec![
        check(
            of("claimed_ratio", Text::fixed("四舍五入或舍去填报位数以后的小数", "rounding or cutting off after the decimals claimed")),
            (
                "自填比率与数据不符",
                "a claimed ratio that the figures do not give",
            ),
            (
                "自填的比率应由基础数据表的分子、分母算出；不符的，列出两个数和可能的原因。",
                "A claimed ratio must follow from the sheet's figures; a difference is told with both and its probable cause.",
            ),
            (
                "按基础数据重算自填比率，或更正基础数据。",
                "Work the claimed ratio out again, or correct the sheet.",
            ),
            Rule::Judged(ratios),
        )
        .reading(&["claims.lines.ratio", "score.lines.ratio"]),
        check(
            of("claimed_points", NONE),
            (
                "自填得分与评分规则不符",
                "claimed points that the rule does not give",
            ),
            (
                "自填得分应等于按评分标准算出的得分；指标尚不能计分的，应在其可能的得分范围内。",
                "Claimed points must be those of the scheme; of a line that is still open, within what it can get.",
            ),
            (
                "按评分标准更正自填得分；对评分有异议的，说明理由。",
                "Correct the claimed points by the scheme; if you think otherwise, say why.",
            ),
            Rule::Judged(points),
        )
        .reading(&["claims.lines.points", "score.lines.points"]),
        check(
            of("claimed_sum", Text::fixed("各指标均已自填得分时核对", "checked once every line is claimed")),
            (
                "自填总分与各指标自填得分之和不符",
                "a claimed total that is not the sum of the claims",
            ),
            (
                "自填总分应等于各指标自填得分之和。",
                "The claimed total must be the sum of the points claimed line by line.",
            ),
            (
                "重新加总。",
                "Add the points up again.",
            ),
            Rule::Judged(sum),
        )
        .reading(&["claims.lines.points", "claims.total"]),
        check(
            of("claimed_total", NONE),
            (
                "自填总分与得分不符",
                "a claimed total that is not the score",
            ),
            (
                "自填总分应等于按评分标准算出的总分；尚不完整的，应在总分区间内。",
                "The claimed total must be the score's; while that is an interval, within it.",
            ),
            (
                "先更正有差异的指标，再重新加总。",
                "Correct the lines that differ, then add the points up again.",
            ),
            Rule::Judged(total),
        )
        .reading(&["claims.total", "score.total", "score.interval"]),
    ]
}

/// A finding about what is claimed of a line.
fn of_line(check: &Check, line: &Line, field: &str, zh: String, en: String) -> Finding {
    check
        .found(zh, en)
        .at(Source::Claims, format!("/lines/{}/{field}", line.code), name_of(line))
        .on_line(&line.code)
}

/// The claimed ratio and the one that follows, where they differ.
fn wrong_ratio(line: &Line) -> Option<(PrintedRatio, Decimal)> {
    let claimed = line.claimed?.ratio?;
    // A target's ratio is the share of the weight that it earns.
    let right = match (&line.ratio, &line.applied) {
        (Some(ratio), _) => ratio.percent?,
        (None, Some(Applied::Target(target))) => target.share,
        _ => return None,
    };
    (!claimed.agrees_with(right)).then_some((claimed, right))
}

fn ratios(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for line in &facts.score.lines {
        let Some((claimed, right)) = wrong_ratio(line) else {
            continue;
        };
        let figures = line.ratio.as_ref().map(|ratio| (ratio.numerator, ratio.denominator));
        let working = working(figures, right);
        let mut cause = None;
        if let Some(ratio) = &line.ratio {
            let formulas = [&ratio.numerator_formula, &ratio.denominator_formula].map(|text| Formula::parse(text).ok());
            let worked = Worked {
                numerator: ratio.numerator,
                denominator: ratio.denominator,
                formulas: match &formulas {
                    [Some(numerator), Some(denominator)] => Some((numerator, denominator, facts.sheet)),
                    _ => None,
                },
                others: &[],
            };
            cause = cause::of_ratio(claimed, &worked);
        }
        let finding = of_line(
            check,
            line,
            "ratio",
            format!("“{}”自填{claimed}，按基础数据应为{}。", line.name, working.zh),
            format!(
                "\"{}\" claims {claimed}; the figures give {}",
                name_of(line).en,
                working.en
            ),
        );
        found.push(
            finding
                .figure(Text::fixed("自填比率", "ratio claimed"), claimed.percent(), "%")
                .figure(Text::fixed("应为", "ratio that follows"), right.round_dp(6), "%")
                .because(cause),
        );
    }
}

fn points(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for line in &facts.score.lines {
        let Some(claimed) = line.claimed.and_then(|claim| claim.points).map(|points| points.get()) else {
            continue;
        };
        if (line.interval.low..=line.interval.high).contains(&claimed) {
            continue;
        }
        let (own, right) = (digits(claimed), span(line.interval));
        let finding = of_line(
            check,
            line,
            "points",
            format!("“{}”自填{own}分，按评分标准应得{right}分。", line.name),
            format!("\"{}\" claims {own} points; the scheme gives {right}", name_of(line).en),
        );
        let mut finding = finding
            .figure(Text::fixed("自填得分", "points claimed"), claimed, "分")
            .figure(Text::fixed("应得", "points that follow"), line.interval.low, "分");
        if line.interval.decided().is_none() {
            finding = finding.figure(Text::fixed("至多", "at most"), line.interval.high, "分");
        }
        found.push(finding.because(cause_of_points(line, claimed, facts)));
    }
}

fn cause_of_points(line: &Line, claimed: Decimal, facts: &Facts<'_>) -> Option<Cause> {
    let (ratio, rule) = match (&line.ratio, &line.rule, &line.applied) {
        (Some(ratio), Some(rule), _) => (ratio.percent?, rule),
        (None, _, Some(Applied::Target(target))) => (target.share, &PROPORTION),
        _ => return None,
    };
    let judged = Judged {
        ratio,
        rule,
        weight: line.weight?,
    };
    let rounds = Rounds {
        ratio: facts.scheme.round_ratio,
        points: facts.scheme.round_points,
    };
    let from_claim = wrong_ratio(line).map(|(claimed, _)| {
        let cause = Cause::fixed(
            "from_printed_ratio",
            "按自填的比率计分",
            "scored from the ratio that is claimed",
        );
        (cause, claimed.percent())
    });
    cause::of_points(claimed, &judged, rounds, from_claim.into_iter().collect())
}

fn sum(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let claimed = facts.claims.and_then(|claims| claims.total).map(|total| total.get());
    let lines = facts.score.lines.iter();
    let sum = lines
        .map(|line| Some(line.claimed?.points?.get()))
        .sum::<Option<Decimal>>();
    let (Some(claimed), Some(sum)) = (claimed, sum) else {
        return;
    };
    if claimed != sum {
        let finding = check.found(
            format!("自填总分{}分，各指标自填得分合计{}分。", digits(claimed), digits(sum)),
            format!(
                "the claimed total is {}; the claims add up to {}",
                digits(claimed),
                digits(sum)
            ),
        );
        found.push(
            finding
                .at(Source::Claims, "/total", Text::fixed("自填总分", "claimed total"))
                .figure(Text::fixed("自填总分", "claimed total"), claimed, "分")
                .figure(Text::fixed("自填得分合计", "sum of the claims"), sum, "分"),
        );
    }
}

fn total(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(claimed) = facts.claims.and_then(|claims| claims.total).map(|total| total.get()) else {
        return;
    };
    let range = facts.score.interval;
    if !(range.low..=range.high).contains(&claimed) {
        let finding = check.found(
            format!("自填总分{}分，按评分标准为{}分。", digits(claimed), span(range)),
            format!(
                "the claimed total is {}; the scheme gives {}",
                digits(claimed),
                span(range)
            ),
        );
        let mut finding = finding
            .at(Source::Claims, "/total", Text::fixed("自填总分", "claimed total"))
            .figure(Text::fixed("自填总分", "claimed total"), claimed, "分")
            .figure(Text::fixed("按评分标准", "by the scheme"), range.low, "分");
        if range.decided().is_none() {
            finding = finding.figure(Text::fixed("至多", "at most"), range.high, "分");
        }
        found.push(finding);
    }
}
