//! Special funds (专项资金): the money, the targets, and the score that follows.

pub mod continuing;
pub mod handlers;
pub mod model;
pub mod saving;
pub mod store;
