//! Checks of what the score rests on (得分依据): open lines, own targets, and what people judged.

use rust_decimal::Decimal;

use super::catalogue::{Check, NONE, Rule, Topic, check};
use super::facts::{Facts, FundFacts};
use super::finding::{Finding, Source};
use super::wording::name_of;
use crate::fault::Text;
use crate::scoring::score::Severity::{self, Error, Notice, Warning};
use crate::scoring::score::{Score, Status};
use crate::scoring::special_fund::{Level, Measure, QuantityMeasure, TargetRow};
use crate::scoring::values::digits;

fn of(code: &'static str, severity: Severity, tolerance: Text) -> (&'static str, Severity, Topic, Text) {
    (code, severity, Topic::Score, tolerance)
}

const ROWS: [&str; 2] = ["assessments.targets", "fund.targets"];

/// The checks of the score.
pub fn checks() -> Vec<Check> {
    let mut all = of_lines();
    all.extend(of_targets());
    all
}

fn of_lines() -> Vec<Check> {
    vec![
        check(
            of("incomplete", Warning, NONE),
            ("指标尚不能计分", "lines without points yet"),
            (
                "缺少数据或评定的指标没有得分，总分只能是一个区间。确实无法取得数据的，应说明原因。",
                "A line that lacks a figure or a judgement has no points, and the total is an interval. Where a figure cannot be had, say why.",
            ),
            (
                "补填得分（score）的missing所列字段；确实无法取得的，在情况说明中写明原因。",
                "Fill in the fields that the score's `missing` names; give a reason where they cannot be had.",
            ),
            Rule::Judged(incomplete),
        )
        .reading(&["score.lines"]),
        check(
            of("judged_without_evidence", Notice, NONE),
            ("评定无依据", "judged without evidence"),
            (
                "由人评定的指标，应写明评定理由或佐证材料，以备复核。",
                "What people judged should have a reason or name its evidence, for the review.",
            ),
            ("补填reason（理由）或evidence（佐证材料）。", "Fill in `reason` or `evidence`."),
            Rule::Judged(without_evidence),
        )
        .reading(&["assessments.indicators.*.reason", "assessments.indicators.*.evidence"]),
        check(
            of("all_judged_full", Notice, NONE),
            ("评定指标全部满分", "full marks on all that was judged"),
            (
                "由人评定的指标全部满分，区分度不足，是复核的重点。",
                "Full marks on all that people judged tell nothing apart; a review will look there first.",
            ),
            ("对照评分标准逐项复查，并附佐证材料。", "Look at each again, and name the evidence."),
            Rule::Judged(all_judged_full),
        )
        .reading(&["assessments.indicators", "score.lines"]),
        check(
            of("not_applicable_yet_judged", Warning, NONE),
            ("注明不适用又作了评定", "not applicable and judged"),
            (
                "指标已注明不适用，却又填写了评定数据；不适用的指标按标准给分，评定数据不起作用。",
                "An indicator is said not to apply and is judged nevertheless; the judgement has no effect.",
            ),
            ("删除评定数据，或取消“不适用”。", "Take the judgement out, or take back that it does not apply."),
            Rule::Judged(not_applicable_yet_judged),
        )
        .reading(&["assessments.indicators.*.not_applicable"]),
    ]
}

fn of_targets() -> Vec<Check> {
    vec![
        check(
            of("row_weights_exceed", Error, NONE),
            ("指标分值合计超过该部分满分", "rows that weigh more than their section"),
            (
                "单位自定指标的分值合计不应大于该部分的满分，各部分合计为100分。",
                "A section's rows cannot weigh more than the section; all sections are 100 points.",
            ),
            ("重新分配各指标分值。", "Share the section's points out anew."),
            Rule::Judged(weights_exceed),
        )
        .reading(&["assessments.targets.*.weight", "fund.targets.*.weight"]),
        check(
            of("row_weights_short", Warning, NONE),
            ("指标分值合计不足该部分满分", "rows that weigh less than their section"),
            (
                "单位自定指标的分值合计小于该部分的满分，余下的分值无法取得。",
                "A section's rows weigh less than the section: nothing can win the rest.",
            ),
            ("补充指标或重新分配分值，使合计等于该部分满分。", "Add rows or share the points out anew."),
            Rule::Judged(weights_short),
        )
        .reading(&["assessments.targets.*.weight", "fund.targets.*.weight"]),
        check(
            of("missed_without_deviation", Warning, NONE),
            ("未完成指标未说明偏差原因", "a target missed without a reason"),
            (
                "未达到指标值的，应填写偏差原因分析及改进措施。",
                "Where a target was missed, the form asks why and what is done about it.",
            ),
            ("补填偏差原因及改进措施（deviation）。", "Fill in `deviation`."),
            Rule::Judged(missed_without_deviation),
        )
        .reading(&ROWS),
        check(
            of("met_with_points_off", Warning, NONE),
            ("达成目标而扣分未说明", "points off a target that was met"),
            (
                "评定为“达成预期指标”却未给满分，应说明扣分原因。",
                "A goal that was reached and did not get all its points wants a reason.",
            ),
            ("补填扣分原因（deviation），或更正得分比例。", "Fill in `deviation`, or correct the share."),
            Rule::Judged(met_with_points_off),
        )
        .reading(&ROWS),
        check(
            of("full_marks_with_deviation", Warning, NONE),
            ("满分而写有偏差原因", "full marks and a reason for a miss"),
            (
                "填写了偏差原因，却仍得满分，完成情况与得分不一致。",
                "A reason for missing the target is given, and yet it has full marks.",
            ),
            ("核对完成情况，更正得分或删除偏差原因。", "Correct the points, or take the reason out."),
            Rule::Judged(full_with_deviation),
        )
        .reading(&ROWS),
        check(
            of("targets_copied_as_actuals", Warning, Text::fixed("不少于5项且全部相等", "5 rows or more, all alike")),
            ("完成值全部等于指标值", "all actuals equal their targets"),
            (
                "定量指标的完成值全部与指标值相同，可能是把指标值照抄为完成值。",
                "Every number that was reached is exactly its target: targets may have been copied.",
            ),
            ("按统计资料填报实际完成值，并附佐证材料。", "Report what was really reached, and name the evidence."),
            Rule::Judged(targets_copied),
        )
        .reading(&ROWS),
        check(
            of("actual_is_weight", Warning, NONE),
            ("完成值等于分值", "an actual that is the weight"),
            (
                "完成值与该指标的分值相同而与指标值不同，可能是把得分填入了完成值。",
                "What was reached is the row's weight and not near its target: points may stand in its place.",
            ),
            ("核对实际完成值。", "Check what was reached."),
            Rule::Judged(actual_is_weight),
        )
        .reading(&ROWS),
        check(
            of("target_too_low", Notice, Text::fixed("指标值的130%", "130% of the target")),
            ("指标值偏低", "a target set too low"),
            (
                "实际完成值超过指标值的130%，说明年初指标值定得偏低。",
                "More than 130% of the target was reached: it was set too low.",
            ),
            ("下一年度合理提高指标值，并在报告中说明。", "Set it higher next year, and say so in the report."),
            Rule::Judged(too_low),
        )
        .reading(&ROWS),
        check(
            of("same_fact_twice", Warning, NONE),
            ("同一事实重复计分", "the same fact scored twice"),
            (
                "同一张表中两项指标名称相同，或者指标值、完成值和计量单位完全相同，同一事实可能得了两次分。",
                "Two rows of a table have the same name, or the same target, actual and unit: one fact may score twice.",
            ),
            ("合并重复指标，或说明两者所考核的内容。", "Make it one row, or say what each is about."),
            Rule::Judged(same_fact_twice),
        )
        .reading(&ROWS),
    ]
}

fn incomplete(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.score.complete {
        return;
    }
    let open: Vec<_> = facts
        .score
        .lines
        .iter()
        .filter(|line| line.status == Status::Open)
        .collect();
    let names: Vec<_> = open.iter().map(|line| line.name.as_str()).collect();
    let codes: Vec<_> = open.iter().map(|line| line.code.as_str()).collect();
    let range = facts.score.interval;
    let (low, high) = (digits(range.low), digits(range.high));
    let (zh, en) = match open.len() {
        0 => (
            "单位自定指标的分值尚未分配完毕".to_owned(),
            "not all points of the unit's own rows are shared out".to_owned(),
        ),
        n => (
            format!("{n}项指标尚不能计分（{}）", names.join("、")),
            format!("{n} lines have no points yet ({})", codes.join(", ")),
        ),
    };
    found.push(
        check
            .found(
                format!("{zh}，总分在{low}分至{high}分之间。"),
                format!("{en}; the total lies between {low} and {high}"),
            )
            .figure(
                Text::fixed("尚不能计分的指标", "lines without points"),
                open.len().into(),
                "项",
            )
            .figure(Text::fixed("总分最低", "least total"), range.low, "分")
            .figure(Text::fixed("总分最高", "greatest total"), range.high, "分"),
    );
}

/// The name of a line of the score, by its code.
fn line_name(facts: &Facts<'_>, code: &str) -> Text {
    let line = facts.score.lines.iter().find(|line| line.code == code);
    line.map_or_else(|| Text::name(code), name_of)
}

fn without_evidence(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let said = |words: &Option<crate::scoring::text::Words>| {
        words.as_ref().is_some_and(|words| !words.as_str().trim().is_empty())
    };
    let silent: Vec<_> = facts
        .assessments
        .indicators
        .iter()
        .filter(|(_, assessment)| !said(&assessment.reason) && !said(&assessment.evidence))
        .map(|(code, _)| (code, line_name(facts, code.as_str())))
        .collect();
    if silent.is_empty() {
        return;
    }
    let zh: Vec<_> = silent.iter().map(|(_, name)| name.zh.as_ref()).collect();
    let en: Vec<_> = silent.iter().map(|(_, name)| name.en.as_ref()).collect();
    let mut finding = check
        .found(
            format!("{}项评定未写明理由或佐证材料：{}。", silent.len(), zh.join("、")),
            format!(
                "{} judgements have neither a reason nor evidence: {}",
                silent.len(),
                en.join(", ")
            ),
        )
        .figure(
            Text::fixed("无依据的评定", "judgements without evidence"),
            silent.len().into(),
            "项",
        );
    for (code, name) in &silent {
        finding = finding.at(Source::Assessments, format!("/indicators/{code}"), name.clone());
    }
    found.push(finding);
}

fn all_judged_full(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let judged: Vec<_> = facts
        .score
        .lines
        .iter()
        .filter(|line| {
            line.status == Status::Scored
                && facts
                    .assessments
                    .indicators
                    .keys()
                    .any(|code| code.as_str() == line.code)
        })
        .collect();
    if judged.len() < 3 || judged.iter().any(|line| line.lost != Some(Decimal::ZERO)) {
        return;
    }
    let points: Decimal = judged.iter().filter_map(|line| line.points).sum();
    found.push(
        check
            .found(
                format!("由人评定的{}项指标全部满分，共{}分。", judged.len(), digits(points)),
                format!(
                    "all {} judged lines have full marks, {} points",
                    judged.len(),
                    digits(points)
                ),
            )
            .figure(
                Text::fixed("评定指标", "lines that are judged"),
                judged.len().into(),
                "项",
            )
            .figure(Text::fixed("得分合计", "points in all"), points, "分"),
    );
}

fn not_applicable_yet_judged(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (code, assessment) in &facts.assessments.indicators {
        let judged = assessment.achieved.is_some()
            || assessment.checks.is_some()
            || assessment.incidents.is_some()
            || assessment.rating.is_some()
            || assessment.points.is_some();
        if assessment.not_applicable != Some(true) || !judged {
            continue;
        }
        let name = line_name(facts, code.as_str());
        found.push(
            check
                .found(
                    format!("“{}”注明不适用，又填写了评定数据。", name.zh),
                    format!("\"{}\" is said not to apply, and is judged", name.en),
                )
                .on_line(code.as_str())
                .at(Source::Assessments, format!("/indicators/{code}/not_applicable"), name),
        );
    }
}

/// The own targets of a unit, or those of one of its special funds.
pub(super) struct TargetList<'a> {
    /// The rows.
    pub rows: &'a [TargetRow],
    fund: Option<&'a FundFacts>,
    score: &'a Score,
}

/// The unit's own targets, and those of each special fund.
pub(super) fn target_lists<'a>(facts: &Facts<'a>) -> Vec<TargetList<'a>> {
    let own = TargetList {
        rows: &facts.assessments.targets,
        fund: None,
        score: facts.score,
    };
    let of_funds = facts.funds.iter().map(|fund| TargetList {
        rows: &fund.table.targets,
        fund: Some(fund),
        score: &fund.score,
    });
    std::iter::once(own).chain(of_funds).collect()
}

impl TargetList<'_> {
    /// What a reason for a row is filed under: its name, so that it stays when rows are moved.
    pub fn key(&self, row: &TargetRow) -> String {
        match self.fund {
            Some(fund) => format!("{}/{}", fund.id, row.name),
            None => row.name.to_string(),
        }
    }

    /// The finding with a place in the list.
    pub fn place(&self, finding: Finding, within: &str, label: Text) -> Finding {
        match self.fund {
            Some(fund) => finding.at_fund(&fund.id, format!("/targets/{within}"), label),
            None => finding.at(Source::Assessments, format!("/targets/{within}"), label),
        }
    }

    fn of_section(&self, code: &str) -> String {
        match self.fund {
            Some(fund) => format!("{}/{code}", fund.id),
            None => code.to_owned(),
        }
    }

    /// Whose targets they are, as a text begins.
    fn whose(&self) -> (String, String) {
        match self.fund {
            Some(fund) => (format!("专项资金“{}”", fund.name), format!("\"{}\": ", fund.name)),
            None => (String::new(), String::new()),
        }
    }

    /// The share of its weight that each row got, in percent, where that is decided.
    fn shares(&self) -> impl Iterator<Item = (usize, &TargetRow, Decimal)> {
        self.rows.iter().enumerate().filter_map(|(n, row)| {
            let share = match &row.measure {
                Measure::Quantity(quantity) => quantity.share(quantity.actual?),
                Measure::Quality(quality) => quality.share?.get(),
            };
            Some((n, row, share))
        })
    }

    /// The rows that measure a number that is there.
    fn numbers(&self) -> impl Iterator<Item = (usize, &TargetRow, &QuantityMeasure, Decimal)> {
        self.rows.iter().enumerate().filter_map(|(n, row)| match &row.measure {
            Measure::Quantity(quantity) => Some((n, row, quantity, quantity.actual?.get())),
            Measure::Quality(_) => None,
        })
    }

    fn found(&self, check: &'static Check, (n, row): (usize, &TargetRow), zh: &str, en: &str) -> Finding {
        let (whose, whose_en) = self.whose();
        let mut finding = check
            .found(
                format!("{whose}“{}”{zh}", row.name),
                format!("{whose_en}\"{}\" {en}", row.name),
            )
            .keyed(&self.key(row));
        let name = Text::name(&row.name);
        finding = self.place(finding, &n.to_string(), name);
        if let Measure::Quantity(quantity) = &row.measure {
            let unit = quantity.unit.as_ref().map(ToString::to_string).unwrap_or_default();
            finding = finding.figure(Text::fixed("指标值", "target"), quantity.target.get(), unit.clone());
            if let Some(actual) = quantity.actual {
                finding = finding.figure(Text::fixed("实际完成值", "reached"), actual.get(), unit);
            }
        }
        if let Some(weight) = row.weight {
            finding = finding.figure(Text::fixed("分值", "weight"), weight.get(), "分");
        }
        finding
    }
}

fn explained(row: &TargetRow) -> bool {
    row.deviation.as_ref().is_some_and(|words| {
        let words = words.as_str().trim();
        !words.is_empty() && !["无", "没有", "/", "-", "—"].contains(&words)
    })
}

/// Sections whose own rows do not weigh what the section does.
fn weights(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>, more: bool) {
    for list in target_lists(facts) {
        for section in &list.score.sections {
            let rows = list.rows.iter().filter(|row| row.section == section.code);
            let weights: Vec<_> = rows.filter_map(|row| row.weight).map(|weight| weight.get()).collect();
            let sum: Decimal = weights.iter().sum();
            let off = if more {
                sum > section.weight
            } else {
                sum < section.weight
            };
            if weights.is_empty() || !off {
                continue;
            }
            let (whose, whose_en) = list.whose();
            let (zh, en) = if more { ("超过", "more") } else { ("不足", "less") };
            let mut finding = check.found(
                format!(
                    "{whose}“{}”各指标分值合计{}分，{zh}该部分满分{}分。",
                    section.name,
                    digits(sum),
                    digits(section.weight)
                ),
                format!(
                    "{whose_en}the rows of \"{}\" weigh {} points, {en} than its {}",
                    section.name,
                    digits(sum),
                    digits(section.weight)
                ),
            );
            finding = finding.keyed(&list.of_section(section.code.as_str()));
            if list.fund.is_none() {
                finding.line = Some(section.code.to_string());
            }
            for (n, row) in list
                .rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.section == section.code)
            {
                let name = Text::name(&row.name);
                finding = list.place(finding, &format!("{n}/weight"), name);
            }
            found.push(
                finding
                    .figure(Text::fixed("分值合计", "weights in all"), sum, "分")
                    .figure(Text::fixed("该部分满分", "weight of the section"), section.weight, "分"),
            );
        }
    }
}

fn weights_exceed(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    weights(check, facts, found, true);
}

fn weights_short(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    weights(check, facts, found, false);
}

fn missed_without_deviation(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        for (n, row, share) in list.shares() {
            let reached = matches!(&row.measure, Measure::Quality(quality) if quality.level == Some(Level::Achieved));
            if share < Decimal::ONE_HUNDRED && !reached && !explained(row) {
                let share = digits(super::wording::rounded(share));
                found.push(list.found(
                    check,
                    (n, row),
                    &format!("未达到指标值（得分比例{share}%），未说明偏差原因。"),
                    &format!("was missed ({share}% of its points), and no reason is given"),
                ));
            }
        }
    }
}

fn met_with_points_off(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        for (n, row, share) in list.shares() {
            let reached = matches!(&row.measure, Measure::Quality(quality) if quality.level == Some(Level::Achieved));
            if share < Decimal::ONE_HUNDRED && reached && !explained(row) {
                found.push(
                    list.found(
                        check,
                        (n, row),
                        &format!("评定为达成预期指标，得分比例{}%，未说明扣分原因。", digits(share)),
                        &format!(
                            "is said to be reached and gets {}% of its points, without a reason",
                            digits(share)
                        ),
                    )
                    .figure(Text::fixed("得分比例", "share of the points"), share, "%"),
                );
            }
        }
    }
}

fn full_with_deviation(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        for (n, row, share) in list.shares() {
            if share == Decimal::ONE_HUNDRED && explained(row) {
                found.push(list.found(
                    check,
                    (n, row),
                    "得满分，又填写了偏差原因。",
                    "has full marks and a reason for missing it",
                ));
            }
        }
    }
}

fn targets_copied(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        let numbers: Vec<_> = list.numbers().collect();
        if numbers.len() < 5
            || numbers
                .iter()
                .any(|(_, _, quantity, actual)| quantity.target.get() != *actual)
        {
            continue;
        }
        let (whose, whose_en) = list.whose();
        let mut finding = check
            .found(
                format!("{whose}{}项定量指标的完成值全部等于指标值。", numbers.len()),
                format!(
                    "{whose_en}what was reached equals the target in all {} numbers",
                    numbers.len()
                ),
            )
            .keyed(list.fund.map_or("targets", |fund| &fund.id));
        for (n, row, ..) in &numbers {
            let name = Text::name(&row.name);
            finding = list.place(finding, &format!("{n}/measure/actual"), name);
        }
        found.push(finding.figure(
            Text::fixed("定量指标", "targets that are numbers"),
            numbers.len().into(),
            "项",
        ));
    }
}

fn actual_is_weight(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        for (n, row, quantity, actual) in list.numbers() {
            if row.weight.map(|weight| weight.get()) == Some(actual)
                && quantity.share(actual_of(quantity)) < Decimal::from(60)
            {
                found.push(list.found(
                    check,
                    (n, row),
                    &format!("完成值{}恰等于分值，而指标值为{}。", digits(actual), quantity.target),
                    &format!(
                        "reached {}, which is its weight, of a target of {}",
                        digits(actual),
                        quantity.target
                    ),
                ));
            }
        }
    }
}

fn actual_of(quantity: &QuantityMeasure) -> crate::scoring::values::Quantity {
    quantity.actual.unwrap_or_default()
}

fn too_low(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        for (n, row, quantity, actual) in list.numbers() {
            if quantity.target_too_low(actual_of(quantity)) {
                found.push(list.found(
                    check,
                    (n, row),
                    &format!("实际完成{}，超过指标值{}的130%。", digits(actual), quantity.target),
                    &format!(
                        "reached {}, more than 130% of its target {}",
                        digits(actual),
                        quantity.target
                    ),
                ));
            }
        }
    }
}

fn same_fact_twice(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in target_lists(facts) {
        for (n, row) in list.rows.iter().enumerate() {
            let twin = list.rows.iter().take(n).enumerate().find(|(_, other)| {
                other.name == row.name || matches!((&other.measure, &row.measure), (Measure::Quantity(a), Measure::Quantity(b)) if same_number(a, b))
            });
            let Some((m, other)) = twin else { continue };
            let (zh, en) = match other.name == row.name {
                true => (
                    "与另一项指标同名。".to_owned(),
                    "has the name of another row".to_owned(),
                ),
                false => (
                    format!("与“{}”的指标值、完成值和计量单位完全相同。", other.name),
                    format!("has the target, actual and unit of \"{}\"", other.name),
                ),
            };
            let finding = list.found(check, (n, row), &zh, &en);
            let name = Text::name(&other.name);
            found.push(list.place(finding, &m.to_string(), name));
        }
    }
}

/// Whether two targets are one number: the same target, actual and unit of things counted, above what chance gives.
fn same_number(a: &QuantityMeasure, b: &QuantityMeasure) -> bool {
    let counted = a
        .unit
        .as_ref()
        .is_some_and(|unit| !["%", "％", "分"].contains(&unit.as_str()));
    counted
        && a.unit == b.unit
        && a.target == b.target
        && a.actual.is_some()
        && a.actual == b.actual
        && a.target.get() > Decimal::TEN
}
