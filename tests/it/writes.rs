//! Many who write at once, and several services on one database.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use diesel::RunQueryDsl;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use jixiao::db::connection::{Access, connect};
use serde_json::json;

use crate::both_engines;
use crate::support::{Client, Engine, TestApp, at_once, count, line};

const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";
const SCORE: &str = "/api/v1/units/219001/evaluations/2019/score";

both_engines! {
    fn two_hundred_units_put_by_eight_threads_are_all_there_once(app) {
        let bureau = app.bureau();
        at_once(8, |thread| {
            let client = Client::new(app.base()).like(&bureau);
            for n in (thread..200).step_by(8) {
                client.put(&format!("/api/v1/units/{}", 1000 + n), &json!({"name": format!("单位{n}"), "kind": "town"})).expect(201);
            }
            client.get("/health/live")
        });
        let list = "/api/v1/units?limit=200";
        assert_eq!(bureau.all(list, "code"), (1000..1200).map(|code| code.to_string()).collect::<Vec<_>>());
        assert_eq!(bureau.all(list, "name"), (0..200).map(|n| format!("单位{n}")).collect::<Vec<_>>());
        assert!(bureau.all(list, "version").iter().all(|version| *version == 1));
    }

    fn of_those_who_replace_the_same_version_exactly_one_wins(app) {
        let bureau = app.with_kaiyun();
        let sheet = |n: usize| json!({"staff": {"posts": n}});
        let first = bureau.put(SHEET, &sheet(1000)).expect(201).etag();
        let responses = at_once(16, |n| bureau.with("If-Match", &first).put(SHEET, &sheet(n)));
        assert_eq!((count(&responses, 200), count(&responses, 412)), (1, 15));
        let winner = responses.iter().position(|response| response.status == 200).unwrap();
        assert_eq!(bureau.get(SHEET).expect(200).json(), sheet(winner));
        let evaluation = bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json();
        assert_eq!(evaluation["parts"]["base_data"]["version"], 2);
    }

    fn changes_of_different_fields_that_try_again_after_412_lose_nothing(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &json!({"staff": {"posts": 0}})).expect(201);
        let fields = ["posts", "in_post", "retired", "organs", "subordinate_units", "villages", "communities"];
        let refused = AtomicU64::new(0);
        at_once(fields.len(), |thread| {
            for n in 1..=5 {
                loop {
                    let tag = bureau.get(SHEET).expect(200).etag();
                    let changed = bureau.with("If-Match", &tag).patch(SHEET, &json!({"staff": {(fields[thread]): n * 10 + thread}}));
                    if changed.status != 412 {
                        changed.expect(200);
                        break;
                    }
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
            bureau.get(SHEET)
        });
        let expected: Vec<_> = (0..fields.len()).map(|thread| 50 + thread).collect();
        let sheet = bureau.get(SHEET).expect(200).json();
        assert_eq!(fields.map(|field| sheet["staff"][field].as_u64().unwrap() as usize), *expected);
        // Filed once, and changed five times by each: no change was counted that was refused.
        let version = bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json()["parts"]["base_data"]["version"].clone();
        assert_eq!(version, 1 + 5 * fields.len(), "{refused:?} were refused");
    }

    fn changes_of_different_fields_without_any_condition_lose_nothing_either(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &json!({})).expect(201);
        let fields = ["posts", "in_post", "retired", "organs", "subordinate_units", "villages", "communities"];
        for changed in at_once(fields.len(), |n| bureau.patch(SHEET, &json!({"staff": {(fields[n]): n}}))) {
            changed.expect(200);
        }
        let sheet = bureau.get(SHEET).expect(200).json();
        assert_eq!(fields.map(|field| sheet["staff"][field].as_u64().unwrap()), [0, 1, 2, 3, 4, 5, 6]);
    }

    fn a_key_that_many_create_at_once_is_created_once(app) {
        let bureau = app.with_kaiyun();
        let unit = |n: usize| json!({"name": format!("单位{n}"), "kind": "town"});
        let responses = at_once(12, |n| bureau.put("/api/v1/units/302001", &unit(n)));
        assert_eq!((count(&responses, 201), count(&responses, 200)), (1, 11));
        assert_eq!(bureau.get("/api/v1/units/302001").expect(200).json()["version"], 12);

        let only_new = bureau.with("If-None-Match", "*");
        let responses = at_once(12, |n| only_new.put("/api/v1/units/302002", &unit(n)));
        assert_eq!((count(&responses, 201), count(&responses, 412)), (1, 11));
        assert_eq!(bureau.get("/api/v1/units/302002").expect(200).json()["version"], 1);

        let responses = at_once(12, |_| bureau.post("/api/v1/special-funds", &json!({"unit": "219001", "year": 2019, "name": "危房改造资金"})));
        assert_eq!((count(&responses, 201), count(&responses, 409)), (1, 11));
        assert_eq!(bureau.all("/api/v1/special-funds?limit=200", "name"), ["危房改造资金"]);

        let responses = at_once(12, |n| bureau.put(SHEET, &json!({"staff": {"posts": n}})));
        assert_eq!((count(&responses, 201), count(&responses, 200)), (1, 11));
        assert_eq!(bureau.all("/api/v1/units/219001/evaluations?limit=9", "year"), [2019]);
    }

    fn a_year_that_closes_while_many_file_takes_nothing_after_it(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &json!({"staff": {"posts": 0}})).expect(201);
        let responses = at_once(10, |n| match n {
            5 => bureau.patch("/api/v1/fiscal-years/2019", &json!({"status": "closed"})),
            n => bureau.put(SHEET, &json!({"staff": {"posts": 100 + n}})),
        });
        assert_eq!(count(&responses, 200) + count(&responses, 409), 10);
        // Each that was answered with 200 is a version; those after the closing left none.
        let version = bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json()["parts"]["base_data"]["version"].clone();
        assert_eq!(version, count(&responses, 200), "the first version, and one for each 200 but that of the closing");
        bureau.put(SHEET, &json!({"staff": {"posts": 1}})).problem(409, "closed");
    }

    fn a_write_that_fails_midway_leaves_nothing_behind_and_others_are_not_hurt(app) {
        let bureau = app.bureau();
        let unit = json!({"name": "单位", "kind": "town"});
        let stored = at_once(9, |n| match n % 3 {
            0 => bureau.put(&format!("/api/v1/units/{}", 100 + n), &unit),
            // The unit above does not exist.
            1 => bureau.put(&format!("/api/v1/units/{}", 100 + n), &json!({"name": "单位", "kind": "town", "parent": "999"})),
            _ => bureau.put(&format!("/api/v1/fiscal-years/{}", 2000 + n), &json!({"scheme": "nope"})),
        });
        assert_eq!((count(&stored, 201), count(&stored, 422)), (3, 6));
        assert_eq!(bureau.all("/api/v1/units?limit=9", "code"), ["100", "103", "106"]);
        assert_eq!(bureau.all("/api/v1/fiscal-years?limit=9", "year").len(), 0);
    }
}

#[test]
fn a_full_queue_is_answered_with_503_and_nothing_of_it_is_done() {
    // The server's own work (that a token was used, what imports left behind) may have some places in the queue, never all four.
    let app = TestApp::start_with(Engine::Sqlite, |config| config.db.write_queue = 4).unwrap();
    let bureau = app.bureau();
    let (holding, held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (holding, released) = (Mutex::new(holding), Arc::new(Mutex::new(released)));
    let mut stored = std::thread::scope(|scope| {
        let app = &app;
        let writer = scope.spawn(move || {
            app.write(move |_| {
                holding.lock().unwrap().send(()).unwrap();
                // Ends when `release` goes.
                let _ = released.lock().unwrap().recv();
                Ok(())
            });
        });
        held.recv().unwrap();
        // At most four fit into the queue; which ones is open. The others are told at once.
        let (answered, answers) = mpsc::channel();
        for n in 0..12 {
            let (answered, bureau) = (answered.clone(), bureau.clone());
            scope.spawn(move || {
                let unit = json!({"name": "单位", "kind": "town"});
                answered
                    .send((n, bureau.put(&format!("/api/v1/units/1{n:02}"), &unit)))
                    .unwrap();
            });
        }
        drop(answered);
        for (_, refused) in answers.iter().take(8) {
            assert_eq!(refused.header("Retry-After"), Some("1"));
            refused.problem(503, "busy");
        }
        // Reads do not wait for the writer.
        bureau.get("/api/v1/units").expect(200);
        drop(release);
        writer.join().unwrap();
        let (stored, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.status == 201);
        for (_, refused) in refused {
            refused.problem(503, "busy");
        }
        stored.into_iter().map(|(n, _)| format!("1{n:02}")).collect::<Vec<_>>()
    });
    stored.sort();
    assert_ne!(stored, Vec::<String>::new());
    assert_eq!(bureau.all("/api/v1/units?limit=9", "code"), stored);
    bureau
        .put("/api/v1/units/199", &json!({"name": "单位", "kind": "town"}))
        .expect(201);
}

/// By them SQLite would look things up as is best for the few rows that there were when it ended, however many come.
#[test]
fn a_service_that_ends_leaves_no_statistics_of_its_tables() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    app.with_kaiyun().get(SCORE).expect(200);
    let (target, _place) = app.stopped();
    let tables: i64 = diesel::select(sql::<BigInt>(
        "(SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat%')",
    ))
    .get_result(&mut connect(&target, Access::Read).unwrap())
    .unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn two_services_on_one_database_see_each_others_changes_at_once() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let (one, two) = (app.with_kaiyun(), app.another());
    let other = Client::new(two.base()).like(&one);
    let points = |client: &Client| line(&client.get(SCORE).expect(200).json(), "in_post_control")["points"].clone();
    one.put(SHEET, &json!({"staff": {"posts": 100, "in_post": 100}}))
        .expect(201);
    for above in 0..10 {
        let (writes, reads) = if above % 2 == 0 { (&one, &other) } else { (&other, &one) };
        writes
            .patch(SHEET, &json!({"staff": {"in_post": 100 + above}}))
            .expect(200);
        // 5 points less 0.5 for each percentage point above 100%.
        let expected = json!(rust_decimal::Decimal::new(50 - 5 * above, 1).normalize().to_string());
        assert_eq!((points(reads), points(writes)), (expected.clone(), expected));
        assert_eq!(reads.get(SCORE).etag(), writes.get(SCORE).etag());
    }

    let mut document = one.get("/api/v1/scoring-schemes/hunan-2019").expect(200).json()["document"].clone();
    let address = "/api/v1/scoring-schemes/own";
    let total = |client: &Client| client.get(&format!("{SCORE}?scheme=own")).expect(200).json()["scheme"].clone();
    one.put(address, &document).expect(201);
    assert_eq!(total(&other)["version"], 1);
    document["name"] = json!("第二版");
    one.put(address, &document).expect(200);
    assert_eq!(
        (&total(&other)["version"], &total(&other)["name"]),
        (&json!(2), &json!("第二版"))
    );
    one.delete(address).expect(204);
    other.get(&format!("{SCORE}?scheme=own")).problem(404, "not-found");
    document["name"] = json!("重新制定");
    other.put(address, &document).expect(201);
    assert_eq!(total(&one)["name"], "重新制定");

    // A token made through one service works on the other.
    let unit = app.unit(&["219001"]);
    Client::new(two.base()).like(&unit).get(SCORE).expect(200);

    // And of those who write through both, one wins.
    let tag = one.get(SHEET).expect(200).etag();
    let responses = at_once(12, |n| {
        let client = if n % 2 == 0 { &one } else { &other };
        client
            .with("If-Match", &tag)
            .put(SHEET, &json!({"staff": {"posts": n}}))
    });
    assert_eq!((count(&responses, 200), count(&responses, 412)), (1, 11));
}
