//! The whole database in one file, which either engine gives and takes: backup, restore, and the move from one engine to the
//! other.
//!
//! A file is lines of JSON, compressed and perhaps sealed ([`file`]): a header, for each table its name and columns and then
//! its rows in the order of their key, each value as its text; and a manifest, which says what must have been read by then.
//! It is read from the tables as the migrations make them ([`crate::db::catalogue`]), so none can be forgotten.

pub mod dump;
pub mod file;
pub mod restore;
mod seal;

use serde::{Deserialize, Serialize};

use crate::db::migrate::Versions;

pub use seal::Key;

/// What goes wrong with a backup is told to the one at the command line, and nobody else.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The version of the format. A program reads those up to its own.
pub const FORMAT: u32 = 1;

/// What a file begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub format: u32,
    /// The version of the program.
    pub program: String,
    /// `sqlite` or `postgres`: where it came from.
    pub engine: String,
    /// When it was made (RFC 3339, UTC).
    pub made_at: String,
    /// The migrations that the tables had been through.
    pub migrations: Versions,
}

/// What a file ends with: what must have been read by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The tables, by name.
    pub tables: Vec<Sum>,
    /// The number of the last change.
    pub head_seq: i64,
    /// Its hash: an anchor of the audit trail.
    pub head_hash: String,
    /// The SHA-256 of all lines before this one.
    pub sha256: String,
}

/// What a table holds. Of the same rows it is the same on both engines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// The table's name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// The SHA-256 of their lines.
    pub sha256: String,
}

/// Where the rows of the next lines belong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// The table's name.
    pub name: String,
    /// Its columns, in the order of the values.
    pub columns: Vec<String>,
}

/// A line that is no row: a row is an array, of texts and nulls.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The first line.
    Header(Header),
    /// The rows of a table follow.
    Table(Begin),
    /// The last line.
    Manifest(Manifest),
}

/// What a file holds, when all of it was read and found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// How it begins.
    pub header: Header,
    /// How it ends.
    pub manifest: Manifest,
}

impl Contents {
    /// How many rows it has in all.
    pub fn rows(&self) -> u64 {
        self.manifest.tables.iter().map(|table| table.rows).sum()
    }
}
