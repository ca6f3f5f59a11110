//! Pages of other origins that call from a browser.

use jixiao::http::limits;
use serde_json::json;

use crate::support::client::{Client, Response};
use crate::support::{Engine, TestApp};

const PORTAL: &str = "https://portal.county.example";

fn with(origins: &[&str], limits: limits::Settings) -> TestApp {
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    TestApp::start_with(Engine::Sqlite, |config| {
        config.cors_origins = origins;
        config.limits = limits;
    })
    .unwrap()
}

fn portal() -> TestApp {
    with(&["http://localhost:5173", PORTAL], limits::Settings::usual())
}

/// What a browser asks before it sends a request that a form could not.
fn preflight(client: &Client, path: &str, method: &str) -> Response {
    client
        .with("Access-Control-Request-Method", method)
        .with("Access-Control-Request-Headers", "authorization,if-match")
        .send("OPTIONS", path, None)
}

fn cors_headers(answer: &Response) -> Vec<&str> {
    ["origin", "methods", "headers", "credentials"]
        .into_iter()
        .filter(|name| answer.header(&format!("Access-Control-Allow-{name}")).is_some())
        .collect()
}

/// Whether caches are told that the answer is for this origin.
fn varies(answer: &Response) -> bool {
    answer.headers("Vary").iter().any(|value| value.contains("origin"))
}

#[test]
fn by_default_no_answer_says_anything_of_origins() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    let page = app.bureau().with("Origin", PORTAL);
    for answer in [
        page.get("/api/v1/units"),
        preflight(&page, "/api/v1/units", "GET"),
        page.get("/nowhere"),
    ] {
        assert_eq!((cors_headers(&answer), varies(&answer)), (vec![], false));
        assert_eq!(answer.header("Access-Control-Expose-Headers"), None);
    }
}

#[test]
fn a_preflight_needs_no_token_and_is_told_the_methods_of_the_address() {
    let app = portal();
    let page = app.anonymous().with("Origin", PORTAL);
    let answer = preflight(&page, "/api/v1/units/219001", "PUT").expect(204);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(PORTAL));
    assert_eq!(
        answer.header("Access-Control-Allow-Methods"),
        Some("GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
    );
    assert_eq!(answer.header("Access-Control-Allow-Methods"), answer.header("Allow"));
    let headers: Vec<_> = answer
        .header("Access-Control-Allow-Headers")
        .unwrap()
        .split(", ")
        .collect();
    for header in [
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "prefer",
        "x-request-id",
    ] {
        assert!(headers.contains(&header), "{header}");
    }
    assert_eq!(answer.header("Access-Control-Max-Age"), Some("7200"));
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
    assert!(varies(&answer) && answer.header("X-Request-Id").is_some());
    assert_eq!(
        preflight(&page, "/api/v1/tokens", "POST").header("Access-Control-Allow-Methods"),
        Some("GET, HEAD, POST, OPTIONS")
    );
    // An OPTIONS that is no preflight is as ever, but for who may read it.
    let plain = page.send("OPTIONS", "/api/v1/units", None).expect(204);
    assert_eq!(
        (plain.header("Allow"), cors_headers(&plain)),
        (Some("GET, HEAD, OPTIONS"), vec!["origin"])
    );
}

#[test]
fn a_page_of_that_origin_reads_answers_and_their_headers_and_no_other_does() {
    let app = portal();
    let bureau = app.bureau();
    let made = bureau
        .with("Origin", PORTAL)
        .put("/api/v1/units/219001", &json!({"name": "甲", "kind": "town"}))
        .expect(201);
    assert_eq!(made.header("Access-Control-Allow-Origin"), Some(PORTAL));
    let exposed = made
        .header("Access-Control-Expose-Headers")
        .unwrap()
        .split(", ")
        .collect::<Vec<_>>();
    for header in [
        "etag",
        "location",
        "link",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
        "deprecation",
    ] {
        assert!(exposed.contains(&header), "{header}");
    }
    for other in [
        "https://portal.county.example.evil",
        "http://portal.county.example",
        "https://PORTAL.county.example",
        "null",
    ] {
        let page = bureau.with("Origin", other);
        let answer = page.get("/api/v1/units/219001").expect(200);
        assert_eq!((cors_headers(&answer), varies(&answer)), (vec![], true), "{other}");
        let answer = preflight(&page, "/api/v1/units/219001", "PUT");
        assert_eq!((cors_headers(&answer), varies(&answer)), (vec![], true), "{other}");
    }
    // What is kept for one who sends no origin is not for a page either.
    let answer = bureau.get("/api/v1/units/219001").expect(200);
    assert_eq!((cors_headers(&answer), varies(&answer)), (vec![], true));
    let unchanged = bureau.with("Origin", PORTAL).with("If-None-Match", &answer.etag());
    assert_eq!(
        unchanged
            .get("/api/v1/units/219001")
            .expect(304)
            .header("Access-Control-Allow-Origin"),
        Some(PORTAL)
    );
}

#[test]
fn a_page_reads_problems_too_wherever_they_come_from() {
    let limits = limits::Settings {
        per_address: 6,
        ..limits::Settings::default()
    };
    let app = with(&[PORTAL], limits);
    let page = app.anonymous().with("Origin", PORTAL);
    let bureau = app.bureau().with("Origin", PORTAL);
    let units = "/api/v1/units";
    for (answer, status) in [
        (page.get(units), 401),
        (page.get("/nowhere"), 404),
        (page.send("DELETE", units, None), 405),
        (
            bureau
                .with("Content-Type", "text/plain")
                .put("/api/v1/units/219001", &json!({})),
            415,
        ),
        (bureau.with("Accept-Encoding", "br, identity;q=0").get(units), 406),
        (preflight(&page, "/nowhere", "GET"), 404),
        (page.get(units), 429),
    ] {
        let answer = answer.expect(status);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(PORTAL), "{status}");
        assert!(answer.headers("Vary").len() > 1, "{status}");
    }
}

#[test]
fn any_origin_is_allowed_without_credentials_and_the_same_answer_serves_all() {
    let app = with(&["*"], limits::Settings::usual());
    let bureau = app.bureau();
    for client in [
        bureau.clone(),
        bureau.with("Origin", PORTAL),
        bureau.with("Origin", "null"),
    ] {
        let answer = client.get("/api/v1/units").expect(200);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
        assert_eq!((cors_headers(&answer), varies(&answer)), (vec!["origin"], false));
    }
    let answer = preflight(&bureau.with("Origin", PORTAL), "/api/v1/units", "GET").expect(204);
    assert_eq!(cors_headers(&answer), ["origin", "methods", "headers"]);
}
