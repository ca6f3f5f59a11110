//! The rules of a scheme as formulas of a spreadsheet, where it can say them and comes to the same points.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::scoring::formula::{Formula, Operator};
use crate::scoring::rule::Applied;
use crate::scoring::scheme::{Bound, Deduct, Round, RoundMode, Rule, Scheme, Side, Steps};
use crate::scoring::score::Line;
use crate::scoring::variables::Variable;

/// To how many decimals a spreadsheet's own arithmetic is right where we use it: 1.13 × 100 is 112.99999999999999 there. Every
/// result that a rule looks at is rounded to so many first, and where that could hide on which side of a bound a figure
/// lies, the points are printed as a value.
const SURE: u32 = 9;

/// A formula of a scheme over the cells of another sheet; `None` where it names a figure that stands in none.
pub fn over_cells(formula: &Formula, cell: &dyn Fn(&'static Variable) -> Option<String>) -> Option<String> {
    Some(match formula {
        Formula::Number(number) => number.to_string(),
        Formula::Variable(variable) => cell(variable)?,
        Formula::Negative(inner) => format!("-({})", over_cells(inner, cell)?),
        Formula::Binary(left, operator, right) => {
            let (left, right) = (nested(left, cell)?, nested(right, cell)?);
            match operator {
                Operator::Plus => format!("{left}+{right}"),
                Operator::Minus => format!("{left}-{right}"),
                Operator::Times => format!("{left}*{right}"),
            }
        }
    })
}

fn nested(formula: &Formula, cell: &dyn Fn(&'static Variable) -> Option<String>) -> Option<String> {
    let text = over_cells(formula, cell)?;
    Some(match formula {
        Formula::Binary(..) => format!("({text})"),
        _ => text,
    })
}

/// The points of a line by its rule, from the cell of its ratio (a share of 1); `None` where the rule judges no ratio, or a
/// spreadsheet could come to other points than we do.
pub fn points(scheme: &Scheme, line: &Line, ratio: &str) -> Option<String> {
    let (used, weight) = (line.ratio.as_ref()?.used?, line.weight?);
    let rule = rule_of(scheme, &line.code)?;
    let percent = percent(scheme.round_ratio, line.ratio.as_ref()?.percent?, ratio)?;
    let raw = match (rule, line.applied.as_ref()?) {
        (Rule::Deduct(deduct), Applied::Steps(_)) => steps(deduct, weight, used, &percent)?,
        (Rule::Bands(bands), Applied::Band(_)) => {
            let mut formula = String::new();
            for band in &bands.bands {
                let bound = band.bound()?;
                let (sign, bound) = match bound {
                    Bound::AtMost(bound) => ("<=", bound),
                    Bound::Below(bound) => ("<", bound),
                    Bound::AtLeast(bound) => (">=", bound),
                    Bound::Above(bound) => (">", bound),
                };
                sure(used - bound)?;
                formula.push_str(&format!("IF({percent}{sign}{bound},{},", band.points));
            }
            format!("{formula}{}{}", bands.otherwise, ")".repeat(bands.bands.len()))
        }
        (Rule::Proportion(_), Applied::Proportion) => format!("{weight}*MAX(0,MIN(100,{percent}))/100"),
        _ => return None,
    };
    rounded(scheme.round_points, weight, &raw)
}

/// The rule of an indicator.
fn rule_of<'a>(scheme: &'a Scheme, code: &str) -> Option<&'a Rule> {
    let indicators = scheme.document.sections.iter().flat_map(|section| &section.indicators);
    indicators
        .into_iter()
        .find(|indicator| indicator.code.as_str() == code)?
        .rule
        .as_ref()
}

/// The ratio in percent as the rule sees it.
fn percent(round: Option<Round>, percent: Decimal, ratio: &str) -> Option<String> {
    let percent_cell = format!("ROUND({ratio}*100,{SURE})");
    let Some(round) = round.filter(|round| round.mode != RoundMode::Exact) else {
        return Some(percent_cell);
    };
    let decimals = u32::from(u8::from(round.decimals));
    let ticks = percent.checked_mul(Decimal::from(10_u64.pow(decimals)))?;
    match round.mode {
        RoundMode::HalfUp => {
            sure(ticks * Decimal::TWO)?;
            Some(format!("ROUND({percent_cell},{decimals})"))
        }
        _ => {
            sure(ticks)?;
            Some(format!("FLOOR({percent_cell},{})", Decimal::new(1, decimals)))
        }
    }
}

fn steps(rule: &Deduct, weight: Decimal, used: Decimal, percent: &str) -> Option<String> {
    let (target, step) = (rule.target.get(), rule.step.get());
    let miss = match rule.off {
        Side::Above => format!("MAX(0,{percent}-{target})"),
        Side::Below => format!("MAX(0,{target}-{percent})"),
        Side::Either => format!("ABS({percent}-{target})"),
    };
    let count = format!("ROUND({miss}/{step},{SURE})");
    let steps = match rule.count {
        Steps::Proportional => count,
        whole => {
            sure((used - target).checked_div(step)?)?;
            match whole {
                Steps::Started => format!("ROUNDUP({count},0)"),
                _ => format!("INT({count})"),
            }
        }
    };
    Some(format!("MAX(0,{weight}-{steps}*{})", rule.points_per_step))
}

/// Lets a figure pass that is whole or further from a whole number than a spreadsheet can be wrong by.
fn sure(figure: Decimal) -> Option<()> {
    let whole = figure.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let off = (figure - whole).abs();
    (off.is_zero() || off > Decimal::new(1, SURE - 1)).then_some(())
}

/// Points as the scheme rounds them; `None` for a weight that has more decimals than points are rounded to, which is held
/// unrounded.
pub fn rounded(round: Round, weight: Decimal, raw: &str) -> Option<String> {
    let decimals = u8::from(round.decimals);
    if round.mode == RoundMode::Exact {
        return Some(raw.to_owned());
    }
    if weight.normalize().scale() > u32::from(decimals) {
        return None;
    }
    Some(match round.mode {
        RoundMode::Floor => format!("ROUNDDOWN(ROUND({raw},{SURE}),{decimals})"),
        _ => format!("ROUND(ROUND({raw},{SURE}),{decimals})"),
    })
}
