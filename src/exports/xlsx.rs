//! Rows as a workbook of one sheet. It is written to the disk row by row and sent from there, since what stands at its front is
//! only known at its end.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};
use serde_json::Value;

use crate::http::kinds;
use crate::http::problem::Problem;
use crate::imports::read::columns::{Column, Kind, cells};
use crate::imports::read::xlsx::decimal;

/// How many rows a sheet has below its heading.
const MOST_ROWS: u32 = 1_048_575;

/// A workbook that is being written.
pub struct Sheet {
    book: Workbook,
    columns: Vec<Column>,
    rows: u32,
}

impl Sheet {
    /// A sheet with a heading of these columns, kept in `folder` while it grows.
    ///
    /// # Errors
    /// 507 when the disk is full.
    pub fn new(title: &str, columns: Vec<Column>, folder: &Path) -> Result<Self, Problem> {
        let begin = || -> Result<Workbook, XlsxError> {
            let mut book = Workbook::new();
            book.set_tempdir(folder)?;
            // The time now would make two exports of the same rows differ.
            let epoch = ExcelDateTime::from_timestamp(0)?;
            book.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
            let sheet = book.add_worksheet_with_constant_memory()?;
            sheet.set_name(title)?.set_freeze_panes(1, 0)?;
            for (column, n) in columns.iter().zip(0..) {
                sheet.write_string(0, n, &column.term)?;
            }
            Ok(book)
        };
        let book = begin().map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self { book, columns, rows: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// 406 for more rows than a sheet has, or more text than a cell holds; 500 when the disk is full.
    pub fn add(&mut self, rows: &[Value]) -> Result<(), Problem> {
        let failed = |error: XlsxError| Problem::internal(error.to_string());
        let sheet = self.book.worksheet_from_index(0).map_err(failed)?;
        for row in rows {
            if self.rows == MOST_ROWS {
                return Err(unfit(
                    format!("数据超过{MOST_ROWS}行，XLSX工作表无法容纳"),
                    format!("There are more than {MOST_ROWS} rows, which no XLSX sheet holds"),
                ));
            }
            self.rows += 1;
            for (n, (column, cell)) in self.columns.iter().zip(cells(row, &self.columns)).enumerate() {
                match write(sheet, (self.rows, u16::try_from(n).unwrap_or(u16::MAX)), column, &cell) {
                    Err(XlsxError::MaxStringLengthExceeded) => {
                        return Err(unfit(
                            format!(
                                "第{}行“{}”超过32767个字符，XLSX单元格无法容纳",
                                self.rows + 1,
                                column.term
                            ),
                            format!(
                                "Row {} has more than 32,767 characters in \"{}\", which no XLSX cell holds",
                                self.rows + 1,
                                column.path
                            ),
                        ));
                    }
                    written => written.map_err(failed)?,
                }
            }
        }
        Ok(())
    }

    /// The workbook as a file in `folder`, which is gone when it is dropped, and its length in bytes.
    ///
    /// # Errors
    /// 500 when the disk is full.
    pub fn finish(mut self, folder: &Path) -> Result<(File, u64), Problem> {
        let mut save = || -> Result<(File, u64), XlsxError> {
            let mut file = tempfile::tempfile_in(folder)?;
            self.book.save_to_writer(&mut file)?;
            let length = file.stream_position()?;
            file.seek(SeekFrom::Start(0))?;
            Ok((file, length))
        };
        save().map_err(|error| match &error {
            XlsxError::IoError(io) => Problem::of_file("a workbook cannot be kept", io),
            _ => Problem::internal(error.to_string()),
        })
    }
}

/// Writes a cell: a number where the sheet shows exactly its digits, everything else as text, which no spreadsheet changes.
fn write(sheet: &mut Worksheet, (row, n): (u32, u16), column: &Column, cell: &str) -> Result<(), XlsxError> {
    let number = match column.kind {
        Kind::Decimal | Kind::Integer => cell.parse().ok().filter(|number| decimal(*number) == cell),
        _ => None,
    };
    match number {
        Some(number) => sheet.write_number(row, n, number)?,
        None if cell.is_empty() => sheet,
        None => sheet.write_string(row, n, cell)?,
    };
    Ok(())
}

fn unfit(zh: String, en: String) -> Problem {
    Problem::new(
        &kinds::NOT_ACCEPTABLE,
        format!("{zh}，请改用text/csv或application/x-ndjson。"),
        format!("{en}; take text/csv or application/x-ndjson."),
    )
}
