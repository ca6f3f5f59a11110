//! Many units at once: what the rules look at is read for all of them in a few statements, and what is new is written in
//! one go. A unit that is there already and changes goes the way of the single operation.

use std::collections::{HashMap, HashSet};

use super::handlers::{address, find, placed, save, validity_in_order};
use super::model::{Row, Stored, UnitInput};
use super::store;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::{Change, Resource};
use crate::db::{AnyConnection, Saved, Tx, now};
use crate::http::problem::Problem;

/// Stores units in their order, each as the single operation does; later ones may name earlier ones.
///
/// # Errors
/// What is not of a single unit: the database failed.
pub fn put_all(tx: &mut Tx<'_>, rows: &[(&UnitCode, &UnitInput)]) -> Result<Vec<Result<Saved, Problem>>, Problem> {
    let at = now();
    let mut known = Known::load(tx, rows)?;
    let mut new: Vec<Row> = Vec::new();
    let mut outcomes = Vec::with_capacity(rows.len());
    for (code, input) in rows {
        if known.path(code).is_none() && input.continues().is_empty() {
            outcomes.push(match known.new_row(code, input, &at) {
                Ok(row) => {
                    known.learn(&row);
                    let after = (*input).clone().in_order();
                    tx.record(Change::saved(true, Resource::Unit, address(code), &after)?.of_unit(code.as_str()))?;
                    new.push(row);
                    Ok(Saved::Created)
                }
                Err(problem) => Err(problem),
            });
            continue;
        }
        if let Some(stored) = known.units.get(code.as_str())
            && UnitInput::try_from(stored).map_err(Problem::internal)? == (*input).clone().in_order()
        {
            outcomes.push(Ok(Saved::Unchanged));
            continue;
        }
        store::insert_all(tx, &std::mem::take(&mut new))?;
        let before = find(tx, code)?;
        let was = before
            .as_ref()
            .map(|stored| (stored.row.path.clone(), stored.row.version));
        known.forget_holder(before.as_ref());
        outcomes.push(match save(tx, code, before, input) {
            Ok(stored) => {
                known.learn(&stored.row);
                let saved = match &was {
                    None => Saved::Created,
                    Some((_, version)) if *version == stored.row.version => Saved::Unchanged,
                    Some(_) => Saved::Replaced,
                };
                // What is below it moved along.
                match was.is_some_and(|(path, _)| path != stored.row.path) {
                    true => known = Known::load(tx, rows)?,
                    false => drop(known.units.insert(stored.row.code.clone(), stored)),
                }
                Ok(saved)
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

/// All units in an order in which an empty service can store them: each after the unit above it and those that it
/// continues. Only units that continue others, and what is below those, wait in memory for it.
#[derive(Debug, Default, Clone)]
pub struct Walk {
    after: String,
    waiting: Vec<Stored>,
    /// The codes of those that wait.
    held: HashSet<String>,
}

impl Walk {
    /// The next units, of about `most`; none at the end. `within`: only units at or below one of each list.
    ///
    /// # Errors
    /// Those of the database, and 500 for what this program cannot read.
    pub fn next(
        &mut self,
        conn: &mut AnyConnection,
        (year, within): (Option<FiscalYear>, &[Vec<String>]),
        most: usize,
    ) -> Result<Vec<(UnitCode, UnitInput)>, Problem> {
        loop {
            let rows = store::walk(
                conn,
                (year, within),
                &self.after,
                i64::try_from(most).unwrap_or(i64::MAX),
            )?;
            let Some(last) = rows.last() else {
                return self.rest().iter().map(row).collect();
            };
            self.after.clone_from(&last.path);
            let mut ready = Vec::new();
            for stored in store::with_links(conn, rows)? {
                // Of those above it only the next can be new here: what is above that one made it wait.
                let above = stored.row.parent_code.as_ref();
                match !stored.predecessors.is_empty() || above.is_some_and(|above| self.held.contains(above)) {
                    true => {
                        self.held.insert(stored.row.code.clone());
                        self.waiting.push(stored);
                    }
                    false => ready.push(stored),
                }
            }
            if !ready.is_empty() {
                return ready.iter().map(row).collect();
            }
        }
    }

    /// What waits, in order. Those that wait for each other in a circle come last; a second import stores them.
    fn rest(&mut self) -> Vec<Stored> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut sorted = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let codes: HashSet<String> = waiting.iter().map(|stored| stored.row.code.clone()).collect();
            let (blocked, free): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|stored| {
                let mut named = stored.predecessors.iter().chain(&stored.row.parent_code);
                named.any(|code| codes.contains(code))
            });
            if free.is_empty() {
                sorted.extend(blocked);
                break;
            }
            sorted.extend(free);
            waiting = blocked;
        }
        sorted
    }
}

fn row(stored: &Stored) -> Result<(UnitCode, UnitInput), Problem> {
    let code = UnitCode::try_from(stored.row.code.clone()).map_err(Problem::internal)?;
    Ok((code, UnitInput::try_from(stored).map_err(Problem::internal)?))
}

/// What is stored of the units that some rows are of or name.
struct Known {
    /// Those that were read.
    units: HashMap<String, Stored>,
    /// The places in the hierarchy of those that were added.
    added: HashMap<String, String>,
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
            added: HashMap::new(),
            holders: store::holders_of(tx, &usccs)?.into_iter().collect(),
        })
    }

    /// The place of a unit in the hierarchy.
    fn path(&self, code: &UnitCode) -> Option<&str> {
        let read = || self.units.get(code.as_str()).map(|stored| &stored.row.path);
        self.added.get(code.as_str()).or_else(read).map(String::as_str)
    }

    /// The row of a unit that is new and continues none.
    fn new_row(&self, code: &UnitCode, input: &UnitInput, at: &str) -> Result<Row, Problem> {
        let above = input.parent.as_ref().and_then(|parent| self.path(parent));
        let holder = input.uscc.as_ref().and_then(|uscc| self.holders.get(uscc.as_str()));
        let (path, mut faults) = placed(code, input, above, holder.map(String::as_str));
        faults.extend(validity_in_order(input));
        match faults.is_empty() {
            true => Ok(Row::new(code, None, input, path, at)),
            false => Err(Problem::invalid(faults)),
        }
    }

    fn learn(&mut self, row: &Row) {
        if let Some(uscc) = &row.uscc {
            self.holders.insert(uscc.clone(), row.code.clone());
        }
        self.added.insert(row.code.clone(), row.path.clone());
    }

    fn forget_holder(&mut self, before: Option<&Stored>) {
        if let Some(uscc) = before.and_then(|stored| stored.row.uscc.as_ref()) {
            self.holders.remove(uscc);
        }
    }
}
