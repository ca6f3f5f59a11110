//! The workflow over HTTP: what is submitted is frozen and locked, reviewed, and its history kept.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use jixiao::scoring::assessment::Assessments;
use jixiao::scoring::scheme::{Scheme, SchemeDocument};
use jixiao::scoring::sheet::BaseData;
use jixiao::scoring::{self, Case};

use crate::both_engines;
use crate::support::client::{Response, faults};
use crate::support::{Client, TestApp, at_once, count, with_ready};

const YEAR: &str = "/api/v1/fiscal-years/2019";
const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";
const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";
const ASSESSMENTS: &str = "/api/v1/units/219001/evaluations/2019/assessments";
const REVIEW: &str = "/api/v1/units/219001/evaluations/2019/review";

/// Takes an action.
fn act(client: &Client, action: &str) -> Response {
    let needs_reason = ["return", "reopen"].contains(&action);
    let path = format!("{EVALUATION}/{action}");
    match needs_reason {
        true => client.post(&path, &json!({"reason": "更正后重新提交"})),
        false => client.send("POST", &path, None),
    }
}

fn acts(client: &Client, actions: &[&str]) {
    for action in actions {
        act(client, action).expect(200);
    }
}

fn submission(client: &Client, number: i64) -> Response {
    client.get(&format!("{EVALUATION}/submissions/{number}")).expect(200)
}

fn state(client: &Client) -> Value {
    client.get(EVALUATION).expect(200).json()["state"].clone()
}

/// Says why the fund `f1` of 219001 has no more than a name.
fn explain_fund(client: &Client) {
    let reason = "资金年末下达，尚未使用，未列入年初预算。";
    let reasons = json!({"findings": {"fund_not_in_sheet:f1": reason, "fund_incomplete:f1": reason}});
    client.put(&format!("{EVALUATION}/reasons"), &reasons).expect(201);
}

/// A row of the standings: state, submission, points, self points, low, high.
type Standing = (String, i64, Option<i64>, Option<i64>, i64, i64);

/// What is stored of where 219001 stands in 2019; `None` if it does not.
fn standing(app: &TestApp) -> Option<Standing> {
    use diesel::prelude::*;
    use jixiao::db::schema::standings::dsl;
    app.write(|conn| {
        Ok(dsl::standings
            .find((2019, "219001"))
            .select((
                dsl::state,
                dsl::submission,
                dsl::points,
                dsl::self_points,
                dsl::low,
                dsl::high,
            ))
            .first(&mut **conn)
            .optional()?)
    })
}

/// What is stored of the parts: section or line, code, weight, points.
fn standing_parts(app: &TestApp) -> Vec<(String, String, i64, Option<i64>)> {
    use diesel::prelude::*;
    use jixiao::db::schema::standing_parts::dsl;
    app.write(|conn| {
        Ok(dsl::standing_parts
            .filter(dsl::unit_code.eq("219001"))
            .order((dsl::part, dsl::code))
            .select((dsl::part, dsl::code, dsl::weight, dsl::points))
            .load(&mut **conn)?)
    })
}

both_engines! {
    fn a_good_year_goes_from_draft_to_published_and_its_history_says_who_when_and_why(app) {
        let bureau = with_ready(app);
        let unit = app.unit(&["219001"]);
        assert_eq!(unit.get(EVALUATION).json()["actions"], json!(["submit"]));
        let submitted = unit.post(&format!("{EVALUATION}/submit"), &json!({"reason": "已据实填报"})).expect(200).json();
        assert_eq!((&submitted["state"], &submitted["submission"], &submitted["actions"]), (&json!("submitted"), &json!(1), &json!(["withdraw"])));
        assert_eq!(bureau.get(EVALUATION).json()["actions"], json!(["withdraw", "begin_review", "return"]));
        for (action, after) in [("begin-review", "under_review"), ("approve", "approved"), ("publish", "published"), ("reopen", "draft")] {
            assert_eq!(act(&bureau, action).expect(200).json()["state"], after);
        }
        let history = unit.get(&format!("{EVALUATION}/history")).expect(200).json();
        let told: Vec<_> = history["items"].as_array().unwrap().iter()
            .map(|event| ["action", "from", "to", "role"].map(|name| event[name].as_str().unwrap().to_owned())).collect();
        assert_eq!(told, [
            ["submit", "draft", "submitted", "unit"],
            ["begin_review", "submitted", "under_review", "bureau"],
            ["approve", "under_review", "approved", "bureau"],
            ["publish", "approved", "published", "bureau"],
            ["reopen", "published", "draft", "bureau"],
        ]);
        assert_eq!(history["items"][0]["reason"], "已据实填报");
        assert_eq!(history["items"][0]["actor"], "test");
        assert_eq!(history["items"][3]["reason"], Value::Null);
        assert_eq!(unit.all(&format!("{EVALUATION}/history?limit=2"), "number"), [1, 2, 3, 4, 5]);
        assert_eq!(bureau.get("/api/v1/units/219001/evaluations").each("state"), ["draft"]);
    }

    fn a_step_that_cannot_be_taken_names_the_state_and_what_can(app) {
        let bureau = with_ready(app);
        let unit = app.unit(&["219001"]);
        let actions = ["submit", "withdraw", "begin-review", "return", "approve", "publish", "reopen"];
        // How the evaluation is brought into each state, and what the bureau can do there.
        for (way, state, allowed) in [
            (&[][..], "draft", &["submit"][..]),
            (&["submit"], "submitted", &["withdraw", "begin-review", "return"]),
            (&["return"], "returned", &["submit"]),
            (&["submit", "begin-review"], "under_review", &["return", "approve"]),
            (&["approve"], "approved", &["publish", "reopen"]),
            (&["publish"], "published", &["reopen"]),
        ] {
            acts(&bureau, way);
            for action in actions.iter().filter(|action| !allowed.contains(action)) {
                let problem = act(&bureau, action).problem(409, "wrong-state");
                assert_eq!(problem["state"], state, "{action}");
                let words: Vec<_> = problem["allowed"].as_array().unwrap().iter()
                    .map(|word| word.as_str().unwrap().replace('_', "-")).filter(|word| word != "review").collect();
                assert_eq!(words, allowed, "{action} when {state}");
            }
            assert_eq!(super::state(&bureau), state);
        }
        for action in ["withdraw", "submit"] {
            assert_eq!(act(&unit, action).problem(409, "wrong-state")["allowed"], json!([]));
        }
        for action in &actions[2..] {
            act(&unit, action).problem(403, "forbidden");
        }
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "trial"})).expect(201);
        let nothing = bureau.post("/api/v1/units/219001/evaluations/2020/submit", &json!({})).problem(409, "wrong-state");
        assert_eq!((&nothing["state"], &nothing["allowed"]), (&json!("not_started"), &json!([])));
    }

    fn to_return_and_to_reopen_need_a_reason_and_other_actions_take_one(app) {
        let bureau = with_ready(app);
        acts(&bureau, &["submit"]);
        let path = format!("{EVALUATION}/return");
        bureau.send("POST", &path, None).problem(415, "unsupported-media-type");
        assert_eq!(bureau.post(&path, &json!({})).faults(), faults(&[("/reason", "missing_field")]));
        assert_eq!(bureau.post(&path, &json!({"reason": " "})).faults(), faults(&[("/reason", "pattern")]));
        assert_eq!(bureau.post(&path, &json!({"reason": ""})).faults(), faults(&[("/reason", "pattern"), ("/reason", "too_short")]));
        assert_eq!(bureau.post(&format!("{EVALUATION}/withdraw"), &json!({"raeson": "x"})).faults(), faults(&[("/raeson", "unknown_field")]));
        assert_eq!(state(&bureau), "submitted");
    }

    fn what_is_submitted_is_locked_until_it_is_given_back(app) {
        let bureau = with_ready(app);
        let unit = app.unit(&["219001"]);
        let fund = json!({"unit": "219001", "year": 2019, "name": "危房改造资金"});
        unit.put("/api/v1/special-funds/f1", &fund).expect(201);
        explain_fund(&unit);
        acts(&unit, &["submit"]);
        let sheet = bureau.get(SHEET).expect(200);
        for client in [&unit, &bureau] {
            for refused in [
                client.put(SHEET, &json!({})), client.patch(SHEET, &json!({"staff": {"posts": 1}})), client.delete(SHEET),
                client.put(ASSESSMENTS, &json!({})), client.delete(ASSESSMENTS),
                client.patch("/api/v1/special-funds/f1", &json!({"name": "甲"})), client.delete("/api/v1/special-funds/f1"),
                client.put("/api/v1/special-funds/f2", &json!({"unit": "219001", "year": 2019, "name": "乙"})),
                client.post("/api/v1/special-funds", &json!({"unit": "219001", "year": 2019, "name": "丙"})),
            ] {
                assert_eq!(refused.problem(409, "locked")["state"], "submitted");
            }
            // What changes nothing is no change.
            client.put(SHEET, &sheet.json()).expect(200);
        }
        assert_eq!(bureau.get(SHEET).body, sheet.body);
        // A fund of another year is not brought in either.
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "trial"})).expect(201);
        bureau.put("/api/v1/special-funds/f3", &json!({"unit": "219001", "year": 2020, "name": "丁"})).expect(201);
        bureau.patch("/api/v1/special-funds/f3", &json!({"year": 2019})).problem(409, "locked");
        acts(&bureau, &["return"]);
        unit.patch(SHEET, &json!({"staff": {"posts": 101}})).expect(200);
        unit.delete("/api/v1/special-funds/f1").expect(204);
        assert_eq!(state(&unit), "returned");
    }

    fn an_evaluation_that_was_submitted_stays_when_all_its_parts_are_taken_back(app) {
        let bureau = with_ready(app);
        acts(&bureau, &["submit", "withdraw"]);
        bureau.delete(SHEET).expect(204);
        bureau.delete(ASSESSMENTS).expect(204);
        assert_eq!(state(&bureau), "draft");
        assert_eq!(submission(&bureau, 1).json()["base_data"]["staff"]["posts"], 100);
        assert_eq!(bureau.get(&format!("{EVALUATION}/submissions")).each("state"), ["withdrawn"]);
        bureau.delete(YEAR).problem(409, "referenced");
        bureau.delete("/api/v1/units/219001").problem(409, "referenced");
        bureau.put(SHEET, &json!({"staff": {"posts": 100, "in_post": 100}})).expect(201);
    }

    fn a_submission_is_answered_byte_for_byte_whatever_changes_after_it(app) {
        let bureau = with_ready(app);
        bureau.put("/api/v1/special-funds/f1", &json!({"unit": "219001", "year": 2019, "name": "危房改造资金"})).expect(201);
        explain_fund(&bureau);
        acts(&bureau, &["submit"]);
        let first = submission(&bureau, 1);
        let document = first.json();
        assert_eq!(document["unit_name"], "单位219001");
        assert_eq!(document["special_funds"][0]["id"], "f1");
        acts(&bureau, &["return"]);
        bureau.patch(SHEET, &json!({"staff": {"in_post": 103}})).expect(200);
        bureau.patch("/api/v1/units/219001", &json!({"name": "衡山县开云镇人民政府", "kind": "town"})).expect(200);
        bureau.delete("/api/v1/special-funds/f1").expect(204);
        let mut scheme = bureau.get("/api/v1/scoring-schemes/trial").json()["document"].clone();
        scheme["name"] = json!("第二版");
        bureau.put("/api/v1/scoring-schemes/second", &scheme).expect(201);
        bureau.patch(YEAR, &json!({"scheme": "second"})).expect(200);
        acts(&bureau, &["submit"]);
        let again = submission(&bureau, 1);
        assert_eq!(again.body, first.body);
        assert_eq!(again.etag(), first.etag());
        assert_eq!(bureau.with("If-None-Match", &first.etag()).get(&format!("{EVALUATION}/submissions/1")).status, 304);

        let second = submission(&bureau, 2).json();
        assert_eq!((&second["unit_name"], &second["scheme"]["id"], &second["number"]), (&json!("衡山县开云镇人民政府"), &json!("second"), &json!(2)));
        assert_ne!(second["scheme"]["digest"], document["scheme"]["digest"]);
        // 3 percentage points above 100% at 0.5 each are off the 60 of that line.
        let points = |document: &Value| document["score"]["total"].clone();
        assert_eq!((points(&document), points(&second)), (json!("95"), json!("93.5")));
        let list = bureau.get(&format!("{EVALUATION}/submissions?order=desc")).expect(200).json();
        let told: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| (item["number"].clone(), item["state"].clone(), item["scheme"].clone())).collect();
        assert_eq!(told, [(json!(2), json!("submitted"), json!("second")), (json!(1), json!("returned"), json!("trial"))]);
        bureau.get(&format!("{EVALUATION}/submissions/3")).problem(404, "not-found");
        bureau.get(&format!("{EVALUATION}/submissions/0")).problem(400, "invalid-parameter");
    }

    fn a_frozen_score_follows_from_the_frozen_figures_and_the_frozen_scheme(app) {
        let bureau = with_ready(app);
        acts(&bureau, &["submit"]);
        let document = submission(&bureau, 1).json();
        // The scheme of that id is another one by now.
        acts(&bureau, &["withdraw"]);
        bureau.patch(YEAR, &json!({"scheme": "hunan-2019"})).expect(200);
        let mut other = bureau.get("/api/v1/scoring-schemes/trial").json()["document"].clone();
        other["sections"][0]["indicators"][0]["rule"]["points_per_step"] = json!("5");
        bureau.put("/api/v1/scoring-schemes/trial", &other).expect(200);

        let digest = document["scheme"]["digest"].as_str().unwrap();
        let frozen: SchemeDocument = serde_json::from_slice(&bureau.get(&format!("/api/v1/frozen-schemes/{digest}")).expect(200).body).unwrap();
        let sheet: BaseData = serde_json::from_value(document["base_data"].clone()).unwrap();
        let assessments: Assessments = serde_json::from_value(document["assessments"].clone()).unwrap();
        let score = scoring::score(&Scheme::compile(frozen).unwrap(), &Case::of_unit(&sheet, &assessments));
        assert_eq!(serde_json::to_value(&score).unwrap(), document["score"]);
        bureau.get(&format!("/api/v1/frozen-schemes/{}", "0".repeat(64))).problem(404, "not-found");
        bureau.get("/api/v1/frozen-schemes/trial").problem(400, "invalid-parameter");
    }

    fn a_warning_without_a_reason_stands_in_the_way_and_nothing_is_left_of_the_try(app) {
        let bureau = with_ready(app);
        bureau.patch(SHEET, &json!({"staff": {"in_post": null}})).expect(200);
        let problem = act(&bureau, "submit").problem(409, "not-submittable");
        let finding = problem["errors"].as_array().unwrap().iter().find(|error| error["code"] == "incomplete").unwrap();
        assert_eq!(finding["key"], "incomplete");
        assert_eq!(state(&bureau), "draft");
        assert_eq!(bureau.get(&format!("{EVALUATION}/submissions")).each("number"), [""; 0]);
        assert_eq!(bureau.get(&format!("{EVALUATION}/history")).each("number"), [""; 0]);
        assert_eq!(standing(app), None);
    }

    fn what_is_submitted_with_an_open_line_has_no_total_until_the_review_gives_it_points(app) {
        let bureau = with_ready(app);
        bureau.patch(SHEET, &json!({"staff": {"in_post": null}})).expect(200);
        let errors = act(&bureau, "submit").problem(409, "not-submittable")["errors"].clone();
        let reasons: serde_json::Map<String, Value> = errors.as_array().unwrap().iter()
            .map(|error| (error["key"].as_str().unwrap().to_owned(), json!("编制台账正在核对"))).collect();
        let reasons = json!({"findings": reasons});
        bureau.put(&format!("{EVALUATION}/reasons"), &reasons).expect(201);
        acts(&bureau, &["submit"]);
        assert_eq!(submission(&bureau, 1).json()["reasons"], reasons);
        bureau.delete(&format!("{EVALUATION}/reasons")).problem(409, "locked");
        // 15 and 20 are decided; staffing can be 0 to 60.
        assert_eq!(standing(app), Some(("submitted".to_owned(), 1, None, None, 35_000_000, 95_000_000)));
        acts(&bureau, &["begin-review"]);
        assert_eq!(act(&bureau, "approve").problem(409, "review-incomplete")["errors"].as_array().unwrap().len(), 1);
        assert_eq!(bureau.put(REVIEW, &json!({"lines": {"staffing": {"points": 60}}})).faults(), faults(&[("/lines/staffing/reason", "missing_field")]));
        bureau.put(REVIEW, &json!({"lines": {"staffing": {"points": "59.5", "reason": "经核对超编1人"}}})).expect(200);
        acts(&bureau, &["approve"]);
        assert_eq!(standing(app), Some(("approved".to_owned(), 1, Some(94_500_000), None, 94_500_000, 94_500_000)));
    }

    fn where_a_unit_stands_is_written_with_each_step_and_gone_when_it_counts_no_more(app) {
        let bureau = with_ready(app);
        acts(&bureau, &["submit"]);
        let stands = |state: &str, submission, points: Option<i64>, own| {
            Some((state.to_owned(), submission, points, own, points.unwrap(), points.unwrap()))
        };
        assert_eq!(standing(app), stands("submitted", 1, Some(95_000_000), Some(95_000_000)));
        let line = |part: &str, code: &str, weight, points| (part.to_owned(), code.to_owned(), weight, Some(points));
        assert_eq!(standing_parts(app), [
            line("line", "benefit", 20_000_000, 15_000_000),
            line("line", "discipline", 20_000_000, 20_000_000),
            line("line", "staffing", 60_000_000, 60_000_000),
            line("section", "input", 60_000_000, 60_000_000),
            line("section", "output", 40_000_000, 35_000_000),
        ]);
        acts(&bureau, &["begin-review"]);
        bureau.put(REVIEW, &json!({"lines": {"benefit": {"points": "12.25", "reason": "一项目标未完成"}}})).expect(200);
        assert_eq!(standing(app), stands("under_review", 1, Some(92_250_000), Some(95_000_000)));
        assert_eq!(standing_parts(app)[0], line("line", "benefit", 20_000_000, 12_250_000));
        acts(&bureau, &["approve"]);
        assert_eq!(standing(app), stands("approved", 1, Some(92_250_000), Some(95_000_000)));
        acts(&bureau, &["reopen"]);
        assert_eq!((standing(app), standing_parts(app)), (None, vec![]));
        acts(&bureau, &["submit"]);
        assert_eq!(standing(app), stands("submitted", 2, Some(95_000_000), Some(95_000_000)));
        acts(&bureau, &["return"]);
        assert_eq!(standing(app), None);
    }

    fn the_review_stands_beside_the_units_own_score_and_ends_when_nothing_is_open(app) {
        let bureau = with_ready(app);
        let unit = app.unit(&["219001"]);
        bureau.get(REVIEW).problem(404, "not-found");
        acts(&bureau, &["submit"]);
        assert_eq!(bureau.put(REVIEW, &json!({})).problem(409, "wrong-state")["state"], "submitted");
        acts(&bureau, &["begin-review"]);
        let empty = bureau.get(REVIEW).expect(200);
        assert_eq!(empty.json()["review_score"], empty.json()["self_score"]);
        assert_eq!(empty.json()["version"], 0);

        let review = json!({"lines": {"benefit": {"points": "12.25", "reason": "一项目标未完成"}, "discipline": {"points": "20"}}, "comment": "数据真实"});
        let put = bureau.with("If-Match", &empty.etag()).put(REVIEW, &review).expect(200);
        let view = put.json();
        assert_eq!(view["review"], review);
        assert_eq!((&view["self_score"]["total"], &view["review_score"]["total"], &view["open"]), (&json!("95"), &json!("92.25"), &json!([])));
        let line = |code: &str| view["lines"].as_array().unwrap().iter().find(|line| line["code"] == code).unwrap().clone();
        let benefit = line("benefit");
        assert_eq!((&benefit["self_points"], &benefit["review_points"], &benefit["points"]), (&json!("15"), &json!("12.25"), &json!("12.25")));
        assert_eq!(line("staffing")["review_points"], Value::Null);
        assert_eq!(view["sections"][1]["points"], "32.25");
        assert_eq!(bureau.put(REVIEW, &review).expect(200).etag(), put.etag(), "the same again is no change");

        unit.get(REVIEW).problem(403, "forbidden");
        unit.put(REVIEW, &json!({})).problem(403, "forbidden");
        app.auditor().get(REVIEW).expect(200);
        assert_eq!(bureau.put(REVIEW, &json!({"lines": {
            "benefit": {"points": "20.01", "reason": "x"}, "no_line": {"points": 1}, "staffing": {"points": "59"}
        }})).faults(), faults(&[("/lines/benefit/points", "too_large"), ("/lines/no_line", "unknown_line"), ("/lines/staffing/reason", "missing_field")]));
        assert_eq!(bureau.get(REVIEW).etag(), put.etag());

        acts(&bureau, &["approve"]);
        assert_eq!(unit.get(REVIEW).expect(200).json()["review_score"]["total"], "92.25");
        assert_eq!(bureau.patch(REVIEW, &json!({"comment": "x"})).problem(409, "wrong-state")["allowed"], json!(["publish", "reopen"]));
        // The next submission is reviewed anew, and this review is kept with its own.
        acts(&bureau, &["reopen", "submit", "begin-review"]);
        assert_eq!(bureau.get(REVIEW).json()["review"], json!({}));
        assert_eq!(unit.get(&format!("{REVIEW}?submission=1")).expect(200).json()["review"], review);
        unit.get(&format!("{REVIEW}?submission=2")).problem(403, "forbidden");
        let reviews = bureau.get(&format!("{EVALUATION}/history")).expect(200).json()["items"].as_array().unwrap().iter()
            .filter(|event| event["action"] == "review").count();
        assert_eq!(reviews, 1, "what changed nothing is not in the history");
    }

    fn units_file_within_the_window_and_with_what_was_returned_to_them_the_bureau_always(app) {
        let bureau = with_ready(app);
        let unit = app.unit(&["219001"]);
        let fund = json!({"unit": "219001", "year": 2019, "name": "危房改造资金"});
        let (past, future) = (json!({"opens_on": "2000-01-01", "closes_on": "2000-12-31"}), json!({"opens_on": "2190-01-01", "closes_on": null}));
        for window in [&past, &future] {
            bureau.patch(YEAR, window).expect(200);
            for refused in [unit.patch(SHEET, &json!({"staff": {"posts": 1}})), unit.delete(ASSESSMENTS), unit.put("/api/v1/special-funds/f1", &fund), act(&unit, "submit")] {
                let problem = refused.problem(409, "outside-window");
                assert!(problem["detail_zh"].as_str().unwrap().contains(window["opens_on"].as_str().unwrap()), "{problem}");
            }
            assert_eq!(unit.get(EVALUATION).json()["actions"], json!([]));
        }
        bureau.put("/api/v1/special-funds/f1", &fund).expect(201);
        explain_fund(&bureau);
        acts(&bureau, &["submit"]);
        act(&unit, "withdraw").problem(409, "outside-window");
        acts(&bureau, &["return"]);
        unit.patch(SHEET, &json!({"staff": {"posts": 101}})).expect(200);
        assert_eq!(unit.get(EVALUATION).json()["actions"], json!(["submit"]));
        acts(&unit, &["submit"]);
        // In a closed year nobody does anything.
        bureau.patch(YEAR, &json!({"status": "closed"})).expect(200);
        act(&bureau, "begin-review").problem(409, "closed");
        assert_eq!(bureau.get(EVALUATION).json()["actions"], json!([]));
    }

    fn a_step_with_the_tag_of_what_was_seen_is_of_that_and_nothing_else(app) {
        let bureau = with_ready(app);
        let seen = bureau.get(EVALUATION).expect(200).etag();
        assert_eq!(bureau.with("If-None-Match", &seen).get(EVALUATION).status, 304);
        bureau.patch(SHEET, &json!({"staff": {"posts": 101}})).expect(200);
        act(&bureau.with("If-Match", &seen), "submit").problem(412, "precondition-failed");
        let now = bureau.get(EVALUATION).expect(200).etag();
        let submitted = act(&bureau.with("If-Match", &now), "submit").expect(200);
        assert_eq!(bureau.get(EVALUATION).etag(), submitted.etag());
        acts(&bureau, &["begin-review"]);
        let seen = bureau.get(EVALUATION).expect(200).etag();
        bureau.patch(REVIEW, &json!({"comment": "尚有疑问"})).expect(200);
        act(&bureau.with("If-Match", &seen), "approve").problem(412, "precondition-failed");
    }

    fn of_two_reviewers_none_loses_what_the_other_gave(app) {
        let bureau = with_ready(app);
        acts(&bureau, &["submit", "begin-review"]);
        let seen = bureau.get(REVIEW).expect(200).etag();
        let review = |n: usize| json!({"lines": {"benefit": {"points": n.to_string(), "reason": "复核"}}});
        let replaced = at_once(4, |n| bureau.with("If-Match", &seen).put(REVIEW, &review(n)));
        assert_eq!((count(&replaced, 200), count(&replaced, 412)), (1, 3));
        let winner = replaced.iter().position(|response| response.status == 200).unwrap();
        assert_eq!(bureau.get(REVIEW).json()["review"], review(winner));

        // For another reason, so that none of them says what is there already.
        let lines = ["benefit", "discipline", "staffing"];
        for patched in at_once(3, |n| bureau.patch(REVIEW, &json!({"lines": {(lines[n]): {"points": n + 1, "reason": "复查"}}}))) {
            patched.expect(200);
        }
        let view = bureau.get(REVIEW).json();
        assert_eq!(lines.map(|code| view["review"]["lines"][code]["points"].clone()), ["1", "2", "3"]);
        assert_eq!((&view["version"], &view["review_score"]["total"]), (&json!(4), &json!("6")));
        assert_eq!(standing(app).unwrap().2, Some(6_000_000));
    }

    fn what_is_submitted_while_others_edit_is_one_state_that_was_acknowledged_and_no_mix(app) {
        let bureau = with_ready(app);
        // Each edit gives both figures the same number: a mix of two would show.
        bureau.put(SHEET, &json!({"staff": {"posts": 100, "in_post": 100}})).expect(200);
        let answers = at_once(9, |n| match n {
            4 => act(&bureau, "submit"),
            n => bureau.patch(SHEET, &json!({"staff": {"posts": 200 + n, "in_post": 200 + n}})),
        });
        let mut acknowledged = vec![100];
        for (n, answer) in answers.into_iter().enumerate() {
            match (n, answer.status) {
                (4, _) => drop(answer.expect(200)),
                (_, 200) => acknowledged.push(200 + n as u64),
                _ => drop(answer.problem(409, "locked")),
            }
        }
        let document = submission(&bureau, 1).json();
        let staff = &document["base_data"]["staff"];
        assert_eq!(staff["posts"], staff["in_post"]);
        assert!(acknowledged.contains(&staff["posts"].as_u64().unwrap()), "{staff} of {acknowledged:?}");
        assert_eq!(document["base_data"], bureau.get(SHEET).json(), "and nothing was changed after it");
    }

    fn of_many_who_submit_at_once_one_does(app) {
        let bureau = with_ready(app);
        let answers = at_once(6, |_| act(&bureau, "submit"));
        assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 5));
        assert_eq!(bureau.get(&format!("{EVALUATION}/submissions")).each("number"), ["1"]);
        assert_eq!(bureau.get(&format!("{EVALUATION}/history")).each("number"), ["1"]);
    }

    fn a_year_whose_scheme_changes_while_units_submit_freezes_score_and_scheme_of_one_kind(app) {
        let bureau = with_ready(app);
        let mut other = bureau.get("/api/v1/scoring-schemes/trial").json()["document"].clone();
        // What the unit lost 5 points for is not judged so any more: 20 + 60 + 0.
        other["sections"][1]["indicators"].as_array_mut().unwrap().iter_mut().for_each(|indicator| {
            if indicator["code"] == "benefit" {
                indicator["weight"] = json!("15");
            } else {
                indicator["weight"] = json!("25");
            }
        });
        bureau.put("/api/v1/scoring-schemes/other", &other).expect(201);
        for round in 1..=6 {
            let to = if round % 2 == 0 { "trial" } else { "other" };
            let answers = at_once(2, |n| match n {
                0 => bureau.patch(YEAR, &json!({"scheme": to})),
                _ => act(&bureau, "submit"),
            });
            answers.into_iter().for_each(|answer| drop(answer.expect(200)));
            let document = submission(&bureau, round).json();
            let id = document["scheme"]["id"].as_str().unwrap();
            let digest = document["scheme"]["digest"].as_str().unwrap();
            let frozen = bureau.get(&format!("/api/v1/frozen-schemes/{digest}")).expect(200).json();
            assert_eq!(frozen["name"], document["scheme"]["name"]);
            // 60 + 20 + 15 of 20 under the one; 60 + 25 + 15 of 15 under the other.
            let total = if id == "trial" { "95" } else { "100" };
            assert_eq!(document["score"]["total"], total, "{id}");
            assert_eq!(frozen["sections"][1]["indicators"][0]["weight"], if id == "trial" { "20" } else { "15" });
            let points: Decimal = total.parse().unwrap();
            assert_eq!(Decimal::from(standing(app).unwrap().2.unwrap()), points * Decimal::from(1_000_000));
            acts(&bureau, &["return"]);
        }
    }
}
