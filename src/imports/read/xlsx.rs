//! The first sheet of an XLSX file, cell by cell.

use std::io::{Read, Seek};

use calamine::{DataRef, Reader, Xlsx};
use rust_decimal::Decimal;

use crate::imports::fault::RowFault;

/// Hands the rows of the first sheet that have cells to `each`, with their numbers, while it wants more.
pub fn rows<R: Read + Seek>(mut book: Xlsx<R>, mut each: impl FnMut(Result<(u64, Vec<String>), RowFault>) -> bool) {
    let mut unreadable = |row: u64, reason: String| {
        each(Err(RowFault::unreadable(row, &reason)));
    };
    let Some(sheet) = book.sheet_names().first().cloned() else {
        return unreadable(1, "no sheet".to_owned());
    };
    let mut cells = match book.worksheet_cells_reader(&sheet) {
        Ok(cells) => cells,
        Err(error) => return unreadable(1, error.to_string()),
    };
    let mut row: Option<(u32, Vec<String>)> = None;
    loop {
        let cell = match cells.next_cell() {
            Ok(cell) => cell,
            Err(error) => {
                let at = row.map_or(1, |(number, _)| u64::from(number) + 2);
                each(Err(RowFault::unreadable(at, &error.to_string())));
                return;
            }
        };
        let Some(cell) = cell else {
            break;
        };
        let (number, column) = cell.get_position();
        if let Some((current, done)) = row.take() {
            if current == number {
                row = Some((current, done));
            } else if !each(Ok((u64::from(current) + 1, done))) {
                return;
            }
        }
        let (_, texts) = row.get_or_insert_with(|| (number, Vec::new()));
        let column = column as usize;
        if column < MOST_COLUMNS {
            if texts.len() <= column {
                texts.resize(column + 1, String::new());
            }
            if let Some(place) = texts.get_mut(column) {
                *place = text(cell.get_value());
            }
        }
    }
    if let Some((number, done)) = row {
        each(Ok((u64::from(number) + 1, done)));
    }
}

/// More columns than any of our tables has.
const MOST_COLUMNS: usize = 2000;

/// What a cell shows.
pub fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => decimal(*number),
        DataRef::Bool(true) => "是".to_owned(),
        DataRef::Bool(false) => "否".to_owned(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::DateTime(date) => decimal(date.as_f64()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    }
}

/// A number of a spreadsheet as it shows it: it holds binary fractions and shows 15 digits of them, so that 0.1 + 0.2 is
/// 0.3 on the screen, and what is on the screen is what is meant.
pub fn decimal(number: f64) -> String {
    let digits = format!("{number:.14e}");
    match Decimal::from_scientific(&digits) {
        Ok(decimal) => decimal.normalize().to_string(),
        Err(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_the_spreadsheet_shows() {
        for (number, shown) in [
            (1166.07, "1166.07"),
            // 0.1 + 0.2 in binary.
            (0.300_000_000_000_000_04, "0.3"),
            (171.0, "171"),
            (-0.33, "-0.33"),
            (219_001_000_123.0, "219001000123"),
            (0.0, "0"),
        ] {
            assert_eq!(decimal(number), shown);
        }
    }
}
