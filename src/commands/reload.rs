//! SIGHUP: the settings are read again while the server runs.

use actix_web::rt;
use actix_web::rt::signal::unix::{SignalKind, signal};
use clap::{ArgMatches, FromArgMatches};
use jixiao::app::Live;
use jixiao::config::Flags;
use jixiao::settings::{self, Setting};
use jixiao::telemetry;
use jixiao::telemetry::log::Filter;

use super::manager;
use crate::Failure;

/// What changes without a restart.
const LIVE: [&str; 19] = [
    "address_rate_limit",
    "cors_origins",
    "jwt_audience",
    "jwt_issuer",
    "jwt_jwks",
    "jwt_leeway",
    "jwt_name_claim",
    "jwt_role_claim",
    "jwt_roles",
    "jwt_scopes_claim",
    "jwt_units_claim",
    "lockout",
    "log",
    "max_requests",
    "rate_limit",
    "request_timeout",
    "tls_cert",
    "tls_key",
    "trusted_proxies",
];

/// Reads the settings again at each SIGHUP. What cannot be used is refused as a whole, and those before go on.
///
/// # Errors
/// When the signal cannot be waited for.
pub fn on_hangup(given: ArgMatches, live: Live, filter: Filter) -> Result<(), Failure> {
    let mut hangups = signal(SignalKind::hangup())?;
    let mut before = settings::in_force(&given)?;
    rt::spawn(async move {
        while hangups.recv().await.is_some() {
            match reload(&given, &live, &filter) {
                Ok(after) => {
                    let (changed, waiting) = differences(&before, &after, live.has_tls());
                    tracing::info!(?changed, "the settings were read again");
                    if !waiting.is_empty() {
                        tracing::warn!(?waiting, "changed in the settings, but not before a restart");
                    }
                    // What waits for a restart is told again at the next reload.
                    before.retain(|setting| waiting.contains(&setting.name));
                    before.extend(after.into_iter().filter(|setting| !waiting.contains(&setting.name)));
                }
                Err(error) => {
                    tracing::error!(%error, "the settings cannot be used; those before go on");
                    manager::tell(&format!("STATUS=The settings cannot be used: {error}"));
                }
            }
        }
    });
    Ok(())
}

fn reload(given: &ArgMatches, live: &Live, filter: &Filter) -> Result<Vec<Setting>, Failure> {
    let config = Flags::from_arg_matches(given)?.resolve()?;
    let settings = settings::in_force(given)?;
    let logged = telemetry::log::filter(&config)?;
    live.change(&config)?;
    filter.change(logged)?;
    Ok(settings)
}

/// The settings that changed: those that do at once, and those that wait for a restart.
fn differences(before: &[Setting], after: &[Setting], has_tls: bool) -> (Vec<String>, Vec<String>) {
    let changed = after.iter().filter(|setting| {
        let known = before.iter().find(|known| known.name == setting.name);
        known.is_none_or(|known| known.value != setting.value)
    });
    let names = changed.map(|setting| setting.name.clone());
    names.partition(|name| LIVE.contains(&name.as_str()) && (has_tls || !name.starts_with("tls_")))
}
