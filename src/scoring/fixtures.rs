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
