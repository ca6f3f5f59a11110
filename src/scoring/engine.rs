//! The engine: figures + assessments + scheme → [`Score`]. Nothing here reads a clock, a file or a database.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};

use super::assessment::{Assessment, Assessments, inputs_of};
use super::explain::{self, Basis, Part};
use super::formula::{NoValue, figures_of};
use super::prior::YearSheet;
use super::rule::{self, Applied, ShareApplied, TargetApplied, Verdict};
use super::scheme::{
    CompiledIndicator, CompiledRatio, CompiledSection, Condition, Heading, Indicator, Outcome, OwnRows, Round, Rule,
    Scheme, Section,
};
use super::score::{
    Document, Field, GradeGiven, Input, Line, Missing, Notice, Range, RatioFound, Score, SectionScore, Severity, Status,
};
use super::sheet::BaseData;
use super::special_fund::{FundTable, Measure, QuantityMeasure, TargetRow};
use super::text::Code;
use super::variables::{Figures, Lacking, Origin};
use crate::fault::Text;

/// Ratios beyond this (percent) are not worked out: no real table comes near, and what follows stays inside 28 digits.
const RATIO_LIMIT: Decimal = Decimal::from_parts(1_661_992_960, 1_808_227_885, 5, false, 0); // 10^20

static NO_ASSESSMENTS: BTreeMap<Code, Assessment> = BTreeMap::new();

/// What is to be scored.
pub struct Case<'a> {
    figures: &'a dyn Figures,
    figures_in: Document,
    no_building: bool,
    indicators: &'a BTreeMap<Code, Assessment>,
    targets: &'a [TargetRow],
    targets_in: Document,
}

impl<'a> Case<'a> {
    /// A unit's year: its base data sheet and the assessments of it.
    pub fn of_unit(sheet: &'a BaseData, assessments: &'a Assessments) -> Self {
        Self {
            figures: sheet,
            figures_in: Document::BaseData,
            no_building: sheet.no_building(),
            indicators: &assessments.indicators,
            targets: &assessments.targets,
            targets_in: Document::Assessments,
        }
    }

    /// The same, where last year's columns that the unit left out may be known from the year before.
    pub fn of_year(sheet: &'a YearSheet, assessments: &'a Assessments) -> Self {
        Self {
            figures: sheet,
            ..Self::of_unit(sheet.own(), assessments)
        }
    }

    /// A special fund's table.
    pub fn of_fund(table: &'a FundTable) -> Self {
        Self {
            figures: table,
            figures_in: Document::SpecialFund,
            no_building: false,
            indicators: &NO_ASSESSMENTS,
            targets: &table.targets,
            targets_in: Document::SpecialFund,
        }
    }

    fn figure_fields(&self, lacking: Vec<Lacking>) -> Vec<Field> {
        lacking
            .into_iter()
            .map(|field| Field {
                document: self.figures_in,
                pointer: field.pointer,
                label: Text::new(field.zh, field.en),
            })
            .collect()
    }
}

/// Scores a case by a scheme.
pub fn score(scheme: &Scheme, case: &Case<'_>) -> Score {
    let mut table = Table {
        // A line is large, and would be moved at each growth.
        lines: Vec::with_capacity(
            scheme
                .sections
                .iter()
                .map(|section| section.indicators.len())
                .sum::<usize>()
                + case.targets.len(),
        ),
        ..Table::default()
    };
    for (section, compiled) in scheme.document.sections.iter().zip(&scheme.sections) {
        let first = table.lines.len();
        let mut interval = Range::exactly(Decimal::ZERO);
        match &section.own_rows {
            None => {
                for (indicator, compiled) in section.indicators.iter().zip(&compiled.indicators) {
                    table.lines.push(indicator_line(scheme, indicator, compiled, case));
                }
            }
            Some(rows) => own_rows(scheme, section, compiled, rows, case, &mut table, &mut interval),
        }
        for line in &table.lines[first..] {
            interval += line.interval;
        }
        let weights: Decimal = table.lines[first..].iter().filter_map(|line| line.weight).sum();
        let open = table.lines[first..].iter().any(|line| line.status == Status::Open);
        // A section whose rows weigh too much could otherwise lift the total over its full marks.
        interval.low = interval.low.min(compiled.weight);
        interval.high = interval.high.min(compiled.weight);
        table.sections.push(SectionScore {
            code: section.code.clone(),
            name: section.name.clone(),
            weight: compiled.weight,
            // Ends that meet do not decide a section with an open line, or one whose rows weigh too much.
            points: interval.decided().filter(|_| !open && weights == compiled.weight),
            interval,
        });
    }
    table.finish(scheme)
}

/// The table while it is filled.
#[derive(Default)]
struct Table {
    sections: Vec<SectionScore>,
    lines: Vec<Line>,
    /// Fields that a whole section waits for.
    section_fields: Vec<(Field, String)>,
    notices: Vec<Notice>,
}

impl Table {
    fn finish(self, scheme: &Scheme) -> Score {
        let mut interval = Range::exactly(Decimal::ZERO);
        for section in &self.sections {
            interval += section.interval;
        }
        let contradicts = self.notices.iter().any(|notice| notice.severity == Severity::Error);
        let complete = self.section_fields.is_empty() && self.lines.iter().all(|line| line.status != Status::Open);
        let total = interval.decided().filter(|_| complete && !contradicts);
        let (worst, best) = (scheme.grade(interval.low), scheme.grade(interval.high));
        let grade = match (worst, best) {
            (Some(worst), Some(best)) if worst == best && !contradicts => Some(GradeGiven {
                code: worst.code.clone(),
                name: worst.name.clone(),
            }),
            _ => None,
        };
        let missing = collect_missing(&self.lines, self.section_fields);
        let mut score = Score {
            total,
            interval,
            full_marks: scheme.total,
            complete,
            grade,
            summary: Text::new("", ""),
            sections: self.sections,
            lines: self.lines,
            missing,
            notices: self.notices,
        };
        score.summary = explain::summary(&score);
        score
    }
}

/// Each missing field once, with the lines that wait for it, in the order of the lines.
fn collect_missing(lines: &[Line], section_fields: Vec<(Field, String)>) -> Vec<Missing> {
    let of_lines = lines
        .iter()
        .flat_map(|line| line.missing.iter().map(|field| (field.clone(), line.code.clone())));
    let mut missing: Vec<Missing> = Vec::new();
    for (field, code) in of_lines.chain(section_fields) {
        match missing.iter_mut().find(|known| known.field == field) {
            Some(known) => known.lines.push(code),
            None => missing.push(Missing {
                field,
                lines: vec![code],
            }),
        }
    }
    missing
}

/// What was found for a line, before it is rounded and put into words.
#[derive(Default)]
struct Found<'a> {
    /// The rule's verdict; `None` while nothing is known.
    verdict: Option<Verdict>,
    /// Points that can still be added to the verdict's.
    open: Decimal,
    status: Option<Status>,
    inputs: Vec<Input>,
    ratio: Option<RatioFound>,
    missing: Vec<Field>,
    basis: Basis<'a>,
}

impl Found<'_> {
    fn missing(missing: Vec<Field>) -> Self {
        Self {
            missing,
            ..Self::default()
        }
    }

    fn verdict(verdict: Verdict) -> Self {
        Self {
            verdict: Some(verdict),
            ..Self::default()
        }
    }

    fn outcome(outcome: Outcome, weight: Decimal, applied: Applied) -> Option<Verdict> {
        let points = match outcome {
            Outcome::Full => weight,
            Outcome::Zero => Decimal::ZERO,
            Outcome::Open => return None,
        };
        Some(Verdict { points, applied })
    }

    fn interval(&self, weight: Decimal, round: Round) -> Range {
        match &self.verdict {
            None => Range {
                low: Decimal::ZERO,
                high: weight,
            },
            Some(verdict) => Range {
                low: rounded(verdict.points, weight, round),
                high: rounded(verdict.points + self.open, weight, round),
            },
        }
    }
}

/// Rounds points; full marks stay full and nothing is rounded above them (12.5 to whole points is neither 12 nor 13).
pub(super) fn rounded(points: Decimal, weight: Decimal, round: Round) -> Decimal {
    // A third of 15 points leaves its division as 4.99…95: settled first, or a floor would take a whole point for it.
    let points = points.round_dp_with_strategy(20, RoundingStrategy::MidpointAwayFromZero);
    if points >= weight {
        return weight;
    }
    round.apply(points).min(weight)
}

fn indicator_line(scheme: &Scheme, indicator: &Indicator, compiled: &CompiledIndicator, case: &Case<'_>) -> Line {
    let found = find(scheme, indicator, compiled, case);
    let interval = found.interval(compiled.weight, scheme.round_points);
    let decided = interval
        .decided()
        .filter(|_| found.missing.is_empty() && found.verdict.is_some());
    let status = found.status.unwrap_or(match decided {
        Some(_) => Status::Scored,
        None => Status::Open,
    });
    let mut line = Line {
        heading: Arc::clone(&compiled.heading),
        status,
        points: decided,
        interval,
        lost: decided.map(|points| compiled.weight - points),
        inputs: found.inputs,
        ratio: found.ratio,
        applied: found.verdict.map(|verdict| verdict.applied),
        missing: found.missing,
        explanation: Text::new("", ""),
        claimed: None,
    };
    line.explanation = explain::line(&line, found.basis);
    line
}

fn find<'a>(scheme: &Scheme, indicator: &Indicator, compiled: &'a CompiledIndicator, case: &'a Case<'_>) -> Found<'a> {
    let weight = compiled.weight;
    let assessment = case.indicators.get(&indicator.code);
    if let Some(found) = not_applicable(indicator, weight, assessment, case) {
        return found;
    }
    match &compiled.rule {
        Rule::Deduct(_) | Rule::Bands(_) | Rule::Proportion(_) => {
            let parts = match &compiled.ratio {
                Some(ratio) => parts_of_formulas(ratio, case),
                None => parts_of_assessment(indicator, &compiled.rule, assessment),
            };
            judge_ratio(scheme, indicator, compiled, parts)
        }
        Rule::Checklist(checklist) => {
            let checks = assessment.and_then(|assessment| assessment.checks.as_ref());
            let (verdict, open) = rule::checklist(checklist, |code| checks?.get(code).copied());
            let Applied::Checklist(applied) = &verdict.applied else {
                return Found::verdict(verdict);
            };
            let missing = applied
                .open
                .iter()
                .filter_map(|code| {
                    let item = checklist.items.iter().find(|item| item.code == *code)?;
                    Some(assessed_field(
                        indicator,
                        &format!("checks/{code}"),
                        (item.name.as_str(), item.code.as_str()),
                    ))
                })
                .collect();
            Found {
                verdict: Some(verdict),
                open,
                missing,
                ..Found::default()
            }
        }
        Rule::Incidents(incidents) => match assessment.and_then(|assessment| assessment.incidents) {
            Some(count) => Found::verdict(rule::incidents(incidents, weight, count)),
            None => Found::missing(assessed_fields(indicator, &compiled.rule)),
        },
        Rule::Rating(rating) => {
            let level = assessment.and_then(|assessment| assessment.rating.as_ref());
            match level.and_then(|level| rule::rating(rating, level)) {
                Some(verdict) => Found::verdict(verdict),
                None => Found::missing(assessed_fields(indicator, &compiled.rule)),
            }
        }
        Rule::Assessed(_) => match assessment.and_then(|assessment| assessment.points) {
            Some(points) => Found {
                basis: Basis::reason(assessment),
                ..Found::verdict(Verdict {
                    points: points.get().min(weight),
                    applied: Applied::Assessed,
                })
            },
            None => Found::missing(assessed_fields(indicator, &compiled.rule)),
        },
    }
}

fn not_applicable<'a>(
    indicator: &Indicator,
    weight: Decimal,
    assessment: Option<&'a Assessment>,
    case: &Case<'_>,
) -> Option<Found<'a>> {
    let by_condition = match indicator.not_applicable_when {
        Some(Condition::NoBuilding) => case.no_building,
        None => false,
    };
    let by_person = assessment.is_some_and(|assessment| assessment.not_applicable == Some(true));
    if !by_condition && !by_person {
        return None;
    }
    // "Open" leaves the line to be judged as if it applied.
    let verdict = Found::outcome(indicator.when_not_applicable, weight, Applied::NotApplicable)?;
    Some(Found {
        status: Some(Status::NotApplicable),
        basis: if by_condition {
            Basis::NoBuilding
        } else {
            Basis::reason(assessment)
        },
        ..Found::verdict(verdict)
    })
}

/// The two parts of a ratio, with all that is to be said about them.
struct Parts<'a> {
    inputs: Vec<Input>,
    words: (Part<'a>, Part<'a>),
    values: Result<(Decimal, Decimal), NoParts>,
}

/// Why a ratio has no parts.
enum NoParts {
    Missing(Vec<Field>),
    TooLarge,
}

fn parts_of_formulas<'a>(ratio: &'a CompiledRatio, case: &'a Case<'_>) -> Parts<'a> {
    let CompiledRatio { numerator, denominator } = ratio;
    let mut inputs: Vec<Input> = Vec::new();
    for (variable, figure) in [numerator, denominator]
        .into_iter()
        .flat_map(|formula| figures_of(formula, case.figures))
    {
        if inputs.iter().all(|input| input.name != variable.name) {
            inputs.push(Input {
                name: variable.name.into(),
                label: Text::new(variable.zh, variable.en),
                value: figure.map(|figure| figure.value),
                unit: variable.unit.zh().into(),
                origin: figure.map(|figure| figure.origin),
            });
        }
    }
    let values = match (numerator.value(case.figures), denominator.value(case.figures)) {
        (Ok(numerator), Ok(denominator)) => Ok((numerator, denominator)),
        (Err(NoValue::TooLarge), _) | (_, Err(NoValue::TooLarge)) => Err(NoParts::TooLarge),
        (numerator, denominator) => {
            let mut lacking: Vec<Lacking> = Vec::new();
            for part in [numerator, denominator] {
                if let Err(NoValue::Missing(fields)) = part {
                    let new: Vec<_> = fields.into_iter().filter(|field| !lacking.contains(field)).collect();
                    lacking.extend(new);
                }
            }
            Err(NoParts::Missing(case.figure_fields(lacking)))
        }
    };
    Parts {
        inputs,
        words: (
            Part::Formula(numerator, case.figures),
            Part::Formula(denominator, case.figures),
        ),
        values,
    }
}

fn parts_of_assessment(indicator: &Indicator, rule: &Rule, assessment: Option<&Assessment>) -> Parts<'static> {
    let achieved = assessment
        .and_then(|assessment| assessment.achieved)
        .map(|value| value.get());
    let possible = assessment
        .and_then(|assessment| assessment.possible)
        .map(|value| value.get());
    let input = |name: &'static str, (zh, en): (&'static str, &'static str), value: Option<Decimal>| Input {
        name: name.into(),
        label: Text::new(zh, en),
        value,
        unit: "".into(),
        origin: value.map(|_| Origin::Assessed),
    };
    let values = match (achieved, possible) {
        (Some(achieved), Some(possible)) => Ok((achieved, possible)),
        _ => Err(NoParts::Missing(
            assessed_fields(indicator, rule)
                .into_iter()
                .filter(|field| {
                    (achieved.is_none() && field.pointer.ends_with("/achieved"))
                        || (possible.is_none() && field.pointer.ends_with("/possible"))
                })
                .collect(),
        )),
    };
    Parts {
        inputs: vec![
            input("achieved", explain::input_label("achieved"), achieved),
            input("possible", explain::input_label("possible"), possible),
        ],
        words: (
            Part::Achieved(achieved.unwrap_or_default()),
            Part::Possible(possible.unwrap_or_default()),
        ),
        values,
    }
}

fn judge_ratio<'a>(
    scheme: &Scheme,
    indicator: &Indicator,
    compiled: &CompiledIndicator,
    parts: Parts<'a>,
) -> Found<'a> {
    let weight = compiled.weight;
    let Parts {
        inputs,
        words: (numerator_words, denominator_words),
        values,
    } = parts;
    let (numerator, denominator) = match values {
        Ok(values) => values,
        Err(NoParts::Missing(missing)) => {
            return Found {
                inputs,
                missing,
                ..Found::default()
            };
        }
        Err(NoParts::TooLarge) => {
            return Found {
                inputs,
                basis: Basis::TooLarge,
                ..Found::default()
            };
        }
    };
    let mut found = Found {
        inputs,
        basis: Basis::Ratio(numerator_words, denominator_words),
        ratio: Some(RatioFound {
            numerator_formula: compiled.formulas.0.clone(),
            denominator_formula: compiled.formulas.1.clone(),
            numerator,
            denominator,
            percent: None,
            used: None,
        }),
        ..Found::default()
    };
    if denominator == Decimal::ZERO {
        let outcome = match numerator == Decimal::ZERO {
            true => indicator.when_zero_denominator.zero_over_zero,
            false => indicator.when_zero_denominator.over_zero,
        };
        found.verdict = Found::outcome(outcome, weight, Applied::ZeroDenominator);
        if found.verdict.is_none() {
            let label = explain::input_label("not_applicable");
            found.missing.push(assessed_field(indicator, "not_applicable", label));
        }
        return found;
    }
    if denominator < Decimal::ZERO {
        found.basis = Basis::NegativeDenominator;
        return found;
    }
    let Some(percent) = percent(numerator, denominator) else {
        found.basis = Basis::TooLarge;
        return found;
    };
    let used = scheme.round_ratio.map_or(percent, |round| round.apply(percent));
    found.verdict = Some(match &compiled.rule {
        Rule::Deduct(deduct) => rule::deduct(deduct, weight, used),
        Rule::Bands(bands) => rule::bands(bands, used),
        _ => rule::proportion(weight, used),
    });
    if let Some(ratio) = &mut found.ratio {
        ratio.percent = Some(percent);
        ratio.used = Some(used);
    }
    found
}

/// numerator / denominator × 100; `None` for a denominator of 0. A ratio that lies on a bound is a finite decimal, and for
/// those the division is exact.
pub(super) fn percent(numerator: Decimal, denominator: Decimal) -> Option<Decimal> {
    numerator
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(denominator)
        .filter(|percent| percent.abs() <= RATIO_LIMIT)
}

fn assessed_field(indicator: &Indicator, input: &str, (zh, en): (&str, &str)) -> Field {
    let english = indicator
        .name_en
        .as_ref()
        .map_or(indicator.code.as_str(), |name| name.as_str());
    Field {
        document: Document::Assessments,
        pointer: format!("/indicators/{}/{input}", indicator.code),
        label: Text::new(format!("{}：{zh}", indicator.name), format!("{english}: {en}")),
    }
}

fn assessed_fields(indicator: &Indicator, rule: &Rule) -> Vec<Field> {
    inputs_of(indicator, rule)
        .iter()
        .map(|input| assessed_field(indicator, input, explain::input_label(input)))
        .collect()
}

/// The lines of a section whose rows are the unit's own, and what their weights leave open or overdraw.
fn own_rows(
    scheme: &Scheme,
    section: &Section,
    compiled: &CompiledSection,
    rows: &OwnRows,
    case: &Case<'_>,
    table: &mut Table,
    interval: &mut Range,
) {
    let mut weights = Decimal::ZERO;
    let own = case
        .targets
        .iter()
        .enumerate()
        .filter(|(_, row)| row.section == section.code);
    for (number, (index, row)) in own.enumerate() {
        weights += row.weight.map(|weight| weight.get()).unwrap_or_default();
        let place = format!("/targets/{index}");
        let code = format!("{}_{}", section.code, number + 1);
        if let Some(notice) = too_low(row, &code) {
            table.notices.push(notice);
        }
        table
            .lines
            .push(target_line(scheme, section, row, rows, code, &place, case.targets_in));
    }
    let uncovered = compiled.weight - weights;
    if uncovered > Decimal::ZERO {
        interval.high += uncovered;
        table.section_fields.push((
            Field {
                document: case.targets_in,
                pointer: "/targets".to_owned(),
                label: Text::new(
                    format!("“{}”尚有{uncovered}分未分配到指标", section.name),
                    format!(
                        "{uncovered} points of \"{}\" are not yet given to a row",
                        english(section)
                    ),
                ),
            },
            section.code.as_str().to_owned(),
        ));
    } else if uncovered < Decimal::ZERO {
        table.notices.push(Notice {
            severity: Severity::Error,
            code: "row_weights_exceed_section".into(),
            line: section.code.as_str().to_owned(),
            text: Text::new(
                format!("“{}”各指标分值合计{weights}分，超过该部分的{}分；更正前不能给出总分。", section.name, compiled.weight),
                format!(
                    "the rows of \"{}\" weigh {weights} points, more than its {}; no total can be given before this is corrected",
                    english(section),
                    compiled.weight
                ),
            ),
        });
    }
}

fn english(section: &Section) -> &str {
    section
        .name_en
        .as_ref()
        .map_or(section.code.as_str(), |name| name.as_str())
}

fn too_low(row: &TargetRow, code: &str) -> Option<Notice> {
    let Measure::Quantity(quantity) = &row.measure else {
        return None;
    };
    let actual = quantity.actual?;
    quantity.target_too_low(actual).then(|| Notice {
        severity: Severity::Notice,
        code: "target_too_low".into(),
        line: code.to_owned(),
        text: Text::new(
            format!(
                "“{}”实际完成{actual}，超过目标值{}的130%：目标值可能定得过低。",
                row.name, quantity.target
            ),
            format!(
                "\"{}\" reached {actual}, more than 130% of its target {}: the target may have been set too low",
                row.name, quantity.target
            ),
        ),
    })
}

fn target_line(
    scheme: &Scheme,
    section: &Section,
    row: &TargetRow,
    rows: &OwnRows,
    code: String,
    place: &str,
    document: Document,
) -> Line {
    let weight = row.weight.map(|weight| weight.get());
    let field = |path: &str, zh: &str, en: &str| Field {
        document,
        pointer: format!("{place}/{path}"),
        label: Text::new(format!("{}：{zh}", row.name), format!("{}: {en}", row.name)),
    };
    let mut missing = Vec::new();
    if weight.is_none() {
        missing.push(field("weight", "分值", "weight"));
    }
    let full = weight.unwrap_or_default();
    let (mut inputs, mut verdict, mut open) = (Vec::new(), None, Decimal::ZERO);
    match &row.measure {
        Measure::Quantity(quantity) => {
            inputs = quantity_inputs(quantity);
            match quantity.actual {
                None => missing.push(field("measure/actual", "实际完成值", "what was reached")),
                Some(actual) => {
                    let share = quantity.share(actual);
                    verdict = Some(Verdict {
                        points: full * share / Decimal::ONE_HUNDRED,
                        applied: Applied::Target(TargetApplied {
                            met: share == Decimal::ONE_HUNDRED,
                            share,
                        }),
                    });
                }
            }
        }
        Measure::Quality(quality) => match quality.level {
            None => missing.push(field("measure/level", "达成程度", "how far it was reached")),
            Some(level) => {
                let (least, most) = match quality.share {
                    Some(share) => (share.get(), share.get()),
                    None => level.band(rows),
                };
                if quality.share.is_none() {
                    missing.push(field("measure/share", "得分比例", "its share of the weight"));
                }
                open = full * (most - least) / Decimal::ONE_HUNDRED;
                verdict = Some(Verdict {
                    points: full * least / Decimal::ONE_HUNDRED,
                    applied: Applied::Share(ShareApplied { least, most }),
                });
            }
        },
    }
    let found = Found {
        verdict,
        open,
        ..Found::default()
    };
    let interval = found.interval(full, scheme.round_points);
    let decided = interval.decided().filter(|_| missing.is_empty());
    let mut line = Line {
        heading: Arc::new(Heading {
            code,
            section: section.code.clone(),
            group: row.group.clone(),
            name: row.name.clone(),
            name_en: None,
            weight,
            rule: None,
            rule_text: explain::target_rule(&row.measure, rows),
            verified: true,
        }),
        status: if decided.is_some() {
            Status::Scored
        } else {
            Status::Open
        },
        points: decided,
        interval,
        lost: decided.map(|points| full - points),
        inputs,
        ratio: None,
        applied: found.verdict.map(|verdict| verdict.applied),
        missing,
        explanation: Text::new("", ""),
        claimed: None,
    };
    line.explanation = explain::target(&line, &row.measure);
    line
}

fn quantity_inputs(quantity: &QuantityMeasure) -> Vec<Input> {
    let unit = quantity
        .unit
        .as_ref()
        .map(|unit| unit.as_str().to_owned())
        .unwrap_or_default();
    let input = |name: &'static str, value: Option<Decimal>| {
        let (zh, en) = explain::input_label(name);
        Input {
            name: name.into(),
            label: Text::new(zh, en),
            value,
            unit: unit.clone().into(),
            origin: value.map(|_| Origin::Reported),
        }
    };
    vec![
        input("target", Some(quantity.target.get())),
        input("actual", quantity.actual.map(|actual| actual.get())),
    ]
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::super::fixtures::{
        builtin, dec, from, interval, line_of, of_indicators, of_own_rows, rows_score, scheme, score_of,
        whole_assessments, whole_sheet,
    };
    use super::super::scheme::SchemeDocument;
    use super::*;

    fn points(line: &Line) -> Option<String> {
        line.points.map(|points| points.normalize().to_string())
    }

    /// Staff in post over posts, 5 points, 0.5 off for each percentage point above 100.
    fn staff_control() -> Value {
        json!({
            "code": "staff_control", "name": "在职人员控制率", "weight": "5",
            "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"},
            "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "0.5"}
        })
    }

    /// Executed over budget in proportion, under this rounding; `carried_out` makes the rest.
    fn proportion(weight: &str, rounding: Value, budget: &str, left: &str) -> Line {
        let mut document = of_indicators(json!([{
            "code": "execution", "name": "预算执行率", "weight": weight,
            "ratio": {"numerator": "execution.executed", "denominator": "execution.budget"},
            "rule": {"kind": "proportion"}
        }]));
        document["rounding"] = rounding;
        let sheet =
            json!({"budget": {"carried_in": "0", "initial": budget, "supplementary": "0", "carried_out": left}});
        score_of(&scheme(document), sheet, json!({})).lines.remove(0)
    }

    #[test]
    fn a_whole_sheet_gets_the_total_that_adding_by_hand_gives() {
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), whole_assessments());
        let lines: Vec<_> = score
            .lines
            .iter()
            .map(|line| (line.code.as_str(), points(line).unwrap()))
            .collect();
        let expected = [
            ("in_post_control", "5"),       // 104/171 = 60.82%
            ("three_public_change", "5"),   // (4.96 − 5.29)/5.29 < 0
            ("budget_completion", "5"),     // 2690.62/2710.42 = 99.27%, less than a step of 5
            ("budget_control", "0"),        // 767.86/1922.76 = 39.94% > 30%
            ("building_area_control", "5"), // none
            ("building_cost_control", "5"),
            ("public_funds_control", "8"),  // 252.05/250 = 100.82%, less than a step of 1
            ("three_public_control", "7"),  // 100%
            ("procurement_execution", "4"), // 28/30.66 = 91.32%: 8.68 below is one step of 5, 2 points
            ("management_system", "8"),
            ("fund_compliance", "5"), // one case
            ("disclosure", "4"),      // four of five
            ("key_work", "7.6"),      // 95% of 8
            ("economic_benefit", "5"),
            ("social_benefit", "4"),
            ("admin_efficiency", "6"),
            ("satisfaction", "6"), // 93%
        ]
        .map(|(code, points)| (code, points.to_owned()));
        assert_eq!(lines, expected);
        // 10 + (5+0+5+5 + 8+7+4+8+5+4) + (7.6+5+4+6+6)
        let sections: Vec<_> = score.sections.iter().map(|section| section.points.unwrap()).collect();
        assert_eq!(sections, [dec("10"), dec("51"), dec("28.6")]);
        assert_eq!(score.total, Some(dec("89.6")));
        assert_eq!(score.grade.unwrap().name.as_str(), "良");
        assert!(score.complete && score.missing.is_empty() && score.notices.is_empty());
    }

    #[test]
    fn an_empty_sheet_can_still_get_anything_and_every_field_is_asked_for_once() {
        let score = score_of(&builtin("hunan-2019"), json!({}), json!({}));
        assert_eq!(
            (score.total, score.grade.is_some(), score.complete),
            (None, false, false)
        );
        assert_eq!(
            score.interval,
            Range {
                low: Decimal::ZERO,
                high: dec("100")
            }
        );
        let mut fields: Vec<_> = score.missing.iter().map(|missing| &missing.field.pointer).collect();
        let all = fields.len();
        fields.sort();
        fields.dedup();
        assert_eq!(fields.len(), all);
        let waiting = |pointer: &str| -> Vec<String> {
            let found = score.missing.iter().find(|missing| missing.field.pointer == pointer);
            found.unwrap().lines.clone()
        };
        assert_eq!(waiting("/budget/initial"), ["budget_completion", "budget_control"]);
        assert_eq!(
            waiting("/buildings"),
            ["building_area_control", "building_cost_control"]
        );
        assert_eq!(
            waiting("/three_public/total/budget"),
            ["three_public_change", "three_public_control"]
        );
    }

    #[test]
    fn a_missing_input_widens_the_interval_and_never_becomes_zero() {
        let mut sheet = whole_sheet();
        // Taken for 0, staff in post would keep its 5 points and posts would lose them.
        sheet["staff"] = json!({"posts": 171});
        let score = score_of(&builtin("hunan-2019"), sheet, whole_assessments());
        assert_eq!(score.total, None);
        // 89.6 with these 5 points.
        assert_eq!(
            score.interval,
            Range {
                low: dec("84.6"),
                high: dec("89.6")
            }
        );
        assert_eq!(score.sections[0].points, None);
        assert_eq!(score.missing.len(), 1);
        assert_eq!(score.missing[0].field.pointer, "/staff/in_post");
        let line = &score.lines[0];
        assert_eq!((line.status, line.points, line.lost), (Status::Open, None, None));
        assert_eq!(line.inputs[0].value, None);
    }

    #[test]
    fn a_grade_is_given_as_soon_as_both_ends_agree() {
        let mut sheet = whole_sheet();
        sheet["staff"] = json!({});
        let score = score_of(&builtin("hunan-2019"), sheet.clone(), whole_assessments());
        // 84.6 to 89.6 is 良 either way.
        assert_eq!(score.grade.unwrap().name.as_str(), "良");
        sheet["budget"]["carried_out"] = Value::Null;
        let score = score_of(&builtin("hunan-2019"), sheet, whole_assessments());
        // Five points less, 79.6, could be 中.
        assert_eq!(score.interval.low, dec("79.6"));
        assert_eq!(score.grade, None);
    }

    #[test]
    fn a_denominator_of_zero_is_ruled_on_by_the_scheme() {
        let line = |when: Value, in_post: u32| {
            let mut indicator = staff_control();
            indicator["when_zero_denominator"] = when;
            line_of(
                indicator,
                json!({"staff": {"posts": 0, "in_post": in_post}}),
                Value::Null,
            )
        };
        assert_eq!(points(&line(json!({}), 0)).unwrap(), "5");
        assert_eq!(points(&line(json!({}), 3)).unwrap(), "0");
        assert_eq!(points(&line(json!({"over_zero": "full"}), 3)).unwrap(), "5");
        assert_eq!(points(&line(json!({"zero_over_zero": "zero"}), 0)).unwrap(), "0");
        let open = line(json!({"zero_over_zero": "open"}), 0);
        assert_eq!((open.status, interval(&open)), (Status::Open, ("0".into(), "5".into())));
        assert_eq!(open.missing[0].pointer, "/indicators/staff_control/not_applicable");
        assert_eq!(open.ratio.unwrap().percent, None);
    }

    #[test]
    fn a_negative_denominator_leaves_the_line_open() {
        let mut indicator = staff_control();
        indicator["ratio"] =
            json!({"numerator": "budget.initial", "denominator": "budget.initial + budget.supplementary"});
        let line = line_of(
            indicator,
            json!({"budget": {"initial": "10", "supplementary": "-20"}}),
            Value::Null,
        );
        assert_eq!((line.status, interval(&line)), (Status::Open, ("0".into(), "5".into())));
        assert_eq!(line.ratio.unwrap().denominator, dec("-10"));
    }

    #[test]
    fn figures_beyond_all_reason_leave_the_line_open() {
        assert_eq!(RATIO_LIMIT, dec("100000000000000000000"));
        let mut indicator = staff_control();
        let large = "budget.initial * budget.initial * budget.initial * budget.initial";
        indicator["ratio"] = json!({"numerator": large, "denominator": "budget.initial"});
        let line = line_of(indicator, json!({"budget": {"initial": "9999999999"}}), Value::Null);
        assert_eq!((line.status, interval(&line)), (Status::Open, ("0".into(), "5".into())));
    }

    #[test]
    fn no_building_gets_what_the_scheme_gives_and_a_building_is_judged() {
        let building = |when: &str, buildings: Value| {
            let mut indicator = staff_control();
            indicator["ratio"] =
                json!({"numerator": "buildings.actual_area", "denominator": "buildings.approved_area"});
            indicator["not_applicable_when"] = json!("no_building");
            indicator["when_not_applicable"] = json!(when);
            line_of(indicator, json!({"buildings": buildings}), Value::Null)
        };
        let none = building("full", json!({"none": true}));
        assert_eq!(
            (none.status, points(&none).unwrap()),
            (Status::NotApplicable, "5".into())
        );
        assert_eq!(points(&building("zero", json!({"none": true}))).unwrap(), "0");
        assert_eq!(building("open", json!({"none": true})).status, Status::Open);
        // "None" beside a project is not believed. 1030/1000 = 103%: three steps of 0.5.
        let project = json!([{"name": "便民服务中心", "approved_area": "1000", "actual_area": "1030"}]);
        let judged = building("full", json!({"none": true, "projects": project}));
        assert_eq!(
            (judged.status, points(&judged).unwrap()),
            (Status::Scored, "3.5".into())
        );
        // Neither said nor listed is unknown.
        let unknown = building("full", json!({"projects": []}));
        assert_eq!(
            (unknown.status, unknown.missing[0].pointer.as_str()),
            (Status::Open, "/buildings/projects")
        );
    }

    #[test]
    fn a_person_may_say_that_an_indicator_does_not_apply() {
        let assessment = json!({"not_applicable": true, "reason": "当年新设机构，编制尚未核定。"});
        let line = line_of(staff_control(), json!({}), assessment);
        assert_eq!(
            (line.status, points(&line).unwrap()),
            (Status::NotApplicable, "5".into())
        );
        assert!(line.missing.is_empty());
    }

    #[test]
    fn a_partial_checklist_has_what_is_fulfilled_and_may_get_what_is_open() {
        let mut assessments = whole_assessments();
        assessments["indicators"]["management_system"]["checks"] =
            json!({"finance_rules": true, "thrift_rules": false});
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), assessments);
        let line = score
            .lines
            .iter()
            .find(|line| line.code == "management_system")
            .unwrap();
        // 2 fulfilled, 2 lost, 4 open.
        assert_eq!((line.status, interval(line)), (Status::Open, ("2".into(), "6".into())));
        let missing: Vec<_> = line.missing.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(
            missing,
            [
                "/indicators/management_system/checks/lawful_and_complete",
                "/indicators/management_system/checks/carried_out"
            ]
        );
    }

    #[test]
    fn one_half_of_a_judged_ratio_asks_for_the_other() {
        let key_work = json!({"code": "key_work", "name": "重点工作", "weight": "8", "rule": {"kind": "proportion"}});
        let line = line_of(key_work.clone(), json!({}), json!({"achieved": "95"}));
        assert_eq!(line.missing.len(), 1);
        assert_eq!(line.missing[0].pointer, "/indicators/key_work/possible");
        assert_eq!(line_of(key_work, json!({}), Value::Null).missing.len(), 2);
    }

    #[test]
    fn a_ratio_is_rounded_before_its_rule_only_where_the_scheme_says_so() {
        // 154.74/310.2 = 49.8839…%: 4.99 as it is, 5 once it counts as 50%.
        let first = json!({"ratio": {"mode": "half_up", "decimals": 0}});
        let line = proportion("10", first, "310.2", "155.46");
        assert_eq!(points(&line).unwrap(), "5");
        assert_eq!(line.ratio.unwrap().used, Some(dec("50")));
        assert_eq!(points(&proportion("10", json!({}), "310.2", "155.46")).unwrap(), "4.99");
    }

    #[test]
    fn points_are_cut_or_rounded_or_left_as_the_scheme_says() {
        // 37.24/43.2 of 10 = 8.6203703…
        let line = |mode: &str, decimals: u8| {
            let rounding = json!({"points": {"mode": mode, "decimals": decimals}});
            points(&proportion("10", rounding, "43.2", "5.96")).unwrap()
        };
        assert_eq!(line("floor", 0), "8");
        assert_eq!(line("half_up", 0), "9");
        assert_eq!(line("floor", 1), "8.6");
        assert_eq!(line("half_up", 2), "8.62");
        assert_eq!(line("exact", 0), "8.62037037037037037037");
    }

    #[test]
    fn full_marks_of_twelve_and_a_half_stay_so_among_whole_points() {
        for mode in ["floor", "half_up"] {
            let rounding = json!({"points": {"mode": mode, "decimals": 0}});
            assert_eq!(
                points(&proportion("12.5", rounding.clone(), "100", "0")).unwrap(),
                "12.5",
                "{mode}"
            );
            // 99% of 12.5 is 12.375.
            assert_eq!(
                points(&proportion("12.5", rounding, "100", "1")).unwrap(),
                "12",
                "{mode}"
            );
        }
        // Rounded up, 99% of 12.75 would be 13.
        let up = json!({"points": {"mode": "half_up", "decimals": 0}});
        assert_eq!(points(&proportion("12.75", up, "100", "1")).unwrap(), "12.75");
    }

    #[test]
    fn a_third_of_fifteen_points_is_five_and_not_four() {
        let floor = json!({"points": {"mode": "floor", "decimals": 0}});
        assert_eq!(points(&proportion("15", floor, "3", "2")).unwrap(), "5");
        // A third of 7.5 is 2.5, half of a whole point.
        let up = json!({"points": {"mode": "half_up", "decimals": 0}});
        assert_eq!(points(&proportion("7.5", up, "3", "2")).unwrap(), "3");
    }

    #[test]
    fn a_total_left_out_is_added_up_and_said_to_be() {
        let mut sheet = whole_sheet();
        // 0 + 2.5 + 0 + 2.46 = 4.96, but last year's vehicles are unknown.
        sheet["three_public"] = json!({
            "vehicle_purchase": {"budget": "0", "final": "0", "prior_budget": "0"},
            "vehicle_running": {"budget": "2.5", "final": "2.5"},
            "overseas_travel": {"budget": "0", "final": "0", "prior_budget": "0"},
            "reception": {"budget": "2.46", "final": "2.46", "prior_budget": "2.46"}
        });
        let score = score_of(&builtin("hunan-2019"), sheet, whole_assessments());
        let line = |code: &str| score.lines.iter().find(|line| line.code == code).unwrap();
        let control = &line("three_public_control").inputs[0];
        assert_eq!(
            (control.value, control.origin),
            (Some(dec("4.96")), Some(Origin::Derived))
        );
        assert_eq!(
            line("three_public_change").missing[0].pointer,
            "/three_public/total/prior_budget"
        );
    }

    #[test]
    fn a_formula_is_answered_as_it_was_written() {
        let mut indicator = staff_control();
        indicator["ratio"]["numerator"] = json!("(staff.in_post + staff.retired) * 1");
        let line = line_of(
            indicator,
            json!({"staff": {"posts": 2, "in_post": 1, "retired": 1}}),
            Value::Null,
        );
        assert_eq!(
            &*line.ratio.unwrap().numerator_formula,
            "(staff.in_post + staff.retired) * 1"
        );
    }

    fn row(weight: &str, measure: Value) -> Value {
        json!({"section": "output", "name": "户数", "weight": weight, "measure": measure})
    }

    fn quantity(comparison: &str, target: &str, actual: &str) -> Value {
        json!({"kind": "quantity", "comparison": comparison, "target": target, "actual": actual})
    }

    #[test]
    fn own_rows_that_cover_their_section_decide_it() {
        let score = rows_score(json!([
            row("20", quantity("at_least", "181", "181")),
            row("20", quantity("at_most", "30", "40")), // 30/40 of 20 = 15
            row("10", json!({"kind": "quality", "level": "partly", "share": "70"})),
        ]));
        let lines: Vec<_> = score
            .lines
            .iter()
            .map(|line| (line.code.as_str(), points(line).unwrap()))
            .collect();
        assert_eq!(
            lines,
            [
                ("output_1", "20".into()),
                ("output_2", "15".into()),
                ("output_3", "7".into())
            ]
        );
        assert_eq!(score.total, Some(dec("42")));
    }

    #[test]
    fn points_given_to_no_row_stay_open() {
        let score = rows_score(json!([row("20", quantity("at_least", "2", "1"))]));
        // 10 of 20 are earned, 30 not yet given out.
        assert_eq!(
            score.interval,
            Range {
                low: dec("10"),
                high: dec("40")
            }
        );
        assert_eq!(
            (score.total, score.complete, score.sections[0].points),
            (None, false, None)
        );
        assert_eq!(score.missing[0].field.pointer, "/targets");
        assert_eq!(score.missing[0].lines, ["output"]);
    }

    #[test]
    fn a_row_without_a_weight_earns_nothing_yet_and_keeps_its_section_open() {
        let mut second = row("0", quantity("at_least", "1", "1"));
        second.as_object_mut().unwrap().remove("weight");
        let score = rows_score(json!([row("50", quantity("at_least", "1", "1")), second]));
        assert_eq!(score.lines[1].status, Status::Open);
        assert_eq!(score.lines[1].missing[0].pointer, "/targets/1/weight");
        // The ends meet at 50, and still nothing is decided.
        assert_eq!(score.interval.decided(), Some(dec("50")));
        assert_eq!((score.total, score.sections[0].points), (None, None));
    }

    #[test]
    fn rows_that_weigh_more_than_their_section_leave_no_total() {
        let score = rows_score(json!([
            row("40", quantity("at_least", "1", "1")),
            row("20", quantity("at_least", "1", "1")),
        ]));
        assert_eq!(
            (score.total, score.grade.is_some(), score.complete),
            (None, false, true)
        );
        assert_eq!(score.sections[0].points, None);
        assert_eq!(score.interval, Range::exactly(dec("50")));
        assert_eq!(score.notices.len(), 1);
        assert_eq!(
            (&*score.notices[0].code, score.notices[0].severity),
            ("row_weights_exceed_section", Severity::Error)
        );
        assert_eq!(
            score.notices[0].text.zh,
            "“产出指标”各指标分值合计60分，超过该部分的50分；更正前不能给出总分。"
        );
    }

    #[test]
    fn a_goal_in_words_is_open_inside_the_band_of_its_level() {
        let of = |measure: Value| rows_score(json!([row("50", measure)])).lines.remove(0);
        let unknown = of(json!({"kind": "quality"}));
        assert_eq!(
            (unknown.status, interval(&unknown)),
            (Status::Open, ("0".into(), "50".into()))
        );
        for (level, low, high) in [
            ("achieved", "40", "50"),
            ("partly", "30", "40"),
            ("not_achieved", "0", "30"),
        ] {
            let line = of(json!({"kind": "quality", "level": level}));
            assert_eq!(
                (line.status, interval(&line)),
                (Status::Open, (low.into(), high.into())),
                "{level}"
            );
            assert_eq!(line.missing[0].pointer, "/targets/0/measure/share");
        }
    }

    #[test]
    fn a_target_far_exceeded_is_noticed_and_scored_in_full() {
        let score = rows_score(json!([row("50", quantity("at_least", "200", "2859"))]));
        assert_eq!(score.total, Some(dec("50")));
        assert_eq!(
            (&*score.notices[0].code, score.notices[0].line.as_str()),
            ("target_too_low", "output_1")
        );
    }

    #[test]
    fn a_funds_table_is_scored_with_its_money() {
        let document: SchemeDocument = super::super::builtin::BUILTINS[1].document().unwrap();
        let scheme = Scheme::compile(document).unwrap();
        let table: FundTable = from(json!({
            "funding": {
                "central_and_provincial": {"adjusted_budget": "315.8", "executed": "300"},
                "county": {"adjusted_budget": "84.2", "executed": "20"}
            },
            "targets": [{
                "section": "output", "name": "危房改造户数", "weight": "50",
                "measure": {"kind": "quantity", "comparison": "at_least", "target": "181"}
            }]
        }));
        let score = score(&scheme, &Case::of_fund(&table));
        // 320/400 = 80% of 10. Of the other 90 nothing is known.
        assert_eq!(points(&score.lines[0]).unwrap(), "8");
        assert_eq!(
            score.interval,
            Range {
                low: dec("8"),
                high: dec("98")
            }
        );
        let missing: Vec<_> = score
            .missing
            .iter()
            .map(|missing| missing.field.pointer.as_str())
            .collect();
        assert_eq!(missing, ["/targets/0/measure/actual", "/targets", "/targets"]);
        assert!(
            score
                .missing
                .iter()
                .all(|missing| missing.field.document == Document::SpecialFund)
        );
    }

    #[test]
    fn sections_with_nothing_to_weigh_are_asked_for_by_name() {
        let score = score_of(&scheme(of_own_rows()), json!({}), json!({}));
        assert_eq!(score.missing[0].field.label.zh, "“产出指标”尚有50分未分配到指标");
        assert_eq!(
            score.missing[0].field.label.en,
            "50 points of \"Output\" are not yet given to a row"
        );
    }
}
