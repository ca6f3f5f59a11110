//! All SQL of the fiscal years.

use diesel::prelude::*;

use super::model::{FiscalYearInput, Row, YearStatus};
use crate::codes::FiscalYear;
use crate::db::connection::Backend;
use crate::db::schema::{evaluations, fiscal_years, report_templates, scoring_schemes, special_funds, units};
use crate::db::{AnyConnection, now};
use crate::http::page::{Limit, Order};
use crate::paged;

/// That fiscal year, if it is set up.
pub fn find(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Option<Row>> {
    fiscal_years::table
        .find(year.get())
        .select(Row::as_select())
        .first(conn)
        .optional()
}

/// A page of fiscal years.
pub fn list(
    conn: &mut AnyConnection,
    status: Option<YearStatus>,
    order: Order,
    cursor: Option<FiscalYear>,
    limit: Limit,
) -> QueryResult<Vec<Row>> {
    let mut query = fiscal_years::table.select(Row::as_select()).into_boxed::<Backend>();
    if let Some(status) = status {
        query = query.filter(fiscal_years::status.eq(status.as_str()));
    }
    paged!(query, fiscal_years::year, order, cursor.map(FiscalYear::get), limit).load(conn)
}

/// Whether the scheme of that id is a template; `None` if there is no such scheme.
pub fn scheme_is_template(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<bool>> {
    scoring_schemes::table
        .find(id)
        .select(scoring_schemes::template)
        .first(conn)
        .optional()
}

/// Stores a fiscal year: a new one, or in place of `before`.
pub fn save(
    conn: &mut AnyConnection,
    year: FiscalYear,
    before: Option<&Row>,
    input: &FiscalYearInput,
) -> QueryResult<Row> {
    let at = now();
    let row = Row {
        year: year.get(),
        notice_number: input.notice_number.as_ref().map(ToString::to_string),
        opens_on: input.opens_on.map(|day| day.to_string()),
        closes_on: input.closes_on.map(|day| day.to_string()),
        scheme_id: input.scheme.as_str().to_owned(),
        status: input.status.as_str().to_owned(),
        version: before.map_or(1, |before| before.version + 1),
        created_at: before.map_or_else(|| at.clone(), |before| before.created_at.clone()),
        updated_at: at,
    };
    match before {
        None => diesel::insert_into(fiscal_years::table).values(&row).execute(conn)?,
        Some(_) => diesel::update(fiscal_years::table.find(year.get()))
            .set(&row)
            .execute(conn)?,
    };
    Ok(row)
}

/// How many evaluations and special funds a year has.
pub fn references(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<(i64, i64)> {
    Ok((
        evaluations::table
            .filter(evaluations::year.eq(year.get()))
            .count()
            .get_result(conn)?,
        special_funds::table
            .filter(special_funds::year.eq(year.get()))
            .count()
            .get_result(conn)?,
    ))
}

/// How many units are valid in a year.
pub fn units_valid_in(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<i64> {
    units::table
        .filter(units::valid_from.is_null().or(units::valid_from.le(year.get())))
        .filter(units::valid_to.is_null().or(units::valid_to.ge(year.get())))
        .count()
        .get_result(conn)
}

/// Deletes a fiscal year, and the template of its reports along with it.
pub fn delete(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<()> {
    diesel::delete(report_templates::table.find(year.get())).execute(conn)?;
    diesel::delete(fiscal_years::table.find(year.get())).execute(conn)?;
    Ok(())
}
