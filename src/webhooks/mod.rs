//! Webhooks (推送): the events of the change feed, sent to other systems, signed, in order, again and again until they arrive.
//!
//! [`delivery`] follows the change log for every webhook and hands its events to [`sender`], which signs them ([`signature`])
//! and sends them to where [`reach`] lets them go; [`backoff`] says when to try again.

pub mod backoff;
pub mod delivery;
pub mod handlers;
pub mod model;
pub mod reach;
pub mod sender;
pub mod signature;
pub mod store;

use std::time::Duration;

pub use reach::Allowed;

/// How webhooks are delivered.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is allowed besides https to other machines.
    pub allowed: Vec<Allowed>,
    /// How long to wait after the first failure; each further one doubles it.
    pub retry: Duration,
    /// After how many failed attempts an event is given up, at least 1.
    pub attempts: u32,
}

impl Settings {
    /// What is usual: https to other machines, and some six hours of patience.
    pub fn usual() -> Self {
        Self {
            allowed: Vec::new(),
            retry: Duration::from_secs(10),
            attempts: 15,
        }
    }
}
