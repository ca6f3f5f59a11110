//! Sixteen published tables, typed as documents for `checks:preview`: what their notes describe is found, and nothing else.
//!
//! `cargo test --test it contradictions -- --nocapture` prints the numbers: found, missed, false alarms. What is expected
//! was written down row by row from the notes of the published tables, with the working; it was not taken from the program.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{faults, pointers};
use crate::support::{Client, Engine, TestApp};

const PREVIEW: &str = "/api/v1/checks:preview";

/// The documents, in the order of `cases/departments.json` and `cases/special_funds.json`; D07 twice, as it was read and as
/// its page prints it.
fn documents() -> Vec<(String, Value)> {
    let all: Vec<Value> = serde_json::from_str(include_str!("cases/tables.json")).unwrap();
    all.into_iter()
        .map(|case| (case["id"].as_str().unwrap().to_owned(), case["table"].clone()))
        .collect()
}

fn document(id: &str) -> Value {
    documents().into_iter().find(|(found, _)| found == id).unwrap().1
}

/// Nothing is stored, so one service serves all tables.
fn examine(table: &Value) -> Value {
    static SERVICE: LazyLock<(TestApp, Client)> = LazyLock::new(|| {
        let app = TestApp::start(Engine::Sqlite).unwrap();
        let client = app.auditor();
        (app, client)
    });
    SERVICE.1.post(PREVIEW, table).expect(200).json()
}

/// What the tables contradict in themselves: the table, the row's name or another place, the check, and the working.
const EXPECTED: &[(&str, &str, &str, &str)] = &[
    (
        "D05",
        "预算执行率",
        "table_ratio",
        "3824.26/4753.66 = 80.45%, printed 100%",
    ),
    (
        "D05",
        "预算执行率",
        "table_full_marks_on_miss",
        "80.45% of 10 is 8 as this table cuts, printed 10",
    ),
    (
        "D07",
        "预算完成率(%)",
        "table_same_fact_twice",
        "76, which the execution rate of 76% scores as 7.6 of 10",
    ),
    (
        "D07",
        "结转结余率(≤%)",
        "table_carry_over",
        "0 left over with 76% executed",
    ),
    (
        "D07",
        "政府采购执行率(%)",
        "table_full_marks_on_miss",
        "72.74 of 100 is 1.45 of 2, printed 2",
    ),
    (
        "D07",
        "党性教育培训次数",
        "table_target_too_low",
        "12 of 6 = 200%, above 130%",
    ),
    ("D07", "播发稿件数量", "table_target_too_low", "2859 of 200 = 1429%"),
    ("D07-as-printed", "预算完成率(%)", "table_same_fact_twice", "as above"),
    ("D07-as-printed", "结转结余率(≤%)", "table_carry_over", "as above"),
    (
        "D07-as-printed",
        "政府采购执行率(%)",
        "table_full_marks_on_miss",
        "as above",
    ),
    (
        "D07-as-printed",
        "党性教育培训次数",
        "table_ratio",
        "12/26 = 46.15%, printed 100%",
    ),
    (
        "D07-as-printed",
        "党性教育培训次数",
        "table_full_marks_on_miss",
        "12/26 of 5 = 2.31, printed 5",
    ),
    (
        "D07-as-printed",
        "组织宣传活动次数",
        "table_not_a_number",
        "the target reads 到0次",
    ),
    (
        "F01",
        "/funding/total/initial_budget",
        "table_funding_total",
        "total row 0/0/0, appropriation 90/89.974/89.974",
    ),
    ("F01", "预算执行率", "table_ratio", "89.974/89.974 = 100%, printed 0%"),
    (
        "F01",
        "预算执行率",
        "table_points_off_though_met",
        "100% of 10 is 10, printed 0",
    ),
    ("F01", "项目总成本(≤万元)", "table_cost", "cost 90, executed 89.974"),
    (
        "F03",
        "工程资金金额(万元)",
        "table_same_fact_twice",
        "37.24 of 43.2 is the execution itself",
    ),
    (
        "F05",
        "/funding/total/initial_budget",
        "table_initial_budget_zero",
        "initial 0, adjusted 3.36",
    ),
    (
        "F05",
        "前一项目:成本控制数(≤30万元)",
        "table_not_a_number",
        "target 30, actual 完成",
    ),
    (
        "F05",
        "前一项目:成本控制数(≤30万元)",
        "table_one_row_dominates",
        "90 of 100 points",
    ),
    (
        "F06",
        "是否完成申报数量",
        "table_target_is_weight",
        "target, actual and weight are all 12.5",
    ),
    (
        "F07",
        "/funding/total/initial_budget",
        "table_initial_budget_zero",
        "initial 0, adjusted 207.4538",
    ),
    (
        "F07",
        "居民健康档案(人)",
        "table_full_marks_on_miss",
        "37442/38508 of 3 = 2.917, cut to 2.9, printed 3",
    ),
    ("F07", "宣传咨询活动(次)", "table_target_too_low", "96 of 12 = 800%"),
    (
        "F07",
        "早孕建册",
        "table_points",
        "69/120 of 2 = 1.15, cut to 1.1, printed 1",
    ),
    (
        "F07",
        "高血压规范管理",
        "table_points",
        "3224/3807 of 2 = 1.6937, cut to 1.6, printed 1.9",
    ),
    (
        "F07",
        "高血压随访控制",
        "table_points",
        "3220/3807 of 2 = 1.6916, cut to 1.6, printed 1.8",
    ),
    (
        "F07",
        "糖尿病规范管理",
        "table_points",
        "695/863 of 2 = 1.6107, cut to 1.6, printed 1.8",
    ),
    (
        "F07",
        "糖尿病随访控制",
        "table_points",
        "683/863 of 2 = 1.5829, cut to 1.5, printed 1.7",
    ),
    (
        "F07",
        "严重精神障碍管理",
        "table_points",
        "209/212 of 2 = 1.9717, cut to 1.9, printed 1.8",
    ),
    (
        "F07",
        "0-36月龄中医药管理",
        "table_points",
        "770/1228 of 2 = 1.2541, cut to 1.2, printed 1.8",
    ),
    (
        "F07",
        "家庭医生签约",
        "table_points",
        "22584/24694 of 2 = 1.8291, cut to 1.8, printed 1.7",
    ),
    (
        "F07",
        "rows of weight 2",
        "table_better_for_less",
        "22584/24694 = 91.46% got 1.7, 770/1228 = 62.70% got 1.8",
    ),
    (
        "F08",
        "全县参合人数",
        "table_points",
        "8676/8755 of 15 = 14.86, cut to 14, printed 13",
    ),
    (
        "F08",
        "解决看病难(%)",
        "table_points_off_though_met",
        "95 of 95, printed 27 of 30",
    ),
    (
        "F08",
        "满意度(%)",
        "table_points_off_though_met",
        "95 of 95, printed 9 of 10",
    ),
    ("F08", "/total", "table_total", "9+13+15+10+10+27+9 = 93, printed 94"),
    (
        "F10",
        "安装坡面水标尺(≥米)",
        "table_actual_copies_target",
        "≥266 as the result",
    ),
    ("F10", "水标尺宽度(≥厘米)", "table_actual_copies_target", "≥50"),
    ("F10", "开工率(≥%)", "table_actual_copies_target", "≥90"),
    ("F10", "完工率(≥%)", "table_actual_copies_target", "≥90"),
    ("F10", "受益人口(≥人)", "table_actual_copies_target", "≥1000"),
    ("F10", "满意度(≥%)", "table_actual_copies_target", "≥95"),
    (
        "F10",
        "/sections/1/weight",
        "table_section_weight",
        "产出 has 10+10+20+10+10+10 = 70, not 50",
    ),
    (
        "F10",
        "/sections/2/weight",
        "table_section_weight",
        "效益 has 10+10 = 20, not 30",
    ),
    ("F10", "/rows", "table_weights", "10+70+20+10 = 110, not 100"),
    (
        "F10",
        "/total",
        "table_total",
        "the rows' points add up to 110, printed 100",
    ),
    ("F12", "毛发试剂(≥份)", "table_target_too_low", "3200 of 2400 = 133%"),
    ("F13", "/funding", "table_amounts_in_yuan", "387664.62 元"),
    (
        "F13",
        "资金到位及时率",
        "table_points_off_though_met",
        "100 of 100, printed 7 of 10",
    ),
    (
        "F18",
        "/sections/3/equal_shares",
        "table_equal_shares",
        "15 points for 4 rows: 4 each, 16 together",
    ),
];

/// Where a finding is, as [`EXPECTED`] says it: the row's name, or the place.
fn place(table: &Value, finding: &Value) -> String {
    if finding["check"] == "table_better_for_less" {
        let first = finding["places"][0]["pointer"].as_str().unwrap();
        let row = table.pointer(first.trim_end_matches("/points")).unwrap();
        return format!("rows of weight {}", row["weight"].as_str().unwrap());
    }
    let pointer = finding["places"][0]["pointer"].as_str().unwrap();
    let mut parts = pointer.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("rows"), Some(n)) => table["rows"][n.parse::<usize>().unwrap()]["name"]
            .as_str()
            .unwrap()
            .to_owned(),
        _ => pointer.to_owned(),
    }
}

type Found = BTreeSet<(String, String)>;

fn found_in(table: &Value) -> Found {
    let examined = examine(table);
    let findings = examined["findings"].as_array().unwrap();
    let set: Found = findings
        .iter()
        .map(|finding| (place(table, finding), finding["check"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(set.len(), findings.len(), "nothing is found twice");
    set
}

fn expected_of(id: &str) -> Found {
    EXPECTED
        .iter()
        .filter(|(table, ..)| *table == id)
        .map(|(_, place, check, _)| ((*place).to_owned(), (*check).to_owned()))
        .collect()
}

#[test]
fn what_published_tables_contradict_is_found_and_nothing_else() {
    let (mut found, mut missed, mut false_alarms, mut rows) = (0, Vec::new(), Vec::new(), 0);
    println!(
        "{:16}{:>6}{:>10}{:>8}{:>8}{:>14}",
        "table", "rows", "expected", "found", "missed", "false alarms"
    );
    let documents = documents();
    for (id, table) in &documents {
        let (expected, in_table) = (expected_of(id), found_in(table));
        let hits = expected.intersection(&in_table).count();
        let lost: Vec<_> = expected.difference(&in_table).map(|what| (id, what.clone())).collect();
        let wrong: Vec<_> = in_table.difference(&expected).map(|what| (id, what.clone())).collect();
        let count = table["rows"].as_array().unwrap().len();
        println!(
            "{id:16}{count:>6}{:>10}{hits:>8}{:>8}{:>14}",
            expected.len(),
            lost.len(),
            wrong.len()
        );
        found += hits;
        rows += count;
        missed.extend(lost);
        false_alarms.extend(wrong);
    }
    println!(
        "{:16}{rows:>6}{:>10}{found:>8}{:>8}{:>14}",
        "all",
        EXPECTED.len(),
        missed.len(),
        false_alarms.len()
    );
    assert_eq!(missed, [], "missed");
    assert_eq!(false_alarms, [], "false alarms");
    assert_eq!(
        found,
        EXPECTED.len(),
        "every expectation is of a table that was examined"
    );
    assert_eq!(documents.len(), 17);
}

#[test]
fn the_documents_are_the_tables_as_they_were_published() {
    let mut seen = 0;
    for file in [
        include_str!("cases/departments.json"),
        include_str!("cases/special_funds.json"),
    ] {
        let cases: Vec<Value> = serde_json::from_str(file).unwrap();
        for case in cases {
            let table = document(case["id"].as_str().unwrap());
            let (rows, printed) = (
                table["rows"].as_array().unwrap(),
                case["indicators"].as_array().unwrap(),
            );
            assert_eq!(rows.len(), printed.len());
            for (row, printed) in rows.iter().zip(printed) {
                for (field, as_printed) in [
                    ("name", "name"),
                    ("weight", "weight"),
                    ("ratio", "published_ratio"),
                    ("points", "published_points"),
                ] {
                    assert_eq!(row[field], printed[as_printed], "{}: {field}", printed["name"]);
                }
                if row["measure"]["kind"] == "quantity" {
                    let inputs = &printed["inputs"];
                    let actual = row["measure"]["actual"].as_str().unwrap();
                    assert_eq!(
                        (&row["measure"]["target"], actual.trim_start_matches('≥')),
                        (&inputs["target"], inputs["actual"].as_str().unwrap())
                    );
                }
            }
            assert_eq!(table["total"], case["published_total"]);
            seen += 1;
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn how_a_table_rounds_is_inferred_from_its_rows() {
    for (id, mode, decimals) in [
        // 99.36% and 94.23% of 6 both got 5.
        ("D05", "floor", 0),
        // 7.6 of 76%: the usual two decimals.
        ("D07", "half_up", 2),
        // 8.62 got 9, twice.
        ("F03", "half_up", 0),
        // 203/214 of 2 = 1.897 got 1.8, twice.
        ("F07", "floor", 1),
        // 9.91 got 9.
        ("F08", "floor", 0),
        // 9.8 got 9.
        ("F13", "floor", 0),
    ] {
        let rounding = examine(&document(id))["rounding"].clone();
        assert_eq!(
            (&rounding["known"], &rounding["points"]),
            (&json!("inferred"), &json!({"mode": mode, "decimals": decimals})),
            "{id}"
        );
    }
    // 4.988 got 5.0: one decimal, or whole points, or the ratio of 49.88% rounded to 50% first.
    let rounding = examine(&document("F06"))["rounding"].clone();
    let also = rounding["also"].as_array().unwrap();
    assert!(
        also.iter()
            .any(|way| way["ratio"] == json!({"mode": "half_up", "decimals": 0})),
        "{rounding}"
    );
    // Every row of D10 is met: nothing tells.
    assert_eq!(examine(&document("D10"))["rounding"]["known"], "usual");
}

#[test]
fn a_finding_has_both_numbers_and_the_probable_cause() {
    let of = |id: &str, check: &str, place_of: &str| {
        let table = document(id);
        let findings = examine(&table)["findings"].as_array().unwrap().clone();
        let found = findings
            .into_iter()
            .find(|finding| finding["check"] == check && place(&table, finding) == place_of);
        found.unwrap()
    };
    let values = |finding: &Value| -> Vec<String> {
        let figures = finding["figures"].as_array().unwrap().iter();
        figures
            .map(|figure| figure["value"].as_str().unwrap().to_owned())
            .collect()
    };
    let ratio = of("D05", "table_ratio", "预算执行率");
    // 3824.26/4753.66 = 0.80448749…
    assert_eq!(values(&ratio), ["100", "80.448749"]);
    let points = of("D05", "table_full_marks_on_miss", "预算执行率");
    assert_eq!(
        (values(&points), &points["cause"]["code"]),
        (vec!["10".to_owned(), "8".to_owned()], &json!("from_printed_ratio"))
    );
    assert_eq!(
        of("D07", "table_full_marks_on_miss", "政府采购执行率(%)")["cause"]["code"],
        "direction"
    );
    assert_eq!(
        of("D07-as-printed", "table_full_marks_on_miss", "党性教育培训次数")["cause"]["code"],
        "from_printed_ratio"
    );
    assert_eq!(
        of("F01", "table_funding_total", "/funding/total/initial_budget")["cause"]["code"],
        "total_row_empty"
    );
    assert_eq!(
        of("F01", "table_ratio", "预算执行率")["cause"]["code"],
        "total_row_empty"
    );
    assert_eq!(
        of("F07", "table_full_marks_on_miss", "居民健康档案(人)")["cause"]["code"],
        "rounded_otherwise"
    );
}

#[test]
fn a_wrong_ratio_or_point_names_the_usual_mistake_that_gives_it() {
    let change = "three_public.total.budget - three_public.total.prior_budget";
    let base = "three_public.total.prior_budget";
    let deduct = json!({"kind": "deduct", "target": "100", "off": "below", "step": "5", "points_per_step": "2"});
    // Three public expenses: budgets 32 and 63.46, final accounts 29.08 and 44.29.
    let sheet = json!({"staff": {"posts": 143, "in_post": 136},
        "three_public": {"total": {"prior_final": "29.08", "prior_budget": "32", "budget": "63.46", "final": "44.29"}}});
    let cause = |row: Value| {
        let mut row = row;
        row["name"] = json!("行");
        row["weight"] = json!("8");
        let table = json!({"complete": false, "base_data": sheet, "rows": [row], "rounding": {"points": {"mode": "half_up", "decimals": 2}}});
        examine(&table)["findings"][0]["cause"]["code"].clone()
    };
    let ratio = |numerator: &str, denominator: &str, printed: &str| {
        cause(
            json!({"ratio": printed, "measure": {"kind": "ratio", "numerator": numerator, "denominator": denominator}}),
        )
    };
    // (63.46 − 29.08) / 29.08 = 118.23%
    assert_eq!(ratio(change, base, "118.23%"), "prior_final_for_prior_budget");
    // (44.29 − 29.08) / 29.08 = 52.30%
    assert_eq!(ratio(change, base, "52.30%"), "finals_for_budgets");
    // 63.46/32 = 198.31%
    assert_eq!(ratio("63.46 - 32", "32", "198.31%"), "level_for_change");
    // 143/136 = 105.15%
    assert_eq!(ratio("136", "143", "105.15%"), "swapped_fraction");
    // 0.951 for 95.10%
    assert_eq!(ratio("136", "143", "0.951"), "fraction_for_percent");
    // 1,000,000 元 of 200 万元 is 50%.
    assert_eq!(ratio("100", "200", "500000%"), "yuan_for_ten_thousand_yuan");
    // 100 − 95.10
    assert_eq!(ratio("136", "143", "4.90%"), "remainder");
    // 96%, −2 per 5% below: no whole step, but a started one: 8 − 2 = 6; in proportion 8 − 2 × 4/5 = 6.4.
    let points = |numerator: &str, points: &str| {
        cause(
            json!({"points": points, "rule": deduct, "measure": {"kind": "ratio", "numerator": numerator, "denominator": "100"}}),
        )
    };
    assert_eq!(points("96", "6"), "started_steps_counted");
    assert_eq!(points("96", "6.4"), "steps_in_proportion");
    // 94%: one step of 5 is 6 points; steps of 2.5 are two, 4 points; counted as started also two, so 93 with 2.8 each:
    // 7/2.5 = 2 whole steps, 4 points, while 7/5 started is 2 as well. 92.4: 7.6/2.5 = 3, 2 points; started 2, 4 points.
    assert_eq!(points("92.4", "2"), "step_halved");
    // 94.6% rounded to 95% first: one step either way; 95.4 rounded is 95: one step, exact none.
    let rounded = cause(
        json!({"points": "7.6", "rule": {"kind": "proportion"}, "measure": {"kind": "ratio", "numerator": "95.4", "denominator": "100"}}),
    );
    assert_eq!(rounded, "ratio_rounded_first");
    // A slip of the pen has no cause.
    assert_eq!(ratio("136", "143", "59.10%"), Value::Null);
}

both_engines! {
    fn rows_may_name_an_indicator_of_a_scheme_and_are_worked_out_from_the_sheet(app) {
        let auditor = app.auditor();
        let row = |code: &str, ratio: &str, points: &str| json!({"name": code, "ratio": ratio, "points": points, "measure": {"kind": "indicator", "code": code}});
        let table = json!({"scheme": "hunan-2019", "complete": false, "base_data": {"staff": {"posts": 171, "in_post": 104}},
            // 104/171 = 60.82%; 171/104 = 164.42%. Its weight of 5 is the scheme's.
            "rows": [row("in_post_control", "60.82%", "5"), row("in_post_control", "164.42%", "0"), row("budget_completion", "100%", "5")]});
        let answer = auditor.post(PREVIEW, &table).expect(200).json();
        let verdicts: Vec<_> = answer["rows"].as_array().unwrap().iter().map(|row| row["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["follows", "contradicts", "not_checked"]);
        let causes: Vec<_> = answer["findings"].as_array().unwrap().iter().map(|finding| (&finding["check"], &finding["cause"]["code"])).collect();
        assert_eq!(causes, [(&json!("table_ratio"), &json!("swapped_fraction")), (&json!("table_points_off_though_met"), &json!("from_printed_ratio"))]);
        assert_eq!(answer["counts"], json!({"errors": 1, "warnings": 1, "notices": 0}));
        assert_eq!(answer["rounding"]["known"], "stated");
    }

    fn a_document_that_cannot_be_read_is_refused_with_every_fault(app) {
        let auditor = app.auditor();
        let row = |measure: Value| json!({"name": "甲", "weight": "5", "measure": measure});
        let mut in_no_section = row(json!({"kind": "quality"}));
        in_no_section["section"] = json!("产出");
        let mut judged_in_words = row(json!({"kind": "quality"}));
        judged_in_words["rule"] = json!({"kind": "proportion"});
        let mut no_step = row(json!({"kind": "ratio", "numerator": "1", "denominator": "2"}));
        no_step["rule"] = json!({"kind": "deduct", "target": "100", "off": "below", "step": "0", "points_per_step": "2"});
        let mut found = auditor.post(PREVIEW, &json!({"rows": [
            in_no_section, no_step,
            row(json!({"kind": "ratio", "numerator": "staff.post", "denominator": "1 2"})),
            row(json!({"kind": "indicator", "code": "in_post_control"})),
            judged_in_words,
        ]})).faults();
        found.sort();
        assert_eq!(found, faults(&[
            ("/rows/0/section", "unknown_section"), ("/rows/1/rule/step", "out_of_range"),
            ("/rows/2/measure/denominator", "formula_syntax"), ("/rows/2/measure/numerator", "unknown_variable"),
            ("/rows/3/measure/code", "unknown_indicator"),
            ("/rows/4/rule", "rule_without_ratio"),
        ]));
        let unread = json!({"rows": [{"name": "甲", "ratio": "约五成", "points": "满分", "measure": {"kind": "quantity", "target": "", "actual": []}}], "totl": "1"});
        assert_eq!(pointers(&auditor.post(PREVIEW, &unread).faults()),
            ["/rows/0/measure/actual", "/rows/0/measure/target", "/rows/0/points", "/rows/0/ratio", "/totl"]);
        let both = json!({"scheme": "hunan-2019", "scheme_document": {"name": "x", "total": "10", "sections": [{"code": "a", "name": "甲", "weight": "10", "own_rows": {}}]}, "rows": [row(json!({"kind": "quality"}))]});
        assert_eq!(auditor.post(PREVIEW, &both).faults(), faults(&[("/scheme_document", "one_of")]));
        let too_many: Vec<_> = (0..301).map(|_| row(json!({"kind": "quality"}))).collect();
        for (rows, code) in [(json!([]), "too_few"), (json!(too_many), "too_many")] {
            assert_eq!(auditor.post(PREVIEW, &json!({"rows": rows})).faults(), faults(&[("/rows", code)]));
        }
        assert_eq!(auditor.post(PREVIEW, &json!({"scheme": "nope", "rows": [row(json!({"kind": "quality"}))]})).faults(), faults(&[("/scheme", "unknown_scheme")]));
    }
}
