//! What a unit wrote itself, beside what follows from its figures.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{faults, pointers};
use crate::support::{Client, line};

const YEAR: &str = "/api/v1/units/219001/evaluations/2019";
const CLAIMS: &str = "/api/v1/units/219001/evaluations/2019/claims";

/// Files a sheet under `hunan-2019`: 104 of 171 posts, three public expenses 63.46 after 32 (final accounts 29.08), and
/// 96% of the budget spent.
fn file(bureau: &Client) {
    let sheet = json!({
        "staff": {"posts": 171, "in_post": 104},
        "three_public": {"total": {"prior_final": "29.08", "prior_budget": "32", "budget": "63.46"}},
        "budget": {"carried_in": "0", "initial": "100", "supplementary": "0", "carried_out": "4"}
    });
    bureau.put(&format!("{YEAR}/base-data"), &sheet).expect(201);
}

/// The findings about claims: check, line, cause, and the values of the figures.
fn findings(bureau: &Client) -> Vec<(String, Value, Value, Vec<String>)> {
    let answer = bureau.get(&format!("{YEAR}/checks")).expect(200).json();
    let findings = answer["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["check"].as_str().unwrap().starts_with("claimed_"))
        .map(|finding| {
            let figures = finding["figures"].as_array().unwrap().iter();
            let values = figures
                .map(|figure| figure["value"].as_str().unwrap().to_owned())
                .collect();
            let check = finding["check"].as_str().unwrap().to_owned();
            (check, finding["line"].clone(), finding["cause"]["code"].clone(), values)
        })
        .collect()
}

fn found(check: &str, line: &str, cause: Value, values: &[&str]) -> (String, Value, Value, Vec<String>) {
    let line = if line.is_empty() { Value::Null } else { json!(line) };
    (
        check.to_owned(),
        line,
        cause,
        values.iter().map(|value| (*value).to_owned()).collect(),
    )
}

both_engines! {
    fn claims_stand_beside_their_lines_and_change_no_score(app) {
        let bureau = app.with_kaiyun();
        file(&bureau);
        let before = bureau.get(&format!("{YEAR}/score")).expect(200).json();
        let claims = json!({"lines": {"in_post_control": {"ratio": "60.820%", "points": "4"}}, "total": 97});
        let filed = bureau.put(CLAIMS, &claims).expect(201).json();
        assert_eq!(filed, json!({"lines": {"in_post_control": {"ratio": "60.820%", "points": "4"}}, "total": "97"}));
        let mut score = bureau.get(&format!("{YEAR}/score")).expect(200).json();
        assert_eq!(line(&score, "in_post_control")["claimed"], json!({"ratio": "60.820%", "points": "4"}));
        assert_eq!(line(&score, "in_post_control")["points"], "5");
        for line in score["lines"].as_array_mut().unwrap() {
            line.as_object_mut().unwrap().remove("claimed");
        }
        assert_eq!(score, before, "and nothing else is different");
    }

    fn each_difference_is_a_finding_with_both_numbers_and_the_probable_cause(app) {
        let bureau = app.with_kaiyun();
        file(&bureau);
        assert_eq!(findings(&bureau), []);
        let agreeing = json!({"lines": {
            // 104/171 = 60.8187%: rounded, or cut off.
            "in_post_control": {"ratio": "60.81%", "points": "5"},
            // (63.46 − 32)/32 = 98.3125%: 98 steps of 0.5 leave nothing of 5.
            "three_public_change": {"ratio": "98.31%", "points": "0"},
            // Nobody judged it yet: up to 8 points are possible.
            "key_work": {"points": "8"},
        }, "total": "80"});
        bureau.put(CLAIMS, &agreeing).expect(201);
        assert_eq!(findings(&bureau), []);
        let differing = json!({"lines": {
            // 171/104 = 164.42%
            "in_post_control": {"ratio": "164.42%", "points": "5"},
            // (63.46 − 29.08)/29.08 = 118.23%
            "three_public_change": {"ratio": "118.23%", "points": "0"},
            // 96% under 每低于5%扣2分 is no whole step; a started one would cost 2 of 5.
            "budget_completion": {"ratio": "96%", "points": "3"},
            "key_work": {"points": "9"},
        }, "total": "100"});
        bureau.put(CLAIMS, &differing).expect(200);
        // 104/171, 31.46/32 in percent. Of the 100 points 5 are lost for certain: those of three_public_change.
        assert_eq!(findings(&bureau), [
            found("claimed_ratio", "in_post_control", json!("swapped_fraction"), &["164.42", "60.818713"]),
            found("claimed_ratio", "three_public_change", json!("prior_final_for_prior_budget"), &["118.23", "98.3125"]),
            found("claimed_points", "budget_completion", json!("started_steps_counted"), &["3", "5"]),
            found("claimed_points", "key_work", Value::Null, &["9", "0", "8"]),
            // In post 5, completion 5 and control 5 are decided: nothing supplementary is 0%.
            found("claimed_total", "", Value::Null, &["100", "15", "95"]),
        ]);
    }

    fn a_total_is_added_up_once_every_line_is_claimed(app) {
        let bureau = app.with_kaiyun();
        file(&bureau);
        let score = bureau.get(&format!("{YEAR}/score")).expect(200).json();
        let lines: serde_json::Map<String, Value> = score["lines"].as_array().unwrap().iter()
            .map(|line| (line["code"].as_str().unwrap().to_owned(), json!({"points": line["interval"]["low"]})))
            .collect();
        // The least of every line: 5 + 5 + 5, see above.
        bureau.put(CLAIMS, &json!({"lines": lines, "total": "15"})).expect(201);
        assert_eq!(findings(&bureau), []);
        bureau.patch(CLAIMS, &json!({"total": "16"})).expect(200);
        assert_eq!(findings(&bureau), [found("claimed_sum", "", Value::Null, &["16", "15"])]);
        // With one line less nothing can be added up.
        bureau.patch(CLAIMS, &json!({"lines": {"key_work": null}})).expect(200);
        assert_eq!(findings(&bureau), []);
    }

    fn claims_of_lines_that_cannot_be_and_ratios_that_cannot_be_read_are_refused(app) {
        let bureau = app.with_kaiyun();
        let unknown = json!({"lines": {"in_post": {"points": "5"}, "output_1": {}}});
        assert_eq!(bureau.put(CLAIMS, &unknown).faults(), faults(&[("/lines/in_post", "unknown_line"), ("/lines/output_1", "unknown_line")]));
        let unread = json!({"lines": {"key_work": {"ratio": "约60%", "points": "-1"}, "satisfaction": {"ratio": "60.82%%"}}, "totl": 1});
        assert_eq!(pointers(&bureau.put(CLAIMS, &unread).faults()),
            ["/lines/key_work/points", "/lines/key_work/ratio", "/lines/satisfaction/ratio", "/totl"]);
        bureau.get(CLAIMS).problem(404, "not-found");
        // Under a scheme with own rows these are lines.
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "project-2020"})).expect(201);
        let claims = "/api/v1/units/219001/evaluations/2020/claims";
        bureau.put(claims, &json!({"lines": {"output_1": {"points": "5"}, "output_200": {}}})).expect(201);
        for wrong in ["output_0", "output_01", "output_201", "output"] {
            assert_eq!(bureau.put(claims, &json!({"lines": {wrong: {}}})).faults(), faults(&[(&format!("/lines/{wrong}"), "unknown_line")]));
        }
    }
}
