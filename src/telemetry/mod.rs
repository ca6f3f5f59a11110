//! What the service tells of itself: [`log`] lines, [`metrics`] to be scraped, traces (OTLP).
//!
//! [`timeline`] notes where the time of a request goes. It is noted once and read by three: the histograms, the warning about a
//! slow request, and the spans of its trace, which are made of it when the request has ended.
//!
//! All of this is of the process, not of one app: a process is one server, one target to scrape and one source of traces.

pub mod log;
pub mod metrics;
pub mod process;
pub mod route;
pub mod scrape;
pub mod timeline;
pub mod traces;

use self::log::Filter;
use crate::config::Config;

/// Starts the log and, where a collector is named, traces; counts from now.
///
/// # Errors
/// When the filter of the log, or where to send traces, cannot be understood.
pub fn start(config: &Config) -> Result<Filter, String> {
    let filter = log::start(config)?;
    process::started();
    timeline::set_slow(config.slow_request);
    traces::start(config.otlp_endpoint.as_ref())?;
    Ok(filter)
}

/// Sends the spans that wait, for at most five seconds.
pub async fn stop() {
    // A collector that does not answer is no reason to be late.
    let _ = actix_web::web::block(traces::stop).await;
}
