//! Checks of what the score rests on (得分依据).

use super::catalogue::{Check, Rule, Topic};
use super::facts::Facts;
use super::finding::Finding;
use crate::fault::Text;
use crate::scoring::score::{Severity, Status};
use crate::scoring::values::digits;

/// The checks of the score.
pub fn checks() -> Vec<Check> {
    vec![Check {
        code: "incomplete",
        severity: Severity::Warning,
        topic: Topic::Score,
        reads: vec!["score.lines"],
        tolerance: Text::fixed("无", "none"),
        title: Text::fixed("指标尚不能计分", "lines without points yet"),
        meaning: Text::fixed(
            "缺少数据或评定的指标没有得分，总分只能是一个区间。确实无法取得数据的，应说明原因。",
            "A line that lacks a figure or a judgement has no points, and the total is an interval. Where a figure cannot be had, say why.",
        ),
        remedy: Text::fixed(
            "补填得分（score）的missing所列字段；确实无法取得的，在情况说明中写明原因。",
            "Fill in the fields that the score's `missing` names; give a reason where they cannot be had.",
        ),
        rule: Rule::Judged(incomplete),
    }]
}

fn incomplete(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let open: Vec<_> = facts
        .score
        .lines
        .iter()
        .filter(|line| line.status == Status::Open)
        .collect();
    if facts.score.complete {
        return;
    }
    let names: Vec<_> = open.iter().map(|line| line.name.as_str()).collect();
    let codes: Vec<_> = open.iter().map(|line| line.code.as_str()).collect();
    let range = facts.score.interval;
    let (low, high) = (digits(range.low), digits(range.high));
    let mut finding = check.found(
        format!(
            "{}项指标尚不能计分（{}），总分在{low}分至{high}分之间。",
            open.len(),
            names.join("、")
        ),
        format!(
            "{} lines have no points yet ({}); the total lies between {low} and {high}",
            open.len(),
            codes.join(", ")
        ),
    );
    finding = finding
        .figure(
            Text::fixed("尚不能计分的指标", "lines without points"),
            open.len().into(),
            "项",
        )
        .figure(Text::fixed("总分最低", "least total"), range.low, "分")
        .figure(Text::fixed("总分最高", "greatest total"), range.high, "分");
    found.push(finding);
}
