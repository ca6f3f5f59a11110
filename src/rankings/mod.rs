//! Answers over all units of a year: the ranking (排名) and the summary (汇总).
//!
//! Both are read from standings, narrow rows that are written with each submission and review. See `store.rs` for what
//! each query reads, and `benches/ranking/` for what that takes.

pub mod handlers;
pub mod model;
pub mod ranking;
mod render;
pub mod store;
pub mod summary;
pub mod tally;
