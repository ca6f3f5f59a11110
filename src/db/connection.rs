//! One connection type over both engines, how it is opened, and how its write transactions begin.

use std::fmt;
use std::path::PathBuf;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
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
    /// Reads an address: `postgres://…`, `sqlite:<path>`, or the path of a SQLite file.
    pub fn parse(address: &str) -> Self {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return Self::Postgres(address.to_owned());
        }
        let path = address.strip_prefix("sqlite:").unwrap_or(address);
        Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
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

/// What the connection that writes needs beyond the others. The cache holds the leaves that changes of a thousand units touch;
/// a checkpoint of some 8 MB finds more changes of one page than one of 4 MB, and takes 20 ms. What a savepoint may have to
/// undo stays out of memory: an import can change every page there is.
const WRITER: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -16000;
    PRAGMA wal_autocheckpoint = 2000;";

/// What bounds how long a PostgreSQL that vanished is waited for: when a connection is made, and when it says no more.
const BOUNDS: [(&str, &str); 3] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "30"),
];

/// An address with those bounds that it does not set itself.
fn bounded(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in BOUNDS {
        if !url.contains(name) {
            let mark = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{mark}{name}={value}"));
        }
    }
    url
}

/// Opens a connection and sets it up.
pub fn connect(target: &Target, access: Access) -> Result<AnyConnection, ConnectionError> {
    match target {
        Target::Postgres(url) => {
            let mut conn = PgConnection::establish(&bounded(url))?;
            conn.batch_execute("SET TIME ZONE 'UTC'")
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
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
    pub fn snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
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

    /// Runs `work` in a write transaction of its own, with what it changes in the log; an error undoes it.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn write<T>(
        &mut self,
        origin: &Origin,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.write_and_tell(origin, work).map(|(value, _)| value)
    }

    /// The same; tells the number of the last change too.
    pub(super) fn write_and_tell<T>(
        &mut self,
        origin: &Origin,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<(T, i64), Problem> {
        self.begin()?;
        match self.logged(origin, work) {
            Ok(value) => {
                if let Err(error) = self.commit() {
                    // PostgreSQL has rolled back already when a serializable commit fails.
                    let _ = self.rollback();
                    return Err(error.into());
                }
                Ok(value)
            }
            Err(problem) => {
                // If this fails the connection is unusable, which its pool finds out by itself.
                let _ = self.rollback();
                Err(problem)
            }
        }
    }

    fn logged<T>(
        &mut self,
        origin: &Origin,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<(T, i64), Problem> {
        let before = Head::load(self)?;
        let mut head = before.clone();
        let value = Tx::run(self, origin, &mut head, work)?;
        head.store(self, &before)?;
        Ok((value, head.seq))
    }
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
