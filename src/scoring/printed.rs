//! What a table prints: a ratio such as `49.88%`, a result such as `≥266米` or `完成`. Read exactly, as it stands.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::{Number, PartialSchema, ToSchema};

use super::special_fund::Comparison;
use crate::fault::LANGUAGES;

/// What every ratio that a table may print stays below, in percent.
const RATIO_LIMIT: i64 = 10_000_000;

/// How many characters a printed result may have.
const LONGEST: usize = 200;

/// A ratio as a table prints it, in percent, with as many decimals as it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrintedRatio(Decimal);

impl PrintedRatio {
    /// The ratio in percent.
    pub fn percent(self) -> Decimal {
        self.0
    }

    /// Whether it is `exact` (percent), rounded half up or cut off at the decimals that are printed.
    pub fn agrees_with(self, exact: Decimal) -> bool {
        let rounded = |strategy| exact.round_dp_with_strategy(self.0.scale(), strategy) == self.0;
        rounded(RoundingStrategy::MidpointAwayFromZero) || rounded(RoundingStrategy::ToZero)
    }
}

impl TryFrom<&str> for PrintedRatio {
    /// The refusal in Chinese and English, parted by [`LANGUAGES`].
    type Error = String;

    fn try_from(text: &str) -> Result<Self, String> {
        let digits = text.strip_suffix(['%', '％']).unwrap_or(text);
        let number = match digits.as_bytes() {
            [b'-', rest @ ..] | rest
                if rest.first().is_some_and(u8::is_ascii_digit)
                    && rest.last().is_some_and(u8::is_ascii_digit)
                    && rest.iter().all(|b| b.is_ascii_digit() || *b == b'.') =>
            {
                Decimal::from_str_exact(digits).ok()
            }
            _ => None,
        };
        number
            .filter(|number| number.scale() <= 6 && number.abs() < Decimal::from(RATIO_LIMIT))
            .map(Self)
            .ok_or_else(|| {
                let found: String = text.chars().take(40).collect();
                format!(
                    "应为比率，如“49.88%”（最多6位小数），收到的是“{found}”。{LANGUAGES}expected a ratio such as \"49.88%\" with at most 6 decimals, found \"{found}\""
                )
            })
    }
}

impl fmt::Display for PrintedRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// A JSON string or number, as the text that it is written in.
fn text_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => {
            let digits = number.to_string();
            // 1e2 is a number like any other in JSON.
            let plain = digits
                .contains(['e', 'E'])
                .then(|| Decimal::from_scientific(&digits).ok());
            Ok(plain.flatten().map_or(digits, |number| number.to_string()))
        }
        _ => Err(de::Error::custom(format!(
            "应为文字或数字。{LANGUAGES}expected a text or a number"
        ))),
    }
}

impl<'de> Deserialize<'de> for PrintedRatio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(text_of(deserializer)?.as_str()).map_err(de::Error::custom)
    }
}

impl Serialize for PrintedRatio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for PrintedRatio {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(r"^-?[0-9]{1,7}(\.[0-9]{1,6})?[%％]?$"));
        let number = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Number))
            .exclusive_minimum(Some(Number::from(-(RATIO_LIMIT as isize))))
            .exclusive_maximum(Some(Number::from(RATIO_LIMIT as isize)));
        OneOfBuilder::new()
            .item(text)
            .item(number)
            .description(Some(
                "A ratio in percent as it is printed, with its decimals (`\"49.88%\"`, `\"76%\"`), or as a number (76 means 76%).",
            ))
            .examples([serde_json::Value::from("60.82%")])
            .into()
    }
}

impl ToSchema for PrintedRatio {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PrintedRatio")
    }
}

/// A target or a result as a table prints it: a number, perhaps with a sign and a unit (`≥266米`), or words (`完成`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    text: String,
    number: Option<Decimal>,
    sign: Option<Comparison>,
}

impl Printed {
    /// As it is printed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its number; `None` for words and dates.
    pub fn number(&self) -> Option<Decimal> {
        self.number
    }

    /// The sign before the number (≥, ≤, =), if one is printed.
    pub fn sign(&self) -> Option<Comparison> {
        self.sign
    }
}

/// The signs that tables print before a number.
const SIGNS: [(&str, Comparison); 12] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("≥", Comparison::AtLeast),
    ("≧", Comparison::AtLeast),
    ("＞", Comparison::AtLeast),
    (">", Comparison::AtLeast),
    ("≤", Comparison::AtMost),
    ("≦", Comparison::AtMost),
    ("＜", Comparison::AtMost),
    ("<", Comparison::AtMost),
    ("＝", Comparison::Equal),
    ("=", Comparison::Equal),
];

impl TryFrom<String> for Printed {
    /// The refusal in Chinese and English, parted by [`LANGUAGES`].
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !(1..=LONGEST).contains(&text.chars().count()) || text.chars().any(|c| c < ' ' || c == '\u{7f}') {
            return Err(format!(
                "应为1至{LONGEST}个字符的数字或文字（不含控制字符）。{LANGUAGES}expected a number or a text of 1 to {LONGEST} characters without control characters"
            ));
        }
        let trimmed = text.trim();
        let (sign, rest) = SIGNS
            .iter()
            .find_map(|(sign, comparison)| Some((Some(*comparison), trimmed.strip_prefix(sign)?.trim_start())))
            .unwrap_or((None, trimmed));
        let number = leading_number(rest);
        Ok(Self {
            sign: sign.filter(|_| number.is_some()),
            number,
            text,
        })
    }
}

/// The number that a text begins with, if the rest of it is a unit: no second number, and no date.
fn leading_number(text: &str) -> Option<Decimal> {
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || matches!(c, '.' | ',') || *at == 0 && *c == '-'))
        .map_or(text.len(), |(at, _)| at);
    let (digits, unit) = text.split_at(end);
    if unit.contains(|c: char| c.is_numeric() || matches!(c, '月' | '日' | '号')) {
        return None;
    }
    let whole = digits.split('.').next()?.trim_start_matches('-');
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = first.len() <= 3 && groups.clone().all(|group| group.len() == 3);
    if whole.contains(',') && !grouped || !first.starts_with(|c: char| c.is_ascii_digit()) || digits.ends_with('.') {
        return None;
    }
    let number = Decimal::from_str_exact(&digits.replace(',', "")).ok()?;
    // What a column of any form holds; more would not stay exact.
    (number.scale() <= 6 && number.abs() <= Decimal::from(9_999_999_999_i64)).then_some(number)
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Printed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(text_of(deserializer)?).map_err(de::Error::custom)
    }
}

impl PartialSchema for Printed {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .min_length(Some(1))
            .max_length(Some(LONGEST))
            .pattern(Some(r"^[^\x00-\x1f\x7f]+$"));
        OneOfBuilder::new()
            .item(text)
            .item(ObjectBuilder::new().schema_type(SchemaType::Type(Type::Number)))
            .description(Some(
                "A target or a result as it is printed: a number, perhaps with a sign and a unit (`\"≥266米\"`, `\"98%\"`), or words (`\"完成\"`).",
            ))
            .examples([serde_json::Value::from("≥266米")])
            .into()
    }
}

impl ToSchema for Printed {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Printed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(json: &str) -> Option<PrintedRatio> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn a_ratio_keeps_the_decimals_that_are_printed_and_agrees_as_far_as_they_go() {
        let exact = Decimal::from_str_exact("49.8839").unwrap();
        for (printed, agrees) in [
            ("\"49.88%\"", true),
            ("\"49.8%\"", true),
            ("\"49.9％\"", true),
            ("\"50%\"", true),
            ("49", true),
            ("\"50.00%\"", false),
            ("\"49.89\"", false),
            ("51", false),
        ] {
            assert_eq!(ratio(printed).unwrap().agrees_with(exact), agrees, "{printed}");
        }
        assert_eq!(ratio("\"100.00%\"").unwrap().to_string(), "100.00%");
        for bad in [
            "\"\"",
            "\"%\"",
            "\"1.%\"",
            "\"+5%\"",
            "\"5%%\"",
            "\"1,000%\"",
            "\"1.0000001\"",
            "10000000",
            "true",
            "\"--1\"",
        ] {
            assert!(ratio(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_result_is_read_as_a_number_only_where_it_is_one() {
        for (printed, number) in [
            ("\"≥266米\"", Some("266")),
            ("\"98%\"", Some("98")),
            ("\"1,028.5万元\"", Some("1028.5")),
            ("\"-0.33\"", Some("-0.33")),
            ("12", Some("12")),
            ("\"完成\"", None),
            ("\"到0次\"", None),
            ("\"3月底前\"", None),
            ("\"2019年12月31日\"", None),
            ("\"1,02\"", None),
            ("\"2-3次\"", None),
        ] {
            let read: Printed = serde_json::from_str(printed).unwrap();
            let expected = number.map(|digits| Decimal::from_str_exact(digits).unwrap());
            assert_eq!(read.number(), expected, "{printed}");
        }
        let copied: Printed = serde_json::from_str("\"≥ 90%\"").unwrap();
        assert_eq!(copied.sign(), Some(Comparison::AtLeast));
    }
}
