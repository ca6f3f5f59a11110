//! What must hold of the catalogue: it can be read, every check finds what it is for, and a sheet that agrees with itself
//! raises nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::catalogue::{CATALOGUE, Check, Rule, Topic};
use super::facts::{Facts, FundFacts};
use super::finding::Finding;
use super::findings;
use crate::scoring::fixtures::{builtin, from};
use crate::scoring::prior::YearSheet;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::Severity;
use crate::scoring::special_fund::FundTable;
use crate::scoring::{Case, score};

/// What is found in a unit's 2019: `sheet`, `prior`, `assessments`, and `funds` (name → table), each optional.
fn found_by(scheme: &Scheme, of_funds: &Scheme, year: &Value) -> Vec<Finding> {
    let part = |name: &str| match &year[name] {
        Value::Null => json!({}),
        given => given.clone(),
    };
    let assessments = from(part("assessments"));
    let prior = year.get("prior").cloned().map(from);
    let sheet = YearSheet::new(from(part("sheet")), prior.as_ref());
    let funds: Vec<FundFacts> = part("funds")
        .as_object()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(n, (name, table))| {
            let table: FundTable = from(table.clone());
            FundFacts {
                id: format!("fund-{}", n + 1),
                name: name.clone(),
                continues: false,
                score: score(of_funds, &Case::of_fund(&table)),
                table,
            }
        })
        .collect();
    findings(&Facts {
        year: 2019,
        sheet: &sheet,
        prior: prior.as_ref(),
        assessments: &assessments,
        funds: &funds,
        claims: None,
        scheme,
        score: &score(scheme, &Case::of_year(&sheet, &assessments)),
    })
}

fn found(year: &Value) -> Vec<Finding> {
    found_by(&builtin("hunan-2019"), &builtin("project-2020"), year)
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.check).collect()
}

/// The checks of a unit's own documents: those of published tables and of claims are tried elsewhere.
fn of_documents() -> impl Iterator<Item = &'static Check> {
    CATALOGUE
        .iter()
        .filter(|check| !matches!(check.topic, Topic::Table | Topic::Claims))
}

#[test]
fn the_catalogue_has_forty_checks_of_documents_and_each_says_all_of_itself_in_both_languages() {
    assert!(of_documents().count() >= 40);
    let mut codes = BTreeSet::new();
    for check in CATALOGUE.iter() {
        assert!(codes.insert(check.code), "{} is there twice", check.code);
        for text in [&check.title, &check.meaning, &check.remedy, &check.tolerance] {
            assert!(
                !text.zh.is_empty() && !text.en.is_empty() && text.zh != text.en,
                "{}",
                check.code
            );
            assert!(text.zh.chars().any(|c| c > '\u{2e80}'), "{}: {}", check.code, text.zh);
        }
        for text in [&check.meaning, &check.remedy] {
            assert!(text.zh.ends_with('。'), "{}: {}", check.code, text.zh);
        }
        assert!(!check.reads().is_empty(), "{} reads nothing", check.code);
    }
}

#[test]
fn every_relation_of_the_catalogue_can_be_read_and_its_wording_names_what_there_is() {
    for check in CATALOGUE.iter() {
        if let Rule::Odd(oddities) = &check.rule {
            for oddity in oddities {
                assert_eq!(oddity.mistakes(), [""; 0], "{}", check.code);
            }
        }
    }
    // 4 columns of the three public expenses, 3 of basic expenditure, 3 of the public funds.
    let sums = CATALOGUE.iter().map(|check| match &check.rule {
        Rule::Sums(sums) => sums.len(),
        _ => 0,
    });
    assert_eq!(sums.sum::<usize>(), 10);
}

fn row(name: &str, target: &str, actual: &str, weight: &str) -> Value {
    json!({"section": "output", "name": name, "weight": weight,
        "measure": {"kind": "quantity", "comparison": "at_least", "target": target, "actual": actual, "unit": "户"}})
}

fn goal(name: &str, level: &str, share: &str, deviation: Option<&str>) -> Value {
    let mut row = json!({"section": "benefit", "name": name, "weight": "30",
        "measure": {"kind": "quality", "level": level, "share": share}});
    if let Some(deviation) = deviation {
        row["deviation"] = json!(deviation);
    }
    row
}

fn fund(table: Value) -> Value {
    json!({"funds": {"村级运行经费": table}})
}

fn rows(rows: Value) -> Value {
    fund(json!({"targets": rows}))
}

fn sheet(sheet: Value) -> Value {
    json!({ "sheet": sheet })
}

/// For each check of documents the least that raises it.
fn raising() -> Vec<(&'static str, Value)> {
    let budget = |carried_in: &str, initial: &str, supplementary: &str, carried_out: &str| json!({"carried_in": carried_in, "initial": initial, "supplementary": supplementary, "carried_out": carried_out});
    let spent = |basic: &str, project: &str| (json!({"total": {"final": basic}}), json!({"total": {"final": project}}));
    let (basic, project) = spent("100", "50");
    let listed = |rows: Value, total: &str| {
        sheet(json!({"project_expenditure": {"special_funds": rows, "total": {"final": total}}}))
    };
    let batches = |prior: u32, current: u32| json!({"prior": prior, "current": current});
    vec![
        (
            "three_public_parts",
            sheet(
                json!({"three_public": {"vehicle_purchase": {"final": "0"}, "vehicle_running": {"final": "2.5"},
            "overseas_travel": {"final": "0"}, "reception": {"final": "2.5"}, "total": {"final": "4.95"}}}),
            ),
        ),
        (
            "basic_expenditure_parts",
            sheet(json!({"basic_expenditure": {"personnel": {"final": "914.02"}, "total": {"final": "900"}}})),
        ),
        (
            "public_funds_parts_exceed",
            sheet(
                json!({"public_funds": {"office": {"final": "60"}, "utilities_and_travel": {"final": "50"},
            "meetings_and_training": {"final": "0"}, "total": {"final": "100"}}}),
            ),
        ),
        (
            "project_expenditure_parts_exceed",
            listed(json!([{"name": "甲", "final": "51"}]), "50"),
        ),
        (
            "projects_listed_short",
            listed(json!([{"name": "甲", "final": "49"}]), "50"),
        ),
        (
            "public_funds_told_twice",
            sheet(
                json!({"basic_expenditure": {"public_funds": {"final": "252.05"}}, "public_funds": {"total": {"final": "250"}}}),
            ),
        ),
        (
            "in_post_above_posts",
            sheet(json!({"staff": {"posts": 100, "in_post": 121}})),
        ),
        (
            "retired_in_posts",
            sheet(json!({"staff": {"posts": 171, "in_post": 104, "retired": 67}})),
        ),
        (
            "running_cost_staff_differs",
            sheet(json!({"staff": {"in_post": 104, "running_cost_staff": {"current": 91}}})),
        ),
        ("no_posts", sheet(json!({"staff": {"posts": 0, "in_post": 1}}))),
        (
            "vehicles_above_approved",
            sheet(json!({"vehicles": {"approved": 1, "actual": 2}})),
        ),
        (
            "vehicle_costs_without_vehicle",
            sheet(json!({"vehicles": {"actual": 0}, "three_public": {"vehicle_running": {"final": "2.5"}}})),
        ),
        (
            "vehicle_running_cost",
            sheet(json!({"vehicles": {"actual": 1}, "three_public": {"vehicle_running": {"final": "10.01"}}})),
        ),
        (
            "three_public_over_budget",
            sheet(json!({"three_public": {"total": {"budget": "4.9", "final": "4.96"}}})),
        ),
        (
            "three_public_cut_yet_up",
            sheet(
                json!({"three_public": {"total": {"prior_budget": "6", "budget": "5", "prior_final": "4", "final": "4.5"}}}),
            ),
        ),
        (
            "reception_up_total_down",
            sheet(
                json!({"three_public": {"total": {"prior_final": "5.29", "final": "4.96"}, "reception": {"change": "1.09"}}}),
            ),
        ),
        (
            "reception_batches_up",
            sheet(json!({"three_public": {"reception_batches": batches(74, 105)}})),
        ),
        (
            "reception_down_batches_up",
            sheet(
                json!({"three_public": {"reception": {"prior_final": "3", "final": "2.9"}, "reception_batches": batches(20, 21)}}),
            ),
        ),
        (
            "reception_up_batches_down",
            sheet(
                json!({"three_public": {"reception": {"prior_final": "2.9", "final": "3"}, "reception_batches": batches(21, 20)}}),
            ),
        ),
        (
            "reception_per_batch",
            sheet(json!({"three_public": {"reception": {"final": "5.01"}, "reception_batches": batches(10, 10)}})),
        ),
        (
            "reception_per_visitor",
            sheet(json!({"three_public": {"reception": {"final": "3.01"}, "reception_visitors": batches(100, 100)}})),
        ),
        (
            "fewer_visitors_than_batches",
            sheet(
                json!({"three_public": {"reception_batches": batches(74, 105), "reception_visitors": batches(600, 104)}}),
            ),
        ),
        (
            "reception_without_batches",
            sheet(json!({"three_public": {"reception": {"final": "1"}, "reception_batches": batches(0, 0)}})),
        ),
        (
            "batches_without_reception",
            sheet(json!({"three_public": {"reception": {"final": "0"}, "reception_batches": batches(3, 3)}})),
        ),
        (
            "three_public_above_spending",
            sheet(
                json!({"three_public": {"total": {"final": "151"}}, "basic_expenditure": basic, "project_expenditure": project}),
            ),
        ),
        (
            "final_above_budget",
            sheet(json!({"budget": {"supplementary": "0"}, "procurement": {"budget": "80", "final": "80.02"}})),
        ),
        (
            "spending_above_whole_budget",
            sheet(
                json!({"budget": budget("10", "100", "20", "0"), "basic_expenditure": basic, "project_expenditure": project}),
            ),
        ),
        (
            "spending_and_carry_over",
            sheet(
                json!({"budget": budget("10", "150", "20", "10"), "basic_expenditure": basic, "project_expenditure": project}),
            ),
        ),
        (
            "carried_out_above_budget",
            sheet(json!({"budget": budget("10", "100", "20", "131")})),
        ),
        (
            "budget_below_zero",
            sheet(json!({"budget": budget("10", "100", "-111", "0")})),
        ),
        (
            "initial_budget_zero",
            sheet(json!({"budget": budget("0", "0", "20", "0")})),
        ),
        (
            "supplement_large",
            sheet(json!({"budget": budget("0", "100", "30.01", "0")})),
        ),
        (
            "carry_over_large",
            sheet(json!({"budget": budget("0", "100", "0", "30.01")})),
        ),
        (
            "budget_rows_and_initial",
            sheet(
                json!({"budget": {"initial": "100"}, "basic_expenditure": {"total": {"budget": "60"}}, "project_expenditure": {"total": {"budget": "41"}}}),
            ),
        ),
        (
            "procurement_above_spending",
            sheet(json!({"procurement": {"final": "151"}, "basic_expenditure": basic, "project_expenditure": project})),
        ),
        (
            "procurement_budget_above_budget",
            sheet(json!({"procurement": {"budget": "131"}, "budget": budget("10", "100", "20", "0")})),
        ),
        // 914.02万元 filled in as 9,140,200 元 for 104 staff.
        (
            "amounts_in_yuan",
            sheet(json!({"staff": {"in_post": 104}, "basic_expenditure": {"personnel": {"final": "9140200"}}})),
        ),
        (
            "amounts_jump",
            sheet(json!({"procurement": {"prior_final": "28", "final": "280000"}})),
        ),
        (
            "personnel_per_head",
            sheet(json!({"staff": {"in_post": 104}, "basic_expenditure": {"personnel": {"final": "103"}}})),
        ),
        (
            "public_funds_per_head",
            sheet(json!({"staff": {"in_post": 10}, "basic_expenditure": {"public_funds": {"final": "201"}}})),
        ),
        (
            "buildings_none_yet_listed",
            sheet(json!({"buildings": {"none": true, "projects": [{"name": "便民服务中心", "actual_area": "800"}]}})),
        ),
        (
            "row_named_twice",
            sheet(json!({"project_expenditure": {"special_funds": [{"name": "甲"}, {"name": "甲"}]}})),
        ),
        (
            "building_not_approved",
            sheet(
                json!({"buildings": {"projects": [{"name": "便民服务中心", "approved_area": "0", "actual_area": "800"}]}}),
            ),
        ),
        (
            "building_cost_per_area",
            sheet(
                json!({"buildings": {"projects": [{"name": "便民服务中心", "actual_area": "100", "actual_cost": "201"}]}}),
            ),
        ),
        (
            "prior_columns_differ",
            json!({"sheet": {"procurement": {"prior_final": "28"}}, "prior": {"procurement": {"final": "29"}}}),
        ),
        (
            "stated_change_differs",
            sheet(json!({"three_public": {"total": {"prior_final": "5.39", "final": "4.96", "change": "-0.33"}}})),
        ),
        (
            "carried_in_differs",
            json!({"sheet": {"budget": {"carried_in": "19.8"}}, "prior": {"budget": {"carried_out": "20"}}}),
        ),
        // Last year's figure is not in this year's sheet: it comes from last year's.
        (
            "swing_spending",
            json!({"sheet": {"project_expenditure": {"total": {"final": "131"}}}, "prior": {"project_expenditure": {"total": {"final": "100"}}}}),
        ),
        (
            "swing_three_public",
            sheet(json!({"three_public": {"reception": {"prior_final": "4", "final": "2.7"}}})),
        ),
        (
            "swing_running_costs",
            sheet(json!({"basic_expenditure": {"public_funds": {"final": "252.05", "change": "91.59"}}})),
        ),
        (
            "swing_budget",
            json!({"sheet": {"budget": {"initial": "131"}}, "prior": {"budget": {"initial": "100"}}}),
        ),
        (
            "swing_staff",
            json!({"sheet": {"staff": {"in_post": 91}}, "prior": {"staff": {"in_post": 64}}}),
        ),
        (
            "running_cost_staff_swing",
            sheet(json!({"staff": {"running_cost_staff": batches(64, 91)}})),
        ),
        (
            "running_cost_staff_prior",
            json!({"sheet": {"staff": {"running_cost_staff": {"prior": 64}}}, "prior": {"staff": {"in_post": 70}}}),
        ),
        (
            "vehicle_added_without_purchase",
            json!({"sheet": {"vehicles": {"actual": 2}, "three_public": {"vehicle_purchase": {"final": "0"}}}, "prior": {"vehicles": {"actual": 1}}}),
        ),
        (
            "villages_changed",
            json!({"sheet": {"staff": {"villages": 17}}, "prior": {"staff": {"villages": 19}}}),
        ),
        ("fund_not_in_sheet", fund(json!({}))),
        (
            "row_without_fund_table",
            sheet(json!({"project_expenditure": {"special_funds": [{"name": "甲", "final": "1"}]}})),
        ),
        (
            "fund_executed_differs",
            json!({"sheet": {"project_expenditure": {"special_funds": [{"name": "村级运行经费", "final": "268.68"}]}},
            "funds": {"村级运行经费": {"funding": {"total": {"executed": "268"}}}}}),
        ),
        (
            "fund_budget_differs",
            json!({"sheet": {"project_expenditure": {"special_funds": [{"name": "村级运行经费", "budget": "268.68"}]}},
            "funds": {"村级运行经费": {"funding": {"total": {"initial_budget": "250", "adjusted_budget": "260"}}}}}),
        ),
        (
            "funds_above_project_expenditure",
            json!({"sheet": {"project_expenditure": {"total": {"final": "200"}}},
            "funds": {"村级运行经费": {"funding": {"total": {"executed": "268"}}}}}),
        ),
        (
            "fund_sources_exceed",
            fund(
                json!({"funding": {"total": {"executed": "0"}, "county": {"executed": "7.5"}, "municipal": {"executed": "2.7"}}}),
            ),
        ),
        (
            "fund_sources_short",
            fund(json!({"funding": {"total": {"executed": "326"}, "county": {"executed": "7.5"}}})),
        ),
        (
            "fund_kinds_exceed",
            fund(
                json!({"funding": {"total": {"adjusted_budget": "10"}, "appropriation": {"adjusted_budget": "8"}, "carried_over": {"adjusted_budget": "3"}}}),
            ),
        ),
        (
            "fund_executed_above_budget",
            fund(json!({"funding": {"county": {"adjusted_budget": "7.5", "executed": "8"}}})),
        ),
        (
            "fund_without_budget",
            fund(json!({"funding": {"total": {"adjusted_budget": "0", "executed": "0"}}})),
        ),
        (
            "fund_met_without_money",
            fund(
                json!({"funding": {"total": {"adjusted_budget": "100", "executed": "49"}}, "targets": [row("户数", "181", "181", "50")]}),
            ),
        ),
        ("fund_incomplete", fund(json!({}))),
        (
            "target_covers_other_years",
            rows(
                json!([{"section": "output", "name": "户数", "covers": {"from": 2018, "to": 2019},
            "measure": {"kind": "quantity", "comparison": "at_least", "target": "181"}}]),
            ),
        ),
        ("incomplete", json!({})),
        (
            "judged_without_evidence",
            json!({"assessments": {"indicators": {"fund_compliance": {"incidents": 0}}}}),
        ),
        (
            "all_judged_full",
            json!({"assessments": {"indicators": {"fund_compliance": {"incidents": 0},
            "admin_efficiency": {"rating": "good"}, "key_work": {"achieved": "100", "possible": "100"}}}}),
        ),
        (
            "not_applicable_yet_judged",
            json!({"assessments": {"indicators": {"key_work": {"not_applicable": true, "reason": "未下达", "achieved": "95", "possible": "100"}}}}),
        ),
        ("row_weights_exceed", rows(json!([row("户数", "10", "10", "51")]))),
        ("row_weights_short", rows(json!([row("户数", "10", "10", "49")]))),
        (
            "missed_without_deviation",
            rows(json!([row("户数", "181", "145", "50")])),
        ),
        (
            "met_with_points_off",
            rows(json!([goal("改善居住条件", "achieved", "95", None)])),
        ),
        (
            "full_marks_with_deviation",
            rows(json!([goal("改善居住条件", "achieved", "100", Some("两户未竣工"))])),
        ),
        (
            "targets_copied_as_actuals",
            rows(json!([
                row("一", "11", "11", "10"),
                row("二", "12", "12", "10"),
                row("三", "13", "13", "10"),
                row("四", "14", "14", "10"),
                row("五", "15", "15", "10")
            ])),
        ),
        ("actual_is_weight", rows(json!([row("户数", "181", "50", "50")]))),
        ("target_too_low", rows(json!([row("户数", "100", "131", "50")]))),
        (
            "same_fact_twice",
            rows(json!([
                row("改造户数", "181", "181", "25"),
                row("受益户数", "181", "181", "25")
            ])),
        ),
    ]
}

#[test]
fn every_check_finds_what_it_is_for_with_both_figures_in_its_words() {
    let (scheme, of_funds) = (builtin("hunan-2019"), builtin("project-2020"));
    let cases = raising();
    for (code, year) in &cases {
        let findings = found_by(&scheme, &of_funds, year);
        let finding = findings.iter().find(|finding| finding.check == *code);
        let finding = finding.unwrap_or_else(|| panic!("{code} finds nothing: {:?}", codes(&findings)));
        for text in [&finding.text.zh, &finding.text.en] {
            assert!(
                !text.contains(['—', '{', '}']) || *code == "target_covers_other_years",
                "{code}: {text}"
            );
        }
        assert!(finding.text.zh.ends_with('。'), "{code}: {}", finding.text.zh);
    }
    let tried: BTreeSet<_> = cases.iter().map(|(code, _)| *code).collect();
    let untried: Vec<_> = of_documents()
        .map(|check| check.code)
        .filter(|code| !tried.contains(code))
        .collect();
    assert_eq!(untried, [""; 0], "checks without a case");
}

#[test]
fn a_finding_is_worded_as_a_reviewer_would_and_says_where_its_figures_stand() {
    // 2799.36 − (268.68 + 178.56 + 326) = 2799.36 − 773.24 = 2026.12
    let listed = json!({"sheet": {"project_expenditure": {"total": {"final": "2799.36"}, "special_funds": [
        {"name": "村级运行经费", "final": "268.68"}, {"name": "社区运行经费", "final": "178.56"}, {"name": "危房改造资金", "final": "326"}]}}});
    let finding = found(&listed)
        .into_iter()
        .find(|finding| finding.check == "projects_listed_short")
        .unwrap();
    assert_eq!(
        finding.text.zh,
        "所列项目268.68＋178.56＋326＝773.24万元，小于项目支出本年决算数2799.36万元，相差2026.12万元。"
    );
    assert_eq!(finding.key, "projects_listed_short:/project_expenditure/total/final");
    let places: Vec<_> = finding.places.iter().map(|place| place.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/project_expenditure/total/final",
            "/project_expenditure/special_funds/0/final",
            "/project_expenditure/special_funds/1/final",
            "/project_expenditure/special_funds/2/final",
        ]
    );

    // 5.29 − 4.96 = 0.33, which 0.43 is not.
    let change =
        json!({"sheet": {"three_public": {"total": {"prior_final": "5.29", "final": "4.96", "change": "-0.43"}}}});
    let finding = found(&change)
        .into_iter()
        .find(|finding| finding.check == "stated_change_differs")
        .unwrap();
    assert_eq!(
        finding.text.zh,
        "“三公经费”比上年增减-0.43万元，而4.96万元减5.29万元为-0.33万元，不一致。"
    );

    // 31 more of 74: 41.89%.
    let batches = json!({"sheet": {"three_public": {"reception_batches": {"prior": 74, "current": 105}}}});
    let finding = found(&batches)
        .into_iter()
        .find(|finding| finding.check == "reception_batches_up")
        .unwrap();
    assert_eq!(finding.text.zh, "公务接待由上年74批次增加到105批次，增加41.89%。");
}

#[test]
fn what_is_odd_and_can_be_so_is_no_error() {
    let row = |name: &str, amount: &str| json!({"name": name, "final": amount});
    for (why, year) in [
        (
            "a contract that is paid over years is more than was spent in one",
            sheet(json!({"procurement": {"budget": "2000", "final": "2000"},
                "basic_expenditure": {"total": {"final": "300"}}, "project_expenditure": {"total": {"final": "500"}}})),
        ),
        (
            "an office for the retired of closed works: 2 in post, 600 retired, 2400 万元",
            sheet(json!({"staff": {"posts": 3, "in_post": 2, "retired": 600},
                "basic_expenditure": {"personnel": {"final": "2400"}, "total": {"final": "2410"}}})),
        ),
        (
            "a temporary office with seconded staff",
            sheet(json!({"staff": {"posts": 0, "in_post": 4}})),
        ),
        (
            "a department's fund that the towns spend",
            json!({"sheet": {"project_expenditure": {"total": {"final": "80"}, "special_funds": [row("村级运行经费", "20")]}},
                "funds": {"村级运行经费": {"funding": {"total": {"executed": "268.68"}}}}}),
        ),
        (
            "donations of 12 where 10 were planned",
            fund(json!({"funding": {"other": {"adjusted_budget": "10", "executed": "12"}}})),
        ),
        (
            "80 by source and 20 carried over",
            fund(
                json!({"funding": {"total": {"executed": "100"}, "central_and_provincial": {"executed": "50"}, "municipal": {"executed": "0"},
                "county": {"executed": "30"}, "other": {"executed": "0"}, "appropriation": {"executed": "80"}, "carried_over": {"executed": "20"}}}),
            ),
        ),
        (
            "one fund that came in two lots",
            sheet(
                json!({"project_expenditure": {"total": {"final": "30"}, "special_funds": [row("危房改造资金", "10"), row("危房改造资金", "20")]}}),
            ),
        ),
        (
            "a change against a year that was made comparable",
            sheet(
                json!({"basic_expenditure": {"personnel": {"prior_final": "900", "final": "914.02", "change": "-5"}}}),
            ),
        ),
    ] {
        let findings = found(&year);
        let errors: Vec<_> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{why}: {errors:#?}");
        let known = [
            "incomplete",
            "fund_incomplete",
            "fund_not_in_sheet",
            "row_without_fund_table",
        ];
        assert!(
            codes(&findings).iter().any(|code| !known.contains(code)),
            "{why}: a reason is asked for"
        );
    }
}

#[test]
fn a_sum_is_judged_by_a_cent_per_part_and_a_bound_by_itself() {
    let total = |total: &str| {
        let sheet = json!({"sheet": {"basic_expenditure": {"personnel": {"final": "914.02"}, "public_funds": {"final": "252.05"}, "total": {"final": total}}}});
        codes(&found(&sheet)).contains(&"basic_expenditure_parts")
    };
    // 914.02 + 252.05 = 1166.07, two parts: 0.02 either way.
    assert!(!total("1166.07") && !total("1166.09") && !total("1166.05"));
    assert!(total("1166.10") && total("1166.04"));
    let over = |in_post: u32| {
        codes(&found(&json!({"sheet": {"staff": {"posts": 100, "in_post": in_post}}}))).contains(&"in_post_above_posts")
    };
    assert!(!over(120) && over(121));
}

/// A year in which everything agrees, and nothing changed by more than a tenth against last year.
fn consistent() -> impl Strategy<Value = Value> {
    let percent = || 95..=105_i64;
    (
        (50..300_i64, 0..9_i64, 11..60_i64),
        (60_000..160_000_i64, 20_000..60_000_i64, 100_000..900_000_i64),
        (20..300_i64, 5..9_i64),
        [percent(), percent(), percent(), percent()],
        0..5_000_i64,
    )
        .prop_map(|((in_post, vacant, retired), (salary, running, projects), (batches, guests), last, left)| {
            // In cents of 万元, so that nothing is rounded.
            let cents = |cents: i64| json!(Decimal::new(cents, 2).to_string());
            let (personnel, public) = (in_post * salary / 100, in_post * running / 1000);
            let before = |now: i64, n: usize| now * 100 / last[n];
            let (reception, vehicle) = (batches * 5, 250);
            let (village, other) = (projects / 3, projects - projects / 3);
            let whole = personnel + public + projects + left;
            let (personnel_before, public_before) = (before(personnel, 0), before(public, 1));
            let projects_before = before(projects, 2);
            let reception_before = before(reception, 3);
            let batches_before = if reception_before <= reception { batches - 1 } else { batches + 1 };
            let expenditure = |now: i64, was: i64| json!({"prior_final": cents(was), "budget": cents(now), "final": cents(now)});
            let public_row = |now: i64, was: i64| json!({"prior_final": cents(was), "prior_budget": cents(now), "budget": cents(now), "final": cents(now)});
            json!({
                "sheet": {
                    "staff": {"posts": in_post + vacant, "in_post": in_post, "retired": retired, "villages": 17, "communities": 8,
                        "running_cost_staff": {"prior": in_post, "current": in_post}},
                    "vehicles": {"approved": 1, "actual": 1},
                    "three_public": {
                        "vehicle_purchase": public_row(0, 0), "overseas_travel": public_row(0, 0),
                        "vehicle_running": public_row(vehicle, vehicle), "reception": public_row(reception, reception_before),
                        "total": public_row(vehicle + reception, vehicle + reception_before),
                        "reception_batches": {"prior": batches_before, "current": batches},
                        "reception_visitors": {"prior": batches_before * guests, "current": batches * guests},
                    },
                    "project_expenditure": {
                        "business": expenditure(other, before(other, 2)), "operation": expenditure(0, 0),
                        "special_funds": [{"name": "村级运行经费", "prior_final": cents(projects_before - before(other, 2)), "budget": cents(village), "final": cents(village)}],
                        "total": expenditure(projects, projects_before),
                    },
                    "basic_expenditure": {"personnel": expenditure(personnel, personnel_before), "public_funds": expenditure(public, public_before),
                        "total": expenditure(personnel + public, personnel_before + public_before)},
                    "budget": {"carried_in": "0", "initial": cents(personnel + public + projects), "supplementary": cents(left), "carried_out": cents(left)},
                    "buildings": {"none": true}
                },
                "prior": {
                    "staff": {"in_post": in_post, "villages": 17, "communities": 8}, "vehicles": {"actual": 1},
                    "basic_expenditure": {"personnel": {"final": cents(personnel_before)}, "public_funds": {"final": cents(public_before)}},
                    "three_public": {"reception_batches": {"current": batches_before}},
                    "budget": {"initial": cents(whole), "carried_out": "0"}
                },
                "funds": {"村级运行经费": {"funding": {
                    "total": {"initial_budget": cents(village), "adjusted_budget": cents(village), "executed": cents(village)},
                    "county": {"initial_budget": cents(village), "adjusted_budget": cents(village), "executed": cents(village)}}}}
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_year_that_agrees_with_itself_raises_nothing_but_what_is_not_filled_in(year in consistent()) {
        let open = ["incomplete", "fund_incomplete"];
        let found: Vec<_> = found(&year).into_iter().filter(|finding| !open.contains(&&*finding.check)).collect();
        prop_assert!(found.is_empty(), "{found:#?}");
    }

    /// Filling in less never makes an error of a year that agrees with itself: what is missing is no contradiction.
    #[test]
    fn a_figure_that_is_left_out_contradicts_nothing(year in consistent(), group in 0..8_usize, field in 0..8_usize) {
        let mut year = year;
        let sheet = year["sheet"].as_object_mut().unwrap();
        let name = sheet.keys().nth(group % sheet.len()).unwrap().clone();
        let group = sheet[&name].as_object_mut().unwrap();
        let gone = group.keys().nth(field % group.len()).unwrap().clone();
        group.remove(&gone);
        let errors: Vec<_> = found(&year).into_iter().filter(|finding| finding.severity == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "without {name}.{gone}: {errors:#?}");
    }
}
