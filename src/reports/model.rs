//! A report: what was submitted, or would be, with what came of it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::documents;
use crate::documents::model::Wording;
use crate::evaluations::handlers::require;
use crate::evaluations::review::{ReviewView, Total, readable};
use crate::evaluations::submission_store;
use crate::evaluations::submissions::{SubmissionDocument, draft, no_submission};
use crate::evaluations::workflow::State;
use crate::forms::{Schemes, add_schemes};
use crate::http::auth::Principal;
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::trends;
use crate::trends::model::Trend;

/// A report on a unit's year (自评报告): the one thing that all its forms are made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// Where the evaluation is in its life.
    pub state: State,
    /// What counts: the total after the review where there is one, else the unit's own.
    pub counted: Total,
    /// What was submitted, as it was then; while no submission counts, what submitting would keep now.
    pub document: SubmissionDocument,
    /// The review; `null` before the bureau gave points, and for units before the evaluation is approved.
    pub review: Option<ReviewView>,
    /// The unit over the years.
    pub trend: Trend,
    /// What its documents are written by besides.
    #[serde(skip)]
    pub wording: Wording,
    /// The schemes that the document was scored by. Not answered: the forms' formulas follow from them.
    #[serde(skip)]
    pub schemes: Schemes,
}

impl Report {
    /// Puts together what this principal may read of a unit's year.
    ///
    /// # Errors
    /// 404 if there is no such unit or year, 403 for a principal who may not see it.
    pub fn find(
        conn: &mut AnyConnection,
        library: &Library,
        principal: &Principal,
        (unit, year): (&UnitCode, FiscalYear),
    ) -> Result<Self, Problem> {
        let context = require(conn, unit, year)?;
        principal.may_see(&context.unit_path)?;
        let state = context.state()?;
        let (document, review) = match &context.evaluation {
            Some(row) if state.counts() => {
                let number = row.submission;
                let found = submission_store::find(conn, unit, year, number)?;
                let (_, text) = found.ok_or_else(|| no_submission(unit, year, number))?;
                let review = readable(conn, principal, (unit, year), number)?;
                (SubmissionDocument::read(&text)?, review)
            }
            _ => (draft(conn, library, (unit, year), &context)?, None),
        };
        let own = &document.score;
        let mut schemes = Schemes::default();
        add_schemes(conn, library, &document, &mut schemes)?;
        Ok(Self {
            state,
            counted: review.as_ref().map_or_else(
                || Total {
                    total: own.total,
                    interval: own.interval,
                    grade: own.grade.clone(),
                },
                |review| review.review_score.clone(),
            ),
            document,
            review,
            schemes,
            trend: trends::handlers::find(conn, principal, unit.clone())?,
            wording: documents::store::find(conn, year)?.ok_or_else(|| Problem::no_year(year))?,
        })
    }
}
