//! What a score costs inside the process: reading the figures, applying the scheme, writing the answer.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use jixiao::scoring::assessment::Assessments;
use jixiao::scoring::builtin::BUILTINS;
use jixiao::scoring::scheme::Scheme;
use jixiao::scoring::sheet::BaseData;
use jixiao::scoring::{Case, score};

const SHEET: &str = include_str!("http/base-data.json");
const ASSESSMENTS: &str = include_str!("http/assessments.json");

fn main() {
    divan::main();
}

fn scheme() -> Scheme {
    Scheme::compile(BUILTINS[0].document().unwrap()).unwrap()
}

fn case() -> (BaseData, Assessments) {
    (
        serde_json::from_str(SHEET).unwrap(),
        serde_json::from_str(ASSESSMENTS).unwrap(),
    )
}

#[divan::bench]
fn read() -> (BaseData, Assessments) {
    case()
}

#[divan::bench]
fn apply(bencher: divan::Bencher) {
    let (scheme, (sheet, assessments)) = (scheme(), case());
    bencher.bench_local(|| score(&scheme, &Case::of_unit(&sheet, &assessments)));
}

/// As the service makes for a score.
const ROOM: usize = 24 * 1024;

#[divan::bench]
fn write(bencher: divan::Bencher) {
    let (scheme, (sheet, assessments)) = (scheme(), case());
    let score = score(&scheme, &Case::of_unit(&sheet, &assessments));
    bencher.bench_local(|| jixiao::json::write(&score, ROOM).unwrap());
}

/// The same bytes by the library.
#[divan::bench]
fn write_by_serde_json(bencher: divan::Bencher) {
    let (scheme, (sheet, assessments)) = (scheme(), case());
    let score = score(&scheme, &Case::of_unit(&sheet, &assessments));
    bencher.bench_local(|| {
        let mut bytes = Vec::with_capacity(ROOM);
        serde_json::to_writer(&mut bytes, &score).unwrap();
        bytes
    });
}

#[divan::bench]
fn compile() -> Scheme {
    scheme()
}
