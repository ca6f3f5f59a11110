//! A ranking and a summary as tables of plain text, in Chinese, for terminals and `curl`.

use comfy_table::{CellAlignment, LineStyle, Table, presets};
use rust_decimal::Decimal;

use super::model::{Overview, RankedUnit, Ranking, Summary};
use crate::scoring::scheme::SchemeDocument;
use crate::scoring::values::digits;

/// A table of these columns, of which those at `numbers` are aligned to the right.
fn table<'a>(header: impl IntoIterator<Item = &'a str>, numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_header(header.into_iter().collect::<Vec<_>>());
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn number(number: Option<Decimal>) -> String {
    number.map_or_else(|| "—".to_owned(), digits)
}

fn percent(percent: Option<Decimal>) -> String {
    percent.map_or_else(|| "—".to_owned(), |percent| format!("{}%", digits(percent)))
}

/// A page of the ranking.
pub fn ranking(ranking: &Ranking, scheme: &SchemeDocument) -> String {
    let by = match scheme
        .sections
        .iter()
        .find(|section| section.code.as_str() == ranking.by)
    {
        Some(section) => format!("一级指标“{}”得分", section.name),
        None if ranking.by == "total" => "总得分".to_owned(),
        None => format!("一级指标“{}”得分", ranking.by),
    };
    let by_total = ranking.by == "total";
    let own = (!by_total).then_some("得分");
    let header = ["名次", "单位编码", "单位名称"]
        .into_iter()
        .chain(own)
        .chain(["总得分", "自评总分", "等级"]);
    let numbers = if by_total { vec![0, 3, 4] } else { vec![0, 3, 4, 5] };
    let mut table = table(header, &numbers);
    for unit in &ranking.page.items {
        let grade = unit.grade.as_ref().map_or("—", |grade| grade.name.as_str());
        let rank = unit.rank.map_or_else(|| "—".to_owned(), |rank| rank.to_string());
        let head = [rank, unit.unit.clone(), unit.unit_name.clone()];
        let tail = [total(unit), number(unit.self_total), grade.to_owned()];
        table.add_row(head.into_iter().chain(own.map(|_| number(unit.points))).chain(tail));
    }
    let what = if ranking.complete {
        "排名"
    } else {
        "未能排名的单位"
    };
    let mut text = format!(
        "{}年度部门整体支出绩效自评{what}（按{by}）\n参加排名{}个单位，有指标待定、不参加排名{}个，未提交{}个\n{table}\n",
        ranking.year, ranking.ranked, ranking.incomplete, ranking.not_submitted
    );
    if ranking.schemes.len() > 1 {
        text.push_str("注意：各单位采用的评分标准不同，得分不能直接比较。\n");
    }
    if ranking.page.next_cursor.is_some() {
        text.push_str("后面还有，请用cursor参数查询下一页。\n");
    }
    text
}

fn total(unit: &RankedUnit) -> String {
    match unit.total {
        Some(total) => digits(total),
        None => format!("{}～{}", digits(unit.interval.low), digits(unit.interval.high)),
    }
}

/// A summary: all units, then each kind.
pub fn summary(summary: &Summary) -> String {
    let mut text = format!(
        "{}年度部门整体支出绩效自评汇总\n评分标准：{}\n\n",
        summary.year, summary.scheme
    );
    text.push_str(&overview(
        summary.kind.map_or("全部单位", |kind| kind_name(kind.as_str())),
        &summary.overall,
    ));
    for group in &summary.by_kind {
        text.push('\n');
        text.push_str(&overview(kind_name(&group.kind), &group.overview));
    }
    if summary.schemes.len() > 1 {
        text.push_str("\n注意：各单位采用的评分标准不同，得分不能直接比较。\n");
    }
    text
}

fn kind_name(kind: &str) -> &str {
    match kind {
        "town" => "乡镇",
        "subdistrict" => "街道",
        "department" => "县直部门",
        "institution" => "事业单位",
        _ => "其他单位",
    }
}

fn overview(title: &str, overview: &Overview) -> String {
    let totals = &overview.totals;
    let states = overview
        .states
        .each()
        .map(|(state, units)| format!("{}{units}", state.zh()));
    let mut text = format!("【{title}】共{}个单位：{}\n", overview.units, states.join("，"));
    text.push_str(&format!(
        "有总得分{}个，有指标待定{}个；平均{}，最低{}，下四分位{}，中位数{}，上四分位{}，最高{}\n",
        totals.ranked,
        totals.incomplete,
        number(totals.mean),
        number(totals.min),
        number(totals.lower_quartile),
        number(totals.median),
        number(totals.upper_quartile),
        number(totals.max)
    ));
    let grades: Vec<String> = totals
        .grades
        .iter()
        .map(|grade| format!("{}{}个（{}）", grade.grade.name, grade.units, percent(grade.percent)))
        .collect();
    text.push_str(&format!("等级：{}\n", grades.join("，")));
    let sections: Vec<String> = overview
        .sections
        .iter()
        .map(|section| {
            format!(
                "{}平均{}分（得分率{}）",
                section.name,
                number(section.mean),
                percent(section.rate)
            )
        })
        .collect();
    if !sections.is_empty() {
        text.push_str(&format!("一级指标：{}\n", sections.join("，")));
    }
    if !overview.indicators.is_empty() {
        let mut table = table(
            ["失分指标", "失分合计", "平均失分", "失分单位", "失分单位占比", "得分率"],
            &[1, 2, 3, 4, 5],
        );
        for indicator in &overview.indicators {
            table.add_row([
                indicator.name.clone(),
                digits(indicator.lost),
                number(indicator.mean_lost),
                indicator.losing.to_string(),
                percent(indicator.losing_percent),
                percent(indicator.rate),
            ]);
        }
        text.push_str(&format!("{table}\n"));
    }
    text
}
