//! All SQL of the keys.

use diesel::prelude::*;

use crate::db::AnyConnection;
use crate::db::schema::idempotency_keys::{self, dsl};

/// A request that was done, and what it was answered.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub(super) struct Row {
    /// Who sent it, as in the change log; empty where no token is needed.
    pub actor: String,
    /// The key that it carried.
    pub key: String,
    /// The SHA-256 of the request.
    pub fingerprint: String,
    /// When it was done.
    pub at: String,
    /// The HTTP status of the answer.
    pub status: i64,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Location`.
    pub location: Option<String>,
    /// Its body; `None` where it held a secret.
    pub body: Option<String>,
}

/// How many keys that are too old go with each new one: more than one, so that they become fewer.
const PIECE: i64 = 16;

/// What was done under a key of this actor, not before `since`.
pub(super) fn find(conn: &mut AnyConnection, actor: &str, key: &str, since: &str) -> QueryResult<Option<Row>> {
    dsl::idempotency_keys
        .find((actor, key))
        .filter(dsl::at.ge(since))
        .select(Row::as_select())
        .first(conn)
        .optional()
}

/// Keeps what was done under a key that [`find`] did not find, and forgets some of what was done before `since`.
pub(super) fn keep(conn: &mut AnyConnection, row: &Row, since: &str) -> QueryResult<()> {
    let old: Vec<String> = dsl::idempotency_keys
        .filter(dsl::at.lt(since))
        .order(dsl::at)
        .limit(PIECE)
        .select(dsl::at)
        .load(conn)?;
    if let Some(last) = old.last() {
        diesel::delete(dsl::idempotency_keys.filter(dsl::at.le(last))).execute(conn)?;
        // Of this key too, if it is as old and was not among them.
        diesel::delete(dsl::idempotency_keys.find((&row.actor, &row.key))).execute(conn)?;
    }
    diesel::insert_into(dsl::idempotency_keys).values(row).execute(conn)?;
    Ok(())
}
