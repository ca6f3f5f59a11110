//! All SQL of the special funds.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::model::{EntryRow, Row};
use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::db::AnyConnection;
use crate::db::connection::Backend;
use crate::db::schema::{evaluations, fiscal_years, special_funds, units};
use crate::db::sql::{containing, insert_all, is_under, lower};
use crate::fiscal_years::model::Season;
use crate::http::page::{Limit, Order};
use crate::paged;
use crate::scoring::special_fund::MOST_FUNDS;
use crate::units::model::Validity;

/// The fund of that id with its unit's place in the hierarchy, if there is one.
pub fn find(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<(Row, String)>> {
    special_funds::table
        .inner_join(units::table)
        .filter(special_funds::id.eq(id))
        .select((Row::as_select(), units::path))
        .first(conn)
        .optional()
}

/// The funds of these ids.
pub fn find_all(conn: &mut AnyConnection, ids: BTreeSet<&str>) -> QueryResult<Vec<Row>> {
    special_funds::table
        .filter(special_funds::id.eq_any(ids))
        .select(Row::as_select())
        .load(conn)
}

/// A unit as a fund sees it: its place in the hierarchy, and the years that it files for.
pub type Referent = (String, Validity);

/// Those of these units that exist, by code.
pub fn units(conn: &mut AnyConnection, codes: BTreeSet<&str>) -> QueryResult<HashMap<String, Referent>> {
    let found: Vec<(String, Referent)> = units::table
        .filter(units::code.eq_any(codes))
        .select((units::code, (units::path, (units::valid_from, units::valid_to))))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// When units file for these years, by year, without those that are not set up.
pub fn seasons(conn: &mut AnyConnection, years: impl Iterator<Item = i64>) -> QueryResult<HashMap<i64, Season>> {
    let found: Vec<(i64, Season)> = fiscal_years::table
        .filter(fiscal_years::year.eq_any(years))
        .select((fiscal_years::year, Season::as_select()))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// The states of these units' evaluations of a year, each a unit and a word.
pub fn states(conn: &mut AnyConnection, year: i64, units: &[&str]) -> QueryResult<Vec<(String, String)>> {
    evaluations::table
        .filter(evaluations::unit_code.eq_any(units))
        .filter(evaluations::year.eq(year))
        .select((evaluations::unit_code, evaluations::state))
        .load(conn)
}

/// The funds of these units in a year, each a unit, a name and an id; of a unit there are never more than [`MOST_FUNDS`].
pub fn names(conn: &mut AnyConnection, year: i64, units: &[&str]) -> QueryResult<Vec<(String, String, String)>> {
    special_funds::table
        .filter(special_funds::unit_code.eq_any(units))
        .filter(special_funds::year.eq(year))
        .select((special_funds::unit_code, special_funds::name, special_funds::id))
        .load(conn)
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
    /// Only those of these units and of all below them; `None`: of all.
    pub scope: Option<Vec<String>>,
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
        query = query.filter(is_under(dsl::unit_code, scope.clone()));
    }
    paged!(query, dsl::id, order, cursor.map(|id| id.as_str().to_owned()), limit).load(conn)
}

/// A piece of all funds by id: after `after`, at most `most`. `within`: only of units at or below one of each list.
pub fn walk(
    conn: &mut AnyConnection,
    (year, within): (Option<FiscalYear>, &[Vec<String>]),
    after: &str,
    most: i64,
) -> QueryResult<Vec<Row>> {
    use special_funds::dsl;
    let mut query = dsl::special_funds.select(Row::as_select()).into_boxed::<Backend>();
    if let Some(year) = year {
        query = query.filter(dsl::year.eq(year.get()));
    }
    for codes in within {
        query = query.filter(is_under(dsl::unit_code, codes.clone()));
    }
    query
        .filter(dsl::id.gt(after.to_owned()))
        .order(dsl::id)
        .limit(most)
        .load(conn)
}

/// The funds of a unit's year by id; there are never more than [`MOST_FUNDS`].
pub fn of_year(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear) -> QueryResult<Vec<Row>> {
    special_funds::table
        .filter(special_funds::unit_code.eq(unit.as_str()))
        .filter(special_funds::year.eq(year.get()))
        .order(special_funds::id)
        .limit(MOST_FUNDS)
        .select(Row::as_select())
        .load(conn)
}

/// Stores funds, none of them twice, in their order and in a few statements.
pub fn put_all(conn: &mut AnyConnection, rows: &[Row]) -> QueryResult<()> {
    use special_funds::dsl::{body, continues, id, name, scheme_id, unit_code, updated_at, version, year};
    insert_all!(
        conn,
        special_funds::table,
        rows,
        .on_conflict(id).do_update().set((
            unit_code.eq(excluded(unit_code)),
            year.eq(excluded(year)),
            name.eq(excluded(name)),
            scheme_id.eq(excluded(scheme_id)),
            body.eq(excluded(body)),
            version.eq(excluded(version)),
            updated_at.eq(excluded(updated_at)),
            continues.eq(excluded(continues)),
        ))
    );
    Ok(())
}

/// Deletes a fund.
pub fn delete(conn: &mut AnyConnection, id: &str) -> QueryResult<()> {
    diesel::delete(special_funds::table.find(id)).execute(conn)?;
    Ok(())
}

/// A fund that goes on, and the years in which its unit is valid.
#[derive(Debug, Clone)]
pub struct Continuing {
    /// The fund.
    pub row: Row,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
}

impl Continuing {
    /// Whether the fund's unit is valid in a year.
    pub fn valid_in(&self, year: FiscalYear) -> bool {
        self.valid_from.is_none_or(|first| first <= year.get()) && self.valid_to.is_none_or(|last| last >= year.get())
    }
}

/// The funds of a year that go on, by id; those after the id `after`, at most `limit`.
pub fn continuing(
    conn: &mut AnyConnection,
    year: FiscalYear,
    after: &str,
    limit: usize,
) -> QueryResult<Vec<Continuing>> {
    let rows: Vec<(Row, Option<i64>, Option<i64>)> = special_funds::table
        .inner_join(units::table)
        .filter(special_funds::year.eq(year.get()))
        .filter(special_funds::continues.eq(true))
        .filter(special_funds::id.gt(after))
        .order(special_funds::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((Row::as_select(), units::valid_from, units::valid_to))
        .load(conn)?;
    let fund = |(row, valid_from, valid_to)| Continuing {
        row,
        valid_from,
        valid_to,
    };
    Ok(rows.into_iter().map(fund).collect())
}

/// How many funds of a year do not go on.
pub fn count_ending(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<i64> {
    special_funds::table
        .filter(special_funds::year.eq(year.get()))
        .filter(special_funds::continues.eq(false))
        .count()
        .get_result(conn)
}

/// How many funds a year has.
pub fn count(conn: &mut AnyConnection, year: FiscalYear) -> QueryResult<i64> {
    special_funds::table
        .filter(special_funds::year.eq(year.get()))
        .count()
        .get_result(conn)
}

/// Those of `ids` that a fund has.
pub fn taken(conn: &mut AnyConnection, ids: Vec<String>) -> QueryResult<Vec<String>> {
    special_funds::table
        .filter(special_funds::id.eq_any(ids))
        .select(special_funds::id)
        .load(conn)
}

/// Stores new funds.
pub fn insert_all(conn: &mut AnyConnection, rows: &[Row]) -> QueryResult<()> {
    insert_all!(conn, special_funds::table, rows);
    Ok(())
}
