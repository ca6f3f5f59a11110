//! From a ratio or a judgement to points: one function per kind of rule, exact and without rounding.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scheme::{Band, Bands, Checklist, Deduct, Incidents, Rating, Side, Steps};
use super::tagged::tagged_schema;
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

tagged_schema!(Applied: "How a rule was applied to what was found.",
    "steps" => StepsApplied,
    "band" => BandApplied,
    "proportion",
    "zero_denominator",
    "not_applicable",
    "checklist" => ChecklistApplied,
    "incidents" => IncidentsApplied,
    "rating" => RatingApplied,
    "assessed",
    "target" => TargetApplied,
    "share" => ShareApplied,
);

/// Steps off a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BandApplied {
    /// The band; `null` for the points `otherwise` given.
    pub band: Option<Band>,
}

/// What is known of a checklist's items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChecklistApplied {
    /// Items fulfilled.
    pub fulfilled: Vec<Code>,
    /// Items not fulfilled.
    pub unfulfilled: Vec<Code>,
    /// Items that nobody judged yet.
    pub open: Vec<Code>,
}

/// Cases counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentsApplied {
    /// How many.
    pub count: Count,
    /// The points that they cost, before the line is held at 0.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "1")]
    pub deducted: Decimal,
}

/// A level chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RatingApplied {
    /// Its code.
    pub level: Code,
}

/// A number against its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TargetApplied {
    /// Whether the target was met.
    pub met: bool,
    /// The share of the weight earned, in percent.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "100")]
    pub share: Decimal,
}

/// A share of the weight for a goal in words, in percent; `least` and `most` are alike once it is decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{dec, from};
    use super::*;

    fn points(verdict: Verdict) -> String {
        verdict.points.normalize().to_string()
    }

    /// The points out of 5 of each ratio under a deduction.
    fn deducted(rule: Value, cases: &[(&str, &str)]) {
        let rule: Deduct = from(rule);
        for (ratio, expected) in cases {
            assert_eq!(points(deduct(&rule, dec("5"), dec(ratio))), *expected, "at {ratio}%");
        }
    }

    #[test]
    fn only_whole_steps_cost_points_and_never_more_than_there_are() {
        // 每低于5%扣2分: 95.01 and 99.27 miss by less than a step, 95 by one, 90 by two, 85 by three (6 points, 5 are there).
        deducted(
            json!({"target": "100", "off": "below", "step": "5", "points_per_step": "2"}),
            &[
                ("100", "5"),
                ("99.27", "5"),
                ("95.01", "5"),
                ("95", "3"),
                ("92.8", "3"),
                ("90", "1"),
                ("85", "0"),
                ("0", "0"),
                ("-300", "0"),
                ("130", "5"),
            ],
        );
    }

    #[test]
    fn a_started_step_costs_a_whole_one_only_past_the_target() {
        // 100.01 starts the first step of 1, 101 ends it, 101.01 starts the second.
        deducted(
            json!({"target": "100", "off": "above", "step": "1", "points_per_step": "0.5", "count": "started"}),
            &[
                ("100", "5"),
                ("100.01", "4.5"),
                ("101", "4.5"),
                ("101.01", "4"),
                ("110", "0"),
                ("60", "5"),
            ],
        );
    }

    #[test]
    fn a_proportional_step_costs_its_part() {
        // 1.25 points above at 0.5 each: 0.625 off.
        deducted(
            json!({"target": "0", "off": "above", "step": "1", "points_per_step": "0.5", "count": "proportional"}),
            &[("0", "5"), ("1.25", "4.375"), ("9.9", "0.05"), ("10", "0"), ("-7", "5")],
        );
    }

    #[test]
    fn a_target_missed_on_either_side_costs_the_same() {
        deducted(
            json!({"target": "100", "off": "either", "step": "5", "points_per_step": "2"}),
            &[
                ("100", "5"),
                ("104.99", "5"),
                ("95.01", "5"),
                ("105", "3"),
                ("95", "3"),
                ("111", "1"),
                ("72.74", "0"),
            ],
        );
    }

    #[test]
    fn a_deduction_tells_its_deviation_its_steps_and_their_cost_before_zero_holds_it() {
        let rule = from(json!({"target": "0", "off": "above", "step": "1", "points_per_step": "0.8"}));
        // 98.3125% is 98 whole steps: 98 × 0.8 = 78.4 of the 8 points.
        assert_eq!(
            deduct(&rule, dec("8"), dec("98.3125")),
            Verdict {
                points: Decimal::ZERO,
                applied: Applied::Steps(StepsApplied {
                    deviation: dec("98.3125"),
                    missed: Some(Side::Above),
                    steps: dec("98"),
                    deducted: dec("78.4"),
                }),
            }
        );
    }

    #[test]
    fn a_step_too_small_for_its_cost_to_fit_still_only_costs_all_points() {
        let rule = from(json!({"target": "0", "off": "above", "step": "0.000001", "points_per_step": "1000"}));
        assert_eq!(points(deduct(&rule, dec("5"), dec("100000000000000000000"))), "0");
    }

    #[test]
    fn a_band_holds_its_bound_as_stated() {
        let upper: Bands = from(json!({
            "bands": [{"at_most": "0", "points": "5"}, {"at_most": "10", "points": "4"}, {"below": "20", "points": "3"}],
            "otherwise": "0"
        }));
        for (ratio, expected) in [
            ("-4", "5"),
            ("0", "5"),
            ("0.000001", "4"),
            ("10", "4"),
            ("10.000001", "3"),
            ("19.999999", "3"),
            ("20", "0"),
        ] {
            assert_eq!(points(bands(&upper, dec(ratio))), expected, "at {ratio}%");
        }
        let lower: Bands = from(json!({
            "bands": [{"above": "90", "points": "6"}, {"at_least": "80", "points": "4"}],
            "otherwise": "1"
        }));
        for (ratio, expected) in [
            ("90.000001", "6"),
            ("90", "4"),
            ("80", "4"),
            ("79.999999", "1"),
            ("-1", "1"),
        ] {
            assert_eq!(points(bands(&lower, dec(ratio))), expected, "at {ratio}%");
        }
    }

    #[test]
    fn a_proportion_stays_between_zero_and_the_weight() {
        for (ratio, expected) in [
            ("-20", "0"),
            ("0", "0"),
            ("49.88", "4.988"),
            ("100", "10"),
            ("133.3", "10"),
        ] {
            assert_eq!(points(proportion(dec("10"), dec(ratio))), expected, "at {ratio}%");
        }
    }

    #[test]
    fn an_item_that_nobody_judged_is_neither_fulfilled_nor_lost() {
        let rule: Checklist = from(json!({"items": [
            {"code": "a", "name": "甲", "points": "2"},
            {"code": "b", "name": "乙", "points": "1.5"},
            {"code": "c", "name": "丙", "points": "0.5"}
        ]}));
        let (verdict, open) = checklist(&rule, |code| match code.as_str() {
            "a" => Some(true),
            "b" => None,
            _ => Some(false),
        });
        assert_eq!(open, dec("1.5"));
        assert_eq!(
            verdict,
            Verdict {
                points: dec("2"),
                applied: Applied::Checklist(ChecklistApplied {
                    fulfilled: vec![Code::literal("a")],
                    unfulfilled: vec![Code::literal("c")],
                    open: vec![Code::literal("b")],
                }),
            }
        );
    }

    #[test]
    fn cases_cost_points_down_to_zero() {
        let rule: Incidents = from(json!({"points_per_case": "1"}));
        for (count, expected) in [(0, "6"), (2, "4"), (6, "0"), (60_000, "0")] {
            assert_eq!(
                points(incidents(&rule, dec("6"), Count::from(count))),
                expected,
                "{count} cases"
            );
        }
    }

    #[test]
    fn a_level_gets_its_points_and_an_unknown_one_none_at_all() {
        let rule: Rating = from(json!({"levels": [
            {"code": "good", "name": "好", "points": "6"},
            {"code": "fair", "name": "一般", "points": "3"}
        ]}));
        assert_eq!(points(rating(&rule, &Code::literal("fair")).unwrap()), "3");
        assert_eq!(rating(&rule, &Code::literal("poor")), None);
    }
}
