//! How often may be asked, and what one is told who asks too often. Counted in memory, so the database does not matter.

use jixiao::http::limits::Settings;
use jixiao::tokens::model::Role;

use crate::support::client::Response;
use crate::support::{Engine, TestApp};

fn with(settings: Settings) -> TestApp {
    TestApp::start_with(Engine::Sqlite, |config| config.limits = settings).unwrap()
}

/// What is left, as the header says it.
fn left(answer: &Response) -> Option<&str> {
    answer.header("RateLimit").and_then(|value| value.split(';').nth(1))
}

/// Refused, with a time to wait that is told in seconds.
#[track_caller]
fn is_refused(answer: Response, kind: &str, at_most: u64) {
    let wait: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=at_most).contains(&wait), "{wait}");
    answer.problem(429, kind);
}

#[test]
fn each_token_has_a_quota_of_its_own_and_every_answer_says_what_is_left_of_it() {
    // One request counts for 20 s, longer than this test takes.
    let app = with(Settings {
        per_token: 3,
        ..Settings::default()
    });
    let (one, other) = (app.bureau(), app.auditor());
    for n in [2, 1, 0] {
        let answer = one.get("/api/v1/units").expect(200);
        assert_eq!(answer.header("RateLimit-Policy"), Some("\"token\";q=3;w=60"));
        assert_eq!(left(&answer), Some(format!("r={n}").as_str()));
    }
    let refused = one.get("/api/v1/units");
    assert_eq!(left(&refused), Some("r=0"));
    is_refused(refused, "rate-limited", 20);
    // One that is refused for what it asks is counted too.
    assert_eq!(left(&other.delete("/api/v1/units/219001").expect(403)), Some("r=2"));
    // What needs no token has no quota here.
    assert_eq!(
        app.anonymous().get("/health/live").expect(200).header("RateLimit"),
        None
    );
}

#[test]
fn an_address_has_a_quota_for_whatever_it_asks_and_only_a_trusted_proxy_speaks_for_others() {
    let settings = Settings {
        per_address: 3,
        ..Settings::default()
    };
    let app = with(settings.clone());
    let anyone = app.anonymous();
    assert_eq!(left(&anyone.get("/health/live").expect(200)), Some("r=2"));
    assert_eq!(left(&anyone.get("/api/v1/units").expect(401)), Some("r=1"));
    assert_eq!(left(&anyone.get("/nowhere").expect(404)), Some("r=0"));
    is_refused(anyone.get("/health/live"), "rate-limited", 20);
    // It says so itself, and is not believed.
    let pretending = anyone.with("X-Forwarded-For", "192.0.2.7");
    is_refused(pretending.get("/health/live"), "rate-limited", 20);

    let behind_a_proxy = with(Settings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..settings
    });
    let of = |address: &str| behind_a_proxy.anonymous().with("X-Forwarded-For", address);
    for n in [2, 1, 0] {
        assert_eq!(
            left(&of("192.0.2.7").get("/health/live").expect(200)),
            Some(format!("r={n}").as_str())
        );
    }
    is_refused(of("192.0.2.7").get("/health/live"), "rate-limited", 20);
    of("192.0.2.8").get("/health/live").expect(200);
}

#[test]
fn an_address_that_keeps_showing_wrong_tokens_is_locked_out_and_no_other() {
    let app = with(Settings {
        failures: 3,
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..Settings::default()
    });
    let token = app.token(Role::Bureau, &[]);
    let right = app.client(&token).with("X-Forwarded-For", "192.0.2.7");
    let wrong = app.client(&format!("{token}0")).with("X-Forwarded-For", "192.0.2.7");
    // To show none at all is no attempt.
    let none = app.anonymous().with("X-Forwarded-For", "192.0.2.7");
    for _ in 0..5 {
        none.get("/api/v1/units").problem(401, "unauthorized");
    }
    for _ in 0..2 {
        wrong.get("/api/v1/units").problem(401, "unauthorized");
    }
    right.get("/api/v1/units").expect(200);
    wrong.get("/api/v1/units").problem(401, "unauthorized");
    is_refused(wrong.get("/api/v1/units"), "locked-out", 300);
    is_refused(right.get("/api/v1/units"), "locked-out", 300);
    right.get("/health/ready").expect(200);
    app.client(&token)
        .with("X-Forwarded-For", "192.0.2.8")
        .get("/api/v1/units")
        .expect(200);
}

#[test]
fn what_is_off_counts_nothing_and_by_default_nobody_is_near_it() {
    let app = with(Settings::default());
    let bureau = app.bureau();
    for _ in 0..20 {
        let answer = bureau.get("/api/v1/units").expect(200);
        assert_eq!(
            (answer.header("RateLimit"), answer.header("RateLimit-Policy")),
            (None, None)
        );
    }
    let usual = TestApp::start(Engine::Sqlite).unwrap();
    let answer = usual.bureau().get("/api/v1/units").expect(200);
    assert_eq!(answer.header("RateLimit-Policy"), Some("\"token\";q=60000;w=60"));
}
