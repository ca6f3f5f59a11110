//! Rankings and summaries on the wire.

use std::fmt;

use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::codes::{FiscalYear, UnitCode};
use crate::evaluations::workflow::State;
use crate::fault::LANGUAGES;
use crate::http::page::Page;
use crate::scoring::score::Range;
use crate::scoring::text::Code;
use crate::scoring::values::exact;
use crate::units::model::UnitKind;

/// What a ranking goes by: the total, or the points of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum By {
    /// The total.
    #[default]
    Total,
    /// The section (一级指标) of this code.
    Section(Code),
}

impl By {
    /// The section's code; `None` for the total.
    pub fn into_section(self) -> Option<Code> {
        match self {
            Self::Total => None,
            Self::Section(code) => Some(code),
        }
    }
}

impl<'de> Deserialize<'de> for By {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Code::deserialize(deserializer)?;
        Ok(match code.as_str() {
            "total" => Self::Total,
            _ => Self::Section(code),
        })
    }
}

impl PartialSchema for By {
    fn schema() -> RefOr<Schema> {
        Code::schema()
    }
}

impl ToSchema for By {}

/// A place in a list that goes by points: those points, in millionths, and the unit.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Place {
    /// Millionths of a point.
    pub points: i64,
    /// The unit's code.
    pub unit: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.points, self.unit)
    }
}

/// As a cursor.
impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let place = text.split_once('-').and_then(|(points, unit)| {
            let plain = (1..=15).contains(&points.len()) && points.bytes().all(|b| b.is_ascii_digit());
            let unit = UnitCode::try_from(unit.to_owned()).ok()?;
            Some(Self {
                points: points.parse().ok().filter(|_| plain)?,
                unit: unit.as_str().to_owned(),
            })
        });
        place.ok_or_else(|| {
            de::Error::custom(format!(
                "cursor应为上一页返回的next_cursor。{LANGUAGES}a cursor is the `next_cursor` of the page before"
            ))
        })
    }
}

impl PartialSchema for Place {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some("^[0-9]{1,15}-[0-9]{3,20}$"))
            .into()
    }
}

impl ToSchema for Place {}

/// A ranking of a year (排名), or the units that cannot be ranked yet: who stands where, in pages.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ranking {
    /// The fiscal year.
    pub year: FiscalYear,
    /// What it goes by: `total`, or the code of a section.
    #[schema(example = "total")]
    pub by: String,
    /// The kind of units that are ranked among themselves; `null`: all.
    #[schema(example = json!(null))]
    pub kind: Option<UnitKind>,
    /// True for those that are ranked, false for those that have no points yet.
    pub complete: bool,
    /// How many units are ranked.
    #[schema(example = 28)]
    pub ranked: i64,
    /// How many have submitted but cannot be ranked, since a line is open.
    #[schema(example = 1)]
    pub incomplete: i64,
    /// How many units of the year have no submission that counts: nothing filed, a draft, or returned.
    #[schema(example = 1)]
    pub not_submitted: i64,
    /// The schemes that they were scored by. More than one: their points do not compare as they stand.
    pub schemes: Vec<SchemeCount>,
    /// The page: the best first, those with equal points by unit code.
    #[serde(flatten)]
    pub page: Page<RankedUnit>,
}

/// How many units of a year have submitted by a scheme.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeCount {
    /// The scheme.
    #[schema(example = "hunan-2019")]
    pub scheme: String,
    /// How many units.
    #[schema(example = 29)]
    pub units: i64,
}

/// A unit in a ranking.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankedUnit {
    /// Its rank among those that are ranked. Units with equal points share one, and the next is as much greater: 1, 2, 2, 4.
    /// `null` for one that cannot be ranked yet.
    #[schema(example = 2)]
    pub rank: Option<i64>,
    /// Its budget unit code.
    #[schema(example = "219001")]
    pub unit: String,
    /// Its name now.
    #[schema(example = "衡山县开云镇人民政府")]
    pub unit_name: String,
    /// Its kind when it submitted.
    #[schema(value_type = UnitKind)]
    pub kind: String,
    /// The points that it is ranked by: those of the review where there is one, else its own; `null` while a line is open.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub points: Option<Decimal>,
    /// Its total, the same as `points` where that is what the ranking goes by.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92.5")]
    pub total: Option<Decimal>,
    /// The total that followed from its own submission, before review.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "94")]
    pub self_total: Option<Decimal>,
    /// What its total can still be.
    pub interval: Range,
    /// The grade (等级) of its total; `null` while that is open between two.
    pub grade: Option<GradeName>,
    /// Where its evaluation is in its life: submitted or further.
    #[schema(value_type = State, example = "approved")]
    pub state: String,
    /// The number of that submission.
    #[schema(example = 1)]
    pub submission: i64,
    /// The scheme that it was scored by.
    #[schema(example = "hunan-2019")]
    pub scheme: String,
    /// Its evaluation.
    #[schema(example = "/api/v1/units/219001/evaluations/2019")]
    pub link: String,
}

/// A grade by its code and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GradeName {
    /// Its code.
    #[schema(example = "excellent")]
    pub code: String,
    /// Its name; the code again where the scheme in force for the year has no such grade.
    #[schema(example = "优")]
    pub name: String,
}

/// A summary of a year over all its units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scheme in force for the year.
    #[schema(example = "hunan-2019")]
    pub scheme: String,
    /// The schemes that units have submitted by. More than one: their points do not compare as they stand.
    pub schemes: Vec<SchemeCount>,
    /// The kind of units that it is of; `null`: all.
    #[schema(example = json!(null))]
    pub kind: Option<UnitKind>,
    /// Of all of them together.
    #[serde(flatten)]
    pub overall: Overview,
    /// The same for each kind that there is; empty where one kind was asked for.
    pub by_kind: Vec<KindOverview>,
}

/// The units of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct KindOverview {
    /// The kind. States are counted by the kind that a unit has now, points by the one that it had when it submitted.
    #[schema(value_type = UnitKind)]
    pub kind: String,
    /// What is to say of them.
    #[serde(flatten)]
    pub overview: Overview,
}

/// What is to say of a group of units.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// How many units there are in the year.
    #[schema(example = 30)]
    pub units: i64,
    /// How many evaluations are in which state; together they are all units.
    pub states: StateCounts,
    /// The totals.
    pub totals: Totals,
    /// What was got in each section (一级指标), in the order of the form.
    pub sections: Vec<SectionOverview>,
    /// What was lost at each indicator, most first.
    pub indicators: Vec<IndicatorOverview>,
}

/// How many evaluations are in which state.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateCounts {
    /// Nothing is filed (未填报).
    #[schema(example = 1)]
    pub not_started: i64,
    /// Being filled in (填报中).
    #[schema(example = 1)]
    pub draft: i64,
    /// Submitted (已提交).
    #[schema(example = 3)]
    pub submitted: i64,
    /// Given back with a reason (已退回).
    #[schema(example = 1)]
    pub returned: i64,
    /// Under review (复核中).
    #[schema(example = 4)]
    pub under_review: i64,
    /// Approved (已审定).
    #[schema(example = 10)]
    pub approved: i64,
    /// Public (已公开).
    #[schema(example = 10)]
    pub published: i64,
}

impl StateCounts {
    /// The same by state, in the order of a good year.
    pub fn each(&self) -> [(State, i64); 7] {
        [
            (State::NotStarted, self.not_started),
            (State::Draft, self.draft),
            (State::Submitted, self.submitted),
            (State::Returned, self.returned),
            (State::UnderReview, self.under_review),
            (State::Approved, self.approved),
            (State::Published, self.published),
        ]
    }
}

/// The totals of those that have submitted and have one. Statistics are `null` where there is no total.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SummaryTotals)]
pub struct Totals {
    /// How many there are.
    #[schema(example = 26)]
    pub ranked: i64,
    /// How many have submitted but have no total, since a line is open.
    #[schema(example = 1)]
    pub incomplete: i64,
    /// The mean, rounded half up to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "86.41")]
    pub mean: Option<Decimal>,
    /// The least.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "61.5")]
    pub min: Option<Decimal>,
    /// The first quartile: between two totals in proportion, as QUARTILE.INC of WPS and Excel has it. Exact.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "81.25")]
    pub lower_quartile: Option<Decimal>,
    /// The median. Exact.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "87.75")]
    pub median: Option<Decimal>,
    /// The third quartile.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "92")]
    pub upper_quartile: Option<Decimal>,
    /// The greatest.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "98")]
    pub max: Option<Decimal>,
    /// How many have which grade, the best first: those of the scheme in force, then any others.
    pub grades: Vec<GradeCount>,
    /// How many lie in which band of five points, from the bottom.
    pub bands: Vec<Band>,
}

/// How many units have a grade.
#[derive(Debug, Serialize, ToSchema)]
pub struct GradeCount {
    /// The grade.
    #[serde(flatten)]
    pub grade: GradeName,
    /// How many.
    #[schema(example = 9)]
    pub units: i64,
    /// How many of a hundred, rounded half up to two decimals; `null` where there is no total.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "34.62")]
    pub percent: Option<Decimal>,
}

/// A band of totals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SummaryBand)]
pub struct Band {
    /// Where it begins; a total of just that is in it.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "90")]
    pub from: Decimal,
    /// Where it ends; a total of just that is in the next one, or in this if there is no next.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "95")]
    pub to: Decimal,
    /// How many totals are in it.
    #[schema(example = 7)]
    pub units: i64,
}

/// What was got in a section, by those that have points in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SectionOverview {
    /// The section's code.
    #[schema(example = "process")]
    pub code: String,
    /// Its name.
    #[schema(example = "过程")]
    pub name: String,
    /// How many units have points in it.
    #[schema(example = 26)]
    pub units: i64,
    /// Their mean points, rounded half up to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "51.3")]
    pub mean: Option<Decimal>,
    /// Points of what could be got (得分率), in percent, rounded half up to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "85.5")]
    pub rate: Option<Decimal>,
}

/// What was lost at an indicator, by those that have points for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorOverview {
    /// The indicator's code.
    #[schema(example = "budget_control")]
    pub code: String,
    /// Its name.
    #[schema(example = "预算控制率")]
    pub name: String,
    /// How many units have points for it.
    #[schema(example = 26)]
    pub units: i64,
    /// How many of them have less than full marks.
    #[schema(example = 13)]
    pub losing: i64,
    /// The same in percent, rounded half up to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "50")]
    pub losing_percent: Option<Decimal>,
    /// The points lost by all together.
    #[serde(serialize_with = "exact::serialize")]
    #[schema(value_type = String, example = "31.2")]
    pub lost: Decimal,
    /// The points lost by each on average, rounded half up to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "1.2")]
    pub mean_lost: Option<Decimal>,
    /// Points of what could be got (得分率), in percent, rounded half up to two decimals.
    #[serde(serialize_with = "exact::option::serialize")]
    #[schema(value_type = Option<String>, example = "76")]
    pub rate: Option<Decimal>,
}
