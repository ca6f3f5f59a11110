//! The address of the audit trail.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::AuditEntry;
use super::store::{self, Filter};
use crate::codes::{FiscalYear, Moment, UnitCode};
use crate::db::Db;
use crate::db::changes::{Action, Resource};
use crate::events::model::Seq;
use crate::http::auth::AuditReader;
use crate::http::page::{Limit, Order, Page};
use crate::http::problem::Problem;
use crate::http::query::{Query, SearchText, given};
use crate::http::resource::resource;
use crate::http::responses::CommonErrors;

/// Adds the route of the audit trail.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/audit").get(list));
}

/// Which part of the trail to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only of this unit; not of those below it.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
    /// Only of this fiscal year.
    #[serde(default, deserialize_with = "given")]
    year: Option<FiscalYear>,
    /// Only by this actor, as entries name it: the id of a token, or `jwt:…` for one whom the county's identity provider vouches for.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    actor: Option<SearchText>,
    /// Only of what is at this address, such as `/api/v1/units/219001`.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    key: Option<SearchText>,
    /// Only of this kind of thing.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    resource: Option<Resource>,
    /// Only this.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    action: Option<Action>,
    /// Not before this moment.
    #[serde(default, deserialize_with = "given")]
    from: Option<Moment>,
    /// Before this moment.
    #[serde(default, deserialize_with = "given")]
    to: Option<Moment>,
    /// By number, from the first or from the latest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: its last number.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    cursor: Option<Seq>,
}

/// List the audit trail
///
/// Who changed what, when, from where and by which request, with the document before and after. The trail is only ever added
/// to, and each entry's `hash` covers the one before: `jixiao audit verify` on the machine of the service tells whether anyone
/// has tampered with it, also against a hash that was noted down here. For the bureau and auditors.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "list_audit_trail",
    tag = "audit",
    security(("token" = ["audit"])),
    params(AuditQuery),
    responses((status = 200, description = "A page of the trail", body = Page<AuditEntry>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    _: AuditReader,
    Query(query): Query<AuditQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .scan(move |conn| {
            let filter = Filter {
                unit: query.unit,
                year: query.year,
                actor: query.actor.map(|actor| actor.as_str().to_owned()),
                key: query.key.map(|key| key.as_str().to_owned()),
                resource: query.resource,
                action: query.action,
                from: query.from,
                to: query.to,
            };
            let order = query.order.unwrap_or_default();
            Ok(store::list(
                conn,
                &filter,
                order,
                query.cursor.map(|cursor| cursor.0),
                limit,
            )?)
        })
        .await?;
    let entries: Vec<AuditEntry> = rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
    Ok(Page::new(entries, limit, |entry| &entry.seq, |entry| entry).respond(&request))
}
