//! How findings say numbers and names.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::fault::Text;
use crate::scoring::score::{Line, Range};
use crate::scoring::values::digits;

/// A figure with its unit in Chinese; in English with it only where it is money or a share.
pub fn with_unit(value: Decimal, unit: &str, zh: bool) -> String {
    let value = digits(value);
    match zh {
        true => format!("{value}{unit}"),
        false if unit == "%" => format!("{value}%"),
        false if unit.contains('元') => format!("{value} {unit}"),
        false => value,
    }
}

/// A quotient as it is said: to two decimals, half up.
pub fn rounded(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// A ratio as it is said, from percent: to two decimals, half up.
pub fn percent(percent: Decimal) -> String {
    format!("{}%", digits(rounded(percent)))
}

/// A ratio with how it follows from its two figures, where these are known.
pub fn working(figures: Option<(Decimal, Decimal)>, ratio: Decimal) -> Text {
    let ratio = percent(ratio);
    match figures.map(|(numerator, denominator)| (digits(numerator), digits(denominator))) {
        Some((n, d)) => Text::new(format!("{n}÷{d}＝{ratio}"), format!("{n} / {d} = {ratio}")),
        None => Text::name(ratio),
    }
}

/// Points that are decided or lie between two: one number, or from–to.
pub fn span(range: Range) -> String {
    match range.decided() {
        Some(points) => digits(points),
        None => format!("{}—{}", digits(range.low), digits(range.high)),
    }
}

/// The name of a line of the score; in Chinese where the scheme has no English one.
pub fn name_of(line: &Line) -> Text {
    Text::new(
        line.name.to_string(),
        line.name_en.as_ref().unwrap_or(&line.name).to_string(),
    )
}
