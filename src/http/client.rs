//! How this service asks others: an identity provider for its keys, a receiver of webhooks, a collector of traces.

use std::time::Duration;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::AgentScope;

/// What holds whomever it asks: HTTPS by the OpenSSL that PostgreSQL brings along; an answer of any status, which is never followed
/// elsewhere; all of it within `patience`.
pub fn settings(patience: Duration) -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::NativeTls)
        // A county has an authority of its own: what its administrator trusts on this machine is trusted here.
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        // A redirect could lead where the address that was set or judged does not.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("jixiao/", env!("CARGO_PKG_VERSION")))
}
