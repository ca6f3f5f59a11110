//! Commands of the operator, a file for each.

pub mod backup;
pub mod migrate;
