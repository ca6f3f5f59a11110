//! All SQL of the evaluations.

use diesel::prelude::*;

use super::model::Row;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::connection::Backend;
use crate::db::schema::{evaluations, fiscal_years, scoring_schemes, units};
use crate::db::{AnyConnection, now};
use crate::http::page::{Limit, Order};
use crate::paged;
use crate::schemes::library::Edition;

/// A unit's year with all that handling it needs, read in one statement.
#[derive(Debug, Clone)]
pub struct Context {
    /// The unit's name.
    pub unit_name: String,
    /// The unit's place in the hierarchy.
    pub unit_path: String,
    /// Whether the fiscal year is open.
    pub year_status: String,
    /// The id of the scheme in force for the year.
    pub scheme_id: String,
    /// The edition of that scheme.
    pub scheme_edition: Edition,
    /// What is filed; `None` before anything is.
    pub evaluation: Option<Row>,
}

/// The year of a unit; `None` unless both exist.
pub fn context(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear) -> QueryResult<Option<Context>> {
    type Columns = ((String, String), (String, String), (i64, String), Option<Row>);
    let found: Option<Columns> = units::table
        .inner_join(fiscal_years::table.on(fiscal_years::year.eq(year.get())))
        .inner_join(scoring_schemes::table.on(scoring_schemes::id.eq(fiscal_years::scheme_id)))
        .left_join(
            evaluations::table.on(evaluations::unit_code
                .eq(units::code)
                .and(evaluations::year.eq(fiscal_years::year))),
        )
        .filter(units::code.eq(unit.as_str()))
        .select((
            (units::name, units::path),
            (fiscal_years::status, fiscal_years::scheme_id),
            (scoring_schemes::version, scoring_schemes::updated_at),
            Option::<Row>::as_select(),
        ))
        .first(conn)
        .optional()?;
    Ok(found.map(
        |((unit_name, unit_path), (year_status, scheme_id), (version, updated_at), evaluation)| Context {
            unit_name,
            unit_path,
            year_status,
            scheme_id,
            scheme_edition: Edition { version, updated_at },
            evaluation,
        },
    ))
}

/// The place of a unit in the hierarchy; `None` if it does not exist.
pub fn unit_path(conn: &mut AnyConnection, unit: &UnitCode) -> QueryResult<Option<String>> {
    units::table
        .find(unit.as_str())
        .select(units::path)
        .first(conn)
        .optional()
}

/// A part of an evaluation: one document with a version of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The base data sheet.
    BaseData,
    /// The assessments.
    Assessments,
    /// What the unit wrote itself.
    Claims,
}

impl Part {
    /// The last part of its address.
    pub fn address(self) -> &'static str {
        match self {
            Self::BaseData => "base-data",
            Self::Assessments => "assessments",
            Self::Claims => "claims",
        }
    }

    /// The stored document and its version; 0 before the first.
    pub fn of(self, row: Option<&Row>) -> (Option<&str>, i64) {
        match (self, row) {
            (_, None) => (None, 0),
            (Self::BaseData, Some(row)) => (row.base_data.as_deref(), row.base_data_version),
            (Self::Assessments, Some(row)) => (row.assessments.as_deref(), row.assessments_version),
            (Self::Claims, Some(row)) => (row.claims.as_deref(), row.claims_version),
        }
    }
}

/// Stores a part, or takes it away (`None`). The row goes with its last part.
pub fn set(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    before: Option<Row>,
    part: Part,
    document: Option<String>,
) -> QueryResult<Option<Row>> {
    let at = now();
    let is_new = before.is_none();
    let mut row = before.unwrap_or_else(|| Row {
        unit_code: unit.as_str().to_owned(),
        year: year.get(),
        state: "draft".to_owned(),
        base_data: None,
        base_data_version: 0,
        assessments: None,
        assessments_version: 0,
        claims: None,
        claims_version: 0,
        created_at: at.clone(),
        updated_at: at.clone(),
    });
    row.updated_at = at;
    match part {
        Part::BaseData => {
            row.base_data = document;
            row.base_data_version += 1;
        }
        Part::Assessments => {
            row.assessments = document;
            row.assessments_version += 1;
        }
        Part::Claims => {
            row.claims = document;
            row.claims_version += 1;
        }
    }
    if row.base_data.is_none() && row.assessments.is_none() && row.claims.is_none() {
        diesel::delete(evaluations::table.find((unit.as_str(), year.get()))).execute(conn)?;
        return Ok(None);
    }
    if is_new {
        diesel::insert_into(evaluations::table).values(&row).execute(conn)?;
    } else {
        diesel::update(evaluations::table.find((unit.as_str(), year.get())))
            .set(&row)
            .execute(conn)?;
    }
    Ok(Some(row))
}

/// A year of a unit in its list: the year, when something was first filed, and when something was last changed.
pub type EntryRow = (i64, String, String);

/// A page of a unit's evaluations by year.
pub fn list(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    order: Order,
    cursor: Option<FiscalYear>,
    limit: Limit,
) -> QueryResult<Vec<EntryRow>> {
    let query = evaluations::table
        .filter(evaluations::unit_code.eq(unit.as_str().to_owned()))
        .select((evaluations::year, evaluations::created_at, evaluations::updated_at))
        .into_boxed::<Backend>();
    paged!(query, evaluations::year, order, cursor.map(FiscalYear::get), limit).load(conn)
}
