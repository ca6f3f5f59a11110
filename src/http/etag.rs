//! ETags from versions, and the preconditions of requests.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETAG, HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::db::changes::Head;

/// An ETag, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of one version of a resource. The time tells apart a resource that was deleted and made anew.
    pub fn of(version: i64, updated_at: &str) -> Self {
        Self::over([version.to_string().as_str(), updated_at])
    }

    /// The tag of something that follows from all of `parts`.
    pub fn over<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(format!("\"{}\"", hex::encode(digest.get(..8).unwrap_or_default())))
    }

    /// The weak tag of a body that names no version, such as a page of a list.
    pub fn weak(body: &[u8]) -> Self {
        let digest = Sha256::digest(body);
        Self(format!("W/\"{}\"", hex::encode(digest.get(..8).unwrap_or_default())))
    }

    /// The weak tag of an answer that follows from the data up to the change `last` and from `asked`, of which the debug form says all,
    /// as this version of the program has it.
    pub fn of_all(last: &Head, asked: impl std::fmt::Debug) -> Self {
        Self::weak(format!("{} {last:?} {asked:?}", env!("CARGO_PKG_VERSION")).as_bytes())
    }

    /// The tag as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Begins the answer to a change that was made: 201 with the address of what is new, 200 for what was there before.
    pub fn saved(&self, created: bool, address: &str) -> HttpResponseBuilder {
        match created {
            true => {
                let mut response = HttpResponse::Created();
                response.insert_header((LOCATION, address));
                self.stamp(response)
            }
            false => self.stamp(HttpResponse::Ok()),
        }
    }

    /// Begins an answer that carries the tag.
    pub fn stamp(&self, mut response: HttpResponseBuilder) -> HttpResponseBuilder {
        response.insert_header((ETAG, self.0.as_str()));
        response
    }
}

/// What a request demands of the resource's state: `If-Match` and `If-None-Match`.
#[derive(Debug, Clone, Default)]
pub struct Preconditions {
    if_match: Option<Vec<String>>,
    if_none_match: Option<Vec<String>>,
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut values = headers.get_all(name).peekable();
    values.peek()?;
    Some(
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().to_owned())
            .collect(),
    )
}

impl FromRequest for Preconditions {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers())))
    }
}

impl Preconditions {
    /// What these headers demand.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: tags(headers, &IF_MATCH),
            if_none_match: tags(headers, &IF_NONE_MATCH),
        }
    }

    /// Whether the client has this version already.
    pub fn knows(&self, current: &ETag) -> bool {
        self.if_none_match.as_ref().is_some_and(|known| names(known, current))
    }

    /// Lets a change pass only if the resource is in the state that the client thinks; `None`: it does not exist.
    ///
    /// # Errors
    /// 412 when it is not.
    pub fn check(&self, current: Option<&ETag>) -> Result<(), Problem> {
        if let Some(wanted) = &self.if_match {
            let held = current.is_some_and(|current| wanted.iter().any(|tag| tag == "*" || *tag == current.0));
            if !held {
                return Err(Problem::precondition_failed(
                    "资源的当前版本与If-Match所示版本不一致，本次修改未执行。",
                    "The resource is not in the version that If-Match names; nothing was changed.",
                ));
            }
        }
        if let Some(unwanted) = &self.if_none_match
            && current.is_some_and(|current| names(unwanted, current))
        {
            return Err(Problem::precondition_failed(
                "资源已存在（If-None-Match），本次修改未执行。",
                "The resource exists in a version that If-None-Match names; nothing was changed.",
            ));
        }
        Ok(())
    }

    /// The answer to a read: 304 without a body when the client has this version, else what `body` makes.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn answer(
        &self,
        current: &ETag,
        body: impl FnOnce(HttpResponseBuilder) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        if self.knows(current) {
            return Ok(current.stamp(HttpResponse::NotModified()).finish());
        }
        body(current.stamp(HttpResponse::Ok()))
    }
}

/// Weak comparison (RFC 9110): a tag that a cache weakened names the same version.
fn names(tags: &[String], current: &ETag) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let current = opaque(&current.0);
    tags.iter().any(|tag| tag == "*" || opaque(tag) == current)
}
