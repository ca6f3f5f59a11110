//! The documents of a unit's year, such as the base data sheet and the assessments: each is filed, changed and taken away
//! by itself, and has a version of its own.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::handlers::{in_force, require, require_without_prior};
use super::locks::may_change;
use super::model::Row;
use super::store::{self, Context, FiledRow, Part};
use crate::checks::reasons::Reasons;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::{Action, Change};
use crate::db::{AnyConnection, Saved, Tx};
use crate::documents::narrative::Narrative;
use crate::http::auth::Principal;
use crate::http::body::MergePatch;
use crate::http::etag::{ETag, Preconditions};
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::prior::YearSheet;
use crate::scoring::sheet::BaseData;

/// A document of a unit's year.
pub trait Document: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Which of them.
    const PART: Part;

    /// Lets it pass if it fits the year.
    ///
    /// # Errors
    /// 422 with every fault that its own schema cannot see.
    fn check(&self, conn: &mut AnyConnection, library: &Library, context: &Context) -> Result<(), Problem>;
}

impl Document for BaseData {
    const PART: Part = Part::BaseData;

    fn check(&self, _: &mut AnyConnection, _: &Library, _: &Context) -> Result<(), Problem> {
        Ok(())
    }
}

impl Document for Assessments {
    const PART: Part = Part::Assessments;

    fn check(&self, conn: &mut AnyConnection, library: &Library, context: &Context) -> Result<(), Problem> {
        match self.faults(&in_force(conn, library, context)?.scheme) {
            faults if faults.is_empty() => Ok(()),
            faults => Err(Problem::invalid(faults)),
        }
    }
}

impl Document for Claims {
    const PART: Part = Part::Claims;

    fn check(&self, conn: &mut AnyConnection, library: &Library, context: &Context) -> Result<(), Problem> {
        match self.faults(&in_force(conn, library, context)?.scheme) {
            faults if faults.is_empty() => Ok(()),
            faults => Err(Problem::invalid(faults)),
        }
    }
}

impl Document for Reasons {
    const PART: Part = Part::Reasons;

    fn check(&self, _: &mut AnyConnection, _: &Library, _: &Context) -> Result<(), Problem> {
        match self.faults() {
            faults if faults.is_empty() => Ok(()),
            faults => Err(Problem::invalid(faults)),
        }
    }
}

impl Document for Narrative {
    const PART: Part = Part::Narrative;

    fn check(&self, _: &mut AnyConnection, _: &Library, _: &Context) -> Result<(), Problem> {
        Ok(())
    }
}

/// The stored document; `None` before it is filed.
///
/// # Errors
/// 500 if the table holds what this program cannot read.
pub(super) fn read<T: DeserializeOwned>(part: Part, row: Option<&Row>) -> Result<Option<T>, Problem> {
    let (text, _) = part.of(row);
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| Problem::internal(format!("a stored {part:?} cannot be read: {error}")))
}

/// The base data sheet of a unit's year with the gaps in last year's columns filled; an empty one before it is filed.
///
/// # Errors
/// 500 if the table holds what this program cannot read.
pub(super) fn year_sheet(conn: &mut AnyConnection, context: &Context) -> Result<YearSheet, Problem> {
    let own = read(Part::BaseData, context.evaluation.as_ref())?.unwrap_or_default();
    Ok(YearSheet::new(own, prior_sheet(conn, context)?.as_ref()))
}

/// The base data sheet of the year before; `None` where there is none.
///
/// # Errors
/// 500 if the table holds what this program cannot read.
pub(super) fn prior_sheet(conn: &mut AnyConnection, context: &Context) -> Result<Option<BaseData>, Problem> {
    let Some(prior) = &context.prior else {
        return Ok(None);
    };
    store::base_data(conn, &prior.unit, prior.year)?
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Problem::internal(format!("a stored sheet of {} cannot be read: {error}", prior.year)))
}

/// The sheet of a year with its gaps filled from `prior`, the text of the sheet of the year before, and the assessments.
///
/// # Errors
/// 500 if the table holds what this program cannot read.
pub fn figures(row: &FiledRow, prior: Option<&String>) -> Result<(YearSheet, Assessments), Problem> {
    fn read<T: DeserializeOwned>(unit: &str, text: Option<&String>) -> Result<Option<T>, Problem> {
        let read = text.map(|text| serde_json::from_str(text)).transpose();
        read.map_err(|error| Problem::internal(format!("what {unit} filed cannot be read: {error}")))
    }
    let own = read(&row.unit, row.base_data.as_ref())?.unwrap_or_default();
    let prior: Option<BaseData> = read(&row.unit, prior)?;
    let assessments = read(&row.unit, row.assessments.as_ref())?.unwrap_or_default();
    Ok((YearSheet::new(own, prior.as_ref()), assessments))
}

/// A unit's name, with its base data sheet of a year and the sheet of the year before; each `None` where it is not filed.
///
/// # Errors
/// 404 unless both exist, 403 for who may not see them, 500 if the table holds what this program cannot read.
pub fn sheets(
    conn: &mut AnyConnection,
    principal: &Principal,
    unit: &UnitCode,
    year: FiscalYear,
) -> Result<(String, [Option<BaseData>; 2]), Problem> {
    let context = require(conn, unit, year)?;
    principal.may_see(&context.unit_path)?;
    let own = read(Part::BaseData, context.evaluation.as_ref())?;
    let prior = prior_sheet(conn, &context)?;
    Ok((context.unit_name, [own, prior]))
}

/// The document as it is stored and its tag; `None` before it is filed.
///
/// The version counts on while the row is there; with the row it begins anew, and then the row's birth is another.
pub(super) fn stored(part: Part, row: Option<&Row>) -> Option<(&str, ETag)> {
    let row = row?;
    let (text, version) = part.of(Some(row));
    Some((text?, ETag::of(version, &row.created_at)))
}

/// 404: nobody has filed it.
pub(super) fn not_filed(part: Part, unit: &UnitCode, year: FiscalYear) -> Problem {
    let (zh, en) = match part {
        Part::BaseData => ("基础数据表", "base data sheet"),
        Part::Assessments => ("评价打分依据", "assessments"),
        Part::Claims => ("自填得分", "claims"),
        Part::Reasons => ("情况说明", "reasons"),
        Part::Narrative => ("自评报告文字部分", "narrative"),
    };
    Problem::not_found(
        format!("单位{unit}尚未填报{year}年度{zh}。"),
        format!("Unit {unit} has not filed its {en} for {year}."),
    )
}

/// What is to become of a document, given the one before.
pub(super) enum Wanted<T> {
    /// The document, and its text: written before the transaction, in which others wait.
    Put(T, String),
    /// The document, changed by this.
    Patch(MergePatch),
    /// None any more.
    Delete,
}

impl<B> Wanted<B> {
    /// The document as a whole.
    ///
    /// # Errors
    /// 500 if it cannot be written.
    pub(super) fn put<T: Document>(document: B) -> Result<Self, Problem>
    where
        B: Borrow<T>,
    {
        let text = text(document.borrow())?;
        Ok(Self::Put(document, text))
    }
}

fn text<T: Document>(document: &T) -> Result<String, Problem> {
    serde_json::to_string(document).map_err(|error| Problem::internal(error.to_string()))
}

/// A document as it is filed, with its unit and year.
pub type Filed = ((UnitCode, FiscalYear), Value);

/// A piece of the documents of one kind of all units' years, by unit and year: after `after`, at most `most`. `within`: only
/// of units at or below one of each list.
///
/// # Errors
/// Those of the database, and 500 for what this program cannot read.
pub fn walk(
    conn: &mut AnyConnection,
    part: Part,
    of: (Option<FiscalYear>, &[Vec<String>]),
    after: Option<&(UnitCode, FiscalYear)>,
    most: i64,
) -> Result<Vec<Filed>, Problem> {
    let read = |(unit, year, text): (String, i64, Option<String>)| {
        let document = serde_json::from_str(text.as_deref().unwrap_or("{}"));
        let document = document.map_err(|error| Problem::internal(format!("a {part:?} of {unit}: {error}")))?;
        let unit = UnitCode::try_from(unit).map_err(Problem::internal)?;
        Ok(((unit, FiscalYear::try_from(year).map_err(Problem::internal)?), document))
    };
    let rows = store::walk(conn, part, of, after, most)?;
    rows.into_iter().map(read).collect()
}

/// Files or replaces documents in their order, each as the single operation does, whatever is there before: what the rules look at is
/// read for all of them in a statement per year, and what changes is written in a few.
///
/// # Errors
/// What is not of a single document: the database failed.
pub fn put_all<T: Document>(
    tx: &mut Tx<'_>,
    library: &Library,
    principal: &Principal,
    documents: &[(&UnitCode, FiscalYear, &T)],
) -> Result<Vec<Result<Saved, Problem>>, Problem> {
    let mut of_years: BTreeMap<FiscalYear, BTreeSet<&UnitCode>> = BTreeMap::new();
    for (unit, year, _) in documents {
        of_years.entry(*year).or_default().insert(unit);
    }
    let mut contexts = BTreeMap::new();
    for (year, units) in of_years {
        let units = units.into_iter().map(UnitCode::to_string).collect();
        let found = store::contexts_without_prior(tx, units, year)?.into_iter();
        contexts.extend(found.map(|(unit, context)| ((unit, year), (context, false))));
    }
    let mut outcomes = Vec::with_capacity(documents.len());
    for &(unit, year, document) in documents {
        let outcome = match contexts.get_mut(&(unit.to_string(), year)) {
            // Says which of the two does not exist.
            None => require_without_prior(tx, unit, year).and(Err(Problem::internal("a unit's year appeared"))),
            Some((context, changed)) => {
                let (at, wanted) = ((unit, year), Wanted::put::<T>(document)?);
                let none = Preconditions::default();
                settle::<T, &T>(tx, library, principal, at, context, &wanted, &none).map(|(saved, text)| {
                    if text.is_some() {
                        let row = store::with_part(unit, year, context.evaluation.take(), T::PART, text);
                        context.evaluation = Some(row);
                        *changed = true;
                    }
                    saved
                })
            }
        };
        outcomes.push(match outcome {
            Err(problem) if !problem.is_of_the_request() => return Err(problem),
            outcome => outcome,
        });
    }
    let changed = contexts.into_values().filter(|(_, changed)| *changed);
    let rows: Vec<Row> = changed.filter_map(|(context, _)| context.evaluation).collect();
    store::put_all(tx, &rows)?;
    Ok(outcomes)
}

/// Makes of a document what is wanted; what became of it, and how it is now.
///
/// # Errors
/// 404 unless unit, year and what is to be changed exist; 403 and 409 for who may not change it, or not now; 412 if it is of another
/// version; 422 if it does not fit.
pub(super) fn apply<T: Document, B: Borrow<T>>(
    tx: &mut Tx<'_>,
    library: &Library,
    principal: &Principal,
    (unit, year): &(UnitCode, FiscalYear),
    wanted: &Wanted<B>,
    preconditions: &Preconditions,
) -> Result<(Saved, Option<(String, ETag)>), Problem> {
    let at = (unit, *year);
    let context = require_without_prior(tx, unit, *year)?;
    let (saved, text) = settle::<T, B>(tx, library, principal, at, &context, wanted, preconditions)?;
    let row = match saved {
        Saved::Unchanged => context.evaluation,
        _ => store::set(tx, unit, *year, context.evaluation, T::PART, text)?,
    };
    let after = stored(T::PART, row.as_ref()).map(|(text, etag)| (text.to_owned(), etag));
    Ok((saved, after))
}

/// Judges what is wanted of a document and records the change: what it is, and the document's new text, which is still to be stored.
fn settle<T: Document, B: Borrow<T>>(
    tx: &mut Tx<'_>,
    library: &Library,
    principal: &Principal,
    (unit, year): (&UnitCode, FiscalYear),
    context: &Context,
    wanted: &Wanted<B>,
    preconditions: &Preconditions,
) -> Result<(Saved, Option<String>), Problem> {
    principal.may_see(&context.unit_path)?;
    let before = stored(T::PART, context.evaluation.as_ref());
    if before.is_none() && !matches!(wanted, Wanted::Put(..)) {
        return Err(not_filed(T::PART, unit, year));
    }
    preconditions.check(before.as_ref().map(|(_, etag)| etag))?;
    let patched: T;
    let (document, text) = match wanted {
        Wanted::Put(document, text) => (Some(document.borrow()), Some(text.clone())),
        Wanted::Patch(patch) => {
            let old: T = read(T::PART, context.evaluation.as_ref())?.ok_or_else(|| not_filed(T::PART, unit, year))?;
            patched = patch.apply(&old)?;
            (Some(&patched), Some(text(&patched)?))
        }
        Wanted::Delete => (None, None),
    };
    if before.as_ref().map(|(text, _)| *text) == text.as_deref() {
        return Ok((Saved::Unchanged, None));
    }
    may_change(principal, year, &context.season, context.state()?)?;
    if let Some(refusal) = context.validity.refusal(unit, year) {
        return Err(Problem::unit_not_valid(refusal));
    }
    if let Some(document) = document {
        document.check(tx, library, context)?;
    }
    tx.record(Change {
        action: match (&before, &text) {
            (_, None) => Action::Deleted,
            (None, _) => Action::Created,
            (Some(_), _) => Action::Updated,
        },
        resource: T::PART.resource(),
        key: address(unit, year, T::PART),
        unit: Some(unit.as_str().to_owned()),
        year: Some(year.get()),
        after: text.clone(),
    })?;
    let saved = if before.is_none() {
        Saved::Created
    } else {
        Saved::Replaced
    };
    Ok((saved, text))
}

/// The address of a document.
pub(super) fn address(unit: &UnitCode, year: FiscalYear, part: Part) -> String {
    format!("/api/v1/units/{unit}/evaluations/{year}/{}", part.address())
}
