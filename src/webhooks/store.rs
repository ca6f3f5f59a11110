//! All SQL of the webhooks. Where one stands is moved without an entry in the change log, which would be an event in its turn.

use std::collections::{HashMap, HashSet};

use diesel::dsl::max;
use diesel::prelude::*;
use serde::Serialize;

use super::model::{DeadRow, Row, State, WebhookInput, latest};
use super::sender::Answer;
use crate::codes::{Ordinal, WebhookId};
use crate::db::changes::{self, Action, Change, Resource};
use crate::db::connection::Backend;
use crate::db::schema::changes as log;
use crate::db::schema::webhook_dead_letters as dead;
use crate::db::schema::{units, webhooks};
use crate::db::{AnyConnection, Tx, now};
use crate::events::store::between;
use crate::http::page::{Limit, Order};
use crate::http::problem::Problem;
use crate::paged;

/// The webhook of that id, if there is one.
pub fn find(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<Row>> {
    webhooks::table.find(id).select(Row::as_select()).first(conn).optional()
}

/// A page of webhooks by id.
pub fn page(conn: &mut AnyConnection, order: Order, cursor: Option<&WebhookId>, limit: Limit) -> QueryResult<Vec<Row>> {
    let query = webhooks::table.select(Row::as_select()).into_boxed::<Backend>();
    let cursor = cursor.map(|id| id.as_str().to_owned());
    paged!(query, webhooks::id, order, cursor, limit).load(conn)
}

/// How many webhooks there are.
pub fn count(conn: &mut AnyConnection) -> QueryResult<i64> {
    webhooks::table.count().get_result(conn)
}

/// Whether there is a unit of that code.
pub fn has_unit(conn: &mut AnyConnection, code: &str) -> QueryResult<bool> {
    let found: Option<String> = units::table.find(code).select(units::code).first(conn).optional()?;
    Ok(found.is_some())
}

/// How many dead letters each webhook has; those without any are left out.
pub fn dead_letters(conn: &mut AnyConnection, ids: &[String]) -> QueryResult<HashMap<String, i64>> {
    let counts: Vec<(String, i64)> = dead::table
        .filter(dead::webhook_id.eq_any(ids))
        .group_by(dead::webhook_id)
        .select((dead::webhook_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts.into_iter().collect())
}

/// What the change log keeps of a webhook: all but its secrets.
#[derive(Serialize)]
struct After<'a> {
    #[serde(flatten)]
    input: &'a WebhookInput,
    /// Until when the secret before signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_until: Option<&'a str>,
    /// After which number it was told to send again.
    #[serde(skip_serializing_if = "Option::is_none")]
    resends_after: Option<i64>,
    /// Which dead letters it was told to send again.
    #[serde(skip_serializing_if = "Option::is_none")]
    resends: Option<&'a [i64]>,
}

fn record(tx: &mut Tx<'_>, action: Action, row: &Row, resends: Option<&[i64]>) -> Result<(), Problem> {
    let after = After {
        input: &WebhookInput::try_from(row).map_err(Problem::internal)?,
        previous_until: row.previous_until.as_deref(),
        resends_after: (action == Action::Replayed && resends.is_none()).then_some(row.state.position),
        resends,
    };
    tx.record(Change::done(action, Resource::Webhook, address(&row.id), &after)?)
}

/// Where the webhook of an id is.
pub fn address(id: &str) -> String {
    format!("/api/v1/webhooks/{id}")
}

/// Stores a new webhook, which sends what comes after this moment.
///
/// # Errors
/// Those of the database.
pub fn create(tx: &mut Tx<'_>, id: String, secret: String, input: &WebhookInput) -> Result<Row, Problem> {
    // The head of the log is stored when all that is written together is done; this sees what was written before.
    let last: Option<i64> = log::table.select(max(log::seq)).get_result(&mut **tx)?;
    let at = now();
    let row = Row {
        id,
        url: input.url.to_string(),
        description: input.description.as_ref().map(ToString::to_string),
        unit_code: input.unit.as_ref().map(ToString::to_string),
        year: input.year.map(|year| year.get()),
        types: input.stored_types(),
        enabled: input.enabled,
        secret,
        previous_secret: None,
        previous_until: None,
        version: 1,
        created_at: at.clone(),
        updated_at: at,
        state: State::after(last.unwrap_or_default()),
    };
    diesel::insert_into(webhooks::table).values(&row).execute(&mut **tx)?;
    record(tx, Action::Created, &row, None)?;
    Ok(row)
}

/// Stores what a webhook is now. What has failed is tried again at once, as the change may be the remedy.
///
/// # Errors
/// Those of the database.
pub fn save(tx: &mut Tx<'_>, before: Row, input: &WebhookInput) -> Result<Row, Problem> {
    let row = Row {
        url: input.url.to_string(),
        description: input.description.as_ref().map(ToString::to_string),
        unit_code: input.unit.as_ref().map(ToString::to_string),
        year: input.year.map(|year| year.get()),
        types: input.stored_types(),
        enabled: input.enabled,
        ..before
    };
    store(tx, row, Action::Updated)
}

/// Gives a webhook a new secret; the old one signs too until then, or no more.
///
/// # Errors
/// Those of the database.
pub fn rotate(tx: &mut Tx<'_>, before: Row, secret: String, old_signs_until: Option<String>) -> Result<Row, Problem> {
    let row = Row {
        previous_secret: old_signs_until.is_some().then_some(before.secret),
        previous_until: old_signs_until,
        secret,
        ..before
    };
    store(tx, row, Action::Rotated)
}

fn store(tx: &mut Tx<'_>, mut row: Row, action: Action) -> Result<Row, Problem> {
    row.version += 1;
    row.updated_at = now();
    row.state.at_once();
    diesel::update(webhooks::table.find(&row.id))
        .set(&row)
        .execute(&mut **tx)?;
    record(tx, action, &row, None)?;
    Ok(row)
}

/// Deletes a webhook and its dead letters.
///
/// # Errors
/// Those of the database.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), Problem> {
    let conn: &mut AnyConnection = tx;
    diesel::delete(dead::table.filter(dead::webhook_id.eq(id))).execute(conn)?;
    diesel::delete(webhooks::table.find(id)).execute(conn)?;
    tx.record(Change::deleted(Resource::Webhook, address(id)))
}

/// Has a webhook go on after the change of that number. What it gave up after it comes again with the rest. Whoever delivers it loses
/// its claim, and with it what it has not stored yet, so that it goes on from there too.
///
/// # Errors
/// Those of the database.
pub fn replay(tx: &mut Tx<'_>, mut row: Row, after: i64) -> Result<Row, Problem> {
    let again = dead::table
        .filter(dead::webhook_id.eq(&row.id))
        .filter(dead::number.gt(after));
    diesel::delete(again).execute(&mut **tx)?;
    row.state.done_with(after);
    row.state.release();
    diesel::update(webhooks::table.find(&row.id))
        .set(&row.state)
        .execute(&mut **tx)?;
    record(tx, Action::Replayed, &row, None)?;
    Ok(row)
}

/// A page of a webhook's dead letters, by number.
pub fn dead_page(
    conn: &mut AnyConnection,
    id: &str,
    order: Order,
    cursor: Option<Ordinal>,
    limit: Limit,
) -> QueryResult<Vec<DeadRow>> {
    let query = dead::table
        .filter(dead::webhook_id.eq(id.to_owned()))
        .select(DeadRow::as_select())
        .into_boxed::<Backend>();
    paged!(query, dead::number, order, cursor.map(Ordinal::get), limit).load(conn)
}

/// The most dead letters that are queued by one request, so that its entry in the change log stays readable.
const MOST_QUEUED: i64 = 1000;

/// Has dead letters of a webhook sent once more, at once: the one of that number, or the first thousand that are not about to be.
/// Those that are queued, by number.
///
/// # Errors
/// Those of the database.
pub fn requeue(tx: &mut Tx<'_>, row: &Row, number: Option<i64>) -> Result<Vec<i64>, Problem> {
    let conn: &mut AnyConnection = tx;
    let mut query = dead::table
        .filter(dead::webhook_id.eq(row.id.clone()))
        .filter(dead::queued.eq(false))
        .select(dead::number)
        .order(dead::number)
        .limit(MOST_QUEUED)
        .into_boxed::<Backend>();
    if let Some(number) = number {
        query = query.filter(dead::number.eq(number));
    }
    let numbers: Vec<i64> = query.load(conn)?;
    if numbers.is_empty() {
        return Ok(numbers);
    }
    let chosen = dead::table
        .filter(dead::webhook_id.eq(&row.id))
        .filter(dead::number.eq_any(&numbers));
    diesel::update(chosen).set(dead::queued.eq(true)).execute(conn)?;
    diesel::update(webhooks::table.find(&row.id))
        .set(webhooks::next_attempt_at.eq(None::<String>))
        .execute(conn)?;
    record(tx, Action::Replayed, row, Some(&numbers))?;
    Ok(numbers)
}

/// The dead letter of that number, if there is one.
pub fn find_dead(conn: &mut AnyConnection, id: &str, number: i64) -> QueryResult<Option<DeadRow>> {
    dead::table
        .find((id, number))
        .select(DeadRow::as_select())
        .first(conn)
        .optional()
}

/// The webhooks that send, and which of them have dead letters to send once more.
pub fn sending(conn: &mut AnyConnection) -> QueryResult<(Vec<Row>, HashSet<String>)> {
    let rows = webhooks::table
        .filter(webhooks::enabled.eq(true))
        .select(Row::as_select())
        .order(webhooks::id)
        .load(conn)?;
    let queued: Vec<String> = dead::table
        .filter(dead::queued.eq(true))
        .select(dead::webhook_id)
        .distinct()
        .load(conn)?;
    Ok((rows, queued.into_iter().collect()))
}

/// How far a webhook is behind.
#[derive(Debug)]
pub struct Behind {
    /// Its id.
    pub id: String,
    /// When the oldest event was that it has still to send; `None` if there is none, or it is turned off.
    pub oldest: Option<String>,
    /// How many events it gave up.
    pub dead: i64,
}

/// How far each webhook is behind `head`. There are few, and each is asked one row.
pub fn behind(conn: &mut AnyConnection, head: i64) -> QueryResult<Vec<Behind>> {
    let rows: Vec<Row> = webhooks::table
        .select(Row::as_select())
        .order(webhooks::id)
        .load(conn)?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let dead = dead_letters(conn, &ids)?;
    rows.into_iter()
        .map(|row| {
            let next = match row.enabled {
                true => between(conn, &row.filter(), (row.state.position, head), 1)?.pop(),
                false => None,
            };
            Ok(Behind {
                dead: dead.get(&row.id).copied().unwrap_or_default(),
                oldest: next.map(|change| change.at),
                id: row.id,
            })
        })
        .collect()
}

/// The changes of a webhook's dead letters that are to be sent once more, in order.
pub fn queued(conn: &mut AnyConnection, id: &str, limit: i64) -> QueryResult<Vec<changes::Row>> {
    dead::table
        .inner_join(log::table.on(log::seq.eq(dead::number)))
        .filter(dead::webhook_id.eq(id))
        .filter(dead::queued.eq(true))
        .order(dead::number)
        .limit(limit)
        .select(changes::Row::as_select())
        .load(conn)
}

/// Makes `runner` the one that delivers a webhook until then, unless another one does, or nothing is to be delivered now. What it
/// claimed already, and did not come to release, it may claim again.
pub fn claim(conn: &mut AnyConnection, id: &str, runner: &str, until: &str) -> QueryResult<Option<Row>> {
    let at = now();
    let free = |row: &Row| row.enabled && row.state.due(runner).is_none_or(|due| *due <= at);
    let Some(mut row) = find(conn, id)?.filter(free) else {
        return Ok(None);
    };
    row.state.claimed_by = Some(runner.to_owned());
    row.state.claimed_until = Some(until.to_owned());
    diesel::update(webhooks::table.find(id)).set(&row.state).execute(conn)?;
    Ok(Some(row))
}

/// A webhook as it is now which stood as `before`; `None` if it is another's by now, was told to go on elsewhere, or is gone.
pub fn still(conn: &mut AnyConnection, before: &Row) -> QueryResult<Option<Row>> {
    let (was, now) = (&before.state, find(conn, &before.id)?);
    Ok(now.filter(|now| now.state.claimed_by == was.claimed_by && now.state.position == was.position))
}

/// Stores how far a webhook is which stood as `before`, and returns it as it is now; `None`, and nothing is stored, where
/// [`still`] finds none. Where it was changed meanwhile, what failed is tried again at once: from `failed_after`, if something did.
pub fn advance(
    conn: &mut AnyConnection,
    before: &Row,
    state: &State,
    failed_after: Option<i64>,
) -> QueryResult<Option<Row>> {
    let Some(mut row) = still(conn, before)? else {
        return Ok(None);
    };
    row.state = state.clone();
    if row.version != before.version {
        // What failed was something else than what it is now.
        row.state.done_with(failed_after.unwrap_or(state.position));
    }
    diesel::update(webhooks::table.find(&row.id))
        .set(&row.state)
        .execute(conn)?;
    Ok(Some(row))
}

/// Turns a webhook off whose receiver is gone for good.
///
/// # Errors
/// Those of the database.
pub fn turn_off(tx: &mut Tx<'_>, row: Row) -> Result<Row, Problem> {
    store(tx, Row { enabled: false, ..row }, Action::Updated)
}

/// Ends the claim that a process has on a webhook (its id, then the process); or all claims, where no other process can be at
/// work.
pub fn release(conn: &mut AnyConnection, claim: Option<(&str, &str)>) -> QueryResult<()> {
    let mut claimed = webhooks::table
        .filter(webhooks::claimed_by.is_not_null())
        .select(webhooks::id)
        .into_boxed::<Backend>();
    if let Some((id, runner)) = claim {
        claimed = claimed
            .filter(webhooks::id.eq(id.to_owned()))
            .filter(webhooks::claimed_by.eq(runner.to_owned()));
    }
    let ids: Vec<String> = claimed.load(conn)?;
    diesel::update(webhooks::table.filter(webhooks::id.eq_any(ids)))
        .set((
            webhooks::claimed_by.eq(None::<String>),
            webhooks::claimed_until.eq(None::<String>),
        ))
        .execute(conn)
        .map(drop)
}

/// Moves webhooks on over changes that they do not send: each from where it stood, if it still stands there and nobody
/// delivers it.
pub fn pass_over(conn: &mut AnyConnection, passed: &[(String, i64)], to: i64) -> QueryResult<()> {
    for (id, from) in passed {
        let free = webhooks::claimed_until
            .is_null()
            .or(webhooks::claimed_until.assume_not_null().lt(now()))
            .or(webhooks::claimed_until.assume_not_null().gt(latest()));
        let still = webhooks::table
            .find(id)
            .filter(webhooks::position.eq(from))
            .filter(free);
        diesel::update(still).set(webhooks::position.eq(to)).execute(conn)?;
    }
    Ok(())
}

/// Gives an event up: it becomes a dead letter, or is one again.
pub fn bury(conn: &mut AnyConnection, id: &str, number: i64, attempts: i64, answer: &Answer) -> QueryResult<()> {
    let known = find_dead(conn, id, number)?;
    let row = DeadRow {
        webhook_id: id.to_owned(),
        number,
        attempts: attempts + known.as_ref().map_or(0, |known| known.attempts),
        last_status: answer.status.map(i64::from),
        last_answer: answer.text.clone(),
        died_at: now(),
        queued: false,
    };
    match known {
        None => diesel::insert_into(dead::table).values(&row).execute(conn),
        Some(_) => diesel::update(dead::table.find((id, number))).set(&row).execute(conn),
    }
    .map(drop)
}

/// Takes an event that was delivered after all off the dead letters.
pub fn unbury(conn: &mut AnyConnection, id: &str, number: i64) -> QueryResult<()> {
    diesel::delete(dead::table.find((id, number))).execute(conn).map(drop)
}
