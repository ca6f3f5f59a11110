//! Query parameters: every one that is unknown, given twice or malformed is named at once.

use std::collections::HashSet;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::fields;
use super::problem::{At, Problem};
use crate::fault::Text;

/// The query as a `T`, all of whose fields are optional and which refuses unknown ones.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // What an answer is to leave out is no matter of the operation.
        ready(parse(&fields::without(request)).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let garbled = garbled(query);
    let error = match serde_html_form::from_str(query) {
        Ok(value) if garbled.is_empty() => return Ok(value),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    // Each pair alone, since all fields are optional: so each error belongs to its parameter.
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    for (n, (name, value)) in pairs.iter().enumerate() {
        let shown: String = name.chars().take(60).collect();
        if garbled.contains(&n) {
            errors.push(At::parameter(
                shown,
                "not_utf8",
                Text::new(
                    "参数应采用UTF-8编码；如为GBK编码，请先转换。",
                    "the parameter is not in UTF-8",
                ),
            ));
            continue;
        }
        if !seen.insert(name) {
            errors.push(At::parameter(
                shown.clone(),
                "duplicate",
                Text::new(format!("参数“{shown}”重复。"), format!("\"{shown}\" is given twice")),
            ));
            continue;
        }
        let Ok(alone) = serde_html_form::to_string([(name, value)]) else {
            continue;
        };
        if let Err(error) = serde_html_form::from_str::<T>(&alone) {
            let message = error.to_string();
            let (code, text) = match message.starts_with("unknown field") {
                true => (
                    "unknown_parameter",
                    Text::new(
                        format!("没有参数“{shown}”。"),
                        format!("there is no parameter \"{shown}\""),
                    ),
                ),
                false => ("invalid_value", explained(&message)),
            };
            errors.push(At::parameter(shown, code, text));
        }
    }
    if errors.is_empty() {
        errors.push(At::parameter(
            "",
            "invalid_value",
            Text::from_joined(&error.map(|error| error.to_string()).unwrap_or_default()),
        ));
    }
    Err(Problem::invalid_parameters(errors))
}

/// Which pairs of a query are not UTF-8 once they are decoded: a form reader replaces what it cannot read, silently.
fn garbled(query: &str) -> HashSet<usize> {
    if !query.contains('%') {
        return HashSet::new();
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let mut bytes = Vec::with_capacity(pair.len());
        let mut rest = pair.as_bytes();
        while let [first, after @ ..] = rest {
            let digits = after.get(..2).filter(|_| *first == b'%');
            match digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        bytes
    });
    decoded
        .enumerate()
        .filter(|(_, bytes)| std::str::from_utf8(bytes).is_err())
        .map(|(n, _)| n)
        .collect()
}

/// serde's own words for a value that is not on a list, in both languages.
fn explained(message: &str) -> Text {
    let options = message
        .strip_prefix("unknown variant ")
        .and_then(|rest| rest.split_once("expected "))
        .map(|(_, options)| options.trim_start_matches("one of ").replace('`', ""));
    match options {
        Some(options) => Text::new(
            format!("取值应为{}之一。", options.replace(", ", "、").replace(" or ", "、")),
            format!("expected one of {options}"),
        ),
        None => Text::from_joined(message),
    }
}

/// For an optional parameter: one that is given must be right, also when it is given empty.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `true` or `false` in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(bool);

impl From<Flag> for bool {
    fn from(flag: Flag) -> bool {
        flag.0
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            _ => Err(serde::de::Error::custom(format!(
                "取值应为true或false。{}expected true or false",
                crate::fault::LANGUAGES
            ))),
        }
    }
}

impl PartialSchema for Flag {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::Boolean)).into()
    }
}

impl ToSchema for Flag {}

/// A search text in a query: 1 to 100 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SearchText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let length = text.chars().count();
        if (1..=100).contains(&length) && !text.chars().any(|c| c < ' ' || c == '\u{7f}') {
            return Ok(Self(text));
        }
        Err(serde::de::Error::custom(format!(
            "检索词应为1至100个字符，不含控制字符。{}a search text has 1 to 100 characters, none of them a control character",
            crate::fault::LANGUAGES
        )))
    }
}

impl PartialSchema for SearchText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .min_length(Some(1))
            .max_length(Some(100))
            .pattern(Some(r"^[^\x00-\x1f\x7f]+$"))
            .into()
    }
}

impl ToSchema for SearchText {}
