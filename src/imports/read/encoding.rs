//! In which encoding a text is, and the text in UTF-8.
//!
//! What office programs of the county write is UTF-8 with or without a byte order mark, GBK or GB18030. Of these only UTF-8
//! can be told by itself: Chinese in GBK is as good as never valid UTF-8. So what is not UTF-8 is taken for GB18030, which
//! holds GBK.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, GB18030, UTF_8};

/// Looks at bytes as they come in, to say at the end in which encoding they are.
#[derive(Debug, Default)]
pub struct Detector {
    beginning: Vec<u8>,
    // The bytes of a character that the last piece cut in two.
    cut: Vec<u8>,
    not_utf8: bool,
}

impl Detector {
    /// Looks at the next piece.
    pub fn see(&mut self, piece: &[u8]) {
        let wanted = 3_usize.saturating_sub(self.beginning.len());
        self.beginning.extend(piece.iter().take(wanted));
        if self.not_utf8 {
            return;
        }
        let joined;
        let bytes = match self.cut.is_empty() {
            true => piece,
            false => {
                joined = [self.cut.as_slice(), piece].concat();
                self.cut.clear();
                &joined
            }
        };
        if let Err(error) = std::str::from_utf8(bytes) {
            match error.error_len() {
                Some(_) => self.not_utf8 = true,
                None => self.cut = bytes.get(error.valid_up_to()..).unwrap_or_default().to_vec(),
            }
        }
    }

    /// The encoding of all that was seen.
    pub fn encoding(&self) -> &'static Encoding {
        match Encoding::for_bom(&self.beginning) {
            Some((encoding, _)) => encoding,
            None if self.not_utf8 || !self.cut.is_empty() => GB18030,
            None => UTF_8,
        }
    }
}

/// A text in UTF-8, read from one in another encoding; a byte order mark is left out. What the encoding does not have
/// becomes U+FFFD.
pub struct Transcoded<R> {
    from: R,
    decoder: Decoder,
    given: Vec<u8>,
    taken: usize,
    ended: bool,
    /// That the decoder has given all, after which it may not be asked again.
    finished: bool,
}

/// How much is read at a time.
const PIECE: usize = 64 * 1024;

impl<R: Read> Transcoded<R> {
    /// The text of `from`, which is in `encoding`.
    pub fn new(from: R, encoding: &'static Encoding) -> Self {
        Self {
            from,
            decoder: encoding.new_decoder(),
            given: Vec::new(),
            taken: 0,
            ended: false,
            finished: false,
        }
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.finished {
            return Ok(0);
        }
        // A character needs up to four bytes, and there is always that much room in what readers bring.
        loop {
            if self.taken == self.given.len() && !self.ended {
                self.given.resize(PIECE, 0);
                let read = self.from.read(&mut self.given)?;
                self.given.truncate(read);
                self.taken = 0;
                self.ended = read == 0;
            }
            let rest = self.given.get(self.taken..).unwrap_or_default();
            let (result, read, written, _) = self.decoder.decode_to_utf8(rest, into, self.ended);
            self.taken += read;
            self.finished = self.ended && result == CoderResult::InputEmpty;
            if written > 0 || into.is_empty() || self.finished {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "编码,名称\n219001,衡山县开云镇人民政府\n219002,㐂村𠮷\n";

    fn detected(bytes: &[u8], piece: usize) -> &'static Encoding {
        let mut detector = Detector::default();
        bytes.chunks(piece).for_each(|piece| detector.see(piece));
        detector.encoding()
    }

    #[test]
    fn each_encoding_is_told_however_the_bytes_come_and_gives_the_same_text() {
        let (gb, _, lossy) = GB18030.encode(TEXT);
        assert!(!lossy);
        let marked = [b"\xef\xbb\xbf".as_slice(), TEXT.as_bytes()].concat();
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(TEXT.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for (bytes, name) in [
            (TEXT.as_bytes(), "UTF-8"),
            (&marked, "UTF-8"),
            (&gb, "gb18030"),
            (&wide, "UTF-16LE"),
        ] {
            for piece in [1, 2, 7, 4096] {
                let encoding = detected(bytes, piece);
                assert_eq!(encoding.name(), name, "in pieces of {piece}");
                let mut text = Vec::new();
                let mut reader = Transcoded::new(bytes, encoding);
                // In small portions too, in which no character may be lost.
                let mut portion = [0; 5];
                loop {
                    match reader.read(&mut portion).unwrap() {
                        0 => break,
                        read => text.extend_from_slice(&portion[..read]),
                    }
                }
                assert_eq!(String::from_utf8(text).unwrap(), TEXT, "{name}");
            }
        }
    }

    #[test]
    fn a_text_that_ends_within_a_character_is_not_utf8_and_ends_for_good() {
        assert_eq!(detected(&"名".as_bytes()[..2], 1), GB18030);
        // What is cut off stands for one character, which comes when there is no more to read.
        let mut reader = Transcoded::new(&b"a\xc3"[..], GB18030);
        let mut text = String::new();
        for _ in 0..3 {
            reader.read_to_string(&mut text).unwrap();
            assert_eq!(text, "a\u{fffd}");
        }
    }
}
