//! What to do about a score, over HTTP: gaps, sensitivity, comparison, and scores by another scheme.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::faults;
use crate::support::{Client, TestApp, line, with_ready};

const YEAR: &str = "/api/v1/units/219001/evaluations/2019";
const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";
const ASSESSMENTS: &str = "/api/v1/units/219001/evaluations/2019/assessments";
const SCORE: &str = "/api/v1/units/219001/evaluations/2019/score";
const GAPS: &str = "/api/v1/units/219001/evaluations/2019/score/gaps";
const SENSITIVITY: &str = "/api/v1/units/219001/evaluations/2019/score/sensitivity";
const COMPARISON: &str = "/api/v1/units/219001/evaluations/2019/comparison";

fn staff(posts: u32, in_post: u32) -> Value {
    json!({"staff": {"posts": posts, "in_post": in_post}})
}

/// Kaiyun with 103 in post for 100 posts: three steps of 0.5 off the 5 points.
fn with_three_too_many(app: &TestApp) -> Client {
    let bureau = app.with_kaiyun();
    bureau.put(SHEET, &staff(100, 103)).expect(201);
    bureau
}

both_engines! {
    fn gaps_say_what_each_line_would_take_and_filing_it_gives_what_was_promised(app) {
        let bureau = with_three_too_many(app);
        let gaps = bureau.get(&format!("{GAPS}?target=90")).expect(200).json();
        assert_eq!((&gaps["target"], &gaps["short"], &gaps["reach"]), (&json!("90"), &json!("86.5"), &json!("by_open_lines")));
        assert_eq!(gaps["target_grade"]["name"], "优");
        assert_eq!(gaps["interval"], json!({"low": "3.5", "high": "98.5"}));
        assert_eq!(gaps["unit_name"], "衡山县开云镇人民政府");
        // All 17 lines are worth a word: 16 are open and one lost 1.5.
        assert_eq!(gaps["lines"].as_array().unwrap().len(), 17);
        assert_eq!(line_of(&gaps["lines"], "in_post_control")["lost"], "1.5");

        let ways = gaps["ways"].as_array().unwrap();
        let (open, figures) = ways.split_at(16);
        assert!(open.iter().all(|way| way["kind"] == "fill_in"), "what is missing comes first");
        let shown: Vec<_> = figures.iter().map(|way| {
            let change = &way["changes"][0];
            (change["pointer"].as_str().unwrap(), &change["to"], way["gain"].as_str().unwrap(), way["percent_per_point"].as_str().unwrap())
        }).collect();
        assert_eq!(shown, [
            // 103/101 = 101.98%, one step: 4.5 points for 1% of posts. 103/102 = 100.98%, no step: 2% for 1.5.
            ("/staff/posts", &json!(101), "1", "1"),
            ("/staff/posts", &json!(102), "1.5", "1.33"),
            // 100 is no step, 2.91% for 1.5; 102 is two steps, 0.97% for 0.5.
            ("/staff/in_post", &json!(100), "1.5", "1.94"),
            ("/staff/in_post", &json!(102), "0.5", "1.94"),
        ]);
        assert_eq!(figures[2]["kind"], "lower");
        assert_eq!(figures[2]["changes"][0]["difference"], "-3");
        assert_eq!(figures[2]["text"]["zh"],
            "若在职人员数实际不超过100人（现为103人，减少3人，即2.91%），“在职人员控制率”由3.5分增至5分。");

        let change = &figures[1]["changes"][0];
        bureau.patch(SHEET, &json!({"staff": {"posts": change["to"]}})).expect(200);
        assert_eq!(bureau.get(SCORE).expect(200).json()["interval"]["low"], "5");
        // Left out, the target is the bound of the next better grade.
        let gaps = bureau.get(GAPS).expect(200).json();
        assert_eq!((&gaps["target"], &gaps["short"]), (&json!("60"), &json!("55")));
    }

    fn last_years_columns_come_from_the_year_before_and_are_not_proposed(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/fiscal-years/2018", &json!({"scheme": "hunan-2019"})).expect(201);
        let three_public = |budget: &str| json!({"three_public": {"total": {"budget": budget}}});
        bureau.put("/api/v1/units/219001/evaluations/2018/base-data", &three_public("40")).expect(201);
        bureau.put(SHEET, &three_public("42.5")).expect(201);
        let gaps = bureau.get(GAPS).expect(200).json();
        let ways = gaps["ways"].as_array().unwrap().iter().filter(|way| way["kind"] != "fill_in");
        // 42.5 over 40 is 6.25%: six steps of 0.5 off. Under 6% is under 42.4, under 1% (nothing off) under 40.4.
        let shown: Vec<_> = ways.map(|way| (way["changes"][0]["pointer"].clone(), way["changes"][0]["to"].clone(), way["gain"].clone())).collect();
        let budget = json!("/three_public/total/budget");
        assert_eq!(shown, [(budget.clone(), json!("42.39"), json!("0.5")), (budget, json!("40.39"), json!("3"))]);
        let sensitivity = bureau.get(SENSITIVITY).expect(200).json();
        let pointers: Vec<_> = sensitivity["figures"].as_array().unwrap().iter().map(|figure| figure["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, ["/three_public/total/budget", "/three_public/total/prior_budget"]);
    }

    fn sensitivity_says_how_far_each_figure_is_from_its_next_step(app) {
        let bureau = with_three_too_many(app);
        let answer = bureau.get(&format!("{SENSITIVITY}?percent=5")).expect(200).json();
        assert_eq!(answer["percent"], "5");
        let figure = |pointer: &str| {
            let figures = answer["figures"].as_array().unwrap().iter();
            figures.clone().find(|figure| figure["pointer"] == pointer).unwrap_or_else(|| panic!("no {pointer}: {answer}"))
        };
        let moved = |moved: &Value| (moved["value"].as_str().unwrap().to_owned(), moved["change"].as_str().unwrap().to_owned());
        let at = |value: &str, change: &str| (value.to_owned(), change.to_owned());
        // 103 and 5.15 are 108 people: eight steps. Less 5.15 they are 98.
        let in_post = figure("/staff/in_post");
        assert_eq!((moved(&in_post["higher"]), moved(&in_post["lower"])), (at("108", "-2.5"), at("98", "1.5")));
        assert_eq!((moved(&in_post["next_up"]), moved(&in_post["next_down"])), (at("104", "-0.5"), at("102", "0.5")));
        // 103/99 = 104.04%.
        assert_eq!(moved(&figure("/staff/posts")["next_down"]), at("99", "-0.5"));
        assert_eq!(answer["figures"].as_array().unwrap().len(), 2);
        assert_eq!(bureau.get(SENSITIVITY).expect(200).json()["percent"], "1");
    }

    fn what_if_answers_have_a_tag_of_all_that_they_follow_from(app) {
        let bureau = with_three_too_many(app);
        for path in [GAPS, SENSITIVITY] {
            let tag = bureau.get(path).expect(200).etag();
            bureau.with("If-None-Match", &tag).get(path).expect(304);
        }
        let tag = bureau.get(GAPS).etag();
        assert_ne!(tag, bureau.get(&format!("{GAPS}?target=90")).etag());
        bureau.put(SHEET, &staff(100, 104)).expect(200);
        assert_ne!(tag, bureau.get(GAPS).etag());
    }

    fn a_parameter_that_means_nothing_is_refused_by_name(app) {
        let bureau = with_three_too_many(app);
        for (path, expected) in [
            (format!("{GAPS}?target=-1"), ("target", "invalid_value")),
            (format!("{GAPS}?target="), ("target", "invalid_value")),
            (format!("{GAPS}?goal=90"), ("goal", "unknown_parameter")),
            (format!("{SENSITIVITY}?percent=0"), ("percent", "invalid_value")),
            (format!("{SENSITIVITY}?percent=100.01"), ("percent", "invalid_value")),
            (format!("{COMPARISON}?with_year=19"), ("with_year", "invalid_value")),
        ] {
            assert_eq!(bureau.get(&path).parameters(), faults(&[expected]), "{path}");
        }
        // Well written, and yet nothing to answer.
        for (path, expected) in [
            (format!("{GAPS}?target=100.5"), ("target", "out_of_range")),
            (COMPARISON.to_owned(), ("with_scheme", "missing_parameter")),
        ] {
            let error = &bureau.get(&path).problem(422, "unfit-parameter")["errors"][0];
            assert_eq!((&error["parameter"], &error["code"]), (&json!(expected.0), &json!(expected.1)), "{path}");
        }
        bureau.get(&format!("{GAPS}?target=100")).expect(200);
        for path in [format!("{GAPS}?scheme="), format!("{SENSITIVITY}?scheme="), format!("{COMPARISON}?with_scheme=")] {
            bureau.get(&format!("{path}none")).problem(404, "not-found");
            let template = bureau.get(&format!("{path}mof-2013")).problem(422, "unfit-parameter");
            let parameter = path.rsplit(['?', '=']).nth(1).unwrap();
            assert_eq!(template["errors"][0]["parameter"], parameter);
        }
    }

    fn two_years_two_units_and_two_schemes_are_compared_line_by_line(app) {
        let bureau = with_three_too_many(app);
        bureau.put("/api/v1/units/300", &json!({"name": "县教育局", "kind": "department"})).expect(201);
        bureau.put("/api/v1/fiscal-years/2018", &json!({"scheme": "hunan-2019"})).expect(201);
        bureau.put("/api/v1/units/219001/evaluations/2018/base-data", &staff(100, 101)).expect(201);
        bureau.put("/api/v1/units/300/evaluations/2019/base-data", &staff(100, 100)).expect(201);

        let years = bureau.get(&format!("{COMPARISON}?with_year=2018")).expect(200).json();
        assert_eq!((&years["first_of"]["year"], &years["second_of"]["year"]), (&json!(2019), &json!(2018)));
        // 3.5 in 2019; 101% in 2018 is one step: 4.5.
        let staff_line = line(&years, "in_post_control");
        assert_eq!((&staff_line["difference"], &staff_line["why"]), (&json!("1"), &json!(["other_figures"])));
        assert_eq!(staff_line["figures"], json!([{"name": "staff.in_post",
            "label": {"zh": "在职人员数", "en": "staff in post"}, "unit": "人", "first": "103", "second": "101", "difference": "-2"}]));
        assert_eq!((&line(&years, "key_work")["why"], &years["difference"]), (&json!([]), &json!(null)));

        let units = bureau.get(&format!("{COMPARISON}?with_unit=300")).expect(200).json();
        assert_eq!(units["second_of"]["unit_name"], "县教育局");
        assert_eq!(line(&units, "in_post_control")["second"]["points"], "5");

        let schemes = bureau.get(&format!("{COMPARISON}?with_scheme=project-2020")).expect(200).json();
        assert_eq!(schemes["second_of"]["scheme"]["id"], "project-2020");
        assert_eq!(line(&schemes, "in_post_control")["why"], json!(["only_first"]));
        assert_eq!(line(&schemes, "in_post_control")["second"], json!(null));

        // A unit's token sees its own years, and not another unit beside them.
        let own = app.unit(&["219001"]);
        assert_eq!(own.get(&format!("{COMPARISON}?with_year=2018")).expect(200).json(), years);
        own.get(&format!("{COMPARISON}?with_unit=300")).problem(403, "forbidden");
        bureau.get(&format!("{COMPARISON}?with_unit=999")).problem(404, "not-found");
        bureau.get(&format!("{COMPARISON}?with_year=2017")).problem(404, "not-found");
    }

    fn what_was_corrected_between_two_submissions_is_compared_by_what_was_frozen(app) {
        let bureau = with_ready(app);
        let sheet = |in_post: u32| bureau.put(SHEET, &staff(100, in_post)).expect(200);
        let submit = || bureau.post(&format!("{YEAR}/submit"), &json!({})).expect(200);
        sheet(104);
        submit();
        bureau.post(&format!("{YEAR}/return"), &json!({"reason": "在职人员数与编制台账不符"})).expect(200);
        sheet(101);
        // The second is submitted under another scheme, which takes off twice as much.
        let mut scheme = bureau.get("/api/v1/scoring-schemes/trial").json()["document"].clone();
        scheme["sections"][0]["indicators"][0]["rule"]["points_per_step"] = json!("1");
        bureau.put("/api/v1/scoring-schemes/stricter", &scheme).expect(201);
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"scheme": "stricter"})).expect(200);
        submit();
        bureau.post(&format!("{YEAR}/return"), &json!({"reason": "再核"})).expect(200);
        sheet(100);

        // Four steps of 0.5 off the 60 points: 58 and 15 and 20 are 93. One step of 1: 94. Nothing off: 95.
        let totals = |compared: &Value| (compared["first"]["total"].clone(), compared["second"]["total"].clone());
        let both = bureau.get(&format!("{COMPARISON}?submission=1&with_submission=2")).expect(200).json();
        assert_eq!(totals(&both), (json!("93"), json!("94")));
        for (side, number, scheme) in [("first_of", 1, "trial"), ("second_of", 2, "stricter")] {
            assert_eq!((&both[side]["submission"], &both[side]["scheme"]["id"]), (&json!(number), &json!(scheme)));
            let frozen = bureau.get(&format!("{YEAR}/submissions/{number}")).expect(200).json();
            assert_eq!(frozen["score"]["total"], both[side.trim_end_matches("_of")]["total"], "a submission keeps its score");
        }
        let staffing = line(&both, "staffing");
        assert_eq!(staffing["why"], json!(["other_figures", "other_rule"]));
        assert_eq!((&staffing["figures"][0]["first"], &staffing["figures"][0]["second"]), (&json!("104"), &json!("101")));
        assert_eq!(line(&both, "benefit")["why"], json!([]));

        let since = bureau.get(&format!("{COMPARISON}?submission=2")).expect(200).json();
        assert_eq!((totals(&since), &since["second_of"]["submission"]), ((json!("94"), json!("95")), &json!(null)));
        let before = bureau.get(&format!("{COMPARISON}?with_submission=1")).expect(200).json();
        assert_eq!(totals(&before), (json!("95"), json!("93")));
        // The figures of the first by the scheme of the second: four steps of 1.
        let by = bureau.get(&format!("{COMPARISON}?submission=1&with_submission=1&with_scheme=stricter")).expect(200).json();
        assert_eq!((totals(&by), &line(&by, "staffing")["why"]), ((json!("93"), json!("91")), &json!(["other_rule"])));

        assert_eq!(app.unit(&["219001"]).get(&format!("{COMPARISON}?submission=1&with_submission=2")).expect(200).json(), both);
        bureau.get(&format!("{COMPARISON}?submission=3")).problem(404, "not-found");
        assert_eq!(bureau.get(&format!("{COMPARISON}?with_submission=0")).parameters(), faults(&[("with_submission", "invalid_value")]));
    }

    fn every_link_of_a_unit_year_leads_somewhere(app) {
        let bureau = with_ready(app);
        bureau.put(&format!("{YEAR}/claims"), &json!({"total": "95"})).expect(201);
        bureau.put(&format!("{YEAR}/reasons"), &json!({"findings": {}})).expect(201);
        bureau.put(&format!("{YEAR}/narrative"), &json!({"other": "无"})).expect(201);
        bureau.post(&format!("{YEAR}/submit"), &json!({})).expect(200);
        let evaluation = bureau.get(YEAR).expect(200).json();
        for (name, link) in evaluation["links"].as_object().unwrap() {
            let link = link.as_str().unwrap();
            let path = if name == "comparison" { format!("{link}?submission=1") } else { link.to_owned() };
            bureau.get(&path).expect(200);
        }
    }

    fn a_score_by_another_scheme_says_what_it_has_no_use_for(app) {
        let bureau = with_three_too_many(app);
        bureau.put(ASSESSMENTS, &json!({"indicators": {"key_work": {"achieved": "95", "possible": "100"}}})).expect(201);
        assert_eq!(bureau.get(SCORE).expect(200).json()["unused"], json!(null));
        let other = bureau.get(&format!("{SCORE}?scheme=project-2020")).expect(200).json();
        let unused: Vec<_> = other["unused"].as_array().unwrap().iter().map(|unused| (&unused["pointer"], &unused["code"])).collect();
        assert_eq!(unused, [(&json!("/indicators/key_work"), &json!("unknown_indicator"))]);
        // Its execution rate waits for the budget, which was not filed.
        assert!(other["missing"].as_array().unwrap().iter().any(|field| field["pointer"] == "/budget/initial"));
        // What does not fit stands in no one's way: the gaps by that scheme can be asked for too.
        bureau.get(&format!("{GAPS}?scheme=project-2020")).expect(200);
        bureau.get(YEAR).expect(200);
    }
}

fn line_of<'a>(lines: &'a Value, code: &str) -> &'a Value {
    let mut lines = lines.as_array().unwrap().iter();
    lines.find(|line| line["line"] == code).unwrap()
}
