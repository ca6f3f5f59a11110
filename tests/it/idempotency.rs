//! A request that is sent again with the same `Idempotency-Key` is done once.

use std::sync::mpsc;

use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types};
use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::faults;
use crate::support::{Client, Engine, Response, TestApp, at_once, count, with_ready};

const FUNDS: &str = "/api/v1/special-funds";
const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";

fn fund(name: &str) -> Value {
    json!({"unit": "219001", "year": 2019, "name": name})
}

fn keyed(client: &Client, key: &str) -> Client {
    client.with("Idempotency-Key", key)
}

/// Whether an answer was given before; it says so or it does not.
fn is_replayed(answer: &Response) -> bool {
    answer
        .header("Idempotency-Replayed")
        .is_some_and(|value| value == "true")
}

/// Whether two answers are the same to the last byte, and only the second was given before.
#[track_caller]
fn assert_replayed(first: &Response, second: &Response) {
    assert!(!is_replayed(first) && is_replayed(second), "{}", second.text());
    assert_eq!((first.status, first.text()), (second.status, second.text()));
    for name in ["ETag", "Location", "Content-Type"] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
}

/// What a keyed request that was refused for its key says: status, kind.
#[track_caller]
fn assert_reused(answer: Response) {
    let problem = answer.problem(422, "idempotency-key-reused");
    assert_eq!(problem["errors"][0]["header"], "Idempotency-Key", "{problem}");
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Text)]
    text: String,
}

/// A column of all that is kept, one row's after the other's.
fn kept(app: &TestApp, column: &str) -> Vec<String> {
    let query = format!("SELECT COALESCE({column}, '') AS text FROM idempotency_keys ORDER BY key");
    let rows: Vec<Text> = sql_query(query).load(&mut app.connect()).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

/// Makes all that is kept a second older than a day.
fn let_a_day_pass(app: &TestApp) {
    let then = format!(
        "{:.6}",
        jiff::Timestamp::now() - jiff::SignedDuration::from_secs(24 * 3600 + 1)
    );
    app.connect()
        .batch_execute(&format!("UPDATE idempotency_keys SET at = '{then}'"))
        .unwrap();
}

/// Keeps all writes waiting until what is returned is called.
fn hold_writes(app: &TestApp) -> impl FnOnce() + use<> {
    let mut conn = app.connect();
    conn.batch_execute(match app.engine() {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE change_head IN EXCLUSIVE MODE",
    })
    .unwrap();
    move || conn.batch_execute("ROLLBACK").unwrap()
}

/// Sends the same request twice while nothing can be written, and lets writing go on once one is answered; the answers in
/// the order in which they came.
fn twice_while_held(app: &TestApp, client: &Client) -> [Response; 2] {
    let release = hold_writes(app);
    let (sender, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let sender = sender.clone();
            scope.spawn(move || sender.send(client.post(FUNDS, &fund("危房改造资金"))).unwrap());
        }
        let first = answers.recv().unwrap();
        release();
        [first, answers.recv().unwrap()]
    })
}

both_engines! {
    fn a_fund_that_is_posted_twice_under_a_key_is_one_fund(app) {
        let bureau = app.with_kaiyun();
        let client = keyed(&bureau, "8e03978e-40d5-43e8-bc93-6894a57f9324");
        let first = client.post(FUNDS, &fund("危房改造资金")).expect(201);
        let second = client.post(FUNDS, &fund("危房改造资金")).expect(201);
        assert_replayed(&first, &second);
        // Quotes around a key are no part of it.
        let third = keyed(&bureau, "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"").post(FUNDS, &fund("危房改造资金"));
        assert_replayed(&first, &third);
        assert_eq!(bureau.get(FUNDS).each("name"), ["危房改造资金"]);
        let events = bureau.get("/api/v1/events?type=jixiao.special_fund.created").each("subject");
        assert_eq!(events.len(), 1, "what is replayed is no change");
        // Without a key, or under another, it is another request.
        bureau.post(FUNDS, &fund("危房改造资金")).problem(409, "already-exists");
        keyed(&bureau, "other").post(FUNDS, &fund("危房改造资金")).problem(409, "already-exists");
        let minimal = client.with("Prefer", "return=minimal").post(FUNDS, &fund("危房改造资金")).expect(201);
        assert!(is_replayed(&minimal) && minimal.body.is_empty());
    }

    fn a_key_is_not_used_for_another_request(app) {
        let bureau = app.with_kaiyun();
        let client = keyed(&bureau, "k");
        client.post(FUNDS, &fund("甲")).expect(201);
        assert_reused(client.post(FUNDS, &fund("乙")));
        assert_reused(client.post("/api/v1/scoring-schemes/hunan-2019/copy", &json!({"id": "own"})));
        assert_reused(client.with("Content-Type", "application/json; charset=utf-8").post(FUNDS, &fund("甲")));
        assert_reused(client.post("/api/v1/special-funds?x=1", &fund("甲")));
        assert_eq!(bureau.get(FUNDS).each("name"), ["甲"]);
        // Where nothing is changed by POST, the key says nothing.
        let preview = json!({"scheme": "hunan-2019", "base_data": {}});
        for _ in 0..2 {
            assert!(!is_replayed(&client.post("/api/v1/scores:preview", &preview).expect(200)));
        }
    }

    fn a_key_is_the_tokens_own(app) {
        let bureau = app.with_kaiyun();
        let (one, other) = (keyed(&bureau, "k"), keyed(&app.unit(&["219001"]), "k"));
        let first = one.post(FUNDS, &fund("甲")).expect(201);
        let second = other.post(FUNDS, &fund("乙")).expect(201);
        assert!(!is_replayed(&second));
        assert_replayed(&first, &one.post(FUNDS, &fund("甲")));
        assert_replayed(&second, &other.post(FUNDS, &fund("乙")));
        // Whose token is none any more gets nothing, and who may not file does not get it either.
        keyed(&app.anonymous(), "k").post(FUNDS, &fund("甲")).problem(401, "unauthorized");
        keyed(&app.auditor(), "k").post(FUNDS, &fund("甲")).problem(403, "forbidden");
    }

    fn what_was_refused_may_be_sent_again_under_its_key(app) {
        let bureau = app.with_kaiyun();
        let client = keyed(&bureau, "k");
        let later = json!({"unit": "219002", "year": 2019, "name": "甲"});
        assert_eq!(client.post(FUNDS, &later).faults(), faults(&[("/unit", "unknown_unit")]));
        bureau.put("/api/v1/units/219002", &json!({"name": "某镇", "kind": "town"})).expect(201);
        assert!(!is_replayed(&client.post(FUNDS, &later).expect(201)));
        assert!(is_replayed(&client.post(FUNDS, &later).expect(201)));
    }

    fn what_is_no_key_is_refused(app) {
        let bureau = app.with_kaiyun();
        for bad in ["a b", "\"", "\"\"", "a\"b", "a\\b", "键", &"x".repeat(256)] {
            let problem = keyed(&bureau, bad).post(FUNDS, &fund("甲")).problem(400, "invalid-parameter");
            assert_eq!(problem["errors"][0]["header"], "Idempotency-Key", "{bad}: {problem}");
        }
        assert_eq!(bureau.get(FUNDS).each("id"), [""; 0]);
    }

    fn each_step_of_an_evaluation_is_taken_once(app) {
        let bureau = with_ready(app);
        let act = |key: &str, step: &str| keyed(&bureau, key).send("POST", &format!("{EVALUATION}/{step}"), None);
        let first = act("1", "submit").expect(200);
        assert_eq!(first.json()["state"], "submitted");
        let withdrawn = act("2", "withdraw").expect(200);
        // The answer of then, although it is a draft by now.
        assert_replayed(&first, &act("1", "submit"));
        assert_replayed(&withdrawn, &act("2", "withdraw"));
        assert_reused(act("1", "withdraw"));
        assert_eq!(act("3", "submit").expect(200).json()["submission"], 2);
        let reason = json!({"reason": "请更正"});
        let returned = || keyed(&bureau, "4").post(&format!("{EVALUATION}/return"), &reason);
        assert_replayed(&returned().expect(200), &returned());
        assert_reused(keyed(&bureau, "4").post(&format!("{EVALUATION}/return"), &json!({"reason": "另一理由"})));
        assert_eq!(bureau.get(&format!("{EVALUATION}/history")).each("action"), ["submit", "withdraw", "submit", "return"]);
    }

    fn what_was_done_is_not_shown_again_to_a_token_that_reaches_the_unit_no_more(app) {
        let bureau = with_ready(app);
        app.with_units(&[("300", None)]);
        let made = bureau.post("/api/v1/tokens", &json!({"name": "甲", "role": "unit", "units": ["219001"]})).expect(201);
        let client = app.client(made.json()["token"].as_str().unwrap());
        let post = || keyed(&client, "fund").post(FUNDS, &fund("危房改造资金"));
        let submit = || keyed(&client, "submit").send("POST", &format!("{EVALUATION}/submit"), None);
        let submitted = submit().expect(200);
        bureau.send("POST", &format!("{EVALUATION}/withdraw"), None).expect(200);
        let posted = post().expect(201);
        let bind = |unit: &str| bureau.patch(made.header("Location").unwrap(), &json!({"units": [unit]})).expect(200);
        bind("300");
        for again in [post(), submit()] {
            assert!(!is_replayed(&again));
            again.problem(403, "forbidden");
        }
        bind("219001");
        assert_replayed(&posted, &post());
        assert_replayed(&submitted, &submit());
    }

    fn a_year_is_opened_and_a_scheme_copied_once(app) {
        let bureau = keyed(&app.with_kaiyun(), "k1");
        let open = |client: &Client| client.post("/api/v1/fiscal-years/2019/roll-over", &json!({}));
        let first = open(&bureau).expect(201);
        assert_eq!(first.header("Location"), Some("/api/v1/fiscal-years/2020"));
        assert_replayed(&first, &open(&bureau));
        // A trial changes nothing, so it is none to be remembered.
        let tried = || bureau.post("/api/v1/fiscal-years/2020/roll-over?dry_run=true", &json!({})).expect(200);
        assert!(!is_replayed(&tried()) && !is_replayed(&tried()));
        let copy = || keyed(&bureau, "k2").post("/api/v1/scoring-schemes/hunan-2019/copy", &json!({"id": "own"}));
        assert_replayed(&copy().expect(201), &copy());
    }

    fn a_secret_is_shown_once_and_nowhere_kept(app) {
        let bureau = app.bureau();
        let make = || keyed(&bureau, "make").post("/api/v1/tokens", &json!({"name": "审计局", "role": "auditor"}));
        let made = make().expect(201);
        let secret = made.json()["token"].as_str().unwrap().to_owned();
        let again = make();
        assert_eq!((again.header("Location"), is_replayed(&again)), (made.header("Location"), true));
        again.problem(409, "secret-was-shown");
        assert_eq!(bureau.get("/api/v1/tokens?role=auditor").each("name"), ["审计局"]);

        let rotate = || keyed(&bureau, "rotate").send("POST", &format!("{}/rotate", made.header("Location").unwrap()), None);
        let renewed = rotate().expect(200).json()["token"].as_str().unwrap().to_owned();
        rotate().problem(409, "secret-was-shown");
        app.client(&renewed).get("/api/v1/units").expect(200);
        app.client(&secret).get("/api/v1/units").expect(401);
        assert_eq!(kept(app, "body"), ["", ""]);
        assert_reused(keyed(&bureau, "make").post("/api/v1/tokens", &json!({"name": "另一", "role": "auditor"})));
    }

    fn a_day_later_the_key_is_free_again_and_what_was_kept_is_gone(app) {
        let bureau = app.with_kaiyun();
        for n in 0..40 {
            keyed(&bureau, &format!("old-{n:02}")).post(FUNDS, &fund(&format!("旧{n}"))).expect(201);
        }
        let_a_day_pass(app);
        assert!(!is_replayed(&keyed(&bureau, "old-39").post(FUNDS, &fund("新")).expect(201)));
        assert_reused(keyed(&bureau, "old-39").post(FUNDS, &fund("旧39")));
        // Some go with each new key, so that no request has to clear up all of them.
        for n in 0..3 {
            keyed(&bureau, &format!("new-{n}")).post(FUNDS, &fund(&format!("新{n}"))).expect(201);
        }
        assert_eq!(kept(app, "key"), ["new-0", "new-1", "new-2", "old-39"]);
    }

    fn of_eight_that_send_the_same_at_once_one_does_it(app) {
        let bureau = app.with_kaiyun();
        let answers = at_once(8, |_| keyed(&bureau, "k").post(FUNDS, &fund("危房改造资金")));
        let created: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(created.iter().filter(|answer| !is_replayed(answer)).count(), 1);
        assert!(created.iter().all(|answer| answer.body == created[0].body));
        assert_eq!(count(&answers, 201) + count(&answers, 409), 8);
        assert_eq!(bureau.get(FUNDS).each("name"), ["危房改造资金"]);
    }

    fn while_the_first_is_worked_on_the_second_is_told_to_wait(app) {
        let bureau = keyed(&app.with_kaiyun(), "k");
        let [second, first] = twice_while_held(app, &bureau);
        assert_eq!(second.header("Retry-After"), Some("1"));
        second.problem(409, "request-running");
        assert_replayed(&first.expect(201), &bureau.post(FUNDS, &fund("危房改造资金")));
    }

    fn an_import_is_done_once_under_a_key(app) {
        let bureau = app.bureau().with("Content-Type", "application/x-ndjson");
        let send = |key: &str, query: &str, name: &str| {
            let row = json!({"code": "219001", "name": name, "kind": "town"}).to_string();
            keyed(&bureau, key).send("POST", &format!("/api/v1/imports?resource=units{query}"), Some(row.as_bytes()))
        };
        let first = send("k", "", "开云镇").expect(201);
        let second = send("k", "", "开云镇").expect(200);
        assert!(!is_replayed(&first) && is_replayed(&second));
        assert_eq!((&first.json()["id"], &first.json()["counts"]), (&second.json()["id"], &second.json()["counts"]));
        assert_reused(send("k", "", "另一镇"));
        assert_reused(send("k", "&mode=each", "开云镇"));
        // One that is refused has changed nothing: its key is free, also for the file that was put right.
        let send_lines = |lines: &str| keyed(&bureau, "r").send("POST", "/api/v1/imports?resource=units", Some(lines.as_bytes()));
        let line = |code: &str, kind: &str| format!("{}\n", json!({"code": code, "name": "某镇", "kind": kind}));
        let wrong = line("301", "town") + &line("302", "castle") + &line("303", "castle");
        let refused = || {
            let answer = send_lines(&wrong);
            let address = answer.header("Location").unwrap().to_owned();
            answer.problem(422, "import-refused");
            assert_eq!(bureau.get(&format!("{address}/faults")).each("row").len(), 2);
            address
        };
        let address = refused();
        assert_eq!(refused(), address);
        let right = line("301", "town") + &line("302", "town");
        let done = send_lines(&right).expect(201);
        assert_eq!(done.header("Location"), Some(&*address));
        assert_eq!((&done.json()["counts"]["created"], &done.json()["counts"]["faults"]), (&json!(2), &json!(0)));
        assert_eq!(bureau.get(&format!("{address}/faults")).each("row"), [""; 0]);
        assert!(is_replayed(&send_lines(&right).expect(200)));
        assert_reused(send_lines(&wrong));
        // An import that is named needs no key.
        send("k", "&id=own", "另一镇").expect(201);
        assert_eq!(bureau.get("/api/v1/units/219001").json()["name"], "另一镇");
    }

    fn every_post_that_changes_something_takes_a_key(app) {
        let document = app.anonymous().get("/openapi.json").expect(200).json();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let Some(post) = methods.get("post") else { continue };
            let named = post["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == "Idempotency-Key");
            // These change nothing.
            assert_ne!(named, path.ends_with(":preview") || path.ends_with("/ping"), "{path}");
        }
    }
}

#[test]
fn what_was_done_is_known_after_a_restart() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(app) = TestApp::start(engine) else { continue };
        app.with_kaiyun();
        let token = app.token(Role::Bureau, &[]);
        let send = |app: &TestApp| keyed(&app.client(&token), "k").post(FUNDS, &fund("危房改造资金"));
        let first = send(&app).expect(201);
        let app = app.restarted();
        assert_replayed(&first, &send(&app));
        assert_eq!(app.client(&token).get(FUNDS).each("name"), ["危房改造资金"]);
    }
}

#[test]
fn what_one_instance_did_another_does_not_do_again() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    app.with_kaiyun();
    let another = app.another();
    let token = app.token(Role::Bureau, &[]);
    let [here, there] = [&app, &another].map(|app| keyed(&app.client(&token), "k"));
    let first = here.post(FUNDS, &fund("危房改造资金")).expect(201);
    assert_replayed(&first, &there.post(FUNDS, &fund("危房改造资金")));
    assert_reused(there.post(FUNDS, &fund("另一资金")));

    // At the same moment: whoever comes second waits for the first, and gives its answer.
    let answers = at_once(8, |n| {
        let client = if n % 2 == 0 { &here } else { &there };
        keyed(client, "k2").post(FUNDS, &fund("扶贫资金"))
    });
    let created: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(created.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    assert!(created.iter().all(|answer| answer.body == created[0].body));
    assert_eq!(count(&answers, 201) + count(&answers, 409), 8);
    assert_eq!(here.get(FUNDS).each("name").len(), 2);
}
