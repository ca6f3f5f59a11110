//! Rows as lines of JSON or as a table in CSV.

use serde_json::Value;

use crate::http::problem::Problem;
use crate::imports::read::columns::{Column, cells};

/// How rows are written.
#[derive(Debug)]
pub enum Form {
    /// One JSON object a line.
    Ndjson,
    /// Values with commas between them, under a heading of these columns.
    Csv(Vec<Column>),
}

impl Form {
    /// What stands before the first row. A table begins with a byte order mark, by which spreadsheets know that it is UTF-8.
    ///
    /// # Errors
    /// None for a program that passed its tests.
    pub fn beginning(&self) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Ndjson => Ok(Vec::new()),
            Self::Csv(columns) => {
                let heading = columns.iter().map(|column| column.term.as_str());
                let heading = csv([heading])?;
                Ok(["\u{feff}".as_bytes(), &heading].concat())
            }
        }
    }

    /// Rows as they follow one another.
    ///
    /// # Errors
    /// None for a program that passed its tests.
    pub fn write(&self, rows: &[Value]) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Ndjson => {
                let mut lines = Vec::new();
                for row in rows {
                    serde_json::to_writer(&mut lines, row).map_err(|error| Problem::internal(error.to_string()))?;
                    lines.push(b'\n');
                }
                Ok(lines)
            }
            Self::Csv(columns) => csv(rows.iter().map(|row| cells(row, columns))),
        }
    }
}

/// Records in CSV, with the ends of lines of RFC 4180.
fn csv<R: IntoIterator<Item: AsRef<[u8]>>>(records: impl IntoIterator<Item = R>) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for record in records {
        writer
            .write_record(record)
            .map_err(|error| Problem::internal(error.to_string()))?;
    }
    writer
        .into_inner()
        .map_err(|error| Problem::internal(error.to_string()))
}
