//! Brings the tables of a database up to this version of the program, and keeps off a database of a later one.

use std::collections::BTreeSet;
use std::error::Error;

use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;
use super::dynamic;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Any number will do, as long as every version of the program uses the same.
pub(super) const LOCK: i64 = 0x6a69_7869_616f;

type Failure = Box<dyn Error + Send + Sync>;

/// Versions of migrations, such as `20261125000004`.
pub type Versions = BTreeSet<String>;

/// Runs the migrations that are missing, and returns their names.
///
/// On PostgreSQL, servers that start at the same time wait for each other. On SQLite, whoever
/// comes second finds the file locked for a moment, then the work done.
///
/// # Errors
/// Those of the database.
pub fn run(conn: &mut AnyConnection) -> Result<Vec<String>, Failure> {
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
