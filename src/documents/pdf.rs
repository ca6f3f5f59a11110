//! A document as PDF: its text can be selected and searched, and the faces that it uses are in it, as far as it uses them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;
use ttf_parser::{RawFace, Tag};

use super::fonts::{Files, Font, Fonts, Glyph};
use super::layout::{self, Item, Length, PAGE};
use super::manuscript::{Block, Manuscript};

/// Why a PDF could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// A face cannot be cut down to what is used of it.
    #[error("a font cannot be embedded: {0}")]
    Font(#[from] subsetter::Error),
    /// The stream cannot be packed.
    #[error("a stream cannot be written: {0}")]
    Stream(#[from] std::io::Error),
}

/// What a face is called in the contents of pages. There are fewer than ten: one of each type, and two of the program.
fn name(number: usize) -> [u8; 2] {
    [b'F', b'0' + (number % 10) as u8]
}

/// What a face is called where it is embedded; the letters before the plus say that it is a part of it.
fn name_of_subset(number: usize) -> Vec<u8> {
    [b"JIXIAO+".as_slice(), &name(number)].concat()
}

const IDENTITY: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// Writes a document, in the types of the folder where it has them. The same document and types give the same bytes.
///
/// # Errors
/// When a font of the folder is broken.
pub fn pdf(manuscript: &Manuscript, folder: Option<&Path>) -> Result<Vec<u8>, PdfError> {
    let files = Files::load(folder);
    let fonts = Fonts::of(&files);
    let pages = layout::pages(manuscript, &fonts);
    let mut used: BTreeMap<usize, Used> = BTreeMap::new();
    let mut next = 0;
    let mut new = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, tree, info) = (new(), new(), new());
    let mut pdf = Pdf::new();
    let title = manuscript.blocks.iter().find_map(|block| match block {
        Block::Title(title) => Some(title.replace('\n', "")),
        _ => None,
    });
    let title = title.unwrap_or_else(|| "自评报告".to_owned());
    pdf.document_info(info)
        .title(TextStr(&title))
        .producer(TextStr("Jixiao"));
    pdf.catalog(catalog)
        .pages(tree)
        .lang(TextStr("zh-CN"))
        .viewer_preferences()
        .display_doc_title(true);
    let places: Vec<(Ref, Ref)> = pages.iter().map(|_| (new(), new())).collect();
    pdf.pages(tree)
        .kids(places.iter().map(|(page, _)| *page))
        .count(i32::try_from(places.len()).unwrap_or(i32::MAX));
    for (items, (page, contents)) in pages.iter().zip(&places) {
        let content = draw(items, &fonts, &mut used, &mut new);
        let packed = pack(&content)?;
        pdf.stream(*contents, &packed).filter(Filter::FlateDecode);
        let mut page = pdf.page(*page);
        page.parent(tree)
            .media_box(Rect::new(0.0, 0.0, points(PAGE.0), points(PAGE.1)))
            .contents(*contents);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (number, font) in &used {
            named.pair(Name(&name(*number)), font.id);
        }
    }
    for (number, font) in used {
        if let Some(face) = fonts.all().get(number) {
            embed(&mut pdf, face, Name(&name_of_subset(number)), &font, &mut new)?;
        }
    }
    Ok(pdf.finish())
}

/// What is used of a face.
struct Used {
    id: Ref,
    glyphs: GlyphRemapper,
    /// What each glyph shows, by its new number.
    shows: BTreeMap<u16, (u16, char)>,
}

impl Used {
    fn number(&mut self, glyph: Glyph) -> u16 {
        let number = self.glyphs.remap(glyph.id);
        self.shows.entry(number).or_insert((glyph.id, glyph.stands_for));
        number
    }
}

/// A length as PDF has it.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "PDF states lengths in points with decimals"
)]
fn points(length: Length) -> f32 {
    length as f32 / 1000.0
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The contents of a page.
fn draw(items: &[Item], fonts: &Fonts<'_>, used: &mut BTreeMap<usize, Used>, new: &mut impl FnMut() -> Ref) -> Vec<u8> {
    let mut content = Content::new();
    content.set_line_width(0.5);
    for item in items {
        match item {
            Item::Rule { from, to } => {
                content.move_to(points(from.0), points(PAGE.1 - from.1));
                content.line_to(points(to.0), points(PAGE.1 - to.1)).stroke();
            }
            Item::Text {
                x,
                baseline,
                size,
                bold,
                glyphs,
            } => {
                content.begin_text();
                if *bold {
                    content.set_text_rendering_mode(TextRenderingMode::FillStroke);
                }
                let mut x = *x;
                for run in glyphs.chunk_by(|(one, _), (other, _)| one.font == other.font) {
                    let Some((first, _)) = run.first() else { continue };
                    let font = used.entry(first.font).or_insert_with(|| Used {
                        id: new(),
                        glyphs: GlyphRemapper::new(),
                        shows: BTreeMap::new(),
                    });
                    content.set_font(Name(&name(first.font)), points(*size));
                    content.set_text_matrix([1.0, 0.0, 0.0, 1.0, points(x), points(PAGE.1 - baseline)]);
                    let mut shown = content.show_positioned();
                    let mut items = shown.items();
                    let natural = |id| fonts.all().get(first.font).map_or(0, |font| font.advance(id));
                    for (glyph, advance) in run {
                        items.show(Str(&font.number(*glyph).to_be_bytes()));
                        // By how much less than itself it is to go, in thousandths of the size.
                        let less = Length::from(natural(glyph.id)) - advance * 1000 / size;
                        if less != 0 {
                            items.adjust(points(less * 1000));
                        }
                        x += advance;
                    }
                }
                if *bold {
                    content.set_text_rendering_mode(TextRenderingMode::Fill);
                }
                content.end_text();
            }
        }
    }
    content.finish().into_vec()
}

/// Embeds what is used of a face, with what each glyph means, so that text can be taken out again.
fn embed(
    pdf: &mut Pdf,
    font: &Font<'_>,
    name: Name<'_>,
    used: &Used,
    new: &mut impl FnMut() -> Ref,
) -> Result<(), PdfError> {
    let (descendant, descriptor, meaning, file) = (new(), new(), new(), new());
    let subset = subsetter::subset(font.data, 0, &used.glyphs)?;
    let outlines = RawFace::parse(&subset, 0)
        .ok()
        .and_then(|face| face.table(Tag::from_bytes(b"CFF ")));
    pdf.type0_font(used.id)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(meaning);
    let mut cid = pdf.cid_font(descendant);
    cid.subtype(match outlines {
        Some(_) => CidFontType::Type0,
        None => CidFontType::Type2,
    });
    cid.base_font(name)
        .system_info(IDENTITY)
        .font_descriptor(descriptor)
        .default_width(1000.0);
    if outlines.is_none() {
        cid.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let mut widths = cid.widths();
    for (number, (id, _)) in &used.shows {
        let advance = font.advance(*id);
        if advance != 1000 {
            widths.consecutive(*number, [points(Length::from(advance) * 1000)]);
        }
    }
    widths.finish();
    cid.finish();
    let face = &font.face;
    let scaled = |units: i16| points(Length::from(font.thousandths(i32::from(units))) * 1000);
    let bounds = face.global_bounding_box();
    let mut descriptor = pdf.font_descriptor(descriptor);
    descriptor
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            scaled(bounds.x_min),
            scaled(bounds.y_min),
            scaled(bounds.x_max),
            scaled(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(scaled(face.ascender()))
        .descent(scaled(face.descender()))
        .cap_height(scaled(face.capital_height().unwrap_or(face.ascender())))
        .stem_v(80.0);
    match outlines {
        Some(_) => descriptor.font_file3(file),
        None => descriptor.font_file2(file),
    };
    descriptor.finish();
    let mut map = UnicodeCmap::new(Name(b"Jixiao"), IDENTITY);
    for (number, (_, character)) in &used.shows {
        map.pair(*number, *character);
    }
    pdf.cmap(meaning, &map.finish());
    let packed = pack(outlines.unwrap_or(&subset))?;
    let mut stream = pdf.stream(file, &packed);
    stream.filter(Filter::FlateDecode);
    if outlines.is_some() {
        stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// The text of a PDF, as poppler takes it out; `None`, after saying so, where it is not installed. In CI that is a failure.
    fn text(bytes: &[u8]) -> Option<String> {
        let tool = Command::new("pdftotext")
            .args(["-layout", "-", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut tool = match tool {
            Ok(tool) => tool,
            Err(error) if std::env::var_os("CI").is_none() => {
                eprintln!("skipped: pdftotext (package poppler-utils): {error}");
                return None;
            }
            Err(error) => panic!("pdftotext: {error}"),
        };
        let bytes = bytes.to_vec();
        let mut stdin = tool.stdin.take().unwrap();
        let sent = std::thread::spawn(move || stdin.write_all(&bytes));
        let output = tool.wait_with_output().unwrap();
        sent.join().unwrap().unwrap();
        assert!(output.status.success());
        Some(String::from_utf8(output.stdout).unwrap())
    }

    fn squeezed(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn the_chinese_of_a_pdf_can_be_selected() {
        let written = "# 衡山县开云镇人民政府\n## 一、基本概况\n2019年度基本支出1166.07万元，比上年增加91.59万元，增长57.08%。\n| 指标 | 得分 |\n|--|--|\n| 在职人员控制率 | 5 |";
        let bytes = pdf(&Manuscript::read(written), None).unwrap();
        if let Some(text) = text(&bytes) {
            let expected = "衡山县开云镇人民政府一、基本概况2019年度基本支出1166.07万元，比上年增加91.59万元，增长57.08%。指标得分在职人员控制率5—1—";
            assert_eq!(squeezed(&text), expected);
        }
        assert_eq!(
            bytes,
            pdf(&Manuscript::read(written), None).unwrap(),
            "the same bytes each time"
        );
    }

    #[test]
    fn a_character_that_no_font_has_can_still_be_found() {
        if let Some(text) = text(&pdf(&Manuscript::read("𰀀村"), None).unwrap()) {
            assert_eq!(squeezed(&text), "𰀀村—1—");
        }
    }

    #[test]
    fn a_report_of_a_hundred_pages_holds_of_each_face_only_what_it_uses() {
        let page = "绩效自评工作稳步推进，各项目标全部完成。\n".repeat(23);
        let bytes = pdf(&Manuscript::read(&page.repeat(100)), None).unwrap();
        // 23 lines of a paragraph each, 22 to a page: 104 pages and more.
        assert!(bytes.len() < 400_000, "{} bytes", bytes.len());
        if let Some(text) = text(&bytes) {
            assert_eq!(text.matches('\u{c}').count(), (23 * 100_usize).div_ceil(22));
        }
    }
}
