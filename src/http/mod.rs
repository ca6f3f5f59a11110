//! What every resource needs of HTTP, in the order that a request meets it.
//!
//! `middleware` (request id, log) → `shape` (304, `Prefer`, `fields`) → `resource` (method or 405) → `auth`,
//! `gate` (who) → `path`, `query`, `body` (what, every fault named) → `etag` (which version) → `page` (lists) → `problem` (errors).

pub mod accept;
pub mod answers;
pub mod arrival;
pub mod auth;
pub mod body;
pub mod client;
pub mod contract;
pub mod cors;
pub mod docs;
pub mod download;
pub mod duplicates;
pub mod etag;
pub mod expand;
pub mod fields;
pub mod gate;
pub mod kinds;
pub mod language;
pub mod limits;
pub mod links;
pub mod load;
pub mod members;
pub mod middleware;
pub mod network;
pub mod page;
pub mod path;
pub mod problem;
pub mod query;
pub mod resource;
pub mod responses;
pub mod shape;
pub mod tls;
