//! What goes out comes in again unchanged.

use std::io::{Cursor, Read};

use calamine::{Data as Cell, Reader};
use diesel::prelude::*;
use jixiao::db::schema::units;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, Response};
use crate::support::{Engine, TestApp};

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// In an order in which an empty service can store them, with the word of each in an import.
const RESOURCES: [(&str, &str); 4] = [
    ("units", "units"),
    ("base-data", "base_data"),
    ("assessments", "assessments"),
    ("special-funds", "special_funds"),
];

fn export(client: &Client, what: &str, format: &str) -> Response {
    client.with("Accept", format).get(&format!("/api/v1/exports/{what}"))
}

fn rows(client: &Client, what: &str) -> Vec<Value> {
    let file = export(client, what, NDJSON).expect(200).text();
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn each(client: &Client, what: &str, field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().unwrap().to_owned();
    rows(client, what).iter().map(text).collect()
}

/// The years and schemes that rows refer to, which no file holds.
fn with_years(app: &TestApp) -> Client {
    let bureau = app.bureau();
    for year in [2019, 2020] {
        bureau
            .put(
                &format!("/api/v1/fiscal-years/{year}"),
                &json!({"scheme": "hunan-2019"}),
            )
            .expect(201);
    }
    bureau
}

/// Values that spreadsheets, separators and escapes like to change, as they are stored.
fn odd() -> [Vec<Value>; 4] {
    let units = vec![
        json!({"code": "00219", "name": "=1+1", "kind": "town"}),
        json!({"code": "00219001", "name": "'=1+1", "kind": "department", "parent": "00219",
            "uscc": "91110000802100433B", "division_code": "430423", "valid_from": 2019, "valid_to": 2020}),
        json!({"code": "12345678901234567890", "name": "true", "kind": "other"}),
        json!({"code": "300", "name": "甲\"乙\",丙;；、全角　空格", "kind": "subdistrict"}),
        json!({"code": "301", "name": "007", "kind": "institution"}),
        json!({"code": "302", "name": "_x000D_", "kind": "town"}),
        json!({"code": "303", "name": "乡镇", "kind": "town"}),
        // They continue units of greater codes, and wait for those.
        json!({"code": "100", "name": "+7", "kind": "town", "predecessors": ["300", "301"]}),
        json!({"code": "100001", "name": "'", "kind": "town", "parent": "100"}),
    ];
    let sheets = vec![
        json!({"unit": "00219001", "year": 2019,
            "staff": {"posts": 171, "in_post": 0},
            "three_public": {"total": {"prior_final": "0.1", "final": "9999999999", "change": "-0.33"}},
            "project_expenditure": {"special_funds": []},
            "budget": {"carried_in": "0", "initial": "1234567890.123456", "supplementary": "-1166.07"},
            "buildings": {"none": false, "projects": [{"name": "=楼,\"一\"", "approved_area": "0.000001"}]},
            "thrift": " 一、\r\n二、\t\"引\",=1\n"}),
        json!({"unit": "00219001", "year": 2020, "buildings": {"none": true}, "thrift": ""}),
        json!({"unit": "300", "year": 2019}),
        json!({"unit": "301", "year": 2019, "thrift": " \n"}),
        json!({"unit": "302", "year": 2019, "thrift": "''=1"}),
    ];
    let forms = vec![
        json!({"unit": "00219001", "year": 2019, "indicators": {
            "fund_compliance": {"incidents": 0, "reason": "无\n'=1"}, "key_work": {"achieved": "95", "possible": "100"}}}),
        json!({"unit": "300", "year": 2020}),
    ];
    let funds = vec![
        json!({"id": "007", "unit": "300", "year": 2019, "name": "@SUM(A1)", "scheme": "project-2020", "continues": true,
            "competent_department": "-1", "funding": {"total": {"adjusted_budget": "326", "executed": "300.5"}},
            "goal": {"expected": "　全角\r\n", "achieved": ""},
            "targets": [{"section": "output", "name": "危房;改造\"户\"数", "weight": "50", "deviation": "一\r\n二",
                "measure": {"kind": "quantity", "comparison": "at_least", "target": "181", "actual": "180.5", "unit": "户"}}]}),
        json!({"id": "1E5", "unit": "00219001", "year": 2020, "name": "2020-07-01", "scheme": "project-2020",
            "continues": false, "funding": {}}),
    ];
    [units, sheets, forms, funds]
}

fn lines(rows: &[Value]) -> Vec<u8> {
    rows.iter()
        .map(|row| format!("{row}\n"))
        .collect::<String>()
        .into_bytes()
}

fn import(client: &Client, what: &str, format: &str, file: &[u8]) -> Value {
    client
        .with("Content-Type", format)
        .send("POST", &format!("/api/v1/imports?resource={what}"), Some(file))
        .expect(201)
        .json()["counts"]
        .clone()
}

both_engines! {
    fn what_is_exported_imports_into_an_empty_service_and_is_exported_the_same_again(app) {
        let bureau = with_years(app);
        let mut expected = odd();
        for ((_, word), rows) in RESOURCES.iter().zip(&expected) {
            import(&bureau, word, NDJSON, &lines(rows));
        }
        for rows in &mut expected {
            rows.sort_by_key(|row| {
                let key = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                // A unit is known by `code`; those that wait for others come last.
                (key("code").starts_with("100"), key("id"), key("code"), key("unit"), row["year"].as_u64())
            });
        }
        for format in [NDJSON, CSV, XLSX] {
            let other = app.empty();
            let there = with_years(&other);
            for ((what, word), expected) in RESOURCES.iter().zip(&expected) {
                let file = export(&bureau, what, format).expect(200);
                let counts = import(&there, word, format, &file.body);
                assert_eq!(counts["created"], expected.len(), "{what} as {format}: {counts}");
                assert_eq!(&rows(&there, what), expected, "{what} as {format}");
                assert_eq!(export(&there, what, format).body, file.body, "{what} as {format}");
                // Nor does it change anything where it comes from.
                assert_eq!(import(&bureau, word, format, &file.body)["unchanged"], expected.len(), "{what} as {format}");
            }
        }
    }

    fn a_table_has_the_forms_terms_and_nothing_in_it_begins_a_formula(app) {
        let bureau = app.bureau();
        import(&bureau, "units", NDJSON, &lines(&odd()[0][..3]));
        let expected = "\u{feff}预算单位编码,名称,单位类别,上级单位编码,统一社会信用代码,行政区划代码,起始年度,终止年度,前身单位\r\n\
            00219,'=1+1,乡镇,,,,,,\r\n\
            00219001,''=1+1,县直部门,00219,91110000802100433B,430423,2019,2020,\r\n\
            12345678901234567890,true,其他,,,,,,\r\n";
        assert_eq!(export(&bureau, "units", CSV).expect(200).text(), expected);
    }

    fn in_a_workbook_codes_are_texts_and_a_figure_is_a_number_where_that_is_exact(app) {
        let bureau = with_years(app);
        let [units, sheets, ..] = odd();
        import(&bureau, "units", NDJSON, &lines(&units[..2]));
        import(&bureau, "base_data", NDJSON, &lines(&sheets[..1]));
        let book = export(&bureau, "base-data", XLSX).expect(200);
        let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(book.body)).unwrap();
        let sheet = book.worksheet_range("基础数据表").unwrap();
        let cell = |heading: &str| {
            let column = sheet.rows().next().unwrap().iter().position(|cell| cell == heading);
            sheet.rows().nth(1).unwrap()[column.unwrap_or_else(|| panic!("no {heading}"))].clone()
        };
        for (heading, expected) in [
            ("单位编码", Cell::String("00219001".to_owned())),
            ("年度", Cell::Float(2019.0)),
            ("在职人员数", Cell::Float(0.0)),
            ("本年追加预算", Cell::Float(-1166.07)),
            // Sixteen digits, of which a spreadsheet keeps fifteen.
            ("年初预算", Cell::String("1234567890.123456".to_owned())),
            ("专项资金明细", Cell::String("[]".to_owned())),
            ("本年无新建楼堂馆所", Cell::String("否".to_owned())),
            ("公务用车定编数", Cell::Empty),
        ] {
            assert_eq!(cell(heading), expected, "{heading}");
        }
    }

    fn nothing_to_export_is_a_file_too(app) {
        let bureau = app.bureau();
        for (what, word) in RESOURCES {
            assert_eq!(export(&bureau, what, NDJSON).expect(200).text(), "");
            let heading = export(&bureau, what, CSV).expect(200);
            assert_eq!(heading.text().lines().count(), 1, "{what}");
            for (format, file) in [(CSV, &heading), (XLSX, &export(&bureau, what, XLSX).expect(200))] {
                assert_eq!(import(&bureau, word, format, &file.body)["created"], 0, "{what} as {format}");
            }
        }
    }

    fn only_the_units_and_years_that_are_asked_for_are_exported(app) {
        let bureau = with_years(app);
        app.with_units(&[("219", None), ("219001", Some("219")), ("2190", None)]);
        bureau.put("/api/v1/units/300", &json!({"name": "旧", "kind": "town", "valid_to": 2019})).expect(201);
        for (code, year) in [("219", 2019), ("219001", 2019), ("219001", 2020), ("2190", 2019)] {
            bureau.put(&format!("/api/v1/units/{code}/evaluations/{year}/base-data"), &json!({})).expect(201);
            let fund = json!({"unit": code, "year": year, "name": "资金"});
            bureau.put(&format!("/api/v1/special-funds/f{code}-{year}"), &fund).expect(201);
        }
        assert_eq!(each(&bureau, "units?unit=219", "code"), ["219", "219001"]);
        assert_eq!(each(&bureau, "units?year=2020", "code"), ["219", "219001", "2190"]);
        assert_eq!(each(&bureau, "base-data?unit=219", "unit"), ["219", "219001", "219001"]);
        assert_eq!(each(&bureau, "base-data?unit=219&year=2019", "unit"), ["219", "219001"]);
        assert_eq!(each(&bureau, "special-funds?unit=219001&year=2020", "id"), ["f219001-2020"]);
        assert_eq!(each(&bureau, "assessments?unit=219", "unit"), [""; 0]);
        // An empty file would say that nothing was filed.
        export(&bureau, "units?unit=404", NDJSON).problem(404, "not-found");
        export(&bureau, "base-data?year=2031", NDJSON).problem(404, "not-found");
        export(&bureau, "units?unit=x&years=2019", NDJSON).problem(400, "invalid-parameter");
        export(&bureau, "tokens", NDJSON).problem(400, "invalid-parameter");
    }

    fn a_units_token_exports_its_own_and_those_below_and_an_auditors_all(app) {
        let bureau = with_years(app);
        app.with_units(&[("219", None), ("219001", Some("219")), ("300", None)]);
        for code in ["219", "219001", "300"] {
            bureau.put(&format!("/api/v1/units/{code}/evaluations/2019/base-data"), &json!({})).expect(201);
        }
        for (client, expected) in [
            (app.unit(&["219"]), vec!["219", "219001"]),
            (app.unit(&["219001"]), vec!["219001"]),
            (app.unit(&["219001", "300"]), vec!["219001", "300"]),
            (app.auditor(), vec!["219", "219001", "300"]),
        ] {
            assert_eq!(each(&client, "units", "code"), expected);
            assert_eq!(each(&client, "base-data", "unit"), expected);
        }
        let unit = app.unit(&["219001"]);
        assert_eq!(each(&unit, "units?unit=219", "code"), ["219001"], "of a unit above it what is its own");
        assert_eq!(each(&unit, "units?unit=219001", "code"), ["219001"]);
        export(&unit, "units?unit=300", NDJSON).problem(403, "forbidden");
    }

    fn the_client_chooses_the_format_and_gets_a_name_for_the_file(app) {
        let bureau = with_years(app);
        app.with_units(&[("219", None)]);
        for (accept, kind, name, zh) in [
            ("", NDJSON, "units.ndjson", "%E9%A2%84%E7%AE%97%E5%8D%95%E4%BD%8D.ndjson"),
            ("*/*", NDJSON, "units.ndjson", "%E9%A2%84%E7%AE%97%E5%8D%95%E4%BD%8D.ndjson"),
            ("text/csv;q=0.9, application/json", "text/csv; charset=utf-8", "units.csv", "%E9%A2%84%E7%AE%97%E5%8D%95%E4%BD%8D.csv"),
            (XLSX, XLSX, "units.xlsx", "%E9%A2%84%E7%AE%97%E5%8D%95%E4%BD%8D.xlsx"),
        ] {
            let file = export(&bureau, "units", accept).expect(200);
            assert_eq!(file.header("Content-Type"), Some(kind), "{accept}");
            let named = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{zh}");
            assert_eq!(file.header("Content-Disposition"), Some(named.as_str()));
            assert!(file.headers("Vary").contains(&"accept"), "{accept}");
            let head = bureau.with("Accept", accept).send("HEAD", "/api/v1/exports/units", None).expect(200);
            assert!(head.body.is_empty());
            for name in ["Content-Type", "Content-Disposition", "Content-Length", "ETag"] {
                assert_eq!(head.header(name), file.header(name), "{name} of {accept}");
            }
        }
        export(&bureau, "units", "application/json").problem(406, "not-acceptable");
        let named = export(&bureau, "base-data?unit=219&year=2019", CSV).expect(200);
        assert!(named.header("Content-Disposition").unwrap().contains("\"base-data-219-2019.csv\""));
    }

    fn an_export_has_another_tag_once_anything_was_changed(app) {
        let bureau = app.with_units(&[("219", None)]);
        let before = export(&bureau, "units", NDJSON).expect(200);
        let reader = bureau.with("If-None-Match", &before.etag());
        assert!(export(&reader, "units", NDJSON).expect(304).body.is_empty());
        for other in ["units?unit=219", "base-data"] {
            export(&reader, other, NDJSON).expect(200);
        }
        export(&reader, "units", CSV).expect(200);
        bureau.patch("/api/v1/units/219", &json!({"name": "新名"})).expect(200);
        assert_eq!(export(&reader, "units", NDJSON).expect(200).json()["name"], "新名");
    }

    fn a_file_that_cannot_be_read_to_its_end_never_looks_whole(app) {
        let bureau = app.bureau();
        let rows: Vec<Value> = (0..3000).map(|n| json!({"code": format!("{}", 100_000 + n), "name": "某", "kind": "town"})).collect();
        import(&bureau, "units", NDJSON, &lines(&rows));
        let zipped = bureau.with("Accept-Encoding", "gzip");
        for client in [&bureau, &zipped] {
            let file = client.with("Accept", CSV).get("/api/v1/exports/units").expect(200);
            let mut text = String::new();
            match file.header("Content-Encoding") {
                Some("gzip") => flate2::read::GzDecoder::new(file.body.as_slice()).read_to_string(&mut text).unwrap(),
                _ => file.body.as_slice().read_to_string(&mut text).unwrap(),
            };
            assert_eq!(text.lines().count(), 3001);
        }
        // The first piece can be read, and is on its way when the next one cannot.
        app.write(|tx| Ok(diesel::update(units::table.find("102500")).set(units::kind.eq("?")).execute(&mut **tx)?));
        for client in [&bureau, &zipped] {
            for format in [NDJSON, CSV] {
                let broken = client.with("Accept", format).try_send("GET", "/api/v1/exports/units", None);
                assert!(broken.is_err(), "it ends as if it were whole: {broken:?}");
            }
        }
        export(&bureau, "units", XLSX).problem(500, "internal-error");
    }

    fn what_no_workbook_can_hold_is_refused_before_anything_is_sent(app) {
        let bureau = with_years(app);
        app.with_units(&[("219", None)]);
        let target = |n: usize| json!({"section": "output", "name": format!("指标{n}"), "deviation": "因".repeat(4000),
            "measure": {"kind": "quality"}});
        let fund = json!({"unit": "219", "year": 2019, "name": "资金", "targets": (0..9).map(target).collect::<Vec<_>>()});
        bureau.put("/api/v1/special-funds/long", &fund).expect(201);
        let problem = export(&bureau, "special-funds", XLSX).problem(406, "not-acceptable");
        assert!(problem["detail_zh"].as_str().unwrap().contains("第2行“绩效指标”"), "{problem}");
        assert_eq!(export(&bureau, "special-funds", CSV).expect(200).text().lines().count(), 2);
    }
}

#[test]
fn what_another_server_changed_gives_another_tag_too() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let bureau = app.with_units(&[("219", None)]);
    let other = app.another();
    let reader = bureau.with("If-None-Match", &export(&bureau, "units", CSV).expect(200).etag());
    export(&Client::new(other.base()).like(&reader), "units", CSV).expect(304);
    bureau.patch("/api/v1/units/219", &json!({"name": "新名"})).expect(200);
    assert!(
        export(&Client::new(other.base()).like(&reader), "units", CSV)
            .expect(200)
            .text()
            .contains("新名")
    );
}
