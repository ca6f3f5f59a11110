//! A document as DOCX (Office Open XML), set as official documents are (GB/T 9704-2012).

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use quick_xml::escape::escape;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use super::manuscript::{Align, Block, Level, Manuscript, Table};

/// The width of the text in twentieths of a point: 156 mm.
const WIDTH: u32 = 8844;

const CONTENT_TYPES: &str = include_str!("docx/content-types.xml");
const RELATIONS: &str = include_str!("docx/relations.xml");
const DOCUMENT_RELATIONS: &str = include_str!("docx/document-relations.xml");
const STYLES: &str = include_str!("docx/styles.xml");
const SETTINGS: &str = include_str!("docx/settings.xml");
const FONTS: &str = include_str!("docx/fonts.xml");
const ODD: &str = include_str!("docx/footer-odd.xml");
const EVEN: &str = include_str!("docx/footer-even.xml");

/// A4; margins of 37 mm at the top, 28 mm at the left, 26 mm at the right and 35 mm below: what is left is 156 × 225 mm.
const SECTION: &str = r#"<w:sectPr><w:footerReference w:type="default" r:id="odd"/><w:footerReference w:type="even" r:id="even"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1588" w:header="851" w:footer="1304" w:gutter="0"/></w:sectPr>"#;

/// Writes a document. The same document gives the same bytes.
///
/// # Errors
/// None that a document can cause: the parts are written to memory.
pub fn docx(manuscript: &Manuscript) -> zip::result::ZipResult<Vec<u8>> {
    let title = manuscript.blocks.iter().find_map(|block| match block {
        Block::Title(title) => Some(title.replace('\n', "")),
        _ => None,
    });
    let body = body(manuscript);
    let core = core(&title.unwrap_or_default());
    // One time for all, else the bytes would be others each second.
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", RELATIONS),
        ("docProps/core.xml", &core),
        ("word/document.xml", &body),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS),
        ("word/styles.xml", STYLES),
        ("word/settings.xml", SETTINGS),
        ("word/fontTable.xml", FONTS),
        ("word/footer1.xml", ODD),
        ("word/footer2.xml", EVEN),
    ] {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

fn core(title: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title><dc:language>zh-CN</dc:language></cp:coreProperties>"#,
        text(title)
    )
}

/// A text as XML holds it, without the two characters that it cannot hold.
fn text(text: &str) -> String {
    escape(text).replace(['\u{fffe}', '\u{ffff}'], "〓")
}

fn body(manuscript: &Manuscript) -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>"#,
    );
    let mut new_page = false;
    for block in &manuscript.blocks {
        let mut extra = if new_page { "<w:pageBreakBefore/>" } else { "" };
        if new_page && matches!(block, Block::Table(_) | Block::Attachments(_) | Block::Signature(_)) {
            paragraph(&mut xml, "Gap", extra, "");
            extra = "";
        }
        new_page = false;
        match block {
            Block::Title(title) => paragraph(&mut xml, "Title", extra, title),
            Block::Heading(Level::First, heading) => paragraph(&mut xml, "Heading1", extra, heading),
            Block::Heading(Level::Second, heading) => paragraph(&mut xml, "Heading2", extra, heading),
            Block::Heading(Level::Third, heading) => paragraph(&mut xml, "Heading3", extra, heading),
            Block::Paragraph(words) => paragraph(&mut xml, "Normal", extra, words),
            Block::Label(label) => paragraph(&mut xml, "Label", extra, label),
            Block::Table(rows) => table(&mut xml, rows),
            Block::Attachments(entries) => {
                for (n, entry) in entries.iter().enumerate() {
                    let (style, before) = if n == 0 {
                        ("Attachments", "附件：")
                    } else {
                        ("Attachment", "")
                    };
                    let number = if entries.len() > 1 {
                        format!("{}.", n + 1)
                    } else {
                        String::new()
                    };
                    paragraph(&mut xml, style, "", &format!("{before}{number}{entry}"));
                }
            }
            Block::Signature(lines) => {
                for line in lines {
                    paragraph(&mut xml, "Signature", "", line);
                }
            }
            Block::NewPage => new_page = true,
        }
    }
    xml.push_str(SECTION);
    xml.push_str("</w:body></w:document>");
    xml
}

fn paragraph(xml: &mut String, style: &str, properties: &str, words: &str) {
    // Writing to a String cannot fail.
    let _ = write!(xml, r#"<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>"#);
    for (n, line) in words.split('\n').enumerate() {
        let line_break = if n > 0 { "<w:br/>" } else { "" };
        let _ = write!(
            xml,
            r#"<w:r>{line_break}<w:t xml:space="preserve">{}</w:t></w:r>"#,
            text(line)
        );
    }
    xml.push_str("</w:p>");
}

fn table(xml: &mut String, table: &Table) {
    let all: u32 = table.columns.iter().map(|column| column.share).sum::<u32>().max(1);
    let widths: Vec<u32> = table.columns.iter().map(|column| WIDTH * column.share / all).collect();
    let _ = write!(
        xml,
        r#"<w:tbl><w:tblPr><w:tblStyle w:val="Figures"/><w:tblW w:w="{WIDTH}" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>"#
    );
    for width in &widths {
        let _ = write!(xml, r#"<w:gridCol w:w="{width}"/>"#);
    }
    xml.push_str("</w:tblGrid>");
    let head = std::iter::once((&table.head, true));
    for (row, is_head) in head.chain(table.rows.iter().map(|row| (row, false))) {
        let repeated = if is_head { "<w:tblHeader/>" } else { "" };
        let _ = write!(xml, "<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>");
        for ((cell, column), width) in row.iter().zip(&table.columns).zip(&widths) {
            let align = match (is_head, column.align) {
                (true, _) | (_, Align::Centre) => "center",
                (_, Align::Left) => "left",
                (_, Align::Right) => "right",
            };
            let _ = write!(
                xml,
                r#"<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>"#
            );
            let style = if is_head { "CellHead" } else { "Cell" };
            paragraph(xml, style, &format!(r#"<w:jc w:val="{align}"/>"#), cell);
            xml.push_str("</w:tc>");
        }
        xml.push_str("</w:tr>");
    }
    // A table that follows another at once would be read as one with it.
    xml.push_str(r#"</w:tbl><w:p><w:pPr><w:pStyle w:val="Gap"/></w:pPr></w:p>"#);
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use quick_xml::Reader;
    use quick_xml::events::Event;
    use zip::ZipArchive;

    use super::*;

    /// The parts of a document by name, each of them well-formed XML.
    fn parts(bytes: &[u8]) -> Vec<(String, String)> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        (0..zip.len())
            .map(|n| {
                let mut file = zip.by_index(n).unwrap();
                let name = file.name().unwrap().into_owned();
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                let mut reader = Reader::from_str(&text);
                while reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}")) != Event::Eof {}
                (name, text)
            })
            .collect()
    }

    /// The words of a document, a line each paragraph.
    fn words(bytes: &[u8]) -> String {
        let (_, body) = parts(bytes)
            .into_iter()
            .find(|(name, _)| name == "word/document.xml")
            .unwrap();
        let mut reader = Reader::from_str(&body);
        let mut words = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return words,
                Event::Text(text) => words.push_str(&text),
                Event::GeneralRef(name) => words.push_str(match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    _ => "?",
                }),
                Event::End(end) if end.name().as_ref() == "w:p" => words.push('\n'),
                _ => {}
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again_word_by_word() {
        let manuscript = Manuscript::read(
            "# 报告\n## 一、概况\n正文<1&2>\u{ffff}。\n| 甲 | 乙 |\n|--|-:|\n| 一 | 2.5 |\n- 表一\n- 表二\n> 开云镇\n---\n| 丙 |\n|--|\n| 三 |",
        );
        let bytes = docx(&manuscript).unwrap();
        // A table leaves an empty line behind it, and one that begins a page has one before it.
        let expected = "报告\n一、概况\n正文<1&2>〓。\n甲\n乙\n一\n2.5\n\n附件：1.表一\n2.表二\n开云镇\n\n丙\n三\n\n";
        assert_eq!(words(&bytes), expected);
        assert_eq!(bytes, docx(&manuscript).unwrap(), "the same bytes each time");
    }

    #[test]
    fn heads_of_tables_are_repeated_and_rows_stay_whole() {
        let bytes = docx(&Manuscript::read("| 甲 | 乙 |\n|--|------|\n| 一 | 二 |")).unwrap();
        let (_, body) = parts(&bytes)
            .into_iter()
            .find(|(name, _)| name == "word/document.xml")
            .unwrap();
        assert_eq!(
            (
                body.matches("<w:tblHeader/>").count(),
                body.matches("<w:cantSplit/>").count()
            ),
            (1, 2)
        );
        // 8844 in two parts of 1 to 3.
        assert!(body.contains(r#"<w:gridCol w:w="2211"/><w:gridCol w:w="6633"/>"#));
    }
}
