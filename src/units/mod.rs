//! Budget units (预算单位): towns, departments and what is below them.

pub mod bulk;
pub mod handlers;
pub mod model;
pub mod store;
