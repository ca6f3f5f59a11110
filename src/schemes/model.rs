//! Scoring schemes on the wire and in the table.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::library::{Compiled, Edition};
use crate::db::changes::{Action, Change, Resource};
use crate::db::schema::scoring_schemes;
use crate::http::etag::ETag;
use crate::http::problem::Problem;
use crate::scoring::scheme::SchemeDocument;
use crate::scoring::scheme_diff::SchemeDiff;
use crate::scoring::text::{Label, SchemeId};

/// A stored scheme, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = scoring_schemes, treat_none_as_null = true)]
pub struct Row {
    /// The id that it is addressed by.
    pub id: String,
    /// Its name, for lists.
    pub name: String,
    /// The document, as JSON.
    pub body: String,
    /// Whether it came with the program.
    pub builtin: bool,
    /// Whether it is a frame without weights.
    pub template: bool,
    /// Counts the changes.
    pub version: i64,
    /// When it was first stored.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

impl Row {
    /// What the change log says when it was stored.
    pub fn change(&self, created: bool) -> Change {
        Change {
            action: if created { Action::Created } else { Action::Updated },
            after: Some(self.body.clone()),
            ..Change::deleted(Resource::ScoringScheme, address(&self.id))
        }
    }

    /// The document.
    ///
    /// # Errors
    /// 500 if the table holds what this program cannot read.
    pub fn document(&self) -> Result<SchemeDocument, Problem> {
        serde_json::from_str(&self.body)
            .map_err(|error| Problem::internal(format!("scheme {} cannot be read: {error}", self.id)))
    }

    /// What tells this edition of the scheme from others.
    pub fn edition(&self) -> Edition {
        Edition {
            version: self.version,
            updated_at: self.updated_at.clone(),
        }
    }
}

/// What a scheme may be used for now, and whether it can still be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemeStatus {
    /// A frame, or a draft that is not finished (模板): weights and rules may be missing, and nothing is scored by it.
    Template,
    /// Complete, and used by nothing yet (草稿): it can be changed, and a fiscal year can take it.
    Draft,
    /// A fiscal year or a special fund uses it (已采用): it does not change any more.
    InUse,
}

impl SchemeStatus {
    fn of(template: bool, in_use: bool) -> Self {
        match (template, in_use) {
            (true, _) => Self::Template,
            (false, false) => Self::Draft,
            (false, true) => Self::InUse,
        }
    }
}

/// What uses a scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SchemeUsers)]
pub struct Users {
    /// The fiscal years for which it is in force, the earliest first.
    #[schema(value_type = Vec<crate::codes::FiscalYear>, max_items = 111)]
    pub fiscal_years: Vec<i64>,
    /// How many special funds are scored by it.
    #[schema(example = 12)]
    pub special_funds: i64,
}

impl Users {
    /// Whether anything uses the scheme.
    pub fn any(&self) -> bool {
        !self.fiscal_years.is_empty() || self.special_funds > 0
    }
}

/// A stored scheme, and what uses it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its row.
    pub row: Row,
    /// What uses it.
    pub users: Users,
}

impl Stored {
    /// The tag of what is answered: the scheme itself, and what uses it.
    pub fn etag(&self) -> ETag {
        let years: Vec<String> = self.users.fiscal_years.iter().map(ToString::to_string).collect();
        ETag::over([
            self.row.version.to_string().as_str(),
            &self.row.updated_at,
            &years.join(" "),
            &self.users.special_funds.to_string(),
        ])
    }
}

/// A scoring scheme (评分标准) as it is answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredScheme {
    /// The id that it is addressed by.
    #[schema(value_type = SchemeId)]
    pub id: String,
    /// True for a scheme that came with the program; such a scheme never changes. Copy it to change it.
    pub builtin: bool,
    /// What it may be used for now, and whether it can still be changed.
    pub status: SchemeStatus,
    /// What uses it.
    pub used_by: Users,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was first stored (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// The document, as it was PUT and as it can be PUT again under another id.
    pub document: SchemeDocument,
}

impl TryFrom<Stored> for StoredScheme {
    type Error = Problem;

    fn try_from(Stored { row, users }: Stored) -> Result<Self, Problem> {
        Ok(Self {
            document: row.document()?,
            status: SchemeStatus::of(row.template, users.any()),
            used_by: users,
            id: row.id,
            builtin: row.builtin,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A scheme in a list, without its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeEntry {
    /// The id that it is addressed by.
    #[schema(value_type = SchemeId)]
    pub id: String,
    /// Its name.
    #[schema(example = "湖南省部门整体支出绩效评价指标（2019年度）")]
    pub name: String,
    /// True for a scheme that came with the program.
    pub builtin: bool,
    /// True for a frame or an unfinished draft, by which nothing can be scored.
    pub template: bool,
    /// What it may be used for now, and whether it can still be changed.
    pub status: SchemeStatus,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
}

/// The columns of a [`SchemeEntry`] (lists do not read the documents), and whether a year, or a fund, uses the scheme.
pub type EntryRow = (String, String, bool, bool, i64, String, bool, bool);

impl From<EntryRow> for SchemeEntry {
    fn from((id, name, builtin, template, version, updated_at, by_years, by_funds): EntryRow) -> Self {
        Self {
            status: SchemeStatus::of(template, by_years || by_funds),
            id,
            name,
            builtin,
            template,
            version,
            updated_at,
        }
    }
}

/// The scheme that a score was computed by.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SchemeUsed {
    /// Its id; `null` for one that was sent along.
    #[schema(example = "hunan-2019")]
    pub id: Option<String>,
    /// Its name.
    #[schema(example = "湖南省部门整体支出绩效评价指标（2019年度）")]
    pub name: String,
    /// Its version; `null` for one that was sent along.
    #[schema(example = 1)]
    pub version: Option<i64>,
}

impl From<&Row> for SchemeUsed {
    fn from(row: &Row) -> Self {
        Self {
            id: Some(row.id.clone()),
            name: row.name.clone(),
            version: Some(row.version),
        }
    }
}

impl From<&Compiled> for SchemeUsed {
    fn from(compiled: &Compiled) -> Self {
        Self {
            id: Some(compiled.id.to_string()),
            name: compiled.scheme.document.name.to_string(),
            version: Some(compiled.edition.version),
        }
    }
}

/// What a copy of a scheme is to be called.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemeCopy {
    /// The id of the copy; no scheme may have it yet.
    pub id: SchemeId,
    /// Its name. Left out, the original's.
    #[serde(default)]
    pub name: Option<Label>,
}

/// What is different in a scheme compared with another.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeComparison {
    /// The scheme that it is compared with: `before` is of this one.
    pub against: SchemeUsed,
    /// The scheme that was asked for: `after` is of this one.
    pub scheme: SchemeUsed,
    /// What is different.
    #[serde(flatten)]
    pub diff: SchemeDiff,
}

/// The address of the scheme with this id.
pub fn address(id: &str) -> String {
    format!("/api/v1/scoring-schemes/{id}")
}
