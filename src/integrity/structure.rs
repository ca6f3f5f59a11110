//! The file, the tables, and what holds between rows whatever they mean.

use std::collections::BTreeSet;

use super::{Failure, Findings, Kind, MOST_ROWS};
use crate::db::AnyConnection;
use crate::db::catalogue::{Reference, Table};
use crate::db::dynamic;
use crate::fault::Text;

/// Has the engine look at its own files: SQLite at every page, PostgreSQL at its indexes, where `amcheck` is installed.
pub(super) fn file(conn: &mut AnyConnection, findings: &Findings) {
    let (sql, is_sqlite) = match conn {
        AnyConnection::Sqlite(_) => ("PRAGMA integrity_check(20)", true),
        AnyConnection::Postgres(_) => (
            "SELECT CAST(extname AS TEXT) FROM pg_extension WHERE extname = 'amcheck'",
            false,
        ),
    };
    match dynamic::all(conn, sql) {
        Ok(rows) if is_sqlite => {
            for message in rows.iter().map(dynamic::Cells::shown).filter(|message| message != "ok") {
                findings.add(
                    Kind::Damaged,
                    "sqlite",
                    Text::new(format!("数据库文件损坏：{message}。"), message),
                );
            }
        }
        Ok(rows) if rows.is_empty() => {}
        Ok(_) => indexes(conn, findings),
        Err(error) => findings.add(
            Kind::Damaged,
            "database",
            Text::new(format!("数据库文件损坏：{error}。"), error.to_string()),
        ),
    }
}

fn indexes(conn: &mut AnyConnection, findings: &Findings) {
    let all = "SELECT CAST(CAST(indexrelid AS regclass) AS TEXT) FROM pg_index JOIN pg_class c ON c.oid = indexrelid \
               JOIN pg_am am ON am.oid = c.relam \
               WHERE am.amname = 'btree' AND indisvalid AND c.relnamespace = CAST(current_schema() AS regnamespace)";
    let names = dynamic::all(conn, all).unwrap_or_default();
    for name in names.iter().map(dynamic::Cells::shown) {
        let look = format!("SELECT CAST(bt_index_check('{name}', true) AS TEXT)");
        if let Err(error) = dynamic::all(conn, &look) {
            findings.add(
                Kind::Damaged,
                name,
                Text::new(format!("索引损坏：{error}。"), error.to_string()),
            );
        }
    }
}

/// Whether the tables are there as the migrations make them; false if a table or column is missing.
pub(super) fn shape(conn: &mut AnyConnection, tables: &[Table], findings: &Findings) -> Result<bool, Failure> {
    let (columns, indexes) = match conn {
        AnyConnection::Sqlite(_) => (
            "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
            "SELECT name FROM sqlite_master WHERE type = 'index'",
        ),
        AnyConnection::Postgres(_) => (
            "SELECT CAST(table_name || '.' || column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema()",
            "SELECT CAST(c.relname AS TEXT) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             WHERE i.indisvalid AND c.relnamespace = CAST(current_schema() AS regnamespace)",
        ),
    };
    let mut names = |sql: &str| -> Result<BTreeSet<String>, Failure> {
        Ok(dynamic::all(conn, sql)?.iter().map(dynamic::Cells::shown).collect())
    };
    let (columns, indexes) = (names(columns)?, names(indexes)?);
    let mut is_whole = true;
    for table in tables {
        for column in &table.columns {
            let name = format!("{}.{}", table.name, column.name);
            if !columns.contains(&name) {
                is_whole = false;
                findings.add(
                    Kind::Missing,
                    name,
                    Text::fixed("缺少此列。", "this column is not there"),
                );
            }
        }
        for index in table.indexes.iter().filter(|index| !indexes.contains(*index)) {
            findings.add(
                Kind::Missing,
                index,
                Text::fixed("缺少此索引，或其无效。", "this index is not there, or not valid"),
            );
        }
    }
    if let AnyConnection::Postgres(_) = conn {
        constraints(conn, tables, findings)?;
    }
    Ok(is_whole)
}

/// PostgreSQL lets a constraint be taken off a table; SQLite does not.
fn constraints(conn: &mut AnyConnection, tables: &[Table], findings: &Findings) -> Result<(), Failure> {
    let found = dynamic::all(
        conn,
        "SELECT CAST(r.relname AS TEXT), CAST(c.contype AS TEXT), CAST(count(*) AS TEXT) FROM pg_constraint c \
         JOIN pg_class r ON r.oid = c.conrelid \
         WHERE c.convalidated AND c.contype IN ('p', 'f', 'u') AND c.connamespace = CAST(current_schema() AS regnamespace) \
         GROUP BY r.relname, c.contype",
    )?;
    let count = |table: &str, kind: &str| {
        let row = found.iter().find(|row| {
            row.0.first().is_some_and(|name| name.as_deref() == Some(table))
                && row.0.get(1).is_some_and(|word| word.as_deref() == Some(kind))
        });
        row.and_then(|row| row.0.get(2)?.as_deref()?.parse().ok()).unwrap_or(0)
    };
    for table in tables {
        for (kind, wanted, text) in [
            ("p", 1, Text::fixed("缺少主键约束。", "its primary key is not there")),
            (
                "f",
                table.references.len(),
                Text::fixed(
                    "缺少外键约束，或其未经校验。",
                    "a foreign key is not there, or was not validated",
                ),
            ),
        ] {
            if count(&table.name, kind) < wanted {
                findings.add(Kind::Missing, &table.name, text);
            }
        }
    }
    Ok(())
}

/// What refers to another row without a foreign key.
struct Meant {
    table: &'static str,
    columns: &'static [&'static str],
    /// On what condition.
    when: &'static str,
    parent: &'static str,
    parent_columns: &'static [&'static str],
}

const fn of_submission(table: &'static str, when: &'static str) -> Meant {
    Meant {
        table,
        columns: &["unit_code", "year", "submission"],
        when,
        parent: "submissions",
        parent_columns: &["unit_code", "year", "number"],
    }
}

const MEANT: [Meant; 4] = [
    of_submission("standings", "TRUE"),
    of_submission("evaluations", "c.submission > 0"),
    of_submission("evaluation_events", "c.submission > 0"),
    Meant {
        table: "webhook_dead_letters",
        columns: &["number"],
        when: "TRUE",
        parent: "changes",
        parent_columns: &["seq"],
    },
];

/// Keys that rows share, and rows that refer to what is not there.
pub(super) fn rows(conn: &mut AnyConnection, tables: &[Table], findings: &Findings) {
    for table in tables {
        for key in [&table.key].into_iter().chain(&table.unique) {
            findings.step(conn, &table.name, |conn| duplicates(conn, &table.name, key, findings));
        }
        for reference in &table.references {
            findings.step(conn, &table.name, |conn| {
                orphans(conn, &table.name, reference, "TRUE", findings)
            });
        }
    }
    for meant in &MEANT {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let reference = Reference {
            columns: owned(meant.columns),
            parent: meant.parent.to_owned(),
            parent_columns: owned(meant.parent_columns),
        };
        findings.step(conn, meant.table, |conn| {
            orphans(conn, meant.table, &reference, meant.when, findings)
        });
    }
}

fn duplicates(conn: &mut AnyConnection, table: &str, key: &[String], findings: &Findings) -> Result<(), Failure> {
    let texts: Vec<String> = key.iter().map(|name| format!("CAST(\"{name}\" AS TEXT)")).collect();
    let there: Vec<String> = key.iter().map(|name| format!("\"{name}\" IS NOT NULL")).collect();
    let names: Vec<String> = key.iter().map(|name| format!("\"{name}\"")).collect();
    let sql = format!(
        "SELECT {} FROM \"{table}\" WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT {MOST_ROWS}",
        texts.join(", "),
        there.join(" AND "),
        names.join(", ")
    );
    for row in dynamic::all(conn, &sql)? {
        let text = Text::new(
            format!("键重复（{}）。", key.join("、")),
            format!("several rows have the same {}", key.join(", ")),
        );
        findings.add(Kind::Duplicate, format!("{table} {}", row.shown()), text);
    }
    Ok(())
}

fn orphans(
    conn: &mut AnyConnection,
    table: &str,
    reference: &Reference,
    when: &str,
    findings: &Findings,
) -> Result<(), Failure> {
    let Reference {
        columns,
        parent,
        parent_columns,
    } = reference;
    let texts: Vec<String> = columns
        .iter()
        .map(|name| format!("CAST(c.\"{name}\" AS TEXT)"))
        .collect();
    let there: Vec<String> = columns.iter().map(|name| format!("c.\"{name}\" IS NOT NULL")).collect();
    let same: Vec<String> = columns
        .iter()
        .zip(parent_columns)
        .map(|(own, its)| format!("p.\"{its}\" = c.\"{own}\""))
        .collect();
    let sql = format!(
        "SELECT {} FROM \"{table}\" c WHERE {} AND {when} AND NOT EXISTS (SELECT 1 FROM \"{parent}\" p WHERE {}) LIMIT {MOST_ROWS}",
        texts.join(", "),
        there.join(" AND "),
        same.join(" AND ")
    );
    for row in dynamic::all(conn, &sql)? {
        let text = Text::new(
            format!("所引用的{parent}记录不存在（{}）。", columns.join("、")),
            format!("what it refers to is not in {parent} ({})", columns.join(", ")),
        );
        findings.add(Kind::Orphan, format!("{table} {}", row.shown()), text);
    }
    Ok(())
}
