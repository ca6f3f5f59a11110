//! The cross-checks over HTTP: what they find in the seed report and in others, and what becomes of it with reasons.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::faults;
use crate::support::{Client, load_example};

const YEAR: &str = "/api/v1/units/219001/evaluations/2019";
const SHEET: &str = "/api/v1/units/219001/evaluations/2019/base-data";
const REASONS: &str = "/api/v1/units/219001/evaluations/2019/reasons";
const CHECKS: &str = "/api/v1/units/219001/evaluations/2019/checks";

fn report(client: &Client) -> Value {
    client.get(CHECKS).expect(200).json()
}

/// The Chinese text of a check's only finding.
#[track_caller]
fn text<'a>(report: &'a Value, check: &str) -> &'a str {
    let of_check: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["check"] == check)
        .collect();
    assert_eq!(of_check.len(), 1, "{check}: {report}");
    of_check[0]["text"]["zh"].as_str().unwrap()
}

fn of_severity<'a>(report: &'a Value, severity: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] == severity)
        .map(|finding| finding["key"].as_str().unwrap())
        .collect()
}

both_engines! {
    fn the_seed_report_raises_the_findings_that_a_reviewer_would_write(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        let report = report(&bureau);
        // 171 = 104 + 67
        assert_eq!(text(&report, "retired_in_posts"), "编制171人恰等于在职104人与离退休67人之和，离退休人员可能被计入编制。");
        // 104 − 91 = 13; 91 − 64 = 27, of 64 that is 42.1875%
        assert_eq!(text(&report, "running_cost_staff_differs"), "说明运行经费时本年按91人计，年末在职为104人，相差13人。");
        assert_eq!(text(&report, "running_cost_staff_swing"), "本年说明运行经费所用人数91人，上年64人，增加27人，变动42.19%。");
        // 252.05 − 91.59 = 160.46; 91.59 of it is 57.0797%
        assert_eq!(text(&report, "swing_running_costs"), "日常公用经费本年决算数252.05万元，比上年增加91.59万元，增幅57.08%。");
        // 268.68 + 178.56 + 326 = 773.24; 2799.36 − 773.24 = 2026.12
        assert_eq!(text(&report, "projects_listed_short"), "所列项目268.68＋178.56＋326＝773.24万元，小于项目支出本年决算数2799.36万元，相差2026.12万元。");
        assert_eq!(text(&report, "reception_up_total_down"), "“三公经费”比上年减少0.33万元，公务接待费却比上年增加1.09万元。");
        // 31 of 74: 41.8919%
        assert_eq!(text(&report, "reception_batches_up"), "公务接待由上年74批次增加到105批次，增加41.89%。");
        assert_eq!(text(&report, "target_covers_other_years"), "“危房改造户数”的目标值181为2018—2019年度任务，资金和支出为2019年度。");
        // 315.8 + 2.7 + 7.5 = 326 does add up, and so does 914.02 + 252.05 = 1166.07: nothing in it cannot be true.
        assert_eq!(of_severity(&report, "error"), [""; 0]);
        assert!(!report["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "fund_sources_exceed"));
    }

    fn the_published_sheet_of_2018_contradicts_itself_nowhere(app) {
        let bureau = app.bureau();
        load_example(&bureau, "published-2018");
        let unit = bureau.get("/api/v1/units").each("code").remove(0);
        let report = bureau.get(&format!("/api/v1/units/{unit}/evaluations/2018/checks")).expect(200).json();
        assert_eq!(of_severity(&report, "error"), [""; 0], "{report}");
    }

    fn the_catalogue_says_of_each_check_what_it_reads_and_how_to_put_it_right(app) {
        let unit = app.with_kaiyun();
        let all = unit.get("/api/v1/checks").expect(200).json();
        let items = all["items"].as_array().unwrap();
        assert!(items.len() >= 40, "{}", items.len());
        let topics: std::collections::BTreeSet<_> = items.iter().map(|item| item["topic"].as_str().unwrap()).collect();
        assert_eq!(topics.into_iter().collect::<Vec<_>>(), ["claims", "forms", "score", "sheet", "table", "years"]);
        for item in items {
            for text in ["title", "meaning", "remedy", "tolerance"] {
                for language in ["zh", "en"] {
                    assert!(!item[text][language].as_str().unwrap().is_empty(), "{text}.{language}: {item}");
                }
            }
            assert!(!item["reads"].as_array().unwrap().is_empty(), "{item}");
        }
        let one = unit.get("/api/v1/checks/in_post_above_posts").expect(200).json();
        assert_eq!(one["severity"], "warning");
        assert_eq!(one["reads"], json!(["staff.in_post", "staff.posts"]));
        assert_eq!(one["relations"], json!(["staff.in_post > staff.posts * 1.2 && staff.posts > 0"]));
        let errors = unit.get("/api/v1/checks?topic=sheet&severity=error").expect(200).json();
        for item in errors["items"].as_array().unwrap() {
            assert_eq!((&item["topic"], &item["severity"]), (&json!("sheet"), &json!("error")));
        }
        unit.get("/api/v1/checks/no_such_check").problem(404, "not-found");
        unit.get("/api/v1/checks/A").problem(400, "invalid-parameter");
        unit.get("/api/v1/checks?topic=none").problem(400, "invalid-parameter");
    }

    fn a_warning_is_settled_by_a_reason_and_an_error_by_nothing_but_correct_figures(app) {
        let bureau = app.with_kaiyun();
        let wrong = json!({"staff": {"posts": 100, "in_post": 121},
            "basic_expenditure": {"personnel": {"final": "914.02"}, "public_funds": {"final": "252.05"}, "total": {"final": "1166"}}});
        bureau.put(SHEET, &wrong).expect(201);
        let first = report(&bureau);
        assert_eq!(first["submittable"], false);
        assert_eq!(of_severity(&first, "error"), ["basic_expenditure_parts:/basic_expenditure/total/final"]);
        assert_eq!(of_severity(&first, "warning"), ["in_post_above_posts", "incomplete"]);
        assert_eq!(first["counts"], json!({"errors": 1, "warnings": 2, "unexplained": 2, "notices": 0}));
        assert_eq!(first["summary"]["zh"], "发现错误1个、警告2个、提示0个：错误更正、2个警告说明情况后方可提交。");
        // 914.02 + 252.05 = 1166.07
        assert_eq!(text(&first, "basic_expenditure_parts"), "人员经费本年决算数、日常公用经费本年决算数合计1166.07万元，大于基本支出本年决算数1166万元，相差0.07万元。");

        let reasons = json!({"findings": {"in_post_above_posts": "年内接收转隶人员21名，编制划转文件尚未下达。",
            "incomplete": "满意度调查在次年一月开展。", "basic_expenditure_parts:/basic_expenditure/total/final": "四舍五入。"}});
        bureau.put(REASONS, &reasons).expect(201);
        let explained = report(&bureau);
        assert_eq!(explained["submittable"], false, "an error cannot be argued away");
        assert_eq!(explained["counts"]["unexplained"], 0);

        // The reason stays with its finding when the figures change.
        let right = json!({"staff": {"in_post": 125}, "basic_expenditure": {"total": {"final": "1166.07"}}});
        bureau.patch(SHEET, &right).expect(200);
        let last = report(&bureau);
        assert_eq!((&last["submittable"], &last["counts"]["errors"]), (&json!(true), &json!(0)));
        let settled = last["findings"].as_array().unwrap().iter().find(|finding| finding["key"] == "in_post_above_posts").unwrap();
        assert_eq!((&settled["blocks"], &settled["reason"]), (&json!(false), &json!("年内接收转隶人员21名，编制划转文件尚未下达。")));
    }

    fn the_tag_of_the_findings_changes_with_all_that_they_follow_from(app) {
        let bureau = app.with_kaiyun();
        let fund = |executed: &str| json!({"unit": "219001", "year": 2019, "name": "危房改造资金", "funding": {"total": {"executed": executed}}});
        let mut seen = Vec::new();
        let mut changed = |what: &str| {
            let tag = bureau.get(CHECKS).expect(200).etag();
            assert_eq!(bureau.with("If-None-Match", &tag).get(CHECKS).status, 304);
            assert!(!seen.contains(&tag), "{what}");
            seen.push(tag);
        };
        changed("nothing is filed");
        bureau.put(SHEET, &json!({"staff": {"posts": 100, "in_post": 121}})).expect(201);
        changed("the sheet");
        bureau.put(REASONS, &json!({"findings": {"in_post_above_posts": "编制划转文件尚未下达。"}})).expect(201);
        changed("a reason");
        bureau.put("/api/v1/special-funds/housing", &fund("326")).expect(201);
        changed("a fund");
        bureau.put("/api/v1/special-funds/housing", &fund("325")).expect(200);
        changed("its figures");
    }

    fn reasons_are_for_checks_that_there_are_and_say_something(app) {
        let bureau = app.with_kaiyun();
        assert_eq!(bureau.put(REASONS, &json!({"findings": {"no_such_check:/a/b": "无"}})).faults(),
            faults(&[("/findings/no_such_check:~1a~1b", "unknown_check")]));
        let malformed = bureau.put(REASONS, &json!({"findings": {"incomplete": " ", "Upper": "无", "a/b": "无"}})).faults();
        assert_eq!(malformed, faults(&[("/findings/Upper", "pattern"), ("/findings/a~1b", "pattern"), ("/findings/incomplete", "pattern")]));
        bureau.get(REASONS).problem(404, "not-found");
        assert_eq!(bureau.get(YEAR).expect(200).json()["state"], "not_started");
    }

    fn the_sheet_of_the_year_before_is_compared_and_fills_what_was_left_out(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/fiscal-years/2018", &json!({"scheme": "hunan-2019"})).expect(201);
        let before = json!({"budget": {"carried_out": "20"}, "procurement": {"final": "10"}, "three_public": {"total": {"budget": "5"}}});
        bureau.put("/api/v1/units/219001/evaluations/2018/base-data", &before).expect(201);
        bureau.put(SHEET, &json!({"budget": {"carried_in": "19.8"}, "procurement": {"final": "14"}, "three_public": {"total": {"prior_budget": "5.29"}}})).expect(201);
        let report = report(&bureau);
        assert_eq!(text(&report, "carried_in_differs"), "上年结转19.8万元，上年度年末结余20万元，相差0.2万元。");
        assert_eq!(text(&report, "prior_columns_differ"), "本年填报的上年“三公经费”预算数为5.29万元，上年度基础数据表为5万元，不一致。");
        // 14 − 10 = 4, and 40%
        assert_eq!(text(&report, "swing_running_costs"), "实际政府采购金额14万元，上年10万元，增加4万元，变动40%。");
        let swing = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "swing_running_costs").unwrap();
        assert_eq!(swing["places"][1]["document"], "prior_base_data", "the sheet left it out: {swing}");
        assert_eq!(swing["places"][1]["pointer"], "/procurement/final");
    }

    fn the_special_funds_are_compared_with_the_sheet_by_name(app) {
        let bureau = app.with_kaiyun();
        bureau.put(SHEET, &json!({"project_expenditure": {"special_funds": [
            {"name": "危房改造资金", "final": "326"}, {"name": "村级运行经费", "final": "268.68"}]}})).expect(201);
        let fund = json!({"unit": "219001", "year": 2019, "name": "危房改造资金", "funding": {
            "total": {"adjusted_budget": "326", "executed": "325"},
            "central_and_provincial": {"executed": "315.8"}, "municipal": {"executed": "2.7"}, "county": {"executed": "7.5"}}});
        bureau.put("/api/v1/special-funds/housing", &fund).expect(201);
        let report = report(&bureau);
        assert_eq!(text(&report, "fund_executed_differs"), "专项资金“危房改造资金”基础数据表本年决算数326万元，自评表全年执行数325万元，相差1万元。");
        // 315.8 + 2.7 + 7.5 = 326
        assert_eq!(text(&report, "fund_sources_exceed"), "专项资金“危房改造资金”全年执行数：315.8＋2.7＋7.5＝326万元，与资金总额325万元不符，相差1万元。");
        assert_eq!(text(&report, "row_without_fund_table"), "基础数据表列有专项资金“村级运行经费”，没有同名的绩效目标自评表。");
        assert_eq!(of_severity(&report, "error"), ["fund_sources_exceed:housing/executed"]);
    }
}
