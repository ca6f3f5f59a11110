//! How much is done at once, and for how long: what would be too much is refused before anything is done for it.
//!
//! So the memory that bodies take is bounded, by the largest body times the requests in progress, and a server with too much to
//! do spends its time on what it has begun. Who asks for the server's health is always let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::problem::Problem;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Requests in progress, in all workers; 0: any number.
    pub requests: usize,
    /// How long a request may take until its answer begins.
    pub time: Duration,
}

impl Settings {
    /// For a server with a gigabyte of memory to spare.
    pub fn usual() -> Self {
        Self {
            requests: 512,
            time: Duration::from_secs(60),
        }
    }
}

/// What must be answered when nothing else is.
const VITAL: [&str; 2] = ["/health/", "/metrics"];

/// What takes as long as its file or its listener does; each has limits of its own.
const LONG: [&str; 3] = ["/api/v1/imports", "/api/v1/exports", "/api/v1/events"];

/// What waits for changes and does nothing meanwhile; connections bound it.
const WAITING: [&str; 1] = ["/api/v1/events"];

/// The requests in progress.
#[derive(Debug)]
pub struct Load {
    settings: ArcSwap<Settings>,
    in_progress: Arc<AtomicUsize>,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    /// What it counts in; `None`: it does not.
    in_progress: Option<Arc<AtomicUsize>>,
    /// How long it may take; `None`: as long as it likes.
    pub time: Option<Duration>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(in_progress) = &self.in_progress {
            in_progress.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Load {
    /// None in progress.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            in_progress: Arc::default(),
        }
    }

    /// Goes on by these settings.
    pub fn change(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Lets a request for this path in.
    ///
    /// # Errors
    /// 503 while there are too many.
    pub fn admit(&self, path: &str) -> Result<Admitted, Problem> {
        let is_any = |of: &[&str]| of.iter().any(|start| path.starts_with(start));
        let settings = self.settings.load();
        let time = (!is_any(&LONG)).then_some(settings.time);
        if is_any(&WAITING) {
            return Ok(Admitted {
                in_progress: None,
                time,
            });
        }
        let before = self.in_progress.fetch_add(1, Ordering::Relaxed);
        let admitted = Admitted {
            in_progress: Some(Arc::clone(&self.in_progress)),
            time,
        };
        match settings.requests > 0 && before >= settings.requests && !is_any(&VITAL) {
            true => Err(Problem::busy()),
            false => Ok(admitted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(requests: usize) -> Load {
        Load::new(Settings {
            requests,
            ..Settings::usual()
        })
    }

    #[test]
    fn what_is_too_much_is_refused_until_something_is_done_and_health_never_is() {
        let load = load(2);
        let first = load.admit("/api/v1/units").unwrap();
        let _second = load.admit("/api/v1/units").unwrap();
        assert!(load.admit("/api/v1/units").is_err());
        assert!(load.admit("/health/ready").is_ok());
        assert!(load.admit("/metrics").is_ok());
        let waiting: Vec<_> = (0..10).map(|_| load.admit("/api/v1/events").unwrap()).collect();
        drop(first);
        assert!(
            load.admit("/api/v1/units").is_ok(),
            "{} wait and take no room",
            waiting.len()
        );
    }

    #[test]
    fn zero_is_no_limit_and_long_requests_have_no_end() {
        let load = load(0);
        let all: Vec<_> = (0..1000).map(|_| load.admit("/api/v1/units").unwrap()).collect();
        assert!(all.iter().all(|admitted| admitted.time.is_some()));
        assert!(load.admit("/api/v1/imports").unwrap().time.is_none());
    }
}
