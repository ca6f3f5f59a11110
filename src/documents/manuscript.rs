//! A document as those who set it see it: headings, paragraphs, tables, signatures; and the markup that it is read from.
//!
//! | a line that begins with | is |
//! |---|---|
//! | `# ` | the title (标题), centred; two of them are two lines of one |
//! | `## ` `### ` `#### ` | a heading of the first, second or third level: 一、 （一） 1. |
//! | `\|` | a row of a table; above a row of dashes, a head: they say how wide columns are and where cells are set (`:--` `:-:` `--:`) |
//! | `- ` | an entry of the list of attachments (附件说明) |
//! | `> ` | a line of the signature (署名、日期) |
//! | `< ` | a line at the left edge, such as 附件1 above an attachment |
//! | `---` alone | a new page |
//!
//! Any other line is a paragraph, and an empty one is nothing. What data put in is never markup: see [`literal`].

/// A document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manuscript {
    /// Its parts in order.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A title (标题), centred.
    Title(String),
    /// A heading (层次标题).
    Heading(Level, String),
    /// A paragraph (正文).
    Paragraph(String),
    /// A line at the left edge, in the type of a first heading.
    Label(String),
    /// A table.
    Table(Table),
    /// The list of attachments (附件说明).
    Attachments(Vec<String>),
    /// The lines of a signature (署名和成文日期).
    Signature(Vec<String>),
    /// What follows begins on a new page.
    NewPage,
}

/// The level of a heading, each in a type of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// 一、 in 黑体.
    First,
    /// （一） in 楷体.
    Second,
    /// 1. in 仿宋.
    Third,
}

/// A table: rows of as many cells as it has columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its head, which stands on each page again.
    pub head: Vec<String>,
    /// Its other rows.
    pub rows: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its share of the table's width, against the other columns'.
    pub share: u32,
    /// Where its cells are set.
    pub align: Align,
}

/// Where text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// Says that the character after it is no markup. No text that is filed can hold it.
const LITERAL: char = '\u{1}';
/// A line break within what data put in.
const BREAK: char = '\u{2}';

/// What data say, such that none of it is read as markup.
pub fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '#' | '|' | '-' | '>' | '<' => literal.extend([LITERAL, c]),
            '\n' => literal.push(BREAK),
            '\r' => {}
            '\t' => literal.push(' '),
            c => literal.push(c),
        }
    }
    literal
}

/// The same text without what [`literal`] added.
fn plain(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            LITERAL => None,
            BREAK => Some('\n'),
            c => Some(c),
        })
        .collect()
}

impl Manuscript {
    /// Reads a document from its markup. Any text is one.
    pub fn read(markup: &str) -> Self {
        let mut manuscript = Self::default();
        for line in markup.lines().map(str::trim).filter(|line| !line.is_empty()) {
            manuscript.add(line);
        }
        for block in &mut manuscript.blocks {
            if let Block::Table(table) = block {
                for row in &mut table.rows {
                    row.resize(table.columns.len(), String::new());
                }
            }
        }
        manuscript
    }

    fn add(&mut self, line: &str) {
        let blocks = &mut self.blocks;
        if line == "---" {
            blocks.push(Block::NewPage);
        } else if let Some(row) = line.strip_prefix('|') {
            match blocks.last_mut() {
                Some(Block::Table(table)) => {
                    if let Some(next) = table.add(row) {
                        blocks.push(Block::Table(next));
                    }
                }
                _ => blocks.push(Block::Table(Table::begin(cells(row)))),
            }
        } else if let Some(entry) = line.strip_prefix("- ") {
            match blocks.last_mut() {
                Some(Block::Attachments(entries)) => entries.push(plain(entry.trim())),
                _ => blocks.push(Block::Attachments(vec![plain(entry.trim())])),
            }
        } else if let Some(signed) = line.strip_prefix("> ") {
            match blocks.last_mut() {
                Some(Block::Signature(lines)) => lines.push(plain(signed.trim())),
                _ => blocks.push(Block::Signature(vec![plain(signed.trim())])),
            }
        } else if let Some(label) = line.strip_prefix("< ") {
            blocks.push(Block::Label(plain(label.trim())));
        } else if let Some(title) = line.strip_prefix("# ") {
            match blocks.last_mut() {
                Some(Block::Title(lines)) => lines.extend(["\n", &plain(title.trim())]),
                _ => blocks.push(Block::Title(plain(title.trim()))),
            }
        } else if let Some(heading) = line.strip_prefix("## ") {
            blocks.push(Block::Heading(Level::First, plain(heading.trim())));
        } else if let Some(heading) = line.strip_prefix("### ") {
            blocks.push(Block::Heading(Level::Second, plain(heading.trim())));
        } else if let Some(heading) = line.strip_prefix("#### ") {
            blocks.push(Block::Heading(Level::Third, plain(heading.trim())));
        } else {
            let paragraphs = line
                .split(BREAK)
                .map(|text| plain(text.trim()))
                .filter(|text| !text.is_empty());
            blocks.extend(paragraphs.map(|text| match is_heading(&text) {
                true => Block::Heading(Level::Second, text),
                false => Block::Paragraph(text),
            }));
        }
    }
}

/// Whether a line that a unit wrote is a heading of the second level: （一）… , short, and no sentence before its end.
fn is_heading(line: &str) -> bool {
    const LONGEST: usize = 40;
    let numbered = line
        .strip_prefix('（')
        .and_then(|rest| rest.split_once('）'))
        .is_some_and(|(number, _)| !number.is_empty() && number.chars().all(|c| "一二三四五六七八九十".contains(c)));
    let ends = line.strip_suffix('。').unwrap_or(line);
    numbered && line.chars().count() <= LONGEST && !ends.contains(['。', '；', '：'])
}

impl Table {
    fn begin(head: Vec<String>) -> Self {
        let column = Column {
            share: 1,
            align: Align::Left,
        };
        Self {
            columns: vec![column; head.len()],
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row. Under a row of dashes the row before it is a head: this table's or, where
    /// that has one, of the table that begins there.
    fn add(&mut self, row: &str) -> Option<Self> {
        if !is_rule(row) {
            self.rows.push(cells(row));
            return None;
        }
        let mut next = self.rows.pop().map(Self::begin);
        let table = next.as_mut().unwrap_or(self);
        for (column, spec) in table.columns.iter_mut().zip(row.split('|')) {
            let spec = spec.trim();
            *column = Column {
                share: u32::try_from(spec.matches('-').count()).unwrap_or(1).max(1),
                align: match (spec.starts_with(':'), spec.ends_with(':')) {
                    (true, true) => Align::Centre,
                    (false, true) => Align::Right,
                    _ => Align::Left,
                },
            };
        }
        next
    }
}

/// Whether a row is one of dashes.
fn is_rule(row: &str) -> bool {
    row.contains('-') && row.chars().all(|c| matches!(c, '-' | ':' | '|' | ' '))
}

/// How many columns a table has at most; more are no wider than a character each.
const MOST_COLUMNS: usize = 20;

/// The cells of a row, without its first bar.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim_matches(' ');
    let row = match row.strip_suffix('|') {
        Some(rest) if !rest.ends_with(LITERAL) => rest,
        _ => row,
    };
    let mut cells = vec![String::new()];
    let mut after = ' ';
    for c in row.chars() {
        if c == '|' && after != LITERAL {
            if cells.len() > MOST_COLUMNS {
                break;
            }
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(c);
        }
        after = c;
    }
    // Wide spaces stay: they set rows in below the one above.
    let texts = cells.iter().map(|cell| plain(cell.trim_matches(' ')));
    texts.take(MOST_COLUMNS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_the_markup_is_read() {
        let read = Manuscript::read(
            "# 开云镇\n# 报告\n\n## 一、概况\n### （一）人员\n#### 1.编制\n正文。\n| 项目 | 金额 |\n|:---|-:|\n\n| 办公费 | 1 |\n| 少一格 |\n\
             - 评分表\n- 数据表\n> 开云镇\n> 2020年3月31日\n---\n< 附件1\n",
        );
        let text = |text: &str| text.to_owned();
        let table = Table {
            columns: vec![
                Column {
                    share: 3,
                    align: Align::Left,
                },
                Column {
                    share: 1,
                    align: Align::Right,
                },
            ],
            head: vec![text("项目"), text("金额")],
            rows: vec![vec![text("办公费"), text("1")], vec![text("少一格"), text("")]],
        };
        assert_eq!(
            read.blocks,
            [
                Block::Title(text("开云镇\n报告")),
                Block::Heading(Level::First, text("一、概况")),
                Block::Heading(Level::Second, text("（一）人员")),
                Block::Heading(Level::Third, text("1.编制")),
                Block::Paragraph(text("正文。")),
                Block::Table(table),
                Block::Attachments(vec![text("评分表"), text("数据表")]),
                Block::Signature(vec![text("开云镇"), text("2020年3月31日")]),
                Block::NewPage,
                Block::Label(text("附件1")),
            ]
        );
    }

    #[test]
    fn a_row_above_dashes_begins_a_table_of_its_own() {
        let read = Manuscript::read("| a | b |\n|--|--|\n| 　1 | 2 |\n\n| c |\n|--|\n| 3 |");
        let heads = read.blocks.iter().map(|block| match block {
            Block::Table(table) => (table.head.join(" "), table.rows.concat().join(" ")),
            other => panic!("{other:?}"),
        });
        let heads: Vec<_> = heads.collect();
        assert_eq!(
            heads,
            [("a b".to_owned(), "　1 2".to_owned()), ("c".to_owned(), "3".to_owned())]
        );
    }

    #[test]
    fn what_data_say_is_never_markup() {
        let filed = "# 不是标题\n| 不是表 |\n---\n> 不是署名";
        let read = Manuscript::read(&literal(filed));
        let lines: Vec<_> = filed.lines().map(|line| Block::Paragraph(line.to_owned())).collect();
        assert_eq!(read.blocks, lines);
        let row = Manuscript::read(&format!("| 甲 | 乙 |\n| {} | 2 |", literal("一|二\n三|")));
        assert!(matches!(&row.blocks[..], [Block::Table(table)] if table.rows == [["一|二\n三|", "2"]]));
    }

    #[test]
    fn a_short_numbered_line_of_a_unit_is_a_heading_and_a_long_one_is_not() {
        assert!(is_heading("（一）优化环境，强化招商，着力培育新的经济亮点。"));
        assert!(is_heading("（十二）其他"));
        assert!(!is_heading("（一）财政资金支出延缓。项目工作开展须有资金保障。"));
        assert!(!is_heading("（1）村级运行经费"));
        assert!(!is_heading("一是切实加强项目推进。"));
    }
}
