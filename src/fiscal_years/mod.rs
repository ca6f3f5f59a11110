//! Fiscal years (年度): which scheme is in force, when units file, and whether they still may.

pub mod handlers;
pub mod model;
pub mod roll_over;
pub mod store;
