//! All that is counted, in one table. Who counts holds the counter itself: an atomic, found without a name.

use std::sync::LazyLock;

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, Result,
    core::Collector,
};

/// The upper bounds of times in seconds: from what a read by key takes to the patience of clients.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The upper bounds of how many writes share a commit.
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    /// What is scraped.
    pub registry: Registry,
    /// Requests by route, method and status.
    pub requests: IntCounterVec,
    /// How long they took, by route and method.
    pub request_seconds: HistogramVec,
    /// Requests that are being served.
    pub in_flight: IntGauge,
    /// Requests that took longer than they should.
    pub slow_requests: IntCounter,
    /// Writes that wait for the writer of SQLite; those on PostgreSQL wait for a connection.
    pub write_queue: IntGauge,
    /// How long they waited.
    pub write_wait_seconds: Histogram,
    /// How many write jobs shared a commit.
    pub write_batch: Histogram,
    /// How long a commit took.
    pub commit_seconds: Histogram,
    /// Connections of the pool that are in use.
    pub pool_in_use: IntGauge,
    /// Jobs that wait for a connection.
    pub pool_waiting: IntGauge,
    /// How long they waited.
    pub pool_wait_seconds: Histogram,
    /// How long reads by key worked.
    pub read_seconds: Histogram,
    /// How long reads worked that may take long.
    pub scan_seconds: Histogram,
    /// How long writes worked, from their turn to the end of their commit.
    pub write_seconds: Histogram,
    /// Scores that were worked out.
    pub scores_computed: IntCounter,
    /// Scores that were answered from memory.
    pub scores_from_cache: IntCounter,
    /// How long it took to work one out.
    pub score_seconds: Histogram,
    /// What the checks found, by check.
    pub findings: IntCounterVec,
    /// Attempts to deliver an event, by outcome.
    pub deliveries: IntCounterVec,
    /// How long they took.
    pub delivery_seconds: Histogram,
    /// Imports that this process works on.
    pub imports_running: IntGauge,
    /// Rows of imports, by what became of them.
    pub import_rows: IntCounterVec,
    /// Spans of traces, by what became of them.
    pub spans: IntCounterVec,
}

/// What this process has counted.
pub static METRICS: LazyLock<Metrics> =
    LazyLock::new(|| Metrics::new().expect("the names and labels of metrics are constants that a test has made"));

impl Metrics {
    #[rustfmt::skip]
    fn new() -> Result<Self> {
        let registry = Registry::new();
        let r = &registry;
        let database = HistogramVec::new(
            seconds("jixiao_db_operation_seconds", "Time that the database worked, without the time waited before, by operation: \
                read (by key), scan (may take long), write (from its turn to the end of its commit)."),
            &["operation"],
        )?;
        let scores = IntCounterVec::new(
            Opts::new("jixiao_scores_total", "Scores by source: computed, or cache (answered from memory)."), &["source"])?;
        Ok(Self {
            requests: keep(r, IntCounterVec::new(
                Opts::new("jixiao_http_requests_total", "Requests answered, by route (the template of the address), method and status."),
                &["route", "method", "status"]))?,
            request_seconds: keep(r, HistogramVec::new(
                seconds("jixiao_http_request_seconds", "Time from a request's arrival to the end of its answer, by route and method. \
                    Without the time that a client asked to wait for changes."),
                &["route", "method"]))?,
            in_flight: keep(r, gauge("jixiao_http_requests_in_flight", "Requests that are being served."))?,
            slow_requests: keep(r, IntCounter::new("jixiao_http_slow_requests_total", "Requests that took longer than JIXIAO_SLOW_REQUEST; the log says why."))?,
            write_queue: keep(r, gauge("jixiao_db_write_queue", "Writes that wait for their turn (SQLite)."))?,
            write_wait_seconds: keep(r, histogram("jixiao_db_write_wait_seconds", "Time that writes waited for their turn (SQLite)."))?,
            write_batch: keep(r, Histogram::with_opts(
                HistogramOpts::new("jixiao_db_write_batch", "Writes that shared one commit (SQLite).").buckets(BATCHES.to_vec())))?,
            commit_seconds: keep(r, histogram("jixiao_db_commit_seconds", "Time of a commit alone, with its flush to the disk (SQLite)."))?,
            pool_in_use: keep(r, gauge("jixiao_db_pool_in_use", "Connections of the pool in use."))?,
            pool_waiting: keep(r, gauge("jixiao_db_pool_waiting", "Jobs that wait for a connection."))?,
            pool_wait_seconds: keep(r, histogram("jixiao_db_pool_wait_seconds", "Time that jobs waited for a connection."))?,
            read_seconds: database.with_label_values(&["read"]),
            scan_seconds: database.with_label_values(&["scan"]),
            write_seconds: {
                let write = database.with_label_values(&["write"]);
                keep(r, Ok(database))?;
                write
            },
            scores_computed: scores.with_label_values(&["computed"]),
            scores_from_cache: {
                let cache = scores.with_label_values(&["cache"]);
                keep(r, Ok(scores))?;
                cache
            },
            score_seconds: keep(r, histogram("jixiao_score_seconds", "Time to work out one score."))?,
            findings: keep(r, IntCounterVec::new(
                Opts::new("jixiao_findings_total", "Findings of the checks as they are asked for and submitted, by check."), &["check"]))?,
            deliveries: keep(r, IntCounterVec::new(
                Opts::new("jixiao_webhook_deliveries_total", "Attempts to deliver an event by this process, by outcome: delivered, refused (another status), unanswered."),
                &["outcome"]))?,
            delivery_seconds: keep(r, histogram("jixiao_webhook_delivery_seconds", "Time of an attempt to deliver an event."))?,
            imports_running: keep(r, gauge("jixiao_imports_running", "Imports that this process works on."))?,
            import_rows: keep(r, IntCounterVec::new(
                Opts::new("jixiao_import_rows_total", "Rows of imports, by outcome: created, replaced, unchanged, rejected."), &["outcome"]))?,
            spans: keep(r, IntCounterVec::new(
                Opts::new("jixiao_trace_spans_total", "Spans by outcome: recorded, sent, failed. What was recorded and neither sent nor failed waits, or was dropped from a full queue."),
                &["outcome"]))?,
            registry,
        })
    }
}

fn keep<C: Collector + Clone + 'static>(registry: &Registry, made: Result<C>) -> Result<C> {
    let collector = made?;
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn seconds(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(SECONDS.to_vec())
}

fn histogram(name: &str, help: &str) -> Result<Histogram> {
    Histogram::with_opts(seconds(name, help))
}

fn gauge(name: &str, help: &str) -> Result<IntGauge> {
    IntGauge::new(name, help)
}

/// One more, as long as it is there: also if a task is dropped half way.
#[derive(Debug)]
pub struct Held(&'static IntGauge);

impl Held {
    /// Counts one more.
    pub fn new(gauge: &'static IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_can_be_made_and_is_scraped_with_its_help() {
        let metrics = Metrics::new().unwrap();
        metrics.requests.with_label_values(&["/", "GET", "200"]).inc();
        let families = metrics.registry.gather();
        assert!(
            families
                .iter()
                .any(|family| family.name() == "jixiao_http_requests_total")
        );
        assert!(families.iter().all(|family| !family.help().is_empty()));
    }

    #[test]
    fn what_is_held_is_given_back() {
        let gauge = &METRICS.imports_running;
        let before = gauge.get();
        let held = Held::new(gauge);
        assert_eq!(gauge.get(), before + 1);
        drop(held);
        assert_eq!(gauge.get(), before);
    }
}
