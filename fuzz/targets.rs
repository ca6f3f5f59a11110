//! What the fuzz targets do with the bytes that they are given: the libFuzzer binaries call these functions, and so does the
//! test `fuzz`, on the seeds and on mutations of them. A target panics where a promise is broken, and does nothing otherwise.
//!
//! Inputs are texts as far as they can be, so that a finding can be read: parts stand between lines of `---`.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::TestRequest;
use actix_web::{FromRequest, HttpRequest, ResponseError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Command};
use encoding_rs::Encoding;
use futures_util::FutureExt;
use jiff::Timestamp;
use jixiao::backup::file::{Adding, Writing};
use jixiao::backup::restore::{restore_from, verify_from};
use jixiao::backup::{Key as BackupKey, Manifest, Mark};
use jixiao::checks::table::{PublishedTable, examine};
use jixiao::config::{Config, Flags};
use jixiao::db::dynamic::Cells;
use jixiao::db::{Db, Origin, Target};
use jixiao::documents::figures::{Named, names};
use jixiao::documents::template;
use jixiao::fault::Fault;
use jixiao::http::accept;
use jixiao::http::contract::Contract;
use jixiao::http::etag::{ETag, Preconditions};
use jixiao::http::gate::Gate;
use jixiao::http::language::Language;
use jixiao::http::network::{Network, client_of};
use jixiao::http::path::{Path as PathOf, PathParams};
use jixiao::http::query::Query;
use jixiao::idempotency::once::Once;
use jixiao::identity::claims::{Person, check};
use jixiao::identity::jws::{Keys, Signed};
use jixiao::identity::settings::{Given, Settings};
use jixiao::imports::fault::RowFault;
use jixiao::imports::file::Format;
use jixiao::imports::kinds::{AssessmentForms, BaseDataSheets, Bulk, SpecialFunds, Units};
use jixiao::imports::model::Resource;
use jixiao::imports::read::columns::Columns;
use jixiao::imports::read::encoding::Detector;
use jixiao::imports::run::{columns_of, read_rows, typed_row};
use jixiao::imports::typed;
use jixiao::scoring::assessment::Assessments;
use jixiao::scoring::formula::{Formula, NoValue};
use jixiao::scoring::gaps::gaps;
use jixiao::scoring::prior::YearSheet;
use jixiao::scoring::scheme::{Scheme, SchemeDocument};
use jixiao::scoring::scheme_diff::diff;
use jixiao::scoring::score::{Range, Score, Status};
use jixiao::scoring::sensitivity::sensitivity;
use jixiao::scoring::sheet::BaseData;
use jixiao::scoring::special_fund::FundTable;
use jixiao::scoring::text::FormulaText;
use jixiao::scoring::what_if::Trial;
use jixiao::scoring::{Case, builtin, score};
use jixiao::tokens::model::{MOST_UNITS, Role, TokenInput};
use jixiao::{app, render, settings};
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A target.
pub type Run = fn(&[u8]);

/// All targets by name, which is that of their folder of seeds.
pub const ALL: [(&str, Run); 10] = [
    ("scheme", scheme),
    ("formula", formula),
    ("table", table),
    ("template", template),
    ("rows", rows),
    ("workbook", workbook),
    ("query", query),
    ("tokens", tokens),
    ("files", files),
    ("requests", requests),
];

/// The parts of an input.
fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BETWEEN: &[u8] = b"\n---\n";
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let whole = rest?;
        let Some(end) = whole.windows(BETWEEN.len()).position(|window| window == BETWEEN) else {
            rest = None;
            return Some(whole);
        };
        rest = whole.get(end + BETWEEN.len()..);
        whole.get(..end)
    })
}

/// The first line of an input, and what comes after it.
fn first_line(data: &[u8]) -> (&str, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(end);
    (
        std::str::from_utf8(line).unwrap_or_default(),
        rest.get(1..).unwrap_or_default(),
    )
}

fn read<T: DeserializeOwned>(json: Option<&[u8]>) -> Option<T> {
    serde_json::from_slice(json?).ok()
}

fn read_or_default<T: DeserializeOwned + Default>(json: Option<&[u8]>) -> T {
    read(json).unwrap_or_default()
}

/// What is written as JSON is read again as the same.
fn stays<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it is written");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(&again, value);
}

/// Faults say what is wrong in both languages.
fn told(faults: &[Fault]) {
    for fault in faults {
        assert!(
            !fault.text.zh.is_empty() && !fault.text.en.is_empty() && !fault.code.is_empty(),
            "{fault:?}"
        );
        assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
    }
}

/// What holds of any score.
fn sound(score: &Score) {
    let within =
        |inner: Range, weight: Decimal| Decimal::ZERO <= inner.low && inner.low <= inner.high && inner.high <= weight;
    for line in &score.lines {
        assert!(within(line.interval, line.weight.unwrap_or_default()), "{line:?}");
        match line.points {
            Some(points) => {
                assert_eq!(line.interval, Range::exactly(points));
                assert_eq!(line.lost, line.weight.map(|weight| weight - points));
            }
            None => assert_eq!(line.status, Status::Open, "{line:?}"),
        }
        assert!(
            !line.explanation.zh.is_empty() && !line.explanation.en.is_empty(),
            "{line:?}"
        );
    }
    let mut sum = Range::exactly(Decimal::ZERO);
    for section in &score.sections {
        assert!(within(section.interval, section.weight), "{section:?}");
        sum += section.interval;
    }
    assert_eq!(score.interval, sum);
    assert!(within(score.interval, score.full_marks), "{:?}", score.interval);
    if let Some(total) = score.total {
        assert_eq!(score.interval, Range::exactly(total));
    }
    let text = serde_json::to_string(score).expect("a score is written");
    let again: Score = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&again).expect("a score is written"), text);
    render::score("", score);
}

/// A scheme, then a base data sheet, assessments, a fund's table and last year's sheet, all in JSON: the scheme is read, written,
/// compiled, held against another one, and everything is scored by it.
pub fn scheme(data: &[u8]) {
    let mut parts = parts(data);
    let Some(document) = read::<SchemeDocument>(parts.next()) else {
        return;
    };
    stays(&document);
    static OTHER: LazyLock<SchemeDocument> = LazyLock::new(|| builtin_scheme("hunan-2019").document.clone());
    let faults = Scheme::faults(&document);
    told(&faults);
    // What is at fault is never stored, and only what is stored is held against another.
    if faults.is_empty() {
        assert_eq!(diff(&document, &document).changes.len(), 0);
        diff(&OTHER, &document);
    }
    let scheme = match Scheme::compile(document) {
        Ok(scheme) => scheme,
        Err(faults) => {
            assert!(!faults.is_empty());
            return told(&faults);
        }
    };
    let sheet: BaseData = read_or_default(parts.next());
    let assessments: Assessments = read_or_default(parts.next());
    let fund: FundTable = read_or_default(parts.next());
    let prior: Option<BaseData> = read(parts.next());
    stays(&sheet);
    stays(&assessments);
    stays(&fund);
    let faults = assessments.faults(&scheme);
    told(&faults);
    let year = YearSheet::new(sheet.clone(), prior.as_ref());
    let whole = score(&scheme, &Case::of_year(&year, &assessments));
    sound(&whole);
    sound(&score(&scheme, &Case::of_fund(&fund)));
    // These score again for each line and each figure: no scheme that is in force has as many.
    if faults.is_empty() && whole.lines.len() <= 50 {
        let trial = Trial::new(&scheme, sheet, assessments);
        gaps(&trial, None);
        sensitivity(&trial, Decimal::ONE);
    }
}

fn builtin_scheme(id: &str) -> &'static Scheme {
    static ALL: LazyLock<HashMap<&str, Scheme>> = LazyLock::new(|| {
        let compiled = builtin::BUILTINS.iter().filter_map(|builtin| {
            let document = builtin.document().expect("a built-in scheme");
            Some((builtin.id, Scheme::compile(document).ok()?))
        });
        compiled.collect()
    });
    &ALL[id]
}

/// A formula on the first line, then a base data sheet: what is printed of it is read again as the same formula.
pub fn formula(data: &[u8]) {
    let (line, rest) = first_line(data);
    let Ok(text) = FormulaText::try_from(line.to_owned()) else {
        return;
    };
    let formula = match Formula::parse(text.as_str()) {
        Ok(formula) => formula,
        Err(error) => {
            assert!((1..=line.chars().count() + 1).contains(&error.position), "{error:?}");
            return;
        }
    };
    let words = |formula: &Formula| {
        let (mut zh, mut en) = (String::new(), String::new());
        formula.words(&mut zh, &mut en, &mut |variable, zh, en| {
            zh.push_str(variable.name);
            en.push_str(variable.name);
        });
        (zh, en)
    };
    let (zh, en) = words(&formula);
    let again = Formula::parse(&en.replace('×', "*")).unwrap_or_else(|error| panic!("{error:?}: {en}"));
    assert_eq!(words(&again), (zh, en));
    assert_eq!(again.variables(), formula.variables());
    let sheet: BaseData = read_or_default(Some(rest));
    let (value, same) = (formula.value(&sheet), again.value(&sheet));
    match (value, same) {
        (Err(NoValue::Missing(some)), Err(NoValue::Missing(others))) => assert_eq!(some, others),
        // Beyond 28 digits it matters what is multiplied first.
        (Ok(_) | Err(NoValue::TooLarge), Ok(_) | Err(NoValue::TooLarge)) => {}
        (value, same) => panic!("{value:?}, then {same:?}"),
    }
}

/// A published table in JSON is examined, by itself and by a scheme.
pub fn table(data: &[u8]) {
    let Some(table) = read::<PublishedTable>(Some(data)) else {
        return;
    };
    for scheme in [None, Some("hunan-2019"), Some("project-2020")] {
        match examine(&table, scheme.map(builtin_scheme)) {
            Ok(examination) => drop(serde_json::to_string(&examination).expect("it is written")),
            Err(faults) => {
                assert!(!faults.is_empty());
                told(&faults);
            }
        }
    }
}

/// A report's template: one that is accepted can be written out.
pub fn template(data: &[u8]) {
    static NAMES: LazyLock<(Named, Named)> = LazyLock::new(|| (names(), filled(names())));
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(text) = jixiao::documents::model::TemplateText::try_from(text.to_owned()) else {
        return;
    };
    if let Err(faults) = template::check(text.as_str()) {
        assert!(!faults.is_empty());
        return told(&faults);
    }
    for named in [&NAMES.0, &NAMES.1] {
        match template::write(text.as_str(), named) {
            Ok(manuscript) => drop(jixiao::documents::docx::docx(&manuscript).expect("it is set")),
            Err(reason) => assert!(
                reason.contains("too long") || reason.contains("fuel"),
                "accepted, and cannot be written: {reason}"
            ),
        }
    }
}

/// The same names with something behind each.
fn filled(named: Named) -> Named {
    match named {
        Named::Text(_) => Named::Text(Some("12.5*#|".to_owned())),
        Named::Group(group) => Named::Group(group.into_iter().map(|(name, part)| (name, filled(part))).collect()),
        Named::List(list) => Named::List(list.into_iter().cycle().take(3).map(filled).collect()),
    }
}

fn contract() -> &'static Arc<Contract> {
    static CONTRACT: LazyLock<Arc<Contract>> =
        LazyLock::new(|| Arc::new(Contract::new(include_str!("../openapi/jixiao.json"))));
    &CONTRACT
}

/// Takes a file through the reading half of an import.
fn import(resource: Resource, format: Format, encoding: &'static Encoding, file: &[u8]) {
    match resource {
        Resource::Units => import_as::<Units>(format, encoding, file),
        Resource::BaseData => import_as::<BaseDataSheets>(format, encoding, file),
        Resource::SpecialFunds => import_as::<SpecialFunds>(format, encoding, file),
        Resource::Assessments => import_as::<AssessmentForms>(format, encoding, file),
    }
}

fn import_as<B: Bulk<Input: PartialEq + std::fmt::Debug>>(format: Format, encoding: &'static Encoding, file: &[u8]) {
    static COLUMNS: LazyLock<Mutex<HashMap<&str, Arc<Columns>>>> = LazyLock::new(Mutex::default);
    let columns = || {
        let mut known = COLUMNS.lock().unwrap_or_else(PoisonError::into_inner);
        let columns = known.entry(B::RESOURCE.as_str());
        columns
            .or_insert_with(|| Arc::new(columns_of(B::RESOURCE, contract().clone())))
            .clone()
    };
    let mut last = 0;
    let mut ended = false;
    read_rows(
        || Ok(Cursor::new(file)),
        (format, encoding),
        (B::RESOURCE, columns),
        &mut |row| {
            assert!(!ended, "nothing comes after what cannot be read");
            let row = match row {
                Ok(row) => row,
                Err(faults) => {
                    ended = true;
                    told_of_rows(&faults);
                    return false;
                }
            };
            assert!(
                row.number > last || format == Format::Xlsx,
                "row {} after {last}",
                row.number
            );
            last = row.number;
            let typed = |json: Vec<u8>| typed_row::<B>(row.number, &json, contract(), row.names.as_ref());
            match row.json.and_then(typed) {
                Err(faults) => told_of_rows(&faults),
                Ok((key, input)) => {
                    stays(&input);
                    let document = typed::document(&key, &input).expect("it is written").to_string();
                    let (_, again) = typed::read::<B::Key, B::Input>(document.as_bytes(), contract())
                        .unwrap_or_else(|faults| panic!("{faults:?}: {document}"));
                    assert_eq!(again, input);
                }
            }
            true
        },
    );
}

fn told_of_rows(faults: &[RowFault]) {
    assert!(!faults.is_empty());
    for fault in faults {
        let texts = [
            &fault.code,
            &fault.detail,
            &fault.detail_zh,
            &fault.hint,
            &fault.hint_zh,
        ];
        assert!(fault.row > 0 && texts.iter().all(|text| !text.is_empty()), "{fault:?}");
    }
}

/// A resource, a format (`ndjson`, `csv`) and perhaps an encoding on the first line, then a file of such rows.
pub fn rows(data: &[u8]) {
    let (line, file) = first_line(data);
    let mut words = line.split(' ');
    let (Some(Ok(resource)), Some(format)) = (words.next().map(str::parse), words.next()) else {
        return;
    };
    let format = match format {
        "ndjson" => Format::Ndjson,
        _ => Format::Csv,
    };
    let mut detector = Detector::default();
    file.chunks(7).for_each(|piece| detector.see(piece));
    let named = words.next().and_then(|label| Encoding::for_label(label.as_bytes()));
    import(resource, format, named.unwrap_or_else(|| detector.encoding()), file);
}

/// The parts of a workbook that an input may leave out.
const PARTS: [(&str, &str); 4] = [
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
    ),
];

/// A resource on the first line, then a workbook: its parts, each after a line `=== NAME`, or the bytes of any file.
pub fn workbook(data: &[u8]) {
    let (line, file) = first_line(data);
    let Ok(resource) = line.parse() else {
        return;
    };
    match file.strip_prefix(b"=== ") {
        Some(parts) => import(resource, Format::Xlsx, encoding_rs::UTF_8, &zipped(parts)),
        None => import(resource, Format::Xlsx, encoding_rs::UTF_8, file),
    }
}

/// A ZIP archive of named parts.
fn zipped(named: &[u8]) -> Vec<u8> {
    const BETWEEN: &[u8] = b"\n=== ";
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut put = |name: &str, content: &[u8]| {
        // One that cannot be in an archive, or twice, is left out.
        if zip.start_file(name, stored).is_ok() {
            let _ = zip.write_all(content);
        }
    };
    let mut rest = named;
    let mut names = Vec::new();
    loop {
        let end = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN);
        let (part, after) = match end {
            Some(end) => (&rest[..end], Some(&rest[end + BETWEEN.len()..])),
            None => (rest, None),
        };
        let (name, content) = first_line(part);
        put(name, content);
        names.push(name);
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    for (name, content) in PARTS.iter().filter(|(name, _)| !names.contains(name)) {
        put(name, content.as_bytes());
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// What is refused is told as `application/problem+json`.
fn problem<T>(read: Result<T, impl ResponseError>) -> Option<T> {
    let refused = match read {
        Ok(read) => return Some(read),
        Err(error) => error.error_response(),
    };
    let status = refused.status().as_u16();
    let content_type = refused
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.map(str::to_owned);
    let body = actix_web::body::MessageBody::try_into_bytes(refused.into_body()).unwrap_or_default();
    is_problem(status, content_type.as_deref(), &body);
    assert!((400..500).contains(&status), "{status}");
    None
}

/// What a problem has, whatever it is.
fn is_problem(status: u16, content_type: Option<&str>, body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    assert_eq!(content_type, Some("application/problem+json"), "{status}: {shown}");
    let problem: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert_eq!(problem["status"], status, "{shown}");
    for name in ["type", "title", "title_zh", "hint", "hint_zh"] {
        assert!(
            problem[name].as_str().is_some_and(|text| !text.is_empty()),
            "{name}: {shown}"
        );
    }
    for error in problem["errors"].as_array().into_iter().flatten() {
        for name in ["code", "detail", "detail_zh"] {
            assert!(
                error[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name}: {shown}"
            );
        }
    }
}

/// Has a request read as what a handler takes.
fn extract<T: FromRequest<Error: ResponseError>>(request: &HttpRequest) -> Option<T> {
    problem(
        T::from_request(request, &mut Payload::None)
            .now_or_never()
            .expect("it waits for nothing"),
    )
}

macro_rules! queries {
    ($request:expr; $($kind:ty),* $(,)?) => {
        $(extract::<Query<$kind>>($request);)*
    };
}

/// An address on the first line, on the others headers: the query is read as that of every operation, the last part of the path
/// as every kind of parameter, and the headers by all that reads some.
pub fn query(data: &[u8]) {
    let (target, headers) = first_line(data);
    let Ok(uri) = target.parse::<actix_web::http::Uri>() else {
        return;
    };
    let last = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let mut request = TestRequest::default().uri(target);
    for name in ["code", "id", "year", "number", "digest", "check"] {
        request = request.param(name, last.clone());
    }
    for line in headers.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            request = request.append_header((name, value));
        }
    }
    let request = &request.to_http_request();
    queries!(request;
        jixiao::audit::handlers::AuditQuery,
        jixiao::evaluations::checks::CatalogueQuery,
        jixiao::evaluations::handlers::EvaluationQuery,
        jixiao::evaluations::handlers::ListQuery,
        jixiao::evaluations::handlers::ScoreQuery,
        jixiao::evaluations::history::HistoryQuery,
        jixiao::evaluations::review::ReviewQuery,
        jixiao::evaluations::scheme_change::SchemeChangeQuery,
        jixiao::evaluations::scores::ScoresQuery,
        jixiao::evaluations::submissions::ListQuery,
        jixiao::evaluations::what_if::ComparisonQuery,
        jixiao::evaluations::what_if::GapsQuery,
        jixiao::evaluations::what_if::SensitivityQuery,
        jixiao::events::handlers::EventsQuery,
        jixiao::exports::handlers::ExportQuery,
        jixiao::fiscal_years::handlers::ListQuery,
        jixiao::fiscal_years::handlers::YearQuery,
        jixiao::fiscal_years::roll_over::RollOverQuery,
        jixiao::forms::handlers::ArchiveQuery,
        jixiao::forms::handlers::FormQuery,
        jixiao::imports::handlers::FaultQuery,
        jixiao::imports::handlers::ListQuery,
        jixiao::imports::handlers::PostQuery,
        jixiao::rankings::handlers::RankingQuery,
        jixiao::rankings::handlers::SummaryQuery,
        jixiao::reports::county::CountyQuery,
        jixiao::reports::handlers::ReportQuery,
        jixiao::schemes::handlers::DiffQuery,
        jixiao::schemes::handlers::ListQuery,
        jixiao::special_funds::handlers::FundQuery,
        jixiao::special_funds::handlers::ListQuery,
        jixiao::tokens::handlers::ListQuery,
        jixiao::units::handlers::ListQuery,
        jixiao::webhooks::handlers::DeadQuery,
        jixiao::webhooks::handlers::ListQuery,
    );
    parameters(request);
    let key = extract::<Once>(request).and_then(|once| once.name(&Origin::program()));
    assert!(key.is_none_or(|key| key.len() == 32));
    let (strong, weak) = (ETag::of(1, "2026-01-05T08:30:00Z"), ETag::weak(b"{}"));
    let demanded = Preconditions::of(request.headers());
    for tag in [&strong, &weak] {
        if let Some(()) = problem(demanded.check(Some(tag))) {
            demanded.knows(tag);
        }
    }
    problem(demanded.check(None));
    let types = ["application/json", "text/plain", "text/csv"];
    assert!(problem(accept::preferred(request, &types)).is_none_or(|liked| liked < types.len()));
    problem(accept::form(request));
    Language::wanted(request.headers());
    problem(Format::of(request.headers()));
    let proxies: [Network; 2] = ["10.0.0.0/8", "::/1"].map(|text| text.parse().expect("a network"));
    for peer in ["10.1.2.3", "::1", "192.0.2.7"] {
        let peer: IpAddr = peer.parse().expect("an address");
        let client = client_of(peer, request.headers(), &proxies);
        assert!(proxies[0].has(peer) || proxies[1].has(peer) || client == peer);
    }
}

fn parameters(request: &HttpRequest) {
    use jixiao::codes::{Digest, FiscalYear, FundId, ImportId, Ordinal, TokenId, UnitCode, WebhookId};
    use jixiao::scoring::text::{Code, SchemeId};
    fn read<T: PathParams>(request: &HttpRequest) -> Option<T> {
        extract::<PathOf<T>>(request).map(|PathOf(read)| read)
    }
    read::<(UnitCode, FiscalYear, Ordinal)>(request);
    read::<(FundId, Digest)>(request);
    read::<SchemeId>(request);
    read::<ImportId>(request);
    read::<(TokenId, Code)>(request);
    read::<WebhookId>(request);
}

/// The key that tokens of the target are signed with.
static SIGNS: LazyLock<PKey<Private>> =
    LazyLock::new(|| PKey::private_key_from_raw_bytes(&[7; 32], Id::ED25519).expect("32 bytes"));

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The public keys of the provider, as it publishes them.
fn published() -> String {
    let x = encoded(&SIGNS.raw_public_key().expect("a public key"));
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).to_string()
}

fn provider() -> Settings {
    let roles = ["finance=bureau", "towns=unit", "audit=auditor"];
    let given = Given {
        issuer: Some("county".to_owned()),
        audience: Some("jixiao".to_owned()),
        jwks: Some("jwks.json".parse().expect("a file")),
        role_claim: Some("realm_access.roles".parse().expect("a path")),
        roles: Some(roles.map(|name| name.parse().expect("a role")).into()),
        units_claim: Some("units".parse().expect("a path")),
        name_claim: None,
        scopes_claim: Some("/scope".parse().expect("a path")),
        leeway: Some(30),
    };
    given.resolve().expect("all that it takes").expect("a provider")
}

/// A set of keys, a token, and the header and the claims of a token that is then signed well.
pub fn tokens(data: &[u8]) {
    static PROVIDER: LazyLock<Settings> = LazyLock::new(provider);
    static OWN: LazyLock<Keys> = LazyLock::new(|| Keys::read(published().as_bytes()).expect("our own key"));
    let mut parts = parts(data);
    let keys = Keys::read(parts.next().unwrap_or_default());
    let token = std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    if let Ok(signed) = Signed::read(token) {
        let key = keys.ok().and_then(|keys| keys.find(&signed));
        let read = signed.verified_by(key.as_deref());
        assert!(key.is_some() || read.is_err(), "believed without a key");
        let own = OWN.find(&signed);
        assert!(
            signed.verified_by(own.as_deref()).is_err(),
            "believed, and never signed"
        );
    }
    let (header, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let mut signer = Signer::new_without_digest(&SIGNS).expect("a key that signs");
    let signature = signer.sign_oneshot_to_vec(message.as_bytes()).expect("it signs");
    let token = format!("{message}.{}", encoded(&signature));
    let Ok(signed) = Signed::read(&token) else {
        return;
    };
    let Ok(claims) = signed.verified_by(OWN.find(&signed).as_deref()) else {
        return;
    };
    let now = Timestamp::from_second(1_800_000_000).expect("a moment");
    if let Some(()) = problem(check(&PROVIDER, &claims, now))
        && let Some(person) = problem(Person::read(&PROVIDER, &claims))
    {
        assert!(person.expires_at.as_second() + 30 > now.as_second() && !person.subject.is_empty());
        assert!(person.name.chars().count() <= 60 && person.units.len() <= MOST_UNITS);
        assert_eq!(person.role == Role::Unit, !person.units.is_empty());
    }
}

/// Where files of a target are: in memory where that is to be had.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    folder.expect("a folder")
}

/// What kind of file it is on the first line, then its content: `settings`; `backup` (any bytes), `lines` or `sealed` (the lines
/// of a backup, whose sums are then right).
pub fn files(data: &[u8]) {
    static FOLDER: LazyLock<(TempDir, BackupKey)> = LazyLock::new(|| {
        let folder = folder();
        let path = folder.path().join("key");
        std::fs::write(&path, "07".repeat(32)).expect("a key");
        let key = BackupKey::from_file(&path).expect("a key");
        (folder, key)
    });
    let (kind, content) = first_line(data);
    let (folder, key) = &*FOLDER;
    let path = folder.path().join(kind.replace('/', "_"));
    match kind {
        "settings" => {
            std::fs::write(&path, content).expect("it is written");
            let mut flags = Flags::default();
            flags.config = Some(path.clone());
            if let Err(error) = flags.resolve() {
                assert!(!error.to_string().is_empty());
            }
            let command = Flags::augment_args(Command::new("jixiao"));
            let given = command.try_get_matches_from(["jixiao".as_ref(), "--config".as_ref(), path.as_os_str()]);
            let in_force = given
                .map(|given| settings::in_force(&given).unwrap_or_default())
                .unwrap_or_default();
            drop(in_force.iter().map(ToString::to_string).collect::<String>());
        }
        "key" => {
            std::fs::write(&path, content).expect("it is written");
            drop(BackupKey::from_file(&path));
        }
        "backup" => {
            std::fs::write(&path, content).expect("it is written");
            assert!(verify_from(&path, None).is_err() || verify_from(&path, Some(key)).is_err());
        }
        "lines" | "sealed" => {
            let key = (kind == "sealed").then_some(key);
            std::fs::write(&path, backup_of(content, key)).expect("it is written");
            if let Ok(contents) = verify_from(&path, key) {
                let target = Target::Sqlite(folder.path().join("restored.db"));
                if let Ok(restored) = restore_from(&path, key, &target, true) {
                    assert_eq!(restored, contents);
                }
            }
        }
        _ => {}
    }
}

/// A backup of these lines, with a manifest that is right where they are.
fn backup_of(lines: &[u8], key: Option<&BackupKey>) -> Vec<u8> {
    let mut writing = Writing::new(Vec::new(), key).expect("it is written");
    let mut table: Option<(String, Adding)> = None;
    let mut tables = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row = serde_json::from_slice(line).map(Cells);
        if let (Ok(row), Some((_, adding))) = (row, &mut table) {
            writing
                .line(adding.add(&row).expect("texts are JSON"))
                .expect("it is written");
            continue;
        }
        if let Ok(Mark::Table(begin)) = serde_json::from_slice(line) {
            let before = table.replace((begin.name, Adding::default()));
            tables.extend(before.map(|(name, adding)| adding.sum(&name)));
        }
        writing.line(&[line, b"\n"].concat()).expect("it is written");
    }
    tables.extend(table.map(|(name, adding)| adding.sum(&name)));
    let manifest = Manifest {
        tables,
        head_seq: 0,
        head_hash: String::new(),
        sha256: String::new(),
    };
    writing.finish(manifest).expect("it is written").0
}

/// What the service holds before the first request.
const FILED: [(&str, &str); 5] = [
    ("/units/219001", include_str!("../examples/kaiyun-2019/unit.json")),
    (
        "/fiscal-years/2019",
        include_str!("../examples/kaiyun-2019/fiscal-year.json"),
    ),
    (
        "/units/219001/evaluations/2019/base-data",
        include_str!("../examples/kaiyun-2019/base-data.json"),
    ),
    (
        "/units/219001/evaluations/2019/narrative",
        include_str!("../examples/kaiyun-2019/narrative.json"),
    ),
    (
        "/special-funds/housing",
        include_str!("../examples/kaiyun-2019/fund-dilapidated-housing.json"),
    ),
];

/// After how many inputs the service begins anew, so that what one input leaves behind does not pile up.
const INPUTS: usize = 2000;

/// Requests, one after the other: each a line `METHOD ADDRESS`, headers, an empty line and a body. `Authorization: bureau`, `unit`
/// or `auditor` stands for a token of that role. Whatever is sent, the service answers, and no fault is its own.
pub fn requests(data: &[u8]) {
    static SERVICE: Mutex<Option<(Service, usize)>> = Mutex::new(None);
    let mut service = SERVICE.lock().unwrap_or_else(PoisonError::into_inner);
    if service.as_ref().is_some_and(|(_, inputs)| *inputs == INPUTS) {
        *service = None;
    }
    let (service, inputs) = service.get_or_insert_with(|| (Service::start(), 0));
    *inputs += 1;
    for request in parts(data) {
        service.send(request);
    }
}

/// A service on loopback, with a database of its own.
struct Service {
    address: SocketAddr,
    tokens: Vec<(Role, String)>,
    stream: Option<BufReader<TcpStream>>,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: TempDir,
}

impl Service {
    fn start() -> Self {
        let folder = folder();
        let file = |name: &str, content: &str| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("it is written");
            path
        };
        let jwks = file("jwks.json", &published());
        let settings = format!(
            "data_dir = {:?}\nworkers = 1\nrate_limit = 0\naddress_rate_limit = 0\nlockout = 0\nlog = \"off\"\n\
             trusted_proxies = [\"127.0.0.0/8\"]\njwt_issuer = \"county\"\njwt_audience = \"jixiao\"\njwt_jwks = {jwks:?}\n\
             jwt_role_claim = \"roles\"\njwt_roles = [\"finance=bureau\", \"towns=unit\"]\njwt_units_claim = \"units\"\n",
            folder.path()
        );
        let mut flags = Flags::default();
        flags.config = Some(file("jixiao.toml", &settings));
        let config: Config = flags.resolve().expect("settings");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let db = Db::open(&config.db).expect("a database");
                let gate = Gate::new(config.identity.as_ref()).expect("a gate");
                let server = app::server(&config, &db, gate, listener).await.expect("a server");
                sender
                    .send((db.clone(), server.handle()))
                    .expect("someone waits for it");
                server.await.expect("it serves");
                db.close();
            });
        });
        let (db, handle) = receiver.recv().expect("it starts");
        let mut service = Self {
            address,
            tokens: vec![(Role::Bureau, token(&db, Role::Bureau))],
            stream: None,
            handle,
            thread: Some(thread),
            _folder: folder,
        };
        for (path, body) in FILED {
            service.send(
                format!("PUT /api/v1{path}\nAuthorization: bureau\nContent-Type: application/json\n\n{body}")
                    .as_bytes(),
            );
        }
        for role in [Role::Unit, Role::Auditor] {
            service.tokens.push((role, token(&db, role)));
        }
        service
    }

    /// Sends a request, if it is one that HTTP can carry, and looks at the answer.
    fn send(&mut self, request: &[u8]) {
        let end = request.windows(2).position(|window| window == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&request[..end], &request[end + 2..]),
            None => (request, &b""[..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let Some((method, address)) = lines.next().and_then(|line| split(line, b' ')) else {
            return;
        };
        let plain = |bytes: &[u8]| bytes.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
        if !method.iter().all(u8::is_ascii_uppercase)
            || method.is_empty()
            || !plain(address)
            || !address.starts_with(b"/")
        {
            return;
        }
        // It would wait for as long as it says.
        if address.windows(4).any(|window| window == b"wait") {
            return;
        }
        let mut wire = [method, b" ", address, b" HTTP/1.1\r\nHost: localhost\r\n"].concat();
        for (name, value) in lines.filter_map(|line| split(line, b':')) {
            let value = value.trim_ascii();
            let named = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            // How the request is framed is our part of it.
            let framing = [
                "content-length",
                "transfer-encoding",
                "connection",
                "expect",
                "upgrade",
                "host",
            ];
            if framing.iter().any(|other| named(other)) || HeaderName::from_bytes(name).is_err() {
                continue;
            }
            if HeaderValue::from_bytes(value).is_err() {
                continue;
            }
            let role = self
                .tokens
                .iter()
                .find(|(role, _)| named("authorization") && value == role.as_str().as_bytes());
            let value = role.map_or(value.to_vec(), |(_, token)| format!("Bearer {token}").into_bytes());
            wire.extend([name, b": ", &value, b"\r\n"].concat());
        }
        wire.extend(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        wire.extend(body);
        let answer = self.exchange(&wire, method == b"HEAD");
        answer.is_right(&String::from_utf8_lossy(head));
    }

    fn exchange(&mut self, wire: &[u8], is_head: bool) -> Answer {
        // A connection that was kept may have been closed meanwhile; a new one is not.
        if let Some(mut stream) = self.stream.take()
            && stream.get_mut().write_all(wire).is_ok()
            && let Ok(answer) = Answer::read(&mut stream, is_head)
        {
            self.stream = (!answer.closes).then_some(stream);
            return answer;
        }
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_nodelay(true).expect("an option");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("an option");
        let mut stream = BufReader::new(stream);
        // It may answer and close before it has all.
        let _ = stream.get_mut().write_all(wire);
        let answer = Answer::read(&mut stream, is_head)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(wire)));
        self.stream = (!answer.closes).then_some(stream);
        answer
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stream = None;
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn split(line: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == at)?;
    Some((&line[..at], &line[at + 1..]))
}

/// A token of a role; a unit's is of 219001.
fn token(db: &Db, role: Role) -> String {
    let units = match role {
        Role::Unit => vec!["219001".to_owned().try_into().expect("a code")],
        Role::Bureau | Role::Auditor => Vec::new(),
    };
    let input = TokenInput {
        name: "fuzz".to_owned().try_into().expect("a name"),
        role,
        units: Some(units),
        scopes: None,
        expires_at: None,
    };
    let made = db.write(Origin::program(), move |tx| {
        jixiao::tokens::store::create(tx, &input).map(|(_, token)| token)
    });
    actix_web::rt::System::new().block_on(made).expect("a token")
}

/// What came back.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    closes: bool,
}

impl Answer {
    fn read(stream: &mut impl BufRead, is_head: bool) -> io::Result<Self> {
        let lost = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut line = || -> io::Result<String> {
            let mut line = Vec::new();
            match stream.read_until(b'\n', &mut line)? {
                0 => Err(lost()),
                _ => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            }
        };
        let status = line()?
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(lost)?;
        let mut headers = Vec::new();
        loop {
            let line = line()?;
            match line.split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None if line.is_empty() => break,
                None => headers.push((line.trim_end_matches(':').to_ascii_lowercase(), String::new())),
            }
        }
        let mut answer = Self {
            status,
            headers,
            body: Vec::new(),
            closes: false,
        };
        answer.closes = answer.header("connection") == Some("close");
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        match length {
            _ if is_head || matches!(status, 204 | 304) => {}
            // It has no end.
            _ if answer.header("content-type") == Some("text/event-stream") => answer.closes = true,
            Some(length) => {
                answer.body.resize(length, 0);
                stream.read_exact(&mut answer.body)?;
            }
            None if answer.header("transfer-encoding") == Some("chunked") => loop {
                let mut size = String::new();
                stream.read_line(&mut size)?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
                let mut piece = vec![0; size + 2];
                stream.read_exact(&mut piece)?;
                if size == 0 {
                    break;
                }
                answer.body.extend_from_slice(&piece[..size]);
            },
            None => answer.closes = true,
        }
        Ok(answer)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn is_right(&self, request: &str) {
        let status = self.status;
        let mut body = Vec::new();
        let unpacked = match self.header("content-encoding") {
            Some("gzip") => flate2::read::GzDecoder::new(self.body.as_slice()).read_to_end(&mut body),
            Some("deflate") => flate2::read::ZlibDecoder::new(self.body.as_slice()).read_to_end(&mut body),
            _ => self.body.as_slice().read_to_end(&mut body),
        };
        assert!(unpacked.is_ok(), "{request}: {status} {:?}", self.headers);
        let shown = String::from_utf8_lossy(&body);
        // Too much to do, or out of time: the machine's fault. The identity provider's keys are in a file, and read again.
        assert!(status < 500 || status == 503, "{request}: {status} {shown}");
        let kind = self.header("content-type");
        // What is no HTTP is answered by the library.
        let by_library = kind.is_none() && body.is_empty() && matches!(status, 400 | 414 | 431);
        if status >= 400 && !by_library && !request.starts_with("HEAD ") {
            is_problem(status, kind, &body);
            let problem: Value = serde_json::from_slice(&body).expect("a problem");
            assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{request}");
        } else if kind == Some("application/json") && !body.is_empty() {
            assert!(serde_json::from_slice::<Value>(&body).is_ok(), "{request}: {shown}");
        }
    }
}
