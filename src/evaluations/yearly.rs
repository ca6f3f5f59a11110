//! The documents of all units' years of one year, read in pieces: each begins where the one before it ended, so that nothing is
//! held in between, and takes a handful of statements, however many units it has.

use super::filing::Filing;
use super::handlers::in_force;
use super::store::{self, Context};
use super::submissions::{SubmissionDocument, compose};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::scoring::sheet::BaseData;

/// How many units are read at once: what each filed may be long.
const UNITS: i64 = 20;

/// What is still to be read of a year.
#[derive(Debug, Clone)]
pub struct Yearly {
    year: FiscalYear,
    within: Vec<Vec<String>>,
    after: String,
}

impl Yearly {
    /// All units that filed something for a year. `within`: only units at or below one of each list.
    pub fn new(year: FiscalYear, within: Vec<Vec<String>>) -> Self {
        Self {
            year,
            within,
            after: String::new(),
        }
    }

    /// The next documents by unit, none at the end: of each unit what counts as submitted, as it was frozen, else what submitting
    /// would make of its draft.
    ///
    /// # Errors
    /// Those of the database, and 500 for what this program cannot read.
    pub fn next(&mut self, conn: &mut AnyConnection, library: &Library) -> Result<Vec<SubmissionDocument>, Problem> {
        let rows = store::contexts(conn, (self.year, &self.within), &self.after, UNITS)?;
        if let Some((last, ..)) = rows.last() {
            self.after.clone_from(last);
        }
        let drafts = |row: &&(String, Context, Option<String>)| row.1.state().is_ok_and(|state| !state.counts());
        let drafts: Vec<&str> = rows.iter().filter(drafts).map(|(unit, ..)| unit.as_str()).collect();
        let priors = store::prior_sheets(conn, &drafts, self.year.get() - 1)?;
        let units = drafts.iter().map(|unit| (*unit).to_owned()).collect();
        let mut funds = store::funds_of(conn, units, self.year)?;
        let mut documents = Vec::with_capacity(rows.len());
        for (unit, context, document) in &rows {
            documents.push(match document {
                Some(document) if context.state()?.counts() => SubmissionDocument::read(document)?,
                _ => {
                    let prior: Option<BaseData> =
                        priors
                            .get(unit)
                            .map(|text| serde_json::from_str(text))
                            .transpose()
                            .map_err(|error| Problem::internal(format!("the sheet before that of {unit}: {error}")))?;
                    let compiled = in_force(conn, library, context)?;
                    let funds = funds.remove(unit).unwrap_or_default();
                    let filing = Filing::of(conn, library, &compiled, (self.year, context), prior, funds)?;
                    let findings = filing.findings();
                    let unit = UnitCode::try_from(unit.clone()).map_err(Problem::internal)?;
                    compose(filing, findings, &compiled, &unit, context)
                }
            });
        }
        Ok(documents)
    }
}
