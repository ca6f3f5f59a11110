//! What is wrong with a row of a file: where it is, what stands there, why that is wrong, and what to do about it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::remedy::remedy;
use crate::fault::{Fault, Text};
use crate::http::problem::At;

/// One thing that is wrong with a row of an imported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportFault)]
pub struct RowFault {
    /// The row: the line of NDJSON, the row as spreadsheets number it; from 1, a table's heading included. Of a form, the row
    /// of the cell.
    #[schema(example = 7)]
    pub row: u64,
    /// The column as the file names it: a table's heading, or the dotted path in NDJSON; empty for the row as a whole. Of a
    /// form, the cell with its sheet (`附件2!F7`), or the sheet.
    #[schema(example = "上级单位编码")]
    pub column: String,
    /// JSON Pointer to the value in the row's document; empty for the row as a whole.
    #[schema(example = "/parent")]
    pub pointer: String,
    /// What stands there, shortened; `null` where nothing does.
    #[schema(example = "219")]
    pub value: Option<String>,
    /// A stable word for programs.
    #[schema(value_type = String, example = "unknown_unit")]
    pub code: String,
    /// What is wrong, in English.
    #[schema(example = "there is no unit 219; store it first")]
    pub detail: String,
    /// What is wrong, in Chinese.
    #[schema(example = "上级单位219不存在，请先录入。")]
    pub detail_zh: String,
    /// What to do about it, in English.
    #[schema(example = "Put the row of that unit before this one, or import the units first.")]
    pub hint: String,
    /// What to do about it, in Chinese.
    #[schema(example = "请将该单位所在行移至本行之前，或先行导入该单位。")]
    pub hint_zh: String,
}

/// How much of a value is shown.
const SHOWN: usize = 120;

impl RowFault {
    /// A fault of a row of which `document` could be read, in a file that has the places of documents in the row and column
    /// that `place` says.
    pub fn new(fault: Fault, document: Option<&Value>, place: &dyn Fn(&str) -> (u64, String)) -> Self {
        // The document as a whole is no value that anybody looks for.
        let value = document
            .filter(|_| !fault.pointer.is_empty())
            .and_then(|document| document.pointer(&fault.pointer))
            .and_then(shown);
        let hint = remedy(fault.code);
        let (row, column) = place(&fault.pointer);
        Self {
            row,
            column,
            value,
            code: fault.code.to_owned(),
            detail: fault.text.en.into_owned(),
            detail_zh: fault.text.zh.into_owned(),
            hint: hint.en.into_owned(),
            hint_zh: hint.zh.into_owned(),
            pointer: fault.pointer,
        }
    }

    /// A fault of a row as a whole.
    pub fn of_row(row: u64, code: &'static str, text: Text) -> Self {
        let fault = Fault {
            pointer: String::new(),
            code,
            text,
        };
        Self::new(fault, None, &|_| (row, String::new()))
    }

    /// A fault of one column.
    pub fn of_column(row: u64, column: &str, value: Option<&str>, code: &'static str, text: Text) -> Self {
        Self {
            column: cut(column),
            value: value.map(cut),
            ..Self::of_row(row, code, text)
        }
    }

    /// The row is longer than any that is read.
    pub fn too_long(row: u64) -> Self {
        Self::of_row(
            row,
            "row_too_long",
            Text::fixed("该行超过2MB，未读取。", "the row is longer than 2 MB and was not read"),
        )
    }

    /// The file cannot be read from this row on.
    pub fn unreadable(row: u64, reason: &str) -> Self {
        Self::of_row(
            row,
            "unreadable",
            Text::new(
                "自该行起文件无法读取，可能已损坏或未传输完整；请重新导出或另存后再导入。",
                format!("the file cannot be read from this row on: {reason}"),
            ),
        )
    }
}

impl From<RowFault> for At {
    fn from(fault: RowFault) -> Self {
        Self::in_row(
            fault.row,
            (fault.column, fault.value),
            (fault.pointer, fault.code),
            Text::new(fault.detail_zh, fault.detail),
            Text::new(fault.hint_zh, fault.hint),
        )
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(cut(text)),
        other => Some(cut(&other.to_string())),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// The dotted path that a JSON Pointer says.
pub fn dotted(pointer: &str) -> String {
    let parts = pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"));
    parts.collect::<Vec<_>>().join(".")
}
