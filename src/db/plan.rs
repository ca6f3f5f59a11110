//! How SQLite runs a statement, for tests.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};

use super::AnyConnection;

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The steps of its plan: `SEARCH …` for what is looked up, `SCAN …` for what is read through.
pub fn plan(conn: &mut AnyConnection, statement: &str) -> Vec<String> {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
        .load(conn)
        .unwrap();
    assert!(!steps.is_empty(), "{statement}");
    steps.into_iter().map(|step| step.detail).collect()
}
