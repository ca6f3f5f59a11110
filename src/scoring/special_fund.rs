//! The special-fund target self-evaluation (专项资金绩效目标自评表, 附件3): its table, and how its rows are scored.
//!
//! The execution rate B/A is an indicator of the scheme like any other; this module gives it its two figures.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::engine::percent;
use super::scheme::{OwnRows, Scheme};
use super::tagged::tagged_schema;
use super::text::{Code, Label, Words};
use super::values::{Amount, Points, Quantity, Share, Year, exact};
use super::variables::{Datum, EXECUTION_BUDGET, EXECUTION_EXECUTED, Figures, Lacking, Origin, Variable};
use crate::fault::{Fault, Text};

/// The table of one special fund (专项资金). Amounts in 万元.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FundTable {
    /// The competent department (主管部门).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub competent_department: Option<Label>,
    /// The implementing unit (实施单位).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementing_unit: Option<Label>,
    /// The money (项目资金).
    #[serde(default)]
    pub funding: Funding,
    /// The goal of the year in words (年度总体目标).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// The target rows (绩效指标).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub targets: Vec<TargetRow>,
}

/// How many special funds a unit can have in a year: as many as its base data sheet lists.
pub const MOST_FUNDS: i64 = 200;

/// The money of a special fund (项目资金), in 万元: in all, by source level, and by kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// In all (年度资金总额). A column left out is the sum of the sources listed, where each gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<FundingRow>,
    /// From central and provincial level (中央及省级资金).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub central_and_provincial: Option<FundingRow>,
    /// From municipal level (市级资金).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipal: Option<FundingRow>,
    /// From county level (县级资金).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub county: Option<FundingRow>,
    /// From elsewhere (其他资金), as a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<FundingRow>,
    /// Of the total: appropriated this year (当年财政拨款).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appropriation: Option<FundingRow>,
    /// Of the total: carried over from last year (上年结转资金).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_over: Option<FundingRow>,
}

/// One row of the money of a special fund, in 万元.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FundingRow {
    /// Initial budget (年初预算数).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_budget: Option<Amount>,
    /// The whole year's budget after adjustment (全年预算数, A).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_budget: Option<Amount>,
    /// Executed in the year (全年执行数, B).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executed: Option<Amount>,
}

/// The execution rate (预算执行率) of one row of a fund's money, as the form's last column has it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Execution {
    /// The row's name in the table's `funding`.
    #[schema(value_type = String, example = "county")]
    pub row: &'static str,
    /// Its name in the form.
    pub name: Text,
    /// The whole year's budget after adjustment (全年预算数, A), in 万元; `null` where it is not known.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "200")]
    pub adjusted_budget: Option<Decimal>,
    /// Executed in the year (全年执行数, B), in 万元; `null` where it is not known.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "150")]
    pub executed: Option<Decimal>,
    /// B / A in percent, to 28 digits; `null` where a figure is missing or A is 0.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "75")]
    pub percent: Option<Decimal>,
}

/// The goal of the year (年度总体目标).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// What was expected (预期目标).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Words>,
    /// What was achieved (实际完成情况).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved: Option<Words>,
}

/// A target of a fund or a unit (三级指标): what was to be reached, what was reached, for how many points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetRow {
    /// The code of the scheme's section that it belongs to (一级指标), such as `output`.
    pub section: Code,
    /// The second-level heading (二级指标), such as 数量指标.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Label>,
    /// Its name (三级指标).
    pub name: Label,
    /// Its full marks, in points. Left out, it earns nothing yet and its section stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Points>,
    /// What is measured.
    pub measure: Measure,
    /// The years whose task it is (任务所属年度), where it is not the fiscal year's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<Period>,
    /// Why the target was missed, and what is done about it (偏差原因分析及改进措施).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Words>,
}

impl TargetRow {
    fn next_year(&self) -> Self {
        Self {
            measure: match &self.measure {
                Measure::Quantity(measure) => Measure::Quantity(QuantityMeasure {
                    actual: None,
                    ..measure.clone()
                }),
                Measure::Quality(measure) => Measure::Quality(QualityMeasure {
                    expected: measure.expected.clone(),
                    ..QualityMeasure::default()
                }),
            },
            covers: None,
            deviation: None,
            ..self.clone()
        }
    }
}

/// Years from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first year.
    pub from: Year,
    /// The last year.
    pub to: Year,
}

/// What a target measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Measure {
    /// A number against a target (定量指标).
    Quantity(QuantityMeasure),
    /// A goal in words, judged by people (定性指标).
    Quality(QualityMeasure),
}

tagged_schema!(Measure: "What a target measures.", "quantity" => QuantityMeasure, "quality" => QualityMeasure);

/// A number against a target (定量指标).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuantityMeasure {
    /// How the number should stand to the target.
    pub comparison: Comparison,
    /// The target (指标值).
    pub target: Quantity,
    /// What was reached (实际完成值). Left out, the line stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Quantity>,
    /// The unit of both, such as 户.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Label>,
}

/// How a number should stand to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// ≥
    AtLeast,
    /// ≤
    AtMost,
    /// =
    Equal,
}

/// A goal in words (定性指标).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QualityMeasure {
    /// What was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Words>,
    /// What was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved: Option<Words>,
    /// How far it was reached. Left out, the line stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The share of the weight that it gets, in percent, inside the level's band. Left out, the line is open inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// How far a goal in words was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Reached the expected goal (达成预期指标): usually 100–80% of the weight.
    Achieved,
    /// Partly reached it with some effect (部分达成预期指标并具有一定效果): usually 80–60%.
    Partly,
    /// Did not reach it and had little effect (未达成预期指标且效果较差): usually 60–0%.
    NotAchieved,
}

impl Level {
    /// The shares of the weight, least and most in percent, that a level may get.
    pub fn band(self, rows: &OwnRows) -> (Decimal, Decimal) {
        match self {
            Self::Achieved => (rows.achieved_from.get(), Decimal::ONE_HUNDRED),
            Self::Partly => (rows.partly_from.get(), rows.achieved_from.get()),
            Self::NotAchieved => (Decimal::ZERO, rows.partly_from.get()),
        }
    }
}

impl QuantityMeasure {
    /// The share of the weight that `actual` earns, in percent: all when the target is met, never more; else the ratio
    /// of the two. A target of 0 or less that is missed earns nothing, since no ratio to it means anything.
    pub fn share(&self, actual: Quantity) -> Decimal {
        let (target, actual) = (self.target.get(), actual.get());
        let met = match self.comparison {
            Comparison::AtLeast => actual >= target,
            Comparison::AtMost => actual <= target,
            Comparison::Equal => actual == target,
        };
        if met {
            return Decimal::ONE_HUNDRED;
        }
        if target <= Decimal::ZERO || actual <= Decimal::ZERO {
            return Decimal::ZERO;
        }
        // Missed and both positive, so the smaller over the larger is what every comparison asks for.
        target.min(actual) * Decimal::ONE_HUNDRED / target.max(actual)
    }

    /// Whether `actual` lies so far above its target (130%) that the target was set too low.
    pub fn target_too_low(&self, actual: Quantity) -> bool {
        let too_much = self.target.get() * Decimal::from(130) / Decimal::ONE_HUNDRED;
        self.comparison == Comparison::AtLeast && self.target.get() > Decimal::ZERO && actual.get() > too_much
    }
}

/// What in target rows does not fit a scheme: sections that it does not have or that have indicators of their own, and
/// shares outside their level's band. `targets` stand at `/targets` of their document.
pub fn target_faults(targets: &[TargetRow], scheme: &Scheme) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (n, row) in targets.iter().enumerate() {
        let at = format!("/targets/{n}");
        let section = scheme
            .document
            .sections
            .iter()
            .find(|section| section.code == row.section);
        let Some(rows) = section.and_then(|section| section.own_rows.as_ref()) else {
            let open: Vec<_> = scheme
                .document
                .sections
                .iter()
                .filter(|section| section.own_rows.is_some())
                .map(|section| section.code.as_str())
                .collect();
            let (zh, en) = match open.as_slice() {
                [] => (
                    "该评分标准没有由单位自定指标的部分".to_owned(),
                    "the scheme has no section with own rows".to_owned(),
                ),
                open => (
                    format!("应为：{}", open.join("、")),
                    format!("expected one of {}", open.join(", ")),
                ),
            };
            faults.push(Fault::new(
                format!("{at}/section"),
                "unknown_section",
                format!("“{}”不是由单位自定指标的部分；{zh}。", row.section),
                format!("\"{}\" is no section with own rows; {en}", row.section),
            ));
            continue;
        };
        if let Measure::Quality(quality) = &row.measure {
            check_share(&at, quality, rows, &mut faults);
        }
    }
    faults
}

fn check_share(at: &str, quality: &QualityMeasure, rows: &OwnRows, faults: &mut Vec<Fault>) {
    match (quality.level, quality.share) {
        (None, Some(_)) => faults.push(Fault::new(
            format!("{at}/measure/level"),
            "missing_field",
            "填写了得分比例的，应同时填写达成程度（level）。",
            "a share needs its level",
        )),
        (Some(level), Some(share)) => {
            let (least, most) = level.band(rows);
            if !(least..=most).contains(&share.get()) {
                faults.push(Fault::new(
                    format!("{at}/measure/share"),
                    "out_of_range",
                    format!("该达成程度的得分比例应在{least}%至{most}%之间。"),
                    format!("this level gets between {least}% and {most}% of the weight"),
                ));
            }
        }
        _ => {}
    }
}

impl FundTable {
    /// What the table begins with in the next year, for a fund that goes on: the plan without what came of it. Kept are the
    /// expected goal and the targets with their weights; gone are all amounts, since a year's budget is its own, the years
    /// that a target was set for, what was reached, how it was judged, and why something was missed.
    #[must_use]
    pub fn next_year(&self) -> Self {
        Self {
            competent_department: self.competent_department.clone(),
            implementing_unit: self.implementing_unit.clone(),
            funding: Funding::default(),
            goal: self.goal.as_ref().map(|goal| Goal {
                expected: goal.expected.clone(),
                achieved: None,
            }),
            targets: self.targets.iter().map(TargetRow::next_year).collect(),
        }
    }

    /// The execution rate of each row of the money that is given: the total first, which is the sum of its sources where it
    /// is left out, then the sources and kinds in the form's order.
    #[must_use]
    pub fn executions(&self) -> Vec<Execution> {
        let execution = |row, (zh, en), adjusted_budget: Option<Decimal>, executed: Option<Decimal>| Execution {
            row,
            name: Text::fixed(zh, en),
            adjusted_budget,
            executed,
            percent: executed.zip(adjusted_budget).and_then(|(b, a)| percent(b, a)),
        };
        let column = |column| self.column(column).map(|datum| datum.value);
        let (budget, executed) = (column(|row| row.adjusted_budget), column(|row| row.executed));
        let total = (budget.is_some() || executed.is_some())
            .then(|| execution("total", ("年度资金总额", "funds of the year"), budget, executed));
        let funding = &self.funding;
        let rows = [
            (
                "appropriation",
                ("当年财政拨款", "appropriated this year"),
                funding.appropriation,
            ),
            (
                "carried_over",
                ("上年结转资金", "carried over from last year"),
                funding.carried_over,
            ),
            (
                "central_and_provincial",
                ("中央及省级资金", "central and provincial funds"),
                funding.central_and_provincial,
            ),
            ("municipal", ("市级资金", "municipal funds"), funding.municipal),
            ("county", ("县级资金", "county funds"), funding.county),
            ("other", ("其他资金", "other funds"), funding.other),
        ];
        let rows = rows.into_iter().filter_map(|(row, name, money)| {
            let money = money?;
            Some(execution(
                row,
                name,
                money.adjusted_budget.map(Amount::get),
                money.executed.map(Amount::get),
            ))
        });
        total.into_iter().chain(rows).collect()
    }

    fn column(&self, column: fn(&FundingRow) -> Option<Amount>) -> Option<Datum> {
        let funding = &self.funding;
        if let Some(total) = funding.total.as_ref().and_then(column) {
            return Some(Datum::reported(total));
        }
        let sources = [
            funding.central_and_provincial,
            funding.municipal,
            funding.county,
            funding.other,
        ];
        // A source that is not listed gave nothing; one that is listed without its figure leaves the total unknown.
        let mut listed = sources.iter().flatten().peekable();
        listed.peek()?;
        Some(Datum {
            value: listed
                .map(|row| column(row).map(Amount::get))
                .sum::<Option<Decimal>>()?,
            origin: Origin::Derived,
        })
    }
}

impl Figures for FundTable {
    fn figure(&self, variable: &Variable) -> Option<Datum> {
        match variable.name {
            EXECUTION_BUDGET => self.column(|row| row.adjusted_budget),
            EXECUTION_EXECUTED => self.column(|row| row.executed),
            _ => None,
        }
    }

    fn lacking(&self, variable: &'static Variable) -> Vec<Lacking> {
        let column = match variable.name {
            EXECUTION_BUDGET => "/funding/total/adjusted_budget",
            EXECUTION_EXECUTED => "/funding/total/executed",
            _ => "/funding",
        };
        vec![Lacking {
            pointer: column.to_owned(),
            zh: variable.zh,
            en: variable.en,
        }]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{builtin, dec, from, named};
    use super::super::variables::Variable;
    use super::*;

    fn share(comparison: &str, target: &str, actual: &str) -> String {
        let measure: QuantityMeasure = from(json!({"comparison": comparison, "target": target}));
        measure.share(from(json!(actual))).normalize().to_string()
    }

    #[test]
    fn a_target_that_is_met_earns_all_and_never_more() {
        assert_eq!(share("at_least", "181", "181"), "100");
        assert_eq!(share("at_least", "6", "12"), "100");
        assert_eq!(share("at_most", "2", "2"), "100");
        assert_eq!(share("at_most", "3", "0"), "100");
        assert_eq!(share("equal", "100", "100"), "100");
    }

    #[test]
    fn a_target_that_is_missed_earns_the_ratio_of_the_two() {
        assert_eq!(share("at_least", "200", "145"), "72.5");
        assert_eq!(share("at_most", "30", "40"), "75");
        assert_eq!(share("equal", "100", "98"), "98");
        assert_eq!(share("equal", "100", "125"), "80");
        assert_eq!(share("at_least", "10", "0"), "0");
    }

    #[test]
    fn a_target_of_zero_or_less_that_is_missed_earns_nothing() {
        assert_eq!(share("at_least", "0", "0"), "100");
        assert_eq!(share("at_least", "0", "-1"), "0");
        assert_eq!(share("at_most", "0", "1"), "0");
        assert_eq!(share("equal", "0", "3"), "0");
        assert_eq!(share("at_least", "-5", "-4"), "100");
        assert_eq!(share("at_least", "-5", "-6"), "0");
        assert_eq!(share("at_most", "-5", "-4"), "0");
        assert_eq!(share("at_most", "-5", "-6"), "100");
    }

    #[test]
    fn a_target_was_too_low_only_above_130_percent_of_it() {
        let too_low = |comparison: &str, target: &str, actual: &str| {
            let measure: QuantityMeasure = from(json!({"comparison": comparison, "target": target}));
            measure.target_too_low(from(json!(actual)))
        };
        assert!(!too_low("at_least", "100", "130"));
        assert!(too_low("at_least", "100", "130.000001"));
        assert!(!too_low("at_most", "100", "200"));
        assert!(!too_low("at_least", "0", "5"));
        assert!(!too_low("at_least", "-5", "5"));
    }

    fn execution(funding: Value) -> (Option<Datum>, Option<Datum>) {
        let table: FundTable = from(json!({ "funding": funding }));
        let figure = |name| table.figure(Variable::find(name).unwrap());
        (figure(EXECUTION_BUDGET), figure(EXECUTION_EXECUTED))
    }

    #[test]
    fn the_money_in_all_is_the_sum_of_the_sources_listed() {
        // 危房改造: 315.8 + 2.7 + 7.5 = 326.
        let sources = json!({
            "central_and_provincial": {"adjusted_budget": "315.8", "executed": "315.8"},
            "municipal": {"adjusted_budget": "2.7", "executed": "2.7"},
            "county": {"adjusted_budget": "7.5", "executed": "7.5"}
        });
        let sum = Datum {
            value: dec("326"),
            origin: Origin::Derived,
        };
        assert_eq!(execution(sources), (Some(sum), Some(sum)));
    }

    #[test]
    fn a_source_listed_without_its_figure_leaves_the_money_in_all_unknown() {
        let sources = json!({
            "central_and_provincial": {"adjusted_budget": "315.8", "executed": "315.8"},
            "county": {"adjusted_budget": "7.5"}
        });
        let budget = Datum {
            value: dec("323.3"),
            origin: Origin::Derived,
        };
        assert_eq!(execution(sources), (Some(budget), None));
        assert_eq!(execution(json!({})), (None, None));
    }

    #[test]
    fn the_money_in_all_as_given_goes_before_any_sum() {
        let (budget, executed) = execution(json!({
            "total": {"adjusted_budget": "330"},
            "county": {"adjusted_budget": "7.5", "executed": "7"},
            "appropriation": {"executed": "999"}
        }));
        assert_eq!(budget, Some(Datum::reported(dec("330"))));
        assert_eq!(executed.unwrap().value, dec("7"));
    }

    fn faults(row: Value) -> Vec<String> {
        named(&target_faults(&[from(row)], &builtin("project-2020")))
    }

    #[test]
    fn a_row_belongs_to_a_section_whose_rows_are_the_units_own() {
        let row = |section: &str| json!({"section": section, "name": "户数", "measure": {"kind": "quality"}});
        assert!(faults(row("output")).is_empty());
        assert_eq!(faults(row("execution")), ["/targets/0/section unknown_section"]);
        assert_eq!(faults(row("outputs")), ["/targets/0/section unknown_section"]);
    }

    #[test]
    fn a_share_lies_in_the_band_of_its_level() {
        let quality = |measure: Value| {
            let mut row = json!({"section": "output", "name": "质量", "measure": measure});
            row["measure"]["kind"] = json!("quality");
            faults(row)
        };
        for (level, good, bad) in [
            ("achieved", ["80", "100"], "79.9"),
            ("partly", ["60", "80"], "80.1"),
            ("not_achieved", ["0", "60"], "60.1"),
        ] {
            for share in good {
                assert!(
                    quality(json!({"level": level, "share": share})).is_empty(),
                    "{level} {share}"
                );
            }
            assert_eq!(
                quality(json!({"level": level, "share": bad})),
                ["/targets/0/measure/share out_of_range"],
                "{level} {bad}"
            );
        }
        assert_eq!(
            quality(json!({"share": "90"})),
            ["/targets/0/measure/level missing_field"]
        );
    }
}
