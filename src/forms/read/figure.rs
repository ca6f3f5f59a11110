//! A figure as offices write it, and what it is in the unit of its column; nothing that could be meant otherwise.

use rust_decimal::Decimal;

use super::grid::{Cell, Value};
use crate::fault::Text;
use crate::forms::terms::half_width;
use crate::scoring::variables::Unit;

/// In what money is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// 元
    Yuan,
    /// 万元
    TenThousandYuan,
}

impl Mark {
    /// The mark that stands in parentheses at the end of a label, after `单位：`, or by itself.
    pub fn of(text: &str) -> Option<Self> {
        let text: String = half_width(text).chars().filter(|c| !c.is_whitespace()).collect();
        let marked =
            |mark: &str| text == mark || text.contains(&format!("({mark})")) || text.contains(&format!("单位:{mark}"));
        match () {
            () if marked("万元") => Some(Self::TenThousandYuan),
            () if marked("元") => Some(Self::Yuan),
            () => None,
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::Yuan => "元",
            Self::TenThousandYuan => "万元",
        }
    }
}

/// The word for a figure for which two units of money are marked.
pub const CONFLICT: &str = "conflicting_units";

/// Why a cell is no figure: a stable word, and what was read and expected.
pub type NoFigure = (&'static str, Text);

/// The digits of a figure in the unit of its column, `None` for a pure number; `marks` are those that stand over it, before
/// it and on its sheet.
///
/// # Errors
/// What was read and what was expected.
pub fn figure(cell: &Cell, unit: Option<Unit>, marks: &[Mark]) -> Result<String, NoFigure> {
    let money = unit == Some(Unit::TenThousandYuan);
    let (digits, own) = match &cell.value {
        Value::Number(digits) => (digits.clone(), None),
        Value::Text(text) => number(text, unit)?,
        Value::Uncalculated => {
            return Err((
                "formula_without_result",
                Text::new(
                    format!("公式“{}”没有计算结果，应为数字。", cell.shown()),
                    format!("the formula \"{}\" has no result; expected a number", cell.shown()),
                ),
            ));
        }
        Value::Other(shown) => return Err(no_number(shown, unit)),
    };
    if !money {
        return Ok(digits);
    }
    let differ = |marks: &[Mark]| marks.windows(2).any(|pair| pair[0] != pair[1]);
    let mark = match own {
        Some(mark) => mark,
        None if differ(marks) => {
            return Err((
                CONFLICT,
                Text::new(
                    format!("读到“{digits}”，但表中同时标有元和万元，无法确定单位。"),
                    format!("read \"{digits}\", and both 元 and 万元 are marked for it; expected one of them"),
                ),
            ));
        }
        None => marks.first().copied().unwrap_or(Mark::TenThousandYuan),
    };
    match mark {
        Mark::TenThousandYuan => Ok(digits),
        Mark::Yuan => {
            let exact = Decimal::from_str_exact(&digits).ok();
            let moved = exact.and_then(|number| number.checked_mul(Decimal::new(1, 4)));
            moved
                .map(|number| number.normalize().to_string())
                .ok_or_else(|| no_number(&digits, unit))
        }
    }
}

/// The digits of a text and the mark behind them.
fn number(text: &str, unit: Option<Unit>) -> Result<(String, Option<Mark>), NoFigure> {
    let plain: String = half_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    let (digits, mark) = match unit {
        Some(Unit::TenThousandYuan) => {
            let digits = plain.trim_start_matches(['¥', '￥']);
            let found = [Mark::TenThousandYuan, Mark::Yuan]
                .into_iter()
                .find_map(|mark| Some((digits.strip_suffix(mark.zh())?, mark)));
            found.map_or((digits, None), |(digits, mark)| (digits, Some(mark)))
        }
        Some(unit) => (plain.strip_suffix(unit.zh()).unwrap_or(&plain), None),
        None => (plain.as_str(), None),
    };
    match plain_digits(digits) {
        Some(digits) => Ok((digits, mark)),
        None => Err(no_number(text, unit)),
    }
}

/// Digits without the commas that part thousands; `None` for what is no plain number.
pub fn plain_digits(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(whole, part)| (whole, Some(part)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = whole.contains(',');
    let good = all_digits(first)
        && (!grouped || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && all_digits(group))
        && fraction.is_none_or(all_digits);
    good.then(|| {
        let whole = whole.replace(',', "");
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        match fraction {
            Some(fraction) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{whole}"),
        }
    })
}

fn no_number(shown: &str, unit: Option<Unit>) -> NoFigure {
    let shown: String = shown.chars().take(60).collect();
    let (zh, en) = unit.map_or_else(Default::default, |unit| {
        (format!("（{}）", unit.zh()), format!(" in {}", unit.zh()))
    });
    let (and_zh, and_en) = match unit.is_none() && half_width(&shown).ends_with('%') {
        true => (
            "，不要带百分号或百分比格式（百分数请填单位%）",
            " without a percent sign or format (for percent the unit is %)",
        ),
        false => ("", ""),
    };
    (
        "not_a_number",
        Text::new(
            format!("读到“{shown}”，应为数字{zh}{and_zh}。"),
            format!("read \"{shown}\"; expected a number{en}{and_en}"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, unit: Unit, marks: &[Mark]) -> Result<String, &'static str> {
        let cell = Cell {
            value: Value::Text(text.to_owned()),
            formula: None,
        };
        figure(&cell, Some(unit), marks).map_err(|(code, _)| code)
    }

    #[test]
    fn figures_are_read_as_offices_write_them() {
        for (text, figure) in [
            ("1166.07", "1166.07"),
            (" 1 166.07 ", "1166.07"),
            ("1,166.07", "1166.07"),
            ("１，１６６．０７", "1166.07"),
            ("￥1,166.07万元", "1166.07"),
            ("11660700元", "1166.07"),
            ("-0.33", "-0.33"),
            ("0.01元", "0.000001"),
        ] {
            assert_eq!(read(text, Unit::TenThousandYuan, &[]).as_deref(), Ok(figure), "{text}");
        }
        assert_eq!(read("104人", Unit::People, &[]).as_deref(), Ok("104"));
        assert_eq!(
            read("326", Unit::TenThousandYuan, &[Mark::Yuan]).as_deref(),
            Ok("0.0326")
        );
        // What stands in the cell says it best.
        assert_eq!(
            read("326万元", Unit::TenThousandYuan, &[Mark::Yuan]).as_deref(),
            Ok("326")
        );
    }

    #[test]
    fn what_could_be_meant_otherwise_is_no_figure() {
        for text in [
            "1,16",
            "1.166,07",
            "12,34,567",
            "约100",
            "—",
            "无",
            "(5)",
            "95%",
            "1e3",
            "+5",
            "100元/人",
            "万元",
            "1..2",
        ] {
            assert_eq!(read(text, Unit::TenThousandYuan, &[]), Err("not_a_number"), "{text}");
        }
        assert_eq!(read("4元", Unit::People, &[]), Err("not_a_number"));
        assert_eq!(
            read("326", Unit::TenThousandYuan, &[Mark::Yuan, Mark::TenThousandYuan]),
            Err("conflicting_units")
        );
    }
}
