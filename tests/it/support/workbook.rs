//! Workbooks as tests see them: cells by address, to look at, to fill in and to damage.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use calamine::{DataRef, Reader, Xlsx};
use rust_xlsxwriter::{Format, Formula, Workbook};

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Number(f64),
    Text(String),
    Date(f64),
    /// A share of 1 that is shown in percent.
    Percent(f64),
    /// A formula and its result.
    Formula(String, String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// A sheet.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub name: String,
    pub cells: BTreeMap<(u32, u32), Cell>,
    /// Merged ranges: first and last cell.
    pub merges: Vec<((u32, u32), (u32, u32))>,
}

/// A workbook.
#[derive(Debug, Clone)]
pub struct Book(pub Vec<Sheet>);

/// Row and column of an address such as `F7`.
pub fn at(address: &str) -> (u32, u32) {
    let digits = address.find(|c: char| c.is_ascii_digit()).unwrap();
    let (letters, row) = address.split_at(digits);
    let column = letters.bytes().fold(0, |n, b| n * 26 + u32::from(b - b'A') + 1);
    (row.parse::<u32>().unwrap() - 1, column - 1)
}

impl Sheet {
    /// The cell at an address; `None` if it is empty.
    pub fn get(&self, address: &str) -> Option<&Cell> {
        self.cells.get(&at(address))
    }

    /// The number at an address, whether it was put in or worked out.
    #[track_caller]
    pub fn number(&self, address: &str) -> f64 {
        match self.get(address) {
            Some(Cell::Number(number)) => *number,
            Some(Cell::Formula(_, result)) => result.parse().unwrap(),
            other => panic!("{}!{address}: {other:?}", self.name),
        }
    }

    /// The text at an address.
    #[track_caller]
    pub fn text(&self, address: &str) -> &str {
        match self.get(address) {
            Some(Cell::Text(text)) => text,
            other => panic!("{}!{address}: {other:?}", self.name),
        }
    }

    pub fn set(&mut self, address: &str, cell: impl Into<Cell>) -> &mut Self {
        self.cells.insert(at(address), cell.into());
        self
    }

    pub fn clear(&mut self, address: &str) -> &mut Self {
        self.cells.remove(&at(address));
        self
    }

    /// Puts every cell where `to` says; `None` leaves it out. Formulas follow their cells, and keep their results.
    pub fn moved(&mut self, to: impl Fn(u32, u32) -> Option<(u32, u32)>) {
        let cells = std::mem::take(&mut self.cells).into_iter();
        self.cells = cells
            .filter_map(|((row, column), cell)| {
                let cell = match cell {
                    Cell::Formula(formula, result) => Cell::Formula(follow(&formula, &to), result),
                    other => other,
                };
                Some((to(row, column)?, cell))
            })
            .collect();
        self.merges.clear();
    }
}

/// A formula whose cells were put elsewhere.
fn follow(formula: &str, to: impl Fn(u32, u32) -> Option<(u32, u32)>) -> String {
    let mut moved = String::new();
    let mut word = String::new();
    for next in formula.chars().chain([' ']) {
        if next.is_ascii_alphanumeric() {
            word.push(next);
            continue;
        }
        let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = &word[letters..];
        let is_address = letters > 0 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match is_address.then(|| at(&word)).and_then(|(row, column)| to(row, column)) {
            Some((row, column)) => {
                let column = u16::try_from(column).unwrap();
                moved.push_str(&rust_xlsxwriter::utility::row_col_to_cell(row, column));
            }
            None => moved.push_str(&word),
        }
        word.clear();
        moved.push(next);
    }
    moved.trim_end().to_owned()
}

impl Book {
    /// Opens a workbook.
    #[track_caller]
    pub fn open(bytes: &[u8]) -> Self {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
        let mut sheets = Vec::new();
        for name in book.sheet_names() {
            let mut cells = BTreeMap::new();
            let mut reader = book.worksheet_cells_reader(&name).unwrap();
            while let Some(found) = reader.next_cell_with_formula().unwrap() {
                let shown = match &found.value {
                    DataRef::Empty => String::new(),
                    DataRef::Float(number) => number.to_string(),
                    DataRef::String(text) => text.clone(),
                    DataRef::SharedString(text) => (*text).to_owned(),
                    other => format!("{other:?}"),
                };
                let cell = match (found.formula, &found.value) {
                    (Some(formula), _) => Cell::Formula(formula, shown),
                    (None, DataRef::Float(number)) => Cell::Number(*number),
                    (None, DataRef::Empty) => continue,
                    (None, _) => Cell::Text(shown),
                };
                cells.insert(found.pos, cell);
            }
            drop(reader);
            let merges = book.merge_cells_by_sheet_name(&name).unwrap();
            sheets.push(Sheet {
                name,
                cells,
                merges: merges.into_iter().map(|merge| (merge.start, merge.end)).collect(),
            });
        }
        Self(sheets)
    }

    /// The sheet of that name.
    #[track_caller]
    pub fn sheet(&mut self, name: &str) -> &mut Sheet {
        let found = self.0.iter_mut().find(|sheet| sheet.name == name);
        found.unwrap_or_else(|| panic!("no sheet {name}"))
    }

    /// The workbook as a file.
    pub fn save(&self) -> Vec<u8> {
        let mut book = Workbook::new();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        let percent = Format::new().set_num_format("0%");
        for sheet in &self.0 {
            let page = book.add_worksheet();
            page.set_name(&sheet.name).unwrap();
            let plain = Format::new();
            for (from, to) in &sheet.merges {
                page.merge_range(from.0, from.1 as u16, to.0, to.1 as u16, "", &plain)
                    .unwrap();
            }
            for ((row, column), cell) in &sheet.cells {
                let column = u16::try_from(*column).unwrap();
                match cell {
                    Cell::Number(number) => page.write_number(*row, column, *number),
                    Cell::Text(text) => page.write_string(*row, column, text),
                    Cell::Percent(share) => page.write_number_with_format(*row, column, *share, &percent),
                    Cell::Date(day) => page.write_number_with_format(*row, column, *day, &date),
                    Cell::Formula(formula, result) => {
                        page.set_formula_result_default("");
                        page.write_formula(*row, column, Formula::new(formula).set_result(result))
                    }
                }
                .unwrap();
            }
        }
        book.save_to_buffer().unwrap()
    }
}

/// The same workbook, in which no formula has a result.
pub fn without_results(book: &[u8]) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..from.len() {
        let mut part = from.by_index(n).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if name.starts_with("xl/worksheets/sheet") {
            let text = String::from_utf8(bytes).unwrap();
            let mut rest = text.as_str();
            let mut kept = String::new();
            while let Some(end) = rest.find("</f><v>") {
                kept.push_str(&rest[..end + "</f>".len()]);
                rest = &rest[end..];
                rest = &rest[rest.find("</v>").unwrap() + "</v>".len()..];
            }
            kept.push_str(rest);
            bytes = kept.into_bytes();
        }
        to.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}
