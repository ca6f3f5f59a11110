//! All SQL of the check that knows what tables mean: pieces of them by key, each in a handful of statements.

use diesel::dsl::{exists, max, not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::db::AnyConnection;
use crate::db::changes::{Action, Resource, Row as Change};
use crate::db::connection::Backend;
use crate::db::schema::{
    changes, evaluations, fiscal_years, frozen_schemes, import_faults, imports, report_templates, scoring_schemes,
    special_funds, standing_parts, standings, submissions, units, webhooks,
};
use crate::documents::model::Row as TemplateRow;
use crate::evaluations::model::Row as EvaluationRow;
use crate::evaluations::standings::StandingRow;
use crate::evaluations::submission_store::SubmissionRow;
use crate::fiscal_years::model::Row as YearRow;
use crate::imports::model::Row as ImportRow;
use crate::schemes::model::Row as SchemeRow;
use crate::special_funds::model::Row as FundRow;
use crate::units::model::Row as UnitRow;
use crate::webhooks::model::Row as WebhookRow;

/// A submission: unit, year, its row and its document.
pub(super) type Submission = (String, i64, SubmissionRow, String);

/// A part of a standing: year, unit, part, code, kind of the unit, name, weight, points.
pub(super) type Part = (i64, String, String, String, String, String, i64, Option<i64>);

/// The next units after a code.
pub(super) fn units_after(conn: &mut AnyConnection, after: &str, most: i64) -> QueryResult<Vec<UnitRow>> {
    let query = units::table
        .filter(units::code.gt(after))
        .order(units::code)
        .limit(most);
    query.select(UnitRow::as_select()).load(conn)
}

/// The places of these units in the hierarchy.
pub(super) fn paths(conn: &mut AnyConnection, codes: Vec<String>) -> QueryResult<Vec<(String, String)>> {
    units::table
        .filter(units::code.eq_any(codes))
        .select((units::code, units::path))
        .load(conn)
}

/// All years of these units.
pub(super) fn evaluations(conn: &mut AnyConnection, codes: Vec<String>) -> QueryResult<Vec<EvaluationRow>> {
    let query = evaluations::table.filter(evaluations::unit_code.eq_any(codes));
    query
        .select(EvaluationRow::as_select())
        .order((evaluations::unit_code, evaluations::year))
        .load(conn)
}

/// The submissions of a unit, the first of each year first, with their documents.
pub(super) fn submissions(conn: &mut AnyConnection, codes: Vec<String>) -> QueryResult<Vec<Submission>> {
    submissions::table
        .filter(submissions::unit_code.eq_any(codes))
        .order((submissions::unit_code, submissions::year, submissions::number))
        .select((
            submissions::unit_code,
            submissions::year,
            SubmissionRow::as_select(),
            submissions::document,
        ))
        .load(conn)
}

/// Where these units stand in these years.
pub(super) fn standings(
    conn: &mut AnyConnection,
    codes: Vec<String>,
    years: Vec<i64>,
) -> QueryResult<Vec<StandingRow>> {
    let query = standings::table
        .filter(standings::year.eq_any(years))
        .filter(standings::unit_code.eq_any(codes));
    query.select(StandingRow::as_select()).load(conn)
}

/// The same in parts.
pub(super) fn parts(conn: &mut AnyConnection, codes: Vec<String>, years: Vec<i64>) -> QueryResult<Vec<Part>> {
    use standing_parts::dsl;
    dsl::standing_parts
        .filter(dsl::year.eq_any(years))
        .filter(dsl::unit_code.eq_any(codes))
        .select((
            dsl::year,
            dsl::unit_code,
            dsl::part,
            dsl::code,
            dsl::unit_kind,
            dsl::name,
            dsl::weight,
            dsl::points,
        ))
        .load(conn)
}

/// The frozen schemes, of which there are few.
pub(super) fn frozen_schemes(conn: &mut AnyConnection) -> QueryResult<Vec<(String, String)>> {
    frozen_schemes::table
        .select((frozen_schemes::digest, frozen_schemes::body))
        .load(conn)
}

/// The last change of everything that belongs to these units, special funds aside.
pub(super) fn last_of_units(conn: &mut AnyConnection, codes: Vec<String>) -> QueryResult<Vec<Change>> {
    let last: Vec<Option<i64>> = changes::table
        .filter(changes::unit_code.eq_any(codes))
        .filter(changes::resource.ne(Resource::SpecialFund.as_str()))
        .group_by(changes::key)
        .select(max(changes::seq))
        .load(conn)?;
    by_number(conn, last)
}

/// That a change is in the index of what no unit's code leads to; the condition is that of the index, word for word.
const ELSEWHERE: &str = "(unit_code IS NULL OR resource = 'special_fund')";

/// The last change of what is at these addresses, which have no unit's code in them.
pub(super) fn last_elsewhere(conn: &mut AnyConnection, keys: Vec<String>) -> QueryResult<Vec<Change>> {
    let last: Vec<Option<i64>> = changes::table
        .filter(sql::<Bool>(ELSEWHERE))
        .filter(changes::key.eq_any(keys))
        .group_by(changes::key)
        .select(max(changes::seq))
        .load(conn)?;
    by_number(conn, last)
}

/// The next addresses without a unit's code of which the log says something, after one.
pub(super) fn keys_elsewhere(conn: &mut AnyConnection, after: &str, most: i64) -> QueryResult<Vec<String>> {
    changes::table
        .filter(sql::<Bool>(ELSEWHERE))
        .filter(changes::key.gt(after))
        .group_by(changes::key)
        .select(changes::key)
        .order(changes::key)
        .limit(most)
        .load(conn)
}

fn by_number(conn: &mut AnyConnection, numbers: Vec<Option<i64>>) -> QueryResult<Vec<Change>> {
    let mut rows = Vec::with_capacity(numbers.len());
    // SQLite takes some thirty thousand parameters in a statement.
    for piece in numbers.into_iter().flatten().collect::<Vec<_>>().chunks(5000) {
        let query = changes::table
            .filter(changes::seq.eq_any(piece.to_vec()))
            .select(Change::as_select());
        rows.extend(query.load(conn)?);
    }
    Ok(rows)
}

/// Units that the log knows and that are not there: their codes.
pub(super) fn lost_units(conn: &mut AnyConnection, most: i64) -> QueryResult<Vec<String>> {
    let known = changes::unit_code.assume_not_null();
    let there = units::table.filter(units::code.nullable().eq(changes::unit_code));
    changes::table
        .filter(changes::unit_code.is_not_null())
        .filter(not(exists(there)))
        .filter(changes::action.ne(Action::Deleted.as_str()))
        .select(known)
        .distinct()
        .limit(most)
        .load(conn)
}

/// The fiscal years.
pub(super) fn years(conn: &mut AnyConnection) -> QueryResult<Vec<YearRow>> {
    fiscal_years::table.select(YearRow::as_select()).load(conn)
}

/// The templates of reports.
pub(super) fn templates(conn: &mut AnyConnection) -> QueryResult<Vec<TemplateRow>> {
    report_templates::table.select(TemplateRow::as_select()).load(conn)
}

/// The schemes: a few hundred at most.
pub(super) fn schemes(conn: &mut AnyConnection) -> QueryResult<Vec<SchemeRow>> {
    scoring_schemes::table.select(SchemeRow::as_select()).load(conn)
}

/// The webhooks: there are at most fifty.
pub(super) fn webhooks(conn: &mut AnyConnection) -> QueryResult<Vec<WebhookRow>> {
    webhooks::table.select(WebhookRow::as_select()).load(conn)
}

/// The next special funds after an id.
pub(super) fn funds_after(conn: &mut AnyConnection, after: &str, most: i64) -> QueryResult<Vec<FundRow>> {
    let query = special_funds::table
        .filter(special_funds::id.gt(after))
        .order(special_funds::id)
        .limit(most);
    query.select(FundRow::as_select()).load(conn)
}

/// The next imports after an id.
pub(super) fn imports_after(conn: &mut AnyConnection, after: &str, most: i64) -> QueryResult<Vec<ImportRow>> {
    let query = imports::table
        .filter(imports::id.gt(after))
        .order(imports::id)
        .limit(most);
    query.select(ImportRow::as_select()).load(conn)
}

/// How many faults these imports have; those without any are left out.
pub(super) fn import_faults(conn: &mut AnyConnection, ids: Vec<String>) -> QueryResult<Vec<(String, i64)>> {
    import_faults::table
        .filter(import_faults::import_id.eq_any(ids))
        .group_by(import_faults::import_id)
        .select((import_faults::import_id, diesel::dsl::count_star()))
        .load(conn)
}

/// Whether something is stored at these addresses: of one table each, by its ids.
pub(super) fn existing(conn: &mut AnyConnection, table: Resource, ids: Vec<String>) -> QueryResult<Vec<String>> {
    macro_rules! among {
        ($table:ident, $id:ident) => {
            $table::table
                .filter($table::$id.eq_any(ids))
                .select($table::$id)
                .into_boxed::<Backend>()
                .load(conn)
        };
    }
    match table {
        Resource::SpecialFund => among!(special_funds, id),
        Resource::ScoringScheme => among!(scoring_schemes, id),
        Resource::Import => among!(imports, id),
        Resource::Webhook => among!(webhooks, id),
        Resource::Token => {
            use crate::db::schema::tokens;
            among!(tokens, id)
        }
        _ => Ok(Vec::new()),
    }
}
