//! Fiscal years on the wire and in the table.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::Date;
use crate::db::schema::fiscal_years;
use crate::http::etag::ETag;
use crate::schemes::model::StoredScheme;
use crate::scoring::text::{Label, SchemeId};

/// A stored fiscal year, as its row holds it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = fiscal_years, treat_none_as_null = true)]
pub struct Row {
    /// The year.
    pub year: i64,
    /// The number of the bureau's notice.
    pub notice_number: Option<String>,
    /// The first day on which units file.
    pub opens_on: Option<String>,
    /// The last day on which units file.
    pub closes_on: Option<String>,
    /// The scheme in force.
    pub scheme_id: String,
    /// `open` or `closed`.
    pub status: String,
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

/// Whether units may file for a year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum YearStatus {
    /// They may, from `opens_on` to `closes_on`.
    #[default]
    Open,
    /// Nothing of the year can be changed until the bureau opens it again.
    Closed,
}

impl YearStatus {
    /// The word that it is on the wire and in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// When units file for a year: what decides whether something of it can be changed.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = fiscal_years)]
pub struct Season {
    /// `open` or `closed`.
    pub status: String,
    /// The first day on which units file; `None`: from the beginning.
    pub opens_on: Option<String>,
    /// The last day on which units file; `None`: without an end.
    pub closes_on: Option<String>,
}

impl Season {
    /// Whether anything of the year can be changed.
    pub fn is_open(&self) -> bool {
        self.status == YearStatus::Open.as_str()
    }

    /// Whether a day (`2020-03-31`) is one on which units file.
    pub fn has(&self, day: &str) -> bool {
        let begun = self.opens_on.as_deref().is_none_or(|first| first <= day);
        begun && self.closes_on.as_deref().is_none_or(|last| day <= last)
    }
}

/// A fiscal year (年度) as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FiscalYearInput {
    /// The scoring scheme in force (评分标准).
    pub scheme: SchemeId,
    /// The number of the finance bureau's notice (文号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_number: Option<Label>,
    /// The first day on which units file (填报开始日), in China's time. Before it units' tokens change nothing of the year; the
    /// bureau's do. Left out: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_on: Option<Date>,
    /// The last day on which units file (填报截止日), in China's time, not before `opens_on`. After it units' tokens change
    /// only what was returned to them; the bureau's are not bound. Left out: without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_on: Option<Date>,
    /// Whether units may file; open when left out.
    #[serde(default)]
    #[schema(default = "open")]
    pub status: YearStatus,
}

/// A fiscal year (年度).
#[derive(Debug, Serialize, ToSchema)]
pub struct FiscalYearView {
    /// The year.
    #[schema(value_type = crate::codes::FiscalYear)]
    pub year: i64,
    /// The scoring scheme in force (评分标准).
    #[schema(value_type = SchemeId)]
    pub scheme: String,
    /// The number of the finance bureau's notice (文号); `null` when it is not known.
    #[schema(example = "山财绩〔2020〕176号")]
    pub notice_number: Option<String>,
    /// The first day on which units file; `null` when none is set.
    #[schema(value_type = Option<Date>, example = json!(null))]
    pub opens_on: Option<String>,
    /// The last day on which units file; `null` when none is set.
    #[schema(value_type = Option<Date>, example = "2020-06-30")]
    pub closes_on: Option<String>,
    /// Whether units may file.
    #[schema(value_type = YearStatus)]
    pub status: String,
    /// Counts the changes, from 1.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was first stored (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub updated_at: String,
    /// What `expand` asked for; left out where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expanded: Option<ExpandedYear>,
}

/// What a fiscal year can be asked to hold besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum YearExpansion {
    /// The scoring scheme in force.
    Scheme,
}

/// What a fiscal year holds besides: each as its own address answers it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpandedYear {
    /// The scoring scheme in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scheme: Option<StoredScheme>,
}

impl From<Row> for FiscalYearView {
    fn from(row: Row) -> Self {
        Self {
            year: row.year,
            scheme: row.scheme_id,
            notice_number: row.notice_number,
            opens_on: row.opens_on,
            closes_on: row.closes_on,
            status: row.status,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            expanded: None,
        }
    }
}

impl TryFrom<&Row> for FiscalYearInput {
    /// Which column this program cannot read.
    type Error = String;

    fn try_from(row: &Row) -> Result<Self, String> {
        Ok(Self {
            scheme: row.scheme_id.clone().try_into()?,
            notice_number: row.notice_number.clone().map(Label::try_from).transpose()?,
            opens_on: row.opens_on.as_deref().map(str::parse).transpose()?,
            closes_on: row.closes_on.as_deref().map(str::parse).transpose()?,
            status: serde_json::from_value(row.status.as_str().into()).map_err(|error| error.to_string())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_day_are_days_of_filing_and_a_side_without_a_day_has_no_end() {
        let season = |opens: Option<&str>, closes: Option<&str>| Season {
            status: "open".to_owned(),
            opens_on: opens.map(str::to_owned),
            closes_on: closes.map(str::to_owned),
        };
        let march = season(Some("2020-03-01"), Some("2020-03-31"));
        for (day, inside) in [
            ("2020-02-29", false),
            ("2020-03-01", true),
            ("2020-03-31", true),
            ("2020-04-01", false),
        ] {
            assert_eq!(march.has(day), inside, "{day}");
        }
        assert!(season(None, Some("2020-03-31")).has("1990-01-01"));
        assert!(season(Some("2020-03-01"), None).has("2199-12-31"));
        assert!(season(None, None).has("2020-03-01"));
    }
}
