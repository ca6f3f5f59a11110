//! All SQL of the imports themselves; their rows are stored by the rooms that they belong to.

use diesel::prelude::*;

use super::fault::RowFault;
use super::model::{Counts, Row, State};
use crate::codes::{ImportId, Ordinal};
use crate::db::connection::Backend;
use crate::db::schema::{import_faults, imports};
use crate::db::{AnyConnection, now};
use crate::http::page::{Limit, Order};
use crate::http::problem::Problem;
use crate::paged;

/// The import of that id, if there is one.
pub fn find(conn: &mut AnyConnection, id: &str) -> QueryResult<Option<Row>> {
    imports::table.find(id).select(Row::as_select()).first(conn).optional()
}

/// Stores a new import.
pub fn insert(conn: &mut AnyConnection, row: &Row) -> QueryResult<()> {
    diesel::insert_into(imports::table).values(row).execute(conn).map(drop)
}

/// Makes `runner` the one that works on an import that is not finished.
pub fn take_over(conn: &mut AnyConnection, id: &str, runner: &str) -> QueryResult<()> {
    diesel::update(imports::table.find(id))
        .set((
            imports::runner.eq(runner),
            imports::state.eq(State::Running.as_str()),
            imports::updated_at.eq(now()),
        ))
        .execute(conn)
        .map(drop)
}

/// Says how far an import is: `position` and `counts` after its latest rows, and its state.
///
/// # Errors
/// 409 if another process works on it by now, so that no row is stored twice.
pub fn advance(
    conn: &mut AnyConnection,
    (id, runner): (&str, &str),
    position: i64,
    counts: Counts,
    state: State,
) -> Result<(), Problem> {
    let at = now();
    let finished = (state != State::Running).then(|| at.clone());
    let changed = diesel::update(
        imports::table
            .find(id)
            .filter(imports::runner.eq(runner))
            .filter(imports::state.eq(State::Running.as_str())),
    )
    .set((
        imports::position.eq(position),
        imports::rows_created.eq(counts.created),
        imports::rows_replaced.eq(counts.replaced),
        imports::rows_unchanged.eq(counts.unchanged),
        imports::rows_rejected.eq(counts.rejected),
        imports::faults.eq(counts.faults),
        imports::state.eq(state.as_str()),
        imports::updated_at.eq(at),
        imports::finished_at.eq(finished),
    ))
    .execute(conn)?;
    match changed {
        0 => Err(Problem::import_running(id)),
        _ => Ok(()),
    }
}

/// Adds faults to those that an import has; `before` is how many those are.
///
/// # Errors
/// 500; none for a program that passed its tests.
pub fn add_faults(conn: &mut AnyConnection, id: &str, before: i64, faults: &[RowFault]) -> Result<(), Problem> {
    let texts: Result<Vec<String>, _> = faults.iter().map(serde_json::to_string).collect();
    let texts = texts.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(add_fault_texts(conn, id, before, &texts)?)
}

/// The same, of faults that are JSON already.
pub fn add_fault_texts(conn: &mut AnyConnection, id: &str, before: i64, faults: &[String]) -> QueryResult<()> {
    for (body, number) in faults.iter().zip(before + 1..) {
        diesel::insert_into(import_faults::table)
            .values((
                import_faults::import_id.eq(id),
                import_faults::number.eq(number),
                import_faults::body.eq(body),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets all faults of an import, which begins anew.
pub fn forget_faults(conn: &mut AnyConnection, id: &str) -> QueryResult<()> {
    diesel::delete(import_faults::table.filter(import_faults::import_id.eq(id)))
        .execute(conn)
        .map(drop)
}

/// The import that was worked on least lately, if that was before `since`.
pub fn oldest(conn: &mut AnyConnection, since: &str) -> QueryResult<Option<String>> {
    imports::table
        .filter(imports::updated_at.lt(since))
        .order((imports::updated_at, imports::id))
        .select(imports::id)
        .first(conn)
        .optional()
}

/// Deletes the first faults of an import, up to `most`; how many those were.
pub fn forget_some_faults(conn: &mut AnyConnection, id: &str, most: i64) -> QueryResult<usize> {
    let own = import_faults::import_id.eq(id);
    let first: Option<i64> = import_faults::table
        .filter(own)
        .select(diesel::dsl::min(import_faults::number))
        .first(conn)?;
    let Some(first) = first else {
        return Ok(0);
    };
    diesel::delete(
        import_faults::table
            .filter(own)
            .filter(import_faults::number.lt(first + most)),
    )
    .execute(conn)
}

/// Deletes an import that has no faults.
pub fn forget(conn: &mut AnyConnection, id: &str) -> QueryResult<()> {
    diesel::delete(imports::table.find(id)).execute(conn).map(drop)
}

/// The first faults of an import, in the order of the file.
pub fn first_faults(conn: &mut AnyConnection, id: &str, most: i64) -> QueryResult<Vec<String>> {
    import_faults::table
        .filter(import_faults::import_id.eq(id))
        .order(import_faults::number)
        .limit(most)
        .select(import_faults::body)
        .load(conn)
}

/// A page of an import's faults, each with its number, in the order of the file.
pub fn faults(
    conn: &mut AnyConnection,
    id: &str,
    order: Order,
    cursor: Option<Ordinal>,
    limit: Limit,
) -> QueryResult<Vec<(i64, String)>> {
    let query = import_faults::table
        .filter(import_faults::import_id.eq(id.to_owned()))
        .select((import_faults::number, import_faults::body))
        .into_boxed::<Backend>();
    paged!(query, import_faults::number, order, cursor.map(Ordinal::get), limit).load(conn)
}

/// A page of imports by id; `of`: only those of this token.
pub fn list(
    conn: &mut AnyConnection,
    of: Option<String>,
    order: Order,
    cursor: Option<&ImportId>,
    limit: Limit,
) -> QueryResult<Vec<Row>> {
    let mut query = imports::table.select(Row::as_select()).into_boxed::<Backend>();
    if let Some(token) = of {
        query = query.filter(imports::token_id.eq(token));
    }
    paged!(
        query,
        imports::id,
        order,
        cursor.map(|id| id.as_str().to_owned()),
        limit
    )
    .load(conn)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use diesel::connection::InstrumentationEvent;

    use super::*;
    use crate::db::plan::plan;
    use crate::db::{Target, open_once};

    /// Each import asks for old ones, and the writer does nothing else meanwhile.
    #[test]
    fn the_more_imports_there_are_the_more_is_there_and_not_the_more_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
        let (asks, asked) = channel();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                asks.send(query.to_string()).unwrap();
            }
        });
        oldest(&mut conn, "2026").unwrap();
        forget_some_faults(&mut conn, "a", 1).unwrap();
        first_faults(&mut conn, "a", 1).unwrap();
        for token in [None, Some("a".to_owned())] {
            list(&mut conn, token, Order::default(), None, Limit::default()).unwrap();
        }
        let asked: Vec<String> = asked.try_iter().collect();
        assert_eq!(asked.len(), 5, "{asked:?}");
        for sql in asked {
            for step in plan(&mut conn, &sql) {
                let reads_on =
                    step.starts_with("SEARCH") || step == "SCAN imports USING INDEX sqlite_autoindex_imports_1";
                assert!(reads_on, "{step}: {sql}");
            }
        }
    }
}
