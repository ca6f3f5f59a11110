//! A unit's report as a page: to look at, to print and to sign.

use maud::{Markup, html};

use super::format::Format;
use super::model::Report;
use super::page::{Bar, Say, bars, number, page, range};
use crate::evaluations::review::ReviewedLine;
use crate::http::language::Language;
use crate::scoring::score::{Line, Range, Score, Severity};
use crate::scoring::values::digits;

/// The page.
pub fn unit_page(report: &Report, language: Language) -> String {
    let say = Say(language);
    let document = &report.document;
    let title = match language {
        Language::Chinese => format!("{}{}年度部门整体支出绩效自评报告", document.unit_name, document.year),
        Language::English => format!("{}: performance self-evaluation {}", document.unit_name, document.year),
    };
    let body = html! {
        header { (head(say, report, &title)) }
        (missing(say, &document.score))
        (sections(say, report))
        (lines(say, report))
        (funds(say, report))
        (findings(say, report))
        (trend(say, report))
    };
    page(say, &title, &nav(say), &body)
}

fn nav(say: Say) -> Markup {
    let other = say.of("en", "zh");
    html! {
        a href=(format!("?format=html&lang={other}")) lang=(other) { (say.of("English", "中文")) }
        @for format in Format::ALL.into_iter().filter(|format| *format != Format::Html) {
            a href=(format!("?format={}", format.word())) { (format.word().to_uppercase()) }
        }
    }
}

fn head(say: Say, report: &Report, title: &str) -> Markup {
    let (document, counted) = (&report.document, &report.counted);
    let state = report.state;
    html! {
        h1 { (title) }
        dl.facts {
            div { dt { (say.of("预算单位编码", "Budget unit code")) } dd { (document.unit) } }
            div { dt { (say.of("评分标准", "Scoring scheme")) } dd { (say.chinese(&document.scheme.name)) } }
            div { dt { (say.of("状态", "State")) } dd { (say.state(state)) } }
            @if let (Some(at), Some(by)) = (&document.submitted_at, &document.submitted_by) {
                div {
                    dt { (say.of("提交", "Submitted")) }
                    dd { time datetime=(at) { (at.get(..10).unwrap_or(at)) } " " (say.chinese(by)) }
                }
            }
        }
        div.total {
            span { (match report.review {
                Some(_) => say.of("复核得分", "Score after review"),
                None => say.of("自评得分", "Score"),
            }) }
            strong { (range(counted.total, counted.interval)) }
            span { "/ " (say.points(document.score.full_marks)) }
            @if let Some(grade) = &counted.grade { b { (say.chinese(grade.name.as_str())) } }
            @if report.review.is_some() {
                span.quiet { (say.of("自评得分", "by the unit")) " " (range(document.score.total, document.score.interval)) }
            }
        }
        @if document.submitted_at.is_none() {
            p.note { (say.of("尚未提交：本页按现有填报数据试算，提交前可能变动。",
                "Not submitted: this page is of what is filed now, and may change.")) }
        }
        p {
            @if report.review.is_some() { (say.of("自评：", "By the unit: ")) }
            (say.text(&document.score.summary))
        }
        @if let Some(comment) = report.review.as_ref().and_then(|review| review.review.comment.as_ref()) {
            p { b { (say.of("复核意见：", "Opinion of the review: ")) } (say.chinese(comment.as_str())) }
        }
    }
}

fn missing(say: Say, score: &Score) -> Markup {
    if score.missing.is_empty() {
        return Markup::default();
    }
    let name = |code: &str| {
        score
            .lines
            .iter()
            .find(|line| line.code == code)
            .map(|line| line_name(say, line))
    };
    html! {
        h2 { (say.of("待补充的资料", "What is missing")) }
        p { (say.of("以下资料补齐后，得分才能确定。", "The score is decided once these are filled in.")) }
        table.fold {
            thead { tr {
                th scope="col" { (say.of("填报项", "Field")) }
                th scope="col" { (say.of("相关指标", "Indicators that wait for it")) }
            } }
            tbody { @for missing in &score.missing { tr {
                th scope="row" { (say.text(&missing.field.label)) }
                td.wide { @for (n, code) in missing.lines.iter().enumerate() {
                    @if n > 0 { (say.of("、", ", ")) }
                    @match name(code) { Some(name) => (name), None => (code) }
                } }
            } } }
        }
    }
}

fn sections(say: Say, report: &Report) -> Markup {
    let score = &report.document.score;
    let reviewed = report.review.as_ref().map(|review| &review.sections);
    // What counts: the review's points where there is one.
    let sections = score.sections.iter().enumerate().map(|(n, own)| {
        let points = match reviewed.and_then(|sections| sections.get(n)) {
            Some(section) => section.points,
            None => own.points,
        };
        let interval = points.map_or(own.interval, Range::exactly);
        (own, points, interval)
    });
    let sections: Vec<_> = sections.collect();
    let chart: Vec<Bar> = sections
        .iter()
        .map(|(section, points, interval)| Bar {
            label: section.name.to_string(),
            value: format!("{} / {}", range(*points, *interval), digits(section.weight)),
            filled: *interval,
            length: section.weight,
        })
        .collect();
    html! {
        h2 { (say.of("分项得分", "Points by section")) }
        div.pair {
            (bars(say, "sections", "points", say.of("各一级指标得分与分值", "Points and full marks of each section"), &chart))
            table {
                thead { tr {
                    th scope="col" { (say.of("一级指标", "Section")) }
                    th.number scope="col" { (say.of("分值", "Full marks")) }
                    th.number scope="col" { (say.of("得分", "Points")) }
                } }
                tbody { @for (section, points, interval) in &sections { tr {
                    th scope="row" { (say.chinese(section.name.as_str())) }
                    td.number { (digits(section.weight)) }
                    td.number { (range(*points, *interval)) }
                } } }
            }
        }
    }
}

fn line_name(say: Say, line: &Line) -> Markup {
    match (say.0, &line.name_en) {
        (Language::English, Some(name)) => html! { (name) },
        _ => say.chinese(line.name.as_str()),
    }
}

fn lines(say: Say, report: &Report) -> Markup {
    let score = &report.document.score;
    let reviewed = |line: &Line| -> Option<&ReviewedLine> {
        let review = report.review.as_ref()?;
        review.lines.iter().find(|reviewed| reviewed.code == line.code)
    };
    html! {
        h2 { (say.of("自评失分情况", "Points lost by the unit's own score")) }
        (lost(say, score))
        h2 { (say.of("指标得分及评分说明", "Indicators and how their points came about")) }
        @for section in &score.sections {
            @let mut rows = score.lines.iter().filter(|line| line.section == section.code).peekable();
            h3 { (say.chinese(section.name.as_str())) " (" (digits(section.weight)) ")" }
            @if rows.peek().is_none() {
                p.quiet { (say.of("尚未填写指标。", "No indicators are filed.")) }
            } @else {
                table.fold.lines {
                    thead { tr {
                        th scope="col" { (say.of("指标", "Indicator")) }
                        th.number scope="col" { (say.of("分值", "Full marks")) }
                        th.number scope="col" { (say.of("自评得分", "Points")) }
                        th.number scope="col" { (say.of("失分", "Lost")) }
                        @if report.review.is_some() { th.number scope="col" { (say.of("复核得分", "Review")) } }
                        th scope="col" { (say.of("评分说明", "Explanation")) }
                    } }
                    tbody { @for line in rows { tr {
                        th scope="row" { (line_name(say, line)) }
                        td.number data-label=(say.of("分值", "Full marks")) { (number(line.weight)) }
                        td.number data-label=(say.of("自评得分", "Points")) { (range(line.points, line.interval)) }
                        td.number data-label=(say.of("失分", "Lost")) { (number(line.lost)) }
                        @if report.review.is_some() {
                            td.number data-label=(say.of("复核得分", "Review")) {
                                (number(reviewed(line).and_then(|reviewed| reviewed.points)))
                            }
                        }
                        td.wide {
                            (say.text(&line.explanation))
                            @if let Some(reason) = reviewed(line).and_then(|reviewed| reviewed.reason.as_ref()) {
                                br; b { (say.of("复核理由：", "Review: ")) } (say.chinese(reason.as_str()))
                            }
                        }
                    } } }
                }
            }
        }
        @if !score.notices.is_empty() {
            ul.list { @for notice in &score.notices { li { (badge(say, notice.severity)) (say.text(&notice.text)) } } }
        }
    }
}

/// The indicators that lost points, the most first.
fn lost(say: Say, score: &Score) -> Markup {
    let mut lost: Vec<_> = score
        .lines
        .iter()
        .filter_map(|line| Some((line, line.lost.filter(|lost| !lost.is_zero())?)))
        .collect();
    lost.sort_by_key(|(_, lost)| std::cmp::Reverse(*lost));
    if lost.is_empty() {
        let open = score.lines.iter().any(|line| line.points.is_none());
        return html! { p { (match open {
            true => say.of("已确定得分的指标均未失分。", "Nothing is lost so far; some indicators are open."),
            false => say.of("各项指标均得满分。", "Every indicator has full marks."),
        }) } };
    }
    let chart: Vec<Bar> = lost
        .iter()
        .map(|(line, lost)| Bar {
            label: match (say.0, &line.name_en) {
                (Language::English, Some(name)) => name.to_string(),
                _ => line.name.to_string(),
            },
            value: format!("−{} / {}", digits(*lost), number(line.weight)),
            ..Bar::whole("", "", *lost)
        })
        .collect();
    bars(
        say,
        "lost",
        "lost",
        say.of(
            "失分指标（由多到少，数据见下表“失分”栏）",
            "Indicators that lost points, most first; the figures are in the tables below",
        ),
        &chart,
    )
}

fn badge(say: Say, severity: Severity) -> Markup {
    let (class, word) = say.severity(severity);
    html! { span class=(format!("badge {class}")) { (word) } }
}

fn funds(say: Say, report: &Report) -> Markup {
    let funds = &report.document.special_funds;
    if funds.is_empty() {
        return Markup::default();
    }
    html! {
        h2 { (say.of("专项资金绩效自评", "Special funds")) }
        table.fold {
            thead { tr {
                th scope="col" { (say.of("专项资金", "Fund")) }
                th.number scope="col" { (say.of("得分", "Points")) }
                th.number scope="col" { (say.of("满分", "Full marks")) }
                th scope="col" { (say.of("等级", "Grade")) }
                th scope="col" { (say.of("说明", "In words")) }
            } }
            tbody { @for fund in funds { tr {
                th scope="row" { (say.chinese(&fund.name)) }
                td.number data-label=(say.of("得分", "Points")) { (range(fund.score.total, fund.score.interval)) }
                td.number data-label=(say.of("满分", "Full marks")) { (digits(fund.score.full_marks)) }
                td data-label=(say.of("等级", "Grade")) {
                    @match &fund.score.grade { Some(grade) => (say.chinese(grade.name.as_str())), None => "—" }
                }
                td.wide { (say.text(&fund.score.summary)) }
            } } }
        }
    }
}

fn findings(say: Say, report: &Report) -> Markup {
    let document = &report.document;
    let reason = |key: &str| document.reasons.as_ref().and_then(|reasons| reasons.of(key));
    html! {
        h2 { (say.of("核查发现的问题", "What the cross-checks found")) }
        @if document.findings.is_empty() {
            p { (say.of("未发现问题。", "Nothing.")) }
        } @else {
            ul.list { @for finding in &document.findings { li {
                (badge(say, finding.severity))
                (say.text(&finding.text))
                @if let Some(cause) = &finding.cause {
                    p.quiet { (say.of("可能原因：", "Probable cause: ")) (say.text(&cause.text)) }
                }
                p.quiet { (say.of("处理建议：", "What to do: ")) (say.text(&finding.remedy)) }
                @if let Some(reason) = reason(&finding.key) {
                    p { b { (say.of("情况说明：", "Reason given: ")) } (say.chinese(reason.as_str())) }
                }
            } } }
        }
    }
}

/// How many years a chart shows at most.
const YEARS: usize = 10;

fn trend(say: Say, report: &Report) -> Markup {
    let years = &report.trend.years;
    if years.is_empty() {
        return Markup::default();
    }
    let shown = &years[years.len().saturating_sub(YEARS)..];
    let decimal = |text: &str| text.parse().unwrap_or_default();
    let value = |points: &Option<String>, low: &str, high: &str| match points {
        Some(points) => points.clone(),
        None => format!("{low}～{high}"),
    };
    let chart: Vec<Bar> = shown
        .iter()
        .map(|year| Bar {
            label: year.year.to_string(),
            value: format!("{} / {}", value(&year.points, &year.low, &year.high), year.full_marks),
            filled: Range {
                low: decimal(&year.low),
                high: decimal(&year.high),
            },
            length: decimal(&year.full_marks),
        })
        .collect();
    html! {
        h2 { (say.of("历年得分", "Over the years")) }
        (bars(say, "trend", "points", say.of("历年得分与满分", "Points and full marks of each year"), &chart))
        table.fold {
            thead { tr {
                th scope="col" { (say.of("年度", "Year")) }
                th scope="col" { (say.of("填报单位", "Filed by")) }
                th.number scope="col" { (say.of("得分", "Points")) }
                th.number scope="col" { (say.of("满分", "Full marks")) }
                th.number scope="col" { (say.of("较上年", "Change")) }
            } }
            tbody { @for year in shown { tr {
                th scope="row" { (year.year) }
                td data-label=(say.of("填报单位", "Filed by")) { (say.chinese(&year.unit_name)) }
                td.number data-label=(say.of("得分", "Points")) { (value(&year.points, &year.low, &year.high)) }
                td.number data-label=(say.of("满分", "Full marks")) { (year.full_marks) }
                td.number data-label=(say.of("较上年", "Change")) {
                    (year.change.as_ref().and_then(|change| change.points.as_deref()).unwrap_or("—"))
                }
            } } }
        }
    }
}
