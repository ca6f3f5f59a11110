//! Fiscal years over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::example;

const YEAR: &str = "/api/v1/fiscal-years/2019";

fn under(scheme: &str) -> Value {
    json!({ "scheme": scheme })
}

/// Stores open years under `hunan-2019`.
fn store_years(client: &Client, years: &[i64]) {
    for year in years {
        client
            .put(&format!("/api/v1/fiscal-years/{year}"), &under("hunan-2019"))
            .expect(201);
    }
}

both_engines! {
    fn a_year_is_set_up_read_replaced_and_deleted(app) {
        let bureau = app.bureau();
        let year = json!({"scheme": "hunan-2019", "notice_number": "山财绩〔2020〕176号", "opens_on": "2020-03-01", "closes_on": "2020-06-30", "status": "open"});
        let created = bureau.put(YEAR, &year).expect(201);
        assert_eq!(created.header("Location"), Some(YEAR));
        let read = bureau.get(YEAR).expect(200);
        assert_eq!((read.json(), read.etag()), (created.json(), created.etag()));
        for (name, value) in year.as_object().unwrap() {
            assert_eq!(&read.json()[name], value, "{name}");
        }
        assert_eq!((&read.json()["year"], &read.json()["version"]), (&json!(2019), &json!(1)));
        let replaced = bureau.put(YEAR, &under("hunan-2019")).expect(200).json();
        assert_eq!((&replaced["version"], &replaced["notice_number"]), (&json!(2), &Value::Null));
        bureau.delete(YEAR).expect(204);
        for answer in [bureau.get(YEAR), bureau.delete(YEAR), bureau.patch(YEAR, &json!({}))] {
            answer.problem(404, "not-found");
        }
    }

    fn the_same_put_twice_changes_nothing(app) {
        let bureau = app.bureau();
        let created = bureau.put(YEAR, &example("kaiyun-2019/fiscal-year.json")).expect(201);
        let again = bureau.put(YEAR, &example("kaiyun-2019/fiscal-year.json")).expect(200);
        assert_eq!((again.json(), again.etag()), (created.json(), created.etag()));
        // What is left out has a usual value, and saying it changes nothing either.
        store_years(&bureau, &[2020]);
        let said = json!({"scheme": "hunan-2019", "status": "open", "opens_on": null, "closes_on": null, "notice_number": null});
        assert_eq!(bureau.put("/api/v1/fiscal-years/2020", &said).expect(200).json()["version"], 1);
    }

    fn a_year_is_a_number_from_1990_to_2100(app) {
        let bureau = app.bureau();
        for year in ["1989", "2101", "19", "02019", "2019.0", "二〇一九", "-2019", "2019%20"] {
            let path = format!("/api/v1/fiscal-years/{}", year.replace("二〇一九", "%E4%BA%8C"));
            assert_eq!(bureau.put(&path, &under("hunan-2019")).parameters(), faults(&[("year", "invalid_value")]), "{year}");
        }
        store_years(&bureau, &[1990, 2100]);
    }

    fn the_scheme_must_exist_and_have_weights(app) {
        let bureau = app.bureau();
        assert_eq!(bureau.put(YEAR, &under("hunan-1919")).faults(), faults(&[("/scheme", "unknown_scheme")]));
        let templates = bureau.get("/api/v1/scoring-schemes?template=true").each("id");
        assert!(!templates.is_empty(), "there is a built-in template to try");
        for template in templates {
            assert_eq!(bureau.put(YEAR, &under(&template)).faults(), faults(&[("/scheme", "template")]), "{template}");
        }
        bureau.get(YEAR).problem(404, "not-found");
        let before = bureau.put(YEAR, &under("hunan-2019")).expect(201).json();
        assert_eq!(bureau.patch(YEAR, &under("hunan-1919")).faults(), faults(&[("/scheme", "unknown_scheme")]));
        assert_eq!(bureau.get(YEAR).json(), before);
    }

    fn every_fault_of_a_year_is_named_at_once(app) {
        let bureau = app.bureau();
        let year = json!({"shceme": "hunan-2019", "status": "shut", "opens_on": 20200301, "closes_on": "2020/06/30", "notice_number": ""});
        assert_eq!(bureau.put(YEAR, &year).faults(), faults(&[
            ("/closes_on", "pattern"), ("/notice_number", "pattern"), ("/notice_number", "too_short"), ("/opens_on", "wrong_type"),
            ("/scheme", "missing_field"), ("/shceme", "unknown_field"), ("/status", "not_one_of"),
        ]));
        let year = json!({"scheme": "hunan-1919", "opens_on": "2020-06-30", "closes_on": "2020-06-29"});
        assert_eq!(bureau.put(YEAR, &year).faults(), faults(&[("/scheme", "unknown_scheme"), ("/closes_on", "out_of_order")]));
    }

    fn days_must_exist(app) {
        let bureau = app.bureau();
        let closing = |day: &str| json!({"scheme": "hunan-2019", "closes_on": day});
        // 2020 is a leap year, 2019 and 2100 are none.
        for day in ["2019-02-29", "2100-02-29", "2020-13-01", "2020-00-10", "2020-04-31", "2020-06-00"] {
            assert_eq!(bureau.put(YEAR, &closing(day)).faults(), faults(&[("/closes_on", "invalid_value")]), "{day}");
        }
        for day in ["2020-6-30", "20200630", "2020-06-30T00:00:00Z", "1989-12-31", "2200-01-01", "", "２０２０-06-30"] {
            assert_eq!(bureau.put(YEAR, &closing(day)).faults(), faults(&[("/closes_on", "pattern")]), "{day}");
        }
        bureau.put(YEAR, &closing("2020-02-29")).expect(201);
    }

    fn every_day_that_does_not_exist_is_named(app) {
        let year = json!({"scheme": "hunan-2019", "opens_on": "2019-02-29", "closes_on": "2019-04-31"});
        let found = app.bureau().put(YEAR, &year).faults();
        assert_eq!(found, faults(&[("/closes_on", "invalid_value"), ("/opens_on", "invalid_value")]));
    }

    fn the_last_day_is_not_before_the_first(app) {
        let bureau = app.bureau();
        let window = |opens: &str, closes: &str| json!({"scheme": "hunan-2019", "opens_on": opens, "closes_on": closes});
        assert_eq!(bureau.put(YEAR, &window("2020-03-02", "2020-03-01")).faults(), faults(&[("/closes_on", "out_of_order")]));
        let before = bureau.put(YEAR, &window("2020-03-01", "2020-03-01")).expect(201).json();
        // A patch is judged by what results from it.
        assert_eq!(bureau.patch(YEAR, &json!({"opens_on": "2020-03-02"})).faults(), faults(&[("/closes_on", "out_of_order")]));
        assert_eq!(bureau.get(YEAR).json(), before);
        bureau.patch(YEAR, &json!({"opens_on": "2020-03-02", "closes_on": null})).expect(200);
    }

    fn a_patch_changes_what_it_names_and_null_takes_away(app) {
        let bureau = app.bureau();
        bureau.put(YEAR, &json!({"scheme": "hunan-2019", "notice_number": "1号", "closes_on": "2020-06-30"})).expect(201);
        let closed = bureau.patch(YEAR, &json!({"status": "closed", "notice_number": null})).expect(200).json();
        assert_eq!(
            (&closed["status"], &closed["notice_number"], &closed["closes_on"], &closed["version"]),
            (&json!("closed"), &Value::Null, &json!("2020-06-30"), &json!(2))
        );
        // Without a status a year is open.
        assert_eq!(bureau.patch(YEAR, &json!({"status": null})).expect(200).json()["status"], "open");
        for (patch, expected) in [
            (json!({"scheme": null}), ("/scheme", "missing_field")),
            (json!({"year": 2020}), ("/year", "unknown_field")),
            (json!([]), ("", "wrong_type")),
        ] {
            assert_eq!(bureau.patch(YEAR, &patch).faults(), faults(&[expected]), "{patch}");
        }
    }

    fn a_change_is_made_only_in_the_state_that_the_client_names(app) {
        let bureau = app.bureau();
        bureau.with("If-Match", "*").put(YEAR, &under("hunan-2019")).problem(412, "precondition-failed");
        let stale = bureau.with("If-None-Match", "*").put(YEAR, &under("hunan-2019")).expect(201).etag();
        bureau.with("If-None-Match", "*").put(YEAR, &under("hunan-2019")).problem(412, "precondition-failed");
        let current = bureau.with("If-Match", &stale).patch(YEAR, &json!({"status": "closed"})).expect(200).etag();
        let late = bureau.with("If-Match", &stale);
        for answer in [late.patch(YEAR, &json!({"status": "open"})), late.put(YEAR, &under("hunan-2019")), late.delete(YEAR)] {
            answer.problem(412, "precondition-failed");
        }
        assert_eq!(bureau.get(YEAR).etag(), current);
        bureau.with("If-None-Match", &current).get(YEAR).expect(304);
        bureau.with("If-None-Match", &stale).get(YEAR).expect(200);
        bureau.with("If-Match", &current).delete(YEAR).expect(204);
    }

    fn lists_go_by_year_and_status_in_pages(app) {
        let bureau = app.bureau();
        store_years(&bureau, &[2018, 2019, 2020, 2021, 2022]);
        for year in [2018, 2020] {
            bureau.patch(&format!("/api/v1/fiscal-years/{year}"), &json!({"status": "closed"})).expect(200);
        }
        for (query, years) in [
            ("", &["2018", "2019", "2020", "2021", "2022"][..]),
            ("?order=desc", &["2022", "2021", "2020", "2019", "2018"]),
            ("?status=closed", &["2018", "2020"]),
            ("?status=open&order=desc", &["2022", "2021", "2019"]),
            ("?limit=2", &["2018", "2019"]),
            ("?limit=2&cursor=2019", &["2020", "2021"]),
            ("?limit=2&cursor=2021", &["2022"]),
            ("?status=open&order=desc&limit=2&cursor=2022", &["2021", "2019"]),
        ] {
            assert_eq!(bureau.get(&format!("/api/v1/fiscal-years{query}")).each("year"), years, "{query}");
        }
        let page = bureau.get("/api/v1/fiscal-years?limit=2&status=open").expect(200);
        assert_eq!(page.json()["next_cursor"], "2021");
        assert_eq!(page.header("Link"), Some("</api/v1/fiscal-years?limit=2&status=open&cursor=2021>; rel=\"next\""));
        let last = bureau.get("/api/v1/fiscal-years?limit=2&status=open&cursor=2021").expect(200);
        assert_eq!((last.header("Link"), &last.json()["next_cursor"]), (None, &Value::Null));
    }

    fn a_year_with_evaluations_or_funds_stays(app) {
        let bureau = app.with_kaiyun();
        let refused = |errors: &[(&str, &str)]| {
            let problem = bureau.delete(YEAR).problem(409, "referenced");
            let found: Vec<_> = problem["errors"].as_array().unwrap().iter()
                .map(|error| (error["code"].as_str().unwrap(), error["detail_zh"].as_str().unwrap())).collect();
            assert_eq!(found, errors);
        };
        let sheet = "/api/v1/units/219001/evaluations/2019/base-data";
        bureau.put(sheet, &json!({})).expect(201);
        refused(&[("evaluations", "1份绩效自评")]);
        bureau.put("/api/v1/special-funds/f1", &json!({"unit": "219001", "year": 2019, "name": "资金"})).expect(201);
        refused(&[("evaluations", "1份绩效自评"), ("special_funds", "1项专项资金")]);
        bureau.delete(sheet).expect(204);
        refused(&[("special_funds", "1项专项资金")]);
        bureau.delete("/api/v1/special-funds/f1").expect(204);
        bureau.delete(YEAR).expect(204);
    }
}
