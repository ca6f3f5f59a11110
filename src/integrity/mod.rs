//! Whether the database is sound: `jixiao check`.
//!
//! One state of the data is looked at, from the file up to what it means: the file and its tables ([`structure`]), then a few
//! units at a time what they filed, submitted and were given ([`units`]), and what belongs to no unit ([`elsewhere`]); all of
//! it is held against the change log ([`log`]). Nobody waits for it: it only reads. What it reads is judged on all processors.

mod elsewhere;
mod log;
mod store;
mod structure;
mod units;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::audit::verify;
use crate::db::migrate::{self, Versions};
use crate::db::{AnyConnection, Target, catalogue, open_as_it_is};
use crate::fault::Text;

/// What goes wrong with a check is told to the one at the command line.
type Failure = Box<dyn std::error::Error + Send + Sync>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $zh:literal, $en:literal;)*) => {
        /// What can be wrong with a database.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word, for programs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What to do about it.
            pub const fn remedy(self) -> Text {
                match self {
                    $(Self::$variant => Text::fixed($zh, $en),)*
                }
            }
        }
    };
}

kinds! {
    /// The engine says that its file, or an index, is damaged.
    Damaged = "damaged", "请检查磁盘，并从备份恢复。", "examine the disk, and restore a backup";
    /// Something cannot be read.
    Unreadable = "unreadable", "请检查磁盘，并从备份恢复。", "examine the disk, and restore a backup";
    /// A table, a column, an index or a constraint is not there.
    Missing = "missing", "结构已被改动，请从备份恢复到新库。", "the tables were changed by hand: restore a backup into a new database";
    /// Several rows have the same key.
    Duplicate = "duplicate", "请核对后保留其一，或从备份恢复。", "keep the right one, or restore a backup";
    /// A row refers to one that is not there.
    Orphan = "orphan", "所引用的记录可能被直接删除，请从备份恢复。", "what it refers to was deleted past the program: restore a backup";
    /// The audit trail does not hold together.
    Trail = "trail", "请保留现场，报告审计部门，并与留存的哈希值核对。", "keep everything as it is, tell the auditors, and compare with hashes noted earlier";
    /// A row is not what the change log says of it.
    NotAsLogged = "not_as_logged", "数据可能被绕过程序改动，请以审计轨迹为准核对。", "it was changed past the program: the audit trail says what it should be";
    /// A stored document cannot be read by its type.
    Document = "document", "请通过接口重新保存，或从备份恢复。", "store it anew by the API, or restore a backup";
    /// What is filed is not what was submitted.
    NotAsSubmitted = "not_as_submitted", "提交件不得改动，请从备份恢复。", "a submission never changes: restore a backup";
    /// A frozen score does not follow from what was submitted.
    Score = "score", "提交件不得改动，请从备份恢复。", "a submission never changes: restore a backup";
    /// A standing does not follow from the submission and its review.
    Standing = "standing", "排名数据有误，请从备份恢复，或重新开放后再提交。", "rankings are wrong: restore a backup, or reopen and submit again";
    /// The state of an evaluation does not fit its submissions.
    State = "state", "请核对审计轨迹，并从备份恢复。", "compare with the audit trail, and restore a backup";
    /// A unit's place in the hierarchy does not follow from the unit above it.
    Path = "path", "请通过接口修改其上级单位再改回，或从备份恢复。", "change its parent and back by the API, or restore a backup";
    /// An import says something else than its rows.
    Import = "import", "请用同一文件重新导入。", "send the same file again";
    /// A webhook is where it cannot be.
    Webhook = "webhook", "请通过接口重发。", "replay it by the API";
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub kind: Kind,
    /// Where: an address of the API, or a table and its key.
    pub at: String,
    /// What was found.
    pub found: Text,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, remedy) = (self.kind.as_str(), self.kind.remedy());
        let line = format!(
            "{word}  {}  {}{} / {}: {}",
            self.at, self.found.zh, remedy.zh, self.found.en, remedy.en
        );
        // One line for each, whatever a message of the engine holds.
        f.write_str(&line.replace(['\n', '\r'], " "))
    }
}

/// A fault as a line of JSON.
#[derive(Debug, Serialize)]
pub struct FaultLine<'a> {
    kind: Kind,
    at: &'a str,
    detail: &'a str,
    detail_zh: &'a str,
    remedy: String,
    remedy_zh: String,
}

impl Fault {
    /// It as a line of JSON.
    pub fn line(&self) -> FaultLine<'_> {
        let remedy = self.kind.remedy();
        FaultLine {
            kind: self.kind,
            at: &self.at,
            detail: &self.found.en,
            detail_zh: &self.found.zh,
            remedy: remedy.en.into_owned(),
            remedy_zh: remedy.zh.into_owned(),
        }
    }
}

/// How many faults are told; after that many it is clear enough.
const MOST: usize = 1000;

/// How many faults one question to the database gives.
const MOST_ROWS: usize = 20;

/// What was found so far, by whoever looks.
#[derive(Debug, Default)]
struct Findings {
    faults: Mutex<Vec<Fault>>,
    scores: AtomicU64,
}

impl Findings {
    fn add(&self, kind: Kind, at: impl Into<String>, found: Text) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < MOST {
            faults.push(Fault {
                kind,
                at: at.into(),
                found,
            });
        }
    }

    fn counted(&self, scores: u64) {
        self.scores.fetch_add(scores, Ordering::Relaxed);
    }

    /// Takes a step of its own: what the database cannot give is a fault like others, and the rest is looked at all the same.
    fn step(&self, conn: &mut AnyConnection, at: &str, work: impl FnOnce(&mut AnyConnection) -> Result<(), Failure>) {
        use diesel::Connection;
        // A savepoint: on PostgreSQL a statement that failed would take all that come after along.
        if let Err(error) = conn.transaction(work) {
            self.add(
                Kind::Unreadable,
                at,
                Text::new(format!("无法读取：{error}。"), error.to_string()),
            );
        }
    }
}

/// What a check came to.
#[derive(Debug)]
pub struct Report {
    /// What is wrong, by kind and place; empty for a sound database.
    pub faults: Vec<Fault>,
    /// How many units were looked at.
    pub units: u64,
    /// How many changes the audit trail has.
    pub changes: i64,
    /// How many frozen scores were worked out again.
    pub scores: u64,
}

/// Looks at all of a database, as it is at one moment. Also beside a running server.
///
/// # Errors
/// When it cannot be opened, or its tables are not of this version of the program.
pub fn check(target: &Target) -> Result<Report, Failure> {
    let mut conn = open_as_it_is(target)?;
    let missing = migrate::missing(&mut conn)?;
    if !missing.is_empty() {
        return Err(format!(
            "the tables are of an earlier version: run `jixiao migrate` first ({})",
            missing.join(", ")
        )
        .into());
    }
    let versions: Versions = migrate::known()?.into_iter().map(|(version, _)| version).collect();
    let tables = catalogue::tables(&versions)?;
    let findings = Findings::default();
    structure::file(&mut conn, &findings);
    let (mut units, mut changes) = (0, 0);
    conn.snapshot(|conn| {
        if !structure::shape(conn, &tables, &findings)? {
            // Nothing can be asked of tables that are not there.
            return Ok(());
        }
        structure::rows(conn, &tables, &findings);
        findings.step(conn, "changes", |conn| {
            let report = verify::verify_within(conn, &[]).map_err(in_english)?;
            changes = report.read;
            for fault in report.faults {
                let text = fault.to_string();
                let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
                findings.add(Kind::Trail, "changes", Text::new(zh.to_owned(), en.to_owned()));
            }
            Ok(())
        });
        findings.step(conn, "units", |conn| {
            units = units::judge(conn, &findings)?;
            Ok(())
        });
        elsewhere::judge(conn, &findings);
        Ok::<(), Failure>(())
    })?;
    let mut faults = findings.faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    faults.sort_by(|a, b| (a.kind, &a.at).cmp(&(b.kind, &b.at)));
    Ok(Report {
        faults,
        units,
        changes,
        scores: findings.scores.into_inner(),
    })
}

fn in_english(problem: crate::http::problem::Problem) -> Failure {
    problem.to_string().into()
}
