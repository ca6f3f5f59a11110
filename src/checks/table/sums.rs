//! Rows against each other, their sections and the total.

use rust_decimal::Decimal;

use super::super::finding::Source;
use super::super::judged::Judged;
use super::super::wording::{percent, span};
use super::examine::{Examiner, found, label};
use super::kinds::Kind;
use super::rows::Row;
use super::{PublishedSection, TotalExamined};
use crate::fault::Text;
use crate::scoring::score::Range;
use crate::scoring::values::digits;

/// A row that is judged and has its points printed.
struct Entry<'a> {
    row: &'a Row<'a>,
    judged: Judged<'a>,
    printed: Decimal,
}

impl Entry<'_> {
    fn words(&self) -> (String, String, String) {
        (
            self.row.printed.name.to_string(),
            percent(self.judged.ratio),
            digits(self.printed),
        )
    }

    /// Whether the rule gives this at least as much as `other`, and the table less.
    fn is_wronged_by(&self, other: &Self) -> bool {
        self.judged.points() >= other.judged.points() && self.printed < other.printed
    }
}

impl Examiner<'_> {
    /// Among rows of one weight and rule that all missed: a result as good or better that got fewer points.
    pub(super) fn better_for_less(&mut self) {
        let missed = self.rows.iter().filter_map(|row| {
            let entry = Entry {
                row,
                judged: row.judged?,
                printed: row.printed.points?.get(),
            };
            (entry.judged.points()? < entry.judged.weight).then_some(entry)
        });
        let mut groups: Vec<Vec<Entry<'_>>> = Vec::new();
        for entry in missed {
            let (weight, rule) = (entry.judged.weight, entry.judged.rule);
            let group = groups.iter_mut().find(|group| {
                let first = group.first();
                first.is_some_and(|first| first.judged.weight == weight && first.judged.rule == rule)
            });
            match group {
                Some(group) => group.push(entry),
                None => groups.push(vec![entry]),
            }
        }
        for group in groups {
            let pairs: Vec<_> = group
                .iter()
                .flat_map(|better| group.iter().map(move |worse| (better, worse)))
                .filter(|(better, worse)| better.is_wronged_by(worse))
                .collect();
            // The pair that lies furthest apart says it best.
            let gap = |better: &Entry<'_>, worse: &Entry<'_>| better.judged.ratio - worse.judged.ratio;
            let Some((better, worse)) = pairs.iter().max_by_key(|(better, worse)| gap(better, worse)) else {
                continue;
            };
            let ((b, b_ratio, b_points), (w, w_ratio, w_points)) = (better.words(), worse.words());
            let count = pairs.len();
            let mut finding = Kind::BetterForLess.check().found(
                format!("“{b}”完成{b_ratio}得{b_points}分，“{w}”完成{w_ratio}却得{w_points}分：分值相同，完成更好（或相同）的得分更低（此类共{count}对）。"),
                format!("\"{b}\" ({b_ratio}) got {b_points} points and \"{w}\" ({w_ratio}) {w_points}: same weight, a better or equal result, fewer points ({count} such pairs)"),
            );
            finding = finding.keyed(&format!("/rows/{}/points", better.row.n));
            // One of each pair does not follow the rule; those that do are not to be named.
            let mut rows: Vec<_> = pairs
                .iter()
                .flat_map(|(better, worse)| [better, worse])
                .filter(|entry| entry.judged.rounded(self.rounds) != Some(entry.printed))
                .map(|entry| entry.row)
                .collect();
            rows.sort_by_key(|row| row.n);
            rows.dedup_by_key(|row| row.n);
            for row in rows {
                finding = finding.at(Source::Table, format!("/rows/{}/points", row.n), label(row));
            }
            self.found.push(finding);
        }
    }

    pub(super) fn section(&mut self, n: usize, section: &PublishedSection) {
        let rows: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.printed.section.as_ref() == Some(&section.name))
            .collect();
        let complete = self.table.complete;
        let name = &section.name;
        let text = Text::name(name);
        let weight = section.weight.map(|weight| weight.get());
        let weights: Decimal = rows.iter().filter_map(|row| row.weight).sum();
        let all_weighed = rows.iter().all(|row| row.weight.is_some());
        if let Some(weight) = weight
            && (weights > weight || complete && all_weighed && weights != weight)
        {
            let finding = found(
                Kind::SectionWeight,
                &format!("/sections/{n}/weight"),
                text.clone(),
                format!(
                    "“{name}”应为{}分，其指标分值合计为{}分。",
                    digits(weight),
                    digits(weights)
                ),
                format!(
                    "\"{name}\" weighs {}; its rows weigh {}",
                    digits(weight),
                    digits(weights)
                ),
            );
            self.found.push(
                finding
                    .figure(Text::fixed("该部分分值", "the section's weight"), weight, "分")
                    .figure(Text::fixed("指标分值合计", "sum of its rows' weights"), weights, "分"),
            );
        }
        if let Some(printed) = section.points.map(|points| points.get()) {
            let absent = match (complete, weight) {
                (true, _) => Decimal::ZERO,
                (false, Some(weight)) => (weight - weights).max(Decimal::ZERO),
                (false, None) => self.full_marks,
            };
            let range = self.sum(&rows, absent, |row| row.printed.points.map(|points| points.get()));
            if !(range.low..=range.high).contains(&printed) {
                let finding = found(
                    Kind::SectionPoints,
                    &format!("/sections/{n}/points"),
                    text.clone(),
                    format!(
                        "“{name}”得分填{}分，其指标得分合计为{}分。",
                        digits(printed),
                        span(range)
                    ),
                    format!(
                        "\"{name}\" says {} points; its rows add up to {}",
                        digits(printed),
                        span(range)
                    ),
                );
                self.found.push(
                    finding
                        .figure(Text::fixed("该部分得分", "the section's points"), printed, "分")
                        .figure(Text::fixed("指标得分合计", "sum of its rows' points"), range.low, "分"),
                );
            }
        }
        if let Some((weight, shares)) = weight.zip(section.equal_shares) {
            let sums = (2..=10).map(|count: i64| {
                let share = shares.apply(weight / Decimal::from(count));
                (count, share, share * Decimal::from(count))
            });
            let off: Vec<_> = sums.filter(|(_, _, sum)| *sum != weight).collect();
            if let Some((_, _, first)) = off.first() {
                let list = |times: &str, gives: &str, separator: &str| {
                    let each = off
                        .iter()
                        .map(|(count, share, sum)| format!("{count}{times}{}{gives}{}", digits(*share), digits(*sum)));
                    each.collect::<Vec<_>>().join(separator)
                };
                let finding = found(
                    Kind::EqualShares,
                    &format!("/sections/{n}/equal_shares"),
                    text,
                    format!(
                        "“{name}”{0}分按指标个数平分后取整，合计可能不等于{0}分：{1}。",
                        digits(weight),
                        list("个×", "分＝", "分，") + "分"
                    ),
                    format!(
                        "the {} points of \"{name}\" in equal shares, rounded, do not add up: {}",
                        digits(weight),
                        list(" × ", " = ", ", ")
                    ),
                );
                self.found.push(
                    finding
                        .figure(Text::fixed("该部分分值", "the section's weight"), weight, "分")
                        .figure(Text::fixed("取整后合计", "sum of the rounded shares"), *first, "分"),
                );
            }
        }
    }

    pub(super) fn weights(&mut self) {
        let complete = self.table.complete;
        let full = self.full_marks;
        let mut check = |pointer: &str, zh: &str, en: &str, weights: Vec<Option<Decimal>>, all: bool| {
            let sum: Decimal = weights.iter().flatten().sum();
            let whole = all && weights.iter().all(Option::is_some);
            if sum > full || whole && sum != full {
                let finding = found(
                    Kind::Weights,
                    pointer,
                    Text::fixed("分值", "weights"),
                    format!("{zh}分值合计为{}分，应为{}分。", digits(sum), digits(full)),
                    format!(
                        "the weights of all {en} add up to {}, not {}",
                        digits(sum),
                        digits(full)
                    ),
                );
                self.found.push(
                    finding
                        .figure(Text::fixed("分值合计", "sum of the weights"), sum, "分")
                        .figure(Text::fixed("满分", "full marks"), full, "分"),
                );
            }
        };
        check(
            "/rows",
            "各指标",
            "rows",
            self.rows.iter().map(|row| row.weight).collect(),
            complete,
        );
        let sections: Vec<_> = self
            .table
            .sections
            .iter()
            .map(|section| section.weight.map(|weight| weight.get()))
            .collect();
        if !sections.is_empty() {
            check("/sections", "各部分", "sections", sections, complete);
        }
    }

    /// What points add up to: rows without any, and rows that are absent, may have up to their weight.
    fn sum(&self, rows: &[&Row<'_>], absent: Decimal, points: impl Fn(&Row<'_>) -> Option<Decimal>) -> Range {
        let mut range = Range {
            low: Decimal::ZERO,
            high: absent,
        };
        for row in rows {
            range += match points(row) {
                Some(points) => Range::exactly(points),
                None => Range {
                    low: Decimal::ZERO,
                    high: row.weight.unwrap_or_default(),
                },
            };
        }
        range
    }

    pub(super) fn total(&mut self) -> TotalExamined {
        let rows: Vec<_> = self.rows.iter().collect();
        let weights: Decimal = rows.iter().filter_map(|row| row.weight).sum();
        let absent = match self.table.complete {
            true => Decimal::ZERO,
            false => (self.full_marks - weights).max(Decimal::ZERO),
        };
        let printed_points = |row: &Row<'_>| row.printed.points.map(|points| points.get());
        let of_printed = self.sum(&rows, absent, printed_points);
        let follow = |row: &Row<'_>| {
            let computed = row.judged.and_then(|judged| judged.rounded(self.rounds)).or(row.given);
            computed.or(printed_points(row))
        };
        let of_follow = self.sum(&rows, absent, follow);
        if let Some(printed) = self.table.total.map(|total| total.get())
            && !(of_printed.low..=of_printed.high).contains(&printed)
        {
            let finding = found(
                Kind::Total,
                "/total",
                Text::fixed("总分", "total"),
                format!("总分填{}分，各指标得分合计为{}分。", digits(printed), span(of_printed)),
                format!(
                    "the total says {}; the rows' points add up to {}",
                    digits(printed),
                    span(of_printed)
                ),
            );
            let mut finding = finding
                .figure(Text::fixed("填报总分", "total printed"), printed, "分")
                .figure(
                    Text::fixed("各指标得分合计", "sum of the rows' points"),
                    of_printed.low,
                    "分",
                );
            if of_printed.decided().is_none() {
                finding = finding.figure(Text::fixed("至多", "at most"), of_printed.high, "分");
            }
            self.found.push(finding);
        }
        TotalExamined {
            printed: self.table.total,
            of_printed_points: of_printed,
            of_points_that_follow: of_follow,
        }
    }
}
