//! Many units at once: what the rules look at is read for all of them in a few statements, and what is new is written in
//! one go. A unit that is there already and changes goes the way of the single operation.

use std::collections::HashMap;

use super::handlers::{address, find, placed, save, validity_in_order};
use super::model::{Row, Stored, UnitInput};
use super::store;
use crate::codes::UnitCode;
use crate::db::changes::{Change, Resource};
use crate::db::{Saved, Tx};
use crate::http::problem::Problem;

/// Stores units in their order, each as the single operation does; later ones may name earlier ones.
///
/// # Errors
/// What is not of a single unit: the database failed.
pub fn put_all(tx: &mut Tx<'_>, rows: &[(&UnitCode, &UnitInput)]) -> Result<Vec<Result<Saved, Problem>>, Problem> {
    let mut known = Known::load(tx, rows)?;
    let mut new: Vec<Row> = Vec::new();
    let mut outcomes = Vec::with_capacity(rows.len());
    for (code, input) in rows {
        let before = known.units.get(code.as_str());
        if before.is_none() && input.continues().is_empty() {
            outcomes.push(match known.new_row(code, input) {
                Ok(row) => {
                    known.learn(&Stored::new(row.clone()));
                    let after = (*input).clone().in_order();
                    tx.record(Change::saved(true, Resource::Unit, address(code), &after)?.of_unit(code.as_str()))?;
                    new.push(row);
                    Ok(Saved::Created)
                }
                Err(problem) => Err(problem),
            });
            continue;
        }
        if let Some(stored) = before
            && UnitInput::try_from(stored).map_err(Problem::internal)? == (*input).clone().in_order()
        {
            outcomes.push(Ok(Saved::Unchanged));
            continue;
        }
        store::insert_all(tx, &std::mem::take(&mut new))?;
        let before = find(tx, code)?;
        let (was_there, path) = (before.is_some(), before.as_ref().map(|stored| stored.row.path.clone()));
        known.forget_holder(before.as_ref());
        outcomes.push(match save(tx, code, before, input) {
            Ok(stored) => {
                // What is below it moved along.
                let moved = path.is_some_and(|path| path != stored.row.path);
                known.learn(&stored);
                if moved {
                    known = Known::load(tx, rows)?;
                }
                Ok(if was_there { Saved::Replaced } else { Saved::Created })
            }
            Err(problem) if problem.is_of_the_request() => {
                known = Known::load(tx, rows)?;
                Err(problem)
            }
            Err(problem) => return Err(problem),
        });
    }
    store::insert_all(tx, &new)?;
    Ok(outcomes)
}

/// What is stored of the units that some rows are of or name.
struct Known {
    units: HashMap<String, Stored>,
    /// The units that have a unified social credit code.
    holders: HashMap<String, String>,
}

impl Known {
    fn load(tx: &mut Tx<'_>, rows: &[(&UnitCode, &UnitInput)]) -> Result<Self, Problem> {
        let parents = rows.iter().filter_map(|(_, input)| input.parent.as_ref());
        let mut codes: Vec<&str> = rows
            .iter()
            .map(|(code, _)| *code)
            .chain(parents)
            .map(UnitCode::as_str)
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let found = store::find_all(tx, &codes)?;
        let stored = store::with_links(tx, found)?;
        let usccs: Vec<&str> = rows
            .iter()
            .filter_map(|(_, input)| input.uscc.as_ref())
            .map(|uscc| uscc.as_str())
            .collect();
        Ok(Self {
            units: stored
                .into_iter()
                .map(|stored| (stored.row.code.clone(), stored))
                .collect(),
            holders: store::holders_of(tx, &usccs)?.into_iter().collect(),
        })
    }

    /// The row of a unit that is new and continues none.
    fn new_row(&self, code: &UnitCode, input: &UnitInput) -> Result<Row, Problem> {
        let above = input
            .parent
            .as_ref()
            .and_then(|parent| self.units.get(parent.as_str()))
            .map(|stored| stored.row.path.as_str());
        let holder = input.uscc.as_ref().and_then(|uscc| self.holders.get(uscc.as_str()));
        let (path, mut faults) = placed(code, input, above, holder.map(String::as_str));
        faults.extend(validity_in_order(input));
        match faults.is_empty() {
            true => Ok(Row::new(code, None, input, path)),
            false => Err(Problem::invalid(faults)),
        }
    }

    fn learn(&mut self, stored: &Stored) {
        if let Some(uscc) = &stored.row.uscc {
            self.holders.insert(uscc.clone(), stored.row.code.clone());
        }
        self.units.insert(stored.row.code.clone(), stored.clone());
    }

    fn forget_holder(&mut self, before: Option<&Stored>) {
        if let Some(uscc) = before.and_then(|stored| stored.row.uscc.as_ref()) {
            self.holders.remove(uscc);
        }
    }
}
