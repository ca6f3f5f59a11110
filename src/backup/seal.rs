//! Sealed files: AES-256-GCM in chunks, each with its number and whether it is the last one, so that no chunk can be altered,
//! left out, moved, or cut off at the end (the STREAM construction).
//!
//! A file begins with eight letters and 32 random bytes; its own key is the HMAC-SHA-256 of these under the operator's key, so
//! numbers that begin at 0 in each file never meet the same key twice.

use std::io::{self, Read, Write};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::Sha256;

/// What a sealed file begins with.
pub(super) const MAGIC: &[u8; 8] = b"JXSEAL1\n";
const SALT: usize = 32;
const HEAD: usize = MAGIC.len() + SALT;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// A key of 256 bits that backups are sealed with.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads a key from a file that holds 64 hexadecimal digits, as `openssl rand -hex 32` makes them.
    ///
    /// # Errors
    /// When it cannot be read, or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| {
            format!(
                "{} is no key: it must hold 64 hexadecimal digits, as `openssl rand -hex 32` makes them",
                path.display()
            )
        })?;
        Ok(Self(key))
    }

    fn of_file(&self, salt: &[u8]) -> [u8; 32] {
        // A key of 32 bytes is of no wrong length for an HMAC.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        mac.update(b"jixiao backup");
        mac.update(salt);
        mac.finalize().into_bytes().into()
    }
}

/// The number of a chunk, and whether it is the last one.
fn nonce(number: u64, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}

/// Seals what is written to it.
pub(super) struct Sealing<W> {
    out: W,
    head: [u8; HEAD],
    key: [u8; 32],
    number: u64,
    waiting: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(mut out: W, key: &Key) -> io::Result<Self> {
        let mut head = [0; HEAD];
        head[..MAGIC.len()].copy_from_slice(MAGIC);
        getrandom::fill(&mut head[MAGIC.len()..]).map_err(|error| io::Error::other(error.to_string()))?;
        out.write_all(&head)?;
        Ok(Self {
            key: key.of_file(&head[MAGIC.len()..]),
            out,
            head,
            number: 0,
            waiting: Vec::with_capacity(CHUNK),
        })
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let mut tag = [0; TAG];
        let nonce = nonce(self.number, is_last);
        let sealed = encrypt_aead(
            Cipher::aes_256_gcm(),
            &self.key,
            Some(&nonce),
            &self.head,
            &self.waiting,
            &mut tag,
        )?;
        self.out.write_all(&sealed)?;
        self.out.write_all(&tag)?;
        self.number += 1;
        self.waiting.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until it is known that it is not the last.
        if self.waiting.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what was sealed.
pub(super) struct Opening<R> {
    from: R,
    head: [u8; HEAD],
    key: [u8; 32],
    number: u64,
    /// Read ahead, to know whether a chunk is the last.
    sealed: Vec<u8>,
    open: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: Read> Opening<R> {
    pub(super) fn new(mut from: R, key: &Key) -> io::Result<Self> {
        let mut head = [0; HEAD];
        from.read_exact(&mut head)?;
        Ok(Self {
            key: key.of_file(&head[MAGIC.len()..]),
            from,
            head,
            number: 0,
            sealed: Vec::new(),
            open: Vec::new(),
            given: 0,
            is_over: false,
        })
    }

    fn next(&mut self) -> io::Result<()> {
        let wanted = CHUNK + TAG + 1 - self.sealed.len();
        self.from.by_ref().take(wanted as u64).read_to_end(&mut self.sealed)?;
        let is_last = self.sealed.len() <= CHUNK + TAG;
        let rest = if is_last {
            Vec::new()
        } else {
            self.sealed.split_off(CHUNK + TAG)
        };
        let cut = self.sealed.len().checked_sub(TAG).ok_or(io::ErrorKind::UnexpectedEof)?;
        let (text, tag) = self.sealed.split_at(cut);
        let nonce = nonce(self.number, is_last);
        let open = decrypt_aead(Cipher::aes_256_gcm(), &self.key, Some(&nonce), &self.head, text, tag);
        self.open = open.map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "the key is not the one that it was sealed with, or the file was altered or cut off / \
                 密钥与加密时所用的不同，或文件被改动、截断",
            )
        })?;
        self.sealed = rest;
        self.given = 0;
        self.number += 1;
        self.is_over = is_last;
        Ok(())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.open.len() {
            if self.is_over {
                return Ok(0);
            }
            self.next()?;
        }
        let count = into.len().min(self.open.len() - self.given);
        into[..count].copy_from_slice(&self.open[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(length: usize) -> (Vec<u8>, Vec<u8>) {
        let text: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let mut sealing = Sealing::new(Vec::new(), &Key([7; 32])).unwrap();
        sealing.write_all(&text).unwrap();
        (text, sealing.finish().unwrap())
    }

    fn opened(sealed: &[u8], key: &Key) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Opening::new(sealed, key)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_was_sealed_is_opened_at_every_length_around_a_chunk() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let (text, sealed) = sealed(length);
            assert_eq!(opened(&sealed, &Key([7; 32])).unwrap(), text, "{length}");
        }
    }

    #[test]
    fn another_key_a_changed_byte_a_lost_chunk_a_moved_chunk_and_a_cut_end_are_refused() {
        let (_, whole) = sealed(3 * CHUNK + 5);
        assert!(opened(&whole, &Key([8; 32])).is_err());
        for at in [8, HEAD, HEAD + CHUNK + 3, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, &Key([7; 32])).is_err(), "{at}");
        }
        let chunk = |n: usize| HEAD + n * (CHUNK + TAG)..HEAD + (n + 1) * (CHUNK + TAG);
        let without = [&whole[..chunk(1).start], &whole[chunk(2).start..]].concat();
        assert!(opened(&without, &Key([7; 32])).is_err());
        let mut moved = whole.clone();
        moved[chunk(0)].copy_from_slice(&whole[chunk(1)]);
        assert!(opened(&moved, &Key([7; 32])).is_err());
        for end in [HEAD, chunk(0).end, chunk(2).end, whole.len() - 1] {
            assert!(opened(&whole[..end], &Key([7; 32])).is_err(), "{end}");
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        assert_ne!(sealed(100).1, sealed(100).1);
    }
}
