//! All SQL of the audit trail.

use diesel::dsl::{case_when, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::codes::{FiscalYear, Moment, UnitCode};
use crate::db::AnyConnection;
use crate::db::changes::{Action, Resource, Row};
use crate::db::connection::Backend;
use crate::db::schema::changes::{self, dsl};
use crate::http::page::{Limit, Order};
use crate::paged;

// Of its own, since the macro makes public items without any documentation.
mod twice {
    diesel::alias!(crate::db::schema::changes as earlier: Earlier);
}
use twice::earlier;

/// A change with the document that was there before it.
#[derive(Debug, Clone, Queryable)]
pub struct Entry {
    /// The change.
    pub row: Row,
    /// What the change before it of the same thing left.
    pub before: Option<String>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this unit.
    pub unit: Option<UnitCode>,
    /// Only of this fiscal year.
    pub year: Option<FiscalYear>,
    /// Only by this token or subject.
    pub actor: Option<String>,
    /// Only of what is at this address.
    pub key: Option<String>,
    /// Only of this kind of thing.
    pub resource: Option<Resource>,
    /// Only this.
    pub action: Option<Action>,
    /// Not before this.
    pub from: Option<Moment>,
    /// Not from this on.
    pub to: Option<Moment>,
}

/// A page of the trail by number.
///
/// What has its unit's code in its address is found among the changes of that unit; the rest, and special funds, which may go
/// from one unit to another, in an index of their own: its condition is said as the index says it.
pub fn list(
    conn: &mut AnyConnection,
    filter: &Filter,
    order: Order,
    cursor: Option<i64>,
    limit: Limit,
) -> QueryResult<Vec<Entry>> {
    let before = earlier
        .filter(earlier.field(changes::key).eq(dsl::key))
        .filter(earlier.field(changes::seq).lt(dsl::seq))
        .order(earlier.field(changes::seq).desc())
        .select(earlier.field(changes::after))
        .limit(1);
    let of_unit = before.filter(earlier.field(changes::unit_code).eq(dsl::unit_code));
    let elsewhere = before.filter(sql::<Bool>(
        "(earlier.unit_code IS NULL OR earlier.resource = 'special_fund')",
    ));
    let before = case_when(
        dsl::unit_code
            .is_null()
            .or(dsl::resource.eq(Resource::SpecialFund.as_str())),
        elsewhere.single_value(),
    )
    .otherwise(of_unit.single_value());
    let mut query = dsl::changes.select((Row::as_select(), before)).into_boxed::<Backend>();
    if let Some(unit) = &filter.unit {
        query = query.filter(dsl::unit_code.eq(unit.as_str().to_owned()));
    }
    if let Some(year) = filter.year {
        query = query.filter(dsl::year.eq(year.get()));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(dsl::actor.eq(actor.clone()));
    }
    if let Some(key) = &filter.key {
        query = query.filter(dsl::key.eq(key.clone()));
        query = match unit_of(key) {
            Some(unit) => query.filter(dsl::unit_code.eq(unit.to_owned())),
            None => query.filter(sql::<Bool>(
                "(changes.unit_code IS NULL OR changes.resource = 'special_fund')",
            )),
        };
    }
    if let Some(resource) = filter.resource {
        query = query.filter(dsl::resource.eq(resource.as_str()));
    }
    if let Some(action) = filter.action {
        query = query.filter(dsl::action.eq(action.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(dsl::at.ge(from.to_string()));
    }
    if let Some(to) = filter.to {
        query = query.filter(dsl::at.lt(to.to_string()));
    }
    paged!(query, dsl::seq, order, cursor, limit).load(conn)
}

/// The code of the unit that an address names.
fn unit_of(key: &str) -> Option<&str> {
    key.strip_prefix("/api/v1/units/")?.split('/').next()
}

/// The changes after the number `after`, in order, at most `limit`.
pub fn after(conn: &mut AnyConnection, after: i64, limit: i64) -> QueryResult<Vec<Row>> {
    dsl::changes
        .filter(dsl::seq.gt(after))
        .order(dsl::seq)
        .limit(limit)
        .select(Row::as_select())
        .load(conn)
}
