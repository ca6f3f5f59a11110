//! Group commit: the one thread that writes to SQLite.
//!
//! A durable commit costs a flush to the disk, some hundred times more than the writing itself.
//! So the thread takes every job that waits, runs them in one transaction, commits once, and only then answers: nobody is
//! told "saved" before it is. A savepoint for each job would cost as much as a small job does, and few fail; so when one
//! does, the transaction is undone and all run again, each in a savepoint of its own.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::result::Error;
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl};
use tokio::sync::{oneshot, watch};

use super::changes::{Head, Origin};
use super::connection::{Access, AnyConnection, Target, connect};
use super::saw;
use super::trouble::{self, Trouble};
use super::tx::Tx;
use crate::http::problem::Problem;
use crate::telemetry::metrics::{Held, METRICS};
use crate::telemetry::timeline::{self, Apart, Share, Stage};

/// How many jobs share one commit at most.
const BATCH: usize = 256;

/// A piece of work and the one who waits for its outcome.
trait Job: Send {
    /// Does the work and keeps the outcome back; whether it succeeded. What it changes is added to the log after `head`.
    fn run(&mut self, conn: &mut AnyConnection, head: &mut Head) -> bool;
    /// The same in a savepoint: of a job that fails nothing stays, neither in the database nor in `head`. An error: nothing
    /// of the whole transaction does.
    fn run_alone(&mut self, conn: &mut AnyConnection, head: &mut Head) -> QueryResult<()>;
    /// Hands the outcome over, or `failure` if the whole batch failed.
    fn answer(self: Box<Self>, failure: Option<Problem>);
}

struct Pending<T, F> {
    origin: Origin,
    work: F,
    outcome: Option<Apart<Result<T, Problem>>>,
    reply: oneshot::Sender<Result<Apart<Result<T, Problem>>, Problem>>,
    /// That it waits, until it is run.
    waiting: Option<Held>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send,
{
    fn run(&mut self, conn: &mut AnyConnection, head: &mut Head) -> bool {
        self.waiting = None;
        // Caught here, so that a job that panics is undone like one that fails.
        let outcome = timeline::apart(|| {
            catch_unwind(AssertUnwindSafe(|| Tx::run(conn, &self.origin, head, &self.work)))
                .unwrap_or_else(|_| Err(Problem::internal("a write job panicked")))
        });
        self.outcome.insert(outcome).value.is_ok()
    }

    fn run_alone(&mut self, conn: &mut AnyConnection, head: &mut Head) -> QueryResult<()> {
        let mut after = head.clone();
        let undone = conn.transaction(|conn| match self.run(conn, &mut after) {
            true => Ok(()),
            false => Err(Error::RollbackTransaction),
        });
        match undone {
            Ok(()) => *head = after,
            Err(Error::RollbackTransaction) => {}
            // SQLite undoes the whole transaction, and not only the savepoint, when its disk fails.
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<Problem>) {
        let outcome = match (self.outcome, failure) {
            // A job that failed by itself has its own, better reason.
            (Some(done), failure) if done.value.is_err() || failure.is_none() => Ok(done),
            (_, Some(problem)) => Err(problem),
            (_, None) => Err(Problem::internal("a write job was not run")),
        };
        // The client may have gone; the work is done all the same.
        let _ = self.reply.send(outcome);
    }
}

/// The way to the writer thread.
pub struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The database's file, so that it is flushed by whoever folds. Closing it takes away the locks that SQLite has on it in this process
    /// (POSIX), so it stays open for as long as there is a writer.
    _file: Arc<File>,
}

impl Writer {
    /// Starts the thread on `conn`, and on `beside` the one that folds the log, both to the file at `path`, with room for `waiting` jobs in
    /// its queue; `last` is told how far the change log is.
    pub fn start(
        (conn, beside): (AnyConnection, AnyConnection),
        path: &Path,
        waiting: usize,
        last: watch::Sender<i64>,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(waiting);
        let (committed, commits) = sync_channel(1);
        let is_long = Arc::new(AtomicBool::new(false));
        let file = Arc::new(File::open(path)?);
        let folding = std::thread::Builder::new().name("db-folder".into()).spawn({
            let (is_long, file) = (Arc::clone(&is_long), Arc::clone(&file));
            move || fold(beside, &file, &commits, &is_long)
        })?;
        let folder = Folder {
            committed,
            is_long,
            thread: folding,
        };
        let target = Target::Sqlite(path.to_owned());
        let thread = std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || serve(conn, &target, &receiver, &last, folder))?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            _file: file,
        })
    }

    /// Queues `work` and waits until it is durable. A full queue is answered at once with 503.
    pub async fn run<T, F>(&self, origin: Origin, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let (reply, outcome) = oneshot::channel();
        let job = Box::new(Pending {
            origin,
            work,
            outcome: None,
            reply,
            waiting: Some(Held::new(&METRICS.write_queue)),
        });
        let asked = Instant::now();
        let sent = match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(queue) => queue.try_send(job),
            None => return Err(Problem::busy()),
        };
        match sent {
            Ok(()) => match outcome.await {
                Ok(done) => done?.ending_now().note(Stage::Write, asked, Share::WriterQueue),
                Err(_) => Err(Problem::internal("the writer thread is gone")),
            },
            Err(TrySendError::Full(_)) => Err(Problem::busy()),
            Err(TrySendError::Disconnected(_)) => Err(Problem::internal("the writer thread is gone")),
        }
    }

    /// Takes no more jobs, finishes those that wait, and folds the log back into the file.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// How long changes stay in the write-ahead log before they are folded into the file. Those of one page that come meanwhile
/// are written once.
const FOLDED_AFTER: Duration = Duration::from_millis(100);

/// With how many pages the log is to begin anew, 32 MB of them.
const LONG: i64 = 4000;

/// How many pages the writer is left to fold, if no more than so many flushes before it lead there.
const LITTLE: i64 = 250;
const MOST_FLUSHES: u32 = 5;

#[derive(QueryableByName)]
struct Folded {
    /// How many pages the log has.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    log: i64,
}

/// Folds into the file what the log has, without waiting for anyone; how many pages that are, folded now or before.
fn fold_now(conn: &mut AnyConnection) -> i64 {
    match diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)").get_result::<Folded>(conn) {
        Ok(folded) => folded.log,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be folded into the database");
            0
        }
    }
}

/// Folds the log into the file, on a thread of its own so that no commit waits for it, some time after it is told that there was
/// one. Ends when nobody can tell any more.
///
/// While writes never cease something is always left, and the log cannot begin anew. So when it is long, the writer is asked to fold what is
/// left, between two commits. It flushes the file then, which takes a tenth of a second for some thousand pages that lie all over a large
/// one: so they are flushed here first, and what came during that is folded and flushed again, until that is little.
fn fold(mut conn: AnyConnection, file: &File, commits: &Receiver<()>, is_long: &AtomicBool) {
    while commits.recv().is_ok() {
        std::thread::sleep(FOLDED_AFTER);
        let mut folded = fold_now(&mut conn);
        if folded <= LONG {
            continue;
        }
        for _ in 0..MOST_FLUSHES {
            if let Err(error) = file.sync_data() {
                tracing::warn!(%error, "the database could not be flushed to the disk");
            }
            let before = folded;
            folded = fold_now(&mut conn);
            if folded - before < LITTLE {
                break;
            }
        }
        is_long.store(true, Relaxed);
    }
}

/// The thread that folds the log, as the writer sees it.
struct Folder {
    /// Tells it that there was a commit.
    committed: SyncSender<()>,
    /// It asks for what is left.
    is_long: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

fn serve(
    mut conn: AnyConnection,
    target: &Target,
    queue: &Receiver<Box<dyn Job>>,
    last: &watch::Sender<i64>,
    folder: Folder,
) {
    // Ends when the queue is closed and empty.
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(BATCH - 1));
        METRICS
            .write_batch
            .observe(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        let failure = match run_batch(&mut conn, &mut batch) {
            Ok(head) => {
                saw(last, head);
                // One word is enough for many commits.
                let _ = folder.committed.try_send(());
                None
            }
            Err(error) => Some(error),
        };
        if let Some(failure) = &failure {
            tracing::error!(?failure, jobs = batch.len(), "a batch of writes failed");
        }
        for job in batch {
            job.answer(failure.as_ref().map(Failure::problem));
        }
        if failure.is_some() {
            // Whatever state the connection is in, a new one is in a known state.
            match connect(target, Access::Write) {
                Ok(fresh) => conn = fresh,
                Err(error) => tracing::error!(%error, "the database cannot be opened again"),
            }
        }
        if folder.is_long.swap(false, Relaxed) {
            fold_now(&mut conn);
        }
    }
    drop(folder.committed);
    let _ = folder.thread.join();
    let closing = "PRAGMA wal_checkpoint(TRUNCATE);";
    if let Err(error) = conn.batch_execute(closing) {
        tracing::warn!(%error, "the write-ahead log was left in place; it is read at the next start");
    }
}

/// Why nothing of a batch was stored.
#[derive(Debug)]
enum Failure {
    /// What SQLite said before the commit; then it is known that nothing was.
    Before(Error),
    /// What it said at the commit.
    Commit(Error),
}

impl Failure {
    /// What those are told who had no failure of their own.
    fn problem(&self) -> Problem {
        let (Self::Before(error) | Self::Commit(error)) = self;
        match (trouble::of(error), self) {
            (Some(Trouble::Full), _) => Problem::storage_full(error.to_string()),
            (Some(Trouble::Disk), Self::Before(_)) => Problem::storage_failed(error.to_string()),
            (_, Self::Before(error)) => Problem::unavailable(error.to_string()),
            (_, Self::Commit(error)) => Problem::not_saved(error.to_string()),
        }
    }
}

fn run_batch(conn: &mut AnyConnection, batch: &mut [Box<dyn Job>]) -> Result<i64, Failure> {
    let head = run_all(conn, batch).map_err(Failure::Before)?;
    let began = Instant::now();
    conn.commit().map_err(Failure::Commit)?;
    METRICS.commit_seconds.observe(began.elapsed().as_secs_f64());
    Ok(head)
}

fn run_all(conn: &mut AnyConnection, batch: &mut [Box<dyn Job>]) -> diesel::QueryResult<i64> {
    conn.begin()?;
    let before = Head::load(conn)?;
    let mut head = before.clone();
    if !batch.iter_mut().all(|job| job.run(conn, &mut head)) {
        conn.rollback()?;
        conn.begin()?;
        head = before.clone();
        for job in batch {
            job.run_alone(conn, &mut head)?;
        }
    }
    head.store(conn, &before)?;
    Ok(head.seq)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use diesel::prelude::*;

    use super::*;
    use crate::db::changes::{Change, Resource};
    use crate::db::open_once;
    use crate::db::schema::changes;

    #[test]
    fn of_a_batch_only_what_fails_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
        let already = Head::load(&mut conn).unwrap().seq;
        type Work = Box<dyn Fn(&mut Tx<'_>) -> Result<(), Problem> + Send>;
        let work = |name: &'static str, then: fn() -> Result<(), Problem>| -> Work {
            Box::new(move |tx| {
                tx.record(Change::deleted(Resource::Unit, name.to_owned()))?;
                tx.batch_execute(&format!("CREATE TABLE {name} (a TEXT)"))?;
                then()
            })
        };
        let (mut batch, answers): (Vec<Box<dyn Job>>, Vec<_>) = [
            work("first", || Ok(())),
            work("fails", || Err(Problem::busy())),
            work("panics", || std::panic::resume_unwind(Box::new("on purpose"))),
            work("last", || Ok(())),
        ]
        .into_iter()
        .map(|work| {
            let (reply, answer) = oneshot::channel();
            let pending = Pending {
                origin: Origin::program(),
                work,
                outcome: None,
                reply,
                waiting: None,
            };
            (Box::new(pending) as Box<dyn Job>, answer)
        })
        .unzip();
        let head = run_batch(&mut conn, &mut batch).unwrap();
        batch.into_iter().for_each(|job| job.answer(None));
        let outcomes: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.blocking_recv().unwrap().is_ok_and(|done| done.value.is_ok()))
            .collect();
        assert_eq!(outcomes, [true, false, false, true]);
        assert_eq!(head, already + 2);
        let logged: Vec<String> = changes::table
            .filter(changes::seq.gt(already))
            .order(changes::seq)
            .select(changes::key)
            .load(&mut conn)
            .unwrap();
        assert_eq!(logged, ["first", "last"]);
        for (table, there) in [("first", true), ("fails", false), ("panics", false), ("last", true)] {
            assert_eq!(
                conn.batch_execute(&format!("SELECT a FROM {table}")).is_ok(),
                there,
                "{table}"
            );
        }
    }

    /// A writer that never rests meets the log's end before the log has 32000 pages, where a commit would fold it by itself.
    #[test]
    fn the_log_begins_anew_while_writes_never_cease() {
        const PAGE: u64 = 8192;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jixiao.db");
        let target = Target::Sqlite(path.clone());
        let mut conn = open_once(&target).unwrap();
        conn.batch_execute("CREATE TABLE pieces (a BLOB)").unwrap();
        let beside = connect(&target, Access::Write).unwrap();
        let last = watch::Sender::new(0);
        let writer = Writer::start((conn, beside), &path, 10, last).unwrap();
        let log = folder.path().join("jixiao.db-wal");
        // How often it began anew (the file format's "checkpoint sequence number").
        let begun = || {
            let mut head = [0; 16];
            std::fs::File::open(&log).unwrap().read_exact(&mut head).unwrap();
            u32::from_be_bytes(head[12..].try_into().unwrap())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let write_a_piece = || {
            let piece = writer.run(Origin::program(), |tx| {
                Ok(tx.batch_execute("DELETE FROM pieces; INSERT INTO pieces VALUES (zeroblob(4000000))")?)
            });
            runtime.block_on(piece).unwrap();
        };
        while std::fs::metadata(&log).unwrap().len() < LONG.unsigned_abs() * PAGE {
            write_a_piece();
        }
        let before = begun();
        let pieces = (0..50)
            .take_while(|_| begun() == before)
            .map(|_| write_a_piece())
            .count();
        assert!(pieces < 50, "the log was never begun anew");
        writer.close();
    }
}
