//! The forms that a report has, and how each is sent.

use actix_web::HttpRequest;
use actix_web::http::header::{ContentDisposition, DispositionType};
use actix_web::web::Bytes;
use serde::Deserialize;
use utoipa::ToSchema;

use super::model::Report;
use super::unit_page::unit_page;
use crate::documents::docx::docx;
use crate::documents::pdf::pdf;
use crate::documents::{self, FontFolder};
use crate::evaluations::submissions::SubmissionDocument;
use crate::http::accept::{json, preferred};
use crate::http::download::named;
use crate::http::language::Language;
use crate::http::problem::Problem;
use crate::{forms, imports};

/// A form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportFormat)]
pub enum Format {
    /// All of it, for programs.
    Json,
    /// A page to look at and to print.
    Html,
    /// 附件1, 附件2 and 附件3 as an Excel workbook.
    Xlsx,
    /// The report as a Word document (自评报告).
    Docx,
    /// The report as it is printed (自评报告).
    Pdf,
}

impl Format {
    /// What there is. The first is sent to those who take any.
    pub const ALL: [Self; 5] = [Self::Json, Self::Html, Self::Xlsx, Self::Docx, Self::Pdf];

    /// Its word in the parameter, which is the ending of a file's name too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
        }
    }

    /// The one that the parameter names, else the one that the client likes best.
    ///
    /// # Errors
    /// 406 when it accepts none.
    pub fn wanted(named: Option<Self>, request: &HttpRequest) -> Result<Self, Problem> {
        match named {
            Some(format) => Ok(format),
            None => Ok(Self::ALL[preferred(request, &Self::ALL.map(Self::essence))?]),
        }
    }

    /// Its media type, without parameters.
    fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Html => "text/html",
            Self::Xlsx => imports::file::Format::Xlsx.media_type(),
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pdf => "application/pdf",
        }
    }

    /// Its media type, as it is sent.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json | Self::Xlsx | Self::Docx | Self::Pdf => self.essence(),
        }
    }

    /// Whether its bytes are compressed already.
    pub fn is_compressed(self) -> bool {
        matches!(self, Self::Xlsx | Self::Docx | Self::Pdf)
    }

    /// Whether a client is to show it or to keep it; `None` for what is no document.
    fn shown_or_kept(self) -> Option<DispositionType> {
        match self {
            Self::Json => None,
            Self::Html | Self::Pdf => Some(DispositionType::Inline),
            Self::Xlsx | Self::Docx => Some(DispositionType::Attachment),
        }
    }

    /// Under which name it is kept; `None` for what is no document.
    pub fn disposition(self, document: &SubmissionDocument) -> Option<ContentDisposition> {
        self.shown_or_kept().map(|disposition| {
            let (unit, year, ending) = (&document.unit, document.year, self.word());
            let chinese = format!("{}{year}年度部门整体支出绩效自评报告.{ending}", document.unit_name);
            named(disposition, &format!("report-{unit}-{year}.{ending}"), &chinese)
        })
    }

    /// The report in this form; in print, in the types of this folder where it has them.
    ///
    /// # Errors
    /// 409 where the template of the year does not allow it; 500 when a font is broken.
    pub fn write(self, report: &Report, language: Language, fonts: &FontFolder) -> Result<Bytes, Problem> {
        let manuscript = || documents::report(&report.document, &report.wording);
        let written = match self {
            Self::Json => return json(report),
            Self::Html => return Ok(unit_page(report, language).into()),
            Self::Xlsx => forms::workbook(&report.document, &report.schemes).map_err(|error| error.to_string()),
            Self::Docx => docx(&manuscript()?).map_err(|error| error.to_string()),
            Self::Pdf => pdf(&manuscript()?, fonts.0.as_deref()).map_err(|error| error.to_string()),
        };
        match written {
            Ok(document) => Ok(document.into()),
            Err(error) => Err(Problem::internal(format!(
                "a {} cannot be written: {error}",
                self.word()
            ))),
        }
    }
}
