//! Why a printed number is not what follows: the usual mistakes are tried one after the other, until one gives exactly the
//! number that is printed. A cause found so is probable, not proven.

use std::borrow::Cow;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::judged::{CANDIDATES, Judged, Rounds};
use crate::fault::Text;
use crate::scoring::formula::Formula;
use crate::scoring::printed::PrintedRatio;
use crate::scoring::rule::{self};
use crate::scoring::scheme::{Rule, Steps};
use crate::scoring::values::{Percent, digits};
use crate::scoring::variables::{Datum, Figures, Lacking, VARIABLES, Variable};

/// Why a number is probably what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingCause)]
pub struct Cause {
    /// A stable word for programs.
    #[schema(value_type = String, example = "prior_final_for_prior_budget")]
    pub code: Cow<'static, str>,
    /// The same in words.
    pub text: Text,
}

impl Cause {
    /// A cause that is worded the same each time.
    pub fn fixed(code: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self {
            code: code.into(),
            text: Text::fixed(zh, en),
        }
    }

    fn new(code: &'static str, zh: String, en: String) -> Self {
        Self {
            code: code.into(),
            text: Text::new(zh, en),
        }
    }
}

/// Numerator / denominator × 100; `None` for a denominator of 0, and for what no table can mean.
pub fn percent(numerator: Decimal, denominator: Decimal) -> Option<Decimal> {
    let ratio = numerator.checked_div(denominator)?.checked_mul(Decimal::ONE_HUNDRED)?;
    (ratio.abs() < Decimal::from(1_000_000_000_000_i64)).then_some(ratio)
}

/// What a ratio is worked out from.
pub struct Worked<'a> {
    /// The numerator.
    pub numerator: Decimal,
    /// The denominator.
    pub denominator: Decimal,
    /// The two formulas and the figures that they are over, where the ratio is one over the base data sheet.
    pub formulas: Option<(&'a Formula, &'a Formula, &'a dyn Figures)>,
    /// Other figures of the same table, which may have been taken instead.
    pub others: &'a [(Text, Decimal)],
}

/// Why a ratio was printed that its figures do not give; `None` where no usual mistake gives it.
pub fn of_ratio(printed: PrintedRatio, worked: &Worked<'_>) -> Option<Cause> {
    of_other_figures(printed, worked)
        .or_else(|| of_arithmetic(printed, worked))
        .or_else(|| of_table_figures(printed, worked))
}

/// One figure of the sheet taken for another.
fn of_other_figures(printed: PrintedRatio, worked: &Worked<'_>) -> Option<Cause> {
    let (numerator, denominator, figures) = worked.formulas?;
    let with = |instead: &dyn Fn(&Variable) -> Option<&'static Variable>| {
        let replaced = Replaced { figures, instead };
        percent(numerator.value(&replaced).ok()?, denominator.value(&replaced).ok()?)
    };
    let agrees = |ratio: Option<Decimal>| ratio.is_some_and(|ratio| printed.agrees_with(ratio));
    let finals = |variable: &Variable| {
        let row = variable.name;
        let other = match row.strip_suffix(".prior_budget") {
            Some(row) => format!("{row}.prior_final"),
            None => format!("{}.final", row.strip_suffix(".budget")?),
        };
        Variable::find(&other)
    };
    let mut used = numerator.variables();
    for variable in denominator.variables() {
        if !used.contains(&variable) {
            used.push(variable);
        }
    }
    // The nearest mistake first: another column of the same row, then any figure counted in the same unit.
    for near in [true, false] {
        for variable in &used {
            let row = |variable: &Variable| variable.name.rsplit_once('.').map(|(row, _)| row);
            let others = VARIABLES.iter().filter(|other| {
                other.unit == variable.unit && *other != *variable && (row(other) == row(variable)) == near
            });
            for other in others {
                if agrees(with(&|asked: &Variable| (asked == *variable).then_some(other))) {
                    let (code, zh, en) =
                        match other.name.ends_with(".prior_final") && variable.name.ends_with(".prior_budget") {
                            true => (
                                "prior_final_for_prior_budget",
                                "误用上年决算数代替上年预算数",
                                "last year's final accounts instead of its budget",
                            ),
                            false => ("other_figure", "误用其他数据", "another figure"),
                        };
                    return Some(Cause::new(
                        code,
                        format!("{zh}：以“{}”代替了“{}”", other.zh, variable.zh),
                        format!("{en}: \"{}\" in place of \"{}\"", other.en, variable.en),
                    ));
                }
            }
        }
    }
    agrees(with(&finals)).then(|| {
        Cause::fixed(
            "finals_for_budgets",
            "两年均误用决算数代替预算数",
            "final accounts instead of budgets in both years",
        )
    })
}

/// The right figures, worked with wrongly.
fn of_arithmetic(printed: PrintedRatio, worked: &Worked<'_>) -> Option<Cause> {
    let (n, d) = (worked.numerator, worked.denominator);
    let exact = percent(n, d);
    let scaled = |by: i64| exact.map(|ratio| ratio * Decimal::from(by));
    let parted = |by: i64| exact.map(|ratio| ratio / Decimal::from(by));
    let swapped = percent(d, n);
    let tried: [(&'static str, Option<Decimal>, &'static str, &'static str); 9] = [
        (
            "swapped_fraction",
            swapped,
            "分子、分母颠倒",
            "numerator and denominator swapped",
        ),
        (
            "level_for_change",
            exact.map(|ratio| ratio + Decimal::ONE_HUNDRED),
            "未减去基数：填的是本年为上年的百分比，不是变动率",
            "the base was not taken off: a level instead of a change",
        ),
        (
            "change_for_level",
            exact.map(|ratio| ratio - Decimal::ONE_HUNDRED),
            "填的是增减幅度，不是比率本身",
            "the change instead of the ratio",
        ),
        (
            "remainder",
            exact.map(|ratio| Decimal::ONE_HUNDRED - ratio),
            "填的是剩余部分所占比率",
            "the share that is left instead of the share reached",
        ),
        (
            "sign",
            exact.map(|ratio| -ratio),
            "正负号颠倒",
            "the sign is the other way round",
        ),
        (
            "yuan_for_ten_thousand_yuan",
            scaled(10_000),
            "分子以元、分母以万元计",
            "the numerator in 元, the denominator in 万元",
        ),
        (
            "yuan_for_ten_thousand_yuan",
            parted(10_000),
            "分子以万元、分母以元计",
            "the numerator in 万元, the denominator in 元",
        ),
        (
            "fraction_for_percent",
            parted(100),
            "小数未换算为百分数",
            "a fraction where a percentage is asked",
        ),
        (
            "percent_twice",
            scaled(100),
            "重复换算为百分数",
            "turned into a percentage twice",
        ),
    ];
    // What comes out as the right ratio explains nothing: 104/104 swapped is the same.
    tried
        .into_iter()
        .filter(|(_, ratio, ..)| *ratio != exact)
        .find(|(_, ratio, ..)| ratio.is_some_and(|ratio| printed.agrees_with(ratio)))
        .map(|(code, _, zh, en)| Cause::fixed(code, zh, en))
}

/// Another figure of the table as numerator or denominator.
fn of_table_figures(printed: PrintedRatio, worked: &Worked<'_>) -> Option<Cause> {
    let agrees = |n, d| percent(n, d).is_some_and(|ratio| printed.agrees_with(ratio));
    for (label, figure) in worked.others {
        if *figure != worked.denominator && agrees(worked.numerator, *figure) {
            return Some(Cause::new(
                "other_denominator",
                format!("分母误用“{}”{}", label.zh, digits(*figure)),
                format!("another denominator: \"{}\" {}", label.en, digits(*figure)),
            ));
        }
    }
    for (label, figure) in worked.others {
        if *figure != worked.numerator && agrees(*figure, worked.denominator) {
            return Some(Cause::new(
                "other_numerator",
                format!("分子误用“{}”{}", label.zh, digits(*figure)),
                format!("another numerator: \"{}\" {}", label.en, digits(*figure)),
            ));
        }
    }
    None
}

/// Figures in which one stands for another.
struct Replaced<'a> {
    figures: &'a dyn Figures,
    instead: &'a dyn Fn(&Variable) -> Option<&'static Variable>,
}

impl Figures for Replaced<'_> {
    fn figure(&self, variable: &Variable) -> Option<Datum> {
        match (self.instead)(variable) {
            Some(other) => self.figures.figure(other),
            None => self.figures.figure(variable),
        }
    }

    fn lacking(&self, variable: &'static Variable) -> Vec<Lacking> {
        self.figures.lacking(variable)
    }
}

/// Why points were printed that the rule does not give. `instead` are ratios that may have been judged in place of the
/// right one, each with what that would mean, the likeliest first.
pub fn of_points(
    printed: Decimal,
    judged: &Judged<'_>,
    rounds: Rounds,
    instead: Vec<(Cause, Decimal)>,
) -> Option<Cause> {
    let gives = |judged: &Judged<'_>, rounds: Rounds| judged.rounded(rounds) == Some(printed);
    for (cause, ratio) in instead {
        if gives(&Judged { ratio, ..*judged }, rounds) {
            return Some(cause);
        }
    }
    for (cause, rule) in other_rules(judged.rule) {
        if gives(&Judged { rule: &rule, ..*judged }, rounds) {
            return Some(cause);
        }
    }
    let whole = judged
        .ratio
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    if gives(
        &Judged {
            ratio: whole,
            ..*judged
        },
        rounds,
    ) {
        return Some(Cause::new(
            "ratio_rounded_first",
            format!("先将比率四舍五入为{whole}%再计分"),
            format!("the ratio was rounded to {whole}% first"),
        ));
    }
    if let Rule::Bands(bands) = judged.rule {
        let right = rule::bands(bands, judged.ratio).points;
        let points: Vec<_> = bands
            .bands
            .iter()
            .map(|band| band.points)
            .chain([bands.otherwise])
            .map(|p| p.get())
            .collect();
        let beside = points
            .windows(2)
            .any(|pair| pair == [right, printed] || pair == [printed, right]);
        if beside {
            return Some(Cause::fixed(
                "next_band",
                "取了相邻一档的分值",
                "the points of the band beside it",
            ));
        }
    }
    let other = CANDIDATES
        .iter()
        .find(|other| **other != rounds && gives(judged, **other))?;
    let words = other.words();
    Some(Cause::new(
        "rounded_otherwise",
        format!("取舍方式不同：{}", words.zh),
        format!("rounded another way: {}", words.en),
    ))
}

/// Rules that may have been meant or misread, the likeliest first.
fn other_rules(rule: &Rule) -> Vec<(Cause, Rule)> {
    let Rule::Deduct(deduct) = rule else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let counts = [
        (
            Steps::Started,
            "started_steps_counted",
            "不足一档的按一档扣分",
            "a started step was counted as a whole one",
        ),
        (
            Steps::Whole,
            "whole_steps_counted",
            "不足一档的未扣分",
            "only whole steps were counted",
        ),
        (
            Steps::Proportional,
            "steps_in_proportion",
            "不足一档的按比例扣分",
            "a started step was counted in proportion",
        ),
    ];
    for (count, code, zh, en) in counts {
        if count != deduct.count {
            let mut other = deduct.clone();
            other.count = count;
            found.push((Cause::fixed(code, zh, en), Rule::Deduct(other)));
        }
    }
    let sizes = [
        (
            Decimal::new(5, 1),
            "step_halved",
            "扣分档距减半",
            "the step was taken half as wide",
        ),
        (
            Decimal::TWO,
            "step_doubled",
            "扣分档距加倍",
            "the step was taken twice as wide",
        ),
    ];
    for (by, code, zh, en) in sizes {
        if let Ok(step) = Percent::try_from(deduct.step.get() * by) {
            let mut other = deduct.clone();
            other.step = step;
            found.push((Cause::fixed(code, zh, en), Rule::Deduct(other)));
        }
    }
    found
}
