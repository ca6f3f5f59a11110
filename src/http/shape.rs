//! What a client asks of the form of an answer, whatever the resource: only what it does not have yet (`If-None-Match`), only
//! some fields (`fields`), or no body at all (`Prefer: return=minimal`).
//!
//! Handlers know nothing of this: it is done to their answers.

use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

use super::answers;
use super::etag::{ETag, Preconditions};
use super::fields::{self, Fields};

static PREFER: HeaderName = HeaderName::from_static("prefer");
static PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Serves a request, and gives the answer the form that the client asks for.
pub async fn shape(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    // An answer that is cut to measure is another one, with a tag of its own: the operation must not say that the client has
    // the usual one.
    let tailored = is_tailored(&request).then(|| {
        let known = Preconditions::of(request.headers());
        request.headers_mut().remove(IF_NONE_MATCH);
        known
    });
    let response = answers::given_or_made(request, &next).await?;
    if !response.status().is_success() {
        return Ok(response);
    }
    Ok(match *response.request().method() {
        Method::GET | Method::HEAD if response.status() == StatusCode::OK => match tailored {
            None => conditional(response, None),
            Some(known) => conditional(select(response), Some(&known)),
        },
        Method::PUT | Method::PATCH | Method::POST => preferred(response),
        _ => response,
    })
}

/// Whether the client says what the answer is to hold: only some fields, or other things besides.
fn is_tailored(request: &ServiceRequest) -> bool {
    let (method, query) = (request.method(), request.query_string());
    // A name with a `%` may be any: an answer too much with a tag over its content does no harm.
    let expand = |pair: &str| matches!(pair.split('=').next(), Some(name) if name == "expand" || name.contains('%'));
    let expands = matches!(*method, Method::GET | Method::HEAD) && query.split('&').any(expand);
    expands || fields::is_asked(method, query)
}

/// Leaves only the fields that the client asks for, if it does and the answer is JSON. The tag of the usual answer goes.
fn select(response: ServiceResponse) -> ServiceResponse {
    let (request, mut response) = response.into_parts();
    response.headers_mut().remove(ETAG);
    if !fields::is_asked(request.method(), request.query_string()) {
        return ServiceResponse::new(request, response);
    }
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    if !is_json && request.path().starts_with("/api/") {
        return ServiceResponse::new(request, fields::of_no_json().error_response());
    }
    let (head, body) = response.into_parts();
    let selected = Fields::of(&request).and_then(|fields| match (fields, body.try_into_bytes()) {
        (Some(fields), Ok(bytes)) if is_json => Ok(BoxBody::new(fields.select(&bytes)?)),
        (_, Ok(bytes)) => Ok(BoxBody::new(bytes)),
        (_, Err(body)) => Ok(body),
    });
    let response = match selected {
        Ok(body) => head.set_body(body),
        Err(problem) => problem.error_response(),
    };
    ServiceResponse::new(request, response)
}

/// Gives an answer that names no version, such as a list, a tag over its body; 304 if the client has this body. `known`: what
/// the client says that it has, where the request does not say it any more.
fn conditional(response: ServiceResponse, known: Option<&Preconditions>) -> ServiceResponse {
    if response.status() != StatusCode::OK || response.headers().contains_key(ETAG) {
        return response;
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    // What is streamed has no tag.
    let response = match body.try_into_bytes() {
        Ok(bytes) => {
            let tag = ETag::weak(&bytes);
            let mut response = head.set_body(BoxBody::new(bytes));
            if let Ok(value) = HeaderValue::from_str(tag.as_str()) {
                response.headers_mut().insert(ETAG, value);
            }
            let sent = Preconditions::of(request.headers());
            if known.unwrap_or(&sent).knows(&tag) {
                response.headers_mut().remove(CONTENT_TYPE);
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response = response.set_body(BoxBody::new(body::None::new()));
            }
            response
        }
        Err(body) => head.set_body(body),
    };
    ServiceResponse::new(request, response)
}

/// Leaves out the body of an answer to a change, if the client prefers that (RFC 7240) and can read it again: at the
/// address that was changed, or at the one in `Location`. Status and headers say what was done: 201 stays, 200 becomes 204.
fn preferred(response: ServiceResponse) -> ServiceResponse {
    let headers = response.headers();
    let stored = headers.contains_key(ETAG) || headers.contains_key(LOCATION);
    // A secret is shown once.
    let is_shown_once = headers.get(CACHE_CONTROL).is_some_and(|value| value == "no-store");
    if !stored || is_shown_once || !prefers_minimal(response.request().headers()) {
        return response;
    }
    let mut response = response.map_body(|_, _| BoxBody::new(body::None::new()));
    if response.status() == StatusCode::OK {
        *response.response_mut().status_mut() = StatusCode::NO_CONTENT;
    }
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.insert(PREFERENCE_APPLIED.clone(), HeaderValue::from_static("return=minimal"));
    response
}

/// Whether the first word on `return` in the `Prefer` headers is `minimal`.
fn prefers_minimal(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all(&PREFER).filter_map(|value| value.to_str().ok());
    let wanted = preferences.flat_map(|value| value.split(',')).find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("return").then(|| value.trim())
    });
    matches!(wanted, Some("minimal" | "\"minimal\""))
}
