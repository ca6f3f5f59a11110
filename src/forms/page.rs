//! A sheet of a form as it is printed: A4, borders, repeated head, page numbers; cells that show exactly what they hold.

use std::collections::HashMap;

use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, ProtectionOptions,
    Workbook, Worksheet, XlsxError,
};

use super::terms::SIGNATURES;
use crate::imports::read::xlsx;

/// How a cell looks, and for whom it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Style {
    /// What stands in it.
    pub kind: Kind,
    /// Whether users fill it in: it is not locked, and tinted.
    pub input: bool,
}

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The title of the form.
    Title,
    /// A line without borders.
    Plain,
    /// The same, at the right.
    Remark,
    /// The head of a column.
    Head,
    /// A heading over rows.
    Section,
    /// The name of a row, indented so far.
    Label(u8),
    /// A short text.
    Text,
    /// Words over several lines.
    Words,
    /// Nothing: the form has no figure here.
    Unused,
    /// A figure that shows so many decimals and, if it has more, up to six.
    Figure(u8),
    /// A figure as it is.
    Bare,
    /// A share of 1, shown in percent.
    Percent,
}

impl Kind {
    /// For users to fill in.
    pub const fn input(self) -> Style {
        Style {
            kind: self,
            input: true,
        }
    }

    /// Not for users to change.
    pub const fn fixed(self) -> Style {
        Style {
            kind: self,
            input: false,
        }
    }

    /// A figure with all its decimals, of which there are at least `least`.
    pub fn figure(least: u8, number: Decimal) -> Self {
        let scale = u8::try_from(number.normalize().scale()).unwrap_or(u8::MAX);
        Self::Figure(scale.clamp(least, 6))
    }
}

/// A cell's place, counted from 0: row and column.
pub type At = (u32, u16);

/// A cell's address, such as `F7`.
pub fn address((row, column): At) -> String {
    let (mut letters, mut n) = (String::new(), u32::from(column) + 1);
    while n > 0 {
        letters.insert(0, char::from(b'A' + ((n - 1) % 26) as u8));
        n = (n - 1) / 26;
    }
    format!("{letters}{}", row + 1)
}

/// The number that a cell holds for a figure; `None` where a cell cannot hold it.
///
/// A cell is a binary fraction of which spreadsheets show 15 digits. A figure with at most 15 digits comes back from it
/// unchanged, and that is 9 999 999 999.99999 万元; the test is whether this one does. One that does not is written as
/// a text, which says exactly what was filed.
pub fn exact(number: Decimal) -> Option<f64> {
    let digits = number.normalize().to_string();
    digits.parse().ok().filter(|cell| xlsx::decimal(*cell) == digits)
}

/// A sheet that is being written.
pub struct Page {
    /// The sheet.
    pub sheet: Worksheet,
    /// How many columns it has.
    columns: u16,
    widths: Vec<u16>,
    styles: HashMap<Style, Format>,
    /// Whether its formulas can be live: every figure that they could name is a number and not a text.
    live: bool,
}

/// What of the printed page differs between the forms.
pub struct Layout<'a> {
    /// The sheet's name.
    pub name: &'a str,
    /// The widths of its columns, in digits.
    pub widths: &'a [u16],
    /// Whether it lies on its side.
    pub landscape: bool,
}

impl Page {
    /// An empty sheet.
    ///
    /// # Errors
    /// None for names that are sheet names.
    pub fn new(layout: &Layout<'_>) -> Result<Self, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(layout.name)?.set_paper_size(9);
        match layout.landscape {
            true => sheet.set_landscape(),
            false => sheet.set_portrait(),
        };
        sheet
            .set_margins(0.6, 0.6, 0.7, 0.7, 0.3, 0.4)
            .set_print_center_horizontally(true)
            .set_print_fit_to_pages(1, 0)
            .set_footer("&C第 &P 页，共 &N 页");
        // A formula that has no result yet shows nothing, and not a 0 that nobody filed.
        sheet.set_formula_result_default("");
        for (column, width) in (0..).zip(layout.widths) {
            sheet.set_column_width(column, f64::from(*width))?;
        }
        Ok(Self {
            sheet,
            columns: u16::try_from(layout.widths.len()).unwrap_or(u16::MAX),
            widths: layout.widths.to_vec(),
            styles: HashMap::new(),
            live: true,
        })
    }

    /// Its last column.
    pub fn last(&self) -> u16 {
        self.columns.saturating_sub(1)
    }

    fn style(&mut self, style: Style) -> Format {
        self.styles.entry(style).or_insert_with(|| format(style)).clone()
    }

    /// Writes a text, which stays a text whatever it looks like.
    ///
    /// # Errors
    /// When it is longer than a cell holds.
    pub fn text(&mut self, (row, column): At, text: &str, style: Style) -> Result<(), XlsxError> {
        let format = self.style(style);
        match text.is_empty() {
            true => self.sheet.write_blank(row, column, &format)?,
            false => self.sheet.write_string_with_format(row, column, text, &format)?,
        };
        Ok(())
    }

    /// Writes a text over several cells.
    ///
    /// # Errors
    /// When it is longer than a cell holds.
    pub fn span(&mut self, (row, first): At, last: u16, text: &str, style: Style) -> Result<(), XlsxError> {
        self.block((row, first), (row, last), text, style)
    }

    /// Writes a text over a block of cells.
    ///
    /// # Errors
    /// When it is longer than a cell holds.
    pub fn block(&mut self, from: At, to: At, text: &str, style: Style) -> Result<(), XlsxError> {
        if from == to {
            return self.text(from, text, style);
        }
        let format = self.style(style);
        self.sheet.merge_range(from.0, from.1, to.0, to.1, text, &format)?;
        Ok(())
    }

    /// Leaves cells empty, with their borders.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn blank(&mut self, row: u32, columns: impl IntoIterator<Item = u16>, style: Style) -> Result<(), XlsxError> {
        let format = self.style(style);
        for column in columns {
            self.sheet.write_blank(row, column, &format)?;
        }
        Ok(())
    }

    /// Writes a figure; nothing where there is none.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn number(&mut self, at: At, number: Option<Decimal>, style: Style) -> Result<(), XlsxError> {
        match number.map(|number| (number, exact(number))) {
            None => self.text(at, "", style),
            Some((_, Some(cell))) => {
                let format = self.style(style);
                self.sheet.write_number_with_format(at.0, at.1, cell, &format)?;
                Ok(())
            }
            Some((number, None)) => {
                self.live = false;
                self.text(at, &number.normalize().to_string(), style)
            }
        }
    }

    /// Writes what the form works out: the formula, with our own value as its result. On a sheet with a figure that no
    /// cell holds it is the value alone, since a formula would leave that figure out.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn computed(&mut self, at: At, formula: &str, value: Decimal, style: Style) -> Result<(), XlsxError> {
        match self.live {
            true => self.formula(at, formula, &value.normalize().to_string(), style),
            // Of a quotient the digits that a cell shows.
            false => self.number(at, value.round_sf(15), style),
        }
    }

    /// Writes a formula with its result.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn formula(&mut self, at: At, formula: &str, result: &str, style: Style) -> Result<(), XlsxError> {
        let format = self.style(style);
        let formula = Formula::new(formula).set_result(result);
        self.sheet.write_formula_with_format(at.0, at.1, formula, &format)?;
        Ok(())
    }

    /// Whether its formulas are live.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Lets its formulas be values, as another sheet that they name has to.
    pub fn set_live(&mut self, live: bool) {
        self.live &= live;
    }

    /// Checks what users put into cells.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn check(&mut self, from: At, to: At, check: &DataValidation) -> Result<(), XlsxError> {
        self.sheet.add_data_validation(from.0, from.1, to.0, to.1, check)?;
        Ok(())
    }

    /// Makes a row high enough for texts over `columns` of it.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn fit(&mut self, row: u32, texts: &[(&str, std::ops::RangeInclusive<u16>)]) -> Result<(), XlsxError> {
        let lines = texts.iter().map(|(text, columns)| {
            let width: u16 = columns
                .clone()
                .filter_map(|column| self.widths.get(usize::from(column)))
                .sum();
            // A line holds a little less than its column: bold digits, and the space at the border.
            lines(text, usize::from(width).saturating_sub(1).max(2))
        });
        let lines = lines.max().unwrap_or(1).max(1);
        // The highest row that a spreadsheet has.
        let points = u16::try_from(lines)
            .unwrap_or(u16::MAX)
            .saturating_mul(14)
            .saturating_add(6);
        self.sheet.set_row_height(row, f64::from(points.clamp(19, 409)))?;
        Ok(())
    }

    /// Writes the head that all forms have: which annex it is, its title, its year, and a remark at the right. Returns the
    /// next row.
    ///
    /// # Errors
    /// None for texts that cells hold.
    pub fn head(&mut self, annex: &str, title: &str, year: &str, remark: &str) -> Result<u32, XlsxError> {
        let last = self.last();
        self.text((0, 0), annex, Kind::Plain.fixed())?;
        self.span((1, 0), last, title, Kind::Title.fixed())?;
        self.sheet.set_row_height(1, 30)?;
        self.span((2, 0), 1, year, Kind::Plain.fixed())?;
        self.span((2, 2), last, remark, Kind::Remark.fixed())?;
        Ok(3)
    }

    /// Writes the lines that people sign, and ends the page: what is printed, and which rows head every page.
    ///
    /// # Errors
    /// None within a sheet.
    pub fn sign(&mut self, row: u32, repeat: (u32, u32)) -> Result<(), XlsxError> {
        let [by, checked, head, date, phone] = SIGNATURES.map(|label| format!("{label}：　　　　　　　　　　"));
        let last = self.last();
        self.span((row, 0), last, &[by, checked, head].concat(), Kind::Plain.input())?;
        self.span((row + 1, 0), last, &[date, phone].concat(), Kind::Plain.input())?;
        for row in [row, row + 1] {
            self.sheet.set_row_height(row, 26)?;
        }
        self.sheet.set_print_area(0, 0, row + 1, last)?;
        self.sheet.set_repeat_rows(repeat.0, repeat.1)?;
        Ok(())
    }

    /// Locks what is not for users, without a password: it keeps from mistakes, not from intent.
    pub fn protect(&mut self) {
        self.sheet.protect_with_options(&ProtectionOptions {
            format_cells: true,
            format_columns: true,
            format_rows: true,
            insert_rows: true,
            ..ProtectionOptions::default()
        });
    }
}

/// How many lines a text takes at a width in digits.
fn lines(text: &str, width: usize) -> usize {
    text.lines().map(|line| textwrap::wrap(line, width).len()).sum()
}

/// The tint of cells that users fill in.
const INPUT: u32 = 0x00FF_F9E5;
/// The tint of cells that the form does not use.
const UNUSED: u32 = 0x00E7_E6E6;
/// The tint of heads.
const HEAD: u32 = 0x00EE_F3FA;

fn format(style: Style) -> Format {
    let base = Format::new()
        .set_font_name("宋体")
        .set_font_size(10)
        .set_align(FormatAlign::VerticalCenter);
    let bordered = || base.clone().set_border(FormatBorder::Thin);
    let right = || bordered().set_align(FormatAlign::Right);
    let format = match style.kind {
        Kind::Title => base
            .set_font_name("黑体")
            .set_font_size(16)
            .set_align(FormatAlign::Center),
        Kind::Plain => base,
        Kind::Remark => base.set_align(FormatAlign::Right),
        Kind::Head => bordered()
            .set_bold()
            .set_align(FormatAlign::Center)
            .set_text_wrap()
            .set_background_color(Color::RGB(HEAD)),
        Kind::Section => bordered().set_bold(),
        Kind::Label(indent) => bordered().set_text_wrap().set_indent(indent),
        Kind::Text => bordered().set_text_wrap().set_align(FormatAlign::Center),
        Kind::Words => bordered().set_text_wrap(),
        Kind::Unused => bordered().set_background_color(Color::RGB(UNUSED)),
        Kind::Figure(decimals) if style.input => {
            let decimals = usize::from(decimals);
            let zeros = ["0".repeat(decimals), "#".repeat(6 - decimals.min(6))].concat();
            right().set_num_format(match decimals {
                0 => "#,##0".to_owned(),
                _ => format!("#,##0.{zeros}"),
            })
        }
        Kind::Figure(0) => right().set_num_format("#,##0"),
        Kind::Figure(decimals) => right().set_num_format(format!("#,##0.{}", "0".repeat(usize::from(decimals)))),
        Kind::Bare => bordered().set_align(FormatAlign::Center),
        Kind::Percent => right().set_num_format("0.00%"),
    };
    match style.input {
        true if matches!(style.kind, Kind::Plain) => format.set_unlocked(),
        true => format.set_unlocked().set_background_color(Color::RGB(INPUT)),
        false => format,
    }
}

/// A workbook of these pages, the same bytes for the same pages.
///
/// # Errors
/// None for pages whose names differ.
pub fn book(title: &str, pages: Vec<Page>) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    // The time now would make two files of the same data differ.
    let epoch = ExcelDateTime::from_timestamp(0)?;
    book.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&epoch));
    for page in pages {
        book.push_worksheet(page.sheet);
    }
    Ok(book)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_what_it_shows_or_nothing() {
        for (digits, holds) in [
            ("1166.07", true),
            ("0.1", true),
            ("999999999.123456", true),
            ("9999999999.123456", false),
        ] {
            assert_eq!(exact(digits.parse().unwrap()).is_some(), holds, "{digits}");
        }
    }

    #[test]
    fn columns_are_named_as_spreadsheets_name_them() {
        for (column, name) in [(0, "A1"), (25, "Z1"), (26, "AA1"), (701, "ZZ1"), (702, "AAA1")] {
            assert_eq!(address((0, column)), name);
        }
    }
}
