//! What the service manager is told (systemd, `Type=notify`): that the server is ready, stops, and still lives.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use actix_web::rt::{self, time};

/// Tells the service manager a state (`sd_notify(3)`); nothing where there is none.
pub fn tell(state: &str) {
    if let Err(error) = send(state) {
        tracing::warn!(%error, state, "the service manager was not told");
    }
}

fn send(state: &str) -> io::Result<()> {
    let Ok(path) = env::var("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?
        .send_to_addr(state.as_bytes(), &address)
        .map(drop)
}

/// Tells it that the server lives, twice in the time after which it would be started anew.
pub fn keep_telling() {
    let wanted = env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
    if let Some(micros) = wanted {
        rt::spawn(async move {
            let mut pulse = time::interval(Duration::from_micros(micros) / 2);
            loop {
                pulse.tick().await;
                tell("WATCHDOG=1");
            }
        });
    }
}
