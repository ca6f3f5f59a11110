//! Answers given again as they are while nothing in the database has changed since they were made.
//!
//! Only where this process alone changes the database, which is on SQLite: there it knows the number of the last change before
//! whoever made the change is told of it. Several servers on one PostgreSQL would have to ask for that number, which costs as much
//! as most answers do; there nothing is kept here.
//!
//! An answer is found by what was asked, before the address is looked up and the query is read: a question that was answered
//! before is a good one. Each worker keeps its own, so that giving one again moves nothing between processors.

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

/// Who gets an answer.
#[derive(Debug, Clone)]
pub enum Readers {
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
        (kept.answer.body.len() + key.len() + 700) as u64
    }
}

/// The answers that one worker was asked for most, up to a bound in bytes.
#[derive(Debug)]
pub struct Answers(RefCell<Cache<String, Rc<Kept>, ByBytes>>);

/// What all workers together may keep.
const BYTES: usize = 32 * 1024 * 1024;

impl Answers {
    /// Those of one of so many workers.
    pub fn of_one_in(workers: usize) -> Self {
        let bytes = BYTES / workers.max(1);
        Self(RefCell::new(Cache::with_weighter(1000, bytes as u64, ByBytes)))
    }

    fn get(&self, asked: &str, seen: i64) -> Option<Rc<Kept>> {
        let kept = self.0.borrow().get(asked).cloned();
        kept.filter(|kept| kept.seen == seen)
    }
}

/// What was asked: all that an answer depends on besides who asks and the database.
fn asked(request: &ServiceRequest) -> String {
    let address = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    let accept = request.headers().get_all(ACCEPT).map(HeaderValue::as_bytes);
    let mut asked = address.to_owned();
    for accept in accept {
        // No address has a space in it.
        asked.push(' ');
        asked.push_str(&String::from_utf8_lossy(accept));
    }
    asked
}

/// Gives the answer that was made to the same question before, if nothing has changed since; else has one made, and keeps it.
///
/// # Errors
/// Those of what makes it.
pub async fn given_or_made(request: ServiceRequest, next: &Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    // Before anything is read: what is read may be newer than this number says, never older.
    let seen = match request.method() {
        &Method::GET => request.app_data::<Data<Db>>().and_then(|db| db.last_change()),
        _ => None,
    };
    let (Some(seen), Some(answers)) = (seen, request.app_data::<Rc<Answers>>()) else {
        return next.call(request).await;
    };
    let (answers, asked) = (Rc::clone(answers), asked(&request));
    if let Some(kept) = answers.get(&asked, seen) {
        let reader = principal(request.request(), Some(Permission::Read)).await;
        let is_for = reader.and_then(|reader| kept.answer.readers.include(&reader));
        let given = match is_for {
            Ok(true) => {
                if let Some(counter) = kept.answer.counter {
                    counter.inc();
                }
                Some(kept.answer.respond(request.request()))
            }
            Ok(false) => None,
            Err(problem) => Some(problem.error_response()),
        };
        if let Some(response) = given {
            count_under(&kept.route);
            return Ok(request.into_response(response));
        }
    }
    let mut response = next.call(request).await?;
    let made = response.response_mut().extensions_mut().remove::<Answer>();
    if let Some(mut answer) = made
        && let Some(route) = response.request().app_data::<Rc<Route>>()
    {
        // A copy: who holds shared bytes is counted in one place, for which the workers would wait in turn.
        answer.body = Bytes::copy_from_slice(&answer.body);
        // Its template can only be told from a request that was looked up.
        route.template(response.request());
        let route = Rc::clone(route);
        answers
            .0
            .borrow_mut()
            .insert(asked, Rc::new(Kept { seen, route, answer }));
    }
    Ok(response)
}
