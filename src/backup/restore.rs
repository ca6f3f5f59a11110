//! From a file into a database, in one transaction: either all of it is there afterwards, or nothing has changed.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;

use super::dump;
use super::file::{self, Piece};
use super::{Contents, Failure, Key};
use crate::db::catalogue::{self, Table};
use crate::db::changes::Head;
use crate::db::connection::{APPLICATION, Access, connect};
use crate::db::dynamic::{self, Cells};
use crate::db::migrate::{self, Versions};
use crate::db::{AnyConnection, Target, lock, open_as_it_is};

/// How many bytes of rows wait at most before they are inserted.
const WAITING: usize = 4 << 20;

/// Reads a file to its end, and tells what is in it if it is whole and this program can restore it.
///
/// # Errors
/// When it is not, or cannot.
pub fn verify(file: &mut File, key: Option<&Key>) -> Result<Contents, Failure> {
    let mut tables: Option<Vec<Table>> = None;
    let contents = file::read(file, key, |piece| {
        match piece {
            Piece::Header(header) => {
                let unknown = migrate::unknown(&header.migrations)?;
                if !unknown.is_empty() {
                    return Err(format!(
                        "the backup is of a later version of jixiao ({}), whose migrations {} this one does not know; use that one",
                        header.program,
                        unknown.join(", ")
                    )
                    .into());
                }
                tables = Some(catalogue::tables(&header.migrations)?);
            }
            Piece::Table(begin) => {
                let known = tables.iter().flatten().find(|table| table.name == begin.name);
                let same =
                    known.is_some_and(|table| table.columns.iter().map(|column| &column.name).eq(&begin.columns));
                if !same {
                    return Err(format!(
                        "the backup has a table {} that its version of jixiao does not have so",
                        begin.name
                    )
                    .into());
                }
            }
            Piece::Row(_) => {}
        }
        Ok(())
    })?;
    let named = contents.manifest.tables.iter().map(|sum| &sum.name);
    match tables.iter().flatten().map(|table| &table.name).eq(named) {
        true => Ok(contents),
        false => Err("the backup lacks a table".into()),
    }
}

/// Puts what a file holds into a database: verified as a whole first, read back from the tables before it is committed, and
/// then brought up to this version of the program. A target that holds anything is refused, unless it is to be replaced.
///
/// # Errors
/// When the file is not whole, or the target cannot be used; then nothing was changed.
pub fn restore(file: &mut File, key: Option<&Key>, to: &Target, replace: bool) -> Result<Contents, Failure> {
    let contents = verify(file, key)?;
    // A server that ran on through this would mix what it knows with what is there now.
    let _lock = match to {
        Target::Sqlite(path) => Some(lock(path)?),
        Target::Postgres(_) => None,
    };
    let mut conn = match to {
        Target::Sqlite(path) if !path.exists() => None,
        _ => Some(open_as_it_is(to)?),
    };
    let old = match &mut conn {
        Some(conn) => migrate::applied(conn)?,
        None => Versions::new(),
    };
    let old = catalogue::tables(&old)?;
    if let Some(conn) = &mut conn
        && !replace
    {
        refuse_full(conn, &old, to)?;
    }
    drop(conn);
    let mut conn = connect(to, Access::Write)?;
    if replace {
        refuse_served(&mut conn)?;
    }
    conn.rebuild(|conn| {
        // Once more, now that nobody else can make tables.
        if !replace {
            refuse_full(conn, &old, to)?;
        }
        for table in &old {
            conn.batch_execute(&drop_table(conn, &table.name))?;
        }
        conn.batch_execute("DROP TABLE IF EXISTS __diesel_schema_migrations")?;
        migrate::run_only(conn, &contents.header.migrations)?;
        let tables = catalogue::tables(&contents.header.migrations)?;
        let constraints = without_constraints(conn)?;
        for table in tables.iter().filter(|table| table.born_with > 0) {
            conn.batch_execute(&format!("DELETE FROM \"{}\"", table.name))?;
        }
        if fill(conn, file, key, &tables)? != contents {
            return Err("the backup has changed while it was read".into());
        }
        constraints.restore(conn)?;
        for (table, expected) in tables.iter().zip(&contents.manifest.tables) {
            if dump::sum(conn, table, |_| Ok(()))? != *expected {
                return Err(format!(
                    "table {} is not what the backup says, after it was restored",
                    table.name
                )
                .into());
            }
        }
        let all = migrate::known()?.into_iter().map(|(version, _)| version).collect();
        migrate::run_only(conn, &all)
    })?;
    if let AnyConnection::Sqlite(conn) = &mut conn {
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(contents)
}

/// Moves a database to another one, of either kind, which then holds the same, row for row.
///
/// # Errors
/// When a server still uses the source, or changed it meanwhile; when the target cannot be used.
pub fn move_to(from: &Target, to: &Target, replace: bool) -> Result<Contents, Failure> {
    if from == to {
        return Err("the database is there already".into());
    }
    let _lock = match from {
        Target::Sqlite(path) if path.exists() => Some(lock(path)?),
        _ => None,
    };
    let mut conn = open_as_it_is(from)?;
    // Nameless: it goes with this process, however that ends.
    let mut file = tempfile::tempfile()?;
    let written = dump::write(&mut conn, &mut file, None)?;
    let moved = restore(&mut file, None, to, replace)?;
    if moved != written {
        return Err("what was moved is not what was read".into());
    }
    let now = Head::load(&mut conn)?;
    match now.seq == moved.manifest.head_seq && now.hash == moved.manifest.head_hash {
        true => Ok(moved),
        false => Err(
            "the source was changed while it was moved: stop its servers, and move it again with --replace / \
            迁移期间源数据库有改动，请停止其服务后用 --replace 重新迁移"
                .into(),
        ),
    }
}

fn refuse_full(conn: &mut AnyConnection, tables: &[Table], target: &Target) -> Result<(), Failure> {
    for table in tables {
        if catalogue::count(conn, &table.name)? > table.born_with {
            return Err(format!(
                "{target:?} is not empty (table {}): give --replace to lose what it holds, or another target / \
                 目标数据库非空，如确需覆盖请加 --replace",
                table.name
            )
            .into());
        }
    }
    Ok(())
}

/// Refuses a database of PostgreSQL that a server works on; on SQLite the lock does. A server looks at the change log every half second;
/// connections on which nobody asks anything, as a pooler keeps them for a while, are no server.
fn refuse_served(conn: &mut AnyConnection) -> Result<(), Failure> {
    if matches!(conn, AnyConnection::Sqlite(_)) {
        return Ok(());
    }
    let busy = format!(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{APPLICATION}' \
         AND pid <> pg_backend_pid() AND state_change > clock_timestamp() - INTERVAL '2 seconds'"
    );
    // Those of a server that has just stopped, and our own of before, take their time to go.
    for _ in 0..5 {
        if dynamic::all(conn, &busy)?.is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Err("another server process works on the database: stop it first / 数据库正由运行中的服务使用，请先停止服务".into())
}

fn drop_table(conn: &AnyConnection, name: &str) -> String {
    // References are ended along with it; on SQLite nobody looks at them meanwhile.
    match conn {
        AnyConnection::Sqlite(_) => format!("DROP TABLE \"{name}\""),
        AnyConnection::Postgres(_) => format!("DROP TABLE \"{name}\" CASCADE"),
    }
}

/// References that are put back when all rows are there, in whatever order they came.
struct Constraints(Vec<String>);

fn without_constraints(conn: &mut AnyConnection) -> Result<Constraints, Failure> {
    let AnyConnection::Postgres(_) = conn else {
        return Ok(Constraints(Vec::new()));
    };
    let found = dynamic::all(
        conn,
        "SELECT CAST(CAST(conrelid AS regclass) AS TEXT), CAST(conname AS TEXT), pg_get_constraintdef(oid) \
         FROM pg_constraint WHERE contype = 'f' AND connamespace = CAST(current_schema() AS regnamespace)",
    )?;
    let mut again = Vec::new();
    for row in found {
        if let [Some(table), Some(name), Some(definition)] = row.0.as_slice() {
            conn.batch_execute(&format!("ALTER TABLE {table} DROP CONSTRAINT \"{name}\""))?;
            again.push(format!("ALTER TABLE {table} ADD CONSTRAINT \"{name}\" {definition}"));
        }
    }
    Ok(Constraints(again))
}

impl Constraints {
    fn restore(self, conn: &mut AnyConnection) -> Result<(), Failure> {
        for statement in self.0 {
            conn.batch_execute(&statement)?;
        }
        if let AnyConnection::Sqlite(_) = conn {
            let broken = dynamic::all(conn, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_check")?;
            if let Some(row) = broken.first() {
                return Err(format!("the backup has rows in {} that refer to what is not there", row.shown()).into());
            }
        }
        Ok(())
    }
}

fn fill(conn: &mut AnyConnection, file: &mut File, key: Option<&Key>, tables: &[Table]) -> Result<Contents, Failure> {
    let most = dynamic::rows_a_statement(conn);
    let mut table: Option<&Table> = None;
    let (mut rows, mut bytes): (Vec<Cells>, usize) = (Vec::new(), 0);
    let contents = file::read(file, key, |piece| {
        match piece {
            Piece::Header(_) => {}
            Piece::Table(begin) => {
                flush(conn, table, &mut rows)?;
                table = tables.iter().find(|table| table.name == begin.name);
            }
            Piece::Row(row) => {
                bytes += row.0.iter().flatten().map(String::len).sum::<usize>();
                rows.push(row);
                if rows.len() >= most || bytes >= WAITING {
                    flush(conn, table, &mut rows)?;
                    bytes = 0;
                }
            }
        }
        Ok(())
    })?;
    flush(conn, table, &mut rows)?;
    Ok(contents)
}

fn flush(conn: &mut AnyConnection, table: Option<&Table>, rows: &mut Vec<Cells>) -> Result<(), Failure> {
    let rows = std::mem::take(rows);
    match table {
        Some(table) => Ok(dynamic::insert(conn, table, rows)?),
        None => Ok(()),
    }
}

/// Restores from the file at `path`.
///
/// # Errors
/// As [`restore`]; when the file cannot be read.
pub fn restore_from(path: &Path, key: Option<&Key>, to: &Target, replace: bool) -> Result<Contents, Failure> {
    restore(&mut open(path)?, key, to, replace)
}

/// Verifies the file at `path`.
///
/// # Errors
/// As [`verify`]; when the file cannot be read.
pub fn verify_from(path: &Path, key: Option<&Key>) -> Result<Contents, Failure> {
    verify(&mut open(path)?, key)
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}
