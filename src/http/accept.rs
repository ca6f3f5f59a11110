//! In which form the client wants an answer that has two: JSON, or a table of plain text.

use actix_web::http::header::{Accept, CONTENT_TYPE, Header, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

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
    accept
        .ranked()
        .iter()
        .find_map(|media| match (media.type_().as_str(), media.subtype().as_str()) {
            ("*", "*") | ("application", "json" | "*") => Some(Form::Json),
            ("text", "plain" | "*") => Some(Form::Text),
            _ => None,
        })
        .ok_or_else(|| {
            Problem::new(
                &kinds::NOT_ACCEPTABLE,
                "此地址可返回application/json或text/plain。",
                "Here there are application/json and text/plain.",
            )
        })
}

impl Form {
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
