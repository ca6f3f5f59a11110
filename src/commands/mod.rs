//! What the command line does, where it is more than a call of the library: a file for each command.

pub mod backup;
pub mod check;
pub mod config;
pub mod manager;
pub mod migrate;
pub mod reload;
