//! What is wrong with something that a client sent, said in both languages of the service.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scoring::text::SchemeId;

/// One sentence, in Chinese and in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Text {
    /// The sentence in Chinese.
    #[schema(example = "合计应等于各分项之和。")]
    #[schema(value_type = String)]
    pub zh: Cow<'static, str>,
    /// The sentence in English.
    #[schema(example = "The total must equal the sum of its parts.")]
    #[schema(value_type = String)]
    pub en: Cow<'static, str>,
}

/// Separates the Chinese from the English wording inside the one string that a deserializer's error can carry.
pub const LANGUAGES: char = '\u{1f}';

impl Text {
    /// A sentence from a message in which [`LANGUAGES`] parts the two wordings; one without it serves as both.
    pub fn from_joined(message: &str) -> Self {
        match message.split_once(LANGUAGES) {
            Some((zh, en)) => Self::new(zh.to_owned(), en.to_owned()),
            None => Self::new(message.to_owned(), message.to_owned()),
        }
    }

    /// A sentence that is the same each time.
    pub const fn fixed(zh: &'static str, en: &'static str) -> Self {
        Self {
            zh: Cow::Borrowed(zh),
            en: Cow::Borrowed(en),
        }
    }

    /// A name that someone gave, which is the same in both languages.
    pub fn name(name: impl std::fmt::Display) -> Self {
        let name = name.to_string();
        Self::new(name.clone(), name)
    }

    /// A sentence from its Chinese and its English wording.
    pub fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// One thing that is wrong with a document, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// RFC 6901 JSON Pointer to the value at fault; empty for the document as a whole.
    pub pointer: String,
    /// A stable word for programs, such as `unknown_field`.
    pub code: &'static str,
    /// What is wrong and what was expected.
    pub text: Text,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(
        pointer: impl Into<String>,
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            text: Text::new(zh, en),
        }
    }

    /// The scheme that `/scheme` names does not exist.
    pub fn unknown_scheme(id: &SchemeId) -> Self {
        Self::new(
            "/scheme",
            "unknown_scheme",
            format!("评分标准{id}不存在，可用的标准见 /api/v1/scoring-schemes。"),
            format!("there is no scheme {id}; /api/v1/scoring-schemes lists those there are"),
        )
    }

    /// The scheme that `/scheme` names has no weights.
    pub fn template_scheme(id: &SchemeId) -> Self {
        Self::new(
            "/scheme",
            "template",
            format!("{id}是没有分值的指标框架，不能用于评分；请另存副本并补充分值。"),
            format!("{id} is a template without weights; copy it under another id and complete it"),
        )
    }

    /// The same fault, seen from a document that holds this one at `prefix` (a JSON Pointer).
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}
