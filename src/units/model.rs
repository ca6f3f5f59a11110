//! Units on the wire and in the table.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{DivisionCode, FiscalYear, UnitCode, Uscc};
use crate::db::schema::units;
use crate::fault::Text;
use crate::http::etag::ETag;
use crate::scoring::text::Label;

/// A stored unit, as its row holds it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = units, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Row {
    /// Its budget unit code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is, as a word.
    pub kind: String,
    /// The unit above it.
    pub parent_code: Option<String>,
    /// The codes from the top unit down to this one, `/219/219001/`.
    pub path: String,
    /// Its unified social credit code.
    pub uscc: Option<String>,
    /// Where it is.
    pub division_code: Option<String>,
    /// Counts the changes.
    pub version: i64,
    /// When it was first stored.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// The first fiscal year that it is there for.
    pub valid_from: Option<i64>,
    /// The last fiscal year that it is there for.
    pub valid_to: Option<i64>,
}

impl Row {
    /// The row of a unit at `path`, stored `at` that time: of a new one, or in place of `before`.
    pub fn new(code: &UnitCode, before: Option<&Self>, input: &UnitInput, path: String, at: &str) -> Self {
        Self {
            code: code.as_str().to_owned(),
            name: input.name.as_str().to_owned(),
            kind: input.kind.as_str().to_owned(),
            parent_code: input.parent.as_ref().map(|parent| parent.as_str().to_owned()),
            path,
            uscc: input.uscc.as_ref().map(|uscc| uscc.as_str().to_owned()),
            division_code: input.division_code.as_ref().map(|code| code.as_str().to_owned()),
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.map_or(at, |before| &before.created_at).to_owned(),
            updated_at: at.to_owned(),
            valid_from: input.valid_from.map(FiscalYear::get),
            valid_to: input.valid_to.map(FiscalYear::get),
        }
    }
}

/// A stored unit with the units that it continues and those that continue it, by code.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The unit.
    pub row: Row,
    /// The units that it continues.
    pub predecessors: Vec<String>,
    /// The units that continue it.
    pub successors: Vec<String>,
}

impl Stored {
    /// The tag of this version. A successor is stored with the unit that it is, so this one's version does not count it.
    pub fn etag(&self) -> ETag {
        let version = self.row.version.to_string();
        let own = [version.as_str(), &self.row.updated_at];
        ETag::over(own.into_iter().chain(self.successors.iter().map(String::as_str)))
    }
}

/// The fiscal years, first and last, that a unit files for; `None` where there is no such bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Queryable)]
pub struct Validity {
    /// The first.
    pub from: Option<i64>,
    /// The last.
    pub to: Option<i64>,
}

impl Validity {
    /// Why a unit does not file for a year; `None` if it does.
    pub fn refusal(self, unit: &UnitCode, year: FiscalYear) -> Option<Text> {
        if let Some(from) = self.from.filter(|from| year.get() < *from) {
            return Some(Text::new(
                format!("单位{unit}自{from}年度起填报，不填报{year}年度；以前年度由其前身单位填报。"),
                format!(
                    "unit {unit} files from {from} on, not for {year}; earlier years are those of the units it continues"
                ),
            ));
        }
        let to = self.to.filter(|to| year.get() > *to)?;
        Some(Text::new(
            format!("单位{unit}填报至{to}年度为止，不填报{year}年度；以后年度由承接单位填报。"),
            format!(
                "unit {unit} files until {to}, not for {year}; later years are those of the units that continue it"
            ),
        ))
    }
}

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// A town or township government (乡镇).
    Town,
    /// A subdistrict office (街道).
    Subdistrict,
    /// A department of the county (县直部门).
    Department,
    /// A public institution (事业单位).
    Institution,
    /// Anything else that has a budget.
    Other,
}

impl UnitKind {
    /// The word that it is on the wire and in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Town => "town",
            Self::Subdistrict => "subdistrict",
            Self::Department => "department",
            Self::Institution => "institution",
            Self::Other => "other",
        }
    }

    /// What officials call it.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Town => "乡镇",
            Self::Subdistrict => "街道",
            Self::Department => "县直部门",
            Self::Institution => "事业单位",
            Self::Other => "其他",
        }
    }
}

/// A budget unit (预算单位) as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitInput {
    /// Its full name.
    pub name: Label,
    /// What it is.
    pub kind: UnitKind,
    /// The unit above it (上级单位); left out for one at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<UnitCode>,
    /// Its unified social credit code (统一社会信用代码); no two units have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<Uscc>,
    /// Where it is (行政区划代码).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division_code: Option<DivisionCode>,
    /// The first fiscal year that it files for; left out where it always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<FiscalYear>,
    /// The last fiscal year that it files for; left out while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<FiscalYear>,
    /// The units that it continues after a reform (机构改革), in any order: one if it was renamed, several if it was merged
    /// from them. A unit that was split is named by each of its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<UnitCode>>, max_items = 50, example = json!(["219000"]))]
    pub predecessors: Option<Predecessors>,
}

/// The units that a unit continues.
pub type Predecessors = Vec<UnitCode>;

/// How many units a unit may continue.
pub const MOST_PREDECESSORS: usize = 50;

impl UnitInput {
    /// The codes of the units that it continues, each once and in order.
    pub fn continues(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.predecessors.iter().flatten().map(ToString::to_string).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// The same content, in the one form that two of the same content have.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        if let Some(predecessors) = &mut self.predecessors {
            predecessors.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        }
        self.predecessors = self.predecessors.filter(|predecessors| !predecessors.is_empty());
        self
    }
}

/// A budget unit (预算单位).
#[derive(Debug, Serialize, ToSchema)]
pub struct Unit {
    /// Its budget unit code (预算单位编码).
    #[schema(value_type = UnitCode)]
    pub code: String,
    /// Its full name.
    #[schema(example = "衡山县开云镇人民政府")]
    pub name: String,
    /// What it is.
    #[schema(value_type = UnitKind)]
    pub kind: String,
    /// The unit above it; `null` for one at the top.
    #[schema(value_type = Option<UnitCode>, example = json!(null))]
    pub parent: Option<String>,
    /// Its unified social credit code; `null` when it is not known.
    #[schema(value_type = Option<Uscc>, example = json!(null))]
    pub uscc: Option<String>,
    /// Where it is; `null` when it is not known.
    #[schema(value_type = Option<DivisionCode>, example = "430423")]
    pub division_code: Option<String>,
    /// The first fiscal year that it files for; `null` where it always was.
    #[schema(value_type = Option<FiscalYear>, example = 2019)]
    pub valid_from: Option<i64>,
    /// The last fiscal year that it files for; `null` while it goes on.
    #[schema(value_type = Option<FiscalYear>, example = json!(null))]
    pub valid_to: Option<i64>,
    /// The units that it continues, by code.
    #[schema(value_type = Vec<UnitCode>, example = json!(["219000"]))]
    pub predecessors: Vec<String>,
    /// The units that continue it, by code.
    #[schema(value_type = Vec<UnitCode>, example = json!([]))]
    pub successors: Vec<String>,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was first stored (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
}

impl From<Stored> for Unit {
    fn from(stored: Stored) -> Self {
        let Stored {
            row,
            predecessors,
            successors,
        } = stored;
        Self {
            code: row.code,
            name: row.name,
            kind: row.kind,
            parent: row.parent_code,
            uscc: row.uscc,
            division_code: row.division_code,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            predecessors,
            successors,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl TryFrom<&Stored> for UnitInput {
    /// Which column this program cannot read.
    type Error = String;

    fn try_from(stored: &Stored) -> Result<Self, String> {
        let row = &stored.row;
        let predecessors = stored.predecessors.iter().cloned().map(UnitCode::try_from);
        let input = Self {
            name: row.name.clone().try_into()?,
            kind: serde_json::from_value(row.kind.as_str().into()).map_err(|error| error.to_string())?,
            parent: row.parent_code.clone().map(UnitCode::try_from).transpose()?,
            uscc: row.uscc.clone().map(Uscc::try_from).transpose()?,
            division_code: row.division_code.clone().map(DivisionCode::try_from).transpose()?,
            valid_from: row.valid_from.map(FiscalYear::try_from).transpose()?,
            valid_to: row.valid_to.map(FiscalYear::try_from).transpose()?,
            predecessors: Some(predecessors.collect::<Result<_, _>>()?),
        };
        Ok(input.in_order())
    }
}
