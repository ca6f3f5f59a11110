//! A county's report as a page.

use maud::{Markup, html};
use rust_decimal::Decimal;

use super::county::CountyReport;
use super::page::{Bar, Say, bars, number, page, percent, range};
use crate::http::language::Language;
use crate::rankings::model::{Band, Overview};
use crate::scoring::score::Range;
use crate::scoring::values::digits;

/// Where a page leads.
pub struct Links {
    /// The same data as JSON.
    pub json: String,
    /// The same page in the other language.
    pub other_language: String,
    /// The next page of the ranking.
    pub next_ranked: Option<String>,
    /// The next page of those that have not submitted.
    pub next_waiting: Option<String>,
}

/// The page.
pub fn county_page(report: &CountyReport, language: Language, links: &Links) -> String {
    let say = Say(language);
    let (year, overall) = (report.summary.year, &report.summary.overall);
    let title = match language {
        Language::Chinese => format!("{year}年度部门整体支出绩效自评汇总报告"),
        Language::English => format!("Performance self-evaluation {year}: all units"),
    };
    let other = say.of("en", "zh");
    let nav = html! {
        a href=(links.other_language) lang=(other) { (say.of("English", "中文")) }
        a href=(links.json) { "JSON" }
    };
    let body = html! {
        header { (head(say, report, &title)) }
        (completeness(say, overall))
        (distribution(say, overall))
        (parts(say, overall))
        (ranking(say, report, links))
        (waiting(say, report, links))
    };
    page(say, &title, &nav, &body)
}

fn head(say: Say, report: &CountyReport, title: &str) -> Markup {
    let (summary, ranking) = (&report.summary, &report.ranking);
    let totals = &summary.overall.totals;
    let facts = [
        (say.of("单位总数", "Units"), summary.overall.units.to_string()),
        (
            say.of("已提交", "Submitted"),
            (ranking.ranked + ranking.incomplete).to_string(),
        ),
        (say.of("未提交", "Not submitted"), ranking.not_submitted.to_string()),
        (say.of("平均分", "Mean"), number(totals.mean)),
        (say.of("中位数", "Median"), number(totals.median)),
        (say.of("最高分", "Greatest"), number(totals.max)),
        (say.of("最低分", "Least"), number(totals.min)),
        (say.of("评分标准", "Scoring scheme"), summary.scheme.clone()),
    ];
    html! {
        h1 { (title) }
        dl.facts { @for (name, value) in &facts { div { dt { (name) } dd { (value) } } } }
        @if summary.schemes.len() > 1 {
            p.note { (say.of("各单位采用的评分标准不同，得分不能直接比较。",
                "Units were scored by different schemes: their points do not compare as they stand.")) }
        }
    }
}

/// A table of names and numbers.
fn table<const N: usize>(heads: [&str; N], rows: &[(Markup, Vec<String>)]) -> Markup {
    html! {
        table {
            thead { tr { @for (n, head) in heads.iter().enumerate() {
                @if n == 0 { th scope="col" { (head) } } @else { th.number scope="col" { (head) } }
            } } }
            tbody { @for (name, numbers) in rows { tr {
                th scope="row" { (name) }
                @for number in numbers { td.number { (number) } }
            } } }
        }
    }
}

fn completeness(say: Say, overall: &Overview) -> Markup {
    let states = overall.states.each();
    let of_all = Decimal::from(overall.units);
    let chart: Vec<Bar> = states
        .iter()
        .map(|(state, units)| Bar {
            length: of_all,
            ..Bar::whole(say.state(*state), units.to_string(), Decimal::from(*units))
        })
        .collect();
    let rows: Vec<_> = states
        .iter()
        .map(|(state, units)| (html! { (say.state(*state)) }, vec![units.to_string()]))
        .collect();
    html! {
        h2 { (say.of("填报进度", "How far the year has come")) }
        div.pair {
            (bars(say, "states", "points", say.of("各状态单位数", "Units by state of their evaluation"), &chart))
            (table([say.of("状态", "State"), say.of("单位数", "Units")], &rows))
        }
    }
}

fn distribution(say: Say, overall: &Overview) -> Markup {
    let totals = &overall.totals;
    let title = html! { h2 { (say.of("得分分布", "How the totals lie")) } };
    if totals.ranked == 0 {
        return html! { (title) p { (say.of("尚无总得分。", "There are no totals yet.")) } };
    }
    let grades: Vec<_> = totals
        .grades
        .iter()
        .map(|grade| {
            (
                say.chinese(&grade.grade.name),
                vec![grade.units.to_string(), percent(grade.percent)],
            )
        })
        .collect();
    // From the first band that holds a total to the last.
    let held = |band: &Band| band.units > 0;
    let first = totals.bands.iter().position(held).unwrap_or_default();
    let last = totals.bands.iter().rposition(held).unwrap_or_default();
    let name = |band: &Band| format!("{}～{}", digits(band.from), digits(band.to));
    let bands = totals.bands.get(first..=last).unwrap_or_default();
    let chart: Vec<Bar> = bands
        .iter()
        .map(|band| Bar::whole(name(band), band.units.to_string(), Decimal::from(band.units)))
        .collect();
    let rows: Vec<_> = bands
        .iter()
        .map(|band| (html! { (name(band)) }, vec![band.units.to_string()]))
        .collect();
    html! {
        (title)
        div.pair {
            (bars(say, "bands", "points", say.of("各分数段单位数", "Units in each band of five points"), &chart))
            (table([say.of("分数段", "Points"), say.of("单位数", "Units")], &rows))
        }
        h3 { (say.of("等级", "Grades")) }
        (table([say.of("等级", "Grade"), say.of("单位数", "Units"), say.of("占比", "Share")], &grades))
    }
}

/// How many of the indicators that lose most are shown.
const INDICATORS: usize = 10;

fn parts(say: Say, overall: &Overview) -> Markup {
    if overall.sections.is_empty() {
        return Markup::default();
    }
    let chart: Vec<Bar> = overall
        .sections
        .iter()
        .map(|section| Bar {
            label: section.name.clone(),
            value: percent(section.rate),
            filled: Range::exactly(section.rate.unwrap_or_default()),
            length: Decimal::ONE_HUNDRED,
        })
        .collect();
    let sections: Vec<_> = overall
        .sections
        .iter()
        .map(|section| {
            let numbers = vec![section.units.to_string(), number(section.mean), percent(section.rate)];
            (say.chinese(&section.name), numbers)
        })
        .collect();
    let losing = overall.indicators.iter().filter(|indicator| indicator.losing > 0);
    let indicators: Vec<_> = losing
        .take(INDICATORS)
        .map(|indicator| {
            let numbers = vec![
                indicator.losing.to_string(),
                number(indicator.mean_lost),
                percent(indicator.rate),
            ];
            (say.chinese(&indicator.name), numbers)
        })
        .collect();
    let (units, rate) = (say.of("单位数", "Units"), say.of("得分率", "Got"));
    html! {
        h2 { (say.of("分项得分", "Points by section")) }
        div.pair {
            (bars(say, "sections", "points", say.of("各一级指标得分率", "Share of the points of each section that was got"), &chart))
            (table([say.of("一级指标", "Section"), units, say.of("平均得分", "Mean"), rate], &sections))
        }
        @if !indicators.is_empty() {
            h3 { (say.of("失分最多的指标", "Indicators that lose most")) }
            (table([say.of("指标", "Indicator"), say.of("失分单位数", "Units losing"), say.of("平均失分", "Mean lost"), rate], &indicators))
        }
    }
}

fn ranking(say: Say, report: &CountyReport, links: &Links) -> Markup {
    let ranking = &report.ranking;
    let year = ranking.year;
    html! {
        h2 { (say.of("排名", "Ranking")) }
        p.quiet { (match say.0 {
            Language::Chinese => format!("参加排名{}个单位；有指标待定、不参加排名{}个。", ranking.ranked, ranking.incomplete),
            Language::English => format!("{} units are ranked; {} are not, since an indicator is open.", ranking.ranked, ranking.incomplete),
        }) }
        @if !ranking.page.items.is_empty() {
            table.fold {
                thead { tr {
                    th scope="col" { (say.of("单位", "Unit")) }
                    th.number scope="col" { (say.of("名次", "Rank")) }
                    th.number scope="col" { (say.of("总得分", "Total")) }
                    th.number scope="col" { (say.of("自评总分", "By the unit")) }
                    th scope="col" { (say.of("等级", "Grade")) }
                } }
                tbody { @for unit in &ranking.page.items { tr {
                    th scope="row" {
                        a href=(format!("/api/v1/units/{}/evaluations/{year}/report?format=html", unit.unit)) { (say.chinese(&unit.unit_name)) }
                        " " span.quiet { (unit.unit) }
                    }
                    td.number data-label=(say.of("名次", "Rank")) { (unit.rank.map_or_else(|| "—".to_owned(), |rank| rank.to_string())) }
                    td.number data-label=(say.of("总得分", "Total")) { (range(unit.total, unit.interval)) }
                    td.number data-label=(say.of("自评总分", "By the unit")) { (number(unit.self_total)) }
                    td data-label=(say.of("等级", "Grade")) {
                        @match &unit.grade { Some(grade) => (say.chinese(&grade.name)), None => "—" }
                    }
                } } }
            }
        }
        (next(say, links.next_ranked.as_deref()))
    }
}

fn waiting(say: Say, report: &CountyReport, links: &Links) -> Markup {
    let waiting = &report.not_submitted.items;
    html! {
        h2 { (say.of("未提交的单位", "Units that have not submitted")) }
        @if waiting.is_empty() {
            p { (say.of("全部单位均已提交。", "None: all have.")) }
        } @else {
            table {
                thead { tr { th scope="col" { (say.of("单位", "Unit")) } th scope="col" { (say.of("状态", "State")) } } }
                tbody { @for unit in waiting { tr {
                    th scope="row" { (say.chinese(&unit.unit_name)) " " span.quiet { (unit.unit) } }
                    td { (say.state(unit.state)) }
                } } }
            }
        }
        (next(say, links.next_waiting.as_deref()))
    }
}

fn next(say: Say, address: Option<&str>) -> Markup {
    html! { @if let Some(address) = address { p { a href=(address) rel="next" { (say.of("下一页", "Next page")) } } } }
}
