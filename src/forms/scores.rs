//! 附件1: the scoring table, with the figures of 附件2 that each line follows from.

use rust_decimal::Decimal;
use rust_xlsxwriter::XlsxError;

use super::Subject;
use super::base_data::Cells;
use super::formula::{over_cells, points};
use super::page::{Kind, Layout, Page, address};
use super::terms::SCORES_TITLE;
use crate::evaluations::submissions::SubmissionDocument;
use crate::scoring::formula::Formula;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::{Line, RatioFound, Score, SectionScore};
use crate::scoring::values::digits;

/// What stands where points are still open.
pub const OPEN: &str = "待补";

const LABELS: [&str; 10] = [
    "一级指标",
    "二级指标",
    "三级指标",
    "分值",
    "评分标准",
    "分子",
    "分母",
    "比率",
    "得分",
    "计分说明",
];
const GROUP: u16 = 1;
const NAME: u16 = 2;
const WEIGHT: u16 = 3;
const STANDARD: u16 = 4;
const NUMERATOR: u16 = 5;
const DENOMINATOR: u16 = 6;
const RATIO: u16 = 7;
const POINTS: u16 = 8;
const EXPLANATION: u16 = 9;

/// Writes the table. Without the scheme its points are values.
///
/// # Errors
/// None for what can be filed.
pub fn write(
    subject: &Subject<'_>,
    document: &SubmissionDocument,
    scheme: Option<&Scheme>,
    cells: &Cells,
) -> Result<Page, XlsxError> {
    let mut page = Page::new(&Layout {
        name: "附件1",
        widths: &[9, 10, 15, 6, 32, 11, 11, 10, 8, 40],
        landscape: true,
    })?;
    page.set_live(cells.live);
    let year = format!("（{}年度）", subject.year);
    let remark = format!("填报单位：{}（{}）", subject.unit_name, subject.unit);
    let mut row = page.head("附件1", SCORES_TITLE, &year, &remark)?;
    let last = page.last();
    for (column, label) in (0..).zip(LABELS) {
        page.text((row, column), label, Kind::Head.fixed())?;
    }
    row += 1;
    let mut writer = Writer {
        page,
        scheme,
        cells,
        row,
        subtotals: Vec::new(),
    };
    for section in &document.score.sections {
        writer.section(&document.score, section)?;
    }
    writer.total(&document.score)?;
    let Writer { mut page, row, .. } = writer;
    let note = format!(
        "评分标准：{}。分子、分母取自附件2或评价打分依据；“{OPEN}”表示所需数据尚未填报，不等于0分。",
        document.scheme.name
    );
    page.span((row, 0), last, &note, Kind::Words.fixed())?;
    page.fit(row, &[(&note, 0..=last)])?;
    page.sign(row + 1, (1, 3))?;
    Ok(page)
}

struct Writer<'a> {
    page: Page,
    scheme: Option<&'a Scheme>,
    cells: &'a Cells,
    row: u32,
    subtotals: Vec<u32>,
}

impl Writer<'_> {
    fn section(&mut self, score: &Score, section: &SectionScore) -> Result<(), XlsxError> {
        let lines: Vec<&Line> = score.lines.iter().filter(|line| line.section == section.code).collect();
        let first = self.row;
        for line in &lines {
            self.line(line)?;
        }
        if lines.is_empty() {
            self.page
                .text((self.row, 0), section.name.as_str(), Kind::Text.fixed())?;
            self.page
                .span((self.row, 1), self.page.last(), "尚未填写指标", Kind::Text.fixed())?;
            self.row += 1;
        } else {
            let last = self.row - 1;
            self.page
                .block((first, 0), (last, 0), section.name.as_str(), Kind::Text.fixed())?;
            self.groups(first, &lines)?;
        }
        self.subtotal(first, section)
    }

    /// The second-level headings, each over all the lines in a row that it stands for.
    fn groups(&mut self, first: u32, lines: &[&Line]) -> Result<(), XlsxError> {
        let mut at = first;
        for run in lines.chunk_by(|line, next| line.group == next.group) {
            let name = run.first().and_then(|line| line.group.as_ref());
            let next = at + u32::try_from(run.len()).unwrap_or(1);
            let name = name.map_or("", |name| name.as_str());
            self.page
                .block((at, GROUP), (next - 1, GROUP), name, Kind::Text.fixed())?;
            at = next;
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), XlsxError> {
        let row = self.row;
        let words = Kind::Words.fixed();
        self.page.text((row, NAME), line.name.as_str(), words)?;
        self.page.number((row, WEIGHT), line.weight, Kind::Bare.fixed())?;
        let standard = self.standard(line);
        self.page.text((row, STANDARD), &standard, words)?;
        self.ratio(line)?;
        let formula = self
            .scheme
            .and_then(|scheme| points(scheme, line, &address((row, RATIO))));
        match (line.points, formula) {
            (Some(points), Some(formula)) => {
                self.page
                    .computed((row, POINTS), &formula, points, Kind::Bare.fixed())?;
            }
            (Some(points), None) => self.page.number((row, POINTS), Some(points), Kind::Bare.fixed())?,
            (None, _) => self.page.text((row, POINTS), OPEN, Kind::Text.fixed())?,
        }
        self.page.text((row, EXPLANATION), &line.explanation.zh, words)?;
        self.page.fit(
            row,
            &[
                (line.name.as_str(), NAME..=NAME),
                (&standard, STANDARD..=STANDARD),
                (&line.explanation.zh, EXPLANATION..=EXPLANATION),
            ],
        )?;
        self.row += 1;
        Ok(())
    }

    /// The scoring standard in the words of the form; the rule in ours where it has none.
    fn standard(&self, line: &Line) -> String {
        let indicators = self.scheme.into_iter().flat_map(|scheme| &scheme.document.sections);
        let found = indicators
            .flat_map(|section| &section.indicators)
            .find(|indicator| indicator.code.as_str() == line.code);
        let words = found.and_then(|indicator| indicator.standard.as_ref());
        words.map_or_else(|| line.rule_text.zh.to_string(), |words| words.as_str().to_owned())
    }

    fn ratio(&mut self, line: &Line) -> Result<(), XlsxError> {
        let row = self.row;
        let Some(ratio) = &line.ratio else {
            return self.page.blank(row, NUMERATOR..=RATIO, Kind::Unused.fixed());
        };
        let RatioFound {
            numerator_formula,
            denominator_formula,
            numerator,
            denominator,
            percent,
            ..
        } = ratio;
        for (column, formula, value) in [
            (NUMERATOR, numerator_formula, *numerator),
            (DENOMINATOR, denominator_formula, *denominator),
        ] {
            let style = Kind::figure(0, value).fixed();
            let formula = Formula::parse(formula).ok();
            match formula.and_then(|formula| over_cells(&formula, &|variable| self.cells.of(variable))) {
                Some(formula) => self.page.computed((row, column), &formula, value, style)?,
                None => self.page.number((row, column), Some(value), style)?,
            }
        }
        let (numerator, denominator) = (address((row, NUMERATOR)), address((row, DENOMINATOR)));
        match percent.and_then(|percent| percent.checked_div(Decimal::ONE_HUNDRED)) {
            Some(share) => self.page.computed(
                (row, RATIO),
                &format!("{numerator}/{denominator}"),
                share,
                Kind::Percent.fixed(),
            ),
            None => self.page.blank(row, [RATIO], Kind::Unused.fixed()),
        }
    }

    fn subtotal(&mut self, first: u32, section: &SectionScore) -> Result<(), XlsxError> {
        let row = self.row;
        let label = format!("{}小计", section.name);
        self.page.span((row, 0), NAME, &label, Kind::Head.fixed())?;
        self.page
            .number((row, WEIGHT), Some(section.weight), Kind::Bare.fixed())?;
        self.page.blank(row, STANDARD..POINTS, Kind::Unused.fixed())?;
        match section.points {
            Some(points) => {
                let cells = format!("SUM({}:{})", address((first, POINTS)), address((row - 1, POINTS)));
                self.page.computed((row, POINTS), &cells, points, Kind::Bare.fixed())?;
            }
            None => self.page.text((row, POINTS), OPEN, Kind::Text.fixed())?,
        }
        let range = match section.points {
            Some(_) => String::new(),
            None => format!("{}～{}分", digits(section.interval.low), digits(section.interval.high)),
        };
        self.page.text((row, EXPLANATION), &range, Kind::Words.fixed())?;
        self.page.fit(row, &[])?;
        self.subtotals.push(row);
        self.row += 1;
        Ok(())
    }

    fn total(&mut self, score: &Score) -> Result<(), XlsxError> {
        let row = self.row;
        self.page.span((row, 0), NAME, "总　分", Kind::Head.fixed())?;
        self.page
            .number((row, WEIGHT), Some(score.full_marks), Kind::Bare.fixed())?;
        let grade = score.grade.as_ref().map_or(OPEN, |grade| grade.name.as_str());
        self.page
            .span((row, STANDARD), RATIO, &format!("等级：{grade}"), Kind::Text.fixed())?;
        match score.total {
            Some(total) => {
                let cells: Vec<String> = self.subtotals.iter().map(|row| address((*row, POINTS))).collect();
                self.page
                    .computed((row, POINTS), &cells.join("+"), total, Kind::Bare.fixed())?;
            }
            None => self.page.text((row, POINTS), OPEN, Kind::Text.fixed())?,
        }
        self.page
            .text((row, EXPLANATION), &score.summary.zh, Kind::Words.fixed())?;
        self.page.fit(row, &[(&score.summary.zh, EXPLANATION..=EXPLANATION)])?;
        self.row += 1;
        Ok(())
    }
}
