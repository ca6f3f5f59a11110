//! What a report's page, Word and PDF cost inside the process, beside writing the same bytes to a file.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use actix_web::web::Bytes;
use jixiao::documents::FontFolder;
use jixiao::documents::model::{InForce, Wording};
use jixiao::evaluations::review::Total;
use jixiao::evaluations::submissions::SubmissionDocument;
use jixiao::evaluations::workflow::State;
use jixiao::forms::Schemes;
use jixiao::http::language::Language;
use jixiao::reports::format::Format;
use jixiao::reports::model::Report;
use jixiao::scoring::builtin::BUILTINS;
use jixiao::scoring::scheme::Scheme;
use jixiao::scoring::{Case, score};
use jixiao::trends::model::Trend;
use serde_json::{Value, json};

fn main() {
    divan::main();
}

fn report() -> Report {
    let parse = |text| serde_json::from_str::<Value>(text).unwrap();
    let (sheet, assessments) = (
        parse(include_str!("http/base-data.json")),
        parse(include_str!("http/assessments.json")),
    );
    let (filed, judged) = (
        serde_json::from_value(sheet.clone()).unwrap(),
        serde_json::from_value(assessments.clone()).unwrap(),
    );
    let scheme = Scheme::compile(BUILTINS[0].document().unwrap()).unwrap();
    let score = score(&scheme, &Case::of_unit(&filed, &judged));
    let document = json!({
        "unit": "219001", "unit_name": "衡山县开云镇人民政府", "unit_kind": "town", "year": 2019, "number": 1,
        "scheme": {"id": "hunan-2019", "name": "湖南省部门整体支出绩效评价指标", "version": 1, "digest": ""},
        "base_data": sheet, "assessments": assessments, "special_funds": [], "score": score, "findings": [],
    });
    Report {
        state: State::Draft,
        counted: Total {
            total: score.total,
            interval: score.interval,
            grade: score.grade,
        },
        document: SubmissionDocument::read(&document.to_string()).unwrap(),
        review: None,
        trend: Trend {
            unit: "219001".to_owned().try_into().unwrap(),
            unit_name: "衡山县开云镇人民政府".to_owned(),
            years: Vec::new(),
        },
        schemes: Schemes::default(),
        wording: Wording {
            notice: None,
            template: InForce::BuiltIn,
        },
    }
}

fn write(format: Format, report: &Report) -> Bytes {
    format.write(report, Language::Chinese, &FontFolder(None)).unwrap()
}

#[divan::bench]
fn docx(bencher: divan::Bencher) {
    let report = report();
    bencher.bench_local(|| write(Format::Docx, &report));
}

#[divan::bench]
fn pdf(bencher: divan::Bencher) {
    let report = report();
    bencher.bench_local(|| write(Format::Pdf, &report));
}

#[divan::bench]
fn page(bencher: divan::Bencher) {
    let report = report();
    bencher.bench_local(|| write(Format::Html, &report));
}

#[divan::bench]
fn bytes_to_a_file(bencher: divan::Bencher) {
    let page = write(Format::Html, &report());
    let file = tempfile::NamedTempFile::new().unwrap();
    bencher.bench_local(|| std::fs::write(file.path(), &page).unwrap());
}
