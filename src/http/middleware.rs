//! Around every request: its id, its line in the log, and problems instead of bare errors.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};

use arc_swap::ArcSwap;
use futures_util::FutureExt;

use super::arrival::{self, Patience};
use super::auth::Principal;
use super::kinds;
use super::language::Language;
use super::limits::{self, Limits, client_address};
use super::load::{Admitted, Load};
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
    mut request: ServiceRequest,
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
            let marks = Marks {
                id: header.ok(),
                secure: request.app_config().secure(),
            };
            let admitted = match arrive(&mut request) {
                Ok(admitted) => admitted,
                Err(problem) => {
                    let mut response = request.into_response(problem.error_response()).map_into_right_body();
                    marks.set(response.headers_mut());
                    log(&response, started);
                    return Ok(response);
                }
            };
            let mut response = match guarded(next.call(request), admitted.time).await {
                Ok(response) if foreign_error(&response) => {
                    let problem = described(response.status(), "");
                    let request = response.into_parts().0;
                    ServiceResponse::new(request, problem.error_response()).map_into_right_body()
                }
                Ok(response) => response.map_into_left_body(),
                // What is in the way before any route is found; the request itself is gone then.
                Err(error) => {
                    let mut response = match error.as_error::<Problem>() {
                        Some(problem) => problem.error_response(),
                        None => described(error.as_response_error().status_code(), &error).error_response(),
                    };
                    marks.set(response.headers_mut());
                    return Err(InternalError::from_response(error, response).into());
                }
            };
            marks.set(response.headers_mut());
            let request = response.request().clone();
            limits::tell(&request, response.headers_mut());
            log(&response, started);
            Ok(response)
        })
        .await
}

/// Lets a request in: there is room for it, its address may ask, and its body comes in time.
fn arrive(request: &mut ServiceRequest) -> Result<Admitted, Problem> {
    let load = request.app_data::<Data<Load>>();
    let load = load.ok_or_else(|| Problem::internal("the app has no load"))?;
    let admitted = load.admit(request.path())?;
    if let Some(limits) = request.app_data::<Data<ArcSwap<Limits>>>() {
        limits.load().arrive(request)?;
    }
    if let Some(patience) = request.app_data::<Data<Patience>>().map(|patience| ***patience) {
        arrival::in_time(request, patience);
    }
    Ok(admitted)
}

/// Has a request answered in its time, also where what answers it panics.
async fn guarded<T>(serving: impl Future<Output = Result<T, Error>>, time: Option<Duration>) -> Result<T, Error> {
    let serving = AssertUnwindSafe(serving).catch_unwind();
    let served = match time {
        Some(time) => tokio::time::timeout(time, serving).await,
        None => Ok(serving.await),
    };
    match served {
        Ok(Ok(answer)) => answer,
        // Where and why is in the log already.
        Ok(Err(_)) => Err(Problem::internal("it panicked").into()),
        Err(_) => Err(Problem::too_slow().into()),
    }
}

/// What every answer carries.
struct Marks {
    id: Option<HeaderValue>,
    secure: bool,
}

impl Marks {
    fn set(self, headers: &mut HeaderMap) {
        if let Some(id) = self.id {
            headers.insert(REQUEST_ID.clone(), id);
        }
        if self.secure {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
    }
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
