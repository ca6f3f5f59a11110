//! Answers given again while nothing has changed: the same as the first, and only to those who may have it.
//!
//! Each question is asked more than once; from the second time on, on SQLite, nobody looks it up (`the_database_is_not_asked_twice`).

use diesel::{RunQueryDsl, sql_query};
use jixiao::http::limits::Settings;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, Response};
use crate::support::{Engine, TestApp};

const UNIT: &str = "/api/v1/units/219001";
const SCORE: &str = "/api/v1/units/219001/evaluations/2019/score";

/// 219001 below 219, and 300, of which the first has filed a sheet for 2019.
fn with_a_sheet(app: &TestApp) -> Client {
    let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("300", None)]);
    bureau
        .put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"}))
        .expect(201);
    file(&bureau, 90);
    bureau
}

/// Files that so many are in post, on 100 posts.
fn file(bureau: &Client, in_post: u32) {
    let sheet = json!({"staff": {"posts": 100, "in_post": in_post}});
    let saved = bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &sheet);
    assert!([200, 201].contains(&saved.status), "{}", saved.text());
}

/// Renames 219001 past the service, which is told nothing of it.
fn rename(app: &TestApp) {
    let changed = sql_query("UPDATE units SET name = '改名' WHERE code = '219001'").execute(&mut app.connect());
    assert_eq!(changed, Ok(1));
}

fn codes(page: &Response) -> Vec<Value> {
    let page = page.json();
    let units = page["items"].as_array().unwrap();
    units.iter().map(|unit| unit["code"].clone()).collect()
}

both_engines! {
    fn what_was_answered_once_is_answered_in_the_same_way_again(app) {
        let bureau = with_a_sheet(app);
        for path in [UNIT, SCORE, "/api/v1/units?limit=2"] {
            let ask = |client: &Client| client.get(path).expect(200);
            let [first, again] = [(); 2].map(|()| ask(&bureau));
            assert_eq!(first.text(), again.text());
            for name in ["ETag", "Content-Type", "Vary", "Link", "Content-Length"] {
                assert_eq!(first.headers(name), again.headers(name), "{name} of {path}");
            }
            // Each is an answer of its own all the same.
            assert_ne!(first.header("X-Request-Id"), again.header("X-Request-Id"));
            let known = bureau.with("If-None-Match", &first.etag());
            assert_eq!(known.get(path).expect(304).text(), "");
            let other = bureau.with("If-None-Match", "\"another\"");
            assert_eq!(ask(&other).text(), first.text());
            let head = bureau.send("HEAD", path, None).expect(200);
            assert_eq!((head.etag(), head.text()), (first.etag(), String::new()));
        }
    }

    fn each_form_and_each_choice_of_fields_has_an_answer_of_its_own(app) {
        let bureau = with_a_sheet(app);
        for _ in 0..2 {
            let json = bureau.get(SCORE).expect(200);
            assert_eq!(json.header("Content-Type"), Some("application/json"));
            let text = bureau.with("Accept", "text/plain").get(SCORE).expect(200);
            assert_eq!(text.header("Content-Type"), Some("text/plain; charset=utf-8"));
            assert!(text.text().starts_with("单位219001（219001）2019年度"), "{}", text.text());
            assert_ne!(text.etag(), json.etag());
            bureau.with("Accept", "application/pdf").get(SCORE).problem(406, "not-acceptable");
            let some = bureau.get(&format!("{SCORE}?fields=unit,year")).expect(200);
            assert_eq!(some.json(), json!({"unit": "219001", "year": 2019}));
            let known = bureau.with("If-None-Match", &some.etag());
            known.get(&format!("{SCORE}?fields=unit,year")).expect(304);
            // The router decodes what stands in a path; such a one is not looked for among the kept.
            let coded = bureau.get("/api/v1/units/219001/evaluations/2019/%73core?fields=unit,year").expect(200);
            assert_eq!((coded.text(), coded.etag()), (some.text(), some.etag()));
            bureau.get(&format!("{SCORE}?fields=nothing")).problem(422, "unfit-parameter");
            bureau.get(&format!("{SCORE}?scheme=none")).problem(404, "not-found");
        }
    }

    fn several_accept_headers_are_not_taken_for_one_with_the_same_words(app) {
        let bureau = with_a_sheet(app);
        let form = |headers: &[&str]| {
            let answer = bureau.send_raw(format!("GET {SCORE}").as_bytes(), headers, b"").expect(200);
            answer.header("Content-Type").unwrap().to_owned()
        };
        for _ in 0..2 {
            // Neither is a media type, so none is asked for.
            assert_eq!(form(&["Accept: text/plain;", "Accept: q=0.5"]), "application/json");
            assert_eq!(form(&["Accept: text/plain; q=0.5"]), "text/plain; charset=utf-8");
        }
    }

    fn the_database_is_not_asked_twice_on_sqlite_until_something_changes_and_on_postgres_it_is(app) {
        let bureau = with_a_sheet(app);
        let above = app.unit(&["219"]);
        let ask = || {
            let whole = [UNIT, SCORE, "/api/v1/units"].map(|path| bureau.get(path).expect(200).text());
            let own = above.get("/api/v1/units").expect(200).text();
            let head = bureau.send("HEAD", UNIT, None).expect(200).etag();
            (whole, own, head)
        };
        let before = ask();
        rename(app);
        let after = ask();
        match app.engine() {
            Engine::Sqlite => assert_eq!(after, before),
            Engine::Postgres => {
                assert!(after.0.iter().all(|text| text.contains("改名")), "{after:?}");
                assert!(after.1.contains("改名"), "{after:?}");
            }
        }
        bureau.put("/api/v1/units/400", &json!({"name": "县供销社", "kind": "department"})).expect(201);
        let changed = ask();
        assert!(changed.0.iter().all(|text| text.contains("改名")), "{changed:?}");
        assert!(changed.1.contains("改名") && !changed.1.contains("县供销社"), "{changed:?}");
    }

    fn a_token_that_was_taken_back_gets_no_kept_answer(app) {
        let bureau = with_a_sheet(app);
        let input = json!({"name": "审计", "role": "auditor"});
        let made = bureau.post("/api/v1/tokens", &input).expect(201).json();
        let auditor = app.client(made["token"].as_str().unwrap());
        for _ in 0..2 {
            auditor.get(SCORE).expect(200);
        }
        bureau.delete(&format!("/api/v1/tokens/{}", made["id"].as_str().unwrap())).expect(204);
        bureau.get(SCORE).expect(200);
        for _ in 0..2 {
            auditor.get(SCORE).problem(401, "unauthorized");
        }
    }

    fn who_may_not_have_an_answer_does_not_get_the_one_that_another_got(app) {
        let bureau = with_a_sheet(app);
        let (above, beside) = (app.unit(&["219"]), app.unit(&["300"]));
        let input = json!({"name": "限定", "role": "bureau", "scopes": ["import"]});
        let made = bureau.post("/api/v1/tokens", &input).expect(201).json();
        let importer = app.client(made["token"].as_str().unwrap());
        for _ in 0..2 {
            for path in [UNIT, SCORE] {
                bureau.get(path).expect(200);
                assert_eq!(above.get(path).expect(200).text(), bureau.get(path).text());
                beside.get(path).problem(403, "forbidden");
                importer.get(path).problem(403, "forbidden");
                app.anonymous().get(path).problem(401, "unauthorized");
                app.client("jx_none_none").get(path).problem(401, "unauthorized");
            }
            // One address, of which each gets the list of its own.
            for (who, expected) in [
                (&bureau, vec!["219", "219001", "300"]), (&above, vec!["219", "219001"]), (&beside, vec!["300"]), (&bureau, vec!["219", "219001", "300"]),
            ] {
                assert_eq!(codes(&who.get("/api/v1/units").expect(200)), expected);
            }
            importer.get("/api/v1/units").problem(403, "forbidden");
            app.anonymous().get("/api/v1/units").problem(401, "unauthorized");
        }
    }

    fn whatever_changes_is_in_the_next_answer(app) {
        let bureau = with_a_sheet(app);
        let ask = || [UNIT, SCORE, "/api/v1/units"].map(|path| bureau.get(path).expect(200).text());
        let ratio = |score: &str| {
            let score: Value = serde_json::from_str(score).unwrap();
            let lines = score["lines"].as_array().unwrap();
            lines.iter().find(|line| line["code"] == "in_post_control").unwrap()["ratio"]["percent"].clone()
        };
        let [_, before, _] = ask();
        assert_eq!(ask()[1], before);
        // 90 in post on 100 posts, then 95.
        assert_eq!(ratio(&before), "90");
        file(&bureau, 95);
        assert_eq!(ratio(&ask()[1]), "95");
        bureau.patch(UNIT, &json!({"name": "衡山县开云镇人民政府"})).expect(200);
        for text in ask() {
            assert!(text.contains("衡山县开云镇人民政府"), "{text}");
        }
        // 219001 comes below 300: who reached it reaches it no more, and the other way round.
        let (above, beside) = (app.unit(&["219"]), app.unit(&["300"]));
        above.get(SCORE).expect(200);
        beside.get(SCORE).expect(403);
        bureau.patch(UNIT, &json!({"parent": "300"})).expect(200);
        above.get(SCORE).expect(403);
        beside.get(SCORE).expect(200);
        bureau.put("/api/v1/units/400", &json!({"name": "县供销社", "kind": "department"})).expect(201);
        for _ in 0..2 {
            assert_eq!(codes(&bureau.get("/api/v1/units").expect(200)), ["219", "219001", "300", "400"]);
            bureau.get("/api/v1/units/400").expect(200);
        }
        bureau.delete("/api/v1/units/400").expect(204);
        for _ in 0..2 {
            assert_eq!(codes(&bureau.get("/api/v1/units").expect(200)), ["219", "219001", "300"]);
            bureau.get("/api/v1/units/400").problem(404, "not-found");
        }
    }
}

#[test]
fn an_answer_that_is_given_again_counts_once_against_the_quota() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        // One request counts for 15 s, longer than this test takes.
        let Some(app) = TestApp::start_with(engine, |config| {
            config.limits = Settings {
                per_token: 4,
                ..Settings::default()
            };
        }) else {
            continue;
        };
        app.with_units(&[("219", None), ("219001", Some("219")), ("300", None)]);
        let (auditor, unit) = (app.auditor(), app.unit(&["300"]));
        let left = |answer: Response| {
            answer
                .header("RateLimit")
                .unwrap()
                .split(';')
                .nth(1)
                .unwrap()
                .to_owned()
        };
        for (n, path) in [(3, "/api/v1/units"), (2, "/api/v1/units"), (1, UNIT)] {
            assert_eq!(left(auditor.get(path).expect(200)), format!("r={n}"));
        }
        // The list that another got is not this one's: it is looked up, and counted once like the rest.
        for n in [3, 2] {
            assert_eq!(left(unit.get("/api/v1/units").expect(200)), format!("r={n}"));
        }
        assert_eq!(left(unit.get(UNIT).expect(403)), "r=1");
        // What is used up is used up for a kept answer too.
        assert_eq!(left(auditor.get(UNIT).expect(200)), "r=0");
        auditor.get(UNIT).problem(429, "rate-limited");
    }
}
