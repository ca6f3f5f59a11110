//! The change feed: complete, in order, and followed in three ways.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::{Engine, TestApp, with_ready};

const EVENTS: &str = "/api/v1/events";
const UNIT: &str = "/api/v1/units/219001";
const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";

/// One page of the feed.
fn page(client: &Client, query: &str) -> Value {
    client.get(&format!("{EVENTS}?{query}")).expect(200).json()
}

/// The number of the last change.
fn head(client: &Client) -> i64 {
    page(client, "limit=1")["head"].as_i64().unwrap()
}

/// The types of the events of a page.
fn types(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|event| event["type"].as_str().unwrap()).collect()
}

/// A stream of server-sent events as it comes over the wire.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(app: &TestApp, token: &str, path: &str, header: &str) -> Self {
        let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip\r\n\
             Authorization: Bearer {token}\r\n{header}\r\n"
        )
        .unwrap();
        Self(BufReader::new(stream))
    }

    /// The next line that begins so, without that.
    fn next(&mut self, field: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.0.read_line(&mut line).unwrap(),
                0,
                "the stream ended before {field:?}"
            );
            if let Some(value) = line.trim_end().strip_prefix(field) {
                return value.to_owned();
            }
        }
    }

    /// The next event: its id, and itself.
    fn event(&mut self) -> (String, Value) {
        (self.next("id: "), serde_json::from_str(&self.next("data: ")).unwrap())
    }
}

/// A system that follows the feed: what it would keep on its disk.
#[derive(Default)]
struct Follower {
    after: i64,
    documents: BTreeMap<String, Value>,
}

impl Follower {
    fn apply(&mut self, event: &Value) {
        let seq: i64 = event["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(seq, self.after + 1, "each number once, in order: {event}");
        self.after = seq;
        let key = event["subject"].as_str().unwrap().to_owned();
        match &event["data"]["document"] {
            Value::Null => drop(self.documents.remove(&key)),
            document => drop(self.documents.insert(key, document.clone())),
        }
    }

    /// Holds all that it knows of units and sheets against the service.
    fn is_like(&self, client: &Client) {
        for code in client.all("/api/v1/units?limit=50", "code") {
            let key = format!("/api/v1/units/{}", code.as_str().unwrap());
            let known = self.documents.get(&key).unwrap_or_else(|| panic!("{key} is not known"));
            let unit = client.get(&key).expect(200).json();
            assert_eq!(
                (&known["name"], &known["kind"]),
                (&unit["name"], &unit["kind"]),
                "{key}"
            );
        }
        let mut sheets = 0;
        for (key, known) in &self.documents {
            if key.ends_with("/base-data") {
                assert_eq!(*known, client.get(key).expect(200).json(), "{key}");
                sheets += 1;
            } else if key.starts_with("/api/v1/units/") && !key.contains("/evaluations/") {
                client.get(key).expect(200);
            }
        }
        assert_ne!(sheets, 0);
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Changes units and sheets, some of them to and fro.
fn scribble(client: &Client, mut dice: Dice) {
    for n in 0..40 {
        let code = format!("10{}", dice.roll(4));
        let unit = format!("/api/v1/units/{code}");
        let sheet = format!("{unit}/evaluations/2019/base-data");
        let answer = match dice.roll(6) {
            0 => client.delete(&unit),
            1 => client.delete(&sheet),
            2 => client.put(&sheet, &json!({"staff": {"posts": n}})),
            3 => client.patch(&sheet, &json!({"staff": {"in_post": n}})),
            _ => client.put(&unit, &json!({"name": format!("单位{n}"), "kind": "town"})),
        };
        assert!([200, 201, 204, 404, 409].contains(&answer.status), "{}", answer.text());
    }
}

both_engines! {
    fn an_event_is_a_cloud_event_that_says_what_was_done_to_what_and_how_it_is_now(app) {
        let bureau = app.with_kaiyun();
        let before = head(&bureau);
        bureau.put(SHEET, &json!({"staff": {"posts": 171}})).expect(201);
        let page = page(&bureau, &format!("after={before}"));
        let mut event = page["items"][0].clone();
        let time = event.as_object_mut().unwrap().remove("time").unwrap();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        assert_eq!(event, json!({
            "specversion": "1.0", "id": (before + 1).to_string(), "source": "/api/v1",
            "type": "jixiao.base_data.created", "subject": SHEET, "datacontenttype": "application/json",
            "unit": "219001", "year": 2019,
            "data": {"resource": "base_data", "action": "created", "actor": "test", "role": "bureau",
                "document": {"staff": {"posts": 171}}},
        }));
        assert_eq!((&page["next_after"], &page["head"]), (&json!(before + 1), &json!(before + 1)));
        bureau.delete(SHEET).expect(204);
        let gone = self::page(&bureau, &format!("after={}", before + 1));
        assert_eq!((types(&gone), &gone["items"][0]["data"]["document"]), (vec!["jixiao.base_data.deleted"], &Value::Null));
    }

    fn pages_lead_through_all_events_once_and_the_last_one_leads_on(app) {
        let bureau = app.with_units(&[("101", None), ("102", None), ("103", None)]);
        let head = head(&bureau);
        let (mut seen, mut after) = (Vec::new(), 0);
        while after < head {
            let answer = bureau.get(&format!("{EVENTS}?limit=4&after={after}")).expect(200);
            let page = answer.json();
            after = page["next_after"].as_i64().unwrap();
            assert_eq!(answer.header("Link"), Some(&*format!("<{EVENTS}?limit=4&after={after}>; rel=\"next\"")));
            seen.extend(page["items"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(seen, (1..=head).map(|seq| seq.to_string()).collect::<Vec<_>>());
        let end = page(&bureau, &format!("after={head}"));
        assert_eq!((&end["items"], &end["next_after"]), (&json!([]), &json!(head)));
    }

    fn the_steps_of_a_year_are_events_with_the_state_they_lead_to(app) {
        let bureau = with_ready(app);
        let before = head(&bureau);
        let year = "/api/v1/units/219001/evaluations/2019";
        bureau.send("POST", &format!("{year}/submit"), None).expect(200);
        bureau.send("POST", &format!("{year}/begin-review"), None).expect(200);
        bureau.put(&format!("{year}/review"), &json!({"comment": "基本充分"})).expect(200);
        bureau.post(&format!("{year}/return"), &json!({"reason": "附件不全"})).expect(200);
        let page = page(&bureau, &format!("after={before}"));
        assert_eq!(types(&page), ["jixiao.evaluation.submitted", "jixiao.evaluation.review_begun",
            "jixiao.review.created", "jixiao.evaluation.returned"]);
        let documents: Vec<_> = page["items"].as_array().unwrap().iter().map(|event| &event["data"]["document"]).collect();
        assert_eq!(documents[0], &json!({"state": "submitted", "submission": 1}));
        assert_eq!(documents[3], &json!({"state": "returned", "submission": 1, "reason": "附件不全"}));
    }

    fn filters_leave_out_and_lead_past_what_they_leave_out(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/units/300", &json!({"name": "别处", "kind": "town"})).expect(201);
        bureau.put(SHEET, &json!({})).expect(201);
        bureau.patch(SHEET, &json!({"staff": {"posts": 1}})).expect(200);
        let head = head(&bureau);
        for (query, expected) in [
            ("unit=219001", vec!["jixiao.unit.created", "jixiao.base_data.created", "jixiao.base_data.updated"]),
            ("unit=300", vec!["jixiao.unit.created"]),
            ("year=2019", vec!["jixiao.fiscal_year.created", "jixiao.base_data.created", "jixiao.base_data.updated"]),
            ("type=jixiao.base_data", vec!["jixiao.base_data.created", "jixiao.base_data.updated"]),
            ("type=jixiao.base_data.updated", vec!["jixiao.base_data.updated"]),
            ("type=jixiao.claims", vec![]),
        ] {
            let page = page(&bureau, query);
            assert_eq!((types(&page), &page["next_after"]), (expected, &json!(head)), "{query}");
        }
    }

    fn a_units_token_sees_the_events_of_its_own_units_only(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("300", None)]);
        let unit = app.unit(&["219"]);
        bureau.put("/api/v1/units/300", &json!({"name": "别处", "kind": "town"})).expect(200);
        bureau.patch(UNIT, &json!({"name": "开云"})).expect(200);
        let subjects = |client: &Client, query: &str| {
            let page = page(client, query);
            page["items"].as_array().unwrap().iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(subjects(&unit, ""), ["/api/v1/units/219", UNIT, UNIT]);
        assert_eq!(subjects(&unit, "unit=300"), [""; 0]);
        assert!(subjects(&app.auditor(), "").contains(&"/api/v1/units/300".to_owned()));
    }

    fn what_cannot_be_followed_is_told(app) {
        let bureau = app.bureau();
        let asked = bureau.get(&format!("{EVENTS}?after=-1&wait=61&type=unit&limit=0"));
        assert_eq!(asked.parameters(), faults(&[
            ("after", "invalid_value"), ("wait", "invalid_value"), ("type", "invalid_value"), ("limit", "invalid_value")]));
        let beyond = bureau.get(&format!("{EVENTS}?after={}", head(&bureau) + 1)).problem(422, "unfit-parameter");
        assert_eq!(beyond["errors"][0]["code"], "beyond_the_end");
        bureau.with("Accept", "text/csv").get(EVENTS).problem(406, "not-acceptable");
    }

    fn who_waits_is_answered_by_the_next_event_that_fits(app) {
        let bureau = app.with_kaiyun();
        let head = head(&bureau);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| page(&bureau, &format!("after={head}&wait=60&type=jixiao.base_data")));
            bureau.put("/api/v1/units/300", &json!({"name": "别处", "kind": "town"})).expect(201);
            bureau.put(SHEET, &json!({})).expect(201);
            let page = waits.join().unwrap();
            assert_eq!((types(&page), &page["next_after"]), (vec!["jixiao.base_data.created"], &json!(head + 2)));
        });
        assert_eq!(page(&bureau, &format!("after={}&wait=1", head + 2))["items"], json!([]));
    }

    fn a_stream_sends_what_was_and_what_comes_and_goes_on_where_it_broke_off(app) {
        let token = app.token(Role::Bureau, &[]);
        let bureau = app.with_kaiyun();
        let head = head(&bureau);
        let mut stream = Stream::open(app, &token, &format!("{EVENTS}?after={}", head - 1), "");
        assert_eq!(stream.next("content-type: "), "text/event-stream");
        let (id, event) = stream.event();
        assert_eq!((id, &event["type"]), (head.to_string(), &json!("jixiao.fiscal_year.created")));
        bureau.put(SHEET, &json!({"staff": {"posts": 3}})).expect(201);
        let (id, event) = stream.event();
        assert_eq!((id, &event["data"]["document"]), ((head + 1).to_string(), &json!({"staff": {"posts": 3}})));
        drop(stream);
        bureau.delete(SHEET).expect(204);
        // As a browser comes again: to the same address, with the last id.
        let again = format!("Last-Event-ID: {}\r\n", head + 1);
        let mut stream = Stream::open(app, &token, &format!("{EVENTS}?after=0"), &again);
        assert_eq!(stream.next("event: "), "jixiao.base_data.deleted");
    }

    fn a_follower_that_dies_again_and_again_rebuilds_what_the_service_has(app) {
        let bureau = app.with_units(&[("100", None), ("101", None), ("102", None), ("103", None)]);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"})).expect(201);
        let mut follower = Follower::default();
        let mut dice = Dice(7);
        std::thread::scope(|scope| {
            let writers = [1, 2].map(|seed| {
                let bureau = &bureau;
                scope.spawn(move || scribble(bureau, Dice(seed)))
            });
            loop {
                let done = writers.iter().all(std::thread::ScopedJoinHandle::is_finished);
                let page = page(&bureau, &format!("after={}&limit={}", follower.after, 1 + dice.roll(20)));
                let events = page["items"].as_array().unwrap();
                // It dies after some of them, and what it knows is what it dealt with.
                let survived = match done {
                    true => events.len(),
                    false => dice.roll(events.len() as u64 + 1) as usize,
                };
                events[..survived].iter().for_each(|event| follower.apply(event));
                if done && events.is_empty() {
                    break;
                }
            }
        });
        bureau.put("/api/v1/units/104", &json!({"name": "末", "kind": "town"})).expect(201);
        bureau.put("/api/v1/units/104/evaluations/2019/base-data", &json!({"staff": {"posts": 1}})).expect(201);
        page(&bureau, &format!("after={}", follower.after))["items"].as_array().unwrap().iter().for_each(|event| follower.apply(event));
        follower.is_like(&bureau);
    }
}

/// Only PostgreSQL lets a second service onto the database: its changes wake those who wait at the first.
#[test]
fn who_waits_at_one_service_is_woken_by_what_another_writes() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let bureau = app.with_kaiyun();
    let second = app.another();
    let other = Client::new(second.base()).like(&bureau);
    let head = head(&bureau);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| page(&bureau, &format!("after={head}&wait=60")));
        other.put(SHEET, &json!({})).expect(201);
        assert_eq!(types(&waits.join().unwrap()), ["jixiao.base_data.created"]);
    });
}

/// The order of each unit's events is the order in which they were written, by whichever service.
#[test]
fn events_of_a_unit_that_two_services_write_come_without_a_gap_and_in_order() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let one = app.with_units(&[("100", None), ("101", None)]);
    let second = app.another();
    let two = Client::new(second.base()).like(&one);
    let mut after = head(&one);
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    std::thread::scope(|scope| {
        // Each unit is written one change after the other, by the two services in turn; both units at the same time.
        let writers = ["100", "101"].map(|code| {
            let (one, two) = (&one, &two);
            scope.spawn(move || {
                for n in 0..20 {
                    let client = if n % 2 == 0 { one } else { two };
                    client
                        .patch(&format!("/api/v1/units/{code}"), &json!({"name": n.to_string()}))
                        .expect(200);
                }
            })
        });
        // And read while it is written, now here and now there.
        for n in 0.. {
            let done = writers.iter().all(std::thread::ScopedJoinHandle::is_finished);
            let page = page(if n % 2 == 0 { &one } else { &two }, &format!("after={after}&limit=3"));
            let events = page["items"].as_array().unwrap();
            for event in events {
                after += 1;
                assert_eq!(event["id"], after.to_string(), "no gap");
                let names = seen.entry(event["unit"].as_str().unwrap().to_owned()).or_default();
                names.push(event["data"]["document"]["name"].clone());
            }
            if done && events.is_empty() {
                break;
            }
        }
    });
    let expected: Vec<Value> = (0..20).map(|n| json!(n.to_string())).collect();
    assert_eq!(
        seen,
        BTreeMap::from([("100".to_owned(), expected.clone()), ("101".to_owned(), expected)])
    );
}
