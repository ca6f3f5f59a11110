//! Units on the wire and in the table.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{DivisionCode, UnitCode, Uscc};
use crate::db::schema::units;
use crate::http::etag::ETag;
use crate::scoring::text::Label;

/// A stored unit, as its row holds it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = units, treat_none_as_null = true)]
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
}

impl Row {
    /// The tag of this version.
    pub fn etag(&self) -> ETag {
        ETag::of(self.version, &self.updated_at)
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

impl From<Row> for Unit {
    fn from(row: Row) -> Self {
        Self {
            code: row.code,
            name: row.name,
            kind: row.kind,
            parent: row.parent_code,
            uscc: row.uscc,
            division_code: row.division_code,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl TryFrom<&Row> for UnitInput {
    /// Which column this program cannot read.
    type Error = String;

    fn try_from(row: &Row) -> Result<Self, String> {
        Ok(Self {
            name: row.name.clone().try_into()?,
            kind: serde_json::from_value(row.kind.as_str().into()).map_err(|error| error.to_string())?,
            parent: row.parent_code.clone().map(UnitCode::try_from).transpose()?,
            uscc: row.uscc.clone().map(Uscc::try_from).transpose()?,
            division_code: row.division_code.clone().map(DivisionCode::try_from).transpose()?,
        })
    }
}
