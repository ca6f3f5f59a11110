//! A score as a table of plain text, for terminals and `curl`: aligned also where Chinese stands beside digits.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use rust_decimal::Decimal;

use crate::scoring::score::{Line, Score};

/// The width of the table in terminal columns.
const WIDTH: u16 = 118;

/// The score under a heading, in Chinese: lines with weight, ratio, points and reason; then what is missing.
pub fn score(heading: &str, score: &Score) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(["一级指标", "指标", "分值", "得分", "计分说明"]);
    for section in &score.sections {
        for (n, line) in score
            .lines
            .iter()
            .filter(|line| line.section == section.code)
            .enumerate()
        {
            let heading = if n == 0 { section.name.as_str() } else { "" };
            table.add_row([
                heading,
                line.name.as_str(),
                &number(line.weight),
                &points(line),
                &line.explanation.zh,
            ]);
        }
        if score.lines.iter().all(|line| line.section != section.code) {
            table.add_row([
                section.name.as_str(),
                "（尚未填写指标）",
                &section.weight.to_string(),
                "—",
                "",
            ]);
        }
    }
    for (column, width) in [(0, 12), (1, 20), (2, 6), (3, 8)] {
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
    number.map_or_else(|| "—".to_owned(), |number| number.normalize().to_string())
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
