//! Brings the tables of a database up to this version of the program.

use std::error::Error;
use std::time::Duration;

use diesel::{Connection, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Any number will do, as long as every version of the program uses the same.
const LOCK: i64 = 0x6a69_7869_616f;

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
pub fn run(conn: &mut AnyConnection) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
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

fn pending<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let versions = conn.run_pending_migrations(MIGRATIONS)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}
