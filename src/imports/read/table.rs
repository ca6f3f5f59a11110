//! A table of texts, row by row: CSV, once its encoding is known, and what an XLSX sheet is turned into.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

use super::columns::{Columns, Heading};
use super::{LONGEST_ROW, RawRow, ReadRow};
use crate::fault::Text;
use crate::imports::fault::RowFault;

/// Rows of cells, each with its number, as the rows of a table with a heading.
pub struct Table<I> {
    rows: I,
    columns: Arc<Columns>,
    heading: Option<Heading>,
    ended: bool,
}

impl<I: Iterator<Item = Result<(u64, Vec<String>), RowFault>>> Table<I> {
    /// The table of these rows.
    pub fn new(rows: I, columns: Arc<Columns>) -> Self {
        Self {
            rows,
            columns,
            heading: None,
            ended: false,
        }
    }
}

impl<I: Iterator<Item = Result<(u64, Vec<String>), RowFault>>> Iterator for Table<I> {
    type Item = ReadRow;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.ended {
                return None;
            }
            let row = self.rows.next();
            let (number, cells) = match row {
                None if self.heading.is_none() => (1, Vec::new()),
                None => return None,
                Some(Ok(row)) => row,
                Some(Err(fault)) => {
                    self.ended = true;
                    return Some(Err(vec![fault]));
                }
            };
            let Some(heading) = &self.heading else {
                match Heading::read(number, &cells, &self.columns) {
                    Ok(heading) => {
                        self.heading = Some(heading);
                        continue;
                    }
                    Err(faults) => {
                        self.ended = true;
                        return Some(Err(faults));
                    }
                }
            };
            if let Some(json) = heading.row(number, &cells) {
                return Some(Ok(RawRow {
                    number,
                    json,
                    names: Some(heading.names().clone()),
                }));
            }
        }
    }
}

/// Hands a text on line by line and counts: the lines, and the bytes since the last row, so that a quotation mark that is never closed
/// does not take the file for a row.
struct Bounded<R> {
    from: R,
    read: Rc<Cell<usize>>,
    lines: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > LONGEST_ROW {
            return Err(io::Error::other(TOO_LONG));
        }
        let ahead = self.from.fill_buf()?;
        let ahead = &ahead[..ahead.len().min(into.len())];
        let end = ahead.iter().position(|&byte| byte == b'\n');
        let length = end.map_or(ahead.len(), |end| end + 1);
        into[..length].copy_from_slice(&ahead[..length]);
        self.from.consume(length);
        self.read.set(self.read.get() + length);
        self.lines.set(self.lines.get() + u64::from(end.is_some()));
        Ok(length)
    }
}

const TOO_LONG: &str = "row too long";

/// What is read after a text: a row of its own, unless a quotation mark was never closed; then it is the end of the last field, which
/// has swallowed all that came after the mark.
const END: &[u8] = b"\n\0the end of the file\0\n";

/// The records of a CSV text in UTF-8, each with its number as spreadsheets count rows: blank lines are rows there, and lines within a
/// cell are none.
pub fn csv_rows<R: Read>(from: R) -> impl Iterator<Item = Result<(u64, Vec<String>), RowFault>> {
    let (read, lines) = <(Rc<Cell<usize>>, Rc<Cell<u64>>)>::default();
    let bounded = Bounded {
        from: BufReader::new(from.chain(END)),
        read: read.clone(),
        lines: lines.clone(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bounded);
    let mut record = csv::StringRecord::new();
    let (mut number, mut within_cells) = (0, 0);
    std::iter::from_fn(move || {
        read.set(0);
        let outcome = reader.read_record(&mut record);
        let breaks = record.iter().flat_map(str::bytes).filter(|&byte| byte == b'\n').count();
        within_cells += breaks as u64;
        let last = record.iter().next_back();
        let unclosed = last.is_some_and(|field| field.as_bytes().ends_with(END));
        // What was read ends with the line of this row; not of one that swallowed the end or is too long, nor where lines end in another way.
        let ended = match outcome {
            Ok(_) => lines.get().saturating_sub(within_cells) + u64::from(unclosed),
            Err(_) => 0,
        };
        number = ended.max(number + 1);
        match outcome {
            Ok(false) => None,
            Ok(true) if record.len() == 1 && record[0].as_bytes() == END.trim_ascii() => None,
            Ok(true) if unclosed => Some(Err(RowFault::of_row(
                number,
                "unclosed_quote",
                Text::fixed(
                    "该行有引号未闭合，其后各行均被当作同一单元格，无法读取；请补上引号。",
                    "a quotation mark of the row is never closed, so that all that follows is one cell; close it",
                ),
            ))),
            Ok(true) => Some(Ok((number, record.iter().map(str::to_owned).collect()))),
            Err(error) => Some(Err(match error.kind() {
                csv::ErrorKind::Io(error) if error.to_string() == TOO_LONG => RowFault::too_long(number),
                csv::ErrorKind::Utf8 { .. } => RowFault::of_row(
                    number,
                    "not_utf8",
                    Text::fixed("该行含有无法识别的字符。", "the row has characters that cannot be read"),
                ),
                _ => RowFault::unreadable(number, &error.to_string()),
            })),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::contract::Contract;

    fn columns() -> Arc<Columns> {
        let contract = Contract::new(crate::app::openapi_json().unwrap().leak());
        Arc::new(Columns::new(Arc::new(contract), "UnitInput", &[("code", "UnitCode")]))
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_a_fault_of_its_row_wherever_the_text_ends() {
        for text in ["a,b\n1,\"2\n3,4\n", "a,b\n1,\"2", "a,b\n1,\"2\"\"\n3,4", "a,b\n1,\"\n"] {
            let rows: Vec<_> = csv_rows(text.as_bytes()).collect();
            assert_eq!(rows.len(), 2, "{text:?}");
            let fault = rows[1].as_ref().unwrap_err();
            assert_eq!((fault.row, fault.code.as_ref()), (2, "unclosed_quote"), "{text:?}");
        }
        // Marks within a cell are letters, and pairs are closed.
        for text in [
            "a\n5\" pipe\n",
            "a\n\"2\n3\"\n",
            "a\n\"\"\n",
            "a\n\"x\"\"\"",
            "a\n\"x\"",
        ] {
            let rows: Vec<_> = csv_rows(text.as_bytes()).collect();
            assert!(rows.iter().all(Result::is_ok), "{text:?}");
            assert_eq!(rows.len(), 2, "{text:?}");
        }
    }

    fn read(text: &str) -> Vec<ReadRow> {
        Table::new(csv_rows(text.as_bytes()), columns()).collect()
    }

    #[test]
    fn terms_and_paths_name_the_same_columns_and_cells_mean_what_their_column_holds() {
        let text = "预算单位编码,name,单位类别,上级单位编码,起始年度,predecessors,备注\n\
                    219001,\"开云镇,一\",乡镇,,2019,219000；219003,\n\
                    ,,,,,,\n\
                    219002,'=甲,town,219,\"2,020\",,\n";
        let rows = read(text);
        assert_eq!(rows[0].as_ref().unwrap_err()[0].code, "unknown_column");
        assert_eq!(rows[0].as_ref().unwrap_err()[0].column, "备注");
        assert_eq!(rows.len(), 1, "without a heading nothing can be read");

        let rows = read(&text.replace(",备注", ","));
        let read: Vec<(u64, Value)> = rows
            .into_iter()
            .map(|row| row.unwrap())
            .map(|row| (row.number, serde_json::from_slice(&row.json.unwrap()).unwrap()))
            .collect();
        assert_eq!(
            read,
            [
                (
                    2,
                    json!({"code": "219001", "name": "开云镇,一", "kind": "town", "valid_from": 2019,
                        "predecessors": ["219000", "219003"]})
                ),
                (
                    4,
                    json!({"code": "219002", "name": "=甲", "kind": "town", "parent": "219", "valid_from": 2020})
                ),
            ]
        );
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_does_not_take_the_file_for_a_row() {
        let text = format!("code,name\n219001,\"开云镇\n{}", "219002,乙\n".repeat(LONGEST_ROW / 8));
        let rows = read(&text);
        let faults = rows.last().unwrap().as_ref().unwrap_err();
        assert_eq!((faults[0].row, faults[0].code.as_str()), (2, "row_too_long"));
    }

    #[test]
    fn rows_are_numbered_as_spreadsheets_number_them_however_lines_end() {
        let text = "a,b\n1,2\n\n\n\"3\n\n\",4\n5,6\n\n7,\"8\n\"\n9,\"\n";
        for (ending, what) in [("\n", "Unix"), ("\r\n", "Windows")] {
            let text = text.replace('\n', ending);
            let numbers: Vec<u64> = csv_rows(text.as_bytes())
                .map(|row| row.map_or_else(|fault| fault.row, |(number, _)| number))
                .collect();
            assert_eq!(numbers, [1, 2, 5, 6, 8, 9], "{what}");
        }
        let numbers: Vec<u64> = csv_rows(b"a\r1\r2".as_slice()).map(|row| row.unwrap().0).collect();
        assert_eq!(numbers, [1, 2, 3], "the Macs of long ago");
    }

    #[test]
    fn a_file_without_a_heading_says_so() {
        assert_eq!(read("").pop().unwrap().unwrap_err()[0].code, "missing_heading");
    }
}
