//! What docs/SCALING.md says of the tables is so, and nothing in them stands in the way of a county in front of every key.

use std::collections::BTreeMap;
use std::path::Path;

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};

use crate::support::{Engine, TestApp};

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    what: String,
}

/// The rows of the last table of the document: cells without their backticks.
fn documented() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SCALING.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, table) = text.rsplit_once("|---|---|---|---|\n").unwrap();
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    };
    table.lines().map(cells).collect()
}

/// Columns of keys of a kind (`p`, `u`), as `a, b`; several keys with ` / ` between.
const KEYS: &str = "SELECT c.conrelid::regclass::text AS name, \
     (SELECT string_agg(a.attname, ', ' ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place) \
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS what \
     FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.contype = ";

#[test]
fn every_table_is_in_the_document_with_its_keys() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let mut conn = app.connect();
    let mut keys = |kind: char| -> BTreeMap<String, String> {
        let found: Vec<Found> = diesel::sql_query(format!("{KEYS} '{kind}' ORDER BY 1, 2"))
            .load(&mut conn)
            .unwrap();
        let mut keys = BTreeMap::<String, String>::new();
        for Found { name, what } in found {
            let key = keys.entry(name).or_default();
            *key = if key.is_empty() {
                what
            } else {
                format!("{key} / {what}")
            };
        }
        keys.remove("__diesel_schema_migrations");
        keys
    };
    let (primary, unique) = (keys('p'), keys('u'));
    let documented = documented();
    let of = |column: usize| -> BTreeMap<String, String> {
        let cells = documented.iter().map(|row| (row[0].clone(), row[column].clone()));
        cells.filter(|(_, cell)| !cell.is_empty()).collect()
    };
    assert_eq!(of(1), primary);
    assert_eq!(of(2), unique);
    for row in &documented {
        let has_unit = row[0] == "units" || row[1].split(", ").any(|column| column == "unit_code");
        assert_eq!(row[3].starts_with("yes"), has_unit, "{row:?}");
    }
}

#[test]
fn nothing_would_leave_its_county() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let mut conn = app.connect();
    for (what, query) in [
        (
            "counted up by the database",
            "SELECT table_name::text AS name, column_name::text AS what FROM information_schema.columns \
             WHERE table_schema = 'public' AND (is_identity = 'YES' OR column_default LIKE 'nextval%')",
        ),
        (
            "a trigger, which shards do not carry along",
            "SELECT event_object_table::text AS name, trigger_name::text AS what FROM information_schema.triggers",
        ),
        (
            "a view or a sequence",
            "SELECT relname::text AS name, relkind::text AS what FROM pg_class \
             WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i', 't')",
        ),
        (
            "a type of its own",
            "SELECT table_name::text AS name, data_type::text AS what FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations' \
             AND data_type NOT IN ('text', 'bigint', 'boolean')",
        ),
        (
            "unique by an index that no key stands for, which the document would not show",
            "SELECT indrelid::regclass::text AS name, indexrelid::regclass::text AS what FROM pg_index \
             WHERE indisunique AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) \
             AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
        ),
    ] {
        let found: Vec<Found> = diesel::sql_query(query).load(&mut conn).unwrap();
        let found: Vec<_> = found.iter().map(|found| (&found.name, &found.what)).collect();
        assert_eq!(found, [], "{what}");
    }
}
