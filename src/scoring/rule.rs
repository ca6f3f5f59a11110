//! From a ratio or a judgement to points: one function per kind of rule, exact and without rounding.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::scheme::{Band, Bands, Checklist, Deduct, Incidents, Rating, Side, Steps};
use super::text::Code;
use super::values::{Count, exact};

/// What a rule says: its points before rounding, and how it came to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Points, between 0 and the weight.
    pub points: Decimal,
    /// How the rule was applied.
    pub applied: Applied,
}

/// How a rule was applied to what was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Applied {
    /// Steps off a target.
    Steps(StepsApplied),
    /// The band that the ratio fell into; `null` where none fitted.
    Band(BandApplied),
    /// Weight × ratio.
    Proportion,
    /// A denominator of 0, as the scheme rules on it.
    ZeroDenominator,
    /// The indicator does not apply.
    NotApplicable,
    /// A checklist: the items by what is known of them.
    Checklist(ChecklistApplied),
    /// Cases counted.
    Incidents(IncidentsApplied),
    /// A level chosen.
    Rating(RatingApplied),
    /// Points given by a person.
    Assessed,
    /// A number against its target.
    Target(TargetApplied),
    /// A share of the weight for a goal in words.
    Share(ShareApplied),
}

/// Steps off a target.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepsApplied {
    /// By how many percentage points the ratio misses its target; 0 when it does not.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "0.73")]
    pub deviation: Decimal,
    /// The side on which it misses; `null` when it does not.
    pub missed: Option<Side>,
    /// The steps that counted.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "0")]
    pub steps: Decimal,
    /// The points that they cost, before the line is held at 0.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "0")]
    pub deducted: Decimal,
}

/// A band that a ratio fell into.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BandApplied {
    /// The band; `null` for the points `otherwise` given.
    pub band: Option<Band>,
}

/// What is known of a checklist's items.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChecklistApplied {
    /// Items fulfilled.
    pub fulfilled: Vec<Code>,
    /// Items not fulfilled.
    pub unfulfilled: Vec<Code>,
    /// Items that nobody judged yet.
    pub open: Vec<Code>,
}

/// Cases counted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentsApplied {
    /// How many.
    pub count: Count,
    /// The points that they cost, before the line is held at 0.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "1")]
    pub deducted: Decimal,
}

/// A level chosen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RatingApplied {
    /// Its code.
    pub level: Code,
}

/// A number against its target.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TargetApplied {
    /// Whether the target was met.
    pub met: bool,
    /// The share of the weight earned, in percent.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "100")]
    pub share: Decimal,
}

/// A share of the weight for a goal in words, in percent; `least` and `most` are alike once it is decided.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShareApplied {
    /// The least share that it can still get.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "80")]
    pub least: Decimal,
    /// The most that it can still get.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "100")]
    pub most: Decimal,
}

/// Deducts for each step by which `ratio` (percent) misses the target.
pub fn deduct(rule: &Deduct, weight: Decimal, ratio: Decimal) -> Verdict {
    let off = ratio - rule.target.get();
    let missed = match rule.off {
        Side::Above | Side::Either if off > Decimal::ZERO => Some(Side::Above),
        Side::Below | Side::Either if off < Decimal::ZERO => Some(Side::Below),
        _ => None,
    };
    let deviation = if missed.is_some() { off.abs() } else { Decimal::ZERO };
    let exact = deviation / rule.step.get();
    let steps = match rule.count {
        Steps::Whole => exact.floor(),
        Steps::Started => exact.ceil(),
        Steps::Proportional => exact,
    };
    // A ratio has no bound, so the cost of its steps may not fit; then nothing is left of the weight either.
    let deducted = steps.checked_mul(rule.points_per_step.get()).unwrap_or(Decimal::MAX);
    Verdict {
        points: weight.saturating_sub(deducted).max(Decimal::ZERO),
        applied: Applied::Steps(StepsApplied {
            deviation,
            missed,
            steps,
            deducted,
        }),
    }
}

/// Gives the points of the first band that holds `ratio` (percent).
pub fn bands(rule: &Bands, ratio: Decimal) -> Verdict {
    let band = rule
        .bands
        .iter()
        .find(|band| band.bound().is_some_and(|bound| bound.holds(ratio)));
    Verdict {
        points: band.map_or(rule.otherwise, |band| band.points).get(),
        applied: Applied::Band(BandApplied { band: band.cloned() }),
    }
}

/// Gives weight × `ratio` (percent), never below 0 and never above the weight.
pub fn proportion(weight: Decimal, ratio: Decimal) -> Verdict {
    let share = ratio.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED);
    Verdict {
        points: weight * share / Decimal::ONE_HUNDRED,
        applied: Applied::Proportion,
    }
}

/// Gives the points of the items fulfilled; the second number is what the open items could still add.
pub fn checklist(rule: &Checklist, judged: impl Fn(&Code) -> Option<bool>) -> (Verdict, Decimal) {
    let mut applied = ChecklistApplied {
        fulfilled: Vec::new(),
        unfulfilled: Vec::new(),
        open: Vec::new(),
    };
    let (mut points, mut open) = (Decimal::ZERO, Decimal::ZERO);
    for item in &rule.items {
        let codes = match judged(&item.code) {
            Some(true) => {
                points += item.points.get();
                &mut applied.fulfilled
            }
            Some(false) => &mut applied.unfulfilled,
            None => {
                open += item.points.get();
                &mut applied.open
            }
        };
        codes.push(item.code.clone());
    }
    let verdict = Verdict {
        points,
        applied: Applied::Checklist(applied),
    };
    (verdict, open)
}

/// Takes points off for each case, down to 0.
pub fn incidents(rule: &Incidents, weight: Decimal, count: Count) -> Verdict {
    let deducted = count.get() * rule.points_per_case.get();
    Verdict {
        points: (weight - deducted).max(Decimal::ZERO),
        applied: Applied::Incidents(IncidentsApplied { count, deducted }),
    }
}

/// Gives the points of the level; `None` when the rule has no such level.
pub fn rating(rule: &Rating, level: &Code) -> Option<Verdict> {
    let item = rule.levels.iter().find(|item| item.code == *level)?;
    Some(Verdict {
        points: item.points.get(),
        applied: Applied::Rating(RatingApplied { level: level.clone() }),
    })
}
