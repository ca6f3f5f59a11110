//! The self-evaluation report (自评报告) as a document that people sign: its words, its template, and how it is set.

pub mod docx;
pub mod figures;
pub mod fonts;
pub mod handlers;
pub mod layout;
pub mod manuscript;
pub mod model;
pub mod narrative;
pub mod pdf;
pub mod store;
pub mod template;

use std::path::PathBuf;

use self::manuscript::Manuscript;
use self::model::Wording;
use crate::evaluations::submissions::SubmissionDocument;
use crate::http::kinds;
use crate::http::problem::Problem;

/// The folder that the county keeps its fonts in, if it has one.
pub struct FontFolder(pub Option<PathBuf>);

/// Writes the report on what was submitted.
///
/// # Errors
/// 409 where the template of its year does not allow it: the report would be too long, or it is of another version of the program.
pub fn report(document: &SubmissionDocument, wording: &Wording) -> Result<Manuscript, Problem> {
    let named = figures::of(document, wording.notice.as_deref());
    template::write(wording.template.text(), &named).map_err(|reason| {
        Problem::new(
            &kinds::UNFIT_TEMPLATE,
            format!("{}年度的报告模板无法生成该报告：{reason}", document.year),
            format!(
                "The report template of {} cannot be used for this report: {reason}",
                document.year
            ),
        )
    })
}
