//! Scoring schemes on the wire and in the table.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::library::Edition;
use crate::db::schema::scoring_schemes;
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
    pub id: SchemeId,
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
            id: scheme_id(&row.id)?,
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
    pub id: SchemeId,
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

impl TryFrom<EntryRow> for SchemeEntry {
    type Error = Problem;

    fn try_from((id, name, builtin, template, version, updated_at): EntryRow) -> Result<Self, Problem> {
        Ok(Self {
            id: scheme_id(&id)?,
            name,
            builtin,
            template,
            version,
            updated_at,
        })
    }
}

fn scheme_id(id: &str) -> Result<SchemeId, Problem> {
    SchemeId::try_from(id.to_owned()).map_err(|_| Problem::internal(format!("stored scheme id {id:?}")))
}
