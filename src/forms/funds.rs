//! 附件3: the target self-evaluation of one special fund, as it is printed or to be filled in.

use rust_decimal::Decimal;
use rust_xlsxwriter::{DataValidation, DataValidationRule, XlsxError};

use super::base_data::{check, one_of};
use super::formula::{points, rounded};
use super::page::{Kind, Layout, Page, Style, address, exact};
use super::scores::OPEN;
use super::terms::{
    BEFORE_SOURCES, COMPARISONS, COMPUTED, FUND_TITLE, GROUPS, LEVELS, MONEY, MONEY_COLUMNS, QUALITY, QUANTITY,
    SECTIONS, TargetColumn, Words, printed,
};
use super::{Purpose, Subject};
use crate::scoring::scheme::{Round, Scheme};
use crate::scoring::score::{Line, Score};
use crate::scoring::special_fund::{
    Comparison, Execution, FundTable, Funding, FundingRow, Level, Measure, Period, TargetRow,
};
use crate::scoring::text::{self, Label};
use crate::scoring::values::{Amount, Points};
use crate::scoring::variables::Unit;
use crate::special_funds::model::USUAL_SCHEME;

/// A fund whose form is written.
pub struct Fund<'a> {
    /// Which of the unit's, from 1.
    pub number: usize,
    /// Its id; empty for one that is to come.
    pub id: &'a str,
    /// Its name; empty for one that is to come.
    pub name: &'a str,
    /// The scheme that it is scored by.
    pub scheme_id: &'a str,
    /// Whether it goes on in the next year; `None` where that is not known.
    pub continues: Option<bool>,
    /// Its table.
    pub table: &'a FundTable,
    /// Its score, and the scheme that it follows from.
    pub scored: Option<(&'a Score, Option<&'a Scheme>)>,
}

impl Fund<'static> {
    /// One that is to come.
    pub fn empty() -> Self {
        static NOTHING: FundTable = FundTable {
            competent_department: None,
            implementing_unit: None,
            funding: Funding {
                total: None,
                central_and_provincial: None,
                municipal: None,
                county: None,
                other: None,
                appropriation: None,
                carried_over: None,
            },
            goal: None,
            targets: Vec::new(),
        };
        Self {
            number: 1,
            id: "",
            name: "",
            scheme_id: USUAL_SCHEME,
            continues: None,
            table: &NOTHING,
            scored: None,
        }
    }
}

/// How many target rows are at least free in a form to be filled in.
const FREE: usize = 10;
/// The columns of each column of money: first and last.
const MONEY_AT: [(u16, u16); 3] = [(3, 5), (6, 8), (9, 10)];
/// The columns of the execution rate.
const RATE_AT: (u16, u16) = (11, 13);

/// Writes the form.
///
/// # Errors
/// None for what can be filed.
pub fn write(subject: &Subject<'_>, fund: &Fund<'_>, purpose: Purpose) -> Result<Page, XlsxError> {
    let annex = format!("附件3-{}", fund.number);
    let mut writer = Writer {
        page: Page::new(&Layout {
            name: &annex,
            widths: &[11, 13, 20, 8, 6, 14, 8, 14, 14, 8, 7, 8, 11, 24],
            landscape: true,
        })?,
        fund,
        purpose,
        row: 0,
    };
    let year = format!("（{}年度）", subject.year);
    writer.row = writer.page.head(&annex, FUND_TITLE, &year, "金额单位：万元")?;
    writer.keys(subject)?;
    writer.money()?;
    writer.goal()?;
    writer.targets()?;
    let (note, last) = (writer.note(), writer.page.last());
    writer.page.span((writer.row, 0), last, note, Kind::Words.fixed())?;
    writer.page.fit(writer.row, &[(note, 0..=last)])?;
    writer.page.sign(writer.row + 1, (1, 2))?;
    if purpose == Purpose::FillIn {
        writer.page.protect();
    }
    Ok(writer.page)
}

struct Writer<'a> {
    page: Page,
    fund: &'a Fund<'a>,
    purpose: Purpose,
    row: u32,
}

impl Writer<'_> {
    fn style(&self, kind: Kind) -> Style {
        match self.purpose {
            Purpose::FillIn => kind.input(),
            Purpose::Print => kind.fixed(),
        }
    }

    fn note(&self) -> &'static str {
        match self.purpose {
            Purpose::Print => "注：空格表示未填报，不等于0；性质为“计算”的行由表内数据得出。",
            Purpose::FillIn => {
                "填表说明：只填浅黄色单元格；未掌握的数据请留空，不要填0；其他专项资金请复制本表后填写，专项资金编号不得重复。定量指标填比较、年度指标值、实际完成值，定性指标填年度目标、完成情况、达成程度和得分比例。"
            }
        }
    }

    /// A label and what stands behind it.
    fn pair(&mut self, label: (u16, u16, &str), value: (u16, u16, &str), style: Style) -> Result<(), XlsxError> {
        self.page
            .span((self.row, label.0), label.1, label.2, Kind::Head.fixed())?;
        self.page.span((self.row, value.0), value.1, value.2, style)
    }

    fn keys(&mut self, subject: &Subject<'_>) -> Result<(), XlsxError> {
        let (fund, table) = (self.fund, self.fund.table);
        let text = self.style(Kind::Text);
        let label = |label: &Option<Label>| label.as_ref().map_or(String::new(), |label| label.as_str().to_owned());
        self.pair((0, 0, "项目名称"), (1, 5, fund.name), text)?;
        self.pair((6, 7, "专项资金编号"), (8, 13, fund.id), text)?;
        self.page.fit(self.row, &[(fund.name, 1..=5), (fund.id, 8..=13)])?;
        self.row += 1;
        let (competent, implementing) = (label(&table.competent_department), label(&table.implementing_unit));
        self.pair((0, 0, "主管部门"), (1, 5, &competent), text)?;
        self.pair((6, 7, "实施单位"), (8, 13, &implementing), text)?;
        self.page
            .fit(self.row, &[(&competent, 1..=5), (&implementing, 8..=13)])?;
        self.row += 1;
        self.pair((0, 0, "填报单位"), (1, 5, subject.unit_name), Kind::Text.fixed())?;
        self.pair((6, 7, "单位编码"), (8, 10, subject.unit), Kind::Text.fixed())?;
        self.pair(
            (11, 11, "年度"),
            (12, 13, &subject.year.to_string()),
            Kind::Text.fixed(),
        )?;
        self.page.fit(self.row, &[(subject.unit_name, 1..=5)])?;
        self.row += 1;
        let continues = fund
            .continues
            .map_or("", |continues| if continues { "是" } else { "否" });
        self.pair((0, 0, "跨年度项目"), (1, 5, continues), text)?;
        self.pair((6, 7, "评分标准"), (8, 13, fund.scheme_id), text)?;
        if self.purpose == Purpose::FillIn {
            self.page.check((self.row, 1), (self.row, 1), &one_of(&["是", "否"])?)?;
        }
        self.page.fit(self.row, &[])?;
        self.row += 1;
        Ok(())
    }

    fn money(&mut self) -> Result<(), XlsxError> {
        let head = Kind::Head.fixed();
        self.page.span((self.row, 0), 2, "项目资金（万元）", head)?;
        let labels = MONEY_COLUMNS.map(|(label, _)| label);
        for ((first, last), label) in MONEY_AT.into_iter().zip([
            labels[0].to_owned(),
            format!("{}（A）", labels[1]),
            format!("{}（B）", labels[2]),
        ]) {
            self.page.span((self.row, first), last, &label, head)?;
        }
        self.page
            .span((self.row, RATE_AT.0), RATE_AT.1, "执行率（B/A）", head)?;
        self.page.fit(self.row, &[])?;
        self.row += 1;
        let funding = &self.fund.table.funding;
        let rows = [
            funding.total,
            funding.appropriation,
            funding.carried_over,
            funding.central_and_provincial,
            funding.municipal,
            funding.county,
            funding.other,
        ];
        let amounts = rows.iter().flatten().flat_map(|row| {
            let FundingRow {
                initial_budget,
                adjusted_budget,
                executed,
            } = row;
            [initial_budget, adjusted_budget, executed]
        });
        let whole = amounts.flatten().all(|amount| exact(amount.get()).is_some());
        self.page.set_live(whole);
        let executions = self.fund.table.executions();
        for (n, ((label, name), row)) in MONEY.into_iter().zip(rows).enumerate() {
            let execution = executions.iter().find(|execution| execution.row == name);
            self.money_row(n, label, row, execution)?;
        }
        Ok(())
    }

    fn money_row(
        &mut self,
        n: usize,
        label: &str,
        row: Option<FundingRow>,
        execution: Option<&Execution>,
    ) -> Result<(), XlsxError> {
        let at = self.row;
        self.page
            .span((at, 0), 2, label, Kind::Label(if n == 0 { 0 } else { 1 }).fixed())?;
        let stated = |of: fn(&FundingRow) -> Option<Amount>| row.as_ref().and_then(of).map(Amount::get);
        let figures = [
            (stated(|row| row.initial_budget), None),
            (
                stated(|row| row.adjusted_budget),
                execution.and_then(|row| row.adjusted_budget),
            ),
            (stated(|row| row.executed), execution.and_then(|row| row.executed)),
        ];
        for ((first, last), (stated, known)) in MONEY_AT.into_iter().zip(figures) {
            let figure = stated.or(known);
            let style = self.style(match (self.purpose, figure) {
                (Purpose::Print, Some(figure)) => Kind::figure(2, figure),
                _ => Kind::Figure(2),
            });
            self.page.span((at, first), last, "", style)?;
            let sources = (at + BEFORE_SOURCES as u32, at + MONEY.len() as u32 - 1);
            let cells = format!("{}:{}", address((sources.0, first)), address((sources.1, first)));
            let live = format!("IF(COUNT({cells})=0,\"\",SUM({cells}))");
            match (stated, known) {
                (Some(_), _) => self.page.number((at, first), stated, style)?,
                // Only the total can be known without being stated.
                (None, Some(known)) if self.purpose == Purpose::Print => {
                    self.page
                        .computed((at, first), &format!("SUM({cells})"), known, style)?;
                }
                (None, Some(known)) => self.page.computed((at, first), &live, known, style)?,
                (None, None) if n == 0 && self.purpose == Purpose::FillIn => {
                    self.page.formula((at, first), &live, "", style)?;
                }
                (None, None) => {}
            }
            if self.purpose == Purpose::FillIn {
                self.page
                    .check((at, first), (at, first), &check(Unit::TenThousandYuan, false)?)?;
            }
        }
        let (budget, executed) = (address((at, MONEY_AT[1].0)), address((at, MONEY_AT[2].0)));
        let (first, last) = RATE_AT;
        let style = Kind::Percent.fixed();
        self.page.span((at, first), last, "", style)?;
        let percent = execution.and_then(|row| row.percent);
        match percent.and_then(|percent| percent.checked_div(Decimal::ONE_HUNDRED)) {
            Some(share) if self.purpose == Purpose::Print => {
                self.page
                    .computed((at, first), &format!("{executed}/{budget}"), share, style)?;
            }
            _ if self.purpose == Purpose::FillIn => {
                let live = format!("IF(COUNT({budget},{executed})<2,\"\",IF({budget}=0,\"\",{executed}/{budget}))");
                self.page.formula((at, first), &live, "", style)?;
            }
            _ => {}
        }
        self.page.fit(at, &[])?;
        self.row += 1;
        Ok(())
    }

    fn goal(&mut self) -> Result<(), XlsxError> {
        let goal = self.fund.table.goal.clone().unwrap_or_default();
        let first = self.row;
        let style = self.style(Kind::Words);
        let last = self.page.last();
        for (label, words) in [("预期目标", goal.expected), ("实际完成情况", goal.achieved)] {
            let words = words.as_ref().map_or("", |words| words.as_str());
            self.page.text((self.row, 1), label, Kind::Head.fixed())?;
            self.page.span((self.row, 2), last, words, style)?;
            self.page.fit(self.row, &[(words, 2..=last)])?;
            if words.is_empty() && self.purpose == Purpose::FillIn {
                self.page.sheet.set_row_height(self.row, 40)?;
            }
            self.row += 1;
        }
        self.page
            .block((first, 0), (self.row - 1, 0), "年度总体目标", Kind::Head.fixed())
    }

    fn targets(&mut self) -> Result<(), XlsxError> {
        for (column, label) in TargetColumn::ALL {
            self.page.text((self.row, column as u16), label, Kind::Head.fixed())?;
        }
        self.page.sheet.set_row_height(self.row, 32)?;
        self.row += 1;
        let first = self.row;
        let lines = self.fund.scored.map_or(&[][..], |(score, _)| &score.lines);
        let targets = &self.fund.table.targets;
        let codes: Vec<String> = targets.iter().enumerate().map(|(n, _)| line_code(targets, n)).collect();
        for line in lines.iter().filter(|line| !codes.contains(&line.code)) {
            self.scheme_line(line)?;
        }
        for (target, code) in targets.iter().zip(&codes) {
            self.target(Some(target), lines.iter().find(|line| line.code == *code))?;
        }
        if self.purpose == Purpose::FillIn {
            let rows = self.fund.table.targets.len();
            for _ in 0..FREE.max(20_usize.saturating_sub(rows)) {
                self.target(None, None)?;
            }
            self.checks(first)?;
        }
        self.total(first)
    }

    /// A line of the scheme's own, such as the execution rate.
    fn scheme_line(&mut self, line: &Line) -> Result<(), XlsxError> {
        let row = self.row;
        let text = Kind::Text.fixed();
        let section = self.section_name(line.section.as_str());
        let put = [
            (TargetColumn::Section, section.as_str()),
            (
                TargetColumn::Group,
                line.group.as_ref().map_or("", |group| group.as_str()),
            ),
            (TargetColumn::Name, line.name.as_str()),
            (TargetColumn::Kind, COMPUTED),
        ];
        for column in 0..=self.page.last() {
            let found = put.iter().find(|(known, _)| *known as u16 == column);
            self.page
                .text((row, column), found.map_or("", |(_, text)| text), text)?;
        }
        let ratio = (row, TargetColumn::Actual as u16);
        let percent = line.ratio.as_ref().and_then(|ratio| ratio.percent);
        if let Some(share) = percent.and_then(|percent| percent.checked_div(Decimal::ONE_HUNDRED)) {
            // The rate of the total, which stands at the head of the money.
            let total = address((self.money_at(), RATE_AT.0));
            self.page.computed(ratio, &total, share, Kind::Percent.fixed())?;
        }
        self.page
            .number((row, TargetColumn::Weight as u16), line.weight, Kind::Bare.fixed())?;
        let scheme = self.fund.scored.and_then(|(_, scheme)| scheme);
        let formula = scheme.and_then(|scheme| points(scheme, line, &address(ratio)));
        self.points(line.points, formula)?;
        let (name, words) = (line.name.as_str(), &line.explanation.zh);
        let at = TargetColumn::Covers as u16;
        self.page
            .span((row, at), self.page.last(), words, Kind::Words.fixed())?;
        self.page.fit(row, &[(name, 2..=2), (words, at..=self.page.last())])?;
        self.row += 1;
        Ok(())
    }

    /// The row of the total of the money.
    fn money_at(&self) -> u32 {
        // Below the title and the four rows of the head, and below the head of the money.
        3 + 4 + 1
    }

    fn section_name(&self, code: &str) -> String {
        let scheme = self.fund.scored.and_then(|(_, scheme)| scheme);
        let sections = scheme.into_iter().flat_map(|scheme| &scheme.document.sections);
        let found = sections.into_iter().find(|section| section.code.as_str() == code);
        found.map_or_else(|| printed(SECTIONS, code), |section| section.name.as_str().to_owned())
    }

    fn points(&mut self, points: Option<Decimal>, formula: Option<String>) -> Result<(), XlsxError> {
        let at = (self.row, TargetColumn::Points as u16);
        match (points, formula) {
            (Some(points), Some(formula)) => self.page.computed(at, &formula, points, Kind::Bare.fixed()),
            (Some(points), None) => self.page.number(at, Some(points), Kind::Bare.fixed()),
            (None, _) => self.page.text(at, OPEN, Kind::Text.fixed()),
        }
    }

    fn target(&mut self, target: Option<&TargetRow>, line: Option<&Line>) -> Result<(), XlsxError> {
        let row = self.row;
        let (text, words) = (self.style(Kind::Text), self.style(Kind::Words));
        let label = |label: Option<&Label>| label.map_or("", |label| label.as_str()).to_owned();
        let section = target.map_or(String::new(), |target| printed(SECTIONS, target.section.as_str()));
        let group = label(target.and_then(|target| target.group.as_ref()));
        let name = label(target.map(|target| &target.name));
        let deviation = target.and_then(|target| target.deviation.as_ref());
        let deviation = deviation.map_or("", |words| words.as_str());
        let covers = target
            .and_then(|target| target.covers)
            .map_or(String::new(), |Period { from, to }| match from == to {
                true => from.get().to_string(),
                false => format!("{}—{}", from.get(), to.get()),
            });
        self.page.text((row, TargetColumn::Section as u16), &section, text)?;
        self.page.text((row, TargetColumn::Group as u16), &group, text)?;
        self.page.text((row, TargetColumn::Name as u16), &name, words)?;
        self.page.text((row, TargetColumn::Covers as u16), &covers, text)?;
        self.page
            .text((row, TargetColumn::Deviation as u16), deviation, words)?;
        let weight = target.and_then(|target| target.weight).map(Points::get);
        let bare = self.style(Kind::Bare);
        self.page.number((row, TargetColumn::Weight as u16), weight, bare)?;
        let mut tall = vec![
            (group.clone(), TargetColumn::Group as u16),
            (name.clone(), TargetColumn::Name as u16),
            (deviation.to_owned(), TargetColumn::Deviation as u16),
        ];
        match target.map(|target| &target.measure) {
            Some(Measure::Quantity(quantity)) => {
                let comparison = match quantity.comparison {
                    Comparison::AtLeast => "at_least",
                    Comparison::AtMost => "at_most",
                    Comparison::Equal => "equal",
                };
                self.page.text((row, TargetColumn::Kind as u16), QUANTITY, text)?;
                self.page.text(
                    (row, TargetColumn::Comparison as u16),
                    &printed(COMPARISONS, comparison),
                    text,
                )?;
                let (goal, unit) = (quantity.target.get(), label(quantity.unit.as_ref()));
                let style = self.style(Kind::figure(0, goal));
                self.page
                    .number((row, TargetColumn::Expected as u16), Some(goal), style)?;
                let actual = quantity.actual.map(|actual| actual.get());
                let style = self.style(Kind::figure(0, actual.unwrap_or_default()));
                self.page.number((row, TargetColumn::Actual as u16), actual, style)?;
                self.page.text((row, TargetColumn::Unit as u16), &unit, text)?;
                for column in [TargetColumn::Level, TargetColumn::Share] {
                    self.page.text((row, column as u16), "", text)?;
                }
            }
            Some(Measure::Quality(quality)) => {
                let level = quality.level.map_or(String::new(), |level| {
                    printed(
                        LEVELS,
                        match level {
                            Level::Achieved => "achieved",
                            Level::Partly => "partly",
                            Level::NotAchieved => "not_achieved",
                        },
                    )
                });
                let said = |words: &Option<text::Words>| {
                    words.as_ref().map_or(String::new(), |words| words.as_str().to_owned())
                };
                let (expected, achieved) = (said(&quality.expected), said(&quality.achieved));
                self.page.text((row, TargetColumn::Kind as u16), QUALITY, text)?;
                self.page.text((row, TargetColumn::Comparison as u16), "", text)?;
                self.page.text((row, TargetColumn::Expected as u16), &expected, words)?;
                self.page.text((row, TargetColumn::Unit as u16), "", text)?;
                self.page.text((row, TargetColumn::Actual as u16), &achieved, words)?;
                self.page.text((row, TargetColumn::Level as u16), &level, words)?;
                self.page.number(
                    (row, TargetColumn::Share as u16),
                    quality.share.map(|share| share.get()),
                    bare,
                )?;
                tall.extend([
                    (expected, TargetColumn::Expected as u16),
                    (achieved, TargetColumn::Actual as u16),
                    (level, TargetColumn::Level as u16),
                ]);
            }
            None => {
                for column in TargetColumn::Kind as u16..=TargetColumn::Share as u16 {
                    self.page.text((row, column), "", text)?;
                }
            }
        }
        let round = self
            .fund
            .scored
            .and_then(|(_, scheme)| scheme)
            .map_or(Round::USUAL_POINTS, |scheme| scheme.round_points);
        match self.purpose {
            Purpose::Print => {
                let formula = rounded(round, weight.unwrap_or_default(), &self.earned());
                self.points(line.and_then(|line| line.points), formula)?;
            }
            Purpose::FillIn => {
                let at = (row, TargetColumn::Points as u16);
                let formula = format!("IFERROR(ROUND(ROUND({},9),2),\"\")", self.earned());
                let formula = format!("IF({}=\"\",\"\",{formula})", address((row, TargetColumn::Name as u16)));
                self.page.formula(at, &formula, "", Kind::Bare.fixed())?;
            }
        }
        let tall: Vec<_> = tall
            .iter()
            .map(|(text, column)| (text.as_str(), *column..=*column))
            .collect();
        self.page.fit(row, &tall)?;
        self.row += 1;
        Ok(())
    }

    /// What a target earns before it is rounded: all of its weight when it is met, else the smaller of target and result
    /// over the larger; of a goal in words the share that was given.
    fn earned(&self) -> String {
        let cell = |column: TargetColumn| address((self.row, column as u16));
        let [kind, sign, goal, actual, share, weight] = [
            TargetColumn::Kind,
            TargetColumn::Comparison,
            TargetColumn::Expected,
            TargetColumn::Actual,
            TargetColumn::Share,
            TargetColumn::Weight,
        ]
        .map(cell);
        let met = format!(
            "OR(AND({sign}=\"≥\",{actual}>={goal}),AND({sign}=\"≤\",{actual}<={goal}),AND({sign}=\"=\",{actual}={goal}))"
        );
        let part = format!("IF(OR({goal}<=0,{actual}<=0),0,MIN({goal},{actual})/MAX({goal},{actual}))");
        // An empty cell counts as 0 in arithmetic, and what is not filled in is not 0.
        let nothing = format!("IF(COUNT({goal},{actual},{weight})<3,NA(),{weight}*IF({met},1,{part}))");
        format!("IF({kind}=\"{QUALITY}\",IF(COUNT({share},{weight})<2,NA(),{weight}*{share}/100),{nothing})")
    }

    fn checks(&mut self, first: u32) -> Result<(), XlsxError> {
        let last = self.row - 1;
        let words = |words: &Words| words.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let any = |check: DataValidation| check.set_error_style(rust_xlsxwriter::DataValidationErrorStyle::Warning);
        let number = |least: f64, most: f64, message: &str| {
            DataValidation::new()
                .allow_decimal_number(DataValidationRule::Between(least, most))
                .set_error_title("填写有误")?
                .set_error_message(message)
        };
        for (column, check) in [
            (TargetColumn::Section, any(one_of(&words(SECTIONS))?)),
            (TargetColumn::Group, any(one_of(&GROUPS)?)),
            (TargetColumn::Kind, one_of(&[QUANTITY, QUALITY])?),
            (TargetColumn::Comparison, one_of(&words(COMPARISONS))?),
            (TargetColumn::Level, one_of(&words(LEVELS))?),
            (
                TargetColumn::Share,
                number(0.0, 100.0, "应填0至100的百分数，不带百分号。")?,
            ),
            (
                TargetColumn::Weight,
                number(0.0, 1000.0, "应填0至1000的分值，最多4位小数。")?,
            ),
        ] {
            let column = column as u16;
            self.page.check((first, column), (last, column), &check)?;
        }
        Ok(())
    }

    fn total(&mut self, first: u32) -> Result<(), XlsxError> {
        let row = self.row;
        let (weight, at) = (TargetColumn::Weight as u16, TargetColumn::Points as u16);
        self.page.span((row, 0), weight - 1, "总　分", Kind::Head.fixed())?;
        let sum = |column: u16| match first < row {
            true => format!("SUM({}:{})", address((first, column)), address((row - 1, column))),
            false => "0".to_owned(),
        };
        let bare = Kind::Bare.fixed();
        match self.fund.scored {
            Some((score, _)) => {
                let weights: Decimal = score.lines.iter().filter_map(|line| line.weight).sum();
                self.page.computed((row, weight), &sum(weight), weights, bare)?;
                self.points(score.total, Some(sum(at)))?;
            }
            None => {
                self.page.formula((row, weight), &sum(weight), "", bare)?;
                self.page.formula((row, at), &sum(at), "", bare)?;
            }
        }
        let grade = self.fund.scored.and_then(|(score, _)| score.grade.as_ref());
        let grade = grade.map_or(String::new(), |grade| format!("等级：{}", grade.name));
        self.page
            .span((row, at + 1), self.page.last(), &grade, Kind::Text.fixed())?;
        self.page.fit(row, &[])?;
        self.row += 1;
        Ok(())
    }
}

/// The code of a target's line: its section, and which of that section's targets it is.
fn line_code(targets: &[TargetRow], n: usize) -> String {
    let section = targets.get(n).map_or("", |target| target.section.as_str());
    let before = targets
        .iter()
        .take(n)
        .filter(|target| target.section.as_str() == section);
    format!("{section}_{}", before.count() + 1)
}
