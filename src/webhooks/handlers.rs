//! The addresses of the webhooks.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use url::Url;
use utoipa::IntoParams;

use super::model::{
    DeadLetter, DeadRow, Delivery, IssuedWebhook, ListedWebhook, MOST, MOST_TYPES, Ping, PingEvent, Replay, Row,
    Webhook, WebhookInput,
};
use super::reach::Reach;
use super::sender::{Message, Sender};
use super::signature::new_secret;
use super::store;
use crate::codes::{Ordinal, WebhookId};
use crate::db::changes::Head;
use crate::db::{AnyConnection, Db, now};
use crate::fault::{Fault, Text};
use crate::http::auth::WebhookKeeper;
use crate::http::body::{Json, MergePatch, OptionalJson};
use crate::http::etag::Preconditions;
use crate::http::middleware::current_traceparent;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::idempotency::answer::Answer;
use crate::idempotency::once::Once;
use crate::patch_of;
use crate::tokens::model::{Rotation, new_id};

patch_of!(
    /// Some fields of [`WebhookInput`].
    WebhookPatch,
    WebhookInput
);

/// Adds the routes of the webhooks.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list).post(post))
        .service(resource("/{id}").get(get).patch(patch).delete(delete))
        .service(resource("/{id}/delivery").get(get_delivery))
        .service(resource("/{id}/rotate-secret").post(rotate))
        .service(resource("/{id}/ping").post(ping))
        .service(resource("/{id}/replay").post(replay))
        .service(resource("/{id}/dead-letters").get(list_dead))
        .service(resource("/{id}/dead-letters/replay").post(replay_all_dead))
        .service(resource("/{id}/dead-letters/{number}/replay").post(replay_dead));
}

/// Which webhooks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// By id, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the id of its last webhook.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<WebhookId>,
}

/// List webhooks
///
/// By id, without their secrets, each with how far it is. Only for the finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    operation_id = "list_webhooks",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(ListQuery),
    responses((status = 200, description = "A page of webhooks", body = Page<ListedWebhook>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    _: WebhookKeeper,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let (rows, dead, head) = db
        .primary()
        .scan(move |conn| {
            let rows = store::page(conn, query.order.unwrap_or_default(), query.cursor.as_ref(), limit)?;
            let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
            let dead = store::dead_letters(conn, &ids)?;
            Ok((rows, dead, Head::load(conn)?.seq))
        })
        .await?;
    let show = |row| ListedWebhook::new(row, &dead, head);
    Ok(Page::new(rows, limit, |row: &Row| &row.id, show).respond(&request))
}

/// Make a webhook
///
/// Every event of the change feed that its filters let through is sent to `url`, from this moment on, one by one and in order:
/// a POST of the CloudEvent that `GET /api/v1/events` has (`application/cloudevents+json`), signed by the Standard Webhooks
/// specification (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Answer 2xx within ten seconds; anything else is
/// tried again, the waits growing to an hour or to what `Retry-After` asks for, until it is given up and becomes a dead letter.
/// 410 turns the webhook off. An event can come twice, under the same `webhook-id`. The answer is the only place where the secret
/// appears, also with an `Idempotency-Key` (409 when sent again). There can be 50 webhooks. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks",
    operation_id = "create_webhook",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(Once),
    request_body(content = WebhookInput, example = json!({"url": "https://oa.example.gov.cn/hooks/jixiao", "description": "办公系统待办",
        "types": ["jixiao.evaluation"], "year": 2019})),
    responses((status = 201, description = "It was made", body = IssuedWebhook,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn post(
    WebhookKeeper(principal): WebhookKeeper,
    once: Once,
    Json(input): Json<WebhookInput>,
    db: Data<Db>,
    sender: Data<Sender>,
) -> Result<HttpResponse, Problem> {
    once.write(&db, principal.origin(), move |tx| {
        let mut faults = faults(tx, &input, None, sender.reach())?;
        if store::count(tx)? >= MOST {
            faults.push(Fault::new(
                "",
                "too_many",
                format!("推送最多{MOST}个，请先删除不再使用的推送。"),
                format!("there are {MOST} webhooks already, and there can be no more"),
            ));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let random = |error: getrandom::Error| Problem::internal(error.to_string());
        let secret = new_secret().map_err(random)?;
        let row = store::create(tx, new_id().map_err(random)?, secret.clone(), &input)?;
        let (address, etag) = (store::address(&row.id), row.etag());
        Ok(Answer::created(address, &IssuedWebhook { secret, of: row.into() })?
            .tagged(&etag)
            .with_secret())
    })
    .await
}

/// Get a webhook
///
/// Without its secret. Only for the finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}",
    operation_id = "get_webhook",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook")),
    responses((status = 200, description = "The webhook", body = Webhook, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    _: WebhookKeeper,
    Path(id): Path<WebhookId>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let row = db.primary().read(move |conn| require(conn, &id)).await?;
    preconditions.answer(&row.etag(), |mut response| Ok(response.json(Webhook::from(row))))
}

/// Change a webhook
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a filter away. The secret and its place in the log stay;
/// what has failed is tried again at once. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/webhooks/{id}",
    operation_id = "patch_webhook",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook")),
    request_body(content = WebhookPatch, content_type = "application/merge-patch+json", example = json!({"enabled": false})),
    responses((status = 200, description = "The webhook after the change", body = Webhook,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    WebhookKeeper(principal): WebhookKeeper,
    Path(id): Path<WebhookId>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    sender: Data<Sender>,
) -> Result<HttpResponse, Problem> {
    let row = db
        .write(principal.origin(), move |tx| {
            let before = require(tx, &id)?;
            preconditions.check(Some(&before.etag()))?;
            let was = WebhookInput::try_from(&before).map_err(Problem::internal)?;
            let input = patch.apply(&was)?;
            let faults = faults(tx, &input, Some(&was), sender.reach())?;
            if !faults.is_empty() {
                return Err(Problem::invalid(faults));
            }
            match input == was {
                true => Ok(before),
                false => store::save(tx, before, &input),
            }
        })
        .await?;
    Ok(row.etag().saved(false, "").json(Webhook::from(row)))
}

/// Delete a webhook
///
/// With its dead letters. An attempt that is under way may still arrive. Only for the finance bureau.
#[utoipa::path(
    delete,
    path = "/api/v1/webhooks/{id}",
    operation_id = "delete_webhook",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook")),
    responses((status = 204, description = "It is gone"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    WebhookKeeper(principal): WebhookKeeper,
    Path(id): Path<WebhookId>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    db.write(principal.origin(), move |tx| {
        let row = require(tx, &id)?;
        preconditions.check(Some(&row.etag()))?;
        store::delete(tx, id.as_str())
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How far is a webhook
///
/// What was delivered, how many changes are to come, since when it fails, when it is tried again, and what was answered last. Only
/// for the finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}/delivery",
    operation_id = "get_webhook_delivery",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook")),
    responses((status = 200, description = "How far it is", body = Delivery), CommonErrors),
)]
pub async fn get_delivery(_: WebhookKeeper, Path(id): Path<WebhookId>, db: Data<Db>) -> Result<HttpResponse, Problem> {
    let delivery = db
        .primary()
        .read(move |conn| {
            let row = require(conn, &id)?;
            delivery(conn, row)
        })
        .await?;
    Ok(HttpResponse::Ok().json(delivery))
}

/// Give a webhook a new secret
///
/// The answer is the only place where it appears. Messages are signed with the old secret too for `overlap_seconds`, or no more
/// where they are left out. Only for the finance bureau. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/rotate-secret",
    operation_id = "rotate_webhook_secret",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook"), Once),
    request_body(content = Option<Rotation>, example = json!({"overlap_seconds": 86400})),
    responses((status = 200, description = "The webhook with its new secret", body = IssuedWebhook,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn rotate(
    WebhookKeeper(principal): WebhookKeeper,
    Path(id): Path<WebhookId>,
    preconditions: Preconditions,
    once: Once,
    rotation: OptionalJson<Rotation>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let overlap = rotation.0.unwrap_or_default().overlap_seconds;
    once.write(&db, principal.origin(), move |tx| {
        let before = require(tx, &id)?;
        preconditions.check(Some(&before.etag()))?;
        let secret = new_secret().map_err(|error| Problem::internal(error.to_string()))?;
        let row = store::rotate(tx, before, secret.clone(), overlap.until())?;
        let etag = row.etag();
        Ok(Answer::ok(&IssuedWebhook { secret, of: row.into() })?
            .tagged(&etag)
            .with_secret())
    })
    .await
}

/// Try a webhook
///
/// Sends a signed event of the type `jixiao.ping` now, also where the webhook is turned off, and says what came back. It is not in
/// the feed and moves nothing. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/ping",
    operation_id = "ping_webhook",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook")),
    responses((status = 200, description = "What came of it", body = Ping), CommonErrors),
)]
pub async fn ping(
    _: WebhookKeeper,
    Path(id): Path<WebhookId>,
    db: Data<Db>,
    sender: Data<Sender>,
) -> Result<HttpResponse, Problem> {
    let row = db.primary().read(move |conn| require(conn, &id)).await?;
    let id = format!("ping_{}", uuid::Uuid::now_v7());
    let event = PingEvent::new(id.clone(), store::address(&row.id));
    let body = serde_json::to_vec(&event).map_err(|error| Problem::internal(error.to_string()))?;
    let answer = sender
        .send(
            row.receiver(&now()),
            Message {
                id,
                body,
                traceparent: current_traceparent(),
            },
        )
        .await;
    Ok(HttpResponse::Ok().json(Ping {
        delivered: answer.is_success(),
        status: answer.status,
        answer: answer.text,
    }))
}

/// Send events again
///
/// The webhook goes on after the change of the number `after`: back, to send again what comes after it, or ahead, to leave out
/// what it has missed. Dead letters after it leave their list, and come again with the rest. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/replay",
    operation_id = "replay_webhook",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook"), Once),
    request_body(content = Replay, example = json!({"after": 41})),
    responses((status = 202, description = "It goes on from there", body = Delivery), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn replay(
    WebhookKeeper(principal): WebhookKeeper,
    Path(id): Path<WebhookId>,
    once: Once,
    Json(replay): Json<Replay>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let after = i64::try_from(replay.after.get()).unwrap_or(i64::MAX);
    once.write(&db, principal.origin(), move |tx| {
        let row = require(tx, &id)?;
        let head = Head::load(tx)?.seq;
        if after > head {
            return Err(Problem::invalid(vec![Fault::new(
                "/after",
                "beyond_the_end",
                format!("变更序号{after}超出变更日志的末尾（{head}）。"),
                format!("change {after} is beyond the end of the log, {head}"),
            )]));
        }
        let row = store::replay(tx, row, after)?;
        Answer::accepted(&delivery(tx, row)?)
    })
    .await
}

/// Which dead letters to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeadQuery {
    /// By number, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the number of its last dead letter.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<Ordinal>,
}

/// List dead letters
///
/// The events that a webhook gave up, by number, and why. Only for the finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{id}/dead-letters",
    operation_id = "list_dead_letters",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook"), DeadQuery),
    responses((status = 200, description = "A page of dead letters", body = Page<DeadLetter>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list_dead(
    _: WebhookKeeper,
    Path(id): Path<WebhookId>,
    Query(query): Query<DeadQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .primary()
        .scan(move |conn| {
            require(conn, &id)?;
            let order = query.order.unwrap_or_default();
            Ok(store::dead_page(conn, id.as_str(), order, query.cursor, limit)?)
        })
        .await?;
    Ok(Page::new(rows, limit, |row: &DeadRow| &row.number, DeadLetter::from).respond(&request))
}

/// Send all dead letters again
///
/// Each once, in order, before the next event; a thousand at most. What arrives leaves the list; what fails stays, and the next one
/// waits as after any failure. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/dead-letters/replay",
    operation_id = "replay_dead_letters",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook"), Once),
    responses((status = 202, description = "They are about to be sent", body = Delivery), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn replay_all_dead(
    WebhookKeeper(principal): WebhookKeeper,
    Path(id): Path<WebhookId>,
    once: Once,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    once.write(&db, principal.origin(), move |tx| {
        let row = require(tx, &id)?;
        store::requeue(tx, &row, None)?;
        Answer::accepted(&delivery(tx, row)?)
    })
    .await
}

/// Send a dead letter again
///
/// Once, before the next event. If it arrives it leaves the list, if it fails it stays. Only for the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/dead-letters/{number}/replay",
    operation_id = "replay_dead_letter",
    tag = "webhooks",
    security(("token" = ["webhooks"])),
    params(("id" = WebhookId, Path, description = "The id of the webhook"),
        ("number" = Ordinal, Path, description = "The number of the event"), Once),
    responses((status = 202, description = "It is about to be sent", body = DeadLetter), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn replay_dead(
    WebhookKeeper(principal): WebhookKeeper,
    Path((id, number)): Path<(WebhookId, Ordinal)>,
    once: Once,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    once.write(&db, principal.origin(), move |tx| {
        let row = require(tx, &id)?;
        store::requeue(tx, &row, Some(number.get()))?;
        let dead = store::find_dead(tx, id.as_str(), number.get())?.ok_or_else(|| {
            Problem::not_found(
                format!("推送{id}没有序号为{number}的死信。"),
                format!("Webhook {id} has no dead letter of the number {number}."),
            )
        })?;
        Answer::accepted(&DeadLetter::from(dead))
    })
    .await
}

fn require(conn: &mut AnyConnection, id: &WebhookId) -> Result<Row, Problem> {
    store::find(conn, id.as_str())?
        .ok_or_else(|| Problem::not_found(format!("推送{id}不存在。"), format!("There is no webhook {id}.")))
}

fn delivery(conn: &mut AnyConnection, row: Row) -> Result<Delivery, Problem> {
    let dead = store::dead_letters(conn, std::slice::from_ref(&row.id))?;
    let dead = dead.values().next().copied().unwrap_or_default();
    Ok(Delivery::new(row.state, dead, Head::load(conn)?.seq))
}

/// Every fault of a webhook that its schema cannot tell. What it `was` already is not judged anew: it may have to be turned off.
fn faults(
    conn: &mut AnyConnection,
    input: &WebhookInput,
    was: Option<&WebhookInput>,
    reach: &Reach,
) -> Result<Vec<Fault>, Problem> {
    let mut faults = Vec::new();
    let url = Url::parse(input.url.as_str()).ok();
    if let Some((code, Text { zh, en })) = url.and_then(|url| reach.refusal(&url))
        && was.is_none_or(|was| was.url != input.url)
    {
        faults.push(Fault::new("/url", code, zh, en));
    }
    if let Some(unit) = &input.unit
        && was.is_none_or(|was| was.unit != input.unit)
        && !store::has_unit(conn, unit.as_str())?
    {
        faults.push(Fault::new(
            "/unit",
            "unknown_unit",
            format!("单位{unit}不存在，请先录入。"),
            format!("there is no unit {unit}; store it first"),
        ));
    }
    let types = input.types.as_ref().map(Vec::len);
    if let Some(count) = types.filter(|count| !(1..=MOST_TYPES).contains(count)) {
        let code = if count == 0 { "too_few" } else { "too_many" };
        faults.push(Fault::new(
            "/types",
            code,
            format!("事件类型应为1至{MOST_TYPES}个；不限定类型的，请省略types。"),
            format!("there are 1 to {MOST_TYPES} types; leave types out for all"),
        ));
    }
    Ok(faults)
}
