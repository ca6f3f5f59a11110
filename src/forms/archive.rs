//! The workbooks of all units of a year in one archive, written piece by piece.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::{Schemes, workbook};
use crate::evaluations::submissions::SubmissionDocument;
use crate::http::problem::Problem;

/// A ZIP archive that grows, of which nothing is held once it was taken.
pub struct Archive {
    zip: ZipWriter<StreamWriter<Written>>,
    written: Written,
}

/// What was written and not yet taken.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for Archive {
    fn default() -> Self {
        let written = Written::default();
        Self {
            zip: ZipWriter::new_stream(written.clone()),
            written,
        }
    }
}

impl Archive {
    /// Adds the workbooks of units' years; what the archive has grown by.
    ///
    /// # Errors
    /// 500; none for a program that passed its tests.
    pub fn add(&mut self, documents: &[SubmissionDocument], schemes: &Schemes) -> Result<Vec<u8>, Problem> {
        // A workbook is compressed already. Its time would make two archives of the same data differ.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        for document in documents {
            let book = workbook(document, schemes).map_err(|error| failed(&error))?;
            self.zip
                .start_file(file_name(document), options)
                .map_err(|error| failed(&error))?;
            self.zip.write_all(&book).map_err(|error| failed(&error))?;
        }
        Ok(self.written.take())
    }

    /// Its end.
    ///
    /// # Errors
    /// 500; none for a program that passed its tests.
    pub fn finish(self) -> Result<Vec<u8>, Problem> {
        self.zip.finish().map_err(|error| failed(&error))?;
        Ok(self.written.take())
    }
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    Problem::internal(format!("an archive of forms: {error}"))
}

/// The name of a unit's workbook: its code, which is its own, and its name, without what some system has not in file names.
fn file_name(document: &SubmissionDocument) -> String {
    let name: String = document
        .unit_name
        .chars()
        .map(|c| {
            if "/\\:*?\"<>|".contains(c) || c.is_control() {
                '_'
            } else {
                c
            }
        })
        .take(80)
        .collect();
    format!("{}{name}{}年度绩效自评表.xlsx", document.unit, document.year)
}
