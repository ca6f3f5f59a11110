//! The columns of a table: which place of a document each is, and what a cell's text means there.
//!
//! A place is written as a dotted path, `budget.initial`. Which places a document has and what stands there is read from
//! its schema in the OpenAPI document, so that a field that is added is a column at once. Beside its path a column has the
//! forms' own term.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fault::Text;
use crate::http::contract::{Contract, nearest};
use crate::http::members::Schemas;
use crate::imports::fault::RowFault;
use crate::imports::read::{Names, Place};
use crate::scoring::variables::Variable;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words on one line, without space at their ends.
    Text,
    /// Free words, as they stand.
    Free,
    /// A decimal.
    Decimal,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A list of words, parted by semicolons.
    Words,
    /// A list or an object, as JSON.
    Json,
}

/// A column that a document has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The dotted path.
    pub path: String,
    /// The forms' term; the path where they have none.
    pub term: String,
    /// What stands in it.
    pub kind: Kind,
}

/// The columns of a kind of row.
#[derive(Debug)]
pub struct Columns {
    contract: Arc<Contract>,
    root: String,
    /// In the order in which they are written.
    all: Vec<Column>,
}

impl Columns {
    /// The columns of rows that are a `schema` of the contract, after columns for the `keys` that rows have besides:
    /// each of its name and the name of its schema.
    pub fn new(contract: Arc<Contract>, schema: &str, keys: &[(&str, &str)]) -> Self {
        let mut columns = Self {
            contract,
            root: schema.to_owned(),
            all: Vec::new(),
        };
        for (name, schema) in keys {
            let kind = columns.named(schema).map_or(Kind::Text, |schema| columns.kind(schema));
            columns.all.push(Column {
                path: (*name).to_owned(),
                term: term(name),
                kind,
            });
        }
        let mut found = Vec::new();
        if let Some(root) = columns.named(schema) {
            columns.walk(root, "", &mut found);
        }
        columns.all.extend(found);
        columns
    }

    /// All columns that every document can have, in the order in which they are written.
    pub fn all(&self) -> &[Column] {
        &self.all
    }

    fn named(&self, schema: &str) -> Option<&Value> {
        self.contract.named(schema)
    }

    /// A schema without references and without the choice of `null`.
    fn plain<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..8 {
            let reference = schema.get("$ref").and_then(Value::as_str);
            let choices = schema
                .get("oneOf")
                .or_else(|| schema.get("anyOf"))
                .and_then(Value::as_array);
            let null = |schema: &&Value| schema.get("type").is_some_and(|kind| kind == "null");
            schema = match (reference, choices) {
                (Some(reference), _) => {
                    let name = reference.rsplit('/').next().unwrap_or_default();
                    self.named(name).unwrap_or(&Value::Null)
                }
                (None, Some(choices)) if choices.len() == 2 && choices.iter().any(|choice| null(&choice)) => {
                    choices.iter().find(|choice| !null(choice)).unwrap_or(&Value::Null)
                }
                _ => return schema,
            };
        }
        schema
    }

    fn kind(&self, schema: &Value) -> Kind {
        let schema = self.plain(schema);
        let is = |name: &str| match schema.get("type") {
            Some(Value::String(kind)) => kind == name,
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
            _ => false,
        };
        let number = |choices: &Vec<Value>| {
            choices
                .iter()
                .any(|choice| choice.get("type").is_some_and(|kind| kind == "number"))
        };
        match () {
            // Only free words are that long.
            () if is("string") && schema.get("maxLength").and_then(Value::as_u64) >= Some(1000) => Kind::Free,
            () if is("string") => Kind::Text,
            () if is("integer") => Kind::Integer,
            () if is("boolean") => Kind::Boolean,
            () if is("number") || schema.get("oneOf").and_then(Value::as_array).is_some_and(number) => Kind::Decimal,
            () if is("array") && schema.get("items").is_some_and(|items| self.kind(items) == Kind::Text) => Kind::Words,
            () => Kind::Json,
        }
    }

    fn walk(&self, schema: &Value, at: &str, found: &mut Vec<Column>) {
        let schema = self.plain(schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let path = match at {
                "" => name.clone(),
                at => format!("{at}.{name}"),
            };
            if self.plain(property).get("properties").is_some() {
                self.walk(property, &path, found);
            } else {
                found.push(Column {
                    term: term(&path),
                    kind: self.kind(property),
                    path,
                });
            }
        }
    }

    /// The column of a heading: the path or the term of one that every document can have, or a path into a map.
    fn find(&self, heading: &str) -> Option<Column> {
        let known = |column: &&Column| column.path == heading || column.term == heading;
        if let Some(column) = self.all.iter().find(known) {
            return Some(column.clone());
        }
        let others = OTHER_TERMS.iter().find(|(_, term)| *term == heading);
        if let Some(column) = others.and_then(|(path, _)| self.all.iter().find(|column| column.path == *path)) {
            return Some(column.clone());
        }
        let mut schema = self.plain(self.named(&self.root)?);
        for part in heading.split('.') {
            let property = schema.get("properties").and_then(|properties| properties.get(part));
            let entry = schema.get("additionalProperties").filter(|entry| entry.is_object());
            schema = self.plain(property.or(entry)?);
        }
        Some(Column {
            path: heading.to_owned(),
            term: heading.to_owned(),
            kind: self.kind(schema),
        })
    }

    /// The name nearest to one that is not known.
    fn nearest(&self, heading: &str) -> Option<&str> {
        let known = self.all.iter();
        nearest(
            heading,
            known.flat_map(|column| [column.path.as_str(), column.term.as_str()]),
        )
    }
}

/// The forms' term for a place in a row; the path itself where there is none.
fn term(path: &str) -> String {
    let own = TERMS.iter().find(|(known, _)| *known == path).map(|(_, term)| *term);
    let figure = || Variable::find(path).map(|variable| variable.zh);
    if let Some(term) = own.or_else(figure) {
        return term.to_owned();
    }
    // The money of a fund: its rows by its columns.
    let mut parts = path.split('.');
    let (funding, row, column) = (parts.next(), parts.next(), parts.next());
    let of = |part: Option<&str>| {
        FUNDING
            .iter()
            .find(|(known, _)| Some(*known) == part)
            .map(|(_, term)| *term)
    };
    match (funding, of(row), of(column)) {
        (Some("funding"), Some(row), Some(column)) => format!("{row}{column}"),
        _ => path.to_owned(),
    }
}

const TERMS: &[(&str, &str)] = &[
    ("code", "预算单位编码"),
    ("unit", "单位编码"),
    ("year", "年度"),
    ("id", "专项资金编号"),
    ("name", "名称"),
    ("kind", "单位类别"),
    ("parent", "上级单位编码"),
    ("uscc", "统一社会信用代码"),
    ("division_code", "行政区划代码"),
    ("valid_from", "起始年度"),
    ("valid_to", "终止年度"),
    ("predecessors", "前身单位"),
    ("project_expenditure.special_funds", "专项资金明细"),
    ("buildings.none", "本年无新建楼堂馆所"),
    ("buildings.projects", "楼堂馆所明细"),
    ("thrift", "厉行节约保障措施"),
    ("scheme", "评分标准"),
    ("continues", "跨年度项目"),
    ("competent_department", "主管部门"),
    ("implementing_unit", "实施单位"),
    ("goal.expected", "预期目标"),
    ("goal.achieved", "实际完成情况"),
    ("targets", "绩效指标"),
    ("indicators", "指标评定"),
];

/// What users write as well.
const OTHER_TERMS: &[(&str, &str)] = &[
    ("code", "单位编码"),
    ("name", "单位名称"),
    ("name", "项目名称"),
    ("unit", "预算单位编码"),
    ("year", "财政年度"),
    ("staff.in_post", "年末实际在职人数"),
    ("staff.retired", "离退休人数"),
];

const FUNDING: &[(&str, &str)] = &[
    ("total", "年度资金总额"),
    ("central_and_provincial", "中央及省级资金"),
    ("municipal", "市级资金"),
    ("county", "县级资金"),
    ("other", "其他资金"),
    ("appropriation", "当年财政拨款"),
    ("carried_over", "上年结转资金"),
    ("initial_budget", "年初预算数"),
    ("adjusted_budget", "全年预算数"),
    ("executed", "全年执行数"),
];

/// Words of lists as the forms say them, by column.
const CHOICES: &[(&str, &[(&str, &str)])] = &[(
    "kind",
    &[
        ("乡镇", "town"),
        ("街道", "subdistrict"),
        ("县直部门", "department"),
        ("部门", "department"),
        ("事业单位", "institution"),
        ("其他", "other"),
    ],
)];

/// More columns than any table has.
pub const MOST_COLUMNS: usize = 2000;

/// The heading of a table: which place each of its columns is.
#[derive(Debug)]
pub struct Heading {
    columns: Vec<Option<(String, Column)>>,
    /// By the path of each column, its heading.
    names: Names,
}

impl Heading {
    /// Reads the heading in row `number`. A column without one must be empty.
    ///
    /// # Errors
    /// A fault for each column that is not known or is there twice.
    pub fn read(number: u64, cells: &[String], columns: &Columns) -> Result<Self, Vec<RowFault>> {
        let mut faults = Vec::new();
        let mut names: HashMap<String, String> = HashMap::new();
        let mut read = Vec::new();
        if cells.len() > MOST_COLUMNS {
            let text = Text::new(
                format!("表头有{}列，最多可有{MOST_COLUMNS}列。", cells.len()),
                format!(
                    "the heading has {} columns; at most {MOST_COLUMNS} are read",
                    cells.len()
                ),
            );
            return Err(vec![RowFault::of_row(number, "too_many_columns", text)]);
        }
        for cell in cells {
            let cell = cell.trim();
            if cell.is_empty() {
                read.push(None);
                continue;
            }
            let Some(column) = columns.find(cell) else {
                let (zh, en) = columns.nearest(cell).map_or_else(
                    || (String::new(), String::new()),
                    |nearest| {
                        (
                            format!("，是否为“{nearest}”？"),
                            format!("; did you mean \"{nearest}\"?"),
                        )
                    },
                );
                let text = Text::new(
                    match zh.is_empty() {
                        true => format!("没有名为“{cell}”的列。"),
                        false => format!("没有名为“{cell}”的列{zh}"),
                    },
                    format!("there is no column \"{cell}\"{en}"),
                );
                faults.push(RowFault::of_column(number, cell, Some(cell), "unknown_column", text));
                read.push(None);
                continue;
            };
            if let Some(other) = names.insert(column.path.clone(), cell.to_owned()) {
                let text = Text::new(
                    format!("列“{cell}”与列“{other}”是同一项。"),
                    format!("the columns \"{cell}\" and \"{other}\" are the same"),
                );
                faults.push(RowFault::of_column(number, cell, Some(cell), "duplicate_column", text));
            }
            read.push(Some((cell.to_owned(), column)));
        }
        if read.iter().all(Option::is_none) && faults.is_empty() {
            let text = Text::fixed(
                "缺少表头：第一行应为各列名称。",
                "the heading is missing: the first row names the columns",
            );
            faults.push(RowFault::of_row(number, "missing_heading", text));
        }
        match faults.is_empty() {
            true => Ok(Self {
                columns: read,
                names: Names::new(
                    names
                        .into_iter()
                        .map(|(path, name)| (path, Place { row: None, name }))
                        .collect(),
                ),
            }),
            false => Err(faults),
        }
    }

    /// The headings by the paths of their columns.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The row of these cells as a JSON object; `None` for one without anything in it.
    ///
    /// # Errors
    /// A fault for each cell that cannot be what its column holds, where its schema would not say so better.
    pub fn row(&self, number: u64, cells: &[String]) -> Option<Result<Vec<u8>, Vec<RowFault>>> {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return None;
        }
        let mut faults = Vec::new();
        let mut document = Map::new();
        for (n, cell) in cells.iter().enumerate() {
            let text = cell.trim();
            if text.is_empty() {
                continue;
            }
            match self.columns.get(n) {
                Some(Some((name, column))) => match column.value(if column.kind == Kind::Free { cell } else { text }) {
                    Ok(value) => put(&mut document, &column.path, value),
                    Err(reason) => faults.push(RowFault::of_column(number, name, Some(text), "malformed_cell", reason)),
                },
                _ => {
                    faults.push(RowFault::of_column(
                        number,
                        &format!("#{}", n + 1),
                        Some(text),
                        "unknown_column",
                        Text::new(
                            format!("第{}列没有列名，却有内容。", n + 1),
                            format!("column {} has no heading and is not empty", n + 1),
                        ),
                    ));
                    // A row that has slipped has many of them, and a row can have a million cells.
                    if n >= self.columns.len() {
                        break;
                    }
                }
            }
        }
        Some(match faults.is_empty() {
            true => {
                serde_json::to_vec(&document).map_err(|error| vec![RowFault::unreadable(number, &error.to_string())])
            }
            false => Err(faults),
        })
    }
}

/// Puts a value at a dotted path.
fn put(document: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            document.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let below = document
                .entry(first.to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}

impl Column {
    /// The words that stand here, as the forms say them and as they are stored.
    fn choices(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let choices = CHOICES.iter().find(|(path, _)| *path == self.path);
        choices.into_iter().flat_map(|(_, words)| *words)
    }

    /// What a cell's text means in this column; what cannot be meant stays a text, which the schema refuses by name.
    fn value(&self, text: &str) -> Result<Value, Text> {
        Ok(match self.kind {
            Kind::Text => {
                let chosen = self.choices().find(|(zh, _)| *zh == text);
                Value::from(chosen.map_or_else(|| unguarded(text), |(_, word)| word))
            }
            Kind::Free => Value::from(unguarded(text)),
            Kind::Decimal => Value::from(without_separators(text)),
            Kind::Integer => {
                let digits = without_separators(text);
                let whole = digits.strip_suffix(".0").unwrap_or(&digits);
                whole.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
            }
            Kind::Boolean => match text.to_lowercase().as_str() {
                "true" | "是" => Value::Bool(true),
                "false" | "否" => Value::Bool(false),
                _ => Value::from(text),
            },
            Kind::Words if !text.starts_with('[') => text
                .split([';', '；', '、'])
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(Value::from)
                .collect(),
            Kind::Words | Kind::Json => serde_json::from_str(text).map_err(|error| {
                Text::new(
                    format!("该列应为JSON，语法有误（第{}个字符附近）。", error.column()),
                    format!(
                        "this column holds JSON, and the text is none near character {}",
                        error.column()
                    ),
                )
            })?,
        })
    }

    /// How a value is written into a cell of this column, so that [`Heading::row`] reads the same again.
    pub fn cell(&self, value: &Value) -> String {
        match (self.kind, value) {
            (_, Value::Null) => String::new(),
            (Kind::Text | Kind::Free, Value::String(text)) => {
                let chosen = self.choices().find(|(_, word)| word == text);
                chosen.map_or_else(|| guarded(text), |(zh, _)| (*zh).to_owned())
            }
            (Kind::Words, Value::Array(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                words.join(";")
            }
            (_, Value::String(text)) => text.clone(),
            (_, Value::Bool(true)) => "是".to_owned(),
            (_, Value::Bool(false)) => "否".to_owned(),
            (_, other) => other.to_string(),
        }
    }
}

/// `1,166.07` without the commas that part thousands; any other text as it is.
fn without_separators(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut groups = whole.trim_start_matches('-').split(',');
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let grouped =
        (1..=3).contains(&first.len()) && digits(first) && groups.all(|group| group.len() == 3 && digits(group));
    match grouped {
        true => format!("{}{rest}", whole.replace(',', "")),
        false => text.to_owned(),
    }
}

/// Whether a spreadsheet would take the text for a formula or for an empty cell, or it is guarded against that.
fn needs_a_guard(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    text.starts_with(['=', '+', '-', '@']) || text.trim().is_empty()
}

/// A text that no spreadsheet takes for a formula or for nothing: what looks like it gets an apostrophe before it.
pub fn guarded(text: &str) -> String {
    match needs_a_guard(text) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if needs_a_guard(rest) => rest,
        _ => text,
    }
}

/// A document's values by the dotted paths of `columns`.
pub fn cells(document: &Value, columns: &[Column]) -> Vec<String> {
    columns
        .iter()
        .map(|column| {
            let mut parts = column.path.split('.');
            let value = parts.try_fold(document, |value, part| value.get(part));
            value.map_or_else(String::new, |value| column.cell(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::http::contract::Contract;
    use crate::imports::model::Resource;
    use crate::imports::run::columns_of;

    #[test]
    fn every_heading_that_is_written_names_the_column_it_was_written_for() {
        let contract = Arc::new(Contract::new(crate::app::openapi_json().unwrap().leak()));
        for resource in [
            Resource::Units,
            Resource::BaseData,
            Resource::SpecialFunds,
            Resource::Assessments,
        ] {
            let columns = columns_of(resource, contract.clone());
            for column in columns.all() {
                assert_eq!(columns.find(&column.term).as_ref(), Some(column), "{resource:?}");
                assert_eq!(columns.find(&column.path).as_ref(), Some(column), "{resource:?}");
            }
        }
    }
}
