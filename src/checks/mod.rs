//! Cross-checks (勾稽关系): what a reviewer looks for in a unit's year, between its years, forms and points.
//!
//! Pure, like [`crate::scoring`]: [`catalogue::CATALOGUE`] is data, [`facts::Facts`] are data, out come
//! [`finding::Finding`]s. Most checks are relations between formulas over the base data sheet; a few are functions.

pub mod catalogue;
pub mod cause;
mod claims;
pub mod facts;
pub mod finding;
mod forms;
pub mod judged;
mod listed;
pub mod reasons;
mod relation;
mod score;
mod sheet;
pub mod table;
mod wording;
mod years;

pub use catalogue::findings;

#[cfg(test)]
mod tests;
