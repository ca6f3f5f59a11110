//! From the bytes of a file to its rows: each a JSON text with its number, or why it is none. Knows neither what the rows
//! mean nor where they go.

pub mod columns;
pub mod encoding;
pub mod ndjson;
pub mod table;
pub mod xlsx;

use super::fault::RowFault;

/// The longest row that is read, in bytes: as much as a whole body by itself may have.
pub const LONGEST_ROW: usize = 2 << 20;

/// A row of a file.
#[derive(Debug)]
pub struct RawRow {
    /// Which one: the line of NDJSON, the row of a table as spreadsheets number it; from 1.
    pub number: u64,
    /// The row as a JSON object, or what is wrong with it before that can be told.
    pub json: Result<Vec<u8>, Vec<RowFault>>,
}

/// A row, or why neither it nor what comes after it can be read.
pub type ReadRow = Result<RawRow, Vec<RowFault>>;
