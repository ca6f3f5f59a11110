//! Around every request: its id, its line in the log, and problems instead of bare errors.

use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};

use super::auth::Principal;
use super::kinds;
use super::language::Language;
use super::limits::{self, Limits, client_address};
use super::problem::Problem;

/// The header that carries the id of a request in both directions.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Debug, Clone)]
struct Current {
    id: String,
    path: String,
    language: Language,
}

tokio::task_local! {
    static CURRENT: Current;
}

/// The id and the path of the request that is being served; empty outside of one.
pub fn current_request() -> (String, String) {
    CURRENT
        .try_with(|current| (current.id.clone(), current.path.clone()))
        .unwrap_or_default()
}

/// The language in which the client of the request that is being served wants to be told what is wrong.
pub fn current_language() -> Language {
    CURRENT.try_with(|current| current.language).unwrap_or_default()
}

/// Serves one request: gives it an id, turns errors into problems, and writes the access log.
pub async fn serve<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let started = Instant::now();
    let id = sent_id(&request).unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let header = HeaderValue::from_str(&id);
    let current = Current {
        id,
        path: request.path().to_owned(),
        language: Language::wanted(request.headers()),
    };
    CURRENT
        .scope(current, async move {
            let limits = request.app_data::<Data<Limits>>().cloned();
            if let Some(Err(problem)) = limits.map(|limits| limits.arrive(&request)) {
                let mut response = request.into_response(problem.error_response()).map_into_right_body();
                if let Ok(header) = header {
                    response.headers_mut().insert(REQUEST_ID.clone(), header);
                }
                log(&response, started);
                return Ok(response);
            }
            let mut response = match next.call(request).await {
                Ok(response) if foreign_error(&response) => {
                    let problem = described(response.status(), "");
                    let request = response.into_parts().0;
                    ServiceResponse::new(request, problem.error_response()).map_into_right_body()
                }
                Ok(response) => response.map_into_left_body(),
                // What is in the way before any route is found; the request itself is gone then.
                Err(error) => {
                    let mut response = described(error.as_response_error().status_code(), &error).error_response();
                    if let Ok(header) = header {
                        response.headers_mut().insert(REQUEST_ID.clone(), header);
                    }
                    return Err(InternalError::from_response(error, response).into());
                }
            };
            if let Ok(header) = header {
                response.headers_mut().insert(REQUEST_ID.clone(), header);
            }
            let request = response.request().clone();
            limits::tell(&request, response.headers_mut());
            log(&response, started);
            Ok(response)
        })
        .await
}

/// An id that the client chose, if it is one that can stand in a log line.
fn sent_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(&REQUEST_ID)?.to_str().ok()?;
    let good = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    good.then(|| id.to_owned())
}

/// Whether a library answered with an error of its own, in plain text.
fn foreign_error<B>(response: &ServiceResponse<B>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    let status = response.status();
    (status.is_client_error() || status.is_server_error())
        && content_type.is_none_or(|value| value != "application/problem+json")
}

/// What a library means by `status`, as a problem of ours.
fn described(status: StatusCode, cause: impl ToString) -> Problem {
    match status {
        StatusCode::NOT_FOUND => unknown_route(),
        StatusCode::NOT_ACCEPTABLE => Problem::new(&kinds::NOT_ACCEPTABLE, "", ""),
        StatusCode::REQUEST_TIMEOUT => Problem::new(&kinds::REQUEST_TIMEOUT, "", ""),
        status if status.is_client_error() => Problem::new(&kinds::INVALID_PARAMETER, "", ""),
        _ => Problem::internal(cause.to_string()),
    }
}

/// 404: nothing is at the address that was requested.
pub fn unknown_route() -> Problem {
    let (_, path) = current_request();
    Problem::new(
        &kinds::UNKNOWN_ROUTE,
        format!("地址 {path} 不存在。"),
        format!("There is nothing at {path}."),
    )
}

/// Answers an address that no route knows; `*` stands for the service as a whole (RFC 9110, 9.3.7).
pub async fn not_found(request: HttpRequest) -> Result<HttpResponse, Problem> {
    match (request.method(), request.path()) {
        (&Method::OPTIONS, "*") => Ok(HttpResponse::NoContent()
            .insert_header((ALLOW, "GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS"))
            .finish()),
        _ => Err(unknown_route()),
    }
}

fn log<B: MessageBody>(response: &ServiceResponse<B>, started: Instant) {
    if !tracing::enabled!(target: "access", tracing::Level::INFO) {
        return;
    }
    let request = response.request();
    let extensions = request.extensions();
    let (request_id, path) = current_request();
    let bytes = match response.response().body().size() {
        BodySize::Sized(bytes) => Some(bytes),
        BodySize::None => Some(0),
        BodySize::Stream => None,
    };
    tracing::info!(
        target: "access",
        request_id,
        method = %request.method(),
        route = request.match_pattern(),
        path,
        status = response.status().as_u16(),
        bytes,
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        token = extensions.get::<Principal>().and_then(|principal| principal.token_id.as_deref()),
        remote = client_address(request).map(|address| address.to_string()),
    );
}
