//! All SQL of the units.

use diesel::prelude::*;

use super::model::{Row, UnitInput, UnitKind};
use crate::codes::UnitCode;
use crate::db::connection::Backend;
use crate::db::schema::{evaluations, special_funds, token_units, units};
use crate::db::sql::{at_or_below, codes_reached_by, containing, length, lower, substr};
use crate::db::{AnyConnection, now};
use crate::http::page::{Limit, Order};
use crate::paged;

/// The unit of that code, if there is one.
pub fn find(conn: &mut AnyConnection, code: &str) -> QueryResult<Option<Row>> {
    units::table.find(code).select(Row::as_select()).first(conn).optional()
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this kind.
    pub kind: Option<UnitKind>,
    /// Only those directly below this unit.
    pub parent: Option<UnitCode>,
    /// Only this unit and all below it.
    pub under: Option<UnitCode>,
    /// Only those whose name contains this, or whose code begins with it.
    pub q: Option<String>,
    /// Only those that the token of this id reaches; `None`: all.
    pub scope: Option<String>,
}

/// A page of units by code.
pub fn list(
    conn: &mut AnyConnection,
    filter: &Filter,
    order: Order,
    cursor: Option<&UnitCode>,
    limit: Limit,
) -> QueryResult<Vec<Row>> {
    let mut query = units::table.select(Row::as_select()).into_boxed::<Backend>();
    if let Some(kind) = filter.kind {
        query = query.filter(units::kind.eq(kind.as_str()));
    }
    if let Some(parent) = &filter.parent {
        query = query.filter(units::parent_code.eq(parent.as_str()));
    }
    if let Some(under) = &filter.under {
        query = query.filter(units::path.like(format!("%/{under}/%")));
    }
    if let Some(q) = &filter.q {
        let pattern = containing(q);
        let beginning = pattern.trim_start_matches('%').to_owned();
        query = query.filter(
            lower(units::name)
                .like(lower(pattern))
                .escape('\\')
                .or(units::code.like(beginning).escape('\\')),
        );
    }
    if let Some(scope) = &filter.scope {
        query = query.filter(units::code.eq_any(codes_reached_by(scope.clone())));
    }
    paged!(
        query,
        units::code,
        order,
        cursor.map(|code| code.as_str().to_owned()),
        limit
    )
    .load(conn)
}

/// The unit that has this unified social credit code, other than `code`.
pub fn holder_of(conn: &mut AnyConnection, uscc: &str, code: &str) -> QueryResult<Option<String>> {
    units::table
        .filter(units::uscc.eq(uscc))
        .filter(units::code.ne(code))
        .select(units::code)
        .first(conn)
        .optional()
}

/// Stores a unit: a new one, or in place of `before`; at `path`, to which those below it move with it.
pub fn save(
    conn: &mut AnyConnection,
    code: &UnitCode,
    before: Option<&Row>,
    input: &UnitInput,
    path: String,
) -> QueryResult<Row> {
    let at = now();
    let row = Row {
        code: code.as_str().to_owned(),
        name: input.name.as_str().to_owned(),
        kind: input.kind.as_str().to_owned(),
        parent_code: input.parent.as_ref().map(|parent| parent.as_str().to_owned()),
        path,
        uscc: input.uscc.as_ref().map(|uscc| uscc.as_str().to_owned()),
        division_code: input.division_code.as_ref().map(|code| code.as_str().to_owned()),
        version: before.map_or(1, |before| before.version + 1),
        created_at: before.map_or_else(|| at.clone(), |before| before.created_at.clone()),
        updated_at: at,
    };
    match before {
        None => {
            diesel::insert_into(units::table).values(&row).execute(conn)?;
        }
        Some(before) => {
            if before.path != row.path {
                // Characters are counted from 1, and codes and slashes are one byte each.
                let rest = i32::try_from(before.path.len() + 1).unwrap_or(i32::MAX);
                diesel::update(units::table.filter(units::path.like(at_or_below(&before.path))))
                    .set(
                        units::path.eq(row
                            .path
                            .clone()
                            .into_sql::<diesel::sql_types::Text>()
                            .concat(substr(units::path, rest))),
                    )
                    .execute(conn)?;
            }
            diesel::update(units::table.find(&row.code)).set(&row).execute(conn)?;
        }
    }
    Ok(row)
}

/// The length of the longest place in the hierarchy at or below `path`.
pub fn longest_path(conn: &mut AnyConnection, path: &str) -> QueryResult<i32> {
    let longest: Option<i32> = units::table
        .filter(units::path.like(at_or_below(path)))
        .select(diesel::dsl::max(length(units::path)))
        .first(conn)?;
    Ok(longest.unwrap_or(0))
}

/// How many rows of each kind refer to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct References {
    /// Units directly below it.
    pub children: i64,
    /// Evaluations of it.
    pub evaluations: i64,
    /// Special funds of it.
    pub special_funds: i64,
    /// Tokens bound to it.
    pub tokens: i64,
}

/// What refers to a unit.
pub fn references(conn: &mut AnyConnection, code: &str) -> QueryResult<References> {
    Ok(References {
        children: units::table
            .filter(units::parent_code.eq(code))
            .count()
            .get_result(conn)?,
        evaluations: evaluations::table
            .filter(evaluations::unit_code.eq(code))
            .count()
            .get_result(conn)?,
        special_funds: special_funds::table
            .filter(special_funds::unit_code.eq(code))
            .count()
            .get_result(conn)?,
        tokens: token_units::table
            .filter(token_units::unit_code.eq(code))
            .count()
            .get_result(conn)?,
    })
}

/// Deletes a unit.
pub fn delete(conn: &mut AnyConnection, code: &str) -> QueryResult<()> {
    diesel::delete(units::table.find(code)).execute(conn)?;
    Ok(())
}
