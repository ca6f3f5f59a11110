//! All SQL of the special funds.

use diesel::prelude::*;

use super::model::{EntryRow, Row, SpecialFundInput};
use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::db::connection::Backend;
use crate::db::schema::{fiscal_years, special_funds, units};
use crate::db::sql::{codes_reached_by, containing, lower};
use crate::db::{AnyConnection, now};
use crate::http::page::{Limit, Order};
use crate::http::problem::Problem;
use crate::paged;

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
    pub unit: Option<UnitCode>,
    /// Only of this year.
    pub year: Option<FiscalYear>,
    /// Only those that go on in the next year, or only those that do not.
    pub continues: Option<bool>,
    /// Only those whose name contains this.
    pub q: Option<String>,
    /// Only those that the token of this id reaches; `None`: all.
    pub scope: Option<String>,
}

/// A page of funds by id.
pub fn list(
    conn: &mut AnyConnection,
    filter: &Filter,
    order: Order,
    cursor: Option<&FundId>,
    limit: Limit,
) -> QueryResult<Vec<EntryRow>> {
    use special_funds::dsl;
    let mut query = dsl::special_funds
        .select((
            dsl::id,
            dsl::unit_code,
            dsl::year,
            dsl::name,
            dsl::scheme_id,
            dsl::continues,
            dsl::version,
            dsl::updated_at,
        ))
        .into_boxed::<Backend>();
    if let Some(unit) = &filter.unit {
        query = query.filter(dsl::unit_code.eq(unit.as_str()));
    }
    if let Some(year) = filter.year {
        query = query.filter(dsl::year.eq(year.get()));
    }
    if let Some(continues) = filter.continues {
        query = query.filter(dsl::continues.eq(continues));
    }
    if let Some(q) = &filter.q {
        query = query.filter(lower(dsl::name).like(lower(containing(q))).escape('\\'));
    }
    if let Some(scope) = &filter.scope {
        query = query.filter(dsl::unit_code.eq_any(codes_reached_by(scope.clone())));
    }
    paged!(query, dsl::id, order, cursor.map(|id| id.as_str().to_owned()), limit).load(conn)
}

/// Stores a fund: a new one, or in place of `before`.
///
/// # Errors
/// 500 if the table cannot be written as JSON.
pub fn save(conn: &mut AnyConnection, id: &str, before: Option<&Row>, fund: &SpecialFundInput) -> Result<Row, Problem> {
    let body = serde_json::to_string(&fund.table()).map_err(|error| Problem::internal(error.to_string()))?;
    let at = now();
    let row = Row {
        id: id.to_owned(),
        unit_code: fund.unit.as_str().to_owned(),
        year: fund.year.get(),
        name: fund.name.as_str().to_owned(),
        scheme_id: fund.scheme.as_str().to_owned(),
        body,
        version: before.map_or(1, |before| before.version + 1),
        created_at: before.map_or_else(|| at.clone(), |before| before.created_at.clone()),
        updated_at: at,
        continues: fund.continues,
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
