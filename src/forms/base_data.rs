//! 附件2: the base data sheet, as it is printed or to be filled in.

use std::collections::HashMap;

use rust_decimal::Decimal;
use rust_xlsxwriter::{DataValidation, DataValidationRule, XlsxError};

use super::page::{At, Kind, Layout, Page, Style, address, exact};
use super::terms::{
    BASE_DATA, BASE_DATA_TITLE, BUILDING_COLUMNS, BUILDINGS, Block, CHANGE, COLUMNS, FINAL, FUNDS, NONE_LISTED,
    PRIOR_FINAL, Row,
};
use super::{Purpose, Subject};
use crate::scoring::prior::YearSheet;
use crate::scoring::sheet::{BaseData, BuildingProject, FundRow};
use crate::scoring::values::{Amount, Quantity};
use crate::scoring::variables::{Figures, Origin, Unit, VARIABLES, Variable};

/// The name of its sheet.
pub const SHEET: &str = "附件2";

/// The first of the columns of figures.
const FIGURES: u16 = 2;
/// The rows that head every page.
const REPEATED: (u32, u32) = (1, 4);
/// How many rows for lists are at least free in a sheet to be filled in.
const FREE: usize = 5;

/// Where the figures of a sheet stand, for the formulas of others.
#[derive(Debug, Default)]
pub struct Cells {
    by_name: HashMap<&'static str, At>,
    buildings: Option<(u32, u32)>,
    /// Whether formulas can name its cells.
    pub live: bool,
}

impl Cells {
    /// The expression for a figure, to be used on another sheet; `None` if it stands in no cell.
    pub fn of(&self, variable: &Variable) -> Option<String> {
        let cell = |name: &str| Some(format!("'{SHEET}'!{}", address(*self.by_name.get(name)?)));
        let budget = || {
            let parts = ["budget.carried_in", "budget.initial", "budget.supplementary"].map(cell);
            parts
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|parts| parts.join("+"))
        };
        match variable.name {
            "execution.budget" => Some(format!("({})", budget()?)),
            "execution.executed" => Some(format!("({}-{})", budget()?, cell("budget.carried_out")?)),
            name => match name.strip_prefix("buildings.") {
                Some(name) => {
                    let (first, last) = self.buildings?;
                    let column = BUILDING_COLUMNS.iter().position(|(_, known, _)| *known == name)?;
                    let column = FIGURES + u16::try_from(column).ok()?;
                    let cells = format!("{}:{}", address((first, column)), address((last, column)));
                    Some(format!("SUM('{SHEET}'!{cells})"))
                }
                None => cell(name),
            },
        }
    }
}

/// Writes the sheet; where its figures stand.
///
/// # Errors
/// None for texts that cells hold.
pub fn write(subject: &Subject<'_>, sheet: &YearSheet, purpose: Purpose) -> Result<(Page, Cells), XlsxError> {
    let mut writer = Writer {
        page: Page::new(&Layout {
            name: SHEET,
            widths: &[34, 7, 13, 13, 13, 13, 13],
            landscape: false,
        })?,
        sheet,
        purpose,
        cells: Cells::default(),
        row: 0,
    };
    let figures = VARIABLES.iter().filter_map(|variable| sheet.figure(variable));
    writer
        .page
        .set_live(figures.into_iter().all(|datum| exact(datum.value).is_some()));
    writer.all(subject)?;
    let Writer { page, mut cells, .. } = writer;
    cells.live = page.is_live();
    Ok((page, cells))
}

struct Writer<'a> {
    page: Page,
    sheet: &'a YearSheet,
    purpose: Purpose,
    cells: Cells,
    row: u32,
}

impl Writer<'_> {
    fn all(&mut self, subject: &Subject<'_>) -> Result<(), XlsxError> {
        let year = format!("（{}年度）", subject.year);
        self.row = self.page.head("附件2", BASE_DATA_TITLE, &year, "金额单位：万元")?;
        self.keys(subject)?;
        self.heading("项　目", "单位", &COLUMNS.map(|column| column.label))?;
        for block in BASE_DATA {
            match block {
                Block::Heading(label) => {
                    let last = self.page.last();
                    self.page.span((self.row, 0), last, label, Kind::Section.fixed())?;
                    self.row += 1;
                }
                Block::Row(row) => self.figures(row)?,
                Block::Funds => self.funds()?,
                Block::Buildings => self.buildings()?,
                Block::Choice(label, _) => self.no_buildings(label)?,
                Block::Words(label, _) => self.thrift(label)?,
            }
        }
        self.note()?;
        self.page.sign(self.row, REPEATED)?;
        if self.purpose == Purpose::FillIn {
            self.page.protect();
            self.page.sheet.set_freeze_panes(5, 1)?;
        }
        Ok(())
    }

    fn keys(&mut self, subject: &Subject<'_>) -> Result<(), XlsxError> {
        let (label, text) = (Kind::Label(0).fixed(), Kind::Text.fixed());
        let name = format!("填报单位：{}", subject.unit_name);
        self.page.span((self.row, 0), 2, &name, label)?;
        self.page.text((self.row, 3), "单位编码", label)?;
        self.page.text((self.row, 4), subject.unit, text)?;
        self.page.text((self.row, 5), "年度", label)?;
        self.page
            .number((self.row, 6), Some(Decimal::from(subject.year)), Kind::Bare.fixed())?;
        self.page.fit(self.row, &[(&name, 0..=2)])?;
        self.row += 1;
        Ok(())
    }

    fn heading(&mut self, label: &str, unit: &str, columns: &[&str]) -> Result<(), XlsxError> {
        let head = Kind::Head.fixed();
        self.page.text((self.row, 0), label, head)?;
        self.page.text((self.row, 1), unit, head)?;
        for (column, label) in (FIGURES..).zip(columns) {
            self.page.text((self.row, column), label, head)?;
        }
        let used = FIGURES + u16::try_from(columns.len()).unwrap_or(0);
        self.page
            .blank(self.row, used..=self.page.last(), Kind::Unused.fixed())?;
        self.page.sheet.set_row_height(self.row, 22)?;
        self.row += 1;
        Ok(())
    }

    /// What users fill in, or what is printed.
    fn style(&self, kind: Kind) -> Style {
        match self.purpose {
            Purpose::FillIn => kind.input(),
            Purpose::Print => kind.fixed(),
        }
    }

    /// How a figure looks: as many decimals as it has, or for one that is to come as many as it may have.
    fn look(&self, unit: Unit, figure: Option<Decimal>) -> Kind {
        let least = match unit {
            Unit::TenThousandYuan => 2,
            Unit::SquareMetres => match self.purpose {
                Purpose::FillIn => 2,
                Purpose::Print => 0,
            },
            _ => 0,
        };
        match (self.purpose, figure) {
            (Purpose::Print, Some(figure)) => Kind::figure(least, figure),
            _ => Kind::Figure(least),
        }
    }

    fn figures(&mut self, row: &Row) -> Result<(), XlsxError> {
        self.page.fit(self.row, &[(row.label, 0..=0)])?;
        self.page
            .text((self.row, 0), row.label, Kind::Label(row.indent).fixed())?;
        self.page.text((self.row, 1), row.unit().zh(), Kind::Text.fixed())?;
        for (n, column) in COLUMNS.iter().enumerate() {
            let at = (self.row, FIGURES + n as u16);
            match row.figure(column) {
                None => self.page.blank(at.0, [at.1], Kind::Unused.fixed())?,
                Some(variable) => {
                    self.cells.by_name.insert(variable.name, at);
                    self.figure(at, row, n, variable)?;
                }
            }
        }
        self.row += 1;
        Ok(())
    }

    fn figure(&mut self, at: At, row: &Row, column: usize, variable: &'static Variable) -> Result<(), XlsxError> {
        let taken = self.sheet.places().contains(&variable.pointer());
        let stated = self.sheet.own().stated(variable);
        let found = self.sheet.figure(variable).map(|datum| datum.value);
        let style = self.style(self.look(row.unit(), found));
        let formula = self.derivation(at, row, column);
        if self.purpose == Purpose::FillIn {
            self.page.check(
                at,
                at,
                &check(
                    variable.unit,
                    column == CHANGE || variable.name == "budget.supplementary",
                )?,
            )?;
        }
        match (stated, found, formula) {
            (Some(stated), ..) => self.page.number(at, Some(stated), style),
            (None, Some(found), _) if taken => self.taken(at, found, style),
            (None, Some(found), Some((whole, live))) => {
                let formula = if self.purpose == Purpose::Print { whole } else { live };
                self.page.computed(at, &formula, found, style)
            }
            // To be filled in: the form works it out as soon as it can.
            (None, None, Some((_, live))) if self.purpose == Purpose::FillIn => self.page.formula(at, &live, "", style),
            (None, found, _) => self.page.number(at, found, style),
        }
    }

    /// A figure of the year before. As a formula it is told apart from what the unit itself filed, also by what reads the
    /// printed form again.
    fn taken(&mut self, at: At, figure: Decimal, style: Style) -> Result<(), XlsxError> {
        match self.purpose {
            // What is to be filled in may be kept or corrected, and is the unit's own then.
            Purpose::FillIn => self.page.number(at, Some(figure), style),
            Purpose::Print => self.page.computed(at, &format!("N({figure})"), figure, style),
        }
    }

    /// How the form works out a figure: the formula where its parts are there, and the same where they may be missing.
    fn derivation(&self, (at, column_at): At, row: &Row, column: usize) -> Option<(String, String)> {
        let cell = |column: usize| address((at, FIGURES + column as u16));
        if column == CHANGE {
            let (now, before) = (cell(FINAL), cell(PRIOR_FINAL));
            let formula = format!("{now}-{before}");
            return Some((formula.clone(), format!("IF(COUNT({now},{before})=2,{formula},\"\")")));
        }
        // A total stands right above its parts.
        let parts = u32::try_from(row.parts.len()).ok().filter(|parts| *parts > 0)?;
        let cells = format!("{}:{}", address((at + 1, column_at)), address((at + parts, column_at)));
        Some((
            format!("SUM({cells})"),
            format!("IF(COUNT({cells})={parts},SUM({cells}),\"\")"),
        ))
    }

    fn funds(&mut self) -> Result<(), XlsxError> {
        let last = self.page.last();
        let label = format!("{}（逐项填列）", FUNDS.1);
        self.page.span((self.row, 0), last, &label, Kind::Label(1).fixed())?;
        self.row += 1;
        let own = self.sheet.own().special_funds();
        if self.purpose == Purpose::Print && own.is_some_and(Vec::is_empty) {
            self.none_listed()?;
        }
        let rows: Vec<FundRow> = self.sheet.filled().special_funds().cloned().unwrap_or_default();
        let listed = own.map_or(0, Vec::len);
        for (n, fund) in rows.iter().enumerate() {
            let taken = format!("/{}/{n}/prior_final", FUNDS.0.replace('.', "/"));
            let taken = self.sheet.places().contains(&taken);
            self.fund(Some(fund), taken, n >= listed)?;
        }
        for _ in 0..self.free(rows.len()) {
            self.fund(None, false, false)?;
        }
        Ok(())
    }

    /// How many rows of a list to leave free after so many.
    fn free(&self, rows: usize) -> usize {
        match self.purpose {
            Purpose::Print => 0,
            Purpose::FillIn => FREE.max(10_usize.saturating_sub(rows)),
        }
    }

    fn fund(&mut self, fund: Option<&FundRow>, taken: bool, is_new: bool) -> Result<(), XlsxError> {
        let row = self.row;
        let name = fund.map_or("", |fund| fund.name.as_str());
        let label = self.style(Kind::Label(2));
        match is_new && self.purpose == Purpose::Print {
            // The whole row is of the year before, its name as well.
            true => self
                .page
                .formula((row, 0), &format!("T(\"{}\")", name.replace('"', "\"\"")), name, label)?,
            false => self.page.text((row, 0), name, label)?,
        }
        self.page.fit(row, &[(name, 0..=0)])?;
        let unit = Unit::TenThousandYuan;
        self.page.text((row, 1), unit.zh(), Kind::Text.fixed())?;
        let amount = |of: fn(&FundRow) -> Option<Amount>| fund.and_then(of).map(Amount::get);
        let figures = [
            amount(|fund| fund.prior_final),
            None,
            amount(|fund| fund.budget),
            amount(|fund| fund.final_accounts),
            None,
        ];
        for (n, figure) in figures.into_iter().enumerate() {
            let at = (row, FIGURES + n as u16);
            let style = self.style(self.look(unit, figure));
            match n {
                1 | CHANGE => self.page.blank(row, [at.1], Kind::Unused.fixed())?,
                PRIOR_FINAL if taken => self.taken(at, figure.unwrap_or_default(), style)?,
                _ => self.page.number(at, figure, style)?,
            }
            if self.purpose == Purpose::FillIn && n != 1 && n != CHANGE {
                self.page.check(at, at, &check(unit, false)?)?;
            }
        }
        self.row += 1;
        Ok(())
    }

    /// The row that says that a list has none.
    fn none_listed(&mut self) -> Result<(), XlsxError> {
        self.page.text((self.row, 0), NONE_LISTED, Kind::Label(2).fixed())?;
        self.page.blank(self.row, 1..=self.page.last(), Kind::Unused.fixed())?;
        self.row += 1;
        Ok(())
    }

    fn no_buildings(&mut self, label: &str) -> Result<(), XlsxError> {
        self.page.text((self.row, 0), label, Kind::Label(0).fixed())?;
        let none = self.sheet.own().buildings.as_ref().and_then(|buildings| buildings.none);
        let text = none.map_or("", |none| if none { "是" } else { "否" });
        let at = (self.row, 1);
        let style = self.style(Kind::Text);
        self.page.text(at, text, style)?;
        if self.purpose == Purpose::FillIn {
            self.page.check(at, at, &one_of(&["是", "否"])?)?;
        }
        self.page.blank(self.row, 2..=self.page.last(), Kind::Unused.fixed())?;
        self.row += 1;
        Ok(())
    }

    fn buildings(&mut self) -> Result<(), XlsxError> {
        let labels = BUILDING_COLUMNS.map(|(label, _, unit)| format!("{label}\n（{}）", unit.zh()));
        self.heading(BUILDINGS.1, "", &labels.each_ref().map(String::as_str))?;
        self.page.sheet.set_row_height(self.row - 1, 32)?;
        let own = self.sheet.own().buildings.as_ref();
        let projects = own.and_then(|buildings| buildings.projects.as_ref());
        if self.purpose == Purpose::Print && projects.is_some_and(Vec::is_empty) {
            self.none_listed()?;
        }
        let projects: Vec<BuildingProject> = projects.cloned().unwrap_or_default();
        let first = self.row;
        for project in &projects {
            self.building(Some(project))?;
        }
        if !projects.is_empty() {
            self.cells.buildings = Some((first, self.row - 1));
        }
        for _ in 0..self.free(projects.len()).min(FREE) {
            self.building(None)?;
        }
        Ok(())
    }

    fn building(&mut self, project: Option<&BuildingProject>) -> Result<(), XlsxError> {
        let row = self.row;
        let name = project.map_or("", |project| project.name.as_str());
        let label = self.style(Kind::Label(0));
        self.page.text((row, 0), name, label)?;
        self.page.fit(row, &[(name, 0..=0)])?;
        self.page.blank(row, [1], Kind::Unused.fixed())?;
        let figures = [
            project.and_then(|project| project.approved_area).map(Quantity::get),
            project.and_then(|project| project.actual_area).map(Quantity::get),
            project.and_then(|project| project.approved_cost).map(Amount::get),
            project.and_then(|project| project.actual_cost).map(Amount::get),
        ];
        for ((column, figure), (_, _, unit)) in (FIGURES..).zip(figures).zip(BUILDING_COLUMNS) {
            let style = self.style(self.look(unit, figure));
            self.page.number((row, column), figure, style)?;
            if self.purpose == Purpose::FillIn {
                self.page.check((row, column), (row, column), &check(unit, false)?)?;
            }
        }
        let used = FIGURES + BUILDING_COLUMNS.len() as u16;
        self.page.blank(row, used..=self.page.last(), Kind::Unused.fixed())?;
        self.row += 1;
        Ok(())
    }

    fn thrift(&mut self, label: &str) -> Result<(), XlsxError> {
        let last = self.page.last();
        self.page.text((self.row, 0), label, Kind::Label(0).fixed())?;
        let words = self.sheet.own().thrift.as_ref().map_or("", |words| words.as_str());
        let style = self.style(Kind::Words);
        self.page.span((self.row, 1), last, words, style)?;
        self.page.fit(self.row, &[(words, 1..=last)])?;
        if self.purpose == Purpose::FillIn && words.is_empty() {
            self.page.sheet.set_row_height(self.row, 60)?;
        }
        self.row += 1;
        Ok(())
    }

    fn note(&mut self) -> Result<(), XlsxError> {
        let note = match self.purpose {
            Purpose::Print => {
                "注：空格表示未填报，不等于0；合计与增减未单独填报的，由各分项和上下年数计算；以N()列示的上年数取自上年度基础数据表。"
            }
            Purpose::FillIn => {
                "填表说明：只填浅黄色单元格；未掌握的数据请留空，不要填0；合计、增减可由公式得出，也可直接填写；没有专项资金或楼堂馆所项目的，在名称栏填“无”。"
            }
        };
        let last = self.page.last();
        self.page.span((self.row, 0), last, note, Kind::Words.fixed())?;
        self.page.fit(self.row, &[(note, 0..=last)])?;
        self.row += 1;
        Ok(())
    }
}

impl BaseData {
    /// The figure that the sheet itself states; `None` where it was left out, also if it can be added up.
    fn stated(&self, variable: &Variable) -> Option<Decimal> {
        self.figure(variable)
            .filter(|datum| datum.origin == Origin::Reported)
            .map(|datum| datum.value)
    }
}

/// What may be put into a cell for a figure of that unit.
///
/// # Errors
/// None: the messages are short enough.
pub fn check(unit: Unit, signed: bool) -> Result<DataValidation, XlsxError> {
    let check = match unit {
        Unit::TenThousandYuan | Unit::SquareMetres if signed => DataValidation::new()
            .allow_decimal_number(DataValidationRule::Between(-9_999_999_999.0, 9_999_999_999.0))
            .set_error_message("应填数字，可为负数，最多6位小数；未掌握的请留空。")?,
        Unit::TenThousandYuan | Unit::SquareMetres => DataValidation::new()
            .allow_decimal_number(DataValidationRule::Between(0.0, 9_999_999_999.0))
            .set_error_message("应填不小于0的数字，最多6位小数；未掌握的请留空。")?,
        _ => DataValidation::new()
            .allow_whole_number(DataValidationRule::Between(0, 999_999_999))
            .set_error_message("应填不小于0的整数；未掌握的请留空。")?,
    };
    check
        .set_error_title("填写有误")?
        .set_input_message(format!("单位：{}", unit.zh()))
}

/// One of these words may be put into a cell.
///
/// # Errors
/// None: the words are short enough.
pub fn one_of(words: &[&str]) -> Result<DataValidation, XlsxError> {
    DataValidation::new()
        .allow_list_strings(words)?
        .set_error_title("填写有误")?
        .set_error_message("请从下拉列表中选择。")
}
