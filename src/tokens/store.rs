//! All SQL of the tokens.

use diesel::prelude::*;

use super::model::{NewToken, Role, Row, StoredToken};
use crate::db::schema::{token_units, tokens, units};
use crate::db::{AnyConnection, now};
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

/// Makes and stores a token, bound to `unit_codes`.
///
/// # Errors
/// 409 if one of the units does not exist, 500 without random bytes.
pub fn create(conn: &mut AnyConnection, name: &str, role: Role, unit_codes: &[&str]) -> Result<String, Problem> {
    let new = NewToken::generate(name, role, now()).map_err(|error| Problem::internal(error.to_string()))?;
    diesel::insert_into(tokens::table).values(&new.row).execute(conn)?;
    for code in unit_codes {
        diesel::insert_into(token_units::table)
            .values((token_units::token_id.eq(&new.row.id), token_units::unit_code.eq(code)))
            .execute(conn)?;
    }
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
pub fn create_first(conn: &mut AnyConnection) -> Result<Option<String>, Problem> {
    let any: Option<String> = tokens::table.select(tokens::id).first(conn).optional()?;
    match any {
        Some(_) => Ok(None),
        None => create(conn, "first", Role::Bureau, &[]).map(Some),
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
pub fn revoke(conn: &mut AnyConnection, id: &str) -> QueryResult<bool> {
    diesel::delete(token_units::table.filter(token_units::token_id.eq(id))).execute(conn)?;
    Ok(diesel::delete(tokens::table.find(id)).execute(conn)? > 0)
}
