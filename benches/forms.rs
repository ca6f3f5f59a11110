//! What the forms of a unit cost as a workbook, and those of 200 units as an archive; beside writing the same bytes to a file.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

fn main() {}
