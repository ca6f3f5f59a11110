//! Bulk import (批量导入): a file of many rows, each of which is stored as the single operation would store it.
//!
//! A file becomes rows ([`read`]), a row becomes the input of its resource or faults ([`typed`]), and the room of the
//! resource stores inputs by the rules that its single operations have. [`run`] takes a file through that, in transactions
//! of some thousand rows or in one.

pub mod fault;
pub mod file;
pub mod handlers;
pub mod kinds;
pub mod model;
pub mod read;
pub mod remedy;
pub mod retention;
pub mod run;
pub mod store;
pub mod typed;
