//! Tokens by the API: made, looked at, changed, given a new secret, taken back.

use std::time::{Duration, Instant};

use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::{Engine, TestApp};

/// Makes a token; what is answered.
fn make(bureau: &Client, input: &Value) -> Value {
    bureau.post("/api/v1/tokens", input).expect(201).json()
}

/// The text of a member.
fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("{name}: {answer}"))
}

fn address(token: &Value) -> String {
    format!("/api/v1/tokens/{}", text(token, "id"))
}

/// What it says of itself.
fn itself(app: &TestApp, token: &str) -> Value {
    app.client(token).get("/api/v1/tokens/self").expect(200).json()
}

both_engines! {
    fn a_token_made_by_the_api_works_and_its_secret_is_shown_only_once(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219"))]);
        let made = bureau.post("/api/v1/tokens", &json!({"name": "开云镇财政所", "role": "unit", "units": ["219001", "219"]}));
        let made = made.expect(201);
        assert_eq!(made.header("Cache-Control"), Some("no-store"));
        let etag = made.etag();
        let location = made.header("Location").unwrap().to_owned();
        let made = made.json();
        assert_eq!(location, address(&made));
        let token = text(&made, "token");
        let secret = token.rsplit('_').next().unwrap();
        assert_eq!(token, format!("jx_{}_{secret}", text(&made, "id")));
        assert_eq!(made["units"], json!(["219", "219001"]));
        assert_eq!((&made["scopes"], &made["permissions"]), (&Value::Null, &json!(["read", "file", "submit", "import"])));

        let got = bureau.get(&location).expect(200);
        assert_eq!(got.etag(), etag);
        let mut known = made.clone();
        known.as_object_mut().unwrap().remove("token");
        assert_eq!(got.json(), known);
        assert!(!bureau.get("/api/v1/tokens").expect(200).text().contains(secret));
        let me = itself(app, token);
        assert_eq!(
            me,
            json!({"id": made["id"], "name": "开云镇财政所", "role": "unit", "units": ["219", "219001"],
                "permissions": ["read", "file", "submit", "import"], "expires_at": null})
        );
        assert_eq!(app.client(token).get("/api/v1/units").each("code"), ["219", "219001"]);
    }

    fn every_fault_of_a_token_is_named_and_none_is_made(app) {
        let bureau = app.with_units(&[("219001", None)]);
        let before = bureau.get("/api/v1/tokens").each("id");
        for (input, expected) in [
            (json!({"name": "甲", "role": "unit"}), vec![("/units", "missing_field")]),
            (json!({"name": "甲", "role": "unit", "units": []}), vec![("/units", "missing_field")]),
            (json!({"name": "甲", "role": "auditor", "units": ["219001"]}), vec![("/units", "not_of_role")]),
            (json!({"name": "甲", "role": "auditor", "scopes": []}), vec![("/scopes", "too_few")]),
            (
                json!({"name": "甲", "role": "unit", "units": ["219001", "999"], "scopes": ["read", "review"],
                    "expires_at": "2020-01-01T00:00:00+08:00"}),
                vec![("/units/1", "unknown_unit"), ("/scopes/1", "not_of_role"), ("/expires_at", "in_the_past")],
            ),
        ] {
            assert_eq!(bureau.post("/api/v1/tokens", &input).faults(), faults(&expected), "{input}");
        }
        let wrong = json!({"name": " 甲", "role": "king", "scopes": ["fly"], "expires_at": "2030-01-01", "secret": "x"});
        let mut named = bureau.post("/api/v1/tokens", &wrong).faults().into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>();
        named.sort();
        assert_eq!(named, ["/expires_at", "/name", "/role", "/scopes/0", "/secret"]);
        assert_eq!(bureau.get("/api/v1/tokens").each("id"), before);
    }

    fn a_token_that_has_expired_is_none_and_can_be_given_more_time(app) {
        let bureau = app.bureau();
        let made = make(&bureau, &json!({"name": "甲", "role": "auditor", "expires_at": "2100-01-01T00:00:00+08:00"}));
        assert_eq!(made["expires_at"], "2099-12-31T16:00:00.000000Z");
        let token = text(&made, "token");
        assert_eq!(itself(app, token)["expires_at"], made["expires_at"]);
        // The clock cannot be turned, so the end is.
        let id = text(&made, "id").to_owned();
        app.write(move |tx| {
            let before = jixiao::tokens::store::get(tx, &id)?.unwrap();
            let mut input = jixiao::tokens::model::TokenInput::try_from(&before).unwrap();
            input.expires_at = Some("2020-01-01T00:00:00Z".parse().unwrap());
            jixiao::tokens::store::save(tx, before, &input)
        });
        let app2 = app.client(token);
        let deadline = Instant::now() + Duration::from_secs(20);
        // Another server, or this one after two seconds.
        let refused = loop {
            let answer = app2.get("/api/v1/units");
            if answer.status != 200 || Instant::now() > deadline {
                break answer.problem(401, "unauthorized");
            }
        };
        assert_eq!(refused["detail"], "The token has expired.");
        // What is left as it is may be in the past; what is set may not.
        bureau.patch(&address(&made), &json!({"name": "乙"})).expect(200);
        app2.get("/api/v1/units").problem(401, "unauthorized");
        let past = bureau.patch(&address(&made), &json!({"expires_at": "2021-01-01T00:00:00Z"}));
        assert_eq!(past.faults(), faults(&[("/expires_at", "in_the_past")]));
        bureau.patch(&address(&made), &json!({"expires_at": null})).expect(200);
        app2.get("/api/v1/units").expect(200);
    }

    fn a_change_holds_at_once_and_the_same_change_twice_is_one(app) {
        let bureau = app.with_units(&[("219001", None), ("300", None)]);
        let made = make(&bureau, &json!({"name": "甲", "role": "unit", "units": ["219001"]}));
        let unit = app.client(text(&made, "token"));
        unit.get("/api/v1/units/219001").expect(200);
        let changed = bureau.patch(&address(&made), &json!({"units": ["300"], "scopes": ["read"]})).expect(200).json();
        assert_eq!((&changed["version"], &changed["permissions"]), (&json!(2), &json!(["read"])));
        unit.get("/api/v1/units/219001").problem(403, "forbidden");
        unit.get("/api/v1/units/300").expect(200);
        unit.post("/api/v1/units/300/evaluations/2019/submit", &json!({})).problem(403, "forbidden");
        assert_eq!(bureau.get("/api/v1/tokens?unit=300").each("id"), [text(&made, "id")]);
        assert_eq!(bureau.get("/api/v1/tokens?unit=219001").each("id"), [""; 0]);

        let again = bureau.patch(&address(&made), &json!({"scopes": ["read", "read"]})).expect(200).json();
        assert_eq!(again["version"], 2);
        let stale = bureau.with("If-Match", "\"0123456789abcdef\"").patch(&address(&made), &json!({"name": "乙"}));
        stale.problem(412, "precondition-failed");
        // A unit that a token is bound to stays.
        bureau.delete("/api/v1/units/300").problem(409, "referenced");
        bureau.delete(&address(&made)).expect(204);
        bureau.delete("/api/v1/units/300").expect(204);
    }

    fn a_token_that_is_taken_back_ends_at_once(app) {
        let bureau = app.bureau();
        let made = make(&bureau, &json!({"name": "甲", "role": "auditor"}));
        let auditor = app.client(text(&made, "token"));
        auditor.get("/api/v1/units").expect(200);
        bureau.delete(&address(&made)).expect(204);
        auditor.get("/api/v1/units").problem(401, "unauthorized");
        bureau.get(&address(&made)).problem(404, "not-found");
        bureau.delete(&address(&made)).problem(404, "not-found");
        bureau.post(&format!("{}/rotate", address(&made)), &json!({})).problem(404, "not-found");
    }

    fn a_rotated_token_has_a_new_secret_and_the_old_one_works_for_the_overlap_only(app) {
        let bureau = app.bureau();
        let made = make(&bureau, &json!({"name": "甲", "role": "auditor"}));
        let rotate = format!("{}/rotate", address(&made));
        let works = |token: &str| app.client(token).get("/api/v1/units").status;
        let first = text(&made, "token").to_owned();

        let rotated = bureau.post(&rotate, &json!({"overlap_seconds": 3600})).expect(200);
        assert_eq!(rotated.header("Cache-Control"), Some("no-store"));
        let rotated = rotated.json();
        let second = text(&rotated, "token").to_owned();
        assert_eq!((&rotated["id"], &rotated["version"]), (&made["id"], &json!(2)));
        assert!(text(&rotated, "previous_until") > text(&rotated, "updated_at"));
        assert_eq!((works(&first), works(&second)), (200, 200));

        // With a second rotation the first secret ends; what was second works on.
        let third = bureau.post(&rotate, &json!({"overlap_seconds": 3600})).expect(200).json();
        let third = text(&third, "token");
        assert_eq!((works(&first), works(&second), works(third)), (401, 200, 200));

        // One that leaked ends at once, and so does what still worked beside it.
        let last = bureau.send("POST", &rotate, None).expect(200).json();
        assert_eq!(last["previous_until"], Value::Null);
        let last = text(&last, "token");
        assert_eq!((works(&second), works(third), works(last)), (401, 401, 200));

        for wrong in [json!(-1), json!(2_592_001), json!(1.5), json!("1")] {
            let answer = bureau.post(&rotate, &json!({"overlap_seconds": wrong}));
            assert_eq!(answer.faults()[0].0, "/overlap_seconds", "{wrong}");
        }
        assert_eq!(works(last), 200);
    }

    fn nobody_makes_changes_or_rotates_a_token_that_may_do_more_than_his_own(app) {
        let bureau = app.bureau();
        let strong = make(&bureau, &json!({"name": "强", "role": "bureau"}));
        let keeper = make(&bureau, &json!({"name": "管理员", "role": "bureau", "scopes": ["read", "tokens"]}));
        let keeper_client = app.client(text(&keeper, "token"));
        let more = json!({"name": "乙", "role": "bureau"});
        keeper_client.post("/api/v1/tokens", &more).problem(403, "forbidden");
        keeper_client.patch(&address(&keeper), &json!({"scopes": null})).problem(403, "forbidden");
        keeper_client.patch(&address(&strong), &json!({"name": "乙"})).problem(403, "forbidden");
        keeper_client.post(&format!("{}/rotate", address(&strong)), &json!({})).problem(403, "forbidden");
        app.client(text(&strong, "token")).get("/api/v1/units").expect(200);

        let less = make(&keeper_client, &json!({"name": "丙", "role": "auditor", "scopes": ["read"]}));
        assert_eq!(itself(app, text(&less, "token"))["permissions"], json!(["read"]));
    }

    fn the_last_use_is_noted_with_its_address(app) {
        let bureau = app.bureau();
        let made = make(&bureau, &json!({"name": "甲", "role": "auditor"}));
        let path = address(&made);
        assert_eq!(bureau.get(&path).json()["last_used_at"], Value::Null);
        // A wrong secret is no use of it.
        let wrong = format!("{}0", text(&made, "token"));
        app.client(&wrong).get("/api/v1/units").problem(401, "unauthorized");
        let before = bureau.get(&path).expect(200);
        app.client(text(&made, "token")).get("/api/v1/units").expect(200);
        // It is written beside the request.
        let deadline = Instant::now() + Duration::from_secs(20);
        let after = loop {
            let after = bureau.with("If-None-Match", &before.etag()).get(&path);
            if after.status == 200 {
                break after.json();
            }
            assert!(Instant::now() < deadline, "it is not noted");
        };
        assert_eq!(before.json()["last_used_at"], Value::Null);
        assert!(text(&after, "last_used_at") >= text(&after, "created_at"));
        assert_eq!((&after["last_used_from"], &after["version"]), (&json!("127.0.0.1"), &json!(1)));
    }

    fn tokens_are_listed_in_pages_and_found_by_name_and_role(app) {
        let bureau = app.bureau();
        let mut made: Vec<_> = ["audit-1", "audit-2", "audit-3"]
            .map(|name| text(&make(&bureau, &json!({"name": name, "role": "auditor"})), "id").to_owned())
            .into();
        made.sort();
        assert_eq!(bureau.all("/api/v1/tokens?role=auditor&limit=2", "id"), made);
        assert_eq!(bureau.get("/api/v1/tokens?q=audit-2").each("name"), ["audit-2"]);
        assert_eq!(bureau.get("/api/v1/tokens?role=bureau").each("name"), ["test"]);
        assert_eq!(bureau.get("/api/v1/tokens?role=king&cursor=x").parameters().len(), 2);
    }
}

/// Only PostgreSQL lets a second service onto the database.
#[test]
fn what_one_service_does_to_a_token_holds_on_another_that_has_not_seen_it() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let bureau = app.bureau();
    let made = make(&bureau, &json!({"name": "甲", "role": "auditor"}));
    let rotated = bureau
        .post(&format!("{}/rotate", address(&made)), &json!({}))
        .expect(200)
        .json();
    let other = app.another();
    other
        .client(text(&made, "token"))
        .get("/api/v1/units")
        .problem(401, "unauthorized");
    other.client(text(&rotated, "token")).get("/api/v1/units").expect(200);
    assert_eq!(itself(&other, &app.token(Role::Bureau, &[]))["role"], "bureau");
}
