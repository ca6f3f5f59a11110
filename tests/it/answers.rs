//! Answers given again while nothing has changed: the same as the first, and only to those who may have it.
//!
//! Each question is asked more than once; from the second time on, on SQLite, nobody looks it up.

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
    bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &sheet);
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
            assert_eq!(bureau.send("HEAD", path, None).expect(200).etag(), first.etag());
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
            bureau.get(&format!("{SCORE}?fields=nothing")).problem(422, "unfit-parameter");
            bureau.get(&format!("{SCORE}?scheme=none")).problem(404, "not-found");
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
        let Some(app) = TestApp::start_with(engine, |config| {
            config.limits = Settings {
                per_token: 8,
                ..Settings::default()
            };
        }) else {
            continue;
        };
        let bureau = with_a_sheet(&app);
        let (auditor, unit) = (app.auditor(), app.unit(&["300"]));
        let left = |answer: &Response| {
            answer
                .header("RateLimit")
                .unwrap()
                .split(';')
                .nth(1)
                .unwrap()
                .to_owned()
        };
        // The list that another got is not this one's: it is looked up, and counted once like the rest.
        for (n, path) in [(7, "/api/v1/units"), (6, "/api/v1/units"), (5, UNIT), (4, UNIT)] {
            assert_eq!(left(&auditor.get(path).expect(200)), format!("r={n}"));
        }
        for n in [7, 6] {
            assert_eq!(left(&unit.get("/api/v1/units").expect(200)), format!("r={n}"));
            assert_eq!(auditor.get("/api/v1/units").expect(200).status, 200);
        }
        assert_eq!(left(&unit.get(UNIT).expect(403)), "r=5");
        // What is used up is used up for a kept answer too.
        for _ in 0..2 {
            auditor.get(UNIT).expect(200);
        }
        auditor.get(UNIT).problem(429, "rate-limited");
        drop(bureau);
    }
}
