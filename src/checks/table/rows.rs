//! A printed row with what follows from it.

use rust_decimal::Decimal;

use super::super::cause::percent;
use super::super::judged::{Judged, PROPORTION};
use super::{About, PublishedRow, PublishedTable, RowMeasure};
use crate::fault::Fault;
use crate::scoring::formula::Formula;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::Score;
use crate::scoring::sheet::BaseData;
use crate::scoring::special_fund::{Comparison, FundingRow, QuantityMeasure};
use crate::scoring::text::FormulaText;
use crate::scoring::values::{Amount, Quantity};

/// As many rows as the schema allows: more than any table has, and few enough to hold each against each.
const MOST_ROWS: usize = 300;
/// As many sections as the schema allows.
const MOST_SECTIONS: usize = 50;

/// A printed row with what follows from it.
pub struct Row<'a> {
    /// Its place in the table, from 0.
    pub n: usize,
    /// As it is printed.
    pub printed: &'a PublishedRow,
    /// Its full marks, as printed or from the scheme.
    pub weight: Option<Decimal>,
    /// The two figures of its ratio.
    pub figures: Option<(Decimal, Decimal)>,
    /// The formulas of its ratio.
    pub formulas: Option<(Formula, Formula)>,
    /// The ratio that follows, in percent, and others that may be printed for it as well.
    pub ratios: Vec<Decimal>,
    /// What its points follow from.
    pub judged: Option<Judged<'a>>,
    /// Points that follow without a ratio (a denominator of 0, an indicator that does not apply).
    pub given: Option<Decimal>,
    /// The target and the result, where it has numbers for them.
    pub target: Option<Target>,
}

/// A target in numbers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// How the result should stand to it.
    pub comparison: Comparison,
    /// The target.
    pub target: Decimal,
    /// The result.
    pub actual: Decimal,
}

impl Target {
    fn measure(self) -> Option<(QuantityMeasure, Quantity)> {
        let measure = QuantityMeasure {
            comparison: self.comparison,
            target: Quantity::try_from(self.target).ok()?,
            actual: None,
            unit: None,
        };
        Some((measure, Quantity::try_from(self.actual).ok()?))
    }

    /// The share of the weight that it earns, in percent.
    pub fn share(self) -> Option<Decimal> {
        let (measure, actual) = self.measure()?;
        Some(measure.share(actual))
    }

    /// Whether the target was set too low.
    pub fn too_low(self) -> bool {
        self.measure()
            .is_some_and(|(measure, actual)| measure.target_too_low(actual))
    }
}

/// What the money of a table comes to: A and B of the whole, and its initial budget.
#[derive(Debug, Clone, Copy, Default)]
pub struct Money {
    /// Initial budget (年初预算数).
    pub initial: Option<Decimal>,
    /// The whole year's budget (全年预算数, A).
    pub budget: Option<Decimal>,
    /// Executed (全年执行数, B).
    pub executed: Option<Decimal>,
}

/// One column of the money.
pub type Column = fn(&FundingRow) -> Option<Amount>;

/// Initial budget.
pub const INITIAL: Column = |row| row.initial_budget;
/// A.
pub const BUDGET: Column = |row| row.adjusted_budget;
/// B.
pub const EXECUTED: Column = |row| row.executed;

impl PublishedTable {
    /// A column by source level, and by kind: the sum of the rows that are printed, where each prints it.
    pub fn parts(&self, column: Column) -> [Option<Decimal>; 2] {
        let Some(funding) = &self.funding else {
            return [None, None];
        };
        let sum = |rows: &[Option<FundingRow>]| {
            let mut printed = rows.iter().flatten().peekable();
            printed.peek()?;
            printed.map(|row| column(row).map(Amount::get)).sum::<Option<Decimal>>()
        };
        let sources = [funding.central_and_provincial, funding.municipal, funding.county];
        let kinds = [funding.appropriation, funding.carried_over];
        // Money from elsewhere stands beside either.
        let with_other = |rows: &[Option<FundingRow>]| {
            rows.iter()
                .any(Option::is_some)
                .then(|| [rows, &[funding.other]].concat())
        };
        [with_other(&sources), with_other(&kinds)].map(|rows| rows.and_then(|rows| sum(&rows)))
    }

    /// A column of the total row.
    pub fn whole(&self, column: Column) -> Option<Decimal> {
        self.funding.as_ref()?.total.as_ref().and_then(column).map(Amount::get)
    }

    /// The money; where the total row is left out or at 0, that of its parts.
    pub fn money(&self) -> Money {
        let figure = |column| match self.whole(column) {
            Some(whole) if !whole.is_zero() => Some(whole),
            whole => self.parts(column).into_iter().flatten().max().or(whole),
        };
        Money {
            initial: figure(INITIAL),
            budget: figure(BUDGET),
            executed: figure(EXECUTED),
        }
    }
}

/// Reads the rows; `score` is that of the base data by the scheme.
pub fn read<'a>(
    table: &'a PublishedTable,
    scheme: Option<&Scheme>,
    score: Option<&'a Score>,
    sheet: &BaseData,
    money: Money,
) -> Result<Vec<Row<'a>>, Vec<Fault>> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (pointer, count, least, most) in [
        ("/rows", table.rows.len(), 1, MOST_ROWS),
        ("/sections", table.sections.len(), 0, MOST_SECTIONS),
    ] {
        if !(least..=most).contains(&count) {
            let code = if count < least { "too_few" } else { "too_many" };
            return Err(vec![Fault::new(
                pointer,
                code,
                format!("应有{least}至{most}项，收到{count}项。"),
                format!("expected {least} to {most} items, found {count}"),
            )]);
        }
    }
    for (n, printed) in table.rows.iter().enumerate() {
        let mut reader = Reader {
            at: format!("/rows/{n}"),
            row: Row {
                n,
                printed,
                weight: printed.weight.map(|weight| weight.get()),
                figures: None,
                formulas: None,
                ratios: Vec::new(),
                judged: None,
                given: None,
                target: None,
            },
            faults: &mut faults,
        };
        reader.check_section(table);
        match &printed.measure {
            RowMeasure::Execution(_) => reader.row.figures = money.executed.zip(money.budget),
            RowMeasure::Ratio(ratio) => reader.ratio(&ratio.numerator, &ratio.denominator, sheet),
            RowMeasure::Quantity(quantity) => {
                let comparison = quantity.comparison.or(quantity.target.sign());
                reader.row.target = quantity.target.number().and_then(|target| {
                    Some(Target {
                        comparison: comparison.unwrap_or(Comparison::AtLeast),
                        target,
                        actual: quantity.actual.as_ref()?.number()?,
                    })
                });
            }
            RowMeasure::Quality(_) => {}
            RowMeasure::Indicator(indicator) => reader.indicator(indicator.code.as_str(), scheme, score),
        }
        let row = reader.finish();
        rows.push(row);
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

struct Reader<'a, 'f> {
    at: String,
    row: Row<'a>,
    faults: &'f mut Vec<Fault>,
}

impl<'a> Reader<'a, '_> {
    fn fault(&mut self, path: &str, code: &'static str, zh: String, en: String) {
        self.faults
            .push(Fault::new(format!("{}/{path}", self.at), code, zh, en));
    }

    fn check_section(&mut self, table: &PublishedTable) {
        if let Some(name) = &self.row.printed.section
            && !table.sections.iter().any(|section| section.name == *name)
        {
            self.fault(
                "section",
                "unknown_section",
                format!("sections中没有名为“{name}”的部分。"),
                format!("`sections` has no section named \"{name}\""),
            );
        }
    }

    fn formula(&mut self, part: &str, text: &FormulaText) -> Option<Formula> {
        match Formula::parse(text.as_str()) {
            Ok(formula) => Some(formula),
            Err(error) => {
                self.fault(
                    &format!("measure/{part}"),
                    error.code,
                    format!("第{}个字符处：{}。", error.position, error.text.zh),
                    format!("at character {}: {}", error.position, error.text.en),
                );
                None
            }
        }
    }

    fn ratio(&mut self, numerator: &FormulaText, denominator: &FormulaText, sheet: &BaseData) {
        let (numerator, denominator) = (
            self.formula("numerator", numerator),
            self.formula("denominator", denominator),
        );
        if let Some((numerator, denominator)) = numerator.zip(denominator) {
            self.row.figures = numerator.value(sheet).ok().zip(denominator.value(sheet).ok());
            self.row.formulas = Some((numerator, denominator));
        }
    }

    fn indicator(&mut self, code: &str, scheme: Option<&Scheme>, score: Option<&'a Score>) {
        if self.row.printed.rule.is_some() {
            self.fault(
                "rule",
                "rule_of_the_scheme",
                "指标的评分规则由评分标准规定，不应另填。".to_owned(),
                "an indicator of the scheme has its rule from there".to_owned(),
            );
        }
        let sections = scheme.iter().flat_map(|scheme| &scheme.document.sections);
        let known = sections
            .flat_map(|section| &section.indicators)
            .any(|known| known.code.as_str() == code);
        let line = score.and_then(|score| score.lines.iter().find(|line| line.code == code));
        let (true, Some(line)) = (known, line) else {
            self.fault(
                "measure/code",
                "unknown_indicator",
                format!("评分标准没有代码为“{code}”的指标；按指标核对时应填写scheme或scheme_document。"),
                format!("the scheme has no indicator \"{code}\"; rows of this kind need `scheme` or `scheme_document`"),
            );
            return;
        };
        self.row.weight = self.row.weight.or(line.weight);
        self.row.given = line.points;
        if let Some(ratio) = &line.ratio {
            self.row.figures = Some((ratio.numerator, ratio.denominator));
            let formulas = [&ratio.numerator_formula, &ratio.denominator_formula].map(|text| Formula::parse(text).ok());
            if let [Some(numerator), Some(denominator)] = formulas {
                self.row.formulas = Some((numerator, denominator));
            }
        }
        if let (Some(rule), Some(weight), Some(ratio)) = (&line.rule, self.row.weight, self.exact()) {
            self.row.judged = Some(Judged { ratio, rule, weight });
        }
    }

    /// The ratio of its two figures, in percent.
    fn exact(&self) -> Option<Decimal> {
        self.row
            .figures
            .and_then(|(numerator, denominator)| percent(numerator, denominator))
    }

    fn finish(mut self) -> Row<'a> {
        let printed = self.row.printed;
        self.row.ratios.extend(self.exact());
        let mut default = match &printed.measure {
            RowMeasure::Execution(_) => Some(&PROPORTION),
            _ if printed.about == Some(About::ExecutionRate) => Some(&PROPORTION),
            _ => None,
        };
        if let Some(target) = self.row.target {
            // A rate against its target, or the other way round for one that is to stay below; neither above 100%.
            let rate = percent(target.actual, target.target);
            let inverse = percent(target.target, target.actual).filter(|_| target.comparison == Comparison::AtMost);
            let share = target.share();
            if printed.rule.is_some() {
                self.row.ratios.extend(rate);
            } else {
                self.row.ratios.extend(share.into_iter().chain(rate).chain(inverse));
                default = Some(&PROPORTION);
            }
        }
        if let Some(rule) = &printed.rule {
            let has_ratio = !matches!(printed.measure, RowMeasure::Quality(_));
            if !(has_ratio && rule.needs_ratio()) {
                self.fault(
                    "rule",
                    "rule_without_ratio",
                    "只有按比率计分的规则（deduct、bands、proportion）可以核对，且定性指标没有比率。".to_owned(),
                    "only rules that judge a ratio (deduct, bands, proportion) can be checked, and a goal in words has none"
                        .to_owned(),
                );
            }
            match self.row.weight {
                Some(weight) => self.faults.extend(rule.faults(&format!("{}/rule", self.at), weight)),
                None => self.fault(
                    "weight",
                    "missing_field",
                    "填写了评分规则的，应同时填写分值。".to_owned(),
                    "a row with a rule needs its weight".to_owned(),
                ),
            }
        }
        if self.row.judged.is_none()
            && let (Some(rule), Some(weight), Some(ratio)) = (
                printed.rule.as_ref().or(default),
                self.row.weight,
                self.row.ratios.first().copied(),
            )
        {
            let judged = Judged { ratio, rule, weight };
            // A rule with a fault (a step of 0) is refused above and must not be applied.
            self.row.judged = Some(judged).filter(|judged| judged.rule.faults("", weight).is_empty());
        }
        self.row
    }
}
