//! The scoring core: what the project exists for. Pure: no HTTP, no database, no clock, no files.
//!
//! A [`scheme::Scheme`] is data; [`engine::score`] applies it to a unit's figures and assessments, or to a special
//! fund's table, and answers a [`score::Score`] that says why. All arithmetic is on exact decimals.

pub mod assessment;
pub mod builtin;
pub mod claims;
pub mod compare;
pub mod completeness;
pub mod engine;
mod explain;
pub mod formula;
pub mod gaps;
pub mod printed;
pub mod prior;
pub mod review;
pub mod rule;
pub mod scheme;
pub mod scheme_diff;
pub mod score;
pub mod sensitivity;
pub mod sheet;
pub mod special_fund;
pub mod tagged;
pub mod text;
pub mod values;
pub mod variables;
pub mod what_if;

pub use engine::{Case, score};
pub use scheme::Scheme;
pub use score::Score;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod properties;
