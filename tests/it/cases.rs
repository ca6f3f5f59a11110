//! Sixteen published self-evaluation tables, each scored again from its own figures by a scheme that says what its
//! notes say.
//!
//! Most of what was published comes out the same. Where it does not, the table contradicts its figures or its rule:
//! [`CONTRADICTIONS`] lists each such value with the working, and the tests fail for one more and for one less.

use std::sync::LazyLock;

use pretty_assertions::assert_eq;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use crate::support::{Client, Engine, TestApp};

/// A scheme's document with a unit's figures, or with a fund's table, in; the score out. Nothing is stored, so one
/// service serves all tables.
fn preview(body: Value) -> Value {
    static SERVICE: LazyLock<(TestApp, Client)> = LazyLock::new(|| {
        let app = TestApp::start(Engine::Sqlite).unwrap();
        let client = app.bureau();
        (app, client)
    });
    SERVICE.1.post("/api/v1/scores:preview", &body).expect(200).json()
}

/// What was published and does not follow from the table's own figures: the table, the line (or its ratio, or the
/// total), what was published, what follows, and how.
const CONTRADICTIONS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "D05",
        "预算执行率（比率）",
        "100%",
        "80.45%",
        "3824.26/4753.66 = 80.4488%",
    ),
    (
        "D05",
        "预算执行率",
        "10",
        "8",
        "80.4488% of 10 = 8.04, cut to whole points as its other rows are",
    ),
    ("D07", "政府采购执行率(%)", "2", "1.45", "72.74/100 of 2 = 1.4548"),
    (
        "D07",
        "总分",
        "97.6",
        "65.05–97.05",
        "known rows 7.6 + 13.45 + 44 = 65.05, and the 32 points of rows unknown: 97.6 needs the full 2 for 72.74%",
    ),
    (
        "F01",
        "预算执行率（比率）",
        "0%",
        "100%",
        "89.974/89.974; the page's total row was left at 0/0/0",
    ),
    ("F01", "预算执行率", "0", "10", "100% of 10"),
    (
        "F07",
        "居民健康档案(人)",
        "3",
        "2.9",
        "37442/38508 of 3 = 2.9170; full marks for a target missed",
    ),
    ("F07", "早孕建册", "1", "1.1", "69/120 of 2 = 1.15"),
    ("F07", "高血压规范管理", "1.9", "1.6", "3224/3807 of 2 = 1.6937"),
    (
        "F07",
        "高血压随访控制",
        "1.8",
        "1.6",
        "3220/3807 of 2 = 1.6916; four patients fewer cost a tenth",
    ),
    ("F07", "糖尿病规范管理", "1.8", "1.6", "695/863 of 2 = 1.6107"),
    ("F07", "糖尿病随访控制", "1.7", "1.5", "683/863 of 2 = 1.5829"),
    (
        "F07",
        "严重精神障碍管理",
        "1.8",
        "1.9",
        "209/212 of 2 = 1.9717; the best of these ratios got the least",
    ),
    ("F07", "0-36月龄中医药管理", "1.8", "1.2", "770/1228 of 2 = 1.2541"),
    ("F07", "家庭医生签约", "1.7", "1.8", "22584/24694 of 2 = 1.8291"),
    ("F08", "全县参合人数", "13", "14", "8676/8755 of 15 = 14.86, cut to 14"),
    (
        "F08",
        "解决看病难(%)",
        "27",
        "30",
        "95 of 95 is met; 3 points off without a reason",
    ),
    (
        "F08",
        "满意度(%)",
        "9",
        "10",
        "95 of 95 is met; 1 point off without a reason",
    ),
    (
        "F08",
        "总分",
        "94",
        "98",
        "9+14+15+10+10+30+10 = 98; its own rows, 9+13+15+10+10+27+9, add up to 93 and not to 94",
    ),
    (
        "F10",
        "总分",
        "100",
        "无",
        "its rows weigh 10+70+20+10 = 110; 70 of them stand in the 50 of 产出, so no total can be given",
    ),
    (
        "F13",
        "资金到位及时率",
        "7",
        "10",
        "100 of 100 is met; 3 points off without a reason",
    ),
    (
        "F13",
        "总分",
        "96",
        "99",
        "9×10 + 9 (98 of 100, cut from 9.8) = 99; 96 follows from the 3 points above",
    ),
];

/// How a published table is scored again.
struct Table {
    id: &'static str,
    /// Its sections: code, name, weight. The first is the execution rate's.
    sections: &'static [(&'static str, &'static str, &'static str)],
    /// The sections of the rows after the execution rate, in the order of the page: code, how many rows.
    rows: &'static [(&'static str, usize)],
    /// How it rounds: of what (`ratio` or `points`), mode, decimals. None: points to two decimals, half up.
    rounding: Option<(&'static str, &'static str, u8)>,
    /// From which share on a goal counts as partly achieved.
    partly_from: u8,
}

const EXECUTION_10: (&str, &str, &str) = ("execution", "预算执行", "10");
const EXECUTION_20: (&str, &str, &str) = ("execution", "预算执行", "20");
const OUTPUT_50: (&str, &str, &str) = ("output", "产出指标", "50");
const BENEFIT_30: (&str, &str, &str) = ("benefit", "效益指标", "30");
const SATISFACTION_10: (&str, &str, &str) = ("satisfaction", "满意度指标", "10");

/// The tables whose rows are the unit's own. Where only the first part of a page is known, a section keeps its official
/// share if the notes tell it, and the total is an interval; else it weighs what its known rows weigh, for a scheme
/// must not be completed by invention.
const TABLES: &[Table] = &[
    Table {
        id: "D05",
        // 10+7+7+7+7+6+6 is the whole output; of the benefit 18 points are known, of the satisfaction nothing.
        sections: &[EXECUTION_10, OUTPUT_50, BENEFIT_30, SATISFACTION_10],
        rows: &[("output", 7), ("benefit", 3)],
        // 99.36% of 6 and 94.23% of 6 both got 5.
        rounding: Some(("points", "floor", 0)),
        partly_from: 60,
    },
    Table {
        id: "D07",
        // Its sections are not known: all but the execution rate in one, of whose 90 points 32 stand further down.
        sections: &[EXECUTION_10, ("rest", "其他指标", "90")],
        rows: &[("rest", 14)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "D10",
        // Whole: 20 + 80.
        sections: &[EXECUTION_20, ("rest", "其他指标", "80")],
        rows: &[("rest", 6)],
        rounding: None,
        // 定性三档100-80/80-50/50-0
        partly_from: 50,
    },
    Table {
        id: "F01",
        // Five of 8 and one of 10 are the whole output; the rest of the page is unknown.
        sections: &[EXECUTION_10, OUTPUT_50, BENEFIT_30, SATISFACTION_10],
        rows: &[("output", 6)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "F03",
        // The note counts ten rows of 10 beside the execution rate; there are nine, and with them 100 points.
        sections: &[EXECUTION_10, ("rest", "其他指标", "90")],
        rows: &[("rest", 9)],
        // 8.62 got 9.
        rounding: Some(("points", "half_up", 0)),
        partly_from: 60,
    },
    Table {
        id: "F05",
        sections: &[EXECUTION_10, ("rest", "其他指标", "90")],
        // A cost of at most 30 whose result is the word 完成: no number can be judged, so it is a goal in words.
        rows: &[("rest", 1)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "F06",
        // Known rows only; the notes tell no shares.
        sections: &[EXECUTION_10, ("rest", "其他指标", "12.5")],
        rows: &[("rest", 1)],
        // 49.88% counts as 50%.
        rounding: Some(("ratio", "half_up", 0)),
        partly_from: 60,
    },
    Table {
        id: "F07",
        // Known rows only: 20 of 2, one of 3, one of 1 … 42 beside the execution rate.
        sections: &[EXECUTION_10, ("rest", "数量指标", "42")],
        rows: &[("rest", 21)],
        // One decimal, cut: 203/214 of 2 is 1.897 and got 1.8, twice.
        rounding: Some(("points", "floor", 1)),
        partly_from: 60,
    },
    Table {
        id: "F08",
        sections: &[EXECUTION_10, OUTPUT_50, BENEFIT_30, SATISFACTION_10],
        rows: &[("output", 4), ("benefit", 1), ("satisfaction", 1)],
        // 9.91 got 9.
        rounding: Some(("points", "floor", 0)),
        partly_from: 60,
    },
    Table {
        id: "F10",
        // The page's own note says 50/30/10/10, and its rows do not keep to it.
        sections: &[EXECUTION_10, OUTPUT_50, BENEFIT_30, SATISFACTION_10],
        rows: &[("output", 6), ("benefit", 1), ("satisfaction", 1), ("benefit", 1)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "F12",
        // 24 of the output's 50 are known.
        sections: &[EXECUTION_10, OUTPUT_50, BENEFIT_30, SATISFACTION_10],
        rows: &[("output", 2)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "F13",
        sections: &[EXECUTION_10, ("rest", "其他指标", "90")],
        rows: &[("rest", 9)],
        // 9.8 got 9.
        rounding: Some(("points", "floor", 0)),
        partly_from: 60,
    },
    Table {
        id: "F15",
        // 执行20+产出40+效益…: half of the output is known, and of the benefit no share but one row.
        sections: &[
            EXECUTION_20,
            ("output", "产出指标", "40"),
            ("benefit", "效益指标", "10"),
        ],
        rows: &[("output", 2), ("benefit", 1)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "F18",
        // 决策2/管理13/绩效85. The execution rate is shown and weighs nothing; 15 of the 85 are known.
        sections: &[
            ("execution", "预算执行", "0"),
            ("decision", "决策", "2"),
            ("management", "管理", "13"),
            ("performance", "绩效", "85"),
        ],
        rows: &[("performance", 1), ("decision", 1), ("management", 4)],
        rounding: None,
        partly_from: 60,
    },
    Table {
        id: "F19",
        // Known rows only beside the 20 of Hubei's execution rate.
        sections: &[EXECUTION_20, ("rest", "其他指标", "30")],
        rows: &[("rest", 3)],
        rounding: None,
        partly_from: 60,
    },
];

/// The published tables, as they were read.
fn published() -> Vec<Value> {
    let mut all = Vec::new();
    for file in [
        include_str!("cases/departments.json"),
        include_str!("cases/special_funds.json"),
    ] {
        let cases: Vec<Value> = serde_json::from_str(file).unwrap();
        all.extend(cases);
    }
    all
}

fn case(id: &str) -> Value {
    published().into_iter().find(|case| case["id"] == id).unwrap()
}

fn rows_of(case: &Value) -> &Vec<Value> {
    case["indicators"].as_array().unwrap()
}

fn dec(digits: &str) -> Decimal {
    digits.parse().unwrap()
}

/// 元 where the page says so, else 万元.
fn in_ten_thousand_yuan(case: &Value, amount: &str) -> Decimal {
    let in_yuan = case["inputs"]["全年"]
        .as_str()
        .is_some_and(|total| total.ends_with('元'));
    match in_yuan {
        true => dec(amount) / dec("10000"),
        false => dec(amount),
    }
}

impl Table {
    fn scheme(&self) -> Value {
        let weight: Decimal = self.sections.iter().map(|(_, _, weight)| dec(weight)).sum();
        let sections: Vec<_> = self
            .sections
            .iter()
            .map(|(code, name, weight)| match *code {
                "execution" => json!({"code": code, "name": name, "weight": weight, "indicators": [{
                    "code": "execution_rate", "name": "预算执行率", "weight": weight,
                    "ratio": {"numerator": "execution.executed", "denominator": "execution.budget"},
                    "rule": {"kind": "proportion"}
                }]}),
                code => json!({"code": code, "name": name, "weight": weight,
                    "own_rows": {"partly_from": self.partly_from}}),
            })
            .collect();
        let mut scheme = json!({"name": self.id, "total": weight.to_string(), "sections": sections});
        if let Some((what, mode, decimals)) = self.rounding {
            scheme["rounding"] = json!({what: {"mode": mode, "decimals": decimals}});
        }
        scheme
    }

    /// The section of each row after the execution rate.
    fn sections_of_rows(&self) -> Vec<&'static str> {
        self.rows
            .iter()
            .flat_map(|(section, times)| std::iter::repeat_n(*section, *times))
            .collect()
    }

    fn score(&self, case: &Value) -> Value {
        let (execution, rows) = rows_of(case).split_first().unwrap();
        let sections = self.sections_of_rows();
        assert_eq!(sections.len(), rows.len(), "{}: every row has its section", self.id);
        let targets: Vec<_> = rows
            .iter()
            .zip(sections)
            .map(|(row, section)| target(row, section))
            .collect();
        let amount = |key: &str| in_ten_thousand_yuan(case, execution["inputs"][key].as_str().unwrap());
        let (budget, executed) = (amount("target"), amount("actual"));
        preview(match self.id.starts_with('D') {
            // A department's budget is spent but for what is left over at the end of the year.
            true => json!({
                "scheme_document": self.scheme(),
                "base_data": {"budget": {
                    "carried_in": "0", "initial": budget, "supplementary": "0", "carried_out": budget - executed
                }},
                "assessments": {"targets": targets}
            }),
            false => json!({
                "scheme_document": self.scheme(),
                "special_fund": {
                    "funding": {"total": {"adjusted_budget": budget, "executed": executed}}, "targets": targets
                }
            }),
        })
    }

    /// The codes of the score's lines, in the order of the page.
    fn line_codes(&self) -> Vec<String> {
        let mut codes = vec!["execution_rate".to_owned()];
        let sections = self.sections_of_rows();
        for (n, section) in sections.iter().enumerate() {
            let number = sections[..=n].iter().filter(|other| *other == section).count();
            codes.push(format!("{section}_{number}"));
        }
        codes
    }
}

/// A row of the page as a target row.
fn target(row: &Value, section: &str) -> Value {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = text(&row["name"]);
    let measure = match row["rule_kind"].as_str().unwrap() {
        // What people judged as achieved, with the share of the weight that they gave.
        "qual" => {
            let share = dec(&text(&row["published_points"])) * Decimal::ONE_HUNDRED / dec(&text(&row["weight"]));
            json!({"kind": "quality", "level": "achieved", "share": share})
        }
        kind => {
            let comparison = match kind {
                "rev" => "at_most",
                _ if name.contains("(=") => "equal",
                _ => "at_least",
            };
            json!({"kind": "quantity", "comparison": comparison,
                "target": row["inputs"]["target"], "actual": row["inputs"]["actual"]})
        }
    };
    json!({"section": section, "name": name, "weight": row["weight"], "measure": measure})
}

/// What a table's comparison found.
struct Found {
    rows: usize,
    reproduced: usize,
    totals: usize,
    totals_reproduced: usize,
    /// Line, published, computed.
    differences: Vec<(String, String, String)>,
}

/// Compares every ratio and point that was published, and the total.
fn compare(case: &Value, codes: &[String], score: &Value) -> Found {
    let mut found = Found {
        rows: 0,
        reproduced: 0,
        totals: 0,
        totals_reproduced: 0,
        differences: Vec::new(),
    };
    assert_eq!(codes.len(), rows_of(case).len());
    for (row, code) in rows_of(case).iter().zip(codes) {
        let lines = score["lines"].as_array().unwrap();
        let line = lines.iter().find(|line| line["code"] == code.as_str()).unwrap();
        let name = row["name"].as_str().unwrap();
        let (ratio, points) = (row["published_ratio"].as_str(), row["published_points"].as_str());
        if ratio.is_none() && points.is_none() {
            continue;
        }
        let before = found.differences.len();
        if let Some(ratio) = ratio {
            let computed = dec(line["ratio"]["percent"].as_str().unwrap());
            let shown = ratio.strip_suffix('%').unwrap();
            if half_up(computed, dec(shown).scale()) != dec(shown) {
                let computed = format!("{}%", half_up(computed, 2).normalize());
                found
                    .differences
                    .push((format!("{name}（比率）"), ratio.to_owned(), computed));
            }
        }
        if let Some(points) = points {
            let computed = line["points"].as_str().unwrap();
            if dec(computed) != dec(points) {
                found
                    .differences
                    .push((name.to_owned(), points.to_owned(), computed.to_owned()));
            }
        }
        found.rows += 1;
        found.reproduced += usize::from(found.differences.len() == before);
    }
    if let Some(total) = case["published_total"].as_str() {
        found.totals = 1;
        let bound = |end: &str| dec(score["interval"][end].as_str().unwrap());
        let contradicts = score["notices"]
            .as_array()
            .unwrap()
            .iter()
            .any(|notice| notice["severity"] == "error");
        let agrees = !contradicts && (bound("low")..=bound("high")).contains(&dec(total));
        found.totals_reproduced = usize::from(agrees);
        if !agrees {
            let computed = match score["total"].as_str() {
                Some(computed) => computed.to_owned(),
                None if contradicts => "无".to_owned(),
                None => format!("{}–{}", bound("low"), bound("high")),
            };
            found.differences.push(("总分".to_owned(), total.to_owned(), computed));
        }
    }
    found
}

fn half_up(number: Decimal, decimals: u32) -> Decimal {
    number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// Scores a table of own rows again and holds its differences against [`CONTRADICTIONS`].
#[track_caller]
fn check(id: &str) -> (Value, Found) {
    let (case, table) = (case(id), TABLES.iter().find(|table| table.id == id).unwrap());
    let score = table.score(&case);
    let found = compare(&case, &table.line_codes(), &score);
    assert_eq!(found.differences, expected(id), "{id}");
    (score, found)
}

fn expected(id: &str) -> Vec<(String, String, String)> {
    let of_case = CONTRADICTIONS.iter().filter(|(case, ..)| *case == id);
    of_case
        .map(|(_, line, published, computed, _)| ((*line).to_owned(), (*published).to_owned(), (*computed).to_owned()))
        .collect()
}

/// D01 has indicators of its own: the Hunan table with 8 points for each of its first four.
fn d01() -> (Value, Found) {
    let deduct = |off: &str, target: u8, step: u8, points: &str| {
        json!({
            "kind": "deduct", "target": target, "off": off, "step": step, "points_per_step": points
        })
    };
    let indicator = |code: &str, name: &str, numerator: &str, denominator: &str, rule: Value| {
        json!({
            "code": code, "name": name, "weight": "8", "ratio": {"numerator": numerator, "denominator": denominator},
            "rule": rule
        })
    };
    let whole_budget = "budget.carried_in + budget.initial + budget.supplementary";
    // The input's 16 points are whole; of the process's 58 two rows are known, and only they are weighed.
    let scheme = json!({
        "name": "湖南16指标表变体（前四行）", "total": "32",
        "sections": [
            {"code": "input", "name": "投入", "weight": "16", "indicators": [
                indicator("in_post_control", "在职人员控制率", "staff.in_post", "staff.posts",
                    deduct("above", 100, 1, "0.5")),
                indicator("three_public_change", "三公经费变动率",
                    "three_public.total.budget - three_public.total.prior_budget", "three_public.total.prior_budget",
                    deduct("above", 0, 1, "0.8")),
            ]},
            {"code": "process", "name": "过程", "weight": "16", "indicators": [
                indicator("budget_completion", "预算完成率",
                    &format!("{whole_budget} - budget.carried_out"), whole_budget, deduct("below", 100, 5, "2")),
                indicator("budget_control", "预算控制率", "budget.supplementary", "budget.initial", json!({
                    "kind": "bands", "otherwise": "0", "bands": [
                        {"at_most": "0", "points": "8"}, {"at_most": "10", "points": "6"},
                        {"at_most": "20", "points": "4"}, {"at_most": "30", "points": "2"}
                    ]
                })),
            ]},
        ]
    });
    let case = case("D01");
    let figure = |name: &str| case["inputs"][name].clone();
    let count = |name: &str| case["inputs"][name].as_str().unwrap().parse::<u32>().unwrap();
    let score = preview(json!({
        "scheme_document": scheme,
        "base_data": {
            "staff": {"posts": count("编制数"), "in_post": count("在职人数")},
            "three_public": {"total": {
                "prior_budget": figure("三公_2017预算"), "budget": figure("三公_2018预算"),
                "prior_final": figure("三公_2017决算"), "final": figure("三公_2018决算")
            }},
            "budget": {
                "carried_in": figure("上年结转"), "initial": figure("年初预算"),
                "supplementary": figure("追加"), "carried_out": figure("年末结余")
            }
        }
    }));
    let codes = [
        "in_post_control",
        "three_public_change",
        "budget_completion",
        "budget_control",
    ]
    .map(str::to_owned);
    let found = compare(&case, &codes, &score);
    assert_eq!(found.differences, expected("D01"));
    (score, found)
}

fn total(score: &Value) -> Option<&str> {
    score["total"].as_str()
}

fn interval(score: &Value) -> [&str; 2] {
    ["low", "high"].map(|end| score["interval"][end].as_str().unwrap())
}

#[test]
fn d01_less_than_a_whole_step_costs_nothing() {
    let (score, _) = d01();
    // 8 + 0 + 8 + 0: the page breaks off before its fourth row, where 767.86/1922.76 = 39.94% gets nothing.
    assert_eq!(score["lines"][3]["points"], "0");
    assert_eq!(total(&score), Some("16"));
}

#[test]
fn d05_four_fifths_executed_are_not_full_marks() {
    let (score, _) = check("D05");
    // 8 + 50 + 16, and 12 + 10 not known.
    assert_eq!(interval(&score), ["74", "96"]);
}

#[test]
fn d07_a_missed_target_among_full_marks() {
    let (score, _) = check("D07");
    let too_low: Vec<_> = score["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| &notice["line"])
        .collect();
    // 12 of 6 and 2859 of 200 are more than 130%; 43 of 40 is not.
    assert_eq!(too_low, ["rest_8", "rest_10"]);
}

#[test]
fn d10_execution_weighs_twenty_in_hubei() {
    let (score, _) = check("D10");
    assert_eq!(total(&score), Some("100"));
}

#[test]
fn f01_money_spent_as_planned_does_not_score_zero() {
    let (score, _) = check("F01");
    // 10 + 50, and 40 not known.
    assert_eq!(interval(&score), ["60", "100"]);
}

#[test]
fn f03_whole_points_are_rounded() {
    let (score, _) = check("F03");
    // 9 + 9 + 8×10.
    assert_eq!(total(&score), Some("98"));
}

#[test]
fn f05_the_adjusted_budget_is_the_denominator() {
    let (score, _) = check("F05");
    assert_eq!(total(&score), Some("100"));
}

#[test]
fn f06_the_ratio_is_rounded_first() {
    let (score, _) = check("F06");
    assert_eq!(score["lines"][0]["ratio"]["used"], "50");
    assert_eq!(total(&score), Some("17.5"));
}

#[test]
fn f07_equal_ratios_get_equal_points() {
    let (score, _) = check("F07");
    // 10 + 2.9 + 1 + 2 + 1.9 + 2×3 + 1.8×2 + 1.1 + 1.4 + 1.6×3 + 1.5 + 1.9 + 2 + 1.4 + 1.2 + 2 + 1.8
    assert_eq!(total(&score), Some("46.5"));
}

#[test]
fn f08_whole_points_are_cut_and_a_met_target_is_full() {
    let (score, _) = check("F08");
    assert_eq!(total(&score), Some("98"));
}

#[test]
fn f10_rows_that_weigh_110_have_no_total() {
    let (score, _) = check("F10");
    assert_eq!(total(&score), None);
    assert_eq!(score["grade"], Value::Null);
    assert_eq!(score["notices"][0]["code"], "row_weights_exceed_section");
    assert_eq!(score["notices"][0]["line"], "output");
}

#[test]
fn f12_more_than_the_target_is_no_more_than_full() {
    let (score, _) = check("F12");
    assert_eq!(interval(&score), ["34", "100"]);
}

#[test]
fn f13_yuan_become_ten_thousand_yuan_without_loss() {
    let (score, _) = check("F13");
    assert_eq!(score["lines"][0]["ratio"]["numerator"], "38.766462");
    assert_eq!(total(&score), Some("99"));
}

#[test]
fn f15_half_an_output_leaves_an_interval() {
    let (score, _) = check("F15");
    assert_eq!(interval(&score), ["50", "70"]);
}

#[test]
fn f18_a_ratio_that_is_only_shown_weighs_nothing() {
    let (score, _) = check("F18");
    assert_eq!(score["lines"][0]["points"], "0");
    // 2 + 13 + 15, and 70 not known: the 95 that were published are possible.
    assert_eq!(interval(&score), ["30", "100"]);
}

#[test]
fn f19_a_table_that_keeps_its_rules_is_reproduced() {
    let (score, _) = check("F19");
    assert_eq!(total(&score), Some("50"));
}

#[test]
fn every_published_value_was_compared() {
    let mut all = vec![d01().1];
    all.extend(TABLES.iter().map(|table| check(table.id).1));
    let mut visited: Vec<_> = TABLES.iter().map(|table| table.id).chain(["D01"]).collect();
    visited.sort_unstable();
    let mut ids: Vec<_> = published()
        .iter()
        .map(|case| case["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    assert_eq!(visited, ids);
    let sum = |count: fn(&Found) -> usize| all.iter().map(count).sum::<usize>();
    let (rows, reproduced) = (sum(|found| found.rows), sum(|found| found.reproduced));
    let (totals, totals_reproduced) = (sum(|found| found.totals), sum(|found| found.totals_reproduced));
    println!(
        "{} tables: {rows} rows compared, {reproduced} reproduced, {} contradicted; {totals} totals, {} contradicted",
        all.len(),
        rows - reproduced,
        totals - totals_reproduced
    );
    assert_eq!(all.len(), 16);
    // 125 rows were read; one (D01's fourth) was published without ratio or points.
    assert_eq!((rows, reproduced), (124, 108));
    assert_eq!((totals, totals_reproduced), (6, 2));
    assert_eq!(sum(|found| found.differences.len()), CONTRADICTIONS.len());
}
