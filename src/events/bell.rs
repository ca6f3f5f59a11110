//! Wakes the requests that wait for changes.

use std::time::{Duration, Instant};

use actix_web::rt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::db::Db;

/// How often changes are looked for that another process has made: a second instance on the same PostgreSQL, or the
/// command line. What this process commits wakes at once.
const LOOK: Duration = Duration::from_millis(500);

/// Wakes those who wait for changes when there are some, and when the server is to stop.
pub struct Bell {
    changes: watch::Sender<i64>,
    stopping: watch::Receiver<bool>,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// There are changes.
    Changes,
    /// It was long enough.
    Late,
    /// The server is to stop.
    Stopping,
}

impl Bell {
    /// Begins to listen for changes, and for the signals that stop the server.
    ///
    /// # Errors
    /// When the operating system gives no signals.
    pub fn start(db: &Db) -> std::io::Result<Self> {
        let (stop, stopping) = watch::channel(false);
        let mut ends = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
        rt::spawn(async move {
            let [terminate, interrupt] = &mut ends;
            futures_util::future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
            stop.send_replace(true);
            // Kept, so that those who begin to wait now are told too.
            std::future::pending::<()>().await;
        });
        let changes = db.changes();
        let db = db.clone();
        rt::spawn(async move {
            loop {
                rt::time::sleep(LOOK).await;
                db.look().await;
            }
        });
        Ok(Self { changes, stopping })
    }

    /// Waits for a change after the one numbered `seen`, until `until`.
    pub async fn wait(&self, seen: i64, until: Instant) -> Woken {
        let (mut changes, mut stopping) = (self.changes.subscribe(), self.stopping.clone());
        let change = Box::pin(async move { changes.wait_for(|last| *last > seen).await.is_ok() });
        let stop = Box::pin(async move { stopping.wait_for(|stopping| *stopping).await.is_ok() });
        let either = futures_util::future::select(change, stop);
        match tokio::time::timeout_at(until.into(), either).await {
            Err(_) => Woken::Late,
            Ok(futures_util::future::Either::Left(_)) => Woken::Changes,
            Ok(futures_util::future::Either::Right(_)) => Woken::Stopping,
        }
    }
}
