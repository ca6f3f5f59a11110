//! What the service tells of itself: metrics, traces and the log, by a process of its own, since they are of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use jixiao::db::Target;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::postgres::{self, Database};
use crate::support::process::{Process, free_port, jixiao};
use crate::support::provider::{self, Key};
use crate::support::receiver::{Receiver, Request};
use crate::support::{Client, Engine, file_ready};

/// A server process with metrics, on an engine.
struct Server {
    process: Process,
    metrics: Client,
    listen: String,
    /// Where its data is, and its database on PostgreSQL.
    data: TempDir,
    database: Option<Database>,
}

impl Server {
    /// `None`, after saying so, where there is no PostgreSQL.
    fn start(engine: Engine, settings: &[(&str, &str)]) -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::new_database()?),
        };
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = jixiao(&["serve", "--metrics-listen", &listen]);
        command.env("JIXIAO_DATA_DIR", data.path());
        if let Some(database) = &database {
            // Anyone may come in there, with any password.
            command.env(
                "DATABASE_URL",
                database.address().replace("postgres@", "postgres:Geheim-7@"),
            );
        }
        command.envs(settings.iter().copied());
        Some(Self {
            process: Process::start_as(command),
            metrics: Client::new(&format!("http://{listen}")),
            listen,
            data,
            database,
        })
    }

    fn bureau(&self) -> Client {
        self.process.client(&self.process.first_token())
    }

    fn scrape(&self) -> String {
        self.metrics.get("/metrics").expect(200).text()
    }

    /// The value of a sample, 0 if it is not there.
    fn sample(&self, series: &str) -> f64 {
        let text = self.scrape();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    fn wait_for_sample(&self, series: &str, good: impl Fn(f64) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !good(self.sample(series)) {
            assert!(Instant::now() < deadline, "{series}: {}", self.scrape());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Tests on a server process, on both engines.
macro_rules! on_both {
    ($(fn $name:ident($engine:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            fn check($engine: Engine) $body

            #[test]
            fn on_sqlite() {
                check(Engine::Sqlite);
            }

            #[test]
            fn on_postgres() {
                check(Engine::Postgres);
            }
        }
    )*};
}

/// Uses a server in every way that it counts: filing, scores, checks, an import, a webhook that delivers and one that fails.
fn use_it(bureau: &Client, receiver: &Receiver, deaf: &Receiver) {
    for hook in [receiver, deaf] {
        let url = format!("{}/hook", hook.address());
        bureau.post("/api/v1/webhooks", &json!({"url": url})).expect(201);
    }
    let town = json!({"name": "某镇", "kind": "town"});
    bureau.put("/api/v1/units/219001", &town).expect(201);
    file_ready(bureau, 2019);
    let year = "/api/v1/units/219001/evaluations/2019";
    let of = |amount: &str| json!({"final": amount});
    // The total is less than its parts.
    let sheet = json!({"staff": {"posts": 100, "in_post": 100}, "three_public": {"total": of("5"), "reception": of("9"),
        "vehicle_purchase": of("0"), "vehicle_running": of("0"), "overseas_travel": of("0")}});
    bureau.put(&format!("{year}/base-data"), &sheet).expect(200);
    for _ in 0..3 {
        bureau.get(&format!("{year}/score")).expect(200);
    }
    bureau.get(&format!("{year}/checks")).expect(200);
    bureau
        .with("Content-Type", "application/x-ndjson")
        .send(
            "POST",
            "/api/v1/imports?resource=units",
            Some(b"{\"code\":\"219002\",\"name\":\"B\",\"kind\":\"town\"}\n"),
        )
        .expect(201);
}

/// Names of metrics in what Grafana and Prometheus read.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let ours = words.filter(|word| word.starts_with("jixiao_") || word.starts_with("process_"));
    ours.map(family).collect()
}

/// The metric that a sample is of.
fn family(sample: &str) -> String {
    let parts = ["_bucket", "_sum", "_count"];
    let part = parts.iter().find_map(|part| sample.strip_suffix(part));
    part.unwrap_or(sample).to_owned()
}

on_both! {
    fn every_metric_of_the_dashboard_and_the_alerts_is_exported_with_help_and_type_and_every_one_of_ours_is_shown(engine) {
        let (receiver, deaf) = (Receiver::always(204), Receiver::always(500));
        let settings = [
            ("JIXIAO_WEBHOOK_ALLOW", "http,loopback"), ("JIXIAO_WEBHOOK_RETRY", "1"), ("JIXIAO_WEBHOOK_ATTEMPTS", "1"),
            ("JIXIAO_OTLP_ENDPOINT", receiver.address()), ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let Some(server) = Server::start(engine, &settings) else { return };
        use_it(&server.bureau(), &receiver, &deaf);
        server.wait_for_sample("jixiao_webhook_deliveries_total{outcome=\"refused\"}", |value| value > 0.0);
        server.wait_for_sample("jixiao_trace_spans_total{outcome=\"sent\"}", |value| value > 0.0);
        let text = server.scrape();
        let about = |kind: &str| -> BTreeSet<String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(kind)?.split_once(' '));
            lines.filter(|(_, said)| !said.trim().is_empty()).map(|(name, _)| name.to_owned()).collect()
        };
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| family(line.split(['{', ' ']).next().unwrap()));
        let samples: BTreeSet<String> = samples.collect();
        assert_eq!(samples, about("# HELP "));
        assert_eq!(samples, about("# TYPE "));
        let dashboard: Value = serde_json::from_str(include_str!("../../ops/grafana/jixiao.json")).unwrap();
        let shown = names(&dashboard.to_string());
        let alerting = names(include_str!("../../ops/prometheus/alerts.yml"));
        assert!(shown.len() > 25 && alerting.len() > 8, "{shown:?} {alerting:?}");
        let used: BTreeSet<String> = shown.union(&alerting).cloned().collect();
        assert_eq!(used.difference(&samples).collect::<Vec<_>>(), Vec::<&String>::new());
        let ours = samples.iter().filter(|name| name.starts_with("jixiao_"));
        let hidden = ours.filter(|name| !shown.contains(*name)).collect::<Vec<_>>();
        // What only SQLite has is shown in any case, and here on PostgreSQL too: as nothing.
        assert_eq!(hidden, Vec::<&String>::new());
    }

    fn what_was_done_is_counted_once_under_templates_and_what_clients_make_up_makes_no_series(engine) {
        let (receiver, deaf) = (Receiver::always(204), Receiver::always(500));
        let settings = [
            ("JIXIAO_WEBHOOK_ALLOW", "http,loopback"), ("JIXIAO_WEBHOOK_RETRY", "1"), ("JIXIAO_WEBHOOK_ATTEMPTS", "1"),
        ];
        let Some(server) = Server::start(engine, &settings) else { return };
        let bureau = server.bureau();
        use_it(&bureau, &receiver, &deaf);
        for path in ["/api/v1/units/999999", "/api/v1/units/999998", "/nowhere/one", "/nowhere/two", "/api/v1/units/219001/x"] {
            bureau.get(path).expect(404);
        }
        bureau.send("BREW", "/api/v1/units/219001", None).expect(405);
        bureau.send("MELT", "/api/v1/units/219001", None).expect(405);
        Client::new(server.process.base()).get("/api/v1/units").expect(401);
        for (series, value) in [
            ("jixiao_http_requests_total{method=\"PUT\",route=\"/api/v1/units/{code}\",status=\"201\"}", 1.0),
            ("jixiao_http_requests_total{method=\"GET\",route=\"/api/v1/units/{code}\",status=\"404\"}", 2.0),
            ("jixiao_http_requests_total{method=\"other\",route=\"/api/v1/units/{code}\",status=\"405\"}", 2.0),
            ("jixiao_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}", 3.0),
            ("jixiao_http_requests_total{method=\"GET\",route=\"/api/v1/units\",status=\"401\"}", 1.0),
            ("jixiao_http_requests_total{method=\"POST\",route=\"/api/v1/webhooks\",status=\"201\"}", 2.0),
            ("jixiao_http_request_seconds_count{method=\"GET\",route=\"/api/v1/units/{code}/evaluations/{year}/score\"}", 3.0),
            ("jixiao_scores_total{source=\"cache\"}", 2.0),
            ("jixiao_import_rows_total{outcome=\"created\"}", 1.0),
            ("jixiao_imports_running", 0.0),
            ("jixiao_http_requests_in_flight", 0.0),
            ("jixiao_db_write_queue", 0.0),
            ("jixiao_db_answers", 1.0),
            ("jixiao_findings_total{check=\"three_public_parts\"}", 1.0),
        ] {
            assert_eq!(server.sample(series), value, "{series}: {}", server.scrape());
        }
        assert!(!server.scrape().contains("/nowhere") && !server.scrape().contains("/999999"));
        let head = bureau.get("/api/v1/events?after=0").expect(200).json()["head"].as_f64().unwrap();
        assert_eq!(server.sample("jixiao_change_log_head"), head);
        // One receiver takes all; of the other all is given up, and then neither is behind.
        let hooks = bureau.get("/api/v1/webhooks").each("id");
        let lag = |id: &String| format!("jixiao_webhook_lag_seconds{{webhook=\"{id}\"}}");
        for id in &hooks {
            server.wait_for_sample(&lag(id), |lag| lag == 0.0);
        }
        let mut dead: Vec<f64> = hooks
            .iter()
            .map(|id| server.sample(&format!("jixiao_webhook_dead_letters{{webhook=\"{id}\"}}")))
            .collect();
        dead.sort_by(f64::total_cmp);
        assert!(dead[0] == 0.0 && dead[1] > 5.0, "{dead:?}");
    }
}

#[test]
fn metrics_are_at_an_address_of_their_own_and_nowhere_by_default() {
    let server = Server::start(Engine::Sqlite, &[]).unwrap();
    server.bureau().get("/metrics").problem(404, "unknown-route");
    server.metrics.get("/api/v1/units").expect(404);
    let answer = server.metrics.get("/metrics").expect(200);
    assert_eq!(answer.header("Content-Type"), Some("text/plain; version=0.0.4"));
    // The address is taken: the second server says so, and which setting it is about.
    let taken = server.listen.clone();
    let data = tempfile::tempdir().unwrap().path().display().to_string();
    let output = jixiao(&[
        "serve",
        "--data-dir",
        &data,
        "--metrics-listen",
        &taken,
        "--listen",
        "127.0.0.1:0",
    ])
    .output()
    .unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && complaint.contains(&taken) && complaint.contains("--metrics-listen"),
        "{complaint}"
    );
}

#[test]
fn metrics_are_answered_while_the_database_is_gone() {
    let Some(mut server) = Server::start(Engine::Postgres, &[]) else {
        return;
    };
    assert_eq!(server.sample("jixiao_db_answers"), 1.0);
    drop(server.database.take());
    server.wait_for_sample("jixiao_db_answers", |answers| answers == 0.0);
    assert!(server.scrape().contains("process_resident_memory_bytes"));
}

/// A line of the log in JSON that has `part`, once there is one.
fn logged(server: &Server, part: &str) -> Value {
    server.process.wait_for(part);
    let output = server.process.output();
    serde_json::from_str(output.lines().find(|line| line.contains(part)).unwrap()).unwrap()
}

const SLOW: [(&str, &str); 2] = [("JIXIAO_SLOW_REQUEST", "150"), ("JIXIAO_LOG_FORMAT", "json")];

#[test]
fn a_request_that_waits_for_others_to_write_says_so() {
    let server = Server::start(Engine::Sqlite, &SLOW).unwrap();
    let bureau = server.bureau();
    let target = Target::Sqlite(server.data.path().join("jixiao.db"));
    let mut other = jixiao::db::connection::connect(&target, jixiao::db::connection::Access::Write).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            bureau
                .put("/api/v1/units/219001", &json!({"name": "某镇", "kind": "town"}))
                .expect(201)
        });
        server.wait_for_sample("jixiao_http_requests_in_flight", |requests| requests == 1.0);
        std::thread::sleep(Duration::from_millis(300));
        other.batch_execute("COMMIT").unwrap();
        sent.join().unwrap();
    });
    let line = logged(&server, "slow request");
    assert_eq!(line["reason"], "it waited for the writer's queue", "{line}");
    assert_eq!(
        (&line["route"], &line["status"]),
        (&json!("/api/v1/units/{code}"), &json!(201))
    );
    let millis = |name: &str| line[name].as_u64().unwrap();
    assert!(
        millis("writer_queue") >= 250 && millis("millis") >= millis("writer_queue"),
        "{line}"
    );
    assert!(millis("database") < 250 && millis("receiving") < 250, "{line}");
    assert_eq!(server.sample("jixiao_http_slow_requests_total"), 1.0);
}

#[test]
fn a_client_that_sends_slowly_is_the_reason_and_one_that_waits_for_changes_is_not_slow() {
    let server = Server::start(Engine::Sqlite, &SLOW).unwrap();
    let bureau = server.bureau();
    let head = bureau.get("/api/v1/events").expect(200).json()["head"].to_string();
    bureau.get(&format!("/api/v1/events?after={head}&wait=1")).expect(200);
    let connect = || TcpStream::connect(server.process.base().trim_start_matches("http://")).unwrap();
    let token = server.process.first_token();
    // Nor is one that follows them, and leaves.
    let mut stream = connect();
    write!(
        stream,
        "GET /api/v1/events?after={head} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"
    )
    .unwrap();
    server.wait_for_sample("jixiao_http_requests_in_flight", |requests| requests == 1.0);
    std::thread::sleep(Duration::from_millis(300));
    drop(stream);
    server.wait_for_sample("jixiao_http_requests_in_flight", |requests| requests == 0.0);
    let body = "{\"name\": \"某镇\", \"kind\": \"town\"}";
    let mut stream = connect();
    let (first, last) = body.as_bytes().split_at(10);
    write!(
        stream,
        "PUT /api/v1/units/219001 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(first).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(last).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let line = logged(&server, "slow request");
    assert_eq!(line["reason"], "the client sent slowly", "{line}");
    assert_eq!(line["route"], "/api/v1/units/{code}");
    assert_eq!(server.sample("jixiao_http_slow_requests_total"), 1.0);
}

/// The spans that a collector got.
fn spans(sent: &[Request]) -> Vec<Span> {
    let requests = sent.iter().filter(|sent| sent.path == "/v1/traces");
    let decoded = requests.map(|sent| ExportTraceServiceRequest::decode(&*sent.body).unwrap());
    let resources = decoded.flat_map(|request| request.resource_spans);
    resources
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn attributes(span: &Span) -> BTreeMap<String, String> {
    let text = |value: Any| match value {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = span.attributes.iter().cloned();
    pairs
        .map(|pair| (pair.key, text(pair.value.unwrap().value.unwrap())))
        .collect()
}

on_both! {
    fn a_request_is_a_span_below_its_caller_with_its_steps_and_a_delivery_is_below_the_request(engine) {
        let (collector, receiver) = (Receiver::always(200), Receiver::always(204));
        let settings = [
            ("JIXIAO_OTLP_ENDPOINT", collector.address()), ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("JIXIAO_WEBHOOK_ALLOW", "http,loopback"), ("JIXIAO_LOG_FORMAT", "json"),
        ];
        let Some(server) = Server::start(engine, &settings) else { return };
        let bureau = server.bureau();
        let url = format!("{}/hook", receiver.address());
        bureau.post("/api/v1/webhooks", &json!({"url": url, "types": ["jixiao.unit.created"]})).expect(201);
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let caller = bureau.with("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"));
        caller.put("/api/v1/units/219001", &json!({"name": "某镇", "kind": "town"})).expect(201);
        let ours = |sent: &[Request]| -> Option<Vec<Span>> {
            let found: Vec<Span> = spans(sent).into_iter().filter(|span| hex::encode(&span.trace_id) == trace).collect();
            let has = |name: &str| found.iter().any(|span| span.name == name);
            (has("PUT /api/v1/units/{code}") && has("db.write") && has("webhook")).then_some(found)
        };
        let found = collector.find(ours);
        let named = |name: &str| found.iter().find(|span| span.name == name).unwrap();
        let (request, write, delivery) = (named("PUT /api/v1/units/{code}"), named("db.write"), named("webhook"));
        assert_eq!(hex::encode(&request.parent_span_id), "b7ad6b7169203331");
        assert_eq!(write.parent_span_id, request.span_id);
        assert_eq!(delivery.parent_span_id, request.span_id);
        assert!(request.start_time_unix_nano <= write.start_time_unix_nano);
        assert!(write.end_time_unix_nano <= request.end_time_unix_nano);
        let timing = attributes(write);
        let micros = |name: &str| timing[name].parse::<u64>().unwrap();
        let whole = (write.end_time_unix_nano - write.start_time_unix_nano) / 1000;
        let parts = micros("jixiao.waited_us") + micros("jixiao.worked_us");
        assert!(whole.abs_diff(parts) <= 2, "{whole} {timing:?}");
        assert_eq!(attributes(request)["http.response.status_code"], "201");
        let told = receiver.wait(1)[0].headers["traceparent"].clone();
        assert_eq!(told, format!("00-{trace}-{}-01", hex::encode(&delivery.span_id)));
        // The lines of the log say which trace they belong to.
        assert_eq!(logged(&server, trace)["route"], "/api/v1/units/{code}");
        // What the caller does not want kept is not; without a caller there is a trace of its own.
        bureau.with("traceparent", "00-11111111111111111111111111111111-b7ad6b7169203331-00").get("/api/v1/units").expect(200);
        bureau.with("traceparent", "00-zz").get("/api/v1/units/219001").expect(200);
        file_ready(&bureau, 2019);
        bureau.get("/api/v1/units/219001/evaluations/2019/score").expect(200);
        let score = collector.find(|sent| spans(sent).into_iter().find(|span| span.name == "score"));
        let all = collector.find(|sent| {
            let all = spans(sent);
            all.iter().any(|span| span.span_id == score.parent_span_id).then_some(all)
        });
        let parent = all.iter().find(|span| span.span_id == score.parent_span_id).unwrap();
        assert!(parent.name.contains("/api/v1/units/{code}/evaluations/{year}"), "{}", parent.name);
        assert!(all.iter().any(|span| span.name == "GET /api/v1/units/{code}" && span.parent_span_id.is_empty()));
        assert!(all.iter().all(|span| hex::encode(&span.trace_id) != "1".repeat(32)));
    }
}

#[test]
fn a_collector_that_is_gone_fails_no_request_and_what_is_lost_is_counted() {
    let endpoint = format!("http://127.0.0.1:{}", free_port());
    let settings = [
        ("JIXIAO_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4"),
    ];
    let mut server = Server::start(Engine::Sqlite, &settings).unwrap();
    let bureau = server.bureau();
    for _ in 0..200 {
        bureau.get("/api/v1/special-funds").expect(200);
    }
    server.process.wait_for("traces cannot be sent");
    // Each request is its own span and that of its scan, and at first that of the read of its token.
    server.wait_for_sample("jixiao_trace_spans_total{outcome=\"recorded\"}", |spans| spans >= 400.0);
    server.wait_for_sample("jixiao_trace_spans_total{outcome=\"failed\"}", |spans| spans > 0.0);
    assert_eq!(server.sample("jixiao_trace_spans_total{outcome=\"sent\"}"), 0.0);
    assert_eq!(server.process.stop().code(), Some(0), "and it ends as ever");
}

on_both! {
    fn what_is_secret_or_personal_is_in_no_log_no_metric_and_no_trace(engine) {
        let (collector, receiver) = (Receiver::always(200), Receiver::always(500));
        let key = Key::new("k1");
        let data = tempfile::tempdir().unwrap();
        let jwks = data.path().join("jwks.json");
        std::fs::write(&jwks, provider::jwks(&[&key])).unwrap();
        let settings = [
            ("JIXIAO_LOG", "trace"), ("JIXIAO_LOG_FORMAT", "json"), ("JIXIAO_SLOW_REQUEST", "1"),
            ("JIXIAO_OTLP_ENDPOINT", collector.address()), ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=Geheim-9"),
            ("JIXIAO_WEBHOOK_ALLOW", "http,loopback"), ("JIXIAO_WEBHOOK_ATTEMPTS", "1"),
            ("JIXIAO_JWT_ISSUER", provider::ISSUER), ("JIXIAO_JWT_AUDIENCE", "jixiao"),
            ("JIXIAO_JWT_JWKS", jwks.to_str().unwrap()), ("JIXIAO_JWT_ROLE_CLAIM", "realm_access.roles"),
            ("JIXIAO_JWT_ROLES", "finance=bureau"),
        ];
        let Some(mut server) = Server::start(engine, &settings) else { return };
        let token = server.process.first_token();
        let bureau = server.process.client(&token);
        bureau.put("/api/v1/units/219001", &json!({"name": "张三丰工作室", "kind": "town"})).expect(201);
        file_ready(&bureau, 2019);
        let year = "/api/v1/units/219001/evaluations/2019";
        bureau.put(&format!("{year}/reasons"), &json!({"staffing": "李四光同志借调"}));
        bureau.put(&format!("{year}/narrative"), &json!({"basics": "王五牛的个人情况"}));
        bureau.send("PUT", "/api/v1/units/219002", Some("{\"name\": \"赵六合\", \"kind\": 7}".as_bytes()));
        bureau.send("PUT", "/api/v1/units/219003", Some("{\"name\": \"赵六合".as_bytes()));
        bureau.get("/api/v1/units?q=%E9%92%B1%E4%B8%83%E6%98%9F&secret=Geheim-1");
        let url = format!("{}/hook/Geheim-2?key=Geheim-3", receiver.address());
        let hook = bureau.post("/api/v1/webhooks", &json!({"url": url})).expect(201).json();
        let made = bureau.post("/api/v1/tokens", &json!({"name": "孙八仙", "role": "auditor"})).expect(201).json();
        let second = made["token"].as_str().unwrap().to_owned();
        server.process.client(&second).get(&format!("{year}/score")).expect(200);
        // In the wrong places, and wrong.
        let bad = format!("{}Geheim-4", &token[..token.len() - 5]);
        server.process.client(&bad).get("/api/v1/units").expect(401);
        bureau.get(&format!("/api/v1/tokens/{second}"));
        bureau.get(&format!("/api/v1/units/{second}"));
        let jwt = key.token(&provider::claims("周九如", &["finance"], &[]));
        server.process.client(&jwt).get("/api/v1/units");
        server.process.client(&format!("{jwt}x")).get("/api/v1/units").expect(401);
        bureau.get(&format!("/nowhere/{jwt}")).expect(404);
        receiver.wait(2);
        collector.find(|sent| spans(sent).iter().any(|span| span.name == "webhook").then_some(()));
        server.wait_for_sample("jixiao_trace_spans_total{outcome=\"sent\"}", |sent| sent > 20.0);
        let mut all = server.scrape();
        let printed_once = format!("{token}\n");
        assert_eq!(server.process.stop().code(), Some(0));
        let output = server.process.output();
        assert!(output.contains("\"access\"") && output.contains("slow request"), "{output}");
        all.push_str(&output.replacen(&printed_once, "", 1));
        for sent in collector.wait(0) {
            all.push_str(&String::from_utf8_lossy(&sent.body));
        }
        let part = |token: &str| token.rsplit('_').next().unwrap().to_owned();
        let secrets = [
            part(&token), part(&second), jwt.rsplit('.').next().unwrap().to_owned(), jwt.split('.').nth(1).unwrap().to_owned(),
            hook["secret"].as_str().unwrap().trim_start_matches("whsec_").to_owned(),
        ];
        let names = ["张三丰", "李四光", "王五牛", "赵六合", "钱七星", "%E9%92%B1", "孙八仙", "Geheim"].map(str::to_owned);
        for secret in secrets.iter().chain(&names) {
            if let Some(at) = all.find(secret.as_str()) {
                let before = all[..at].char_indices().rev().nth(300).map_or(0, |(index, _)| index);
                panic!("{secret}: …{}", &all[before..at + secret.len()]);
            }
        }
    }
}
