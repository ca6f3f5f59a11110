//! In which form the client wants an answer that has several, such as JSON and a table of plain text.

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
    let both = [Form::Json, Form::Text];
    preferred(request, &both.map(Form::essence)).map(|n| both[n])
}

/// Which of these media types the client likes best; the first where it likes several as much.
///
/// # Errors
/// 406 when it accepts none.
pub fn preferred(request: &HttpRequest, types: &[&'static str]) -> Result<usize, Problem> {
    let Ok(accept) = Accept::parse(request) else {
        return Ok(0);
    };
    if accept.is_empty() {
        return Ok(0);
    }
    let mut wanted: Vec<&QualityItem<Mime>> = accept.iter().filter(|item| item.quality > Quality::ZERO).collect();
    // The best first; among equals the one that says most, then the one that stands first.
    wanted.sort_by_key(|item| (Reverse(item.quality), Reverse(exactness(&item.item))));
    wanted
        .into_iter()
        .find_map(|item| {
            let refused = |name: &str| {
                accept.iter().any(|other| {
                    other.quality == Quality::ZERO
                        && is_in(name, &other.item)
                        && exactness(&other.item) >= exactness(&item.item)
                })
            };
            types.iter().position(|name| is_in(name, &item.item) && !refused(name))
        })
        .ok_or_else(|| {
            Problem::new(
                &kinds::NOT_ACCEPTABLE,
                format!("此地址可返回{}。", types.join("或")),
                format!("Here there are {}.", types.join(" and ")),
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

/// How many bytes a score takes: room is made for it at once rather than by doubling.
const ROOM: usize = 24 * 1024;

/// An answer as JSON.
///
/// # Errors
/// 500; none for a program that passed its tests.
pub fn json(answer: &impl Serialize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut bytes, answer).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(bytes.into())
}

/// An answer with a score as JSON: the same bytes, sooner.
///
/// # Errors
/// 500 for what [`crate::json::write`] cannot write; none for a program that passed its tests.
pub fn score_json(answer: &impl Serialize) -> Result<Bytes, Problem> {
    let bytes = crate::json::write(answer, ROOM).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(bytes.into())
}

/// Whether a media type is in a range.
fn is_in(name: &str, range: &Mime) -> bool {
    let wanted = (range.type_().as_str(), range.subtype().as_str());
    name.split_once('/')
        .is_some_and(|(kind, name)| wanted.0 == "*" || (wanted.0 == kind && (wanted.1 == "*" || wanted.1 == name)))
}

impl Form {
    fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain",
        }
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
