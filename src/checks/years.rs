//! Checks between this year and the year before (年度间关系).

use rust_decimal::Decimal;

use super::catalogue::{CENT, NONE, check};
use super::catalogue::{Check, Rule, Topic};
use super::facts::Facts;
use super::finding::{Finding, Source};
use super::relation::Oddity;
use super::sheet::ROWS;
use super::wording::with_unit;
use crate::fault::Text;
use crate::scoring::prior::pairs;
use crate::scoring::score::Severity::{self, Notice, Warning};
use crate::scoring::variables::{Figures, Origin, Variable};

fn of(code: &'static str, severity: Severity, tolerance: Text) -> (&'static str, Severity, Topic, Text) {
    (code, severity, Topic::Years, tolerance)
}

const THIRTY: Text = Text::fixed("上年数的30%", "30% of last year's");

/// A row whose figures of two years are more than 30% apart, and by more than `least` (in its unit).
fn swing(now: &str, before: &str, least: &str, unit: &'static str) -> [Oddity; 2] {
    let more = [
        format!("{now} > {before} * 1.3"),
        format!("{now} > {before} + {least}"),
        format!("{before} > 0"),
    ];
    let less = [
        format!("{now} < {before} * 0.7"),
        format!("{now} < {before} - {least}"),
        format!("{before} > 0"),
    ];
    [(more, "增加", "more"), (less, "减少", "less")].map(|(tests, zh, en)| {
        Oddity::when(
            tests.iter().map(String::as_str),
            format!("{{@{now}}}{{{now}}}，上年{{{before}}}，{zh}{{|1}}，变动{{0}}。"),
            format!("{{@{now}}}: {{{now}}}, last year {{{before}}}: {{|1}} {en}, {{0}}"),
        )
        .with_change(now, before, unit)
    })
}

/// What changed by more than 30% by its own words, where last year's figure follows from them.
fn stated_swing(row: &str) -> Oddity {
    Oddity::of_row(
        row,
        [
            "ROW.change > (ROW.final - ROW.change) * 0.3",
            "ROW.change > 1",
            "ROW.final > ROW.change",
        ],
        "{@ROW.final}{ROW.final}，比上年增加{ROW.change}，增幅{0}。",
        "{@ROW.final}: {ROW.final}, {ROW.change} more than last year: {0}",
        Some((
            "增幅",
            "increase in percent",
            "ROW.change * 100",
            "ROW.final - ROW.change",
            "%",
        )),
    )
}

fn rows(rows: &[&str], least: &str) -> Vec<Oddity> {
    rows.iter()
        .flat_map(|row| swing(&format!("{row}.final"), &format!("{row}.prior_final"), least, "万元"))
        .collect()
}

const WHY: (&str, &str) = (
    "核对两年数据；属实的，说明变动原因（如机构、人员、政策变化）。",
    "Check both years; say why where it is so (such as a change of organs, staff or policy).",
);

/// The checks between years.
pub fn checks() -> Vec<Check> {
    let differ = check(
        of("prior_columns_differ", Warning, CENT),
        ("上年数与上年度基础数据表不一致", "last year's columns against last year's sheet"),
        (
            "本年基础数据表中的上年数，应与上年度已填报的基础数据表一致。",
            "The columns of last year should say what last year's sheet said.",
        ),
        (
            "以上年度报送数为准更正；决算批复后调整过的，说明调整依据。留空的上年数自动取自上年度。",
            "Take last year's figures; say by what they were changed since. Columns left out are taken from last year's sheet.",
        ),
        Rule::Judged(prior_columns_differ),
    )
    .reading(&["*.prior_final", "*.prior_budget", "*.prior", "prior.*.final", "prior.*.budget", "prior.*.current"]);
    let stated = check(
        of("stated_change_differs", Warning, CENT),
        ("所述增减额与两年数据不符", "a stated change against the figures"),
        (
            "比上年增减额应等于本年决算数减上年决算数。",
            "A stated change is this year's final accounts less last year's.",
        ),
        (
            "重新计算增减额，或更正决算数；按同口径计算的，说明口径和调整金额。",
            "Work the change out anew, or correct the final accounts; where the two years were made comparable first, say how.",
        ),
        Rule::Judged(stated_change_differs),
    )
    .reading(&["*.change", "*.final", "*.prior_final"]);
    vec![
        differ,
        stated,
        check(
            of("carried_in_differs", Warning, CENT),
            (
                "上年结转与上年度年末结余不一致",
                "carried in against what was left over",
            ),
            (
                "本年的上年结转，应等于上年度基础数据表的年末结余。",
                "What was carried in is what last year's sheet left over.",
            ),
            (
                "核对结转批复；结余被收回的，说明金额和文号。",
                "Check the approval; say how much was taken back and by what document.",
            ),
            Rule::Odd(vec![
                Oddity::when(
                    ["budget.carried_in ≠ prior:budget.carried_out ± 0.01"],
                    "上年结转{budget.carried_in}，上年度年末结余{prior:budget.carried_out}，相差{|1}。",
                    "{budget.carried_in} carried in, and {prior:budget.carried_out} left over last year: {|1} apart",
                )
                .with_change("budget.carried_in", "prior:budget.carried_out", "万元"),
            ]),
        ),
        check(
            of("swing_spending", Warning, THIRTY),
            ("支出大幅变动", "spending swings"),
            (
                "基本支出、项目支出较上年变动超过30%且超过10万元，应说明原因。",
                "Basic or project expenditure changed by more than 30% and 10 万元: say why.",
            ),
            WHY,
            Rule::Odd(rows(
                &[
                    "basic_expenditure.total",
                    "basic_expenditure.personnel",
                    "project_expenditure.total",
                    "project_expenditure.business",
                    "project_expenditure.operation",
                ],
                "10",
            )),
        ),
        check(
            of("swing_three_public", Warning, THIRTY),
            ("“三公经费”大幅变动", "the three public expenses swing"),
            (
                "“三公经费”及其分项较上年变动超过30%且超过1万元，应说明原因。",
                "The three public expenses, or one of them, changed by more than 30% and 1 万元: say why.",
            ),
            WHY,
            Rule::Odd(rows(&ROWS[..5], "1")),
        ),
        check(
            of("swing_running_costs", Warning, THIRTY),
            ("公用经费大幅变动", "running costs swing"),
            (
                "公用经费、政府采购较上年变动超过30%且超过1万元，应说明原因。",
                "Public funds or procurement changed by more than 30% and 1 万元: say why.",
            ),
            WHY,
            Rule::Odd(
                rows(
                    &[
                        "public_funds.total",
                        "public_funds.office",
                        "public_funds.utilities_and_travel",
                        "public_funds.meetings_and_training",
                        "procurement",
                    ],
                    "1",
                )
                .into_iter()
                .chain([stated_swing("basic_expenditure.public_funds")])
                .collect(),
            ),
        ),
        check(
            of("swing_budget", Warning, THIRTY),
            ("年初预算大幅变动", "the initial budget swings"),
            (
                "年初预算较上年变动超过30%且超过10万元，应说明原因。",
                "The initial budget changed by more than 30% and 10 万元: say why.",
            ),
            WHY,
            Rule::Odd(swing("budget.initial", "prior:budget.initial", "10", "万元").into()),
        ),
        check(
            of(
                "swing_staff",
                Warning,
                Text::fixed("上年数的30%且5人", "30% of last year's and 5 people"),
            ),
            ("人员大幅变动", "staff swing"),
            (
                "编制、在职或离退休人数较上年变动超过30%且超过5人，应说明原因。",
                "Posts, staff in post or retired staff changed by more than 30% and 5 people: say why.",
            ),
            WHY,
            Rule::Odd(
                ["posts", "in_post", "retired"]
                    .iter()
                    .flat_map(|row| swing(&format!("staff.{row}"), &format!("prior:staff.{row}"), "5", "人"))
                    .collect(),
            ),
        ),
        check(
            of("running_cost_staff_swing", Warning, THIRTY),
            (
                "说明运行经费所用人数大幅变动",
                "the staff that running costs are explained by swing",
            ),
            (
                "以人员增减说明运行经费变动的，人数变动超过30%，应有机构编制或人事文件佐证。",
                "Where running costs are explained by a change of staff of more than 30%, a staffing document should show it.",
            ),
            (
                "附机构改革、人员划转文件，并与在职人数核对一致。",
                "Name the document of the reform or transfer, and make it agree with the staff in post.",
            ),
            Rule::Odd(
                swing(
                    "staff.running_cost_staff.current",
                    "staff.running_cost_staff.prior",
                    "5",
                    "人",
                )
                .into(),
            ),
        ),
        check(
            of("running_cost_staff_prior", Warning, NONE),
            ("上年人数两处不一致", "last year's head counts told two ways"),
            (
                "说明运行经费时所用的上年人数，应与上年度基础数据表的年末在职人数一致。",
                "The staff that last year's running costs are explained by should be the staff in post of last year's sheet.",
            ),
            (
                "统一人数口径，或说明差异构成。",
                "Use one count, or say what the difference is made of.",
            ),
            Rule::Odd(vec![Oddity::when(
                ["staff.running_cost_staff.prior ≠ prior:staff.in_post ± 0"],
                "说明运行经费时上年按{staff.running_cost_staff.prior}计，上年度基础数据表年末在职{prior:staff.in_post}。",
                "last year's running costs are explained by {staff.running_cost_staff.prior} staff, and last year's sheet has {prior:staff.in_post} in post",
            )]),
        ),
        check(
            of("vehicle_added_without_purchase", Warning, NONE),
            ("车辆增加而无购置费", "more vehicles and none bought"),
            (
                "公务用车实有数较上年增加，公务用车购置费却为0。",
                "There are more vehicles than last year, and none was bought.",
            ),
            (
                "核对购置费；调拨、划转取得的，说明批准文号。",
                "Check the purchases; name the document where vehicles were handed over.",
            ),
            Rule::Odd(vec![Oddity::when(
                [
                    "vehicles.actual > prior:vehicles.actual",
                    "three_public.vehicle_purchase.final = 0",
                ],
                "公务用车由上年{prior:vehicles.actual}增加到{vehicles.actual}，公务用车购置费为0。",
                "vehicles went from {prior:vehicles.actual} to {vehicles.actual}, and nothing was spent on buying one",
            )]),
        ),
        check(
            of("villages_changed", Notice, NONE),
            ("村、社区个数变动", "the number of villages changed"),
            (
                "行政村、社区个数较上年变动，村级运行经费的测算基数随之变化。",
                "The number of villages or communities changed, and with it what their running costs are reckoned by.",
            ),
            ("在报告中说明区划调整情况。", "Say in the report what was reorganised."),
            Rule::Odd(
                ["villages", "communities"]
                    .map(|row| {
                        let (now, before) = (format!("staff.{row}"), format!("prior:staff.{row}"));
                        Oddity::when(
                            [format!("{now} ≠ {before} ± 0").as_str()],
                            format!("{{@{now}}}由上年{{{before}}}变为{{{now}}}。"),
                            format!("{{@{now}}} went from {{{before}}} to {{{now}}}"),
                        )
                    })
                    .into(),
            ),
        ),
    ]
}

fn prior_columns_differ(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(prior) = facts.prior else {
        return;
    };
    let cent = Decimal::new(1, 2);
    for (variable, told, was) in pairs(facts.sheet.own(), prior) {
        // A total that was added up differs with its parts, which are found themselves.
        let added_up = facts
            .sheet
            .own()
            .figure(variable)
            .is_none_or(|told| told.origin != Origin::Reported);
        let Some(this) = variable.this_year().filter(|_| !added_up && (told - was).abs() > cent) else {
            continue;
        };
        let unit = variable.unit.zh();
        let (label, label_was) = (
            Text::fixed(variable.zh, variable.en),
            Text::new(
                format!("上年度基础数据表：{}", this.zh),
                format!("last year's sheet: {}", this.en),
            ),
        );
        found.push(
            check
                .found(
                    format!(
                        "本年填报的{}为{}，上年度基础数据表为{}，不一致。",
                        variable.zh,
                        with_unit(told, unit, true),
                        with_unit(was, unit, true)
                    ),
                    format!(
                        "{}: {} in this year's sheet, {} in last year's",
                        variable.en,
                        with_unit(told, unit, false),
                        with_unit(was, unit, false)
                    ),
                )
                .keyed(&variable.pointer())
                .at(Source::BaseData, variable.pointer(), label.clone())
                .at(Source::PriorBaseData, this.pointer(), label_was.clone())
                .figure(label, told, unit)
                .figure(label_was, was, unit),
        );
    }
}

fn stated_change_differs(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let cent = Decimal::new(1, 2);
    for row in ROWS {
        let find = |column: &str| {
            let variable = Variable::find(&format!("{row}.{column}"))?;
            Some((variable, facts.sheet.figure(variable)?))
        };
        let (Some(change), Some(now), Some(before)) = (find("change"), find("final"), find("prior_final")) else {
            continue;
        };
        let follows = now.1.value - before.1.value;
        if change.1.origin != Origin::Reported || (change.1.value - follows).abs() <= cent {
            continue;
        }
        let yuan = |value, zh| with_unit(value, "万元", zh);
        let mut finding = check
            .found(
                format!(
                    "{}{}，而{}减{}为{}，不一致。",
                    change.0.zh,
                    yuan(change.1.value, true),
                    yuan(now.1.value, true),
                    yuan(before.1.value, true),
                    yuan(follows, true)
                ),
                format!(
                    "{}: {} stated, while {} less {} is {}",
                    change.0.en,
                    yuan(change.1.value, false),
                    yuan(now.1.value, false),
                    yuan(before.1.value, false),
                    yuan(follows, false)
                ),
            )
            .keyed(&change.0.pointer());
        for (variable, datum) in [change, now, before] {
            let label = Text::fixed(variable.zh, variable.en);
            let (document, place) = match (datum.origin, variable.this_year()) {
                (Origin::PriorYear, Some(this)) => (Source::PriorBaseData, this),
                _ => (Source::BaseData, variable),
            };
            finding = finding
                .at(document, place.pointer(), label.clone())
                .figure(label, datum.value, "万元");
        }
        found.push(finding);
    }
}
