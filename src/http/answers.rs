//! Answers given again as they are while nothing in the database has changed since they were made.
//!
//! Only where this process alone changes the database, which is on SQLite: there it knows the number of the last change before
//! whoever made the change is told of it. Several servers on one PostgreSQL would have to ask for that number, which costs as much
//! as most answers do; there nothing is kept here.
//!
//! An answer is found by what was asked, before the address is looked up and the query is read: a question that was answered
//! before is a good one. Each worker keeps its own, so that giving one again moves nothing of it between processors.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, InvalidHeaderValue, LINK, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse, Responder, ResponseError};
use prometheus::IntCounter;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use serde::Serialize;

use super::accept::{Form, json};
use super::auth::{Principal, principal};
use super::etag::{ETag, Preconditions};
use super::middleware::count_under;
use super::problem::Problem;
use crate::db::Db;
use crate::telemetry::route::Route;
use crate::tokens::permission::Permission;

/// An answer to a reader ([`Permission::Read`]) that follows from nothing but the address, the `Accept` of the request, who may
/// see it, and the database.
#[derive(Debug, Clone)]
pub struct Answer {
    etag: ETag,
    /// Who gets it.
    readers: Readers,
    /// With its tag among them.
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    /// What counts how often it is given again.
    counter: Option<&'static IntCounter>,
}

#[derive(Debug, Clone)]
enum Readers {
    /// Those who reach the unit at this place in the hierarchy.
    OfUnit(String),
    /// Those whose lists are limited to just these units (with those below them); `None`: who see all.
    OfList(Option<Vec<String>>),
}

impl Answer {
    fn new(etag: ETag, readers: Readers, media_type: &'static str, body: Bytes) -> Result<Self, Problem> {
        let tag = header(etag.as_str())?;
        Ok(Self {
            etag,
            readers,
            headers: vec![(ETAG, tag), (CONTENT_TYPE, HeaderValue::from_static(media_type))],
            body,
            counter: None,
        })
    }

    /// What is known of the unit at `path` in the hierarchy, in this form.
    ///
    /// # Errors
    /// 500; none for a program that passed its tests.
    pub fn of_unit(path: String, etag: ETag, form: Form, body: Bytes) -> Result<Self, Problem> {
        Self::new(etag, Readers::OfUnit(path), form.media_type(), body)
    }

    /// A page of a list that is limited to the units of `scope`, as JSON, with a tag over its content; `next` is its `Link`.
    ///
    /// # Errors
    /// 500; none for a program that passed its tests.
    pub fn page(page: &impl Serialize, scope: Option<Vec<String>>, next: Option<&str>) -> Result<Self, Problem> {
        let body = json(page)?;
        let readers = Readers::OfList(scope);
        let mut answer = Self::new(ETag::weak(&body), readers, Form::Json.media_type(), body)?;
        if let Some(next) = next {
            answer.headers.push((LINK, header(next)?));
        }
        Ok(answer)
    }

    /// The same where the client chooses the form.
    #[must_use]
    pub fn in_one_of_several_forms(mut self) -> Self {
        self.headers.push((VARY, HeaderValue::from_static("accept")));
        self
    }

    /// The same, counted by `counter` when it is given again.
    #[must_use]
    pub fn counted_by(mut self, counter: &'static IntCounter) -> Self {
        self.counter = Some(counter);
        self
    }

    /// 304 without a body when the client has it already.
    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let headers = request.headers();
        if headers.contains_key(IF_NONE_MATCH) && Preconditions::of(headers).knows(&self.etag) {
            return self.etag.stamp(HttpResponse::NotModified()).finish();
        }
        let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(self.body.clone()));
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

fn header(value: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(value).map_err(|error: InvalidHeaderValue| Problem::internal(error.to_string()))
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = self.respond(request);
        response.extensions_mut().insert(self);
        response
    }
}

impl Readers {
    /// Whether the answer is the one for this reader; if it is not, another may be.
    ///
    /// # Errors
    /// 403 where there is none for this reader.
    fn include(&self, reader: &Principal) -> Result<bool, Problem> {
        match self {
            Self::OfUnit(path) => reader.may_see(path).map(|()| true),
            Self::OfList(scope) => Ok(reader.scope() == *scope),
        }
    }
}

#[derive(Debug)]
struct Kept {
    /// The last change before it was made.
    seen: i64,
    /// Where it is counted.
    route: Rc<Route>,
    answer: Answer,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<String, Rc<Kept>> for ByBytes {
    fn weight(&self, key: &String, kept: &Rc<Kept>) -> u64 {
        let headers = kept.answer.headers.iter().map(|(_, value)| value.len());
        let readers = match &kept.answer.readers {
            Readers::OfUnit(path) => path.len(),
            Readers::OfList(scope) => scope.iter().flatten().map(|code| code.len() + 24).sum(),
        };
        (kept.answer.body.len() + headers.sum::<usize>() + readers + key.len() + 700) as u64
    }
}

/// The answers that one worker was asked for most, up to a bound in bytes.
#[derive(Debug)]
pub struct Answers(RefCell<Cache<String, Rc<Kept>, ByBytes>>);

/// What all workers together may keep, if that is no less than `LEAST` for each of them.
const BYTES: usize = 32 * 1024 * 1024;

/// What one may keep however many there are: some hundred scores.
const LEAST: usize = 2 * 1024 * 1024;

impl Answers {
    /// Those of one of so many workers.
    pub fn of_one_in(workers: usize) -> Self {
        let bytes = (BYTES / workers.max(1)).max(LEAST);
        Self(RefCell::new(Cache::with_weighter(1000, bytes as u64, ByBytes)))
    }

    fn get(&self, asked: &str) -> Option<Rc<Kept>> {
        self.0.borrow().get(asked).cloned()
    }
}

/// What was asked: all that an answer depends on besides who asks and the database.
fn asked(request: &ServiceRequest) -> String {
    let address = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    let mut asked = address.to_owned();
    for accept in request.headers().get_all(ACCEPT) {
        // It stands in no address and in no header.
        asked.push('\n');
        asked.push_str(&String::from_utf8_lossy(accept.as_bytes()));
    }
    asked
}

/// Whether a request may be one of those whose answers are kept. A path with `%` is not: the router decodes it, and what looks for
/// the route of a request that was not routed does not.
fn is_plain_read(request: &ServiceRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !request.path().contains('%')
}

fn last_change(request: &ServiceRequest) -> Option<i64> {
    request.app_data::<Data<Db>>().and_then(|db| db.last_change())
}

/// Gives the answer that was made to the same question before, if nothing has changed since; else has one made, and keeps it.
///
/// # Errors
/// Those of what makes it.
pub async fn given_or_made(request: ServiceRequest, next: &Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let answers = request.app_data::<Rc<Answers>>().map(Rc::clone);
    let Some(answers) = answers.filter(|_| is_plain_read(&request)) else {
        return next.call(request).await;
    };
    let mut asked = asked(&request);
    // Where the list of another is kept, the second look is for the list of who asks.
    for _ in 0..2 {
        let Some(kept) = answers.get(&asked) else {
            break;
        };
        let reader = principal(request.request(), Some(Permission::Read)).await;
        // Asked for when the reader is known, for which an identity provider may have been waited for.
        if reader.is_ok() && last_change(&request) != Some(kept.seen) {
            break;
        }
        let is_for = reader.and_then(|reader| match kept.answer.readers.include(&reader)? {
            true => Ok(None),
            false => Ok(Some(reader.scope())),
        });
        let response = match is_for {
            Ok(None) => {
                if let Some(counter) = kept.answer.counter {
                    counter.inc();
                }
                kept.answer.respond(request.request())
            }
            Ok(Some(scope)) => {
                asked.push_str(&format!("\n{scope:?}"));
                continue;
            }
            Err(problem) => problem.error_response(),
        };
        count_under(&kept.route);
        return Ok(request.into_response(response));
    }
    // Before anything is read: what is read may be newer than this number says, never older.
    let seen = last_change(&request);
    let mut response = next.call(request).await?;
    let made = response.response_mut().extensions_mut().remove::<Answer>();
    if let (Some(seen), Some(mut answer)) = (seen, made)
        && let Some(route) = response.request().app_data::<Rc<Route>>()
    {
        // A copy: who holds shared bytes is counted in one place, for which the workers would wait in turn.
        answer.body = Bytes::copy_from_slice(&answer.body);
        // Its template can only be told from a request that was looked up.
        route.template(response.request());
        let route = Rc::clone(route);
        let kept = Rc::new(Kept { seen, route, answer });
        answers.0.borrow_mut().insert(asked, kept);
    }
    Ok(response)
}
