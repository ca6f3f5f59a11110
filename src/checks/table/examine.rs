//! What in a published table contradicts itself.

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::cause::{self, Cause, Worked, percent};
use super::super::finding::{Finding, Source};
use super::super::judged::{self, Judged, Rounds};
use super::kinds::Kind;
use super::rows::{self, BUDGET, Column, EXECUTED, INITIAL, Money, Row, Target};
use super::{
    About, AmountUnit, Counts, Examination, KnownBy, PublishedSection, PublishedTable, RoundingUsed, RowExamined,
    RowMeasure, RowVerdict, TotalExamined,
};
use crate::fault::{Fault, Text};
use crate::scoring::assessment::Assessments;
use crate::scoring::printed::Printed;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::{Range, Severity};
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::Comparison;
use crate::scoring::values::digits;
use crate::scoring::{Case, score};

/// Examines a table. `scheme` is the one that it names or brings along.
///
/// # Errors
/// Every fault of the document that its schema cannot see: sections and indicators that do not exist, formulas that do
/// not parse, rules that cannot be.
pub fn examine(table: &PublishedTable, scheme: Option<&Scheme>) -> Result<Examination, Vec<Fault>> {
    let nothing = BaseData::default();
    let sheet = table.base_data.as_ref().unwrap_or(&nothing);
    let score = scheme.map(|scheme| score(scheme, &Case::of_unit(sheet, &Assessments::default())));
    let money = table.money();
    let rows = rows::read(table, scheme, score.as_ref(), sheet, money)?;
    let (rounding, rounds) = rounding(table, scheme, &rows);
    let mut examiner = Examiner {
        table,
        rows: &rows,
        sheet,
        money,
        rounds,
        full_marks: table.full_marks.map_or(Decimal::ONE_HUNDRED, |marks| marks.get()),
        found: Vec::new(),
    };
    examiner.funding();
    let verdicts: Vec<_> = rows.iter().map(|row| examiner.row(row)).collect();
    examiner.better_for_less();
    for (n, section) in table.sections.iter().enumerate() {
        examiner.section(n, section);
    }
    examiner.weights();
    let total = examiner.total();
    Ok(finish(examiner.found, verdicts, rounding, total))
}

fn rounding(table: &PublishedTable, scheme: Option<&Scheme>, rows: &[Row<'_>]) -> (RoundingUsed, Rounds) {
    let printed: Vec<(Judged<'_>, Decimal)> = rows
        .iter()
        .filter_map(|row| Some((row.judged?, row.printed.points?.get())))
        .collect();
    let fit = judged::infer(&printed);
    let stated = table.rounding.as_ref().map(Rounds::from).or_else(|| {
        scheme.map(|scheme| Rounds {
            ratio: scheme.round_ratio,
            points: scheme.round_points,
        })
    });
    let (rounds, known) = match stated {
        Some(rounds) => (rounds, KnownBy::Stated),
        None if fit.tested == 0 || fit.explained == 0 => (fit.rounds, KnownBy::Usual),
        None => (fit.rounds, KnownBy::Inferred),
    };
    let words = rounds.words();
    let telling = (fit.tested, fit.explained);
    let text = match known {
        KnownBy::Stated => Text::new(format!("按规定：{}。", words.zh), format!("as stated: {}", words.en)),
        KnownBy::Usual => Text::new(
            format!("没有能说明取舍方式的指标，按通常方式：{}。", words.zh),
            format!("no row tells how it is rounded; as usual: {}", words.en),
        ),
        KnownBy::Inferred => Text::new(
            format!("据各指标推断：{}（{}项中有{}项相符）。", words.zh, telling.0, telling.1),
            format!(
                "inferred from the rows: {} ({} of {} follow so)",
                words.en, telling.1, telling.0
            ),
        ),
    };
    let inferred = known == KnownBy::Inferred;
    let explained = match known {
        KnownBy::Stated => printed
            .iter()
            .filter(|(judged, points)| judged::telling(judged) && judged.rounded(rounds) == Some(*points))
            .count(),
        KnownBy::Inferred | KnownBy::Usual => fit.explained,
    };
    let used = RoundingUsed {
        rounds,
        known,
        tested: fit.tested,
        explained,
        also: if inferred { fit.also } else { Vec::new() },
        text,
    };
    (used, rounds)
}

fn finish(findings: Vec<Finding>, rows: Vec<RowExamined>, rounding: RoundingUsed, total: TotalExamined) -> Examination {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = Counts {
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notices: count(Severity::Notice),
    };
    let of = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let (follow, contradict) = (of(RowVerdict::Follows), of(RowVerdict::Contradicts));
    let unchecked = of(RowVerdict::NotChecked);
    let Counts {
        errors,
        warnings,
        notices,
    } = counts;
    let summary = Text::new(
        format!(
            "共{}行：{follow}行相符，{contradict}行与自身数据矛盾，{unchecked}行无从核对；发现差错{errors}处、疑点{warnings}处、提示{notices}处。",
            rows.len()
        ),
        format!(
            "{} rows: {follow} follow, {contradict} contradict their own figures, {unchecked} cannot be checked; {errors} errors, {warnings} warnings, {notices} notices",
            rows.len()
        ),
    );
    Examination {
        summary,
        counts,
        rounding,
        findings,
        rows,
        total,
    }
}

struct Examiner<'a> {
    table: &'a PublishedTable,
    rows: &'a [Row<'a>],
    sheet: &'a BaseData,
    money: Money,
    rounds: Rounds,
    full_marks: Decimal,
    found: Vec<Finding>,
}

/// A ratio as findings say it: two decimals, half up.
fn shown(percent: Decimal) -> String {
    format!(
        "{}%",
        percent
            .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
            .normalize()
    )
}

/// A finding about a field of the table, filed under its place.
fn found(kind: Kind, pointer: &str, label: Text, zh: String, en: String) -> Finding {
    kind.check()
        .found(zh, en)
        .at(Source::Table, pointer, label)
        .keyed(pointer)
}

fn label(row: &Row<'_>) -> Text {
    Text::new(row.printed.name.to_string(), row.printed.name.to_string())
}

/// A column whose total row is not the sum of its parts: its field, the total, the sum, its label in Chinese and English.
type Off = (&'static str, Decimal, Decimal, &'static str, &'static str);

const COLUMNS: [(&str, Column, &str, &str); 3] = [
    ("initial_budget", INITIAL, "年初预算数", "initial budget"),
    ("adjusted_budget", BUDGET, "全年预算数", "adjusted budget"),
    ("executed", EXECUTED, "全年执行数", "executed"),
];

impl Examiner<'_> {
    fn unit(&self) -> &'static str {
        match self.table.amounts_in.unwrap_or_default() {
            AmountUnit::TenThousandYuan => "万元",
            AmountUnit::Yuan => "元",
        }
    }

    /// Executed / adjusted budget, in percent: of the money, else of the row that says that it is the execution rate.
    fn execution(&self) -> Option<Decimal> {
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

    fn funding(&mut self) {
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

    fn row(&mut self, row: &Row<'_>) -> RowExamined {
        let before = self.found.len();
        let ratio_checked = self.ratio(row);
        let points = self.points(row);
        let contradicts = self.found.len() > before;
        let points_checked = points.is_some() && row.printed.points.is_some();
        self.printed_numbers(row);
        self.once_more(row);
        if let Some(weight) = row.weight
            && weight * Decimal::TWO > self.full_marks
        {
            let finding = found(
                Kind::OneRowDominates,
                &format!("/rows/{}/weight", row.n),
                label(row),
                format!(
                    "“{}”一项占{}分，超过总分{}分的一半。",
                    row.printed.name,
                    digits(weight),
                    digits(self.full_marks)
                ),
                format!(
                    "\"{}\" alone weighs {} of {} points",
                    row.printed.name,
                    digits(weight),
                    digits(self.full_marks)
                ),
            );
            self.found
                .push(finding.figure(Text::fixed("分值", "weight"), weight, "分"));
        }
        RowExamined {
            pointer: format!("/rows/{}", row.n),
            name: row.printed.name.clone(),
            verdict: match (contradicts, ratio_checked || points_checked) {
                (true, _) => RowVerdict::Contradicts,
                (false, true) => RowVerdict::Follows,
                (false, false) => RowVerdict::NotChecked,
            },
            printed_ratio: row.printed.ratio,
            ratio: row.ratios.first().copied(),
            printed_points: row.printed.points,
            points,
        }
    }

    /// Holds the printed ratio against the figures; whether there was anything to hold.
    fn ratio(&mut self, row: &Row<'_>) -> bool {
        let pointer = format!("/rows/{}/ratio", row.n);
        if let (RowMeasure::Ratio(_), Some((_, denominator))) = (&row.printed.measure, row.figures)
            && denominator.is_zero()
        {
            self.found.push(found(
                Kind::ZeroDenominator,
                &format!("/rows/{}/measure/denominator", row.n),
                label(row),
                format!("“{}”的分母为0，比率无法计算。", row.printed.name),
                format!("\"{}\" is divided by 0: there is no ratio", row.printed.name),
            ));
        }
        let (Some(printed), Some(right)) = (row.printed.ratio, row.ratios.first().copied()) else {
            return false;
        };
        if row.ratios.iter().any(|ratio| printed.agrees_with(*ratio)) {
            return true;
        }
        let others = self.other_figures();
        let figures = row.figures.or(row.target.map(|target| (target.actual, target.target)));
        let cause = figures.and_then(|(numerator, denominator)| {
            let worked = Worked {
                numerator,
                denominator,
                formulas: row.formulas.as_ref().map(|(n, d)| (n, d, self.sheet as _)),
                others: &others,
            };
            let of_total_row = matches!(row.printed.measure, RowMeasure::Execution(_))
                && printed.percent().is_zero()
                && self.table.whole(BUDGET).is_some_and(|whole| whole.is_zero());
            match of_total_row {
                true => Some(Cause::fixed(
                    "total_row_empty",
                    "取自为0的合计行",
                    "taken from a total row of 0",
                )),
                false => cause::of_ratio(printed, &worked),
            }
        });
        let name = &row.printed.name;
        let working = figures
            .map(|(n, d)| format!("{}/{} = ", digits(n), digits(d)))
            .unwrap_or_default();
        let finding = found(
            Kind::Ratio,
            &pointer,
            label(row),
            format!("“{name}”填{printed}，按其自身数据应为{working}{}。", shown(right)),
            format!(
                "\"{name}\" says {printed}; its own figures give {working}{}",
                shown(right)
            ),
        );
        let finding = finding
            .figure(Text::fixed("填报比率", "ratio printed"), printed.percent(), "%")
            .figure(Text::fixed("应为", "ratio that follows"), right.round_dp(6), "%");
        self.found.push(finding.because(cause));
        true
    }

    /// Figures that may have been taken instead of the right ones.
    fn other_figures(&self) -> Vec<(Text, Decimal)> {
        COLUMNS
            .iter()
            .filter_map(|(_, column, zh, en)| {
                let figure = self.table.whole(*column).filter(|figure| !figure.is_zero())?;
                Some((Text::fixed(zh, en), figure))
            })
            .collect()
    }

    /// Holds the printed points against the rule; the points that follow.
    fn points(&mut self, row: &Row<'_>) -> Option<Decimal> {
        let right = row.judged.and_then(|judged| judged.rounded(self.rounds)).or(row.given);
        let printed = row.printed.points?.get();
        let pointer = format!("/rows/{}/points", row.n);
        let name = &row.printed.name;
        if let Some(weight) = row.weight
            && printed > weight
        {
            let finding = found(
                Kind::PointsAboveWeight,
                &pointer,
                label(row),
                format!("“{name}”得{}分，超过分值{}分。", digits(printed), digits(weight)),
                format!("\"{name}\" got {} of {} points", digits(printed), digits(weight)),
            );
            self.found.push(
                finding
                    .figure(Text::fixed("填报得分", "points printed"), printed, "分")
                    .figure(Text::fixed("分值", "weight"), weight, "分"),
            );
            return right;
        }
        let right = right?;
        if printed == right {
            return Some(right);
        }
        // Full marks were due, or were given for less: these two are what a reviewer asks about first.
        let full = row.weight == Some(printed);
        let exact = row.judged.and_then(|judged| judged.points()).unwrap_or(right);
        let met = row.weight == Some(exact);
        let cause = row.judged.and_then(|judged| {
            cause::of_points(printed, &judged, self.rounds, misread(row)).or_else(|| {
                let (cause, ratio) = direction(row)?;
                (Judged { ratio, ..judged }.rounded(self.rounds) == Some(printed)).then_some(cause)
            })
        });
        let (p, r) = (digits(printed), digits(right));
        let why = match row.judged {
            Some(judged) => shown(judged.ratio),
            None => String::new(),
        };
        let reason = row.printed.deviation.as_ref().map(|words| words.as_str());
        let (kind, zh, en) = match (full, met) {
            (true, _) => (
                Kind::FullMarksOnMiss,
                format!("“{name}”未达标（{why}）却得满分{p}分，按规则应得{r}分。"),
                format!("\"{name}\" missed its target ({why}) and got full marks, {p}; the rule gives {r}"),
            ),
            (false, true) => (
                Kind::PointsOffThoughMet,
                match reason {
                    Some(reason) => format!("“{name}”已达标，得{p}分，应得满分{r}分；表中说明的原因：{reason}。"),
                    None => format!("“{name}”已达标仍扣分：得{p}分，应得满分{r}分，未说明原因。"),
                },
                format!(
                    "\"{name}\" met its target and got {p} of {r} points, {}",
                    match reason {
                        Some(_) => "for a reason that is printed",
                        None => "without a reason",
                    }
                ),
            ),
            (false, false) => (
                Kind::Points,
                match reason {
                    Some(reason) => {
                        format!("“{name}”（{why}）填{p}分，按规则应得{r}分；表中说明的偏差原因：{reason}。")
                    }
                    None => format!("“{name}”（{why}）填{p}分，按规则应得{r}分。"),
                },
                format!("\"{name}\" ({why}) says {p} points; the rule gives {r}"),
            ),
        };
        let finding = found(kind, &pointer, label(row), zh, en)
            .figure(Text::fixed("填报得分", "points printed"), printed, "分")
            .figure(Text::fixed("应得", "points that follow"), right, "分");
        self.found.push(finding.because(cause));
        Some(right)
    }

    /// What is odd about the target and the result as they are printed.
    fn printed_numbers(&mut self, row: &Row<'_>) {
        let RowMeasure::Quantity(quantity) = &row.printed.measure else {
            return;
        };
        let name = &row.printed.name;
        let at = |field: &str| format!("/rows/{}/measure/{field}", row.n);
        let Some(actual) = &quantity.actual else {
            return;
        };
        let words = |field: &str, zh: &str, en: &str, printed: &Printed| {
            found(
                Kind::NotANumber,
                &at(field),
                label(row),
                format!("“{name}”的{zh}填“{printed}”，不是数值，无法计分。"),
                format!("the {en} of \"{name}\" is \"{printed}\": no number, and nothing can be worked out"),
            )
        };
        match (quantity.target.number(), actual.number()) {
            (Some(_), None) => self.found.push(words("actual", "完成值", "result", actual)),
            (None, Some(_)) => self.found.push(words("target", "指标值", "target", &quantity.target)),
            (None, None) => {}
            (Some(target), Some(number)) => {
                if actual.sign().is_some_and(|sign| sign != Comparison::Equal) {
                    self.found.push(found(
                        Kind::ActualCopiesTarget,
                        &at("actual"),
                        label(row),
                        format!(
                            "“{name}”的完成值填“{actual}”，照抄指标值“{}”，不是实际完成数。",
                            quantity.target
                        ),
                        format!("the result of \"{name}\" is \"{actual}\": the target again, not what was reached"),
                    ));
                }
                if row.weight == Some(target) && row.weight == Some(number) {
                    let finding = found(
                        Kind::TargetIsWeight,
                        &at("target"),
                        label(row),
                        format!(
                            "“{name}”的指标值、完成值都是{}，与分值相同，疑为误填分值。",
                            digits(target)
                        ),
                        format!(
                            "target and result of \"{name}\" are {}, like its weight",
                            digits(target)
                        ),
                    );
                    self.found
                        .push(finding.figure(Text::fixed("分值", "weight"), target, "分"));
                }
                if row.target.is_some_and(Target::too_low) {
                    let rate = percent(number, target).map(shown).unwrap_or_default();
                    let finding = found(
                        Kind::TargetTooLow,
                        &at("target"),
                        label(row),
                        format!(
                            "“{name}”完成{}，为指标值{}的{rate}，指标值设定过低。",
                            digits(number),
                            digits(target)
                        ),
                        format!(
                            "\"{name}\" reached {}, {rate} of its target of {}: it was set too low",
                            digits(number),
                            digits(target)
                        ),
                    );
                    self.found
                        .push(finding.figure(Text::fixed("指标值", "target"), target, "").figure(
                            Text::fixed("完成值", "result"),
                            number,
                            "",
                        ));
                }
            }
        }
    }

    /// Rows that measure the money once more.
    fn once_more(&mut self, row: &Row<'_>) {
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
                        format!("预算执行率只有{}，“{name}”却填0，互相矛盾。", shown(rate)),
                        format!("{} of the budget was executed, and \"{name}\" is 0", shown(rate)),
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
                            shown(rate)
                        ),
                        format!(
                            "\"{name}\" ({actual}) is the execution of the budget once more ({}): one fact scored twice",
                            shown(rate)
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

    /// Among rows of one weight and rule that all missed: a result as good or better that got fewer points.
    fn better_for_less(&mut self) {
        let missed: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.judged?, row.printed.points?.get())))
            .filter(|(_, judged, _)| judged.points().is_some_and(|points| points < judged.weight))
            .collect();
        let mut groups: Vec<Vec<&(&Row<'_>, Judged<'_>, Decimal)>> = Vec::new();
        for entry in &missed {
            let like = |group: &&mut Vec<&(&Row<'_>, Judged<'_>, Decimal)>| {
                let first = group.first();
                first.is_some_and(|(_, judged, _)| judged.weight == entry.1.weight && judged.rule == entry.1.rule)
            };
            match groups.iter_mut().find(like) {
                Some(group) => group.push(entry),
                None => groups.push(vec![entry]),
            }
        }
        for group in groups {
            // By ratio, better first: each that got less than some worse one.
            let pairs: Vec<_> = group
                .iter()
                .flat_map(|better| group.iter().map(move |worse| (*better, *worse)))
                .filter(|(better, worse)| self.is_unjust(better, worse))
                .collect();
            // The pair that lies furthest apart says it best.
            let Some((better, worse)) = pairs.iter().max_by_key(|(better, worse)| {
                let gap = better.1.points().zip(worse.1.points()).map(|(b, w)| b - w);
                (gap, std::cmp::Reverse((better.0.n, worse.0.n)))
            }) else {
                continue;
            };
            let words = |(row, judged, points): &(&Row<'_>, Judged<'_>, Decimal)| {
                (row.printed.name.to_string(), shown(judged.ratio), digits(*points))
            };
            let ((b, b_ratio, b_points), (w, w_ratio, w_points)) = (words(better), words(worse));
            let count = pairs.len();
            let mut finding = Kind::BetterForLess.check().found(
                format!("“{b}”完成{b_ratio}得{b_points}分，“{w}”完成{w_ratio}却得{w_points}分：分值相同，完成更好（或相同）的得分更低（此类共{count}对）。"),
                format!("\"{b}\" ({b_ratio}) got {b_points} points and \"{w}\" ({w_ratio}) {w_points}: same weight, a better or equal result, fewer points ({count} such pairs)"),
            );
            finding = finding.keyed(&format!("/rows/{}/points", better.0.n));
            let mut rows: Vec<_> = pairs
                .iter()
                .flat_map(|(better, worse)| [better, worse])
                .filter(|entry| !self.follows(entry))
                .map(|entry| entry.0)
                .collect();
            rows.sort_by_key(|row| row.n);
            rows.dedup_by_key(|row| row.n);
            for row in rows {
                finding = finding.at(Source::Table, format!("/rows/{}/points", row.n), label(row));
            }
            self.found.push(finding);
        }
    }

    fn follows(&self, (_, judged, points): &(&Row<'_>, Judged<'_>, Decimal)) -> bool {
        judged.rounded(self.rounds) == Some(*points)
    }

    /// Whether the rule gives the first at least as much as the second, and the table less.
    fn is_unjust(&self, better: &(&Row<'_>, Judged<'_>, Decimal), worse: &(&Row<'_>, Judged<'_>, Decimal)) -> bool {
        better.1.points() >= worse.1.points() && better.2 < worse.2
    }

    fn section(&mut self, n: usize, section: &PublishedSection) {
        let rows: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.printed.section.as_ref() == Some(&section.name))
            .collect();
        let complete = self.table.complete;
        let name = &section.name;
        let text = Text::new(name.to_string(), name.to_string());
        let weight = section.weight.map(|weight| weight.get());
        let weights: Decimal = rows.iter().filter_map(|row| row.weight).sum();
        let all_weighed = rows.iter().all(|row| row.weight.is_some());
        if let Some(weight) = weight
            && (weights > weight || complete && all_weighed && weights != weight)
        {
            let finding = found(
                Kind::SectionWeight,
                &format!("/sections/{n}/weight"),
                text.clone(),
                format!(
                    "“{name}”应为{}分，其指标分值合计为{}分。",
                    digits(weight),
                    digits(weights)
                ),
                format!(
                    "\"{name}\" weighs {}; its rows weigh {}",
                    digits(weight),
                    digits(weights)
                ),
            );
            self.found.push(
                finding
                    .figure(Text::fixed("该部分分值", "the section's weight"), weight, "分")
                    .figure(Text::fixed("指标分值合计", "sum of its rows' weights"), weights, "分"),
            );
        }
        if let Some(printed) = section.points.map(|points| points.get()) {
            let absent = match (complete, weight) {
                (true, _) => Decimal::ZERO,
                (false, Some(weight)) => (weight - weights).max(Decimal::ZERO),
                (false, None) => self.full_marks,
            };
            let range = self.sum(&rows, absent, |row| row.printed.points.map(|points| points.get()));
            if !(range.low..=range.high).contains(&printed) {
                let finding = found(
                    Kind::SectionPoints,
                    &format!("/sections/{n}/points"),
                    text.clone(),
                    format!(
                        "“{name}”得分填{}分，其指标得分合计为{}分。",
                        digits(printed),
                        span(range)
                    ),
                    format!(
                        "\"{name}\" says {} points; its rows add up to {}",
                        digits(printed),
                        span(range)
                    ),
                );
                self.found.push(
                    finding
                        .figure(Text::fixed("该部分得分", "the section's points"), printed, "分")
                        .figure(Text::fixed("指标得分合计", "sum of its rows' points"), range.low, "分"),
                );
            }
        }
        if let Some((weight, shares)) = weight.zip(section.equal_shares) {
            let sums = (2..=10).map(|count: i64| {
                let share = shares.apply(weight / Decimal::from(count));
                (count, share, share * Decimal::from(count))
            });
            let off: Vec<_> = sums.filter(|(_, _, sum)| *sum != weight).collect();
            if let Some((_, _, first)) = off.first() {
                let list = |times: &str, gives: &str, separator: &str| {
                    let each = off
                        .iter()
                        .map(|(count, share, sum)| format!("{count}{times}{}{gives}{}", digits(*share), digits(*sum)));
                    each.collect::<Vec<_>>().join(separator)
                };
                let finding = found(
                    Kind::EqualShares,
                    &format!("/sections/{n}/equal_shares"),
                    text,
                    format!(
                        "“{name}”{0}分按指标个数平分后取整，合计可能不等于{0}分：{1}。",
                        digits(weight),
                        list("个×", "分＝", "分，") + "分"
                    ),
                    format!(
                        "the {} points of \"{name}\" in equal shares, rounded, do not add up: {}",
                        digits(weight),
                        list(" × ", " = ", ", ")
                    ),
                );
                self.found.push(
                    finding
                        .figure(Text::fixed("该部分分值", "the section's weight"), weight, "分")
                        .figure(Text::fixed("取整后合计", "sum of the rounded shares"), *first, "分"),
                );
            }
        }
    }

    fn weights(&mut self) {
        let complete = self.table.complete;
        let full = self.full_marks;
        let mut check = |pointer: &str, zh: &str, en: &str, weights: Vec<Option<Decimal>>, all: bool| {
            let sum: Decimal = weights.iter().flatten().sum();
            let whole = all && weights.iter().all(Option::is_some);
            if sum > full || whole && sum != full {
                let finding = found(
                    Kind::Weights,
                    pointer,
                    Text::fixed("分值", "weights"),
                    format!("{zh}分值合计为{}分，应为{}分。", digits(sum), digits(full)),
                    format!(
                        "the weights of all {en} add up to {}, not {}",
                        digits(sum),
                        digits(full)
                    ),
                );
                self.found.push(
                    finding
                        .figure(Text::fixed("分值合计", "sum of the weights"), sum, "分")
                        .figure(Text::fixed("满分", "full marks"), full, "分"),
                );
            }
        };
        check(
            "/rows",
            "各指标",
            "rows",
            self.rows.iter().map(|row| row.weight).collect(),
            complete,
        );
        let sections: Vec<_> = self
            .table
            .sections
            .iter()
            .map(|section| section.weight.map(|weight| weight.get()))
            .collect();
        if !sections.is_empty() {
            check("/sections", "各部分", "sections", sections, complete);
        }
    }

    /// What points add up to: rows without any, and rows that are absent, may have up to their weight.
    fn sum(&self, rows: &[&Row<'_>], absent: Decimal, points: impl Fn(&Row<'_>) -> Option<Decimal>) -> Range {
        let mut range = Range {
            low: Decimal::ZERO,
            high: absent,
        };
        for row in rows {
            range += match points(row) {
                Some(points) => Range::exactly(points),
                None => Range {
                    low: Decimal::ZERO,
                    high: row.weight.unwrap_or_default(),
                },
            };
        }
        range
    }

    fn total(&mut self) -> TotalExamined {
        let rows: Vec<_> = self.rows.iter().collect();
        let weights: Decimal = rows.iter().filter_map(|row| row.weight).sum();
        let absent = match self.table.complete {
            true => Decimal::ZERO,
            false => (self.full_marks - weights).max(Decimal::ZERO),
        };
        let printed_points = |row: &Row<'_>| row.printed.points.map(|points| points.get());
        let of_printed = self.sum(&rows, absent, printed_points);
        let follow = |row: &Row<'_>| {
            let computed = row.judged.and_then(|judged| judged.rounded(self.rounds)).or(row.given);
            computed.or(printed_points(row))
        };
        let of_follow = self.sum(&rows, absent, follow);
        if let Some(printed) = self.table.total.map(|total| total.get())
            && !(of_printed.low..=of_printed.high).contains(&printed)
        {
            let finding = found(
                Kind::Total,
                "/total",
                Text::fixed("总分", "total"),
                format!("总分填{}分，各指标得分合计为{}分。", digits(printed), span(of_printed)),
                format!(
                    "the total says {}; the rows' points add up to {}",
                    digits(printed),
                    span(of_printed)
                ),
            );
            let mut finding = finding
                .figure(Text::fixed("填报总分", "total printed"), printed, "分")
                .figure(
                    Text::fixed("各指标得分合计", "sum of the rows' points"),
                    of_printed.low,
                    "分",
                );
            if of_printed.decided().is_none() {
                finding = finding.figure(Text::fixed("至多", "at most"), of_printed.high, "分");
            }
            self.found.push(finding);
        }
        TotalExamined {
            printed: self.table.total,
            of_printed_points: of_printed,
            of_points_that_follow: of_follow,
        }
    }
}

/// A range in words: one number, or from–to.
fn span(range: Range) -> String {
    match range.decided() {
        Some(points) => digits(points),
        None => format!("{}—{}", digits(range.low), digits(range.high)),
    }
}

/// Ratios that may have been judged in place of a row's own, the likeliest first.
fn misread(row: &Row<'_>) -> Vec<(Cause, Decimal)> {
    let mut found = Vec::new();
    if let Some(printed) = row.printed.ratio
        && !row.ratios.iter().any(|ratio| printed.agrees_with(*ratio))
    {
        let cause = Cause::fixed(
            "from_printed_ratio",
            "按填报的比率计分",
            "scored from the ratio that is printed",
        );
        found.push((cause, printed.percent()));
    }
    let Some(target) = row.target else {
        return found;
    };
    // A sign read off a page as a digit: ≥6 becomes 26.
    let text = digits(target.target);
    if let Some(rest) = text
        .strip_prefix('2')
        .filter(|rest| !rest.is_empty() && !rest.starts_with(['0', '.']))
        && let Ok(number) = rest.parse()
    {
        let read = Target {
            target: number,
            ..target
        };
        if let Some(share) = read.share() {
            let zh = format!("指标值“{text}”疑为“≥{rest}”误识");
            let en = format!("the target {text} is probably ≥{rest}, misread");
            found.push((
                Cause {
                    code: "sign_read_as_digit",
                    text: Text::new(zh, en),
                },
                share,
            ));
        }
    }
    found
}

/// The ratio if the target were meant the other way round. It gives full marks wherever they were given for a miss, so it
/// is asked last.
fn direction(row: &Row<'_>) -> Option<(Cause, Decimal)> {
    let target = row.target.filter(|_| row.printed.rule.is_none())?;
    let comparison = match target.comparison {
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::AtLeast | Comparison::Equal => Comparison::AtMost,
    };
    let share = Target { comparison, ..target }.share()?;
    let cause = Cause::fixed(
        "direction",
        "指标方向设反（≥与≤）",
        "the target's direction is the other way round (≥ and ≤)",
    );
    Some((cause, share))
}
