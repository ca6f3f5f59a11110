//! Requests counted by address, method and status.

use std::cell::{OnceCell, RefCell};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use prometheus::{Histogram, IntCounter};

use super::metrics::METRICS;

/// The name of what is at no address that there is: clients must not be able to make new series.
pub const NOWHERE: &str = "unmatched";

/// The counters of one address in one worker. It is found with the request, as what the address was set up with, or with the answer
/// that the worker kept; so on the way of a request nothing is looked up by name, and nothing is locked or allocated once a status was seen.
#[derive(Debug, Default)]
pub struct Route {
    template: OnceCell<String>,
    seen: RefCell<Vec<Seen>>,
}

#[derive(Debug)]
struct Seen {
    method: &'static str,
    status: StatusCode,
    requests: IntCounter,
    seconds: Histogram,
}

impl Route {
    /// Where requests are counted that no address was found for.
    pub fn nowhere() -> Self {
        Self {
            template: OnceCell::from(NOWHERE.to_owned()),
            seen: RefCell::default(),
        }
    }

    /// The template of the address, such as `/api/v1/units/{code}`.
    pub fn template(&self, request: &HttpRequest) -> &str {
        self.template
            .get_or_init(|| request.match_pattern().unwrap_or_else(|| NOWHERE.to_owned()))
    }

    /// Counts an answer.
    pub fn count(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        let method = named(request.method());
        let mut seen = self.seen.borrow_mut();
        let known = seen
            .iter()
            .position(|seen| seen.method == method && seen.status == status);
        let index = known.unwrap_or_else(|| {
            let route = self.template(request);
            seen.push(Seen {
                method,
                status,
                requests: METRICS.requests.with_label_values(&[route, method, status.as_str()]),
                seconds: METRICS.request_seconds.with_label_values(&[route, method]),
            });
            seen.len() - 1
        });
        seen[index].requests.inc();
        seen[index].seconds.observe(took.as_secs_f64());
    }
}

/// Counts an answer of which it is not known what it was for.
pub fn count_nowhere(method: &'static str, status: StatusCode, took: Duration) {
    let labels = [NOWHERE, method, status.as_str()];
    METRICS.requests.with_label_values(&labels).inc();
    let seconds = METRICS.request_seconds.with_label_values(&[NOWHERE, method]);
    seconds.observe(took.as_secs_f64());
}

/// A method by its name, of which there are few: what a client makes up is `other`.
pub fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
