//! The change feed (变更事件): what other systems follow, as CloudEvents 1.0, in the order in which it was committed.

pub mod bell;
pub mod handlers;
pub mod model;
pub mod store;
mod stream;
