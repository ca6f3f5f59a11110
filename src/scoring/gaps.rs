//! What to do about a score (提分测算): where its points went, and what each would take to win back.
//!
//! Figures are facts: nothing here says that one should be reported otherwise. It says which fields are still to be
//! filled in, which figure is worth checking against the books, and where next year's points are.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::rule::Applied;
use super::scheme::{Rule, Scheme};
use super::score::{Document, Field, GradeGiven, Line, Range, Score, Severity, Status};
use super::special_fund::{Level, Measure};
use super::text::Label;
use super::values::{digits, exact};
use super::what_if::{Accept, Direction, Figure, LineChange, Setting, Trial, better_points, labelled, line_changes};
use crate::fault::Text;

/// What a score lacks to a target, and the ways to it. Points are exact decimals in strings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Gaps {
    /// The total that is aimed at, in points.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "90")]
    pub target: Decimal,
    /// The grade (等级) that the target reaches.
    pub target_grade: Option<GradeGiven>,
    /// The total; `null` while a line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "82.5")]
    pub total: Option<Decimal>,
    /// What the total can still be.
    pub interval: Range,
    /// The points between the low end of `interval` and the target; 0 once it is reached.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "7.5")]
    pub short: Decimal,
    /// Whether the target can be reached, and by what.
    pub reach: Reach,
    /// The total once all of `path` is true.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "91")]
    pub attainable: Decimal,
    /// The same in a sentence.
    pub summary: Text,
    /// What these answers are for, and what not.
    pub caution: Text,
    /// The lines that lost points or are open, in the order of the form.
    pub lines: Vec<LineGap>,
    /// Each way to more points by itself, cheapest first: first what only has to be filled in, then figures by how little
    /// they would have to differ (in percent) for each point, then figures that are 0 now, then what people judge, most
    /// points first.
    pub ways: Vec<Way>,
    /// Ways taken one after another, cheapest first and one field of a line only, until the target is reached or no way
    /// adds a point.
    pub path: Vec<PathStep>,
}

/// Whether a target can be reached, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// It is reached.
    Reached,
    /// By filling in what is still open, if that gets enough points.
    ByOpenLines,
    /// Only if figures or judgements were those of `path`.
    ByPath,
    /// Not by any of the ways, also together.
    NotByThese,
    /// The table contradicts itself; no total can be given before that is corrected.
    Undetermined,
}

/// A line that lost points or is open.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineGap {
    /// Its code.
    #[schema(example = "budget_control")]
    pub line: String,
    /// Its name.
    pub name: Label,
    /// Its full marks; `null` for a unit's own row without a weight.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "5")]
    pub weight: Option<Decimal>,
    /// Whether it is decided.
    pub status: Status,
    /// What its points are or can still be.
    pub interval: Range,
    /// The points that it has certainly lost: full marks less the high end of `interval`.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "2")]
    pub lost: Decimal,
    /// The points that are open: the high end of `interval` less its low end.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "0")]
    pub open: Decimal,
    /// How its points came about.
    pub explanation: Text,
}

/// One way to more points.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Way {
    /// The line, or the section whose points are given to no row yet.
    #[schema(example = "budget_control")]
    pub line: String,
    /// Its name.
    pub name: Label,
    /// What kind of way it is.
    pub kind: Kind,
    /// What would be different in the documents.
    pub changes: Vec<Change>,
    /// The line's points then; for a field that is to be filled in, the most that they can be.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "4")]
    pub points: Decimal,
    /// Whether the line then has its full marks.
    pub full_marks: bool,
    /// By how much the total would rise, other lines that change with it counted in; for a field that is to be filled in,
    /// at most.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "2")]
    pub gain: Decimal,
    /// Other lines whose points would change too.
    pub side_effects: Vec<LineChange>,
    /// How far the figure would have to differ for each point gained, in percent of itself, to two decimals; `null` where
    /// there is no such measure.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "3.27")]
    pub percent_per_point: Option<Decimal>,
    /// The same in a sentence.
    pub text: Text,
    #[serde(skip)]
    settings: Vec<Setting>,
}

/// What kind of way to more points it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something was not reported yet, and decides points.
    FillIn,
    /// A figure would have to be higher.
    Raise,
    /// A figure would have to be lower.
    Lower,
    /// People would have to judge otherwise.
    Judgement,
}

/// What would be different at one place.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// The field.
    #[serde(flatten)]
    pub field: Field,
    /// What stands there; `null` when nothing does.
    #[schema(example = "767.86")]
    pub from: Value,
    /// What would have to stand there, as its document holds it; `null` for what is to be filled in.
    #[schema(example = "576.82")]
    pub to: Value,
    /// For a figure: by how much it would differ, in its unit.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "-191.04")]
    pub difference: Option<Decimal>,
    /// For a figure other than 0: by how much in percent, to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "-24.88")]
    pub percent: Option<Decimal>,
    /// What a figure is counted in, as the forms print it; empty otherwise.
    #[schema(example = "万元")]
    pub unit: String,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct PathStep {
    /// The place of the way in `ways`, from 0.
    #[schema(example = 0)]
    pub way: usize,
    /// The total after it and all before it; where fields were to be filled in, at most.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "86.5")]
    pub total: Decimal,
}

/// What a score lacks to `target`; `None`: to the next better grade, or to full marks in the best.
pub fn gaps(trial: &Trial<'_>, target: Option<Decimal>) -> Gaps {
    let score = trial.score();
    let scheme = trial.scheme();
    let target = target.unwrap_or_else(|| next_grade(scheme, &score));
    let mut ways = Vec::new();
    for line in &score.lines {
        ways.extend(fill_in(line));
        ways.extend(judged(trial, &score, line));
    }
    ways.extend(uncovered(&score));
    for figure in trial.figures(&score).iter().filter(|figure| !figure.prior) {
        by_figure(trial, &score, figure, &mut ways);
    }
    ways.sort_by_key(Way::cost);
    let (path, attainable) = path(trial, &score, &ways, target);
    let contradicts = score.notices.iter().any(|notice| notice.severity == Severity::Error);
    let reach = match () {
        () if contradicts => Reach::Undetermined,
        () if score.interval.low >= target => Reach::Reached,
        () if score.interval.high >= target => Reach::ByOpenLines,
        () if attainable >= target => Reach::ByPath,
        () => Reach::NotByThese,
    };
    let mut gaps = Gaps {
        target,
        target_grade: scheme.grade(target).map(|grade| GradeGiven {
            code: grade.code.clone(),
            name: grade.name.clone(),
        }),
        total: score.total,
        interval: score.interval,
        short: (target - score.interval.low).max(Decimal::ZERO),
        reach,
        attainable,
        summary: Text::new("", ""),
        caution: Text::new(
            "数据应当如实填报，不得为得分而改动。本测算仅用于查找漏填、错填，以及明确下一年度的提分方向。",
            "Figures are facts and are to be reported as they are. This serves to find what was left out or mistyped, and shows where next year's points are.",
        ),
        lines: score.lines.iter().filter_map(line_gap).collect(),
        ways,
        path,
    };
    gaps.summary = summary(&gaps);
    gaps
}

/// The bound of the next better grade than the low end of the score has; full marks if it has the best.
fn next_grade(scheme: &Scheme, score: &Score) -> Decimal {
    let bounds = scheme.document.grades.iter();
    bounds
        .map(|grade| grade.from.get() * scheme.total / Decimal::ONE_HUNDRED)
        .filter(|bound| *bound > score.interval.low)
        .min()
        .unwrap_or(scheme.total)
}

fn line_gap(line: &Line) -> Option<LineGap> {
    let lost = line.weight.unwrap_or_default() - line.interval.high;
    let complete = line.status != Status::Open && lost.is_zero();
    (!complete).then(|| LineGap {
        line: line.code.clone(),
        name: line.name.clone(),
        weight: line.weight,
        status: line.status,
        interval: line.interval,
        lost,
        open: line.interval.high - line.interval.low,
        explanation: line.explanation.clone(),
    })
}

/// The fields that an open line waits for.
fn fill_in(line: &Line) -> Option<Way> {
    let open = line.interval.high - line.interval.low;
    if line.missing.is_empty() || open.is_zero() {
        return None;
    }
    Some(filled(
        line.code.clone(),
        line.name.clone(),
        &line.missing,
        (line.interval.high, Some(line.interval.high) == line.weight),
        open,
    ))
}

/// Sections whose points are not all given to rows yet.
fn uncovered(score: &Score) -> Vec<Way> {
    let sections = score.sections.iter().filter_map(|section| {
        let field = score.missing.iter().find(|missing| {
            missing.field.pointer == "/targets" && missing.lines.iter().any(|code| code == section.code.as_str())
        })?;
        let lines = score.lines.iter().filter(|line| line.section == section.code);
        let open = section.interval.high - lines.map(|line| line.interval.high).sum::<Decimal>();
        let field = std::slice::from_ref(&field.field);
        let code = section.code.to_string();
        (open > Decimal::ZERO).then(|| filled(code, section.name.clone(), field, (open, true), open))
    });
    sections.collect()
}

fn filled(line: String, name: Label, fields: &[Field], (points, full_marks): (Decimal, bool), open: Decimal) -> Way {
    let labels = |label: fn(&Field) -> &str, comma: &str| fields.iter().map(label).collect::<Vec<_>>().join(comma);
    let text = Text::new(
        format!(
            "补填{}后，“{name}”最多可再得{}分。",
            labels(|field| &field.label.zh, "、"),
            digits(open)
        ),
        format!(
            "Filled in ({}), \"{line}\" can get up to {} points more.",
            labels(|field| &field.label.en, "; "),
            digits(open)
        ),
    );
    Way {
        line,
        name,
        kind: Kind::FillIn,
        changes: fields
            .iter()
            .map(|field| Change::of(field.clone(), Value::Null, Value::Null))
            .collect(),
        points,
        full_marks,
        gain: open,
        side_effects: Vec::new(),
        percent_per_point: None,
        text,
        settings: Vec::new(),
    }
}

/// What people would have to judge otherwise for a line to get more.
fn judged(trial: &Trial<'_>, score: &Score, line: &Line) -> Vec<Way> {
    let at = |field: &str| format!("/indicators/{}/{field}", line.code);
    let field = |pointer: String, zh: &str, en: &str| Field {
        document: Document::Assessments,
        pointer,
        label: labelled(line, zh, en),
    };
    let way = |changes: Vec<Change>, zh: String, en: String| judgement(trial, score, line, changes, (zh, en));
    match (line.rule.as_ref(), &line.applied) {
        (Some(Rule::Checklist(checklist)), Some(Applied::Checklist(applied))) => {
            let unfulfilled = checklist
                .items
                .iter()
                .filter(|item| applied.unfulfilled.contains(&item.code));
            let ways = unfulfilled.filter_map(|item| {
                let field = field(
                    at(&format!("checks/{}", item.code)),
                    item.name.as_str(),
                    item.code.as_str(),
                );
                way(
                    vec![Change::of(field, Value::from(false), Value::from(true))],
                    format!("若“{}”经核实已达到要求", item.name),
                    format!("If \"{}\" is in fact fulfilled", item.code),
                )
            });
            ways.collect()
        }
        (Some(Rule::Rating(rating)), Some(Applied::Rating(applied))) => {
            let now = rating.levels.iter().position(|level| level.code == applied.level);
            let better = rating.levels.iter().take(now.unwrap_or_default());
            let ways = better.filter_map(|level| {
                let change = Change::of(
                    field(at("rating"), "档次", "rating"),
                    Value::from(applied.level.as_str()),
                    Value::from(level.code.as_str()),
                );
                way(
                    vec![change],
                    format!("若经评定达到“{}”档", level.name),
                    format!("If it is rated \"{}\"", level.code),
                )
            });
            ways.collect()
        }
        (None, Some(Applied::Share(_))) => {
            let Some((index, row)) = trial.own_row(line) else {
                return Vec::new();
            };
            let Measure::Quality(quality) = &row.measure else {
                return Vec::new();
            };
            let (Some(level), Some(share)) = (quality.level, quality.share) else {
                return Vec::new();
            };
            if share.get() == Decimal::ONE_HUNDRED {
                return Vec::new();
            }
            let place = |path: &str, zh, en| field(format!("/targets/{index}/measure/{path}"), zh, en);
            let word = |level: Level| serde_json::to_value(level).unwrap_or_default();
            let changes = vec![
                Change::of(
                    place("level", "达成程度", "how far it was reached"),
                    word(level),
                    word(Level::Achieved),
                ),
                Change::of(
                    place("share", "得分比例", "its share of the weight"),
                    Value::from(digits(share.get())),
                    Value::from("100"),
                ),
            ];
            let changes = changes.into_iter().filter(|change| change.from != change.to).collect();
            way(
                changes,
                "若经评定全面达成预期目标".to_owned(),
                "If it is judged to be fully achieved".to_owned(),
            )
            .into_iter()
            .collect()
        }
        _ => Vec::new(),
    }
}

fn judgement(
    trial: &Trial<'_>,
    score: &Score,
    line: &Line,
    changes: Vec<Change>,
    (zh, en): (String, String),
) -> Option<Way> {
    let settings: Vec<_> = changes.iter().map(Change::setting).collect();
    let after = trial.score_with(&settings)?;
    Way::found(score, &after, line, Kind::Judgement, (changes, settings), (zh, en))
}

/// The values of one figure, the others as they are, at which its lines get their next better points and full marks.
fn by_figure(trial: &Trial<'_>, score: &Score, figure: &Figure, ways: &mut Vec<Way>) {
    // Fewer people asked, or fewer marks to be had, are no better result.
    if figure.field.document == Document::Assessments && figure.field.pointer.ends_with("/possible") {
        return;
    }
    for index in &figure.lines {
        let Some(line) = score.lines.get(*index) else { continue };
        // Where people give the points, only what is short of full marks is worth a word.
        let judged = matches!(line.rule.as_ref(), Some(Rule::Assessed(_)));
        let least = if judged {
            line.weight.unwrap_or_default()
        } else {
            Decimal::ONE
        };
        for points in better_points(trial.scheme(), line, least) {
            let turning = trial.turning_points(figure, line, *index, points);
            let accept = Accept {
                worth_scoring: &|value| trial.own_points(line, value).is_none_or(|found| found >= points),
                score: &|after| {
                    let line = after.lines.get(*index);
                    line.and_then(|line| line.points).is_some_and(|found| found >= points)
                },
            };
            let Some((value, after)) = trial.nearest(figure, &turning, Direction::Either, &accept) else {
                continue;
            };
            let way = figure_way(score, &after, line, figure, value);
            let known = |way: &Way| {
                ways.iter()
                    .any(|known| known.line == way.line && known.settings == way.settings)
            };
            ways.extend(way.filter(|way| !known(way)));
        }
    }
}

fn figure_way(score: &Score, after: &Score, line: &Line, figure: &Figure, value: Decimal) -> Option<Way> {
    let setting = figure.set(value)?;
    let difference = value - figure.value;
    let hundred = Decimal::ONE_HUNDRED;
    let percent = difference.checked_mul(hundred)?.checked_div(figure.value);
    let shown = percent.map(|percent| percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
    let change = Change {
        difference: Some(difference),
        percent: shown,
        unit: figure.unit.clone(),
        ..Change::of(figure.field.clone(), figure.json(), setting.value.clone())
    };
    let up = difference > Decimal::ZERO;
    let (kind, bound, moved) = match up {
        true => (Kind::Raise, ("不低于", "at least"), ("增加", "more")),
        false => (Kind::Lower, ("不超过", "at most"), ("减少", "less")),
    };
    let of_itself = shown.map(|percent| digits(percent.abs()));
    let (to, from, by) = (digits(value), digits(figure.value), digits(difference.abs()));
    let unit = &figure.unit;
    let judged = matches!(line.rule.as_ref(), Some(Rule::Assessed(_)));
    let zh = match &of_itself {
        Some(percent) => format!(
            "若{}实际{}{to}{unit}（现为{from}{unit}，{}{by}{unit}，即{percent}%）",
            figure.field.label.zh, bound.0, moved.0
        ),
        None => format!("若{}实际{}{to}{unit}（现为0）", figure.field.label.zh, bound.0),
    };
    let en = match &of_itself {
        Some(percent) => format!(
            "If {} was in fact {} {to} (now {from}, {by} or {percent}% {})",
            figure.field.label.en, bound.1, moved.1
        ),
        None => format!("If {} was in fact {} {to} (now 0)", figure.field.label.en, bound.1),
    };
    let kind = if judged { Kind::Judgement } else { kind };
    let mut way = Way::found(score, after, line, kind, (vec![change], vec![setting]), (zh, en))?;
    if !judged {
        way.percent_per_point = percent
            .and_then(|percent| percent.abs().checked_div(way.gain))
            .map(|cost| cost.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
    }
    Some(way)
}

impl Change {
    fn of(field: Field, from: Value, to: Value) -> Self {
        Self {
            field,
            from,
            to,
            difference: None,
            percent: None,
            unit: String::new(),
        }
    }

    fn setting(&self) -> Setting {
        Setting {
            document: self.field.document,
            pointer: self.field.pointer.clone(),
            value: self.to.clone(),
        }
    }
}

impl Way {
    /// The way from one score to another by a change that concerns `line`; `None` where the total gains nothing.
    fn found(
        before: &Score,
        after: &Score,
        line: &Line,
        kind: Kind,
        (changes, settings): (Vec<Change>, Vec<Setting>),
        (zh, en): (String, String),
    ) -> Option<Self> {
        let gain = after.interval.low - before.interval.low;
        if gain <= Decimal::ZERO {
            return None;
        }
        let then = after.lines.iter().find(|then| then.code == line.code)?;
        let mut side_effects = line_changes(before, after);
        side_effects.retain(|change| change.line != line.code);
        let (from, to) = (digits(line.interval.low), digits(then.interval.low));
        let others = match side_effects.is_empty() {
            true => ("".to_owned(), "".to_owned()),
            false => (
                format!("；连同其他指标的变动，总分增加{}分", digits(gain)),
                format!("; with what changes elsewhere, the total rises by {}", digits(gain)),
            ),
        };
        let text = Text::new(
            format!("{zh}，“{}”由{from}分增至{to}分{}。", line.name, others.0),
            format!(
                "{en}, \"{}\" would have {to} points instead of {from}{}.",
                line.code, others.1
            ),
        );
        Some(Self {
            line: line.code.clone(),
            name: line.name.clone(),
            kind,
            changes,
            points: then.interval.low,
            full_marks: Some(then.interval.low) == line.weight,
            gain,
            side_effects,
            percent_per_point: None,
            text,
            settings,
        })
    }

    /// What ways are ordered by: the kind of effort, its size, then the points (most first).
    fn cost(&self) -> (u8, Decimal, Decimal) {
        let effort = match (self.kind, self.percent_per_point) {
            (Kind::FillIn, _) => 0,
            (Kind::Raise | Kind::Lower, Some(_)) => 1,
            (Kind::Raise | Kind::Lower, None) => 2,
            (Kind::Judgement, _) => 3,
        };
        (effort, self.percent_per_point.unwrap_or_default(), -self.gain)
    }
}

/// Takes the ways one after another until `target` is reached: the steps, and the total after them.
fn path(trial: &Trial<'_>, score: &Score, ways: &[Way], target: Decimal) -> (Vec<PathStep>, Decimal) {
    let (mut steps, mut total) = (Vec::new(), score.interval.low);
    let mut filled = Decimal::ZERO;
    let mut settings: Vec<Setting> = Vec::new();
    // Which field of a line was changed: another field would not be needed any more as far as was worked out.
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for (n, way) in ways.iter().enumerate() {
        if total >= target {
            break;
        }
        let after = if way.kind == Kind::FillIn {
            filled += way.gain;
            total + way.gain
        } else {
            let Some(pointer) = way.changes.first().map(|change| change.field.pointer.as_str()) else {
                continue;
            };
            let checks = pointer.contains("/checks/");
            if !checks && taken.iter().any(|(line, field)| *line == way.line && *field != pointer) {
                continue;
            }
            let mut more = settings.clone();
            more.retain(|known| way.settings.iter().all(|new| new.pointer != known.pointer));
            more.extend(way.settings.iter().cloned());
            let Some(then) = trial.score_with(&more) else { continue };
            let after = then.interval.low + filled;
            if after <= total {
                continue;
            }
            taken.push((&way.line, pointer));
            settings = more;
            after
        };
        total = after;
        steps.push(PathStep { way: n, total });
    }
    (steps, total)
}

fn summary(gaps: &Gaps) -> Text {
    let (target, low, high) = (
        digits(gaps.target),
        digits(gaps.interval.low),
        digits(gaps.interval.high),
    );
    let (attainable, short) = (digits(gaps.attainable), digits(gaps.short));
    let steps = gaps.path.len();
    let (zh, en) = match gaps.reach {
        Reach::Reached => (
            format!("已达到目标{target}分。"),
            format!("The target of {target} is reached."),
        ),
        Reach::ByOpenLines => (
            format!("现有得分{low}分，距目标{target}分尚差{short}分；补齐未填项目后最高可达{high}分，目标可以实现。"),
            format!("{low} points are certain, {short} short of {target}; what is still open can bring up to {high}."),
        ),
        Reach::ByPath => (
            format!("现有得分{low}分，距目标{target}分尚差{short}分；path所列{steps}项均属实的，可达{attainable}分。"),
            format!(
                "{low} points are certain, {short} short of {target}; if all {steps} steps of the path were true, it would be {attainable}."
            ),
        ),
        Reach::NotByThese => (
            format!(
                "现有得分{low}分，距目标{target}分尚差{short}分；所列各项全部实现也只能达到{attainable}分，本年度目标无法实现。"
            ),
            format!(
                "{low} points are certain, {short} short of {target}; all the ways together lead to {attainable} only."
            ),
        ),
        Reach::Undetermined => (
            "评分表自相矛盾，更正前不能给出总分，无法判断目标能否实现。".to_owned(),
            "The table contradicts itself; before it is corrected there is no total to aim with.".to_owned(),
        ),
    };
    Text::new(zh, en)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{
        builtin, d01_scheme, d01_sheet, dec, from, of_own_rows, scheme, whole_assessments, whole_sheet,
    };
    use super::*;

    fn gaps_of(scheme: &Scheme, sheet: Value, assessments: Value, target: Option<&str>) -> Gaps {
        let (sheet, assessments) = (from(sheet), from(assessments));
        gaps(&Trial::new(scheme, sheet, assessments), target.map(dec))
    }

    /// Line, field, what would have to stand there, the gain.
    fn shown(gaps: &Gaps) -> Vec<(&str, &str, String, String)> {
        let ways = gaps.ways.iter();
        ways.map(|way| {
            let change = &way.changes[0];
            let to = change.to.as_str().map_or_else(|| change.to.to_string(), str::to_owned);
            (way.line.as_str(), change.field.pointer.as_str(), to, digits(way.gain))
        })
        .collect()
    }

    fn expected<'a>(rows: &[(&'a str, &'a str, &str, &str)]) -> Vec<(&'a str, &'a str, String, String)> {
        let rows = rows.iter();
        rows.map(|(line, field, to, gain)| (*line, *field, (*to).to_owned(), (*gain).to_owned()))
            .collect()
    }

    #[test]
    fn d01_says_at_which_figures_its_lost_points_begin() {
        let gaps = gaps_of(&d01_scheme(), d01_sheet(), json!({}), None);
        let three_public = "/three_public/total/budget";
        assert_eq!(
            shown(&gaps),
            expected(&[
                // Under 1% over 32 is under 32.32. 31.15 of 63.46 are 49.09%, for 8 points: 6.14 each.
                ("three_public_change", three_public, "32.31", "8"),
                // 30% of 1922.76 is 576.828. 191.04 of 767.86 are 24.88%, for 2 points: 12.44 each.
                ("budget_control", "/budget/supplementary", "576.82", "2"),
                // All of it, for 8 points: 12.5 each. 19.8 of 1942.56 left over are 1.02%, less than a step of 5.
                ("budget_control", "/budget/supplementary", "0", "8"),
                // 767.86 / 0.3 = 2559.53…: 636.78 of 1922.76 are 33.12%, for 2 points: 16.56 each.
                ("budget_control", "/budget/initial", "2559.54", "2"),
                // Nine steps of 0.8 leave 0.8: under 10% over 32 is under 35.2. 28.27 of 63.46 are 44.55%.
                ("three_public_change", three_public, "35.19", "0.8"),
            ])
        );
        let costs: Vec<_> = gaps
            .ways
            .iter()
            .map(|way| digits(way.percent_per_point.unwrap()))
            .collect();
        assert_eq!(costs, ["6.14", "12.44", "12.5", "16.56", "55.68"]);
        // 16 of 32 is 差 (below 60%, which are 19.2); the cheapest way alone brings 24.
        assert_eq!(
            (gaps.target, gaps.short, gaps.reach),
            (dec("19.2"), dec("3.2"), Reach::ByPath)
        );
        assert_eq!(
            (gaps.path.len(), gaps.path[0].way, gaps.path[0].total),
            (1, 0, dec("24"))
        );
        assert_eq!(
            gaps.ways[1].text.zh,
            "若本年追加预算实际不超过576.82万元（现为767.86万元，减少191.04万元，即24.88%），“预算控制率”由0分增至2分。"
        );
        assert_eq!(
            gaps.ways[3].text.en,
            "If initial budget was in fact at least 2559.54 (now 1922.76, 636.78 or 33.12% more), \"budget_control\" would have 2 points instead of 0."
        );
    }

    #[test]
    fn a_path_takes_one_field_of_a_line_and_stops_at_its_target() {
        // 24 as above, then 2 and 8 points of the supplementary budget; its other ways would change another field.
        let gaps = gaps_of(&d01_scheme(), d01_sheet(), json!({}), Some("32"));
        let path: Vec<_> = gaps.path.iter().map(|step| (step.way, digits(step.total))).collect();
        assert_eq!(path, [(0, "24".to_owned()), (1, "26".to_owned()), (2, "32".to_owned())]);
        assert_eq!((gaps.attainable, gaps.reach), (dec("32"), Reach::ByPath));
    }

    #[test]
    fn what_is_judged_is_told_item_by_item_and_case_by_case() {
        // whole_assessments: one case of 6 (−1), one item of disclosure unfulfilled (−1), 95 of 100 of 8 (7.6), 4 of 5.
        let gaps = gaps_of(&builtin("hunan-2019"), whole_sheet(), whole_assessments(), Some("100"));
        let ways = shown(&gaps);
        let has = |row: (&str, &str, &str, &str)| assert!(ways.contains(&expected(&[row])[0]), "{row:?} in {ways:#?}");
        has(("disclosure", "/indicators/disclosure/checks/data_accurate", "true", "1"));
        has(("fund_compliance", "/indicators/fund_compliance/incidents", "0", "1"));
        // Points to two decimals: 7.995 is full already, which 99.9375 would be; marks were given whole.
        has(("key_work", "/indicators/key_work/achieved", "100", "0.4"));
        has(("social_benefit", "/indicators/social_benefit/points", "5", "1"));
        // 28/30.66 = 91.3%, one step: over 95% is 29.127, 29.13 with the pennies.
        has(("procurement_execution", "/procurement/final", "29.13", "2"));
        assert!(
            ways.iter()
                .all(|(_, field, ..)| !field.contains("prior") && *field != "/budget/carried_in")
        );
        let kinds: Vec<_> = gaps.ways.iter().map(|way| way.cost().0).collect();
        assert!(kinds.is_sorted(), "{kinds:?}");
    }

    #[test]
    fn what_is_missing_comes_first_and_is_no_promise() {
        let mut sheet = whole_sheet();
        sheet["procurement"] = json!({"budget": "30.66"});
        let gaps = gaps_of(&builtin("hunan-2019"), sheet, whole_assessments(), None);
        let first = &gaps.ways[0];
        assert_eq!(
            (first.kind, first.line.as_str(), first.gain),
            (Kind::FillIn, "procurement_execution", dec("6"))
        );
        assert_eq!(first.changes[0].field.pointer, "/procurement/final");
        assert_eq!(
            (&first.changes[0].from, &first.changes[0].to),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(first.text.zh, "补填实际政府采购金额后，“政府采购执行率”最多可再得6分。");
    }

    #[test]
    fn a_target_is_reached_by_what_is_open_or_not_at_all() {
        let hunan = builtin("hunan-2019");
        let open = gaps_of(&hunan, json!({}), json!({}), Some("90"));
        assert_eq!((open.reach, open.interval.high), (Reach::ByOpenLines, dec("100")));
        assert_eq!(gaps_of(&hunan, json!({}), json!({}), Some("0")).reach, Reach::Reached);
        // Last year's budget cannot change, and nothing else would help: this year's is 0 against 0.
        let growth = scheme(super::super::fixtures::of_indicators(json!([{
            "code": "growth", "name": "增长率", "weight": "10",
            "ratio": {"numerator": "three_public.total.prior_budget", "denominator": "budget.carried_in"},
            "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": "1"}
        }])));
        let sheet = json!({"three_public": {"total": {"prior_budget": "20"}}, "budget": {"carried_in": "10"}});
        let stuck = gaps_of(&growth, sheet, json!({}), None);
        assert_eq!(
            (stuck.reach, stuck.ways.len(), stuck.attainable),
            (Reach::NotByThese, 0, dec("0"))
        );
    }

    #[test]
    fn a_units_own_targets_say_what_was_needed() {
        let row = |weight: &str, measure: Value| json!({"section": "output", "name": "户数", "weight": weight, "measure": measure});
        let quantity = |comparison: &str, target: &str, actual: &str| json!({"kind": "quantity", "comparison": comparison, "target": target, "actual": actual});
        let targets = json!([
            row("20", quantity("at_least", "181", "150")), // 16.57
            row("10", quantity("at_most", "30", "40")),    // 7.5
            row("15", json!({"kind": "quality", "level": "partly", "share": "70"})), // 10.5
        ]);
        let gaps = gaps_of(
            &scheme(of_own_rows()),
            json!({}),
            json!({"targets": targets}),
            Some("50"),
        );
        let ways = shown(&gaps);
        for row in [
            // 5 points are given to no row.
            ("output", "/targets", "null", "5"),
            // 17/20 of 181 are 153.85: households are whole. 154/181 of 20 are 17.02.
            ("output_1", "/targets/0/measure/actual", "154", "0.45"),
            ("output_1", "/targets/0/measure/actual", "181", "3.43"),
            // 30/0.8 = 37.5: 37 is 8.11 of 10.
            ("output_2", "/targets/1/measure/actual", "37", "0.61"),
            ("output_2", "/targets/1/measure/actual", "30", "2.5"),
            ("output_3", "/targets/2/measure/level", "achieved", "4.5"),
        ] {
            assert!(ways.contains(&expected(&[row])[0]), "{row:?} in {ways:#?}");
        }
        assert_eq!(ways.len(), 6);
        // 34.57 are certain; 5 open, then all the others in turn.
        assert_eq!((gaps.attainable, gaps.reach), (dec("50"), Reach::ByPath));
    }
}
