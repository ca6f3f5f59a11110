//! Rows of tables that are known only at run time: every value as its text, whichever engine it comes from.

use diesel::backend::Backend;
use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql};
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::AnyConnection;
use super::catalogue::{Kind, Table};

/// The values of a row, each as its text; `None` for NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells(pub Vec<Option<String>>);

impl Cells {
    /// The texts, as one to show: what is NULL is left out.
    pub fn shown(&self) -> String {
        let texts: Vec<&str> = self.0.iter().flatten().map(String::as_str).collect();
        texts.join("/")
    }
}

impl<DB> QueryableByName<DB> for Cells
where
    DB: Backend,
    String: FromSql<Text, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let cell = |n: usize| {
            let field = Row::get(row, n).ok_or("a row is too short")?;
            <Option<String> as FromSql<Nullable<Text>, DB>>::from_nullable_sql(field.value())
        };
        (0..row.field_count()).map(cell).collect::<Result<_, _>>().map(Self)
    }
}

/// Walks the rows of a statement whose columns are all texts, one at a time: nothing is held.
///
/// # Errors
/// Those of the database, and what `each` fails with.
pub fn each<E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    sql: &str,
    mut each: impl FnMut(Cells) -> Result<(), E>,
) -> Result<(), E> {
    let query = diesel::sql_query(sql);
    match conn {
        AnyConnection::Sqlite(conn) => {
            for row in query.load_iter::<Cells, DefaultLoadingMode>(conn)? {
                each(row?)?;
            }
        }
        AnyConnection::Postgres(conn) => {
            for row in query.load_iter::<Cells, PgRowByRowLoadingMode>(conn)? {
                each(row?)?;
            }
        }
    }
    Ok(())
}

/// All rows of a statement that has few, whose columns are all texts.
///
/// # Errors
/// Those of the database.
pub fn all(conn: &mut AnyConnection, sql: &str) -> QueryResult<Vec<Cells>> {
    let mut rows = Vec::new();
    each(conn, sql, |row| {
        rows.push(row);
        Ok::<(), diesel::result::Error>(())
    })?;
    Ok(rows)
}

/// The statement that reads a whole table in the order of its key, which is the same on both engines.
pub fn select(conn: &AnyConnection, table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let name = &column.name;
            match column.kind {
                Kind::Text => format!("\"{name}\""),
                Kind::BigInt => format!("CAST(\"{name}\" AS TEXT)"),
                Kind::Bool => {
                    format!("CASE WHEN \"{name}\" IS NULL THEN NULL WHEN \"{name}\" THEN 'true' ELSE 'false' END")
                }
            }
        })
        .collect();
    let is_text = |name: &String| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.name == *name && column.kind == Kind::Text)
    };
    let key: Vec<String> = table
        .key
        .iter()
        .map(|name| match conn {
            AnyConnection::Postgres(_) if is_text(name) => format!("t.\"{name}\" COLLATE \"C\""),
            // Of the table: without the `t` PostgreSQL would take the text that is selected, and sort 10 before 9.
            _ => format!("t.\"{name}\""),
        })
        .collect();
    format!(
        "SELECT {} FROM \"{}\" t ORDER BY {}",
        columns.join(", "),
        table.name,
        key.join(", ")
    )
}

/// How many rows one statement inserts: see [`super::sql::ROWS_A_STATEMENT`]; PostgreSQL is far away and gets more.
pub fn rows_a_statement(conn: &AnyConnection) -> usize {
    match conn {
        AnyConnection::Sqlite(_) => super::sql::ROWS_A_STATEMENT,
        AnyConnection::Postgres(_) => 500,
    }
}

/// Inserts rows of a table, whose cells are in the order of its columns.
///
/// # Errors
/// Those of the database; a text that is no value of its column.
pub fn insert(conn: &mut AnyConnection, table: &Table, rows: Vec<Cells>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let mut sql = format!("INSERT INTO \"{}\" ({}) VALUES ", table.name, names.join(", "));
    let mut number = 0;
    for row in 0..rows.len() {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..names.len() {
            number += 1;
            let comma = if column == 0 { "" } else { ", " };
            match conn {
                AnyConnection::Sqlite(_) => sql.extend([comma, "?"]),
                AnyConnection::Postgres(_) => sql.push_str(&format!("{comma}${number}")),
            }
        }
        sql.push(')');
    }
    match conn {
        AnyConnection::Sqlite(conn) => bound(table, rows, &sql)?.execute(conn),
        AnyConnection::Postgres(conn) => bound(table, rows, &sql)?.execute(conn),
    }
    .map(drop)
}

type Bound<'a, DB> = diesel::query_builder::BoxedSqlQuery<'a, DB, diesel::query_builder::SqlQuery>;

fn bound<'a, DB>(table: &Table, rows: Vec<Cells>, sql: &str) -> QueryResult<Bound<'a, DB>>
where
    DB: Backend
        + diesel::sql_types::HasSqlType<Text>
        + diesel::sql_types::HasSqlType<BigInt>
        + diesel::sql_types::HasSqlType<Bool>
        + 'a,
    Option<String>: diesel::serialize::ToSql<Nullable<Text>, DB>,
    Option<i64>: diesel::serialize::ToSql<Nullable<BigInt>, DB>,
    Option<bool>: diesel::serialize::ToSql<Nullable<Bool>, DB>,
    diesel::query_builder::SqlQuery: QueryFragment<DB>,
{
    let mut query = diesel::sql_query(sql).into_boxed::<DB>();
    for row in rows {
        for (cell, column) in row.0.into_iter().zip(&table.columns) {
            query = match column.kind {
                Kind::Text => query.bind::<Nullable<Text>, _>(cell),
                Kind::BigInt => query.bind::<Nullable<BigInt>, _>(parsed::<i64>(cell)?),
                Kind::Bool => query.bind::<Nullable<Bool>, _>(parsed::<bool>(cell)?),
            };
        }
    }
    Ok(query)
}

fn parsed<T: std::str::FromStr>(cell: Option<String>) -> QueryResult<Option<T>> {
    let parse = |text: String| {
        let wrong = || diesel::result::Error::SerializationError(format!("{text:?} is no value of its column").into());
        text.parse().map_err(|_| wrong())
    };
    cell.map(parse).transpose()
}
