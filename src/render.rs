//! A score as a table of plain text, for terminals and `curl`: aligned also where Chinese stands beside digits.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, Width, presets};
use rust_decimal::Decimal;

use crate::scoring::score::{Line, Score};
use crate::scoring::values::digits;

/// The width of the first column.
const SECTION: u16 = 12;
/// The width of the second column.
const NAME: u16 = 20;
/// The width of the last column in terminal columns; the whole table is 118 wide.
const EXPLANATION: u16 = 66;

/// The text broken into lines where Chinese typesetting allows it: not within a number, and not before a stop.
fn wrapped(text: &str, width: u16) -> String {
    textwrap::fill(text, usize::from(width))
}

/// The score under a heading, in Chinese: lines with weight, ratio, points and reason; then what is missing.
pub fn score(heading: &str, score: &Score) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["一级指标", "指标", "分值", "得分", "计分说明"]);
    for section in &score.sections {
        for (n, line) in score
            .lines
            .iter()
            .filter(|line| line.section == section.code)
            .enumerate()
        {
            let heading = if n == 0 { section.name.as_str() } else { "" };
            let heading = &wrapped(heading, SECTION);
            table.add_row([
                heading,
                &wrapped(line.name.as_str(), NAME),
                &number(line.weight),
                &points(line),
                &wrapped(&line.explanation.zh, EXPLANATION),
            ]);
        }
        if score.lines.iter().all(|line| line.section != section.code) {
            table.add_row([
                &wrapped(section.name.as_str(), SECTION),
                "（尚未填写指标）",
                &section.weight.to_string(),
                "—",
                "",
            ]);
        }
    }
    // What a cell holds, and a space on either side.
    for (column, width) in [(0, SECTION + 2), (1, NAME + 2), (2, 6), (3, 8), (4, EXPLANATION + 2)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = format!("{heading}\n{table}\n{}\n", score.summary.zh);
    for notice in &score.notices {
        text.push_str(&format!("注意：{}\n", notice.text.zh));
    }
    if !score.missing.is_empty() {
        text.push_str("需补充的数据：\n");
        for missing in &score.missing {
            text.push_str(&format!("  {}  {}\n", missing.field.pointer, missing.field.label.zh));
        }
    }
    text
}

fn number(number: Option<Decimal>) -> String {
    number.map_or_else(|| "—".to_owned(), digits)
}

fn points(line: &Line) -> String {
    match line.points {
        Some(points) => number(Some(points)),
        None => format!(
            "{}～{}",
            number(Some(line.interval.low)),
            number(Some(line.interval.high))
        ),
    }
}
