//! What a year takes from the one before it, and what stays of a unit through the years and reforms (机构改革).

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use jixiao::db::AnyConnection;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::{TestApp, line};

const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";
const SHEET_BEFORE: &str = "/api/v1/units/219001/evaluations/2018/base-data";
const SCORE: &str = "/api/v1/units/219001/evaluations/2019/score";

/// The unit 219001 and the open years 2018 and 2019, both under `hunan-2019`.
fn two_years(app: &TestApp) -> Client {
    let bureau = app.with_kaiyun();
    bureau
        .put("/api/v1/fiscal-years/2018", &json!({"scheme": "hunan-2019"}))
        .expect(201);
    bureau
}

fn three_public(column: &str, amount: &str) -> Value {
    json!({"three_public": {"total": {column: amount}}})
}

/// A unit with some more fields.
fn unit(fields: Value) -> Value {
    let mut unit = json!({"name": "开云镇", "kind": "town"});
    unit.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    unit
}

/// Writes what a submission that counts writes, of a scheme with one section of 100 points.
fn stand(conn: &mut AnyConnection, code: &'static str, year: i64, points: Option<i64>) -> QueryResult<()> {
    let points = points.map(|points| points * 1_000_000);
    for statement in [
        "INSERT INTO evaluations (unit_code, year, state, base_data_version, assessments_version, created_at, updated_at) \
         VALUES ($1, $2, 'submitted', 1, 1, '', '')",
        "INSERT INTO standings (unit_code, year, unit_kind, state, submission, scheme_id, low, high, points, self_points) \
         VALUES ($1, $2, 'town', 'submitted', 1, 'hunan-2019', 0, 100000000, $3, $3)",
        "INSERT INTO standing_parts (unit_code, year, unit_kind, part, code, name, weight, points) \
         VALUES ($1, $2, 'town', 'section', 'process', '过程', 100000000, $3)",
        "INSERT INTO standing_parts (unit_code, year, unit_kind, part, code, name, weight, points) \
         VALUES ($1, $2, 'town', 'line', 'key_work', '重点工作', 100000000, $3)",
    ] {
        let query = diesel::sql_query(statement)
            .bind::<Text, _>(code)
            .bind::<BigInt, _>(year);
        match statement.contains("$3") {
            true => query.bind::<Nullable<BigInt>, _>(points).execute(conn)?,
            false => query.execute(conn)?,
        };
    }
    Ok(())
}

/// The figure that `three_public_change` took for last year's budget, and where it came from.
fn prior_budget(score: &Value) -> (Value, Value) {
    let inputs = line(score, "three_public_change")["inputs"].as_array().unwrap();
    let input = inputs
        .iter()
        .find(|input| input["name"] == "three_public.total.prior_budget")
        .unwrap();
    (input["value"].clone(), input["origin"].clone())
}

both_engines! {
    fn last_years_columns_that_were_left_out_are_those_of_the_sheet_of_the_year_before(app) {
        let bureau = two_years(app);
        bureau.put(SHEET, &three_public("budget", "4.96")).expect(201);
        let alone = bureau.get(SCORE).expect(200).json();
        assert_eq!((prior_budget(&alone), &alone["prior_base_data"]), ((Value::Null, Value::Null), &Value::Null));

        bureau.put(SHEET_BEFORE, &three_public("budget", "5.29")).expect(201);
        let score = bureau.get(SCORE).expect(200).json();
        assert_eq!(prior_budget(&score), (json!("5.29"), json!("prior_year")));
        assert_eq!(score["prior_base_data"], json!({"unit": "219001", "year": 2018, "version": 1}));
        // (4.96 − 5.29) / 5.29 is below 0: all 5 points.
        assert_eq!(line(&score, "three_public_change")["points"], "5");
        // What was filed is not touched by it.
        assert_eq!(bureau.get(SHEET).expect(200).json(), three_public("budget", "4.96"));

        bureau.patch(SHEET, &three_public("prior_budget", "4.5")).expect(200);
        let own = bureau.get(SCORE).expect(200).json();
        assert_eq!(prior_budget(&own), (json!("4.5"), json!("reported")));
    }

    fn a_score_follows_when_the_sheet_of_the_year_before_is_changed_or_taken_back(app) {
        let bureau = two_years(app);
        bureau.put(SHEET, &three_public("budget", "4.96")).expect(201);
        let mut tags = vec![bureau.get(SCORE).expect(200).etag()];
        let mut seen = |budget: Value| {
            let answer = bureau.get(SCORE).expect(200);
            assert_eq!(prior_budget(&answer.json()).0, budget);
            assert!(!tags.contains(&answer.etag()), "the tag is another for another score");
            bureau.with("If-None-Match", &answer.etag()).get(SCORE).expect(304);
            tags.push(answer.etag());
        };
        bureau.put(SHEET_BEFORE, &three_public("budget", "5.29")).expect(201);
        seen(json!("5.29"));
        bureau.put(SHEET_BEFORE, &three_public("budget", "5.3")).expect(200);
        seen(json!("5.3"));
        bureau.delete(SHEET_BEFORE).expect(204);
        assert_eq!(prior_budget(&bureau.get(SCORE).expect(200).json()).0, Value::Null);
        // The first version of a new one, as 5.29 was.
        bureau.put(SHEET_BEFORE, &three_public("budget", "6")).expect(201);
        seen(json!("6"));
    }

    fn a_preview_takes_the_sheet_of_the_year_before_too(app) {
        let auditor = app.auditor();
        let input = json!({"scheme": "hunan-2019", "base_data": three_public("budget", "4.96"),
            "prior_base_data": three_public("budget", "5.29")});
        let score = auditor.post("/api/v1/scores:preview", &input).expect(200).json();
        assert_eq!(prior_budget(&score), (json!("5.29"), json!("prior_year")));
    }

    fn a_unit_that_was_renamed_has_last_years_columns_from_its_old_code(app) {
        let bureau = two_years(app);
        bureau.put("/api/v1/units/219000", &unit(json!({"valid_to": 2018}))).expect(201);
        bureau.patch("/api/v1/units/219001", &json!({"valid_from": 2019, "predecessors": ["219000"]})).expect(200);
        let before = "/api/v1/units/219000/evaluations/2018/base-data";
        bureau.put(before, &three_public("budget", "5.29")).expect(201);
        bureau.put(SHEET, &three_public("budget", "4.96")).expect(201);
        let score = bureau.get(SCORE).expect(200).json();
        assert_eq!(prior_budget(&score), (json!("5.29"), json!("prior_year")));
        assert_eq!(score["prior_base_data"]["unit"], "219000");
        bureau.patch(before, &three_public("budget", "5.3")).expect(200);
        assert_eq!(prior_budget(&bureau.get(SCORE).expect(200).json()).0, "5.3");

        // Of two that were merged, neither is the year before; nor is one of which two continue.
        bureau.put("/api/v1/units/219002", &unit(json!({}))).expect(201);
        bureau.patch("/api/v1/units/219001", &json!({"predecessors": ["219000", "219002"]})).expect(200);
        assert_eq!(bureau.get(SCORE).expect(200).json()["prior_base_data"], Value::Null);
        bureau.patch("/api/v1/units/219001", &json!({"predecessors": ["219000"]})).expect(200);
        bureau.put("/api/v1/units/219003", &unit(json!({"predecessors": ["219000"]}))).expect(201);
        assert_eq!(bureau.get(SCORE).expect(200).json()["prior_base_data"], Value::Null);
    }

    fn a_unit_files_only_for_the_years_that_it_is_there(app) {
        let bureau = two_years(app);
        bureau.patch("/api/v1/units/219001", &json!({"valid_from": 2019, "valid_to": 2019})).expect(200);
        let refused = bureau.put(SHEET_BEFORE, &json!({})).problem(409, "unit-not-valid");
        assert_eq!(refused["errors"][0]["parameter"], "year");
        assert!(refused["detail_zh"].as_str().unwrap().contains("自2019年度起填报，不填报2018年度"), "{refused}");
        let fund = json!({"unit": "219001", "year": 2018, "name": "危房改造"});
        assert_eq!(bureau.put("/api/v1/special-funds/a", &fund).faults(), faults(&[("/year", "outside_validity")]));
        bureau.put(SHEET, &json!({})).expect(201);
        // A year that is filed for is not left out afterwards.
        assert_eq!(bureau.patch("/api/v1/units/219001", &json!({"valid_to": 2018})).faults(), faults(&[("/valid_to", "out_of_order")]));
        assert_eq!(bureau.patch("/api/v1/units/219001", &json!({"valid_from": null, "valid_to": 2018})).faults(),
            faults(&[("/valid_to", "year_in_use")]));
        assert_eq!(bureau.patch("/api/v1/units/219001", &json!({"valid_from": 2020, "valid_to": null})).faults(),
            faults(&[("/valid_from", "year_in_use")]));
    }

    fn the_prefilled_sheet_says_what_it_filled_in_and_can_be_sent_as_it_is(app) {
        let bureau = two_years(app);
        let prefilled = || bureau.get(&format!("{SHEET}/prefilled")).expect(200).json();
        assert_eq!(prefilled(), json!({"base_data": {}, "prefilled": []}));
        bureau.put(SHEET_BEFORE, &json!({
            "procurement": {"budget": "30", "final": "28"}, "staff": {"posts": 171},
            "project_expenditure": {"special_funds": [{"name": "危房改造", "final": "326"}]}
        })).expect(201);
        let filled = json!({
            "procurement": {"prior_final": "28"},
            "project_expenditure": {"special_funds": [{"name": "危房改造", "prior_final": "326"}]}
        });
        let from = |pointer: &str| json!({"pointer": pointer, "from_year": 2018, "unit": "219001"});
        assert_eq!(prefilled(), json!({"base_data": filled, "prefilled": [
            from("/procurement/prior_final"), from("/project_expenditure/special_funds/0/prior_final"),
        ]}));
        assert_eq!(bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json()["state"], "not_started");
        bureau.put(SHEET, &prefilled()["base_data"]).expect(201);
        assert_eq!(prefilled(), json!({"base_data": filled, "prefilled": []}));
    }

    fn the_completeness_of_a_year_names_what_is_missing_for_which_line(app) {
        let bureau = two_years(app);
        bureau.put(SHEET_BEFORE, &three_public("budget", "5.29")).expect(201);
        bureau.put(SHEET, &json!({"staff": {"in_post": 104}})).expect(201);
        let found = bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json()["completeness"].clone();
        // Staff in post, and last year's budget of the three public expenses: 2 of 31.
        assert_eq!((&found["filled"], &found["needed"], &found["percent"]), (&json!(2), &json!(31), &json!(6)));
        let line = &found["indicators"][0];
        assert_eq!((&line["code"], &line["filled"], &line["needed"]), (&json!("in_post_control"), &json!(1), &json!(2)));
        assert_eq!(line["missing"][0]["pointer"], "/staff/posts");
        let three_public = &found["base_data"][2];
        assert_eq!((&three_public["group"], &three_public["filled"], &three_public["from_prior_year"]),
            (&json!("three_public"), &json!(1), &json!(1)));
    }

    fn a_trend_follows_a_unit_through_a_new_code_and_a_merger(app) {
        let bureau = app.bureau();
        for year in 2016..=2020 {
            bureau.put(&format!("/api/v1/fiscal-years/{year}"), &json!({"scheme": "hunan-2019"})).expect(201);
        }
        for (code, fields) in [
            ("101", json!({})), ("102", json!({})), ("201", json!({"predecessors": ["102", "101"]})),
            ("301", json!({"valid_from": 2019, "predecessors": ["201"]})), ("900", json!({})),
        ] {
            bureau.put(&format!("/api/v1/units/{code}"), &unit(fields)).expect(201);
        }
        // 101 and 102 until 2017, 201 in 2018, 301 from 2019 on. What 101 filed in 2018 is not of this line any more.
        for (code, year, points) in [
            ("101", 2016, Some(80)), ("101", 2017, Some(82)), ("101", 2018, Some(50)), ("102", 2017, Some(91)),
            ("201", 2018, Some(85)), ("301", 2019, Some(88)), ("301", 2020, None), ("900", 2018, Some(1)),
        ] {
            app.write(move |conn| Ok(stand(conn, code, year, points)?));
        }
        let trend = bureau.get("/api/v1/units/301/trend").expect(200).json();
        let rows: Vec<_> = trend["years"].as_array().unwrap().iter()
            .map(|row| (row["year"].as_i64().unwrap(), row["unit"].as_str().unwrap(), row["relation"].as_str().unwrap(),
                row["points"].as_str(), row["change"]["points"].as_str(), row["change"]["from_unit"].as_str()))
            .collect();
        assert_eq!(rows, [
            (2016, "101", "merged", Some("80"), None, None),
            (2017, "101", "merged", Some("82"), Some("2"), Some("101")),
            (2017, "102", "merged", Some("91"), None, None),
            // Of two units, neither is the year before.
            (2018, "201", "renamed", Some("85"), None, None),
            (2019, "301", "same", Some("88"), Some("3"), Some("201")),
            (2020, "301", "same", None, None, Some("301")),
        ]);
        let row = &trend["years"][4];
        assert_eq!(row["sections"], json!([{"code": "process", "name": "过程", "weight": "100", "points": "88"}]));
        assert_eq!((&row["full_marks"], &row["state"], &row["link"]),
            (&json!("100"), &json!("submitted"), &json!("/api/v1/units/301/evaluations/2019")));
        // Who sees the unit sees the years of those that it continues.
        assert_eq!(app.unit(&["301"]).get("/api/v1/units/301/trend").expect(200).json(), trend);
        app.unit(&["101"]).get("/api/v1/units/301/trend").problem(403, "forbidden");
        bureau.get("/api/v1/units/999/trend").problem(404, "not-found");
        assert_eq!(bureau.get("/api/v1/units/102/trend").expect(200).json()["years"].as_array().unwrap().len(), 1);
    }
}
