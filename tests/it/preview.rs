//! Scores without storing anything.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Response, faults, pointers};
use crate::support::{Client, example, load_example};

const PREVIEW: &str = "/api/v1/scores:preview";

/// A scheme of one indicator, 10 points, that people assess; and own rows for another 10.
fn document() -> Value {
    json!({"name": "试行标准", "total": "20", "sections": [
        {"code": "input", "name": "投入", "weight": "10", "indicators": [
            {"code": "work", "name": "重点工作", "weight": "10", "rule": {"kind": "assessed"}}]},
        {"code": "output", "name": "产出", "weight": "10", "own_rows": {}},
    ]})
}

fn sorted(response: Response) -> Vec<(String, String)> {
    let mut found = response.faults();
    found.sort();
    found
}

/// How much of each kind is stored.
fn stored(bureau: &Client) -> [usize; 4] {
    ["units", "fiscal-years", "scoring-schemes", "special-funds"]
        .map(|kind| bureau.all(&format!("/api/v1/{kind}?limit=200"), "link").len())
}

both_engines! {
    fn a_preview_is_scored_by_a_stored_scheme_or_by_one_sent_along_but_not_by_both_or_none(app) {
        let auditor = app.auditor();
        let by_id = auditor.post(PREVIEW, &json!({"scheme": "hunan-2019"})).expect(200).json();
        assert_eq!(by_id["scheme"], json!({"id": "hunan-2019", "name": "湖南省部门整体支出绩效评价指标（2019年度）", "version": 1}));
        assert_eq!(by_id["interval"], json!({"low": "0", "high": "100"}), "nothing was given, and nothing is 0");
        let work = json!({"indicators": {"work": {"points": "8.5"}}});
        let sent = auditor.post(PREVIEW, &json!({"scheme_document": document(), "assessments": work})).expect(200).json();
        assert_eq!(sent["scheme"], json!({"id": null, "name": "试行标准", "version": null}));
        assert_eq!(sent["interval"], json!({"low": "8.5", "high": "18.5"}));
        let both = json!({"scheme": "hunan-2019", "scheme_document": document()});
        assert_eq!(auditor.post(PREVIEW, &both).faults(), faults(&[("/scheme_document", "one_of")]));
        assert_eq!(auditor.post(PREVIEW, &json!({})).faults(), faults(&[("/scheme", "one_of")]));
        assert_eq!(auditor.post(PREVIEW, &json!({"scheme": "nope"})).faults(), faults(&[("/scheme", "unknown_scheme")]));
    }

    fn a_preview_is_of_a_unit_or_of_a_fund_but_not_of_both(app) {
        let auditor = app.auditor();
        for part in ["base_data", "prior_base_data", "assessments"] {
            let both = json!({"scheme": "project-2020", "special_fund": {}, part: {}});
            assert_eq!(auditor.post(PREVIEW, &both).faults(), faults(&[("/special_fund", "one_of")]));
        }
        let all_wrong = json!({"special_fund": {}, "base_data": {}});
        assert_eq!(sorted(auditor.post(PREVIEW, &all_wrong)), faults(&[("/scheme", "one_of"), ("/special_fund", "one_of")]));
        let fund = json!({"scheme": "project-2020", "special_fund": {"funding": {"total": {"adjusted_budget": "4753.66", "executed": "3824.26"}}}});
        // 3824.26/4753.66 = 80.4488% of 10, to two decimals.
        let score = auditor.post(PREVIEW, &fund).expect(200).json();
        assert_eq!(score["lines"][0]["points"], "8.04");
    }

    fn every_fault_of_a_preview_is_named_with_the_part_that_it_is_in(app) {
        let auditor = app.auditor();
        let mut scheme = document();
        scheme["total"] = json!("21");
        scheme["sections"][1]["code"] = json!("input");
        assert_eq!(sorted(auditor.post(PREVIEW, &json!({"scheme_document": scheme}))), faults(&[
            ("/scheme_document/sections/1/code", "duplicate_code"), ("/scheme_document/total", "weights_do_not_add_up"),
        ]));
        let template = json!({"scheme_document": {"name": "框架", "template": true, "sections": document()["sections"]}});
        assert_eq!(auditor.post(PREVIEW, &template).faults(), faults(&[("/scheme_document/template", "is_template")]));
        let target = json!([{"section": "input", "name": "户数", "measure": {"kind": "quality"}}]);
        let assessments = json!({"indicators": {"work": {"points": "10.01"}, "wrok": {}}, "targets": target});
        assert_eq!(sorted(auditor.post(PREVIEW, &json!({"scheme_document": document(), "assessments": assessments}))), faults(&[
            ("/assessments/indicators/work/points", "out_of_range"), ("/assessments/indicators/wrok", "unknown_indicator"),
            ("/assessments/targets/0/section", "unknown_section"),
        ]));
        let fund = json!({"scheme": "project-2020", "special_fund": {"targets": target}});
        assert_eq!(auditor.post(PREVIEW, &fund).faults(), faults(&[("/special_fund/targets/0/section", "unknown_section")]));
        let shapes = json!({"scheme": "project-2020", "base_date": {}, "base_data": {"budget": {"initial": "1,0"}, "staf": {}},
            "assessments": {"indicators": {"a": {"incidents": "一"}}}});
        assert_eq!(pointers(&auditor.post(PREVIEW, &shapes).faults()),
            ["/assessments/indicators/a/incidents", "/base_data/budget/initial", "/base_data/staf", "/base_date"]);
    }

    fn a_preview_stores_nothing(app) {
        let bureau = app.with_kaiyun();
        let before = stored(&bureau);
        assert_eq!(before, [1, 1, 3, 0]);
        for scored in [
            json!({"scheme_document": document(), "base_data": {"staff": {"posts": 1}}, "assessments": {"indicators": {"work": {"points": "1"}}}}),
            json!({"scheme": "project-2020", "special_fund": {"funding": example("kaiyun-2019/fund-dilapidated-housing.json")["funding"]}}),
        ] {
            bureau.post(PREVIEW, &scored).expect(200);
        }
        assert_eq!(stored(&bureau), before);
        assert_eq!(bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json()["state"], "not_started");
        bureau.get("/api/v1/units/219001/evaluations/2019/base-data").problem(404, "not-found");
    }

    fn the_same_figures_score_the_same_by_preview_and_by_filing(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        load_example(&bureau, "published-2018");
        let same = |filed: &str, preview: Value| {
            let (filed, tried) = (bureau.get(filed).expect(200).json(), bureau.post(PREVIEW, &preview).expect(200).json());
            for part in ["total", "interval", "grade", "summary", "sections", "lines", "missing", "notices"] {
                assert_eq!(filed[part], tried[part], "{part}");
            }
            assert!(filed["lines"].as_array().is_some_and(|lines| !lines.is_empty()));
        };
        same("/api/v1/units/219001/evaluations/2019/score",
            json!({"scheme": "hunan-2019", "base_data": example("kaiyun-2019/base-data.json")}));
        same("/api/v1/units/302001/evaluations/2018/score",
            json!({"scheme_document": example("published-2018/scheme.json"), "base_data": example("published-2018/base-data.json")}));
        let mut table = example("kaiyun-2019/fund-dilapidated-housing.json");
        for of_the_fund in ["unit", "year", "name"] {
            table.as_object_mut().unwrap().remove(of_the_fund);
        }
        same("/api/v1/special-funds/kaiyun-2019-dilapidated-housing/score", json!({"scheme": "project-2020", "special_fund": table}));
    }

    fn a_preview_needs_a_token_of_any_role(app) {
        app.with_kaiyun();
        let input = json!({"scheme": "hunan-2019"});
        app.anonymous().post(PREVIEW, &input).problem(401, "unauthorized");
        app.unit(&["219001"]).post(PREVIEW, &input).expect(200);
        assert_eq!(app.auditor().get(PREVIEW).problem(405, "method-not-allowed")["status"], 405);
    }
}
