//! What a change is answered with, in a form that can be kept.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use serde::Serialize;

use super::once::Asked;
use super::store::Row;
use crate::db::now;
use crate::http::etag::ETag;
use crate::http::kinds;
use crate::http::problem::Problem;

/// Says that an answer was given before, to the first request of its key.
pub static IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The answer to a change, in JSON.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    etag: Option<String>,
    location: Option<String>,
    body: String,
    /// Whether the body shows a secret, which is not kept.
    has_secret: bool,
}

impl Answer {
    /// 200: it was done.
    ///
    /// # Errors
    /// 500 if the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::OK,
            etag: None,
            location: None,
            body: serde_json::to_string(body).map_err(|error| Problem::internal(error.to_string()))?,
            has_secret: false,
        })
    }

    /// 202: it is going to be done.
    ///
    /// # Errors
    /// 500 if the body cannot be written as JSON.
    pub fn accepted(body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::ACCEPTED,
            ..Self::ok(body)?
        })
    }

    /// 201: something is new, at this address.
    ///
    /// # Errors
    /// 500 if the body cannot be written as JSON.
    pub fn created(location: impl Into<String>, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::CREATED,
            location: Some(location.into()),
            ..Self::ok(body)?
        })
    }

    /// The same, of this version.
    #[must_use]
    pub fn tagged(self, etag: &ETag) -> Self {
        Self {
            etag: Some(etag.as_str().to_owned()),
            ..self
        }
    }

    /// The same, with a secret in its body: no cache keeps it, nor does this service.
    #[must_use]
    pub fn with_secret(self) -> Self {
        Self {
            has_secret: true,
            ..self
        }
    }

    /// What is kept of it, as what was done for `asked`.
    pub(super) fn row(&self, asked: &Asked) -> Row {
        Row {
            actor: asked.actor.clone(),
            key: asked.key.clone(),
            fingerprint: asked.fingerprint.clone(),
            at: now(),
            status: i64::from(self.status.as_u16()),
            etag: self.etag.clone(),
            location: self.location.clone(),
            body: (!self.has_secret).then(|| self.body.clone()),
        }
    }

    /// The answer that was kept.
    ///
    /// # Errors
    /// 409 where it held a secret, which is shown once.
    pub(super) fn again(row: Row) -> Result<Self, Problem> {
        let status = u16::try_from(row.status).ok();
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.ok_or_else(|| Problem::internal("a kept answer has no status"))?;
        match row.body {
            Some(body) => Ok(Self {
                status,
                etag: row.etag,
                location: row.location,
                body,
                has_secret: false,
            }),
            None => Err(secret_was_shown(row.location)),
        }
    }

    /// The answer as it is sent; `replayed`: not for the first time.
    pub(super) fn respond(self, replayed: bool) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, "application/json"));
        if let Some(etag) = self.etag {
            response.insert_header((ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if self.has_secret {
            response.insert_header((CACHE_CONTROL, "no-store"));
        }
        if replayed {
            response.insert_header((IDEMPOTENCY_REPLAYED.clone(), "true"));
        }
        response.body(self.body)
    }
}

/// 409: it was done, and the secret that it made is not shown again.
fn secret_was_shown(location: Option<String>) -> Problem {
    let problem = Problem::new(
        &kinds::SECRET_WAS_SHOWN,
        "该请求此前已执行，所签发的密钥只在首次响应中给出，不予保存。",
        "The request was done before; the secret that it made was in the first answer only, and is not kept.",
    )
    .with_header(IDEMPOTENCY_REPLAYED.clone(), "true");
    match location {
        Some(location) => problem.with_header(LOCATION, location),
        None => problem,
    }
}
