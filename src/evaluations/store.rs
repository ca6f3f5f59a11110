//! All SQL of the evaluations.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Nullable, Text};
use diesel::upsert::excluded;

use super::model::{PriorSheet, Row};
use super::workflow::State;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::Resource;
use crate::db::connection::Backend;
use crate::db::schema::{
    evaluations, fiscal_years, scoring_schemes, special_funds, submissions, unit_predecessors, units,
};
use crate::db::sql::{insert_all, is_under};
use crate::db::{AnyConnection, now};
use crate::fiscal_years::model::Season;
use crate::http::page::{Limit, Order};
use crate::http::problem::Problem;
use crate::schemes::library::Edition;
use crate::scoring::special_fund::MOST_FUNDS;
use crate::units::model::Validity;
use crate::{on_engine, paged};

/// A unit's year with all that handling it needs, read in one statement.
#[derive(Debug, Clone)]
pub struct Context {
    /// The unit's name.
    pub unit_name: String,
    /// The unit's place in the hierarchy.
    pub unit_path: String,
    /// What the unit is, as a word.
    pub unit_kind: String,
    /// The fiscal years that the unit files for.
    pub validity: Validity,
    /// Whether the fiscal year is open, and when units file.
    pub season: Season,
    /// The id of the scheme in force for the year.
    pub scheme_id: String,
    /// The edition of that scheme.
    pub scheme_edition: Edition,
    /// What is filed; `None` before anything is.
    pub evaluation: Option<Row>,
    /// The base data sheet of the year before; `None` where there is none.
    pub prior: Option<PriorSheet>,
}

/// The columns of a [`Setting`].
macro_rules! setting {
    () => {
        (
            (units::code, units::name, units::path, units::kind),
            (fiscal_years::status, fiscal_years::opens_on, fiscal_years::closes_on),
            (
                fiscal_years::scheme_id,
                scoring_schemes::version,
                scoring_schemes::updated_at,
            ),
            (units::valid_from, units::valid_to),
        )
    };
}

/// The units, each with this fiscal year, its scheme, and what the unit filed for it.
macro_rules! years_of_units {
    ($year:expr) => {
        units::table
            .inner_join(fiscal_years::table.on(fiscal_years::year.eq($year.get())))
            .inner_join(scoring_schemes::table.on(scoring_schemes::id.eq(fiscal_years::scheme_id)))
            .left_join(
                evaluations::table.on(evaluations::unit_code
                    .eq(units::code)
                    .and(evaluations::year.eq(fiscal_years::year))),
            )
    };
}

// Of its own, since the macro makes public items without any documentation.
mod twice {
    diesel::alias!(crate::db::schema::evaluations as year_before: YearBefore);
}
use twice::year_before;

/// What the unit, the year and its scheme say, as [`Context`] holds it; the unit's code comes first.
type Setting = (
    (String, String, String, String),
    Season,
    (String, i64, String),
    Validity,
);

impl Context {
    fn new(
        (names, season, (scheme_id, version, updated_at), validity): Setting,
        evaluation: Option<Row>,
    ) -> (String, Self) {
        let (code, unit_name, unit_path, unit_kind) = names;
        let context = Self {
            unit_name,
            unit_path,
            unit_kind,
            validity,
            season,
            scheme_id,
            scheme_edition: Edition { version, updated_at },
            evaluation,
            prior: None,
        };
        (code, context)
    }
}

/// The year of a unit; `None` unless both exist.
pub fn context(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear) -> QueryResult<Option<Context>> {
    type Columns = (Setting, Option<Row>, (Option<(i64, String)>, bool));
    let last = year.get() - 1;
    let continues = unit_predecessors::table.filter(unit_predecessors::unit_code.eq(units::code));
    let found: QueryResult<Columns> = on_engine!(conn => years_of_units!(year)
        .left_join(
            year_before.on(year_before
                .field(evaluations::unit_code)
                .eq(units::code)
                .and(year_before.field(evaluations::year).eq(last))
                .and(year_before.field(evaluations::base_data).is_not_null())),
        )
        .filter(units::code.eq(unit.as_str()))
        .select((
            setting!(),
            Option::<Row>::as_select(),
            (
                year_before
                    .fields((evaluations::base_data_version, evaluations::created_at))
                    .nullable(),
                diesel::dsl::exists(continues),
            ),
        ))
        .first(conn));
    let Some((setting, evaluation, (own, continues))) = found.optional()? else {
        return Ok(None);
    };
    let prior = match own {
        Some((version, since)) => Some(PriorSheet {
            unit: unit.as_str().to_owned(),
            year: last,
            version,
            since,
        }),
        None if continues => sheet_of_predecessor(conn, unit, last)?,
        None => None,
    };
    let (_, context) = Context::new(setting, evaluation);
    Ok(Some(Context { prior, ..context }))
}

/// The same for who does not go by the sheet of the year before: where that is found is left out (`prior`).
pub fn context_without_prior(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
) -> QueryResult<Option<Context>> {
    let found: QueryResult<(Setting, Option<Row>)> = on_engine!(conn => years_of_units!(year)
        .filter(units::code.eq(unit.as_str()))
        .select((setting!(), Option::<Row>::as_select()))
        .first(conn));
    let found = found.optional()?;
    Ok(found.map(|(setting, evaluation)| Context::new(setting, evaluation).1))
}

/// The same for each of these units by its code, without those that do not exist; none, if the year does not.
pub fn contexts_without_prior(
    conn: &mut AnyConnection,
    units: Vec<String>,
    year: FiscalYear,
) -> QueryResult<HashMap<String, Context>> {
    let rows: Vec<(Setting, Option<Row>)> = years_of_units!(year)
        .filter(units::code.eq_any(units))
        .select((setting!(), Option::<Row>::as_select()))
        .load(conn)?;
    let context = |(setting, evaluation)| Context::new(setting, evaluation);
    Ok(rows.into_iter().map(context).collect())
}

/// The sheet of a year that was filed by the one predecessor of a unit, if there is one and the unit is all that
/// continues it.
fn sheet_of_predecessor(conn: &mut AnyConnection, unit: &UnitCode, year: i64) -> QueryResult<Option<PriorSheet>> {
    use unit_predecessors::{predecessor_code, unit_code};
    let links: Vec<(String, Option<(i64, String)>)> = unit_predecessors::table
        .left_join(
            evaluations::table.on(evaluations::unit_code
                .eq(predecessor_code)
                .and(evaluations::year.eq(year))
                .and(evaluations::base_data.is_not_null())),
        )
        .filter(unit_code.eq(unit.as_str()))
        .select((
            predecessor_code,
            (evaluations::base_data_version, evaluations::created_at).nullable(),
        ))
        .limit(2)
        .load(conn)?;
    let Ok([(predecessor, Some((version, since)))]) = <[_; 1]>::try_from(links) else {
        return Ok(None);
    };
    let successors: i64 = unit_predecessors::table
        .filter(predecessor_code.eq(&predecessor))
        .count()
        .get_result(conn)?;
    Ok((successors == 1).then_some(PriorSheet {
        unit: predecessor,
        year,
        version,
        since,
    }))
}

/// The text of a base data sheet; `None` if it is gone.
pub fn base_data(conn: &mut AnyConnection, unit: &str, year: i64) -> QueryResult<Option<String>> {
    let found = evaluations::table.find((unit, year)).select(evaluations::base_data);
    let found: QueryResult<Option<String>> = on_engine!(conn => found.first(conn));
    Ok(found.optional()?.flatten())
}

impl Context {
    /// Where the evaluation is in its life.
    ///
    /// # Errors
    /// 500 for a word that this program does not know.
    pub fn state(&self) -> Result<State, Problem> {
        self.evaluation.as_ref().map_or(Ok(State::NotStarted), Row::state)
    }
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
    /// The reasons for what the checks found.
    Reasons,
    /// What the unit wrote itself.
    Claims,
    /// The words of the report.
    Narrative,
}

impl Part {
    /// The last part of its address.
    pub fn address(self) -> &'static str {
        match self {
            Self::BaseData => "base-data",
            Self::Assessments => "assessments",
            Self::Reasons => "reasons",
            Self::Claims => "claims",
            Self::Narrative => "narrative",
        }
    }

    /// What it is in the change log.
    pub fn resource(self) -> Resource {
        match self {
            Self::BaseData => Resource::BaseData,
            Self::Assessments => Resource::Assessments,
            Self::Reasons => Resource::Reasons,
            Self::Claims => Resource::Claims,
            Self::Narrative => Resource::Narrative,
        }
    }

    /// The stored document and its version; 0 before the first.
    pub fn of(self, row: Option<&Row>) -> (Option<&str>, i64) {
        match (self, row) {
            (_, None) => (None, 0),
            (Self::BaseData, Some(row)) => (row.base_data.as_deref(), row.base_data_version),
            (Self::Assessments, Some(row)) => (row.assessments.as_deref(), row.assessments_version),
            (Self::Reasons, Some(row)) => (row.reasons.as_deref(), row.reasons_version),
            (Self::Claims, Some(row)) => (row.claims.as_deref(), row.claims_version),
            (Self::Narrative, Some(row)) => (row.narrative.as_deref(), row.narrative_version),
        }
    }
}

/// The row of a unit's year with another document for a part, or without one (`None`).
pub fn with_part(unit: &UnitCode, year: FiscalYear, before: Option<Row>, part: Part, document: Option<String>) -> Row {
    let at = now();
    let mut row = before.unwrap_or_else(|| Row {
        unit_code: unit.as_str().to_owned(),
        year: year.get(),
        state: State::Draft.to_string(),
        base_data: None,
        base_data_version: 0,
        assessments: None,
        assessments_version: 0,
        claims: None,
        claims_version: 0,
        created_at: at.clone(),
        updated_at: at.clone(),
        submission: 0,
        reasons: None,
        reasons_version: 0,
        narrative: None,
        narrative_version: 0,
    });
    row.updated_at = at;
    macro_rules! columns {
        ($document:ident, $version:ident) => {{
            row.$document = document;
            row.$version += 1;
        }};
    }
    match part {
        Part::BaseData => columns!(base_data, base_data_version),
        Part::Assessments => columns!(assessments, assessments_version),
        Part::Reasons => columns!(reasons, reasons_version),
        Part::Claims => columns!(claims, claims_version),
        Part::Narrative => columns!(narrative, narrative_version),
    }
    row
}

/// Stores the documents of units' years, no year twice, in a few statements.
pub fn put_all(conn: &mut AnyConnection, rows: &[Row]) -> QueryResult<()> {
    use evaluations::dsl as to;
    insert_all!(
        conn,
        evaluations::table,
        rows,
        .on_conflict((to::unit_code, to::year)).do_update().set((
            to::base_data.eq(excluded(to::base_data)),
            to::base_data_version.eq(excluded(to::base_data_version)),
            to::assessments.eq(excluded(to::assessments)),
            to::assessments_version.eq(excluded(to::assessments_version)),
            to::claims.eq(excluded(to::claims)),
            to::claims_version.eq(excluded(to::claims_version)),
            to::reasons.eq(excluded(to::reasons)),
            to::reasons_version.eq(excluded(to::reasons_version)),
            to::narrative.eq(excluded(to::narrative)),
            to::narrative_version.eq(excluded(to::narrative_version)),
            to::updated_at.eq(excluded(to::updated_at)),
        ))
    );
    Ok(())
}

/// Stores a part, or takes it away (`None`). The row goes with its last part, unless something was submitted.
pub fn set(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    before: Option<Row>,
    part: Part,
    document: Option<String>,
) -> QueryResult<Option<Row>> {
    let is_new = before.is_none();
    let row = with_part(unit, year, before, part, document);
    if row.submission == 0
        && row.base_data.is_none()
        && row.assessments.is_none()
        && row.claims.is_none()
        && row.reasons.is_none()
        && row.narrative.is_none()
    {
        diesel::delete(evaluations::table.find((unit.as_str(), year.get()))).execute(conn)?;
        return Ok(None);
    }
    if is_new {
        diesel::insert_into(evaluations::table).values(&row).execute(conn)?;
    } else {
        let stored = Replacement { part, row: &row };
        on_engine!(conn => stored.execute(conn))?;
    }
    Ok(Some(row))
}

/// The `UPDATE` of one part: only what changes, since the other documents may be long. diesel has those that it writes itself
/// compiled anew at each call.
struct Replacement<'a> {
    part: Part,
    row: &'a Row,
}

impl QueryId for Replacement<'_> {
    // Told apart by its text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for Replacement<'_>
where
    DB: diesel::backend::Backend + HasSqlType<Text> + HasSqlType<BigInt>,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        macro_rules! columns {
            ($document:ident, $version:ident) => {{
                out.push_sql(concat!("UPDATE evaluations SET ", stringify!($document), " = "));
                out.push_bind_param::<Nullable<Text>, _>(&self.row.$document)?;
                out.push_sql(concat!(", ", stringify!($version), " = "));
                out.push_bind_param::<BigInt, _>(&self.row.$version)?;
            }};
        }
        match self.part {
            Part::BaseData => columns!(base_data, base_data_version),
            Part::Assessments => columns!(assessments, assessments_version),
            Part::Reasons => columns!(reasons, reasons_version),
            Part::Claims => columns!(claims, claims_version),
            Part::Narrative => columns!(narrative, narrative_version),
        }
        out.push_sql(", updated_at = ");
        out.push_bind_param::<Text, _>(&self.row.updated_at)?;
        out.push_sql(" WHERE unit_code = ");
        out.push_bind_param::<Text, _>(&self.row.unit_code)?;
        out.push_sql(" AND year = ");
        out.push_bind_param::<BigInt, _>(&self.row.year)
    }
}

impl<Conn> RunQueryDsl<Conn> for Replacement<'_> {}

/// A piece of the documents of all units' years: unit, year and text, in this order, after `after`, at most `most`.
/// `within`: only of units at or below one of each list.
pub fn walk(
    conn: &mut AnyConnection,
    part: Part,
    (year, within): (Option<FiscalYear>, &[Vec<String>]),
    after: Option<&(UnitCode, FiscalYear)>,
    most: i64,
) -> QueryResult<Vec<(String, i64, Option<String>)>> {
    macro_rules! walk {
        ($column:ident) => {{
            let mut query = evaluations::table
                .select((evaluations::unit_code, evaluations::year, evaluations::$column))
                .filter(evaluations::$column.is_not_null())
                .into_boxed::<Backend>();
            if let Some(year) = year {
                query = query.filter(evaluations::year.eq(year.get()));
            }
            for codes in within {
                query = query.filter(is_under(evaluations::unit_code, codes.clone()));
            }
            if let Some((unit, year)) = after {
                let unit = unit.to_string();
                let same = evaluations::unit_code
                    .eq(unit.clone())
                    .and(evaluations::year.gt(year.get()));
                query = query.filter(evaluations::unit_code.gt(unit).or(same));
            }
            query
                .order((evaluations::unit_code, evaluations::year))
                .limit(most)
                .load(conn)
        }};
    }
    match part {
        Part::BaseData => walk!(base_data),
        Part::Assessments => walk!(assessments),
        Part::Reasons => walk!(reasons),
        Part::Claims => walk!(claims),
        Part::Narrative => walk!(narrative),
    }
}

/// A year of a unit in its list: the year, its state, when something was first filed, and when something was last changed.
pub type EntryRow = (i64, String, String, String);

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
        .select((
            evaluations::year,
            evaluations::state,
            evaluations::created_at,
            evaluations::updated_at,
        ))
        .into_boxed::<Backend>();
    paged!(query, evaluations::year, order, cursor.map(FiscalYear::get), limit).load(conn)
}

/// A special fund of a unit's year with the edition of the scheme that it is scored by.
#[derive(Debug)]
pub struct FundRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its table, as JSON.
    pub table: String,
    /// Whether it goes on in the next year.
    pub continues: bool,
    /// How often it was stored.
    pub version: i64,
    /// When it was stored last.
    pub updated_at: String,
    /// The id of its scheme.
    pub scheme: String,
    /// The edition of its scheme.
    pub edition: Edition,
}

/// The special funds of a unit's year by id; there are never more than [`MOST_FUNDS`].
pub fn funds(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear) -> QueryResult<Vec<FundRow>> {
    let of_units = funds_of(conn, vec![unit.as_str().to_owned()], year)?;
    Ok(of_units.into_values().next().unwrap_or_default())
}

/// The special funds of a year of these units, by unit and each by id, in one statement.
pub fn funds_of(
    conn: &mut AnyConnection,
    units: Vec<String>,
    year: FiscalYear,
) -> QueryResult<HashMap<String, Vec<FundRow>>> {
    type Columns = (
        String,
        String,
        String,
        (String, bool),
        (i64, String),
        String,
        (i64, String),
    );
    let most = MOST_FUNDS.saturating_mul(i64::try_from(units.len()).unwrap_or(i64::MAX));
    let rows: Vec<Columns> = special_funds::table
        .inner_join(scoring_schemes::table)
        .filter(special_funds::unit_code.eq_any(units))
        .filter(special_funds::year.eq(year.get()))
        .order(special_funds::id)
        .limit(most)
        .select((
            special_funds::unit_code,
            special_funds::id,
            special_funds::name,
            (special_funds::body, special_funds::continues),
            (special_funds::version, special_funds::updated_at),
            scoring_schemes::id,
            (scoring_schemes::version, scoring_schemes::updated_at),
        ))
        .load(conn)?;
    let mut of_units: HashMap<String, Vec<FundRow>> = HashMap::new();
    for (unit, id, name, (table, continues), (version, stored), scheme, (edition, updated_at)) in rows {
        of_units.entry(unit).or_default().push(FundRow {
            id,
            name,
            table,
            continues,
            version,
            updated_at: stored,
            scheme,
            edition: Edition {
                version: edition,
                updated_at,
            },
        });
    }
    Ok(of_units)
}

/// A piece of the units' years of a year, by unit: after `after`, at most `most`, each with the document of its last
/// submission, in one statement. `within`: only of units at or below one of each list.
pub fn contexts(
    conn: &mut AnyConnection,
    (year, within): (FiscalYear, &[Vec<String>]),
    after: &str,
    most: i64,
) -> QueryResult<Vec<(String, Context, Option<String>)>> {
    let mut query = evaluations::table
        .inner_join(units::table)
        .inner_join(fiscal_years::table.on(fiscal_years::year.eq(evaluations::year)))
        .inner_join(scoring_schemes::table.on(scoring_schemes::id.eq(fiscal_years::scheme_id)))
        .left_join(
            submissions::table.on(submissions::unit_code
                .eq(evaluations::unit_code)
                .and(submissions::year.eq(evaluations::year))
                .and(submissions::number.eq(evaluations::submission))),
        )
        .filter(evaluations::year.eq(year.get()))
        .filter(evaluations::unit_code.gt(after.to_owned()))
        .select((setting!(), Row::as_select(), submissions::document.nullable()))
        .into_boxed::<Backend>();
    for codes in within {
        query = query.filter(is_under(evaluations::unit_code, codes.clone()));
    }
    let rows: Vec<(Setting, Row, Option<String>)> = query.order(evaluations::unit_code).limit(most).load(conn)?;
    let context = |(setting, row, document)| {
        let (code, context) = Context::new(setting, Some(row));
        (code, context, document)
    };
    Ok(rows.into_iter().map(context).collect())
}

/// The states in which an evaluation can be changed.
const DRAFTS: [&str; 2] = [State::Draft.as_str(), State::Returned.as_str()];

/// The id of the scheme in force for a year, and its edition; `None` if the year is not set up.
pub fn scheme_of(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<Option<(String, Edition)>> {
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

/// What scoring a unit's year takes.
#[derive(Debug, Queryable)]
pub struct FiledRow {
    /// The unit's code.
    pub unit: String,
    /// The unit's name.
    pub unit_name: String,
    /// The state, as a word.
    pub state: String,
    /// The base data sheet, as JSON.
    pub base_data: Option<String>,
    /// The assessments, as JSON.
    pub assessments: Option<String>,
}

/// A piece of what is filed for a year, by unit, in one statement: after `after`, at most `most`. `within`: only of units at or
/// below one of each list.
pub fn filed(
    conn: &mut AnyConnection,
    (year, within): (FiscalYear, &[Vec<String>]),
    only_drafts: bool,
    after: &str,
    most: i64,
) -> QueryResult<Vec<FiledRow>> {
    let mut query = evaluations::table
        .inner_join(units::table)
        .filter(evaluations::year.eq(year.get()))
        .filter(evaluations::unit_code.gt(after.to_owned()))
        .select((
            evaluations::unit_code,
            units::name,
            evaluations::state,
            evaluations::base_data,
            evaluations::assessments,
        ))
        .into_boxed::<Backend>();
    if only_drafts {
        query = query.filter(evaluations::state.eq_any(DRAFTS));
    }
    for codes in within {
        query = query.filter(is_under(evaluations::unit_code, codes.clone()));
    }
    query.order(evaluations::unit_code).limit(most).load(conn)
}

/// The years that are set up, the least first. There are few: one a year.
pub fn years(conn: &mut AnyConnection) -> QueryResult<Vec<i64>> {
    fiscal_years::table
        .select(fiscal_years::year)
        .order(fiscal_years::year)
        .load(conn)
}

/// How many evaluations of a year are drafts, and how many are submitted or further.
pub fn count_by_whether_draft(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<(i64, i64)> {
    let drafts: i64 = evaluations::table
        .filter(evaluations::year.eq(year.get()))
        .filter(evaluations::state.eq_any(DRAFTS))
        .count()
        .get_result(conn)?;
    let all: i64 = evaluations::table
        .filter(evaluations::year.eq(year.get()))
        .count()
        .get_result(conn)?;
    Ok((drafts, all - drafts))
}

/// The base data sheets that the last year's columns of these units are taken from, as JSON by unit: the sheet of `year`
/// of the unit itself, else of its one predecessor if the unit is all that continues it. At most three statements.
pub fn prior_sheets(conn: &mut AnyConnection, units: &[&str], year: i64) -> QueryResult<HashMap<String, String>> {
    use unit_predecessors::{predecessor_code, unit_code};
    let own: Vec<(String, Option<String>)> = evaluations::table
        .filter(evaluations::unit_code.eq_any(units.iter().map(|unit| (*unit).to_owned()).collect::<Vec<_>>()))
        .filter(evaluations::year.eq(year))
        .filter(evaluations::base_data.is_not_null())
        .select((evaluations::unit_code, evaluations::base_data))
        .load(conn)?;
    let mut sheets: HashMap<String, String> = own
        .into_iter()
        .filter_map(|(unit, sheet)| Some((unit, sheet?)))
        .collect();
    let without: Vec<String> = units
        .iter()
        .filter(|unit| !sheets.contains_key(**unit))
        .map(|unit| (*unit).to_owned())
        .collect();
    let links: Vec<(String, String)> = unit_predecessors::table
        .filter(unit_code.eq_any(without))
        .select((unit_code, predecessor_code))
        .load(conn)?;
    if links.is_empty() {
        return Ok(sheets);
    }
    let mut predecessors: Vec<String> = links.iter().map(|(_, predecessor)| predecessor.clone()).collect();
    predecessors.sort_unstable();
    predecessors.dedup();
    // Of each predecessor, all that continue it, and its sheet.
    let found: Vec<(String, String, Option<String>)> = unit_predecessors::table
        .left_join(
            evaluations::table.on(evaluations::unit_code
                .eq(predecessor_code)
                .and(evaluations::year.eq(year))),
        )
        .filter(predecessor_code.eq_any(predecessors))
        .select((predecessor_code, unit_code, evaluations::base_data.nullable()))
        .load(conn)?;
    for (unit, predecessor) in &links {
        let alone = links.iter().filter(|(other, _)| other == unit).count() == 1;
        let mut continued = found.iter().filter(|(code, ..)| code == predecessor);
        if let (true, Some((_, _, Some(sheet))), None) = (alone, continued.next(), continued.next()) {
            sheets.insert(unit.clone(), sheet.clone());
        }
    }
    Ok(sheets)
}
