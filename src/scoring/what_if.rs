//! A case with single values changed: which figures a score rests on, and where its points turn.
//!
//! Nothing here judges by itself. A rule's bounds are solved for one figure to know where to look, and what was found is
//! set in the document and scored by the engine like anything that a unit files.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::assessment::Assessments;
use super::engine::{self, Case};
use super::rule::Applied;
use super::scheme::{Bands, Deduct, Round, RoundMode, Rule, Scheme, Side, Steps};
use super::score::{Document, Field, Line, Score};
use super::sheet::BaseData;
use super::special_fund::{Comparison, Measure, QuantityMeasure, TargetRow};
use super::values::{Quantity, digits, exact};
use super::variables::{
    EXECUTION_BUDGET, EXECUTION_EXECUTED, EXECUTION_PARTS, Figures, Origin, Unit, VARIABLES, Variable,
};
use crate::fault::Text;

/// The documents of a unit's year with the scheme that they are scored by.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    scheme: &'a Scheme,
    sheet: BaseData,
    assessments: Assessments,
    /// How many faults the assessments have: some may be filed under another scheme than this one.
    faults: usize,
}

/// A value to be set at a place of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The document.
    pub document: Document,
    /// The JSON Pointer of the value.
    pub pointer: String,
    /// The value as the document holds it.
    pub value: Value,
}

impl<'a> Trial<'a> {
    /// The documents as they are filed; the sheet with last year's columns filled in from the year before.
    pub fn new(scheme: &'a Scheme, sheet: BaseData, assessments: Assessments) -> Self {
        let faults = assessments.faults(scheme).len();
        Self {
            scheme,
            sheet,
            assessments,
            faults,
        }
    }

    /// The scheme that is scored by.
    pub fn scheme(&self) -> &'a Scheme {
        self.scheme
    }

    /// The score of the documents as they are.
    pub fn score(&self) -> Score {
        engine::score(self.scheme, &Case::of_unit(&self.sheet, &self.assessments))
    }

    /// The same with these values set; `None` where a document cannot hold them, or would no longer fit the scheme.
    pub fn with(&self, settings: &[Setting]) -> Option<Self> {
        let mut changed = self.clone();
        let of = |document| {
            let these = settings.iter().filter(move |setting| setting.document == document);
            these.collect::<Vec<_>>()
        };
        let (sheet, assessments) = (of(Document::BaseData), of(Document::Assessments));
        if !sheet.is_empty() {
            changed.sheet = set(&self.sheet, &sheet)?;
        }
        if !assessments.is_empty() {
            changed.assessments = set(&self.assessments, &assessments)?;
            if changed.assessments.faults(self.scheme).len() > self.faults {
                return None;
            }
        }
        Some(changed)
    }

    /// The score with these values set; `None` as in [`Trial::with`].
    pub fn score_with(&self, settings: &[Setting]) -> Option<Score> {
        self.with(settings).map(|changed| changed.score())
    }

    /// The assessment of an indicator, as JSON; `null` where there is none.
    pub fn assessed(&self, code: &str) -> Option<&super::assessment::Assessment> {
        let mut all = self.assessments.indicators.iter();
        all.find(|(known, _)| known.as_str() == code)
            .map(|(_, assessment)| assessment)
    }

    /// The unit's own row that a line stands for, with its place in `targets`; `None` for an indicator's line.
    pub fn own_row(&self, line: &Line) -> Option<(usize, &TargetRow)> {
        if line.rule.is_some() {
            return None;
        }
        let number: usize = line.code.rsplit_once('_')?.1.parse().ok()?;
        let rows = self.assessments.targets.iter().enumerate();
        rows.filter(|(_, row)| row.section == line.section)
            .nth(number.checked_sub(1)?)
    }

    /// The points of a unit's own row if `value` was reached. There can be hundreds of rows, so they are not scored all
    /// together to know one. `None` for other lines.
    pub fn own_points(&self, line: &Line, value: Decimal) -> Option<Decimal> {
        let (_, row) = self.own_row(line)?;
        let Measure::Quantity(quantity) = &row.measure else {
            return None;
        };
        let weight = row.weight?.get();
        let share = quantity.share(Quantity::try_from(value).ok()?);
        let points = weight * share / Decimal::ONE_HUNDRED;
        Some(engine::rounded(points, weight, self.scheme.round_points))
    }

    /// Every figure that the lines of a score rest on, each once, in the order of the lines.
    pub fn figures(&self, score: &Score) -> Vec<Figure> {
        let mut figures: Vec<Figure> = Vec::new();
        for (n, line) in score.lines.iter().enumerate() {
            for mut figure in self.figures_of(line) {
                match figures.iter_mut().find(|known| known.field == figure.field) {
                    Some(known) => known.lines.push(n),
                    None => {
                        figure.lines.push(n);
                        figures.push(figure);
                    }
                }
            }
        }
        figures
    }

    fn figures_of(&self, line: &Line) -> Vec<Figure> {
        let mut found = Vec::new();
        if let Some((index, row)) = self.own_row(line) {
            if let Measure::Quantity(quantity) = &row.measure
                && let Some(actual) = quantity.actual
            {
                let scale = actual.get().scale().max(quantity.target.get().scale());
                found.push(Figure {
                    unit: quantity.unit.as_ref().map(|unit| unit.to_string()).unwrap_or_default(),
                    ..Figure::assessed(
                        format!("/targets/{index}/measure/actual"),
                        labelled(line, "实际完成值", "what was reached"),
                        actual.get(),
                        Grid::Decimals(scale),
                    )
                });
            }
            return found;
        }
        let assessment = self.assessed(&line.code);
        let at = |field: &str| format!("/indicators/{}/{field}", line.code);
        match (line.rule.as_ref(), &line.applied) {
            (Some(Rule::Incidents(_)), Some(Applied::Incidents(applied))) => {
                found.push(Figure {
                    unit: "起".to_owned(),
                    ..Figure::assessed(
                        at("incidents"),
                        labelled(line, "发现问题的起数", "cases found"),
                        applied.count.get(),
                        Grid::Whole,
                    )
                });
            }
            (Some(Rule::Assessed(_)), Some(Applied::Assessed)) => {
                if let Some(points) = assessment.and_then(|assessment| assessment.points) {
                    let grid = Grid::Decimals(points.get().scale().max(2));
                    found.push(Figure {
                        unit: "分".to_owned(),
                        ..Figure::assessed(
                            at("points"),
                            labelled(line, "评定得分", "points given"),
                            points.get(),
                            grid,
                        )
                    });
                }
            }
            _ => {}
        }
        // People counted stay people, and marks of an examination have the decimals that they were given with.
        let scale = line.inputs.iter().filter_map(|input| Some(input.value?.scale())).max();
        for input in &line.inputs {
            let Some(value) = input.value else { continue };
            match Variable::find(&input.name) {
                Some(variable) if input.origin != Some(Origin::Assessed) => self.fields_of(variable, &mut found),
                _ => found.push(Figure::assessed(
                    at(&input.name),
                    labelled(line, &input.label.zh, &input.label.en),
                    value,
                    Grid::Decimals(scale.unwrap_or_default()),
                )),
            }
        }
        found
    }

    /// The fields that a variable is read from: its own, or the parts that it is added up from.
    fn fields_of(&self, variable: &'static Variable, found: &mut Vec<Figure>) {
        let mut add = |figure: Figure| {
            if found.iter().all(|known| known.field != figure.field) {
                found.push(figure);
            }
        };
        let named = |names: &mut dyn Iterator<Item = &'static Variable>| {
            let figures = names.filter_map(|part| Some(Figure::of_sheet(part, self.sheet.figure(part)?.value)));
            figures.collect::<Vec<_>>()
        };
        match variable.name {
            EXECUTION_BUDGET | EXECUTION_EXECUTED => {
                let parts = EXECUTION_PARTS.iter();
                let mut parts = parts
                    .filter(|part| variable.name == EXECUTION_EXECUTED || **part != "budget.carried_out")
                    .filter_map(|part| Variable::find(part));
                named(&mut parts).into_iter().for_each(add);
            }
            name if name.starts_with("buildings.") => self.building_fields(variable).into_iter().for_each(add),
            name => match self.sheet.figure(variable).map(|datum| (datum.origin, datum.value)) {
                Some((Origin::Derived, _)) => {
                    let parts = name.split_once(".total.");
                    let mut parts = VARIABLES.iter().filter(|part| {
                        parts.is_some_and(|(group, column)| {
                            let middle = part.name.strip_prefix(group).and_then(|rest| rest.strip_suffix(column));
                            part.name != name
                                && middle.is_some_and(|middle| middle.starts_with('.') && middle.ends_with('.'))
                        })
                    });
                    named(&mut parts).into_iter().for_each(add);
                }
                Some((_, value)) => add(Figure::of_sheet(variable, value)),
                None => {}
            },
        }
    }

    fn building_fields(&self, variable: &'static Variable) -> Vec<Figure> {
        let projects = self
            .sheet
            .buildings
            .as_ref()
            .and_then(|buildings| buildings.projects.as_ref());
        let mut found = Vec::new();
        for (n, project) in projects.into_iter().flatten().enumerate() {
            let value = match variable.name {
                "buildings.approved_area" => project.approved_area.map(|value| value.get()),
                "buildings.actual_area" => project.actual_area.map(|value| value.get()),
                "buildings.approved_cost" => project.approved_cost.map(|value| value.get()),
                _ => project.actual_cost.map(|value| value.get()),
            };
            let Some(value) = value else { continue };
            let mut figure = Figure::of_sheet(variable, value);
            let column = variable.name.trim_start_matches("buildings.");
            figure.field.pointer = format!("/buildings/projects/{n}/{column}");
            figure.field.label = Text::new(
                format!("{}：{}", project.name, variable.zh),
                format!("{}: {}", project.name, variable.en),
            );
            found.push(figure);
        }
        found
    }

    /// How a figure moves the two parts of a line's ratio; `None` where the line has no ratio, or moves otherwise than in
    /// a straight line.
    fn motion(&self, figure: &Figure, line: usize) -> Option<Motion> {
        let parts = |value: Decimal| {
            let score = self.score_with(&[figure.set(value)?])?;
            let ratio = score.lines.into_iter().nth(line)?.ratio?;
            Some((ratio.numerator, ratio.denominator))
        };
        let step = figure.grid.step();
        let away = if figure.value >= step + step { -step } else { step };
        let (at, near, far) = (
            parts(figure.value)?,
            parts(figure.value + away)?,
            parts(figure.value + away + away)?,
        );
        let slope = |here: Decimal, near: Decimal, far: Decimal| {
            (near - here == far - near).then(|| (near - here).checked_div(away))?
        };
        Some(Motion {
            numerator: (at.0, slope(at.0, near.0, far.0)?),
            denominator: (at.1, slope(at.1, near.1, far.1)?),
        })
    }

    /// The values of a figure about which a line begins or ceases to have `points`. They are near the mark, within a step
    /// of the figure: what exactly happens there is for the engine to say.
    pub fn turning_points(&self, figure: &Figure, line: &Line, index: usize, points: Decimal) -> Vec<Decimal> {
        let weight = line.weight.unwrap_or_default();
        let needed = needed(self.scheme.round_points, points, weight);
        if let Some((_, row)) = self.own_row(line) {
            return match &row.measure {
                Measure::Quantity(quantity) => of_target(quantity, needed, weight),
                Measure::Quality(_) => Vec::new(),
            };
        }
        let ratios = match line.rule.as_ref() {
            Some(Rule::Deduct(deduct)) => of_deduct(deduct, needed, weight),
            Some(Rule::Bands(bands)) => of_bands(bands, needed),
            Some(Rule::Proportion(_)) => (needed * Decimal::ONE_HUNDRED)
                .checked_div(weight)
                .into_iter()
                .collect(),
            Some(Rule::Incidents(incidents)) => {
                return (weight - needed)
                    .checked_div(incidents.points_per_case.get())
                    .into_iter()
                    .collect();
            }
            Some(Rule::Assessed(_)) => return vec![needed],
            _ => Vec::new(),
        };
        let Some(motion) = self.motion(figure, index) else {
            return Vec::new();
        };
        let ratios = ratios
            .into_iter()
            .flat_map(|ratio| before_rounding(self.scheme.round_ratio, ratio));
        ratios
            .filter_map(|ratio| motion.solve(ratio))
            // What the scheme rules on a denominator of 0 may be better or worse than any ratio.
            .chain(motion.zero_denominator())
            .map(|change| figure.value + change)
            .collect()
    }

    /// The value nearest to the figure's own that is accepted, among those within a step of the `turning_points`; `None`
    /// where none is, or where one that is nearer by a step would be accepted too.
    pub fn nearest(
        &self,
        figure: &Figure,
        turning_points: &[Decimal],
        direction: Direction,
        accept: &Accept<'_>,
    ) -> Option<(Decimal, Score)> {
        let step = figure.grid.step();
        let mut candidates: Vec<Decimal> = Vec::new();
        for point in turning_points {
            let Some(below) = point.checked_div(step).map(|steps| steps.floor()) else {
                continue;
            };
            for off in [-1, 0, 1, 2] {
                candidates.extend((below + Decimal::from(off)).checked_mul(step));
            }
        }
        candidates.retain(|value| direction.leads(figure.value, *value));
        candidates.sort_by_key(|value| ((*value - figure.value).abs(), *value));
        candidates.dedup();
        let try_out = |value: Decimal| {
            (accept.worth_scoring)(value).then_some(())?;
            let score = self.score_with(&[figure.set(value)?])?;
            (accept.score)(&score).then_some((value, score))
        };
        let (found, (value, score)) = candidates
            .iter()
            .enumerate()
            .find_map(|(n, value)| Some((n, try_out(*value)?)))?;
        // Where one step less would do as well, the figure does not go in a straight line, and this is not its turn.
        let nearer = if value > figure.value {
            value - step
        } else {
            value + step
        };
        let tried = nearer == figure.value || candidates.iter().take(found).any(|value| *value == nearer);
        (tried || try_out(nearer).is_none()).then_some((value, score))
    }
}

/// What is looked for in a value of a figure.
pub struct Accept<'a> {
    /// False for a value that is known to be none without scoring it.
    pub worth_scoring: &'a dyn Fn(Decimal) -> bool,
    /// Whether the score with that value is one.
    pub score: &'a dyn Fn(&Score) -> bool,
}

/// Which way a figure may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up only.
    Up,
    /// Down only.
    Down,
    /// Either way.
    Either,
}

impl Direction {
    fn leads(self, from: Decimal, to: Decimal) -> bool {
        match self {
            Self::Up => to > from,
            Self::Down => to < from,
            Self::Either => to != from,
        }
    }
}

/// A document with values set at their places; objects on the way are made.
fn set<T: Serialize + serde::de::DeserializeOwned>(document: &T, settings: &[&Setting]) -> Option<T> {
    let mut json = serde_json::to_value(document).ok()?;
    for setting in settings {
        let mut place = &mut json;
        for key in setting.pointer.split('/').skip(1) {
            place = match place {
                Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?)?,
                Value::Object(members) => members.entry(key).or_insert(Value::Null),
                Value::Null => {
                    *place = Value::Object(Map::new());
                    place.as_object_mut()?.entry(key).or_insert(Value::Null)
                }
                _ => return None,
            };
        }
        *place = setting.value.clone();
    }
    serde_json::from_value(json).ok()
}

/// A figure that a score rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its place.
    pub field: Field,
    /// What it is counted in, as the forms print it; empty for a pure number.
    pub unit: String,
    /// The figure.
    pub value: Decimal,
    /// What it is counted by.
    pub grid: Grid,
    /// Whether it is of last year, so that nothing can change it any more.
    pub prior: bool,
    /// The lines that rest on it, by their places in the score.
    pub lines: Vec<usize>,
}

/// What a figure is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    /// Whole things, which a document holds as JSON integers.
    Whole,
    /// This many decimals.
    Decimals(u32),
}

impl Grid {
    /// The smallest step from one value to the next.
    pub fn step(self) -> Decimal {
        match self {
            Self::Whole => Decimal::ONE,
            Self::Decimals(decimals) => Decimal::new(1, decimals),
        }
    }

    /// The number as its document holds it; `None` for one that is not whole where it must be.
    fn json(self, value: Decimal) -> Option<Value> {
        match self {
            Self::Whole => value.normalize().to_string().parse::<u32>().ok().map(Value::from),
            Self::Decimals(_) => Some(Value::from(digits(value))),
        }
    }
}

impl Figure {
    fn of_sheet(variable: &'static Variable, value: Decimal) -> Self {
        let grid = match variable.unit {
            Unit::TenThousandYuan | Unit::SquareMetres => Grid::Decimals(value.scale().max(2)),
            Unit::People | Unit::Vehicles | Unit::Things | Unit::Batches | Unit::Visitors => Grid::Whole,
        };
        Self {
            field: Field {
                document: Document::BaseData,
                pointer: variable.pointer(),
                label: Text::new(variable.zh, variable.en),
            },
            unit: variable.unit.zh().to_owned(),
            value,
            grid,
            prior: [".prior_final", ".prior_budget", ".prior", ".carried_in"]
                .iter()
                .any(|column| variable.name.ends_with(column)),
            lines: Vec::new(),
        }
    }

    fn assessed(pointer: String, label: Text, value: Decimal, grid: Grid) -> Self {
        Self {
            field: Field {
                document: Document::Assessments,
                pointer,
                label,
            },
            unit: String::new(),
            value,
            grid,
            prior: false,
            lines: Vec::new(),
        }
    }

    /// The figure set to another value; `None` for one that its document cannot hold.
    pub fn set(&self, value: Decimal) -> Option<Setting> {
        Some(Setting {
            document: self.field.document,
            pointer: self.field.pointer.clone(),
            value: self.grid.json(value)?,
        })
    }

    /// The figure as its document holds it.
    pub fn json(&self) -> Value {
        self.grid.json(self.value).unwrap_or_default()
    }
}

/// A label of something that belongs to a line.
pub(super) fn labelled(line: &Line, zh: &str, en: &str) -> Text {
    let english = line.name_en.as_ref().map_or(line.code.as_str(), |name| name.as_str());
    Text::new(format!("{}：{zh}", line.name), format!("{english}: {en}"))
}

/// How the two parts of a ratio move with one figure: where each is now, and by how much it goes up with the figure.
#[derive(Debug, Clone, Copy)]
struct Motion {
    numerator: (Decimal, Decimal),
    denominator: (Decimal, Decimal),
}

impl Motion {
    /// By how much the figure must change for the ratio to be `ratio` percent: from
    /// `100 (n + n' x) = ratio (d + d' x)`. `None` where no change does it.
    fn solve(self, ratio: Decimal) -> Option<Decimal> {
        let (numerator, denominator) = (self.numerator, self.denominator);
        let hundred = Decimal::ONE_HUNDRED;
        let short = ratio
            .checked_mul(denominator.0)?
            .checked_sub(numerator.0.checked_mul(hundred)?)?;
        let rise = numerator
            .1
            .checked_mul(hundred)?
            .checked_sub(ratio.checked_mul(denominator.1)?)?;
        short.checked_div(rise)
    }

    /// By how much the figure must change for the denominator to be 0; `None` where no change does it.
    fn zero_denominator(self) -> Option<Decimal> {
        (-self.denominator.0).checked_div(self.denominator.1)
    }
}

/// The least points before rounding that are rounded to `points`.
fn needed(round: Round, points: Decimal, weight: Decimal) -> Decimal {
    let step = Decimal::new(1, u32::from(u8::from(round.decimals)));
    match round.mode {
        RoundMode::Exact | RoundMode::Floor => points,
        RoundMode::HalfUp => {
            let whole = (points / step).ceil() * step;
            (whole - step / Decimal::TWO).min(weight)
        }
    }
}

/// The ratios about which a ratio begins to count as `ratio` once it is rounded.
fn before_rounding(round: Option<Round>, ratio: Decimal) -> Vec<Decimal> {
    let Some(round) = round else { return vec![ratio] };
    let step = Decimal::new(1, u32::from(u8::from(round.decimals)));
    let below = (ratio / step).floor() * step;
    let half = step / Decimal::TWO;
    match round.mode {
        RoundMode::Exact => vec![ratio],
        RoundMode::Floor => vec![below, below + step],
        RoundMode::HalfUp => vec![below - half, below + half],
    }
}

fn of_deduct(rule: &Deduct, needed: Decimal, weight: Decimal) -> Vec<Decimal> {
    let Some(steps) = (weight - needed).checked_div(rule.points_per_step.get()) else {
        return Vec::new();
    };
    let steps = match rule.count {
        Steps::Proportional => steps,
        Steps::Started => steps.floor(),
        Steps::Whole => steps.floor() + Decimal::ONE,
    };
    let Some(off) = steps.checked_mul(rule.step.get()) else {
        return Vec::new();
    };
    let target = rule.target.get();
    match rule.off {
        Side::Above => vec![target + off],
        Side::Below => vec![target - off],
        Side::Either => vec![target + off, target - off],
    }
}

/// The bound of the last band that is good enough.
fn of_bands(rule: &Bands, needed: Decimal) -> Vec<Decimal> {
    let mut good = rule.bands.iter().rev().filter(|band| band.points.get() >= needed);
    let bound = good.next().and_then(super::scheme::Band::bound);
    bound.map(super::scheme::Bound::percent).into_iter().collect()
}

/// A row's share is the smaller of target and actual over the larger.
fn of_target(quantity: &QuantityMeasure, needed: Decimal, weight: Decimal) -> Vec<Decimal> {
    let target = quantity.target.get();
    let share = needed.checked_div(weight);
    let at_least = share.and_then(|share| share.checked_mul(target));
    let at_most = share.and_then(|share| target.checked_div(share));
    let sides = match quantity.comparison {
        Comparison::AtLeast => [at_least, None],
        Comparison::AtMost => [at_most, None],
        Comparison::Equal => [at_least, at_most],
    };
    sides.into_iter().flatten().chain([target]).collect()
}

/// The better points that a line could get next and its full marks, best last; empty where it has them. Points that run
/// on without steps of their own are told in steps of `least`.
pub fn better_points(scheme: &Scheme, line: &Line, least: Decimal) -> Vec<Decimal> {
    let (Some(points), Some(weight)) = (line.points, line.weight) else {
        return Vec::new();
    };
    let rounded = |points: Decimal| engine::rounded(points, weight, scheme.round_points);
    let next = match line.rule.as_ref() {
        Some(Rule::Deduct(deduct)) if deduct.count != Steps::Proportional => {
            next_step(points, weight, deduct.points_per_step.get(), rounded)
        }
        Some(Rule::Incidents(incidents)) => next_step(points, weight, incidents.points_per_case.get(), rounded),
        Some(Rule::Bands(bands)) => {
            let all = bands.bands.iter().map(|band| rounded(band.points.get()));
            all.filter(|better| *better > points).min()
        }
        Some(Rule::Rating(_) | Rule::Checklist(_)) => None,
        Some(Rule::Proportion(_) | Rule::Deduct(_) | Rule::Assessed(_)) | None => {
            let steps = points.checked_div(least);
            steps.map(|steps| (steps.floor() + Decimal::ONE) * least)
        }
    };
    let next = next.filter(|next| *next < weight);
    next.into_iter().chain((points < weight).then_some(weight)).collect()
}

/// The points with one step less, or the fewest steps less that make a difference after rounding.
fn next_step(points: Decimal, weight: Decimal, cost: Decimal, rounded: impl Fn(Decimal) -> Decimal) -> Option<Decimal> {
    let steps = (weight - points).checked_div(cost)?.ceil();
    // Rounding to whole points may take several steps, but none that a form has takes a hundred.
    let fewer = (0..100).map(|less| rounded((weight - (steps - Decimal::from(less)) * cost).max(Decimal::ZERO)));
    fewer.into_iter().find(|better| *better > points)
}

/// How a line's points change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineChange {
    /// The line.
    #[schema(example = "budget_control")]
    pub line: String,
    /// By how many points; negative where it loses.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "-1")]
    pub points: Decimal,
}

/// The lines whose points differ between two scores of the same documents and scheme.
pub fn line_changes(before: &Score, after: &Score) -> Vec<LineChange> {
    let lines = before.lines.iter().zip(&after.lines);
    lines
        .filter(|(before, after)| before.interval != after.interval)
        .map(|(before, after)| LineChange {
            line: before.code.clone(),
            points: after.interval.low - before.interval.low,
        })
        .collect()
}
