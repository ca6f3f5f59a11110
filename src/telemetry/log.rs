//! The log: lines on standard error, as text or JSON.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts logging.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(config: &Config) -> Result<(), String> {
    // actix logs as an error of the server what is no HTTP in what a client sends. A filter that names it overrules this.
    let filter =
        EnvFilter::try_new(format!("actix_http=off,{}", config.log)).map_err(|error| format!("JIXIAO_LOG: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| error.to_string())
}
