//! All SQL of the units.

use diesel::prelude::*;

use super::model::{Row, Stored, UnitInput, UnitKind};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::connection::Backend;
use crate::db::schema::{evaluations, special_funds, token_units, unit_predecessors, units};
use crate::db::sql::{at_or_below, containing, insert_all, is_under, length, lower, substr};
use crate::db::{AnyConnection, now};
use crate::http::page::{Limit, Order};
use crate::{on_engine, paged};

/// The unit of that code, if there is one.
pub fn find(conn: &mut AnyConnection, code: &str) -> QueryResult<Option<Row>> {
    on_engine!(conn => units::table.find(code).select(Row::as_select()).first(conn)).optional()
}

/// The units of these codes.
pub fn find_all(conn: &mut AnyConnection, codes: &[&str]) -> QueryResult<Vec<Row>> {
    units::table
        .filter(units::code.eq_any(codes.to_vec()))
        .select(Row::as_select())
        .load(conn)
}

/// Of unified social credit codes, those that units have, each with the unit's code.
pub fn holders_of(conn: &mut AnyConnection, usccs: &[&str]) -> QueryResult<Vec<(String, String)>> {
    let found: Vec<(Option<String>, String)> = units::table
        .filter(units::uscc.eq_any(usccs.to_vec()))
        .select((units::uscc, units::code))
        .load(conn)?;
    Ok(found
        .into_iter()
        .filter_map(|(uscc, code)| Some((uscc?, code)))
        .collect())
}

/// Stores new units that continue none.
pub fn insert_all(conn: &mut AnyConnection, rows: &[Row]) -> QueryResult<()> {
    insert_all!(conn, units::table, rows);
    Ok(())
}

/// The rows, each with the units that it continues and those that continue it.
pub fn with_links(conn: &mut AnyConnection, rows: Vec<Row>) -> QueryResult<Vec<Stored>> {
    use unit_predecessors::{predecessor_code, unit_code};
    let links = unit_predecessors::table
        .select((unit_code, predecessor_code))
        .order((unit_code, predecessor_code));
    let links: Vec<(String, String)> = match rows.as_slice() {
        // Said without a list, so that the statement is compiled once and not at each call.
        [row] => {
            let links = links.filter(unit_code.eq(&row.code).or(predecessor_code.eq(&row.code)));
            on_engine!(conn => links.load(conn))?
        }
        rows => {
            let codes: Vec<&str> = rows.iter().map(|row| row.code.as_str()).collect();
            links
                .filter(unit_code.eq_any(codes.clone()).or(predecessor_code.eq_any(codes)))
                .load(conn)?
        }
    };
    let stored = rows.into_iter().map(|row| Stored {
        predecessors: links
            .iter()
            .filter(|(unit, _)| *unit == row.code)
            .map(|(_, predecessor)| predecessor.clone())
            .collect(),
        successors: links
            .iter()
            .filter(|(_, predecessor)| *predecessor == row.code)
            .map(|(unit, _)| unit.clone())
            .collect(),
        row,
    });
    Ok(stored.collect())
}

/// Of some codes, those of units that exist.
pub fn existing(conn: &mut AnyConnection, codes: &[String]) -> QueryResult<Vec<String>> {
    units::table
        .filter(units::code.eq_any(codes.to_vec()))
        .select(units::code)
        .load(conn)
}

/// The first and the last year for which something of the unit is filed; `None` for none.
pub fn years_filed(conn: &mut AnyConnection, code: &str) -> QueryResult<Option<(i64, i64)>> {
    use diesel::dsl::{max, min};
    let (first, last): (Option<i64>, Option<i64>) = evaluations::table
        .filter(evaluations::unit_code.eq(code))
        .select((min(evaluations::year), max(evaluations::year)))
        .first(conn)?;
    let (first_fund, last_fund): (Option<i64>, Option<i64>) = special_funds::table
        .filter(special_funds::unit_code.eq(code))
        .select((min(special_funds::year), max(special_funds::year)))
        .first(conn)?;
    let first = first.into_iter().chain(first_fund).min();
    Ok(first.zip(last.into_iter().chain(last_fund).max()))
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
    /// Only those that are there for this fiscal year.
    pub year: Option<FiscalYear>,
    /// Only those whose name contains this, or whose code begins with it.
    pub q: Option<String>,
    /// Only those of these units and of all below them; `None`: of all.
    pub scope: Option<Vec<String>>,
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
        query = query.filter(is_under(units::code, vec![under.to_string()]));
    }
    if let Some(year) = filter.year {
        let year = year.get();
        query = query
            .filter(units::valid_from.is_null().or(units::valid_from.le(year)))
            .filter(units::valid_to.is_null().or(units::valid_to.ge(year)));
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
        query = query.filter(is_under(units::code, scope.clone()));
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

/// A piece of all units, those above before those below them: after the place `after`, at most `most`.
pub fn walk(
    conn: &mut AnyConnection,
    (year, within): (Option<FiscalYear>, &[Vec<String>]),
    after: &str,
    most: i64,
) -> QueryResult<Vec<Row>> {
    let mut query = units::table.select(Row::as_select()).into_boxed::<Backend>();
    if let Some(year) = year.map(FiscalYear::get) {
        query = query
            .filter(units::valid_from.is_null().or(units::valid_from.le(year)))
            .filter(units::valid_to.is_null().or(units::valid_to.ge(year)));
    }
    for codes in within {
        query = query.filter(is_under(units::code, codes.clone()));
    }
    query
        .filter(units::path.gt(after.to_owned()))
        .order(units::path)
        .limit(most)
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
    let row = Row::new(code, before, input, path, &now());
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
    forget_predecessors(conn, &row.code)?;
    let links: Vec<_> = input
        .continues()
        .into_iter()
        .map(|predecessor| {
            (
                unit_predecessors::unit_code.eq(row.code.clone()),
                unit_predecessors::predecessor_code.eq(predecessor),
            )
        })
        .collect();
    for link in links {
        diesel::insert_into(unit_predecessors::table)
            .values(link)
            .execute(conn)?;
    }
    Ok(row)
}

fn forget_predecessors(conn: &mut AnyConnection, code: &str) -> QueryResult<usize> {
    diesel::delete(unit_predecessors::table.filter(unit_predecessors::unit_code.eq(code))).execute(conn)
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
    /// Units that continue it.
    pub successors: i64,
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
        successors: unit_predecessors::table
            .filter(unit_predecessors::predecessor_code.eq(code))
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

/// Deletes a unit, and that it continues others.
pub fn delete(conn: &mut AnyConnection, code: &str) -> QueryResult<()> {
    forget_predecessors(conn, code)?;
    diesel::delete(units::table.find(code)).execute(conn)?;
    Ok(())
}
