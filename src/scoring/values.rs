//! Exact numbers as they stand in the forms: each type refuses what its column cannot hold.
//!
//! Every number is read from a JSON string (`"1166.07"`) or from a JSON number, digit by digit and never through a
//! float, and is written as a JSON string without trailing zeros.

use std::borrow::Cow;
use std::fmt;

use arrayvec::ArrayString;
use rust_decimal::Decimal;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::{Number, PartialSchema, ToSchema};

use crate::fault::LANGUAGES;

/// The largest magnitude that any column holds: in 万元 that is a hundred trillion yuan, more than any budget.
const LIMIT: i64 = 9_999_999_999;

/// What a column accepts.
struct Column {
    least: i64,
    most: i64,
    decimals: u32,
    zh: &'static str,
    en: &'static str,
}

impl Column {
    fn check(&self, number: Decimal) -> Result<Decimal, String> {
        let number = number.normalize();
        let fits = number >= Decimal::from(self.least)
            && number <= Decimal::from(self.most)
            && number.scale() <= self.decimals;
        if fits {
            Ok(number)
        } else {
            Err(self.refusal(&number.to_string()))
        }
    }

    /// A number as the forms print it, which is nearly all there are, digit by digit in a machine word; `None` for one that does not
    /// fit, or is written in another way: what becomes of those [`parse`](Self::parse) knows.
    fn plain(&self, text: &str) -> Option<Decimal> {
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        // Eighteen digits fit, and a point.
        if digits.len() > 19 || !digits.first()?.is_ascii_digit() || !digits.last()?.is_ascii_digit() {
            return None;
        }
        // Of the fraction only what is not zero at its end counts.
        let (mut mantissa, mut scale, mut zeros, mut fraction) = (0_i64, 0, 0, false);
        for byte in digits {
            match byte {
                b'.' if !fraction => fraction = true,
                b'0' if fraction => zeros += 1,
                b'0'..=b'9' if fraction => {
                    mantissa = mantissa.checked_mul(10_i64.pow(zeros + 1))? + i64::from(byte - b'0');
                    (scale, zeros) = (scale + zeros + 1, 0);
                }
                b'0'..=b'9' => mantissa = mantissa.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?,
                _ => return None,
            }
        }
        if digits.len() < text.len() {
            mantissa = if mantissa == 0 { return None } else { -mantissa };
        }
        let one = 10_i64.pow(scale.min(self.decimals));
        let fits = scale <= self.decimals && mantissa >= self.least * one && mantissa <= self.most * one;
        fits.then(|| Decimal::new(mantissa, scale))
    }

    fn parse(&self, digits: &str) -> Result<Decimal, String> {
        let number = match digits.contains(['e', 'E']) {
            true => Decimal::from_scientific(digits),
            false => Decimal::from_str_exact(digits),
        };
        // rust_decimal also takes "1_000" and "+5", which no form means to say.
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b"-.eE+".contains(&b));
        match number {
            Ok(number) if plain => self.check(number),
            _ => Err(self.refusal(digits)),
        }
    }

    fn refusal(&self, found: &str) -> String {
        let found: String = found.chars().take(40).collect();
        format!(
            "应为{}，收到的是“{found}”。{LANGUAGES}expected {}, found \"{found}\"",
            self.zh, self.en
        )
    }

    fn schema(&self, description: &str, example: &str) -> RefOr<Schema> {
        let sign = if self.least < 0 { "-?" } else { "" };
        let whole = self.most.to_string().len();
        let pattern = match self.decimals {
            0 => format!("^{sign}[0-9]{{1,{whole}}}$"),
            decimals => format!("^{sign}[0-9]{{1,{whole}}}(\\.[0-9]{{1,{decimals}}})?$"),
        };
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(pattern));
        let number = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Number))
            .minimum(Some(Number::from(self.least as isize)))
            .maximum(Some(Number::from(self.most as isize)));
        OneOfBuilder::new()
            .item(text)
            .item(number)
            .description(Some(description))
            .examples([serde_json::Value::from(example)])
            .into()
    }
}

/// Reads a decimal from a JSON string or number without going through a float.
struct DecimalVisitor<'a>(&'a Column);

impl<'de> Visitor<'de> for DecimalVisitor<'_> {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.en)
    }

    fn visit_str<E: de::Error>(self, digits: &str) -> Result<Decimal, E> {
        if let Some(number) = self.0.plain(digits) {
            return Ok(number);
        }
        // A string states the number as the form prints it; exponents are for JSON numbers only.
        if digits.contains(['e', 'E', '+']) {
            return Err(E::custom(self.0.refusal(digits)));
        }
        self.0.parse(digits).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        self.0.check(Decimal::from(number)).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        self.0.check(Decimal::from(number)).map_err(E::custom)
    }

    // serde_json hands a number over as a one-entry map when it keeps its digits (`arbitrary_precision`).
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Decimal, A::Error> {
        let number = serde_json::Number::deserialize(de::value::MapAccessDeserializer::new(map))
            .map_err(|_| de::Error::custom(self.0.refusal("{…}")))?;
        let digits = number.as_str();
        match self.0.plain(digits) {
            Some(number) => Ok(number),
            None => self.0.parse(digits).map_err(de::Error::custom),
        }
    }

    fn visit_bool<E: de::Error>(self, found: bool) -> Result<Decimal, E> {
        Err(E::custom(self.0.refusal(&found.to_string())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Decimal, E> {
        Err(E::custom(self.0.refusal("null")))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<Decimal, A::Error> {
        Err(de::Error::custom(self.0.refusal("[…]")))
    }
}

macro_rules! column {
    ($(#[$doc:meta])* $name:ident, $description:literal, $example:literal, $column:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Decimal);

        impl $name {
            const COLUMN: Column = $column;

            /// The number.
            pub fn get(self) -> Decimal {
                self.0
            }
        }

        impl TryFrom<Decimal> for $name {
            /// The refusal in Chinese and English, parted by [`LANGUAGES`].
            type Error = String;

            fn try_from(number: Decimal) -> Result<Self, String> {
                Self::COLUMN.check(number).map(Self)
            }
        }

        impl From<$name> for Decimal {
            fn from(value: $name) -> Decimal {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Digits::of(self.0).fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(DecimalVisitor(&Self::COLUMN)).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Digits::of(self.0).as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Self::COLUMN.schema($description, $example)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

column!(
    /// An amount of money in 万元, not negative, exact to 0.01 元 (six decimals).
    Amount,
    "An amount in 万元 (ten thousand yuan), not negative, with at most six decimals (0.01 元).",
    "1166.07",
    Column {
        least: 0,
        most: LIMIT,
        decimals: 6,
        zh: "不小于0的金额（万元，最多6位小数）",
        en: "an amount in 万元 of at least 0 with at most 6 decimals",
    }
);

column!(
    /// An amount of money in 万元 that may be negative, such as a supplement that took budget away (追减).
    SignedAmount,
    "An amount in 万元 (ten thousand yuan) that may be negative, with at most six decimals (0.01 元).",
    "767.86",
    Column {
        least: -LIMIT,
        most: LIMIT,
        decimals: 6,
        zh: "金额（万元，最多6位小数，可为负数）",
        en: "an amount in 万元 with at most 6 decimals; it may be negative",
    }
);

column!(
    /// A measured quantity of any unit: an area, a rate, a target, an achievement.
    Quantity,
    "A measured quantity, with at most six decimals; it may be negative (a growth rate).",
    "181",
    Column {
        least: -LIMIT,
        most: LIMIT,
        decimals: 6,
        zh: "数值（最多6位小数）",
        en: "a number with at most 6 decimals",
    }
);

column!(
    /// Points or a weight in points: 0 to 1000, four decimals.
    Points,
    "Points: 0 to 1000, with at most four decimals.",
    "8",
    Column {
        least: 0,
        most: 1000,
        decimals: 4,
        zh: "0至1000的分值（最多4位小数）",
        en: "points from 0 to 1000 with at most 4 decimals",
    }
);

column!(
    /// A rate in percent: 95 means 95%.
    Percent,
    "A rate in percent (95 means 95%), from -1000000 to 1000000, with at most six decimals.",
    "95",
    Column {
        least: -1_000_000,
        most: 1_000_000,
        decimals: 6,
        zh: "百分数（95表示95%，最多6位小数）",
        en: "a percentage (95 means 95%) with at most 6 decimals",
    }
);

column!(
    /// A share of a row's weight, in percent: 0 to 100.
    Share,
    "A share in percent: 0 to 100, with at most six decimals.",
    "95",
    Column {
        least: 0,
        most: 100,
        decimals: 6,
        zh: "0至100的百分数（最多6位小数）",
        en: "a percentage from 0 to 100 with at most 6 decimals",
    }
);

/// A count of people or things: a whole number from 0 to 999,999,999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Count(u32);

impl Count {
    const COLUMN: Column = Column {
        least: 0,
        most: 999_999_999,
        decimals: 0,
        zh: "不小于0的整数",
        en: "a whole number of at least 0",
    };

    /// The count as a decimal, for arithmetic.
    pub fn get(self) -> Decimal {
        Decimal::from(self.0)
    }
}

impl From<u16> for Count {
    fn from(count: u16) -> Self {
        Self(count.into())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_any(CountVisitor)?;
        u32::try_from(number)
            .map(Self)
            .map_err(|_| de::Error::custom(Self::COLUMN.refusal(&number.to_string())))
    }
}

/// A calendar year from 1990 to 2100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Count")]
#[schema(value_type = u32, minimum = 1990, maximum = 2100, example = 2019)]
pub struct Year(u32);

impl Year {
    /// The year as a number.
    pub fn get(self) -> i64 {
        self.0.into()
    }
}

impl TryFrom<Count> for Year {
    /// The refusal in Chinese and English.
    type Error = String;

    fn try_from(year: Count) -> Result<Self, String> {
        match year.0 {
            1990..=2100 => Ok(Self(year.0)),
            _ => Err(format!(
                "年份应为1990至2100的整数。{LANGUAGES}expected a year from 1990 to 2100"
            )),
        }
    }
}

/// The digits of a number without trailing zeros, as `number.normalize().to_string()` gives them, held without allocating.
///
/// That one divides 96 bits by ten for each digit, and a ratio has 28; a score writes some two hundred numbers.
#[derive(Clone, Copy)]
pub struct Digits(ArrayString<{ Digits::MOST }>);

impl Digits {
    /// A sign, `0.`, and the 29 digits of 96 bits.
    const MOST: usize = 32;

    /// The digits of `number`.
    pub fn of(number: Decimal) -> Self {
        let mut buffer = itoa::Buffer::new();
        let mantissa = number.mantissa();
        // Nearly all fit, and a machine word is written faster.
        let digits = match u64::try_from(mantissa.unsigned_abs()) {
            Ok(word) => buffer.format(word),
            Err(_) => buffer.format(mantissa.unsigned_abs()),
        };
        let mut text = ArrayString::new();
        if mantissa < 0 {
            text.push_str("-");
        }
        let scale = number.scale() as usize;
        if scale == 0 {
            text.push_str(digits);
            return Self(text);
        }
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
        let kept = fraction.bytes().rposition(|digit| digit != b'0');
        let kept = &fraction[..kept.map_or(0, |last| last + 1)];
        text.push_str(if whole.is_empty() { "0" } else { whole });
        if !kept.is_empty() {
            text.push_str(".");
            text.push_str(&"0000000000000000000000000000"[..scale - fraction.len()]);
            text.push_str(kept);
        }
        Self(text)
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Digits {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digits of a number without trailing zeros, as text of its own.
pub fn digits(number: Decimal) -> String {
    Digits::of(number).as_str().to_owned()
}

/// The whole number that a JSON number states, also as `2019.0` or `2.019e3`; `None` for any other.
pub fn whole(number: &serde_json::Number) -> Option<i64> {
    let digits = number.to_string();
    let decimal = match digits.contains(['e', 'E']) {
        true => Decimal::from_scientific(&digits),
        false => Decimal::from_str_exact(&digits),
    };
    let decimal = decimal.ok()?.normalize();
    if decimal.scale() > 0 {
        return None;
    }
    i64::try_from(decimal).ok()
}

/// Reads a count from a JSON number; a string is refused, since a count needs no protection of its digits.
struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Count::COLUMN.en)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        DecimalVisitor(&Count::COLUMN).visit_u64(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        DecimalVisitor(&Count::COLUMN).visit_i64(number)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Decimal, A::Error> {
        DecimalVisitor(&Count::COLUMN).visit_map(map)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl PartialSchema for Count {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(Number::from(0_isize)))
            .maximum(Some(Number::from(999_999_999_isize)))
            .description(Some("A count of people or things: a whole number."))
            .examples([serde_json::Value::from(104)])
            .into()
    }
}

impl ToSchema for Count {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Count")
    }
}

/// A number that the service worked out, written as a JSON string so that no reader rounds it.
pub mod exact {
    use super::{Decimal, Digits, Serializer};

    /// Serializes a decimal without trailing zeros.
    pub fn serialize<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Digits::of(*number).as_str())
    }

    /// The same for a number that may be unknown (`null`).
    pub mod option {
        use super::{Decimal, Serializer};

        /// Serializes `Some` as a string and `None` as `null`.
        pub fn serialize<S: Serializer>(number: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
            match number {
                Some(number) => super::serialize(number, serializer),
                None => serializer.serialize_none(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_those_of_the_library(high: i64, low: i64, scale in 0u32..=28) {
            let number = Decimal::from_i128_with_scale(i128::from(high) * (1 << 31) + i128::from(low), scale);
            prop_assert_eq!(Digits::of(number).to_string(), number.normalize().to_string());
            let short = Decimal::new(low % 10_000, scale % 8);
            prop_assert_eq!(Digits::of(short).to_string(), short.normalize().to_string());
        }
    }

    proptest! {
        #[test]
        fn what_is_read_plainly_is_what_is_parsed(text in r"-?[0-9]{0,20}(\.[0-9]{0,10}0{0,3})?[-+eE_.]?[0-9]{0,2}") {
            for column in [&Amount::COLUMN, &SignedAmount::COLUMN, &Points::COLUMN, &Share::COLUMN, &Count::COLUMN] {
                if let Some(plain) = column.plain(&text) {
                    let parsed = column.parse(&text).map(|parsed| (parsed.mantissa(), parsed.scale()));
                    prop_assert_eq!(Ok((plain.mantissa(), plain.scale())), parsed, "{}", text);
                }
            }
        }

        #[test]
        fn what_forms_print_is_read_plainly(whole in 0_u32..=999_999_999, fraction in 0_u32..=999_999, decimals in 0_usize..=6) {
            let text = match decimals {
                0 => whole.to_string(),
                _ => format!("{whole}.{}", &format!("{fraction:06}")[..decimals]),
            };
            prop_assert!(Amount::COLUMN.plain(&text).is_some(), "{}", text);
            let negative = format!("-{text}");
            prop_assert_eq!(SignedAmount::COLUMN.plain(&negative).is_some(), text.contains(|c| ('1'..='9').contains(&c)), "{}", negative);
        }
    }

    fn amount(json: &str) -> Result<String, String> {
        serde_json::from_str::<Amount>(json)
            .map(|amount| serde_json::to_string(&amount).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_and_strings_keep_every_digit() {
        assert_eq!(amount("\"1166.07\"").unwrap(), "\"1166.07\"");
        assert_eq!(amount("1166.07").unwrap(), "\"1166.07\"");
        assert_eq!(amount("0.1").unwrap(), "\"0.1\"");
        assert!(amount("9999999999.000001").unwrap_err().contains("万元"));
        assert_eq!(amount("9999999998.000001").unwrap(), "\"9999999998.000001\"");
        assert_eq!(amount("12e1").unwrap(), "\"120\"");
        assert_eq!(amount("\"1.50\"").unwrap(), "\"1.5\"");
    }

    #[test]
    fn what_is_no_amount_is_refused_with_both_languages() {
        for bad in [
            "-1",
            "\"-0.01\"",
            "\"1,166\"",
            "\"1_0\"",
            "\"１\"",
            "\"\"",
            "\"1e3\"",
            "0.0000001",
            "true",
            "[]",
            "{}",
            "1e40",
        ] {
            let error = amount(bad).unwrap_err();
            assert!(error.contains("万元") && error.contains("an amount"), "{bad}: {error}");
        }
        // A number whose shortest float form would look harmless is still seen digit by digit.
        assert!(amount("0.30000000000000001").is_err());
    }

    #[test]
    fn a_count_is_a_whole_json_number() {
        assert_eq!(serde_json::from_str::<Count>("104").unwrap().to_string(), "104");
        assert_eq!(serde_json::from_str::<Count>("104.0").unwrap().to_string(), "104");
        for bad in ["\"104\"", "-1", "1.5", "1000000000", "null"] {
            assert!(serde_json::from_str::<Count>(bad).is_err(), "{bad}");
        }
    }
}
