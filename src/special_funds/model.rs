//! Special funds on the wire and in the table.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::db::changes::{Change, Resource};
use crate::db::now;
use crate::db::schema::special_funds;
use crate::http::etag::ETag;
use crate::http::problem::Problem;
use crate::schemes::model::SchemeUsed;
use crate::scoring::score::Score;
use crate::scoring::special_fund::{Execution, FundTable, Funding, Goal, TargetRow};
use crate::scoring::text::{Label, SchemeId};
use crate::units::model::Unit;

/// The scheme of a fund whose table names none.
pub const USUAL_SCHEME: &str = "project-2020";

/// A stored special fund, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = special_funds, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Row {
    /// The id that it is addressed by.
    pub id: String,
    /// The unit that spends it.
    pub unit_code: String,
    /// The fiscal year.
    pub year: i64,
    /// Its name, one of a kind for the unit and year.
    pub name: String,
    /// The scheme that it is scored by.
    pub scheme_id: String,
    /// The table, as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
    /// When it was first stored.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// Whether it goes on in the next year.
    pub continues: bool,
}

impl Row {
    /// The row of a fund: of a new one, or in place of `before`.
    ///
    /// # Errors
    /// 500 if the table cannot be written as JSON.
    pub fn new(id: &FundId, before: Option<&Self>, fund: &SpecialFundInput) -> Result<Self, Problem> {
        let body = serde_json::to_string(&fund.table()).map_err(|error| Problem::internal(error.to_string()))?;
        let at = now();
        Ok(Self {
            id: id.as_str().to_owned(),
            unit_code: fund.unit.as_str().to_owned(),
            year: fund.year.get(),
            name: fund.name.as_str().to_owned(),
            scheme_id: fund.scheme.as_str().to_owned(),
            body,
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.map_or_else(|| at.clone(), |before| before.created_at.clone()),
            updated_at: at,
            continues: fund.continues,
        })
    }

    /// What the change log says when it was stored.
    ///
    /// # Errors
    /// 500 if the row holds what this program cannot read.
    pub fn change(&self, created: bool) -> Result<Change, Problem> {
        let change = Change::saved(created, Resource::SpecialFund, address(&self.id), &self.input()?)?;
        Ok(change.of_unit(self.unit_code.as_str()).in_year(self.year))
    }

    /// The tag of this version.
    pub fn etag(&self) -> ETag {
        ETag::of(self.version, &self.updated_at)
    }

    /// The fund's table.
    ///
    /// # Errors
    /// 500 if the table holds what this program cannot read.
    pub fn table(&self) -> Result<FundTable, Problem> {
        serde_json::from_str(&self.body)
            .map_err(|error| Problem::internal(format!("special fund {} cannot be read: {error}", self.id)))
    }

    /// The row as the input that made it.
    ///
    /// # Errors
    /// 500 if the row holds what this program cannot read.
    pub fn input(&self) -> Result<SpecialFundInput, Problem> {
        let unreadable = || Problem::internal(format!("special fund {} cannot be read", self.id));
        let table = self.table()?;
        Ok(SpecialFundInput {
            unit: UnitCode::try_from(self.unit_code.clone()).map_err(|_| unreadable())?,
            year: FiscalYear::try_from(self.year).map_err(|_| unreadable())?,
            name: Label::try_from(self.name.clone()).map_err(|_| unreadable())?,
            scheme: SchemeId::try_from(self.scheme_id.clone()).map_err(|_| unreadable())?,
            continues: self.continues,
            competent_department: table.competent_department,
            implementing_unit: table.implementing_unit,
            funding: table.funding,
            goal: table.goal,
            targets: table.targets,
        })
    }
}

/// A special fund (专项资金) of a unit in a year, and its target self-evaluation table (绩效目标自评表, 附件3), as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecialFundInput {
    /// The unit that spends it.
    pub unit: UnitCode,
    /// The fiscal year.
    pub year: FiscalYear,
    /// Its name (项目名称), one of a kind for the unit and year.
    pub name: Label,
    /// The scheme that it is scored by.
    #[serde(default = "usual_scheme")]
    #[schema(default = "project-2020")]
    pub scheme: SchemeId,
    /// Whether it goes on in the next year (跨年度项目): the roll-over then opens it there with the same targets.
    #[serde(default)]
    #[schema(default = false)]
    pub continues: bool,
    /// The competent department (主管部门).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub competent_department: Option<Label>,
    /// The implementing unit (实施单位).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementing_unit: Option<Label>,
    /// The money (项目资金), in 万元.
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

fn usual_scheme() -> SchemeId {
    SchemeId::try_from(USUAL_SCHEME.to_owned()).unwrap_or_default()
}

impl SpecialFundInput {
    /// The part of it that is scored.
    pub fn table(&self) -> FundTable {
        FundTable {
            competent_department: self.competent_department.clone(),
            implementing_unit: self.implementing_unit.clone(),
            funding: self.funding.clone(),
            goal: self.goal.clone(),
            targets: self.targets.clone(),
        }
    }
}

/// A special fund (专项资金) and its target self-evaluation table (绩效目标自评表).
#[derive(Debug, Serialize, ToSchema)]
pub struct SpecialFund {
    /// The id that it is addressed by.
    #[schema(value_type = FundId)]
    pub id: String,
    /// The unit that spends it.
    pub unit: UnitCode,
    /// The fiscal year.
    pub year: FiscalYear,
    /// Its name (项目名称).
    pub name: Label,
    /// The scheme that it is scored by.
    pub scheme: SchemeId,
    /// Whether it goes on in the next year (跨年度项目).
    pub continues: bool,
    /// The competent department (主管部门); `null` when it is not given.
    pub competent_department: Option<Label>,
    /// The implementing unit (实施单位); `null` when it is not given.
    pub implementing_unit: Option<Label>,
    /// The money (项目资金), in 万元.
    pub funding: Funding,
    /// The goal of the year in words (年度总体目标); `null` when it is not given.
    pub goal: Option<Goal>,
    /// The target rows (绩效指标).
    pub targets: Vec<TargetRow>,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was first stored (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// Where things are.
    pub links: Links,
    /// What `expand` asked for; left out where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expanded: Option<ExpandedFund>,
}

/// What a special fund can be asked to hold besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FundExpansion {
    /// The unit that spends it.
    Unit,
    /// Its score, line by line.
    Score,
}

/// What a special fund holds besides: each as its own address answers it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpandedFund {
    /// The unit that spends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit: Option<Unit>,
    /// Its score, line by line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub score: Option<FundScore>,
}

/// Where the things of a special fund are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpecialFundLinks)]
pub struct Links {
    /// This fund.
    #[serde(rename = "self")]
    #[schema(example = "/api/v1/special-funds/kaiyun-2019-dilapidated-housing")]
    pub this: String,
    /// Its score.
    #[schema(example = "/api/v1/special-funds/kaiyun-2019-dilapidated-housing/score")]
    pub score: String,
}

impl TryFrom<Row> for SpecialFund {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let this = address(&row.id);
        let input = row.input()?;
        Ok(Self {
            unit: input.unit,
            year: input.year,
            name: input.name,
            scheme: input.scheme,
            continues: input.continues,
            competent_department: input.competent_department,
            implementing_unit: input.implementing_unit,
            funding: input.funding,
            goal: input.goal,
            targets: input.targets,
            links: Links {
                score: format!("{this}/score"),
                this,
            },
            expanded: None,
            id: row.id,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The address of the fund of that id.
pub fn address(id: &str) -> String {
    format!("/api/v1/special-funds/{id}")
}

/// A special fund in a list, without its table.
#[derive(Debug, Serialize, ToSchema)]
pub struct FundEntry {
    /// The id that it is addressed by.
    #[schema(value_type = FundId)]
    pub id: String,
    /// The unit that spends it.
    #[schema(value_type = UnitCode)]
    pub unit: String,
    /// The fiscal year.
    #[schema(value_type = FiscalYear)]
    pub year: i64,
    /// Its name (项目名称).
    #[schema(example = "危房改造资金")]
    pub name: String,
    /// The scheme that it is scored by.
    #[schema(value_type = SchemeId)]
    pub scheme: String,
    /// Whether it goes on in the next year (跨年度项目).
    pub continues: bool,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// The fund.
    #[schema(example = "/api/v1/special-funds/kaiyun-2019-dilapidated-housing")]
    pub link: String,
}

/// The columns of a [`FundEntry`]: lists do not read the tables.
pub type EntryRow = (String, String, i64, String, String, bool, i64, String);

impl From<EntryRow> for FundEntry {
    fn from((id, unit, year, name, scheme, continues, version, updated_at): EntryRow) -> Self {
        Self {
            link: address(&id),
            id,
            unit,
            year,
            name,
            scheme,
            continues,
            version,
            updated_at,
        }
    }
}

/// A special fund's score, and what it was computed from.
#[derive(Debug, Serialize, ToSchema)]
pub struct FundScore {
    /// The fund's id.
    #[schema(value_type = FundId)]
    pub id: String,
    /// The fund's name.
    pub name: Label,
    /// The unit that spends it.
    pub unit: UnitCode,
    /// The fiscal year.
    pub year: FiscalYear,
    /// The scheme that it was computed by.
    pub scheme: SchemeUsed,
    /// The execution rate (预算执行率) of each row of its money, the total first. Only the total's is scored.
    pub executions: Vec<Execution>,
    /// The score itself.
    #[serde(flatten)]
    pub score: Score,
}
