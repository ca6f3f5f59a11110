//! All SQL of the change feed.

use diesel::prelude::*;

use super::model::EventType;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::db::changes::Row;
use crate::db::connection::Backend;
use crate::db::schema::changes::dsl;
use crate::db::sql::is_under;

/// Which changes to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this unit.
    pub unit: Option<UnitCode>,
    /// Only of this year.
    pub year: Option<FiscalYear>,
    /// Only of these types; `None`: of all.
    pub kinds: Option<Vec<EventType>>,
    /// Only of these units and of all that are below them now; `None`: all.
    pub scope: Option<Vec<String>>,
}

/// Changes after the number `after` and up to `until`, in order, at most `limit`.
pub fn between(
    conn: &mut AnyConnection,
    filter: &Filter,
    (after, until): (i64, i64),
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let mut query = dsl::changes
        .select(Row::as_select())
        .filter(dsl::seq.gt(after))
        .filter(dsl::seq.le(until))
        .order(dsl::seq)
        .limit(limit)
        .into_boxed::<Backend>();
    if let Some(unit) = &filter.unit {
        query = query.filter(dsl::unit_code.eq(unit.as_str().to_owned()));
    }
    if let Some(year) = filter.year {
        query = query.filter(dsl::year.eq(year.get()));
    }
    if let Some(kinds) = &filter.kinds {
        let whole = kinds.iter().filter(|kind| kind.action.is_none());
        let resources: Vec<&str> = whole.map(|kind| kind.resource.as_str()).collect();
        let exact = kinds.iter().filter_map(|kind| {
            let action = kind.action?;
            Some(format!("{}.{}", kind.resource.as_str(), action.as_str()))
        });
        let exact: Vec<String> = exact.collect();
        let both = dsl::resource.concat(".").concat(dsl::action);
        query = query.filter(dsl::resource.eq_any(resources).or(both.eq_any(exact)));
    }
    if let Some(scope) = &filter.scope {
        query = query.filter(is_under(dsl::unit_code, scope.clone()));
    }
    query.load(conn)
}
