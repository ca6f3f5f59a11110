//! Formulas over the base data sheet: `budget.carried_in + budget.initial`, with `+`, `-`, `*` and parentheses.
//!
//! A formula has no division: a ratio is two formulas, so that a zero denominator is always seen and ruled on by the
//! scheme. Names are resolved when a formula is parsed; what cannot be resolved is refused with its position.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::values::Digits;
use super::variables::{Datum, Figures, Lacking, VARIABLES, Variable};
use crate::fault::Text;

/// How deep parentheses may stand in one another.
const DEPTH: usize = 20;

/// How long the name of a variable may be to be compared with those that there are, in characters.
const LONGEST_NAME: usize = 100;

/// A parsed formula, all of whose variables exist.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// A constant.
    Number(Decimal),
    /// A figure of the sheet.
    Variable(&'static Variable),
    /// The negative of a formula.
    Negative(Box<Formula>),
    /// Two formulas and what joins them.
    Binary(Box<Formula>, Operator, Box<Formula>),
}

/// What joins two formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Addition.
    Plus,
    /// Subtraction.
    Minus,
    /// Multiplication.
    Times,
}

/// Why a text is no formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaError {
    /// Where, counted in characters from 1.
    pub position: usize,
    /// A stable word: `unknown_variable` or `formula_syntax`.
    pub code: &'static str,
    /// What is wrong there.
    pub text: Text,
}

/// Why a formula has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// Figures were not given.
    Missing(Vec<Lacking>),
    /// The result does not fit into 28 digits.
    TooLarge,
}

impl Formula {
    /// Parses a formula and resolves its variables.
    ///
    /// # Errors
    /// The first place that is no formula, or names no variable.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let formula = parser.sum()?;
        parser.skip_spaces();
        match parser.rest().chars().next() {
            None => Ok(formula),
            Some(found) => Err(parser.unexpected(found)),
        }
    }

    /// Its value over the figures given.
    ///
    /// # Errors
    /// [`NoValue::Missing`] names every field that is lacking, not only the first.
    pub fn value(&self, figures: &dyn Figures) -> Result<Decimal, NoValue> {
        let mut lacking = Vec::new();
        let value = self.eval(figures, &mut lacking);
        match value {
            _ if !lacking.is_empty() => Err(NoValue::Missing(lacking)),
            Some(value) => Ok(value),
            None => Err(NoValue::TooLarge),
        }
    }

    // `None` with nothing lacking is an overflow.
    fn eval(&self, figures: &dyn Figures, lacking: &mut Vec<Lacking>) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Variable(variable) => {
                let figure = figures.figure(variable);
                if figure.is_none() {
                    for field in figures.lacking(variable) {
                        if !lacking.contains(&field) {
                            lacking.push(field);
                        }
                    }
                }
                figure.map(|figure| figure.value)
            }
            Self::Negative(inner) => inner.eval(figures, lacking).map(|value| -value),
            Self::Binary(left, operator, right) => {
                // Both sides, so that all that is lacking is named.
                let (left, right) = (left.eval(figures, lacking), right.eval(figures, lacking));
                match operator {
                    Operator::Plus => left?.checked_add(right?),
                    Operator::Minus => left?.checked_sub(right?),
                    Operator::Times => left?.checked_mul(right?),
                }
            }
        }
    }

    /// Its variables in the order in which they stand, each once.
    pub fn variables(&self) -> Vec<&'static Variable> {
        let mut found = Vec::new();
        self.visit(&mut |variable| {
            if !found.contains(&variable) {
                found.push(variable);
            }
        });
        found
    }

    fn visit(&self, see: &mut impl FnMut(&'static Variable)) {
        match self {
            Self::Number(_) => {}
            Self::Variable(variable) => see(variable),
            Self::Negative(inner) => inner.visit(see),
            Self::Binary(left, _, right) => {
                left.visit(see);
                right.visit(see);
            }
        }
    }

    /// Writes the formula in words, in Chinese and in English: `年初预算1922.76万元＋本年追加767.86万元`; `name` words a variable.
    pub fn words(
        &self,
        zh: &mut String,
        en: &mut String,
        name: &mut impl FnMut(&'static Variable, &mut String, &mut String),
    ) {
        self.write(zh, en, name, false);
    }

    fn write(
        &self,
        zh: &mut String,
        en: &mut String,
        name: &mut impl FnMut(&'static Variable, &mut String, &mut String),
        inside_product: bool,
    ) {
        match self {
            Self::Number(number) => {
                let digits = Digits::of(*number);
                zh.push_str(digits.as_str());
                en.push_str(digits.as_str());
            }
            Self::Variable(variable) => name(variable, zh, en),
            Self::Negative(inner) => {
                zh.push('－');
                en.push_str(" - ");
                inner.write(zh, en, name, true);
            }
            Self::Binary(left, operator, right) => {
                let product = *operator == Operator::Times;
                let brackets = inside_product && !product;
                if brackets {
                    zh.push('（');
                    en.push('(');
                }
                left.write(zh, en, name, product);
                let (sign_zh, sign_en) = match operator {
                    Operator::Plus => ('＋', " + "),
                    Operator::Minus => ('－', " - "),
                    Operator::Times => ('×', " × "),
                };
                zh.push(sign_zh);
                en.push_str(sign_en);
                right.write(zh, en, name, product || *operator == Operator::Minus);
                if brackets {
                    zh.push('）');
                    en.push(')');
                }
            }
        }
    }

    /// Whether it is more than a single figure, so that it needs brackets beside a `÷`.
    pub fn is_compound(&self) -> bool {
        matches!(self, Self::Binary(..) | Self::Negative(_))
    }
}

/// The figures of a formula that are there.
pub fn figures_of(formula: &Formula, figures: &dyn Figures) -> Vec<(&'static Variable, Option<Datum>)> {
    formula
        .variables()
        .into_iter()
        .map(|variable| (variable, figures.figure(variable)))
        .collect()
}

/// Reads a formula from left to right.
struct Parser<'a> {
    text: &'a str,
    /// Byte offset of what is read next.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn sum(&mut self) -> Result<Formula, FormulaError> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take('+') {
                Operator::Plus
            } else if self.take('-') {
                Operator::Minus
            } else {
                return Ok(left);
            };
            left = Formula::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Formula, FormulaError> {
        let mut left = self.operand()?;
        while self.take('*') {
            left = Formula::Binary(Box::new(left), Operator::Times, Box::new(self.operand()?));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Formula, FormulaError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error("formula_syntax", "括号嵌套过深", "too many nested parentheses"));
        }
        self.skip_spaces();
        let operand = match self.rest().chars().next() {
            Some('(') => {
                self.at += 1;
                let inner = self.sum()?;
                if !self.take(')') {
                    return Err(self.error("formula_syntax", "缺少右括号“)”", "a closing parenthesis is missing"));
                }
                inner
            }
            Some('-') => {
                self.at += 1;
                Formula::Negative(Box::new(self.operand()?))
            }
            Some(first) if first.is_ascii_digit() => self.number()?,
            Some(first) if first.is_ascii_alphabetic() => self.variable()?,
            Some(found) => return Err(self.unexpected(found)),
            None => {
                return Err(self.error(
                    "formula_syntax",
                    "公式不完整，此处应为变量或数字",
                    "the formula ends where a variable or a number was expected",
                ));
            }
        };
        self.depth -= 1;
        Ok(operand)
    }

    fn word(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn number(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let digits = self.word(|c| c.is_ascii_digit() || c == '.');
        // 12 characters keep any product of a constant and two figures inside 28 digits.
        match Decimal::from_str_exact(digits) {
            Ok(number) if digits.len() <= 12 && !digits.ends_with('.') => Ok(Formula::Number(number)),
            _ => {
                self.at = start;
                Err(self.error(
                    "formula_syntax",
                    format!("“{digits}”不是有效的数字（最长12位）"),
                    format!("\"{digits}\" is not a number of at most 12 characters"),
                ))
            }
        }
    }

    fn variable(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if let Some(variable) = Variable::find(name) {
            return Ok(Formula::Variable(variable));
        }
        self.at = start;
        // Far longer than any, it is like none of them, which is not looked at for long.
        let compared = VARIABLES.iter().filter(|_| name.len() <= LONGEST_NAME);
        let nearest = compared
            .map(|variable| (strsim::jaro_winkler(name, variable.name), variable))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Err(match nearest {
            Some((_, nearest)) => self.error(
                "unknown_variable",
                format!("没有名为“{name}”的变量，最接近的是“{}”（{}）", nearest.name, nearest.zh),
                format!(
                    "there is no variable \"{name}\"; did you mean \"{}\" ({})?",
                    nearest.name, nearest.en
                ),
            ),
            None => self.error(
                "unknown_variable",
                format!("没有名为“{name}”的变量"),
                format!("there is no variable \"{name}\""),
            ),
        })
    }

    fn unexpected(&self, found: char) -> FormulaError {
        if found == '/' || found == '÷' {
            return self.error(
                "formula_syntax",
                "公式中不能用除号：比率请分别写分子和分母",
                "a formula has no division: give the ratio's numerator and denominator apart",
            );
        }
        self.error(
            "formula_syntax",
            format!("此处不应出现“{found}”"),
            format!("unexpected '{found}'"),
        )
    }

    fn error(
        &self,
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> FormulaError {
        FormulaError {
            position: self.text[..self.at].chars().count() + 1,
            code,
            text: Text::new(zh, en),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::BaseData;
    use super::*;

    fn sheet(json: &str) -> BaseData {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn formulas_follow_the_usual_precedence_and_stay_exact() {
        let sheet = sheet(
            r#"{"budget": {"carried_in": "19.8", "initial": "1922.76", "supplementary": "767.86", "carried_out": "19.8"}}"#,
        );
        for (text, value) in [
            (
                "budget.carried_in+budget.initial+budget.supplementary-budget.carried_out",
                "2690.62",
            ),
            (
                "budget.initial - (budget.carried_in - budget.carried_out) * 2",
                "1922.76",
            ),
            ("2 + 3 * 4 - 1", "13"),
            ("(2 + 3) * 4", "20"),
            ("-budget.carried_in * -0.5", "9.9"),
            ("10 - 3 - 2", "5"),
        ] {
            assert_eq!(
                Formula::parse(text).unwrap().value(&sheet).unwrap(),
                value.parse().unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn every_missing_figure_is_named_and_none_becomes_zero() {
        let formula = Formula::parse("budget.initial + staff.posts * staff.in_post - budget.initial").unwrap();
        let Err(NoValue::Missing(lacking)) = formula.value(&sheet(r#"{"staff": {"posts": 3}}"#)) else {
            panic!("a value came out of missing figures")
        };
        let pointers: Vec<_> = lacking.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(pointers, ["/budget/initial", "/staff/in_post"]);
    }

    #[test]
    fn what_is_no_formula_is_refused_at_its_position() {
        for (text, position, code) in [
            ("staff.pots", 1, "unknown_variable"),
            ("budget.initial + bugdet.initial", 18, "unknown_variable"),
            ("budget.initial / staff.posts", 16, "formula_syntax"),
            ("budget.initial +", 17, "formula_syntax"),
            ("(budget.initial", 16, "formula_syntax"),
            ("budget.initial)", 15, "formula_syntax"),
            ("1.2.3", 1, "formula_syntax"),
            ("1.", 1, "formula_syntax"),
            ("", 1, "formula_syntax"),
            ("2 staff.posts", 3, "formula_syntax"),
        ] {
            let error = Formula::parse(text).unwrap_err();
            assert_eq!(
                (error.position, error.code),
                (position, code),
                "{text}: {}",
                error.text.en
            );
        }
        assert!(
            Formula::parse("staff.pots")
                .unwrap_err()
                .text
                .en
                .contains("staff.posts")
        );
        assert!(Formula::parse(&"(".repeat(5000)).is_err());
        assert!(Formula::parse(&"-".repeat(5000)).is_err());
    }

    #[test]
    fn a_formula_in_words_keeps_its_meaning() {
        let says = |text: &str, in_chinese: &str, in_english: &str| {
            let (mut zh, mut en) = (String::new(), String::new());
            let formula = Formula::parse(text).unwrap();
            formula.words(&mut zh, &mut en, &mut |variable, zh, en| {
                zh.push_str(variable.zh);
                en.push_str(variable.en);
            });
            assert_eq!((zh.as_str(), en.as_str()), (in_chinese, in_english));
        };
        says(
            "budget.carried_in + budget.initial",
            "上年结转＋年初预算",
            "budget carried in + initial budget",
        );
        says(
            "(budget.initial - budget.carried_in) * 2",
            "（年初预算－上年结转）×2",
            "(initial budget - budget carried in) × 2",
        );
        says(
            "budget.initial - (budget.carried_in - 1)",
            "年初预算－（上年结转－1）",
            "initial budget - (budget carried in - 1)",
        );
    }
}
