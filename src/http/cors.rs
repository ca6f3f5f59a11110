//! Pages of other origins that call from a browser (CORS). Off unless origins are set: then no answer has a header of it.
//!
//! Nothing is refused here: it is the browser that keeps an answer from a page. A preflight is answered by what answers OPTIONS
//! at its address, so what is allowed is what there is. It stands around everything, since a page must be able to read a
//! problem too. Cookies have no part in it: a token is sent by the page itself, and credentials are never allowed.

use std::str::FromStr;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use arc_swap::ArcSwap;
use serde::Deserialize;

/// Headers that a page may send, beside those that any may.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-encoding, content-type, if-match, if-none-match, idempotency-key, last-event-id, prefer, x-request-id",
);

/// Headers of an answer that a page may read, beside those that any may.
const READ: HeaderValue = HeaderValue::from_static(
    "accept-patch, allow, content-disposition, deprecation, etag, idempotency-replayed, link, location, preference-applied, ratelimit, \
     ratelimit-policy, retry-after, sunset, www-authenticate, x-request-id",
);

/// For how long a browser need not ask again, in seconds: as long as any takes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// An origin whose pages may call: `https://host` or `https://host:port` as browsers write it, or `*` for any.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AllowedOrigin(HeaderValue);

impl FromStr for AllowedOrigin {
    /// What it should be.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = ["https://", "http://"]
            .into_iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b".-:[]".contains(&c);
        let good = text == "*" || host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain));
        match HeaderValue::from_str(text) {
            Ok(value) if good => Ok(Self(value)),
            _ => Err(format!(
                "{text:?} is no origin: https://host or https://host:port in lower case, without a path, or * for any"
            )),
        }
    }
}

impl TryFrom<String> for AllowedOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The origins whose pages may call.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<AllowedOrigin>,
    any: bool,
}

impl Cors {
    /// These origins.
    pub fn new(origins: Vec<AllowedOrigin>) -> Self {
        Self {
            any: origins.iter().any(|AllowedOrigin(origin)| origin == "*"),
            origins,
        }
    }

    /// What the answer to a request says of origins.
    fn answer(&self, request: &ServiceRequest) -> Answer {
        let headers = request.headers();
        let allowed = headers.get(ORIGIN).filter(|origin| {
            let mut known = self.origins.iter();
            !self.any && known.any(|AllowedOrigin(known)| known == *origin)
        });
        Answer {
            origin: match self.any {
                true => Some(HeaderValue::from_static("*")),
                false => allowed.cloned(),
            },
            preflight: request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        }
    }
}

#[derive(Clone)]
struct Answer {
    /// The origin that is allowed; `None`: that of the request is not.
    origin: Option<HeaderValue>,
    preflight: bool,
}

impl Answer {
    fn write(&self, headers: &mut HeaderMap) {
        // An answer for any origin is the same for all, and can be kept for all.
        if self.origin.as_ref().is_none_or(|origin| origin != "*") {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = &self.origin else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if !self.preflight {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
            return;
        }
        if let Some(methods) = headers.get(ALLOW).cloned() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
}

/// Serves a request, and says in its answer which pages may read it.
pub async fn share<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let cors = request.app_data::<Data<ArcSwap<Cors>>>().map(|cors| cors.load());
    let cors = cors.filter(|cors| !cors.origins.is_empty());
    let Some(answer) = cors.map(|cors| cors.answer(&request)) else {
        return next.call(request).await;
    };
    match next.call(request).await {
        Ok(mut response) => {
            answer.write(response.headers_mut());
            Ok(response)
        }
        Err(mut error) => {
            error.add_response_mapper(move |mut response| {
                answer.write(response.headers_mut());
                response
            });
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send_and_no_address() {
        for good in [
            "https://portal.county.gov.cn",
            "http://localhost:5173",
            "https://[::1]:8443",
            "*",
        ] {
            assert!(good.parse::<AllowedOrigin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "null",
            "portal.county.gov.cn",
            "https://",
            "https://a/",
            "https://a/b",
            "HTTPS://A",
            "https://A",
            "https://*.a",
            "ftp://a",
            "https://a b",
            "https://a,https://b",
        ] {
            assert!(bad.parse::<AllowedOrigin>().is_err(), "{bad}");
        }
    }
}
