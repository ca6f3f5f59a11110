//! All SQL of the evaluations.

use diesel::prelude::*;

use super::model::Row;
use crate::db::schema::{evaluations, fiscal_years, scoring_schemes, units};
use crate::db::{AnyConnection, now};
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
pub fn context(conn: &mut AnyConnection, unit: &str, year: i64) -> QueryResult<Option<Context>> {
    type Columns = ((String, String), (String, String), (i64, String), Option<Row>);
    let found: Option<Columns> = units::table
        .inner_join(fiscal_years::table.on(fiscal_years::year.eq(year)))
        .inner_join(scoring_schemes::table.on(scoring_schemes::id.eq(fiscal_years::scheme_id)))
        .left_join(
            evaluations::table.on(evaluations::unit_code
                .eq(units::code)
                .and(evaluations::year.eq(fiscal_years::year))),
        )
        .filter(units::code.eq(unit))
        .select((
            (units::name, units::path),
            (fiscal_years::status, fiscal_years::scheme_id),
            (scoring_schemes::version, scoring_schemes::updated_at),
            Option::<Row>::as_select(),
        ))
        .first(conn)
        .optional()?;
    Ok(found.map(|((unit_name, unit_path), (year_status, scheme_id), (version, updated_at), evaluation)| Context {
        unit_name,
        unit_path,
        year_status,
        scheme_id,
        scheme_edition: Edition { version, updated_at },
        evaluation,
    }))
}

/// Whether the unit exists: what to say when [`context`] found nothing.
pub fn unit_exists(conn: &mut AnyConnection, unit: &str) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(units::table.find(unit))).get_result(conn)
}

/// A part of an evaluation: one document with a version of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The base data sheet.
    BaseData,
    /// The assessments.
    Assessments,
}

impl Part {
    /// The stored document and its version; 0 before the first.
    pub fn of(self, row: Option<&Row>) -> (Option<&str>, i64) {
        match (self, row) {
            (_, None) => (None, 0),
            (Self::BaseData, Some(row)) => (row.base_data.as_deref(), row.base_data_version),
            (Self::Assessments, Some(row)) => (row.assessments.as_deref(), row.assessments_version),
        }
    }
}

/// Stores a part, or takes it away (`None`). The row goes with its last part.
pub fn set(
    conn: &mut AnyConnection,
    unit: &str,
    year: i64,
    before: Option<Row>,
    part: Part,
    document: Option<String>,
) -> QueryResult<Option<Row>> {
    let at = now();
    let is_new = before.is_none();
    let mut row = before.unwrap_or_else(|| Row {
        unit_code: unit.to_owned(),
        year,
        state: "draft".to_owned(),
        base_data: None,
        base_data_version: 0,
        assessments: None,
        assessments_version: 0,
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
    }
    if row.base_data.is_none() && row.assessments.is_none() {
        diesel::delete(evaluations::table.find((unit, year))).execute(conn)?;
        return Ok(None);
    }
    if is_new {
        diesel::insert_into(evaluations::table).values(&row).execute(conn)?;
    } else {
        diesel::update(evaluations::table.find((unit, year))).set(&row).execute(conn)?;
    }
    Ok(Some(row))
}

/// A page of a unit's evaluations by year, after `after`; one more than `limit` where there is a next page.
pub fn list(conn: &mut AnyConnection, unit: &str, after: Option<i64>, limit: i64) -> QueryResult<Vec<(i64, String, String)>> {
    evaluations::table
        .filter(evaluations::unit_code.eq(unit))
        .filter(evaluations::year.gt(after.unwrap_or(0)))
        .order(evaluations::year)
        .limit(limit + 1)
        .select((evaluations::year, evaluations::created_at, evaluations::updated_at))
        .load(conn)
}
