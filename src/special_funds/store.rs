//! All SQL of the special funds.

use diesel::prelude::*;

use super::model::{Row, SpecialFundInput};
use crate::db::schema::{fiscal_years, special_funds, units};
use crate::db::{AnyConnection, now};
use crate::http::problem::Problem;

/// The fund of that id with its unit's place in the hierarchy, if there is one.
pub fn find(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<(Row, String)>> {
    special_funds::table
        .inner_join(units::table)
        .filter(special_funds::id.eq(id))
        .select((Row::as_select(), units::path))
        .first(conn)
        .optional()
}

/// What a fund refers to: the unit's place in the hierarchy, and whether the year is open; each `None` if it does not exist.
pub fn referents(conn: &mut AnyConnection, unit: &str, year: i64) -> QueryResult<(Option<String>, Option<String>)> {
    let path = units::table.find(unit).select(units::path).first(conn).optional()?;
    let status = fiscal_years::table
        .find(year)
        .select(fiscal_years::status)
        .first(conn)
        .optional()?;
    Ok((path, status))
}

/// Whether another fund of the unit and year has that name.
pub fn name_taken(conn: &mut AnyConnection, id: &str, fund: &SpecialFundInput) -> QueryResult<Option<String>> {
    special_funds::table
        .filter(special_funds::unit_code.eq(fund.unit.as_str()))
        .filter(special_funds::year.eq(fund.year.get()))
        .filter(special_funds::name.eq(fund.name.as_str()))
        .filter(special_funds::id.ne(id))
        .select(special_funds::id)
        .first(conn)
        .optional()
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this unit.
    pub unit: Option<String>,
    /// Only of this year.
    pub year: Option<i64>,
    /// Only names that contain this.
    pub q: Option<String>,
    /// Only of units whose path begins with one of these; `None`: of all.
    pub visible: Option<Vec<String>>,
}

/// A page of funds by id, after `after`; one more than `limit` where there is a next page.
pub fn list(conn: &mut AnyConnection, filter: &Filter, after: Option<&str>, limit: i64) -> QueryResult<Vec<Row>> {
    let mut query = special_funds::table
        .inner_join(units::table)
        .filter(special_funds::id.gt(after.unwrap_or_default().to_owned()))
        .order(special_funds::id)
        .limit(limit + 1)
        .select(Row::as_select())
        .into_boxed();
    if let Some(unit) = &filter.unit {
        query = query.filter(special_funds::unit_code.eq(unit.clone()));
    }
    if let Some(year) = filter.year {
        query = query.filter(special_funds::year.eq(year));
    }
    if let Some(q) = &filter.q {
        query = query.filter(special_funds::name.like(crate::db::containing(q)).escape('\\'));
    }
    if let Some(visible) = &filter.visible {
        query = query.filter(crate::units::store::within(visible));
    }
    query.load(conn)
}

/// Stores a fund: a new one, or in place of `before`.
///
/// # Errors
/// 500 if the table cannot be written as JSON.
pub fn save(conn: &mut AnyConnection, id: &str, before: Option<Row>, fund: &SpecialFundInput) -> Result<Row, Problem> {
    let body = serde_json::to_string(&fund.table()).map_err(|error| Problem::internal(error.to_string()))?;
    let at = now();
    let row = Row {
        id: id.to_owned(),
        unit_code: fund.unit.as_str().to_owned(),
        year: fund.year.get(),
        name: fund.name.as_str().to_owned(),
        scheme_id: fund.scheme.as_str().to_owned(),
        body,
        version: before.as_ref().map_or(1, |before| before.version + 1),
        created_at: before.as_ref().map_or_else(|| at.clone(), |before| before.created_at.clone()),
        updated_at: at,
    };
    match before {
        None => diesel::insert_into(special_funds::table).values(&row).execute(conn)?,
        Some(_) => diesel::update(special_funds::table.find(id)).set(&row).execute(conn)?,
    };
    Ok(row)
}

/// Deletes a fund.
pub fn delete(conn: &mut AnyConnection, id: &str) -> QueryResult<()> {
    diesel::delete(special_funds::table.find(id)).execute(conn)?;
    Ok(())
}
