//! The rows of an export, read in pieces: each begins where the one before it ended, so that nothing is held in between, however
//! slowly a client reads.

use serde_json::Value;

use crate::codes::{FiscalYear, FundId, UnitCode};
use crate::db::AnyConnection;
use crate::evaluations::parts;
use crate::evaluations::store::Part;
use crate::http::problem::Problem;
use crate::imports::model::Resource;
use crate::imports::typed::{FundKey, UnitKey, YearKey, document};
use crate::special_funds;
use crate::units::bulk;

/// How many rows are read at once: of units, and of what can be long.
const UNITS: usize = 1000;
const DOCUMENTS: i64 = 100;

/// What is still to be read.
#[derive(Debug, Clone)]
pub struct Rows {
    year: Option<FiscalYear>,
    within: Vec<Vec<String>>,
    rest: Rest,
}

#[derive(Debug, Clone)]
enum Rest {
    Units(bulk::Walk),
    Documents(Part, Option<(UnitCode, FiscalYear)>),
    Funds(Option<FundId>),
}

impl Rows {
    /// All rows of a resource. `year`: only of that year, which for units is those that file for it; `within`: only of units
    /// at or below one of each list.
    pub fn new(resource: Resource, year: Option<FiscalYear>, within: Vec<Vec<String>>) -> Self {
        let rest = match resource {
            Resource::Units => Rest::Units(bulk::Walk::default()),
            Resource::BaseData => Rest::Documents(Part::BaseData, None),
            Resource::Assessments => Rest::Documents(Part::Assessments, None),
            Resource::SpecialFunds => Rest::Funds(None),
        };
        Self { year, within, rest }
    }

    /// The next rows, each as the import of its resource takes it, in an order in which an empty service can store them; none
    /// at the end.
    ///
    /// # Errors
    /// Those of the database, and 500 for what this program cannot read.
    pub fn next(&mut self, conn: &mut AnyConnection) -> Result<Vec<Value>, Problem> {
        let of = (self.year, self.within.as_slice());
        let rows: Result<_, serde_json::Error> = match &mut self.rest {
            Rest::Units(walk) => {
                let units = walk.next(conn, of, UNITS)?.into_iter();
                units.map(|(code, unit)| document(&UnitKey { code }, &unit)).collect()
            }
            Rest::Documents(part, after) => {
                let filed = parts::walk(conn, *part, of, after.as_ref(), DOCUMENTS)?;
                if let Some((last, _)) = filed.last() {
                    *after = Some(last.clone());
                }
                let filed = filed.into_iter();
                filed
                    .map(|((unit, year), filed)| document(&YearKey { unit, year }, &filed))
                    .collect()
            }
            Rest::Funds(after) => {
                let funds = special_funds::handlers::walk(conn, of, after.as_ref(), DOCUMENTS)?;
                if let Some((last, _)) = funds.last() {
                    *after = Some(last.clone());
                }
                let funds = funds.into_iter();
                funds.map(|(id, fund)| document(&FundKey { id }, &fund)).collect()
            }
        };
        rows.map_err(|error| Problem::internal(error.to_string()))
    }
}
