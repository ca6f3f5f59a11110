//! Imports on the wire and in the table.

use std::ops::AddAssign;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::RowFault;
use crate::codes::{Digest, ImportId};
use crate::db::schema::imports;

/// Words that are the same on the wire and in the table.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        $(#[$doc])*
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The word that it is on the wire and in the table.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            /// The word that is none of them.
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("{other} is no {}", stringify!($name))),
                }
            }
        }
    };
}

words! {
    /// What the rows of a file are.
    #[schema(as = BulkResource)]
    Resource {
        /// Units (预算单位).
        Units = "units",
        /// Base data sheets (基础数据表), each of a unit and year.
        BaseData = "base_data",
        /// Special funds and their target tables (专项资金).
        SpecialFunds = "special_funds",
        /// Assessments (评价打分依据), each of a unit and year.
        Assessments = "assessments",
    }
}

words! {
    /// What becomes of a file that has rows at fault.
    #[schema(as = ImportMode)]
    Mode {
        /// Everything or nothing: one row at fault, and nothing is stored.
        All = "all",
        /// Each row by itself: those at fault are left out.
        Each = "each",
    }
}

words! {
    /// Where an import is.
    #[schema(as = ImportState)]
    State {
        /// It is going on.
        Running = "running",
        /// It stopped before its end: the server was stopped, or failed. The same file sent again with the same `id` goes on
        /// where it stopped.
        Interrupted = "interrupted",
        /// It went through the whole file. With `dry_run` nothing was stored.
        Done = "done",
        /// Nothing was stored, since rows are at fault or the file cannot be read.
        Refused = "refused",
    }
}

/// How many rows became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportCounts)]
pub struct Counts {
    /// Were not there before.
    #[schema(example = 16)]
    pub created: i64,
    /// Were replaced.
    #[schema(example = 2)]
    pub replaced: i64,
    /// Were so already.
    #[schema(example = 180)]
    pub unchanged: i64,
    /// Are at fault, and were not stored.
    #[schema(example = 0)]
    pub rejected: i64,
    /// What is wrong with them; a row can have several faults.
    #[schema(example = 0)]
    pub faults: i64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.created += more.created;
        self.replaced += more.replaced;
        self.unchanged += more.unchanged;
        self.rejected += more.rejected;
        self.faults += more.faults;
    }
}

/// A stored import, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = imports, treat_none_as_default_value = false)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What its rows are, as a word.
    pub resource: String,
    /// The format of the file, as a word.
    pub format: String,
    /// What becomes of it where rows are at fault, as a word.
    pub mode: String,
    /// Whether nothing is to be stored.
    pub dry_run: bool,
    /// Where it is, as a word.
    pub state: String,
    /// The SHA-256 of the file.
    pub digest: String,
    /// The length of the file in bytes.
    pub size: i64,
    /// The process that works on it.
    pub runner: String,
    /// The number of the last row that is done with.
    pub position: i64,
    /// How many rows were not there before.
    pub rows_created: i64,
    /// How many were replaced.
    pub rows_replaced: i64,
    /// How many were so already.
    pub rows_unchanged: i64,
    /// How many are at fault.
    pub rows_rejected: i64,
    /// How many faults they have.
    pub faults: i64,
    /// Whose it is; `None` where no token is needed.
    pub token_id: Option<String>,
    /// The name of that token.
    pub actor: String,
    /// When it began.
    pub started_at: String,
    /// When something was last stored.
    pub updated_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
}

impl Row {
    /// How many rows became what.
    pub fn counts(&self) -> Counts {
        Counts {
            created: self.rows_created,
            replaced: self.rows_replaced,
            unchanged: self.rows_unchanged,
            rejected: self.rows_rejected,
            faults: self.faults,
        }
    }
}

/// A bulk import (批量导入) and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Import {
    /// Its id.
    #[schema(value_type = ImportId)]
    pub id: String,
    /// What its rows are.
    #[schema(value_type = Resource)]
    pub resource: String,
    /// The format of the file.
    #[schema(example = "csv")]
    pub format: String,
    /// What becomes of it where rows are at fault.
    #[schema(value_type = Mode)]
    pub mode: String,
    /// Whether nothing is stored: a trial.
    pub dry_run: bool,
    /// Where it is.
    #[schema(value_type = State)]
    pub state: String,
    /// The SHA-256 of the file.
    #[schema(value_type = Digest)]
    pub digest: String,
    /// The length of the file in bytes.
    #[schema(example = 40_960)]
    pub size: i64,
    /// The number of the last row that is done with: the line, or the row as spreadsheets number it.
    #[schema(example = 199)]
    pub position: i64,
    /// How many rows became what. Of a trial and of an import that was refused: what they would have become.
    pub counts: Counts,
    /// The first faults, in the order of the file; `links.faults` has all.
    pub faults: Vec<RowFault>,
    /// Whose it is.
    #[schema(example = "开云镇财政所")]
    pub actor: String,
    /// When it began (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub started_at: String,
    /// When something was last stored.
    #[schema(format = DateTime, example = "2026-01-05T08:30:01.000000Z")]
    pub updated_at: String,
    /// When it ended; `null` before.
    #[schema(format = DateTime, example = "2026-01-05T08:30:01.000000Z")]
    pub finished_at: Option<String>,
    /// Where things are.
    pub links: Links,
}

/// Where the things of an import are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ImportLinks)]
pub struct Links {
    /// This import.
    #[serde(rename = "self")]
    #[schema(example = "/api/v1/imports/units-2026")]
    pub this: String,
    /// All that is wrong with its rows.
    #[schema(example = "/api/v1/imports/units-2026/faults")]
    pub faults: String,
}

/// The address of the import of that id.
pub fn address(id: &str) -> String {
    format!("/api/v1/imports/{id}")
}

impl Import {
    /// The import of a row, with its first faults.
    pub fn new(row: Row, faults: Vec<RowFault>) -> Self {
        let this = address(&row.id);
        Self {
            counts: row.counts(),
            links: Links {
                faults: format!("{this}/faults"),
                this,
            },
            id: row.id,
            resource: row.resource,
            format: row.format,
            mode: row.mode,
            dry_run: row.dry_run,
            state: row.state,
            digest: row.digest,
            size: row.size,
            position: row.position,
            faults,
            actor: row.actor,
            started_at: row.started_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
        }
    }
}
