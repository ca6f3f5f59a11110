//! The roll-over of a year over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::line;

const ROLL_OVER: &str = "/api/v1/fiscal-years/2019/roll-over";
const NEXT: &str = "/api/v1/fiscal-years/2020";

/// A fund of 219001 in 2019 that goes on, with a plan and what came of it.
fn housing() -> Value {
    json!({"unit": "219001", "year": 2019, "name": "危房改造资金", "continues": true, "competent_department": "县住建局",
        "funding": {
            "total": {"initial_budget": "326", "adjusted_budget": "330", "executed": "326"},
            "county": {"initial_budget": "7.5", "executed": "7.5"}},
        "goal": {"expected": "完成改造", "achieved": "已完成"},
        "targets": [
            {"section": "output", "group": "数量指标", "name": "改造户数", "weight": "50", "deviation": "无偏差",
                "measure": {"kind": "quantity", "comparison": "at_least", "target": "181", "actual": "181", "unit": "户"}},
            {"section": "benefit", "name": "居住安全", "weight": "30",
                "measure": {"kind": "quality", "expected": "明显改善", "achieved": "已改善", "level": "achieved", "share": "95"}}]})
}

/// What [`housing`] begins with in 2020.
fn housing_next() -> Value {
    json!({"unit": "219001", "year": 2020, "name": "危房改造资金", "continues": true, "competent_department": "县住建局",
        "goal": {"expected": "完成改造"},
        "targets": [
            {"section": "output", "group": "数量指标", "name": "改造户数", "weight": "50",
                "measure": {"kind": "quantity", "comparison": "at_least", "target": "181", "unit": "户"}},
            {"section": "benefit", "name": "居住安全", "weight": "30",
                "measure": {"kind": "quality", "expected": "明显改善"}}]})
}

fn put_fund(client: &Client, id: &str, name: &str, continues: bool) {
    let fund = json!({"unit": "219001", "year": 2019, "name": name, "continues": continues});
    client.put(&format!("/api/v1/special-funds/{id}"), &fund).expect(201);
}

both_engines! {
    fn the_next_year_is_opened_with_the_scheme_and_the_plans_of_the_funds_that_go_on(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/units/219002", &json!({"name": "另一单位", "kind": "department"})).expect(201);
        bureau.put("/api/v1/special-funds/kaiyun-2019-housing", &housing()).expect(201);
        put_fund(&bureau, "meeting", "会议经费", false);
        // A closed year is rolled over like any other.
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"status": "closed"})).expect(200);
        let how = json!({"notice_number": "山财绩〔2021〕15号", "opens_on": "2021-03-01", "closes_on": "2021-06-30"});

        let would = bureau.post(&format!("{ROLL_OVER}?dry_run=true"), &how).expect(200).json();
        bureau.get(NEXT).problem(404, "not-found");
        let made = bureau.post(ROLL_OVER, &how).expect(201);
        assert_eq!(made.header("Location"), Some(NEXT));
        let made = made.json();
        let mut expected = would;
        assert_eq!(expected["dry_run"], true);
        expected["dry_run"] = json!(false);
        assert_eq!(made, expected, "a dry run says what is made");

        assert_eq!((&made["from"], &made["year"], &made["units"]), (&json!(2019), &json!(2020), &json!(2)));
        let year = bureau.get(NEXT).expect(200).json();
        for (name, value) in [("scheme", "hunan-2019"), ("status", "open"), ("notice_number", "山财绩〔2021〕15号"), ("opens_on", "2021-03-01")] {
            assert_eq!((&year[name], &made["settings"][name]), (&json!(value), &json!(value)), "{name}");
        }
        let funds = &made["special_funds"];
        assert_eq!((&funds["copied"], &funds["left_out"], &funds["ended"]), (&json!(1), &json!(0), &json!(1)));
        let copy = &funds["copies"][0];
        assert_eq!((&copy["id"], &copy["from"]), (&json!("kaiyun-2020-housing"), &json!("kaiyun-2019-housing")));
        let stored = bureau.get(copy["link"].as_str().unwrap()).expect(200);
        // Sent again as it is expected to be, it is no change.
        assert_eq!(bureau.put(copy["link"].as_str().unwrap(), &housing_next()).expect(200).etag(), stored.etag());
        assert_eq!(bureau.get("/api/v1/special-funds?year=2020").each("id"), ["kaiyun-2020-housing"]);

        let problem = bureau.post(ROLL_OVER, &json!({})).problem(409, "already-exists");
        assert!(problem["detail_zh"].as_str().unwrap().contains("2020"), "{problem}");
    }

    fn the_own_report_template_is_that_of_the_next_year_too(app) {
        let bureau = app.with_kaiyun();
        let own = json!({"template": "# {{ unit.name }}{{ year }}年度绩效自评"});
        bureau.put("/api/v1/fiscal-years/2019/report-template", &own).expect(200);
        let would = bureau.post(&format!("{ROLL_OVER}?dry_run=true"), &json!({})).expect(200).json();
        let made = bureau.post(ROLL_OVER, &json!({})).expect(201).json();
        for answer in [&would, &made] {
            assert_eq!(answer["report_template"], true);
            assert!(answer["notes"][1]["zh"].as_str().unwrap().contains("模板"), "{answer}");
        }
        let copy = bureau.get(&format!("{NEXT}/report-template")).expect(200);
        assert_eq!(copy.json(), json!({"template": own["template"], "built_in": false}));
        let change = &bureau.get("/api/v1/audit?order=desc&resource=report_template&limit=1").expect(200).json()["items"][0];
        assert_eq!((&change["key"], &change["action"]), (&json!(format!("{NEXT}/report-template")), &json!("created")));
        // From then on each has its own.
        bureau.put(&format!("{NEXT}/report-template"), &json!({"template": null})).expect(200);
        assert_eq!(bureau.get("/api/v1/fiscal-years/2019/report-template").json()["template"], own["template"]);
        let next = bureau.post(&format!("{NEXT}/roll-over"), &json!({})).expect(201).json();
        assert_eq!((&next["report_template"], next["notes"].as_array().unwrap().len()), (&json!(false), 1));
        assert_eq!(bureau.get("/api/v1/fiscal-years/2021/report-template").json()["built_in"], true);
    }

    fn last_years_columns_of_the_opened_year_come_from_last_years_sheet(app) {
        let bureau = app.with_kaiyun();
        let sheet = json!({"three_public": {"total": {"budget": "5.29"}}});
        bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &sheet).expect(201);
        bureau.post(ROLL_OVER, &json!({})).expect(201);
        let score = bureau.get("/api/v1/units/219001/evaluations/2020/score").expect(200).json();
        let inputs = line(&score, "three_public_change")["inputs"].as_array().unwrap();
        let last = inputs.iter().find(|input| input["name"] == "three_public.total.prior_budget").unwrap();
        assert_eq!((&last["value"], &last["origin"]), (&json!("5.29"), &json!("prior_year")));
    }

    fn a_fund_whose_new_id_is_taken_is_left_out_and_the_answer_says_why(app) {
        let bureau = app.with_kaiyun();
        put_fund(&bureau, "housing", "甲", true);
        put_fund(&bureau, "housing-2019", "乙", true);
        put_fund(&bureau, "road", "丙", true);
        put_fund(&bureau, "road-2020", "丁", false);
        let long = "a".repeat(60);
        put_fund(&bureau, &long, "戊", true);
        let made = bureau.post(ROLL_OVER, &json!({})).expect(201).json();
        let funds = &made["special_funds"];
        assert_eq!((&funds["copied"], &funds["left_out"], &funds["ended"]), (&json!(1), &json!(3), &json!(1)));
        assert_eq!(funds["copies"][0]["id"], "housing-2020");
        let mut reasons: Vec<_> = funds["omissions"].as_array().unwrap().iter()
            .map(|left| (left["id"].as_str().unwrap(), left["reason"].as_str().unwrap())).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, [(long.as_str(), "id_too_long"), ("housing-2019", "id_taken"), ("road", "id_taken")]);
        assert_eq!(bureau.get("/api/v1/special-funds/road-2020").json()["year"], 2019, "what has the id stays as it is");
    }

    fn a_fund_of_a_unit_that_is_no_more_is_left_to_the_one_that_continues_it(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/units/219002", &json!({"name": "撤并单位", "kind": "institution", "valid_to": 2019})).expect(201);
        put_fund(&bureau, "housing", "甲", true);
        bureau.put("/api/v1/special-funds/road", &json!({"unit": "219002", "year": 2019, "name": "乙", "continues": true})).expect(201);
        let made = bureau.post(ROLL_OVER, &json!({})).expect(201).json();
        assert_eq!(made["units"], 1);
        let funds = &made["special_funds"];
        assert_eq!((&funds["copied"], &funds["left_out"]), (&json!(1), &json!(1)));
        let omitted = &funds["omissions"][0];
        assert_eq!((&omitted["id"], &omitted["unit"], &omitted["reason"]), (&json!("road"), &json!("219002"), &json!("unit_not_valid")));
        assert_eq!(bureau.get("/api/v1/special-funds?year=2020").each("id"), ["housing-2020"]);
    }

    fn every_fund_goes_on_however_many_there_are(app) {
        let bureau = app.with_kaiyun();
        // One more than are read at a time, of as many units as it takes.
        for n in 0..501 {
            let unit = format!("4010{:02}", n / 200);
            if n % 200 == 0 {
                bureau.put(&format!("/api/v1/units/{unit}"), &json!({"name": unit, "kind": "department"})).expect(201);
            }
            let fund = json!({"unit": unit, "year": 2019, "name": format!("资金{n}"), "continues": true});
            bureau.put(&format!("/api/v1/special-funds/fund-{n}"), &fund).expect(201);
        }
        let made = bureau.post(ROLL_OVER, &json!({})).expect(201).json();
        let funds = &made["special_funds"];
        assert_eq!((&funds["copied"], &funds["left_out"]), (&json!(501), &json!(0)));
        assert_eq!(funds["copies"].as_array().unwrap().len(), 100, "an answer has bounds");
        assert_eq!(bureau.all("/api/v1/special-funds?year=2020&limit=200", "id").len(), 501);
    }

    fn what_cannot_be_rolled_over_is_refused_with_every_fault_and_nothing_is_made(app) {
        let bureau = app.with_kaiyun();
        put_fund(&bureau, "housing", "甲", true);
        let wrong = json!({"scheme": "nothing", "opens_on": "2021-03-01", "closes_on": "2021-02-28"});
        for query in ["", "?dry_run=true"] {
            let found = bureau.post(&format!("{ROLL_OVER}{query}"), &wrong).faults();
            assert_eq!(found, faults(&[("/scheme", "unknown_scheme"), ("/closes_on", "out_of_order")]));
        }
        assert_eq!(bureau.post(ROLL_OVER, &json!({"scheme": "mof-2013"})).faults(), faults(&[("/scheme", "template")]));
        bureau.post("/api/v1/fiscal-years/2018/roll-over", &json!({})).problem(404, "not-found");
        bureau.put("/api/v1/fiscal-years/2100", &json!({"scheme": "hunan-2019"})).expect(201);
        bureau.post("/api/v1/fiscal-years/2100/roll-over", &json!({})).problem(422, "unfit-parameter");
        bureau.get(NEXT).problem(404, "not-found");
        assert_eq!(bureau.get("/api/v1/special-funds").each("id"), ["housing"]);
    }

    fn no_fund_goes_on_where_the_bureau_says_so(app) {
        let bureau = app.with_kaiyun();
        put_fund(&bureau, "housing", "甲", true);
        let how = json!({"scheme": "project-2020", "continue_funds": false});
        let made = bureau.post(ROLL_OVER, &how).expect(201).json();
        assert_eq!((&made["special_funds"]["copied"], &made["special_funds"]["ended"]), (&json!(0), &json!(1)));
        assert_eq!(bureau.get(NEXT).json()["scheme"], "project-2020");
        assert_eq!(bureau.get("/api/v1/special-funds?year=2020").each("id"), [""; 0]);
    }
}
