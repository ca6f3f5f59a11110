//! Sends messages: one POST each, signed, to where it may go, within ten seconds.

use std::io;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web;
use jiff::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};
use url::Url;

use super::backoff;
use super::reach::{Allowed, Reach};
use super::signature::sign;
use crate::http::client;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::traces;

/// How long a receiver has, from the look-up of its name to the end of its answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is kept, in characters.
const SHOWN: usize = 200;

/// Where to send to, and what to sign with.
#[derive(Clone)]
pub struct Receiver {
    /// The address.
    pub url: String,
    /// The secrets, each of which signs.
    pub secrets: Vec<String>,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Message {
    /// What stays the same each time it is sent.
    pub id: String,
    /// A CloudEvent in JSON.
    pub body: Vec<u8>,
    /// Where the change was made in a trace; the receiver is told a place below it.
    pub traceparent: Option<String>,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status; `None` if there was no answer.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub text: String,
    /// How long the receiver wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// Whether the message arrived.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    fn none(text: impl ToString) -> Self {
        Self {
            status: None,
            text: text.to_string(),
            retry_after: None,
        }
    }
}

/// Sends messages; cheap to clone.
#[derive(Clone)]
pub struct Sender {
    agent: Agent,
    reach: Arc<Reach>,
}

impl Sender {
    /// One that sends to other machines by https, and besides where it is allowed.
    pub fn new(allowed: &[Allowed]) -> Self {
        let reach = Arc::new(Reach::new(allowed));
        // A proxy would look names up by itself.
        let config = client::settings(TIMEOUT).proxy(None).build();
        let resolver = Guard {
            names: DefaultResolver::default(),
            reach: reach.clone(),
        };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            reach,
        }
    }

    /// Where it sends to.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Sends a message once, on a thread that may wait.
    pub async fn send(&self, to: Receiver, message: Message) -> Answer {
        let sender = self.clone();
        let began = Instant::now();
        let span = traces::open(SpanKind::Producer, message.traceparent.as_deref());
        let traceparent = span.as_ref().map(traces::Open::traceparent);
        let id = message.id.clone();
        let answer = web::block(move || sender.send_and_wait(&to, &message, traceparent))
            .await
            .unwrap_or_else(|_| Answer::none("the attempt was broken off"));
        let outcome = match answer.status {
            Some(_) if answer.is_success() => "delivered",
            Some(_) => "refused",
            None => "unanswered",
        };
        METRICS.deliveries.with_label_values(&[outcome]).inc();
        METRICS.delivery_seconds.observe(began.elapsed().as_secs_f64());
        if let Some(span) = span {
            // Neither the address nor the answer, which may hold what is secret.
            let status = answer
                .status
                .map(|status| KeyValue::new("http.response.status_code", i64::from(status)));
            let attributes = status.into_iter().chain([KeyValue::new("webhook.id", id)]);
            span.close("webhook".to_owned(), !answer.is_success(), attributes, &[]);
        }
        answer
    }

    fn send_and_wait(&self, to: &Receiver, message: &Message, traceparent: Option<String>) -> Answer {
        let Ok(url) = Url::parse(&to.url) else {
            return Answer::none("the address cannot be read");
        };
        if let Some((_, text)) = self.reach.refusal(&url) {
            return Answer::none(text.en);
        }
        let now = Timestamp::now();
        let Some(signature) = sign(&to.secrets, &message.id, now.as_second(), &message.body) else {
            return Answer::none("the secret cannot be read");
        };
        let mut request = self.agent.post(url.as_str());
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let sent = request
            .header("Content-Type", "application/cloudevents+json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", now.as_second().to_string())
            .header("webhook-signature", signature)
            .send(&message.body);
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Answer::none(error),
        };
        let retry_after = response
            .headers()
            .get("Retry-After")
            .and_then(|value| value.to_str().ok());
        Answer {
            status: Some(response.status().as_u16()),
            retry_after: retry_after.and_then(|value| backoff::asked(value, now)),
            text: beginning(response.body_mut().as_reader()),
        }
    }
}

/// The beginning of an answer on one line; what cannot be read is left out.
fn beginning(body: impl Read) -> String {
    let mut bytes = Vec::new();
    // The rest is of no use, and what was read before an error still is.
    let _ = body.take(4 * SHOWN as u64).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(SHOWN).collect::<String>().trim().to_owned()
}

/// Looks names up, and leaves out what nothing may be sent to: what was judged is then what is connected to.
#[derive(Debug)]
struct Guard {
    names: DefaultResolver,
    reach: Arc<Reach>,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let mut kept = self.empty();
        for address in found.iter().filter(|address| self.reach.has(address.ip())) {
            kept.push(*address);
        }
        match kept.is_empty() {
            true => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "nothing is sent to the address of this name",
            )
            .into()),
            false => Ok(kept),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_a_line_is_kept() {
        assert_eq!(beginning(&b" not\r\nnow\0"[..]), "not  now");
        assert_eq!(beginning("\u{8fd9}".repeat(1000).as_bytes()).chars().count(), SHOWN);
        assert_eq!(beginning(&b""[..]), "");
    }

    /// A name says nothing about where it leads: it is judged when it is looked up.
    #[test]
    fn a_name_that_leads_to_this_machine_is_not_followed() {
        let sender = Sender::new(&[Allowed::Http]);
        // Past the look at the address, which knows this one name.
        let error = sender.agent.get("http://localhost:9/").call().unwrap_err();
        assert!(error.to_string().contains("nothing is sent"), "{error}");
    }
}
