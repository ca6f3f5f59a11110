//! Files of many rows.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use jixiao::db::schema::{changes, imports};
use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, Response};
use crate::support::{Engine, TestApp, with_ready};

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn import(client: &Client, query: &str, kind: &str, file: &[u8]) -> Response {
    client
        .with("Content-Type", kind)
        .send("POST", &format!("/api/v1/imports?{query}"), Some(file))
}

fn lines(rows: &[Value]) -> Vec<u8> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    lines.join("\n").into_bytes()
}

fn unit(code: &str, parent: Option<&str>) -> Value {
    match parent {
        None => json!({"code": code, "name": format!("单位{code}"), "kind": "town"}),
        Some(parent) => json!({"code": code, "name": format!("单位{code}"), "kind": "town", "parent": parent}),
    }
}

/// Row, column, value and code of each fault.
#[track_caller]
fn told(faults: &Value) -> Vec<(u64, &str, Option<&str>, &str)> {
    let faults = faults.as_array().unwrap();
    faults
        .iter()
        .map(|fault| {
            for words in ["detail", "detail_zh", "hint", "hint_zh"] {
                assert!(
                    fault[words].as_str().is_some_and(|words| !words.is_empty()),
                    "{words}: {fault}"
                );
            }
            (
                fault["row"].as_u64().unwrap(),
                fault["column"].as_str().unwrap_or(""),
                fault["value"].as_str(),
                fault["code"].as_str().unwrap(),
            )
        })
        .collect()
}

fn counts(created: i64, replaced: i64, unchanged: i64, rejected: i64, faults: i64) -> Value {
    json!({"created": created, "replaced": replaced, "unchanged": unchanged, "rejected": rejected, "faults": faults})
}

/// Six rows, of which the first and the fifth are good.
fn partly_bad() -> Vec<u8> {
    let mut file = lines(&[
        unit("219", None),
        json!({"code": "219x", "name": "甲", "kind": "town", "mayor": "乙"}),
        json!({"name": " ", "kind": "village"}),
        unit("219001", Some("404")),
        unit("219002", Some("219")),
    ]);
    file.extend("\n\n{\"code\": \"219003\", ".as_bytes());
    file
}

const FAULTS: [(u64, &str, Option<&str>, &str); 7] = [
    (2, "code", Some("219x"), "pattern"),
    (2, "mayor", Some("乙"), "unknown_field"),
    (3, "code", None, "missing_field"),
    (3, "kind", Some("village"), "not_one_of"),
    (3, "name", Some(" "), "pattern"),
    (4, "parent", Some("404"), "unknown_unit"),
    (7, "", None, "malformed_json"),
];

both_engines! {
    fn rows_are_stored_as_the_single_operation_would_and_once_more_changes_nothing(app) {
        let bureau = app.bureau();
        bureau.put("/api/v1/units/219", &json!({"name": "原名", "kind": "town"})).expect(201);
        // Each names the one before it; the last is a unit that was there under another name.
        let file = lines(&[
            unit("300", None),
            unit("300001", Some("300")),
            json!({"code": "300002", "name": "合并单位", "kind": "town", "parent": "300001", "predecessors": ["300001"]}),
            unit("219", Some("300")),
        ]);
        let first = import(&bureau, "resource=units", NDJSON, &file).expect(201);
        let report = first.json();
        assert_eq!(report["counts"], counts(3, 1, 0, 0, 0), "{report}");
        assert_eq!((&report["state"], &report["position"]), (&json!("done"), &json!(4)));
        assert_eq!(first.header("Location"), report["links"]["self"].as_str());
        let stored = bureau.get("/api/v1/units/219").expect(200).json();
        assert_eq!((&stored["parent"], &stored["version"]), (&json!("300"), &json!(2)));
        assert_eq!(bureau.get("/api/v1/units?under=300").each("code"), ["219", "300", "300001", "300002"]);

        let again = import(&bureau, "resource=units", NDJSON, &file).expect(201).json();
        assert_eq!(again["counts"], counts(0, 0, 4, 0, 0));
        assert_eq!(bureau.get("/api/v1/units/219").json(), stored);
        let told: Vec<(String, String)> = app.write(|tx| Ok(changes::table
            .filter(changes::resource.eq("unit"))
            .order(changes::seq)
            .select((changes::action, changes::key))
            .load(&mut **tx)?));
        let told: Vec<_> = told.iter().map(|(action, key)| (action.as_str(), key.trim_start_matches("/api/v1/units/"))).collect();
        assert_eq!(told, [("created", "219"), ("created", "300"), ("created", "300001"), ("created", "300002"), ("updated", "219")]);
    }

    fn with_all_one_bad_row_stores_nothing_and_every_fault_is_named_in_the_order_of_the_file(app) {
        let bureau = app.bureau();
        let refused = import(&bureau, "resource=units&id=try", NDJSON, &partly_bad());
        assert_eq!(refused.header("Location"), Some("/api/v1/imports/try"));
        let problem = refused.problem(422, "import-refused");
        assert_eq!(told(&problem["errors"]), FAULTS);
        assert_eq!(bureau.get("/api/v1/units").each("code"), [""; 0]);
        let report = bureau.get("/api/v1/imports/try").expect(200).json();
        assert_eq!((&report["state"], &report["counts"]), (&json!("refused"), &counts(2, 0, 0, 4, 7)));
        assert_eq!(told(&report["faults"]), FAULTS);
    }

    fn with_each_the_good_rows_are_stored_and_faults_come_in_pages(app) {
        let bureau = app.bureau();
        let report = import(&bureau, "resource=units&mode=each&id=try", NDJSON, &partly_bad()).expect(201).json();
        assert_eq!((&report["state"], &report["counts"]), (&json!("done"), &counts(2, 0, 0, 4, 7)));
        assert_eq!(bureau.get("/api/v1/units").each("code"), ["219", "219002"]);
        assert_eq!(bureau.all("/api/v1/imports/try/faults?limit=3", "row"), [2, 2, 3, 3, 3, 4, 7]);
        assert_eq!(bureau.all("/api/v1/imports/try/faults?limit=3", "number"), [1, 2, 3, 4, 5, 6, 7]);
    }

    fn a_trial_says_what_would_be_and_stores_nothing(app) {
        let bureau = app.bureau();
        for mode in ["all", "each"] {
            let trial = import(&bureau, &format!("resource=units&mode={mode}&dry_run=true&id={mode}"), NDJSON, &partly_bad());
            let faults = match mode {
                "all" => trial.problem(422, "import-refused")["errors"].clone(),
                _ => trial.expect(201).json()["faults"].clone(),
            };
            assert_eq!(told(&faults), FAULTS, "{mode}");
            let report = bureau.get(&format!("/api/v1/imports/{mode}")).expect(200).json();
            assert_eq!((&report["dry_run"], &report["counts"]), (&json!(true), &counts(2, 0, 0, 4, 7)));
        }
        let good = import(&bureau, "resource=units&dry_run=true", NDJSON, &lines(&[unit("219", None)])).expect(201).json();
        assert_eq!((&good["state"], &good["counts"]), (&json!("done"), &counts(1, 0, 0, 0, 0)));
        assert_eq!(bureau.get("/api/v1/units").each("code"), [""; 0]);
    }

    fn a_table_is_read_in_each_encoding_and_format_that_offices_write(app) {
        let bureau = app.bureau();
        let table = "预算单位编码,单位名称,单位类别,上级单位编码,起始年度\r\n219,衡山县财政局,县直部门,,2019\r\n219001,开云镇,town,219,\r\n";
        let (gbk, _, lossy) = encoding_rs::GBK.encode(table);
        assert!(!lossy);
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, line) in (0..).zip(table.lines()) {
            for (column, cell) in (0..).zip(line.split(',')) {
                match (row, column) {
                    // As a spreadsheet has it when it takes a year for a number.
                    (1, 4) => drop(sheet.write_number(row, column, 2019).unwrap()),
                    _ => drop(sheet.write_string(row, column, cell).unwrap()),
                }
            }
        }
        let workbook = workbook.save_to_buffer().unwrap();
        let marked = format!("\u{feff}{table}");
        for (n, (kind, file)) in [
            (CSV, table.as_bytes()), (CSV, marked.as_bytes()), (CSV, &gbk), ("text/csv; charset=gb18030", &gbk), (XLSX, &workbook),
        ].into_iter().enumerate() {
            let report = import(&bureau, "resource=units", kind, file).expect(201).json();
            let expected = if n == 0 { counts(2, 0, 0, 0, 0) } else { counts(0, 0, 2, 0, 0) };
            assert_eq!((&report["counts"], &report["position"]), (&expected, &json!(3)), "{kind}, file {n}");
        }
        let stored = bureau.get("/api/v1/units/219").expect(200).json();
        assert_eq!((&stored["name"], &stored["kind"], &stored["valid_from"]), (&json!("衡山县财政局"), &json!("department"), &json!(2019)));
    }

    fn a_tables_faults_name_the_column_as_the_file_does(app) {
        let bureau = app.bureau();
        let unknown = import(&bureau, "resource=units&mode=each", CSV, "预算单位编码,单位名,单位类别\n219,甲,乡镇\n".as_bytes());
        assert_eq!(told(&unknown.problem(422, "import-refused")["errors"]), [(1, "单位名", Some("单位名"), "unknown_column")]);
        let faults = import(&bureau, "resource=units", CSV, "预算单位编码,名称,单位类别,上级单位编码\n219,甲,乡镇,\n,乙,村,\n2190,丙,乡镇,999\n".as_bytes());
        assert_eq!(told(&faults.problem(422, "import-refused")["errors"]), [
            (3, "预算单位编码", None, "missing_field"),
            (3, "单位类别", Some("村"), "not_one_of"),
            (4, "上级单位编码", Some("999"), "unknown_unit"),
        ]);
        // Of what stands beyond the heading the first says it.
        let slipped = import(&bureau, "resource=units", CSV, b"code,name,kind\n219,a,town,x,y,z\n");
        assert_eq!(told(&slipped.problem(422, "import-refused")["errors"]), [(2, "#4", Some("x"), "unknown_column")]);
        // Three columns and so many empty ones after them.
        let wide = |empty: usize| {
            let file = format!("code,name,kind{}\n219,a,town\n", ",".repeat(empty));
            import(&bureau, "resource=units&dry_run=true", CSV, file.as_bytes())
        };
        wide(1997).expect(201);
        assert_eq!(told(&wide(1998).problem(422, "import-refused")["errors"]), [(1, "", None, "too_many_columns")]);
        for (kind, file) in [(XLSX, "no workbook"), (CSV, "")] {
            import(&bureau, "resource=units", kind, file.as_bytes()).problem(422, "import-refused");
        }
        assert_eq!(bureau.get("/api/v1/units").each("code"), [""; 0]);
    }

    fn the_rows_of_other_resources_go_by_the_locks_the_years_and_the_reach_of_the_token(app) {
        let bureau = with_ready(app);
        let evaluation = "/api/v1/units/219001/evaluations/2019";
        bureau.post(&format!("{evaluation}/submit"), &json!({})).expect(200);
        bureau.put("/api/v1/units/300", &json!({"name": "它单位", "kind": "town", "valid_to": 2020})).expect(201);
        for (year, status) in [(2018, "closed"), (2020, "open"), (2021, "open")] {
            bureau.put(&format!("/api/v1/fiscal-years/{year}"), &json!({"scheme": "trial", "status": status})).expect(201);
        }
        let unit = app.unit(&["219001"]);
        let sheet = |code: &str, year: u32| json!({"unit": code, "year": year, "staff": {"posts": 171}});
        let sheets = lines(&[sheet("219001", 2019), sheet("219001", 2018), sheet("300", 2020), sheet("219001", 2020), sheet("219001", 2030), sheet("404", 2020)]);
        let report = import(&unit, "resource=base_data&mode=each", NDJSON, &sheets).expect(201).json();
        assert_eq!(report["counts"], counts(1, 0, 0, 5, 5));
        let codes = |report: &Value| told(&report["faults"]).iter().map(|(row, .., code)| (*row, (*code).to_owned())).collect::<Vec<_>>();
        let expected = |rows: &[(u64, &str)]| rows.iter().map(|(row, code)| (*row, (*code).to_owned())).collect::<Vec<_>>();
        assert_eq!(codes(&report), expected(&[(1, "locked"), (2, "closed"), (3, "forbidden"), (5, "not-found"), (6, "not-found")]));
        assert_eq!(unit.get("/api/v1/units/219001/evaluations/2020/base-data").expect(200).json(), json!({"staff": {"posts": 171}}));

        let form = |code: &str, year: u32, points: &str| json!({"unit": code, "year": year, "indicators": {"benefit": {"points": points}}});
        let forms = lines(&[form("219001", 2019, "3"), form("219001", 2020, "99"), form("300", 2021, "3"), form("219001", 2020, "4")]);
        let report = import(&bureau, "resource=assessments&mode=each", NDJSON, &forms).expect(201).json();
        assert_eq!(codes(&report), expected(&[(1, "locked"), (2, "out_of_range"), (3, "outside_validity")]));
        assert_eq!(told(&report["faults"])[1], (2, "indicators.benefit.points", Some("99"), "out_of_range"));

        let fund = |id: &str, code: &str, year: u32| json!({"id": id, "unit": code, "year": year, "name": "危房改造资金"});
        let funds = lines(&[fund("a", "219001", 2019), fund("b", "219001", 2020), fund("c", "219001", 2020), fund("d", "300", 2020), fund("e", "219001", 2018)]);
        let report = import(&unit, "resource=special_funds&mode=each", NDJSON, &funds).expect(201).json();
        assert_eq!(codes(&report), expected(&[(1, "locked"), (3, "taken"), (4, "forbidden"), (5, "closed")]));
        assert_eq!(bureau.get("/api/v1/special-funds").each("id"), ["b"]);
    }

    fn a_row_goes_by_what_the_rows_before_it_in_the_file_have_made(app) {
        let bureau = app.with_units(&[("219", None), ("300", None)]);
        for year in [2019, 2020] {
            bureau.put(&format!("/api/v1/fiscal-years/{year}"), &json!({"scheme": "hunan-2019"})).expect(201);
        }
        let changed = |key: &str| bureau.get(&format!("/api/v1/audit?key={key}")).each("action");
        let done = |resource: &str, rows: &[Value]| import(&bureau, &format!("resource={resource}&mode=each"), NDJSON, &lines(rows)).expect(201).json();

        let sheet = |year: u32, posts: u32| json!({"unit": "219", "year": year, "staff": {"posts": posts}});
        let report = done("base_data", &[sheet(2019, 1), sheet(2020, 5), sheet(2019, 2), sheet(2019, 2), sheet(2019, 1)]);
        assert_eq!(report["counts"], counts(2, 2, 1, 0, 0));
        let at = "/api/v1/units/219/evaluations/2019/base-data";
        assert_eq!(bureau.get(at).expect(200).json(), json!({"staff": {"posts": 1}}), "the last one stays");
        assert_eq!(changed(at), ["created", "updated", "updated"]);
        let form = json!({"unit": "219", "year": 2019, "indicators": {}});
        assert_eq!(done("assessments", &[form])["counts"], counts(1, 0, 0, 0, 0));
        assert_eq!(bureau.get(at).expect(200).json(), json!({"staff": {"posts": 1}}), "what else is filed stays");

        let fund = |id: &str, unit: &str, name: &str| json!({"id": id, "unit": unit, "year": 2019, "name": name});
        let report = done("special_funds", &[fund("a", "219", "甲"), fund("b", "219", "乙"), fund("c", "219", "甲"), fund("c", "300", "甲")]);
        assert_eq!((&report["counts"], told(&report["faults"])), (&counts(3, 0, 0, 1, 1), vec![(3, "name", Some("甲"), "taken")]));
        // Two names change places by way of a third one, and one gets free as its fund goes to another unit.
        let report = done("special_funds", &[
            fund("a", "219", "丙"), fund("b", "219", "甲"), fund("a", "219", "乙"), fund("a", "219", "乙"),
            fund("b", "300", "丁"), fund("d", "219", "甲"), fund("e", "300", "丁"),
        ]);
        assert_eq!((&report["counts"], told(&report["faults"])), (&counts(1, 4, 1, 1, 1), vec![(7, "name", Some("丁"), "taken")]));
        let funds = bureau.get("/api/v1/special-funds");
        let funds = funds.expect(200).json();
        let listed: Vec<_> = funds["items"].as_array().unwrap().iter().map(|fund| (fund["id"].as_str().unwrap(), fund["unit"].as_str().unwrap(), fund["name"].as_str().unwrap())).collect();
        assert_eq!(listed, [("a", "219", "乙"), ("b", "300", "丁"), ("c", "300", "甲"), ("d", "219", "甲")]);
        assert_eq!(changed("/api/v1/special-funds/a"), ["created", "updated", "updated"]);

        // A unit has at most 200 in a year: two are there.
        let many: Vec<Value> = (0..200).map(|n| fund(&format!("f{n:03}"), "219", &format!("专项{n}"))).collect();
        let report = done("special_funds", &many);
        assert_eq!(report["counts"], counts(198, 0, 0, 2, 2));
        assert_eq!(told(&report["faults"])[0], (199, "unit", Some("219"), "too_many"));
    }

    fn an_import_that_was_interrupted_goes_on_where_it_stopped_and_one_that_ended_is_not_done_again(app) {
        let bureau = app.bureau();
        let file = lines(&[unit("219", None), unit("219001", Some("219")), unit("219002", Some("219")), unit("21x", None)]);
        let query = "resource=units&mode=each&id=units-2026";
        import(&bureau, query, NDJSON, &file).expect(201);
        // As it is after a kill behind the second row, of which one was deleted meanwhile.
        app.write(|tx| {
            let row = diesel::update(imports::table.find("units-2026"));
            row.set((imports::state.eq("running"), imports::position.eq(2), imports::rows_created.eq(2),
                imports::rows_rejected.eq(0), imports::faults.eq(0), imports::updated_at.eq("2026-01-01T00:00:00.000000Z"))).execute(&mut **tx)?;
            diesel::delete(jixiao::db::schema::import_faults::table).execute(&mut **tx)?;
            Ok(())
        });
        for code in ["219001", "219002"] {
            bureau.delete(&format!("/api/v1/units/{code}")).expect(204);
        }
        assert_eq!(bureau.get("/api/v1/imports/units-2026").expect(200).json()["state"], "interrupted");

        import(&bureau, query, NDJSON, &file[1..]).problem(409, "already-exists");
        import(&bureau, "resource=units&id=units-2026", NDJSON, &file).problem(409, "already-exists");
        let report = import(&bureau, query, NDJSON, &file).expect(200).json();
        assert_eq!((&report["state"], &report["counts"]), (&json!("done"), &counts(3, 0, 0, 1, 1)));
        assert_eq!(bureau.get("/api/v1/units").each("code"), ["219", "219002"], "rows that were done with are not done again");
        assert_eq!(told(&report["faults"]), [(4, "code", Some("21x"), "pattern")]);

        bureau.delete("/api/v1/units/219002").expect(204);
        assert_eq!(import(&bureau, query, NDJSON, &file).expect(200).json(), report);
        assert_eq!(bureau.get("/api/v1/units").each("code"), ["219"]);
    }

    fn an_import_can_be_left_alone_and_watched_to_its_end(app) {
        let bureau = app.bureau();
        let rows: Vec<_> = (0..3000).map(|n| unit(&format!("{}", 100_000 + n), None)).collect();
        let begun = import(&bureau.with("Prefer", "respond-async"), "resource=units&mode=each&id=big", NDJSON, &lines(&rows));
        assert!([201, 202].contains(&begun.status), "{}", begun.text());
        let events = bureau.with("Accept", "text/event-stream").get("/api/v1/imports/big").expect(200);
        assert_eq!(events.header("Content-Type"), Some("text/event-stream"));
        let text = events.text();
        let seen: Vec<Value> = text.lines().filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap()).collect();
        let last = seen.last().unwrap();
        assert_eq!((&last["state"], &last["counts"]["created"]), (&json!("done"), &json!(3000)));
        assert_eq!(bureau.get("/api/v1/imports").each("id"), ["big"]);
    }

    fn what_is_no_file_to_import_is_refused_before_anything_is_read(app) {
        let bureau = app.bureau();
        let file = lines(&[unit("219", None)]);
        import(&bureau, "", NDJSON, &file).problem(400, "invalid-parameter");
        import(&bureau, "resource=tokens&mode=some", NDJSON, &file).problem(400, "invalid-parameter");
        import(&bureau, "resource=units", "application/json", &file).problem(415, "unsupported-media-type");
        import(&bureau, "resource=units", "text/csv; charset=klingon", &file).problem(415, "unsupported-media-type");
        assert_eq!(bureau.get("/api/v1/imports").each("id"), [""; 0]);
        app.with_units(&[("300", None)]);
        import(&app.unit(&["300"]), "resource=units", NDJSON, &file).problem(403, "forbidden");
        import(&app.auditor(), "resource=base_data", NDJSON, &file).problem(403, "forbidden");
    }

    fn an_import_is_forgotten_after_ninety_days_and_what_it_stored_stays(app) {
        let bureau = app.bureau();
        for id in ["old", "new"] {
            import(&bureau, &format!("resource=units&mode=each&id={id}"), NDJSON, &partly_bad()).expect(201);
        }
        app.write(|tx| {
            let long_ago = "2020-01-01T00:00:00.000000Z";
            Ok(diesel::update(imports::table.find("old")).set(imports::updated_at.eq(long_ago)).execute(&mut **tx)?)
        });
        import(&bureau, "resource=units&id=next", NDJSON, b"").expect(201);
        let deadline = Instant::now() + Duration::from_secs(20);
        while bureau.get("/api/v1/imports/old").status != 404 {
            assert!(Instant::now() < deadline, "it is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
        bureau.get("/api/v1/imports/old/faults").problem(404, "not-found");
        assert_eq!(bureau.get("/api/v1/imports").each("id"), ["new", "next"]);
        assert_eq!(bureau.get("/api/v1/imports/new").expect(200).json()["counts"]["faults"], 7);
        assert_eq!(bureau.get("/api/v1/units").each("code"), ["219", "219002"]);
        let told = app.write(|tx| Ok(changes::table.filter(changes::action.eq("deleted")).select(changes::key).load::<String>(&mut **tx)?));
        assert_eq!(told, ["/api/v1/imports/old"]);
    }

    fn a_unit_sees_its_own_imports_and_no_others(app) {
        let bureau = app.with_units(&[("219", None), ("300", None)]);
        import(&bureau, "resource=units&id=bureaus", NDJSON, b"").expect(201);
        let unit = app.client(&app.token(Role::Unit, &["219"]));
        import(&unit, "resource=base_data&id=own", NDJSON, b"").expect(201);
        assert_eq!(unit.get("/api/v1/imports").each("id"), ["own"]);
        unit.get("/api/v1/imports/own").expect(200);
        for path in ["/api/v1/imports/bureaus", "/api/v1/imports/bureaus/faults"] {
            unit.get(path).problem(403, "forbidden");
        }
        assert_eq!(app.auditor().get("/api/v1/imports").each("id"), ["bureaus", "own"]);
        // Its id is taken, also for who may not see it.
        import(&unit, "resource=base_data&id=bureaus", NDJSON, b"").problem(403, "forbidden");
    }
}

/// Only PostgreSQL lets a second service onto the database. A client that lost its connection may be sent to another one.
#[test]
fn an_import_that_is_sent_again_to_another_service_goes_on_there_and_stores_nothing_twice() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let units: Vec<_> = (100..115).map(|code| code.to_string()).collect();
    let one = app.with_units(&units.iter().map(|code| (code.as_str(), None)).collect::<Vec<_>>());
    one.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"}))
        .expect(201);
    let fund =
        |n: usize| json!({"id": format!("f-{n}"), "unit": units[n / 100], "year": 2019, "name": format!("专项{n}")});
    let file = lines(&(0..1500).map(fund).collect::<Vec<_>>());
    let (second, query) = (app.another(), "resource=special_funds&mode=each&id=moved");
    let two = Client::new(second.base()).like(&one);
    let begun = import(&one.with("Prefer", "respond-async"), query, NDJSON, &file);
    assert!([201, 202].contains(&begun.status), "{}", begun.text());
    let ended = import(&two, query, NDJSON, &file).expect(200).json();
    assert_eq!(
        (&ended["state"], &ended["counts"]),
        (&json!("done"), &counts(1500, 0, 0, 0, 0))
    );
    let logged: Vec<String> = changes::table
        .filter(changes::resource.eq("special_fund"))
        .select(changes::key)
        .distinct()
        .load(&mut app.connect())
        .unwrap();
    let all: i64 = changes::table
        .filter(changes::resource.eq("special_fund"))
        .count()
        .get_result(&mut app.connect())
        .unwrap();
    assert_eq!((logged.len(), all), (1500, 1500));
}

#[test]
fn a_file_above_the_limit_is_refused() {
    let app = TestApp::start_with(Engine::Sqlite, |config| config.import_limit = 80).unwrap();
    let rows = lines(&[unit("219", None), unit("220", None)]);
    assert!(rows.len() > 80);
    import(&app.bureau(), "resource=units", NDJSON, &rows).problem(413, "body-too-large");
    assert_eq!(app.bureau().get("/api/v1/units").each("code"), [""; 0]);
}
