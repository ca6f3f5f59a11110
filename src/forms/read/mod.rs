//! Reads forms that were filled in: each sheet is one document, found by what is printed on it and not by where it stands.
//!
//! Tolerant of what offices do to a form: moved columns, empty rows, merged cells, figures as texts with spaces, commas or
//! full-width digits, 元 for 万元 where that is said. What cannot be told for sure is a fault that names its cell.

pub mod base_data;
pub mod figure;
pub mod form;
pub mod funds;
pub mod grid;
pub mod own;

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use calamine::{Reader, SheetVisible, Xlsx};

use self::form::Form;
use self::grid::Grid;
use super::terms::{FUND_HEAD, MONEY, plain};
use crate::fault::Text;
use crate::imports::fault::RowFault;
use crate::imports::model::Resource;
use crate::imports::read::{RawRow, ReadRow};

/// What a sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sheet {
    /// 附件1, from which nothing is read.
    Scores,
    /// 附件2.
    BaseData,
    /// 附件3.
    Fund,
    /// Nothing is filled in.
    Blank,
    /// Something else.
    Unknown,
}

/// How many sheets a workbook of forms has at most.
const MOST_SHEETS: usize = 500;
/// How many sheets are looked at to tell a workbook of forms from a table.
const LOOKED_AT: usize = 5;
/// In which rows the title stands.
const TITLE_ROWS: usize = 12;
/// On how many rows labels must stand for a sheet without a title to be a form: in a table all stand on one.
const LABELLED_ROWS: usize = 4;

impl Sheet {
    fn of(grid: &Grid) -> Self {
        if grid.rows.is_empty() {
            return Self::Blank;
        }
        let head = grid.rows.values().take(TITLE_ROWS).flat_map(|cells| cells.values());
        for cell in head {
            let title = plain(cell.shown());
            for (sheet, words) in [
                (Self::Scores, "评价指标评分表"),
                (Self::BaseData, "绩效评价基础数据表"),
                (Self::Fund, "绩效目标自评表"),
            ] {
                if title.contains(words) {
                    return sheet;
                }
            }
        }
        let mut labelled = (BTreeSet::new(), BTreeSet::new());
        for (row, cells) in &grid.rows {
            for cell in cells.values() {
                let label = plain(cell.shown());
                if base_data::is_row(&label) {
                    labelled.0.insert(*row);
                }
                if FUND_HEAD.iter().chain(&MONEY).any(|(known, _)| *known == label) {
                    labelled.1.insert(*row);
                }
            }
        }
        match (labelled.0.len(), labelled.1.len()) {
            (base_data, fund) if base_data >= LABELLED_ROWS && base_data > fund => Self::BaseData,
            (_, fund) if fund >= LABELLED_ROWS => Self::Fund,
            _ => Self::Unknown,
        }
    }
}

/// Whether a workbook holds forms, and not a table with a row for each document.
pub fn is_forms<R: Read + Seek>(book: &mut Xlsx<R>) -> bool {
    let names: Vec<String> = book.sheet_names().into_iter().take(LOOKED_AT).collect();
    names.iter().any(|name| {
        let sheet = Grid::read(book, name).map(|grid| Sheet::of(&grid));
        matches!(sheet, Ok(Sheet::Scores | Sheet::BaseData | Sheet::Fund))
    })
}

/// Hands the document of every form of a kind to `take`, each as a row with the number of its sheet, while it wants more;
/// whether it still does at the end.
pub fn documents<R: Read + Seek>(
    book: &mut Xlsx<R>,
    resource: Resource,
    take: &mut dyn FnMut(ReadRow) -> bool,
) -> bool {
    let wanted = match resource {
        Resource::SpecialFunds => Sheet::Fund,
        _ => Sheet::BaseData,
    };
    let sheets: Vec<(String, bool)> = book
        .sheets_metadata()
        .iter()
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect();
    if sheets.len() > MOST_SHEETS {
        let text = Text::new(
            format!(
                "工作簿有{}张工作表，最多可读取{MOST_SHEETS}张，请分成几个文件导入。",
                sheets.len()
            ),
            format!(
                "the workbook has {} sheets; at most {MOST_SHEETS} are read, split it into several files",
                sheets.len()
            ),
        );
        return take(Err(vec![RowFault::of_row(1, "too_many_sheets", text)]));
    }
    let mut found = false;
    for (n, (name, is_visible)) in sheets.iter().enumerate() {
        let number = n as u64 + 1;
        let of_sheet = |code: &'static str, text: Text| RawRow {
            number,
            json: Err(vec![RowFault::of_column(1, name, None, code, text)]),
            names: None,
        };
        let read = Grid::read(book, name).and_then(|mut grid| {
            let kind = Sheet::of(&grid);
            if kind == wanted && !grid.cut {
                grid.show_percent(book)?;
            }
            Ok((kind, grid))
        });
        let (kind, grid) = match read {
            Ok(read) => read,
            Err(error) => {
                let text = Text::new(
                    format!("工作表“{name}”无法读取，可能已损坏；请用Excel或WPS打开后另存，再行导入。"),
                    format!("the sheet \"{name}\" cannot be read: {error}"),
                );
                if !take(Ok(of_sheet("unreadable", text))) {
                    return false;
                }
                continue;
            }
        };
        let row = match kind {
            sheet if sheet == wanted && grid.cut => {
                found = true;
                let text = Text::new(
                    format!("工作表“{name}”过大，超出表式范围，未读取。"),
                    format!("the sheet \"{name}\" is larger than the form and was not read"),
                );
                Some(of_sheet("sheet_too_large", text))
            }
            sheet if sheet == wanted => {
                found = true;
                let form: Form<'_> = match wanted {
                    Sheet::Fund => funds::read(&grid),
                    _ => base_data::read(&grid),
                };
                match form.filled || !form.faults.is_empty() {
                    true => Some(form.finish(number)),
                    // A sheet that nobody filled in says nothing, and replaces nothing.
                    false if wanted == Sheet::Fund && sheets.len() > 1 => None,
                    false => {
                        let text = Text::new(
                            format!("工作表“{name}”未填写任何内容。"),
                            format!("nothing is filled in on the sheet \"{name}\""),
                        );
                        Some(of_sheet("empty_form", text))
                    }
                }
            }
            Sheet::Unknown if *is_visible => {
                let text = Text::new(
                    format!("工作表“{name}”不是附件1、附件2或附件3，无法确定其内容。"),
                    format!("the sheet \"{name}\" is none of the forms 附件1, 附件2, 附件3"),
                );
                Some(of_sheet("unknown_sheet", text))
            }
            _ => None,
        };
        if let Some(row) = row
            && !take(Ok(row))
        {
            return false;
        }
    }
    if !found {
        let (zh, en) = match wanted {
            Sheet::Fund => ("附件3", "special funds (附件3)"),
            _ => ("附件2", "base data (附件2)"),
        };
        let text = Text::new(
            format!("工作簿中没有{zh}。"),
            format!("the workbook has no form of {en}"),
        );
        return take(Err(vec![RowFault::of_row(1, "missing_form", text)]));
    }
    true
}
