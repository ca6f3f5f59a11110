//! Brings the tables of a database up to this version of the program, and keeps off a database of a later one.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_query;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;
use super::dynamic;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Any number will do, as long as every version of the program uses the same.
pub(super) const LOCK: i64 = 0x6a69_7869_616f;

type Failure = Box<dyn Error + Send + Sync>;

/// Versions of migrations, such as `20261125000004`.
pub type Versions = BTreeSet<String>;

/// How long a migration waits for a table that others use: all who come after it wait as long.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";
/// How often it is tried again, with a pause for those who waited.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the migrations that are missing, and returns their names.
///
/// On PostgreSQL, servers that start at the same time wait for each other, and those that serve are not held up: a lock that is
/// not had at once is given up and asked for again. All is one transaction, so that the lock goes with it (a session of PgBouncer
/// would not keep it) and nothing stays of a migration that failed. On SQLite, whoever comes second finds the file locked for a
/// moment, then the work done.
pub fn run(conn: &mut AnyConnection) -> Result<Vec<String>, Failure> {
    let conn = match conn {
        AnyConnection::Sqlite(conn) => return pending(conn),
        AnyConnection::Postgres(conn) => conn,
    };
    let mut attempt = 1;
    loop {
        let done = conn.transaction(|conn| {
            sql_query(format!("SELECT pg_advisory_xact_lock({LOCK})")).execute(conn)?;
            sql_query(LOCK_TIMEOUT).execute(conn)?;
            pending(conn)
        });
        match done {
            Err(error) if attempt < ATTEMPTS && was_in_the_way(&error.to_string()) => {
                tracing::warn!(%error, attempt, "the tables are in use; their change is tried again");
                attempt += 1;
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// Whether others held a lock. diesel keeps no code for 55P03 and 40P01, and the server may speak Chinese.
fn was_in_the_way(message: &str) -> bool {
    ["lock timeout", "锁超时", "锁定超时", "deadlock detected", "死锁"]
        .iter()
        .any(|words| message.contains(words))
}

fn pending<DB: diesel::backend::Backend>(conn: &mut impl MigrationHarness<DB>) -> Result<Vec<String>, Failure> {
    let versions = conn.run_pending_migrations(MIGRATIONS)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

/// The migrations of this program in their order, as version and name.
///
/// # Errors
/// None for a program that was built whole.
pub fn known() -> Result<Vec<(String, String)>, Failure> {
    let all = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS)?;
    Ok(all
        .iter()
        .map(|one| (version(&**one), one.name().to_string()))
        .collect())
}

fn version<DB: diesel::backend::Backend>(migration: &dyn Migration<DB>) -> String {
    migration.name().version().to_string()
}

/// The migrations that a database has been through; none for an empty one. Only looks.
///
/// # Errors
/// Those of the database.
pub fn applied(conn: &mut AnyConnection) -> QueryResult<Versions> {
    let table = match conn {
        AnyConnection::Sqlite(_) => "SELECT name FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
        AnyConnection::Postgres(_) => "SELECT 'there' WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL",
    };
    if dynamic::all(conn, table)?.is_empty() {
        return Ok(Versions::new());
    }
    let versions = dynamic::all(conn, "SELECT version FROM __diesel_schema_migrations")?;
    Ok(versions.iter().map(dynamic::Cells::shown).collect())
}

/// Of some migrations, those that this program does not know: they are of a later one.
///
/// # Errors
/// None for a program that was built whole.
pub fn unknown(versions: &Versions) -> Result<Vec<String>, Failure> {
    let known: Versions = known()?.into_iter().map(|(version, _)| version).collect();
    Ok(versions.difference(&known).cloned().collect())
}

/// The names of the migrations that a database still has to go through. Only looks.
///
/// # Errors
/// Those of the database.
pub fn missing(conn: &mut AnyConnection) -> Result<Vec<String>, Failure> {
    let applied = applied(conn)?;
    let missing = known()?.into_iter().filter(|(version, _)| !applied.contains(version));
    Ok(missing.map(|(_, name)| name).collect())
}

/// Runs only these migrations, in a transaction that has begun: the tables of an older version of the program.
///
/// # Errors
/// Those of the database.
pub fn run_only(conn: &mut AnyConnection, versions: &Versions) -> Result<(), Failure> {
    match conn {
        AnyConnection::Sqlite(conn) => only(conn, versions),
        AnyConnection::Postgres(conn) => only(conn, versions),
    }
}

fn only<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
    versions: &Versions,
) -> Result<(), Failure> {
    for migration in conn.pending_migrations(MIGRATIONS)? {
        if versions.contains(&version(&*migration)) {
            conn.run_migration(&*migration)?;
        }
    }
    Ok(())
}
