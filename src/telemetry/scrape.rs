//! `GET /metrics`, at an address of its own: the scraper of an operator has no token, and the clients of the service have no
//! business here. With a thread of its own it answers when all workers are busy, and without the database too.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, web};
use jiff::Timestamp;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use super::metrics::METRICS;
use super::process;
use crate::db::Db;
use crate::db::changes::Head;
use crate::http::problem::Problem;
use crate::webhooks;

/// How long the database has for its part.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts to answer at `listener`; signals are left to the service.
///
/// # Errors
/// When the socket cannot be used.
pub fn server(db: &Db, listener: TcpListener) -> std::io::Result<Server> {
    let db = Data::new(db.clone());
    Ok(HttpServer::new(move || {
        App::new()
            .app_data(db.clone())
            .route("/metrics", web::get().to(get))
            .route("/metrics", web::head().to(get))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .listen(listener)?
    .run())
}

async fn get(db: Data<Db>) -> HttpResponse {
    let stored = actix_web::rt::time::timeout(PATIENCE, stored(&db)).await;
    let stored = stored.ok().and_then(Result::ok);
    match text(&db, stored) {
        Ok(text) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// What only the database knows.
struct Stored {
    head: i64,
    webhooks: Vec<webhooks::store::Behind>,
}

async fn stored(db: &Db) -> Result<Stored, Problem> {
    // Where webhooks are is in no change, by which replicas are known to have it.
    db.primary()
        .scan(|conn| {
            let head = Head::load(conn)?.seq;
            let webhooks = webhooks::store::behind(conn, head)?;
            Ok(Stored { head, webhooks })
        })
        .await
}

fn text(db: &Db, stored: Option<Stored>) -> prometheus::Result<String> {
    let now = Registry::new();
    let version = env!("CARGO_PKG_VERSION");
    let engine = if db.is_shared() { "postgresql" } else { "sqlite" };
    let build = IntGaugeVec::new(
        Opts::new(
            "jixiao_build_info",
            "1, for the version of the program and the engine of its database.",
        ),
        &["version", "engine"],
    )?;
    build.with_label_values(&[version, engine]).set(1);
    add(&now, build)?;
    let answers = IntGauge::new(
        "jixiao_db_answers",
        "1 if the database answered this scrape within two seconds; if 0, what it knows is missing here.",
    )?;
    answers.set(stored.is_some().into());
    add(&now, answers)?;
    process::add(&now)?;
    if let Some(Stored { head, webhooks }) = stored {
        let log = IntGauge::new(
            "jixiao_change_log_head",
            "The number of the last change of data, the same at each instance.",
        )?;
        log.set(head);
        add(&now, log)?;
        let lag = GaugeVec::new(
            Opts::new(
                "jixiao_webhook_lag_seconds",
                "Age of the oldest event that an enabled webhook has still to send, the same at each instance; 0 if there is none.",
            ),
            &["webhook"],
        )?;
        let dead = IntGaugeVec::new(
            Opts::new(
                "jixiao_webhook_dead_letters",
                "Events of a webhook that were given up, the same at each instance.",
            ),
            &["webhook"],
        )?;
        for webhook in webhooks {
            let labels = [webhook.id.as_str()];
            let oldest: Option<Timestamp> = webhook.oldest.and_then(|at| at.parse().ok());
            let age = oldest.map(|at| Timestamp::now().duration_since(at).unsigned_abs());
            lag.with_label_values(&labels)
                .set(age.unwrap_or_default().as_secs_f64());
            dead.with_label_values(&labels).set(webhook.dead);
        }
        add(&now, lag)?;
        add(&now, dead)?;
    }
    let mut families: Vec<MetricFamily> = METRICS.registry.gather();
    families.extend(now.gather());
    TextEncoder::new().encode_to_string(&families)
}

fn add(registry: &Registry, collector: impl Collector + 'static) -> prometheus::Result<()> {
    registry.register(Box::new(collector))
}
