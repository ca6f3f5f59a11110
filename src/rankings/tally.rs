//! What a summary counts, and the statistics of it: exact, on whole millionths of a point. Pure.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use rust_decimal::{Decimal, RoundingStrategy};

/// Millionths of a point as points.
pub fn points(millionths: i64) -> Decimal {
    Decimal::new(millionths, 6).normalize()
}

/// `part / whole`, rounded half up to two decimals; `None` where there is nothing to divide by.
pub fn mean(sum: i64, count: i64) -> Option<Decimal> {
    ratio(Decimal::new(sum, 6), Decimal::from(count))
}

/// `part / whole` in percent, rounded half up to two decimals; `None` where there is no whole.
pub fn percent(part: i64, whole: i64) -> Option<Decimal> {
    ratio(Decimal::from(part) * Decimal::ONE_HUNDRED, Decimal::from(whole))
}

fn ratio(part: Decimal, whole: Decimal) -> Option<Decimal> {
    let exact = part.checked_div(whole)?;
    Some(
        exact
            .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
            .normalize(),
    )
}

/// Totals, each with how many units have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<i64, i64>);

/// The width of a band of totals: 5 points.
const BAND: i64 = 5_000_000;
/// Where the bands end at least: at 100 points.
const USUAL_TOP: i64 = 100_000_000;

impl Histogram {
    /// Counts `units` more with this total.
    pub fn add(&mut self, total: i64, units: i64) {
        *self.0.entry(total).or_default() += units;
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        self.0.values().sum()
    }

    /// The mean, rounded half up to two decimals; `None` where there are none.
    pub fn mean(&self) -> Option<Decimal> {
        mean(self.0.iter().map(|(total, units)| total * units).sum(), self.count())
    }

    /// The least total.
    pub fn min(&self) -> Option<Decimal> {
        self.quartile(0)
    }

    /// The greatest total.
    pub fn max(&self) -> Option<Decimal> {
        self.quartile(4)
    }

    /// The quartile of that number: 0 is the least, 2 the median, 4 the greatest. Between two totals it is taken in
    /// proportion, as QUARTILE.INC of WPS and Excel does; exact, since a quarter of a decimal is one.
    pub fn quartile(&self, number: i64) -> Option<Decimal> {
        let steps = (self.count() - 1) * number;
        let (lower, quarters) = (self.at(steps / 4)?, steps % 4);
        let upper = if quarters == 0 { lower } else { self.at(steps / 4 + 1)? };
        // A quarter of a millionth is 25 at eight decimals.
        Some(Decimal::new((lower * 4 + (upper - lower) * quarters) * 25, 8).normalize())
    }

    /// The total at this place, from the least, which is at 0.
    fn at(&self, place: i64) -> Option<i64> {
        let mut passed = 0;
        self.0.iter().find_map(|(total, units)| {
            passed += units;
            (place >= 0 && passed > place).then_some(*total)
        })
    }

    /// How many lie in each band of five points, as the band's two ends and the number: from 0 to 100 points, and on as
    /// far as there are totals. A total that lies between two bands is in the upper one, the greatest of all in the last.
    pub fn bands(&self) -> Vec<(Decimal, Decimal, i64)> {
        let greatest = self.0.last_key_value().map_or(0, |(total, _)| *total);
        let top = greatest.max(USUAL_TOP);
        let bands = top / BAND + i64::from(top % BAND > 0);
        let band_of = |total: i64| (total / BAND).clamp(0, bands - 1);
        let mut counts = BTreeMap::new();
        for (total, units) in &self.0 {
            *counts.entry(band_of(*total)).or_insert(0) += units;
        }
        (0..bands)
            .map(|band| {
                let units = counts.get(&band).copied().unwrap_or(0);
                (points(band * BAND), points((band + 1) * BAND), units)
            })
            .collect()
    }
}

/// What units got in one section or indicator: of those that have points in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartTally {
    /// How many they are.
    pub units: i64,
    /// Those with less than full marks.
    pub losing: i64,
    /// Their points, in millionths.
    pub points: i64,
    /// What they could have got, in millionths.
    pub weight: i64,
}

impl AddAssign for PartTally {
    fn add_assign(&mut self, other: Self) {
        self.units += other.units;
        self.losing += other.losing;
        self.points += other.points;
        self.weight += other.weight;
    }
}

/// What is counted of a group of units: all, or those of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Units whose evaluation is in each state; `not_started` among them.
    pub states: BTreeMap<String, i64>,
    /// The totals that are known.
    pub totals: Histogram,
    /// How many have submitted and have no total yet, since a line is open.
    pub incomplete: i64,
    /// How many of the totals have each grade, by its code.
    pub grades: BTreeMap<String, i64>,
    /// The parts, by what they are and their code.
    pub parts: BTreeMap<(String, String), PartTally>,
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        for (state, units) in &other.states {
            *self.states.entry(state.clone()).or_default() += units;
        }
        for (total, units) in &other.totals.0 {
            self.totals.add(*total, *units);
        }
        self.incomplete += other.incomplete;
        for (grade, units) in &other.grades {
            *self.grades.entry(grade.clone()).or_default() += units;
        }
        for (part, tally) in &other.parts {
            *self.parts.entry(part.clone()).or_default() += *tally;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(totals: &[i64]) -> Histogram {
        let mut histogram = Histogram::default();
        for total in totals {
            histogram.add(*total * 1_000_000, 1);
        }
        histogram
    }

    fn quartiles(totals: &[i64]) -> Vec<String> {
        let histogram = of(totals);
        (0..=4).map(|n| histogram.quartile(n).unwrap().to_string()).collect()
    }

    #[test]
    fn quartiles_are_those_of_a_spreadsheet() {
        // Positions (n - 1) × k / 4 from 0. Of four: 0, 0.75, 1.5, 2.25, 3.
        assert_eq!(quartiles(&[60, 70, 80, 90]), ["60", "67.5", "75", "82.5", "90"]);
        // Of five each is a total itself; of one all are.
        assert_eq!(quartiles(&[90, 60, 70, 70, 80]), ["60", "70", "70", "80", "90"]);
        assert_eq!(quartiles(&[88]), ["88"; 5]);
        // Of two: a quarter, a half and three quarters of the way from 80 to 81.
        assert_eq!(quartiles(&[80, 81]), ["80", "80.25", "80.5", "80.75", "81"]);
    }

    #[test]
    fn of_nothing_there_are_no_statistics() {
        let none = Histogram::default();
        assert_eq!((none.count(), none.mean(), none.quartile(2)), (0, None, None));
        assert_eq!(none.bands().len(), 20);
        assert_eq!((mean(0, 0), percent(0, 0)), (None, None));
    }

    #[test]
    fn means_are_rounded_half_up_to_two_decimals() {
        // 88.01 / 8 = 11.00125; 0.33 / 6 = 0.055; 1 / 3 = 0.333…
        assert_eq!(mean(88_010_000, 8).unwrap().to_string(), "11");
        assert_eq!(mean(330_000, 6).unwrap().to_string(), "0.06");
        assert_eq!(percent(1, 3).unwrap().to_string(), "33.33");
        assert_eq!(percent(2, 3).unwrap().to_string(), "66.67");
    }

    #[test]
    fn a_total_between_two_bands_is_in_the_upper_one_and_full_marks_in_the_last() {
        let mut totals = of(&[0, 4, 5, 94, 95, 100]);
        totals.add(94_999_999, 1);
        let bands = totals.bands();
        let filled: Vec<_> = bands
            .iter()
            .filter(|(.., units)| *units > 0)
            .map(|(from, to, units)| (from.to_string(), to.to_string(), *units))
            .collect();
        let band = |from: &str, to: &str, units| (from.to_owned(), to.to_owned(), units);
        assert_eq!(
            filled,
            [
                band("0", "5", 2),
                band("5", "10", 1),
                band("90", "95", 2),
                band("95", "100", 2)
            ]
        );
        assert_eq!(bands.len(), 20);
        // A scheme of more than 100 points goes on: 112 is in the band 110 to 115.
        assert_eq!(
            of(&[112]).bands().last(),
            Some(&(points(110_000_000), points(115_000_000), 1))
        );
    }

    proptest! {
        #[test]
        fn a_whole_is_its_groups_together(groups in prop::collection::vec(prop::collection::vec(0i64..=100, 0..20), 0..5)) {
            let mut together = Tally::default();
            for group in &groups {
                together += &Tally { totals: of(group), incomplete: 1, ..Tally::default() };
            }
            prop_assert_eq!(&together.totals, &of(&groups.concat()));
            prop_assert_eq!(together.incomplete, groups.len() as i64);
            let banded: i64 = together.totals.bands().iter().map(|(.., units)| units).sum();
            prop_assert_eq!(banded, together.totals.count());
        }

        #[test]
        fn quartiles_lie_among_the_totals(mut totals in prop::collection::vec(0i64..=100, 1..40)) {
            let histogram = of(&totals);
            totals.sort_unstable();
            let whole = |place: usize| Decimal::from(totals[place]);
            for number in 0..=4 {
                let steps = (totals.len() - 1) * number as usize;
                let found = histogram.quartile(number).unwrap();
                prop_assert!(whole(steps / 4) <= found && found <= whole(steps.div_ceil(4)));
            }
        }
    }
}
