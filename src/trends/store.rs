//! All SQL of the trends.

use diesel::prelude::*;

use super::model::{SectionRow, StandingRow, UnitRow};
use crate::db::AnyConnection;
use crate::db::schema::{evaluations, standing_parts, standings, units};

/// The units of these codes.
pub fn units(conn: &mut AnyConnection, codes: &[String]) -> QueryResult<Vec<UnitRow>> {
    units::table
        .filter(units::code.eq_any(codes.to_vec()))
        .select((units::code, units::name, units::path, units::valid_from))
        .load(conn)
}

/// Where these units stand in each year for which a submission of theirs counts, from the first year on.
pub fn standings(conn: &mut AnyConnection, codes: &[String]) -> QueryResult<Vec<StandingRow>> {
    // From the evaluations, whose key begins with the unit; that of the standings begins with the year.
    evaluations::table
        .inner_join(
            standings::table.on(standings::year
                .eq(evaluations::year)
                .and(standings::unit_code.eq(evaluations::unit_code))),
        )
        .filter(evaluations::unit_code.eq_any(codes.to_vec()))
        .order((evaluations::year, evaluations::unit_code))
        .select((
            standings::year,
            standings::unit_code,
            standings::state,
            standings::submission,
            standings::scheme_id,
            standings::grade,
            standings::points,
            standings::self_points,
            standings::low,
            standings::high,
        ))
        .load(conn)
}

/// The sections of those.
pub fn sections(conn: &mut AnyConnection, codes: &[String]) -> QueryResult<Vec<SectionRow>> {
    evaluations::table
        .inner_join(
            standing_parts::table.on(standing_parts::year
                .eq(evaluations::year)
                .and(standing_parts::unit_code.eq(evaluations::unit_code))
                .and(standing_parts::part.eq("section"))),
        )
        .filter(evaluations::unit_code.eq_any(codes.to_vec()))
        .order((standing_parts::year, standing_parts::unit_code, standing_parts::code))
        .select((
            standing_parts::year,
            standing_parts::unit_code,
            standing_parts::code,
            standing_parts::name,
            standing_parts::weight,
            standing_parts::points,
        ))
        .load(conn)
}
