//! A unit's year over HTTP: what is filed, and the score that follows from it.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Response, faults, pointers};
use crate::support::{Client, example, line, lines, load_example};

const YEAR: &str = "/api/v1/units/219001/evaluations/2019";
const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";
const ASSESSMENTS: &str = "/api/v1/units/219001/evaluations/2019/assessments";
const REASONS: &str = "/api/v1/units/219001/evaluations/2019/reasons";
const NARRATIVE: &str = "/api/v1/units/219001/evaluations/2019/narrative";
const CLAIMS: &str = "/api/v1/units/219001/evaluations/2019/claims";
const SCORE: &str = "/api/v1/units/219001/evaluations/2019/score";

/// A sheet with every figure that `hunan-2019` asks for.
fn full_sheet() -> Value {
    json!({
        "staff": {"posts": 100, "in_post": 103},
        "three_public": {"total": {"prior_budget": "40", "budget": "42.5", "final": "43.35"}},
        "budget": {"carried_in": "100", "initial": "1000", "supplementary": "150", "carried_out": "100"},
        "buildings": {"projects": [{"name": "便民服务中心", "approved_area": "1000", "actual_area": "1049",
            "approved_cost": "200", "actual_cost": "220"}]},
        "basic_expenditure": {"public_funds": {"budget": "252.05", "final": "252.05"}},
        "procurement": {"budget": "80", "final": "70.4"},
    })
}

/// Everything that people judge under `hunan-2019`.
fn full_assessments() -> Value {
    json!({"indicators": {
        "management_system": {"checks": {"finance_rules": true, "thrift_rules": true, "lawful_and_complete": true, "carried_out": false}},
        "fund_compliance": {"incidents": 2},
        "disclosure": {"checks": {"content": true, "deadline": true, "data_true": true, "data_complete": true, "data_accurate": true}},
        "key_work": {"achieved": "95", "possible": "100"},
        "economic_benefit": {"points": "4.5", "reason": "三项目标完成两项半"},
        "social_benefit": {"points": "4"},
        "admin_efficiency": {"rating": "fair"},
        "satisfaction": {"achieved": "171", "possible": "190"},
    }})
}

fn staff(in_post: u32) -> Value {
    json!({"staff": {"posts": 171, "in_post": in_post}})
}

fn score(client: &Client) -> Value {
    client.get(SCORE).expect(200).json()
}

fn close(bureau: &Client, year: &str) {
    bureau
        .patch(&format!("/api/v1/fiscal-years/{year}"), &json!({"status": "closed"}))
        .expect(200);
}

/// What is missing, as document and pointer.
fn missing(score: &Value) -> Vec<(&str, &str)> {
    let fields = score["missing"].as_array().unwrap().iter();
    fields
        .map(|field| (field["document"].as_str().unwrap(), field["pointer"].as_str().unwrap()))
        .collect()
}

fn etag(response: Response) -> String {
    response.expect(200).etag()
}

both_engines! {
    fn a_unit_year_that_cannot_be_says_whether_the_unit_or_the_year_is_missing(app) {
        let bureau = app.with_kaiyun();
        for part in ["", "/base-data", "/assessments", "/claims", "/score"] {
            let no_unit = bureau.get(&format!("/api/v1/units/999/evaluations/2019{part}")).problem(404, "not-found");
            assert_eq!(no_unit["detail_zh"], "单位999不存在。");
            let no_year = bureau.get(&format!("/api/v1/units/219001/evaluations/2020{part}")).problem(404, "not-found");
            assert_eq!(no_year["detail_zh"], "2020年度尚未设置。");
            bureau.get(&format!("/api/v1/units/219001/evaluations/1989{part}")).problem(400, "invalid-parameter");
        }
        bureau.get("/api/v1/units/999/evaluations").problem(404, "not-found");
        bureau.put("/api/v1/units/999/evaluations/2019/base-data", &json!({})).problem(404, "not-found");
        bureau.put("/api/v1/units/219001/evaluations/2020/assessments", &json!({})).problem(404, "not-found");
        for part in [SHEET, ASSESSMENTS, CLAIMS] {
            for not_filed in [bureau.get(part), bureau.patch(part, &json!({})), bureau.delete(part)] {
                let problem = not_filed.problem(404, "not-found");
                assert!(problem["detail_zh"].as_str().unwrap().contains("尚未填报"), "{problem}");
            }
        }
    }

    fn a_unit_year_begins_when_something_is_filed_and_ends_when_all_is_taken_back(app) {
        let bureau = app.with_kaiyun();
        let before = bureau.get(YEAR).expect(200).json();
        assert_eq!((&before["state"], &before["scheme"]), (&json!("not_started"), &json!("hunan-2019")));
        assert_eq!(before["score"]["interval"], json!({"low": "0", "high": "100"}));
        assert_eq!(before["parts"]["base_data"], json!({"filed": false, "version": 0}));
        for part in ["self", "base_data", "assessments", "claims", "reasons", "narrative", "checks", "score", "special_funds"] {
            assert!(before["links"][part].is_string(), "{part}");
        }

        let filed = bureau.put(SHEET, &staff(104)).expect(201);
        assert_eq!(filed.header("Location"), Some(SHEET));
        let draft = bureau.get(YEAR).expect(200).json();
        assert_eq!(draft["state"], "draft");
        assert_eq!(draft["parts"]["base_data"], json!({"filed": true, "version": 1}));
        for part in ["assessments", "claims", "reasons", "narrative"] {
            assert_eq!(draft["parts"][part], json!({"filed": false, "version": 0}), "{part}");
        }
        // Posts and staff in post, of 31 fields that `hunan-2019` asks for: 6.45%.
        assert_eq!((&draft["completeness"]["filled"], &draft["completeness"]["percent"]), (&json!(2), &json!(6)));
        assert_eq!(draft["score"]["interval"], json!({"low": "5", "high": "100"}));

        bureau.put(ASSESSMENTS, &json!({})).expect(201);
        bureau.delete(SHEET).expect(204);
        assert_eq!(bureau.get(YEAR).expect(200).json()["state"], "draft", "the assessments are still there");
        bureau.put(CLAIMS, &json!({})).expect(201);
        bureau.delete(ASSESSMENTS).expect(204);
        assert_eq!(bureau.get(YEAR).expect(200).json()["state"], "draft", "so are the claims");
        bureau.put(NARRATIVE, &json!({"other": "无"})).expect(201);
        bureau.delete(CLAIMS).expect(204);
        assert_eq!(bureau.get(YEAR).expect(200).json()["state"], "draft", "so is the narrative");
        bureau.delete(NARRATIVE).expect(204);
        assert_eq!(bureau.get(YEAR).expect(200).json(), before);
    }

    fn each_part_is_filed_read_replaced_patched_and_taken_back_with_a_version_of_its_own(app) {
        let bureau = app.with_kaiyun();
        for (part, name, first, patch, patched) in [
            (SHEET, "base_data", staff(104), json!({"staff": {"posts": null, "retired": 67}}), json!({"staff": {"in_post": 104, "retired": 67}})),
            (ASSESSMENTS, "assessments", json!({"indicators": {"fund_compliance": {"incidents": 1}}}),
                json!({"indicators": {"fund_compliance": null, "social_benefit": {"points": "4"}}}),
                json!({"indicators": {"social_benefit": {"points": "4"}}})),
            (REASONS, "reasons", json!({"findings": {"incomplete": "尚未开展满意度调查。"}}),
                json!({"findings": {"incomplete": "调查在次年一月开展。"}}), json!({"findings": {"incomplete": "调查在次年一月开展。"}})),
            (NARRATIVE, "narrative", json!({"overview": "辖17个行政村。\n另有8个社区。", "changes": {"reception": "接待批次增加"}}),
                json!({"other": "无", "changes": {"reception": null, "public_funds": "人员增加"}}),
                json!({"overview": "辖17个行政村。\n另有8个社区。", "other": "无", "changes": {"public_funds": "人员增加"}})),
            (CLAIMS, "claims", json!({"lines": {"key_work": {"ratio": "95.10%", "points": "8"}}, "total": "97"}),
                json!({"lines": {"key_work": {"ratio": null}, "satisfaction": {"points": "6"}}}),
                json!({"lines": {"key_work": {"points": "8"}, "satisfaction": {"points": "6"}}, "total": "97"})),
        ] {
            let version = || bureau.get(YEAR).expect(200).json()["parts"][name]["version"].clone();
            let created = bureau.put(part, &first).expect(201);
            assert_eq!(created.header("Location"), Some(part));
            assert_eq!(created.json(), first);
            assert_eq!(etag(bureau.get(part)), created.etag());
            assert_eq!(etag(bureau.put(part, &first)), created.etag(), "the same again is no change");
            assert_eq!(etag(bureau.patch(part, &json!({}))), created.etag(), "nor is an empty patch");
            assert_eq!(version(), 1);

            let changed = bureau.with("If-Match", &created.etag()).patch(part, &patch).expect(200);
            assert_eq!((changed.json(), version()), (patched.clone(), json!(2)));
            bureau.with("If-Match", &created.etag()).put(part, &first).problem(412, "precondition-failed");
            bureau.with("If-Match", &created.etag()).delete(part).problem(412, "precondition-failed");
            bureau.with("If-None-Match", "*").put(part, &first).problem(412, "precondition-failed");
            assert_eq!(bureau.get(part).expect(200).json(), patched);
            let unchanged = bureau.with("If-None-Match", &changed.etag()).get(part).expect(304);
            assert!(unchanged.body.is_empty());

            bureau.delete(part).expect(204);
            bureau.get(part).problem(404, "not-found");
            let again = bureau.put(part, &first).expect(201);
            assert_ne!(again.etag(), created.etag(), "filed anew, it is another");
        }
    }

    fn a_change_of_one_part_leaves_the_others_etag_valid(app) {
        let bureau = app.with_kaiyun();
        let sheet = bureau.put(SHEET, &staff(104)).expect(201).etag();
        let assessments = bureau.put(ASSESSMENTS, &full_assessments()).expect(201).etag();
        bureau.with("If-Match", &sheet).put(SHEET, &staff(105)).expect(200);
        assert_eq!(etag(bureau.get(ASSESSMENTS)), assessments);
        bureau.with("If-Match", &assessments).patch(ASSESSMENTS, &json!({"indicators": {"fund_compliance": {"incidents": 0}}})).expect(200);
        bureau.with("If-Match", &sheet).put(SHEET, &staff(106)).problem(412, "precondition-failed");
    }

    fn a_closed_year_changes_no_more_and_can_still_be_read(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &staff(104)).expect(201);
        bureau.put(ASSESSMENTS, &full_assessments()).expect(201);
        let before = score(&bureau);
        close(&bureau, "2019");
        for client in [&bureau, &app.unit(&["219001"])] {
            for refused in [
                client.put(SHEET, &staff(105)), client.patch(SHEET, &staff(105)), client.delete(SHEET),
                client.put(ASSESSMENTS, &json!({})), client.patch(ASSESSMENTS, &json!({"indicators": null})), client.delete(ASSESSMENTS),
            ] {
                refused.problem(409, "closed");
            }
            client.put(SHEET, &staff(104)).expect(200);
            assert_eq!(client.get(SHEET).expect(200).json(), staff(104));
            assert_eq!(client.get(ASSESSMENTS).expect(200).json(), full_assessments());
            assert_eq!(score(client), before);
        }
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"status": "open"})).expect(200);
        bureau.put(SHEET, &staff(105)).expect(200);
    }

    fn assessments_are_judged_by_the_scheme_of_the_year(app) {
        let bureau = app.with_kaiyun();
        let wrong = json!({
            "indicators": {
                "in_post_control": {"points": "5"},
                "key_wrk": {"achieved": "95", "possible": "100"},
                "key_work": {"achieved": "101", "possible": "100"},
                "satisfaction": {"achieved": "1", "possible": "0"},
                "economic_benefit": {"points": "5.5"},
                "admin_efficiency": {"rating": "excellent"},
                "disclosure": {"checks": {"contents": true}},
                "building_area_control": {"not_applicable": true},
            },
            "targets": [{"section": "output", "name": "户数", "measure": {"kind": "quality"}}],
        });
        let expected = faults(&[
            ("/indicators/admin_efficiency/rating", "unknown_level"),
            ("/indicators/building_area_control/reason", "missing_field"),
            ("/indicators/disclosure/checks/contents", "unknown_item"),
            ("/indicators/economic_benefit/points", "out_of_range"),
            ("/indicators/in_post_control/points", "input_without_use"),
            ("/indicators/key_work/achieved", "out_of_range"),
            ("/indicators/key_wrk", "unknown_indicator"),
            // 1 of 0: the whole is no whole, and the part exceeds it.
            ("/indicators/satisfaction/achieved", "out_of_range"),
            ("/indicators/satisfaction/possible", "out_of_range"),
            ("/targets/0/section", "unknown_section"),
        ]);
        let sorted = |response: Response| { let mut found = response.faults(); found.sort(); found };
        assert_eq!(sorted(bureau.put(ASSESSMENTS, &wrong)), expected);
        bureau.get(ASSESSMENTS).problem(404, "not-found");
        bureau.put(ASSESSMENTS, &full_assessments()).expect(201);
        assert_eq!(sorted(bureau.patch(ASSESSMENTS, &wrong)), expected);
        assert_eq!(bureau.get(ASSESSMENTS).expect(200).json(), full_assessments());
    }

    fn amounts_are_read_from_strings_and_numbers_digit_by_digit(app) {
        let bureau = app.with_kaiyun();
        for (sent, kept) in [
            (r#""1166.07""#, "1166.07"), ("1166.07", "1166.07"), ("1e3", "1000"), (r#""0.10""#, "0.1"), ("0", "0"), ("0.000001", "0.000001"),
            // A float holds neither of these two.
            ("9999999998.999999", "9999999998.999999"), (r#""0.300003""#, "0.300003"), ("9999999999", "9999999999"),
        ] {
            let body = format!(r#"{{"budget": {{"initial": {sent}}}}}"#);
            let stored = bureau.send("PUT", SHEET, Some(body.as_bytes()));
            assert!(stored.status < 300, "{sent}: {}", stored.text());
            assert_eq!(bureau.get(SHEET).expect(200).json(), json!({"budget": {"initial": kept}}), "{sent}");
        }
        bureau.put(SHEET, &json!({"budget": {"initial": null}})).expect(200);
        assert_eq!(bureau.get(SHEET).expect(200).json(), json!({"budget": {}}), "null is no figure, and not 0");
    }

    fn what_is_no_exact_amount_is_refused_with_its_place(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &staff(104)).expect(201);
        for bad in [
            r#""1,166.07""#, r#""１２""#, r#""NaN""#, r#""""#, r#"" 1""#, r#""1e3""#, r#""+1""#, r#""1_000""#, "true", "[1]", "{}",
            "0.1234567", r#""0.1234567""#, "10000000000", "1e400", "-1", r#""-0.01""#,
        ] {
            let body = format!(r#"{{"budget": {{"initial": {bad}}}}}"#);
            let found = bureau.send("PUT", SHEET, Some(body.as_bytes())).faults();
            assert_eq!(pointers(&found), ["/budget/initial"], "{bad}");
        }
        for malformed in ["NaN", "01", "1.", ".5", "1,166.07", "１２"] {
            let body = format!(r#"{{"budget": {{"initial": {malformed}}}}}"#);
            bureau.send("PUT", SHEET, Some(body.as_bytes())).problem(400, "malformed-json");
        }
        let several = json!({"staff": {"posts": 1.5, "in_post": -1, "leaders": 3}, "budget": {"initial": "1,000", "carried_in": "x"},
            "buildings": {"none": "无"}, "budgets": {}});
        assert_eq!(pointers(&bureau.put(SHEET, &several).faults()), [
            "/budget/carried_in", "/budget/initial", "/budgets", "/buildings/none", "/staff/in_post", "/staff/leaders", "/staff/posts",
        ]);
        assert_eq!(bureau.get(SHEET).expect(200).json(), staff(104));
    }

    fn a_full_sheet_gets_the_score_that_a_reviewer_works_out_by_hand(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &full_sheet()).expect(201);
        bureau.put(ASSESSMENTS, &full_assessments()).expect(201);
        let score = score(&bureau);
        let expected = [
            ("in_post_control", "3.5"),       // 103/100 = 103%: 3 points above, 5 − 3 × 0.5
            ("three_public_change", "2"),     // (42.5 − 40)/40 = 6.25%: 6 whole points, 5 − 6 × 0.5
            ("budget_completion", "3"),       // (1250 − 100)/1250 = 92%: one whole step of 5, 5 − 2
            ("budget_control", "3"),          // 150/1000 = 15%: the band 10–20%
            ("building_area_control", "5"),   // 1049/1000 = 104.9%: no whole step of 5
            ("building_cost_control", "1"),   // 220/200 = 110%: two steps, 5 − 2 × 2
            ("public_funds_control", "8"),    // 252.05/252.05 = 100%
            ("three_public_control", "5"),    // 43.35/42.5 = 102%: two points, 7 − 2
            ("procurement_execution", "2"),   // 70.4/80 = 88%: 12 below, two steps of 5, 6 − 2 × 2
            ("management_system", "6"),       // three of four items at 2
            ("fund_compliance", "4"),         // two cases, 6 − 2
            ("disclosure", "5"),              // five of five
            ("key_work", "7.6"),              // 95/100 × 8
            ("economic_benefit", "4.5"),      // as judged
            ("social_benefit", "4"),          // as judged
            ("admin_efficiency", "3"),        // fair
            ("satisfaction", "6"),            // 171/190 = 90%, which is still in the band from 90%
        ];
        assert_eq!(lines(&score, "points"), expected.map(|(code, points)| (code, json!(points))).iter()
            .map(|(code, points)| (*code, points)).collect::<Vec<_>>());
        // 3.5 + 2; 3 + 3 + 5 + 1 + 8 + 5 + 2 + 6 + 4 + 5; 7.6 + 4.5 + 4 + 3 + 6.
        let sections: Vec<_> = score["sections"].as_array().unwrap().iter().map(|section| section["points"].as_str().unwrap()).collect();
        assert_eq!(sections, ["5.5", "42", "25.1"]);
        assert_eq!((&score["total"], &score["complete"]), (&json!("72.6"), &json!(true)));
        assert_eq!(score["grade"], json!({"code": "fair", "name": "中"}), "60 to 80");
        assert_eq!(score["missing"], json!([]));
        assert_eq!(line(&score, "budget_completion")["ratio"]["percent"], "92");
        assert_eq!(line(&score, "budget_completion")["lost"], "2");
        let ratio = &line(&score, "three_public_control")["ratio"];
        assert_eq!((&ratio["numerator"], &ratio["denominator"]), (&json!("43.35"), &json!("42.5")));
        assert_eq!(line(&score, "economic_benefit")["explanation"]["zh"].as_str().unwrap().matches("三项目标完成两项半").count(), 1);
    }

    fn a_partial_sheet_gets_an_interval_and_every_missing_field_is_named(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &staff(104)).expect(201);
        let score = score(&bureau);
        assert_eq!((&score["total"], &score["complete"], &score["grade"]), (&Value::Null, &json!(false), &Value::Null));
        assert_eq!(score["interval"], json!({"low": "5", "high": "100"}));
        let base_data = [
            "/three_public/total/budget", "/three_public/total/prior_budget",
            "/budget/carried_in", "/budget/initial", "/budget/supplementary", "/budget/carried_out", "/buildings",
            "/basic_expenditure/public_funds/final", "/basic_expenditure/public_funds/budget", "/three_public/total/final",
            "/procurement/final", "/procurement/budget",
        ].map(|pointer| ("base_data", pointer));
        let assessed = [
            "management_system/checks/finance_rules", "management_system/checks/thrift_rules",
            "management_system/checks/lawful_and_complete", "management_system/checks/carried_out", "fund_compliance/incidents",
            "disclosure/checks/content", "disclosure/checks/deadline", "disclosure/checks/data_true", "disclosure/checks/data_complete",
            "disclosure/checks/data_accurate", "key_work/achieved", "key_work/possible", "economic_benefit/points",
            "social_benefit/points", "admin_efficiency/rating", "satisfaction/achieved", "satisfaction/possible",
        ].map(|field| format!("/indicators/{field}"));
        let mut expected: Vec<_> = base_data.into_iter().chain(assessed.iter().map(|at| ("assessments", at.as_str()))).collect();
        let mut found = missing(&score);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
        for (code, points) in lines(&score, "points") {
            assert_eq!(*points, if code == "in_post_control" { json!("5") } else { Value::Null }, "{code}");
        }
        let open = line(&score, "budget_control");
        assert_eq!((&open["status"], &open["interval"], &open["lost"]), (&json!("open"), &json!({"low": "0", "high": "5"}), &Value::Null));
        assert_eq!(score["missing"][1]["lines"], json!(["three_public_change"]));
    }

    fn filling_in_a_field_closes_its_lines_and_no_others(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &staff(104)).expect(201);
        bureau.patch(SHEET, &json!({"budget": {"initial": "1000"}})).expect(200);
        assert_eq!(line(&score(&bureau), "budget_control")["status"], "open", "a supplement left out is not a supplement of 0");
        bureau.patch(SHEET, &json!({"budget": {"supplementary": "0"}})).expect(200);
        assert_eq!(line(&score(&bureau), "budget_control")["points"], "5", "0 said outright is 0%");
        bureau.put(ASSESSMENTS, &json!({"indicators": {"management_system": {"checks": {"finance_rules": true, "thrift_rules": false}}}})).expect(201);
        // 2 points are earned, 2 are lost, 4 are open.
        assert_eq!(line(&score(&bureau), "management_system")["interval"], json!({"low": "2", "high": "6"}));
        assert_eq!(score(&bureau)["interval"], json!({"low": "12", "high": "98"}), "5 + 5 + 2, and 2 of 100 are lost");
    }

    fn a_denominator_of_zero_is_ruled_on_and_never_divided_by(app) {
        let bureau = app.with_kaiyun();
        for (bought, points) in [("0", "6"), ("5", "0")] {
            let sheet = json!({"procurement": {"budget": "0", "final": bought}});
            assert!(bureau.put(SHEET, &sheet).status < 300);
            let score = score(&bureau);
            let line = line(&score, "procurement_execution");
            assert_eq!((&line["points"], &line["ratio"]["percent"]), (&json!(points), &Value::Null), "{bought} of 0");
            assert_eq!(line["applied"]["kind"], "zero_denominator");
        }
    }

    fn what_does_not_apply_gets_full_marks_by_the_sheet_or_by_a_reason(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &json!({"buildings": {"none": true}})).expect(201);
        let reason = json!({"indicators": {"procurement_execution": {"not_applicable": true, "reason": "本年无政府采购"}}});
        bureau.put(ASSESSMENTS, &reason).expect(201);
        let score = score(&bureau);
        for (code, points) in [("building_area_control", "5"), ("building_cost_control", "5"), ("procurement_execution", "6")] {
            let line = line(&score, code);
            assert_eq!((&line["status"], &line["points"]), (&json!("not_applicable"), &json!(points)), "{code}");
        }
        assert_eq!(score["interval"]["low"], "16");
        bureau.put(SHEET, &json!({"buildings": {"none": false}})).expect(200);
        let pointer = "/buildings/projects";
        assert!(missing(&bureau.get(SCORE).expect(200).json()).contains(&("base_data", pointer)), "buildings there are, but which?");
    }

    fn another_scheme_can_be_tried_without_changing_the_year(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &full_sheet()).expect(201);
        let before = bureau.get(SCORE).expect(200);
        let tried = bureau.get(&format!("{SCORE}?scheme=project-2020")).expect(200);
        // 全年执行数/全年预算数 = 1150/1250 = 92% of 10; its other 90 points are the unit's own rows.
        assert_eq!(tried.json()["scheme"]["id"], "project-2020");
        assert_eq!(tried.json()["interval"], json!({"low": "9.2", "high": "99.2"}));
        assert_ne!(tried.etag(), before.etag());
        let after = bureau.get(SCORE).expect(200);
        assert_eq!((after.etag(), after.json()), (before.etag(), before.json()));
        assert_eq!(etag(bureau.get(&format!("{SCORE}?scheme=hunan-2019"))), before.etag(), "the one in force by its name");
        bureau.get(&format!("{SCORE}?scheme=nope")).problem(404, "not-found");
        bureau.get(&format!("{SCORE}?schema=project-2020")).problem(400, "invalid-parameter");
    }

    fn the_scores_etag_changes_exactly_with_what_the_score_follows_from(app) {
        let bureau = app.with_kaiyun();
        let mut seen = vec![etag(bureau.get(SCORE))];
        let mut changed = |what: &str| {
            let now = etag(bureau.get(SCORE));
            assert!(!seen.contains(&now), "{what} changed the score, so its tag is new");
            bureau.with("If-None-Match", seen.last().unwrap()).get(SCORE).expect(200);
            bureau.with("If-None-Match", &now).get(SCORE).expect(304);
            bureau.with("If-None-Match", &format!("\"x\", W/{now}")).get(SCORE).expect(304);
            seen.push(now.clone());
            now
        };
        bureau.put(SHEET, &staff(104)).expect(201);
        changed("a sheet filed");
        bureau.patch(SHEET, &json!({"staff": {"in_post": 103}})).expect(200);
        changed("a figure");
        bureau.put(ASSESSMENTS, &json!({"indicators": {"fund_compliance": {"incidents": 1}}})).expect(201);
        changed("assessments");
        bureau.put(CLAIMS, &json!({"lines": {"fund_compliance": {"points": "6"}}})).expect(201);
        changed("claims, which stand beside the lines");
        let unit = json!({"name": "开云镇", "kind": "town"});
        bureau.put("/api/v1/units/219001", &unit).expect(200);
        changed("the unit's name");
        bureau.delete(SHEET).expect(204);
        changed("a sheet taken back");
        bureau.put(SHEET, &staff(103)).expect(201);
        changed("a sheet filed anew");
        let document = bureau.get("/api/v1/scoring-schemes/hunan-2019").expect(200).json()["document"].clone();
        bureau.put("/api/v1/scoring-schemes/own", &document).expect(201);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "own"})).expect(200);
        changed("another scheme in force");
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"})).expect(200);
        bureau.delete("/api/v1/scoring-schemes/own").expect(204);
        let mut other = document;
        other["name"] = json!("重新制定的标准");
        bureau.put("/api/v1/scoring-schemes/own", &other).expect(201);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "own"})).expect(200);
        let last = changed("a scheme made anew under its id");

        bureau.put(SHEET, &staff(103)).expect(200);
        bureau.patch(ASSESSMENTS, &json!({})).expect(200);
        bureau.patch("/api/v1/units/219001", &json!({"division_code": "430423"})).expect(200);
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"notice_number": "山财绩〔2020〕176号"})).expect(200);
        bureau.put("/api/v1/units/302001", &json!({"name": "另一单位", "kind": "town"})).expect(201);
        bureau.put("/api/v1/units/302001/evaluations/2019/base-data", &staff(1)).expect(201);
        close(&bureau, "2019");
        assert_eq!(etag(bureau.get(SCORE)), last, "none of these changes the score");
    }

    fn the_score_is_never_stale(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &staff(171)).expect(201);
        let text = bureau.with("Accept", "text/plain");
        for above in 0..50u32 {
            bureau.patch(SHEET, &json!({"staff": {"in_post": 171 + above}})).expect(200);
            for _ in 0..2 {
                let score = score(&bureau);
                assert_eq!(line(&score, "in_post_control")["inputs"][0]["value"], (171 + above).to_string());
            }
            assert!(text.get(SCORE).expect(200).text().contains(&(171 + above).to_string()), "{above}");
            let name = format!("第{above}镇");
            bureau.patch("/api/v1/units/219001", &json!({"name": name})).expect(200);
            assert_eq!(score(&bureau)["unit_name"], name);
        }
    }

    fn a_score_is_also_a_table_of_plain_text(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &full_sheet()).expect(201);
        let json = bureau.get(SCORE).expect(200);
        for accept in ["text/plain", "text/*", "text/plain, application/json;q=0.5"] {
            let text = bureau.with("Accept", accept).get(SCORE).expect(200);
            assert_eq!(text.header("Content-Type"), Some("text/plain; charset=utf-8"));
            assert_ne!(text.etag(), json.etag(), "another form, another tag");
            let table = text.text();
            for part in ["衡山县开云镇人民政府（219001）2019年度", "hunan-2019", "在职人员控制率", "3.5", "需补充的数据：", "/indicators/key_work/achieved"] {
                assert!(table.contains(part), "{part}: {table}");
            }
            bureau.with("Accept", accept).with("If-None-Match", &text.etag()).get(SCORE).expect(304);
        }
        for accept in ["*/*", "application/json", "application/*", "text/html, */*;q=0.1"] {
            let answered = bureau.with("Accept", accept).get(SCORE).expect(200);
            assert_eq!(answered.header("Content-Type"), Some("application/json"), "{accept}");
        }
        assert!(json.header("Vary").unwrap().to_ascii_lowercase().contains("accept"));
        bureau.with("Accept", "text/html").get(SCORE).problem(406, "not-acceptable");
    }

    fn the_years_of_a_unit_come_in_pages_and_only_those_with_something_filed(app) {
        let bureau = app.with_kaiyun();
        for year in 2014..=2019 {
            let address = format!("/api/v1/fiscal-years/{year}");
            assert!(bureau.put(&address, &json!({"scheme": "hunan-2019"})).status < 300);
            if year != 2016 {
                bureau.put(&format!("/api/v1/units/219001/evaluations/{year}/base-data"), &staff(104)).expect(201);
            }
        }
        let list = "/api/v1/units/219001/evaluations";
        let years = |query: &str| bureau.all(&format!("{list}?limit=2{query}"), "year");
        assert_eq!(years(""), [2014, 2015, 2017, 2018, 2019]);
        assert_eq!(years("&order=desc"), [2019, 2018, 2017, 2015, 2014]);
        let page = bureau.get(&format!("{list}?limit=2")).expect(200);
        assert_eq!(page.header("Link"), Some("</api/v1/units/219001/evaluations?limit=2&cursor=2015>; rel=\"next\""));
        assert_eq!(page.json()["items"][0]["link"], "/api/v1/units/219001/evaluations/2014");
        let last = bureau.get(&format!("{list}?cursor=2018")).expect(200);
        assert_eq!((last.header("Link"), &last.json()["next_cursor"]), (None, &Value::Null));
        bureau.get(&format!("{list}?cursor=x&limit=0")).problem(400, "invalid-parameter");
    }

    fn a_units_token_reaches_its_own_years_and_those_below_it_only(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/units/219", &json!({"name": "上级单位", "kind": "town"})).expect(201);
        bureau.put("/api/v1/units/302001", &json!({"name": "另一单位", "kind": "town"})).expect(201);
        bureau.patch("/api/v1/units/219001", &json!({"parent": "219"})).expect(200);
        let above = app.unit(&["219"]);
        above.put(SHEET, &staff(104)).expect(201);
        above.get(SCORE).expect(200);
        let other = app.unit(&["302001"]);
        for refused in [
            other.get(YEAR), other.get(SHEET), other.get(SCORE), other.get("/api/v1/units/219001/evaluations"),
            other.put(SHEET, &staff(1)), other.patch(SHEET, &staff(1)), other.delete(SHEET), other.put(ASSESSMENTS, &json!({})),
            app.auditor().put(SHEET, &staff(1)), app.auditor().delete(SHEET),
        ] {
            refused.problem(403, "forbidden");
        }
        assert_eq!(app.auditor().get(SHEET).expect(200).json(), staff(104));
    }

    fn the_example_of_kaiyun_comes_out_as_its_readme_says(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        assert_eq!(bureau.get(SHEET).expect(200).json(), example("kaiyun-2019/base-data.json"));
        let score = score(&bureau);
        // 104 of 171 posts: 5 points. All other lines wait: 12 figures of the sheet but 公用经费 and 三公 spent, and 17 judgements.
        assert_eq!((&score["total"], &score["interval"]), (&Value::Null, &json!({"low": "5", "high": "100"})));
        assert_eq!(missing(&score).len(), 12 - 2 + 17);
        assert_eq!(bureau.get(YEAR).expect(200).json()["score"]["missing"], 27);

        let fund = |id: &str| bureau.get(&format!("/api/v1/special-funds/kaiyun-2019-{id}/score")).expect(200).json();
        let housing = fund("dilapidated-housing");
        let execution = line(&housing, "execution_rate");
        assert_eq!((&execution["ratio"]["numerator"], &execution["ratio"]["denominator"]), (&json!("326"), &json!("326")));
        assert_eq!(execution["points"], "10");
        let households = line(&housing, "output_1");
        assert_eq!((&households["applied"]["met"], &households["applied"]["share"]), (&json!(true), &json!("100")));
        assert_eq!((&households["points"], &households["weight"]), (&Value::Null, &Value::Null), "181 of 181, but no weight is given");
        assert_eq!(housing["interval"], json!({"low": "10", "high": "100"}));
        for (id, budget) in [("village-running", "268.68"), ("community-running", "178.56")] {
            let score = fund(id);
            assert_eq!(score["interval"], json!({"low": "0", "high": "100"}), "what was executed is not said");
            let inputs = &line(&score, "execution_rate")["inputs"];
            let found = inputs.as_array().unwrap().iter().find(|input| input["name"] == "execution.budget").unwrap();
            assert_eq!((&found["value"], &found["origin"]), (&json!(budget), &json!("derived")));
        }
    }

    fn the_example_of_2018_gets_the_sixteen_points_that_its_readme_works_out(app) {
        let bureau = app.bureau();
        load_example(&bureau, "published-2018");
        let score = bureau.get("/api/v1/units/302001/evaluations/2018/score").expect(200).json();
        assert_eq!(lines(&score, "points"), [
            ("in_post_control", &json!("8")), ("three_public_change", &json!("0")), ("budget_completion", &json!("8")), ("budget_control", &json!("0")),
        ]);
        assert_eq!((&score["total"], &score["full_marks"]), (&json!("16"), &json!("32")));
        assert_eq!(score["grade"]["name"], "差", "16 of 32 is 50%");
    }
}
