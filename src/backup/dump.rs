//! From the database into a file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::file::{self, Adding, Writing};
use super::{Begin, Contents, FORMAT, Failure, Header, Key, Manifest, Mark, Sum};
use crate::db::catalogue::{self, Table};
use crate::db::changes::Head;
use crate::db::{AnyConnection, Target, dynamic, migrate, now, open_made};

/// Writes all that a database holds, as it is at one moment, into a new file, and reads that file again. Beside a running
/// server: nobody waits for it. The database may be of an older version of the program.
///
/// # Errors
/// When the database cannot be read, or the file cannot be written or exists.
pub fn backup(from: &Target, to: &Path, key: Option<&Key>) -> Result<Contents, Failure> {
    let mut conn = open_made(from)?;
    file::create(to, |file| {
        let written = write(&mut conn, file, key)?;
        file.sync_all()?;
        let read = file::read(file, key, |_| Ok(()))?;
        match read == written {
            true => Ok(read),
            false => Err("what was written is not what is read again: the disk is not to be trusted".into()),
        }
    })
}

/// Writes all that a database holds, as it is at one moment.
///
/// # Errors
/// When the database cannot be read, or the file cannot be written.
pub fn write(conn: &mut AnyConnection, file: &mut File, key: Option<&Key>) -> Result<Contents, Failure> {
    let engine = match conn {
        AnyConnection::Sqlite(_) => "sqlite",
        AnyConnection::Postgres(_) => "postgres",
    };
    let mut out = Writing::new(file::buffered(file), key)?;
    let (header, manifest) = conn.snapshot(|conn| {
        let header = Header {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_owned(),
            made_at: now(),
            migrations: migrate::applied(conn)?,
        };
        out.mark(&Mark::Header(header.clone()))?;
        let tables = catalogue::tables(&header.migrations)?;
        let mut manifest = Manifest {
            tables: Vec::new(),
            head_seq: 0,
            head_hash: String::new(),
            sha256: String::new(),
        };
        for table in &tables {
            out.mark(&Mark::Table(Begin {
                name: table.name.clone(),
                columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            }))?;
            manifest.tables.push(sum(conn, table, |line| Ok(out.line(line)?))?);
        }
        // Older than the change log are only databases from before the first release.
        if tables.iter().any(|table| table.name == "change_head") {
            let head = Head::load(conn)?;
            (manifest.head_seq, manifest.head_hash) = (head.seq, head.hash);
        }
        Ok::<_, Failure>((header, manifest))
    })?;
    let (mut out, manifest) = out.finish(manifest)?;
    out.flush()?;
    Ok(Contents { header, manifest })
}

/// Walks a table and adds up its lines.
///
/// # Errors
/// When it cannot be read; those of `each`.
pub fn sum(
    conn: &mut AnyConnection,
    table: &Table,
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Sum, Failure> {
    let mut adding = Adding::default();
    let select = dynamic::select(conn, table);
    dynamic::each(conn, &select, |row| each(adding.add(&row)?))?;
    Ok(adding.sum(&table.name))
}
