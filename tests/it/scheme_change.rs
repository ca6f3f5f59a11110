//! Trying another scheme on a year's drafts, over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};

const CHANGE: &str = "/api/v1/fiscal-years/2019/scheme-change";

/// A scheme of 10 points: 8 for 在职人员控制率, so many of which each point above 100% costs, and 2 for the work.
fn scheme(per_step: &str, work: &Value) -> Value {
    json!({"name": "衡山县评分标准", "total": "10", "sections": [{"code": "all", "name": "全部", "weight": "10", "indicators": [
        {"code": "in_post_control", "name": "在职人员控制率", "weight": "8",
            "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"},
            "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": per_step}},
        {"code": "work", "name": "重点工作", "weight": "2", "rule": work}]}]})
}

fn rating() -> Value {
    json!({"kind": "rating", "levels": [{"code": "good", "name": "好", "points": "2"}, {"code": "poor", "name": "差", "points": "0"}]})
}

/// Three units with a draft of 2019 under the scheme `old`, of which `softer` takes off less, and `judged` asks another
/// assessment. 219001 lies 1.75% above its posts (174 of 171), 219002 below; of 219003 nothing is known but its work.
fn with_drafts(app: &crate::support::TestApp) -> Client {
    let bureau = app.with_units(&[("219001", None), ("219002", None), ("219003", None)]);
    for (id, scheme) in [
        ("old", scheme("1", &rating())),
        ("softer", scheme("0.5", &rating())),
        ("judged", scheme("1", &json!({"kind": "assessed"}))),
    ] {
        bureau
            .put(&format!("/api/v1/scoring-schemes/{id}"), &scheme)
            .expect(201);
    }
    bureau
        .put("/api/v1/fiscal-years/2019", &json!({"scheme": "old"}))
        .expect(201);
    for (unit, in_post) in [("219001", 174), ("219002", 170)] {
        let sheet = json!({"staff": {"posts": 171, "in_post": in_post}});
        bureau
            .put(&format!("/api/v1/units/{unit}/evaluations/2019/base-data"), &sheet)
            .expect(201);
    }
    for unit in ["219001", "219002", "219003"] {
        let assessments = json!({"indicators": {"work": {"rating": "good"}}});
        bureau
            .put(
                &format!("/api/v1/units/{unit}/evaluations/2019/assessments"),
                &assessments,
            )
            .expect(201);
    }
    bureau
}

fn each<'a>(answer: &'a Value, field: &str) -> Vec<&'a Value> {
    answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item[field])
        .collect()
}

both_engines! {
    fn a_dry_run_tells_each_drafts_total_before_and_after_and_changes_nothing(app) {
        let bureau = with_drafts(app);
        let tried = bureau.get(&format!("{CHANGE}?scheme=softer")).expect(200).json();
        assert_eq!((&tried["before"]["id"], &tried["after"]["id"]), (&json!("old"), &json!("softer")));
        assert_eq!((&tried["drafts"], &tried["submitted"]), (&json!(3), &json!(0)));
        assert_eq!(each(&tried, "unit"), ["219001", "219002", "219003"]);
        // One whole step above 100%: 8 − 1 + 2 = 9 becomes 8 − 0.5 + 2 = 9.5; at or below 100% all 10 stay.
        assert_eq!(each(&tried, "difference"), [&json!("0.5"), &json!("0"), &Value::Null]);
        assert_eq!(each(&tried, "effect"), ["better", "same", "same"]);
        let first = &tried["items"][0];
        assert_eq!((&first["before"]["total"], &first["after"]["total"]), (&json!("9"), &json!("9.5")));
        assert_eq!((&first["before"]["grade"]["name"], &first["state"]), (&json!("优"), &json!("draft")));
        // 219003: 2 points of 10 are known, either way.
        assert_eq!(tried["items"][2]["after"]["interval"], json!({"low": "2", "high": "10"}));
        assert_eq!(tried["page"], json!({"better": 1, "worse": 0, "same": 2, "undecided": 0, "misfits": 0}));
        let diff = bureau.get(tried["links"]["diff"].as_str().unwrap()).expect(200).json();
        assert_eq!(diff["changes"][0]["code"], "in_post_control");

        let score = "/api/v1/units/219001/evaluations/2019/score";
        assert_eq!(bureau.get(score).json()["total"], "9", "nothing is changed yet");
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"scheme": "softer"})).expect(200);
        assert_eq!(bureau.get(score).json()["total"], "9.5", "the change does what the dry run said");
        let back = bureau.get(&format!("{CHANGE}?scheme=old")).expect(200).json();
        assert_eq!(each(&back, "effect"), ["worse", "same", "same"]);
    }

    fn assessments_that_the_other_scheme_cannot_read_are_named_and_stay_stored(app) {
        let bureau = with_drafts(app);
        let tried = bureau.get(&format!("{CHANGE}?scheme=judged")).expect(200).json();
        assert_eq!(each(&tried, "effect"), ["undecided"; 3]);
        assert_eq!(tried["page"]["misfits"], 3);
        let misfit = &tried["items"][0]["misfits"][0];
        assert_eq!((&misfit["pointer"], &misfit["code"]), (&json!("/indicators/work/rating"), &json!("input_without_use")));
        assert_eq!(tried["items"][0]["after"]["total"], Value::Null);
        // 7 are certain, and the 2 of the work can still come.
        assert_eq!(tried["items"][0]["after"]["interval"], json!({"low": "7", "high": "9"}));
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"scheme": "judged"})).expect(200);
        let kept = bureau.get("/api/v1/units/219001/evaluations/2019/assessments").expect(200).json();
        assert_eq!(kept["indicators"]["work"]["rating"], "good");
    }

    fn what_is_submitted_keeps_its_scheme_until_it_is_returned(app) {
        let bureau = with_drafts(app);
        let evaluation = "/api/v1/units/219002/evaluations/2019";
        bureau.post(&format!("{evaluation}/submit"), &json!({})).expect(200);
        let tried = bureau.get(&format!("{CHANGE}?scheme=softer")).expect(200).json();
        assert_eq!((&tried["drafts"], &tried["submitted"]), (&json!(2), &json!(1)));
        assert_eq!(each(&tried, "unit"), ["219001", "219003"]);
        bureau.post(&format!("{evaluation}/return"), &json!({"reason": "更正"})).expect(200);
        let tried = bureau.get(&format!("{CHANGE}?scheme=softer")).expect(200).json();
        assert_eq!((&tried["drafts"], &tried["submitted"]), (&json!(3), &json!(0)));
        assert_eq!(each(&tried, "state"), ["draft", "returned", "draft"]);
    }

    fn the_drafts_come_in_pages_by_unit(app) {
        let bureau = with_drafts(app);
        let first = bureau.get(&format!("{CHANGE}?scheme=softer&limit=2")).expect(200);
        assert!(first.header("Link").unwrap().contains("cursor=219002"), "{:?}", first.header("Link"));
        assert_eq!(each(&first.json(), "unit"), ["219001", "219002"]);
        let last = bureau.get(&format!("{CHANGE}?scheme=softer&limit=2&cursor=219002")).expect(200);
        assert_eq!((last.header("Link"), each(&last.json(), "unit")), (None, vec![&json!("219003")]));
        assert_eq!(last.json()["drafts"], 3, "counts are of the year, not of the page");
    }

    fn a_dry_run_knows_last_years_columns_as_the_score_does(app) {
        let bureau = app.with_kaiyun();
        let at = |year: i64, part: &str| format!("/api/v1/units/219001/evaluations/{year}/{part}");
        bureau.put(&at(2019, "base-data"), &json!({"three_public": {"total": {"budget": "5.29"}}})).expect(201);
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "hunan-2019"})).expect(201);
        bureau.put(&at(2020, "base-data"), &json!({"three_public": {"total": {"budget": "4.96"}}})).expect(201);
        let tried = bureau.get("/api/v1/fiscal-years/2020/scheme-change?scheme=project-2020").expect(200).json();
        let score = bureau.get(&at(2020, "score")).expect(200).json();
        // 4.96 is less than 5.29, so the 5 points of 三公经费变动率 are certain: only with last year's sheet.
        assert_eq!(score["interval"]["low"], "5");
        assert_eq!(tried["items"][0]["before"]["interval"], score["interval"]);
        let other = bureau.get(&at(2020, "score?scheme=project-2020")).expect(200).json();
        assert_eq!(tried["items"][0]["after"]["interval"], other["interval"]);
    }

    fn only_a_scheme_that_can_score_is_tried(app) {
        let bureau = with_drafts(app);
        assert_eq!(bureau.get(CHANGE).parameters(), faults(&[("scheme", "missing_parameter")]));
        bureau.get(&format!("{CHANGE}?scheme=nothing")).problem(404, "not-found");
        bureau.get("/api/v1/fiscal-years/2018/scheme-change?scheme=old").problem(404, "not-found");
        let problem = bureau.get(&format!("{CHANGE}?scheme=mof-2013")).problem(422, "unfit-parameter");
        assert_eq!(problem["errors"][0]["parameter"], "scheme");
    }
}
