//! Brings the tables of a database up to this version of the program.

use std::error::Error;

use diesel::RunQueryDsl;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Any number will do, as long as every version of the program uses the same.
const LOCK: i64 = 0x6a69_7869_616f;

/// Runs the migrations that are missing, and returns their names.
///
/// On PostgreSQL, servers that start at the same time wait for each other. On SQLite, whoever
/// comes second finds the file locked for a moment, then the work done.
pub fn run(conn: &mut AnyConnection) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    match conn {
        AnyConnection::Sqlite(conn) => pending(conn),
        AnyConnection::Postgres(conn) => {
            diesel::sql_query(format!("SELECT pg_advisory_lock({LOCK})")).execute(conn)?;
            let done = pending(conn);
            diesel::sql_query(format!("SELECT pg_advisory_unlock({LOCK})")).execute(conn)?;
            done
        }
    }
}

fn pending<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let versions = conn.run_pending_migrations(MIGRATIONS)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}
