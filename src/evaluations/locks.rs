//! Whether what is filed for a unit's year can be changed: the year must be open, nothing may be submitted, and units are
//! bound to the filing window. Held by everything that changes a score: the parts of an evaluation, and special funds.

use super::workflow::{Action, State, allowed};
use crate::codes::FiscalYear;
use crate::db::today;
use crate::fiscal_years::model::Season;
use crate::http::auth::Principal;
use crate::http::kinds;
use crate::http::problem::Problem;
use crate::tokens::model::Role;

/// Lets a change of what is filed pass.
///
/// # Errors
/// 409: the year is closed, what was submitted is locked, or a unit's token is outside the filing window.
pub fn may_change(principal: &Principal, year: FiscalYear, season: &Season, state: State) -> Result<(), Problem> {
    must_be_open(year, season)?;
    if !state.can_be_edited() {
        return Err(Problem::new(
            &kinds::LOCKED,
            format!("{year}年度自评当前状态为“{}”，不能修改。", state.zh()),
            format!("The evaluation for {year} is {state}; what was submitted does not change."),
        )
        .in_state(state.as_str(), words(&actions(principal, season, state))));
    }
    must_be_in_window(principal, year, season, state)
}

/// Lets through while the year is open.
///
/// # Errors
/// 409 when it is closed.
pub fn must_be_open(year: FiscalYear, season: &Season) -> Result<(), Problem> {
    match season.is_open() {
        true => Ok(()),
        false => Err(Problem::closed(year)),
    }
}

/// Lets the bureau through, and units within the filing window or with what was returned to them.
///
/// # Errors
/// 409 that says the days.
pub fn must_be_in_window(
    principal: &Principal,
    year: FiscalYear,
    season: &Season,
    state: State,
) -> Result<(), Problem> {
    let today = today();
    if principal.role != Role::Unit || state == State::Returned || season.has(&today) {
        return Ok(());
    }
    let (zh, en) = match (&season.opens_on, &season.closes_on) {
        (Some(opens), Some(closes)) => (format!("{opens}至{closes}"), format!("from {opens} to {closes}")),
        (Some(opens), None) => (format!("{opens}起"), format!("from {opens} on")),
        (None, Some(closes)) => (format!("{closes}止"), format!("until {closes}")),
        (None, None) => (String::new(), String::new()),
    };
    Err(Problem::new(
        &kinds::OUTSIDE_WINDOW,
        format!("{year}年度填报期为{zh}，今天是{today}。"),
        format!("Units file for {year} {en}; today it is {today} in China."),
    ))
}

/// What this token may do with an evaluation in this state now.
pub fn actions(principal: &Principal, season: &Season, state: State) -> Vec<Action> {
    match season.is_open() {
        true => {
            let in_window = principal.role != Role::Unit || season.has(&today());
            allowed(state, principal.permissions, in_window)
        }
        false => Vec::new(),
    }
}

/// The words of these actions.
pub fn words(actions: &[Action]) -> Vec<&'static str> {
    actions.iter().map(|action| action.as_str()).collect()
}
