//! JSON as `serde_json` writes it, byte for byte, in six tenths of its time (`benches/scoring.rs`).
//!
//! A score is some thousand short texts, half of them names of fields. Here the names, which the program itself chose, are copied as
//! they are, the texts are looked through sixteen bytes at a time for what is to be escaped, and both is done in one place: put
//! where each field is written, as libraries do, it is more code than a processor keeps at hand.

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

/// Writes a value at the end of `out`.
///
/// # Errors
/// What cannot be written here.
pub fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), Unwritable> {
    value.serialize(&mut Writer(out))
}

struct Writer<'a>(&'a mut Vec<u8>);

/// An array or an object that has been begun.
struct Begun<'w, 'a> {
    writer: &'w mut Writer<'a>,
    is_first: bool,
    /// What ends it.
    end: &'static str,
}

/// Whether a byte cannot stand in a JSON text as it is.
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether one of them stands in these bytes: all are looked at, whichever it is, so that the compiler takes them for one value.
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

fn has_special(text: &[u8]) -> bool {
    // The last ones overlap those before.
    if let Some(last) = text.last_chunk() {
        return text.as_chunks().0.iter().any(special_in) || special_in(last);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return special_in_word(u64::from_le_bytes(*first)) || special_in_word(u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return special_in_word(u64::from(first) << 32 | u64::from(last));
    }
    text.iter().any(|byte| is_special(*byte))
}

impl Writer<'_> {
    #[inline(never)]
    fn text(&mut self, text: &str) {
        let out = &mut *self.0;
        out.reserve(text.len() + 2);
        out.push(b'"');
        match has_special(text.as_bytes()) {
            false => out.extend_from_slice(text.as_bytes()),
            true => escaped(out, text.as_bytes()),
        }
        out.push(b'"');
    }

    /// The name of a field, which no client chose.
    #[inline(never)]
    fn name(&mut self, is_first: bool, name: &'static str) {
        debug_assert!(!has_special(name.as_bytes()), "{name}");
        let out = &mut *self.0;
        out.reserve(name.len() + 4);
        match is_first {
            true => out.push(b'"'),
            false => out.extend_from_slice(b",\""),
        }
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
    }

    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: impl itoa::Integer) -> Result<(), Unwritable> {
        self.raw(itoa::Buffer::new().format(number));
        Ok(())
    }
}

#[cold]
fn escaped(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = text.iter().position(|byte| is_special(*byte)) {
        out.extend_from_slice(&text[..at]);
        escape(out, text[at]);
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
}

fn escape(out: &mut Vec<u8>, byte: u8) {
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
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

impl<'w, 'a> Begun<'w, 'a> {
    fn new(writer: &'w mut Writer<'a>, begin: &str, end: &'static str) -> Self {
        writer.raw(begin);
        Self {
            writer,
            is_first: true,
            end,
        }
    }

    /// One that is the only value in an object, under the name of its variant.
    fn variant(writer: &'w mut Writer<'a>, variant: &'static str, begin: &str, end: &'static str) -> Self {
        writer.raw("{");
        writer.name(true, variant);
        Self::new(writer, begin, end)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        if !std::mem::take(&mut self.is_first) {
            self.writer.raw(",");
        }
        value.serialize(&mut *self.writer)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        self.writer.name(std::mem::take(&mut self.is_first), name);
        value.serialize(&mut *self.writer)
    }

    fn done(self) -> Result<(), Unwritable> {
        self.writer.raw(self.end);
        Ok(())
    }
}

macro_rules! numbers {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, number: $type) -> Result<(), Unwritable> {
            self.number(number)
        }
    )*};
}

impl<'w, 'a> Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Begun<'w, 'a>;
    type SerializeTuple = Begun<'w, 'a>;
    type SerializeTupleStruct = Begun<'w, 'a>;
    type SerializeTupleVariant = Begun<'w, 'a>;
    type SerializeMap = Begun<'w, 'a>;
    type SerializeStruct = Begun<'w, 'a>;
    type SerializeStructVariant = Begun<'w, 'a>;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        self.raw(if value { "true" } else { "false" });
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
        self.raw("null");
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
        let mut object = Begun::new(self, "{", "}");
        object.field(variant, value)?;
        object.done()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Begun<'w, 'a>, Unwritable> {
        Ok(Begun::new(self, "[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Begun<'w, 'a>, Unwritable> {
        Ok(Begun::new(self, "[", "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Begun<'w, 'a>, Unwritable> {
        Ok(Begun::new(self, "[", "]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Begun<'w, 'a>, Unwritable> {
        Ok(Begun::variant(self, variant, "[", "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Begun<'w, 'a>, Unwritable> {
        Ok(Begun::new(self, "{", "}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Begun<'w, 'a>, Unwritable> {
        // Under such names serde_json hides its numbers and raw values from other libraries.
        if name.starts_with('$') {
            return Err(ser::Error::custom(name));
        }
        Ok(Begun::new(self, "{", "}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Begun<'w, 'a>, Unwritable> {
        Ok(Begun::variant(self, variant, "{", "}}"))
    }
}

/// What is added to each kind of array by its value, and to each kind of object by a name and its value.
macro_rules! begun {
    ($($kind:ident: $add:ident($($name:ident)?) is $does:ident,)*) => {$(
        impl $kind for Begun<'_, '_> {
            type Ok = ();
            type Error = Unwritable;

            fn $add<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Unwritable> {
                self.$does($($name,)? value)
            }

            fn end(self) -> Result<(), Unwritable> {
                self.done()
            }
        }
    )*};
}

begun! {
    SerializeSeq: serialize_element() is item,
    SerializeTuple: serialize_element() is item,
    SerializeTupleStruct: serialize_field() is item,
    SerializeTupleVariant: serialize_field() is item,
    SerializeStruct: serialize_field(name) is field,
    SerializeStructVariant: serialize_field(name) is field,
}

impl SerializeMap for Begun<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.item(key)?;
        // Only a text ends so.
        match self.writer.0.last() {
            Some(b'"') => Ok(()),
            _ => Err(ser::Error::custom("a key that is no text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.writer.raw(":");
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.done()
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
        let mut out = b"before ".to_vec();
        write(&mut out, value)?;
        Ok(String::from_utf8(out).unwrap().split_off(7))
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
            prop_assert!(has_special(text.as_bytes()));
            prop_assert!(!has_special(before.as_bytes()));
            prop_assert_eq!(written(&text).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
