//! Reads 附件3.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::figure::{Mark, plain_digits};
use super::form::{Cells, Form};
use super::grid::{Cell, Grid, Value};
use super::own;
use crate::fault::Text;
use crate::forms::terms::{
    ASIDE, BEFORE_SOURCES, COMPARISONS, COMPUTED, FUND_HEAD, KEYS, LEVELS, MONEY, MONEY_COLUMNS, QUALITY, QUANTITY,
    SECTIONS, SIGNATURES, TargetColumn, half_width, plain,
};
use crate::scoring::values::{Amount, Points, Quantity, Share};
use crate::scoring::variables::Unit;

/// How far the sources of a fund's money are spread at most, with what offices leave between.
const MOST_BETWEEN: u32 = 40;
/// In which columns the labels of sources stand.
const LABEL_COLUMNS: usize = 20;
/// How many formulas are looked at: more than a form has totals.
const MOST_SUMS: usize = 200;

/// Where a form is read.
enum Part {
    /// Names and goal; the money, once its head was read.
    Head,
    /// The targets.
    Targets,
}

/// Reads the sheet.
pub fn read(grid: &Grid) -> Form<'_> {
    let mut reader = Reader {
        form: Form::new(grid),
        part: Part::Head,
        money: BTreeMap::new(),
        targets: BTreeMap::new(),
        count: 0,
        sums: 0,
    };
    for (row, cells) in &grid.rows {
        if !reader.row(*row, cells) {
            break;
        }
    }
    if reader.targets.is_empty() {
        let text = Text::fixed(
            "未找到绩效指标的表头，应有一行为：一级指标、二级指标、三级指标、年度指标值……",
            "there is no heading of the targets; expected a row with 一级指标, 二级指标, 三级指标, 年度指标值 …",
        );
        reader.form.fault((0, 0), None, "missing_form_heading", text);
    }
    reader.form
}

struct Reader<'a> {
    form: Form<'a>,
    part: Part,
    /// Which column of money each column is, with what it is in.
    money: BTreeMap<u32, (&'static str, Option<Mark>)>,
    /// Which column of the targets is where.
    targets: BTreeMap<TargetColumn, u32>,
    count: usize,
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
        let begins = |word: &str| labels.first().is_some_and(|(_, label)| label.starts_with(word));
        if SIGNATURES.iter().any(|word| begins(word)) {
            return false;
        }
        match self.part {
            Part::Targets if begins("总分") || begins("合计") || begins("注:") || begins("填表说明") => {
                return false;
            }
            Part::Targets => self.target(row, cells),
            Part::Head => {
                let known: Vec<_> = KEYS.into_iter().chain(FUND_HEAD).collect();
                if !self.heads(row, cells, &labels) && !self.form.pairs(row, cells, &known) {
                    self.money(row, cells, &labels);
                }
            }
        }
        true
    }

    /// Reads the head of the money or of the targets, if the row is one.
    fn heads(&mut self, row: u32, cells: &Cells<'_>, labels: &[(u32, String)]) -> bool {
        let money = |label: &str| MONEY_COLUMNS.iter().find(|(known, _)| *known == label);
        let target = |label: &str| TargetColumn::ALL.iter().find(|(_, known)| plain(known) == label);
        if labels.iter().filter(|(_, label)| money(label).is_some()).count() >= 2 {
            let marked = cells.values().find_map(|cell| Mark::of(cell.shown()));
            for (column, label) in labels {
                if let Some((_, field)) = money(label) {
                    let own = cells.get(column).and_then(|cell| Mark::of(cell.shown()));
                    self.money.insert(*column, (field, own.or(marked)));
                }
            }
            return true;
        }
        if labels.iter().filter(|(_, label)| target(label).is_some()).count() < 4 {
            return false;
        }
        for (column, label) in labels {
            match target(label) {
                Some((known, _)) => {
                    if self.targets.insert(*known, *column).is_some() {
                        let text = Text::new(
                            format!("“{label}”列出现了两次，应只有一列。"),
                            format!("there are two columns \"{label}\"; expected one"),
                        );
                        self.form.fault((row, *column), Some(label), "duplicate_column", text);
                    }
                }
                None if ASIDE.contains(&label.as_str()) => {}
                None => {
                    let text = Text::new(
                        format!("读到列“{label}”，绩效指标没有此栏。"),
                        format!("read the column \"{label}\", which the targets do not have"),
                    );
                    self.form.fault((row, *column), Some(label), "unknown_column", text);
                }
            }
        }
        self.part = Part::Targets;
        true
    }

    /// Reads a row of the money.
    fn money(&mut self, row: u32, cells: &Cells<'_>, labels: &[(u32, String)]) {
        let known = labels
            .iter()
            .find_map(|(at, label)| Some((*at, MONEY.iter().find(|(known, _)| known == label)?)));
        let Some((at, (_, name))) = known else {
            // The money ends where the goal begins.
            if self.form.places.contains_key("goal.expected") {
                return;
            }
            let figure = cells
                .iter()
                .find(|(column, cell)| self.money.contains_key(column) && matches!(cell.value, Value::Number(_)));
            if let (Some(_), Some((first, label))) = (figure, labels.first()) {
                let text = Text::new(
                    format!("读到资金来源“{label}”，表中没有此项。"),
                    format!("read \"{label}\", which is no row of the money"),
                );
                self.form.fault((row, *first), Some(label), "unknown_row", text);
            }
            return;
        };
        for (column, cell) in cells.iter().filter(|(column, _)| **column > at) {
            let Some((field, mark)) = self.money.get(column).copied() else {
                continue;
            };
            // The form adds the total up itself.
            if *name == "total" && self.is_total((row, *column), cell) {
                continue;
            }
            let own = cells.get(&at).and_then(|cell| Mark::of(cell.shown()));
            let path = format!("funding.{name}.{field}");
            if self.form.places.contains_key(&path) {
                let text = Text::fixed(
                    "该项已在上面填报，应只填一行。",
                    "it stands above already; expected once",
                );
                self.form
                    .fault((row, *column), Some(cell.shown()), "duplicate_row", text);
                continue;
            }
            self.form
                .figure::<Amount>(&path, (row, *column), cell, Some(Unit::TenThousandYuan), &[own, mark]);
        }
    }

    /// Whether a cell holds the formula by which the form adds the total up. Any other formula is the unit's own, and its
    /// result what the unit states.
    fn is_total(&mut self, (row, column): (u32, u32), cell: &Cell) -> bool {
        let formula = cell.formula.as_deref().unwrap_or_default();
        let Some(range) = own::sum(formula, &["SUM(@:@)", "IF(COUNT(@:@)=0,\"\",SUM(@:@))"]) else {
            return false;
        };
        if range.column != column || !(row < range.first && range.first <= range.last) {
            return false;
        }
        self.sums += 1;
        if range.last - range.first > MOST_BETWEEN || self.sums > MOST_SUMS {
            return false;
        }
        // It adds up all of the sources, and nothing else.
        let mut found = Vec::new();
        for (_, cells) in self.form.grid.rows.range(range.first..=range.last) {
            let source = cells.values().take(LABEL_COLUMNS).find_map(|cell| {
                let label = self.form.label(cell);
                MONEY.iter().find(|(known, _)| *known == label)
            });
            match source {
                Some((_, name)) => found.push(*name),
                None if cells.contains_key(&column) => return false,
                None => {}
            }
        }
        let sources = MONEY.get(BEFORE_SOURCES..).unwrap_or_default();
        found.len() == sources.len() && sources.iter().all(|(_, name)| found.contains(name))
    }

    fn cell(&self, row: u32, column: TargetColumn) -> Option<(u32, u32, &'a Cell)> {
        let grid: &'a Grid = self.form.grid;
        grid.at(row, *self.targets.get(&column)?)
    }

    /// What stands in a column of a target's own row, and where.
    fn own(&self, row: u32, column: TargetColumn) -> Option<(String, (u32, u32), &'a Cell)> {
        let (at, column, cell) = self.cell(row, column)?;
        (at == row).then(|| (cell.shown().trim().to_owned(), (row, column), cell))
    }

    /// Reads a target.
    fn target(&mut self, row: u32, cells: &Cells<'_>) {
        let filled = cells
            .iter()
            .any(|(column, cell)| cell.formula.is_none() && self.targets.values().any(|known| known == column));
        let kind = self.own(row, TargetColumn::Kind);
        if !filled || kind.as_ref().is_some_and(|(kind, ..)| kind == COMPUTED) {
            return;
        }
        let at = format!("targets.{}", self.count);
        self.form.place(&at, place_of(&self.targets, row, TargetColumn::Name));
        for (column, field) in [
            (TargetColumn::Section, "section"),
            (TargetColumn::Name, "name"),
            (TargetColumn::Kind, "measure.kind"),
            (TargetColumn::Comparison, "measure.comparison"),
            (TargetColumn::Expected, "measure.target"),
        ] {
            let place = place_of(&self.targets, row, column);
            self.form.place(&format!("{at}.{field}"), place);
        }
        // A heading may be spread over the rows that it stands for.
        if let Some((found, place, cell)) = self.cell(row, TargetColumn::Section) {
            let (path, text) = (format!("{at}.section"), cell.shown().trim());
            match text.is_ascii() {
                // A scheme may have sections of its own, by their codes.
                true => self.form.put(&path, (found, place), Json::from(text)),
                false => self.form.chosen(&path, (found, place), SECTIONS, text),
            }
        }
        if let Some((found, place, cell)) = self.cell(row, TargetColumn::Group) {
            let text = Json::from(cell.shown().trim());
            self.form.put(&format!("{at}.group"), (found, place), text);
        }
        if let Some((name, place, _)) = self.own(row, TargetColumn::Name) {
            self.form.put(&format!("{at}.name"), place, Json::from(name));
        }
        if let Some((_, place, cell)) = self.own(row, TargetColumn::Weight) {
            self.form
                .figure::<Points>(&format!("{at}.weight"), place, cell, None, &[]);
        }
        if let Some((covers, place, _)) = self.own(row, TargetColumn::Covers) {
            self.covers(&at, &covers, place);
        }
        if let Some((_, place, cell)) = self.own(row, TargetColumn::Deviation) {
            self.form
                .put(&format!("{at}.deviation"), place, Json::from(cell.shown()));
        }
        match kind {
            Some((kind, place, _)) if kind == QUANTITY => {
                self.form
                    .put(&format!("{at}.measure.kind"), place, Json::from("quantity"));
                self.quantity(row, &at);
            }
            Some((kind, place, _)) if kind == QUALITY => {
                self.form
                    .put(&format!("{at}.measure.kind"), place, Json::from("quality"));
                self.quality(row, &at);
            }
            other => {
                let shown = other.map(|(kind, ..)| kind);
                let text = Text::new(
                    format!("读到“{}”，应为“定量”或“定性”。", shown.as_deref().unwrap_or("空")),
                    format!(
                        "read \"{}\"; expected 定量 (a number) or 定性 (in words)",
                        shown.as_deref().unwrap_or("")
                    ),
                );
                self.form.fault(
                    place_of(&self.targets, row, TargetColumn::Kind),
                    shown.as_deref(),
                    "unknown_kind",
                    text,
                );
            }
        }
        self.count += 1;
    }

    fn quantity(&mut self, row: u32, at: &str) {
        let unit = self.own(row, TargetColumn::Unit);
        let suffix = unit.as_ref().map(|(unit, ..)| half_width(unit)).unwrap_or_default();
        let mut sign = self
            .own(row, TargetColumn::Comparison)
            .map(|(sign, place, _)| (half_width(&sign), place));
        if let Some((unit, place, _)) = unit {
            self.form.put(&format!("{at}.measure.unit"), place, Json::from(unit));
        }
        for (column, field) in [(TargetColumn::Expected, "target"), (TargetColumn::Actual, "actual")] {
            let Some((_, place, cell)) = self.own(row, column) else {
                continue;
            };
            let mut cell = cell.clone();
            if let Value::Text(text) = &cell.value {
                // `≥181户` says comparison and unit as well.
                let text = half_width(text).trim().to_owned();
                let bare = text.trim_start_matches(['≥', '≤', '=', '>', '<']);
                let comparison = text.get(..text.len() - bare.len()).unwrap_or_default().to_owned();
                if !comparison.is_empty() && field == "target" && sign.is_none() {
                    sign = Some((comparison.clone(), place));
                }
                let agrees = comparison.is_empty() || sign.as_ref().is_some_and(|(sign, _)| *sign == comparison);
                // In a unit such as `%` or `同比%`, `95%` says the unit, or the end of it.
                let bare = bare.trim();
                let own = bare.strip_suffix(suffix.as_str());
                let own = own.or_else(|| bare.strip_suffix('%').filter(|_| suffix.ends_with('%')));
                let bare = own.unwrap_or(bare).trim();
                if agrees && plain_digits(bare).is_some() {
                    cell.value = Value::Text(bare.to_owned());
                }
            }
            self.form
                .figure::<Quantity>(&format!("{at}.measure.{field}"), place, &cell, None, &[]);
        }
        if let Some((sign, place)) = sign {
            let sign = match sign.as_str() {
                ">=" => "≥",
                "<=" => "≤",
                other => other,
            };
            self.form
                .chosen(&format!("{at}.measure.comparison"), place, COMPARISONS, sign);
        }
        self.unused(row, &[TargetColumn::Level, TargetColumn::Share], QUANTITY);
    }

    fn quality(&mut self, row: u32, at: &str) {
        for (column, field) in [(TargetColumn::Expected, "expected"), (TargetColumn::Actual, "achieved")] {
            if let Some((_, place, cell)) = self.own(row, column) {
                self.form
                    .put(&format!("{at}.measure.{field}"), place, Json::from(cell.shown()));
            }
        }
        if let Some((level, place, _)) = self.own(row, TargetColumn::Level) {
            self.form.chosen(&format!("{at}.measure.level"), place, LEVELS, &level);
        }
        if let Some((_, place, cell)) = self.own(row, TargetColumn::Share) {
            let mut cell = cell.clone();
            if let Value::Text(text) = &cell.value {
                let text = half_width(text);
                cell.value = Value::Text(text.trim().trim_end_matches('%').to_owned());
            }
            self.form
                .figure::<Share>(&format!("{at}.measure.share"), place, &cell, None, &[]);
        }
        self.unused(row, &[TargetColumn::Comparison, TargetColumn::Unit], QUALITY);
    }

    /// What stands in columns that a target of its kind does not have.
    fn unused(&mut self, row: u32, columns: &[TargetColumn], kind: &str) {
        for column in columns {
            if let Some((shown, place, _)) = self.own(row, *column) {
                let text = Text::new(
                    format!("读到“{shown}”，{kind}指标没有此栏，应为空。"),
                    format!("read \"{shown}\"; a target that is {kind} has nothing here, expected it empty"),
                );
                self.form.fault(place, Some(&shown), "unexpected_value", text);
            }
        }
    }

    /// Reads the years whose task a target is: one, or from one to another.
    fn covers(&mut self, at: &str, text: &str, place: (u32, u32)) {
        let plain: String = half_width(text)
            .chars()
            .filter(|c| !c.is_whitespace() && !"年度".contains(*c))
            .collect();
        let parts: Vec<&str> = plain
            .split(['-', '—', '–', '～', '~', '至'])
            .filter(|part| !part.is_empty())
            .collect();
        let years = match parts.as_slice() {
            [one] => Some((*one, *one)),
            [from, to] => Some((*from, *to)),
            _ => None,
        };
        let years = years.and_then(|(from, to)| Some((from.parse::<i64>().ok()?, to.parse::<i64>().ok()?)));
        match years {
            Some((from, to)) => {
                self.form.put(&format!("{at}.covers.from"), place, Json::from(from));
                self.form.put(&format!("{at}.covers.to"), place, Json::from(to));
            }
            None => {
                let wrong = Text::new(
                    format!("读到“{text}”，应为年度，如2019或2018—2019。"),
                    format!("read \"{text}\"; expected a year or two, such as 2019 or 2018—2019"),
                );
                self.form.fault(place, Some(text), "not_a_year", wrong);
            }
        }
    }
}

fn place_of(columns: &BTreeMap<TargetColumn, u32>, row: u32, column: TargetColumn) -> (u32, u32) {
    (row, columns.get(&column).copied().unwrap_or_default())
}
