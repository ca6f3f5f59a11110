//! A running service to speak HTTP to, on SQLite or on PostgreSQL, and what tests ask of its answers.

pub mod certificate;
pub mod client;
pub mod full;
pub mod postgres;
pub mod process;
pub mod provider;
pub mod receiver;
pub mod workbook;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use jixiao::config::{Config, LogFormat};
use jixiao::db::connection::{Access, connect};
use jixiao::db::{AnyConnection, Db, DbConfig, Origin, Target, Tx};
use jixiao::http::gate::Gate;
use jixiao::http::problem::Problem;
use jixiao::tokens::model::{Role, TokenInput};
use jixiao::webhooks::delivery::Deliveries;
use jixiao::{app, webhooks};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use client::{Client, Response};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Defines tests that each run on SQLite and on PostgreSQL: `fn name(app) { … }`, where `app` is a [`TestApp`].
#[macro_export]
macro_rules! both_engines {
    ($($(#[$attribute:meta])* fn $name:ident($app:ident) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs all that its module uses")]
            use super::*;

            fn check($app: &$crate::support::TestApp) $body

            #[test]
            fn on_sqlite() {
                check(&$crate::support::TestApp::start($crate::support::Engine::Sqlite).unwrap());
            }

            #[test]
            fn on_postgres() {
                if let Some(app) = $crate::support::TestApp::start($crate::support::Engine::Postgres) {
                    check(&app);
                }
            }
        }
    )*};
}

/// A service of its own with a database of its own, gone when it is dropped.
pub struct TestApp {
    base: String,
    engine: Engine,
    db: Db,
    target: Target,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    place: Option<Place>,
}

/// Where the data of a test is, and goes with it; nothing where another service of the same test has it.
pub struct Place {
    _folder: Option<TempDir>,
    _database: Option<postgres::Database>,
}

impl Place {
    /// An empty place and how to reach it; `None` where there is no PostgreSQL.
    pub fn new(engine: Engine) -> Option<(Target, Self)> {
        let (folder, database, target) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let target = Target::Sqlite(folder.path().join("jixiao.db"));
                (Some(folder), None, target)
            }
            Engine::Postgres => {
                let database = postgres::new_database()?;
                let target = Target::Postgres(database.address().to_owned());
                (None, Some(database), target)
            }
        };
        let place = Self {
            _folder: folder,
            _database: database,
        };
        Some((target, place))
    }
}

impl TestApp {
    /// Starts one; `None`, after saying so, where there is no PostgreSQL. In CI that is a failure.
    pub fn start(engine: Engine) -> Option<Self> {
        Self::start_with(engine, |_| {})
    }

    /// Starts one with other settings.
    pub fn start_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Option<Self> {
        let (target, place) = Place::new(engine)?;
        Some(Self::on(engine, target, Some(place), change))
    }

    /// A service on an empty database of the same kind.
    pub fn empty(&self) -> Self {
        Self::start(self.engine).unwrap()
    }

    /// A second service on the database of this one.
    pub fn another(&self) -> Self {
        self.another_with(|_| {})
    }

    /// The same, with other settings.
    pub fn another_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(self.engine, self.target.clone(), None, change)
    }

    /// Where its data is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    fn on(engine: Engine, target: Target, place: Option<Place>, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = Config {
            listen: address,
            db: DbConfig {
                pool_size: 3,
                ..DbConfig::new(target.clone())
            },
            workers: 1,
            tls: None,
            load: jixiao::http::load::Settings::usual(),
            max_connections: 10_000,
            client_timeout: Duration::from_secs(20),
            body_limit: 256 * 1024,
            import_limit: 16 << 20,
            import_retention_days: 90,
            limits: jixiao::http::limits::Settings::usual(),
            webhooks: webhooks::Settings {
                allowed: vec![webhooks::Allowed::Loopback],
                retry: Duration::from_millis(20),
                attempts: 3,
            },
            identity: None,
            cors_origins: Vec::new(),
            fonts: None,
            log: "off".to_owned(),
            log_format: LogFormat::Text,
            slow_request: 0,
            metrics_listen: None,
            otlp_endpoint: None,
        };
        change(&mut config);
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let db = Db::open(&config.db).unwrap();
                let gate = Gate::new(config.identity.as_ref()).unwrap();
                let server = app::server(&config, &db, gate, listener).await.unwrap();
                let deliveries = Deliveries::start(&config.webhooks, &db);
                sender.send((db.clone(), server.handle())).unwrap();
                server.await.unwrap();
                deliveries.stop().await;
                db.close();
            });
        });
        let (db, handle) = receiver.recv().expect("the server starts");
        Self {
            base: format!("http://{address}"),
            engine,
            db,
            target,
            handle,
            thread: Some(thread),
            place,
        }
    }

    /// The same after a restart: another server on the same database, once this one has ended.
    pub fn restarted(self) -> Self {
        self.restarted_with(|_| {})
    }

    /// The same, with other settings.
    pub fn restarted_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let (engine, target) = (self.engine, self.target.clone());
        let place = self.place.take();
        drop(self);
        Self::on(engine, target, place, change)
    }

    /// Stops it, and leaves its data.
    pub fn stopped(mut self) -> (Target, Place) {
        let (target, place) = (self.target.clone(), self.place.take());
        drop(self);
        (target, place.expect("its own data"))
    }

    /// A service on what is at `target`.
    pub fn at(target: &Target) -> Self {
        let engine = match target {
            Target::Sqlite(_) => Engine::Sqlite,
            Target::Postgres(_) => Engine::Postgres,
        };
        Self::on(engine, target.clone(), None, |_| {})
    }

    /// Which database it is on.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Where it listens, `http://127.0.0.1:<port>`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Changes the database behind the service's back.
    pub fn write<T: Send + 'static>(&self, work: impl Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static) -> T {
        actix_web::rt::System::new()
            .block_on(self.db.write(Origin::program(), work))
            .unwrap()
    }

    /// A connection of its own to the database, past the service.
    pub fn connect(&self) -> AnyConnection {
        jixiao::db::open_once(&self.target).unwrap()
    }

    /// The same, and leaves the tables as they are.
    pub fn connect_without_migrating(&self) -> AnyConnection {
        connect(&self.target, Access::Read).unwrap()
    }

    /// A new token, as its owner gets it.
    pub fn token(&self, role: Role, units: &[&str]) -> String {
        let units: Vec<String> = units.iter().map(|code| (*code).to_owned()).collect();
        self.write(move |tx| {
            let units = units.iter().map(|code| code.clone().try_into().unwrap()).collect();
            let input = TokenInput {
                name: "test".to_owned().try_into().unwrap(),
                role,
                units: Some(units),
                scopes: None,
                expires_at: None,
            };
            jixiao::tokens::store::create(tx, &input).map(|(_, token)| token)
        })
    }

    /// Takes back a token that [`Self::token`] made, in the database.
    pub fn revoke(&self, token: &str) {
        let id = token.split('_').nth(1).unwrap().to_owned();
        assert!(self.write(move |tx| jixiao::tokens::store::revoke(tx, &id)));
    }

    /// A client that sends this token.
    pub fn client(&self, token: &str) -> Client {
        self.anonymous().with("Authorization", &format!("Bearer {token}"))
    }

    fn with_token(&self, role: Role, units: &[&str]) -> Client {
        self.client(&self.token(role, units))
    }

    /// A client with a token of the finance bureau.
    pub fn bureau(&self) -> Client {
        self.with_token(Role::Bureau, &[])
    }

    /// A client with an auditor's token.
    pub fn auditor(&self) -> Client {
        self.with_token(Role::Auditor, &[])
    }

    /// A client with a token bound to these units, which must exist.
    pub fn unit(&self, codes: &[&str]) -> Client {
        self.with_token(Role::Unit, codes)
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base)
    }

    /// Stores units, each of a code and perhaps with one above it; returns a client of the bureau.
    pub fn with_units(&self, units: &[(&str, Option<&str>)]) -> Client {
        let bureau = self.bureau();
        for (code, parent) in units {
            let unit = json!({"name": format!("单位{code}"), "kind": "department", "parent": parent});
            bureau.put(&format!("/api/v1/units/{code}"), &unit).expect(201);
        }
        bureau
    }

    /// Stores the unit 219001 and the open year 2019 under `hunan-2019`; returns a client of the bureau.
    pub fn with_kaiyun(&self) -> Client {
        let bureau = self.bureau();
        bureau
            .put(
                "/api/v1/units/219001",
                &json!({"name": "衡山县开云镇人民政府", "kind": "town"}),
            )
            .expect(201);
        bureau
            .put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"}))
            .expect(201);
        bureau
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let stopped = self.handle.stop(false);
        // The stop is sent at once; the server's thread ends by itself.
        drop(stopped);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Asks until it is so, for half a minute at most.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Tells threads to stop when it is dropped, also where a test fails: else its scope would wait for them.
pub struct Stop<'a>(pub &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A file of `examples/`, as JSON.
pub fn example(path: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Loads an example as its `run.sh` does: every line `send PUT PATH FILE`.
pub fn load_example(client: &Client, folder: &str) {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{folder}/run.sh"));
    let mut sent = 0;
    for line in std::fs::read_to_string(script).unwrap().lines() {
        if let ["send", "PUT", path, file] = line.split_whitespace().collect::<Vec<_>>().as_slice() {
            let stored = client.put(&format!("/api/v1{path}"), &example(&format!("{folder}/{file}")));
            stored.expect(201);
            sent += 1;
        }
    }
    assert_ne!(sent, 0, "{folder}");
}

/// A field of each line of a score, by the line's code.
pub fn lines<'a>(score: &'a Value, field: &str) -> Vec<(&'a str, &'a Value)> {
    let lines = score["lines"].as_array().unwrap().iter();
    lines
        .map(|line| (line["code"].as_str().unwrap(), &line[field]))
        .collect()
}

/// The line of a score with this code.
#[track_caller]
pub fn line<'a>(score: &'a Value, code: &str) -> &'a Value {
    let lines = score["lines"].as_array().unwrap();
    lines
        .iter()
        .find(|line| line["code"] == code)
        .unwrap_or_else(|| panic!("no line {code}: {score}"))
}

/// Sends one request from each of `count` threads at the same moment; the answers in the order of their numbers.
pub fn at_once(count: usize, send: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let start = std::sync::Barrier::new(count);
    std::thread::scope(|scope| {
        let (start, send) = (&start, &send);
        let threads: Vec<_> = (0..count)
            .map(|n| {
                scope.spawn(move || {
                    start.wait();
                    send(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// How many answers have this status.
pub fn count(responses: &[Response], status: u16) -> usize {
    responses.iter().filter(|response| response.status == status).count()
}

/// Stores the unit 219001 and the open year 2019 under a scheme `trial` of three lines, and files all that it asks for:
/// staffing 60 of 60, benefit 15 of 20, discipline 20 of 20; returns a client of the bureau.
pub fn with_ready(app: &TestApp) -> Client {
    let bureau = app.with_units(&[("219001", None)]);
    file_ready(&bureau, 2019);
    bureau
}

/// The same for a unit that is there, in another year.
pub fn file_ready(bureau: &Client, year: u32) {
    let scheme = json!({"name": "试行标准", "total": "100", "sections": [
        {"code": "input", "name": "投入", "weight": "60", "indicators": [
            {"code": "staffing", "name": "在职人员控制率", "weight": "60",
                "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"},
                "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "0.5"}}]},
        {"code": "output", "name": "产出", "weight": "40", "indicators": [
            {"code": "benefit", "name": "社会效益", "weight": "20", "rule": {"kind": "assessed"}},
            {"code": "discipline", "name": "资金使用合规性", "weight": "20", "rule": {"kind": "incidents", "points_per_case": "1"}}]},
    ]});
    bureau.put("/api/v1/scoring-schemes/trial", &scheme).expect(201);
    bureau
        .put(&format!("/api/v1/fiscal-years/{year}"), &json!({"scheme": "trial"}))
        .expect(201);
    let evaluation = format!("/api/v1/units/219001/evaluations/{year}");
    let sheet = json!({"staff": {"posts": 100, "in_post": 100}});
    bureau.put(&format!("{evaluation}/base-data"), &sheet).expect(201);
    let assessments = json!({"indicators": {
        "benefit": {"points": "15", "reason": "四项目标完成三项"}, "discipline": {"incidents": 0}
    }});
    bureau
        .put(&format!("{evaluation}/assessments"), &assessments)
        .expect(201);
}
