//! From the bytes of a file to its rows: each a JSON text with its number, or why it is none. Knows neither what the rows
//! mean nor where they go.

pub mod columns;
pub mod encoding;
pub mod ndjson;
pub mod table;
pub mod xlsx;

use std::collections::HashMap;
use std::sync::Arc;

use super::fault::RowFault;

/// The longest row that is read, in bytes: as much as a whole body by itself may have.
pub const LONGEST_ROW: usize = 2 << 20;

/// Where a file has the places of a row's document, by dotted path.
pub type Names = Arc<HashMap<String, Place>>;

/// Where a file has a place of a document.
#[derive(Debug, Clone)]
pub struct Place {
    /// The row, where it is not that of the whole document.
    pub row: Option<u64>,
    /// A column's heading, or a cell.
    pub name: String,
}

/// A row of a file.
#[derive(Debug)]
pub struct RawRow {
    /// Which one: the line of NDJSON, the row of a table as spreadsheets number it, the sheet of a form; from 1.
    pub number: u64,
    /// The row as a JSON object, or what is wrong with it before that can be told.
    pub json: Result<Vec<u8>, Vec<RowFault>>,
    /// How the file names its places; `None` where it names them by their paths.
    pub names: Option<Names>,
}

/// A row, or why neither it nor what comes after it can be read.
pub type ReadRow = Result<RawRow, Vec<RowFault>>;
