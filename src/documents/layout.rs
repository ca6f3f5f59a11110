//! Sets a document on pages (GB/T 9704-2012): A4, a text of 156 × 225 mm, 22 lines of 28 characters.
//!
//! Lengths are in thousandths of a point, as whole numbers: so the same document is set the same everywhere.

use super::fonts::{Fonts, Glyph, Type};
use super::manuscript::{Align, Block, Level, Manuscript, Table};

/// Thousandths of a point.
pub type Length = i64;

/// The page: A4.
pub const PAGE: (Length, Length) = (595_276, 841_890);
/// Where the text begins: 28 mm from the left, 37 mm from the top.
const LEFT: Length = 79_370;
const TOP: Length = 104_882;
/// How large it is: 156 × 225 mm.
const WIDTH: Length = 442_205;
const HEIGHT: Length = 637_795;
/// A line of the text: 22 of them are a page.
const LINE: Length = 28_950;
/// 三号.
const SIZE: Length = 16_000;
/// A character of the text with the space around it: 28 of them are a line.
const PITCH: Length = WIDTH / 28;

/// How far a Chinese character goes in its face, in thousandths of its size.
const WIDE: i32 = 1000;

/// Something on a page, from its upper left corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A line of text.
    Text {
        /// Where it begins.
        x: Length,
        /// Where its characters stand.
        baseline: Length,
        /// The size of its type.
        size: Length,
        /// Whether it is to be made heavier.
        bold: bool,
        /// Its characters, each with how far it goes here.
        glyphs: Vec<(Glyph, Length)>,
    },
    /// A straight line.
    Rule {
        /// From where.
        from: (Length, Length),
        /// To where.
        to: (Length, Length),
    },
}

/// How a text is set.
#[derive(Clone, Copy)]
struct Style {
    kind: Type,
    size: Length,
    /// From one line to the next.
    line: Length,
    /// How far a Chinese character goes.
    pitch: Length,
    align: Set,
    /// From the left edge, the first line and the others.
    indents: (Length, Length),
    /// From the right edge.
    right: Length,
}

/// Where lines are set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    At(Align),
    /// At both edges, but for the last line.
    Justified,
}

const BODY: Style = Style {
    kind: Type::Fang,
    size: SIZE,
    line: LINE,
    pitch: PITCH,
    align: Set::Justified,
    indents: (2 * PITCH, 0),
    right: 0,
};

const TITLE: Style = Style {
    kind: Type::Title,
    size: 22_000,
    line: 35_000,
    pitch: 22_000,
    align: Set::At(Align::Centre),
    indents: (0, 0),
    right: 0,
};

/// 五号, for tables.
const CELL: Style = Style {
    kind: Type::Fang,
    size: 10_500,
    line: 15_000,
    pitch: 10_500,
    align: Set::At(Align::Left),
    indents: (0, 0),
    right: 0,
};

/// 四号, for page numbers.
const NUMBER: Style = Style {
    kind: Type::Song,
    size: 14_000,
    line: 14_000,
    pitch: 14_000,
    align: Set::At(Align::Left),
    indents: (0, 0),
    right: 0,
};

/// What stands above a table or a list.
const LABEL: Style = Style {
    kind: Type::Hei,
    align: Set::At(Align::Left),
    indents: (0, 0),
    ..BODY
};

impl Level {
    fn style(self) -> Style {
        let kind = match self {
            Self::First => Type::Hei,
            Self::Second => Type::Kai,
            Self::Third => Type::Fang,
        };
        Style { kind, ..BODY }
    }
}

/// Sets a document: what is on each of its pages.
pub fn pages(manuscript: &Manuscript, fonts: &Fonts<'_>) -> Vec<Vec<Item>> {
    let mut setter = Setter {
        fonts,
        pages: vec![Vec::new()],
        y: 0,
    };
    let mut blocks = manuscript.blocks.as_slice();
    while let Some((block, rest)) = blocks.split_first() {
        setter.block(block, rest);
        blocks = rest;
    }
    setter.number_pages();
    setter.pages
}

struct Setter<'a> {
    fonts: &'a Fonts<'a>,
    pages: Vec<Vec<Item>>,
    /// How much of the page is used.
    y: Length,
}

/// A line of text before it has a place.
struct Line {
    glyphs: Vec<(Glyph, Length)>,
    /// Whether its paragraph goes on after it.
    goes_on: bool,
}

impl Setter<'_> {
    /// Sets a block that `rest` comes after.
    fn block(&mut self, block: &Block, rest: &[Block]) {
        match block {
            Block::Title(title) => {
                self.text(title, TITLE, 2 * LINE);
                self.skip(LINE);
            }
            Block::Heading(level, heading) => self.text(heading, level.style(), self.opening(rest)),
            Block::Paragraph(words) => self.text(words, BODY, 0),
            Block::Label(label) => self.text(label, LABEL, self.opening(rest)),
            Block::Table(table) => self.table(self.rows(table)),
            Block::Attachments(entries) => {
                self.skip(LINE);
                self.need(LINE * Length::try_from(entries.len()).unwrap_or_default().min(5));
                for (n, entry) in entries.iter().enumerate() {
                    let (before, first) = if n == 0 { ("附件：", 2) } else { ("", 5) };
                    let number = if entries.len() > 1 {
                        format!("{}.", n + 1)
                    } else {
                        String::new()
                    };
                    let style = Style {
                        align: Set::At(Align::Left),
                        indents: (first * PITCH, 6 * PITCH),
                        ..BODY
                    };
                    self.text(&format!("{before}{number}{entry}"), style, 0);
                }
            }
            Block::Signature(lines) => {
                self.skip(2 * LINE);
                let style = Style {
                    align: Set::At(Align::Right),
                    indents: (0, 0),
                    right: 4 * PITCH,
                    ..BODY
                };
                let rest = LINE * Length::try_from(lines.len()).unwrap_or_default();
                for (n, line) in lines.iter().enumerate() {
                    self.text(line, style, if n == 0 { rest - LINE } else { 0 });
                }
            }
            Block::NewPage => self.new_page(),
        }
    }

    /// How much of these blocks has to stand on the page of what is above them: no heading is alone at the end of a page, nor are
    /// several.
    fn opening(&self, blocks: &[Block]) -> Length {
        let mut height = 0;
        for block in blocks {
            height += match block {
                Block::Heading(level, heading) => self.height(heading, level.style()),
                Block::Label(label) => self.height(label, LABEL),
                Block::NewPage => return height,
                Block::Table(table) => return height + self.rows(table).opening(),
                _ => return height + LINE,
            };
            // Nobody means these to be together.
            if height > HEIGHT / 2 {
                return 0;
            }
        }
        height
    }

    fn height(&self, text: &str, style: Style) -> Length {
        let lines = self.lines(text, style, WIDTH - style.right).len();
        style.line * Length::try_from(lines).unwrap_or_default()
    }

    fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = 0;
    }

    /// Leaves space, but none at the top of a page.
    fn skip(&mut self, height: Length) {
        if self.y > 0 {
            self.y += height;
        }
    }

    /// Makes sure that this much fits, on a new page if need be.
    fn need(&mut self, height: Length) {
        if self.y > 0 && self.y + height > HEIGHT {
            self.new_page();
        }
    }

    fn put(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    /// Sets a text, and not its first line without this much after it.
    fn text(&mut self, text: &str, style: Style, with: Length) {
        let lines = self.lines(text, style, WIDTH - style.right);
        let height = style.line * Length::try_from(lines.len()).unwrap_or_default();
        if with > 0 {
            self.need(height + with);
        }
        for (n, line) in lines.into_iter().enumerate() {
            self.need(style.line);
            let indent = if n == 0 { style.indents.0 } else { style.indents.1 };
            let measure = WIDTH - style.right - indent;
            self.line(line, style, (LEFT + indent, TOP + self.y), measure);
            self.y += style.line;
        }
    }

    /// Sets one line in a space that begins at `at` and is as wide as `measure`.
    fn line(&mut self, mut line: Line, style: Style, at: (Length, Length), measure: Length) {
        let width: Length = line.glyphs.iter().map(|(_, advance)| advance).sum();
        let x = match style.align {
            Set::Justified if line.goes_on => {
                spread(&mut line.glyphs, measure - width);
                at.0
            }
            Set::Justified | Set::At(Align::Left) => at.0,
            Set::At(Align::Centre) => at.0 + (measure - width).max(0) / 2,
            Set::At(Align::Right) => at.0 + (measure - width).max(0),
        };
        // A Chinese character stands 0.88 of its size above the baseline; what is left of the line is half above it, half below.
        let baseline = at.1 + (style.line - style.size) / 2 + style.size * 88 / 100;
        let bold = style.kind == Type::Title && !self.fonts.has(Type::Title);
        self.put(Item::Text {
            x,
            baseline,
            size: style.size,
            bold,
            glyphs: line.glyphs,
        });
    }

    /// Breaks a text into lines, at places where Chinese may be broken: none begins with a closing mark.
    fn lines(&self, text: &str, style: Style, width: Length) -> Vec<Line> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            self.lines_of(paragraph, style, width, &mut lines);
        }
        lines
    }

    fn lines_of(&self, text: &str, style: Style, width: Length, lines: &mut Vec<Line>) {
        let may_break = breaks(text);
        let mut glyphs: Vec<(Glyph, Length)> = Vec::new();
        let mut used = 0;
        // The last place where the line may end, as a number of its glyphs.
        let mut place = 0;
        for (offset, c) in text.char_indices() {
            let Some(glyph) = self.fonts.glyph(style.kind, c) else {
                continue;
            };
            if may_break.binary_search(&offset).is_ok() {
                place = glyphs.len();
            }
            let indent = if lines.is_empty() {
                style.indents.0
            } else {
                style.indents.1
            };
            let advance = style.advance(glyph);
            // A closing mark at the end of a line needs but half its width.
            let least = if is_closing(c) { advance / 2 } else { advance };
            if !glyphs.is_empty() && c != ' ' && used + least > width - indent {
                let end = if place == 0 { glyphs.len() } else { place };
                let rest = glyphs.split_off(end);
                close(&mut glyphs);
                lines.push(Line {
                    glyphs: std::mem::replace(&mut glyphs, rest),
                    goes_on: true,
                });
                used = glyphs.iter().map(|(_, advance)| advance).sum();
                place = 0;
            }
            glyphs.push((glyph, advance));
            used += advance;
        }
        lines.push(Line { glyphs, goes_on: false });
    }

    fn rows<'t>(&self, table: &'t Table) -> Rows<'t> {
        let all: u32 = table.columns.iter().map(|column| column.share).sum::<u32>().max(1);
        let mut edges = vec![0];
        let mut shares = 0;
        for column in &table.columns {
            shares += column.share;
            edges.push(WIDTH * Length::from(shares) / Length::from(all));
        }
        let grid = Grid { table, edges };
        let head = self.row(&grid, &table.head, true);
        let mut rows: Vec<_> = table.rows.iter().map(|row| self.row(&grid, row, false)).collect();
        // A head that leaves no room below it is a row like the others.
        let head = match height(&head) <= HEIGHT / 2 {
            true => Some(head),
            false => {
                rows.insert(0, head);
                None
            }
        };
        Rows { grid, head, rows }
    }

    fn table(&mut self, table: Rows<'_>) {
        self.need(table.opening());
        let of_head = table.head_height();
        let Rows { grid, head, rows } = table;
        if let Some(head) = &head {
            self.set_row(&grid, head, true);
        }
        for mut cells in rows {
            loop {
                let room = HEIGHT - self.y;
                if height(&cells) <= room {
                    self.set_row(&grid, &cells, false);
                    break;
                }
                // Rows stay whole, unless a whole page has no room for one.
                if height(&cells) > HEIGHT - of_head {
                    let fit = usize::try_from((room - 2 * Grid::PADDING.1) / CELL.line).unwrap_or_default();
                    if fit > 0 {
                        let part: Vec<Vec<Line>> = cells
                            .iter_mut()
                            .map(|cell| cell.drain(..fit.min(cell.len())).collect())
                            .collect();
                        self.set_row(&grid, &part, false);
                    }
                }
                self.new_page();
                if let Some(head) = &head {
                    self.set_row(&grid, head, true);
                }
            }
        }
        self.y += LINE / 3;
    }

    /// The lines of each cell of a row.
    fn row(&self, grid: &Grid<'_>, row: &[String], is_head: bool) -> Vec<Vec<Line>> {
        let width = |n: usize| grid.edges[n + 1] - grid.edges[n] - 2 * Grid::PADDING.0;
        row.iter()
            .enumerate()
            .map(|(n, cell)| self.lines(cell, grid.style(n, is_head), width(n)))
            .collect()
    }

    fn set_row(&mut self, grid: &Grid<'_>, cells: &[Vec<Line>], is_head: bool) {
        let (top, height) = (TOP + self.y, height(cells));
        let (left, right) = (LEFT, LEFT + WIDTH);
        for y in [top, top + height] {
            self.put(Item::Rule {
                from: (left, y),
                to: (right, y),
            });
        }
        for edge in &grid.edges {
            self.put(Item::Rule {
                from: (left + edge, top),
                to: (left + edge, top + height),
            });
        }
        for (n, lines) in cells.iter().enumerate() {
            let style = grid.style(n, is_head);
            let x = left + grid.edges[n] + Grid::PADDING.0;
            let measure = grid.edges[n + 1] - grid.edges[n] - 2 * Grid::PADDING.0;
            let used = style.line * Length::try_from(lines.len()).unwrap_or_default();
            let mut y = top + (height - used) / 2;
            for line in lines {
                let line = Line {
                    glyphs: line.glyphs.clone(),
                    goes_on: line.goes_on,
                };
                self.line(line, style, (x, y), measure);
                y += style.line;
            }
        }
        self.y += height;
    }

    /// “— 1 —” below the text: at the right of odd pages, at the left of even ones, a character from the edge.
    fn number_pages(&mut self) {
        let pages = std::mem::take(&mut self.pages);
        for (number, page) in (1..).zip(pages) {
            self.pages.push(page);
            let align = if number % 2 == 1 { Align::Right } else { Align::Left };
            let style = Style {
                align: Set::At(align),
                ..NUMBER
            };
            let measure = WIDTH - 2 * NUMBER.size;
            for line in self.lines(&format!("— {number} —"), style, WIDTH) {
                // 7 mm below the text.
                self.line(
                    line,
                    style,
                    (LEFT + NUMBER.size, TOP + HEIGHT + 19_843 - NUMBER.size / 2),
                    measure,
                );
            }
        }
    }
}

/// A table with the edges of its columns.
struct Grid<'a> {
    table: &'a Table,
    /// One more than it has columns.
    edges: Vec<Length>,
}

impl Grid<'_> {
    /// Between a cell's edge and its text: at the sides, above and below.
    const PADDING: (Length, Length) = (3_500, 2_000);

    fn style(&self, column: usize, is_head: bool) -> Style {
        let align = self
            .table
            .columns
            .get(column)
            .map_or(Align::Left, |column| column.align);
        match is_head {
            true => Style {
                kind: Type::Hei,
                align: Set::At(Align::Centre),
                ..CELL
            },
            false => Style {
                align: Set::At(align),
                ..CELL
            },
        }
    }
}

/// The lines of a table's cells, row by row.
struct Rows<'a> {
    grid: Grid<'a>,
    /// What stands on each page.
    head: Option<Vec<Vec<Line>>>,
    rows: Vec<Vec<Vec<Line>>>,
}

impl Rows<'_> {
    fn head_height(&self) -> Length {
        self.head.as_ref().map_or(0, |cells| height(cells))
    }

    /// How much of it has to stand on the page that it begins on: a small table stays whole; a head does not stand alone.
    fn opening(&self) -> Length {
        let whole: Length = self.rows.iter().map(|cells| height(cells)).sum();
        let first = self.rows.first().map_or(0, |cells| height(cells)).min(HEIGHT / 2);
        self.head_height() + if whole < HEIGHT / 3 { whole } else { first }
    }
}

/// How high a row is: as its highest cell.
fn height(cells: &[Vec<Line>]) -> Length {
    let lines = cells.iter().map(Vec::len).max().unwrap_or_default().max(1);
    CELL.line * Length::try_from(lines).unwrap_or_default() + 2 * Grid::PADDING.1
}

impl Style {
    /// How far a glyph goes: a Chinese one the pitch, another as its face has it.
    fn advance(&self, glyph: Glyph) -> Length {
        match glyph.advance {
            WIDE => self.pitch,
            other => Length::from(other) * self.size / 1000,
        }
    }
}

/// The places in a text, as offsets, before which a line may begin.
fn breaks(text: &str) -> Vec<usize> {
    // Unicode takes “ and ” for the same class, as Western languages use them for both ends; in Chinese they are brackets.
    let as_brackets: String = text
        .chars()
        .map(|c| match c {
            '“' | '‘' => '（',
            '”' | '’' => '）',
            c => c,
        })
        .collect();
    unicode_linebreak::linebreaks(&as_brackets)
        .map(|(offset, _)| offset)
        .collect()
}

fn is_closing(c: char) -> bool {
    "，。、；：！？”’）〕】》〉」』".contains(c)
}

/// Takes the spaces from the end of a line, and half of a closing mark's width if that is what it ends with.
fn close(glyphs: &mut Vec<(Glyph, Length)>) {
    while glyphs.last().is_some_and(|(glyph, _)| glyph.stands_for == ' ') {
        glyphs.pop();
    }
    if let Some((glyph, advance)) = glyphs.last_mut()
        && is_closing(glyph.stands_for)
    {
        *advance /= 2;
    }
}

/// Makes a line wider by this much, in equal parts wherever a Chinese character is at one side: numbers stay together.
fn spread(glyphs: &mut [(Glyph, Length)], room: Length) {
    let is_wide = |(glyph, _): &(Glyph, Length)| glyph.advance == WIDE;
    let gaps = glyphs.windows(2).filter(|pair| pair.iter().any(is_wide)).count();
    let Some(gaps) = Length::try_from(gaps).ok().filter(|gaps| *gaps > 0 && room > 0) else {
        return;
    };
    let (each, mut more) = (room / gaps, room % gaps);
    for n in 1..glyphs.len() {
        if is_wide(&glyphs[n - 1]) || is_wide(&glyphs[n]) {
            glyphs[n - 1].1 += each + Length::from(more > 0);
            more -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::fonts::Files;

    /// The lines of a document's pages, each with where it begins and ends in hundredths of a millimetre.
    fn set(markup: &str) -> Vec<Vec<(String, Length, Length)>> {
        let files = Files::load(None);
        let fonts = Fonts::of(&files);
        let hundredths = |length: Length| length * 2540 / 72 / 1000;
        let line = |item: &Item| match item {
            Item::Text { x, glyphs, .. } => {
                let width: Length = glyphs.iter().map(|(_, advance)| advance).sum();
                let text = glyphs.iter().map(|(glyph, _)| glyph.stands_for).collect();
                Some((text, hundredths(*x), hundredths(x + width)))
            }
            Item::Rule { .. } => None,
        };
        let pages = pages(&Manuscript::read(markup), &fonts);
        pages
            .iter()
            .map(|page| page.iter().filter_map(line).collect())
            .collect()
    }

    fn texts(page: &[(String, Length, Length)]) -> Vec<&str> {
        page.iter().map(|(text, ..)| text.as_str()).collect()
    }

    #[test]
    fn a_page_has_22_lines_of_28_characters_between_its_margins() {
        let pages = set(&"字".repeat(26 + 28 * 22));
        assert_eq!(pages.len(), 2);
        let first = &pages[0];
        assert_eq!(first.len(), 22 + 1, "and its number");
        assert_eq!((first[0].0.chars().count(), first[1].0.chars().count()), (26, 28));
        // Indented by two characters of 156 / 28 mm; the edges are at 28 and 184 mm.
        assert_eq!(first[0].1, 2800 + 1114);
        assert!(
            (2799..=2800).contains(&first[1].1) && (18_399..=18_400).contains(&first[1].2),
            "{first:?}"
        );
        assert_eq!(texts(&pages[1]), ["字".repeat(28).as_str(), "— 2 —"]);
    }

    #[test]
    fn page_numbers_are_at_the_outer_edges() {
        let pages = set(&"字\n".repeat(23));
        // A character of 4.94 mm (14 points) from the edge.
        assert_eq!(pages[0].last().unwrap().2, 18_400 - 494);
        assert_eq!(pages[1].last().unwrap().1, 2800 + 493);
    }

    #[test]
    fn no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() {
        let words = "各项工作稳步推进，".repeat(3);
        for opening in 0..30 {
            let pages = set(&format!("{}“{words}”（完）、《办法》。{words}", "字".repeat(opening)));
            let lines = texts(&pages[0]);
            let (_, lines) = lines.split_last().unwrap();
            for line in lines {
                assert!(!line.starts_with(is_closing), "{line}");
                assert!(!line.ends_with(['“', '（', '《']), "{line}");
            }
        }
    }

    #[test]
    fn a_number_is_neither_broken_nor_spread() {
        let pages = set(&format!("{}1166.07万元，{}", "字".repeat(23), "字".repeat(40)));
        assert_eq!(
            texts(&pages[0])[0].chars().count(),
            23,
            "the number goes to the next line as a whole"
        );
    }

    #[test]
    fn a_heading_is_not_left_alone_at_the_end_of_a_page() {
        let pages = set(&format!("{}## 一、概况\n正文。", "字\n".repeat(21)));
        assert_eq!(texts(&pages[1]), ["一、概况", "正文。", "— 2 —"]);
    }

    #[test]
    fn headings_that_follow_each_other_go_together_with_what_they_are_of() {
        for (markup, first) in [
            ("## 一、概况\n### （一）职责\n正文。", "正文。"),
            ("## 一、概况\n### （一）职责\n| 指标 |\n|--|\n| 值 |", "指标"),
        ] {
            for before in 0..22 {
                let pages = set(&format!("{}{markup}", "字\n".repeat(before)));
                let page = pages
                    .iter()
                    .map(|page| texts(page))
                    .find(|page| page.contains(&"一、概况"));
                let page = page.unwrap();
                assert!(page.contains(&"（一）职责") && page.contains(&first), "{page:?}");
            }
        }
        let pages = set(&"## 一、概况\n".repeat(100));
        assert_eq!(pages[0].len(), 22 + 1, "but not if they fill pages");
    }

    #[test]
    fn the_head_of_a_table_stands_on_each_page_and_rows_stay_whole() {
        // A row of two lines is 34 points high, a page 637.8: 18 rows below the head of 19.
        let row = format!("| {} | 5 |\n", "说明".repeat(15));
        let pages = set(&format!("| 指标 | 得分 |\n|--|--|\n{}", row.repeat(20)));
        assert_eq!(pages.len(), 2);
        for page in &pages {
            assert_eq!(texts(page)[..2], ["指标", "得分"]);
        }
        let rows = |page: &[(String, Length, Length)]| texts(page).iter().filter(|text| **text == "5").count();
        assert_eq!((rows(&pages[0]), rows(&pages[1])), (18, 2));
    }

    #[test]
    fn a_row_that_no_page_has_room_for_goes_on_over_several() {
        let pages = set(&format!("| 说明 |\n|--|\n| {} |", "字".repeat(4000)));
        let set: usize = pages
            .iter()
            .flatten()
            .map(|(text, ..)| text.matches('字').count())
            .sum();
        assert_eq!(set, 4000, "nothing is lost");
        assert!(pages.len() > 2);
    }

    #[test]
    fn a_head_that_leaves_no_room_below_it_stands_once() {
        let pages = set(&format!("| {} |\n|--|\n| 值 |", "字".repeat(4000)));
        let count = |wanted: char| {
            pages
                .iter()
                .flatten()
                .map(|(text, ..)| text.matches(wanted).count())
                .sum::<usize>()
        };
        assert_eq!((count('字'), count('值')), (4000, 1));
    }
}
