//! The engine: figures + assessments + scheme → [`Score`]. Nothing here reads a clock, a file or a database.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::assessment::{Assessment, Assessments, inputs_of};
use super::explain::{self, Basis};
use super::formula::{NoValue, figures_of};
use super::rule::{self, Applied, ShareApplied, TargetApplied, Verdict};
use super::scheme::{
    CompiledIndicator, CompiledRatio, CompiledSection, Condition, Indicator, Outcome, OwnRows, Ratio, Round, Rule,
    Scheme, Section,
};
use super::score::{
    Document, Field, GradeGiven, Input, Line, Missing, Notice, Range, RatioFound, Score, SectionScore, Severity, Status,
};
use super::sheet::BaseData;
use super::special_fund::{FundTable, Measure, QuantityMeasure, TargetRow};
use super::text::{Code, FormulaText};
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
    let mut table = Table::default();
    for (section, compiled) in scheme.document.sections.iter().zip(&scheme.sections) {
        let first = table.lines.len();
        let mut interval = Range::exactly(Decimal::ZERO);
        match &section.own_rows {
            None => {
                for (indicator, compiled) in section.indicators.iter().zip(&compiled.indicators) {
                    table
                        .lines
                        .push(indicator_line(scheme, section, indicator, compiled, case));
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
struct Found {
    /// The rule's verdict; `None` while nothing is known.
    verdict: Option<Verdict>,
    /// Points that can still be added to the verdict's.
    open: Decimal,
    status: Option<Status>,
    inputs: Vec<Input>,
    ratio: Option<RatioFound>,
    missing: Vec<Field>,
    basis: Basis,
}

impl Found {
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
fn rounded(points: Decimal, weight: Decimal, round: Round) -> Decimal {
    // A third of 15 points leaves its division as 4.99…95: settled first, or a floor would take a whole point for it.
    let points = points.round_dp_with_strategy(20, RoundingStrategy::MidpointAwayFromZero);
    if points >= weight {
        return weight;
    }
    round.apply(points).min(weight)
}

fn indicator_line(
    scheme: &Scheme,
    section: &Section,
    indicator: &Indicator,
    compiled: &CompiledIndicator,
    case: &Case<'_>,
) -> Line {
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
        code: indicator.code.as_str().to_owned(),
        section: section.code.clone(),
        group: indicator.group.clone(),
        name: indicator.name.clone(),
        name_en: indicator.name_en.clone(),
        weight: Some(compiled.weight),
        status,
        points: decided,
        interval,
        lost: decided.map(|points| compiled.weight - points),
        inputs: found.inputs,
        ratio: found.ratio,
        rule: Some(compiled.rule.clone()),
        rule_text: explain::rule(&compiled.rule, compiled.weight),
        applied: found.verdict.map(|verdict| verdict.applied),
        missing: found.missing,
        explanation: Text::new("", ""),
        standard: indicator.standard.clone(),
        source: indicator.source.clone(),
        verified: indicator.verified,
    };
    line.explanation = explain::line(&line, &found.basis);
    line
}

fn find(scheme: &Scheme, indicator: &Indicator, compiled: &CompiledIndicator, case: &Case<'_>) -> Found {
    let weight = compiled.weight;
    let assessment = case.indicators.get(&indicator.code);
    if let Some(found) = not_applicable(indicator, weight, assessment, case) {
        return found;
    }
    match &compiled.rule {
        Rule::Deduct(_) | Rule::Bands(_) | Rule::Proportion(_) => {
            let parts = match &compiled.ratio {
                Some(ratio) => parts_of_formulas(indicator, ratio, case),
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

fn not_applicable(
    indicator: &Indicator,
    weight: Decimal,
    assessment: Option<&Assessment>,
    case: &Case<'_>,
) -> Option<Found> {
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
struct Parts {
    inputs: Vec<Input>,
    formulas: (String, String),
    words: Option<(Text, Text)>,
    values: Result<(Decimal, Decimal), NoParts>,
}

/// Why a ratio has no parts.
enum NoParts {
    Missing(Vec<Field>),
    TooLarge,
}

fn parts_of_formulas(indicator: &Indicator, ratio: &CompiledRatio, case: &Case<'_>) -> Parts {
    let written = |part: fn(&Ratio) -> &FormulaText| {
        let text = indicator.ratio.as_ref().map(|ratio| part(ratio).to_string());
        text.unwrap_or_default()
    };
    let CompiledRatio { numerator, denominator } = ratio;
    let mut inputs: Vec<Input> = Vec::new();
    for (variable, figure) in [numerator, denominator]
        .into_iter()
        .flat_map(|formula| figures_of(formula, case.figures))
    {
        if inputs.iter().all(|input| input.name != variable.name) {
            inputs.push(Input {
                name: variable.name.to_owned(),
                label: Text::new(variable.zh, variable.en),
                value: figure.map(|figure| figure.value),
                unit: variable.unit.zh().to_owned(),
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
        formulas: (written(|ratio| &ratio.numerator), written(|ratio| &ratio.denominator)),
        words: values.is_ok().then(|| {
            (
                explain::formula(numerator, case.figures),
                explain::formula(denominator, case.figures),
            )
        }),
        values,
    }
}

fn parts_of_assessment(indicator: &Indicator, rule: &Rule, assessment: Option<&Assessment>) -> Parts {
    let achieved = assessment
        .and_then(|assessment| assessment.achieved)
        .map(|value| value.get());
    let possible = assessment
        .and_then(|assessment| assessment.possible)
        .map(|value| value.get());
    let input = |name: &str, (zh, en): (&str, &str), value: Option<Decimal>| Input {
        name: name.to_owned(),
        label: Text::new(zh, en),
        value,
        unit: String::new(),
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
        formulas: ("achieved".to_owned(), "possible".to_owned()),
        words: values.as_ref().ok().map(|(achieved, possible)| {
            (
                Text::new(format!("实际数{achieved}"), format!("achieved {achieved}")),
                Text::new(format!("总数{possible}"), format!("possible {possible}")),
            )
        }),
        values,
    }
}

fn judge_ratio(scheme: &Scheme, indicator: &Indicator, compiled: &CompiledIndicator, parts: Parts) -> Found {
    let weight = compiled.weight;
    let Parts {
        inputs,
        formulas,
        words,
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
        basis: Basis::ratio(words),
        ratio: Some(RatioFound {
            numerator_formula: formulas.0,
            denominator_formula: formulas.1,
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

/// numerator / denominator × 100. A ratio that lies on a bound is a finite decimal, and for those the division is exact.
fn percent(numerator: Decimal, denominator: Decimal) -> Option<Decimal> {
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
            code: "row_weights_exceed_section",
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
        code: "target_too_low",
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
        code,
        section: section.code.clone(),
        group: row.group.clone(),
        name: row.name.clone(),
        name_en: None,
        weight,
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
        rule: None,
        rule_text: explain::target_rule(&row.measure, rows),
        applied: found.verdict.map(|verdict| verdict.applied),
        missing,
        explanation: Text::new("", ""),
        standard: None,
        source: None,
        verified: true,
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
    let input = |name: &str, value: Option<Decimal>| {
        let (zh, en) = explain::input_label(name);
        Input {
            name: name.to_owned(),
            label: Text::new(zh, en),
            value,
            unit: unit.clone(),
            origin: value.map(|_| Origin::Reported),
        }
    };
    vec![
        input("target", Some(quantity.target.get())),
        input("actual", quantity.actual.map(|actual| actual.get())),
    ]
}
