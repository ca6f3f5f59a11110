//! What a year takes from the one before it.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::Client;
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
}
