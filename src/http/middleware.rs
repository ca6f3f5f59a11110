//! Around every request: its id, its line in the log, and problems instead of bare errors.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::future::Either;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use arc_swap::ArcSwap;
use futures_util::FutureExt;

use super::arrival::{self, Patience};
use super::auth::Principal;
use super::kinds;
use super::language::Language;
use super::limits::{Limits, client_address};
use super::load::{Admitted, Load};
use super::problem::Problem;
use crate::telemetry::metrics::{Held, METRICS};
use crate::telemetry::route::{self, Route, named};
use crate::telemetry::timeline::{self, Share, Stage, Timeline};
use crate::telemetry::traces::{self, Open};

/// The header that carries the id of a request in both directions.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header that tells where a request stands in a trace.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What is known of the request that is being served.
#[derive(Debug)]
struct Current {
    id: String,
    path: String,
    language: Language,
    timeline: Timeline,
    trace: Option<Open>,
    /// Where it is counted, if not under the address that was found for it.
    route: OnceCell<Rc<Route>>,
}

tokio::task_local! {
    static CURRENT: Rc<Current>;
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

/// The trace of the request that is being served, if there is one.
pub fn current_trace_id() -> Option<String> {
    CURRENT.try_with(|current| current.trace_id()).ok().flatten()
}

/// What tells others where the request that is being served stands in its trace; `None` if it is in none that is kept.
pub fn current_traceparent() -> Option<String> {
    let sampled =
        |current: &Rc<Current>| Some(current.trace.as_ref().filter(|trace| trace.is_sampled())?.traceparent());
    CURRENT.try_with(sampled).ok().flatten()
}

/// Hands over the timeline of the request that is being served, if there is one.
pub fn on_timeline(work: impl FnOnce(&Timeline)) {
    let _ = CURRENT.try_with(|current| work(&current.timeline));
}

/// Has the request that is being served counted under an address that was not looked up for it.
pub fn count_under(route: &Rc<Route>) {
    let _ = CURRENT.try_with(|current| current.route.set(Rc::clone(route)));
}

/// The same work, as a part of the request that is being served, wherever it runs on.
pub fn in_this_request<F: Future>(work: F) -> impl Future<Output = F::Output> {
    match CURRENT.try_with(Rc::clone) {
        Ok(current) => Either::Left(CURRENT.scope(current, work)),
        Err(_) => Either::Right(work),
    }
}

/// Serves one request: gives it an id, turns errors into problems, and tells of it when it has ended.
pub async fn serve<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let started = Instant::now();
    let id = sent_id(&request).unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let header = HeaderValue::from_str(&id);
    let trace = traces::open(SpanKind::Server, text_of(&request, &TRACEPARENT));
    let is_kept = trace.as_ref().is_some_and(Open::is_sampled);
    let current = Rc::new(Current {
        id,
        path: request.path().to_owned(),
        language: Language::wanted(request.headers()),
        timeline: if is_kept { Timeline::kept() } else { Timeline::default() },
        trace,
        route: OnceCell::new(),
    });
    let arrival = Arrival {
        current: current.clone(),
        started,
        method: named(request.method()),
        _in_flight: Held::new(&METRICS.in_flight),
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
                    return Ok(arrival.watch(response));
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
                    let status = response.status();
                    arrival.tell(None, status, 0);
                    return Err(InternalError::from_response(error, response).into());
                }
            };
            marks.set(response.headers_mut());
            let request = response.request().clone();
            if let Some(limits) = request.app_data::<Data<ArcSwap<Limits>>>() {
                limits.load().tell(&request, response.headers_mut());
            }
            Ok(arrival.watch(response))
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

fn text_of<'a>(request: &'a ServiceRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// An id that the client chose, if it is one that can stand in a log line.
fn sent_id(request: &ServiceRequest) -> Option<String> {
    let id = text_of(request, &REQUEST_ID)?;
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

impl Current {
    fn trace_id(&self) -> Option<String> {
        self.trace.as_ref().map(Open::trace_id)
    }
}

/// A request from its arrival to the end of its answer.
struct Arrival {
    current: Rc<Current>,
    started: Instant,
    method: &'static str,
    _in_flight: Held,
}

impl Arrival {
    /// Tells of the request: at once where the answer is there as a whole, else when it has been sent.
    fn watch<B: MessageBody + 'static>(
        self,
        response: ServiceResponse<EitherBody<B, BoxBody>>,
    ) -> ServiceResponse<EitherBody<B, BoxBody>> {
        let size = response.response().body().size();
        let (request, status) = (response.request().clone(), response.status());
        match size {
            BodySize::Sized(bytes) => self.tell(Some(&request), status, bytes),
            BodySize::None => self.tell(Some(&request), status, 0),
            BodySize::Stream => {
                return response.map_body(|_, body| {
                    EitherBody::right(BoxBody::new(Watched {
                        body: BoxBody::new(body),
                        arrival: self,
                        request,
                        status,
                        bytes: 0,
                        given: None,
                    }))
                });
            }
        }
        response
    }

    /// Counts the request, logs it, says why if it was slow, and ends its span. `None`: a request that has gone with what was to answer
    /// it, which panicked or was out of time.
    fn tell(&self, request: Option<&HttpRequest>, status: StatusCode, bytes: u64) {
        let current = &*self.current;
        let timeline = &current.timeline;
        let took = self.started.elapsed().saturating_sub(timeline.spent(Share::Lingering));
        let method = self.method;
        let found = request.and_then(|request| {
            let route = current.route.get().or_else(|| request.app_data::<Rc<Route>>())?;
            Some((request, route))
        });
        match found {
            Some((request, route)) => route.count(request, status, took),
            None => route::count_nowhere(method, status, took),
        }
        let route = found.map(|(request, route)| route.template(request));
        // A line of the log about the request, with `more` about it.
        macro_rules! log_line {
            ($level:ident, $target:literal, $($more:tt)*) => {
                tracing::$level!(
                    target: $target,
                    request_id = current.id,
                    trace_id = current.trace_id(),
                    method,
                    route,
                    path = &*without_token(&current.path),
                    status = status.as_u16(),
                    $($more)*
                )
            };
        }
        if timeline::is_slow(took) {
            METRICS.slow_requests.inc();
            let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let spent = |share| millis(timeline.spent(share));
            let whole = self.started.elapsed();
            log_line!(
                warn,
                "slow",
                millis = millis(took),
                reason = timeline.reason(whole),
                writer_queue = spent(Share::WriterQueue),
                pool = spent(Share::Pool),
                database = spent(Share::Database),
                scoring = spent(Share::Scoring),
                receiving = spent(Share::Receiving),
                sending = spent(Share::Sending),
                computing = millis(timeline.rest(whole)),
                "slow request"
            );
        }
        if tracing::enabled!(target: "access", tracing::Level::INFO) {
            let extensions = request.map(|request| request.extensions());
            let principal = extensions.as_ref().and_then(|extensions| extensions.get::<Principal>());
            log_line!(
                info,
                "access",
                bytes,
                micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
                token = principal.and_then(|principal| principal.token_id.as_deref()),
                remote = request.and_then(client_address).map(|address| address.to_string()),
            );
        }
        if let Some(trace) = &current.trace {
            let route = route.unwrap_or(route::NOWHERE);
            // Nothing that a client wrote but the id: paths and queries may hold what is nobody else's business.
            let attributes = [
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
                KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
                KeyValue::new("jixiao.request_id", current.id.clone()),
            ];
            trace.close(
                format!("{method} {route}"),
                status.is_server_error(),
                attributes,
                &timeline.take(),
            );
        }
    }
}

/// A path as it may be logged: without a token that someone put where it does not belong.
pub fn without_token(path: &str) -> Cow<'_, str> {
    match path.find("jx_").or_else(|| path.find("eyJ")) {
        Some(at) => Cow::Owned(format!("{}…", &path[..at])),
        None => Cow::Borrowed(path),
    }
}

/// An answer that is made while it is sent.
struct Watched {
    body: BoxBody,
    arrival: Arrival,
    request: HttpRequest,
    status: StatusCode,
    bytes: u64,
    /// When the piece before was handed over, which the client takes before it is asked for the next one.
    given: Option<Instant>,
}

/// What is sent faster than this was not held up.
const HELD_UP: Duration = Duration::from_millis(1);

impl MessageBody for Watched {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        let (body, given) = (&mut this.body, this.given.take());
        let polled = CURRENT.sync_scope(this.arrival.current.clone(), || {
            if let Some(given) = given.filter(|given| given.elapsed() > HELD_UP) {
                timeline::note(Stage::Send, given);
            }
            Pin::new(body).poll_next(context)
        });
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            this.bytes += bytes.len() as u64;
            this.given = Some(Instant::now());
        }
        polled
    }
}

/// Sent, or given up by the client.
impl Drop for Watched {
    fn drop(&mut self) {
        // What it was waiting for when the client left is noted first.
        let body = std::mem::replace(&mut self.body, BoxBody::new(()));
        CURRENT.sync_scope(self.arrival.current.clone(), || drop(body));
        self.arrival.tell(Some(&self.request), self.status, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn the_time_that_a_client_takes_to_receive_is_noted_and_so_are_all_bytes() {
        let current = Rc::new(Current {
            id: String::new(),
            path: String::new(),
            language: Language::default(),
            timeline: Timeline::default(),
            trace: None,
            route: OnceCell::new(),
        });
        let pieces =
            futures_util::stream::iter([Ok::<_, Error>(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))]);
        let mut body = Box::pin(Watched {
            body: BoxBody::new(actix_web::body::BodyStream::new(pieces)),
            arrival: Arrival {
                current: current.clone(),
                started: Instant::now(),
                method: "GET",
                _in_flight: Held::new(&METRICS.in_flight),
            },
            request: TestRequest::default().to_http_request(),
            status: StatusCode::OK,
            bytes: 0,
            given: None,
        });
        while let Some(piece) = poll_fn(|context| body.as_mut().poll_next(context)).await {
            assert!(piece.is_ok());
            std::thread::sleep(5 * HELD_UP);
        }
        assert_eq!(body.bytes, 3);
        let sending = current.timeline.spent(Share::Sending);
        assert!(sending >= 10 * HELD_UP, "{sending:?}");
    }

    #[test]
    fn a_token_in_a_path_is_not_logged() {
        assert_eq!(without_token("/api/v1/units/219001"), "/api/v1/units/219001");
        assert_eq!(without_token("/api/v1/tokens/jx_1_secret/rotate"), "/api/v1/tokens/…");
        assert_eq!(without_token("/x/eyJhbGciOi.e30.c2ln"), "/x/…");
    }
}
