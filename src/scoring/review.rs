//! The review (复核): the bureau's own points, line by line, in place of the unit's, and what they add up to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::assessment::{by_code, unique};
use super::scheme::Scheme;
use super::score::{GradeGiven, Range, Score, SectionScore};
use super::text::{Code, Label, Reason, Words};
use super::values::Points;
use crate::fault::Fault;

/// The points of a review: for each line that the bureau looked at, its own points and why they differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Review)]
pub struct Review {
    /// The bureau's points by the code of the line; a line left out keeps what the unit has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique")]
    #[schema(schema_with = by_code::<ReviewedPoints>)]
    pub lines: BTreeMap<Code, ReviewedPoints>,
    /// The opinion on the whole (复核意见).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Words>,
}

/// The bureau's points for a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewedPoints {
    /// From 0 to the line's full marks.
    pub points: Points,
    /// Why (复核理由); needed where the points are not the unit's own, or the unit's line is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The points of a score without what explains them: made from a [`Score`], or read back from a stored one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Tally {
    /// The total; `None` while a line is open or the table contradicts itself.
    pub total: Option<Decimal>,
    /// What the total can still be.
    pub interval: Range,
    /// The grade; `None` while the interval's ends lie in different grades.
    pub grade: Option<GradeGiven>,
    /// The sections, in the order of the form.
    pub sections: Vec<SectionScore>,
    /// The lines, in the order of the form.
    pub lines: Vec<TallyLine>,
}

/// The points of a line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TallyLine {
    /// The line's code.
    pub code: String,
    /// The code of its section.
    pub section: Code,
    /// Its name.
    pub name: Label,
    /// Its full marks; `None` for a unit's own row without a weight.
    pub weight: Option<Decimal>,
    /// Its points; `None` while it is open.
    pub points: Option<Decimal>,
    /// What its points can still be.
    pub interval: Range,
}

impl From<&Score> for Tally {
    fn from(score: &Score) -> Self {
        let lines = score.lines.iter().map(|line| TallyLine {
            code: line.code.clone(),
            section: line.section.clone(),
            name: line.name.clone(),
            weight: line.weight,
            points: line.points,
            interval: line.interval,
        });
        Self {
            total: score.total,
            interval: score.interval,
            grade: score.grade.clone(),
            sections: score.sections.clone(),
            lines: lines.collect(),
        }
    }
}

impl Tally {
    /// The codes of what is still open: lines without points, and sections that have none although all their lines do
    /// (their rows weigh too little or too much).
    pub fn open(&self) -> Vec<&str> {
        let lines = self.lines.iter().filter(|line| line.points.is_none());
        let sections = self.sections.iter().filter(|section| {
            let mut lines = self.lines.iter().filter(|line| line.section == section.code);
            section.points.is_none() && lines.all(|line| line.points.is_some())
        });
        lines
            .map(|line| line.code.as_str())
            .chain(sections.map(|section| section.code.as_str()))
            .collect()
    }
}

impl Review {
    /// What the bureau gave for a line; `None` where the unit's points stand.
    pub fn of(&self, code: &str) -> Option<&ReviewedPoints> {
        self.lines.get(code)
    }

    /// What of this review does not fit the submitted score: lines it does not have, points above the full marks, changes
    /// without a reason.
    pub fn faults(&self, own: &Tally) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (code, reviewed) in &self.lines {
            let at = format!("/lines/{code}");
            let Some(line) = own.lines.iter().find(|line| line.code == code.as_str()) else {
                faults.push(Fault::new(
                    at,
                    "unknown_line",
                    format!("所提交的评分表中没有指标“{code}”。"),
                    format!("the submitted score has no line \"{code}\""),
                ));
                continue;
            };
            let points = reviewed.points.get();
            match line.weight {
                None => faults.push(Fault::new(
                    format!("{at}/points"),
                    "no_weight",
                    format!("“{}”未填分值，不能评分；请退回单位补填。", line.name),
                    format!("\"{}\" has no full marks; return it to the unit to complete", line.name),
                )),
                Some(weight) if points > weight => faults.push(Fault::new(
                    format!("{at}/points"),
                    "too_large",
                    format!("“{}”满分为{weight}分，复核得分{points}分超过满分。", line.name),
                    format!("\"{}\" has {weight} points at most, not {points}", line.name),
                )),
                Some(_) => {}
            }
            if reviewed.reason.is_none() && line.points != Some(points) {
                let (zh, en) = match line.points {
                    Some(own) => (
                        format!("“{}”自评{own}分，复核{points}分：得分不一致时须说明理由。", line.name),
                        format!("\"{}\": {own} by the unit, {points} by the review: say why", line.name),
                    ),
                    None => (
                        format!("“{}”自评未能得出分数，复核评分须说明理由。", line.name),
                        format!("\"{}\" is open in the unit's score: say why {points}", line.name),
                    ),
                };
                faults.push(Fault::new(format!("{at}/reason"), "missing_field", zh, en));
            }
        }
        faults
    }

    /// The score with the review's points in place of the unit's, added up as the engine adds: a section is held at its
    /// full marks, and nothing is decided that has an open line or rows that do not weigh what their section does.
    pub fn apply(&self, own: &Tally, scheme: &Scheme) -> Tally {
        let mut lines = own.lines.clone();
        for line in &mut lines {
            if let Some(reviewed) = self.of(&line.code) {
                let points = reviewed.points.get();
                line.points = Some(points);
                line.interval = Range::exactly(points);
            }
        }
        let mut total = Range::exactly(Decimal::ZERO);
        let mut sections = own.sections.clone();
        for section in &mut sections {
            let of_section = || lines.iter().filter(|line| line.section == section.code);
            let weights: Decimal = of_section().filter_map(|line| line.weight).sum();
            let mut interval = Range::exactly(Decimal::ZERO);
            for line in of_section() {
                interval += line.interval;
            }
            interval.high += (section.weight - weights).max(Decimal::ZERO);
            interval.low = interval.low.min(section.weight);
            interval.high = interval.high.min(section.weight);
            let whole = weights == section.weight && of_section().all(|line| line.points.is_some());
            section.points = interval.decided().filter(|_| whole);
            section.interval = interval;
            total += interval;
        }
        let heavy = sections.iter().any(|section| {
            let rows = lines.iter().filter(|line| line.section == section.code);
            rows.filter_map(|line| line.weight).sum::<Decimal>() > section.weight
        });
        let (worst, best) = (scheme.grade(total.low), scheme.grade(total.high));
        Tally {
            total: sections.iter().map(|section| section.points).sum(),
            interval: total,
            grade: worst.filter(|_| worst == best && !heavy).map(|grade| GradeGiven {
                code: grade.code.clone(),
                name: grade.name.clone(),
            }),
            sections,
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::super::fixtures::{builtin, dec, from, score_of, whole_assessments, whole_sheet};
    use super::*;

    fn tally(sheet: serde_json::Value) -> (Tally, Scheme) {
        let scheme = builtin("hunan-2019");
        (Tally::from(&score_of(&scheme, sheet, whole_assessments())), scheme)
    }

    #[test]
    fn a_review_that_changes_nothing_gives_the_score_that_was_submitted() {
        for sheet in [
            whole_sheet(),
            json!({}),
            json!({"staff": {"posts": 100, "in_post": 103}}),
        ] {
            let (own, scheme) = tally(sheet);
            assert_eq!(Review::default().apply(&own, &scheme), own);
        }
    }

    #[test]
    fn a_tally_read_back_from_a_score_is_the_tally_of_that_score() {
        let score = score_of(&builtin("hunan-2019"), whole_sheet(), whole_assessments());
        let text = serde_json::to_string(&score).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), Tally::from(&score));
    }

    #[test]
    fn what_the_bureau_takes_off_a_line_is_off_its_section_and_the_total_and_nothing_else() {
        let (own, scheme) = tally(whole_sheet());
        let line = own.lines.iter().find(|line| line.code == "key_work").unwrap();
        let less = line.points.unwrap() - dec("1.5");
        let changed: Review =
            from(json!({"lines": {"key_work": {"points": less.to_string(), "reason": "两项重点工作未完成"}}}));
        assert_eq!(changed.faults(&own), []);
        let after = changed.apply(&own, &scheme);
        assert_eq!(after.total, own.total.map(|total| total - dec("1.5")));
        for (before, after) in own.sections.iter().zip(&after.sections) {
            let off = if before.code == line.section {
                dec("1.5")
            } else {
                dec("0")
            };
            assert_eq!(
                after.points,
                before.points.map(|points| points - off),
                "{}",
                before.code
            );
        }
    }

    #[test]
    fn an_open_line_that_the_bureau_decides_closes_the_interval_by_what_was_open() {
        // No figure of the sheet is known: 8 of the lines of hunan-2019 are judged by people, 9 wait for figures.
        let (own, scheme) = tally(json!({}));
        assert_eq!(own.total, None);
        let open = own.open().len();
        let changed: Review =
            from(json!({"lines": {"in_post_control": {"points": "4", "reason": "按编制部门数据核定"}}}));
        let after = changed.apply(&own, &scheme);
        assert_eq!(after.open().len(), open - 1);
        // The line could be 0 to 5 and is 4 now.
        assert_eq!(after.interval.low, own.interval.low + dec("4"));
        assert_eq!(after.interval.high, own.interval.high - dec("1"));
    }

    #[test]
    fn lines_that_do_not_exist_points_above_the_weight_and_changes_without_a_reason_are_faults() {
        let (own, _) = tally(whole_sheet());
        let review: Review = from(json!({"lines": {
            "no_such_line": {"points": "1"},
            "in_post_control": {"points": "5.5", "reason": "加分"},
            "key_work": {"points": "0"},
        }}));
        let faults = review.faults(&own);
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code))
            .collect();
        assert_eq!(
            found,
            [
                ("/lines/in_post_control/points", "too_large"),
                ("/lines/key_work/reason", "missing_field"),
                ("/lines/no_such_line", "unknown_line"),
            ]
        );
        let own_points = own
            .lines
            .iter()
            .find(|line| line.code == "key_work")
            .unwrap()
            .points
            .unwrap();
        let same: Review = from(json!({"lines": {"key_work": {"points": own_points.to_string()}}}));
        assert_eq!(same.faults(&own), [], "to agree needs no reason");
    }
}
