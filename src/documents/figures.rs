//! What a template can name: the figures of a submission as an official writes them, and the sentences that follow from them.

use std::collections::BTreeMap;

use minijinja::Value;
use rust_decimal::{Decimal, RoundingStrategy};

use super::narrative::{ChangeReasons, Narrative};
use crate::evaluations::submissions::{FrozenFund, SubmissionDocument};
use crate::scoring::prior::YearSheet;
use crate::scoring::score::{Line, Range, Score, SectionScore};
use crate::scoring::sheet::{BuildingProject, FundRow};
use crate::scoring::special_fund::{Comparison, Execution, Measure, TargetRow};
use crate::scoring::text::{Prose, Reason};
use crate::scoring::values::digits;
use crate::scoring::variables::{Figures, VARIABLES, Variable};

/// Something that a template can name. Made of nothing, as [`names`] does, it shows all the names that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A text; `None` where nothing is filed.
    Text(Option<String>),
    /// Several things, each by its name.
    Group(BTreeMap<&'static str, Named>),
    /// Things of one kind.
    List(Vec<Named>),
}

impl From<&Named> for Value {
    fn from(named: &Named) -> Self {
        match named {
            Named::Text(text) => Self::from(text.as_deref()),
            Named::Group(group) => Self::from_pairs(group.iter().map(|(name, named)| (*name, named))),
            Named::List(list) => list.iter().map(Self::from).collect(),
        }
    }
}

fn text<T: ToString>(text: Option<T>) -> Named {
    Named::Text(text.map(|text| text.to_string()))
}

fn number(number: Option<Decimal>) -> Named {
    Named::Text(number.map(digits))
}

fn group<const N: usize>(entries: [(&'static str, Named); N]) -> Named {
    Named::Group(entries.into())
}

/// A list; of nothing, one nameless thing, so that the names of its parts are there.
fn list<T>(items: Option<&[T]>, each: impl Fn(Option<&T>) -> Named) -> Named {
    Named::List(match items {
        Some(items) => items.iter().map(|item| each(Some(item))).collect(),
        None => vec![each(None)],
    })
}

/// Every name that a template can use, with nothing behind it.
pub fn names() -> Named {
    named(None)
}

/// What a template can name of a submission; the notice's number is that of its fiscal year.
pub fn of(document: &SubmissionDocument, notice: Option<&str>) -> Named {
    named(Some((document, notice)))
}

fn named(of: Option<(&SubmissionDocument, Option<&str>)>) -> Named {
    let document = of.map(|(document, _)| document);
    let year = document.map(|document| document.year.get());
    let sheet = document.map(|document| {
        let own = document.base_data.clone().unwrap_or_default();
        YearSheet::new(own, document.prior_base_data.as_ref())
    });
    let filled = sheet.as_ref().map(YearSheet::filled);
    let narrative = document.and_then(|document| document.narrative.as_ref());
    let score = document.map(|document| &document.score);
    // What is a list in the sheet is empty where the sheet has none, and nameless only where there is no submission at all.
    let rows = filled.map(|sheet| sheet.special_funds().map_or(&[][..], Vec::as_slice));
    let buildings = filled.map(|sheet| {
        let projects = sheet
            .buildings
            .as_ref()
            .and_then(|buildings| buildings.projects.as_ref());
        projects.map_or(&[][..], Vec::as_slice)
    });
    let mut all = figures(sheet.as_ref());
    all.extend([
        ("year", text(year)),
        ("last_year", text(year.map(|year| year - 1))),
        ("notice", text(of.and_then(|(_, notice)| notice))),
        ("date", text(document.and_then(date))),
        (
            "unit",
            group([
                ("code", text(document.map(|document| &document.unit))),
                ("name", text(document.map(|document| &document.unit_name))),
            ]),
        ),
        ("scheme", text(document.map(|document| &document.scheme.name))),
        ("thrift", text(filled.and_then(|sheet| sheet.thrift.as_ref()))),
        ("listed_funds", list(rows, listed_fund)),
        ("building_projects", list(buildings, building)),
        ("changes", changes(sheet.as_ref(), narrative)),
        ("narrative", words(narrative)),
        ("score", whole_score(score)),
        (
            "funds",
            list(document.map(|document| document.special_funds.as_slice()), fund),
        ),
    ]);
    Named::Group(all)
}

/// The day of submission as 成文日期 is written, in China's time; `None` for a draft.
fn date(document: &SubmissionDocument) -> Option<String> {
    let at: jiff::Timestamp = document.submitted_at.as_deref()?.parse().ok()?;
    let day = jiff::tz::Offset::constant(8).to_datetime(at).date();
    Some(format!("{}年{}月{}日", day.year(), day.month(), day.day()))
}

/// Every figure of the sheet, at the name that formulas have for it: `three_public.total.final`.
fn figures(sheet: Option<&YearSheet>) -> BTreeMap<&'static str, Named> {
    let mut all = BTreeMap::new();
    for variable in VARIABLES.iter() {
        let figure = sheet.and_then(|sheet| sheet.figure(variable));
        put(&mut all, variable.name, number(figure.map(|datum| datum.value)));
    }
    all
}

fn put(group: &mut BTreeMap<&'static str, Named>, path: &'static str, value: Named) {
    match path.split_once('.') {
        None => drop(group.insert(path, value)),
        Some((first, rest)) => {
            let inner = group.entry(first).or_insert_with(|| Named::Group(BTreeMap::new()));
            if let Named::Group(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// How a figure changed against last year, in words: by how much, and by what share of what it was; `None` where neither last
/// year's figure nor the change is known. `stated` is the change as filed, which counts only where last year's figure is not there.
pub fn change(now: Option<Decimal>, before: Option<Decimal>, stated: Option<Decimal>, unit: &str) -> Option<String> {
    let known = now.zip(before);
    let change = known.map(|(now, before)| now - before).or(stated)?;
    let (more, grows) = match change {
        change if change.is_zero() => return Some("与上年持平".to_owned()),
        change if change.is_sign_positive() => ("增加", "增长"),
        _ => ("减少", "下降"),
    };
    let mut words = format!("比上年{more}{}{unit}", digits(change.abs()));
    if let Some((_, before)) = known
        && !before.is_zero()
    {
        let share = (change.abs() * Decimal::ONE_HUNDRED / before)
            .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        if !share.is_zero() {
            words.extend(["，", grows, &digits(share), "%"]);
        }
    }
    Some(words)
}

/// Where the reason of a change stands.
type ReasonOf = fn(&ChangeReasons) -> &Option<Reason>;

/// The changes that can be explained: name, row of the sheet, and the reason that the unit gives.
const CHANGES: [(&str, &str, ReasonOf); 10] = [
    ("basic_expenditure", "basic_expenditure.total", |why| {
        &why.basic_expenditure
    }),
    ("personnel", "basic_expenditure.personnel", |why| &why.personnel),
    ("public_funds", "basic_expenditure.public_funds", |why| {
        &why.public_funds
    }),
    ("project_expenditure", "project_expenditure.total", |why| {
        &why.project_expenditure
    }),
    ("three_public", "three_public.total", |why| &why.three_public),
    ("vehicle_purchase", "three_public.vehicle_purchase", |why| {
        &why.vehicle_purchase
    }),
    ("vehicle_running", "three_public.vehicle_running", |why| {
        &why.vehicle_running
    }),
    ("overseas_travel", "three_public.overseas_travel", |why| {
        &why.overseas_travel
    }),
    ("reception", "three_public.reception", |why| &why.reception),
    ("procurement", "procurement", |why| &why.procurement),
];

/// A sentence's part for each change: 比上年增加91.59万元，增长57.08%，主要是因为…
fn changes(sheet: Option<&YearSheet>, narrative: Option<&Narrative>) -> Named {
    let figure = |row: &str, column: &str| {
        let variable = Variable::find(&format!("{row}.{column}"))?;
        sheet?.figure(variable).map(|datum| datum.value)
    };
    let reasons = narrative.and_then(|narrative| narrative.changes.as_ref());
    let mut all = BTreeMap::new();
    for (name, row, reason) in CHANGES {
        let words = change(
            figure(row, "final"),
            figure(row, "prior_final"),
            figure(row, "change"),
            "万元",
        );
        let reason = reasons.and_then(|reasons| reason(reasons).as_ref());
        let words = words.map(|words| match reason {
            Some(reason) => format!(
                "{words}，主要是因为{}",
                reason.as_str().trim_end_matches(['。', '；', '，'])
            ),
            None => words,
        });
        all.insert(name, text(words));
    }
    for (name, row, unit) in [
        ("reception_batches", "three_public.reception_batches", "批次"),
        ("reception_visitors", "three_public.reception_visitors", "人次"),
    ] {
        all.insert(
            name,
            text(change(figure(row, "current"), figure(row, "prior"), None, unit)),
        );
    }
    Named::Group(all)
}

fn words(narrative: Option<&Narrative>) -> Named {
    let section = |of: fn(&Narrative) -> &Option<Prose>| text(narrative.and_then(|narrative| of(narrative).as_ref()));
    group([
        ("overview", section(|narrative| &narrative.overview)),
        ("basic_expenditure", section(|narrative| &narrative.basic_expenditure)),
        (
            "project_expenditure",
            section(|narrative| &narrative.project_expenditure),
        ),
        ("performance", section(|narrative| &narrative.performance)),
        ("difficulties", section(|narrative| &narrative.difficulties)),
        ("suggestions", section(|narrative| &narrative.suggestions)),
        ("other", section(|narrative| &narrative.other)),
    ])
}

fn listed_fund(row: Option<&FundRow>) -> Named {
    let amount = |column: fn(&FundRow) -> Option<Decimal>| number(row.and_then(column));
    group([
        ("name", text(row.map(|row| &row.name))),
        ("prior_final", amount(|row| Some(row.prior_final?.get()))),
        ("budget", amount(|row| Some(row.budget?.get()))),
        ("final", amount(|row| Some(row.final_accounts?.get()))),
    ])
}

fn building(project: Option<&BuildingProject>) -> Named {
    let figure = |column: fn(&BuildingProject) -> Option<Decimal>| number(project.and_then(column));
    group([
        ("name", text(project.map(|project| &project.name))),
        ("approved_area", figure(|project| Some(project.approved_area?.get()))),
        ("actual_area", figure(|project| Some(project.actual_area?.get()))),
        ("approved_cost", figure(|project| Some(project.approved_cost?.get()))),
        ("actual_cost", figure(|project| Some(project.actual_cost?.get()))),
    ])
}

/// Points, or what they can still be: 5, or 0～8.
fn points(range: Range) -> String {
    match range.decided() {
        Some(points) => digits(points),
        None => format!("{}～{}", digits(range.low), digits(range.high)),
    }
}

fn whole_score(score: Option<&Score>) -> Named {
    group([
        (
            "total",
            text(score.map(|score| points(score.total.map_or(score.interval, Range::exactly)))),
        ),
        ("full_marks", number(score.map(|score| score.full_marks))),
        (
            "grade",
            text(score.and_then(|score| score.grade.as_ref()).map(|grade| &grade.name)),
        ),
        ("summary", text(score.map(|score| &score.summary.zh))),
        ("sections", list(score.map(|score| score.sections.as_slice()), section)),
        (
            "lines",
            list(score.map(|score| score.lines.as_slice()), |line| scored(score, line)),
        ),
    ])
}

fn section(section: Option<&SectionScore>) -> Named {
    group([
        ("name", text(section.map(|section| &section.name))),
        ("weight", number(section.map(|section| section.weight))),
        ("points", text(section.map(|section| points(section.interval)))),
    ])
}

/// The name of a section of a score.
fn name_of<'a>(score: &'a Score, code: &str) -> Option<&'a str> {
    let section = score.sections.iter().find(|section| section.code.as_str() == code)?;
    Some(section.name.as_str())
}

fn scored(score: Option<&Score>, line: Option<&Line>) -> Named {
    let section = score
        .zip(line)
        .and_then(|(score, line)| name_of(score, line.section.as_str()));
    group([
        ("section", text(section)),
        ("group", text(line.and_then(|line| line.group.as_ref()))),
        ("name", text(line.map(|line| &line.name))),
        ("weight", number(line.and_then(|line| line.weight))),
        ("points", text(line.map(|line| points(line.interval)))),
        ("explanation", text(line.map(|line| &line.explanation.zh))),
    ])
}

fn fund(fund: Option<&FrozenFund>) -> Named {
    let table = fund.map(|fund| &fund.table);
    let goal = table.and_then(|table| table.goal.as_ref());
    let executions = table.map(|table| table.executions());
    let whole = executions
        .as_ref()
        .and_then(|rows| rows.iter().find(|execution| execution.row == "total"));
    let sources: Option<Vec<&Execution>> = executions.as_ref().map(|rows| {
        let is_source =
            |row: &&Execution| ["central_and_provincial", "municipal", "county", "other"].contains(&row.row);
        rows.iter().filter(is_source).collect()
    });
    let rows: Option<Vec<_>> = fund.map(|fund| {
        let number_of = |n: usize, row: &TargetRow| {
            let before = fund.table.targets.iter().take(n + 1);
            before.filter(|other| other.section == row.section).count()
        };
        let targets = fund.table.targets.iter().enumerate();
        let line = |code: String| fund.score.lines.iter().find(|line| line.code == code);
        targets
            .map(|(n, row)| (fund, row, line(format!("{}_{}", row.section, number_of(n, row)))))
            .collect()
    });
    group([
        ("name", text(fund.map(|fund| &fund.name))),
        (
            "competent_department",
            text(table.and_then(|table| table.competent_department.as_ref())),
        ),
        (
            "implementing_unit",
            text(table.and_then(|table| table.implementing_unit.as_ref())),
        ),
        ("budget", number(whole.and_then(|whole| whole.adjusted_budget))),
        ("executed", number(whole.and_then(|whole| whole.executed))),
        ("rate", rate(whole)),
        ("expected", text(goal.and_then(|goal| goal.expected.as_ref()))),
        ("achieved", text(goal.and_then(|goal| goal.achieved.as_ref()))),
        ("money", list(executions.as_deref(), money)),
        ("sources", list(sources.as_deref(), |row| money(row.copied()))),
        ("targets", list(rows.as_deref(), target)),
        ("score", whole_score(fund.map(|fund| &fund.score))),
    ])
}

/// An execution rate as forms print it: two decimals at most.
fn rate(of: Option<&Execution>) -> Named {
    number(
        of.and_then(|of| of.percent)
            .map(|percent| percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)),
    )
}

fn money(row: Option<&Execution>) -> Named {
    group([
        ("name", text(row.map(|row| &row.name.zh))),
        ("budget", number(row.and_then(|row| row.adjusted_budget))),
        ("executed", number(row.and_then(|row| row.executed))),
        ("rate", rate(row)),
    ])
}

fn target(found: Option<&(&FrozenFund, &TargetRow, Option<&Line>)>) -> Named {
    let row = found.map(|(_, row, _)| *row);
    let line = found.and_then(|(_, _, line)| *line);
    let section = found.and_then(|(fund, row, _)| name_of(&fund.score, row.section.as_str()));
    let (goal, actual) = row.map(measured).unwrap_or_default();
    group([
        ("section", text(section)),
        ("group", text(row.and_then(|row| row.group.as_ref()))),
        ("name", text(row.map(|row| &row.name))),
        ("target", text(goal)),
        ("actual", text(actual)),
        (
            "weight",
            number(row.and_then(|row| row.weight).map(|weight| weight.get())),
        ),
        ("points", text(line.map(|line| points(line.interval)))),
        ("deviation", text(row.and_then(|row| row.deviation.as_ref()))),
    ])
}

/// A target and what was reached, as the form has them: ≥181户, 181户.
fn measured(row: &TargetRow) -> (Option<String>, Option<String>) {
    match &row.measure {
        Measure::Quantity(measure) => {
            let unit = measure.unit.as_ref().map_or("", |unit| unit.as_str());
            let sign = match measure.comparison {
                Comparison::AtLeast => "≥",
                Comparison::AtMost => "≤",
                Comparison::Equal => "＝",
            };
            let actual = measure.actual.map(|actual| format!("{actual}{unit}"));
            (Some(format!("{sign}{}{unit}", measure.target)), actual)
        }
        Measure::Quality(measure) => {
            let words = |words: &Option<crate::scoring::text::Words>| words.as_ref().map(ToString::to_string);
            (words(&measure.expected), words(&measure.achieved))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(now: &str, before: &str, stated: &str) -> Option<String> {
        let figure = |text: &str| text.parse().ok();
        change(figure(now), figure(before), figure(stated), "万元")
    }

    #[test]
    fn a_change_says_its_direction_its_amount_and_its_share_of_last_year() {
        // 4.96 − 5.29 = −0.33; 0.33 / 5.29 = 6.238…%
        assert_eq!(changed("4.96", "5.29", "").unwrap(), "比上年减少0.33万元，下降6.24%");
        // 252.05 − 160.46 = 91.59; 91.59 / 160.46 = 57.079…%
        assert_eq!(
            changed("252.05", "160.46", "").unwrap(),
            "比上年增加91.59万元，增长57.08%"
        );
        // 0.125 of 100 is a half, which goes up.
        assert_eq!(changed("100.125", "100", "").unwrap(), "比上年增加0.125万元，增长0.13%");
        assert_eq!(changed("0", "8", "").unwrap(), "比上年减少8万元，下降100%");
        assert_eq!(changed("12.30", "12.3", "").unwrap(), "与上年持平");
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        assert_eq!(changed("4.96", "", ""), None);
        assert_eq!(changed("", "5.29", ""), None);
        // Of a change that is only stated nobody knows the share; of 0 there is none; and 0.00% says nothing.
        assert_eq!(changed("4.96", "", "-0.33").unwrap(), "比上年减少0.33万元");
        assert_eq!(changed("3", "0", "").unwrap(), "比上年增加3万元");
        assert_eq!(changed("100000.01", "100000", "").unwrap(), "比上年增加0.01万元");
    }

    #[test]
    fn last_years_figure_goes_before_a_change_that_is_stated() {
        assert_eq!(changed("4.96", "5.29", "-9").unwrap(), "比上年减少0.33万元，下降6.24%");
    }
}
