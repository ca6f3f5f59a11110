//! All SQL of the tokens.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::Serialize;

use super::model::{LastUse, Role, Row, Secret, Stored, StoredToken, TokenInput, new_id};
use crate::codes::{TokenId, UnitCode};
use crate::db::changes::{Action, Change, Resource};
use crate::db::connection::Backend;
use crate::db::schema::{token_units, token_uses, tokens, units};
use crate::db::sql::{containing, lower};
use crate::db::{AnyConnection, Tx, now};
use crate::http::page::{Limit, Order};
use crate::http::problem::Problem;
use crate::paged;

/// The token of that id as requests are judged by it, if there is one.
///
/// # Errors
/// 500 if its row holds what this program cannot read.
pub fn find(conn: &mut AnyConnection, id: &str) -> Result<Option<StoredToken>, Problem> {
    let found: Option<(Row, Option<String>)> = tokens::table
        .left_join(token_uses::table)
        .filter(tokens::id.eq(id))
        .select((Row::as_select(), token_uses::at.nullable()))
        .first(conn)
        .optional()?;
    let Some((row, last_used_at)) = found else {
        return Ok(None);
    };
    let paths = token_units::table
        .inner_join(units::table)
        .filter(token_units::token_id.eq(id))
        .select(units::path)
        .order(units::path)
        .load(conn)?;
    let token = StoredToken::new(row, paths, last_used_at.as_deref());
    token.map(Some).map_err(Problem::internal)
}

/// The places in the hierarchy of those of the units that there are.
pub fn unit_paths(conn: &mut AnyConnection, codes: &[String]) -> QueryResult<Vec<String>> {
    units::table
        .filter(units::code.eq_any(codes))
        .select(units::path)
        .order(units::path)
        .load(conn)
}

/// The token of that id with all that belongs to it, if there is one.
pub fn get(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<Stored>> {
    let row = tokens::table.find(id).select(Row::as_select()).first(conn).optional()?;
    Ok(whole(conn, row.into_iter().collect())?.pop())
}

/// The rows, each with its units and its last use.
fn whole(conn: &mut AnyConnection, rows: Vec<Row>) -> QueryResult<Vec<Stored>> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let bound: Vec<(String, String)> = token_units::table
        .filter(token_units::token_id.eq_any(ids.clone()))
        .order((token_units::token_id, token_units::unit_code))
        .load(conn)?;
    let uses: Vec<(String, String, Option<String>)> =
        token_uses::table.filter(token_uses::token_id.eq_any(ids)).load(conn)?;
    let mut units: HashMap<String, Vec<String>> = HashMap::new();
    for (id, code) in bound {
        units.entry(id).or_default().push(code);
    }
    let mut uses: HashMap<String, LastUse> = uses.into_iter().map(|(id, at, from)| (id, (at, from))).collect();
    let stored = rows.into_iter().map(|row| Stored {
        units: units.remove(&row.id).unwrap_or_default(),
        last_use: uses.remove(&row.id),
        row,
    });
    Ok(stored.collect())
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this role.
    pub role: Option<Role>,
    /// Only those bound to this unit.
    pub unit: Option<UnitCode>,
    /// Only those whose name contains this.
    pub q: Option<String>,
}

/// A page of tokens by id.
pub fn page(
    conn: &mut AnyConnection,
    filter: &Filter,
    order: Order,
    cursor: Option<&TokenId>,
    limit: Limit,
) -> QueryResult<Vec<Stored>> {
    let mut query = tokens::table.select(Row::as_select()).into_boxed::<Backend>();
    if let Some(role) = filter.role {
        query = query.filter(tokens::role.eq(role.as_str()));
    }
    if let Some(unit) = &filter.unit {
        let bound = token_units::table
            .filter(token_units::unit_code.eq(unit.as_str().to_owned()))
            .select(token_units::token_id);
        query = query.filter(tokens::id.eq_any(bound));
    }
    if let Some(q) = &filter.q {
        query = query.filter(lower(tokens::name).like(lower(containing(q))).escape('\\'));
    }
    let cursor = cursor.map(|id| id.as_str().to_owned());
    let rows = paged!(query, tokens::id, order, cursor, limit).load(conn)?;
    whole(conn, rows)
}

/// All tokens, the oldest first: for the command line.
pub fn list(conn: &mut AnyConnection) -> QueryResult<Vec<Stored>> {
    let rows = tokens::table
        .order((tokens::created_at, tokens::id))
        .select(Row::as_select())
        .load(conn)?;
    whole(conn, rows)
}

/// What the change log keeps of a token: all but its secret.
#[derive(Serialize)]
struct After<'a> {
    name: &'a str,
    role: &'a str,
    units: &'a [String],
    scopes: Option<&'a str>,
    expires_at: Option<&'a str>,
    previous_until: Option<&'a str>,
}

fn record(tx: &mut Tx<'_>, action: Action, stored: &Stored) -> Result<(), Problem> {
    let row = &stored.row;
    let after = After {
        name: &row.name,
        role: &row.role,
        units: &stored.units,
        scopes: row.scopes.as_deref(),
        expires_at: row.expires_at.as_deref(),
        previous_until: row.previous_until.as_deref(),
    };
    tx.record(Change::done(action, Resource::Token, address(&row.id), &after)?)
}

/// Where the token of an id is.
pub fn address(id: &str) -> String {
    format!("/api/v1/tokens/{id}")
}

/// Makes and stores a token, and returns it with its secret, which is stored hashed.
///
/// # Errors
/// 409 if one of the units does not exist, 500 without random bytes.
pub fn create(tx: &mut Tx<'_>, input: &TokenInput) -> Result<(Stored, String), Problem> {
    let random = |error: getrandom::Error| Problem::internal(error.to_string());
    let id = new_id().map_err(random)?;
    let secret = Secret::generate(&id).map_err(random)?;
    let at = now();
    let row = Row {
        name: input.name.to_string(),
        secret_hash: secret.hash,
        role: input.role.to_string(),
        created_at: at.clone(),
        scopes: input.stored_scopes(),
        expires_at: input.expires_at.map(|moment| moment.to_string()),
        previous_hash: None,
        previous_until: None,
        version: 1,
        updated_at: at,
        id,
    };
    diesel::insert_into(tokens::table).values(&row).execute(&mut **tx)?;
    let units = input.codes();
    bind(tx, &row.id, &units)?;
    let stored = Stored {
        row,
        units,
        last_use: None,
    };
    record(tx, Action::Created, &stored)?;
    Ok((stored, secret.token))
}

fn bind(conn: &mut AnyConnection, id: &str, units: &[String]) -> QueryResult<()> {
    for code in units {
        diesel::insert_into(token_units::table)
            .values((token_units::token_id.eq(id), token_units::unit_code.eq(code)))
            .execute(conn)?;
    }
    Ok(())
}

/// Stores what a token is now, in place of what it was; its secret stays.
///
/// # Errors
/// 409 if one of the units does not exist.
pub fn save(tx: &mut Tx<'_>, before: Stored, input: &TokenInput) -> Result<Stored, Problem> {
    let conn: &mut AnyConnection = tx;
    let row = Row {
        name: input.name.to_string(),
        role: input.role.to_string(),
        scopes: input.stored_scopes(),
        expires_at: input.expires_at.map(|moment| moment.to_string()),
        version: before.row.version + 1,
        updated_at: now(),
        ..before.row
    };
    diesel::update(tokens::table.find(&row.id)).set(&row).execute(conn)?;
    let units = input.codes();
    if units != before.units {
        diesel::delete(token_units::table.filter(token_units::token_id.eq(&row.id))).execute(conn)?;
        bind(conn, &row.id, &units)?;
    }
    let stored = Stored {
        row,
        units,
        last_use: before.last_use,
    };
    record(tx, Action::Updated, &stored)?;
    Ok(stored)
}

/// Gives a token a new secret, which is returned; the old one works until then, or no more.
///
/// # Errors
/// 500 without random bytes.
pub fn rotate(tx: &mut Tx<'_>, before: Stored, old_works_until: Option<String>) -> Result<(Stored, String), Problem> {
    let secret = Secret::generate(&before.row.id).map_err(|error| Problem::internal(error.to_string()))?;
    let row = Row {
        previous_hash: old_works_until.is_some().then_some(before.row.secret_hash),
        previous_until: old_works_until,
        secret_hash: secret.hash,
        version: before.row.version + 1,
        updated_at: now(),
        ..before.row
    };
    diesel::update(tokens::table.find(&row.id))
        .set(&row)
        .execute(&mut **tx)?;
    let stored = Stored { row, ..before };
    record(tx, Action::Rotated, &stored)?;
    Ok((stored, secret.token))
}

/// Those of `unit_codes` that no unit has.
pub fn unknown_units(conn: &mut AnyConnection, unit_codes: &[String]) -> QueryResult<Vec<String>> {
    let known: Vec<String> = units::table
        .filter(units::code.eq_any(unit_codes.to_vec()))
        .select(units::code)
        .load(conn)?;
    let unknown = unit_codes.iter().filter(|code| !known.contains(code));
    Ok(unknown.cloned().collect())
}

/// Makes the first token of an empty database: one for the finance bureau; `None` if there is any token already.
///
/// # Errors
/// 500 without random bytes.
pub fn create_first(tx: &mut Tx<'_>) -> Result<Option<String>, Problem> {
    let any: Option<String> = tokens::table.select(tokens::id).first(&mut **tx).optional()?;
    if any.is_some() {
        return Ok(None);
    }
    let first = TokenInput {
        name: "first".to_owned().try_into().map_err(Problem::internal)?,
        role: Role::Bureau,
        units: None,
        scopes: None,
        expires_at: None,
    };
    create(tx, &first).map(|(_, token)| Some(token))
}

/// Takes a token back; false if there is none of that id.
///
/// # Errors
/// 500 when the database fails.
pub fn revoke(tx: &mut Tx<'_>, id: &str) -> Result<bool, Problem> {
    let conn: &mut AnyConnection = tx;
    diesel::delete(token_uses::table.filter(token_uses::token_id.eq(id))).execute(conn)?;
    diesel::delete(token_units::table.filter(token_units::token_id.eq(id))).execute(conn)?;
    let gone = diesel::delete(tokens::table.find(id)).execute(conn)? > 0;
    if gone {
        tx.record(Change::deleted(Resource::Token, address(id)))?;
    }
    Ok(gone)
}

/// Notes that a token was used, unless it was taken back meanwhile. What is noted last counts as the latest use: where a later time is
/// known, the clock was set back.
pub fn note_use(conn: &mut AnyConnection, id: &str, at: &str, address: Option<&str>) -> QueryResult<()> {
    let before: Option<Option<String>> = tokens::table
        .left_join(token_uses::table)
        .filter(tokens::id.eq(id))
        .select(token_uses::at.nullable())
        .first(conn)
        .optional()?;
    let values = (token_uses::at.eq(at), token_uses::address.eq(address));
    match before {
        Some(Some(_)) => {
            diesel::update(token_uses::table.find(id)).set(values).execute(conn)?;
        }
        Some(None) => {
            diesel::insert_into(token_uses::table)
                .values((token_uses::token_id.eq(id), values))
                .execute(conn)?;
        }
        None => {}
    }
    Ok(())
}
