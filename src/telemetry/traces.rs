//! Traces by OTLP over HTTP: a span for each request and each delivery of a webhook, and one for each step of a request.
//!
//! Spans are made when a request has ended, of its timeline. They wait in a bounded queue for a thread that sends them; when it is
//! full, spans are dropped, and nobody waits. Without a collector there are none of these, and a request pays one look at a pointer.
//! What is sampled and how much waits is set by the variables that OpenTelemetry has for it (`OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`).

use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use serde::Deserialize;
use ureq::Agent;
use url::Url;

use super::metrics::METRICS;
use super::timeline::Step;
use crate::http::client;

/// How long a collector has for its answer, and how long the end of the process waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The base address of a collector, such as `http://127.0.0.1:4318`. It holds no password: what authenticates is a header
/// (`OTEL_EXPORTER_OTLP_HEADERS`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(Url);

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| "not an address such as http://127.0.0.1:4318")?;
        match url.scheme() {
            _ if !url.username().is_empty() || url.password().is_some() || url.query().is_some() => {
                Err("no user, password or query here; what authenticates goes into OTEL_EXPORTER_OTLP_HEADERS")
            }
            "http" | "https" => Ok(Self(url)),
            _ => Err("traces go by http or https (OTLP over HTTP, usually port 4318)"),
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Endpoint {
    fn of_traces(&self) -> String {
        format!("{}/v1/traces", self.0.as_str().trim_end_matches('/'))
    }
}

struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

static TRACES: OnceLock<Traces> = OnceLock::new();

/// Sends traces to a collector: the one given, or else the one that OpenTelemetry's own variables name; to none without either.
///
/// # Errors
/// What is wrong with its address.
pub fn start(given: Option<&Endpoint>) -> Result<(), String> {
    let disabled = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let Some(endpoint) = given.map_or_else(from_environment, |endpoint| Ok(Some(endpoint.of_traces())))? else {
        return Ok(());
    };
    if disabled {
        return Ok(());
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new())
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| format!("traces cannot be sent: {error}"))?;
    let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("jixiao");
    }
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Counted {
            exporter,
            failing: AtomicBool::new(false),
        })
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer("jixiao");
    // A second start changes nothing.
    let _ = TRACES.set(Traces { provider, tracer });
    Ok(())
}

/// The address that OpenTelemetry's variables name, held to the same rules.
fn from_environment() -> Result<Option<String>, String> {
    let named = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(value.parse::<Endpoint>().map_err(|error| format!("{name}: {error}")))
    };
    if let Some(own) = named("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return own.map(|endpoint| Some(endpoint.0.into()));
    }
    let general = named("OTEL_EXPORTER_OTLP_ENDPOINT").transpose()?;
    Ok(general.map(|endpoint| endpoint.of_traces()))
}

/// Sends what waits, and no more after it.
pub fn stop() {
    if let Some(traces) = TRACES.get() {
        // What fails is counted and logged where it does.
        let _ = traces.provider.shutdown_with_timeout(PATIENCE);
    }
}

/// A span that has begun.
#[derive(Debug, Clone)]
pub struct Open {
    context: Context,
    began: Instant,
    /// The same moment, as spans tell time.
    at: SystemTime,
}

/// Begins the span of a request or of a delivery, below the one that a `traceparent` names; `None` where nothing is traced. What
/// is no `traceparent` names none (W3C Trace Context); a `tracestate` is not passed on.
pub fn open(kind: SpanKind, traceparent: Option<&str>) -> Option<Open> {
    let traces = TRACES.get()?;
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(traceparent));
    let at = SystemTime::now();
    let span = traces
        .tracer
        .build_with_context(SpanBuilder::from_name("").with_kind(kind).with_start_time(at), &parent);
    Some(Open {
        context: parent.with_span(span),
        began: Instant::now(),
        at,
    })
}

struct Parent<'a>(Option<&'a str>);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.filter(|_| key == "traceparent")
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

impl Open {
    /// Whether it will be sent.
    pub fn is_sampled(&self) -> bool {
        self.context.span().is_recording()
    }

    /// Its trace, as log lines name it: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.context.span().span_context().trace_id().to_string()
    }

    /// What those who are called are told, and what is kept with a change.
    pub fn traceparent(&self) -> String {
        let span = self.context.span();
        let context = span.span_context();
        let (trace, own, flags) = (context.trace_id(), context.span_id(), context.trace_flags());
        format!("00-{trace}-{own}-{flags:02x}")
    }

    /// Ends it, under this name. `steps` are what it was made of.
    pub fn close(&self, name: String, failed: bool, attributes: impl IntoIterator<Item = KeyValue>, steps: &[Step]) {
        let span = self.context.span();
        let Some(traces) = TRACES.get().filter(|_| span.is_recording()) else {
            return;
        };
        for step in steps {
            let waited = step.began.saturating_duration_since(step.asked);
            let kind = if step.stage.is_database() {
                SpanKind::Client
            } else {
                SpanKind::Internal
            };
            let mut builder = SpanBuilder::from_name(step.stage.name())
                .with_kind(kind)
                .with_start_time(self.moment(step.asked));
            if step.stage.is_database() {
                builder = builder.with_attributes([
                    KeyValue::new("jixiao.waited_us", micros(waited)),
                    KeyValue::new(
                        "jixiao.worked_us",
                        micros(step.ended.saturating_duration_since(step.began)),
                    ),
                ]);
            }
            let mut child = traces.tracer.build_with_context(builder, &self.context);
            child.end_with_timestamp(self.moment(step.ended));
        }
        span.update_name(name);
        span.set_attributes(attributes);
        if failed {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(self.moment(Instant::now()));
        METRICS
            .spans
            .with_label_values(&["recorded"])
            .inc_by(steps.len() as u64 + 1);
    }

    fn moment(&self, instant: Instant) -> SystemTime {
        self.at + instant.saturating_duration_since(self.began)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Counts what is sent, and says when that begins to fail, and when it works again.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let sent = self.exporter.export(batch).await;
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        METRICS.spans.with_label_values(&[outcome]).inc_by(spans);
        match (&sent, self.failing.swap(sent.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => tracing::warn!(%error, "traces cannot be sent; what cannot wait is dropped"),
            (Ok(()), true) => tracing::info!("traces are sent again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The HTTP client that is there already. It blocks, which the thread that sends spans may.
#[derive(Debug)]
struct Client(Agent);

impl Client {
    fn new() -> Self {
        Self(client::settings(PATIENCE).build().into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let (head, mut body) = self.0.run(Request::from_parts(head, &body[..]))?.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_address_without_secrets() {
        for (text, of_traces) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://otel.county.gov.cn/in/",
                "https://otel.county.gov.cn/in/v1/traces",
            ),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().of_traces(), of_traces);
        }
        for bad in [
            "",
            "collector:4318",
            "grpc://x:4317",
            "http://me:secret@x:4318",
            "http://x/?key=secret",
        ] {
            let error = bad.parse::<Endpoint>().unwrap_err();
            assert!(!error.contains("secret@"), "{error}");
        }
    }

    #[test]
    fn without_a_collector_nothing_is_traced() {
        assert!(open(SpanKind::Server, None).is_none());
    }
}
