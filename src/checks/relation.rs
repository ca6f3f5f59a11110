//! Relations between figures as data: `staff.in_post > staff.posts * 1.2`, over this year's sheet and the one before.

use rust_decimal::Decimal;

use super::catalogue::Check;
use super::facts::Facts;
use super::finding::{Finding, Source};
use super::wording::{rounded, with_unit};
use crate::fault::Text;
use crate::scoring::formula::Formula;
use crate::scoring::values::digits;
use crate::scoring::variables::{Datum, Figures, Origin, Unit, Variable};

/// What stands before a formula that is about the sheet of the year before.
const PRIOR: &str = "prior:";

/// A formula over this year's sheet, or after `prior:` over the sheet of the year before.
pub struct Term {
    prior: bool,
    formula: Formula,
}

impl Term {
    fn parse(text: &str) -> Option<Self> {
        let (prior, formula) = match text.trim().strip_prefix(PRIOR) {
            Some(formula) => (true, formula),
            None => (false, text),
        };
        Formula::parse(formula).ok().map(|formula| Self { prior, formula })
    }

    fn value(&self, facts: &Facts<'_>) -> Option<Decimal> {
        match self.prior {
            true => self.formula.value(facts.prior?).ok(),
            false => self.formula.value(facts.sheet).ok(),
        }
    }

    fn named(&self) -> impl Iterator<Item = Named> {
        let prior = self.prior;
        let variables = self.formula.variables().into_iter();
        variables.map(move |variable| Named { prior, variable })
    }
}

/// A figure of this year's sheet or of the one before.
#[derive(Clone, Copy, PartialEq)]
struct Named {
    prior: bool,
    variable: &'static Variable,
}

impl Named {
    fn parse(text: &str) -> Option<Self> {
        let (prior, name) = match text.strip_prefix(PRIOR) {
            Some(name) => (true, name),
            None => (false, text),
        };
        Variable::find(name).map(|variable| Self { prior, variable })
    }

    fn figure(self, facts: &Facts<'_>) -> Option<Datum> {
        match self.prior {
            true => facts.prior?.figure(self.variable),
            false => facts.sheet.figure(self.variable),
        }
    }

    fn label(self) -> Text {
        let Variable { zh, en, .. } = *self.variable;
        match self.prior {
            true => Text::new(format!("上年度基础数据表：{zh}"), format!("last year's sheet: {en}")),
            false => Text::fixed(zh, en),
        }
    }

    fn show(self, finding: Finding, facts: &Facts<'_>) -> Finding {
        let Some(figure) = self.figure(facts) else {
            return finding;
        };
        // A column of last year that was left out is known from the sheet of the year before, and stands there.
        let (document, place) = match (self.prior, figure.origin, self.variable.this_year()) {
            (false, Origin::PriorYear, Some(this)) => (Source::PriorBaseData, this),
            (true, ..) => (Source::PriorBaseData, self.variable),
            (false, ..) => (Source::BaseData, self.variable),
        };
        finding
            .at(document, place.pointer(), self.label())
            .figure(self.label(), figure.value, self.variable.unit.zh())
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prior = if self.prior { "prior." } else { "" };
        write!(f, "{prior}{}", self.variable.name)
    }
}

/// How two terms stand to each other.
enum Is {
    More,
    Less,
    Equal,
    /// Further apart than this.
    Apart(Decimal),
}

/// A comparison of two terms: `a > b`, `a < b`, `a = b`, or `a ≠ b ± 0.01`.
pub struct Test {
    /// As it is written.
    pub text: String,
    sides: Option<(Term, Is, Term)>,
}

impl Test {
    /// Reads a comparison. One that cannot be read never holds; a test of the catalogue finds it.
    fn new(text: String) -> Self {
        let sides = Self::parse(&text);
        Self { text, sides }
    }

    fn parse(text: &str) -> Option<(Term, Is, Term)> {
        if let Some((left, rest)) = text.split_once(" ≠ ") {
            let (right, tolerance) = rest.split_once(" ± ")?;
            let apart = Is::Apart(tolerance.parse().ok()?);
            return Some((Term::parse(left)?, apart, Term::parse(right)?));
        }
        let signs = [(" > ", Is::More), (" < ", Is::Less), (" = ", Is::Equal)];
        signs.into_iter().find_map(|(sign, is)| {
            let (left, right) = text.split_once(sign)?;
            Some((Term::parse(left)?, is, Term::parse(right)?))
        })
    }

    /// Whether it holds; `false` while a figure is missing.
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let Some((left, is, right)) = &self.sides else {
            return false;
        };
        let (Some(left), Some(right)) = (left.value(facts), right.value(facts)) else {
            return false;
        };
        match is {
            Is::More => left > right,
            Is::Less => left < right,
            Is::Equal => left == right,
            Is::Apart(tolerance) => left.checked_sub(right).is_none_or(|apart| apart.abs() > *tolerance),
        }
    }

    fn named(&self) -> impl Iterator<Item = Named> {
        let sides = self.sides.iter();
        sides.flat_map(|(left, _, right)| left.named().chain(right.named()))
    }
}

/// What a finding says besides its figures, such as an amount per head.
struct Computed {
    label: Text,
    left: Term,
    how: How,
    right: Term,
    unit: &'static str,
}

/// What follows from two terms.
enum How {
    /// The first divided by the second.
    Quotient,
    /// The first less the second.
    Difference,
    /// That in percent of the second.
    Change,
}

impl Computed {
    /// To two decimals but for a difference, which is exact; `None` while a figure is missing.
    fn value(&self, facts: &Facts<'_>) -> Option<Decimal> {
        let (left, right) = (self.left.value(facts)?, self.right.value(facts)?);
        let difference = || left.checked_sub(right);
        match self.how {
            How::Quotient => left.checked_div(right).map(rounded),
            How::Difference => difference(),
            How::Change => difference()?
                .checked_mul(Decimal::ONE_HUNDRED)?
                .checked_div(right)
                .map(rounded),
        }
    }
}

/// Something odd: found where all its tests hold.
pub struct Oddity {
    /// All of them must hold.
    pub tests: Vec<Test>,
    computed: Vec<Computed>,
    says: Text,
}

impl Oddity {
    /// Found where all of `tests` hold. In the wording `{name}` stands for a figure, `{|name}` for it without its sign,
    /// `{@name}` for its label, and `{0}` for what is computed first.
    pub fn when<'t>(tests: impl IntoIterator<Item = &'t str>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            tests: tests.into_iter().map(|test| Test::new(test.to_owned())).collect(),
            computed: Vec::new(),
            says: Text::new(zh.into(), en.into()),
        }
    }

    /// The same for a row of the sheet: `ROW` in tests and wording stands for its name.
    pub fn of_row<'t>(
        row: &str,
        tests: impl IntoIterator<Item = &'t str>,
        zh: &str,
        en: &str,
        quotient: Option<(&'static str, &'static str, &str, &str, &'static str)>,
    ) -> Self {
        let tests: Vec<String> = tests.into_iter().map(|test| test.replace("ROW", row)).collect();
        let oddity = Self::when(
            tests.iter().map(String::as_str),
            zh.replace("ROW", row),
            en.replace("ROW", row),
        );
        match quotient {
            None => oddity,
            Some((zh, en, numerator, denominator, unit)) => {
                let (numerator, denominator) = (numerator.replace("ROW", row), denominator.replace("ROW", row));
                oddity.with(zh, en, &numerator, &denominator, unit)
            }
        }
    }

    /// The same with a quotient, said to two decimals.
    #[must_use]
    pub fn with(
        self,
        zh: &'static str,
        en: &'static str,
        numerator: &str,
        denominator: &str,
        unit: &'static str,
    ) -> Self {
        self.computing(Text::fixed(zh, en), numerator, How::Quotient, denominator, unit)
    }

    /// The same with the change from `before` to `now`: in percent, and as a difference in `unit`.
    #[must_use]
    pub fn with_change(self, now: &str, before: &str, unit: &'static str) -> Self {
        self.computing(
            Text::fixed("变动幅度", "change in percent"),
            now,
            How::Change,
            before,
            "%",
        )
        .computing(Text::fixed("增减", "change"), now, How::Difference, before, unit)
    }

    fn computing(mut self, label: Text, left: &str, how: How, right: &str, unit: &'static str) -> Self {
        if let (Some(left), Some(right)) = (Term::parse(left), Term::parse(right)) {
            self.computed.push(Computed {
                label,
                left,
                how,
                right,
                unit,
            });
        }
        self
    }

    fn named(&self) -> Vec<Named> {
        let mut named: Vec<Named> = Vec::new();
        for name in self.tests.iter().flat_map(Test::named) {
            if !named.contains(&name) {
                named.push(name);
            }
        }
        named
    }

    /// The names of the figures that it reads.
    pub fn reads(&self) -> Vec<String> {
        self.named().iter().map(Named::to_string).collect()
    }

    /// Places of the wording that stand for nothing, and tests that cannot be read: a mistake of the catalogue.
    #[cfg(test)]
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes: Vec<String> = self
            .tests
            .iter()
            .filter(|test| test.sides.is_none())
            .map(|test| test.text.clone())
            .collect();
        for template in [&self.says.zh, &self.says.en] {
            fill(template, |place| {
                let what = place.trim_start_matches(['@', '|']);
                let known = match what.parse::<usize>() {
                    Ok(n) => n < self.computed.len(),
                    Err(_) => Named::parse(what).is_some(),
                };
                if !known {
                    mistakes.push(format!("{{{place}}}"));
                }
                None
            });
        }
        mistakes
    }

    /// Finds it; `keyed` where the check has several.
    pub fn find(&self, check: &'static Check, facts: &Facts<'_>, keyed: bool) -> Option<Finding> {
        if !self.tests.iter().all(|test| test.holds(facts)) {
            return None;
        }
        let values: Vec<Option<Decimal>> = self.computed.iter().map(|computed| computed.value(facts)).collect();
        let named = self.named();
        let say = |template: &str, zh: bool| {
            fill(template, |place| {
                if let Some(name) = place.strip_prefix('@') {
                    let label = Named::parse(name)?.label();
                    return Some(if zh { label.zh } else { label.en }.into_owned());
                }
                let what = place.trim_start_matches('|');
                let (value, unit) = match what.parse::<usize>() {
                    Ok(n) => ((*values.get(n)?)?, self.computed.get(n)?.unit),
                    Err(_) => {
                        let name = Named::parse(what)?;
                        (name.figure(facts)?.value, name.variable.unit.zh())
                    }
                };
                let value = if place.starts_with('|') { value.abs() } else { value };
                Some(with_unit(value, unit, zh))
            })
        };
        let mut finding = check.found(say(&self.says.zh, true), say(&self.says.en, false));
        if keyed && let Some(first) = named.first() {
            finding = finding.keyed(&first.variable.pointer());
        }
        for name in named {
            finding = name.show(finding, facts);
        }
        for (computed, value) in self.computed.iter().zip(values) {
            if let Some(value) = value {
                finding = finding.figure(computed.label.clone(), value, computed.unit);
            }
        }
        Some(finding)
    }
}

/// A template with what stands in its braces.
fn fill(template: &str, mut say: impl FnMut(&str) -> Option<String>) -> String {
    let mut said = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        said.push_str(&say(place).unwrap_or_else(|| "—".to_owned()));
        rest = after;
    }
    said.push_str(rest);
    said
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<_> = self.parts.iter().map(|part| part.name).collect();
        let sign = if self.whole { "≠" } else { "<" };
        write!(f, "{} {sign} {}", self.total.name, parts.join(" + "))
    }
}

/// A total of the sheet and the rows that it is the sum of.
pub struct Sum {
    total: &'static Variable,
    parts: Vec<&'static Variable>,
    /// Whether the parts are all there is; if not, only more than the total is found.
    whole: bool,
}

impl Sum {
    /// A total and its parts in these columns: `{group}.total.{column}` and `{group}.{part}.{column}`.
    pub fn columns(group: &str, parts: &[&str], columns: &[&str], whole: bool) -> Vec<Self> {
        let find = |row: &str, column: &str| Variable::find(&format!("{group}.{row}.{column}"));
        let sum = |column: &&str| {
            Some(Self {
                total: find("total", column)?,
                parts: parts.iter().map(|part| find(part, column)).collect::<Option<_>>()?,
                whole,
            })
        };
        columns.iter().filter_map(sum).collect()
    }

    /// The names of the figures that it reads.
    pub fn reads(&self) -> Vec<String> {
        [self.total]
            .iter()
            .chain(&self.parts)
            .map(|variable| variable.name.to_owned())
            .collect()
    }

    /// Finds a total that was given and is not the sum of its parts, but for 0.01 per part; with parts left out, one that
    /// those given exceed already.
    pub fn find(&self, check: &'static Check, facts: &Facts<'_>) -> Option<Finding> {
        let total = facts
            .sheet
            .own()
            .figure(self.total)
            .filter(|total| total.origin == Origin::Reported)?
            .value;
        let given: Vec<_> = self
            .parts
            .iter()
            .filter_map(|part| Some((*part, facts.sheet.own().figure(part)?.value)))
            .collect();
        let sum = given
            .iter()
            .try_fold(Decimal::ZERO, |sum, (_, part)| sum.checked_add(*part))?;
        let apart = sum - total;
        let tolerance = Decimal::new(1, 2) * Decimal::from(given.len());
        let all = given.len() == self.parts.len();
        let contradicts = match self.whole && all {
            true => apart.abs() > tolerance,
            false => apart > tolerance,
        };
        if !contradicts {
            return None;
        }
        let names = |zh: bool| {
            let names: Vec<_> = given
                .iter()
                .map(|(part, _)| if zh { part.zh } else { part.en })
                .collect();
            names.join(if zh { "、" } else { " + " })
        };
        let (of, relation) = if apart > Decimal::ZERO {
            ("大于", "more than")
        } else {
            ("小于", "less than")
        };
        let (sum_said, total_said, apart_said) = (digits(sum), digits(total), digits(apart.abs()));
        let mut finding = check
            .found(
                format!(
                    "{}合计{sum_said}万元，{of}{}{total_said}万元，相差{apart_said}万元。",
                    names(true),
                    self.total.zh
                ),
                format!(
                    "{} come to {sum_said} 万元, {relation} {} of {total_said} 万元, by {apart_said} 万元",
                    names(false),
                    self.total.en
                ),
            )
            .keyed(&self.total.pointer());
        for variable in std::iter::once(self.total).chain(given.iter().map(|(part, _)| *part)) {
            finding = Named { prior: false, variable }.show(finding, facts);
        }
        Some(finding.figure(
            Text::fixed("各分项之和", "sum of the parts"),
            sum,
            Unit::TenThousandYuan.zh(),
        ))
    }
}
