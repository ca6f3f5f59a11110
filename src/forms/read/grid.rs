//! A sheet of a workbook as the cells that are filled in it.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek};

use calamine::{DataRef, Xlsx, XlsxError, XlsxFormulaMetadata, expand_shared_formula};
use rust_decimal::Decimal;

use crate::forms::page::address;
use crate::imports::read::xlsx::{decimal, text};

/// More cells than any form has, in case it is none. What a sheet of this size holds is read at once.
const MOST_CELLS: usize = 50_000;
/// More rows than any form has: two lists of some hundred, and what offices leave between.
const MOST_ROWS: u32 = 5_000;
/// More merged ranges than any form has.
const MOST_MERGES: usize = 5_000;

/// More cells than those of any form are spread over.
const MOST_SPREAD: usize = 100_000;
/// More bytes of text than any form has, in case one long text is shared by many cells.
const MOST_TEXT: usize = 8 << 20;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, as the spreadsheet shows it.
    Number(String),
    /// A text that is not empty.
    Text(String),
    /// Something else that is neither: a date, yes or no, an error. As it is shown.
    Other(String),
    /// A formula without a result.
    Uncalculated,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What stands in it.
    pub value: Value,
    /// The formula that it follows from.
    pub formula: Option<String>,
}

impl Cell {
    /// What is read, as a text.
    pub fn shown(&self) -> &str {
        match &self.value {
            Value::Number(text) | Value::Text(text) | Value::Other(text) => text,
            Value::Uncalculated => self.formula.as_deref().unwrap_or_default(),
        }
    }

    /// Whether its formula is a call of this function, by which our own forms mark what was not filed but taken over.
    pub fn is_taken(&self, function: &str) -> bool {
        let formula = self.formula.as_deref().unwrap_or_default().trim_start_matches('=');
        formula
            .strip_prefix(function)
            .is_some_and(|rest| rest.starts_with('(') && rest.ends_with(')'))
    }
}

/// A sheet.
#[derive(Debug)]
pub struct Grid {
    /// The sheet's name.
    pub name: String,
    /// Its rows by number from 0, each with its cells by column.
    pub rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
    /// By each cell that another is spread over, where that one stands.
    spread: HashMap<(u32, u32), (u32, u32)>,
    /// Whether there is more than was read.
    pub cut: bool,
}

/// Formulas that a sheet states once for several cells, by the number that it gives them, with the cell that they are stated for. The
/// reader would keep them in a list that is as long as the greatest number, whatever a file says that this is.
#[derive(Default)]
struct Shared(HashMap<usize, (String, (u32, u32))>);

impl Shared {
    /// The formula of a cell; `None` where it shares one that was not stated before.
    fn formula(&mut self, formula: XlsxFormulaMetadata, at: (u32, u32)) -> Result<Option<String>, XlsxError> {
        match formula {
            XlsxFormulaMetadata::Shared {
                shared_index,
                range,
                formula,
            } => {
                let start = range.map_or(at, |range| range.start);
                self.0.insert(shared_index, (formula.clone(), start));
                Ok(Some(formula))
            }
            XlsxFormulaMetadata::SharedDerived { shared_index } => {
                let template = self.0.get(&shared_index);
                template
                    .map(|(formula, start)| expand_shared_formula(formula, *start, at))
                    .transpose()
            }
            XlsxFormulaMetadata::Normal { formula } => Ok(Some(formula)),
            // The reader may come to know more kinds.
            _ => Ok(None),
        }
    }
}

impl Grid {
    /// Reads a sheet.
    ///
    /// # Errors
    /// What cannot be read of it.
    pub fn read<R: Read + Seek>(book: &mut Xlsx<R>, name: &str) -> Result<Self, String> {
        let failed = |error: XlsxError| error.to_string();
        let mut grid = Self {
            name: name.to_owned(),
            rows: BTreeMap::new(),
            spread: HashMap::new(),
            cut: false,
        };
        let (mut count, mut bytes) = (0, 0);
        let mut shared = Shared::default();
        let mut cells = book.worksheet_cells_reader(name).map_err(failed)?;
        while let Some(found) = cells.next_cell_with_formula_metadata().map_err(failed)? {
            let (row, column) = found.pos;
            count += 1;
            if count > MOST_CELLS || row > MOST_ROWS {
                grid.cut = true;
                break;
            }
            let formula = match found.formula {
                Some(formula) => shared.formula(formula, found.pos).map_err(failed)?,
                None => None,
            };
            let value = match &found.value {
                DataRef::Int(number) => Value::Number(number.to_string()),
                DataRef::Float(number) => Value::Number(decimal(*number)),
                value => match (text(value), value) {
                    (shown, _) if shown.trim().is_empty() && formula.is_some() => match value {
                        // A formula that gives an empty text has been worked out.
                        DataRef::String(_) | DataRef::SharedString(_) => continue,
                        _ => Value::Uncalculated,
                    },
                    (shown, _) if shown.trim().is_empty() => continue,
                    (shown, DataRef::String(_) | DataRef::SharedString(_)) => Value::Text(shown),
                    (shown, _) => Value::Other(shown),
                },
            };
            let cell = Cell { value, formula };
            bytes += cell.shown().len() + cell.formula.as_ref().map_or(0, String::len);
            if bytes > MOST_TEXT {
                grid.cut = true;
                break;
            }
            grid.rows.entry(row).or_default().insert(column, cell);
        }
        drop(cells);
        if !grid.cut {
            let merges = book.merge_cells_by_sheet_name(name).map_err(failed)?;
            let columns = grid.rows.values().filter_map(|cells| cells.keys().next_back());
            let column = columns.max().copied().unwrap_or_default();
            let row = grid.rows.keys().next_back().copied().unwrap_or_default();
            grid.cut = merges.len() > MOST_MERGES
                || !merges.into_iter().all(|merge| {
                    let end = (merge.end.0.min(row), merge.end.1.min(column));
                    grid.spread(merge.start, end)
                });
        }
        Ok(grid)
    }

    /// Notes over which cells one is spread; whether they are not too many.
    fn spread(&mut self, start: (u32, u32), end: (u32, u32)) -> bool {
        if !self
            .rows
            .get(&start.0)
            .is_some_and(|cells| cells.contains_key(&start.1))
        {
            return true;
        }
        for row in start.0..=end.0 {
            for column in start.1..=end.1 {
                if self.spread.len() >= MOST_SPREAD {
                    return false;
                }
                self.spread.entry((row, column)).or_insert(start);
            }
        }
        true
    }

    /// Lets numbers that are shown in percent be read as they are shown: of `95%` a cell keeps 0.95. As a text with its sign
    /// it is taken where percent are meant, and refused where they are not.
    ///
    /// # Errors
    /// What cannot be read of the sheet.
    pub fn show_percent<R: Read + Seek>(&mut self, book: &mut Xlsx<R>) -> Result<(), String> {
        let failed = |error: XlsxError| error.to_string();
        let mut cells = book.worksheet_cells_reader(&self.name).map_err(failed)?;
        let percent: Vec<bool> = cells
            .styles()
            .iter()
            .map(|style| style.number_format.as_ref())
            .map(|format| format.is_some_and(|format| is_percent(&format.format_code)))
            .collect();
        if !percent.contains(&true) {
            return Ok(());
        }
        while let Some((row, column, style)) = cells.next_style_id().map_err(failed)? {
            // Rows follow each other.
            if row > MOST_ROWS {
                break;
            }
            if percent.get(style) == Some(&true)
                && let Some(cell) = self.rows.get_mut(&row).and_then(|cells| cells.get_mut(&column))
                && let Value::Number(digits) = &cell.value
            {
                let number = Decimal::from_str_exact(digits).ok();
                let shown = number.and_then(|number| number.checked_mul(Decimal::ONE_HUNDRED));
                cell.value = match shown {
                    Some(shown) => Value::Text(format!("{}%", shown.normalize())),
                    None => Value::Other(digits.clone()),
                };
            }
        }
        Ok(())
    }

    /// The address of a cell with the sheet's name, such as `附件2!F7`.
    pub fn address(&self, row: u32, column: u32) -> String {
        let cell = address((row, u16::try_from(column).unwrap_or(u16::MAX)));
        format!("{}!{cell}", self.name)
    }

    /// The cell at a place, or the one that is spread over it.
    pub fn at(&self, row: u32, column: u32) -> Option<(u32, u32, &Cell)> {
        let (row, column) = match self.rows.get(&row).is_some_and(|cells| cells.contains_key(&column)) {
            true => (row, column),
            false => *self.spread.get(&(row, column))?,
        };
        let cell = self.rows.get(&row)?.get(&column)?;
        Some((row, column, cell))
    }

    /// Whether the cell at a place is spread over that column of its row as well.
    pub fn covers(&self, row: u32, from: u32, column: u32) -> bool {
        self.spread.get(&(row, column)) == Some(&(row, from))
    }
}

/// Whether a number format shows a number in percent, and not only a percent sign behind it as it is.
fn is_percent(format: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for next in format.chars() {
        match next {
            _ if escaped => escaped = false,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '\\' | '_' | '*' => escaped = true,
            '%' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_shows_percent_unless_the_sign_is_only_printed() {
        for (format, percent) in [
            ("0%", true),
            ("0.00%;[Red]-0.00%", true),
            ("General", false),
            ("0.0\"%\"", false),
            ("0\\%", false),
            ("#,##0.00", false),
        ] {
            assert_eq!(is_percent(format), percent, "{format}");
        }
    }
}
