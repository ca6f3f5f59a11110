//! The log: lines on standard error, as text or JSON.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::{Config, LogFormat};
use crate::http::middleware::{current_request, without_token};

/// Changes what is logged.
pub struct Filter(reload::Handle<EnvFilter, Registry>);

impl Filter {
    /// Logs by this one from now on.
    ///
    /// # Errors
    /// When logging has ended.
    pub fn change(&self, filter: EnvFilter) -> Result<(), reload::Error> {
        self.0.reload(filter)
    }
}

/// What these settings have logged.
///
/// # Errors
/// When the filter cannot be understood.
pub fn filter(config: &Config) -> Result<EnvFilter, String> {
    // actix logs as an error of the server what is no HTTP in what a client sends. A filter that names it overrules this.
    EnvFilter::try_new(format!("actix_http=off,{}", config.log))
        .map_err(|error| format!("JIXIAO_LOG: {error} / JIXIAO_LOG有误：{error}。"))
}

/// Starts logging.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(config: &Config) -> Result<Filter, String> {
    let (filter, change) = reload::Layer::new(filter(config)?);
    let log = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => {
            let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with(lines.with_ansi(ansi)).try_init()
        }
        LogFormat::Json => log.with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(panicked));
    Ok(Filter(change))
}

/// Logs a panic with the request that met it, and with a backtrace where `RUST_BACKTRACE` asks for one.
fn panicked(panic: &PanicHookInfo<'_>) {
    let (request_id, path) = current_request();
    let thread = std::thread::current();
    tracing::error!(
        request_id,
        path = &*without_token(&path),
        thread = thread.name(),
        location = panic.location().map(ToString::to_string),
        message = panic.payload_as_str(),
        backtrace = %Backtrace::capture(),
        "panicked",
    );
}
