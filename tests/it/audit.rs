//! The audit trail: who changed what, with what was there before; and that tampering shows.

use diesel::RunQueryDsl;
use jixiao::audit::verify::{Fault, verify};
use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::TestApp;
use crate::support::client::{Client, faults};

const AUDIT: &str = "/api/v1/audit";
const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";

/// One member of each entry that fits a query.
fn each(client: &Client, query: &str, member: &str) -> Vec<Value> {
    client.all(&format!("{AUDIT}?{query}"), member)
}

/// What verification finds.
fn found(app: &TestApp, anchors: &[&str]) -> Vec<Fault> {
    let anchors: Vec<_> = anchors.iter().map(|anchor| anchor.parse().unwrap()).collect();
    verify(&mut app.connect(), &anchors).unwrap().faults
}

/// Changes the database as one would who has it in hand.
fn sql(app: &TestApp, statement: &str) {
    diesel::sql_query(statement).execute(&mut app.connect()).unwrap();
}

both_engines! {
    fn an_entry_says_who_did_what_from_where_and_what_was_there_before_and_after(app) {
        app.with_kaiyun();
        let token = app.token(Role::Unit, &["219001"]);
        let unit = app.client(&token).with("X-Request-Id", "filing-7");
        unit.put(SHEET, &json!({"staff": {"posts": 171}})).expect(201);
        unit.patch(SHEET, &json!({"staff": {"in_post": 104}})).expect(200);
        unit.delete(SHEET).expect(204);
        let auditor = app.auditor();
        let trail = auditor.get(&format!("{AUDIT}?resource=base_data")).expect(200).json();
        let [first, second, third] = trail["items"].as_array().unwrap().as_slice() else { panic!("{trail}") };
        let (one, two) = (json!({"staff": {"posts": 171}}), json!({"staff": {"posts": 171, "in_post": 104}}));
        for (entry, action, before, after) in [
            (first, "created", &Value::Null, &one), (second, "updated", &one, &two), (third, "deleted", &two, &Value::Null),
        ] {
            assert_eq!((&entry["action"], &entry["before"], &entry["after"]), (&json!(action), before, after), "{entry}");
            assert_eq!(entry["actor"].as_str(), token.split('_').nth(1), "{entry}");
            for (member, expected) in [("actor_name", json!("test")), ("role", json!("unit")), ("request_id", json!("filing-7")),
                ("address", json!("127.0.0.1")), ("key", json!(SHEET)), ("unit", json!("219001")), ("year", json!(2019))] {
                assert_eq!(entry[member], expected, "{member}: {entry}");
            }
        }
        // What is filed anew is not what was deleted.
        unit.put(SHEET, &json!({})).expect(201);
        assert_eq!(each(&auditor, "resource=base_data&order=desc&limit=1", "before")[0], Value::Null);
    }

    fn the_trail_is_filtered_by_unit_year_actor_address_thing_and_time_and_comes_in_pages(app) {
        let bureau = app.with_kaiyun();
        let token = app.token(Role::Unit, &["219001"]);
        app.client(&token).put(SHEET, &json!({})).expect(201);
        bureau.put("/api/v1/units/300", &json!({"name": "别处", "kind": "town"})).expect(201);
        let id = token.split('_').nth(1).unwrap();
        let keys = |query: &str| each(&bureau, query, "key");
        assert_eq!(keys("unit=219001"), ["/api/v1/units/219001", SHEET]);
        assert_eq!(keys("year=2019"), ["/api/v1/fiscal-years/2019", SHEET]);
        assert_eq!(keys(&format!("actor={id}")), [SHEET]);
        assert_eq!(keys("key=/api/v1/units/300"), ["/api/v1/units/300"]);
        assert_eq!(keys("resource=unit&action=created&order=desc"), ["/api/v1/units/300", "/api/v1/units/219001"]);
        assert_eq!(keys("resource=unit&action=updated"), [""; 0]);
        let all = each(&bureau, "limit=200", "seq");
        assert_eq!(all, (1..=all.len()).map(Value::from).collect::<Vec<_>>());
        assert_eq!(each(&bureau, "limit=2&order=desc", "seq"), all.iter().rev().cloned().collect::<Vec<_>>());
        // A moment is in what begins with it and not in what ends before it.
        let times = each(&bureau, "limit=200", "at");
        let at = times[3].as_str().unwrap();
        assert!(each(&bureau, &format!("from={at}"), "at").contains(&times[3]));
        assert!(!each(&bureau, &format!("to={at}"), "at").contains(&times[3]));
        assert_eq!(each(&bureau, "from=2199-01-01T00:00:00Z", "seq"), [0; 0]);
        assert_eq!(bureau.get(&format!("{AUDIT}?from=yesterday&resource=cat")).parameters(),
            faults(&[("from", "invalid_value"), ("resource", "invalid_value")]));
        app.client(&token).get(AUDIT).problem(403, "forbidden");
    }

    fn what_was_there_before_is_found_also_of_what_went_from_one_unit_to_another(app) {
        let bureau = app.with_units(&[("101", None), ("102", None)]);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"})).expect(201);
        let fund = "/api/v1/special-funds/repairs";
        // There and back again: the change before the last one of the fund is not the last one among those of its unit.
        for (unit, status) in [("101", 201), ("102", 200), ("101", 200)] {
            bureau.put(fund, &json!({"unit": unit, "year": 2019, "name": "危房改造"})).expect(status);
        }
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019", "notice_number": "衡财绩〔2020〕1号"})).expect(200);
        let documents = each(&bureau, &format!("key={fund}"), "before");
        assert_eq!(documents.iter().map(|before| &before["unit"]).collect::<Vec<_>>(), [&Value::Null, &json!("101"), &json!("102")]);
        let year = each(&bureau, "key=/api/v1/fiscal-years/2019", "before");
        assert_eq!(year.iter().map(|before| &before["scheme"]).collect::<Vec<_>>(), [&Value::Null, &json!("hunan-2019")]);
    }

    fn a_trail_that_nobody_has_touched_is_whole_and_holds_what_was_noted_down(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &json!({"staff": {"posts": 1}})).expect(201);
        let hash = each(&bureau, "order=desc&limit=1", "hash")[0].as_str().unwrap().to_owned();
        let seq = each(&bureau, "order=desc&limit=1", "seq")[0].clone();
        bureau.delete(SHEET).expect(204);
        assert_eq!(found(app, &[&format!("{seq}:{hash}")]), []);
        let other = format!("{seq}:{}", "0".repeat(64));
        assert_eq!(found(app, &[&other]), [Fault::NotAsNoted(seq.as_i64().unwrap())]);
        let beyond = format!("1000:{hash}");
        assert_eq!(found(app, &[&beyond]), [Fault::NotAsNoted(1000)]);
    }

    fn whatever_is_altered_taken_out_or_put_in_shows(app) {
        app.with_units(&[("101", None), ("102", None), ("103", None)]);
        let last = each(&app.bureau(), "limit=200", "seq").len() as i64;
        for (column, value) in [("after", "'{}'"), ("actor", "'me'"), ("actor_name", "'another'"), ("at", "'2020'"), ("key", "'/'"),
            ("role", "'unit'"), ("request_id", "NULL"), ("address", "NULL"), ("action", "'deleted'"), ("resource", "'x'"),
            ("unit_code", "NULL"), ("year", "1999")] {
            sql(app, &format!("CREATE TABLE kept AS SELECT * FROM changes WHERE seq = {}", last - 2));
            sql(app, &format!("UPDATE changes SET {column} = {value} WHERE seq = {}", last - 2));
            assert_eq!(found(app, &[]), [Fault::Altered(last - 2)], "{column}");
            sql(app, &format!("DELETE FROM changes WHERE seq = {}", last - 2));
            assert_eq!(found(app, &[]), [Fault::Missing(last - 2, last - 2)]);
            sql(app, "INSERT INTO changes SELECT * FROM kept");
            assert_eq!(found(app, &[]), [], "{column}");
            sql(app, "DROP TABLE kept");
        }
        // Another hash for a change breaks the one after it too.
        sql(app, &format!("UPDATE changes SET hash = '{}' WHERE seq = {}", "f".repeat(64), last - 2));
        assert_eq!(found(app, &[]), [Fault::Altered(last - 2), Fault::Altered(last - 1)]);
        // The end cut off.
        sql(app, &format!("DELETE FROM changes WHERE seq >= {}", last - 2));
        assert_eq!(found(app, &[]), [Fault::Missing(last - 2, last)]);
        sql(app, &format!("UPDATE change_head SET seq = {}", last - 3));
        assert_eq!(found(app, &[]), [Fault::WrongEnd(last - 3)]);
        sql(app, &format!("UPDATE change_head SET seq = {}", last - 4));
        assert_eq!(found(app, &[]), [Fault::Surplus(last - 3)]);
    }
}
