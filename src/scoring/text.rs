//! Texts as the forms hold them: short labels, long words, and codes; none can hold what a database refuses.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::fault::LANGUAGES;

/// Under which name a schema says in Chinese what it takes, in words that go on from “应为”.
pub const DESCRIPTION_ZH: &str = "x-description-zh";

/// Defines a text type: how long, which characters, what the schema says, and the refusal in both languages.
macro_rules! text {
    (
        $(#[$doc:meta])* $name:ident, $least:literal..=$most:literal, $pattern:literal, $accepts:expr,
        $description:literal, $example:literal, $zh:literal, $en:literal
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn read(text: &str) -> Result<Self, String> {
                let accepts: fn(&str) -> bool = $accepts;
                if ($least..=$most).contains(&text.chars().count()) && accepts(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(format!("应为{}。{LANGUAGES}expected {}", $zh, $en))
                }
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            /// The refusal in Chinese and English.
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                Self::read(&text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::scoring::text::Read(Self::read))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .min_length(Some($least))
                    .max_length(Some($most))
                    .pattern(Some($pattern))
                    .description(Some($description))
                    .examples([serde_json::Value::from($example)])
                    .extensions(Some(
                        utoipa::openapi::extensions::Extensions::builder()
                            .add($crate::scoring::text::DESCRIPTION_ZH, $zh)
                            .build(),
                    ))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

pub(crate) use text as text_type;

/// Reads a text type from a text that need not be kept.
pub(crate) struct Read<T>(pub fn(&str) -> Result<T, String>);

impl<T> Visitor<'_> for Read<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

/// No control characters (PostgreSQL cannot hold NUL at all), and no space at either end.
fn is_label(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| !is_space(c));
    edge(text.chars().next()) && edge(text.chars().next_back()) && !text.chars().any(is_control)
}

/// The spaces of the pattern `\s` of JSON Schema's dialect (ECMA-262), so that the schema and the type agree.
fn is_space(c: char) -> bool {
    c.is_whitespace() && c != '\u{85}' || c == '\u{feff}'
}

fn is_control(c: char) -> bool {
    c < ' ' || c == '\u{7f}'
}

text!(
    /// A name or heading: 1 to 200 characters on one line, without space at its ends.
    Label, 1..=200, r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$", is_label,
    "A name: 1 to 200 characters on one line, without space at either end.",
    "危房改造资金",
    "1至200个字符的名称（首尾不留空格，不含换行和控制字符）",
    "a name of 1 to 200 characters on one line, without space at either end or control characters"
);

/// Lines that do not begin with space, and hold no other control characters.
fn says_something(text: &str) -> bool {
    text.starts_with(|c| !is_space(c) && !is_control(c))
        && !text.chars().any(|c| is_control(c) && !matches!(c, '\n' | '\r' | '\t'))
}

text!(
    /// Free words: up to 4000 characters, line breaks allowed.
    Words, 0..=4000, r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    |text| !text.chars().any(|c| is_control(c) && !matches!(c, '\n' | '\r' | '\t')),
    "Free text of up to 4000 characters.",
    "资料见档案2019-17号",
    "不超过4000个字符的文字（不含控制字符）",
    "a text of at most 4000 characters without control characters"
);

text!(
    /// Why something was done or is so: free words that say something, up to 4000 characters, line breaks allowed.
    Reason, 1..=4000, r"^[^\s\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    says_something,
    "A reason: 1 to 4000 characters that do not begin with a space.",
    "三公经费变动率应按预算数计算，请更正后重新提交",
    "1至4000个字符的理由（不以空格开头，不含控制字符）",
    "a reason of 1 to 4000 characters that does not begin with a space and has no control characters"
);

text!(
    /// A section of a report: 1 to 20,000 characters, each line a paragraph.
    Prose, 1..=20_000, r"^[^\s\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    says_something,
    "A text of 1 to 20000 characters that does not begin with a space; each line is a paragraph.",
    "各项工作稳步推进，年初确定的绩效目标全部完成。",
    "1至20000个字符的文字（不以空格开头，不含控制字符；每行为一个自然段）",
    "a text of 1 to 20000 characters that does not begin with a space and has no control characters"
);

text!(
    /// A code that a scheme gives to an indicator, a section, an item or a level: lower case, digits, underscores.
    Code, 1..=60, r"^[a-z][a-z0-9_]*$",
    |text| text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
    "A code: a lower-case letter, then lower-case letters, digits or underscores; at most 60.",
    "in_post_control",
    "以小写字母开头，由小写字母、数字、下划线组成的代码（最长60位）",
    "a code of lower-case letters, digits and underscores that begins with a letter, at most 60 long"
);

text!(
    /// The id of a scoring scheme: lower case, digits, hyphens, such as `hunan-2019`.
    SchemeId, 1..=60, r"^[a-z0-9][a-z0-9-]*$",
    |text| !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
    "The id of a scoring scheme: lower-case letters, digits and hyphens; at most 60.",
    "hunan-2019",
    "由小写字母、数字、连字符组成的评分标准编号（最长60位）",
    "a scheme id of lower-case letters, digits and hyphens, at most 60 long"
);

text!(
    /// A formula over the base data sheet, not yet parsed.
    FormulaText, 1..=400, r"^[a-z0-9_.+*() -]+$",
    |text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.+*() -".contains(&b)),
    "A formula over the base data sheet: variables such as `budget.initial`, numbers, `+`, `-`, `*` and parentheses.",
    "budget.carried_in + budget.initial",
    "由变量（如 budget.initial）、数字、+、-、*和括号组成的公式（最长400位）",
    "a formula of variables (such as budget.initial), numbers, +, -, * and parentheses, at most 400 long"
);

#[cfg(test)]
impl Code {
    /// From a text known to be right.
    pub(crate) fn literal(text: &str) -> Self {
        Self::try_from(text.to_owned()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_hold_chinese_but_no_control_characters_or_outer_space() {
        for good in ["开云镇人民政府", "a", "a b"] {
            assert!(Label::try_from(good.to_owned()).is_ok(), "{good:?}");
        }
        for bad in ["", " a", "a\u{3000}", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(Label::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn words_may_have_lines_and_codes_may_not_have_capitals() {
        assert!(Words::try_from("一、\n二、".to_owned()).is_ok());
        assert!(Words::try_from("a\0".to_owned()).is_err());
        assert!(Code::try_from("Key".to_owned()).is_err());
        assert!(SchemeId::try_from("hunan-2019".to_owned()).is_ok());
    }
}
