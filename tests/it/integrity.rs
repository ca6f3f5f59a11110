//! `jixiao check`: a sound database has no faults, and each of a set of corruptions is named.

use std::io::{Read, Seek, SeekFrom, Write};

use diesel::connection::SimpleConnection;
use jixiao::db::connection::{Access, connect};
use jixiao::db::{AnyConnection, Target};
use jixiao::integrity::{Kind, check};

use crate::both_engines;
use crate::support::full::fill;
use crate::support::process::run;
use crate::support::{Engine, TestApp};

both_engines! {
    fn a_full_database_is_sound_while_it_is_served(app) {
        fill(app);
        let report = jixiao::integrity::check(app.target()).unwrap();
        assert_eq!(report.faults, []);
        assert_eq!(report.units, 9);
        // Five submissions, of which two hold a fund.
        assert_eq!(report.scores, 5 + 2);
    }
}

/// What is done to a database behind the program's back, and what must be told: of which kind, and where.
struct Corruption {
    what: &'static str,
    sql: &'static str,
    kind: Kind,
    at: &'static str,
}

const fn corruption(what: &'static str, sql: &'static str, kind: Kind, at: &'static str) -> Corruption {
    Corruption { what, sql, kind, at }
}

const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";
const SUBMITTED: &str = "/api/v1/units/219002/evaluations/2019";
const DRAFT: &str = "/api/v1/units/219005/evaluations/2019";

/// On both engines.
const CORRUPTIONS: &[Corruption] = &[
    corruption(
        "a figure in a sheet",
        "UPDATE evaluations SET base_data = replace(base_data, '103', '102') WHERE unit_code = '219005'",
        Kind::NotAsLogged,
        "/api/v1/units/219005/evaluations/2019/base-data",
    ),
    corruption(
        "a figure in a sheet that was submitted",
        "UPDATE evaluations SET base_data = replace(base_data, '103', '102') WHERE unit_code = '219002'",
        Kind::NotAsSubmitted,
        SUBMITTED,
    ),
    corruption(
        "points in a submission",
        "UPDATE submissions SET document = replace(document, '\"12.5\"', '\"19.5\"') WHERE unit_code = '219002'",
        Kind::Score,
        "/api/v1/units/219002/evaluations/2019/submissions/1",
    ),
    corruption(
        "a figure in a submission",
        "UPDATE submissions SET document = replace(document, '103', '109') WHERE unit_code = '219004'",
        Kind::Score,
        "/api/v1/units/219004/evaluations/2019/submissions/1",
    ),
    corruption(
        "who submitted",
        "UPDATE submissions SET submitted_by = 'another' WHERE unit_code = '219003'",
        Kind::NotAsSubmitted,
        "/api/v1/units/219003/evaluations/2019/submissions/1",
    ),
    corruption(
        "a submission that is no document",
        "UPDATE submissions SET document = '{' WHERE unit_code = '219003'",
        Kind::Document,
        "/api/v1/units/219003/evaluations/2019/submissions/1",
    ),
    corruption(
        "a total in the rankings",
        "UPDATE standings SET points = points + 1000000 WHERE unit_code = '219002'",
        Kind::Standing,
        SUBMITTED,
    ),
    corruption(
        "a section in the rankings",
        "UPDATE standing_parts SET points = 0 WHERE unit_code = '219002' AND code = 'output'",
        Kind::Standing,
        SUBMITTED,
    ),
    corruption(
        "a place in the rankings",
        "DELETE FROM standing_parts WHERE unit_code = '219001'; DELETE FROM standings WHERE unit_code = '219001'",
        Kind::Standing,
        EVALUATION,
    ),
    corruption(
        "a place in the rankings for a draft",
        "INSERT INTO standings (year, unit_code, unit_kind, state, submission, scheme_id, low, high) \
        VALUES (2019, '219005', 'town', 'submitted', 1, 'trial', 0, 0)",
        Kind::Standing,
        DRAFT,
    ),
    corruption(
        "a standing of no submission",
        "UPDATE standings SET submission = 9 WHERE unit_code = '219002'",
        Kind::Orphan,
        "standings 219002/2019/9",
    ),
    corruption(
        "the state of an evaluation",
        "UPDATE evaluations SET state = 'approved' WHERE unit_code = '219003'",
        Kind::State,
        "/api/v1/units/219003/evaluations/2019",
    ),
    corruption(
        "a state that there is not",
        "UPDATE evaluations SET state = 'done' WHERE unit_code = '219003'",
        Kind::Document,
        "/api/v1/units/219003/evaluations/2019",
    ),
    corruption(
        "the points of a review",
        "UPDATE submissions SET review = replace(review, '\"13\"', '\"20\"') WHERE unit_code = '219001' AND number = 2",
        Kind::NotAsLogged,
        "/api/v1/units/219001/evaluations/2019/review",
    ),
    corruption(
        "an altered change",
        "UPDATE changes SET after = replace(after, '103', '100') WHERE resource = 'base_data'",
        Kind::Trail,
        "changes",
    ),
    corruption(
        "a deleted change",
        "DELETE FROM changes WHERE seq = 12",
        Kind::Trail,
        "changes",
    ),
    corruption(
        "the end of the log",
        "UPDATE change_head SET seq = seq - 1",
        Kind::Trail,
        "changes",
    ),
    corruption(
        "a name",
        "UPDATE units SET name = '改名' WHERE code = '302'",
        Kind::NotAsLogged,
        "/api/v1/units/302",
    ),
    corruption(
        "a place in the hierarchy",
        "UPDATE units SET path = '/302/' || code || '/' WHERE code = '219005'",
        Kind::Path,
        "/api/v1/units/219005",
    ),
    corruption(
        "a kind that there is not",
        "UPDATE units SET kind = 'castle' WHERE code = '302'",
        Kind::Document,
        "/api/v1/units/302",
    ),
    corruption(
        "a deleted unit",
        "DELETE FROM units WHERE code = '302'",
        Kind::NotAsLogged,
        "/api/v1/units/302",
    ),
    corruption(
        "a unit from nowhere",
        "INSERT INTO units (code, name, kind, path, version, created_at, updated_at) \
        VALUES ('999', '无', 'town', '/999/', 1, 'a', 'a')",
        Kind::NotAsLogged,
        "/api/v1/units/999",
    ),
    corruption(
        "a deleted special fund",
        "DELETE FROM special_funds WHERE id = 'f2'",
        Kind::NotAsLogged,
        "/api/v1/special-funds/f2",
    ),
    corruption(
        "a special fund's table",
        "UPDATE special_funds SET body = '{' WHERE id = 'f1'",
        Kind::Document,
        "/api/v1/special-funds/f1",
    ),
    corruption(
        "a scheme in force",
        "UPDATE scoring_schemes SET body = replace(body, '0.5', '5') WHERE id = 'trial'",
        Kind::NotAsLogged,
        "/api/v1/scoring-schemes/trial",
    ),
    corruption(
        "a frozen scheme",
        "UPDATE frozen_schemes SET body = replace(body, '0.5', '5') WHERE body LIKE '%试行标准%'",
        Kind::NotAsSubmitted,
        "/api/v1/frozen-schemes/",
    ),
    corruption(
        "the filing window",
        "UPDATE fiscal_years SET closes_on = '2199-01-01' WHERE year = 2019",
        Kind::NotAsLogged,
        "/api/v1/fiscal-years/2019",
    ),
    corruption(
        "a template",
        "DELETE FROM report_templates",
        Kind::NotAsLogged,
        "/api/v1/fiscal-years/2019/report-template",
    ),
    corruption(
        "the role of a token",
        "UPDATE tokens SET role = 'bureau' WHERE role = 'unit'",
        Kind::NotAsLogged,
        "/api/v1/tokens/",
    ),
    corruption(
        "the units of a token",
        "DELETE FROM token_units",
        Kind::Orphan,
        "/api/v1/tokens/",
    ),
    corruption(
        "where a webhook sends to",
        "UPDATE webhooks SET url = 'https://example.org/'",
        Kind::NotAsLogged,
        "/api/v1/webhooks/",
    ),
    corruption(
        "how far a webhook is",
        "UPDATE webhooks SET position = 100000",
        Kind::Webhook,
        "/api/v1/webhooks/",
    ),
    corruption(
        "a dead letter of no change",
        "UPDATE webhook_dead_letters SET number = 100000",
        Kind::Orphan,
        "webhook_dead_letters 100000",
    ),
    corruption(
        "the faults of an import",
        "DELETE FROM import_faults",
        Kind::Import,
        "/api/v1/imports/first",
    ),
    corruption(
        "the counts of an import",
        "UPDATE imports SET rows_created = 7",
        Kind::NotAsLogged,
        "/api/v1/imports/first",
    ),
    corruption(
        "a missing index",
        "DROP INDEX evaluations_by_state",
        Kind::Missing,
        "evaluations_by_state",
    ),
    corruption(
        "a missing column",
        "ALTER TABLE import_faults DROP COLUMN body",
        Kind::Missing,
        "import_faults.body",
    ),
    corruption(
        "a missing table",
        "DROP TABLE token_uses",
        Kind::Missing,
        "token_uses.token_id",
    ),
];

/// On SQLite, where one who has the file need not mind the rules of its tables.
const ON_SQLITE: &[Corruption] = &[
    corruption(
        "an orphan",
        "PRAGMA foreign_keys = OFF; DELETE FROM fiscal_years WHERE year = 2019",
        Kind::Orphan,
        "evaluations 2019",
    ),
    corruption(
        "an orphan unit",
        "PRAGMA foreign_keys = OFF; DELETE FROM units WHERE code = '219'",
        Kind::Orphan,
        "units 219",
    ),
];

/// On PostgreSQL, where a constraint can be taken off.
const ON_POSTGRES: &[Corruption] = &[
    corruption(
        "an orphan",
        "ALTER TABLE evaluations DROP CONSTRAINT evaluations_year_fkey; \
        ALTER TABLE special_funds DROP CONSTRAINT special_funds_year_fkey; \
        ALTER TABLE report_templates DROP CONSTRAINT report_templates_year_fkey; DELETE FROM fiscal_years WHERE year = 2019",
        Kind::Orphan,
        "evaluations 2019",
    ),
    corruption(
        "a constraint that is gone",
        "ALTER TABLE evaluations DROP CONSTRAINT evaluations_year_fkey",
        Kind::Missing,
        "evaluations",
    ),
    corruption(
        "a key twice",
        "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey; \
        INSERT INTO idempotency_keys SELECT * FROM idempotency_keys",
        Kind::Duplicate,
        "idempotency_keys",
    ),
];

#[track_caller]
fn named(target: &Target, Corruption { what, kind, at, .. }: &Corruption) {
    let faults = check(target).unwrap().faults;
    let named = faults
        .iter()
        .any(|fault| fault.kind == *kind && fault.at.starts_with(at));
    assert!(named, "{what}: {kind:?} {at} is not among {faults:#?}");
}

#[test]
fn each_corruption_of_sqlite_is_named() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    fill(&app);
    let (target, _place) = app.stopped();
    let Target::Sqlite(path) = &target else { panic!() };
    for corruption in CORRUPTIONS.iter().chain(ON_SQLITE) {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("jixiao.db");
        std::fs::copy(path, &copy).unwrap();
        let copy = Target::Sqlite(copy);
        let mut conn = connect(&copy, Access::Write).unwrap();
        conn.batch_execute(corruption.sql).unwrap();
        drop(conn);
        named(&copy, corruption);
    }
}

#[test]
fn each_corruption_of_postgres_is_named() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    fill(&app);
    let (target, _place) = app.stopped();
    for corruption in CORRUPTIONS.iter().chain(ON_POSTGRES) {
        let Some((copy, _place)) = crate::support::Place::new(Engine::Postgres) else {
            return;
        };
        jixiao::backup::restore::move_to(&target, &copy, false).unwrap();
        let mut conn = connect(&copy, Access::Write).unwrap();
        conn.batch_execute(corruption.sql).unwrap();
        drop(conn);
        named(&copy, corruption);
    }
}

#[test]
fn a_flipped_byte_in_the_file_is_named_with_what_to_do_and_the_command_ends_with_1() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    fill(&app);
    let (target, _place) = app.stopped();
    let Target::Sqlite(path) = &target else { panic!() };
    let mut conn = connect(&target, Access::Read).unwrap();
    let AnyConnection::Sqlite(_) = &conn else { panic!() };
    // The head of the page where the index of the units' places begins: how many cells it has.
    let page = jixiao::db::dynamic::all(
        &mut conn,
        "SELECT CAST(rootpage AS TEXT) FROM sqlite_master WHERE name = 'units_by_name'",
    )
    .unwrap();
    let page: u64 = page[0].shown().parse().unwrap();
    drop(conn);
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let at = (page - 1) * 8192 + 4;
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0x01]).unwrap();
    drop(file);
    let output = run(&[
        "check",
        "--json",
        "--database-url",
        &format!("sqlite:{}", path.display()),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let lines = String::from_utf8(output.stdout).unwrap();
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["kind"], "damaged", "{lines}");
    assert!(first["remedy_zh"].as_str().unwrap().contains("备份"), "{first}");
}
