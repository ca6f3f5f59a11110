//! Which tables there are: read from what the migrations make of an empty SQLite database in memory, so that a table which is
//! added cannot be forgotten, and that what a real database should look like is known.

use std::error::Error;

use diesel::{Connection, SqliteConnection};

use super::AnyConnection;
use super::dynamic;
use super::migrate::{self, Versions};

type Failure = Box<dyn Error + Send + Sync>;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TEXT.
    Text,
    /// BIGINT.
    BigInt,
    /// BOOLEAN.
    Bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

/// That columns of a table name a row of another one, or of the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// The columns.
    pub columns: Vec<String>,
    /// The table that is referred to.
    pub parent: String,
    /// Its columns, in the same order.
    pub parent_columns: Vec<String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// The columns of its primary key.
    pub key: Vec<String>,
    /// What else is unique.
    pub unique: Vec<Vec<String>>,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// The names of its indexes, those aside that keys have by themselves.
    pub indexes: Vec<String>,
    /// How many rows migrations put there.
    pub born_with: i64,
}

/// The tables that some migrations make, by name.
///
/// # Errors
/// A column that is neither TEXT nor BIGINT nor BOOLEAN, or a table without a key: a migration that must not be.
pub fn tables(versions: &Versions) -> Result<Vec<Table>, Failure> {
    let mut conn = AnyConnection::Sqlite(SqliteConnection::establish(":memory:")?);
    migrate::run_only(&mut conn, versions)?;
    let names = dynamic::all(
        &mut conn,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name <> '__diesel_schema_migrations' ORDER BY name",
    )?;
    names.iter().map(|row| table(&mut conn, &row.shown())).collect()
}

fn table(conn: &mut AnyConnection, name: &str) -> Result<Table, Failure> {
    let mut texts = |sql: &str| -> Result<Vec<Vec<String>>, Failure> {
        let rows = dynamic::all(conn, sql)?;
        Ok(rows
            .into_iter()
            .map(|row| row.0.into_iter().flatten().collect())
            .collect())
    };
    let mut columns = Vec::new();
    for row in texts(&format!(
        "SELECT name, upper(type) FROM pragma_table_info('{name}') ORDER BY cid"
    ))? {
        let kind = match row[1].as_str() {
            "TEXT" => Kind::Text,
            "BIGINT" => Kind::BigInt,
            "BOOLEAN" => Kind::Bool,
            other => return Err(format!("{name}.{}: {other} is neither TEXT nor BIGINT nor BOOLEAN", row[0]).into()),
        };
        columns.push(Column {
            name: row[0].clone(),
            kind,
        });
    }
    let key: Vec<String> = texts(&format!(
        "SELECT name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk"
    ))?
    .into_iter()
    .flatten()
    .collect();
    if key.is_empty() {
        return Err(format!("{name} has no primary key").into());
    }
    let mut unique = Vec::new();
    for row in texts(&format!(
        "SELECT name FROM pragma_index_list('{name}') WHERE \"unique\" AND origin <> 'pk'"
    ))? {
        let of = texts(&format!(
            "SELECT name FROM pragma_index_info('{}') ORDER BY seqno",
            row[0]
        ))?;
        unique.push(of.into_iter().flatten().collect());
    }
    let mut references: Vec<Reference> = Vec::new();
    let list = "SELECT CAST(seq AS TEXT), \"table\", \"from\", \"to\" FROM pragma_foreign_key_list";
    for row in texts(&format!("{list}('{name}') ORDER BY id, seq"))? {
        if row[0] == "0" {
            references.push(Reference {
                parent: row[1].clone(),
                ..Reference::default()
            });
        }
        if let Some(reference) = references.last_mut() {
            reference.columns.push(row[2].clone());
            reference.parent_columns.push(row[3].clone());
        }
    }
    let made =
        format!("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{name}' AND sql IS NOT NULL");
    let indexes = texts(&made)?.into_iter().flatten().collect();
    let born_with = texts(&format!("SELECT CAST(count(*) AS TEXT) FROM \"{name}\""))?;
    Ok(Table {
        name: name.to_owned(),
        columns,
        key,
        unique,
        references,
        indexes,
        born_with: born_with
            .into_iter()
            .flatten()
            .next()
            .and_then(|count| count.parse().ok())
            .unwrap_or(0),
    })
}

/// How many rows a table has.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut AnyConnection, table: &str) -> diesel::QueryResult<i64> {
    let rows = dynamic::all(conn, &format!("SELECT CAST(count(*) AS TEXT) FROM \"{table}\""))?;
    Ok(rows.first().and_then(|row| row.shown().parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_that_queries_name_is_in_the_catalogue_with_its_columns() {
        let known: Versions = migrate::known()
            .unwrap()
            .into_iter()
            .map(|(version, _)| version)
            .collect();
        let tables = tables(&known).unwrap();
        let schema = include_str!("schema.rs");
        let declared = schema.matches("diesel::table! {").count();
        assert_eq!(tables.len(), declared);
        for table in &tables {
            assert!(schema.contains(&format!("\n    {} (", table.name)), "{}", table.name);
        }
        let find = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
        let submissions = find("submissions");
        assert_eq!(submissions.key, ["unit_code", "year", "number"]);
        assert_eq!(submissions.references.len(), 2);
        assert_eq!(find("change_head").born_with, 1);
        assert_eq!(find("special_funds").unique, [["unit_code", "year", "name"]]);
        assert_eq!(find("standings").indexes.len(), 3);
    }

    #[test]
    fn of_an_older_version_only_its_own_tables_are_there() {
        let first: Versions = migrate::known()
            .unwrap()
            .into_iter()
            .take(1)
            .map(|(version, _)| version)
            .collect();
        let names: Vec<String> = tables(&first).unwrap().into_iter().map(|table| table.name).collect();
        assert_eq!(
            names,
            [
                "evaluations",
                "fiscal_years",
                "scoring_schemes",
                "special_funds",
                "token_units",
                "tokens",
                "units"
            ]
        );
    }
}
