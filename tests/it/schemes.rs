//! Scoring schemes over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::faults;
use crate::support::line;

const SCHEMES: &str = "/api/v1/scoring-schemes";
const OWN: &str = "/api/v1/scoring-schemes/hengshan-2020";

/// A scheme of one indicator, 10 points.
fn small() -> Value {
    json!({"name": "衡山县评分标准", "total": "10", "sections": [{"code": "input", "name": "投入", "weight": "10",
        "indicators": [{"code": "in_post_control", "name": "在职人员控制率", "weight": "10",
            "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"},
            "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "1"}}]}]})
}

fn renamed(name: &str) -> Value {
    let mut scheme = small();
    scheme["name"] = json!(name);
    scheme
}

/// A fund of the unit 219001 in 2019 under this scheme.
fn fund(scheme: &str) -> Value {
    json!({"unit": "219001", "year": 2019, "name": "危房改造资金", "scheme": scheme})
}

both_engines! {
    fn the_schemes_that_come_with_the_program_are_listed_and_templates_can_be_told_apart(app) {
        let auditor = app.auditor();
        let ids = |query: &str| auditor.all(&format!("{SCHEMES}?limit=2{query}"), "id");
        assert_eq!(ids(""), ["hunan-2019", "mof-2013", "project-2020"]);
        assert_eq!(ids("&order=desc"), ["project-2020", "mof-2013", "hunan-2019"]);
        assert_eq!(ids("&template=true"), ["mof-2013"]);
        assert_eq!(ids("&template=false"), ["hunan-2019", "project-2020"]);
        auditor.get(&format!("{SCHEMES}?template=maybe")).problem(400, "invalid-parameter");
    }

    fn a_built_in_scheme_never_changes_but_may_be_sent_again_as_it_is(app) {
        let bureau = app.bureau();
        for id in ["hunan-2019", "mof-2013", "project-2020"] {
            let at = format!("{SCHEMES}/{id}");
            let before = bureau.get(&at).expect(200);
            let mut document = before.json()["document"].clone();
            let again = bureau.put(&at, &document).expect(200);
            assert_eq!((again.etag(), again.json()), (before.etag(), before.json()));
            document["name"] = json!("另一名称");
            bureau.put(&at, &document).problem(409, "read-only");
            bureau.patch(&at, &json!({"name": "另一名称"})).problem(409, "read-only");
            bureau.delete(&at).problem(409, "read-only");
            assert_eq!(bureau.get(&at).expect(200).json(), before.json());
        }
    }

    fn lists_are_as_long_as_the_openapi_document_lets_them_be(app) {
        let bureau = app.bureau();
        // So many indicators of one point in each of so many sections.
        let scheme = |sections: usize, indicators: usize| {
            let indicator = |s: usize, i: usize| json!({"code": format!("i_{s}_{i}"), "name": "指标", "weight": "1", "rule": {"kind": "assessed"}});
            let section = |s| {
                let indicators: Vec<_> = (0..indicators).map(|i| indicator(s, i)).collect();
                json!({"code": format!("s_{s}"), "name": "部分", "weight": indicators.len().to_string(), "indicators": indicators})
            };
            let sections: Vec<_> = (0..sections).map(section).collect();
            json!({"name": "长", "total": (sections.len() * indicators).to_string(), "sections": sections})
        };
        assert_eq!(bureau.put(OWN, &scheme(1, 101)).faults(), faults(&[("/sections/0/indicators", "too_many")]));
        assert_eq!(bureau.put(OWN, &scheme(21, 1)).faults(), faults(&[("/sections", "too_many")]));
        assert_eq!(bureau.put(OWN, &scheme(0, 1)).faults(), faults(&[("/sections", "too_few")]));
        bureau.get(OWN).problem(404, "not-found");
        bureau.put(OWN, &scheme(1, 100)).expect(201);
        bureau.put(OWN, &scheme(20, 1)).expect(200);
    }

    fn an_own_scheme_is_created_read_replaced_patched_and_deleted(app) {
        let bureau = app.bureau();
        let created = bureau.put(OWN, &small()).expect(201);
        assert_eq!(created.header("Location"), Some(OWN));
        let (etag, created) = (created.etag(), created.json());
        assert_eq!((&created["version"], &created["builtin"]), (&json!(1), &json!(false)));
        assert_eq!(bureau.get(OWN).expect(200).json(), created);
        assert_eq!(bureau.put(OWN, &small()).expect(200).etag(), etag, "nothing changed, so the version stays");
        assert_eq!(bureau.put(OWN, &created["document"]).expect(200).etag(), etag, "nor by its own document");

        let replaced = bureau.with("If-Match", &etag).put(OWN, &renamed("第二版")).expect(200);
        assert_eq!(replaced.json()["version"], 2);
        bureau.with("If-Match", &etag).put(OWN, &renamed("第三版")).problem(412, "precondition-failed");
        let patched = bureau.patch(OWN, &json!({"source": "衡财绩〔2020〕1号"})).expect(200).json();
        assert_eq!((&patched["version"], &patched["document"]["name"]), (&json!(3), &json!("第二版")));
        assert_eq!(patched["document"]["source"], "衡财绩〔2020〕1号");
        assert_eq!(bureau.patch(OWN, &json!({"total": "11"})).faults(), faults(&[("/total", "weights_do_not_add_up")]));

        bureau.delete(OWN).expect(204);
        bureau.get(OWN).problem(404, "not-found");
        bureau.patch(OWN, &json!({})).problem(404, "not-found");
        bureau.delete(OWN).problem(404, "not-found");
        let anew = bureau.put(OWN, &small()).expect(201);
        assert_eq!(anew.json()["version"], 1);
        assert_ne!(anew.etag(), etag, "made anew, it is another");
    }

    fn only_the_bureau_changes_schemes_and_everyone_reads_them(app) {
        let bureau = app.with_kaiyun();
        bureau.put(OWN, &small()).expect(201);
        for client in [app.auditor(), app.unit(&["219001"])] {
            client.get(OWN).expect(200);
            client.put(OWN, &renamed("第二版")).problem(403, "forbidden");
            client.patch(OWN, &json!({"name": "第二版"})).problem(403, "forbidden");
            client.delete(OWN).problem(403, "forbidden");
        }
        app.anonymous().get(OWN).problem(401, "unauthorized");
        assert_eq!(bureau.get(OWN).expect(200).json()["version"], 1);
    }

    fn a_scheme_in_use_neither_changes_nor_goes_and_the_answer_says_how_many_use_it(app) {
        let bureau = app.with_kaiyun();
        bureau.put(OWN, &small()).expect(201);
        for year in ["2020", "2021"] {
            bureau.put(&format!("/api/v1/fiscal-years/{year}"), &json!({"scheme": "hengshan-2020"})).expect(201);
        }
        bureau.put("/api/v1/special-funds/one", &fund("hengshan-2020")).expect(201);

        for refused in [bureau.put(OWN, &renamed("第二版")), bureau.patch(OWN, &json!({"name": "第二版"}))] {
            let problem = refused.problem(409, "read-only");
            for (detail, wanted) in [("detail", ["2 fiscal years", "1 special fund"]), ("detail_zh", ["2个年度", "1项专项资金"])] {
                let text = problem[detail].as_str().unwrap();
                assert!(wanted.iter().all(|count| text.contains(count)), "{text}");
            }
        }
        let problem = bureau.delete(OWN).problem(409, "referenced");
        let users: Vec<_> = problem["errors"].as_array().unwrap().iter()
            .map(|error| (error["code"].as_str().unwrap(), error["detail_zh"].as_str().unwrap())).collect();
        assert_eq!(users, [("fiscal_years", "2个年度"), ("special_funds", "1项专项资金")]);
        assert_eq!(bureau.put(OWN, &small()).expect(200).json()["version"], 1, "the same again is no change");

        bureau.delete("/api/v1/special-funds/one").expect(204);
        bureau.delete("/api/v1/fiscal-years/2021").expect(204);
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "hunan-2019"})).expect(200);
        assert_eq!(bureau.put(OWN, &renamed("第二版")).expect(200).json()["version"], 2, "free again");
        bureau.delete(OWN).expect(204);
    }

    fn every_fault_of_a_scheme_is_named_at_once_and_nothing_is_stored(app) {
        let bureau = app.bureau();
        let scheme = json!({"name": "有误的标准", "total": "30", "sections": [
            // 5 + 4 are not 10, and 10 + 10 are not 30.
            {"code": "input", "name": "投入", "weight": "10", "indicators": [
                {"code": "one", "name": "甲", "weight": "5",
                    "ratio": {"numerator": "staff.in_post + staff.pots", "denominator": "staff.posts"},
                    "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "0", "points_per_step": "1"}},
                {"code": "one", "name": "乙", "weight": "4",
                    "rule": {"kind": "bands", "otherwise": "0", "bands": [
                        {"at_most": "10", "points": "4"}, {"at_most": "5", "points": "3"}]}},
            ]},
            {"code": "input", "name": "产出", "weight": "10", "own_rows": {"achieved_from": "60", "partly_from": "80"}},
        ]});
        let problem = bureau.put(OWN, &scheme).problem(422, "validation-failed");
        let variable = problem["errors"].as_array().unwrap().iter().find(|error| error["code"] == "unknown_variable").unwrap();
        // "staff.in_post + " has 16 characters.
        assert!(variable["detail"].as_str().unwrap().contains("character 17"), "{variable}");
        assert!(variable["detail_zh"].as_str().unwrap().contains("第17个字符"), "{variable}");
        let mut found = bureau.put(OWN, &scheme).faults();
        found.sort();
        assert_eq!(found, faults(&[
            ("/sections/0/indicators/0/ratio/numerator", "unknown_variable"),
            ("/sections/0/indicators/0/rule/step", "out_of_range"),
            ("/sections/0/indicators/1/code", "duplicate_code"),
            ("/sections/0/indicators/1/rule/bands/1", "overlapping_bands"),
            ("/sections/0/weight", "weights_do_not_add_up"),
            ("/sections/1/code", "duplicate_code"),
            ("/sections/1/own_rows/partly_from", "out_of_range"),
            ("/total", "weights_do_not_add_up"),
        ]));
        bureau.get(OWN).problem(404, "not-found");
    }

    fn what_has_not_the_shape_of_a_scheme_is_named_field_by_field(app) {
        let mut scheme = small();
        scheme["totl"] = json!("10");
        scheme["total"] = json!("1,0");
        scheme["sections"][0]["indicators"][0]["rule"]["of"] = json!("above");
        scheme["sections"][0]["indicators"][0]["rule"]["step"] = json!("一");
        scheme["sections"][0]["indicators"][0]["when_not_applicable"] = json!("half");
        scheme.as_object_mut().unwrap().remove("name");
        let found = app.bureau().put(OWN, &scheme).faults();
        assert_eq!(crate::support::client::pointers(&found), [
            "/name",
            "/sections/0/indicators/0/rule/of",
            "/sections/0/indicators/0/rule/step",
            "/sections/0/indicators/0/when_not_applicable",
            "/total",
            "/totl",
        ]);
    }

    fn nothing_is_scored_by_a_template_and_the_answer_says_which_field_names_it(app) {
        let bureau = app.with_kaiyun();
        let template = faults(&[("/scheme", "template")]);
        let year = json!({"scheme": "mof-2013"});
        assert_eq!(bureau.put("/api/v1/fiscal-years/2020", &year).faults(), template);
        assert_eq!(bureau.patch("/api/v1/fiscal-years/2019", &year).faults(), template);
        assert_eq!(bureau.put("/api/v1/special-funds/one", &fund("mof-2013")).faults(), template);
        assert_eq!(bureau.post("/api/v1/special-funds", &fund("mof-2013")).faults(), template);
        assert_eq!(bureau.post("/api/v1/scores:preview", &year).faults(), template);
        let score = bureau.get("/api/v1/units/219001/evaluations/2019/score?scheme=mof-2013");
        let problem = score.problem(422, "unfit-parameter");
        assert_eq!((&problem["errors"][0]["parameter"], &problem["errors"][0]["code"]), (&json!("scheme"), &json!("template")));
        bureau.get("/api/v1/fiscal-years/2020").problem(404, "not-found");
        bureau.get("/api/v1/special-funds/one").problem(404, "not-found");
    }

    fn a_copy_is_the_countys_own_and_can_be_changed_until_something_uses_it(app) {
        let bureau = app.with_kaiyun();
        let copy = |from: &str, body: Value| bureau.post(&format!("{SCHEMES}/{from}/copy"), &body);
        let made = copy("hunan-2019", json!({"id": "hengshan-2020", "name": "衡山县标准"})).expect(201);
        assert_eq!(made.header("Location"), Some(OWN));
        let copied = made.json();
        assert_eq!((&copied["builtin"], &copied["status"]), (&json!(false), &json!("draft")));
        assert_eq!(copied["used_by"], json!({"fiscal_years": [], "special_funds": 0}));
        assert_eq!(bureau.get(OWN).expect(200).etag(), made.etag());
        let mut expected = bureau.get(&format!("{SCHEMES}/hunan-2019")).json()["document"].clone();
        expected["name"] = json!("衡山县标准");
        expected.as_object_mut().unwrap().remove("name_en");
        assert_eq!(copied["document"], expected);

        assert_eq!(copy("hengshan-2020", json!({"id": "hengshan-2021"})).expect(201).json()["document"], expected, "of an own one");
        let problem = copy("mof-2013", json!({"id": "hengshan-2020"})).problem(409, "already-exists");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!("/id"), &json!("taken")));
        copy("nothing", json!({"id": "other"})).problem(404, "not-found");
        assert_eq!(copy("hunan-2019", json!({"id": "X", "nam": "a"})).faults(), faults(&[("/id", "pattern"), ("/nam", "unknown_field")]));
        assert_eq!(bureau.get(OWN).expect(200).json(), copied);

        bureau.patch(OWN, &json!({"source": "衡财绩〔2020〕1号"})).expect(200);
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"scheme": "hengshan-2020"})).expect(200);
        bureau.put("/api/v1/special-funds/one", &fund("hengshan-2021")).expect(201);
        let read = bureau.get(OWN).expect(200).json();
        assert_eq!((&read["status"], &read["used_by"]), (&json!("in_use"), &json!({"fiscal_years": [2019], "special_funds": 0})));
        bureau.patch(OWN, &json!({"source": "衡财绩〔2020〕2号"})).problem(409, "read-only");
        // Used by 2019 itself; by a fund; the year left hunan-2019, which the second copy's fund never used.
        let status = |id: &str| bureau.get(&format!("{SCHEMES}/{id}")).json()["status"].clone();
        let listed = |wanted: &str| bureau.get(SCHEMES).json()["items"].as_array().unwrap().iter()
            .find(|item| item["id"] == wanted).unwrap()["status"].clone();
        for (id, expected) in [("hengshan-2020", "in_use"), ("hengshan-2021", "in_use"), ("hunan-2019", "draft"), ("mof-2013", "template")] {
            assert_eq!((status(id), listed(id)), (json!(expected), json!(expected)), "{id}");
        }
    }

    fn the_tag_of_a_scheme_tells_when_something_began_to_use_it(app) {
        let bureau = app.bureau();
        let draft = bureau.put(OWN, &small()).expect(201).etag();
        bureau.with("If-None-Match", &draft).get(OWN).expect(304);
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "hengshan-2020"})).expect(201);
        assert_eq!(bureau.with("If-None-Match", &draft).get(OWN).expect(200).json()["status"], "in_use");
    }

    fn a_draft_with_faults_is_stored_as_a_template_only_and_changes_until_it_has_none(app) {
        let bureau = app.bureau();
        bureau.post(&format!("{SCHEMES}/mof-2013/copy"), &json!({"id": "hengshan-2020"})).expect(201);
        // Half done: one weight is given, the others are missing and nothing adds up.
        let mut document = bureau.get(OWN).json()["document"].clone();
        document["sections"][0]["indicators"][0]["weight"] = json!("5");
        document["total"] = json!("100");
        assert_eq!(bureau.put(OWN, &document).expect(200).json()["status"], "template");
        let refused = bureau.patch(OWN, &json!({"template": false})).faults();
        assert!(refused.contains(&("/sections/0/indicators/1/weight".to_owned(), "missing_field".to_owned())), "{refused:?}");
        let mut done = small();
        done["template"] = json!(false);
        assert_eq!(bureau.put(OWN, &done).expect(200).json()["status"], "draft");
    }

    fn two_schemes_are_compared_field_by_field_in_words(app) {
        let bureau = app.bureau();
        bureau.put(OWN, &small()).expect(201);
        let mut next = small();
        next["total"] = json!("20");
        next["sections"][0]["weight"] = json!("20");
        next["sections"][0]["indicators"].as_array_mut().unwrap().push(json!(
            {"code": "disclosure", "name": "信息公开", "weight": "10", "rule": {"kind": "assessed"}}));
        bureau.put(&format!("{SCHEMES}/hengshan-2021"), &next).expect(201);
        let compared = app.auditor().get(&format!("{SCHEMES}/hengshan-2021/diff?against=hengshan-2020")).expect(200).json();
        assert_eq!((&compared["against"]["id"], &compared["scheme"]["id"]), (&json!("hengshan-2020"), &json!("hengshan-2021")));
        assert_eq!(compared["affects_score"], true);
        let told: Vec<_> = compared["changes"].as_array().unwrap().iter().map(|change| change["text"]["zh"].as_str().unwrap()).collect();
        assert_eq!(told, [
            "评分标准：总分由“10分”改为“20分”。",
            "一级指标“投入”（input）：分值由“10分”改为“20分”。",
            "新增指标“信息公开”（disclosure）：分值为“10分”；计分规则为“由评价人员评定得分并说明理由”。",
        ]);
        let same = bureau.get(&format!("{OWN}/diff?against=hengshan-2020")).expect(200).json();
        assert_eq!((&same["changes"], &same["affects_score"]), (&json!([]), &json!(false)));
        bureau.get(&format!("{OWN}/diff?against=nothing")).problem(404, "not-found");
        assert_eq!(bureau.get(&format!("{OWN}/diff")).parameters(), faults(&[("against", "missing_parameter")]));
    }

    fn a_template_that_is_copied_and_completed_is_no_template_any_more(app) {
        let bureau = app.bureau();
        let mut document = bureau.get(&format!("{SCHEMES}/mof-2013")).expect(200).json()["document"].clone();
        bureau.put(OWN, &document).expect(201);
        document["template"] = json!(false);
        let found = bureau.put(OWN, &document).faults();
        assert!(found.contains(&("/total".to_owned(), "missing_field".to_owned())), "{found:?}");
        assert!(found.contains(&("/sections/0/indicators/0/weight".to_owned(), "missing_field".to_owned())), "{found:?}");
        assert!(found.contains(&("/sections/0/indicators/0/rule".to_owned(), "missing_field".to_owned())), "{found:?}");
        bureau.put(OWN, &small()).expect(200);
        assert_eq!(bureau.all(&format!("{SCHEMES}?template=true"), "id"), ["mof-2013"]);
    }

    fn a_copy_of_a_built_in_scheme_with_another_weight_scores_by_that_weight(app) {
        let bureau = app.with_kaiyun();
        let mut document = bureau.get(&format!("{SCHEMES}/hunan-2019")).expect(200).json()["document"].clone();
        let indicators = &mut document["sections"][0]["indicators"];
        // The county moves a point from 三公经费变动率 to 在职人员控制率: 6 + 4 are still the 10 of their section.
        indicators[0]["weight"] = json!("6");
        indicators[1]["weight"] = json!("4");
        bureau.put(OWN, &document).expect(201);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hengshan-2020"})).expect(200);
        let staff = json!({"staff": {"posts": 171, "in_post": 174}});
        bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &staff).expect(201);
        let score = bureau.get("/api/v1/units/219001/evaluations/2019/score").expect(200).json();
        // 174/171 = 101.75%: one whole point above 100% costs 0.5 of 6.
        assert_eq!(line(&score, "in_post_control")["points"], "5.5");
        assert_eq!(score["scheme"]["id"], "hengshan-2020");
        let by_built_in = bureau.get("/api/v1/units/219001/evaluations/2019/score?scheme=hunan-2019").expect(200).json();
        assert_eq!(line(&by_built_in, "in_post_control")["points"], "4.5");
    }
}
