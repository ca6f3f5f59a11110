//! A ratio under a rule, and how the points that follow are rounded: what a claim is held against.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::Text;
use crate::scoring::rule;
use crate::scoring::scheme::{Decimals, Proportion, Round, RoundMode, Rounding, Rule};

/// Weight × ratio: the rule of an execution rate, and of a target that is a number.
pub static PROPORTION: Rule = Rule::Proportion(Proportion {});

/// A ratio, the rule that judges it, and the full marks.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The ratio, in percent, exact.
    pub ratio: Decimal,
    /// Its rule.
    pub rule: &'a Rule,
    /// The full marks.
    pub weight: Decimal,
}

impl Judged<'_> {
    /// The points before rounding; `None` where the rule judges no ratio.
    pub fn points(&self) -> Option<Decimal> {
        let verdict = match self.rule {
            Rule::Deduct(deduct) => rule::deduct(deduct, self.weight, self.ratio),
            Rule::Bands(bands) => rule::bands(bands, self.ratio),
            Rule::Proportion(_) => rule::proportion(self.weight, self.ratio),
            Rule::Checklist(_) | Rule::Incidents(_) | Rule::Rating(_) | Rule::Assessed(_) => return None,
        };
        Some(verdict.points)
    }

    /// The points as a table that rounds in this way gives them.
    pub fn rounded(&self, rounds: Rounds) -> Option<Decimal> {
        let ratio = rounds.ratio.map_or(self.ratio, |round| round.apply(self.ratio));
        Judged { ratio, ..*self }
            .points()
            .map(|points| rounds.points.apply(points))
    }
}

/// How a table rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = RoundingFound)]
pub struct Rounds {
    /// The ratio, before the rule sees it; `null` where it is not rounded.
    pub ratio: Option<Round>,
    /// The points.
    pub points: Round,
}

impl From<&Rounding> for Rounds {
    fn from(rounding: &Rounding) -> Self {
        Self {
            ratio: rounding.ratio,
            points: rounding.points.unwrap_or(Round::USUAL_POINTS),
        }
    }
}

const fn round(mode: RoundMode, decimals: u8) -> Round {
    Round {
        mode,
        decimals: Decimals::of(decimals),
    }
}

const WHOLE_PERCENT: Option<Round> = Some(round(RoundMode::HalfUp, 0));

const fn rounds(ratio: Option<Round>, mode: RoundMode, decimals: u8) -> Rounds {
    Rounds {
        ratio,
        points: round(mode, decimals),
    }
}

/// The ways of rounding that real tables use, the usual one first; of those that explain as much the first is taken.
pub const CANDIDATES: [Rounds; 14] = [
    rounds(None, RoundMode::HalfUp, 2),
    rounds(None, RoundMode::HalfUp, 1),
    rounds(None, RoundMode::HalfUp, 0),
    rounds(None, RoundMode::Floor, 2),
    rounds(None, RoundMode::Floor, 1),
    rounds(None, RoundMode::Floor, 0),
    rounds(None, RoundMode::Exact, 0),
    rounds(WHOLE_PERCENT, RoundMode::HalfUp, 2),
    rounds(WHOLE_PERCENT, RoundMode::HalfUp, 1),
    rounds(WHOLE_PERCENT, RoundMode::HalfUp, 0),
    rounds(WHOLE_PERCENT, RoundMode::Floor, 2),
    rounds(WHOLE_PERCENT, RoundMode::Floor, 1),
    rounds(WHOLE_PERCENT, RoundMode::Floor, 0),
    rounds(WHOLE_PERCENT, RoundMode::Exact, 0),
];

impl Rounds {
    /// The way of rounding in words.
    pub fn words(self) -> Text {
        let decimals = u8::from(self.points.decimals);
        let (to_zh, to_en) = match decimals {
            0 => ("整分".to_owned(), "whole points".to_owned()),
            1 => ("1位小数".to_owned(), "1 decimal".to_owned()),
            more => (format!("{more}位小数"), format!("{more} decimals")),
        };
        let (zh, en) = match self.points.mode {
            RoundMode::Floor => (
                format!("得分只舍不入，保留到{to_zh}"),
                format!("points cut off to {to_en}"),
            ),
            RoundMode::HalfUp => (
                format!("得分四舍五入到{to_zh}"),
                format!("points rounded half up to {to_en}"),
            ),
            RoundMode::Exact => ("得分不取舍".to_owned(), "points not rounded".to_owned()),
        };
        match self.ratio {
            None => Text::new(zh, en),
            Some(_) => Text::new(format!("先将比率取整，{zh}"), format!("the ratio rounded first, {en}")),
        }
    }
}

/// The way of rounding that was found in a table, and how well it fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The way that contradicts the fewest points.
    pub rounds: Rounds,
    /// The points for which it matters how they are rounded.
    pub tested: usize,
    /// Those of them that it gives as they are printed.
    pub explained: usize,
    /// Other ways that explain as many.
    pub also: Vec<Rounds>,
}

/// Whether points that follow so tell how they are rounded: not all ways give the same.
pub fn telling(judged: &Judged<'_>) -> bool {
    let [first, others @ ..] = CANDIDATES;
    others
        .iter()
        .any(|rounds| judged.rounded(*rounds) != judged.rounded(first))
}

/// Finds how a table rounds from points that are printed, each with what it follows from.
///
/// Points on which all ways agree say nothing. Where none says anything the usual way is taken, with `tested` 0.
pub fn infer(printed: &[(Judged<'_>, Decimal)]) -> Fit {
    let telling: Vec<_> = printed.iter().filter(|(judged, _)| telling(judged)).collect();
    let explained = |rounds: Rounds| {
        telling
            .iter()
            .filter(|(judged, points)| judged.rounded(rounds) == Some(*points))
            .count()
    };
    let counts: Vec<_> = CANDIDATES.iter().map(|rounds| (*rounds, explained(*rounds))).collect();
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let mut best = counts
        .iter()
        .filter(|(_, count)| *count == most)
        .map(|(rounds, _)| *rounds);
    Fit {
        rounds: best.next().unwrap_or(CANDIDATES[0]),
        tested: telling.len(),
        explained: most,
        also: if most == 0 { Vec::new() } else { best.collect() },
    }
}
