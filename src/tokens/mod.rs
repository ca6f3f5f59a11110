//! Access tokens (访问令牌): made on the command line, stored hashed.

pub mod model;
pub mod store;
