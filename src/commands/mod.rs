//! What the command line does, where it is more than a call of the library.

pub mod config;
pub mod manager;
pub mod reload;
