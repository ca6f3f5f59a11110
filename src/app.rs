//! Joins the rooms: the routes, what stands around them, and the OpenAPI document.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{Data, PayloadConfig, ServiceConfig};
use actix_web::{App, HttpServer, web};
use arc_swap::ArcSwap;
use socket2::{SockRef, TcpKeepalive};
use utoipa::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::config::Config;
use crate::db::{Db, Origin, trouble};
use crate::evaluations::cache::ScoreCache;
use crate::events::bell::Bell;
use crate::http::answers::Answers;
use crate::http::arrival::Patience;
use crate::http::body::BodyLimit;
use crate::http::contract::Contract;
use crate::http::cors::Cors;
use crate::http::gate::Gate;
use crate::http::limits::Limits;
use crate::http::load::Load;
use crate::http::problem::Problem;
use crate::http::shape::shape;
use crate::http::tls::{self, Certificate, TlsError};
use crate::http::{cors, docs, kinds, links, middleware};
use crate::idempotency::once::InFlight;
use crate::imports::handlers::Bounds;
use crate::imports::run::Running;
use crate::schemes::library::Library;
use crate::telemetry::route::Route;
use crate::tokens::model::Role;
use crate::tokens::permission::Permissions;
use crate::{
    audit, documents, evaluations, events, exports, fiscal_years, forms, health, imports, preview, rankings, reports,
    schemes, special_funds, table_preview, tokens, trends, units, webhooks,
};

/// What is open to requests that the program itself describes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "绩效 Jixiao",
        description = include_str!("../openapi/description.md"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This service")),
    paths(
        units::handlers::list, units::handlers::get, units::handlers::put, units::handlers::patch, units::handlers::delete,
        trends::handlers::get,
        fiscal_years::handlers::list, fiscal_years::handlers::get, fiscal_years::handlers::put,
        fiscal_years::handlers::patch, fiscal_years::handlers::delete, fiscal_years::roll_over::post,
        evaluations::scheme_change::get,
        documents::handlers::get, documents::handlers::put,
        schemes::handlers::list, schemes::handlers::get, schemes::handlers::put, schemes::handlers::patch,
        schemes::handlers::delete, schemes::handlers::copy, schemes::handlers::diff,
        evaluations::handlers::list, evaluations::handlers::get,
        evaluations::part_handlers::get_base_data, evaluations::part_handlers::put_base_data,
        evaluations::part_handlers::patch_base_data, evaluations::part_handlers::delete_base_data,
        evaluations::part_handlers::get_prefilled,
        evaluations::part_handlers::get_assessments, evaluations::part_handlers::put_assessments,
        evaluations::part_handlers::patch_assessments, evaluations::part_handlers::delete_assessments,
        evaluations::part_handlers::get_reasons, evaluations::part_handlers::put_reasons,
        evaluations::part_handlers::patch_reasons, evaluations::part_handlers::delete_reasons,
        evaluations::checks::get, evaluations::checks::list_catalogue, evaluations::checks::get_check,
        evaluations::part_handlers::get_claims, evaluations::part_handlers::put_claims,
        evaluations::part_handlers::patch_claims, evaluations::part_handlers::delete_claims,
        evaluations::part_handlers::get_narrative, evaluations::part_handlers::put_narrative,
        evaluations::part_handlers::patch_narrative, evaluations::part_handlers::delete_narrative,
        evaluations::handlers::get_score,
        evaluations::what_if::get_gaps, evaluations::what_if::get_sensitivity, evaluations::what_if::get_comparison,
        evaluations::transitions::submit, evaluations::transitions::withdraw, evaluations::transitions::begin_review,
        evaluations::transitions::return_to_unit, evaluations::transitions::approve, evaluations::transitions::publish,
        evaluations::transitions::reopen,
        evaluations::review::get, evaluations::review::put, evaluations::review::patch,
        evaluations::history::list,
        evaluations::submissions::list, evaluations::submissions::get, evaluations::submissions::get_scheme,
        forms::handlers::get, forms::handlers::get_archive,
        special_funds::handlers::list, special_funds::handlers::post, special_funds::handlers::get,
        special_funds::handlers::put, special_funds::handlers::patch, special_funds::handlers::delete,
        special_funds::handlers::get_score,
        imports::handlers::list, imports::handlers::post, imports::handlers::get, imports::handlers::list_faults,
        exports::handlers::get,
        reports::handlers::get, reports::county::get,
        rankings::handlers::get_ranking, rankings::handlers::get_summary,
        events::handlers::list, audit::handlers::list,
        webhooks::handlers::list, webhooks::handlers::post, webhooks::handlers::get, webhooks::handlers::patch,
        webhooks::handlers::delete, webhooks::handlers::get_delivery, webhooks::handlers::rotate, webhooks::handlers::ping,
        webhooks::handlers::replay, webhooks::handlers::list_dead, webhooks::handlers::replay_all_dead,
        webhooks::handlers::replay_dead,
        tokens::handlers::list, tokens::handlers::post, tokens::handlers::get_self, tokens::handlers::get,
        tokens::handlers::patch, tokens::handlers::delete, tokens::handlers::rotate,
        preview::post, evaluations::scores::list,
        table_preview::post,
        health::live, health::ready, kinds::list, kinds::one,
    ),
    // What is only the value of a map, or a parameter, is not found from the paths.
    components(schemas(crate::http::problem::Body<'static>, crate::scoring::assessment::Assessment,
        crate::scoring::claims::Claim, crate::codes::Ordinal, crate::evaluations::what_if::Shift)),
    tags(
        (name = "units", description = "预算单位 · Budget units and their hierarchy"),
        (name = "fiscal-years", description = "年度 · Fiscal years and the scheme in force"),
        (name = "scoring-schemes", description = "评分标准 · Scoring schemes, as data"),
        (name = "evaluations", description = "部门整体支出绩效自评 · A unit's year: figures, assessments, score"),
        (name = "special-funds", description = "专项资金 · Special funds, their targets and scores"),
        (name = "scores", description = "试算 · Scores without storing"),
        (name = "checks", description = "勾稽关系 · Cross-checks: which there are, and what contradicts what in a table"),
        (name = "imports", description = "批量导入 · Files of many rows at once"),
        (name = "exports", description = "批量导出 · The same files, to take along"),
        (name = "events", description = "变更事件 · What has changed, in order, for other systems to follow"),
        (name = "webhooks", description = "推送 · Webhooks: changes sent to other systems, signed, until they arrive"),
        (name = "audit", description = "审计轨迹 · Who changed what, when and from where"),
        (name = "tokens", description = "访问令牌 · Access tokens: who may call, for what, and until when"),
        (name = "service", description = "服务 · Health, and the kinds of problems"),
    ),
    security(("token" = [])),
)]
struct Document;

/// The OpenAPI document of the service.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "`jx_…`, made by `jixiao token create` or `POST /api/v1/tokens`. An operation's `security` names the permission that it \
             takes, `x-roles` the permissions of each role; the scopes of a token narrow them. Where the county's identity provider \
             is set up (`JIXIAO_JWT_ISSUER` and others), also a JWT that it issued, whose claims say the role, the units and the name.",
        ))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(bearer));
    document.extensions = Some(Extensions::builder().add("x-roles", roles()).build());
    links::add(&mut document);
    document
}

/// The permissions of each role.
fn roles() -> serde_json::Value {
    [Role::Bureau, Role::Unit, Role::Auditor]
        .map(|role| (role.as_str(), Permissions::of(role).iter().collect::<Vec<_>>()))
        .into_iter()
        .map(|(role, permissions)| (role.to_owned(), serde_json::json!(permissions)))
        .collect()
}

/// The OpenAPI document as it is committed, which a test and CI hold to be the one that [`openapi_json`] makes. The server has
/// it from here: made anew at each start it would cost more memory than all that the server does afterwards.
const COMMITTED: &str = include_str!("../openapi/jixiao.json");

/// The OpenAPI document as it is printed and committed.
///
/// # Errors
/// None for a program that passed its tests.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    openapi().to_pretty_json().map(|json| json + "\n")
}

/// The addresses as a tree: a request is held against one level of it and then the next, not against some fifty patterns. What is asked
/// most comes first on each level.
fn routes(config: &mut ServiceConfig) {
    let evaluation = web::scope("/{code}/evaluations/{year}")
        .configure(evaluations::handlers::year_routes)
        .configure(forms::handlers::routes)
        .configure(reports::handlers::routes);
    config
        .configure(preview::routes)
        .service(
            web::scope("/api/v1/units")
                .configure(units::handlers::routes)
                .service(evaluation)
                .configure(evaluations::handlers::routes)
                .configure(trends::handlers::routes),
        )
        .configure(health::routes)
        .configure(kinds::routes)
        .configure(docs::routes)
        .configure(evaluations::scores::routes)
        .configure(table_preview::routes)
        .service(
            web::scope("/api/v1/fiscal-years")
                .configure(fiscal_years::handlers::routes)
                .configure(evaluations::scheme_change::routes)
                .configure(documents::handlers::routes)
                .configure(rankings::handlers::routes)
                .configure(forms::handlers::year_routes)
                .configure(reports::county::routes),
        )
        .service(web::scope("/api/v1/scoring-schemes").configure(schemes::handlers::routes))
        .service(web::scope("/api/v1/special-funds").configure(special_funds::handlers::routes))
        .service(web::scope("/api/v1/imports").configure(imports::handlers::routes))
        .service(web::scope("/api/v1/exports").configure(exports::handlers::routes))
        .configure(events::handlers::routes)
        .service(web::scope("/api/v1/webhooks").configure(webhooks::handlers::routes))
        .configure(audit::handlers::routes)
        .service(web::scope("/api/v1/tokens").configure(tokens::handlers::routes))
        .configure(evaluations::checks::catalogue_routes)
        .configure(evaluations::submissions::scheme_routes);
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The socket cannot be used.
    #[error("cannot serve: {0}")]
    Io(#[from] std::io::Error),
    /// The certificate cannot be shown.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The built-in schemes cannot be stored.
    #[error("the built-in schemes cannot be stored: {0}. {advice} / 无法写入内置评分标准：{0}。{advice_zh}",
        advice = trouble::advice(&.0.to_string()).en, advice_zh = trouble::advice(&.0.to_string()).zh)]
    Schemes(Problem),
}

/// What can be changed while the server runs.
#[derive(Clone)]
pub struct Live {
    gate: Data<Gate>,
    limits: Data<ArcSwap<Limits>>,
    cors: Data<ArcSwap<Cors>>,
    load: Data<Load>,
    certificate: Option<Arc<Certificate>>,
}

impl Live {
    /// By these settings.
    ///
    /// # Errors
    /// When the certificate cannot be shown.
    pub fn new(config: &Config, gate: Gate) -> Result<Self, TlsError> {
        Ok(Self {
            gate: Data::new(gate),
            limits: Data::new(ArcSwap::from_pointee(Limits::new(&config.limits))),
            cors: Data::new(ArcSwap::from_pointee(Cors::new(config.cors_origins.clone()))),
            load: Data::new(Load::new(config.load.clone())),
            certificate: config.tls.as_ref().map(Certificate::new).transpose()?,
        })
    }

    /// Whether it speaks TLS.
    pub fn has_tls(&self) -> bool {
        self.certificate.is_some()
    }

    /// Goes on by these settings, from the next request and connection on.
    ///
    /// # Errors
    /// When a file that they name cannot be used; then nothing changes.
    pub fn change(&self, config: &Config) -> Result<(), Failure> {
        let certificate = config
            .tls
            .as_ref()
            .filter(|_| self.has_tls())
            .map(tls::load)
            .transpose()?;
        self.gate.believe(config.identity.as_ref())?;
        if let Some((shown, certificate)) = self.certificate.as_ref().zip(certificate) {
            shown.replace(certificate);
        }
        // What was counted stays counted, unless there are other limits.
        if !self.limits.load().is_by(&config.limits) {
            self.limits.store(Arc::new(Limits::new(&config.limits)));
        }
        self.cors.store(Arc::new(Cors::new(config.cors_origins.clone())));
        self.load.change(config.load.clone());
        Ok(())
    }
}

/// Starts the service on `listener`, as [`serve`] does, with settings that stay.
///
/// # Errors
/// When the socket, the certificate or the database cannot be used.
pub async fn server(config: &Config, db: &Db, gate: Gate, listener: TcpListener) -> Result<Server, StartError> {
    serve(config, db, Live::new(config, gate)?, listener).await
}

/// Has the connections of `listener` cut off that nobody reads from: Linux hands these options down to them.
fn cut_off(listener: &TcpListener, patience: Duration) -> std::io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(patience.max(Duration::from_secs(1)))
            .with_interval(Duration::from_secs(10)),
    )?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(patience))?;
    Ok(())
}

/// Starts the service on `listener`. It stops by itself on SIGTERM and SIGINT, after answering what it has accepted.
///
/// # Errors
/// When the socket or the database cannot be used.
pub async fn serve(config: &Config, db: &Db, live: Live, listener: TcpListener) -> Result<Server, StartError> {
    cut_off(&listener, config.client_timeout)?;
    db.write(Origin::program(), schemes::store::install_builtins)
        .await
        .map_err(StartError::Schemes)?;
    let bell = Data::new(Bell::start(db)?);
    let contract = Data::new(Contract::new(COMMITTED));
    let document = Data::new(docs::Document(COMMITTED.into()));
    let db = Data::new(db.clone());
    let library = Data::new(Library::default());
    let scores = Data::new(ScoreCache::default());
    let Live {
        gate,
        limits,
        cors,
        load,
        certificate,
    } = live;
    let patience = Data::new(Patience(config.client_timeout));
    let limit = config.body_limit;
    let running = Data::new(Running::default());
    let in_flight = Data::new(InFlight::default());
    let sender = Data::new(webhooks::sender::Sender::new(&config.webhooks.allowed));
    let bounds = Data::new(Bounds {
        file: config.import_limit,
        days: config.import_retention_days,
    });
    let fonts = Data::new(documents::FontFolder(config.fonts.clone()));
    let workers = config.workers;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(db.clone())
            .app_data(gate.clone())
            .app_data(limits.clone())
            .app_data(cors.clone())
            .app_data(load.clone())
            .app_data(patience.clone())
            .app_data(contract.clone())
            .app_data(document.clone())
            .app_data(library.clone())
            .app_data(scores.clone())
            .app_data(Rc::new(Answers::of_one_in(workers)))
            .app_data(bell.clone())
            .app_data(Data::new(BodyLimit(limit)))
            .app_data(running.clone())
            .app_data(in_flight.clone())
            .app_data(sender.clone())
            .app_data(bounds.clone())
            .app_data(fonts.clone())
            .app_data(Rc::new(Route::nowhere()))
            .app_data(PayloadConfig::new(limit))
            .wrap(from_fn(shape))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::serve))
            .wrap(from_fn(cors::share))
            .configure(routes)
            .default_service(web::to(middleware::not_found))
    })
    .workers(config.workers)
    .max_connections(config.max_connections.div_ceil(config.workers).max(1))
    .client_request_timeout(config.client_timeout)
    .tls_handshake_timeout(config.client_timeout)
    .shutdown_timeout(30);
    let server = match certificate {
        Some(certificate) => {
            server.listen_rustls_0_23(listener, certificate.config().map_err(std::io::Error::other)?)?
        }
        None => server.listen(listener)?,
    };
    Ok(server.run())
}
