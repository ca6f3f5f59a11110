//! The money of a published table in itself, and rows that measure it once more.

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::cause::{Cause, percent};
use super::super::finding::Finding;
use super::super::wording;
use super::examine::{Examiner, found, label};
use super::kinds::Kind;
use super::rows::{BUDGET, Column, EXECUTED, INITIAL, Money, Row};
use super::{About, AmountUnit};
use crate::fault::Text;
use crate::scoring::values::digits;

/// A column whose total row is not the sum of its parts: its field, the total, the sum, its label in Chinese and English.
type Off = (&'static str, Decimal, Decimal, &'static str, &'static str);

const COLUMNS: [(&str, Column, &str, &str); 3] = [
    ("initial_budget", INITIAL, "年初预算数", "initial budget"),
    ("adjusted_budget", BUDGET, "全年预算数", "adjusted budget"),
    ("executed", EXECUTED, "全年执行数", "executed"),
];

impl Examiner<'_> {
    pub(super) fn unit(&self) -> &'static str {
        match self.table.amounts_in.unwrap_or_default() {
            AmountUnit::TenThousandYuan => "万元",
            AmountUnit::Yuan => "元",
        }
    }

    /// Executed / adjusted budget, in percent: of the money, else of the row that says that it is the execution rate.
    pub(super) fn execution(&self) -> Option<Decimal> {
        let of_money = self
            .money
            .executed
            .zip(self.money.budget)
            .and_then(|(b, a)| percent(b, a));
        let of_row = || {
            let row = self
                .rows
                .iter()
                .find(|row| row.printed.about == Some(About::ExecutionRate))?;
            row.ratios.first().copied()
        };
        of_money.or_else(of_row)
    }

    /// Figures that may have been taken instead of the right ones.
    pub(super) fn other_figures(&self) -> Vec<(Text, Decimal)> {
        COLUMNS
            .iter()
            .filter_map(|(_, column, zh, en)| {
                let figure = self.table.whole(*column).filter(|figure| !figure.is_zero())?;
                Some((Text::fixed(zh, en), figure))
            })
            .collect()
    }

    pub(super) fn funding(&mut self) {
        let unit = self.unit();
        let money = |label: Text, value, finding: Finding| finding.figure(label, value, unit);
        // A total row that was left at 0 is one mistake, however many columns it has.
        let mut off = Vec::new();
        for (name, column, zh, en) in COLUMNS {
            let Some(whole) = self.table.whole(column) else {
                continue;
            };
            if let Some(parts) = self
                .table
                .parts(column)
                .into_iter()
                .flatten()
                .find(|parts| *parts != whole)
            {
                off.push((name, whole, parts, zh, en));
            }
        }
        if let Some((name, ..)) = off.first() {
            let list = |separator: &str, word: &dyn Fn(&Off) -> String| {
                off.iter().map(word).collect::<Vec<_>>().join(separator)
            };
            let zh = list("；", &|(_, whole, parts, zh, _)| {
                format!(
                    "{zh}合计行为{}{unit}，分项之和为{}{unit}",
                    digits(*whole),
                    digits(*parts)
                )
            });
            let en = list("; ", &|(_, whole, parts, _, en)| {
                format!(
                    "{en}: the total row says {}, its parts add up to {} {unit}",
                    digits(*whole),
                    digits(*parts)
                )
            });
            let mut finding = found(
                Kind::FundingTotal,
                &format!("/funding/total/{name}"),
                Text::fixed("资金合计行", "total row of the funding"),
                format!("{zh}。"),
                en,
            );
            if off.iter().all(|(_, whole, ..)| whole.is_zero()) {
                finding = finding.because(Some(Cause::fixed(
                    "total_row_empty",
                    "合计行未取数（公式未生效）",
                    "the total row was left at 0 (a formula that does not work)",
                )));
            }
            for (_, whole, parts, zh, en) in &off {
                finding = money(Text::new(format!("{zh}合计"), format!("{en}, total")), *whole, finding);
                finding = money(
                    Text::new(format!("{zh}分项之和"), format!("{en}, sum of parts")),
                    *parts,
                    finding,
                );
            }
            self.found.push(finding);
        }
        let Money {
            initial,
            budget,
            executed,
        } = self.money;
        let zero = |figure: Option<Decimal>| figure.is_some_and(|figure| figure.is_zero());
        if zero(budget) {
            self.found.push(found(
                Kind::ZeroDenominator,
                "/funding/total/adjusted_budget",
                Text::fixed("全年预算数", "adjusted budget"),
                "全年预算数（A）为0，执行率无法计算。".to_owned(),
                "the adjusted budget (A) is 0: there is no execution rate".to_owned(),
            ));
        } else if zero(initial)
            && let Some(budget) = budget
        {
            let finding = found(
                Kind::InitialBudgetZero,
                "/funding/total/initial_budget",
                Text::fixed("年初预算数", "initial budget"),
                format!(
                    "年初预算数为0，全年预算数为{}{unit}：执行率应以全年预算数为分母。",
                    digits(budget)
                ),
                format!(
                    "the initial budget is 0, the adjusted one {} {unit}: the execution rate is to the latter",
                    digits(budget)
                ),
            );
            self.found
                .push(money(Text::fixed("全年预算数", "adjusted budget"), budget, finding));
        }
        if let (Some(executed), Some(budget)) = (executed, budget)
            && executed > budget
        {
            let finding = found(
                Kind::ExecutedAboveBudget,
                "/funding/total/executed",
                Text::fixed("全年执行数", "executed"),
                format!(
                    "全年执行数{}{unit}大于全年预算数{}{unit}。",
                    digits(executed),
                    digits(budget)
                ),
                format!(
                    "{} {unit} executed of a budget of {} {unit}",
                    digits(executed),
                    digits(budget)
                ),
            );
            let finding = money(Text::fixed("全年执行数", "executed"), executed, finding);
            self.found
                .push(money(Text::fixed("全年预算数", "adjusted budget"), budget, finding));
        }
        self.amounts_in_yuan();
    }

    fn amounts_in_yuan(&mut self) {
        let Money {
            initial,
            budget,
            executed,
        } = self.money;
        let Some(most) = [initial, budget, executed].into_iter().flatten().max() else {
            return;
        };
        let amount = digits(most);
        let (zh, en) = match self.table.amounts_in.unwrap_or_default() {
            AmountUnit::Yuan => (
                format!(
                    "金额以元填列（{amount}元，即{}万元），表式要求以万元为单位。",
                    digits(most / Decimal::from(10_000))
                ),
                format!(
                    "amounts are in 元 ({amount}, or {} 万元); the forms ask for 万元",
                    digits(most / Decimal::from(10_000))
                ),
            ),
            AmountUnit::TenThousandYuan if most > Decimal::from(100_000) => (
                format!("金额达{amount}万元，疑为以元填列。"),
                format!("{amount} 万元: probably 元"),
            ),
            AmountUnit::TenThousandYuan => return,
        };
        let finding = found(
            Kind::AmountsInYuan,
            "/funding",
            Text::fixed("项目资金", "funding"),
            zh,
            en,
        );
        self.found
            .push(finding.figure(Text::fixed("最大金额", "largest amount"), most, self.unit()));
    }

    /// Rows that measure the money once more.
    pub(super) fn once_more(&mut self, row: &Row<'_>) {
        let Some(target) = row.target else {
            return;
        };
        let name = &row.printed.name;
        let pointer = format!("/rows/{}/measure/actual", row.n);
        let execution = self.execution();
        match row.printed.about {
            Some(About::ExecutionRate) => {}
            Some(About::Cost) => {
                if let Some(executed) = self.money.executed
                    && executed != target.actual
                {
                    let unit = self.unit();
                    let finding = found(
                        Kind::Cost,
                        &pointer,
                        label(row),
                        format!(
                            "“{name}”完成值为{}{unit}，与全年执行数{}{unit}不一致。",
                            digits(target.actual),
                            digits(executed)
                        ),
                        format!(
                            "\"{name}\" says {} {unit}; {} {unit} were executed",
                            digits(target.actual),
                            digits(executed)
                        ),
                    );
                    self.found.push(
                        finding
                            .figure(Text::fixed("成本完成值", "cost"), target.actual, unit)
                            .figure(Text::fixed("全年执行数", "executed"), executed, unit),
                    );
                }
            }
            Some(About::CarryOverRate) => {
                if let Some(rate) = execution
                    && rate < Decimal::from(99)
                    && target.actual.is_zero()
                {
                    let finding = found(
                        Kind::CarryOver,
                        &pointer,
                        label(row),
                        format!("预算执行率只有{}，“{name}”却填0，互相矛盾。", wording::percent(rate)),
                        format!(
                            "{} of the budget was executed, and \"{name}\" is 0",
                            wording::percent(rate)
                        ),
                    );
                    self.found.push(
                        finding
                            .figure(Text::fixed("预算执行率", "execution rate"), rate.round_dp(6), "%")
                            .figure(Text::fixed("结转结余率", "carry-over rate"), target.actual, "%"),
                    );
                }
            }
            None => {
                let Some(rate) = execution.filter(|rate| *rate < Decimal::ONE_HUNDRED) else {
                    return;
                };
                let same_amounts =
                    self.money.budget == Some(target.target) && self.money.executed == Some(target.actual);
                let decimals = target.actual.normalize().scale();
                let same_rate = target.actual == rate
                    || decimals > 0
                        && rate.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
                            == target.actual;
                if same_amounts || same_rate {
                    let actual = digits(target.actual);
                    let finding = found(
                        Kind::SameFactTwice,
                        &pointer,
                        label(row),
                        format!(
                            "“{name}”的完成值{actual}与预算执行情况（执行率{}）是同一数据，重复计分。",
                            wording::percent(rate)
                        ),
                        format!(
                            "\"{name}\" ({actual}) is the execution of the budget once more ({}): one fact scored twice",
                            wording::percent(rate)
                        ),
                    );
                    self.found.push(
                        finding
                            .figure(Text::fixed("完成值", "result"), target.actual, "")
                            .figure(Text::fixed("预算执行率", "execution rate"), rate.round_dp(6), "%"),
                    );
                }
            }
        }
    }
}
