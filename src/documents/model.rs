//! The template of a year's reports on the wire and in the table.

use std::borrow::Cow;
use std::fmt;

use diesel::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::template::{self, BUILT_IN};
use crate::db::schema::report_templates;
use crate::fault::LANGUAGES;
use crate::http::etag::ETag;
use crate::scoring::text::text_type;

text_type!(
    /// The text of a report template: up to 60,000 characters.
    TemplateText, 1..=60_000, r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    |text| !text.chars().any(|c| (c < ' ' || c == '\u{7f}') && !matches!(c, '\n' | '\r' | '\t')),
    "The text of a report template: 1 to 60000 characters, each line a paragraph; names stand in `{{ }}`, `if` and `for` in `{% %}`.",
    "# {{ unit.name }}{{ year }}年度自评报告\n## 一、基本支出\n{{ year }}年度基本支出{{ basic_expenditure.total.final | wan }}。",
    "1至60000个字符的报告模板（不含控制字符）",
    "a report template of 1 to 60000 characters without control characters"
);

/// A stored template, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = report_templates)]
pub struct Row {
    /// The fiscal year.
    pub year: i64,
    /// The text.
    pub template: String,
    /// Counts the changes.
    pub version: i64,
    /// When it was first stored.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// The template of a year's reports (自评报告模板) as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportTemplateInput {
    /// The county's own template; `null` or left out for the built-in one.
    pub template: Option<TemplateText>,
}

/// The template of a year's reports (自评报告模板).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportTemplate {
    /// Its text.
    pub template: String,
    /// Whether it is the one that comes with the program.
    #[schema(example = true)]
    pub built_in: bool,
}

/// The template in force for a year: the county's own, else the built-in one.
#[derive(Debug, Clone)]
pub enum InForce {
    /// The county's own.
    Own(Row),
    /// The built-in one.
    BuiltIn,
}

/// What a report is written by besides its figures: what its year says.
#[derive(Debug, Clone)]
pub struct Wording {
    /// The number of the bureau's notice.
    pub notice: Option<String>,
    /// The template in force.
    pub template: InForce,
}

impl InForce {
    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Self::Own(row) => &row.template,
            Self::BuiltIn => BUILT_IN,
        }
    }

    /// The tag of this version.
    pub fn etag(&self) -> ETag {
        match self {
            Self::Own(row) => ETag::of(row.version, &row.updated_at),
            Self::BuiltIn => ETag::over(["built-in", template::BUILT_IN]),
        }
    }
}

impl From<&InForce> for ReportTemplate {
    fn from(in_force: &InForce) -> Self {
        Self {
            template: in_force.text().to_owned(),
            built_in: matches!(in_force, InForce::BuiltIn),
        }
    }
}
