//! Checks between the sheet and the tables of the special funds, and within those (表间关系).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::catalogue::{CENT, Check, NONE, ROUNDING, Rule, Topic, check};
use super::facts::{Facts, FundFacts};
use super::finding::{Finding, Source};
use crate::fault::Text;
use crate::scoring::score::Severity::{Error, Warning};
use crate::scoring::score::{Severity, Status};
use crate::scoring::sheet::FundRow;
use crate::scoring::special_fund::{FundTable, FundingRow, Measure};
use crate::scoring::values::{Amount, digits};
use crate::scoring::variables::{EXECUTION_BUDGET, EXECUTION_EXECUTED, Figures, Variable};

fn of(code: &'static str, severity: Severity, tolerance: Text) -> (&'static str, Severity, Topic, Text) {
    (code, severity, Topic::Forms, tolerance)
}

const SOURCES: [&str; 5] = [
    "fund.funding.total",
    "fund.funding.central_and_provincial",
    "fund.funding.municipal",
    "fund.funding.county",
    "fund.funding.other",
];

/// The checks between forms.
pub fn checks() -> Vec<Check> {
    const LISTED: &str = "project_expenditure.special_funds";
    vec![
        check(
            of("fund_not_in_sheet", Warning, NONE),
            ("专项资金未列入基础数据表", "a special fund that the sheet does not list"),
            (
                "已填报绩效目标自评表的专项资金，应按同一名称列入基础数据表的项目支出。",
                "A special fund with a table of its own should be listed under the sheet's project expenditure by the same name.",
            ),
            ("在基础数据表中补列该项，或统一两表名称。", "List it in the sheet, or use one name in both."),
            Rule::Judged(fund_not_in_sheet),
        )
        .reading(&[LISTED, "fund.name"]),
        check(
            of("row_without_fund_table", Warning, NONE),
            ("所列专项资金无自评表", "a special fund without a table"),
            (
                "基础数据表列示的每项专项资金，都应填报绩效目标自评表（附件3）。",
                "Each special fund that the sheet lists should have a target self-evaluation table.",
            ),
            ("补填该项资金的绩效目标自评表，或统一两表名称。", "File its table, or use one name in both."),
            Rule::Judged(row_without_fund),
        )
        .reading(&[LISTED, "fund.name"]),
        check(
            of("fund_executed_differs", Warning, CENT),
            ("专项资金决算数与自评表执行数不一致", "a fund's final accounts against what was executed"),
            (
                "同一专项资金，基础数据表的本年决算数应等于自评表的全年执行数。",
                "Of one fund, the sheet's final accounts are what its table says was executed.",
            ),
            (
                "核对决算，更正其一；自评表含其他资金或由其他单位列支的，说明差额构成。",
                "Correct one of the two; where the table includes other money or what other units spent, say how much.",
            ),
            Rule::Judged(executed_differs),
        )
        .reading(&["project_expenditure.special_funds.*.final", "fund.funding.total.executed"]),
        check(
            of("fund_budget_differs", Warning, CENT),
            ("专项资金预算数与自评表不一致", "a fund's budget told two ways"),
            (
                "同一专项资金，基础数据表的本年预算数应等于自评表的年初预算数；年中下达的，与全年预算数一致亦可。",
                "Of one fund, the sheet's budget is the initial budget of its table, or the whole year's where it came later.",
            ),
            ("核对预算批复，更正其一或说明口径。", "Correct one of the two, or say how they are meant."),
            Rule::Judged(budget_differs),
        )
        .reading(&[
            "project_expenditure.special_funds.*.budget",
            "fund.funding.total.initial_budget",
            "fund.funding.total.adjusted_budget",
        ]),
        check(
            of("funds_above_project_expenditure", Warning, ROUNDING),
            ("专项资金执行数大于项目支出", "special funds above project expenditure"),
            (
                "各专项资金自评表的全年执行数之和，一般不应大于基础数据表的项目支出决算数。",
                "What the special funds executed in all should not be more than the sheet's project expenditure.",
            ),
            (
                "核对项目支出合计和各项资金执行数；拨付其他单位列支的，说明单位和金额。",
                "Check the project expenditure and what each fund executed; say which other units spent how much of it.",
            ),
            Rule::Judged(funds_above_projects),
        )
        .reading(&["project_expenditure.total.final", "fund.funding.total.executed"]),
        check(
            of("fund_sources_exceed", Error, ROUNDING),
            ("专项资金各来源之和大于总额", "a fund's sources above its total"),
            (
                "年度资金总额应等于中央及省级、市级、县级和其他资金之和，预算数与执行数各自成立；来源之和不可能大于总额。",
                "A fund's total is the sum of central and provincial, municipal, county and other money, in each column; they cannot be more.",
            ),
            ("核对各来源资金，更正合计或分项。", "Correct the total or its sources."),
            Rule::Judged(sources_exceed),
        )
        .reading(&SOURCES),
        check(
            of("fund_sources_short", Warning, ROUNDING),
            ("专项资金各来源之和小于总额", "a fund's sources below its total"),
            (
                "所列资金来源之和小于年度资金总额，其余资金的来源未列明。",
                "The sources listed come to less than the total: where the rest came from is not said.",
            ),
            (
                "补填其余来源，或更正总额；差额为上年结转等未分来源资金的，说明金额。",
                "Fill in the other sources or correct the total; say how much of it has no source, such as what was carried over.",
            ),
            Rule::Judged(sources_short),
        )
        .reading(&SOURCES),
        check(
            of("fund_kinds_exceed", Error, ROUNDING),
            ("当年拨款与结转之和大于资金总额", "a fund's kinds of money above its total"),
            (
                "当年财政拨款与上年结转资金都是年度资金总额的其中数，其和不应大于总额。",
                "This year's appropriation and what was carried over are parts of the total and cannot be more.",
            ),
            ("核对资金总额和两项其中数。", "Correct the total or the two."),
            Rule::Judged(kinds_exceed),
        )
        .reading(&["fund.funding.total", "fund.funding.appropriation", "fund.funding.carried_over"]),
        check(
            of("fund_executed_above_budget", Warning, CENT),
            ("专项资金执行数大于全年预算数", "more executed than budgeted"),
            (
                "全年执行数（B）不应大于调整后的全年预算数（A）：没有预算不得支出。",
                "No more should be executed (B) than the whole year's budget after adjustment (A).",
            ),
            (
                "将年中追加计入全年预算数，或更正执行数；超支属实的，说明资金来源。",
                "Count what was added in the year into A, or correct B; say where the money came from where it is so.",
            ),
            Rule::Judged(executed_above_budget),
        )
        .reading(&["fund.funding.*.adjusted_budget", "fund.funding.*.executed"]),
        check(
            of("fund_without_budget", Warning, NONE),
            ("专项资金全年预算数为0", "a fund with a budget of 0"),
            (
                "全年预算数为0，执行率没有分母；设有绩效目标而没有资金的，应予说明。",
                "With a budget of 0 there is no execution rate; targets without money want a reason.",
            ),
            ("补填全年预算数；资金未下达的，说明原因。", "Fill in the budget; say why where no money came."),
            Rule::Judged(without_budget),
        )
        .reading(&["fund.funding.total.adjusted_budget"]),
        check(
            of("fund_met_without_money", Warning, Text::fixed("全年预算数的50%", "50% of the budget")),
            ("资金未执行而目标全部完成", "all targets met and little spent"),
            (
                "资金执行率不足50%，绩效目标却全部完成：预算可能编列过多，或完成情况不实。",
                "Less than 50% was spent and yet every target is met: the budget may be too large, or what was reached not so.",
            ),
            ("说明结余原因和目标完成的依据。", "Say why money is left and what shows that the targets were met."),
            Rule::Judged(met_without_money),
        )
        .reading(&["fund.funding.total", "fund.targets"]),
        check(
            of("fund_incomplete", Warning, NONE),
            ("专项资金自评表未填完", "a fund's table is not complete"),
            (
                "自评表尚有指标不能计分，该项资金的得分只能是一个区间。确实无法取得数据的，应说明原因。",
                "Lines of the fund's table have no points, and its score is an interval. Say why where figures cannot be had.",
            ),
            (
                "补填该项资金得分（score）的missing所列字段。",
                "Fill in what the `missing` of the fund's score names.",
            ),
            Rule::Judged(incomplete),
        )
        .reading(&["fund.score"]),
        check(
            of("target_covers_other_years", Warning, NONE),
            ("目标所属年度与资金年度不符", "a target of other years than the money"),
            (
                "指标值包含其他年度的任务，与本年度的资金对比，效益会被高估或低估。",
                "The target includes the task of other years, and is set against the money of one.",
            ),
            (
                "按年度拆分目标值和完成值；无法拆分的，说明各年度任务数和资金数。",
                "Split target and achievement by year; else say the task and the money of each.",
            ),
            Rule::Judged(other_years),
        )
        .reading(&["fund.targets.*.covers", "assessments.targets.*.covers"]),
    ]
}

/// A column of a fund's money: its name, how it is read, and its labels.
type Column = (
    &'static str,
    fn(&FundingRow) -> Option<Amount>,
    &'static str,
    &'static str,
);

const COLUMNS: [Column; 3] = [
    (
        "initial_budget",
        |row| row.initial_budget,
        "年初预算数",
        "initial budget",
    ),
    (
        "adjusted_budget",
        |row| row.adjusted_budget,
        "全年预算数",
        "the whole year's budget",
    ),
    ("executed", |row| row.executed, "全年执行数", "executed in the year"),
];

/// A name without what two forms write differently: spaces, brackets' width.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '(' => '（',
            ')' => '）',
            other => other,
        })
        .collect()
}

fn listed<'a>(facts: &Facts<'a>) -> Vec<(usize, &'a FundRow)> {
    facts
        .sheet
        .own()
        .special_funds()
        .into_iter()
        .flatten()
        .enumerate()
        .collect()
}

/// The rows of the sheet and the tables that have the same name.
fn pairs<'a>(facts: &Facts<'a>) -> Vec<(usize, &'a FundRow, &'a FundFacts)> {
    let fund_of = |row: &FundRow| {
        facts
            .funds
            .iter()
            .find(|fund| plain(&fund.name) == plain(row.name.as_str()))
    };
    listed(facts)
        .into_iter()
        .filter_map(|(n, row)| Some((n, row, fund_of(row)?)))
        .collect()
}

fn figure(table: &FundTable, name: &str) -> Option<Decimal> {
    table.figure(Variable::find(name)?).map(|datum| datum.value)
}

fn of_fund(fund: &str, (zh, en): (&str, &str)) -> Text {
    Text::new(format!("{fund}：{zh}"), format!("{fund}: {en}"))
}

fn fund_not_in_sheet(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let rows = listed(facts);
    for fund in facts.funds {
        if rows
            .iter()
            .any(|(_, row)| plain(row.name.as_str()) == plain(&fund.name))
        {
            continue;
        }
        found.push(
            check
                .found(
                    format!(
                        "专项资金“{}”已填报自评表，基础数据表所列{}项专项资金中没有同名项目。",
                        fund.name,
                        rows.len()
                    ),
                    format!(
                        "\"{}\" has a table, and none of the {} special funds in the sheet is called so",
                        fund.name,
                        rows.len()
                    ),
                )
                .keyed(&fund.id)
                .at_fund(&fund.id, "/name", Text::name(&fund.name))
                .at(
                    Source::BaseData,
                    "/project_expenditure/special_funds",
                    Text::fixed("专项资金", "special funds"),
                )
                .figure(
                    Text::fixed("基础数据表所列专项资金", "special funds in the sheet"),
                    rows.len().into(),
                    "项",
                ),
        );
    }
}

fn row_without_fund(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (n, row) in listed(facts) {
        if facts
            .funds
            .iter()
            .any(|fund| plain(&fund.name) == plain(row.name.as_str()))
        {
            continue;
        }
        let mut finding = check
            .found(
                format!("基础数据表列有专项资金“{}”，没有同名的绩效目标自评表。", row.name),
                format!("the sheet lists \"{}\", and there is no table of that name", row.name),
            )
            .keyed(row.name.as_str())
            .at(
                Source::BaseData,
                format!("/project_expenditure/special_funds/{n}/name"),
                Text::name(row.name.as_str()),
            );
        if let Some(amount) = row.final_accounts.or(row.budget) {
            finding = finding.figure(Text::name(row.name.as_str()), amount.get(), "万元");
        }
        found.push(finding);
    }
}

/// A finding of two amounts of one fund, in the sheet and in its table.
fn told_two_ways(
    check: &'static Check,
    fund: &FundFacts,
    (pointer, amount, zh, en): (String, Decimal, &str, &str),
    (column, in_table, table_zh, table_en): (&str, Decimal, &str, &str),
) -> Finding {
    let apart = digits((amount - in_table).abs());
    let (sheet, table) = (digits(amount), digits(in_table));
    check
        .found(
            format!(
                "专项资金“{}”基础数据表{zh}{sheet}万元，自评表{table_zh}{table}万元，相差{apart}万元。",
                fund.name
            ),
            format!(
                "\"{}\": {en} {sheet} 万元 in the sheet, {table_en} {table} 万元 in its table, {apart} 万元 apart",
                fund.name
            ),
        )
        .keyed(&fund.id)
        .at(Source::BaseData, pointer, of_fund(&fund.name, (zh, en)))
        .at_fund(
            &fund.id,
            format!("/funding/total/{column}"),
            of_fund(&fund.name, (table_zh, table_en)),
        )
        .figure(
            Text::new(format!("基础数据表{zh}"), format!("{en} in the sheet")),
            amount,
            "万元",
        )
        .figure(
            Text::new(format!("自评表{table_zh}"), format!("{table_en} in the table")),
            in_table,
            "万元",
        )
}

fn executed_differs(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (n, row, fund) in pairs(facts) {
        let (Some(told), Some(executed)) = (row.final_accounts, figure(&fund.table, EXECUTION_EXECUTED)) else {
            continue;
        };
        if (told.get() - executed).abs() > Decimal::new(1, 2) {
            found.push(told_two_ways(
                check,
                fund,
                (
                    format!("/project_expenditure/special_funds/{n}/final"),
                    told.get(),
                    "本年决算数",
                    "final accounts",
                ),
                ("executed", executed, "全年执行数", "executed"),
            ));
        }
    }
}

fn budget_differs(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (n, row, fund) in pairs(facts) {
        let initial = fund
            .table
            .funding
            .total
            .and_then(|total| total.initial_budget)
            .map(Amount::get);
        let whole = figure(&fund.table, EXECUTION_BUDGET);
        let (Some(told), Some(initial)) = (row.budget, initial) else {
            continue;
        };
        let same = |other: Decimal| (told.get() - other).abs() <= Decimal::new(1, 2);
        if !same(initial) && !whole.is_some_and(same) {
            found.push(told_two_ways(
                check,
                fund,
                (
                    format!("/project_expenditure/special_funds/{n}/budget"),
                    told.get(),
                    "本年预算数",
                    "budget",
                ),
                ("initial_budget", initial, "年初预算数", "initial budget"),
            ));
        }
    }
}

fn funds_above_projects(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some((variable, total)) = Variable::find("project_expenditure.total.final")
        .and_then(|variable| Some((variable, facts.sheet.figure(variable)?.value)))
    else {
        return;
    };
    let executed: Vec<_> = facts
        .funds
        .iter()
        .filter_map(|fund| Some((fund, figure(&fund.table, EXECUTION_EXECUTED)?)))
        .collect();
    let sum: Decimal = executed.iter().map(|(_, executed)| *executed).sum();
    if sum <= total + Decimal::new(1, 2) * Decimal::from(executed.len()) {
        return;
    }
    let mut finding = check
        .found(
            format!(
                "{}项专项资金全年执行数合计{}万元，大于项目支出决算数{}万元，多出{}万元。",
                executed.len(),
                digits(sum),
                digits(total),
                digits(sum - total)
            ),
            format!(
                "{} special funds executed {} 万元, more than the project expenditure of {} 万元, by {} 万元",
                executed.len(),
                digits(sum),
                digits(total),
                digits(sum - total)
            ),
        )
        .at(
            Source::BaseData,
            variable.pointer(),
            Text::fixed(variable.zh, variable.en),
        )
        .figure(Text::fixed(variable.zh, variable.en), total, "万元");
    for (fund, amount) in executed {
        let label = of_fund(&fund.name, ("全年执行数", "executed"));
        finding = finding
            .at_fund(&fund.id, "/funding/total/executed", label.clone())
            .figure(label, amount, "万元");
    }
    found.push(finding.figure(Text::fixed("专项资金执行数合计", "executed by all funds"), sum, "万元"));
}

/// The rows of a fund's money, as places and labels.
fn money(table: &FundTable) -> [(&'static str, Option<FundingRow>, &'static str, &'static str); 7] {
    let funding = &table.funding;
    [
        ("total", funding.total, "年度资金总额", "total"),
        (
            "central_and_provincial",
            funding.central_and_provincial,
            "中央及省级资金",
            "central and provincial",
        ),
        ("municipal", funding.municipal, "市级资金", "municipal"),
        ("county", funding.county, "县级资金", "county"),
        ("other", funding.other, "其他资金", "other"),
        (
            "appropriation",
            funding.appropriation,
            "当年财政拨款",
            "appropriated this year",
        ),
        ("carried_over", funding.carried_over, "上年结转资金", "carried over"),
    ]
}

/// The columns of a fund's money in which these rows of it come to more than the total, or to less.
fn against_total(
    check: &'static Check,
    fund: &FundFacts,
    parts: std::ops::Range<usize>,
    off: Ordering,
    found: &mut Vec<Finding>,
) {
    let rows = money(&fund.table);
    for (column, read, zh, en) in COLUMNS {
        let Some(total) = rows[0].1.as_ref().and_then(read) else {
            continue;
        };
        let given: Vec<_> = rows[parts.clone()]
            .iter()
            .filter_map(|(at, row, zh, en)| Some((*at, row.as_ref().and_then(read)?.get(), *zh, *en)))
            .collect();
        let sum: Decimal = given.iter().map(|(_, amount, ..)| *amount).sum();
        let apart = sum - total.get();
        let tolerance = Decimal::new(1, 2) * Decimal::from(given.len());
        if given.is_empty() || apart.abs() <= tolerance || sum.cmp(&total.get()) != off {
            continue;
        }
        let amounts: Vec<_> = given.iter().map(|(_, amount, ..)| digits(*amount)).collect();
        let label = |of: (&str, &str)| {
            Text::new(
                format!("{}：{}{zh}", fund.name, of.0),
                format!("{}: {}, {en}", fund.name, of.1),
            )
        };
        let of_total = label((rows[0].2, rows[0].3));
        let mut finding = check
            .found(
                format!(
                    "专项资金“{}”{zh}：{}＝{}万元，与资金总额{}万元不符，相差{}万元。",
                    fund.name,
                    amounts.join("＋"),
                    digits(sum),
                    total,
                    digits(apart.abs())
                ),
                format!(
                    "\"{}\", {en}: {} = {} 万元, while the total is {} 万元, {} 万元 apart",
                    fund.name,
                    amounts.join(" + "),
                    digits(sum),
                    total,
                    digits(apart.abs())
                ),
            )
            .keyed(&format!("{}/{column}", fund.id))
            .at_fund(&fund.id, format!("/funding/total/{column}"), of_total.clone())
            .figure(of_total, total.get(), "万元");
        for (at, amount, zh, en) in given {
            finding = finding
                .at_fund(&fund.id, format!("/funding/{at}/{column}"), label((zh, en)))
                .figure(label((zh, en)), amount, "万元");
        }
        found.push(finding.figure(Text::fixed("各分项之和", "sum of the parts"), sum, "万元"));
    }
}

fn sources_exceed(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds {
        against_total(check, fund, 1..5, Ordering::Greater, found);
    }
}

fn sources_short(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds {
        against_total(check, fund, 1..5, Ordering::Less, found);
    }
}

fn kinds_exceed(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds {
        against_total(check, fund, 5..7, Ordering::Greater, found);
    }
}

fn executed_above_budget(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds {
        for (at, row, zh, en) in money(&fund.table) {
            let Some(row) = row else { continue };
            let (Some(budget), Some(executed)) = (row.adjusted_budget, row.executed) else {
                continue;
            };
            let over = executed.get() - budget.get();
            if over <= Decimal::new(1, 2) {
                continue;
            }
            let label = |(column_zh, column_en): (&str, &str)| {
                Text::new(
                    format!("{}：{zh}{column_zh}", fund.name),
                    format!("{}: {en}, {column_en}", fund.name),
                )
            };
            let (a, b) = (label(("全年预算数", "budget")), label(("全年执行数", "executed")));
            found.push(
                check
                    .found(
                        format!(
                            "专项资金“{}”{zh}全年执行数{executed}万元，大于全年预算数{budget}万元，多出{}万元。",
                            fund.name,
                            digits(over)
                        ),
                        format!(
                            "\"{}\", {en}: {executed} 万元 executed of a budget of {budget} 万元, {} 万元 more",
                            fund.name,
                            digits(over)
                        ),
                    )
                    .keyed(&format!("{}/{at}", fund.id))
                    .at_fund(&fund.id, format!("/funding/{at}/adjusted_budget"), a.clone())
                    .at_fund(&fund.id, format!("/funding/{at}/executed"), b.clone())
                    .figure(a, budget.get(), "万元")
                    .figure(b, executed.get(), "万元"),
            );
        }
    }
}

fn without_budget(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds {
        if figure(&fund.table, EXECUTION_BUDGET) != Some(Decimal::ZERO) {
            continue;
        }
        let label = of_fund(&fund.name, ("全年预算数", "the whole year's budget"));
        found.push(
            check
                .found(
                    format!(
                        "专项资金“{}”全年预算数为0万元，设有绩效指标{}项。",
                        fund.name,
                        fund.table.targets.len()
                    ),
                    format!(
                        "\"{}\" has a budget of 0 万元 and {} targets",
                        fund.name,
                        fund.table.targets.len()
                    ),
                )
                .keyed(&fund.id)
                .at_fund(&fund.id, "/funding/total/adjusted_budget", label.clone())
                .figure(label, Decimal::ZERO, "万元"),
        );
    }
}

/// Whether a row's target was met as far as it goes; `None` while that is open.
fn met(measure: &Measure) -> Option<bool> {
    match measure {
        Measure::Quantity(quantity) => Some(quantity.share(quantity.actual?) == Decimal::ONE_HUNDRED),
        Measure::Quality(quality) => Some(quality.share?.get() == Decimal::ONE_HUNDRED),
    }
}

fn met_without_money(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds {
        let all_met =
            !fund.table.targets.is_empty() && fund.table.targets.iter().all(|row| met(&row.measure) == Some(true));
        let (Some(budget), Some(executed)) = (
            figure(&fund.table, EXECUTION_BUDGET),
            figure(&fund.table, EXECUTION_EXECUTED),
        ) else {
            continue;
        };
        if !all_met || budget.is_zero() || executed * Decimal::TWO >= budget {
            continue;
        }
        let labels = [
            of_fund(&fund.name, ("全年预算数", "the whole year's budget")),
            of_fund(&fund.name, ("全年执行数", "executed in the year")),
        ];
        found.push(
            check
                .found(
                    format!(
                        "专项资金“{}”全年预算{}万元，执行{}万元，不足一半，{}项绩效指标却全部完成。",
                        fund.name,
                        digits(budget),
                        digits(executed),
                        fund.table.targets.len()
                    ),
                    format!(
                        "\"{}\": {} 万元 executed of {} 万元, less than half, and all {} targets met",
                        fund.name,
                        digits(executed),
                        digits(budget),
                        fund.table.targets.len()
                    ),
                )
                .keyed(&fund.id)
                .at_fund(&fund.id, "/funding/total/adjusted_budget", labels[0].clone())
                .at_fund(&fund.id, "/funding/total/executed", labels[1].clone())
                .figure(labels[0].clone(), budget, "万元")
                .figure(labels[1].clone(), executed, "万元"),
        );
    }
}

fn incomplete(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for fund in facts.funds.iter().filter(|fund| !fund.score.complete) {
        let open = fund
            .score
            .lines
            .iter()
            .filter(|line| line.status == Status::Open)
            .count();
        let (low, high) = (digits(fund.score.interval.low), digits(fund.score.interval.high));
        let mut finding = check
            .found(
                format!(
                    "专项资金“{}”自评表尚缺{}项内容，得分在{low}分至{high}分之间。",
                    fund.name,
                    fund.score.missing.len()
                ),
                format!(
                    "the table of \"{}\" lacks {} fields; its score lies between {low} and {high}",
                    fund.name,
                    fund.score.missing.len()
                ),
            )
            .keyed(&fund.id)
            .figure(
                Text::fixed("尚不能计分的指标", "lines without points"),
                open.into(),
                "项",
            );
        for missing in &fund.score.missing {
            finding = finding.at_fund(&fund.id, missing.field.pointer.clone(), missing.field.label.clone());
        }
        found.push(finding);
    }
}

fn other_years(check: &'static Check, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in super::score::target_lists(facts) {
        for (n, row) in list.rows.iter().enumerate() {
            let Some(covers) = row.covers else { continue };
            let (from, to) = (covers.from.get(), covers.to.get());
            if (from, to) == (facts.year, facts.year) {
                continue;
            }
            let target = match &row.measure {
                Measure::Quantity(quantity) => Some(quantity.target.get()),
                Measure::Quality(_) => None,
            };
            let said = target.map(digits).unwrap_or_default();
            let mut finding = check
                .found(
                    format!(
                        "“{}”的目标值{said}为{from}—{to}年度任务，资金和支出为{}年度。",
                        row.name, facts.year
                    ),
                    format!(
                        "the target {said} of \"{}\" is the task of {from} to {to}, and the money is of {}",
                        row.name, facts.year
                    ),
                )
                .keyed(&list.key(row));
            finding = list.place(finding, &format!("{n}/covers"), Text::name(row.name.as_str()));
            if let Some(target) = target {
                finding = finding.figure(Text::name(row.name.as_str()), target, "");
            }
            found.push(
                finding
                    .figure(Text::fixed("任务起始年度", "first year of the task"), from.into(), "年")
                    .figure(Text::fixed("任务截止年度", "last year of the task"), to.into(), "年")
                    .figure(Text::fixed("资金年度", "year of the money"), facts.year.into(), "年"),
            );
        }
    }
}
