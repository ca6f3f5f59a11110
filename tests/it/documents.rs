//! The self-evaluation report as a document: its words, its template, and how it comes out.

use std::io::{Cursor, Read as _};

use serde_json::{Value, json};
use zip::ZipArchive;

use crate::both_engines;
use crate::support::client::{faults, pointers};
use crate::support::{Client, Engine, TestApp, load_example, with_ready};

const YEAR: &str = "/api/v1/fiscal-years/2019";
const TEMPLATE: &str = "/api/v1/fiscal-years/2019/report-template";
const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";

const REPORT: &str = "/api/v1/units/219001/evaluations/2019/report";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// The paragraphs of a unit's report in Word.
fn paragraphs(client: &Client, report: &str) -> Vec<String> {
    let bytes = client.with("Accept", DOCX).get(report).expect(200).body;
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut body = String::new();
    zip.by_name("word/document.xml")
        .unwrap()
        .read_to_string(&mut body)
        .unwrap();
    let text = |paragraph: &str| {
        let runs = paragraph.split("<w:t xml:space=\"preserve\">").skip(1);
        runs.filter_map(|run| run.split("</w:t>").next()).collect::<String>()
    };
    body.split("</w:p>").map(text).filter(|text| !text.is_empty()).collect()
}

#[track_caller]
fn says(paragraphs: &[String], expected: &str) {
    assert!(
        paragraphs.iter().any(|text| text == expected),
        "{expected} is not in\n{}",
        paragraphs.join("\n")
    );
}

both_engines! {
    fn the_report_of_the_seed_unit_says_its_figures_as_the_unit_did(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        let report = paragraphs(&bureau, REPORT);
        for expected in [
            "截至2019年末，内设机构6个，下属单位4个，辖行政村17个，社区8个，编制171名，在职人员104人，离退休人员67人；公务用车定编1台，实有1台。",
            "2019年度基本支出1166.07万元。其中：人员经费支出914.02万元；日常公用经费支出252.05万元。",
            "2019年度项目支出2799.36万元，主要由以下几项组成：",
            "全年预算数326万元，全年执行数326万元，预算执行率100%。其中：中央及省级资金315.8万元，市级资金2.7万元，县级资金7.5万元。",
            "2019年度运行经费（日常公用经费）支出252.05万元，比上年增加91.59万元，主要是因为2019年因机构改革，人员由64人增加到91人，人员大大增加导致运行经费增加。",
            // 105 − 74 = 31; 31 / 74 = 41.89…%. Visitors are not said.
            "全年公务接待105批次，比上年增加31批次，增长41.89%。",
            "附件：1.2019年度部门整体支出绩效评价指标评分表",
        ] {
            says(&report, expected);
        }
        // What is not filed is said to be so: the final accounts of reception are, its change is not.
        let three_public = report.iter().find(|text| text.starts_with("“三公经费”支出")).unwrap();
        assert!(three_public.starts_with("“三公经费”支出4.96万元，比上年减少0.33万元。其中：公务接待费未填报，比上年增加1.09万元，主要是因为接待批次增加"), "{three_public}");
        assert!(!report.iter().any(|text| text == "2020年3月31日"), "a draft has no date");
    }

    fn a_change_against_last_years_sheet_has_its_share_too(app) {
        let bureau = with_ready(app);
        bureau.put("/api/v1/fiscal-years/2018", &json!({"scheme": "hunan-2019"})).expect(201);
        let last = json!({"three_public": {"total": {"final": "5.29"}}, "procurement": {"final": "12.5"}});
        bureau.put("/api/v1/units/219001/evaluations/2018/base-data", &last).expect(201);
        let sheet = json!({"three_public": {"total": {"final": "4.96"}}, "procurement": {"final": "12.50"}});
        bureau.patch(&format!("{EVALUATION}/base-data"), &sheet).expect(200);
        let report = paragraphs(&bureau, REPORT);
        says(&report, "政府采购支出12.5万元，与上年持平。");
        // 0.33 / 5.29 = 6.238…%
        assert!(report.iter().any(|text| text.starts_with("“三公经费”支出4.96万元，比上年减少0.33万元，下降6.24%。")));
    }

    fn the_report_is_sent_as_word_and_as_pdf_under_a_chinese_name(app) {
        let bureau = app.with_kaiyun();
        for (accept, format, use_as, begins) in [
            (DOCX, "docx", "attachment", b"PK".as_slice()),
            ("application/pdf", "pdf", "inline", b"%PDF"),
        ] {
            let sent = bureau.with("Accept", accept).get(REPORT).expect(200);
            assert_eq!(sent.header("Content-Type"), Some(accept));
            assert!(sent.body.starts_with(begins));
            let name = sent.header("Content-Disposition").unwrap();
            assert!(name.starts_with(&format!("{use_as}; filename=\"report-219001-2019.{format}\"; filename*=UTF-8''%E8%A1%A1")), "{name}");
            let named = bureau.get(&format!("{REPORT}?format={format}")).expect(200);
            assert_eq!((named.etag(), &named.body), (sent.etag(), &sent.body), "the same bytes each time");
            bureau.with("Accept", accept).with("If-None-Match", &sent.etag()).get(REPORT).expect(304);
        }
    }

    fn a_new_template_changes_the_report_and_its_tag(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        let before = bureau.with("Accept", DOCX).get(REPORT).expect(200).etag();
        let template = "# {{ unit.name }}\n{% for fund in funds %}{{ loop.index | chinese }}是{{ fund.name }}{{ fund.executed | wan }}；{% endfor %}\n{{ narrative.other }}";
        bureau.put(TEMPLATE, &json!({"template": template})).expect(200);
        assert_ne!(bureau.with("Accept", DOCX).get(REPORT).expect(200).etag(), before);
        // In the order of their ids: community-running, dilapidated-housing, village-running.
        assert_eq!(paragraphs(&bureau, REPORT), [
            "衡山县开云镇人民政府",
            "一是社区运行经费未填报；二是危房改造资金326万元；三是村级运行经费未填报；",
            "无",
        ]);
    }

    fn a_report_that_its_template_makes_too_long_is_refused_and_the_data_are_still_there(app) {
        let bureau = app.with_kaiyun();
        let (open, close) = ("{% for line in score.lines %}".repeat(6), "{% endfor %}".repeat(6));
        bureau.put(TEMPLATE, &json!({"template": format!("{open}{{{{ line.explanation }}}}{close}")})).expect(200);
        bureau.with("Accept", DOCX).get(REPORT).problem(409, "unfit-template");
        bureau.with("Accept", "application/json").get(REPORT).expect(200);
    }

    fn what_was_submitted_is_written_with_its_date_and_its_own_words(app) {
        let bureau = with_ready(app);
        bureau.put(&format!("{EVALUATION}/narrative"), &json!({"other": "已公开。"})).expect(201);
        bureau.post(&format!("{EVALUATION}/submit"), &json!({})).expect(200);
        let report = paragraphs(&bureau, REPORT);
        says(&report, "已公开。");
        let date = report.iter().position(|text| text == "附件1").unwrap() - 1;
        assert!(report[date].ends_with('日') && report[date].contains('年'), "{}", report[date]);
    }

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
