//! All SQL of the scoring schemes.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::library::Edition;
use super::model::{EntryRow, Row, Stored, Users};
use crate::db::connection::Backend;
use crate::db::schema::{fiscal_years, scoring_schemes, special_funds};
use crate::db::{AnyConnection, Tx, now};
use crate::http::page::{Limit, Order};
use crate::http::problem::Problem;
use crate::paged;
use crate::scoring::builtin::BUILTINS;
use crate::scoring::scheme::SchemeDocument;
use crate::scoring::text::SchemeId;

/// The scheme of that id, if there is one.
pub fn find(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<Row>> {
    scoring_schemes::table
        .find(id)
        .select(Row::as_select())
        .first(conn)
        .optional()
}

/// Which edition of a scheme is stored; `None` if there is no such scheme.
pub fn edition(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<Edition>> {
    let columns: Option<(i64, String)> = scoring_schemes::table
        .find(id)
        .select((scoring_schemes::version, scoring_schemes::updated_at))
        .first(conn)
        .optional()?;
    Ok(columns.map(|(version, updated_at)| Edition { version, updated_at }))
}

/// A page of schemes by id; only templates, or only what is none, where `template` says so.
pub fn list(
    conn: &mut AnyConnection,
    template: Option<bool>,
    order: Order,
    cursor: Option<&SchemeId>,
    limit: Limit,
) -> QueryResult<Vec<EntryRow>> {
    use scoring_schemes::dsl;
    let mut query = dsl::scoring_schemes
        .select((
            dsl::id,
            dsl::name,
            dsl::builtin,
            dsl::template,
            dsl::version,
            dsl::updated_at,
            exists(fiscal_years::table.filter(fiscal_years::scheme_id.eq(dsl::id))),
            exists(special_funds::table.filter(special_funds::scheme_id.eq(dsl::id))),
        ))
        .into_boxed::<Backend>();
    if let Some(template) = template {
        query = query.filter(dsl::template.eq(template));
    }
    paged!(query, dsl::id, order, cursor.map(|id| id.as_str().to_owned()), limit).load(conn)
}

/// What uses a scheme.
pub fn users(conn: &mut AnyConnection, id: &str) -> QueryResult<Users> {
    Ok(Users {
        fiscal_years: fiscal_years::table
            .filter(fiscal_years::scheme_id.eq(id))
            .select(fiscal_years::year)
            .order(fiscal_years::year)
            .load(conn)?,
        special_funds: special_funds::table
            .filter(special_funds::scheme_id.eq(id))
            .count()
            .get_result(conn)?,
    })
}

/// The scheme of that id and what uses it, if there is one.
pub fn find_with_users(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<Stored>> {
    let Some(row) = find(conn, id)? else { return Ok(None) };
    let users = users(conn, id)?;
    Ok(Some(Stored { row, users }))
}

/// Stores a new scheme.
pub fn insert(
    conn: &mut AnyConnection,
    id: &str,
    document: &SchemeDocument,
    body: String,
    builtin: bool,
) -> QueryResult<Row> {
    let at = now();
    let row = Row {
        id: id.to_owned(),
        name: document.name.as_str().to_owned(),
        body,
        builtin,
        template: document.template,
        version: 1,
        created_at: at.clone(),
        updated_at: at,
    };
    diesel::insert_into(scoring_schemes::table).values(&row).execute(conn)?;
    Ok(row)
}

/// Replaces the document of a stored scheme.
pub fn update(conn: &mut AnyConnection, row: Row, document: &SchemeDocument, body: String) -> QueryResult<Row> {
    let row = Row {
        name: document.name.as_str().to_owned(),
        body,
        template: document.template,
        version: row.version + 1,
        updated_at: now(),
        ..row
    };
    diesel::update(scoring_schemes::table.find(&row.id))
        .set(&row)
        .execute(conn)?;
    Ok(row)
}

/// Deletes a scheme.
pub fn delete(conn: &mut AnyConnection, id: &str) -> QueryResult<()> {
    diesel::delete(scoring_schemes::table.find(id)).execute(conn)?;
    Ok(())
}

/// Brings the schemes that come with the program into the table.
///
/// One that a fiscal year or fund already uses is left as it was, even if the program now has a corrected one: what was
/// scored by it must be scored the same again.
///
/// # Errors
/// 500 when the database fails.
pub fn install_builtins(tx: &mut Tx<'_>) -> Result<(), Problem> {
    for builtin in &BUILTINS {
        let read = builtin
            .document()
            .and_then(|document| Ok((serde_json::to_string(&document)?, document)));
        let (body, document) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, id = builtin.id, "a built-in scheme cannot be read");
                continue;
            }
        };
        match find(tx, builtin.id)? {
            None => {
                let row = insert(tx, builtin.id, &document, body, true)?;
                tx.record(row.change(true))?;
            }
            Some(row) if row.body == body => {}
            Some(row) => {
                let users = users(tx, builtin.id)?;
                if users.any() {
                    tracing::warn!(
                        id = builtin.id,
                        ?users,
                        "this scheme is in use, so its newer edition was not installed"
                    );
                } else {
                    let row = update(tx, row, &document, body)?;
                    tx.record(row.change(false))?;
                }
            }
        }
    }
    Ok(())
}
