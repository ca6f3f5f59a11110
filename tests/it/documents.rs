//! The self-evaluation report as a document: its words, its template, and how it comes out.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{faults, pointers};
use crate::support::{Engine, TestApp, with_ready};

const YEAR: &str = "/api/v1/fiscal-years/2019";
const TEMPLATE: &str = "/api/v1/fiscal-years/2019/report-template";
const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";

both_engines! {
    fn the_words_of_a_report_are_frozen_with_what_is_submitted(app) {
        let bureau = with_ready(app);
        let narrative = json!({"difficulties": "（一）财政资金支出延缓。\n（二）骨干企业少。", "changes": {"reception": "接待批次增加"}});
        bureau.post(&format!("{EVALUATION}/submit"), &json!({})).expect(200);
        bureau.put(&format!("{EVALUATION}/narrative"), &narrative).problem(409, "locked");
        bureau.post(&format!("{EVALUATION}/withdraw"), &json!({})).expect(200);
        bureau.put(&format!("{EVALUATION}/narrative"), &narrative).expect(201);
        bureau.post(&format!("{EVALUATION}/submit"), &json!({})).expect(200);
        let submission = |number: u8| bureau.get(&format!("{EVALUATION}/submissions/{number}")).expect(200).json();
        assert_eq!(submission(1).get("narrative"), None, "nothing was filed then");
        assert_eq!(submission(2)["narrative"], narrative);
        let expanded = bureau.get(&format!("{EVALUATION}?expand=narrative")).expect(200).json();
        assert_eq!(expanded["expanded"], json!({"narrative": narrative}));
    }

    fn words_that_are_none_are_refused_each_at_its_place(app) {
        let bureau = app.with_kaiyun();
        let wrong = json!({"overview": "", "other": " 无", "performance": "字".repeat(20_001), "changes": {"reception": 5, "receptions": "多"}});
        let found = bureau.put(&format!("{EVALUATION}/narrative"), &wrong).faults();
        assert_eq!(
            pointers(&found),
            ["/changes/reception", "/changes/receptions", "/other", "/overview", "/performance"]
        );
        bureau.get(&format!("{EVALUATION}/narrative")).problem(404, "not-found");
    }

    fn a_year_begins_with_the_built_in_template_and_can_go_back_to_it(app) {
        let bureau = app.with_kaiyun();
        let begin = bureau.get(TEMPLATE).expect(200);
        let (tag, begin) = (begin.etag(), begin.json());
        assert_eq!(begin["built_in"], true);
        let own = json!({"template": "# {{ unit.name }}\n支出{{ basic_expenditure.total.final | wan }}。"});
        let stored = bureau.with("If-Match", &tag).put(TEMPLATE, &own).expect(200);
        assert_eq!(stored.json(), json!({"template": own["template"], "built_in": false}));
        assert_eq!(bureau.get(TEMPLATE).expect(200).etag(), stored.etag());
        bureau.with("If-None-Match", &stored.etag()).get(TEMPLATE).expect(304);
        bureau.with("If-Match", &tag).put(TEMPLATE, &own).problem(412, "precondition-failed");
        assert_eq!(bureau.put(TEMPLATE, &own).expect(200).etag(), stored.etag(), "the same again is no change");
        assert_eq!(bureau.put(TEMPLATE, &json!({"template": null})).expect(200).json(), begin);
        bureau.put(TEMPLATE, &json!({"template": null})).expect(200);
        let log = bureau.get("/api/v1/audit?resource=report_template&order=asc").expect(200).json();
        let log: Vec<_> = log["items"].as_array().unwrap().iter().map(|entry| (&entry["action"], &entry["after"])).collect();
        assert_eq!(log, [(&json!("created"), &own), (&json!("deleted"), &Value::Null)]);
        bureau.get("/api/v1/fiscal-years/2018/report-template").problem(404, "not-found");
    }

    fn the_built_in_template_is_taken_as_a_countys_own(app) {
        let bureau = app.with_kaiyun();
        let template = bureau.get(TEMPLATE).expect(200).json()["template"].clone();
        assert_eq!(bureau.put(TEMPLATE, &json!({"template": template})).expect(200).json()["built_in"], false);
    }

    fn a_template_that_names_what_there_is_not_is_refused_with_each_line_and_column(app) {
        let bureau = app.with_kaiyun();
        let wrong = json!({"template": "# {{ unit.nmae }}\n{% for fund in funds %}{{ fund.name | upper }}{% endfor %}"});
        let problem = bureau.put(TEMPLATE, &wrong).problem(422, "validation-failed");
        let details: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["detail_zh"].as_str().unwrap()).collect();
        assert_eq!(details, ["第1行第6列：没有名为“nmae”的变量。", "第2行第39列：没有名为“upper”的过滤器。"]);
        assert_eq!(bureau.put(TEMPLATE, &json!({"template": "{% if year %}"})).faults(), faults(&[("/template", "template_syntax")]));
        assert_eq!(bureau.get(TEMPLATE).expect(200).json()["built_in"], true);
    }

    fn a_template_goes_with_its_year(app) {
        let bureau = app.bureau();
        for _ in 0..2 {
            bureau.put(YEAR, &json!({"scheme": "hunan-2019"})).expect(201);
            assert_eq!(bureau.get(TEMPLATE).expect(200).json()["built_in"], true);
            bureau.put(TEMPLATE, &json!({"template": "# {{ unit.name }}"})).expect(200);
            bureau.delete(YEAR).expect(204);
        }
    }
}

#[test]
fn another_instance_has_a_new_template_at_once() {
    if let Some(app) = TestApp::start(Engine::Postgres) {
        let other = app.another();
        app.with_kaiyun()
            .put(TEMPLATE, &json!({"template": "# {{ year }}"}))
            .expect(200);
        let template = other.bureau().get(TEMPLATE).expect(200).json();
        assert_eq!(template, json!({"template": "# {{ year }}", "built_in": false}));
    }
}
