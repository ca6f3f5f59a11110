//! What a total rests on (敏感性分析): how it moves with each figure, and how far each is from the next turn.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use utoipa::ToSchema;

use super::score::{Field, Line, Range, Score};
use super::values::exact;
use super::what_if::{Accept, Direction, Figure, Grid, LineChange, Trial, better_points, line_changes};

/// How a score moves with each of its figures, the others as they are. Points are exact decimals in strings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sensitivity {
    /// By how many percent each figure was moved.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "1")]
    pub percent: Decimal,
    /// The total; `null` while a line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "82.5")]
    pub total: Option<Decimal>,
    /// What the total can still be.
    pub interval: Range,
    /// The figures, those that move the total most first, else in the order of the form.
    pub figures: Vec<FigureSensitivity>,
}

/// How a score moves with one figure.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FigureSensitivity {
    /// Its place.
    #[serde(flatten)]
    pub field: Field,
    /// What it is counted in, as the forms print it; empty for a pure number.
    #[schema(example = "万元")]
    pub unit: String,
    /// The figure.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "767.86")]
    pub value: Decimal,
    /// The lines that it goes into.
    #[schema(example = json!(["budget_completion", "budget_control"]))]
    pub lines: Vec<String>,
    /// If it was higher by `percent`; `null` where the form cannot hold that.
    pub higher: Option<Moved>,
    /// If it was lower by `percent`; `null` where the form cannot hold that.
    pub lower: Option<Moved>,
    /// The nearest higher value at which the total is another; `null` where none was found.
    pub next_up: Option<Moved>,
    /// The nearest lower value at which the total is another; `null` where none was found.
    pub next_down: Option<Moved>,
}

/// A score with one figure moved.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Moved {
    /// The figure then; counts are rounded to whole ones, other figures to six decimals.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "775.5386")]
    pub value: Decimal,
    /// The total then; `null` while a line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "82.5")]
    pub total: Option<Decimal>,
    /// By how much the total rises (the low end of its interval, while a line is open); negative where it falls.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "0")]
    pub change: Decimal,
    /// The lines whose points change.
    pub lines: Vec<LineChange>,
}

impl Moved {
    fn from(before: &Score, value: Decimal, after: &Score) -> Self {
        Self {
            value,
            total: after.total,
            change: after.interval.low - before.interval.low,
            lines: line_changes(before, after),
        }
    }
}

/// How a score moves with each of its figures when it is `percent` higher and lower.
pub fn sensitivity(trial: &Trial<'_>, percent: Decimal) -> Sensitivity {
    let score = trial.score();
    let figures = trial.figures(&score);
    let mut figures: Vec<_> = figures
        .iter()
        .map(|figure| of_figure(trial, &score, figure, percent))
        .collect();
    // Stable: figures that move the total alike stay in the order of the form.
    figures.sort_by_key(|figure| -figure.most());
    Sensitivity {
        percent,
        total: score.total,
        interval: score.interval,
        figures,
    }
}

impl FigureSensitivity {
    fn most(&self) -> Decimal {
        let moved = [&self.higher, &self.lower].into_iter().flatten();
        moved.map(|moved| moved.change.abs()).max().unwrap_or_default()
    }
}

fn of_figure(trial: &Trial<'_>, score: &Score, figure: &Figure, percent: Decimal) -> FigureSensitivity {
    let moved = |percent: Decimal| {
        let decimals = if figure.grid == Grid::Whole { 0 } else { 6 };
        let off = figure.value * percent / Decimal::ONE_HUNDRED;
        let value = (figure.value + off).round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        let after = trial.score_with(&[figure.set(value)?])?;
        Some(Moved::from(score, value, &after))
    };
    let lines: Vec<(usize, &Line)> = figure
        .lines
        .iter()
        .filter_map(|index| Some((*index, score.lines.get(*index)?)))
        .collect();
    let round = trial.scheme().round_points;
    let least = Decimal::new(1, u32::from(u8::from(round.decimals)));
    let mut turning = Vec::new();
    for (index, line) in &lines {
        // Where its next better points begin, and where those that it has end.
        let better = better_points(trial.scheme(), line, least).into_iter().take(1);
        for points in better.chain(line.points) {
            turning.extend(trial.turning_points(figure, line, *index, points));
        }
    }
    let next = |direction| {
        let accept = Accept {
            worth_scoring: &|value| {
                let mut lines = lines.iter();
                lines.any(|(_, line)| {
                    trial
                        .own_points(line, value)
                        .is_none_or(|found| line.points != Some(found))
                })
            },
            score: &|after| after.interval != score.interval,
        };
        let (value, after) = trial.nearest(figure, &turning, direction, &accept)?;
        Some(Moved::from(score, value, &after))
    };
    FigureSensitivity {
        field: figure.field.clone(),
        unit: figure.unit.clone(),
        value: figure.value,
        lines: lines.iter().map(|(_, line)| line.code.clone()).collect(),
        higher: moved(percent),
        lower: moved(-percent),
        next_up: next(Direction::Up),
        next_down: next(Direction::Down),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{d01_scheme, d01_sheet, dec, from};
    use super::*;

    #[test]
    fn d01_says_how_far_each_figure_is_from_the_next_step() {
        let scheme = d01_scheme();
        let trial = Trial::new(&scheme, from(d01_sheet()), Default::default());
        let sensitivity = sensitivity(&trial, dec("1"));
        let figure = |pointer: &str| {
            sensitivity
                .figures
                .iter()
                .find(|figure| figure.field.pointer == pointer)
                .unwrap()
        };
        let next = |moved: &Option<Moved>| moved.as_ref().map(|moved| (moved.value, moved.change));
        let at = |value: &str, change: &str| Some((dec(value), dec(change)));

        // 136 of 143: 145 is 101.4%, one step of 0.5. One percent more is 137.36 people, which are 137.
        let in_post = figure("/staff/in_post");
        assert_eq!(
            (next(&in_post.next_up), next(&in_post.next_down)),
            (at("145", "-0.5"), None)
        );
        assert_eq!(next(&in_post.higher), at("137", "0"));
        // 136 of 134 is 101.49%, of 135 only 100.74%.
        assert_eq!(next(&figure("/staff/posts").next_down), at("134", "-0.5"));
        // Under 10% over 32: nine steps of 0.8. One percent of 63.46 changes nothing.
        let budget = figure("/three_public/total/budget");
        assert_eq!(
            (next(&budget.next_down), next(&budget.lower)),
            (at("35.19", "0.8"), at("62.8254", "0"))
        );
        assert_eq!(next(&budget.next_up), None);
        // Of last year, and still what the score rests on: over 63.46 / 1.1 = 57.69 the change is under 10%.
        assert_eq!(
            next(&figure("/three_public/total/prior_budget").next_up),
            at("57.7", "0.8")
        );
        // 5% of 2710.42 is 135.521: at 135.53 the first step of completion is whole.
        let left = figure("/budget/carried_out");
        assert_eq!(next(&left.next_up), at("135.53", "-2"));
        assert_eq!(left.lines, ["budget_completion"]);
        assert_eq!(
            figure("/budget/supplementary").lines,
            ["budget_completion", "budget_control"]
        );
    }
}
