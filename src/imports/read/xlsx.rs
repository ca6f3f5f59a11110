//! The first sheet of an XLSX file, cell by cell.

use std::io::{self, BufReader, Read, Seek};

use calamine::{DataRef, Reader, Xlsx};
use quick_xml::events::Event;
use rust_decimal::Decimal;

use crate::imports::fault::RowFault;

/// How large the texts of a workbook may be, in bytes: its reader holds them all, while it takes sheets cell by cell.
const MOST_TEXTS: u64 = 256 << 20;

/// Looks at what a workbook would have its reader hold: a small file can unpack to any size, and say of itself that it has
/// any number of texts, for which room is made before they are read.
///
/// # Errors
/// Why it is not to be opened. What is no workbook passes: its reader knows better what is wrong.
pub fn check_texts<R: Read + Seek>(file: R) -> Result<(), &'static str> {
    let Ok(mut zip) = zip::ZipArchive::new(file) else {
        return Ok(());
    };
    for number in 0..zip.len() {
        let Ok(entry) = zip.by_index(number) else {
            continue;
        };
        let holds_texts = |name: &str| name.to_ascii_lowercase().ends_with("sharedstrings.xml");
        if !entry.name().is_ok_and(|name| holds_texts(&name)) {
            continue;
        }
        let (said, bytes) = texts(entry.take(MOST_TEXTS + 1));
        if bytes > MOST_TEXTS {
            return Err("its texts take more than 256 MB");
        }
        // None is shorter than `<si/>`.
        if said > bytes / 5 {
            return Err("it says that it has more texts than it can have");
        }
    }
    Ok(())
}

/// How many texts a part says that it has (0 where it does not), and how many bytes it is long.
fn texts(part: impl Read) -> (u64, u64) {
    let mut xml = quick_xml::Reader::from_reader(BufReader::new(part));
    let mut buffer = Vec::new();
    let said = loop {
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(element) | Event::Empty(element)) if element.local_name().as_ref() == "sst" => {
                let count = element.try_get_attribute("uniqueCount").ok().flatten();
                // A number that is too large for this is too large.
                break count.map_or(0, |count| count.value.trim().parse().unwrap_or(u64::MAX));
            }
            Ok(Event::Eof) | Err(_) => break 0,
            Ok(_) => buffer.clear(),
        }
    };
    let before = xml.buffer_position();
    let after = io::copy(xml.get_mut(), &mut io::sink()).unwrap_or_default();
    (said, before + after)
}

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
