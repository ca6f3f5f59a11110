//! A row's ratio and points against its own figures, and what is odd about them as they are printed.

use rust_decimal::Decimal;

use super::super::cause::{self, Cause, Worked, percent};
use super::super::judged::Judged;
use super::super::wording;
use super::examine::{Examiner, found, label};
use super::kinds::Kind;
use super::rows::{BUDGET, Row, Target};
use super::{RowExamined, RowMeasure, RowVerdict};
use crate::fault::Text;
use crate::scoring::printed::Printed;
use crate::scoring::special_fund::Comparison;
use crate::scoring::values::digits;

impl Examiner<'_> {
    pub(super) fn row(&mut self, row: &Row<'_>) -> RowExamined {
        let before = self.found.len();
        let ratio_checked = self.ratio(row);
        let points = self.points(row);
        let contradicts = self.found.len() > before;
        let points_checked = points.is_some() && row.printed.points.is_some();
        self.printed_numbers(row);
        self.once_more(row);
        if let Some(weight) = row.weight
            && weight * Decimal::TWO > self.full_marks
        {
            let finding = found(
                Kind::OneRowDominates,
                &format!("/rows/{}/weight", row.n),
                label(row),
                format!(
                    "“{}”一项占{}分，超过总分{}分的一半。",
                    row.printed.name,
                    digits(weight),
                    digits(self.full_marks)
                ),
                format!(
                    "\"{}\" alone weighs {} of {} points",
                    row.printed.name,
                    digits(weight),
                    digits(self.full_marks)
                ),
            );
            self.found
                .push(finding.figure(Text::fixed("分值", "weight"), weight, "分"));
        }
        RowExamined {
            pointer: format!("/rows/{}", row.n),
            name: row.printed.name.clone(),
            verdict: match (contradicts, ratio_checked || points_checked) {
                (true, _) => RowVerdict::Contradicts,
                (false, true) => RowVerdict::Follows,
                (false, false) => RowVerdict::NotChecked,
            },
            printed_ratio: row.printed.ratio,
            ratio: row.ratios.first().copied(),
            printed_points: row.printed.points,
            points,
        }
    }

    /// Holds the printed ratio against the figures; whether there was anything to hold.
    pub(super) fn ratio(&mut self, row: &Row<'_>) -> bool {
        let pointer = format!("/rows/{}/ratio", row.n);
        if let (RowMeasure::Ratio(_), Some((_, denominator))) = (&row.printed.measure, row.figures)
            && denominator.is_zero()
        {
            self.found.push(found(
                Kind::ZeroDenominator,
                &format!("/rows/{}/measure/denominator", row.n),
                label(row),
                format!("“{}”的分母为0，比率无法计算。", row.printed.name),
                format!("\"{}\" is divided by 0: there is no ratio", row.printed.name),
            ));
        }
        let (Some(printed), Some(right)) = (row.printed.ratio, row.ratios.first().copied()) else {
            return false;
        };
        if row.ratios.iter().any(|ratio| printed.agrees_with(*ratio)) {
            return true;
        }
        let others = self.other_figures();
        let figures = row.figures.or(row.target.map(|target| (target.actual, target.target)));
        let cause = figures.and_then(|(numerator, denominator)| {
            let worked = Worked {
                numerator,
                denominator,
                formulas: row.formulas.as_ref().map(|(n, d)| (n, d, self.sheet as _)),
                others: &others,
            };
            let of_total_row = matches!(row.printed.measure, RowMeasure::Execution(_))
                && printed.percent().is_zero()
                && self.table.whole(BUDGET).is_some_and(|whole| whole.is_zero());
            match of_total_row {
                true => Some(Cause::fixed(
                    "total_row_empty",
                    "取自为0的合计行",
                    "taken from a total row of 0",
                )),
                false => cause::of_ratio(printed, &worked),
            }
        });
        let name = &row.printed.name;
        let working = wording::working(figures, right);
        let finding = found(
            Kind::Ratio,
            &pointer,
            label(row),
            format!("“{name}”填{printed}，按其自身数据应为{}。", working.zh),
            format!("\"{name}\" says {printed}; its own figures give {}", working.en),
        );
        let finding = finding
            .figure(Text::fixed("填报比率", "ratio printed"), printed.percent(), "%")
            .figure(Text::fixed("应为", "ratio that follows"), right.round_dp(6), "%");
        self.found.push(finding.because(cause));
        true
    }

    /// Holds the printed points against the rule; the points that follow.
    pub(super) fn points(&mut self, row: &Row<'_>) -> Option<Decimal> {
        let right = row.judged.and_then(|judged| judged.rounded(self.rounds)).or(row.given);
        let printed = row.printed.points?.get();
        let pointer = format!("/rows/{}/points", row.n);
        let name = &row.printed.name;
        if let Some(weight) = row.weight
            && printed > weight
        {
            let finding = found(
                Kind::PointsAboveWeight,
                &pointer,
                label(row),
                format!("“{name}”得{}分，超过分值{}分。", digits(printed), digits(weight)),
                format!("\"{name}\" got {} of {} points", digits(printed), digits(weight)),
            );
            self.found.push(
                finding
                    .figure(Text::fixed("填报得分", "points printed"), printed, "分")
                    .figure(Text::fixed("分值", "weight"), weight, "分"),
            );
            return right;
        }
        let right = right?;
        if printed == right {
            return Some(right);
        }
        // Full marks were due, or were given for less: these two are what a reviewer asks about first.
        let full = row.weight == Some(printed);
        let exact = row.judged.and_then(|judged| judged.points()).unwrap_or(right);
        let met = row.weight == Some(exact);
        let cause = row.judged.and_then(|judged| {
            cause::of_points(printed, &judged, self.rounds, misread(row)).or_else(|| {
                let (cause, ratio) = direction(row)?;
                (Judged { ratio, ..judged }.rounded(self.rounds) == Some(printed)).then_some(cause)
            })
        });
        let (p, r) = (digits(printed), digits(right));
        let why = match row.judged {
            Some(judged) => wording::percent(judged.ratio),
            None => String::new(),
        };
        let reason = row.printed.deviation.as_ref().map(|words| words.as_str());
        let (kind, zh, en) = match (full, met) {
            (true, _) => (
                Kind::FullMarksOnMiss,
                format!("“{name}”未达标（{why}）却得满分{p}分，按规则应得{r}分。"),
                format!("\"{name}\" missed its target ({why}) and got full marks, {p}; the rule gives {r}"),
            ),
            (false, true) => (
                Kind::PointsOffThoughMet,
                match reason {
                    Some(reason) => format!("“{name}”已达标，得{p}分，应得满分{r}分；表中说明的原因：{reason}。"),
                    None => format!("“{name}”已达标仍扣分：得{p}分，应得满分{r}分，未说明原因。"),
                },
                format!(
                    "\"{name}\" met its target and got {p} of {r} points, {}",
                    match reason {
                        Some(_) => "for a reason that is printed",
                        None => "without a reason",
                    }
                ),
            ),
            (false, false) => (
                Kind::Points,
                match reason {
                    Some(reason) => {
                        format!("“{name}”（{why}）填{p}分，按规则应得{r}分；表中说明的偏差原因：{reason}。")
                    }
                    None => format!("“{name}”（{why}）填{p}分，按规则应得{r}分。"),
                },
                format!("\"{name}\" ({why}) says {p} points; the rule gives {r}"),
            ),
        };
        let finding = found(kind, &pointer, label(row), zh, en)
            .figure(Text::fixed("填报得分", "points printed"), printed, "分")
            .figure(Text::fixed("应得", "points that follow"), right, "分");
        self.found.push(finding.because(cause));
        Some(right)
    }

    /// What is odd about the target and the result as they are printed.
    pub(super) fn printed_numbers(&mut self, row: &Row<'_>) {
        let RowMeasure::Quantity(quantity) = &row.printed.measure else {
            return;
        };
        let name = &row.printed.name;
        let at = |field: &str| format!("/rows/{}/measure/{field}", row.n);
        let Some(actual) = &quantity.actual else {
            return;
        };
        let words = |field: &str, zh: &str, en: &str, printed: &Printed| {
            found(
                Kind::NotANumber,
                &at(field),
                label(row),
                format!("“{name}”的{zh}填“{printed}”，不是数值，无法计分。"),
                format!("the {en} of \"{name}\" is \"{printed}\": no number, and nothing can be worked out"),
            )
        };
        match (quantity.target.number(), actual.number()) {
            (Some(_), None) => self.found.push(words("actual", "完成值", "result", actual)),
            (None, Some(_)) => self.found.push(words("target", "指标值", "target", &quantity.target)),
            (None, None) => {}
            (Some(target), Some(number)) => {
                if actual.sign().is_some_and(|sign| sign != Comparison::Equal) {
                    self.found.push(found(
                        Kind::ActualCopiesTarget,
                        &at("actual"),
                        label(row),
                        format!(
                            "“{name}”的完成值填“{actual}”，照抄指标值“{}”，不是实际完成数。",
                            quantity.target
                        ),
                        format!("the result of \"{name}\" is \"{actual}\": the target again, not what was reached"),
                    ));
                }
                if row.weight == Some(target) && row.weight == Some(number) {
                    let finding = found(
                        Kind::TargetIsWeight,
                        &at("target"),
                        label(row),
                        format!(
                            "“{name}”的指标值、完成值都是{}，与分值相同，疑为误填分值。",
                            digits(target)
                        ),
                        format!(
                            "target and result of \"{name}\" are {}, like its weight",
                            digits(target)
                        ),
                    );
                    self.found
                        .push(finding.figure(Text::fixed("分值", "weight"), target, "分"));
                }
                if row.target.is_some_and(Target::too_low) {
                    let rate = percent(number, target).map(wording::percent).unwrap_or_default();
                    let finding = found(
                        Kind::TargetTooLow,
                        &at("target"),
                        label(row),
                        format!(
                            "“{name}”完成{}，为指标值{}的{rate}，指标值设定过低。",
                            digits(number),
                            digits(target)
                        ),
                        format!(
                            "\"{name}\" reached {}, {rate} of its target of {}: it was set too low",
                            digits(number),
                            digits(target)
                        ),
                    );
                    self.found
                        .push(finding.figure(Text::fixed("指标值", "target"), target, "").figure(
                            Text::fixed("完成值", "result"),
                            number,
                            "",
                        ));
                }
            }
        }
    }
}

/// Ratios that may have been judged in place of a row's own, the likeliest first.
fn misread(row: &Row<'_>) -> Vec<(Cause, Decimal)> {
    let mut found = Vec::new();
    if let Some(printed) = row.printed.ratio
        && !row.ratios.iter().any(|ratio| printed.agrees_with(*ratio))
    {
        let cause = Cause::fixed(
            "from_printed_ratio",
            "按填报的比率计分",
            "scored from the ratio that is printed",
        );
        found.push((cause, printed.percent()));
    }
    let Some(target) = row.target else {
        return found;
    };
    // A sign read off a page as a digit: ≥6 becomes 26.
    let text = digits(target.target);
    if let Some(rest) = text
        .strip_prefix('2')
        .filter(|rest| !rest.is_empty() && !rest.starts_with(['0', '.']))
        && let Ok(number) = rest.parse()
    {
        let read = Target {
            target: number,
            ..target
        };
        if let Some(share) = read.share() {
            let zh = format!("指标值“{text}”疑为“≥{rest}”误识");
            let en = format!("the target {text} is probably ≥{rest}, misread");
            found.push((
                Cause {
                    code: "sign_read_as_digit".into(),
                    text: Text::new(zh, en),
                },
                share,
            ));
        }
    }
    found
}

/// The ratio if the target were meant the other way round. It gives full marks wherever they were given for a miss, so it
/// is asked last.
fn direction(row: &Row<'_>) -> Option<(Cause, Decimal)> {
    let target = row.target.filter(|_| row.printed.rule.is_none())?;
    let comparison = match target.comparison {
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::AtLeast | Comparison::Equal => Comparison::AtMost,
    };
    let share = Target { comparison, ..target }.share()?;
    let cause = Cause::fixed(
        "direction",
        "指标方向设反（≥与≤）",
        "the target's direction is the other way round (≥ and ≤)",
    );
    Some((cause, share))
}
