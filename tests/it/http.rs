//! What holds at every address: how requests are read, how faults are told, and what the service says of itself.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jixiao::http::kinds::CATALOGUE;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, Response, faults};

const UNIT: &str = "/api/v1/units/219001";
const UNITS: &str = "/api/v1/units";
const PREVIEW: &str = "/api/v1/scores:preview";

/// A good unit.
const TOWN: &str = r#"{"name": "开云镇", "kind": "town"}"#;

fn put(client: &Client, body: impl AsRef<[u8]>) -> Response {
    client.send("PUT", UNIT, Some(body.as_ref()))
}

fn post(client: &Client, body: &str) -> Response {
    client.send("POST", PREVIEW, Some(body.as_bytes()))
}

/// A scheme with one indicator of this rule.
fn ruled_by(rule: &Value) -> Value {
    json!({"name": "试行", "total": "10", "sections": [{"code": "all", "name": "全部", "weight": "10",
        "indicators": [{"code": "a", "name": "甲", "weight": "10", "rule": rule}]}]})
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Every address of the document, with its path parameters filled in, its path as it stands there, and its methods.
fn addresses(document: &Value) -> Vec<(String, String, BTreeSet<String>)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .map(|(path, methods)| {
            let asked = path
                .replace("{code}", "219001")
                .replace("{year}", "2019")
                .replace("{id}", "own")
                .replace("{slug}", "forbidden");
            let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
            (asked, path.clone(), methods.collect())
        })
        .collect()
}

both_engines! {
    fn an_unknown_address_is_a_problem(app) {
        for path in ["/nope", "/api/v1/units/219001/nope", "/api/v1//units", "/api/v1/units/", "/api/v2/units", "/%00", "/%FF"] {
            app.anonymous().get(path).problem(404, "unknown-route");
        }
        app.anonymous().send("POST", "/nope", Some(b"{")).problem(404, "unknown-route");
    }

    fn another_method_is_a_problem_that_names_those_there_are(app) {
        let document = app.anonymous().get("/openapi.json").json();
        let all = ["GET", "PUT", "PATCH", "POST", "DELETE", "TRACE", "BREW"];
        for (path, _, methods) in addresses(&document) {
            let mut expected = methods.clone();
            expected.insert("OPTIONS".to_owned());
            if methods.contains("GET") {
                expected.insert("HEAD".to_owned());
            }
            for method in all.iter().filter(|method| !methods.contains(**method)) {
                let answer = app.anonymous().send(method, &path, None);
                let allowed: BTreeSet<_> = answer.header("Allow").unwrap_or_default().split(", ").map(str::to_owned).collect();
                assert_eq!(allowed, expected, "{method} {path}");
                answer.problem(405, "method-not-allowed");
            }
            let told = app.anonymous().send("OPTIONS", &path, None).expect(204);
            let allowed: BTreeSet<_> = told.header("Allow").unwrap().split(", ").map(str::to_owned).collect();
            assert_eq!(allowed, expected, "OPTIONS {path}");
            let patched = methods.contains("PATCH").then_some("application/merge-patch+json, application/json");
            assert_eq!(told.header("Accept-Patch"), patched, "OPTIONS {path}");
        }
    }

    fn head_answers_as_get_does_without_the_body(app) {
        let bureau = app.with_kaiyun();
        for path in [UNIT, UNITS, "/health/live", "/openapi.json", "/api/v1/units/219001/evaluations/2019/score"] {
            let (get, head) = (bureau.get(path).expect(200), bureau.send("HEAD", path, None).expect(200));
            assert_eq!(head.body.len(), 0, "{path}");
            for name in ["Content-Type", "ETag", "Content-Length", "Vary"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            }
        }
        for path in ["/nope", "/api/v1/units/999"] {
            let head = bureau.send("HEAD", path, None).expect(404);
            assert_eq!((head.header("Content-Type"), head.body.len()), (Some("application/problem+json"), 0));
        }
    }

    fn a_body_must_say_that_it_is_json(app) {
        let bureau = app.bureau();
        for wrong in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "application/merge-patch+json", "application/jsonx"] {
            let problem = put(&bureau.with("Content-Type", wrong), TOWN).problem(415, "unsupported-media-type");
            assert!(problem["detail_zh"].as_str().unwrap().contains(wrong), "{problem}");
        }
        put(&bureau.with("Content-Type", ""), TOWN).problem(415, "unsupported-media-type");
        bureau.get(UNIT).problem(404, "not-found");
        put(&bureau.with("Content-Type", "Application/JSON; charset=UTF-8"), TOWN).expect(201);
    }

    fn malformed_json_is_told_by_line_and_column(app) {
        let bureau = app.bureau();
        for (body, place) in [
            (&b"{\"name\":\n \"x\",,}"[..], "Line 2, column 6"),
            (b"{\"name\": \"x\"", "Line 1, column 12"),
            (b"{'name': 1}", "Line 1, column 2"),
            (b"{} {}", "Line 1, column 4"),
            (b"{\"name\": NaN}", "Line 1, column 10"),
            (b"{\"name\": 01}", "Line 1, column 11"),
            (b"{\"name\": \"\xff\"}", "Line 1, column 11"),
            (b"{\"name\": \"\xbf\xaa\xd4\xc6\"}", "Line 1, column 11"), // 开云 in GBK
            (b"{\"name\": \"a\nb\"}", "Line 2, column 0"),
            (b"{\"name\": \"\\ud800\"}", "Line 1, column 17"),
        ] {
            let problem = put(&bureau, body).problem(400, "malformed-json");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with(place), "{}: {detail}", String::from_utf8_lossy(body));
            assert!(problem["detail_zh"].as_str().unwrap().contains("JSON语法有误"), "{problem}");
        }
        for body in ["", "\u{feff}"] {
            let problem = put(&bureau, body).problem(400, "malformed-json");
            assert!(!problem["detail"].as_str().unwrap().is_empty());
        }
        bureau.get(UNIT).problem(404, "not-found");
    }

    fn a_byte_order_mark_does_no_harm(app) {
        let bureau = app.bureau();
        put(&bureau, format!("\u{feff}{TOWN}")).expect(201);
        let patched = bureau.send("PATCH", UNIT, Some("\u{feff}{\"kind\": \"other\"}".as_bytes())).expect(200);
        assert_eq!(patched.json()["kind"], "other");
    }

    fn an_unknown_field_is_answered_with_the_name_that_was_meant(app) {
        let problem = put(&app.bureau(), r#"{"nmae": "x", "name": "y", "kind": "town", "zzz": 1}"#).problem(422, "validation-failed");
        let details: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["detail_zh"].as_str().unwrap()).collect();
        assert_eq!(details, ["没有“nmae”这一项，是否为“name”？", "没有“zzz”这一项。"]);
    }

    // The harness allows 256 KiB.
    fn a_body_above_the_limit_is_refused_in_every_disguise(app) {
        let bureau = app.bureau();
        let padded = |bytes: usize| format!("{}{TOWN}", " ".repeat(bytes - TOWN.len()));
        put(&bureau, padded(256 * 1024 + 1)).problem(413, "body-too-large");
        let bomb = gzip(padded(10 << 20).as_bytes());
        assert!(bomb.len() < 256 * 1024, "it is small on the wire: {}", bomb.len());
        put(&bureau.with("Content-Encoding", "gzip"), bomb).problem(413, "body-too-large");
        // A length that is only said.
        let said = bureau.send_raw(format!("PUT {UNIT}").as_bytes(), &["Content-Type: application/json", "Content-Length: 99999999999"], b"{");
        said.problem(413, "body-too-large");
        bureau.get(UNIT).problem(404, "not-found");
        put(&bureau, padded(256 * 1024)).expect(201);
    }

    fn a_document_does_not_grow_above_the_limit_by_patches_either(app) {
        let bureau = app.with_kaiyun();
        let reasons = "/api/v1/units/219001/evaluations/2019/reasons";
        bureau.put(reasons, &json!({"findings": {"incomplete": "资料待补"}})).expect(201);
        // 40 reasons of 4,000 bytes: two such patches are above 256 KiB, one is not.
        let some = |name: &str| {
            let reasons = (0..40).map(|n| (format!("incomplete:{name}{n}"), json!("x".repeat(4000))));
            json!({"findings": reasons.collect::<serde_json::Map<_, _>>()})
        };
        let filed = bureau.patch(reasons, &some("a")).expect(200);
        bureau.patch(reasons, &some("b")).problem(413, "body-too-large");
        assert_eq!(bureau.get(reasons).etag(), filed.etag());
    }

    fn a_body_that_breaks_off_is_a_problem_and_changes_nothing(app) {
        let bureau = app.bureau();
        let line = format!("PUT {UNIT}");
        let length = format!("Content-Length: {}", TOWN.len() + 1);
        bureau.send_raw(line.as_bytes(), &["Content-Type: application/json", &length], TOWN.as_bytes()).problem(400, "unreadable-body");
        let chunk = format!("{:x}\r\n{TOWN}\r\n", TOWN.len());
        bureau.send_raw(line.as_bytes(), &["Content-Type: application/json", "Transfer-Encoding: chunked"], chunk.as_bytes())
            .problem(400, "unreadable-body");
        bureau.get(UNIT).problem(404, "not-found");
        let whole = format!("{chunk}0\r\n\r\n");
        bureau.send_raw(line.as_bytes(), &["Content-Type: application/json", "Transfer-Encoding: chunked"], whole.as_bytes()).expect(201);
    }

    fn an_answer_is_compressed_for_those_who_ask(app) {
        let bureau = app.with_kaiyun();
        let score = "/api/v1/units/219001/evaluations/2019/score";
        let plain = bureau.get(score).expect(200);
        assert_eq!(plain.header("Content-Encoding"), None);
        let packed = bureau.with("Accept-Encoding", "gzip, br").get(score).expect(200);
        assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
        let mut text = Vec::new();
        GzDecoder::new(packed.body.as_slice()).read_to_end(&mut text).unwrap();
        assert_eq!(text, plain.body);
        // Caches keep both forms apart.
        for word in ["accept", "accept-encoding"] {
            let vary = packed.headers("Vary");
            assert!(vary.iter().flat_map(|value| value.split(", ")).any(|value| value == word), "{word}: {vary:?}");
        }
        bureau.with("Accept-Encoding", "br, identity;q=0").get(UNITS).problem(406, "not-acceptable");
    }

    fn a_compressed_body_is_read_and_an_unknown_encoding_refused(app) {
        let bureau = app.bureau();
        put(&bureau.with("Content-Encoding", "gzip"), gzip(TOWN.as_bytes())).expect(201);
        assert_eq!(bureau.get(UNIT).json()["name"], "开云镇");
        put(&bureau.with("Content-Encoding", "identity"), TOWN).expect(200);
        put(&bureau.with("Content-Encoding", "gzip"), TOWN).problem(400, "unreadable-body");
        let cut = gzip(TOWN.as_bytes());
        put(&bureau.with("Content-Encoding", "gzip"), &cut[..cut.len() / 2]).problem(400, "unreadable-body");
        for encoding in ["br", "zstd", "compress", "gzip, gzip", "x"] {
            let answer = put(&bureau.with("Content-Encoding", encoding), TOWN);
            assert_eq!(answer.header("Accept-Encoding"), Some("gzip"), "{encoding}");
            answer.problem(415, "unsupported-media-type");
        }
    }

    fn every_parameter_at_fault_is_named_at_once(app) {
        let bureau = app.bureau();
        let query = "limit=0&foo=1&kind=village&q=&kind=town&order=&cursor=x&parent=1&under=%E5%BC%80";
        assert_eq!(bureau.get(&format!("{UNITS}?{query}")).parameters(), faults(&[
            ("limit", "invalid_value"), ("foo", "unknown_parameter"), ("kind", "invalid_value"), ("q", "invalid_value"),
            ("kind", "duplicate"), ("order", "invalid_value"), ("cursor", "invalid_value"), ("parent", "invalid_value"),
            ("under", "invalid_value"),
        ]));
    }

    fn a_parameter_is_given_once_and_in_full(app) {
        let bureau = app.bureau();
        for (query, fault) in [
            ("limit=1&limit=1", ("limit", "duplicate")), ("limit", ("limit", "invalid_value")), ("limit=", ("limit", "invalid_value")),
            ("limit=201", ("limit", "invalid_value")), ("limit=-1", ("limit", "invalid_value")), ("limit=%2B1", ("limit", "invalid_value")),
            ("limit=1.0", ("limit", "invalid_value")), ("limit=99999999999999999999", ("limit", "invalid_value")),
            ("LIMIT=1", ("LIMIT", "unknown_parameter")), ("order=up", ("order", "invalid_value")), ("=1", ("", "unknown_parameter")),
            ("q=%00", ("q", "invalid_value")), ("q=%0A", ("q", "invalid_value")),
            // 开 in GBK, half a character, and a name that is no text.
            ("q=%BF%AA", ("q", "not_utf8")), ("q=%E5%BC", ("q", "not_utf8")), ("%FF=1", ("\u{fffd}", "not_utf8")),
        ] {
            assert_eq!(bureau.get(&format!("{UNITS}?{query}")).parameters(), faults(&[fault]), "{query}");
        }
        let long = format!("{UNITS}?q={}", "x".repeat(101));
        assert_eq!(bureau.get(&long).parameters(), faults(&[("q", "invalid_value")]));
        for good in ["", "&&", "q=%E5%BC%80", "q=100%25", "q=%ZZ", "limit=200&order=asc"] {
            bureau.get(&format!("{UNITS}?{good}")).expect(200);
        }
    }

    fn every_path_parameter_at_fault_is_named_at_once(app) {
        let bureau = app.bureau();
        for (path, expected) in [
            ("/api/v1/units/ab/evaluations/19/score", &[("code", "invalid_value"), ("year", "invalid_value")][..]),
            ("/api/v1/units/12", &[("code", "invalid_value")]),
            ("/api/v1/units/%FF", &[("code", "invalid_value")]),
            ("/api/v1/units/%00", &[("code", "invalid_value")]),
            ("/api/v1/units/219%2F001", &[("code", "invalid_value")]),
            ("/api/v1/units/219001%20", &[("code", "invalid_value")]),
            ("/api/v1/units/%EF%BC%92%EF%BC%91%EF%BC%99", &[("code", "invalid_value")]), // ２１９
            ("/api/v1/units/123456789012345678901", &[("code", "invalid_value")]),
            ("/api/v1/special-funds/a%20b", &[("id", "invalid_value")]),
            ("/api/v1/scoring-schemes/Hunan", &[("id", "invalid_value")]),
        ] {
            assert_eq!(bureau.get(path).parameters(), faults(expected), "{path}");
        }
        bureau.get("/api/v1/units/%32%31%39").problem(404, "not-found");
    }

    fn bytes_that_no_address_may_have_do_not_stop_the_service(app) {
        let bureau = app.bureau();
        for line in [&b"GET /api/v1/units?q=\xff"[..], b"GET /api/v1/units/\xff", "GET /api/v1/units?q=开".as_bytes()] {
            bureau.send_raw(line, &[], b"").expect(400);
        }
        bureau.get(UNITS).expect(200);
    }

    fn the_client_chooses_between_json_and_text(app) {
        let bureau = app.with_kaiyun();
        let score = "/api/v1/units/219001/evaluations/2019/score";
        let (json, text) = ("application/json", "text/plain; charset=utf-8");
        for (accept, expected) in [
            ("", Some(json)), ("*/*", Some(json)), ("application/*", Some(json)), ("application/json", Some(json)),
            ("text/plain", Some(text)), ("text/*", Some(text)), ("text/plain;q=0.5, application/json;q=0.4", Some(text)),
            ("text/plain;q=0.5, application/json", Some(json)), ("text/html, */*;q=0.1", Some(json)), ("text/plain, */*", Some(text)),
            // What has q=0 is ruled out (RFC 9110, 12.4.2).
            ("application/json;q=0, */*", Some(text)), ("application/json, */*;q=0", Some(json)), ("application/json;q=0, text/plain", Some(text)),
            ("application/json;q=0", None), ("text/html, */*;q=0", None), ("text/html", None), ("image/png, text/csv", None),
        ] {
            let answer = bureau.with("Accept", accept).get(score);
            match expected {
                Some(form) => assert_eq!(answer.expect(200).header("Content-Type"), Some(form), "{accept}"),
                None => drop(answer.problem(406, "not-acceptable")),
            }
        }
    }

    fn a_requests_id_is_taken_over_or_made(app) {
        let id = |sent: &str| app.anonymous().with("X-Request-Id", sent).get("/health/live").header("X-Request-Id").unwrap().to_owned();
        for good in ["abc-1._Z", &"x".repeat(64), "0"] {
            assert_eq!(id(good), good);
        }
        for odd in ["", "a b", &"x".repeat(65), "<script>", "a\"b", "a,b"] {
            let made = id(odd);
            assert!(made.len() == 36 && made.matches('-').count() == 4, "{odd}: {made}");
        }
        assert_ne!(id(""), id(""));
        let problem = app.anonymous().with("X-Request-Id", "mine").get("/nope").problem(404, "unknown-route");
        assert_eq!(problem["request_id"], "mine");
    }

    fn nul_is_refused_where_it_is_and_stored_nowhere(app) {
        let bureau = app.bureau();
        assert_eq!(put(&bureau, r#"{"name": "a\u0000b", "kind": "town"}"#).faults(), faults(&[("/name", "pattern")]));
        assert_eq!(put(&bureau, r#"{"name": "a", "kind": "town", "a\u0000": 1}"#).faults(), faults(&[("/a\u{0}", "unknown_field")]));
        let scheme = r#"{"scheme": "hunan-2019", "base_data": {}, "assessments": {"indicators": {"a": {"reason": "\u0000"}}}}"#;
        assert_eq!(post(&bureau, scheme).faults(), faults(&[("/assessments/indicators/a/reason", "pattern")]));
        bureau.get(UNIT).problem(404, "not-found");
    }

    fn numbers_that_no_form_holds_are_refused_each_at_its_place(app) {
        let bureau = app.bureau();
        let sheet = |initial: &str, posts: &str| {
            format!(r#"{{"scheme": "hunan-2019", "base_data": {{"budget": {{"initial": {initial}}}, "staff": {{"posts": {posts}}}}}}}"#)
        };
        let (nines, decimals) = ("9".repeat(5000), format!("0.{}", "1".repeat(5000)));
        for (number, initial, posts) in [
            ("1e400", "out_of_range", "out_of_range"), ("1e999999999999999999999", "out_of_range", "out_of_range"),
            (nines.as_str(), "out_of_range", "out_of_range"), ("-1", "out_of_range", "out_of_range"), ("10000000000", "out_of_range", "out_of_range"),
            ("0.1e-30", "invalid_value", "wrong_type"), ("1e-400", "invalid_value", "wrong_type"), (decimals.as_str(), "invalid_value", "wrong_type"),
            ("\"1e5\"", "pattern", "wrong_type"), ("\"１\"", "pattern", "wrong_type"), ("\"\"", "pattern", "wrong_type"), ("\" 1\"", "pattern", "wrong_type"),
            ("true", "wrong_type", "wrong_type"), ("[]", "wrong_type", "wrong_type"), ("{}", "wrong_type", "wrong_type"),
        ] {
            let shown: String = number.chars().take(30).collect();
            let found = post(&bureau, &sheet(number, number)).faults();
            assert_eq!(found, faults(&[("/base_data/budget/initial", initial), ("/base_data/staff/posts", posts)]), "{shown}");
        }
        for number in ["1E2", "100", "1.0e2", "100.0", "-0", "0", "null"] {
            post(&bureau, &sheet(number, number)).expect(200);
        }
    }

    fn deep_nesting_is_refused_and_the_service_lives_on(app) {
        let bureau = app.bureau();
        put(&bureau, TOWN).expect(201);
        for depth in [128, 1000, 40_000] {
            let (lists, objects) = ("[".repeat(depth), "{\"a\":".repeat(depth));
            for body in [lists.clone(), objects.clone(), format!("{lists}{}", "]".repeat(depth)), format!("{objects}1{}", "}".repeat(depth))] {
                put(&bureau, &body).problem(400, "malformed-json");
                bureau.send("PATCH", UNIT, Some(body.as_bytes())).problem(400, "malformed-json");
            }
        }
        let shallow = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert!(put(&bureau, &shallow).faults().contains(&("/a".to_owned(), "unknown_field".to_owned())));
        bureau.get(UNIT).expect(200);
    }

    fn of_a_body_that_is_wrong_everywhere_only_so_much_is_told_as_anybody_reads(app) {
        let bureau = app.bureau();
        let unknown = |count: usize| {
            let fields: Vec<_> = (0..count).map(|n| format!("\"f{n}\": 0")).collect();
            put(&bureau, format!(r#"{{"name": "甲", "kind": "town", {}}}"#, fields.join(","))).faults()
        };
        assert!(unknown(1000).iter().all(|(_, code)| code == "unknown_field"));
        assert_eq!(unknown(1000).len(), 1000);
        let (rest, told) = { let mut told = unknown(1001); (told.pop().unwrap(), told) };
        assert_eq!((told.len(), rest), (1000, (String::new(), "more_faults".to_owned())));
        let name = |length: usize| put(&bureau, format!(r#"{{"name": "甲", "kind": "town", "{}": {{}}}}"#, "n".repeat(length))).faults();
        assert_eq!(name(2000)[0].1, "unknown_field");
        assert_eq!(name(2001), faults(&[("", "name_too_long")]));
        bureau.get(UNIT).problem(404, "not-found");
        let reasons = |count: usize| {
            let findings: serde_json::Map<_, _> = (0..count).map(|n| (format!("x{n}"), json!("理"))).collect();
            app.with_kaiyun().put("/api/v1/units/219001/evaluations/2019/reasons", &json!({"findings": findings}))
        };
        assert_eq!(reasons(10_001).faults(), faults(&[("/findings", "too_many")]));
    }

    fn a_name_given_twice_is_refused_at_the_top_and_below(app) {
        let bureau = app.bureau();
        assert_eq!(put(&bureau, r#"{"name": "甲", "name": "乙", "kind": "town"}"#).faults(), faults(&[("/name", "duplicate_field")]));
        bureau.get(UNIT).problem(404, "not-found");
        put(&bureau, TOWN).expect(201);
        let patched = bureau.send("PATCH", UNIT, Some(r#"{"name": "甲", "name": "乙"}"#.as_bytes()));
        assert_eq!(patched.faults(), faults(&[("/name", "duplicate_field")]));
        assert_eq!(bureau.get(UNIT).json()["name"], "开云镇");
        for (inside, pointer) in [
            (r#""base_data": {"staff": {"posts": 1, "posts": 1}}"#, "/base_data/staff/posts"),
            (r#""base_data": {"staff": {}, "staff": {}}"#, "/base_data/staff"),
            (r#""base_data": {}, "assessments": {"indicators": {"fund_compliance": {}, "fund_compliance": {"incidents": 0}}}"#, "/assessments/indicators/fund_compliance"),
            (r#""base_data": {}, "assessments": {"indicators": {"a": {"checks": {"x": true, "x": false}}}}"#, "/assessments/indicators/a/checks/x"),
            // The same name, once written otherwise.
            (r#""base_data": {"staff": {"posts": 1, "\u0070osts": 1}}"#, "/base_data/staff/posts"),
        ] {
            assert_eq!(post(&bureau, &format!(r#"{{"scheme": "hunan-2019", {inside}}}"#)).faults(), faults(&[(pointer, "duplicate_field")]), "{inside}");
        }
    }

    fn a_name_given_twice_in_a_rule_is_refused(app) {
        let rule = r#"{"kind": "assessed", "kind": "assessed"}"#;
        let body = ruled_by(&json!("RULE")).to_string().replace("\"RULE\"", rule);
        let answer = app.bureau().send("PUT", "/api/v1/scoring-schemes/own", Some(body.as_bytes()));
        assert_eq!(answer.faults(), faults(&[("/sections/0/indicators/0/rule/kind", "duplicate_field")]));
    }

    fn a_body_is_an_object_and_nothing_else(app) {
        let bureau = app.with_kaiyun();
        let sheet = "/api/v1/units/219001/evaluations/2019/base-data";
        for body in ["null", "[]", "[{}]", "\"x\"", "1", "true"] {
            for (method, path) in [("PUT", UNIT), ("PATCH", UNIT), ("POST", PREVIEW), ("PUT", sheet), ("POST", "/api/v1/special-funds"), ("PUT", "/api/v1/scoring-schemes/own")] {
                assert_eq!(bureau.send(method, path, Some(body.as_bytes())).faults(), faults(&[("", "wrong_type")]), "{method} {path} {body}");
            }
        }
        bureau.get(sheet).problem(404, "not-found");
    }

    fn a_list_is_not_taken_for_an_object_inside_either(app) {
        let bureau = app.bureau();
        for (body, pointer) in [
            (r#"{"scheme": "hunan-2019", "base_data": {"staff": [171, 104]}}"#, "/base_data/staff"),
            (r#"{"scheme": "hunan-2019", "base_data": []}"#, "/base_data"),
            (r#"{"scheme": "project-2020", "special_fund": {"funding": [[1, 2, 3]]}}"#, "/special_fund/funding"),
            (r#"{"scheme": "project-2020", "special_fund": {"funding": {"total": ["1", "2", "3"]}}}"#, "/special_fund/funding/total"),
        ] {
            assert_eq!(post(&bureau, body).faults(), faults(&[(pointer, "wrong_type")]), "{body}");
        }
    }

    fn faults_inside_a_rule_are_named_by_its_kind(app) {
        let bureau = app.bureau();
        for (rule, expected) in [
            (json!({}), &[("/kind", "missing_field")][..]),
            (json!({"target": "95"}), &[("/kind", "missing_field")]),
            (json!({"kind": "dedukt"}), &[("/kind", "not_one_of")]),
            (json!({"kind": 5}), &[("/kind", "not_one_of")]),
            (json!({"kind": null}), &[("/kind", "not_one_of")]),
            (json!("assessed"), &[("", "wrong_type")]),
            (json!(["assessed"]), &[("", "wrong_type")]),
            (json!({"kind": "deduct"}), &[("/off", "missing_field"), ("/points_per_step", "missing_field"), ("/step", "missing_field"), ("/target", "missing_field")]),
            // A field of another kind.
            (json!({"kind": "assessed", "bands": []}), &[("/bands", "unknown_field")]),
            (json!({"kind": "deduct", "target": "x", "off": "sideways", "step": 0.12345678, "points_per_step": true}),
                &[("/off", "not_one_of"), ("/points_per_step", "wrong_type"), ("/step", "invalid_value"), ("/target", "pattern")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(place, code)| (format!("/sections/0/indicators/0/rule{place}"), (*code).to_owned())).collect();
            assert_eq!(bureau.put("/api/v1/scoring-schemes/own", &ruled_by(&rule)).faults(), expected, "{rule}");
        }
        let wrong = bureau.put("/api/v1/scoring-schemes/own", &ruled_by(&json!({"kind": "dedukt"}))).json();
        let detail = wrong["errors"][0]["detail_zh"].as_str().unwrap();
        for kind in ["deduct", "bands", "checklist", "incidents", "proportion", "rating", "assessed"] {
            assert!(detail.contains(&format!("\"{kind}\"")), "{detail}");
        }
        bureau.put("/api/v1/scoring-schemes/own", &ruled_by(&json!({"kind": "assessed"}))).expect(201);
    }

    fn faults_inside_a_measure_are_named_by_its_kind(app) {
        let bureau = app.with_kaiyun();
        for (measure, expected) in [
            (json!({}), &[("/kind", "missing_field")][..]),
            (json!({"kind": "qty"}), &[("/kind", "not_one_of")]),
            (json!(7), &[("", "wrong_type")]),
            (json!({"kind": "quantity"}), &[("/comparison", "missing_field"), ("/target", "missing_field")]),
            (json!({"kind": "quantity", "comparison": "at_least", "target": "1", "expected": "好"}), &[("/expected", "unknown_field")]),
            (json!({"kind": "quality", "target": "1"}), &[("/target", "unknown_field")]),
            (json!({"kind": "quantity", "comparison": "atleast", "target": 1.12345678, "actual": "x"}),
                &[("/actual", "pattern"), ("/comparison", "not_one_of"), ("/target", "invalid_value")]),
        ] {
            let fund = json!({"unit": "219001", "year": 2019, "name": "资金",
                "targets": [{"section": "output", "name": "户数", "weight": "50", "measure": measure}]});
            let expected: Vec<_> = expected.iter().map(|(place, code)| (format!("/targets/0/measure{place}"), (*code).to_owned())).collect();
            assert_eq!(bureau.post("/api/v1/special-funds", &fund).faults(), expected, "{measure}");
        }
        assert_eq!(bureau.get("/api/v1/special-funds").each("id"), [""; 0]);
    }

    fn every_kind_of_problem_is_explained_at_its_address(app) {
        let listed = app.anonymous().get("/problems").expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), CATALOGUE.len());
        for kind in CATALOGUE {
            let explained = app.anonymous().get(&format!("/problems/{}", kind.slug)).expect(200).json();
            assert_eq!((&explained["slug"], &explained["status"]), (&json!(kind.slug), &json!(kind.status.as_u16())));
            assert!(listed.as_array().unwrap().contains(&explained), "{}", kind.slug);
        }
        let problem = app.anonymous().get("/api/v1/units").problem(401, "unauthorized");
        app.anonymous().get(problem["type"].as_str().unwrap()).expect(200);
        app.anonymous().get("/problems/nope").problem(404, "not-found");
    }

    fn the_document_is_the_one_that_the_program_makes_of_itself(app) {
        let answer = app.anonymous().get("/openapi.json").expect(200);
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert!(answer.text() == jixiao::app::openapi_json().unwrap(), "openapi/jixiao.json is out of date: cargo run -- openapi > openapi/jixiao.json");
    }

    fn every_operation_is_described_with_answers_and_an_example(app) {
        let document = app.anonymous().get("/openapi.json").json();
        let mut operation_ids = BTreeSet::new();
        for (_, path, _) in addresses(&document) {
            for (method, operation) in document["paths"][&path].as_object().unwrap() {
                let name = format!("{method} {path}");
                assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name}: no summary");
                assert!(operation_ids.insert(operation["operationId"].to_string()), "{name}: its id is taken");
                let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
                assert!(statuses.iter().any(|status| status.starts_with('2')), "{name}: no success");
                assert!(statuses.iter().any(|status| status.starts_with('4') || status.starts_with('5')), "{name}: no error");
                let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
                for (media_type, body) in content {
                    // A body that may be left out is one of its schema and `null`.
                    let schemas = body["schema"]["oneOf"].as_array().cloned().unwrap_or(vec![body["schema"].clone()]);
                    let reference = schemas.iter().find_map(|schema| schema["$ref"].as_str());
                    let schema = reference.map_or(&schemas[0], |reference| document.pointer(reference.trim_start_matches('#')).unwrap());
                    // A workbook cannot be shown.
                    if media_type.ends_with(".sheet") { continue }
                    let shown = [&body["example"], &body["examples"], &schema["example"], &schema["examples"]];
                    assert!(shown.iter().any(|example| !example.is_null()), "{name}: no example of {media_type}");
                }
            }
        }
    }

    fn every_schema_that_the_document_refers_to_is_in_it(app) {
        fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str));
                    object.values().for_each(|value| references(value, found));
                }
                Value::Array(array) => array.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = app.anonymous().get("/openapi.json").json();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    fn the_pages_of_the_documentation_need_no_internet(app) {
        let client = app.anonymous();
        assert_eq!(client.get("/docs").header("Location"), Some("/docs/"));
        assert_eq!(client.get("/").header("Location"), Some("/docs/"));
        let page = client.get("/docs/").expect(200);
        assert!(page.header("Content-Type").unwrap().starts_with("text/html"));
        let text = page.text();
        let named: Vec<&str> = ["src=\"", "href=\""].iter().flat_map(|attribute| text.split(attribute).skip(1))
            .map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(named.iter().any(|name| name.ends_with(".js")) && named.iter().any(|name| name.ends_with(".css")), "{named:?}");
        let mut scripts = String::new();
        for name in named {
            assert!(!name.contains("//"), "{name} is elsewhere");
            let file = client.get(&format!("/docs/{}", name.trim_start_matches("./"))).expect(200);
            assert!(!file.body.is_empty(), "{name}");
            if name.ends_with("initializer.js") {
                scripts.push_str(&file.text());
            }
        }
        assert!(scripts.contains("/openapi.json"), "the page shows the document of this service: {scripts}");
    }
}
