//! All SQL of the tokens.

use diesel::prelude::*;
use serde::Serialize;

use super::model::{NewToken, Role, Row, StoredToken};
use crate::db::changes::{Action, Change, Resource};
use crate::db::schema::{token_units, tokens, units};
use crate::db::{AnyConnection, Tx, now};
use crate::http::problem::Problem;

/// The token of that id, if there is one.
///
/// # Errors
/// 500 if its row holds what this program cannot read.
pub fn find(conn: &mut AnyConnection, id: &str) -> Result<Option<StoredToken>, Problem> {
    let Some(row) = tokens::table.find(id).select(Row::as_select()).first(conn).optional()? else {
        return Ok(None);
    };
    let paths = token_units::table
        .inner_join(units::table)
        .filter(token_units::token_id.eq(id))
        .select(units::path)
        .load(conn)?;
    Ok(Some(StoredToken {
        role: row.role.parse().map_err(Problem::internal)?,
        id: row.id,
        name: row.name,
        secret_hash: row.secret_hash,
        paths,
    }))
}

/// What the change log keeps of a token: all but its secret.
#[derive(Serialize)]
struct After<'a> {
    name: &'a str,
    role: &'a str,
    units: &'a [&'a str],
}

fn address(id: &str) -> String {
    format!("/api/v1/tokens/{id}")
}

/// Makes and stores a token, bound to `unit_codes`.
///
/// # Errors
/// 409 if one of the units does not exist, 500 without random bytes.
pub fn create(tx: &mut Tx<'_>, name: &str, role: Role, unit_codes: &[&str]) -> Result<String, Problem> {
    let conn: &mut AnyConnection = tx;
    let new = NewToken::generate(name, role, now()).map_err(|error| Problem::internal(error.to_string()))?;
    diesel::insert_into(tokens::table).values(&new.row).execute(conn)?;
    for code in unit_codes {
        diesel::insert_into(token_units::table)
            .values((token_units::token_id.eq(&new.row.id), token_units::unit_code.eq(code)))
            .execute(conn)?;
    }
    let after = After {
        name,
        role: &new.row.role,
        units: unit_codes,
    };
    tx.record(Change::done(
        Action::Created,
        Resource::Token,
        address(&new.row.id),
        &after,
    )?)?;
    Ok(new.token)
}

/// Those of `unit_codes` that no unit has.
pub fn unknown_units(conn: &mut AnyConnection, unit_codes: &[&str]) -> QueryResult<Vec<String>> {
    let known: Vec<String> = units::table
        .filter(units::code.eq_any(unit_codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>()))
        .select(units::code)
        .load(conn)?;
    let unknown = unit_codes.iter().filter(|code| !known.iter().any(|one| one == *code));
    Ok(unknown.map(|code| (*code).to_owned()).collect())
}

/// Makes the first token of an empty database: one for the finance bureau; `None` if there is any token already.
///
/// # Errors
/// 500 without random bytes.
pub fn create_first(tx: &mut Tx<'_>) -> Result<Option<String>, Problem> {
    let any: Option<String> = tokens::table.select(tokens::id).first::<String>(&mut **tx).optional()?;
    match any {
        Some(_) => Ok(None),
        None => create(tx, "first", Role::Bureau, &[]).map(Some),
    }
}

/// All tokens, the oldest first, each with the codes of its units.
pub fn list(conn: &mut AnyConnection) -> QueryResult<Vec<(Row, Vec<String>)>> {
    let rows: Vec<Row> = tokens::table
        .order((tokens::created_at, tokens::id))
        .select(Row::as_select())
        .load(conn)?;
    let mut bound: Vec<(String, String)> = token_units::table
        .order((token_units::token_id, token_units::unit_code))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let codes = bound
                .extract_if(.., |(id, _)| *id == row.id)
                .map(|(_, code)| code)
                .collect();
            (row, codes)
        })
        .collect())
}

/// Takes a token back; false if there is none of that id.
///
/// # Errors
/// 500 when the database fails.
pub fn revoke(tx: &mut Tx<'_>, id: &str) -> Result<bool, Problem> {
    let conn: &mut AnyConnection = tx;
    diesel::delete(token_units::table.filter(token_units::token_id.eq(id))).execute(conn)?;
    let gone = diesel::delete(tokens::table.find(id)).execute(conn)? > 0;
    if gone {
        tx.record(Change::deleted(Resource::Token, address(id)))?;
    }
    Ok(gone)
}
