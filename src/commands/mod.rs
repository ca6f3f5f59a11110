//! Commands of the operator, a file for each.

pub mod backup;
pub mod check;
pub mod migrate;
