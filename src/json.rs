//! JSON as `serde_json` writes it, byte for byte, in a third of its time (`benches/scoring.rs`).
//!
//! A score is some twelve hundred short texts, most of them names of fields. The names, which the program itself chose, are written
//! where they stand: how long each is is known there, so that it is a few instructions. The texts are copied and looked through
//! for what is to be escaped sixteen bytes at a time, in one place: put where each field is written, as libraries do, that is more
//! code than a processor keeps at hand.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};

/// What cannot be written here: a floating-point number (there are none in money and points), bytes, a key that is no text, and the
/// values of `serde_json`'s own, whose numbers only that one can write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not to be written as JSON here: {0}")]
pub struct Unwritable(String);

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// A value as JSON, for which there is room for so many bytes at once; with less than it takes, room is made as it is written.
///
/// # Errors
/// What cannot be written here.
pub fn write(value: &(impl Serialize + ?Sized), room: usize) -> Result<Vec<u8>, Unwritable> {
    let mut writer = Writer {
        out: vec![0; room],
        at: 0,
    };
    value.serialize(&mut writer)?;
    let Writer { mut out, at } = writer;
    out.truncate(at);
    Ok(out)
}

/// What was written, and room for more: bytes are put into their places, which costs less than to push them one after another.
struct Writer {
    out: Vec<u8>,
    /// Where the next byte belongs.
    at: usize,
}

/// An array or an object that has been begun.
struct Begun<'w> {
    writer: &'w mut Writer,
    /// What stands before the next item: what begins it all, then commas.
    before: u8,
    /// What ends it.
    end: u8,
}

/// Whether a byte cannot stand in a JSON text as it is.
fn is_special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

/// Whether one of them stands in these bytes. All are looked at, without an end at the first, so that it becomes a few vector
/// instructions.
#[inline(never)]
fn special_in(chunk: &[u8; 16]) -> bool {
    chunk.iter().fold(false, |any, byte| any | is_special(*byte))
}

/// The same of eight bytes as one number ("Bit Twiddling Hacks": a byte less than n, a byte that is zero).
fn special_in_word(word: u64) -> bool {
    const EACH: u64 = u64::MAX / 255;
    let below = |word: u64, least: u64| word.wrapping_sub(EACH * least) & !word;
    let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (EACH * 0x80) != 0
}

/// Copies the first and the last `N` bytes, which overlap where there are less than twice as many; `None` if there are less than `N`.
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) -> Option<([u8; N], [u8; N])> {
    let (first, last) = (*from.first_chunk()?, *from.last_chunk()?);
    *to.first_chunk_mut()? = first;
    *to.last_chunk_mut()? = last;
    Some((first, last))
}

/// Copies a text to where there is room for just as much, and says whether something in it is special.
fn copy(from: &[u8], to: &mut [u8]) -> bool {
    if let Some((_, last)) = copy_ends(from, to) {
        let mut any = special_in(&last);
        for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
            *to = *from;
            any = any || special_in(from);
        }
        return any;
    }
    if let Some((first, last)) = copy_ends(from, to) {
        let both = u128::from(u64::from_le_bytes(first)) << 64 | u128::from(u64::from_le_bytes(last));
        return special_in(&both.to_le_bytes());
    }
    if let Some((first, last)) = copy_ends(from, to) {
        return special_in_word(u64::from(u32::from_le_bytes(first)) << 32 | u64::from(u32::from_le_bytes(last)));
    }
    let mut any = false;
    // There are no more; the compiler does not know.
    for (from, to) in from.iter().zip(to).take(3) {
        *to = *from;
        any |= is_special(*from);
    }
    any
}

impl Writer {
    /// Room for so many bytes, which count as written.
    #[inline(always)]
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.out.len() - self.at < bytes {
            self.grow(bytes);
        }
        let from = self.at;
        self.at += bytes;
        &mut self.out[from..from + bytes]
    }

    fn written(&self) -> &[u8] {
        self.out.get(..self.at).unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        let len = (self.out.len() * 2).max(self.at + bytes).max(64);
        self.out.resize(len, 0);
    }

    #[inline(never)]
    fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        let from = self.at;
        let [begin, middle @ .., end] = self.room(text.len() + 2) else {
            return;
        };
        (*begin, *end) = (b'"', b'"');
        if copy(text, middle) {
            self.at = from;
            self.escaped(text);
        }
    }

    /// What stands before a field, and its name, which no client chose.
    #[inline(always)]
    fn name(&mut self, before: u8, name: &'static str) {
        debug_assert!(!name.bytes().any(is_special), "{name}");
        let [first, quote, middle @ .., end, colon] = self.room(name.len() + 4) else {
            return;
        };
        (*first, *quote, *end, *colon) = (before, b'"', b'"', b':');
        middle.copy_from_slice(name.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
    }

    fn byte(&mut self, byte: u8) {
        self.room(1).fill(byte);
    }

    fn number(&mut self, number: impl itoa::Integer) -> Result<(), Unwritable> {
        self.bytes(itoa::Buffer::new().format(number).as_bytes());
        Ok(())
    }

    #[cold]
    fn escaped(&mut self, mut text: &[u8]) {
        self.byte(b'"');
        while let Some(at) = text.iter().position(|byte| is_special(*byte)) {
            self.bytes(&text[..at]);
            self.escape(text[at]);
            text = &text[at + 1..];
        }
        self.bytes(text);
        self.byte(b'"');
    }

    fn escape(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                return self.bytes(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        };
        self.bytes(&[b'\\', short]);
    }
}

impl<'w> Begun<'w> {
    fn new(writer: &'w mut Writer, [begin, end]: [u8; 2]) -> Self {
        let before = begin;
        Self { writer, before, end }
    }

    /// One that is the only value in an object, under the name of its variant.
    fn variant(writer: &'w mut Writer, variant: &'static str, ends: [u8; 2]) -> Self {
        writer.name(b'{', variant);
        Self::new(writer, ends)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.writer.byte(self.before);
        self.before = b',';
        value.serialize(&mut *self.writer)
    }

    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        self.writer.name(self.before, name);
        self.before = b',';
        value.serialize(&mut *self.writer)
    }

    fn done(self) -> Result<&'w mut Writer, Unwritable> {
        // Nothing was in it.
        if self.before != b',' {
            self.writer.byte(self.before);
        }
        self.writer.byte(self.end);
        Ok(self.writer)
    }
}

macro_rules! numbers {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, number: $type) -> Result<(), Unwritable> {
            self.number(number)
        }
    )*};
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Begun<'w>;
    type SerializeTuple = Begun<'w>;
    type SerializeTupleStruct = Begun<'w>;
    type SerializeTupleVariant = Begun<'w>;
    type SerializeMap = Begun<'w>;
    type SerializeStruct = Begun<'w>;
    type SerializeStructVariant = Begun<'w>;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        self.bytes(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unwritable> {
        Err(ser::Error::custom("a floating-point number"))
    }

    fn serialize_f64(self, _: f64) -> Result<(), Unwritable> {
        Err(ser::Error::custom("a floating-point number"))
    }

    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
        self.text(value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unwritable> {
        Err(ser::Error::custom("bytes"))
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.bytes(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unwritable> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        let mut object = Begun::new(self, *b"{}");
        object.field(variant, value)?;
        object.done().map(drop)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Begun<'w>, Unwritable> {
        Ok(Begun::new(self, *b"[]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Begun<'w>, Unwritable> {
        Ok(Begun::new(self, *b"[]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Begun<'w>, Unwritable> {
        Ok(Begun::new(self, *b"[]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Begun<'w>, Unwritable> {
        Ok(Begun::variant(self, variant, *b"[]"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Begun<'w>, Unwritable> {
        Ok(Begun::new(self, *b"{}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Begun<'w>, Unwritable> {
        // Under such names serde_json hides its numbers and raw values from other libraries.
        if name.starts_with('$') {
            return Err(ser::Error::custom(name));
        }
        Ok(Begun::new(self, *b"{}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Begun<'w>, Unwritable> {
        Ok(Begun::variant(self, variant, *b"{}"))
    }
}

/// What is added to each kind of array by its value, and to each kind of object by a name and its value; and what ends what is
/// around it.
macro_rules! begun {
    ($($kind:ident: $add:ident($($name:ident)?) is $does:ident, $after:expr;)*) => {$(
        impl $kind for Begun<'_> {
            type Ok = ();
            type Error = Unwritable;

            #[inline(always)]
            fn $add<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Unwritable> {
                self.$does($($name,)? value)
            }

            fn end(self) -> Result<(), Unwritable> {
                self.done()?.bytes($after);
                Ok(())
            }
        }
    )*};
}

begun! {
    SerializeSeq: serialize_element() is item, b"";
    SerializeTuple: serialize_element() is item, b"";
    SerializeTupleStruct: serialize_field() is item, b"";
    SerializeTupleVariant: serialize_field() is item, b"}";
    SerializeStruct: serialize_field(name) is field, b"";
    SerializeStructVariant: serialize_field(name) is field, b"}";
}

impl SerializeMap for Begun<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.item(key)?;
        // Only a text ends so.
        match self.writer.written().last() {
            Some(b'"') => Ok(()),
            _ => Err(ser::Error::custom("a key that is no text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.writer.byte(b':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.done().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::scoring::fixtures::{builtin, score_of, whole_assessments, whole_sheet};

    fn written(value: &impl Serialize) -> Result<String, Unwritable> {
        let tight = write(value, 0);
        // What room there is changes nothing.
        assert_eq!(write(value, 4096), tight);
        Ok(String::from_utf8(tight?).unwrap())
    }

    fn as_ever(value: &impl Serialize) {
        assert_eq!(written(value), Ok(serde_json::to_string(value).unwrap()));
    }

    #[test]
    fn a_score_is_written_as_any_other_answer_is() {
        let scheme = builtin("hunan-2019");
        as_ever(&score_of(&scheme, whole_sheet(), whole_assessments()));
        as_ever(&score_of(&scheme, json!({}), json!({})));
        as_ever(&score_of(&builtin("project-2020"), json!({}), json!({})));
    }

    #[test]
    fn every_kind_of_value_is_written_as_ever() {
        #[derive(Serialize)]
        struct Unit;
        #[derive(Serialize)]
        struct Pair(i8, Option<u16>);
        #[derive(Serialize)]
        struct New(i128);
        #[derive(Serialize)]
        struct Nothing {}
        #[derive(Serialize)]
        enum Kind {
            Plain,
            One(u128),
            Two(char, bool),
            Named { text: &'static str, no: () },
            Bare {},
            Void(),
        }
        #[derive(Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Tagged {
            InPost { posts: u8 },
            None,
        }
        #[derive(Serialize)]
        struct Whole {
            unit: Unit,
            pair: Pair,
            #[serde(rename = "新")]
            new: New,
            kinds: Vec<Kind>,
            nothing: Nothing,
            tagged: [Tagged; 2],
            map: BTreeMap<String, Vec<i64>>,
            #[serde(flatten)]
            rest: BTreeMap<&'static str, u32>,
        }
        as_ever(&Whole {
            unit: Unit,
            pair: Pair(-128, None),
            new: New(i128::MIN),
            kinds: vec![
                Kind::Plain,
                Kind::One(u128::MAX),
                Kind::Two('"', false),
                Kind::Named {
                    text: "a\u{7f}",
                    no: (),
                },
                Kind::Bare {},
                Kind::Void(),
            ],
            nothing: Nothing {},
            tagged: [Tagged::InPost { posts: 171 }, Tagged::None],
            map: [("a \"b\"\n".to_owned(), vec![1, -2]), (String::new(), Vec::new())].into(),
            rest: [("c", 3), ("d", 4)].into(),
        });
        as_ever(&BTreeMap::<String, ()>::new());
    }

    #[test]
    fn what_would_not_be_exact_or_not_json_is_refused() {
        for refused in [
            written(&1.5),
            written(&Some(f32::NAN)),
            written(&[json!(1.5)]),
            written(&serde_json::from_str::<Box<serde_json::value::RawValue>>("1").unwrap()),
            written(&BTreeMap::from([(1, 2)])),
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_written_as_ever(text in r#"(\PC|[\x00-\x1f\x7f\u{2028}\\"/]){0,80}"#) {
            prop_assert_eq!(written(&text).unwrap(), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn what_is_special_is_found_wherever_it_stands(before in "[ -!#-\\[\\]-~]{0,70}", special in "[\x00-\x1f\"\\\\]", after in "\\PC{0,40}") {
            let text = format!("{before}{special}{after}");
            for (part, has_special) in [(&text, true), (&before, false)] {
                let mut copied = vec![0; part.len()];
                prop_assert_eq!(copy(part.as_bytes(), &mut copied), has_special);
                prop_assert_eq!(&copied, part.as_bytes());
            }
            prop_assert_eq!(written(&text).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
