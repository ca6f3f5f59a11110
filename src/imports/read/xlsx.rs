//! The first sheet of an XLSX file, cell by cell.

use std::io::{self, BufReader, Read, Seek};

use calamine::{DataRef, Reader, Xlsx};
use quick_xml::events::Event;
use rust_decimal::Decimal;

use super::columns::MOST_COLUMNS;
use crate::imports::fault::RowFault;

/// How large the texts of a workbook may be, in bytes: its reader holds them all, while it takes sheets cell by cell.
const MOST_TEXTS: u64 = 256 << 20;

/// How large each of the other parts may be that its reader holds, in bytes: styles, names of sheets, relations. It makes of each
/// many times as much.
const MOST_HELD: u64 = 16 << 20;

/// How large all sheets together may be to be read as forms, in bytes: of these it holds which cells are merged.
const MOST_FORMS: u64 = 64 << 20;

/// Looks at what a workbook would have its reader hold: a small file can unpack to any size, and say of itself that it has
/// any number of texts, for which room is made before they are read. Whether its sheets are as small as those of forms.
///
/// # Errors
/// Why it is not to be opened. What is no workbook passes: its reader knows better what is wrong.
pub fn check_parts<R: Read + Seek>(file: R) -> Result<bool, &'static str> {
    let Ok(mut zip) = zip::ZipArchive::new(file) else {
        return Ok(true);
    };
    let relations = relations(&mut zip);
    let mut sheets = 0;
    for number in 0..zip.len() {
        let Ok(entry) = zip.by_index(number) else {
            continue;
        };
        let Ok(name) = entry.name().map(|name| name.to_ascii_lowercase().replace('\\', "/")) else {
            continue;
        };
        let of_workbook = |name: &str| {
            let last = name.rsplit('/').next().unwrap_or(name);
            relations.contains(last)
                || ["styles.xml", "theme1.xml", ".rels"]
                    .iter()
                    .any(|end| last.ends_with(end))
        };
        if name.ends_with("sharedstrings.xml") {
            let (said, bytes) = texts(entry.take(MOST_TEXTS + 1));
            if bytes > MOST_TEXTS {
                return Err("its texts take more than 256 MB");
            }
            // None is shorter than `<si/>`.
            if said > bytes / 5 {
                return Err("it says that it has more texts than it can have");
            }
        } else if of_workbook(&name) {
            if length(entry.take(MOST_HELD + 1)) > MOST_HELD {
                return Err("its styles, or the list of its sheets, take more than 16 MB");
            }
        } else if name.ends_with(".xml") && sheets <= MOST_FORMS {
            sheets += length(entry.take(MOST_FORMS + 1 - sheets));
        }
    }
    Ok(sheets <= MOST_FORMS)
}

/// What a workbook says in which of its parts its sheets are listed, in lower case.
fn relations<R: Read + Seek>(zip: &mut zip::ZipArchive<R>) -> String {
    let mut text = String::new();
    if let Ok(part) = zip.by_name("_rels/.rels") {
        // A text that is cut off or none at all is found out by its reader.
        let _ = part.take(MOST_HELD).read_to_string(&mut text);
    }
    let read = quick_xml::escape::unescape(&text).map(|text| text.to_ascii_lowercase());
    read.unwrap_or(text)
}

fn length(part: impl Read) -> u64 {
    io::copy(&mut BufReader::new(part), &mut io::sink()).unwrap_or_default()
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
    use std::io::Write;

    use super::*;

    /// What is said of a workbook whose part of that name is so many bytes long.
    fn checked(name: &str, bytes: u64) -> Result<bool, &'static str> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("_rels/.rels", stored).unwrap();
        zip.write_all(b"<Relationship Target=\"/xl/b&#111;ok.xml\"/>").unwrap();
        zip.start_file(name, stored).unwrap();
        io::copy(&mut io::repeat(b' ').take(bytes), &mut zip).unwrap();
        check_parts(zip.finish().unwrap())
    }

    #[test]
    fn what_a_reader_would_hold_whole_may_not_be_of_any_size() {
        for held in [
            "xl/styles.xml",
            "xl\\Styles.XML",
            "xl/_rels/workbook.xml.rels",
            "xl/book.xml",
        ] {
            assert_eq!(checked(held, MOST_HELD), Ok(true), "{held}");
            assert!(checked(held, MOST_HELD + 1).is_err(), "{held}");
        }
        for other in ["xl/worksheets/sheet1.xml", "xl/media/image1.png"] {
            assert_eq!(checked(other, MOST_HELD + 1), Ok(true), "{other}");
        }
        assert_eq!(checked("xl/worksheets/sheet1.xml", MOST_FORMS + 1), Ok(false));
    }

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
