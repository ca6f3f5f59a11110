//! The file of an import: in which format it is, and where it is kept while it is worked on.
//!
//! It is written to the disk as it comes in, and read from there: so a slow client holds no transaction open, a file of any
//! size takes no memory, and nothing is stored of one that did not arrive whole.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpRequest;
use actix_web::dev::Decompress;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::mime::Mime;
use actix_web::web::{self, Bytes, Payload};
use encoding_rs::Encoding;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::read::encoding::Detector;
use crate::http::arrival::is_late;
use crate::http::kinds;
use crate::http::problem::Problem;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values with a heading.
    Csv,
    /// The first sheet of an Excel workbook.
    Xlsx,
}

impl Format {
    /// All of them, the one that a client gets that has no wish first.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Xlsx];

    /// The word that it is on the wire and in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The format that a `Content-Type` names, and the encoding, if it names that.
    ///
    /// # Errors
    /// 415 if there is none or it is not read here.
    pub fn of(headers: &HeaderMap) -> Result<(Self, Option<&'static Encoding>), Problem> {
        let given = headers
            .get(CONTENT_TYPE)
            .map_or("", |value| value.to_str().unwrap_or("?"));
        let mime: Option<Mime> = given.parse().ok();
        let format = mime.as_ref().and_then(|mime| match mime.essence_str() {
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::Ndjson),
            "text/csv" => Some(Self::Csv),
            other if other == Self::Xlsx.media_type() => Some(Self::Xlsx),
            _ => None,
        });
        let charset = mime.as_ref().and_then(|mime| mime.get_param("charset"));
        let encoding = charset.map(|label| Encoding::for_label(label.as_str().as_bytes()));
        match (format, encoding) {
            (Some(format), None) => Ok((format, None)),
            (Some(format), Some(Some(encoding))) => Ok((format, Some(encoding))),
            _ => {
                let given: String = given.chars().take(100).collect();
                Err(Problem::new(
                    &kinds::UNSUPPORTED_MEDIA_TYPE,
                    format!(
                        "不接受 Content-Type“{given}”，应为 application/x-ndjson、text/csv 或 {}。",
                        Self::Xlsx.media_type()
                    ),
                    format!(
                        "Content-Type \"{given}\" is not read here; send application/x-ndjson, text/csv or {}.",
                        Self::Xlsx.media_type()
                    ),
                ))
            }
        }
    }
}

/// A file on the disk, which is gone when it is dropped.
#[derive(Debug)]
pub struct Spooled {
    file: File,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hex.
    pub digest: String,
    /// The encoding that it seems to be in.
    pub encoding: &'static Encoding,
}

/// How much is collected before it is written.
const PIECE: usize = 1 << 20;

/// What a file is known by, as it comes in.
struct Arriving {
    file: File,
    size: u64,
    hash: Sha256,
    detector: Detector,
}

impl Arriving {
    fn take(mut self, piece: &[u8]) -> io::Result<Self> {
        self.file.write_all(piece)?;
        self.hash.update(piece);
        self.detector.see(piece);
        self.size += piece.len() as u64;
        Ok(self)
    }
}

/// Takes a request's body in, gzip or not, up to `limit` bytes, and keeps it in `folder`.
///
/// # Errors
/// 413 if it is larger, 408 if it does not arrive, 400 if its compression cannot be read, 507 if the disk is full.
pub async fn take_in(request: &HttpRequest, payload: Payload, folder: &Path, limit: u64) -> Result<Spooled, Problem> {
    let failed = |error: io::Error| Problem::of_file("the file of an import cannot be kept", &error);
    let mut arriving = Arriving {
        file: tempfile::tempfile_in(folder).map_err(failed)?,
        size: 0,
        hash: Sha256::new(),
        detector: Detector::default(),
    };
    let mut body = Decompress::from_headers(payload, request.headers());
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        let next: Option<Bytes> = body.next().await.transpose().map_err(|error| match is_late(&error) {
            true => Problem::new(&kinds::REQUEST_TIMEOUT, "", ""),
            false => Problem::new(
                &kinds::UNREADABLE_BODY,
                "请求体不完整，或其压缩编码无法读取。",
                "The body is incomplete, or its compression cannot be read.",
            ),
        })?;
        piece.extend_from_slice(next.as_deref().unwrap_or_default());
        if arriving.size + piece.len() as u64 > limit {
            return Err(Problem::new(
                &kinds::TOO_LARGE,
                format!("文件超过{limit}字节。"),
                format!("The file is larger than {limit} bytes."),
            ));
        }
        if piece.len() >= PIECE || next.is_none() {
            let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
            arriving = web::block(move || arriving.take(&full))
                .await
                .map_err(|error| Problem::internal(error.to_string()))?
                .map_err(failed)?;
        }
        if next.is_none() {
            break;
        }
    }
    Ok(Spooled {
        file: arriving.file,
        size: arriving.size,
        digest: hex::encode(arriving.hash.finalize()),
        encoding: arriving.detector.encoding(),
    })
}

impl Spooled {
    /// Reads it from its beginning, and counts in `read` how far. One reader at a time.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open(&self, read: Arc<AtomicU64>) -> io::Result<BufReader<Counted>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        read.store(0, Ordering::Relaxed);
        Ok(BufReader::with_capacity(256 * 1024, Counted { file, read }))
    }
}

/// A file, and how much of it was read.
#[derive(Debug)]
pub struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
