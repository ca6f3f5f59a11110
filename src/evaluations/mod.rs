//! A unit's year (部门整体支出绩效自评): its base data sheet, its assessments, and the score that follows.

pub mod cache;
pub mod checks;
pub mod filing;
pub mod handlers;
pub mod model;
pub mod parts;
pub mod scheme_change;
pub mod store;
