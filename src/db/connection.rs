//! One connection type over both engines, how it is opened, and how its write transactions begin.

use std::fmt;
use std::path::PathBuf;

use diesel::connection::CacheSize;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::{Connection, ConnectionError, PgConnection, QueryResult, SqliteConnection};

use super::changes::{Head, Origin};
use super::tx::Tx;
use crate::http::problem::Problem;

// Of its own, since the derive makes public items without any documentation.
mod engine {
    use diesel::{PgConnection, SqliteConnection};

    /// A connection to either engine; the same query code runs on both.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        /// PostgreSQL.
        Postgres(PgConnection),
        /// SQLite, compiled into the program.
        Sqlite(SqliteConnection),
    }
}

pub use engine::AnyConnection;

/// Runs a query on the engine's own connection: `on_engine!(conn => query.first(conn))`.
///
/// For what is asked at every request. Through the enum diesel writes a statement's text anew at each call, twice; on its own
/// engine it knows the statement by its type.
#[macro_export]
macro_rules! on_engine {
    ($conn:ident => $query:expr) => {
        match $conn {
            $crate::db::AnyConnection::Postgres($conn) => $query,
            $crate::db::AnyConnection::Sqlite($conn) => $query,
        }
    };
}

/// What a query that is put together at run time is boxed for.
pub type Backend = <AnyConnection as Connection>::Backend;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL address, `postgres://…`; may hold a password.
    Postgres(String),
}

impl Target {
    /// Reads an address: `postgres://…`, `sqlite:<path>`, or the path of a SQLite file. `None` for one that names nothing, or
    /// begins as the address of something else does: SQLite would make a file of any name.
    pub fn parse(address: &str) -> Option<Self> {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return Some(Self::Postgres(address.to_owned()));
        }
        let path = match address.split_once(':') {
            Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
            Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {
                return None;
            }
            _ => address,
        };
        (!path.trim().is_empty()).then(|| Self::Sqlite(PathBuf::from(path)))
    }
}

/// Never shows a password: what stands between `//` and `@`, and after `?`, is left out.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let host = url
                    .rsplit_once('@')
                    .map_or_else(|| url.split_once("//").map_or("", |(_, rest)| rest), |(_, host)| host);
                write!(f, "postgres://{}", host.split('?').next().unwrap_or(""))
            }
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads only; SQLite refuses to write on it.
    Read,
    /// Reads and writes.
    Write,
}

/// What the connection that writes needs beyond the others. The cache holds the leaves that changes of a thousand units touch.
///
/// An entry of the change log about a base data sheet is some two kilobytes: of pages of 4096 bytes, SQLite's own size, many would hold one and
/// stay half empty. A file has the pages that it was made with: older ones keep theirs until they are restored
/// from a backup.
///
/// The log is folded by a thread of its own (`writer::fold`); should that not come to it, a commit does from 256 MB on, so that it cannot grow
/// without end. What a savepoint may have to undo stays out of memory: an import can change every page there is.
const WRITER: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -16000;
    PRAGMA wal_autocheckpoint = 32000;";

/// What the server knows our connections by.
pub const APPLICATION: &str = "jixiao";

/// Whose connection it is, and what notices within seconds that a machine is gone, which libpq by itself waits for without end. What an
/// address says wins.
const GIVEN: [(&str, &str); 6] = [
    ("application_name", APPLICATION),
    ("connect_timeout", "3"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "3"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "15000"),
];

/// What says in an address that PgBouncer is there, in transaction mode: then no statement may outlive its transaction.
const PGBOUNCER: &str = "pgbouncer=true";

/// A PostgreSQL address as libpq takes it, and whether PgBouncer is there.
fn for_libpq(url: &str) -> (String, bool) {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let given: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let said = |name: &str| given.iter().any(|pair| pair.split('=').next() == Some(name));
    let own = given
        .iter()
        .filter(|pair| **pair != PGBOUNCER)
        .map(|pair| (*pair).to_owned());
    let more = GIVEN
        .iter()
        .filter(|(name, _)| !said(name))
        .map(|(name, value)| format!("{name}={value}"));
    let pairs: Vec<String> = own.chain(more).collect();
    (format!("{base}?{}", pairs.join("&")), given.contains(&PGBOUNCER))
}

/// Opens a connection and sets it up.
pub fn connect(target: &Target, access: Access) -> Result<AnyConnection, ConnectionError> {
    match target {
        Target::Postgres(url) => {
            let (url, pooled) = for_libpq(url);
            let mut conn = PgConnection::establish(&url)?;
            if pooled {
                conn.set_prepared_statement_cache_size(CacheSize::Disabled);
            }
            Ok(AnyConnection::Postgres(conn))
        }
        Target::Sqlite(path) => {
            let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
            // busy_timeout first: the others may meet the lock of another process.
            // cache_size is in KiB when negative; several connections must fit the server's memory.
            conn.batch_execute(
                "PRAGMA busy_timeout = 5000;
                 PRAGMA foreign_keys = ON;
                 PRAGMA cache_size = -2000;",
            )
            .and_then(|()| match access {
                Access::Read => conn.batch_execute("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;"),
                Access::Write => conn.batch_execute(WRITER),
            })
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Sqlite(conn))
        }
    }
}

impl AnyConnection {
    /// Begins a write transaction: on SQLite with the write lock in hand, on PostgreSQL serializable and with the end of the
    /// change log in hand.
    ///
    /// PostgreSQL's writers would all meet at the end of the log, and all but one fail and begin anew. Taken before the
    /// transaction reads anything, the lock makes each see all that the one before it did. Readers are not held up.
    ///
    /// SQLite must not begin with a read and upgrade later: that fails at once, without waiting,
    /// when another connection has written in between.
    pub fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE"),
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
                conn,
                "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE change_head IN EXCLUSIVE MODE",
            ),
        }
    }

    /// Makes the transaction that was begun durable.
    pub fn commit(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// Undoes the transaction that was begun.
    pub fn rollback(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
    }

    /// Runs `work`, which only reads, on one state of the data: what others write meanwhile is not seen.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn snapshot<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
            Self::Postgres(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }
        }?;
        let outcome = work(self);
        // Nothing was written. If this fails the connection is unusable, which its pool finds out by itself.
        let _ = self.rollback();
        outcome
    }

    /// Runs `work`, which may drop and make tables, in one transaction; an error undoes all of it. Meanwhile SQLite does not
    /// look at references, and servers on PostgreSQL do not migrate.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn rebuild<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Sqlite(conn) => {
                conn.batch_execute("PRAGMA foreign_keys = OFF")?;
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
            }
            Self::Postgres(conn) => {
                let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({})", super::migrate::LOCK);
                AnsiTransactionManager::begin_transaction_sql(conn, &begin)?;
            }
        }
        let outcome = work(self).and_then(|value| {
            self.commit()?;
            Ok(value)
        });
        if outcome.is_err() {
            // If this fails the connection is unusable, and closed by whoever has it.
            let _ = self.rollback();
        }
        outcome
    }

    /// Runs `work` in a write transaction of its own, with what it changes in the log; an error undoes it.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn write<T>(
        &mut self,
        origin: &Origin,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.try_write(origin, work, &mut None).map(|(value, _)| value)
    }

    /// The same; tells the number of the last change too. If the connection is lost while the transaction is committed, `doubt`
    /// is what it would have left; given again, on a new connection, it is found out whether it did before anything is done anew.
    pub(super) fn try_write<T>(
        &mut self,
        origin: &Origin,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
        doubt: &mut Option<Doubt<T>>,
    ) -> Result<(T, i64), Problem> {
        self.begin()?;
        let outcome = match self.is_settled(doubt) {
            Ok(Some(settled)) => {
                let _ = self.rollback();
                return Ok(settled);
            }
            Ok(None) => self.logged(origin, work),
            Err(error) => Err(error.into()),
        };
        let (value, before, head) = match outcome {
            Ok(done) => done,
            Err(problem) => {
                // If this fails the connection is unusable, which its pool finds out by itself.
                let _ = self.rollback();
                return Err(problem);
            }
        };
        let Err(error) = self.commit() else {
            return Ok((value, head.seq));
        };
        // PostgreSQL has rolled back already when a serializable commit fails.
        let _ = self.rollback();
        if !is_refusal(&error) {
            *doubt = Some(match head == before {
                true => Doubt::Unlogged,
                false => Doubt::Logged(value, head),
            });
        }
        Err(error.into())
    }

    /// What an earlier attempt did after all. It held the end of the log until it ended, and now this transaction has it: what is
    /// not in the log by now will never be.
    fn is_settled<T>(&mut self, doubt: &mut Option<Doubt<T>>) -> QueryResult<Option<(T, i64)>> {
        let Some(Doubt::Logged(_, head)) = doubt else {
            return Ok(None);
        };
        let is_there = head.is_in_log(self)?;
        Ok(match doubt.take() {
            Some(Doubt::Logged(value, head)) if is_there => Some((value, head.seq)),
            _ => None,
        })
    }

    fn logged<T>(
        &mut self,
        origin: &Origin,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<(T, Head, Head), Problem> {
        let before = Head::load(self)?;
        let mut head = before.clone();
        let value = Tx::run(self, origin, &mut head, work)?;
        head.store(self, &before)?;
        Ok((value, before, head))
    }
}

/// A transaction of which nobody knows whether it was committed.
pub(super) enum Doubt<T> {
    /// What it came to, and where the log ends if it was.
    Logged(T, Head),
    /// It left nothing in the log by which that could be found out.
    Unlogged,
}

/// Whether this is the server's own no to a commit, after which nothing stays; and not a connection that broke.
fn is_refusal(error: &Error) -> bool {
    use DatabaseErrorKind as Kind;
    matches!(
        error,
        Error::DatabaseError(
            Kind::SerializationFailure
                | Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::NotNullViolation
                | Kind::CheckViolation
                | Kind::ExclusionViolation
                | Kind::RestrictViolation,
            _
        )
    )
}

/// Opens and checks the connections of a pool.
#[derive(Debug)]
pub struct Manager {
    /// Where to connect to.
    pub target: Target,
    /// What the connections are for.
    pub access: Access,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        connect(&self.target, self.access).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), Self::Error> {
        match conn {
            // A file does not hang up.
            AnyConnection::Sqlite(_) => Ok(()),
            AnyConnection::Postgres(_) => conn.ping().map_err(diesel::r2d2::Error::QueryError),
        }
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::changes::{Change, Resource};

    #[test]
    fn an_address_notices_dead_machines_and_may_say_that_pgbouncer_is_there() {
        let usual = "application_name=jixiao&connect_timeout=3&keepalives_idle=10&keepalives_interval=3&keepalives_count=3&tcp_user_timeout=15000";
        let (url, pooled) = for_libpq("postgres://u:p@a,b:1/x");
        assert_eq!((url, pooled), (format!("postgres://u:p@a,b:1/x?{usual}"), false));
        let (url, pooled) = for_libpq("postgres://a/x?pgbouncer=true");
        assert_eq!((url, pooled), (format!("postgres://a/x?{usual}"), true));
        let (url, pooled) = for_libpq("postgres://a/x?connect_timeout=9&pgbouncer=true&tcp_user_timeout=1");
        let own = "connect_timeout=9&tcp_user_timeout=1&application_name=jixiao&keepalives_idle=10&keepalives_interval=3&keepalives_count=3";
        assert_eq!((url, pooled), (format!("postgres://a/x?{own}"), true));
    }

    #[test]
    fn a_commit_in_doubt_is_looked_up_before_anything_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = crate::db::open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
        let origin = Origin::program();
        let write = |tx: &mut Tx<'_>| {
            tx.record(Change::deleted(Resource::Unit, "/api/v1/units/219".to_owned()))?;
            Ok("done anew")
        };
        let (_, last) = conn.try_write(&origin, write, &mut None).unwrap();
        let head = Head::load(&mut conn).unwrap();
        // It was committed: it is not done again.
        let mut doubt = Some(Doubt::Logged("done before", head.clone()));
        let settled = conn.try_write(&origin, write, &mut doubt).unwrap();
        assert_eq!((settled, doubt.is_none()), (("done before", last), true));
        // It was not, whether its number is still free or by now another's.
        for seq in [last + 1, last] {
            let hash = "0".repeat(64);
            let mut doubt = Some(Doubt::Logged("done before", Head { seq, hash }));
            let (value, _) = conn.try_write(&origin, write, &mut doubt).unwrap();
            assert_eq!((value, doubt.is_none()), ("done anew", true));
        }
        assert_eq!(Head::load(&mut conn).unwrap().seq, last + 2);
    }
}
