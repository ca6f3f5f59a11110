//! All SQL of the report templates.

use diesel::prelude::*;

use super::model::{InForce, Row, Wording};
use crate::codes::FiscalYear;
use crate::db::schema::{fiscal_years, report_templates};
use crate::db::{AnyConnection, now};

/// What the reports of a year are written by; `None` if the year is not set up.
pub fn find(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Option<Wording>> {
    let found: Option<(Option<String>, Option<Row>)> = fiscal_years::table
        .left_join(report_templates::table)
        .filter(fiscal_years::year.eq(year.get()))
        .select((fiscal_years::notice_number, Option::<Row>::as_select()))
        .first(conn)
        .optional()?;
    Ok(found.map(|(notice, row)| Wording {
        notice,
        template: row.map_or(InForce::BuiltIn, InForce::Own),
    }))
}

/// Stores a year's own template in place of the one in force, or takes it away (`None`).
pub fn set(
    conn: &mut AnyConnection,
    year: FiscalYear,
    before: &InForce,
    template: Option<&str>,
) -> QueryResult<InForce> {
    let stored = report_templates::table.find(year.get());
    let Some(template) = template else {
        diesel::delete(stored).execute(conn)?;
        return Ok(InForce::BuiltIn);
    };
    let at = now();
    let row = match before {
        InForce::Own(row) => Row {
            template: template.to_owned(),
            version: row.version + 1,
            updated_at: at,
            ..row.clone()
        },
        InForce::BuiltIn => Row {
            year: year.get(),
            template: template.to_owned(),
            version: 1,
            created_at: at.clone(),
            updated_at: at,
        },
    };
    match before {
        InForce::Own(_) => diesel::update(stored).set(&row).execute(conn)?,
        InForce::BuiltIn => diesel::insert_into(report_templates::table)
            .values(&row)
            .execute(conn)?,
    };
    Ok(InForce::Own(row))
}
