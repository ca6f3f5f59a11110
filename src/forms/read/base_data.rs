//! Reads 附件2.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use serde_json::Value as Json;

use super::figure::Mark;
use super::form::{Cells, Form};
use super::grid::{Cell, Grid, Value};
use super::own;
use crate::fault::Text;
use crate::forms::terms::{
    ASIDE, BASE_DATA, BUILDING_COLUMNS, BUILDINGS, Block, CHANGE, COLUMNS, FINAL, FUNDS, KEYS, NONE_LISTED, OTHER_ROWS,
    PRIOR_FINAL, Row, SIGNATURES, plain, rows,
};
use crate::scoring::values::{Amount, Count, Quantity, SignedAmount};
use crate::scoring::variables::Unit;

/// A longer label is not compared with those of the form.
const LONGEST_LABEL: usize = 60;
/// How far the parts of a total are spread at most, with what offices leave between.
const MOST_BETWEEN: u32 = 40;
/// In which columns the labels of parts stand.
const LABEL_COLUMNS: usize = 20;
/// How many formulas are looked at: more than a form has totals.
const MOST_SUMS: usize = 200;

/// The head of a table.
#[derive(Default)]
struct Heading {
    /// Which of the form's columns each column is, with what money in it is in.
    columns: BTreeMap<u32, (usize, Option<Mark>)>,
    /// Where the names of rows stand.
    label: u32,
    /// Columns that hold nothing that is filed.
    aside: BTreeSet<u32>,
}

/// Which list the rows belong to.
#[derive(Clone, Copy, PartialEq)]
enum List {
    None,
    Funds,
    Buildings,
}

/// Reads the sheet.
pub fn read(grid: &Grid) -> Form<'_> {
    let mut reader = Reader {
        form: Form::new(grid),
        heading: Heading::default(),
        list: List::None,
        funds: 0,
        buildings: 0,
        seen: Vec::new(),
        sums: 0,
    };
    for (row, cells) in &grid.rows {
        if !reader.row(*row, cells) {
            break;
        }
    }
    if reader.heading.columns.is_empty() {
        let labels = COLUMNS.map(|column| column.label).join("、");
        let text = Text::new(
            format!("未找到表头，应有一行为：{labels}。"),
            format!("there is no heading; expected a row with {labels}"),
        );
        reader.form.fault((0, 0), None, "missing_form_heading", text);
    }
    reader.form
}

struct Reader<'a> {
    form: Form<'a>,
    heading: Heading,
    list: List,
    funds: usize,
    buildings: usize,
    /// The rows that had figures, with where.
    seen: Vec<(&'static str, u32)>,
    /// How many sums were looked at.
    sums: usize,
}

impl<'a> Reader<'a> {
    /// Reads a row; whether there can be more.
    fn row(&mut self, row: u32, cells: &'a Cells<'a>) -> bool {
        let labels: Vec<(u32, String)> = cells
            .iter()
            .map(|(column, cell)| (*column, self.form.label(cell)))
            .collect();
        if labels
            .iter()
            .any(|(_, label)| SIGNATURES.iter().any(|known| label.starts_with(known)))
        {
            return false;
        }
        if self.heading.columns.is_empty() && self.form.pairs(row, cells, &KEYS) {
            return true;
        }
        if self.head(row, cells, &labels) {
            return true;
        }
        // Without a head no figure has a meaning.
        if self.heading.columns.is_empty() {
            return true;
        }
        let first = labels.first().map(|(column, _)| *column).unwrap_or_default();
        for (column, label) in &labels {
            if let Some(known) = known_row(label) {
                self.list = List::None;
                self.figures(row, *column, cells, known);
                return true;
            }
            if label == FUNDS.1 {
                self.list = List::Funds;
                return true;
            }
            if let Some(&(name, path)) = OTHERS.get(label) {
                self.list = List::None;
                if !path.is_empty() {
                    self.form.pairs(row, cells, &[(name, path)]);
                }
                return true;
            }
        }
        match self.list {
            List::None => self.unknown(row, first, cells),
            list => self.listed(row, cells, list),
        }
        true
    }

    /// Reads the head of a table, if the row is one.
    fn head(&mut self, row: u32, cells: &Cells<'_>, labels: &[(u32, String)]) -> bool {
        let main: fn(&str) -> Option<usize> = |label| COLUMNS.iter().position(|column| column.label == label);
        let building: fn(&str) -> Option<usize> = |label| BUILDING_COLUMNS.iter().position(|(name, ..)| *name == label);
        let tables = [(main, List::None), (building, List::Buildings)];
        let found = tables.into_iter().find(|(known, _)| {
            let columns = labels.iter().filter(|(_, label)| known(label).is_some());
            columns.count() >= 2
        });
        let Some((known, list)) = found else {
            return false;
        };
        let mut heading = Heading::default();
        let mut label_at = None;
        for (column, label) in labels {
            match known(label) {
                Some(n) => {
                    if heading.columns.values().any(|(other, _)| *other == n) {
                        let text = Text::new(
                            format!("“{label}”列出现了两次，应只有一列。"),
                            format!("there are two columns \"{label}\"; expected one"),
                        );
                        self.form.fault((row, *column), Some(label), "duplicate_column", text);
                        heading.aside.insert(*column);
                        continue;
                    }
                    let mark = cells.get(column).and_then(|cell| Mark::of(cell.shown()));
                    heading.columns.insert(*column, (n, mark));
                }
                None if ASIDE.contains(&label.as_str()) => {
                    heading.aside.insert(*column);
                }
                None => label_at = label_at.or(Some(*column)),
            }
        }
        heading.label = label_at.unwrap_or_default();
        self.heading = heading;
        self.list = list;
        true
    }

    /// Reads the figures of a row that the form has.
    fn figures(&mut self, row: u32, label: u32, cells: &Cells<'_>, known: &'static Row) {
        let marks = [
            cells.get(&label).and_then(|cell| Mark::of(cell.shown())),
            self.unit_mark(cells),
        ];
        let mut any = false;
        for (column, cell) in cells.iter().filter(|(column, _)| **column > label) {
            let Some((n, mark)) = self.column(row, *column, cell, |n| {
                COLUMNS.get(n).is_some_and(|column| known.figure(column).is_some())
            }) else {
                continue;
            };
            let Some(variable) = COLUMNS.get(n).and_then(|column| known.figure(column)) else {
                continue;
            };
            any = true;
            // What the form itself works out, or took from the year before, was not filed.
            if cell.is_taken("N") || self.is_computed((row, *column), n, cell, known) {
                continue;
            }
            self.amount(
                variable.name,
                (row, *column),
                cell,
                variable.unit,
                &[marks[0], marks[1], mark],
            );
        }
        let before = self
            .seen
            .iter()
            .find(|(path, _)| *path == known.path)
            .map(|(_, row)| *row);
        match before {
            _ if !any => {}
            None => self.seen.push((known.path, row)),
            Some(before) => {
                let text = Text::new(
                    format!("“{}”已在第{}行填报，应只填一行。", known.label, before + 1),
                    format!(
                        "\"{}\" stands in row {} already; expected once",
                        known.label,
                        before + 1
                    ),
                );
                self.form.fault((row, label), Some(known.label), "duplicate_row", text);
            }
        }
    }

    /// Whether a cell holds the formula by which the form works out the figure. Any other formula is the unit's own, and its
    /// result what the unit states.
    fn is_computed(&mut self, (row, column): (u32, u32), n: usize, cell: &Cell, known: &Row) -> bool {
        let Some(formula) = &cell.formula else {
            return false;
        };
        let column_of = |wanted: usize| {
            let mut columns = self.heading.columns.iter();
            Some((row, *columns.find(|(_, (n, _))| *n == wanted)?.0))
        };
        if n == CHANGE
            && let (Some(now), Some(before)) = (column_of(FINAL), column_of(PRIOR_FINAL))
        {
            return own::is_difference(formula, now, before);
        }
        let shape = format!("IF(COUNT(@:@)={},SUM(@:@),\"\")", known.parts.len());
        let Some(range) = own::sum(formula, &["SUM(@:@)", &shape]) else {
            return false;
        };
        // It adds up all of the parts, and nothing else.
        if known.parts.is_empty() || range.column != column || !(row < range.first && range.first <= range.last) {
            return false;
        }
        self.sums += 1;
        if range.last - range.first > MOST_BETWEEN || self.sums > MOST_SUMS {
            return false;
        }
        let mut parts = Vec::new();
        for (_, cells) in self.form.grid.rows.range(range.first..=range.last) {
            let mut labels = cells.values().take(LABEL_COLUMNS).map(|cell| self.form.label(cell));
            match labels.find_map(|label| known_row(&label)) {
                Some(part) => parts.push(part.path),
                None if cells.contains_key(&column) => return false,
                None => {}
            }
        }
        parts.len() == known.parts.len() && known.parts.iter().all(|part| parts.contains(part))
    }

    /// Reads a figure as the type that its place holds.
    fn amount(&mut self, path: &str, at: (u32, u32), cell: &Cell, unit: Unit, marks: &[Option<Mark>]) {
        let signed = path.ends_with(".change") || path == "budget.supplementary";
        match unit {
            Unit::TenThousandYuan if signed => self.form.figure::<SignedAmount>(path, at, cell, Some(unit), marks),
            Unit::TenThousandYuan => self.form.figure::<Amount>(path, at, cell, Some(unit), marks),
            Unit::SquareMetres => self.form.figure::<Quantity>(path, at, cell, Some(unit), marks),
            _ => self.form.figure::<Count>(path, at, cell, Some(unit), marks),
        }
    }

    /// Which of the form's columns a cell stands in, of those that its row has.
    fn column(
        &mut self,
        row: u32,
        column: u32,
        cell: &Cell,
        has: impl Fn(usize) -> bool,
    ) -> Option<(usize, Option<Mark>)> {
        if self.heading.aside.contains(&column) {
            return None;
        }
        let here = self.heading.columns.get(&column).copied();
        if let Some(found) = here.filter(|(n, _)| has(*n)) {
            return Some(found);
        }
        // A cell that is spread over the columns of its row stands in the one that the row has.
        let mut spread = self
            .heading
            .columns
            .iter()
            .filter(|(other, (n, _))| has(*n) && self.form.grid.covers(row, column, **other));
        if let (Some((_, found)), None) = (spread.next(), spread.next()) {
            return Some(*found);
        }
        let shown = cell.shown().to_owned();
        let (code, text) = match here {
            Some(_) => (
                "unexpected_figure",
                Text::new(
                    format!("读到“{shown}”，该行没有此栏，应为空。"),
                    format!("read \"{shown}\"; the row has nothing in this column, expected it empty"),
                ),
            ),
            None => (
                "unknown_column",
                Text::new(
                    format!("读到“{shown}”，但该列不在表头所列各栏之内，应为空。"),
                    format!("read \"{shown}\" in a column that the heading does not name; expected it empty"),
                ),
            ),
        };
        self.form.fault((row, column), Some(&shown), code, text);
        None
    }

    /// What money in a row is in, by its cell for the unit.
    fn unit_mark(&self, cells: &Cells<'_>) -> Option<Mark> {
        let mut aside = cells.iter().filter(|(column, _)| self.heading.aside.contains(column));
        aside.find_map(|(_, cell)| Mark::of(cell.shown()))
    }

    /// Reads a row of a list.
    fn listed(&mut self, row: u32, cells: &Cells<'_>, list: List) {
        let at = self.heading.label;
        let name = self.form.grid.at(row, at);
        let figures = cells
            .iter()
            .filter(|(column, _)| self.heading.columns.contains_key(column))
            .count();
        let (path, number) = match list {
            List::Funds => (FUNDS.0, self.funds),
            _ => (BUILDINGS.0, self.buildings),
        };
        let Some((_, _, name)) = name.filter(|(at, ..)| *at == row) else {
            if figures > 0 {
                let text = Text::fixed(
                    "有金额而无名称，应填写名称。",
                    "there are figures and no name; expected a name",
                );
                self.form.fault((row, at), None, "missing_name", text);
            }
            return;
        };
        // Rows of the year before were not filed.
        if name.is_taken("T") {
            return;
        }
        let shown = name.shown().trim();
        if shown.starts_with('注') || shown.starts_with("填表说明") {
            return;
        }
        if shown == NONE_LISTED && figures == 0 {
            self.form.put(path, (row, at), Json::Array(Vec::new()));
            return;
        }
        self.form
            .put(&format!("{path}.{number}.name"), (row, at), Json::from(shown));
        let fields: Vec<(usize, &str, Unit)> = match list {
            List::Funds => [(0, "prior_final"), (2, "budget"), (3, "final")]
                .map(|(n, field)| (n, field, Unit::TenThousandYuan))
                .to_vec(),
            _ => BUILDING_COLUMNS
                .iter()
                .enumerate()
                .map(|(n, (_, field, unit))| (n, *field, *unit))
                .collect(),
        };
        let unit = self.unit_mark(cells);
        for (column, cell) in cells.iter().filter(|(column, _)| **column > at) {
            let found = self.column(row, *column, cell, |n| fields.iter().any(|(known, ..)| *known == n));
            let field = found.and_then(|(n, mark)| Some((fields.iter().find(|(known, ..)| *known == n)?, mark)));
            let Some((&(_, field, counted), mark)) = field else {
                continue;
            };
            if !cell.is_taken("N") {
                self.amount(
                    &format!("{path}.{number}.{field}"),
                    (row, *column),
                    cell,
                    counted,
                    &[unit, mark],
                );
            }
        }
        match list {
            List::Funds => self.funds += 1,
            _ => self.buildings += 1,
        }
    }

    /// A row that the form does not have: notes may stand there, figures not.
    fn unknown(&mut self, row: u32, first: u32, cells: &Cells<'_>) {
        let figure = cells.iter().find(|(column, cell)| {
            self.heading.columns.contains_key(column)
                && (matches!(cell.value, Value::Number(_))
                    || super::figure::plain_digits(cell.shown().trim()).is_some())
        });
        if figure.is_none() {
            return;
        }
        let label = cells
            .get(&first)
            .map(|cell| cell.shown().trim().to_owned())
            .unwrap_or_default();
        // No label is that long, and likeness takes its time.
        let compared = Some(plain(&label)).filter(|label| label.chars().count() <= LONGEST_LABEL);
        let likely = ROWS
            .iter()
            .filter_map(|(known, row)| Some((strsim::jaro_winkler(compared.as_ref()?, known), row.label)));
        let nearest = likely
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let (zh, en) = nearest.map_or_else(
            || ("应为表中已有的项目".to_owned(), "expected a row of the form".to_owned()),
            |(_, nearest)| (format!("是否为“{nearest}”"), format!("did you mean \"{nearest}\"")),
        );
        let text = Text::new(
            format!("读到项目“{label}”，表中没有此项；{zh}？").replace("项目？", "项目。"),
            format!("read \"{label}\", which is no row of the form; {en}"),
        );
        self.form.fault((row, first), Some(&label), "unknown_row", text);
    }
}

/// The rows of the form by their labels as these are compared.
static ROWS: LazyLock<HashMap<String, &'static Row>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for row in rows() {
        known.entry(plain(row.label)).or_insert(row);
    }
    for (label, path) in OTHER_ROWS {
        if let Some(row) = rows().find(|row| row.path == *path) {
            known.entry((*label).to_owned()).or_insert(row);
        }
    }
    known
});

/// What else stands before something in the form, and at which place; none for a heading.
static OTHERS: LazyLock<HashMap<String, (&'static str, &'static str)>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for block in BASE_DATA {
        let (name, path) = match block {
            Block::Choice(name, path) | Block::Words(name, path) => (*name, *path),
            Block::Heading(name) => (*name, ""),
            _ => continue,
        };
        known.entry(plain(name)).or_insert((name, path));
    }
    known
});

/// Whether a label as it is compared is that of a row of the form, as the form itself prints it.
pub fn is_row(label: &str) -> bool {
    ROWS.get(label).is_some_and(|row| plain(row.label) == label)
}

/// The row of the form that a label names.
fn known_row(label: &str) -> Option<&'static Row> {
    let known = |label: &str| ROWS.get(label).copied();
    known(label).or_else(|| known(label.strip_prefix("本年")?))
}
