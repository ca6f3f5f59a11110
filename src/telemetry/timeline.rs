//! Where the time of a request goes: noted where it is spent, read when the request has ended.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::metrics::METRICS;
use crate::http::middleware::on_timeline;
use crate::scoring::{self, Case, Scheme, Score};

/// What time is spent on. What is none of these is computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Waiting for one's turn to write on SQLite.
    WriterQueue,
    /// Waiting for a connection.
    Pool,
    /// The database at work, with the locks and commits of others.
    Database,
    /// Working out a score.
    Scoring,
    /// Waiting for the client to send.
    Receiving,
    /// Waiting for the client to take the answer.
    Sending,
    /// Waiting for changes, as the client asked: not the service's time.
    Lingering,
}

impl Share {
    /// Counts a wait, if it is one that is counted.
    fn observe(self, waited: Duration) {
        match self {
            Self::WriterQueue => METRICS.write_wait_seconds.observe(waited.as_secs_f64()),
            Self::Pool => METRICS.pool_wait_seconds.observe(waited.as_secs_f64()),
            _ => {}
        }
    }
}

/// All of them, with why a request is slow that spends its time so.
const SHARES: [(Share, &str); 7] = [
    (Share::WriterQueue, "it waited for the writer's queue"),
    (Share::Pool, "it waited for a database connection"),
    (Share::Database, "the database worked"),
    (Share::Scoring, "scores were worked out"),
    (Share::Receiving, "the client sent slowly"),
    (Share::Sending, "the client received slowly"),
    (Share::Lingering, ""),
];

/// A step of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The body is received.
    Receive,
    /// The database reads by key.
    Read,
    /// The database reads what may take long.
    Scan,
    /// The database writes.
    Write,
    /// A score is worked out.
    Score,
    /// The client waits for changes.
    Linger,
    /// The client takes its time.
    Send,
}

impl Stage {
    /// What a span of it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Read => "db.read",
            Self::Scan => "db.scan",
            Self::Write => "db.write",
            Self::Score => "score",
            Self::Linger => "wait for changes",
            Self::Send => "send",
        }
    }

    const fn share(self) -> Share {
        match self {
            Self::Receive => Share::Receiving,
            Self::Read | Self::Scan | Self::Write => Share::Database,
            Self::Score => Share::Scoring,
            Self::Linger => Share::Lingering,
            Self::Send => Share::Sending,
        }
    }

    /// Whether the database does it.
    pub const fn is_database(self) -> bool {
        matches!(self, Self::Read | Self::Scan | Self::Write)
    }
}

/// A step, and when it was.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What was done.
    pub stage: Stage,
    /// Since when it waited to be done.
    pub asked: Instant,
    /// Since when it was done.
    pub began: Instant,
    /// Until when.
    pub ended: Instant,
}

/// How many steps of a request become spans.
const SPANS: usize = 200;

/// The steps of one request.
#[derive(Debug, Default)]
pub struct Timeline {
    shares: Cell<[Duration; SHARES.len()]>,
    /// `None` unless the request is traced.
    steps: RefCell<Option<Vec<Step>>>,
}

impl Timeline {
    /// One that also keeps the steps, for a trace.
    pub fn kept() -> Self {
        Self {
            shares: Cell::default(),
            steps: RefCell::new(Some(Vec::new())),
        }
    }

    /// Notes time that was spent.
    fn add(&self, share: Share, time: Duration) {
        let mut shares = self.shares.get();
        shares[share as usize] += time;
        self.shares.set(shares);
    }

    fn keep(&self, step: Step) {
        if let Some(steps) = &mut *self.steps.borrow_mut()
            && steps.len() < SPANS
        {
            steps.push(step);
        }
    }

    /// What was spent on it.
    pub fn spent(&self, share: Share) -> Duration {
        self.shares.get()[share as usize]
    }

    /// Takes the steps that were kept.
    pub fn take(&self) -> Vec<Step> {
        self.steps.take().unwrap_or_default()
    }

    /// What was spent on nothing that was noted, of a whole.
    pub fn rest(&self, whole: Duration) -> Duration {
        whole.saturating_sub(self.shares.get().iter().sum())
    }

    /// What most of the time went to, of a whole.
    pub fn reason(&self, whole: Duration) -> &'static str {
        let noted = SHARES.iter().filter(|(share, _)| *share != Share::Lingering);
        noted
            .map(|(share, reason)| (self.spent(*share), *reason))
            .chain([(self.rest(whole), "it was computed")])
            .max_by_key(|(spent, _)| *spent)
            .map_or("", |(_, reason)| reason)
    }
}

thread_local! {
    /// What is noted on a thread that works for a request which is not known there.
    static APART: RefCell<Option<Vec<Step>>> = const { RefCell::new(None) };
}

/// What was done on whatever thread, and when.
#[derive(Debug)]
pub struct Apart<T> {
    /// What came of it.
    pub value: T,
    began: Instant,
    ended: Instant,
    steps: Vec<Step>,
}

/// Does work of a request on any thread; what it notes is kept with what comes of it.
pub fn apart<T>(work: impl FnOnce() -> T) -> Apart<T> {
    /// Puts back what was noted before, also when the work panics.
    struct Before(Option<Vec<Step>>);
    impl Drop for Before {
        fn drop(&mut self) {
            APART.set(self.0.take());
        }
    }
    let _before = Before(APART.replace(Some(Vec::new())));
    let began = Instant::now();
    let value = work();
    Apart {
        value,
        began,
        ended: Instant::now(),
        steps: APART.take().unwrap_or_default(),
    }
}

impl<T> Apart<T> {
    /// The same, which only ends now.
    #[must_use]
    pub fn ending_now(self) -> Self {
        Self {
            ended: Instant::now(),
            ..self
        }
    }

    /// Notes it as a step of the request that is being served, which waited for it since `asked`, in `queue`.
    pub fn note(self, stage: Stage, asked: Instant, queue: Share) -> T {
        let step = Step {
            stage,
            asked,
            began: self.began,
            ended: self.ended,
        };
        let worked = step.ended.saturating_duration_since(step.began);
        if let Some(histogram) = match stage {
            Stage::Read => Some(&METRICS.read_seconds),
            Stage::Scan => Some(&METRICS.scan_seconds),
            Stage::Write => Some(&METRICS.write_seconds),
            _ => None,
        } {
            histogram.observe(worked.as_secs_f64());
        }
        let waited = step.began.saturating_duration_since(asked);
        queue.observe(waited);
        on_timeline(|timeline| {
            let within: Duration = self.steps.iter().map(|step| step.ended - step.began).sum();
            timeline.add(queue, waited);
            timeline.add(stage.share(), worked.saturating_sub(within));
            timeline.keep(step);
            for step in &self.steps {
                timeline.add(step.stage.share(), step.ended - step.began);
                timeline.keep(*step);
            }
        });
        self.value
    }
}

/// Notes that the request that is being served has waited since `asked` for what it did not get.
pub fn in_vain(queue: Share, asked: Instant) {
    let waited = asked.elapsed();
    queue.observe(waited);
    on_timeline(|timeline| timeline.add(queue, waited));
}

/// Notes a step that has lasted since `began`, of the request that is being served; elsewhere it is noted by nobody.
pub fn note(stage: Stage, began: Instant) {
    let ended = Instant::now();
    let step = Step {
        stage,
        asked: began,
        began,
        ended,
    };
    let is_apart = APART.with_borrow_mut(|apart| apart.as_mut().map(|steps| steps.push(step)).is_some());
    if !is_apart {
        on_timeline(|timeline| {
            timeline.add(stage.share(), ended - began);
            timeline.keep(step);
        });
    }
}

/// A step that lasts until this is dropped: also when the client goes away and takes the request with it.
#[derive(Debug)]
#[must_use]
pub struct Lasting(Stage, Instant);

/// A step that begins now.
pub fn lasting(stage: Stage) -> Lasting {
    Lasting(stage, Instant::now())
}

impl Drop for Lasting {
    fn drop(&mut self) {
        note(self.0, self.1);
    }
}

/// Works out a score for a request: [`scoring::score`], counted.
pub fn score(scheme: &Scheme, case: &Case<'_>) -> Score {
    let began = Instant::now();
    let score = scoring::score(scheme, case);
    METRICS.scores_computed.inc();
    METRICS.score_seconds.observe(began.elapsed().as_secs_f64());
    note(Stage::Score, began);
    score
}

static SLOW: AtomicU64 = AtomicU64::new(0);

/// From how many milliseconds on a request is slow; 0: never.
pub fn set_slow(millis: u32) {
    SLOW.store(millis.into(), Ordering::Relaxed);
}

/// Whether a request is slow that took so long.
pub fn is_slow(took: Duration) -> bool {
    let slow = SLOW.load(Ordering::Relaxed);
    slow > 0 && took >= Duration::from_millis(slow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_took_longest_is_the_reason_and_what_was_not_noted_is_computing() {
        let timeline = Timeline::default();
        timeline.add(Share::Database, 30 * MS);
        timeline.add(Share::WriterQueue, 50 * MS);
        timeline.add(Share::Lingering, 900 * MS);
        assert_eq!(timeline.reason(1000 * MS), "it waited for the writer's queue");
        assert_eq!(timeline.rest(1000 * MS), 20 * MS);
        assert_eq!(timeline.reason(2000 * MS), "it was computed");
    }

    #[test]
    fn what_is_noted_on_another_thread_comes_back_with_the_work() {
        let done = std::thread::spawn(|| {
            apart(|| {
                note(Stage::Score, Instant::now());
                7
            })
        });
        let done = done.join().unwrap();
        assert_eq!((done.value, done.steps.len()), (7, 1));
        assert!(APART.with_borrow(Option::is_none), "nothing is left on this one");
    }

    #[test]
    fn the_shares_stand_in_their_order() {
        assert!(
            SHARES
                .iter()
                .enumerate()
                .all(|(index, (share, _))| *share as usize == index)
        );
    }
}
