//! Access tokens (访问令牌): who may call, for what, and until when. Secrets are stored hashed.

pub mod handlers;
pub mod model;
pub mod permission;
pub mod store;
