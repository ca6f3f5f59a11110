//! What can be imported: per kind of row its key, its input, and the room that stores it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::model::Resource;
use super::typed::{FundKey, Key, UnitKey, YearKey};
use crate::codes::FiscalYear;
use crate::db::{Saved, Tx};
use crate::evaluations::parts::{self, Document};
use crate::http::auth::Principal;
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::scoring::assessment::Assessments;
use crate::scoring::sheet::BaseData;
use crate::special_funds;
use crate::special_funds::model::SpecialFundInput;
use crate::units;
use crate::units::model::UnitInput;

/// Who imports, and by which schemes rows are judged.
pub struct By<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// The schemes.
    pub library: &'a Library,
}

/// What became of each row: stored, or why not. The outer error is not of a row.
pub type Outcomes = Result<Vec<Result<Saved, Problem>>, Problem>;

/// A kind of rows.
pub trait Bulk: Send + Sync + 'static {
    /// What a row is addressed by.
    type Key: Key;
    /// What the single operation takes.
    type Input: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static;
    /// What it is called.
    const RESOURCE: Resource;
    /// How many rows share a transaction: some 50 ms of work, for which other writes wait.
    const BATCH: usize;

    /// Stores rows, in their order, by the rules of the single operation.
    ///
    /// # Errors
    /// What is not of a row.
    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&Self::Key, &Self::Input)]) -> Outcomes;
}

/// Units.
pub struct Units;
/// Base data sheets.
pub struct BaseDataSheets;
/// Assessments.
pub struct AssessmentForms;
/// Special funds.
pub struct SpecialFunds;

impl Bulk for Units {
    type Key = UnitKey;
    type Input = UnitInput;
    const RESOURCE: Resource = Resource::Units;
    const BATCH: usize = 5000;

    fn store(tx: &mut Tx<'_>, _: &By<'_>, rows: &[(&UnitKey, &UnitInput)]) -> Outcomes {
        let rows: Vec<_> = rows.iter().map(|(key, input)| (&key.code, *input)).collect();
        units::bulk::put_all(tx, &rows)
    }
}

impl Bulk for BaseDataSheets {
    type Key = YearKey;
    type Input = BaseData;
    const RESOURCE: Resource = Resource::BaseData;
    const BATCH: usize = 500;

    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&YearKey, &BaseData)]) -> Outcomes {
        documents(tx, by, rows)
    }
}

impl Bulk for AssessmentForms {
    type Key = YearKey;
    type Input = Assessments;
    const RESOURCE: Resource = Resource::Assessments;
    const BATCH: usize = 500;

    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&YearKey, &Assessments)]) -> Outcomes {
        documents(tx, by, rows)
    }
}

fn documents<T: Document>(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&YearKey, &T)]) -> Outcomes {
    let put = |&(key, document): &(&YearKey, &T)| {
        let at: (_, FiscalYear) = (key.unit.clone(), key.year);
        by_row(parts::put(tx, by.library, by.principal, &at, document))
    };
    rows.iter().map(put).collect()
}

impl Bulk for SpecialFunds {
    type Key = FundKey;
    type Input = SpecialFundInput;
    const RESOURCE: Resource = Resource::SpecialFunds;
    const BATCH: usize = 500;

    fn store(tx: &mut Tx<'_>, by: &By<'_>, rows: &[(&FundKey, &SpecialFundInput)]) -> Outcomes {
        let put = |&(key, input): &(&FundKey, &SpecialFundInput)| {
            by_row(special_funds::handlers::put_one(
                tx,
                by.library,
                by.principal,
                &key.id,
                input,
            ))
        };
        rows.iter().map(put).collect()
    }
}

/// Parts what went wrong with a row from what went wrong with the server.
fn by_row(outcome: Result<Saved, Problem>) -> Result<Result<Saved, Problem>, Problem> {
    match outcome {
        Err(problem) if !problem.is_of_the_request() => Err(problem),
        outcome => Ok(outcome),
    }
}
