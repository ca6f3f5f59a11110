//! Migrations while servers of the version before go on: expand, migrate, contract (see CONTRIBUTING.md).

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::both_engines;
use crate::support::{Engine, TestApp};

/// What a server of the version before may not survive, or what makes it wait: words of a statement that stand together.
const FORBIDDEN: &[&[&str]] = &[
    &["DROP", "TABLE"],
    &["DROP", "COLUMN"],
    &["DROP", "CONSTRAINT"],
    &["RENAME"],
    &["ALTER", "COLUMN"],
    &["SET", "NOT", "NULL"],
    &["ADD", "CONSTRAINT"],
    &["ADD", "CHECK"],
    &["ADD", "UNIQUE"],
    &["ADD", "FOREIGN"],
    &["TRUNCATE"],
    &["DELETE", "FROM"],
    &["CREATE", "TRIGGER"],
    // These outlive their transaction, or cannot be in one.
    &["CONCURRENTLY"],
    &["VACUUM"],
];

/// Statements that contract what no version that may still run uses: the folder, how the statement begins, since which version
/// it is not used.
const CONTRACTED: &[(&str, &str, &str)] = &[];

fn has(words: &[&str], wanted: &[&str]) -> bool {
    words.windows(wanted.len()).any(|window| window == wanted)
}

/// What is wrong with a statement, if something is. `new`: the tables that its own migration makes.
fn fault(statement: &str, new: &mut Vec<String>) -> Option<String> {
    let upper = statement.to_uppercase();
    let words: Vec<&str> = upper
        .split(|c: char| c.is_whitespace() || "(),;".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    match words.as_slice() {
        ["CREATE", "TABLE", name, ..] => {
            new.push((*name).to_owned());
            return None;
        }
        ["CREATE", "UNIQUE", "INDEX", _, "ON", table, ..] if !new.iter().any(|made| made == table) => {
            return Some("CREATE UNIQUE INDEX on a table that others write".to_owned());
        }
        // What others store has no value for it.
        ["ALTER", "TABLE", _, "ADD", rest @ ..] if has(rest, &["NOT", "NULL"]) && !has(rest, &["DEFAULT"]) => {
            return Some("ADD COLUMN … NOT NULL without DEFAULT".to_owned());
        }
        _ => {}
    }
    let found = FORBIDDEN.iter().find(|forbidden| has(&words, forbidden));
    found.map(|forbidden| forbidden.join(" "))
}

fn statements(sql: &str) -> impl Iterator<Item = String> {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn no_migration_takes_away_what_a_server_of_the_version_before_uses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let sql = std::fs::read_to_string(entry.path().join("up.sql")).unwrap();
        assert!(sql.starts_with("-- "), "{name} does not say why it is there");
        let mut new = Vec::new();
        for statement in statements(&sql) {
            seen += 1;
            let contracted = CONTRACTED
                .iter()
                .any(|(folder, begins, _)| *folder == name && statement.starts_with(begins));
            let fault = fault(&statement, &mut new).filter(|_| !contracted);
            assert_eq!(fault, None, "{name}: {statement}");
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn what_is_forbidden_in_a_migration_is_found() {
    for bad in [
        "DROP TABLE units",
        "alter table units\n  drop column name",
        "ALTER TABLE units RENAME COLUMN name TO title",
        "ALTER TABLE units RENAME TO offices",
        "ALTER TABLE units ALTER COLUMN name SET NOT NULL",
        "ALTER TABLE units ADD COLUMN a TEXT NOT NULL",
        "ALTER TABLE units ADD CONSTRAINT a CHECK (kind <> '')",
        "CREATE UNIQUE INDEX a ON units(name)",
        "DELETE FROM units WHERE code = '1'",
    ] {
        assert!(fault(bad, &mut Vec::new()).is_some(), "{bad}");
    }
    for good in [
        "ALTER TABLE units ADD COLUMN a TEXT",
        "ALTER TABLE units ADD COLUMN a BIGINT NOT NULL DEFAULT 0",
        "CREATE TABLE a (b TEXT NOT NULL REFERENCES units (code) ON DELETE CASCADE)",
        "CREATE INDEX a ON units (name)",
        "DROP INDEX a",
    ] {
        assert_eq!(fault(good, &mut Vec::new()), None, "{good}");
    }
}

both_engines! {
    fn a_running_server_goes_on_when_a_newer_one_has_added_to_its_tables(app) {
        let bureau = app.with_kaiyun();
        let unit = bureau.get("/api/v1/units/219001").expect(200).json();
        app.connect()
            .batch_execute(
                "ALTER TABLE units ADD COLUMN of_tomorrow BIGINT NOT NULL DEFAULT 1;
                 ALTER TABLE evaluations ADD COLUMN of_tomorrow TEXT;
                 ALTER TABLE changes ADD COLUMN of_tomorrow TEXT;
                 CREATE TABLE of_tomorrow (a TEXT);",
            )
            .unwrap();
        assert_eq!(bureau.get("/api/v1/units/219001").expect(200).json(), unit);
        bureau.put("/api/v1/units/219002", &json!({"name": "新", "kind": "town"})).expect(201);
        bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &json!({"staff": {"posts": 1}})).expect(201);
        bureau.get("/api/v1/units/219001/evaluations/2019/score").expect(200);
        bureau.delete("/api/v1/units/219002").expect(204);
    }
}

/// Else everyone who comes after the migration would wait behind it, for as long as the one who reads.
#[test]
fn a_migration_gives_up_a_lock_that_it_does_not_get_at_once_and_asks_again() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let bureau = app.with_kaiyun();
    // As it was before the last migration but one.
    app.connect()
        .batch_execute(
            "DROP TABLE report_templates; DELETE FROM __diesel_schema_migrations WHERE version = '20261125000013'",
        )
        .unwrap();
    let mut reader = app.connect_without_migrating();
    reader
        .batch_execute("BEGIN; SELECT * FROM fiscal_years; LOCK TABLE fiscal_years IN ACCESS SHARE MODE; LOCK TABLE fiscal_years IN ROW EXCLUSIVE MODE")
        .unwrap();
    std::thread::scope(|scope| {
        let migrates = scope.spawn(|| drop(app.connect()));
        let started = Instant::now();
        // Those who write meanwhile come through, between two attempts at the latest.
        while started.elapsed() < Duration::from_millis(2500) {
            bureau
                .patch("/api/v1/fiscal-years/2019", &json!({"status": "closed"}))
                .expect(200);
            assert!(!migrates.is_finished());
        }
        reader.batch_execute("ROLLBACK").unwrap();
        migrates.join().unwrap();
    });
    diesel::sql_query("SELECT year FROM report_templates")
        .execute(&mut reader)
        .unwrap();
}
