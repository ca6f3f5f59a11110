//! Pieces of SQL that several stores need.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::AnyConnection;
use super::schema::{unit_predecessors, units};

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
/// the rest one by one. A failure is returned from where this stands.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {
        match $conn {
            $crate::db::AnyConnection::Postgres(conn) => {
                // A statement has at most 65,535 parameters, and no table as many as twenty columns.
                for rows in $rows.chunks(3000) {
                    diesel::insert_into($table).values(rows).execute(conn)?;
                }
            }
            $crate::db::AnyConnection::Sqlite(conn) => {
                let (pieces, rest) = $rows.as_chunks::<{ $crate::db::sql::ROWS_A_STATEMENT }>();
                for piece in pieces {
                    diesel::insert_into($table).values(piece).execute(conn)?;
                }
                for row in rest {
                    diesel::insert_into($table).values(row).execute(conn)?;
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

// Of its own, since the macro makes public items without any documentation.
mod twice {
    diesel::alias!(crate::db::schema::units as tops: Tops, crate::db::schema::units as belows: Belows);
}
use twice::{belows, tops};

/// The codes of some units and of all below them, as a subquery.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn codes_under(codes: Vec<String>) -> _ {
    let below = belows.field(units::path).like(tops.field(units::path).concat("%"));
    belows
        .inner_join(tops.on(below))
        .filter(tops.field(units::code).eq_any(codes))
        .select(belows.field(units::code))
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
    use super::*;

    #[test]
    fn sqlite_takes_rows_fifty_at_a_time() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};

        use diesel::connection::InstrumentationEvent;

        use crate::codes::UnitCode;
        use crate::db::{Target, open_once};
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
