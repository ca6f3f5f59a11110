//! What the tests of the core build on: schemes, sheets and tables from JSON.

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::assessment::Assessments;
use super::scheme::{Scheme, SchemeDocument};
use super::score::{Line, Score};
use super::{Case, score};
use crate::fault::Fault;

/// Any document from JSON that is known to be right.
pub fn from<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// A decimal from its digits.
pub fn dec(digits: &str) -> Decimal {
    digits.parse().unwrap()
}

/// A scheme without faults.
pub fn scheme(document: Value) -> Scheme {
    Scheme::compile(from(document)).unwrap()
}

/// A built-in scheme.
pub fn builtin(id: &str) -> Scheme {
    let builtin = super::builtin::BUILTINS
        .iter()
        .find(|builtin| builtin.id == id)
        .unwrap();
    Scheme::compile(builtin.document().unwrap()).unwrap()
}

/// The document of a scheme with one section of these indicators; its total is the sum of their weights.
pub fn of_indicators(indicators: Value) -> Value {
    let weights = indicators.as_array().unwrap().iter();
    let total: Decimal = weights
        .map(|indicator| dec(indicator["weight"].as_str().unwrap()))
        .sum();
    json!({
        "name": "试行标准",
        "total": total.to_string(),
        "sections": [{"code": "all", "name": "全部", "weight": total.to_string(), "indicators": indicators}]
    })
}

/// The document of a scheme with one section of own rows, worth 50.
pub fn of_own_rows() -> Value {
    json!({
        "name": "自定指标",
        "total": "50",
        "sections": [{"code": "output", "name": "产出指标", "name_en": "Output", "weight": "50", "own_rows": {}}]
    })
}

/// The faults of a scheme's document, as `pointer code`.
pub fn faults_of(document: Value) -> Vec<String> {
    let document: SchemeDocument = from(document);
    named(&Scheme::compile(document).unwrap_err())
}

/// Faults as `pointer code`.
pub fn named(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect()
}

/// The score of a sheet and assessments, which must fit the scheme.
pub fn score_of(scheme: &Scheme, sheet: Value, assessments: Value) -> Score {
    let assessments: Assessments = from(assessments);
    assert_eq!(assessments.faults(scheme), []);
    score(scheme, &Case::of_unit(&from(sheet), &assessments))
}

/// The one line of a scheme of one indicator.
pub fn line_of(indicator: Value, sheet: Value, assessment: Value) -> Line {
    let code = indicator["code"].as_str().unwrap().to_owned();
    let scheme = scheme(of_indicators(json!([indicator])));
    let assessments = match assessment {
        Value::Null => json!({}),
        given => json!({"indicators": {code: given}}),
    };
    score_of(&scheme, sheet, assessments).lines.remove(0)
}

/// The score of own rows under [`of_own_rows`].
pub fn rows_score(rows: Value) -> Score {
    score_of(&scheme(of_own_rows()), json!({}), json!({"targets": rows}))
}

/// A line's least and most points.
pub fn interval(line: &Line) -> (String, String) {
    (
        line.interval.low.normalize().to_string(),
        line.interval.high.normalize().to_string(),
    )
}

/// A town government's whole sheet.
pub fn whole_sheet() -> Value {
    json!({
        "staff": {"posts": 171, "in_post": 104},
        "three_public": {"total": {"prior_budget": "5.29", "budget": "4.96", "final": "4.96"}},
        "basic_expenditure": {"public_funds": {"budget": "250", "final": "252.05"}},
        "procurement": {"budget": "30.66", "final": "28"},
        "budget": {"carried_in": "19.8", "initial": "1922.76", "supplementary": "767.86", "carried_out": "19.8"},
        "buildings": {"none": true}
    })
}

/// All that people judge under `hunan-2019`.
pub fn whole_assessments() -> Value {
    json!({"indicators": {
        "management_system": {"checks": {
            "finance_rules": true, "thrift_rules": true, "lawful_and_complete": true, "carried_out": true
        }},
        "fund_compliance": {"incidents": 1},
        "disclosure": {"checks": {
            "content": true, "deadline": true, "data_true": true, "data_complete": true, "data_accurate": false
        }},
        "key_work": {"achieved": "95", "possible": "100"},
        "economic_benefit": {"points": "5", "reason": "新增税收120万元。"},
        "social_benefit": {"points": "4"},
        "admin_efficiency": {"rating": "good"},
        "satisfaction": {"achieved": "93", "possible": "100"}
    }})
}

/// The four rows of the published table D01 (2018): the Hunan table with 8 points for each.
pub fn d01_scheme() -> Scheme {
    let deduct = |off: &str, target: u8, step: u8, points: &str| json!({"kind": "deduct", "target": target, "off": off, "step": step, "points_per_step": points});
    let indicator = |code: &str, name: &str, (numerator, denominator): (&str, &str), rule: Value| {
        json!({"code": code, "name": name, "weight": "8", "rule": rule,
            "ratio": {"numerator": numerator, "denominator": denominator}})
    };
    let whole = "budget.carried_in + budget.initial + budget.supplementary";
    let change = "three_public.total.budget - three_public.total.prior_budget";
    scheme(of_indicators(json!([
        indicator(
            "in_post_control",
            "在职人员控制率",
            ("staff.in_post", "staff.posts"),
            deduct("above", 100, 1, "0.5")
        ),
        indicator(
            "three_public_change",
            "三公经费变动率",
            (change, "three_public.total.prior_budget"),
            deduct("above", 0, 1, "0.8")
        ),
        indicator(
            "budget_completion",
            "预算完成率",
            (&format!("{whole} - budget.carried_out"), whole),
            deduct("below", 100, 5, "2")
        ),
        indicator(
            "budget_control",
            "预算控制率",
            ("budget.supplementary", "budget.initial"),
            json!({
                "kind": "bands", "otherwise": "0", "bands": [
                    {"at_most": "0", "points": "8"}, {"at_most": "10", "points": "6"},
                    {"at_most": "20", "points": "4"}, {"at_most": "30", "points": "2"}
                ]
            })
        ),
    ])))
}

/// The figures of D01. Its points are 8, 0, 8 and 0.
pub fn d01_sheet() -> Value {
    json!({
        "staff": {"posts": 143, "in_post": 136},
        "three_public": {"total": {"prior_budget": "32", "budget": "63.46"}},
        "budget": {"carried_in": "19.8", "initial": "1922.76", "supplementary": "767.86", "carried_out": "19.8"}
    })
}
