//! What reading a form comes to: a document, with the cell that each of its places was read from, and what is wrong with cells.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::figure::{CONFLICT, Mark, figure};
use super::grid::{Cell, Grid, Value};
use crate::codes::FiscalYear;
use crate::fault::Text;
use crate::forms::terms::{Words, half_width, plain};
use crate::imports::fault::RowFault;
use crate::imports::read::{Names, Place, RawRow};
use crate::scoring::variables::Unit;

/// A form while it is read.
pub struct Form<'a> {
    /// Its sheet.
    pub grid: &'a Grid,
    /// The document so far.
    pub document: Map<String, Json>,
    /// By dotted path, the cell that it was read from.
    pub places: HashMap<String, Place>,
    /// What is wrong.
    pub faults: Vec<RowFault>,
    /// Whether anything was read that a user filled in.
    pub filled: bool,
    year: Option<FiscalYear>,
    mark: Option<Mark>,
}

/// A row of the sheet, by column.
pub type Cells<'a> = std::collections::BTreeMap<u32, Cell>;

impl<'a> Form<'a> {
    /// Begins to read a sheet.
    pub fn new(grid: &'a Grid) -> Self {
        let mut form = Self {
            grid,
            document: Map::new(),
            places: HashMap::new(),
            faults: Vec::new(),
            filled: false,
            year: None,
            mark: None,
        };
        // What the whole sheet is in is said in its first rows.
        let head = grid.rows.values().take(6).flat_map(|cells| cells.values());
        let texts = head.filter(|cell| half_width(cell.shown()).contains("单位:"));
        form.mark = texts.filter_map(|cell| Mark::of(cell.shown())).next();
        // What is wrong with the document as a whole is said of its sheet.
        let whole = Place {
            row: Some(1),
            name: grid.name.clone(),
        };
        form.places.insert(String::new(), whole);
        form
    }

    /// A label, in which the years themselves are 本年 and 上年.
    pub fn label(&self, cell: &Cell) -> String {
        let mut label = plain(cell.shown());
        if let Some(year) = self.year.map(FiscalYear::get) {
            for (year, word) in [(year, "本年"), (year - 1, "上年")] {
                label = label
                    .replace(&format!("{year}年度"), word)
                    .replace(&format!("{year}年"), word);
            }
        }
        // 2019年末 is no 本年末: the end of the year is this year's.
        label.replace("本年末", "年末")
    }

    /// Notes something wrong with a cell.
    pub fn fault(&mut self, (row, column): (u32, u32), shown: Option<&str>, code: &'static str, text: Text) {
        let place = self.grid.address(row, column);
        self.faults
            .push(RowFault::of_column(u64::from(row) + 1, &place, shown, code, text));
    }

    /// Puts a value at a dotted path, in which a number is a place in a list.
    pub fn put(&mut self, path: &str, at: (u32, u32), value: Json) {
        self.filled = true;
        self.place(path, at);
        insert(&mut self.document, path, value);
    }

    /// Notes where the value of a path would stand, for what is said of it when it is missing.
    pub fn place(&mut self, path: &str, (row, column): (u32, u32)) {
        let place = Place {
            row: Some(u64::from(row) + 1),
            name: self.grid.address(row, column),
        };
        self.places.insert(path.to_owned(), place);
    }

    /// Reads a figure of the type `T` into its place. `unit`: what it is counted in, `None` for a pure number.
    pub fn figure<T: DeserializeOwned>(
        &mut self,
        path: &str,
        at: (u32, u32),
        cell: &Cell,
        unit: Option<Unit>,
        marks: &[Option<Mark>],
    ) {
        let marks: Vec<Mark> = marks.iter().copied().chain([self.mark]).flatten().collect();
        let digits = match figure(cell, unit, &marks) {
            Ok(digits) => digits,
            // Once is enough: it is so of every figure of the sheet.
            Err((CONFLICT, _)) if self.faults.iter().any(|fault| fault.code == CONFLICT) => return,
            Err((code, text)) => return self.fault(at, Some(cell.shown()), code, text),
        };
        // An amount may be a text in JSON, a count is a number.
        let text = Json::from(digits.as_str());
        if serde_json::from_str::<T>(&text.to_string()).is_ok() {
            return self.put(path, at, text);
        }
        let refusal = match (serde_json::from_str::<T>(&digits), serde_json::from_str(&digits)) {
            (Ok(_), Ok(number)) => return self.put(path, at, number),
            (Err(error), _) | (_, Err(error)) => error.to_string(),
        };
        self.fault(at, Some(cell.shown()), "invalid_value", Text::from_joined(&refusal));
    }

    /// Reads what stands behind a label in its row, of the labels known here: for each its place, and how it is read. Whether
    /// the row has such a label.
    pub fn pairs(&mut self, row: u32, cells: &Cells<'_>, known: &[(&'static str, &'static str)]) -> bool {
        let mut found = false;
        let columns: Vec<(u32, Option<&'static str>)> = cells
            .iter()
            .map(|(column, cell)| (*column, self.known(cell, known).map(|(path, _)| path)))
            .collect();
        for (n, (column, path)) in columns.iter().enumerate() {
            let (Some(path), Some(cell)) = (path, cells.get(column)) else {
                continue;
            };
            found = true;
            self.place(path, (row, *column));
            if let Some((_, Some(rest))) = self.known(cell, known) {
                let cell = Cell {
                    value: Value::Text(rest),
                    formula: None,
                };
                self.word(path, (row, *column), &cell);
                continue;
            }
            // What follows is the value, unless it is a label itself.
            if let Some((at, None)) = columns.get(n + 1)
                && let Some(cell) = cells.get(at)
            {
                self.word(path, (row, *at), cell);
            }
        }
        found
    }

    /// Which of the known labels a cell is, and what stands behind a colon in the same cell.
    fn known(&self, cell: &Cell, known: &[(&'static str, &'static str)]) -> Option<(&'static str, Option<String>)> {
        let of = |label: &str| known.iter().find(|(name, _)| *name == label).map(|(_, path)| *path);
        if let Some(path) = of(&self.label(cell)) {
            return Some((path, None));
        }
        let text = cell.shown();
        let (label, rest) = text.split_once(['：', ':'])?;
        let rest = rest.trim();
        Some((of(&plain(label))?, (!rest.is_empty()).then(|| rest.to_owned())))
    }

    /// Reads a word that is chosen from a list into its place.
    pub fn chosen(&mut self, path: &str, at: (u32, u32), words: &Words, text: &str) {
        let shown = plain(text);
        match words.iter().find(|(word, _)| *word == shown) {
            Some((_, stored)) => self.put(path, at, Json::from(*stored)),
            None => {
                let expected: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let expected = expected.join("、");
                let wrong = Text::new(
                    format!("读到“{text}”，应为{expected}之一。"),
                    format!("read \"{text}\"; expected one of {expected}"),
                );
                self.fault(at, Some(text), "not_in_list", wrong);
            }
        }
    }

    /// Reads words, or what is chosen, into their place.
    fn word(&mut self, path: &str, at: (u32, u32), cell: &Cell) {
        if matches!(cell.value, Value::Uncalculated) {
            let text = Text::fixed("公式没有计算结果。", "the formula has no result");
            return self.fault(at, Some(cell.shown()), "formula_without_result", text);
        }
        let text = cell.shown();
        let value = match path {
            "year" => {
                let digits: String = half_width(text).replace("年度", "").replace('年', "");
                match digits.trim().parse::<i64>() {
                    Ok(year) => {
                        self.year = FiscalYear::try_from(year).ok();
                        Json::from(year)
                    }
                    Err(_) => Json::from(text),
                }
            }
            "continues" | "buildings.none" => match half_width(text).trim() {
                "是" | "√" => Json::Bool(true),
                "否" => Json::Bool(false),
                _ => {
                    let text = Text::new(
                        format!("读到“{text}”，应为“是”或“否”。"),
                        format!("read \"{text}\"; expected 是 (yes) or 否 (no)"),
                    );
                    return self.fault(at, Some(cell.shown()), "not_yes_or_no", text);
                }
            },
            // Free words stay as they are.
            "thrift" | "goal.expected" | "goal.achieved" => Json::from(text),
            _ => Json::from(text.trim()),
        };
        let filled = self.filled;
        self.put(path, at, value);
        // What the form comes with is nothing that was filled in.
        if matches!(path, "unit" | "year" | "scheme") {
            self.filled = filled;
        }
    }

    /// What was read, as a row of this number, or what is wrong with its cells.
    pub fn finish(self, number: u64) -> RawRow {
        let json = match self.faults.is_empty() {
            true => {
                serde_json::to_vec(&self.document).map_err(|error| vec![RowFault::unreadable(1, &error.to_string())])
            }
            false => Err(self.faults),
        };
        RawRow {
            number,
            json,
            names: Some(Names::new(self.places)),
        }
    }
}

/// Puts a value at a dotted path, in which a number is a place in a list, at most the next one.
fn insert(document: &mut Map<String, Json>, path: &str, value: Json) {
    let mut parts = path.split('.');
    let mut at = document.entry(parts.next().unwrap_or_default()).or_insert(Json::Null);
    for part in parts {
        at = match part.parse::<usize>() {
            Ok(n) => {
                if !at.is_array() {
                    *at = Json::Array(Vec::new());
                }
                let Json::Array(list) = at else {
                    return;
                };
                while list.len() <= n {
                    list.push(Json::Null);
                }
                match list.get_mut(n) {
                    Some(item) => item,
                    None => return,
                }
            }
            Err(_) => {
                if !at.is_object() {
                    *at = Json::Object(Map::new());
                }
                let Json::Object(object) = at else {
                    return;
                };
                object.entry(part).or_insert(Json::Null)
            }
        };
    }
    *at = value;
}
