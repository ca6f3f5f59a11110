//! Bulk export (批量导出): what an import takes, in the same formats, so that a file that was exported imports again unchanged.
//!
//! Rows are read in pieces ([`rows`]) and written as lines or as a table ([`text`]), or into a workbook ([`xlsx`]); the columns
//! of tables are those by which imports read them.

pub mod handlers;
pub mod rows;
pub mod text;
pub mod xlsx;
