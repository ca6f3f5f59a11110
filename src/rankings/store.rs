//! All SQL of rankings and summaries: a handful of statements for a page or a year, none per row.

use diesel::dsl::{count, count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::model::Place;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::db::connection::Backend;
use crate::db::schema::{evaluations, fiscal_years, scoring_schemes, standing_parts, standings, units};
use crate::http::page::Limit;
use crate::schemes::library::Edition;
use crate::scoring::text::Code;
use crate::units::model::UnitKind;

/// `standing_parts.part` of a section.
pub const SECTION: &str = "section";

/// The scheme in force for a year, by id and edition; `None` if the year is not set up.
pub fn scheme_in_force(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Option<(String, Edition)>> {
    let found: Option<(String, i64, String)> = fiscal_years::table
        .inner_join(scoring_schemes::table)
        .filter(fiscal_years::year.eq(year.get()))
        .select((
            scoring_schemes::id,
            scoring_schemes::version,
            scoring_schemes::updated_at,
        ))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, version, updated_at)| (id, Edition { version, updated_at })))
}

/// Which units are ranked, and by what.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The fiscal year.
    pub year: FiscalYear,
    /// By this section's points; `None`: by the total.
    pub section: Option<Code>,
    /// Only units of this kind.
    pub kind: Option<UnitKind>,
}

/// Adds to a boxed query that it goes by `$points`, most first, then by unit, from behind `$after` on.
///
/// The first condition says no more than the second, but it is the one that an index is entered by.
macro_rules! best_first {
    ($query:expr, $points:expr, $unit:expr, $after:expr, $limit:expr) => {{
        let mut query = $query.order(($points.desc(), $unit.asc())).limit($limit.and_one());
        if let Some(after) = $after {
            query = query
                .filter($points.le(after.points))
                .filter($points.lt(after.points).or($unit.gt(after.unit.clone())));
        }
        query
    }};
}

/// The standings of a year, perhaps of one kind of unit only.
macro_rules! standings_of {
    ($ranked:expr, $select:expr) => {{
        let mut query = standings::table
            .filter(standings::year.eq($ranked.year.get()))
            .select($select)
            .into_boxed::<Backend>();
        if let Some(kind) = $ranked.kind {
            query = query.filter(standings::unit_kind.eq(kind.as_str()));
        }
        query
    }};
}

/// The parts of a year that are this section, perhaps of one kind of unit only.
macro_rules! sections_of {
    ($ranked:expr, $section:expr, $select:expr) => {{
        let mut query = standing_parts::table
            .filter(standing_parts::year.eq($ranked.year.get()))
            .filter(standing_parts::part.eq(SECTION))
            .filter(standing_parts::code.eq($section.as_str().to_owned()))
            .select($select)
            .into_boxed::<Backend>();
        if let Some(kind) = $ranked.kind {
            query = query.filter(standing_parts::unit_kind.eq(kind.as_str()));
        }
        query
    }};
}

/// A page of places, the best first; those with equal points by unit code.
pub fn places(
    conn: &mut AnyConnection,
    ranked: &Ranked,
    after: Option<&Place>,
    limit: Limit,
) -> QueryResult<Vec<Place>> {
    match &ranked.section {
        None => {
            let key = (standings::points.assume_not_null(), standings::unit_code);
            let query = standings_of!(ranked, key).filter(standings::points.is_not_null());
            best_first!(query, standings::points, standings::unit_code, after, limit).load(conn)
        }
        Some(section) => {
            let key = (standing_parts::points.assume_not_null(), standing_parts::unit_code);
            let query = sections_of!(ranked, section, key).filter(standing_parts::points.is_not_null());
            best_first!(query, standing_parts::points, standing_parts::unit_code, after, limit).load(conn)
        }
    }
}

/// How many have more points than `place`, and how many as many but a lesser code.
pub fn before(conn: &mut AnyConnection, ranked: &Ranked, place: &Place) -> QueryResult<(i64, i64)> {
    match &ranked.section {
        None => Ok((
            standings_of!(ranked, count_star())
                .filter(standings::points.gt(place.points))
                .get_result(conn)?,
            standings_of!(ranked, count_star())
                .filter(standings::points.eq(place.points))
                .filter(standings::unit_code.lt(place.unit.clone()))
                .get_result(conn)?,
        )),
        Some(section) => Ok((
            sections_of!(ranked, section, count_star())
                .filter(standing_parts::points.gt(place.points))
                .get_result(conn)?,
            sections_of!(ranked, section, count_star())
                .filter(standing_parts::points.eq(place.points))
                .filter(standing_parts::unit_code.lt(place.unit.clone()))
                .get_result(conn)?,
        )),
    }
}

/// A page of the units that cannot be ranked while something is open, by what their total can still be, most first.
/// The points of these places are that total.
pub fn open_places(
    conn: &mut AnyConnection,
    ranked: &Ranked,
    after: Option<&Place>,
    limit: Limit,
) -> QueryResult<Vec<Place>> {
    let key = (standings::high, standings::unit_code);
    let mut query = standings_of!(ranked, key);
    match &ranked.section {
        None => query = query.filter(standings::points.is_null()),
        Some(section) => {
            let open = standing_parts::table
                .filter(standing_parts::year.eq(ranked.year.get()))
                .filter(standing_parts::part.eq(SECTION))
                .filter(standing_parts::code.eq(section.as_str().to_owned()))
                .filter(standing_parts::points.is_null())
                .select(standing_parts::unit_code);
            query = query.filter(standings::unit_code.eq_any(open));
        }
    }
    best_first!(query, standings::high, standings::unit_code, after, limit).load(conn)
}

/// What is known of a unit that has submitted.
#[derive(Debug, Clone, Queryable)]
pub struct Standing {
    /// The unit.
    pub unit: String,
    /// Its name now.
    pub unit_name: String,
    /// Its kind when it submitted.
    pub kind: String,
    /// The state of its latest submission.
    pub state: String,
    /// The number of that submission.
    pub submission: i64,
    /// The scheme of that submission.
    pub scheme: String,
    /// The code of its grade.
    pub grade: Option<String>,
    /// Its total in millionths of a point; `None` while a line is open.
    pub points: Option<i64>,
    /// The same by its own figures, before review.
    pub self_points: Option<i64>,
    /// The least that its total can be.
    pub low: i64,
    /// The most that its total can be.
    pub high: i64,
}

/// The standings of these units, in any order.
pub fn standings_at(conn: &mut AnyConnection, year: FiscalYear, places: &[Place]) -> QueryResult<Vec<Standing>> {
    let codes: Vec<String> = places.iter().map(|place| place.unit.clone()).collect();
    standings::table
        .inner_join(units::table)
        .filter(standings::year.eq(year.get()))
        .filter(standings::unit_code.eq_any(codes))
        .select((
            standings::unit_code,
            units::name,
            standings::unit_kind,
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

/// How many have submitted by each scheme, the first of them, and how many have a total.
#[derive(Debug, Clone, Queryable)]
pub struct SchemeRow {
    /// The scheme.
    pub scheme: String,
    /// How many have submitted.
    pub units: i64,
    /// Those whose total is known.
    pub with_total: i64,
}

/// The schemes by which the units of a year have submitted.
pub fn schemes(conn: &mut AnyConnection, ranked: &Ranked) -> QueryResult<Vec<SchemeRow>> {
    let columns = (standings::scheme_id, count_star(), count(standings::points));
    let query = standings::table
        .filter(standings::year.eq(ranked.year.get()))
        .group_by(standings::scheme_id)
        .order(standings::scheme_id)
        .select(columns);
    match ranked.kind {
        Some(kind) => query.filter(standings::unit_kind.eq(kind.as_str())).load(conn),
        None => query.load(conn),
    }
}

/// How many have this section, and how many of these have points in it.
pub fn section_counts(conn: &mut AnyConnection, ranked: &Ranked, section: &Code) -> QueryResult<(i64, i64)> {
    Ok((
        sections_of!(ranked, section, count_star()).get_result(conn)?,
        sections_of!(ranked, section, count(standing_parts::points)).get_result(conn)?,
    ))
}

/// That a unit existed in a year, by its years of validity.
#[diesel::dsl::auto_type(no_type_alias)]
fn existed_in(year: i64) -> _ {
    let begun = units::valid_from.is_null().or(units::valid_from.le(year));
    let ended = units::valid_to.is_null().or(units::valid_to.ge(year));
    begun.and(ended)
}

/// A unit that has no submission that counts.
#[derive(Debug, Queryable)]
pub struct WaitingRow {
    /// Its code.
    pub unit: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The state of its evaluation; `None` where nothing was filed.
    pub state: Option<String>,
}

/// A page of the units that existed in the year and have no submission that counts, by code.
pub fn waiting(
    conn: &mut AnyConnection,
    ranked: &Ranked,
    after: Option<&UnitCode>,
    limit: Limit,
) -> QueryResult<Vec<WaitingRow>> {
    let year = ranked.year.get();
    let standing = standings::unit_code.eq(units::code).and(standings::year.eq(year));
    let evaluation = evaluations::unit_code.eq(units::code).and(evaluations::year.eq(year));
    let mut query = units::table
        .left_join(standings::table.on(standing))
        .left_join(evaluations::table.on(evaluation))
        .filter(existed_in(year))
        .filter(standings::unit_code.nullable().is_null())
        .filter(units::code.gt(after.map_or("", UnitCode::as_str).to_owned()))
        .select((units::code, units::name, units::kind, evaluations::state.nullable()))
        .order(units::code)
        .limit(limit.and_one())
        .into_boxed::<Backend>();
    if let Some(kind) = ranked.kind {
        query = query.filter(units::kind.eq(kind.as_str()));
    }
    query.load(conn)
}

/// How many of the units that existed in the year have no submission that counts.
pub fn not_submitted(conn: &mut AnyConnection, ranked: &Ranked) -> QueryResult<i64> {
    let year = ranked.year.get();
    let standing = standings::unit_code.eq(units::code).and(standings::year.eq(year));
    let mut query = units::table
        .left_join(standings::table.on(standing))
        .filter(existed_in(year))
        .filter(standings::unit_code.nullable().is_null())
        .select(count_star())
        .into_boxed::<Backend>();
    if let Some(kind) = ranked.kind {
        query = query.filter(units::kind.eq(kind.as_str()));
    }
    query.get_result(conn)
}

/// How many units of each kind existed in the year.
fn units_by_kind(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Vec<(String, i64)>> {
    units::table
        .filter(existed_in(year.get()))
        .group_by(units::kind)
        .select((units::kind, count_star()))
        .load(conn)
}

/// Units of one kind whose evaluation is in one state.
#[derive(Debug, Clone, Queryable)]
pub struct StateRow {
    /// The units' kind.
    pub kind: String,
    /// The state.
    pub state: String,
    /// How many they are.
    pub units: i64,
    /// Those among them that existed in the year, by their years of validity.
    pub existed: i64,
}

/// The states of what is filed for a year, by kind of unit.
fn states(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Vec<StateRow>> {
    let existed = sql::<BigInt>("CAST(SUM(CASE WHEN (valid_from IS NULL OR valid_from <= ")
        .bind::<BigInt, _>(year.get())
        .sql(") AND (valid_to IS NULL OR valid_to >= ")
        .bind::<BigInt, _>(year.get())
        .sql(") THEN 1 ELSE 0 END) AS BIGINT)");
    evaluations::table
        .inner_join(units::table)
        .filter(evaluations::year.eq(year.get()))
        .group_by((units::kind, evaluations::state))
        .select((units::kind, evaluations::state, count_star(), existed))
        .load(conn)
}

/// Units of one kind with the same total.
#[derive(Debug, Clone, Queryable)]
pub struct TotalRow {
    /// The units' kind.
    pub kind: String,
    /// Their total in millionths of a point; `None` while a line is open.
    pub points: Option<i64>,
    /// How many they are.
    pub units: i64,
}

/// The totals of a year, each once for each kind of unit. At most as many as there are totals, one in each hundredth of
/// a point by the usual rounding: few enough for order statistics to be taken from them rather than asked one by one.
fn totals(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Vec<TotalRow>> {
    standings::table
        .filter(standings::year.eq(year.get()))
        .group_by((standings::unit_kind, standings::points))
        .select((standings::unit_kind, standings::points, count_star()))
        .load(conn)
}

/// How many ranked units of each kind have each grade, as kind, grade and number.
fn grades(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Vec<(String, Option<String>, i64)>> {
    standings::table
        .filter(standings::year.eq(year.get()))
        .filter(standings::points.is_not_null())
        .group_by((standings::unit_kind, standings::grade))
        .select((standings::unit_kind, standings::grade, count_star()))
        .load(conn)
}

/// What the units of one kind got in one part. Sums are in millionths of a point, and of those with points only.
#[derive(Debug, Clone, Queryable)]
pub struct PartRow {
    /// `section` or `line`.
    pub part: String,
    /// Its code.
    pub code: String,
    /// The units' kind.
    pub kind: String,
    /// How many have points in it.
    pub units: i64,
    /// Those with less than full marks.
    pub losing: i64,
    /// Their points.
    pub points: i64,
    /// What they could have got.
    pub weight: i64,
}

/// The sums of a year's parts by kind of unit, in one walk along an index.
fn parts(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Vec<PartRow>> {
    standing_parts::table
        .filter(standing_parts::year.eq(year.get()))
        .filter(standing_parts::points.is_not_null())
        .group_by((standing_parts::part, standing_parts::code, standing_parts::unit_kind))
        .select((
            standing_parts::part,
            standing_parts::code,
            standing_parts::unit_kind,
            count_star(),
            sql::<BigInt>("CAST(SUM(CASE WHEN points < weight THEN 1 ELSE 0 END) AS BIGINT)"),
            // A sum of BIGINT is NUMERIC to PostgreSQL.
            sql::<BigInt>("CAST(SUM(points) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(weight) AS BIGINT)"),
        ))
        .load(conn)
}

/// The names of a year's parts, as part, code and name: from one unit of each scheme, since a scheme in use does not change.
pub fn part_names(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Vec<(String, String, String)>> {
    let samples: Vec<Option<String>> = standings::table
        .filter(standings::year.eq(year.get()))
        .group_by(standings::scheme_id)
        .select(diesel::dsl::min(standings::unit_code))
        .load(conn)?;
    let samples: Vec<String> = samples.into_iter().flatten().collect();
    standing_parts::table
        .filter(standing_parts::year.eq(year.get()))
        .filter(standing_parts::unit_code.eq_any(samples))
        .select((standing_parts::part, standing_parts::code, standing_parts::name))
        .load(conn)
}

/// All that is counted of a year, by kind of unit.
#[derive(Debug, Clone)]
pub struct Counts {
    /// The units that existed in the year, as kind and number.
    pub units: Vec<(String, i64)>,
    /// The states of what is filed.
    pub states: Vec<StateRow>,
    /// The totals.
    pub totals: Vec<TotalRow>,
    /// The grades of those with a total, as kind, grade and number.
    pub grades: Vec<(String, Option<String>, i64)>,
    /// The parts.
    pub parts: Vec<PartRow>,
}

/// Counts a year.
pub fn counts(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Counts> {
    Ok(Counts {
        units: units_by_kind(conn, year)?,
        states: states(conn, year)?,
        totals: totals(conn, year)?,
        grades: grades(conn, year)?,
        parts: parts(conn, year)?,
    })
}
