//! Files of backups: compressed and perhaps sealed, written so that half a file is never taken for a whole one.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::seal::{MAGIC, Opening, Sealing};
use super::{Begin, Contents, FORMAT, Failure, Header, Key, Manifest, Mark, Sum};
use crate::db::dynamic::Cells;

enum Sink<W: Write> {
    Plain(W),
    Sealed(Sealing<W>),
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Sealed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Sealed(out) => out.flush(),
        }
    }
}

/// Adds up the lines of a table.
#[derive(Debug, Clone, Default)]
pub struct Adding {
    rows: u64,
    digest: Sha256,
    line: Vec<u8>,
}

impl Adding {
    /// Adds a row, and gives its line.
    ///
    /// # Errors
    /// None: texts and nulls can always be written as JSON.
    pub fn add(&mut self, row: &Cells) -> serde_json::Result<&[u8]> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &row.0)?;
        self.line.push(b'\n');
        self.rows += 1;
        self.digest.update(&self.line);
        Ok(&self.line)
    }

    /// What it comes to.
    pub fn sum(self, name: &str) -> Sum {
        Sum {
            name: name.to_owned(),
            rows: self.rows,
            sha256: hex::encode(self.digest.finalize()),
        }
    }
}

/// A backup that is being written.
pub struct Writing<W: Write> {
    out: GzEncoder<Sink<W>>,
    digest: Sha256,
}

impl<W: Write> Writing<W> {
    /// Begins one, sealed if there is a key.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W, key: Option<&Key>) -> std::io::Result<Self> {
        let sink = match key {
            Some(key) => Sink::Sealed(Sealing::new(out, key)?),
            None => Sink::Plain(out),
        };
        Ok(Self {
            // Three quarters of what the best can do, in a fraction of its time.
            out: GzEncoder::new(sink, Compression::new(4)),
            digest: Sha256::new(),
        })
    }

    /// Writes a line that ends with its line feed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.digest.update(line);
        self.out.write_all(line)
    }

    /// Writes a line that is no row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark(&mut self, mark: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(mark)?;
        line.push(b'\n');
        Ok(self.line(&line)?)
    }

    /// Writes the last line, and whatever waits.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<(W, Manifest), Failure> {
        manifest.sha256 = hex::encode(self.digest.clone().finalize());
        self.mark(&Mark::Manifest(manifest.clone()))?;
        let out = match self.out.finish()? {
            Sink::Plain(out) => out,
            Sink::Sealed(out) => out.finish()?,
        };
        Ok((out, manifest))
    }
}

/// Writes a file that is there when it is whole, and else not at all: under another name, flushed to the disk, read again,
/// and only then renamed. It is readable by its owner only.
///
/// # Errors
/// When there is such a file already, it cannot be written, or `write` fails.
pub fn create<T>(path: &Path, write: impl FnOnce(&mut File) -> Result<T, Failure>) -> Result<T, Failure> {
    let shown = path.display();
    if path.exists() {
        return Err(format!("{shown} exists; a backup is never written over another file").into());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or("give the name of a file")?.to_string_lossy();
    let cannot = |error: std::io::Error| format!("cannot write {shown}: {error}");
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".partial")
        .tempfile_in(folder)
        .map_err(cannot)?;
    let written = write(file.as_file_mut())?;
    file.as_file().sync_all().map_err(cannot)?;
    file.persist_noclobber(path).map_err(|error| cannot(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(cannot)?;
    Ok(written)
}

/// What is read of a file, in its order.
#[derive(Debug)]
pub enum Piece<'a> {
    /// How it begins.
    Header(&'a Header),
    /// The rows of a table follow.
    Table(&'a Begin),
    /// A row of the table that was named last.
    Row(Cells),
}

/// Reads a file from its beginning to its end, hands out what is in it, and ends well only if it is whole: what was handed
/// out before that is not to be believed yet.
///
/// # Errors
/// When the file is damaged, cut off, sealed with another key, or of a later version; and those of `visit`.
pub fn read(
    file: &mut File,
    key: Option<&Key>,
    mut visit: impl FnMut(Piece<'_>) -> Result<(), Failure>,
) -> Result<Contents, Failure> {
    let damaged = |what: &str| -> Failure {
        let (en, zh) = what.split_once(" / ").unwrap_or((what, "内容不完整或被改动"));
        format!("the backup is damaged: {en} / 备份文件无法读取：{zh}").into()
    };
    let mut lines = BufReader::with_capacity(1 << 16, unpacked(file, key)?);
    let mut digest = Sha256::new();
    let mut header: Option<Header> = None;
    let mut table: Option<(Begin, Adding)> = None;
    let mut sums: Vec<Sum> = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        lines
            .read_until(b'\n', &mut line)
            .map_err(|error| damaged(&error.to_string()))?;
        if line.pop() != Some(b'\n') {
            return Err(damaged("it is cut off"));
        }
        if line.first() == Some(&b'[') {
            let row = Cells(serde_json::from_slice(&line).map_err(|error| damaged(&error.to_string()))?);
            let (begin, adding) = table.as_mut().ok_or_else(|| damaged("a row is of no table"))?;
            if row.0.len() != begin.columns.len() {
                return Err(damaged("a row is too short or too long"));
            }
            digest.update(adding.add(&row)?);
            visit(Piece::Row(row))?;
            continue;
        }
        let mark: Mark = serde_json::from_slice(&line).map_err(|error| damaged(&error.to_string()))?;
        if !matches!(mark, Mark::Header(_)) && header.is_none() {
            return Err(damaged("it has no header"));
        }
        if let Some((begin, adding)) = table.take() {
            sums.push(adding.sum(&begin.name));
        }
        match mark {
            Mark::Header(first) => {
                if first.format > FORMAT {
                    return Err(format!(
                        "the backup is of a later version of jixiao ({}); use that one",
                        first.program
                    )
                    .into());
                }
                visit(Piece::Header(&first))?;
                header = Some(first);
            }
            Mark::Table(begin) => {
                visit(Piece::Table(&begin))?;
                table = Some((begin, Adding::default()));
            }
            Mark::Manifest(manifest) => {
                if manifest.tables != sums || manifest.sha256 != hex::encode(digest.finalize()) {
                    return Err(damaged("its content is not what its manifest says"));
                }
                if lines.read(&mut [0]).map_err(|error| damaged(&error.to_string()))? != 0 {
                    return Err(damaged("it goes on after its end"));
                }
                let header = header.ok_or_else(|| damaged("it has no header"))?;
                return Ok(Contents { header, manifest });
            }
        }
        line.push(b'\n');
        digest.update(&line);
    }
}

fn unpacked<'a>(file: &'a mut File, key: Option<&Key>) -> Result<Box<dyn Read + 'a>, Failure> {
    file.rewind()?;
    let mut begin = Vec::new();
    (&*file).take(MAGIC.len() as u64).read_to_end(&mut begin)?;
    file.rewind()?;
    let file = BufReader::new(file);
    match (begin == MAGIC, key) {
        (true, Some(key)) => Ok(Box::new(MultiGzDecoder::new(BufReader::new(Opening::new(file, key)?)))),
        (true, None) => Err("the backup is sealed; give its key with --key-file / 备份文件已加密，请用 --key-file 指定密钥文件".into()),
        (false, Some(_)) => Err("the backup is not sealed, so there is no saying who made it; leave out --key-file if that is as it should be / \
            备份文件未加密".into()),
        (false, None) if begin.starts_with(&[0x1f, 0x8b]) => Ok(Box::new(MultiGzDecoder::new(file))),
        (false, None) => Err("this is no backup of jixiao / 不是本程序的备份文件".into()),
    }
}

/// A buffered writer over a file.
pub fn buffered(file: &mut File) -> BufWriter<&mut File> {
    BufWriter::with_capacity(1 << 16, file)
}
