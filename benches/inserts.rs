//! The yardstick of `benches/imports/run.sh`: a loop that inserts units by one prepared statement in one transaction, with
//! nothing around it: no file, no rules, no change log.
//!
//! `cargo run --release --example inserts -- data/jixiao.db 1000000` prints rows per second; without a path it ends at once.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::time::Instant;

use diesel::prelude::*;
use jixiao::db::schema::units;
use jixiao::db::{AnyConnection, Target, now, open_once};
use jixiao::units::model::Row;

fn row(n: usize, at: &str) -> Row {
    let code = (1_000_000_000 + n).to_string();
    Row {
        name: format!("单位{n}"),
        kind: "town".to_owned(),
        parent_code: None,
        path: format!("/{code}/"),
        code,
        uscc: None,
        division_code: None,
        version: 1,
        created_at: at.to_owned(),
        updated_at: at.to_owned(),
        valid_from: None,
        valid_to: None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, count, ..] = arguments.as_slice() else {
        return;
    };
    let count: usize = count.parse().unwrap();
    let at = now();
    let rows: Vec<Row> = (0..count).map(|n| row(n, &at)).collect();
    let mut conn = open_once(&Target::parse(path)).unwrap();
    let started = Instant::now();
    conn.begin().unwrap();
    let AnyConnection::Sqlite(sqlite) = &mut conn else {
        panic!("{path} is not SQLite");
    };
    for row in &rows {
        diesel::insert_into(units::table).values(row).execute(sqlite).unwrap();
    }
    conn.commit().unwrap();
    println!("{}", count as u128 * 1_000_000 / started.elapsed().as_micros());
}
