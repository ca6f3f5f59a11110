//! Reads that replicas answer instead of the primary, and never an older state than the primary had when the read began.
//!
//! Before a replica is read, the primary is asked where its change log ends: one row, and once for all reads that have come
//! while the question before was under way. A replica answers if the change of that number is in its log, with that hash; it is
//! given a moment to come so far. So whoever was told that something is saved sees it, through whichever instance, and need send
//! nothing along. The number alone would not do: what was the primary once may go on by itself after another was promoted, and a
//! hash tells its history from ours. (PostgreSQL's own positions do not.)
//!
//! A replica that is behind, busy, ill or gone is not told of: the primary answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::QueryResult;
use diesel::r2d2::Pool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::changes::Head;
use super::connection::{Access, AnyConnection, Manager, Target};
use crate::http::problem::Problem;
use crate::telemetry::timeline::{self, Share, Stage};

/// How long a replica that did not do is left alone; then one read tries it again.
const REST: Duration = Duration::from_secs(1);

/// How long a read waits for a connection to a replica. One that takes longer is there for the next read.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a read waits for a connection on which the primary says how far it is.
const PATIENCE_WITH_PRIMARY: Duration = Duration::from_secs(1);

/// How long a connection lasts: where an address has several hosts, another of them may be the replica by now.
const LIFE: Duration = Duration::from_secs(60);

/// How long a replica is waited for that is behind, from one look to the next, in milliseconds.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 16, 32];

/// The replicas of a primary.
pub struct Replicas {
    replicas: Vec<Replica>,
    /// Whose turn it is.
    turn: AtomicUsize,
    primary: Pool<Manager>,
    /// When the primary was last asked where its log ends, and what it said, if it did.
    end: tokio::sync::Mutex<Option<(Instant, Option<Head>)>>,
}

#[derive(Clone)]
struct Replica {
    target: Target,
    pool: Pool<Manager>,
    permits: Arc<Semaphore>,
    rests_until: Arc<Mutex<Option<Instant>>>,
}

impl Replicas {
    /// Nothing is connected yet: replicas may come and go. Each gets up to `pool_size` connections.
    pub fn new(primary: &Target, replicas: &[Target], pool_size: u32) -> Self {
        let pool = |target: &Target, size, patience| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                .connection_timeout(patience)
                .max_lifetime(Some(LIFE))
                // A connection that has broken is found out by what is asked on it.
                .test_on_check_out(false)
                .build_unchecked(Manager {
                    target: target.clone(),
                    access: Access::Read,
                })
        };
        let replica = |target: &Target| Replica {
            target: target.clone(),
            pool: pool(target, pool_size, PATIENCE),
            permits: Arc::new(Semaphore::new(pool_size as usize)),
            rests_until: Arc::default(),
        };
        Self {
            replicas: replicas.iter().map(replica).collect(),
            turn: AtomicUsize::new(0),
            // Of its own, since all reads wait for it and none of them should wait for writes.
            primary: pool(primary, 1, PATIENCE_WITH_PRIMARY),
            end: tokio::sync::Mutex::default(),
        }
    }

    /// Reads from a replica; `None` where the primary must be asked.
    pub async fn read<T, F>(&self, stage: Stage, work: F) -> Option<Result<T, Problem>>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Problem> + Send + 'static,
    {
        let asked = Instant::now();
        let (replica, permit) = self.next()?;
        let end = self.end().await?;
        let read = web::block(move || {
            // Kept to the end, also when nobody waits for it any more.
            let _permit = permit;
            timeline::apart(|| replica.read(&end, work))
        });
        read.await.ok()?.note(stage, asked, Share::Pool)
    }

    /// A replica that has a connection to spare.
    fn next(&self) -> Option<(Replica, OwnedSemaphorePermit)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.replicas.len().max(1);
        let (later, sooner) = self.replicas.split_at(turn);
        sooner.iter().chain(later).find_map(|replica| {
            let permit = replica.permits.clone().try_acquire_owned().ok()?;
            replica.is_up().then(|| (replica.clone(), permit))
        })
    }

    /// Where the primary's log ends, as it says at this moment or later; `None` if it does not say.
    async fn end(&self) -> Option<Head> {
        let arrived = Instant::now();
        let mut end = self.end.lock().await;
        if let Some((asked, answer)) = &*end
            && *asked >= arrived
        {
            return answer.clone();
        }
        let asked = Instant::now();
        let primary = self.primary.clone();
        let answer = web::block(move || ask(&primary)).await.ok().flatten();
        *end = Some((asked, answer.clone()));
        answer
    }
}

/// Asked twice, as the connection may have broken since it was used last.
fn ask(primary: &Pool<Manager>) -> Option<Head> {
    let ask = || Head::load(&mut *primary.get().ok()?).ok();
    ask().or_else(ask)
}

impl Replica {
    /// Whether it may be asked. When its rest is over, that is one read's to find out.
    fn is_up(&self) -> bool {
        let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *rests {
            None => true,
            Some(until) if until > now => false,
            Some(_) => {
                *rests = Some(now + REST);
                true
            }
        }
    }

    /// Leaves it alone for a while; `None`, since the primary must be asked.
    fn rest<T>(&self, why: impl ToString) -> Option<T> {
        let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests.replace(Instant::now() + REST).is_none() {
            tracing::info!(replica = ?self.target, why = why.to_string(), "the primary answers instead of a replica");
        }
        None
    }

    fn is_well(&self) {
        let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests.take().is_some() {
            tracing::info!(replica = ?self.target, "a replica answers again");
        }
    }

    fn read<T>(
        &self,
        end: &Head,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, Problem>,
    ) -> Option<Result<T, Problem>> {
        let mut conn = match self.pool.get() {
            Ok(conn) => conn,
            Err(error) => return self.rest(error),
        };
        match has_come_to(&mut conn, end) {
            Ok(true) => self.is_well(),
            Ok(false) => return self.rest("it is behind, or has another history"),
            Err(error) => return self.rest(error),
        }
        match work(&mut conn) {
            // It broke off, or what was read was in the way of what it had to take over from the primary.
            Err(problem) if !problem.is_of_the_request() => None,
            outcome => Some(outcome),
        }
    }
}

fn has_come_to(conn: &mut AnyConnection, end: &Head) -> QueryResult<bool> {
    for pause in PAUSES {
        if end.is_in_log(conn)? {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    end.is_in_log(conn)
}
