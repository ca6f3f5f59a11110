//! The address of the change feed.

use std::time::{Duration, Instant};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LINK, VARY};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::bell::{Bell, Woken};
use super::model::{CloudEvent, EventPage, EventType, Seq, Wait};
use super::store::Filter;
use super::stream::Feed;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::Db;
use crate::fault::Text;
use crate::http::accept::preferred;
use crate::http::auth::Reader;
use crate::http::page::{Limit, next_link};
use crate::http::problem::{At, Problem};
use crate::http::query::{Query, given};
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, UnfitParameter};

/// Adds the route of the feed.
pub fn routes(config: &mut ServiceConfig) {
    config.service(resource("/api/v1/events").get(list));
}

/// Where to read on, and what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only changes after this one: `next_after` of the page before, or the `id` of the last event that was dealt with. 0, as
    /// when it is left out: from the first.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    after: Option<Seq>,
    /// How many events a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// Only of this unit; not of those below it.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
    /// Only of this fiscal year.
    #[serde(default, deserialize_with = "given")]
    year: Option<FiscalYear>,
    /// Only of this type, or of all that begin with it: `jixiao.base_data.updated` or `jixiao.base_data`.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    r#type: Option<EventType>,
    /// For how many seconds to wait for an event when there is none.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    wait: Option<Wait>,
}

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Follow the changes
///
/// Every change of data is an event (CloudEvents 1.0), numbered without a gap in the order of the commits; a reader that keeps
/// `next_after` misses none and may stop at any time. With `wait` the answer comes as soon as there is an event, else empty when
/// the time is over. With `Accept: text/event-stream` it is a stream of server-sent events, whose `id` is the number; it ends after
/// five minutes, and the client comes again with the header `Last-Event-ID`, the `id` of the last event that it has, as browsers do
/// by themselves; it counts before `after`. A unit's token sees the events of its own units and those below them. Where `after` is beyond the end of the log, the database was restored: begin from 0 again.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "list_events",
    tag = "events",
    security(("token" = ["read"])),
    params(EventsQuery),
    responses((status = 200, description = "The events after that one, in order",
            headers(("Link" = String, description = "Where to go on, `rel=\"next\"`")),
            content((EventPage = "application/json"), (String = "text/event-stream"))),
        CommonErrors, UnfitParameter),
)]
pub async fn list(
    Reader(principal): Reader,
    Query(query): Query<EventsQuery>,
    db: Data<Db>,
    bell: Data<Bell>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let streams = preferred(&request, &["application/json", "text/event-stream"])? == 1;
    let mut feed = Feed {
        db,
        bell,
        filter: Filter {
            unit: query.unit,
            year: query.year,
            kinds: query.r#type.map(|kind| vec![kind]),
            scope: principal.scope(),
        },
        limit: query.limit.unwrap_or_default().get(),
        after: last_event_id(&request)?.or(query.after).unwrap_or_default().0,
    };
    if streams {
        return Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/event-stream"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((VARY, "accept"))
            // Compressed, events would wait for each other.
            .insert_header((CONTENT_ENCODING, "identity"))
            .streaming(feed.into_stream()));
    }
    let until = Instant::now() + Duration::from_secs(query.wait.unwrap_or_default().0);
    let (rows, head) = loop {
        let (rows, head) = feed.next().await?;
        let late = Instant::now() >= until;
        if !rows.is_empty() || late || feed.wait(until).await != Woken::Changes {
            break (rows, head);
        }
    };
    let items = rows.into_iter().map(CloudEvent::try_from).collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok()
        .insert_header((LINK, next_link(&request, "after", feed.after)))
        .insert_header((VARY, "accept"))
        .json(EventPage {
            items,
            next_after: feed.after,
            head,
        }))
}

fn last_event_id(request: &HttpRequest) -> Result<Option<Seq>, Problem> {
    let Some(sent) = request.headers().get(&LAST_EVENT_ID) else {
        return Ok(None);
    };
    match sent.to_str().map(str::parse) {
        // An empty one says that nothing was read yet (HTML Standard, server-sent events).
        _ if sent.is_empty() => Ok(None),
        Ok(Ok(seq)) => Ok(Some(seq)),
        Ok(Err(message)) => Err(Problem::invalid_parameters(vec![At::header(
            "Last-Event-ID",
            "invalid_value",
            Text::from_joined(&message),
        )])),
        Err(_) => Ok(None),
    }
}
