//! A unit over the years: what counts of each, also of the units that it continues (机构改革).

pub mod handlers;
pub mod model;
pub mod store;
