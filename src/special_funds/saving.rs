//! Stores funds, one or many, by the same rules: what these look at is read for all of them in a few statements, and what
//! changes is written in a few.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::model::{Row, SpecialFundInput};
use super::store::{self, Referent};
use crate::codes::{FiscalYear, FundId};
use crate::db::{AnyConnection, Saved, Tx};
use crate::evaluations::locks::may_change;
use crate::evaluations::workflow::State;
use crate::fault::{Fault, Text};
use crate::fiscal_years::model::Season;
use crate::http::auth::Principal;
use crate::http::etag::Preconditions;
use crate::http::problem::{At, Problem};
use crate::schemes::library::{Compiled, Library, Unfit};
use crate::scoring::special_fund::{MOST_FUNDS, target_faults};
use crate::scoring::text::SchemeId;

/// Stores a fund: a new one, or in place of the one of that id.
///
/// # Errors
/// 403 and 409 for who may not change it, or not now; 409 for a name that is taken; 412 if it is of another version; 422 if it does
/// not fit.
pub(super) fn put(
    tx: &mut Tx<'_>,
    library: &Library,
    principal: &Principal,
    id: &FundId,
    preconditions: &Preconditions,
    input: &SpecialFundInput,
) -> Result<(Saved, Row), Problem> {
    let known = Known::load(tx, library, &[(id, input)])?;
    let (saved, row) = known.judge(principal, id, preconditions, input)?;
    if saved != Saved::Unchanged {
        store::put_all(tx, std::slice::from_ref(&row))?;
        tx.record(row.change(saved == Saved::Created)?)?;
    }
    Ok((saved, row))
}

/// Stores funds in their order, each as the single operation does, whatever is there before.
///
/// # Errors
/// What is not of a single fund: the database failed.
pub fn put_all(
    tx: &mut Tx<'_>,
    library: &Library,
    principal: &Principal,
    funds: &[(&FundId, &SpecialFundInput)],
) -> Result<Vec<Result<Saved, Problem>>, Problem> {
    let mut known = Known::load(tx, library, funds)?;
    let mut outcomes = Vec::with_capacity(funds.len());
    // Written together, but for a fund that comes again: names may have gone from one to another in between.
    let (mut changed, mut ids) = (Vec::new(), HashSet::new());
    for &(id, input) in funds {
        outcomes.push(match known.judge(principal, id, &Preconditions::default(), input) {
            Ok((Saved::Unchanged, _)) => Ok(Saved::Unchanged),
            Ok((saved, row)) => {
                if !ids.insert(id) {
                    store::put_all(tx, &std::mem::take(&mut changed))?;
                    ids = HashSet::from([id]);
                }
                tx.record(row.change(saved == Saved::Created)?)?;
                known.learn(&row);
                changed.push(row);
                Ok(saved)
            }
            Err(problem) if problem.is_of_the_request() => Err(problem),
            Err(problem) => return Err(problem),
        });
    }
    store::put_all(tx, &changed)?;
    Ok(outcomes)
}

/// Lets a change of a stored fund pass: a fund is a part of what its unit submits.
///
/// # Errors
/// 409 for a year that is closed or a filing window that is over, and for what is submitted.
pub(super) fn refuse_locked(conn: &mut AnyConnection, principal: &Principal, row: &Row) -> Result<(), Problem> {
    let mut known = Known::default();
    known.load_years(conn, BTreeSet::from([(row.year, row.unit_code.as_str())]))?;
    known.refuse_locked(principal, row)
}

/// What is stored that the rules of some funds look at.
#[derive(Default)]
struct Known {
    /// Those of their ids.
    funds: HashMap<String, Row>,
    /// The schemes that they name.
    schemes: HashMap<SchemeId, Result<Compiled, Unfit>>,
    /// Their units, and those of the stored ones.
    units: HashMap<String, Referent>,
    /// When units file, by year.
    seasons: HashMap<i64, Season>,
    /// The state of evaluations, as a word, by unit and year.
    states: HashMap<(String, i64), String>,
    /// The ids of all funds of their units' years, by name.
    names: HashMap<(String, i64), HashMap<String, String>>,
}

impl Known {
    /// A handful of statements, and two for each year and one for each scheme that is named.
    fn load(
        conn: &mut AnyConnection,
        library: &Library,
        funds: &[(&FundId, &SpecialFundInput)],
    ) -> Result<Self, Problem> {
        let mut known = Self::default();
        let ids = funds.iter().map(|(id, _)| id.as_str()).collect();
        let stored = store::find_all(conn, ids)?;
        let mut years: BTreeSet<(i64, &str)> = stored.iter().map(|row| (row.year, &*row.unit_code)).collect();
        years.extend(funds.iter().map(|(_, fund)| (fund.year.get(), fund.unit.as_str())));
        known.load_years(conn, years)?;
        for (_, fund) in funds {
            if !known.schemes.contains_key(&fund.scheme) {
                let compiled = library.find(conn, &fund.scheme)?;
                known.schemes.insert(fund.scheme.clone(), compiled);
            }
        }
        known.funds = stored.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(known)
    }

    /// What is stored of years of units, and these units.
    fn load_years(&mut self, conn: &mut AnyConnection, years: BTreeSet<(i64, &str)>) -> Result<(), Problem> {
        self.units = store::units(conn, years.iter().map(|(_, unit)| *unit).collect())?;
        let mut of_years: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for (year, unit) in years {
            of_years.entry(year).or_default().push(unit);
        }
        self.seasons = store::seasons(conn, of_years.keys().copied())?;
        for (year, units) in of_years {
            for (unit, state) in store::states(conn, year, &units)? {
                self.states.insert((unit, year), state);
            }
            for (unit, name, id) in store::names(conn, year, &units)? {
                self.names.entry((unit, year)).or_default().insert(name, id);
            }
        }
        Ok(())
    }

    /// The state of a unit's evaluation.
    fn state(&self, unit: &str, year: i64) -> Result<State, Problem> {
        let word = self.states.get(&(unit.to_owned(), year));
        word.map_or(Ok(State::NotStarted), |word| word.parse().map_err(Problem::internal))
    }

    fn refuse_locked(&self, principal: &Principal, row: &Row) -> Result<(), Problem> {
        let year = FiscalYear::try_from(row.year).map_err(Problem::internal)?;
        let state = self.state(&row.unit_code, row.year)?;
        let season = self.seasons.get(&row.year);
        season.map_or(Ok(()), |season| may_change(principal, year, season, state))
    }

    /// What becomes of a fund, and the row that says so.
    fn judge(
        &self,
        principal: &Principal,
        id: &FundId,
        preconditions: &Preconditions,
        input: &SpecialFundInput,
    ) -> Result<(Saved, Row), Problem> {
        let before = self.funds.get(id.as_str());
        if let Some((unit_path, _)) = before.and_then(|row| self.units.get(&row.unit_code)) {
            principal.may_see(unit_path)?;
        }
        preconditions.check(before.map(Row::etag).as_ref())?;
        if let Some(row) = before {
            if row.input()? == *input {
                return Ok((Saved::Unchanged, row.clone()));
            }
            self.refuse_locked(principal, row)?;
        }
        let place = (input.unit.to_string(), input.year.get());
        let names = self.names.get(&place);
        let mut faults = Vec::new();
        match self.units.get(&place.0) {
            Some((path, validity)) => {
                principal.may_see(path)?;
                if let Some(refusal) = validity.refusal(&input.unit, input.year) {
                    faults.push(Fault {
                        pointer: "/year".to_owned(),
                        code: "outside_validity",
                        text: refusal,
                    });
                }
            }
            None => faults.push(Fault::new(
                "/unit",
                "unknown_unit",
                format!("单位{}不存在，请先录入。", input.unit),
                format!("there is no unit {}; store it first", input.unit),
            )),
        }
        let season = self.seasons.get(&place.1);
        if season.is_none() {
            faults.push(Fault::new(
                "/year",
                "unknown_year",
                format!("{}年度尚未设置，请先设置。", input.year),
                format!("fiscal year {} is not set up", input.year),
            ));
        }
        let stays = before.is_some_and(|row| row.unit_code == place.0 && row.year == place.1);
        if !stays && names.is_some_and(|names| names.len() as i64 >= MOST_FUNDS) {
            faults.push(Fault::new(
                "/unit",
                "too_many",
                format!(
                    "单位{}在{}年度已有{MOST_FUNDS}项专项资金，不能再增加。",
                    input.unit, input.year
                ),
                format!(
                    "unit {} has {MOST_FUNDS} special funds in {} already",
                    input.unit, input.year
                ),
            ));
        }
        match self.schemes.get(&input.scheme) {
            None | Some(Err(Unfit::Unknown)) => faults.push(Unfit::Unknown.fault(&input.scheme)),
            Some(Err(unfit)) => faults.push(unfit.fault(&input.scheme)),
            Some(Ok(compiled)) => faults.extend(target_faults(&input.targets, &compiled.scheme)),
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        if let Some(season) = season {
            may_change(principal, input.year, season, self.state(&place.0, place.1)?)?;
        }
        let holder = names.and_then(|names| names.get(input.name.as_str()));
        if let Some(other) = holder.filter(|holder| *holder != id.as_str()) {
            let text = Text::new(
                format!("该单位{}年度已有同名专项资金（{other}）。", input.year),
                format!("The unit has a special fund of that name in {} ({other}).", input.year),
            );
            return Err(Problem::already_exists(text.zh.clone(), text.en.clone())
                .with_errors([At::body("/name", "taken", text)]));
        }
        let saved = match before {
            None => Saved::Created,
            Some(_) => Saved::Replaced,
        };
        Ok((saved, Row::new(id, before, input)?))
    }

    /// Notes what is to be stored, for the funds after it.
    fn learn(&mut self, row: &Row) {
        if let Some(before) = self.funds.get(&row.id)
            && let Some(names) = self.names.get_mut(&(before.unit_code.clone(), before.year))
        {
            names.remove(&before.name);
        }
        let names = self.names.entry((row.unit_code.clone(), row.year)).or_default();
        names.insert(row.name.clone(), row.id.clone());
        self.funds.insert(row.id.clone(), row.clone());
    }
}
