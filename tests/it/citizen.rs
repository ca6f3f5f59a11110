//! What any client of HTTP may count on, whatever the resource.

use serde_json::{Value, json};

use crate::access::{ask, delete_funds, found, operations};
use crate::both_engines;
use crate::support::client::{Client, Response};
use crate::support::{TestApp, file_ready};

const UNIT: &str = "/api/v1/units/219001";
const TOWN: &str = r#"{"name": "开云镇", "kind": "town"}"#;

/// Sends every operation of the document as the bureau, each in its turn, and shows each to `look` just after.
fn walk(app: &TestApp, look: impl Fn(&Client, &str, &str, &Response)) {
    let bureau = app.with_units(&[("219", None), ("300", None), ("219001", Some("219")), ("400", None)]);
    file_ready(&bureau, 2018);
    for (_, method, _, path, body) in operations() {
        if method == "DELETE" {
            delete_funds(&bureau);
            bureau.put(
                "/api/v1/special-funds/f1",
                &json!({"unit": "219001", "year": 2019, "name": "资金"}),
            );
        }
        let path = found(&bureau, path);
        let answer = ask(&bureau, method, &path, &body);
        look(&bureau, method, &path, &answer);
    }
}

fn is_empty(answer: &Response) -> bool {
    answer.body.is_empty() && answer.header("Content-Type").is_none()
}

both_engines! {
    fn whatever_is_read_is_read_again_only_when_it_changed_and_has_a_head(app) {
        let seen = std::cell::Cell::new(0);
        walk(app, |client, method, path, answer| {
            if method != "GET" {
                return;
            }
            assert_eq!(answer.status, 200, "{}: {}", answer.request(), answer.text());
            let tag = answer.etag();
            let known = client.with("If-None-Match", &format!("\"x\", {tag}")).get(path).expect(304);
            assert!(is_empty(&known) && known.header("ETag") == Some(&tag), "{path}");
            client.with("If-None-Match", "\"x\"").get(path).expect(200);
            let head = client.send("HEAD", path, None).expect(200);
            assert!(head.body.is_empty(), "{path}");
            for name in ["ETag", "Content-Type", "Content-Length", "Link", "Vary"] {
                assert_eq!(head.header(name), answer.header(name), "{name} of {path}");
            }
            client.with("If-None-Match", &tag).send("HEAD", path, None).expect(304);
            seen.set(seen.get() + 1);
        });
        assert!(seen.get() > 30);
    }

    fn whatever_is_read_can_be_read_in_part(app) {
        let seen = std::cell::Cell::new(0);
        walk(app, |client, method, path, answer| {
            if method != "GET" || answer.header("Content-Type") != Some("application/json") {
                return;
            }
            let whole = answer.json();
            let first = whole["items"].get(0).or(whole.get(0)).unwrap_or(&whole);
            // A list without items has none to name a field of.
            let Some(name) = first.as_object().unwrap().keys().find(|name| *name != "items") else {
                return;
            };
            let and = if path.contains('?') { '&' } else { '?' };
            if whole["items"].as_array().is_some_and(Vec::is_empty) {
                return;
            }
            let part = client.get(&format!("{path}{and}fields={name}")).expect(200).json();
            let part = part["items"].get(0).or(part.get(0)).unwrap_or(&part);
            assert_eq!(part, &json!({name: first[name]}), "{path}");
            seen.set(seen.get() + 1);
        });
        assert!(seen.get() > 30);
    }

    fn a_list_has_another_tag_once_an_item_changed(app) {
        let bureau = app.with_kaiyun();
        let tag = bureau.get("/api/v1/units").etag();
        assert!(tag.starts_with("W/\""), "it is over a page, not of a version: {tag}");
        let reader = bureau.with("If-None-Match", &tag);
        reader.get("/api/v1/units").expect(304);
        bureau.patch(UNIT, &json!({"name": "开云"})).expect(200);
        assert_ne!(reader.get("/api/v1/units").expect(200).etag(), tag);
    }

    fn who_prefers_it_gets_no_body_back_for_a_change(app) {
        let bureau = app.bureau();
        let terse = bureau.with("Prefer", "respond-async, Return=minimal; foo");
        let put = |client: &Client| client.send("PUT", UNIT, Some(TOWN.as_bytes()));
        let created = put(&terse).expect(201);
        assert_eq!((created.header("Location"), created.header("Preference-Applied")), (Some(UNIT), Some("return=minimal")));
        assert!(is_empty(&created));
        assert_eq!(created.etag(), bureau.get(UNIT).etag());
        let patched = terse.patch(UNIT, &json!({"name": "开云"})).expect(204);
        assert!(is_empty(&patched) && patched.header("Preference-Applied").is_some());
        assert_eq!((patched.etag(), bureau.get(UNIT).json()["name"].clone()), (bureau.get(UNIT).etag(), json!("开云")));
        // The first word counts, and what is not known is passed over (RFC 7240, 2).
        for other in ["return=representation", "return=representation, return=minimal", "return", "minimal", "return=most"] {
            let full = put(&bureau.with("Prefer", other)).expect(200);
            assert_eq!((full.json()["name"].clone(), full.header("Preference-Applied")), (json!("开云镇"), None), "{other}");
        }
        // Nothing is kept back where nothing could be read again: what fails, what only looks.
        assert_eq!(terse.put(UNIT, &json!({"name": "x"})).faults().len(), 1);
        let preview = json!({"scheme": "hunan-2019", "base_data": {}});
        assert!(terse.post("/api/v1/scores:preview", &preview).expect(200).json()["total"].is_null());
        terse.get(UNIT).expect(200).json();
    }

    fn a_secret_that_is_shown_once_is_shown_to_whoever_prefers_no_body_too(app) {
        let terse = app.bureau().with("Prefer", "return=minimal");
        let token = terse.post("/api/v1/tokens", &json!({"name": "某镇", "role": "auditor"})).expect(201).json();
        let webhook = terse.post("/api/v1/webhooks", &json!({"url": "https://oa.invalid/hook"})).expect(201).json();
        for (made, secret, again) in [
            (&token, "token", format!("/api/v1/tokens/{}/rotate", token["id"].as_str().unwrap())),
            (&webhook, "secret", format!("/api/v1/webhooks/{}/rotate-secret", webhook["id"].as_str().unwrap())),
        ] {
            let next = terse.send("POST", &again, None).expect(200).json();
            assert!(made[secret].is_string() && next[secret].is_string() && made[secret] != next[secret], "{next}");
        }
    }

    fn a_problem_is_told_in_the_language_that_is_asked_for(app) {
        let told = |language: &str| {
            let client = app.bureau().with("Accept-Language", language);
            let answer = client.put(UNIT, &json!({"name": "x", "kind": "town", "nmae": 1}));
            let spoken = answer.header("Content-Language").unwrap().to_owned();
            assert!(answer.headers("Vary").contains(&"accept-language"), "caches keep both apart");
            (spoken, answer.problem(422, "validation-failed"))
        };
        let (spoken, english) = told("");
        assert_eq!((spoken.as_str(), &english["title"]), ("en", &json!("The content is not acceptable")));
        let (spoken, chinese) = told("zh-CN,zh;q=0.9,en;q=0.8");
        assert_eq!((spoken.as_str(), &chinese["title"]), ("zh-CN", &json!("填报内容不符合要求")));
        // Neither language is lost, whichever comes first.
        let pairs = [(&english, &chinese), (&english["errors"][0], &chinese["errors"][0])];
        for (name, (en, zh)) in ["title", "detail", "hint"].iter().map(|name| (name, pairs[0])).chain([(&"detail", pairs[1])]) {
            let (in_english, in_chinese) = (&en[*name], &zh[*name]);
            assert!(in_english.is_string() && in_chinese.is_string(), "{name}");
            assert_eq!((&en[format!("{name}_zh")], &en[format!("{name}_en")]), (in_chinese, &Value::Null));
            assert_eq!((&zh[format!("{name}_zh")], &zh[format!("{name}_en")]), (in_chinese, in_english));
        }
        let unknown = app.anonymous().with("Accept-Language", "zh").get("/nope").problem(404, "unknown-route");
        assert_eq!(unknown["title"], "请求地址不存在");
    }

    fn the_whole_service_tells_what_it_takes(app) {
        for path in ["/docs/", "/docs", "/"] {
            let told = app.anonymous().send("OPTIONS", path, None);
            assert!(told.status == 204 && told.header("Allow") == Some("GET, HEAD, OPTIONS"), "{path}: {}", told.status);
        }
        let page = app.anonymous().send("HEAD", "/docs/", None).expect(200);
        app.anonymous().with("If-None-Match", &page.etag()).get("/docs/").expect(304);
        let told = app.anonymous().send_raw(b"OPTIONS *", &[], b"").expect(204);
        assert_eq!(told.header("Allow"), Some("GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS"));
        app.anonymous().send("OPTIONS", "/nope", None).problem(404, "unknown-route");
    }
}
