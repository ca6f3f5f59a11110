//! The change log: every change is in it, once, in order, with who made it.

use diesel::prelude::*;
use jixiao::db::changes::{Head, Row};
use jixiao::db::schema::changes::dsl;
use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::access::{For, ask, delete_funds, found, operations};
use crate::both_engines;
use crate::support::client::Client;
use crate::support::{Engine, TestApp, at_once, count, file_ready};

const UNIT: &str = "/api/v1/units/219001";

/// The rows of the log after `seq`, as they are in the table.
fn log(app: &TestApp, seq: i64) -> Vec<Row> {
    app.write(move |tx| {
        Ok(dsl::changes
            .filter(dsl::seq.gt(seq))
            .order(dsl::seq)
            .select(Row::as_select())
            .load(&mut **tx)?)
    })
}

fn head(app: &TestApp) -> i64 {
    app.write(|tx| Ok(Head::load(tx)?.seq))
}

fn after(row: &Row) -> Value {
    row.after
        .as_deref()
        .map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

both_engines! {
    fn every_operation_that_changes_something_is_in_the_log_with_who_made_it_and_what_reads_is_not(app) {
        app.with_units(&[("219", None), ("300", None), ("219001", Some("219")), ("400", None)]);
        let token = app.token(Role::Bureau, &[]);
        let bureau = app.client(&token).with("X-Request-Id", "walk-1");
        file_ready(&bureau, 2018);
        for (who, method, template, path, body) in operations() {
            if method == "DELETE" && who == For::Bureau {
                delete_funds(&bureau);
            }
            let path = found(&bureau, path);
            let before = head(app);
            let answer = ask(&bureau, method, &path, &body);
            assert!((200..300).contains(&answer.status), "{}: {}", answer.request(), answer.text());
            let rows = log(app, before);
            let changes = method != "GET" && ![":preview", "/ping"].iter().any(|end| template.ends_with(end));
            assert_eq!(!rows.is_empty(), changes, "{method} {template}: {rows:?}");
            for row in rows {
                assert_eq!(row.actor.as_deref(), token.split('_').nth(1), "{row:?}");
                assert_eq!((row.role.as_str(), row.request_id.as_deref(), row.address.as_deref()),
                    ("bureau", Some("walk-1"), Some("127.0.0.1")), "{row:?}");
                assert_eq!(row.after.is_none(), method == "DELETE", "{row:?}");
            }
        }
    }

    fn a_change_says_what_it_was_and_how_it_is_now(app) {
        let bureau = app.with_kaiyun();
        let before = head(app);
        bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &json!({"staff": {"posts": 171}})).expect(201);
        bureau.patch("/api/v1/units/219001/evaluations/2019/base-data", &json!({"staff": {"in_post": 104}})).expect(200);
        bureau.put("/api/v1/special-funds/housing", &json!({"unit": "219001", "year": 2019, "name": "危房改造资金"})).expect(201);
        bureau.delete("/api/v1/units/219001/evaluations/2019/base-data").expect(204);
        let rows = log(app, before);
        let told: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.resource.as_str(), row.key.as_str())).collect();
        assert_eq!(told, [
            ("created", "base_data", "/api/v1/units/219001/evaluations/2019/base-data"),
            ("updated", "base_data", "/api/v1/units/219001/evaluations/2019/base-data"),
            ("created", "special_fund", "/api/v1/special-funds/housing"),
            ("deleted", "base_data", "/api/v1/units/219001/evaluations/2019/base-data"),
        ]);
        assert!(rows.iter().all(|row| (row.unit_code.as_deref(), row.year) == (Some("219001"), Some(2019))), "{rows:?}");
        assert_eq!(after(&rows[1])["staff"], json!({"posts": 171, "in_post": 104}));
        assert_eq!(after(&rows[2])["name"], "危房改造资金");
        assert_eq!(after(&rows[3]), Value::Null);
    }

    fn what_changes_nothing_or_is_refused_leaves_no_trace(app) {
        let bureau = app.with_kaiyun();
        let unit = json!({"name": "衡山县开云镇人民政府", "kind": "town"});
        let before = head(app);
        bureau.put(UNIT, &unit).expect(200);
        bureau.patch(UNIT, &json!({})).expect(200);
        bureau.put(UNIT, &json!({"name": "开云镇", "kind": "town", "parent": "999"})).problem(422, "validation-failed");
        bureau.with("If-Match", "\"other\"").delete(UNIT).problem(412, "precondition-failed");
        bureau.post("/api/v1/fiscal-years/2019/roll-over?dry_run=true", &json!({})).expect(200);
        app.auditor().put(UNIT, &unit).problem(403, "forbidden");
        // The auditor's token was made meanwhile.
        let told: Vec<_> = log(app, before).into_iter().map(|row| row.resource).collect();
        assert_eq!(told, ["token"]);
    }

    fn the_log_never_holds_a_secret(app) {
        let token = app.token(Role::Bureau, &[]);
        let secret = token.rsplit('_').next().unwrap();
        app.revoke(&token);
        let rows = log(app, 0);
        assert_eq!(rows.iter().filter(|row| row.resource == "token").count(), 2);
        for row in rows {
            assert!(!format!("{row:?}").contains(secret), "{row:?}");
        }
    }

    fn many_writers_leave_numbers_without_a_gap_and_a_chain_that_holds(app) {
        let bureau = app.with_kaiyun();
        let before = head(app);
        let answers = at_once(12, |n| match n % 3 {
            0 => bureau.put(&format!("/api/v1/units/{}", 100 + n), &json!({"name": "单位", "kind": "town"})),
            1 => bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &json!({"staff": {"posts": n}})),
            // Refused, and so without a number.
            _ => bureau.put(&format!("/api/v1/units/{}", 200 + n), &json!({"name": "单位", "kind": "town", "parent": "999"})),
        });
        assert_eq!(count(&answers, 422), 4);
        let rows = log(app, 0);
        assert_eq!(rows.len() as i64, before + 8);
        let mut last = (0, "0".repeat(64));
        for row in rows {
            assert_eq!((row.seq, &row.hash), (last.0 + 1, &row.hash_after(&last.1).unwrap()), "{row:?}");
            last = (row.seq, row.hash);
        }
    }
}

/// Only PostgreSQL lets several services onto one database.
#[test]
fn two_services_number_their_changes_as_one() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let (one, second) = (app.with_units(&[]), app.another());
    let two = Client::new(second.base()).like(&one);
    let before = head(&app);
    let answers = at_once(16, |n| {
        let client = if n % 2 == 0 { &one } else { &two };
        // Four units, each written by both.
        client.put(
            &format!("/api/v1/units/10{}", n % 4),
            &json!({"name": format!("单位{n}"), "kind": "town"}),
        )
    });
    assert_eq!((count(&answers, 201), count(&answers, 200)), (4, 12));
    let rows = log(&app, before);
    let numbers: Vec<_> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(numbers, (before + 1..=before + 16).collect::<Vec<_>>());
    // The last change of each is how it is.
    for code in ["100", "101", "102", "103"] {
        let key = format!("/api/v1/units/{code}");
        let last = rows.iter().rfind(|row| row.key == key).unwrap();
        assert_eq!(after(last)["name"], one.get(&key).expect(200).json()["name"]);
    }
}
