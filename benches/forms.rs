//! What the forms of a unit cost as a workbook, and those of 200 units as an archive; beside writing the same bytes to a file.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::io::Write;
use std::sync::Arc;

use jixiao::evaluations::submissions::{FrozenFund, FrozenScheme, SubmissionDocument};
use jixiao::forms::archive::Archive;
use jixiao::forms::{Schemes, workbook};
use jixiao::scoring::builtin::BUILTINS;
use jixiao::scoring::prior::YearSheet;
use jixiao::scoring::scheme::Scheme;
use jixiao::scoring::sheet::BaseData;
use jixiao::scoring::special_fund::FundTable;
use jixiao::scoring::{Case, score};

const SHEET: &str = include_str!("http/base-data.json");
const ASSESSMENTS: &str = include_str!("http/assessments.json");
const UNITS: usize = 200;

fn main() {
    divan::main();
}

fn schemes() -> Schemes {
    let compiled = |builtin: &jixiao::scoring::builtin::Builtin| {
        let scheme = Scheme::compile(builtin.document().ok()?).ok()?;
        Some((builtin.id.to_owned(), Arc::new(scheme)))
    };
    BUILTINS.iter().filter_map(compiled).collect()
}

fn frozen(id: &str) -> FrozenScheme {
    FrozenScheme {
        id: id.to_owned(),
        name: id.to_owned(),
        version: 1,
        digest: id.to_owned(),
    }
}

/// A unit's year with one special fund.
fn document(schemes: &Schemes) -> SubmissionDocument {
    let base_data: BaseData = serde_json::from_str(SHEET).unwrap();
    let assessments = serde_json::from_str(ASSESSMENTS).unwrap();
    let sheet = YearSheet::new(base_data.clone(), None);
    let table: FundTable = serde_json::from_value(serde_json::json!({
        "funding": {"total": {"adjusted_budget": "326", "executed": "326"}},
        "targets": [{"section": "output", "name": "危房改造户数", "weight": "50",
            "measure": {"kind": "quantity", "comparison": "at_least", "target": "181", "actual": "180"}}]
    }))
    .unwrap();
    SubmissionDocument {
        unit: "219001".to_owned().try_into().unwrap(),
        unit_name: "衡山县开云镇人民政府".to_owned(),
        unit_kind: "town".to_owned(),
        year: 2019.try_into().unwrap(),
        number: 1,
        submitted_at: None,
        submitted_by: None,
        scheme: frozen("hunan-2019"),
        score: score(&schemes["hunan-2019"], &Case::of_year(&sheet, &assessments)),
        base_data: Some(base_data),
        prior_base_data: None,
        assessments: Some(assessments),
        claims: None,
        reasons: None,
        narrative: None,
        special_funds: vec![FrozenFund {
            id: "housing".to_owned(),
            name: "危房改造资金".to_owned(),
            continues: Some(false),
            scheme: frozen("project-2020"),
            score: score(&schemes["project-2020"], &Case::of_fund(&table)),
            table,
        }],
        findings: Vec::new(),
    }
}

fn written(bencher: divan::Bencher, bytes: &[u8]) {
    bencher.bench_local(|| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
    });
}

#[divan::bench]
fn one_workbook(bencher: divan::Bencher) {
    let schemes = schemes();
    let document = document(&schemes);
    bencher.bench_local(|| workbook(&document, &schemes).unwrap());
}

#[divan::bench]
fn one_workbook_only_written(bencher: divan::Bencher) {
    let schemes = schemes();
    written(bencher, &workbook(&document(&schemes), &schemes).unwrap());
}

fn archive(document: &SubmissionDocument, schemes: &Schemes) -> Vec<u8> {
    let mut archive = Archive::default();
    let mut bytes = Vec::new();
    let mut unit: u32 = 100_000;
    for _ in 0..UNITS {
        unit += 1;
        let one = SubmissionDocument {
            unit: unit.to_string().try_into().unwrap(),
            ..serde_json::from_value(serde_json::to_value(document).unwrap()).unwrap()
        };
        bytes.extend(archive.add(&[one], schemes).unwrap());
    }
    bytes.extend(archive.finish().unwrap());
    bytes
}

#[divan::bench(sample_count = 5)]
fn two_hundred_units(bencher: divan::Bencher) {
    let schemes = schemes();
    let document = document(&schemes);
    bencher.bench_local(|| archive(&document, &schemes));
}

#[divan::bench(sample_count = 5)]
fn two_hundred_units_only_written(bencher: divan::Bencher) {
    let schemes = schemes();
    written(bencher, &archive(&document(&schemes), &schemes));
}
