//! Holds the audit trail against its hashes: whether a change was altered, put in or taken out.

use std::fmt;

use super::store;
use crate::db::AnyConnection;
use crate::db::changes::Head;
use crate::http::problem::Problem;

/// How many changes are read at once.
const CHUNK: i64 = 500;

/// How many faults are told; after that many it is clear enough.
const MOST_FAULTS: usize = 20;

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// Where the trail ends, as the database says.
    pub head: Head,
    /// How many changes were read.
    pub read: i64,
    /// What is wrong; empty for a trail that nobody has tampered with.
    pub faults: Vec<Fault>,
}

/// What is wrong with a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Changes are missing, from the first of these numbers to the last.
    Missing(i64, i64),
    /// A change does not have the hash that follows from the one before it and from its own content.
    Altered(i64),
    /// The trail does not end with the hash that the database noted last.
    WrongEnd(i64),
    /// There are changes after the last one that the database noted.
    Surplus(i64),
    /// A change does not have the hash that was noted down for it.
    NotAsNoted(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(first, last) => write!(
                f,
                "变更{first}至{last}缺失，可能已被删除。 / changes {first} to {last} are missing"
            ),
            Self::Altered(seq) => write!(
                f,
                "变更{seq}的哈希值与其内容及前一变更不符，可能已被篡改。 / \
                 change {seq} does not have the hash that follows from its content and the change before it"
            ),
            Self::WrongEnd(seq) => write!(
                f,
                "最后一项变更{seq}的哈希值与数据库记录不符。 / the last change, {seq}, does not have the hash that was noted for the end"
            ),
            Self::Surplus(seq) => write!(
                f,
                "变更{seq}超出数据库记录的末尾。 / change {seq} is after the end that was noted"
            ),
            Self::NotAsNoted(seq) => write!(
                f,
                "变更{seq}与留存的哈希值不符。 / change {seq} does not have the hash that was given for it"
            ),
        }
    }
}

/// A hash that someone noted down, of the change of that number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    seq: i64,
    hash: String,
}

impl std::str::FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (seq, hash) = text.split_once(':')?;
            let is_hash = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            let seq = seq.parse().ok().filter(|seq| *seq >= 1)?;
            is_hash.then(|| Self {
                seq,
                hash: hash.to_owned(),
            })
        };
        parse()
            .ok_or_else(|| "an anchor is the number of a change, a colon, and its hash of 64 hexadecimal digits".into())
    }
}

/// Reads the whole trail, as it is at one moment, a part at a time, and holds every change against the one before it.
///
/// # Errors
/// 500 when the database cannot be read.
pub fn verify(conn: &mut AnyConnection, anchors: &[Anchor]) -> Result<Report, Problem> {
    conn.snapshot(|conn| verify_within(conn, anchors))
}

/// The same within a transaction that has begun.
///
/// # Errors
/// As [`verify`].
pub fn verify_within(conn: &mut AnyConnection, anchors: &[Anchor]) -> Result<Report, Problem> {
    let mut report = Report {
        head: Head::load(conn)?,
        read: 0,
        faults: Vec::new(),
    };
    let mut last = Head {
        seq: 0,
        hash: "0".repeat(64),
    };
    while report.faults.len() < MOST_FAULTS {
        let rows = store::after(conn, last.seq, CHUNK)?;
        if rows.is_empty() {
            report.end(&last);
            report.faults.extend(unseen(anchors, &last));
            break;
        }
        for row in rows {
            report.read += 1;
            let hash = row
                .hash_after(&last.hash)
                .map_err(|error| Problem::internal(error.to_string()))?;
            if row.seq != last.seq + 1 {
                report.faults.push(Fault::Missing(last.seq + 1, row.seq - 1));
            } else if hash != row.hash {
                report.faults.push(Fault::Altered(row.seq));
            }
            if anchors
                .iter()
                .any(|noted| noted.seq == row.seq && noted.hash != row.hash)
            {
                report.faults.push(Fault::NotAsNoted(row.seq));
            }
            last = Head {
                seq: row.seq,
                hash: row.hash,
            };
        }
    }
    Ok(report)
}

fn unseen<'a>(anchors: &'a [Anchor], last: &'a Head) -> impl Iterator<Item = Fault> + 'a {
    let beyond = anchors.iter().filter(|noted| noted.seq > last.seq);
    beyond.map(|noted| Fault::NotAsNoted(noted.seq))
}

impl Report {
    fn end(&mut self, last: &Head) {
        if last.seq < self.head.seq {
            self.faults.push(Fault::Missing(last.seq + 1, self.head.seq));
        } else if last.seq > self.head.seq {
            self.faults.push(Fault::Surplus(self.head.seq + 1));
        } else if last.hash != self.head.hash {
            self.faults.push(Fault::WrongEnd(last.seq));
        }
    }
}
