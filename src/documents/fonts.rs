//! The type that a PDF is set in: from a folder that the county names, else the two free faces that come with the program.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use ttf_parser::{GlyphId, Permissions};

/// A type of official documents (GB/T 9704-2012).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// 小标宋, for titles.
    Title,
    /// 黑体, for the first headings and the heads of tables.
    Hei,
    /// 楷体, for the second headings.
    Kai,
    /// 仿宋, for all else.
    Fang,
    /// 宋体, for page numbers.
    Song,
}

/// Of each type, what its file is called, without the ending.
const FILES: [(Type, &[&str]); 5] = [
    (
        Type::Title,
        &["小标宋", "方正小标宋简体", "xiaobiaosong", "fzxbsjw", "fzxbsk"],
    ),
    (Type::Hei, &["黑体", "heiti", "simhei"]),
    (Type::Kai, &["楷体", "楷体_gb2312", "kaiti", "simkai", "kaiti_gb2312"]),
    (
        Type::Fang,
        &["仿宋", "仿宋_gb2312", "fangsong", "simfang", "fangsong_gb2312"],
    ),
    (Type::Song, &["宋体", "songti", "simsun"]),
];

/// The faces that come with the program; assets/fonts/README.md says where they are from. They stay in the file of the program
/// until they are used.
static SERIF: &[u8] = include_bytes!("../../assets/fonts/serif.otf");
static SANS: &[u8] = include_bytes!("../../assets/fonts/sans.otf");

/// Font files, in the order in which they are looked at for a character.
pub struct Files(Vec<(Option<Type>, Cow<'static, [u8]>)>);

impl Files {
    /// Those of the folder, where it has some that may be embedded, and those of the program.
    pub fn load(folder: Option<&Path>) -> Self {
        let own = folder.map(own).unwrap_or_default();
        let builtin = [(None, Cow::Borrowed(SERIF)), (Some(Type::Hei), Cow::Borrowed(SANS))];
        Self(own.into_iter().chain(builtin).collect())
    }
}

/// The files of a folder that are of a known name and can be used, one of each type; what cannot is passed over, and said in the log.
fn own(folder: &Path) -> Vec<(Option<Type>, Cow<'static, [u8]>)> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "the folder of fonts cannot be read");
            return Vec::new();
        }
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut own: Vec<(Option<Type>, Cow<'static, [u8]>)> = Vec::new();
    for path in paths {
        let is_font = path.extension().is_some_and(|ending| {
            ["ttf", "otf", "ttc"]
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        });
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
        let of = |stem: &str| FILES.iter().find(|(_, names)| names.contains(&stem));
        let Some((kind, _)) = stem.as_deref().filter(|_| is_font).and_then(of) else {
            continue;
        };
        if own.iter().any(|(known, _)| *known == Some(*kind)) {
            continue;
        }
        match fs::read(&path) {
            Ok(data) if may_be_embedded(&data) => own.push((Some(*kind), Cow::Owned(data))),
            Ok(_) => tracing::warn!(font = %path.display(), "this is no font, or one that may not be embedded"),
            Err(error) => tracing::warn!(font = %path.display(), %error, "the font cannot be read"),
        }
    }
    own
}

fn may_be_embedded(data: &[u8]) -> bool {
    ttf_parser::Face::parse(data, 0).is_ok_and(|face| {
        face.permissions() != Some(Permissions::Restricted)
            && face.is_subsetting_allowed()
            && face.glyph_index('国').is_some()
    })
}

/// The faces of font files, to set text with.
pub struct Fonts<'a>(Vec<Font<'a>>);

/// A face.
pub struct Font<'a> {
    /// What it is; `None` for the one that stands in for all.
    kind: Option<Type>,
    /// Its file.
    pub data: &'a [u8],
    /// What is in it.
    pub face: ttf_parser::Face<'a>,
}

/// A character as a face has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph {
    /// The number of the face.
    pub font: usize,
    /// Its number in the face.
    pub id: u16,
    /// The character that it stands for: not always the one that it shows.
    pub stands_for: char,
    /// How far it goes, in thousandths of the type's size.
    pub advance: i32,
}

/// What is shown for a character that no face has.
const UNKNOWN: char = '〓';

impl<'a> Fonts<'a> {
    /// The faces of these files.
    pub fn of(files: &'a Files) -> Self {
        let parse = |(kind, data): &'a (Option<Type>, Cow<'static, [u8]>)| {
            let face = ttf_parser::Face::parse(data, 0).ok()?;
            Some(Font {
                kind: *kind,
                data,
                face,
            })
        };
        Self(files.0.iter().filter_map(parse).collect())
    }

    /// The faces by their numbers.
    pub fn all(&self) -> &[Font<'a>] {
        &self.0
    }

    /// Whether a face is of that type itself, and no other stands in for it.
    pub fn has(&self, kind: Type) -> bool {
        self.0.iter().any(|font| font.kind == Some(kind))
    }

    /// A character in a type: in its own face, else in one that has it, else 〓, which stands for it; `None` for what is not
    /// to be seen, such as a mark of direction.
    pub fn glyph(&self, kind: Type, c: char) -> Option<Glyph> {
        if is_invisible(c) {
            return None;
        }
        self.find(kind, c).or_else(|| {
            let glyph = self.find(kind, UNKNOWN)?;
            Some(Glyph { stands_for: c, ..glyph })
        })
    }

    fn find(&self, kind: Type, c: char) -> Option<Glyph> {
        let own = |font: &&Font<'_>| font.kind == Some(kind);
        let any = |font: &&Font<'_>| font.kind.is_none();
        let has = |fit: &dyn Fn(&&Font<'_>) -> bool| {
            self.0
                .iter()
                .enumerate()
                .filter(|(_, font)| fit(font))
                .find_map(|(number, font)| {
                    let id = font.face.glyph_index(c)?;
                    Some((number, id, font))
                })
        };
        let (number, id, font) = has(&own).or_else(|| has(&any)).or_else(|| has(&|_| true))?;
        Some(Glyph {
            font: number,
            id: id.0,
            stands_for: c,
            advance: font.thousandths(i32::from(font.face.glyph_hor_advance(id).unwrap_or_default())),
        })
    }
}

impl Font<'_> {
    /// A length of the face in thousandths of the type's size.
    pub fn thousandths(&self, units: i32) -> i32 {
        units * 1000 / i32::from(self.face.units_per_em())
    }

    /// How far a glyph goes, in thousandths of the type's size.
    pub fn advance(&self, id: u16) -> i32 {
        self.thousandths(i32::from(self.face.glyph_hor_advance(GlyphId(id)).unwrap_or_default()))
    }
}

/// Characters that only say how others are to be shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_no_face_has_is_seen_and_not_lost() {
        let files = Files::load(None);
        let fonts = Fonts::of(&files);
        let shown = |c| fonts.glyph(Type::Fang, c);
        // Not in GB 2312, and usual in names.
        for c in "衡山县镕堃婳1166.07％“”—…〔〕№≥℃㎡①".chars() {
            assert_eq!(shown(c).unwrap().stands_for, c);
            assert_ne!(shown(c).unwrap().id, shown('〓').unwrap().id, "{c}");
        }
        // A seal script character of Unicode 13, and an emoji.
        for c in ['\u{30000}', '\u{1f600}'] {
            let glyph = shown(c).unwrap();
            assert_eq!((glyph.id, glyph.stands_for), (shown('〓').unwrap().id, c));
        }
        assert_eq!(shown('\u{200b}'), None);
    }

    #[test]
    fn without_faces_of_the_countys_own_headings_are_in_the_sans_serif_one() {
        let files = Files::load(Some(Path::new("/nonexistent")));
        let fonts = Fonts::of(&files);
        let number = |kind| fonts.glyph(kind, '一').unwrap().font;
        assert_ne!(number(Type::Hei), number(Type::Fang));
        assert_eq!(number(Type::Kai), number(Type::Fang));
        assert!(fonts.has(Type::Hei) && !fonts.has(Type::Title));
    }
}
