//! Answers given again as they are while nothing in the database has changed since they were made.
//!
//! Only where this process alone changes the database, which is on SQLite: there it knows the number of the last change before
//! whoever made the change is told of it. Several servers on one PostgreSQL would have to ask for that number, which costs as much
//! as most answers do; there nothing is kept here.

use std::sync::Arc;

use actix_web::web::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Serialize;

use super::accept::json;
use super::etag::ETag;
use super::problem::Problem;
use crate::db::Db;

/// An answer that follows from nothing but its address, who may see it, and the database.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its tag.
    pub etag: ETag,
    /// The place in the hierarchy of the unit that it is about, by which to judge who may see it; empty for a list.
    pub unit_path: String,
    /// The `Link` to the next page of a list, if there is one.
    pub next: Option<String>,
    /// What it says.
    pub body: Bytes,
}

impl Answer {
    /// A page of a list as JSON, with a tag over its content; `next` is its `Link`.
    ///
    /// # Errors
    /// 500; none for a program that passed its tests.
    pub fn page(page: &impl Serialize, next: Option<String>) -> Result<Self, Problem> {
        let body = json(page)?;
        Ok(Self {
            etag: ETag::weak(&body),
            unit_path: String::new(),
            next,
            body,
        })
    }
}

#[derive(Debug)]
struct Kept {
    /// The last change before it was made.
    seen: i64,
    answer: Answer,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<String, Arc<Kept>> for ByBytes {
    fn weight(&self, key: &String, kept: &Arc<Kept>) -> u64 {
        (kept.answer.body.len() + kept.answer.unit_path.len() + key.len() + 300) as u64
    }
}

/// The answers asked for most, up to a bound in bytes.
#[derive(Debug)]
pub struct Answers(Cache<String, Arc<Kept>, ByBytes>);

/// What may be kept. The bodies of scores are those of the scores' own cache, not copies.
const BYTES: u64 = 16 * 1024 * 1024;

impl Default for Answers {
    fn default() -> Self {
        Self(Cache::with_weighter(1000, BYTES, ByBytes))
    }
}

impl Answers {
    /// The answer that was made for `key` if nothing has changed since, else what `make` makes; and whether it was there. The key
    /// holds all that the answer depends on besides the database.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub async fn get_or_make(
        &self,
        db: &Db,
        key: String,
        make: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<(Answer, bool), Problem> {
        // Before anything is read: what is read may be newer than this number says, never older.
        let Some(seen) = db.last_change() else {
            return Ok((make.await?, false));
        };
        if let Some(kept) = self.0.get(&key)
            && kept.seen == seen
        {
            return Ok((kept.answer.clone(), true));
        }
        let answer = make.await?;
        let kept = Kept {
            seen,
            answer: answer.clone(),
        };
        self.0.insert(key, Arc::new(kept));
        Ok((answer, false))
    }
}
