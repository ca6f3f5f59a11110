//! What to do about a fault of a row, by its code.

use crate::fault::Text;

/// What to do about a fault of this code.
pub fn remedy(code: &str) -> Text {
    let known = REMEDIES.iter().find(|(codes, ..)| codes.contains(&code));
    known.map_or(OTHERWISE, |(_, zh, en)| Text::fixed(zh, en))
}

const OTHERWISE: Text = Text::fixed("请更正该值后重新导入。", "Correct the value and import the file again.");

const REMEDIES: &[(&[&str], &str, &str)] = &[
    (
        &["missing_field"],
        "请填写该列后重新导入。",
        "Fill in the column and import the file again.",
    ),
    (
        &["unknown_field", "unknown_column", "too_many_columns"],
        "请更正列名，或删除该列；可用列名见导出文件的表头。",
        "Correct the column's name or take the column out; an export shows the names.",
    ),
    (
        &["unclosed_quote"],
        "请补上缺少的引号（成对出现；单元格内的引号须写两个）后重新导入。",
        "Add the quotation mark that is missing (they come in pairs; one within a cell is written twice), and import the file again.",
    ),
    (
        &["duplicate_field", "duplicate_column"],
        "请只保留其中一列。",
        "Keep one of the columns.",
    ),
    (
        &["not_a_number"],
        "请填写数字；没有发生的填0，未掌握的留空。",
        "Put in a number; 0 for what there was none of, nothing for what is not known.",
    ),
    (
        &["conflicting_units"],
        "请统一标注金额单位，或在单元格内写明，如“1.5万元”。",
        "Mark one unit of money, or say it in the cell, such as 1.5万元.",
    ),
    (
        &["formula_without_result"],
        "请用电子表格软件打开并保存一次，或直接填写数值。",
        "Open and save it once with a spreadsheet program, or put in the value.",
    ),
    (
        &["unknown_row", "unexpected_figure", "unexpected_value"],
        "请对照下载的空表，将内容移至应填的单元格，或删除。",
        "Compare with an empty form: move it into the cell that it belongs in, or take it out.",
    ),
    (
        &["unknown_sheet", "missing_form", "missing_form_heading"],
        "请使用下载的表格填报，并删除无关的工作表。",
        "Fill in a form that was downloaded here, and take out sheets that are none.",
    ),
    (
        &["sheet_too_large", "too_many_sheets"],
        "请使用下载的表格填报，删除多余的行、列和工作表，必要时分成几个文件导入。",
        "Fill in a form that was downloaded here, take out rows, columns and sheets that are none of it, or split the file.",
    ),
    (
        &["empty_form"],
        "请填写后导入，或删除该工作表。",
        "Fill it in, or take the sheet out.",
    ),
    (
        &["not_yes_or_no", "unknown_kind", "not_in_list"],
        "请从下拉列表中选择。",
        "Choose from the list.",
    ),
    (
        &["missing_name"],
        "请填写名称，或删除该行金额。",
        "Put in the name, or take the figures out.",
    ),
    (
        &["duplicate_row"],
        "每条记录、每个项目只能出现一次，请删除重复行。",
        "Keep one row of each record or item.",
    ),
    (
        &["unknown_unit"],
        "请将该单位所在行移至本行之前，或先行导入该单位。",
        "Put the row of that unit before this one, or import the units first.",
    ),
    (
        &["unknown_year"],
        "请先设置该年度（/api/v1/fiscal-years），或更正年度。",
        "Set the fiscal year up first (/api/v1/fiscal-years), or correct the year.",
    ),
    (
        &["malformed-json", "malformed_json"],
        "每行应为一个完整的JSON对象，请更正该行语法。",
        "Each line is one whole JSON object; put its syntax right.",
    ),
    (
        &["row_too_long"],
        "请检查引号是否成对、换行是否缺失。",
        "Look for a quotation mark that is not closed, or a line break that is missing.",
    ),
    (
        &["not_utf8"],
        "NDJSON应采用UTF-8编码，请转换编码后重新导入。",
        "NDJSON is in UTF-8; convert the file and import it again.",
    ),
    (
        &["unreadable", "unreadable_file"],
        "请用电子表格软件另存为XLSX或CSV（UTF-8）后重新导入。",
        "Save it again as XLSX or CSV (UTF-8) with a spreadsheet program, and import that.",
    ),
    (
        &["closed"],
        "该年度已关闭，请联系财政局重新开放，或从文件中删除该行。",
        "The year is closed: ask the finance bureau to open it again, or take the row out.",
    ),
    (
        &["locked"],
        "已提交的内容不能修改，请先退回或撤回，或从文件中删除该行。",
        "What was submitted does not change: have it returned first, or take the row out.",
    ),
    (
        &["outside-window"],
        "请在填报期内导入，或联系财政局。",
        "Import it within the filing window, or ask the finance bureau.",
    ),
    (
        &["forbidden"],
        "该令牌无权填报该单位，请改用该单位或财政局的令牌，或从文件中删除该行。",
        "Use a token of that unit or of the finance bureau, or take the row out.",
    ),
    (
        &["taken", "already-exists"],
        "请核对编码或名称，避免重复。",
        "Check the code or name, which must be unique.",
    ),
    (
        &["cycle"],
        "请核对单位之间的上下级或承继关系。",
        "Check which unit is above or before which.",
    ),
];
