//! In which form the client wants an answer that has two: JSON, or a table of plain text.

use std::cmp::Reverse;

use actix_web::http::header::{Accept, CONTENT_TYPE, Header, Quality, QualityItem, VARY};
use actix_web::mime::Mime;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use serde::Serialize;

use super::kinds;
use super::problem::Problem;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `application/json`.
    Json,
    /// `text/plain`.
    Text,
}

/// The form that the client likes best; JSON where it likes both as much.
///
/// # Errors
/// 406 when it accepts neither.
pub fn form(request: &HttpRequest) -> Result<Form, Problem> {
    let Ok(accept) = Accept::parse(request) else {
        return Ok(Form::Json);
    };
    if accept.is_empty() {
        return Ok(Form::Json);
    }
    let mut wanted: Vec<&QualityItem<Mime>> = accept.iter().filter(|item| item.quality > Quality::ZERO).collect();
    // The best first; among equals the one that says most, then the one that stands first.
    wanted.sort_by_key(|item| (Reverse(item.quality), Reverse(exactness(&item.item))));
    wanted
        .into_iter()
        .find_map(|item| {
            let refused = |form: &Form| {
                accept.iter().any(|other| {
                    other.quality == Quality::ZERO
                        && form.is_in(&other.item)
                        && exactness(&other.item) >= exactness(&item.item)
                })
            };
            [Form::Json, Form::Text]
                .into_iter()
                .find(|form| form.is_in(&item.item) && !refused(form))
        })
        .ok_or_else(|| {
            Problem::new(
                &kinds::NOT_ACCEPTABLE,
                "此地址可返回application/json或text/plain。",
                "Here there are application/json and text/plain.",
            )
        })
}

/// How much a media range says: `*/*`, `text/*` or `text/plain`.
fn exactness(range: &Mime) -> u8 {
    match (range.type_().as_str(), range.subtype().as_str()) {
        ("*", _) => 0,
        (_, "*") => 1,
        _ => 2,
    }
}

/// A score as JSON. Room is made at once for what one takes, rather than by doubling.
///
/// # Errors
/// 500; none for a program that passed its tests.
pub fn json(score: &impl Serialize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::with_capacity(24 * 1024);
    serde_json::to_writer(&mut bytes, score).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(bytes.into())
}

impl Form {
    fn is_in(self, range: &Mime) -> bool {
        let (kind, name) = match self {
            Self::Json => ("application", "json"),
            Self::Text => ("text", "plain"),
        };
        let (wanted_kind, wanted_name) = (range.type_().as_str(), range.subtype().as_str());
        wanted_kind == "*" || (wanted_kind == kind && (wanted_name == "*" || wanted_name == name))
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// Ends an answer with a body in this form.
    pub fn answer(self, mut response: HttpResponseBuilder, body: Bytes) -> HttpResponse {
        response
            .insert_header((CONTENT_TYPE, self.media_type()))
            .insert_header((VARY, "accept"))
            .body(body)
    }
}
