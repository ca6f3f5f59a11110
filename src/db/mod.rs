//! The database: one seam, `read`, `scan` and `write`, over SQLite and PostgreSQL.
//!
//! | | SQLite | PostgreSQL |
//! |---|---|---|
//! | `read` | at once, on the worker's own connection | off the workers, pooled, from a replica if there is one |
//! | `scan` | off the workers, on a few connections | the same |
//! | `write` | one thread, many jobs a commit | serializable, one after the other |
//!
//! `write` hands out a [`Tx`]: a connection that also takes down what is changed, for the change log.
//! Stores take `&mut AnyConnection` and do not see which engine it is. Since diesel has neither
//! `RETURNING` nor `ON CONFLICT` for both engines at once, ids are made in the program and an
//! upsert is a read, then an insert or update, inside `write`.

pub mod catalogue;
pub mod changes;
pub mod connection;
pub mod dynamic;
pub mod migrate;
#[cfg(test)]
pub mod plan;
mod replica;
mod retries;
pub mod schema;
pub mod sql;
pub mod trouble;
pub mod tx;
mod writer;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::r2d2::Pool;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};
use tokio::sync::{Semaphore, watch};

pub use changes::Origin;
pub use connection::{AnyConnection, Target};
pub use tx::Tx;

use self::connection::{Access, Manager, connect};
use self::replica::Replicas;
use self::writer::Writer;
use crate::http::problem::Problem;
use crate::telemetry::metrics::{Held, METRICS};
use crate::telemetry::timeline::{self, Share, Stage};

/// How long a request waits for a free connection before it is told that the server is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it waits for a new connection.
const CONNECTING: Duration = Duration::from_secs(3);

/// Where the database is, and how much of it to use.
#[derive(Debug, Clone)]
pub struct DbConfig {
    /// The file or the address.
    pub target: Target,
    /// Streaming replicas of PostgreSQL that reads may go to.
    pub replicas: Vec<Target>,
    /// Connections: to PostgreSQL in all, and to each of its replicas; of SQLite for scans.
    pub pool_size: u32,
    /// Writes that may wait on SQLite before the server says that it is busy.
    pub write_queue: usize,
}

impl DbConfig {
    /// The usual sizes for `target`.
    pub fn new(target: Target) -> Self {
        let pool_size = match target {
            Target::Sqlite(_) => 2,
            Target::Postgres(_) => 10,
        };
        Self {
            target,
            replicas: Vec::new(),
            pool_size,
            write_queue: 1024,
        }
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server has the file.
    #[error(
        "another server process is using {database}: it holds the lock on {lock}. \
         Stop it first, or give this one another database. / \
         数据库 {database} 正由另一个服务进程使用（锁文件 {lock}），请先停止该进程，或为本进程另行指定数据库。"
    )]
    InUse {
        /// The database file.
        database: String,
        /// The lock file beside it.
        lock: String,
    },
    /// The file or its folder cannot be made or opened.
    #[error("cannot open {0}: {1}. {advice} / 无法打开 {0}：{1}。{advice_zh}",
        advice = trouble::advice(&.1.to_string()).en, advice_zh = trouble::advice(&.1.to_string()).zh)]
    File(String, std::io::Error),
    /// A later version of the program has changed the tables.
    #[error(
        "{0:?} is of a later version of jixiao: this one does not know its migrations {1}. Nothing was changed; use that version. / \
         数据库由更高版本的程序建立或升级（本程序不认识其迁移 {1}），未作任何改动，请改用相应版本的程序。"
    )]
    Newer(Target, String),
    /// There is no such file.
    #[error(
        "there is no database at {0:?}; give its folder with --data-dir, or its address with --database-url / 未找到数据库 {0:?}。"
    )]
    Missing(Target),
    /// The engine refused the connection, with these words.
    #[error("cannot open the database {0:?}: {1}. {advice} / 无法打开数据库 {0:?}：{1}。{advice_zh}",
        advice = trouble::advice(.1).en, advice_zh = trouble::advice(.1).zh)]
    Connect(Target, String),
    /// The tables could not be brought up to date.
    #[error("cannot bring the tables up to date: {0} / 无法更新数据表结构：{0}")]
    Migrate(Box<dyn std::error::Error + Send + Sync>),
}

/// The database, shared by everyone who serves requests; cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>, Reads);

/// Where reads may go.
#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Anywhere,
    Primary,
}

struct Inner {
    /// Tells databases apart in the workers' own connections: tests open several in one process.
    id: u64,
    target: Target,
    pool: Pool<Manager>,
    replicas: Option<Replicas>,
    /// As many as the pool has connections. Waiting here costs no thread, waiting in the pool does.
    permits: Arc<Semaphore>,
    /// On SQLite only.
    writer: Option<Writer>,
    /// The number of the last change that this process knows of.
    head: watch::Sender<i64>,
    /// Held as long as the database is open.
    _lock: Option<File>,
}

thread_local! {
    static OWN: RefCell<HashMap<u64, AnyConnection>> = RefCell::new(HashMap::new());
}

impl Db {
    /// Opens the database, makes it if need be, and brings its tables up to date.
    pub fn open(config: &DbConfig) -> Result<Self, OpenError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let target = config.target.clone();
        let lock = match &target {
            Target::Sqlite(path) => Some(lock(path)?),
            Target::Postgres(_) => None,
        };
        let conn = open_once(&target)?;
        let head = watch::Sender::new(0);
        let (writer, access) = match &target {
            Target::Sqlite(path) => {
                let beside = connected(&target, Access::Write)?;
                let writer = Writer::start((conn, beside), path, config.write_queue, head.clone())
                    .map_err(|error| OpenError::File("the writer thread".into(), error))?;
                (Some(writer), Access::Read)
            }
            Target::Postgres(_) => (None, Access::Write),
        };
        let manager = Manager {
            target: target.clone(),
            access,
        };
        let pool = Pool::builder()
            .max_size(config.pool_size)
            .min_idle(Some(0))
            // A permit is in hand, so there is nothing to wait for but a new connection.
            .connection_timeout(CONNECTING)
            .build_unchecked(manager);
        let replicas =
            (!config.replicas.is_empty()).then(|| Replicas::new(&target, &config.replicas, config.pool_size));
        let inner = Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            target,
            pool,
            replicas,
            permits: Arc::new(Semaphore::new(config.pool_size as usize)),
            writer,
            head,
            _lock: lock,
        };
        Ok(Self(Arc::new(inner), Reads::Anywhere))
    }

    /// The same database, of which a replica is never read: for what decides who may do what, and for what is stored without an
    /// entry in the change log, by which it is known how far a replica is.
    #[must_use]
    pub fn primary(&self) -> Self {
        Self(self.0.clone(), Reads::Primary)
    }

    /// A short read: one row or a few, by key. It sees all that anyone was told is saved before it began.
    ///
    /// On SQLite it runs on the worker thread itself, since handing it to another thread costs more
    /// than the read. What may take long belongs in [`Db::scan`].
    ///
    /// On PostgreSQL `work` may be run again, elsewhere.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Problem> + Clone + Send + 'static,
    {
        match self.0.writer {
            Some(_) => {
                let asked = Instant::now();
                // It waits for nobody.
                timeline::apart(|| self.on_own_connection(work)).note(Stage::Read, asked, Share::Database)
            }
            None => self.elsewhere(Stage::Read, work).await,
        }
    }

    /// A read that may take long: lists, exports, whatever grows with the data. Else like [`Db::read`].
    pub async fn scan<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Problem> + Clone + Send + 'static,
    {
        self.elsewhere(Stage::Scan, work).await
    }

    /// Reads from a replica where there is one that will do, else from the database, off the workers.
    async fn elsewhere<T, F>(&self, stage: Stage, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Problem> + Clone + Send + 'static,
    {
        let replicas = self.0.replicas.as_ref().filter(|_| self.1 == Reads::Anywhere);
        if let Some(replicas) = replicas
            && let Some(outcome) = replicas.read(stage, work.clone()).await
        {
            return outcome;
        }
        self.off_the_workers(stage, move |pool| retries::read(pool, &work))
            .await
    }

    /// A change, in a transaction of its own; done and durable when this returns `Ok`. What `work` records is then in the
    /// change log, as made by `origin`.
    ///
    /// `work` must have no effect but on the connection: PostgreSQL may have it run again.
    /// Errors undo it. A full queue is a 503 problem, and so is a database that is gone for longer than a failover takes.
    pub async fn write<T, F>(&self, origin: Origin, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => writer.run(origin, work).await,
            None => {
                let written = self.off_the_workers(Stage::Write, move |pool| retries::write(pool, &origin, &work));
                let (value, last) = written.await?;
                saw(&self.0.head, last);
                Ok(value)
            }
        }
    }

    /// Whether other processes may serve the same data: on PostgreSQL.
    pub fn is_shared(&self) -> bool {
        self.0.writer.is_none()
    }

    /// The number of the last change if this process alone makes them, and so knows of each before anyone is told that it was
    /// made; `None` where others do too.
    pub fn last_change(&self) -> Option<i64> {
        (!self.is_shared()).then(|| *self.0.head.borrow())
    }

    /// A folder for files that are worked on: beside the data, where there is room for them.
    pub fn folder(&self) -> PathBuf {
        match &self.0.target {
            Target::Sqlite(path) => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
                _ => PathBuf::from("."),
            },
            Target::Postgres(_) => std::env::temp_dir(),
        }
    }

    /// The number of the last change as it grows: at once by what this process commits, and by [`Db::look`].
    pub fn changes(&self) -> watch::Sender<i64> {
        self.0.head.clone()
    }

    /// Looks for changes that others have made.
    pub async fn look(&self) {
        let before = *self.0.head.borrow();
        match self.primary().read(|conn| Ok(changes::Head::load(conn)?.seq)).await {
            // What was known before it was asked is there no more: PostgreSQL was restored, or a replica that lacked it was promoted.
            Ok(last) if last < before => {
                self.0.head.send_replace(last);
            }
            Ok(last) => saw(&self.0.head, last),
            Err(problem) => tracing::warn!(%problem, "the change log cannot be read"),
        }
    }

    /// Finishes the writes that wait and closes the file. The server must have stopped before.
    pub fn close(&self) {
        if let Some(writer) = &self.0.writer {
            writer.close();
        }
    }

    fn on_own_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T, Problem>) -> Result<T, Problem> {
        // Taken out while in use: if `work` panics, the connection goes with it.
        let own = OWN.with_borrow_mut(|own| own.remove(&self.0.id));
        let mut conn = match own {
            Some(conn) => conn,
            None => connect(&self.0.target, Access::Read).map_err(|error| Problem::internal(error.to_string()))?,
        };
        let outcome = work(&mut conn);
        OWN.with_borrow_mut(|own| own.insert(self.0.id, conn));
        outcome
    }

    async fn off_the_workers<T, F>(&self, stage: Stage, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Pool<Manager>) -> Result<T, Problem> + Send + 'static,
    {
        let asked = Instant::now();
        let waiting = Held::new(&METRICS.pool_waiting);
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.0.permits).acquire_owned()).await;
        drop(waiting);
        let Ok(Ok(permit)) = permit else {
            timeline::in_vain(Share::Pool, asked);
            return Err(Problem::busy());
        };
        let in_use = Held::new(&METRICS.pool_in_use);
        let pool = self.0.pool.clone();
        let outcome = web::block(move || {
            // Until the work ends, even where the client that waited for it has gone: it has the connection for as long.
            let _held = (permit, in_use);
            timeline::apart(|| work(&pool))
        })
        .await;
        match outcome {
            Ok(done) => done.note(stage, asked, Share::Pool),
            Err(_) => Err(Problem::internal("a database job panicked")),
        }
    }
}

fn saw(head: &watch::Sender<i64>, last: i64) {
    head.send_if_modified(|known| {
        let more = *known < last;
        *known = last.max(*known);
        more
    });
}

/// Opens one connection that writes, for a command that runs beside the server; migrates first.
///
/// # Errors
/// When it cannot be opened, or is of a later version of the program: then before anything is touched.
pub fn open_once(target: &Target) -> Result<AnyConnection, OpenError> {
    if let Target::Sqlite(path) = target {
        make_folder(path)?;
        // To open it for writing is to change it.
        if path.exists() {
            open_as_it_is(target)?;
        }
    }
    let mut conn = connected(target, Access::Write)?;
    refuse_newer(&mut conn, target)?;
    let made = migrate::run(&mut conn).map_err(|error| OpenError::migrate(target, error))?;
    for name in made {
        tracing::info!(migration = name, "tables brought up to date");
    }
    if forget_statistics(&mut conn).map_err(|error| OpenError::connect(target, &error))? {
        // This connection plans by what it has read of them.
        conn = connected(target, Access::Write)?;
    }
    Ok(conn)
}

/// Removes what `ANALYZE` or `PRAGMA optimize` of SQLite left; whether there was anything.
///
/// They say how large the tables were then, and nothing brings them up to date. Taken while a county had filed little, they have SQLite
/// read all evaluations for each write of one, rather than look it up. Without them it takes every table for a large one.
fn forget_statistics(conn: &mut AnyConnection) -> QueryResult<bool> {
    let AnyConnection::Sqlite(_) = conn else {
        return Ok(false);
    };
    let found: i64 = diesel::select(sql::<BigInt>(
        "(SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4'))",
    ))
    .get_result(conn)?;
    if found > 0 {
        conn.batch_execute("DROP TABLE IF EXISTS sqlite_stat4; DROP TABLE IF EXISTS sqlite_stat1;")?;
    }
    Ok(found > 0)
}

/// Opens one connection that only reads, on tables of this version of the program or of an earlier one.
///
/// # Errors
/// When there is nothing, it cannot be opened, or is of a later version of the program.
pub fn open_as_it_is(target: &Target) -> Result<AnyConnection, OpenError> {
    if matches!(target, Target::Sqlite(path) if !path.exists()) {
        return Err(OpenError::Missing(target.clone()));
    }
    let mut conn = connected(target, Access::Read)?;
    refuse_newer(&mut conn, target)?;
    Ok(conn)
}

/// The same, where there is a database of this program already.
///
/// # Errors
/// Those of [`open_once`], and when there is none.
pub fn open_existing(target: &Target) -> Result<AnyConnection, OpenError> {
    open_made(target)?;
    open_once(target)
}

/// [`open_as_it_is`], for a database that this program has made: an empty one of PostgreSQL is there too.
///
/// # Errors
/// Those of [`open_as_it_is`].
pub fn open_made(target: &Target) -> Result<AnyConnection, OpenError> {
    let mut conn = open_as_it_is(target)?;
    let applied = migrate::applied(&mut conn).map_err(|error| OpenError::migrate(target, error.into()))?;
    match applied.is_empty() {
        true => Err(OpenError::Missing(target.clone())),
        false => Ok(conn),
    }
}

fn connected(target: &Target, access: Access) -> Result<AnyConnection, OpenError> {
    connect(target, access).map_err(|error| OpenError::connect(target, &error))
}

impl OpenError {
    /// What the engine said, without the password of the address.
    pub fn connect(target: &Target, error: &impl std::fmt::Display) -> Self {
        let address = match target {
            Target::Postgres(address) => address,
            Target::Sqlite(_) => "",
        };
        Self::Connect(target.clone(), trouble::said(&error.to_string(), address))
    }

    /// What went wrong with the tables, which may be the disk.
    fn migrate(target: &Target, error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        match trouble::is_of_the_disk(&error.to_string()) {
            true => Self::connect(target, &error),
            false => Self::Migrate(error),
        }
    }
}

fn refuse_newer(conn: &mut AnyConnection, target: &Target) -> Result<(), OpenError> {
    let applied = migrate::applied(conn).map_err(|error| OpenError::migrate(target, error.into()))?;
    let unknown = migrate::unknown(&applied).map_err(OpenError::Migrate)?;
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(OpenError::Newer(target.clone(), unknown.join(", "))),
    }
}

/// What became of something that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It was not there before.
    Created,
    /// It was there, in another form.
    Replaced,
    /// It was so already.
    Unchanged,
}

/// The time now as it is stored: RFC 3339 in UTC with six decimals, which sorts as time does.
pub fn now() -> String {
    stored_time(jiff::Timestamp::now())
}

/// A time as it is stored.
pub fn stored_time(time: jiff::Timestamp) -> String {
    format!("{time:.6}")
}

/// Today in China (UTC+8), the days that notices mean: `2020-03-31`, which sorts as days do.
pub fn today() -> String {
    let china = jiff::tz::Offset::constant(8);
    china.to_datetime(jiff::Timestamp::now()).date().to_string()
}

fn make_folder(database: &Path) -> Result<(), OpenError> {
    match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|error| OpenError::File(folder.display().to_string(), error))
        }
        _ => Ok(()),
    }
}

/// Keeps a second server off the file, as long as the lock is held: two writer threads would wait for each other's locks.
///
/// # Errors
/// [`OpenError::InUse`] if one has it.
pub fn lock(database: &Path) -> Result<File, OpenError> {
    make_folder(database)?;
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let name = path.display().to_string();
    let file = File::create(&path).map_err(|error| OpenError::File(name.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            database: database.display().to_string(),
            lock: name,
        }),
        Err(TryLockError::Error(error)) => Err(OpenError::File(name, error)),
    }
}

#[cfg(test)]
mod tests {
    use diesel::{Connection, SqliteConnection};

    use super::*;

    /// How the sheet of a unit's year is found.
    const SHEET: &str = "SELECT base_data FROM units
        LEFT JOIN evaluations ON evaluations.unit_code = units.code AND evaluations.year = 2019 WHERE units.code = '219'";

    /// A county that has filed one sheet is closed and opened again, and all file theirs.
    #[test]
    fn how_a_row_is_found_does_not_go_by_how_few_there_were_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(folder.path().join("jixiao.db"));
        let mut conn = open_once(&target).unwrap();
        conn.batch_execute(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO units (code, name, kind, path, version, created_at, updated_at)
                VALUES ('219', '某县', 'department', '/219/', 1, '', '');
             INSERT INTO evaluations (unit_code, year, state, base_data_version, assessments_version, created_at, updated_at)
                VALUES ('219', 2019, 'draft', 1, 0, '', '');",
        )
        .unwrap();
        let looked_up = plan::plan(&mut conn, SHEET);
        assert!(looked_up.iter().all(|step| step.starts_with("SEARCH")), "{looked_up:?}");
        conn.batch_execute("ANALYZE").unwrap();
        drop(conn);
        let read_through = plan::plan(&mut connect(&target, Access::Write).unwrap(), SHEET);
        assert!(
            read_through.iter().any(|step| step.starts_with("SCAN")),
            "{read_through:?}"
        );

        assert_eq!(plan::plan(&mut open_once(&target).unwrap(), SHEET), looked_up);
        assert_eq!(
            plan::plan(&mut connect(&target, Access::Read).unwrap(), SHEET),
            looked_up
        );
    }
    #[test]
    fn a_new_file_has_large_pages_and_one_that_is_there_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new.db"), folder.path().join("old.db"));
        let mut conn = SqliteConnection::establish(old.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA page_size = 4096; CREATE TABLE before (a TEXT)")
            .unwrap();
        drop(conn);
        for (path, size) in [(new, 8192), (old, 4096)] {
            let mut conn = open_once(&Target::Sqlite(path)).unwrap();
            let pages: i64 = diesel::select(sql::<BigInt>("(SELECT page_size FROM pragma_page_size)"))
                .get_result(&mut conn)
                .unwrap();
            assert_eq!(pages, size);
        }
    }
}
