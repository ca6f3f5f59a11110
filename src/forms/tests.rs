//! The forms of two units, opened again.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::codes::UnitCode;
use crate::evaluations::submissions::{FrozenFund, FrozenScheme};
use crate::scoring::builtin::BUILTINS;
use crate::scoring::{self, Case};

fn scheme(id: &str) -> Arc<Scheme> {
    let builtin = BUILTINS.iter().find(|builtin| builtin.id == id).unwrap();
    Arc::new(Scheme::compile(builtin.document().unwrap()).unwrap())
}

fn schemes() -> Schemes {
    ["hunan-2019", "project-2020"].map(|id| (id.to_owned(), scheme(id))).into()
}

fn frozen(id: &str) -> FrozenScheme {
    FrozenScheme {
        id: id.to_owned(),
        name: scheme(id).document.name.to_string(),
        version: 1,
        digest: id.to_owned(),
    }
}

/// A unit's year, scored by the usual schemes.
fn document(sheet: Value, prior: Option<Value>, assessments: Value, funds: &[(&str, &str, Value)]) -> SubmissionDocument {
    let base_data: BaseData = serde_json::from_value(sheet).unwrap();
    let prior: Option<BaseData> = prior.map(|prior| serde_json::from_value(prior).unwrap());
    let assessments = serde_json::from_value(assessments).unwrap();
    let sheet = YearSheet::new(base_data.clone(), prior.as_ref());
    let score = scoring::score(&scheme("hunan-2019"), &Case::of_year(&sheet, &assessments));
    SubmissionDocument {
        unit: UnitCode::try_from("219001".to_owned()).unwrap(),
        unit_name: "衡山县开云镇人民政府".to_owned(),
        unit_kind: "town".to_owned(),
        year: 2019.try_into().unwrap(),
        number: 1,
        submitted_at: "2020-03-01T08:00:00Z".to_owned(),
        submitted_by: "开云镇财政所".to_owned(),
        scheme: frozen("hunan-2019"),
        base_data: Some(base_data),
        prior_base_data: prior,
        assessments: Some(assessments),
        claims: None,
        reasons: None,
        special_funds: funds
            .iter()
            .map(|(id, name, table)| {
                let table = serde_json::from_value(table.clone()).unwrap();
                FrozenFund {
                    id: (*id).to_owned(),
                    name: (*name).to_owned(),
                    scheme: frozen("project-2020"),
                    score: scoring::score(&scheme("project-2020"), &Case::of_fund(&table)),
                    table,
                }
            })
            .collect(),
        score,
        findings: Vec::new(),
    }
}

fn example(path: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn fund_example(name: &str) -> Value {
    let mut fund = example(&format!("examples/kaiyun-2019/fund-{name}.json"));
    for key in ["unit", "year", "name"] {
        fund.as_object_mut().unwrap().remove(key);
    }
    fund
}

fn kaiyun() -> SubmissionDocument {
    document(
        example("examples/kaiyun-2019/base-data.json"),
        None,
        json!({}),
        &[
            ("kaiyun-2019-community-running", "社区运行经费", fund_example("community-running")),
            ("kaiyun-2019-dilapidated-housing", "危房改造资金", fund_example("dilapidated-housing")),
            ("kaiyun-2019-village-running", "村级运行经费", fund_example("village-running")),
        ],
    )
}

fn complete() -> SubmissionDocument {
    let prior = json!({"three_public": {"total": {"budget": "10", "final": "9.5"}},
        "basic_expenditure": {"personnel": {"final": "800.5"}, "public_funds": {"final": "160.25"}}});
    document(
        example("benches/http/base-data.json"),
        Some(prior),
        example("benches/http/assessments.json"),
        &[(
            "road-2019",
            "农村公路养护资金",
            json!({
                "competent_department": "衡山县交通运输局", "implementing_unit": "开云镇人民政府",
                "funding": {"total": {"initial_budget": "200"},
                    "central_and_provincial": {"adjusted_budget": "120.5", "executed": "110.25"},
                    "county": {"adjusted_budget": "80", "executed": "79.123456"}},
                "goal": {"expected": "养护农村公路86公里，保障群众出行安全。\n按季考核。", "achieved": "养护农村公路84.5公里，通过验收。"},
                "targets": [
                    {"section": "output", "group": "数量指标", "name": "养护里程", "weight": "20",
                        "measure": {"kind": "quantity", "comparison": "at_least", "target": "86", "actual": "84.5", "unit": "公里"},
                        "covers": {"from": 2018, "to": 2019}, "deviation": "雨季延误1.5公里，已列入次年计划。"},
                    {"section": "output", "group": "成本指标", "name": "每公里养护成本", "weight": "15",
                        "measure": {"kind": "quantity", "comparison": "at_most", "target": "2.2", "actual": "2.3", "unit": "万元"}},
                    {"section": "benefit", "group": "社会效益指标", "name": "出行条件改善", "weight": "30",
                        "measure": {"kind": "quality", "expected": "群众出行条件明显改善", "achieved": "基本改善", "level": "achieved", "share": "95"}},
                    {"section": "output", "group": "时效指标", "name": "按期完成率", "weight": "15",
                        "measure": {"kind": "quantity", "comparison": "equal", "target": "100", "actual": "100", "unit": "%"}},
                    {"section": "satisfaction", "group": "服务对象满意度指标", "name": "群众满意度", "weight": "10",
                        "measure": {"kind": "quantity", "comparison": "at_least", "target": "90", "actual": "96.5", "unit": "%"}},
                ]
            }),
        )],
    )
}

#[test]
fn look() {
    for (name, document) in [("kaiyun", kaiyun()), ("complete", complete())] {
        std::fs::write(format!("/tmp/h1out/{name}.xlsx"), workbook(&document, &schemes()).unwrap()).unwrap();
        let subject = Subject { unit: "219001", unit_name: &document.unit_name, year: 2019 };
        std::fs::write(
            format!("/tmp/h1out/{name}-t2.xlsx"),
            base_data_to_fill_in(&subject, document.base_data.as_ref(), None).unwrap(),
        ).unwrap();
    }
    let _: HashMap<(), ()> = HashMap::new();
    std::fs::write("/tmp/h1out/t3.xlsx", funds_to_fill_in(&Subject { unit: "219001", unit_name: "开云镇", year: 2019 }, &[]).unwrap()).unwrap();
}

/// The documents that a workbook holds, as they are imported; panics over faults.
fn read_back(book: &[u8], resource: crate::imports::model::Resource) -> Vec<Value> {
    let mut book = calamine::Xlsx::new(std::io::Cursor::new(book)).unwrap();
    assert!(read::is_forms(&mut book));
    let mut found = Vec::new();
    read::documents(&mut book, resource, &mut |row| {
        let row = row.unwrap();
        found.push(serde_json::from_slice(&row.json.unwrap()).unwrap());
        true
    });
    found
}

use calamine::Reader as _;
use crate::imports::model::Resource;

#[test]
fn what_is_printed_is_read_as_it_was_filed() {
    for document in [kaiyun(), complete()] {
        let book = workbook(&document, &schemes()).unwrap();
        let mut sheet = serde_json::to_value(&document.base_data).unwrap();
        sheet["unit"] = json!("219001");
        sheet["year"] = json!(2019);
        pretty_assertions::assert_eq!(read_back(&book, Resource::BaseData), [sheet]);
        let funds: Vec<Value> = document
            .special_funds
            .iter()
            .map(|fund| {
                let mut table = serde_json::to_value(&fund.table).unwrap();
                for (key, value) in [
                    ("unit", json!("219001")),
                    ("year", json!(2019)),
                    ("id", json!(fund.id)),
                    ("name", json!(fund.name)),
                    ("scheme", json!("project-2020")),
                ] {
                    table[key] = value;
                }
                table
            })
            .collect();
        pretty_assertions::assert_eq!(read_back(&book, Resource::SpecialFunds), funds);
    }
}
