//! Webhooks: what happens is sent on, in order, signed, until it arrives.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use diesel::RunQueryDsl;
use jixiao::db::connection::Target;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::process::{Process, free_port, jixiao};
use crate::support::receiver::{Receiver, Reply, Request};
use crate::support::{Engine, TestApp};

const WEBHOOKS: &str = "/api/v1/webhooks";
const EVENTS: &str = "/api/v1/events";

impl Request {
    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The number and type of its event.
    fn told(&self) -> (i64, String) {
        let event = self.event();
        let number = event["id"].as_str().unwrap().parse().unwrap();
        (number, event["type"].as_str().unwrap().to_owned())
    }

    /// Which of these secrets have signed it, by a reckoning of its own: HMAC as RFC 2104 writes it.
    fn signed_by(&self, secrets: &[&str]) -> Vec<bool> {
        let signatures: Vec<&str> = self.headers["webhook-signature"].split(' ').collect();
        let by = |secret: &&str| {
            let mut key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
            key.resize(64, 0);
            let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
            let mut signed = padded(0x36);
            signed.extend(format!("{}.{}.", self.headers["webhook-id"], self.headers["webhook-timestamp"]).as_bytes());
            signed.extend(&self.body);
            let mut outer = padded(0x5c);
            outer.extend(Sha256::digest(&signed));
            signatures.contains(&&*format!("v1,{}", BASE64_STANDARD.encode(Sha256::digest(&outer))))
        };
        secrets.iter().map(by).collect()
    }
}

impl Receiver {
    /// Where it is to be sent to.
    fn hook(&self) -> String {
        format!("{}/hook", self.address())
    }

    /// The numbers and types of all that it was sent, once that is so many.
    fn told(&self, count: usize) -> Vec<(i64, String)> {
        self.wait(count).iter().map(Request::told).collect()
    }
}

const TAKEN: Reply = (204, "");

/// What some requests wait at until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let (open, opened) = &*self.0;
        let shut = |open: &mut bool| !*open;
        drop(
            opened
                .wait_timeout_while(open.lock().unwrap(), Duration::from_secs(30), shut)
                .unwrap(),
        );
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// Makes a webhook; what is answered.
fn make(client: &Client, receiver: &Receiver, more: Value) -> Value {
    let mut input = json!({"url": receiver.hook()});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post(WEBHOOKS, &input).expect(201).json()
}

fn address(webhook: &Value) -> String {
    format!("{WEBHOOKS}/{}", webhook["id"].as_str().unwrap())
}

fn secret(webhook: &Value) -> &str {
    webhook["secret"].as_str().unwrap()
}

fn town(client: &Client, code: &str, name: &str) {
    let answer = client.put(&format!("/api/v1/units/{code}"), &json!({"name": name, "kind": "town"}));
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
}

/// What is at `path`, once it is as it should be.
fn wait_for(client: &Client, path: &str, good: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let now = client.get(path).expect(200).json();
        if good(&now) {
            return now;
        }
        assert!(Instant::now() < deadline, "{path}: {now}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How far a webhook is, once it has come to the end.
fn settled(client: &Client, webhook: &Value) -> Value {
    wait_for(client, &format!("{}/delivery", address(webhook)), |state| {
        state["lag"] == 0
    })
}

const UNITS: &str = "jixiao.unit";

both_engines! {
    fn every_change_is_sent_once_in_order_as_the_feed_has_it_and_signed(app) {
        let (bureau, receiver) = (app.bureau(), Receiver::always(204));
        let webhook = make(&bureau, &receiver, json!({"description": "办公系统待办"}));
        for n in 0..30 {
            town(&bureau, &format!("10{n}"), "某镇");
        }
        // The first tells that the webhook itself was made.
        let requests = receiver.wait(31);
        let first = requests[0].told().0;
        let feed = bureau.get(&format!("{EVENTS}?after={}", first - 1)).expect(200).json();
        assert_eq!(feed["items"][0]["type"], "jixiao.webhook.created");
        let sent: Vec<Value> = requests.iter().map(Request::event).collect();
        assert_eq!(json!(sent), feed["items"]);
        for request in &requests {
            assert_eq!(request.path, "/hook");
            assert_eq!(request.headers["content-type"], "application/cloudevents+json");
            assert_eq!(request.headers["user-agent"], "jixiao/0.1.0");
            assert_eq!(request.signed_by(&[secret(&webhook), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]), [true, false]);
            let (id, number) = (&request.headers["webhook-id"], request.told().0);
            assert!(id.starts_with(&format!("evt_{number}_")) && !id.contains('.'), "{id}");
        }
        let state = settled(&bureau, &webhook);
        assert_eq!((&state["delivered"], &state["position"]), (&json!(first + 30), &json!(first + 30)));
        assert_eq!((&state["last_status"], &state["attempts"], &state["failing_since"]), (&json!(204), &json!(0), &Value::Null));
        assert_eq!(bureau.get(EVENTS).expect(200).json()["head"], first + 30, "a delivery is no change");
        assert_eq!(receiver.wait(31).len(), 31);
    }

    fn what_fails_is_tried_again_under_the_same_id_before_anything_that_comes_after_it(app) {
        let receiver = Receiver::new(|n, _| if n < 2 { (500, "") } else { TAKEN });
        let bureau = app.bureau();
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        town(&bureau, "101", "一镇");
        town(&bureau, "102", "二镇");
        let requests = receiver.wait(4);
        let subjects: Vec<_> = requests.iter().map(|request| request.event()["subject"].clone()).collect();
        assert_eq!(subjects, ["/api/v1/units/101", "/api/v1/units/101", "/api/v1/units/101", "/api/v1/units/102"]);
        let ids: Vec<_> = requests.iter().map(|request| &request.headers["webhook-id"]).collect();
        assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
        let state = settled(&bureau, &webhook);
        assert_eq!((&state["failing_since"], &state["dead_letters"]), (&Value::Null, &json!(0)));
    }

    fn what_keeps_failing_becomes_a_dead_letter_and_can_be_sent_again(app) {
        // It takes nothing of 101 and 102, until the eighth request.
        let receiver = Receiver::new(|n, request| match request.event()["subject"].as_str() {
            Some("/api/v1/units/101" | "/api/v1/units/102") if n < 8 => (503, ""),
            _ => TAKEN,
        });
        let bureau = app.bureau();
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        let letters = format!("{}/dead-letters", address(&webhook));
        for code in ["101", "102", "103"] {
            town(&bureau, code, "某镇");
        }
        let requests = receiver.wait(7);
        let numbers: Vec<i64> = requests.iter().map(|request| request.told().0).collect();
        let (one, two, three) = (numbers[0], numbers[3], numbers[6]);
        assert_eq!(numbers, [one, one, one, two, two, two, three]);
        assert_eq!(settled(&bureau, &webhook)["dead_letters"], 2);
        let mut list = bureau.get(&letters).expect(200).json();
        for item in list["items"].as_array_mut().unwrap() {
            assert!(item.as_object_mut().unwrap().remove("died_at").unwrap().is_string());
        }
        let letter = |number: i64| json!({"number": number, "attempts": 3, "last_status": 503, "last_answer": "not now", "queued": false});
        assert_eq!(list, json!({"items": [letter(one), letter(two)], "next_cursor": null}));
        let page = bureau.get(&format!("{letters}?limit=1&order=desc")).expect(200).json();
        assert_eq!((&page["items"][0]["number"], &page["next_cursor"]), (&json!(two), &json!(two.to_string())));

        // Sent once more it fails once more, and stays.
        let again = bureau.post(&format!("{letters}/{two}/replay"), &json!({})).expect(202).json();
        assert_eq!((&again["number"], &again["queued"]), (&json!(two), &json!(true)));
        assert_eq!(receiver.told(8)[7].0, two);
        let list = wait_for(&bureau, &letters, |list| list["items"][1]["attempts"] == 4);
        assert_eq!(list["items"][1]["queued"], false);
        // Now it takes them.
        bureau.post(&format!("{letters}/replay"), &json!({})).expect(202);
        let told = receiver.told(10);
        assert_eq!((told[8].0, told[9].0), (one, two));
        assert_eq!(receiver.wait(10)[8].headers["webhook-id"], requests[0].headers["webhook-id"]);
        wait_for(&bureau, &letters, |list| list["items"] == json!([]));
        bureau.post(&format!("{letters}/{two}/replay"), &json!({})).problem(404, "not-found");
    }

    fn after_a_dead_letter_that_fails_again_the_receiver_is_left_alone_until_one_is_sent_by_hand(app) {
        let receiver = Receiver::new(|n, _| match n {
            0..6 => (503, ""),
            6 => (503, "Retry-After: 3600\r\n"),
            _ => TAKEN,
        });
        let bureau = app.bureau();
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        let (delivery, letters) = (format!("{}/delivery", address(&webhook)), format!("{}/dead-letters", address(&webhook)));
        town(&bureau, "101", "一镇");
        town(&bureau, "102", "二镇");
        wait_for(&bureau, &delivery, |state| state["dead_letters"] == 2);
        let (one, two) = (receiver.told(6)[0].0, receiver.told(6)[5].0);
        bureau.post(&format!("{letters}/replay"), &json!({})).expect(202);
        let state = wait_for(&bureau, &delivery, |state| state["next_attempt_at"].is_string());
        let moment = |name: &str| state[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let wait = moment("next_attempt_at").duration_since(moment("attempted_at")).as_secs();
        assert!((3598..=3602).contains(&wait), "{state}");
        let list = bureau.get(&letters).expect(200).json();
        let kept = |n: usize| (list["items"][n]["attempts"].as_i64().unwrap(), list["items"][n]["queued"].as_bool().unwrap());
        assert_eq!((kept(0), kept(1)), ((4, false), (3, true)));
        town(&bureau, "103", "三镇");
        bureau.post(&format!("{letters}/{one}/replay"), &json!({})).expect(202);
        let numbers: Vec<i64> = receiver.told(10).iter().map(|told| told.0).collect();
        assert_eq!(numbers[6..9], [one, one, two]);
        assert_eq!(receiver.wait(10)[9].event()["subject"], "/api/v1/units/103");
        assert_eq!(settled(&bureau, &webhook)["dead_letters"], 0);
    }

    fn a_replay_holds_also_while_an_event_is_on_its_way(app) {
        let gate = Gate::default();
        let held = gate.clone();
        let receiver = Receiver::new(move |n, _| {
            if n == 1 {
                held.pass();
            }
            TAKEN
        });
        let bureau = app.bureau();
        // Turned off first, so that both events go out together, from where the replay leads to.
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS], "enabled": false}));
        town(&bureau, "101", "一镇");
        town(&bureau, "102", "二镇");
        let start = bureau.get(&format!("{}/delivery", address(&webhook))).expect(200).json()["position"].clone();
        bureau.patch(&address(&webhook), &json!({"enabled": true})).expect(200);
        receiver.wait(2);
        bureau.post(&format!("{}/replay", address(&webhook)), &json!({"after": start})).expect(202);
        gate.open();
        let numbers: Vec<i64> = receiver.told(4).iter().map(|told| told.0).collect();
        assert_eq!(numbers[..2], numbers[2..]);
        settled(&bureau, &webhook);
        assert_eq!(receiver.wait(0).len(), 4);
    }

    fn a_new_address_during_the_last_attempt_is_sent_what_the_old_one_did_not_take(app) {
        let gate = Gate::default();
        let held = gate.clone();
        let before = Receiver::new(move |n, _| {
            if n == 2 {
                held.pass();
            }
            (500, "")
        });
        let (bureau, after) = (app.bureau(), Receiver::always(204));
        let webhook = make(&bureau, &before, json!({"types": [UNITS]}));
        town(&bureau, "101", "一镇");
        let (number, _) = before.told(3)[2];
        bureau.patch(&address(&webhook), &json!({"url": after.hook()})).expect(200);
        gate.open();
        assert_eq!(after.told(1)[0].0, number);
        let state = settled(&bureau, &webhook);
        assert_eq!((&state["dead_letters"], &state["attempts"], &state["delivered"]), (&json!(0), &json!(0), &json!(number)));
        assert_eq!(before.wait(0).len(), 3);
    }

    fn what_comes_again_with_the_rest_is_no_dead_letter(app) {
        let receiver = Receiver::new(|n, _| if n < 3 { (500, "") } else { TAKEN });
        let bureau = app.bureau();
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        town(&bureau, "101", "一镇");
        let (number, _) = receiver.told(3)[0];
        assert_eq!(settled(&bureau, &webhook)["dead_letters"], 1);
        let state = bureau.post(&format!("{}/replay", address(&webhook)), &json!({"after": number - 1})).expect(202).json();
        assert_eq!(state["dead_letters"], 0);
        assert_eq!(receiver.told(4)[3].0, number);
    }

    fn a_receiver_that_is_gone_turns_its_webhook_off_and_misses_nothing_when_it_is_turned_on(app) {
        let receiver = Receiver::new(|n, _| if n == 0 { (410, "") } else { TAKEN });
        let bureau = app.bureau();
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        town(&bureau, "101", "一镇");
        wait_for(&bureau, &address(&webhook), |webhook| webhook["enabled"] == false);
        town(&bureau, "102", "二镇");
        let off = &bureau.get(&format!("/api/v1/audit?key={}", address(&webhook))).expect(200).json()["items"][1];
        assert_eq!((&off["role"], &off["after"]["enabled"]), (&json!("system"), &json!(false)));
        bureau.patch(&address(&webhook), &json!({"enabled": true})).expect(200);
        let subjects: Vec<_> = receiver.wait(3).iter().map(|request| request.event()["subject"].clone()).collect();
        assert_eq!(subjects, ["/api/v1/units/101", "/api/v1/units/101", "/api/v1/units/102"]);
    }

    fn a_webhook_is_sent_what_it_asks_for_and_passes_over_the_rest(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("300", None), ("400", None)]);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"})).expect(201);
        let wishes = [
            json!({"unit": "219"}), json!({"year": 2019}), json!({"types": ["jixiao.base_data.created", "jixiao.unit"]}),
            json!({"unit": "300", "types": ["jixiao.base_data"], "year": 2019}), json!({"unit": "400"}),
        ];
        let receivers: Vec<Receiver> = wishes.iter().map(|_| Receiver::always(204)).collect();
        let webhooks: Vec<Value> = wishes.iter().zip(&receivers).map(|(wish, receiver)| make(&bureau, receiver, wish.clone())).collect();
        let sheet = |unit: &str| format!("/api/v1/units/{unit}/evaluations/2019/base-data");
        bureau.put(&sheet("219001"), &json!({})).expect(201);
        bureau.patch(&sheet("219001"), &json!({"staff": {"posts": 7}})).expect(200);
        bureau.put(&sheet("300"), &json!({})).expect(201);
        bureau.patch("/api/v1/units/219", &json!({"name": "衡山县"})).expect(200);
        bureau.delete(&sheet("219001")).expect(204);
        bureau.delete("/api/v1/units/400").expect(204);
        let (created, updated, deleted) = ("jixiao.base_data.created", "jixiao.base_data.updated", "jixiao.base_data.deleted");
        let expected = [
            vec![created, updated, "jixiao.unit.updated", deleted],
            vec![created, updated, created, deleted],
            vec![created, created, "jixiao.unit.updated", "jixiao.unit.deleted"],
            vec![created],
            vec!["jixiao.unit.deleted"],
        ];
        for ((receiver, webhook), expected) in receivers.iter().zip(&webhooks).zip(expected) {
            let told: Vec<String> = receiver.told(expected.len()).into_iter().map(|(_, kind)| kind).collect();
            assert_eq!(told, expected, "{webhook}");
            // All the same it comes to the end of the log.
            settled(&bureau, webhook);
            assert_eq!(receiver.wait(0).len(), expected.len(), "{webhook}");
        }
    }

    fn a_change_holds_from_the_next_event_on(app) {
        let (bureau, before, after) = (app.bureau(), Receiver::always(204), Receiver::always(204));
        let webhook = make(&bureau, &before, json!({"types": [UNITS], "description": "甲"}));
        town(&bureau, "101", "一镇");
        before.wait(1);
        let etag = bureau.get(&address(&webhook)).expect(200).etag();
        let changed = bureau.with("If-Match", &etag).patch(&address(&webhook), &json!({"url": after.hook(), "description": null}));
        let changed = changed.expect(200).json();
        assert_eq!((&changed["version"], &changed["description"], &changed["types"]), (&json!(2), &Value::Null, &json!([UNITS])));
        bureau.with("If-Match", &etag).delete(&address(&webhook)).problem(412, "precondition-failed");
        town(&bureau, "102", "二镇");
        assert_eq!(after.wait(1)[0].event()["subject"], "/api/v1/units/102");
        bureau.delete(&address(&webhook)).expect(204);
        bureau.get(&address(&webhook)).problem(404, "not-found");
        town(&bureau, "103", "三镇");
        let last = make(&bureau, &after, json!({"types": [UNITS]}));
        town(&bureau, "104", "四镇");
        assert_eq!(after.wait(2)[1].event()["subject"], "/api/v1/units/104");
        assert_eq!((settled(&bureau, &last)["delivered"].is_i64(), before.wait(0).len()), (true, 1));
    }

    fn a_new_secret_signs_beside_the_old_one_for_as_long_as_was_asked_for(app) {
        let (bureau, receiver) = (app.bureau(), Receiver::always(204));
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        let rotate = format!("{}/rotate-secret", address(&webhook));
        let second = bureau.post(&rotate, &json!({"overlap_seconds": 3600})).expect(200);
        assert_eq!(second.header("Cache-Control"), Some("no-store"));
        let second = second.json();
        assert!(second["previous_until"].is_string());
        town(&bureau, "101", "一镇");
        let secrets = [secret(&webhook), secret(&second)];
        assert_eq!(receiver.wait(1)[0].signed_by(&secrets), [true, true]);
        // One that leaked ends at once.
        let third = bureau.send("POST", &rotate, None).expect(200).json();
        town(&bureau, "102", "二镇");
        let secrets = [secret(&webhook), secret(&second), secret(&third)];
        assert_eq!(receiver.wait(2)[1].signed_by(&secrets), [false, false, true]);
        assert_eq!(bureau.post(&rotate, &json!({"overlap_seconds": 2_592_001})).faults()[0].0, "/overlap_seconds");
    }

    fn a_secret_is_shown_once_and_never_again(app) {
        let (bureau, receiver) = (app.bureau(), Receiver::always(204));
        let made = bureau.post(WEBHOOKS, &json!({"url": receiver.hook()})).expect(201);
        assert_eq!(made.header("Cache-Control"), Some("no-store"));
        let location = made.header("Location").unwrap().to_owned();
        let etag = made.etag();
        let first = made.json();
        let second = bureau.post(&format!("{location}/rotate-secret"), &json!({"overlap_seconds": 60})).expect(200).json();
        bureau.patch(&location, &json!({"enabled": false})).expect(200);
        bureau.post(&format!("{location}/replay"), &json!({"after": 0})).expect(202);
        let shown = [
            bureau.get(&location), bureau.get(WEBHOOKS), bureau.get(&format!("{location}/delivery")),
            bureau.get(&format!("{EVENTS}?type=jixiao.webhook")), bureau.get("/api/v1/audit?resource=webhook"),
        ];
        for answer in shown {
            let text = answer.expect(200).text();
            assert!(!text.contains("whsec_") && !text.contains(&secret(&first)[6..]) && !text.contains(&secret(&second)[6..]), "{text}");
        }
        let mut known = first.clone();
        known.as_object_mut().unwrap().remove("secret");
        assert_eq!((known["version"].clone(), first["id"].clone()), (json!(1), json!(location.rsplit('/').next().unwrap())));
        assert_ne!(bureau.get(&location).expect(200).etag(), etag);
        let actions = bureau.get(&format!("{EVENTS}?type=jixiao.webhook")).each("type");
        let expected = ["created", "rotated", "updated", "replayed"].map(|action| format!("jixiao.webhook.{action}"));
        assert_eq!(actions, expected);
        for request in receiver.wait(0) {
            assert!(!String::from_utf8_lossy(&request.body).contains("whsec_"));
        }
    }

    fn what_was_sent_is_sent_again_from_any_number_on_and_what_was_missed_can_be_left_out(app) {
        let (bureau, receiver) = (app.bureau(), Receiver::always(204));
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        for code in ["101", "102", "103"] {
            town(&bureau, code, "某镇");
        }
        let told = receiver.told(3);
        settled(&bureau, &webhook);
        let replay = format!("{}/replay", address(&webhook));
        let state = bureau.post(&replay, &json!({"after": told[0].0})).expect(202).json();
        assert_eq!(state["position"], told[0].0);
        assert_eq!(receiver.told(5)[3..], told[1..]);
        let state = settled(&bureau, &webhook);
        bureau.patch(&address(&webhook), &json!({"enabled": false})).expect(200);
        town(&bureau, "104", "四镇");
        let head = bureau.get(EVENTS).expect(200).json()["head"].as_i64().unwrap();
        assert_eq!(bureau.post(&replay, &json!({"after": head})).expect(202).json()["position"], head);
        bureau.patch(&address(&webhook), &json!({"enabled": true})).expect(200);
        town(&bureau, "105", "五镇");
        assert_eq!(receiver.wait(6)[5].event()["subject"], "/api/v1/units/105");
        assert_ne!(settled(&bureau, &webhook)["delivered"], state["delivered"]);
        let beyond = bureau.post(&replay, &json!({"after": head + 100}));
        assert_eq!(beyond.faults(), faults(&[("/after", "beyond_the_end")]));
    }

    fn a_webhook_can_be_tried_and_redirects_are_not_followed(app) {
        let bureau = app.bureau();
        let elsewhere = Receiver::always(204);
        let receiver = Receiver::new(|n, _| match n {
            0 => TAKEN,
            1 => (302, "Location: http://127.0.0.1:1/\r\n"),
            _ => (401, ""),
        });
        let webhook = make(&bureau, &receiver, json!({"enabled": false}));
        let ping = format!("{}/ping", address(&webhook));
        let answers = [(); 3].map(|()| bureau.send("POST", &ping, None).expect(200).json());
        assert_eq!(answers[0], json!({"delivered": true, "status": 204, "answer": ""}));
        assert_eq!(answers[1], json!({"delivered": false, "status": 302, "answer": "not now"}));
        assert_eq!(answers[2], json!({"delivered": false, "status": 401, "answer": "not now"}));
        let sent = &receiver.wait(3)[0];
        assert_eq!((sent.event()["type"].as_str(), sent.signed_by(&[secret(&webhook)])), (Some("jixiao.ping"), vec![true]));
        let nowhere = json!({"url": format!("http://127.0.0.1:{}/", free_port()), "enabled": false});
        let nowhere = bureau.post(WEBHOOKS, &nowhere).expect(201).json();
        let told = bureau.send("POST", &format!("{}/ping", address(&nowhere)), None).expect(200).json();
        assert_eq!((&told["delivered"], &told["status"]), (&json!(false), &Value::Null));
        assert_ne!(told["answer"], "");
        assert_eq!(elsewhere.wait(0).len(), 0);
    }

    fn a_receiver_that_asks_for_time_is_given_it(app) {
        let receiver = Receiver::new(|_, _| (429, "Retry-After: 3600\r\n"));
        let bureau = app.bureau();
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
        town(&bureau, "101", "一镇");
        let state = wait_for(&bureau, &format!("{}/delivery", address(&webhook)), |state| state["attempts"] == 1);
        let moment = |name: &str| state[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let wait = moment("next_attempt_at").duration_since(moment("attempted_at")).as_secs();
        assert!((3598..=3602).contains(&wait), "{state}");
        assert_eq!((&state["last_status"], &state["last_answer"]), (&json!(429), &json!("not now")));
        assert_eq!(state["failing_since"], state["attempted_at"]);
        // Who changes the webhook may have found the remedy.
        bureau.patch(&address(&webhook), &json!({"description": "已修复"})).expect(200);
        receiver.wait(2);
    }

    fn a_receiver_that_does_not_answer_holds_nobody_up(app) {
        let gate = Gate::default();
        let held = gate.clone();
        let slow = Receiver::new(move |_, _| {
            held.pass();
            TAKEN
        });
        let (bureau, quick) = (app.bureau(), Receiver::always(204));
        let waits = make(&bureau, &slow, json!({"types": [UNITS]}));
        make(&bureau, &quick, json!({"types": [UNITS]}));
        for code in ["101", "102", "103"] {
            town(&bureau, code, "某镇");
            slow.wait(1);
        }
        quick.wait(3);
        assert_eq!(slow.wait(0).len(), 1);
        let listed = bureau.get(WEBHOOKS).expect(200).json();
        let lag = |webhook: &Value| {
            let mut items = listed["items"].as_array().unwrap().iter();
            items.find(|item| item["id"] == webhook["id"]).unwrap()["delivery"]["lag"].as_i64().unwrap()
        };
        assert!(lag(&waits) >= 3, "{listed}");
        gate.open();
        slow.wait(3);
    }

    fn the_webhooks_of_a_process_that_died_are_taken_over_when_its_claim_ends(app) {
        let (bureau, receiver) = (app.bureau(), Receiver::always(204));
        let webhook = make(&bureau, &receiver, json!({"types": [UNITS], "enabled": false}));
        let until = format!("{:.6}", jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2));
        diesel::sql_query(format!("UPDATE webhooks SET claimed_by = 'dead', claimed_until = '{until}'"))
            .execute(&mut app.connect())
            .unwrap();
        bureau.patch(&address(&webhook), &json!({"enabled": true})).expect(200);
        town(&bureau, "101", "一镇");
        receiver.wait(1);
        assert!(format!("{:.6}", jiff::Timestamp::now()) >= until);
    }

    fn every_fault_of_a_webhook_is_named_and_none_is_made(app) {
        let bureau = app.bureau();
        let many = vec![UNITS; 51];
        for (input, expected) in [
            (json!({}), vec![("/url", "missing_field")]),
            (json!({"url": "http://oa.example.gov.cn/"}), vec![("/url", "not_https")]),
            (json!({"url": "https://169.254.169.254/latest/", "unit": "999"}), vec![("/url", "unreachable"), ("/unit", "unknown_unit")]),
            (json!({"url": "https://oa.example.gov.cn/", "types": []}), vec![("/types", "too_few")]),
            (json!({"url": "https://oa.example.gov.cn/", "types": many}), vec![("/types", "too_many")]),
            (
                json!({"url": "https://me:secret@oa.example.gov.cn/", "year": 1900, "types": ["unit"], "secret": "x"}),
                vec![("/secret", "unknown_field"), ("/types/0", "pattern"), ("/url", "pattern"), ("/year", "out_of_range")],
            ),
        ] {
            let mut found = bureau.post(WEBHOOKS, &input).faults();
            let mut expected = faults(&expected);
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{input}");
        }
        for url in ["ftp://x/", "https://", "https://x:99999/", "https://x/#a", "https://[::g]/", "https://x y/", "https://例/", "x"] {
            let found = bureau.post(WEBHOOKS, &json!({"url": url, "description": ""})).faults();
            assert!(found.iter().any(|(at, _)| at == "/url") && found.iter().any(|(at, _)| at == "/description"), "{url}: {found:?}");
        }
        let input = json!({"url": "https://oa.example.gov.cn/", "enabled": false});
        assert_eq!(bureau.get(WEBHOOKS).each("id"), [""; 0]);
        for _ in 0..50 {
            bureau.post(WEBHOOKS, &input).expect(201);
        }
        assert_eq!(bureau.post(WEBHOOKS, &input).faults(), faults(&[("", "too_many")]));
        let one = bureau.get(&format!("{WEBHOOKS}?limit=1")).each("id").remove(0);
        assert_eq!(bureau.patch(&format!("{WEBHOOKS}/{one}"), &json!({"url": "https://0.0.0.0/"})).faults(), faults(&[("/url", "unreachable")]));
    }
}

/// Only PostgreSQL lets a second service onto the database.
#[test]
fn of_two_services_one_sends_each_event_and_all_come_in_order() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let (one, receiver) = (app.bureau(), Receiver::always(204));
    let second = app.another();
    let two = Client::new(second.base()).like(&one);
    let webhook = make(&one, &receiver, json!({"types": [UNITS]}));
    for n in 0..60 {
        town(if n % 2 == 0 { &one } else { &two }, &format!("1{n:02}"), "某镇");
    }
    let numbers: Vec<i64> = receiver.told(60).into_iter().map(|(number, _)| number).collect();
    let feed = one.get(&format!("{EVENTS}?type={UNITS}&limit=200")).each("id");
    assert_eq!(numbers.iter().map(ToString::to_string).collect::<Vec<_>>(), feed);
    settled(&two, &webhook);
    assert_eq!(receiver.wait(0).len(), 60);
}

#[test]
fn a_server_that_starts_again_goes_on_where_it_was_and_its_log_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let serve = || {
        let settings = ["--webhook-allow", "loopback", "--webhook-retry", "20", "--log", "debug"];
        Process::serve(folder.path(), &settings)
    };
    let receiver = Receiver::new(|n, _| if n == 1 { (500, "") } else { TAKEN });
    let mut process = serve();
    let token = process.first_token();
    let bureau = process.client(&token);
    let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
    town(&bureau, "101", "一镇");
    receiver.wait(1);
    settled(&bureau, &webhook);
    bureau.patch(&address(&webhook), &json!({"enabled": false})).expect(200);
    town(&bureau, "102", "二镇");
    assert!(process.stop().success());
    assert!(!process.output().contains("whsec_"));
    let process = serve();
    let bureau = process.client(&token);
    bureau.patch(&address(&webhook), &json!({"enabled": true})).expect(200);
    town(&bureau, "103", "三镇");
    let subjects: Vec<_> = receiver
        .wait(4)
        .iter()
        .map(|request| request.event()["subject"].clone())
        .collect();
    assert_eq!(
        subjects,
        [
            "/api/v1/units/101",
            "/api/v1/units/102",
            "/api/v1/units/102",
            "/api/v1/units/103"
        ]
    );
    process.wait_for("not delivered");
    assert!(!process.output().contains("whsec_"));
}

#[test]
fn a_server_that_was_killed_sends_again_at_once_what_it_was_about_to_send() {
    let folder = tempfile::tempdir().unwrap();
    let serve = || Process::serve(folder.path(), &["--webhook-allow", "loopback"]);
    // The first request is never answered.
    let receiver = Receiver::new(|n, _| {
        std::thread::sleep(Duration::from_secs(if n == 0 { 60 } else { 0 }));
        TAKEN
    });
    let process = serve();
    let token = process.first_token();
    let webhook = make(&process.client(&token), &receiver, json!({"types": [UNITS]}));
    town(&process.client(&token), "101", "一镇");
    receiver.wait(1);
    drop(process);
    let process = serve();
    let started = Instant::now();
    let requests = receiver.wait(2);
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "its claim of half a minute is not waited for"
    );
    assert_eq!(requests[0].headers["webhook-id"], requests[1].headers["webhook-id"]);
    let state = settled(&process.client(&token), &webhook);
    assert_eq!(state["delivered"], requests[1].told().0);
}

#[test]
fn a_webhook_goes_on_soon_after_what_came_of_an_attempt_could_not_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    // What fails once is given up, which a trigger forbids.
    let process = Process::serve(
        folder.path(),
        &[
            "--webhook-allow",
            "loopback",
            "--webhook-attempts",
            "1",
            "--log",
            "error",
        ],
    );
    let mut conn = jixiao::db::open_once(&Target::Sqlite(folder.path().join("jixiao.db"))).unwrap();
    let mut sql = |sql: &str| diesel::sql_query(sql).execute(&mut conn).unwrap();
    sql("CREATE TRIGGER broken BEFORE INSERT ON webhook_dead_letters BEGIN SELECT RAISE(ABORT, 'broken'); END");
    let receiver = Receiver::new(|n, _| if n == 0 { (500, "") } else { TAKEN });
    let bureau = process.client(&process.first_token());
    let webhook = make(&bureau, &receiver, json!({"types": [UNITS]}));
    town(&bureau, "101", "一镇");
    process.wait_for("a webhook could not be delivered for now");
    sql("DROP TRIGGER broken");
    let failed = Instant::now();
    receiver.wait(2);
    assert!(
        failed.elapsed() < Duration::from_secs(15),
        "its claim of half a minute is not waited for"
    );
    assert_eq!(settled(&bureau, &webhook)["dead_letters"], 0);
}

/// What the system trusts can be said in `SSL_CERT_FILE`, as everywhere that OpenSSL is.
#[test]
fn https_is_spoken_with_those_whom_the_system_trusts_and_with_nobody_else() {
    let receiver = Receiver::secure();
    let ping = |trusted: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = jixiao(&["serve", "--webhook-allow", "loopback", "--data-dir"]);
        command.arg(folder.path());
        if let Some(certificate) = trusted {
            command.env("SSL_CERT_FILE", certificate);
        }
        let process = Process::start_as(command);
        let bureau = process.client(&process.first_token());
        let webhook = make(&bureau, &receiver, json!({"enabled": false}));
        bureau
            .send("POST", &format!("{}/ping", address(&webhook)), None)
            .expect(200)
            .json()
    };
    let refused = ping(None);
    assert_eq!(
        (&refused["delivered"], &refused["status"]),
        (&json!(false), &Value::Null)
    );
    assert!(refused["answer"].as_str().unwrap().contains("certificate"), "{refused}");
    assert_eq!(receiver.wait(0).len(), 0);
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/certificate.pem");
    assert_eq!(
        ping(Some(certificate)),
        json!({"delivered": true, "status": 204, "answer": ""})
    );
}

#[test]
fn the_example_in_python_takes_what_is_signed_and_nothing_else() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/webhooks/receive.py");
    let Some(app) = TestApp::start(Engine::Sqlite) else {
        return;
    };
    let (bureau, port) = (app.bureau(), free_port());
    let url = format!("http://127.0.0.1:{port}/");
    let webhook = bureau
        .post(WEBHOOKS, &json!({"url": url, "types": [UNITS], "enabled": false}))
        .expect(201)
        .json();
    let started = Command::new("python3")
        .args([script, &port.to_string()])
        .env("SECRET", secret(&webhook))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut python) = started else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no python3: in CI the example must run"
        );
        eprintln!("SKIPPED: no python3");
        return;
    };
    let ping = |webhook: &Value| {
        bureau
            .send("POST", &format!("{}/ping", address(webhook)), None)
            .expect(200)
            .json()
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while ping(&webhook)["delivered"] != true {
        assert!(Instant::now() < deadline, "{}", ping(&webhook));
        std::thread::sleep(Duration::from_millis(20));
    }
    let stranger = bureau
        .post(WEBHOOKS, &json!({"url": url, "enabled": false}))
        .expect(201)
        .json();
    assert_eq!(ping(&stranger)["status"], 401);
    bureau.patch(&address(&webhook), &json!({"enabled": true})).expect(200);
    town(&bureau, "101", "一镇");
    settled(&bureau, &webhook);
    python.kill().unwrap();
    python.wait().unwrap();
    let mut printed = String::new();
    python.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(
        printed.contains(" jixiao.unit.created /api/v1/units/101\n"),
        "{printed}"
    );
}
