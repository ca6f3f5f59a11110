//! All SQL of what is submitted: submissions, frozen schemes, events, and where unit-years stand.

use diesel::prelude::*;

use super::model::Row;
use super::standings::{PartRow, Standing, StandingRow};
use super::workflow::{State, SubmissionState};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::db::connection::Backend;
use crate::db::schema::{
    evaluation_events, evaluations, frozen_schemes, scoring_schemes, standing_parts, standings, submissions,
};
use crate::http::etag::ETag;
use crate::http::page::{Limit, Order};
use crate::paged;

/// A stored submission, as its row holds it.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = submissions, treat_none_as_default_value = false)]
pub struct NewSubmission {
    /// The unit.
    pub unit_code: String,
    /// The fiscal year.
    pub year: i64,
    /// Which of the unit-year's submissions it is, from 1.
    pub number: i64,
    /// What became of it, as a word.
    pub state: String,
    /// When it was submitted.
    pub submitted_at: String,
    /// Whose token submitted it.
    pub submitted_by: String,
    /// The id of the scheme in force then.
    pub scheme_id: String,
    /// The SHA-256 of that scheme's text.
    pub scheme_digest: String,
    /// Counts the changes of its review.
    pub review_version: i64,
    /// When it or its review was last changed.
    pub updated_at: String,
    /// The document, byte for byte as it is answered.
    pub document: String,
}

/// A submission without its document.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = submissions)]
pub struct SubmissionRow {
    /// Which of the unit-year's submissions it is, from 1.
    pub number: i64,
    /// What became of it, as a word.
    pub state: String,
    /// When it was submitted.
    pub submitted_at: String,
    /// Whose token submitted it.
    pub submitted_by: String,
    /// The id of the scheme in force then.
    pub scheme_id: String,
    /// The SHA-256 of that scheme's text.
    pub scheme_digest: String,
    /// The review, as JSON; `None` before the bureau gives points.
    pub review: Option<String>,
    /// Counts the changes of its review.
    pub review_version: i64,
    /// When it or its review was last changed.
    pub updated_at: String,
}

impl SubmissionRow {
    /// The tag of this version of its review.
    pub fn review_etag(&self) -> ETag {
        ETag::over([
            "review",
            &self.review_version.to_string(),
            &self.submitted_at,
            &self.state,
        ])
    }
}

/// Stores what was submitted.
pub fn insert(conn: &mut AnyConnection, submission: &NewSubmission) -> QueryResult<()> {
    diesel::insert_into(submissions::table)
        .values(submission)
        .execute(conn)?;
    Ok(())
}

/// A submission with its document.
pub fn find(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    number: i64,
) -> QueryResult<Option<(SubmissionRow, String)>> {
    submissions::table
        .find((unit.as_str(), year.get(), number))
        .select((SubmissionRow::as_select(), submissions::document))
        .first(conn)
        .optional()
}

/// A page of a unit-year's submissions by number.
pub fn list(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    order: Order,
    cursor: Option<i64>,
    limit: Limit,
) -> QueryResult<Vec<SubmissionRow>> {
    let query = submissions::table
        .filter(submissions::unit_code.eq(unit.as_str().to_owned()))
        .filter(submissions::year.eq(year.get()))
        .select(SubmissionRow::as_select())
        .into_boxed::<Backend>();
    paged!(query, submissions::number, order, cursor, limit).load(conn)
}

/// Says what became of a submission.
pub fn set_state(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    number: i64,
    state: SubmissionState,
    at: &str,
) -> QueryResult<()> {
    diesel::update(submissions::table.find((unit.as_str(), year.get(), number)))
        .set((submissions::state.eq(state.as_str()), submissions::updated_at.eq(at)))
        .execute(conn)?;
    Ok(())
}

/// Stores a review under its next version.
pub fn set_review(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    (number, version): (i64, i64),
    review: &str,
    at: &str,
) -> QueryResult<()> {
    diesel::update(submissions::table.find((unit.as_str(), year.get(), number)))
        .set((
            submissions::review.eq(review),
            submissions::review_version.eq(version),
            submissions::updated_at.eq(at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Moves an evaluation to a state.
pub fn move_to(conn: &mut AnyConnection, before: &Row, state: State, submission: i64, at: &str) -> QueryResult<()> {
    diesel::update(evaluations::table.find((&before.unit_code, before.year)))
        .set((
            evaluations::state.eq(state.as_str()),
            evaluations::submission.eq(submission),
            evaluations::updated_at.eq(at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The text of a stored scheme.
pub fn scheme_text(conn: &mut AnyConnection, id: &str) -> QueryResult<String> {
    scoring_schemes::table
        .find(id)
        .select(scoring_schemes::body)
        .first(conn)
}

/// Keeps the text of a scheme under its SHA-256, once.
pub fn freeze_scheme(conn: &mut AnyConnection, digest: &str, body: &str) -> QueryResult<()> {
    let known: Option<String> = frozen_schemes::table
        .find(digest)
        .select(frozen_schemes::digest)
        .first(conn)
        .optional()?;
    if known.is_none() {
        diesel::insert_into(frozen_schemes::table)
            .values((frozen_schemes::digest.eq(digest), frozen_schemes::body.eq(body)))
            .execute(conn)?;
    }
    Ok(())
}

/// The text of a frozen scheme; `None` if none has that SHA-256.
pub fn frozen_scheme(conn: &mut AnyConnection, digest: &str) -> QueryResult<Option<String>> {
    frozen_schemes::table
        .find(digest)
        .select(frozen_schemes::body)
        .first(conn)
        .optional()
}

/// Something that was done, as its row holds it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = evaluation_events, treat_none_as_default_value = false)]
pub struct EventRow {
    /// The unit.
    pub unit_code: String,
    /// The fiscal year.
    pub year: i64,
    /// Counts what was done to the unit-year, from 1.
    pub number: i64,
    /// When.
    pub at: String,
    /// What, as a word.
    pub action: String,
    /// The state before, as a word.
    pub from_state: String,
    /// The state after, as a word.
    pub to_state: String,
    /// The submission that it is about.
    pub submission: i64,
    /// The token that did it; `None` where no token is needed.
    pub token_id: Option<String>,
    /// Whose token it was.
    pub actor: String,
    /// What that token may do, as a word.
    pub role: String,
    /// Why.
    pub reason: Option<String>,
}

/// Adds to the history of a unit-year; the row gets the next number.
pub fn record(conn: &mut AnyConnection, mut event: EventRow) -> QueryResult<()> {
    let last: Option<i64> = evaluation_events::table
        .filter(evaluation_events::unit_code.eq(&event.unit_code))
        .filter(evaluation_events::year.eq(event.year))
        .select(evaluation_events::number)
        .order(evaluation_events::number.desc())
        .first(conn)
        .optional()?;
    event.number = last.unwrap_or(0) + 1;
    diesel::insert_into(evaluation_events::table)
        .values(&event)
        .execute(conn)?;
    Ok(())
}

/// A page of a unit-year's history by number.
pub fn events(
    conn: &mut AnyConnection,
    unit: &UnitCode,
    year: FiscalYear,
    order: Order,
    cursor: Option<i64>,
    limit: Limit,
) -> QueryResult<Vec<EventRow>> {
    let query = evaluation_events::table
        .filter(evaluation_events::unit_code.eq(unit.as_str().to_owned()))
        .filter(evaluation_events::year.eq(year.get()))
        .select(EventRow::as_select())
        .into_boxed::<Backend>();
    paged!(query, evaluation_events::number, order, cursor, limit).load(conn)
}

/// Says where a unit-year stands, in place of what was said before.
pub fn stand(conn: &mut AnyConnection, standing: &Standing) -> QueryResult<()> {
    let StandingRow { year, unit_code, .. } = &standing.row;
    fall(conn, unit_code, *year)?;
    diesel::insert_into(standings::table)
        .values(&standing.row)
        .execute(conn)?;
    for part in &standing.parts {
        insert_part(conn, part)?;
    }
    Ok(())
}

fn insert_part(conn: &mut AnyConnection, part: &PartRow) -> QueryResult<()> {
    diesel::insert_into(standing_parts::table).values(part).execute(conn)?;
    Ok(())
}

/// Says the state of a unit-year that stands where it stood.
pub fn stand_in_state(conn: &mut AnyConnection, unit: &UnitCode, year: FiscalYear, state: State) -> QueryResult<()> {
    diesel::update(standings::table.find((year.get(), unit.as_str())))
        .set(standings::state.eq(state.as_str()))
        .execute(conn)?;
    Ok(())
}

/// Takes a unit-year out: it does not count any more.
pub fn fall(conn: &mut AnyConnection, unit: &str, year: i64) -> QueryResult<()> {
    diesel::delete(
        standing_parts::table
            .filter(standing_parts::year.eq(year))
            .filter(standing_parts::unit_code.eq(unit)),
    )
    .execute(conn)?;
    diesel::delete(standings::table.find((year, unit))).execute(conn)?;
    Ok(())
}
