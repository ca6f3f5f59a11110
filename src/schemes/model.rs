//! Scoring schemes on the wire and in the table.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::library::{Compiled, Edition};
use crate::db::schema::scoring_schemes;
use crate::http::etag::ETag;
use crate::http::problem::Problem;
use crate::scoring::scheme::SchemeDocument;
use crate::scoring::text::SchemeId;

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
    /// The document.
    ///
    /// # Errors
    /// 500 if the table holds what this program cannot read.
    pub fn document(&self) -> Result<SchemeDocument, Problem> {
        serde_json::from_str(&self.body)
            .map_err(|error| Problem::internal(format!("scheme {} cannot be read: {error}", self.id)))
    }

    /// The tag of this version.
    pub fn etag(&self) -> ETag {
        ETag::of(self.version, &self.updated_at)
    }

    /// What tells this edition of the scheme from others.
    pub fn edition(&self) -> Edition {
        Edition {
            version: self.version,
            updated_at: self.updated_at.clone(),
        }
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

impl TryFrom<Row> for StoredScheme {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        Ok(Self {
            document: row.document()?,
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
    /// True for a frame without weights, by which nothing can be scored.
    pub template: bool,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
}

/// The columns of a [`SchemeEntry`]: lists do not read the documents.
pub type EntryRow = (String, String, bool, bool, i64, String);

impl From<EntryRow> for SchemeEntry {
    fn from((id, name, builtin, template, version, updated_at): EntryRow) -> Self {
        Self {
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

impl From<&Compiled> for SchemeUsed {
    fn from(compiled: &Compiled) -> Self {
        Self {
            id: Some(compiled.id.to_string()),
            name: compiled.scheme.document.name.to_string(),
            version: Some(compiled.edition.version),
        }
    }
}
