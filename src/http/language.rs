//! In which language a client wants to be told what is wrong: `Accept-Language`.

use std::cmp::Reverse;

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use serde::Deserialize;
use utoipa::ToSchema;

/// A language of the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Language {
    /// What is told to those who do not say: English, with the Chinese beside it.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Chinese, with the English beside it.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// Its tag (RFC 5646), as `Content-Language` names it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a range of `Accept-Language`; any Chinese and any English is as good as another.
    fn of(range: &str, usual: Self) -> Option<Self> {
        match range.split('-').next()? {
            primary if primary.eq_ignore_ascii_case("zh") => Some(Self::Chinese),
            primary if primary.eq_ignore_ascii_case("en") => Some(Self::English),
            "*" => Some(usual),
            _ => None,
        }
    }

    /// The language that the client likes best; the usual one if it names none of the service's. A header that cannot be
    /// read is no reason to refuse a request.
    pub fn wanted(headers: &HeaderMap) -> Self {
        Self::wanted_or(headers, Self::default())
    }

    /// The same, where another language than that of the problems is the `usual` one.
    pub fn wanted_or(headers: &HeaderMap, usual: Self) -> Self {
        let Some(header) = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
            return usual;
        };
        let ranges = header.split(',').filter_map(|item| {
            let (range, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let language = Self::of(range.trim(), usual)?;
            let weight = thousandths(weight.trim().strip_prefix("q=")?)?;
            (weight > 0).then_some((Reverse(weight), language))
        });
        // Among equals the one that stands first.
        ranges
            .min_by_key(|(weight, _)| *weight)
            .map_or(usual, |(_, language)| language)
    }
}

/// A weight (RFC 9110, 12.4.2) in thousandths: `0.8` is 800.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match (whole, format!("{decimals:0<3}").parse().ok()?) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn the_language_liked_best_is_taken_and_english_where_none_is_known() {
        for (header, tag) in [
            ("zh-CN", "zh-CN"),
            ("zh", "zh-CN"),
            ("ZH-hans-cn", "zh-CN"),
            ("zh-TW, en;q=0.9", "zh-CN"),
            ("en-GB", "en"),
            ("en, zh", "en"),
            ("zh;q=0.5, en;q=0.501", "en"),
            ("zh;q=1.000, en", "zh-CN"),
            ("fr, zh;q=0.1", "zh-CN"),
            ("zh;q=0, fr", "en"),
            ("fr", "en"),
            ("*", "en"),
            ("zh;q=2, zh;q=x, zhong", "en"),
            ("", "en"),
        ] {
            let headers = [(ACCEPT_LANGUAGE, HeaderValue::from_str(header).unwrap())];
            assert_eq!(Language::wanted(&headers.into_iter().collect()).tag(), tag, "{header}");
        }
    }
}
