//! Pieces of SQL that several stores need.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Nullable, Text};

use super::AnyConnection;
use super::schema::unit_predecessors;

/// Functions that both engines have under the same name.
#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower case, of as many letters as the engine and its locale know; so what is compared goes through it on both sides.
    fn lower(text: Text) -> Text;
    /// The text from the character at `from` (1 is the first) to its end.
    fn substr(text: Text, from: diesel::sql_types::Integer) -> Text;
    /// The number of characters.
    fn length(text: Text) -> diesel::sql_types::Integer;
}

/// How many rows one statement of SQLite inserts: with fewer, starting it weighs; with more, compiling it does.
pub const ROWS_A_STATEMENT: usize = 50;

/// Inserts rows that all have the same columns, `None` included (`treat_none_as_default_value = false`). PostgreSQL is far
/// away: it gets as many in a statement as it takes. SQLite gets pieces of one length, whose statement is compiled once, and
/// the rest one by one. What comes after the rows says what becomes of those that are there. A failure is returned from where this
/// stands.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr $(, $($then:tt)+)?) => {
        match $conn {
            $crate::db::AnyConnection::Postgres(conn) => {
                // A statement has at most 65,535 parameters, and no table as many as twenty columns.
                for rows in $rows.chunks(3000) {
                    diesel::insert_into($table).values(rows)$($($then)+)?.execute(conn)?;
                }
            }
            $crate::db::AnyConnection::Sqlite(conn) => {
                let (pieces, rest) = $rows.as_chunks::<{ $crate::db::sql::ROWS_A_STATEMENT }>();
                for piece in pieces {
                    diesel::insert_into($table).values(piece)$($($then)+)?.execute(conn)?;
                }
                for row in rest {
                    diesel::insert_into($table).values(row)$($($then)+)?.execute(conn)?;
                }
            }
        }
    };
}
pub(crate) use insert_all;

/// A pattern for `LIKE … ESCAPE '\'` that finds texts which contain `wanted`.
pub fn containing(wanted: &str) -> String {
    let mut pattern = String::from("%");
    for c in wanted.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A pattern for `LIKE` that finds a unit's place in the hierarchy and all below it.
pub fn at_or_below(path: &str) -> String {
    format!("{path}%")
}

/// Whether the unit whose code is in a column is one of some units, or below one of them now. A unit that is gone is below none, and
/// still itself.
///
/// The database goes down from unit to unit by `parent_code`, so that it costs what is below these units, and not what there is.
#[derive(Debug, Clone)]
pub struct IsUnder<C> {
    column: C,
    codes: Vec<String>,
}

/// Whether the unit in `column` is one of `codes` or below one of them; never, when there are none.
pub fn is_under<C>(column: C, codes: Vec<String>) -> IsUnder<C> {
    IsUnder { column, codes }
}

impl<C> Expression for IsUnder<C> {
    type SqlType = Nullable<Bool>;
}

impl<C: AppearsOnTable<Tables>, Tables> AppearsOnTable<Tables> for IsUnder<C> {}

impl<C, Groups> ValidGrouping<Groups> for IsUnder<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C> QueryId for IsUnder<C> {
    // Told apart by its text: it has as many parameters as there are codes.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, DB> QueryFragment<DB> for IsUnder<C>
where
    C: QueryFragment<DB>,
    DB: diesel::backend::Backend + HasSqlType<Text>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let Some((first, others)) = self.codes.split_first() else {
            out.push_sql("1 = 0");
            return Ok(());
        };
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (WITH RECURSIVE found (code) AS (VALUES (");
        out.push_bind_param::<Text, _>(first)?;
        for code in others {
            out.push_sql("), (");
            out.push_bind_param::<Text, _>(code)?;
        }
        // UNION, and not UNION ALL: one unit may be below another of these.
        out.push_sql(
            ") UNION SELECT below.code FROM found INNER JOIN units AS below ON below.parent_code = found.code) \
             SELECT code FROM found)",
        );
        Ok(())
    }
}

/// How far back a line of units is followed, in reforms (机构改革) and in units.
const REFORMS: usize = 30;
const UNITS: usize = 500;

/// The units that some units continue, and those that these continue, as pairs of a unit and one of its predecessors; in
/// a statement per reform; and whether the line was followed to its end, which only one longer than any is prevents.
pub fn lineage(conn: &mut AnyConnection, of: Vec<String>) -> QueryResult<(Vec<(String, String)>, bool)> {
    let mut links: Vec<(String, String)> = Vec::new();
    let mut next = of;
    for _ in 0..REFORMS {
        let found: Vec<(String, String)> = unit_predecessors::table
            .filter(unit_predecessors::unit_code.eq_any(next))
            .select((unit_predecessors::unit_code, unit_predecessors::predecessor_code))
            .order((unit_predecessors::unit_code, unit_predecessors::predecessor_code))
            .load(conn)?;
        next = Vec::new();
        for link in found {
            let seen = links.iter().any(|(unit, _)| *unit == link.1);
            if !seen && !next.contains(&link.1) {
                next.push(link.1.clone());
            }
            links.push(link);
        }
        if next.is_empty() {
            return Ok((links, true));
        }
        if links.len() > UNITS {
            break;
        }
    }
    Ok((links, false))
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::db::plan::plan;
    use crate::db::schema::units;
    use crate::db::{Target, open_once};

    #[test]
    fn those_below_some_units_are_found_without_looking_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
        conn.batch_execute(
            "INSERT INTO units (code, name, kind, parent_code, path, version, created_at, updated_at) VALUES
                ('219', '某县', 'department', NULL, '/219/', 1, '', ''),
                ('219001', '某局', 'department', '219', '/219/219001/', 1, '', ''),
                ('219001001', '某站', 'department', '219001', '/219/219001/219001001/', 1, '', ''),
                ('219002', '某镇', 'town', '219', '/219/219002/', 1, '', ''),
                ('2190', '另一县', 'department', NULL, '/2190/', 1, '', ''),
                ('2190001', '另一局', 'department', '2190', '/2190/2190001/', 1, '', '')",
        )
        .unwrap();
        let mut under = |codes: &[&str]| -> Vec<String> {
            let codes = codes.iter().map(|code| (*code).to_owned()).collect();
            let found = units::table.filter(is_under(units::code, codes)).select(units::code);
            found.order(units::code).load(&mut conn).unwrap()
        };
        assert_eq!(under(&["219"]), ["219", "219001", "219001001", "219002"]);
        assert_eq!(under(&["219001"]), ["219001", "219001001"]);
        // One of them below another, and one that is gone.
        let several = under(&["219001001", "2190", "219001", "218"]);
        assert_eq!(several, ["2190", "2190001", "219001", "219001001"]);
        assert_eq!(under(&[]), Vec::<String>::new());

        let query = units::table.filter(is_under(units::code, vec!["219".to_owned()]));
        let sql = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
        let sql = sql.split(" -- binds").next().unwrap();
        let steps = plan(&mut conn, sql);
        let searches = steps.iter().filter(|step| step.starts_with("SEARCH")).count();
        assert_eq!(searches, 2, "{steps:?}");
        assert!(
            !steps
                .iter()
                .any(|step| step.contains("SCAN units") || step.contains("SCAN below")),
            "{steps:?}"
        );
    }

    #[test]
    fn sqlite_takes_rows_fifty_at_a_time() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};

        use diesel::connection::InstrumentationEvent;

        use crate::codes::UnitCode;
        use crate::units::model::{Row, UnitInput};

        let folder = tempfile::tempdir().unwrap();
        let mut conn = open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
        let unit: UnitInput = serde_json::from_str(r#"{"name": "某镇", "kind": "town"}"#).unwrap();
        let rows: Vec<Row> = (0..2 * ROWS_A_STATEMENT + 3)
            .map(|n| UnitCode::try_from((1000 + n).to_string()).unwrap())
            .map(|code| Row::new(&code, None, &unit, format!("/{code}/"), ""))
            .collect();
        let statements = Arc::new(AtomicUsize::new(0));
        let counted = statements.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        crate::units::store::insert_all(&mut conn, &rows).unwrap();
        assert_eq!(statements.load(Ordering::Relaxed), 2 + 3);
        let stored: i64 = units::table.count().get_result(&mut conn).unwrap();
        assert_eq!(stored, rows.len() as i64);
    }

    #[test]
    fn what_is_searched_for_is_taken_literally() {
        assert_eq!(containing("50%_A\\"), "%50\\%\\_A\\\\%");
    }
}
