//! The printed forms as workbooks (附件1, 2, 3), there and back: written from what was filed ([`scores`], [`base_data`],
//! [`funds`]), to be filled in, and read again ([`read`]) by one table of rows and columns ([`terms`]).

pub mod archive;
pub mod base_data;
pub mod formula;
pub mod funds;
pub mod handlers;
pub mod page;
pub mod read;
pub mod scores;
pub mod terms;

use std::collections::HashMap;
use std::sync::Arc;

use rust_xlsxwriter::XlsxError;

use crate::codes::FundId;
use crate::db::AnyConnection;
use crate::evaluations::submissions::{SubmissionDocument, scheme_of};
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::scoring::prior::YearSheet;
use crate::scoring::scheme::Scheme;
use crate::scoring::sheet::BaseData;
use crate::special_funds::model::SpecialFundInput;

/// What a form is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be signed: what was filed, what follows from it, and nothing to change.
    Print,
    /// To be filled in and imported again.
    FillIn,
}

/// Whose form it is.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The unit's code.
    pub unit: &'a str,
    /// The unit's name.
    pub unit_name: &'a str,
    /// The fiscal year.
    pub year: i64,
}

/// The schemes of a document by the SHA-256 of their texts. Where one is not there, its rules are printed as values and not
/// as formulas.
pub type Schemes = HashMap<String, Arc<Scheme>>;

/// Adds the schemes of a document to those that are there.
///
/// # Errors
/// 500 for what this program cannot read.
pub fn add_schemes(
    conn: &mut AnyConnection,
    library: &Library,
    document: &SubmissionDocument,
    schemes: &mut Schemes,
) -> Result<(), Problem> {
    let of_funds = document.special_funds.iter().map(|fund| &fund.scheme);
    for named in of_funds.chain([&document.scheme]) {
        if !schemes.contains_key(&named.digest)
            && let Some(scheme) = scheme_of(conn, library, named)?
        {
            schemes.insert(named.digest.clone(), scheme);
        }
    }
    Ok(())
}

/// 附件1, 2 and 3 of a unit's year as one workbook.
///
/// # Errors
/// When a text is longer than a cell holds; what is filed is not.
pub fn workbook(document: &SubmissionDocument, schemes: &Schemes) -> Result<Vec<u8>, XlsxError> {
    let subject = Subject {
        unit: document.unit.as_str(),
        unit_name: &document.unit_name,
        year: document.year.get(),
    };
    let sheet = YearSheet::new(
        document.base_data.clone().unwrap_or_default(),
        document.prior_base_data.as_ref(),
    );
    let (base_data, cells) = base_data::write(&subject, &sheet, Purpose::Print)?;
    let scheme = |digest: &str| schemes.get(digest).map(AsRef::as_ref);
    let mut pages = vec![
        scores::write(&subject, document, scheme(&document.scheme.digest), &cells)?,
        base_data,
    ];
    for (n, fund) in document.special_funds.iter().enumerate() {
        pages.push(funds::write(
            &subject,
            &funds::Fund {
                number: n + 1,
                id: &fund.id,
                name: &fund.name,
                scheme_id: &fund.scheme.id,
                continues: fund.continues,
                table: &fund.table,
                scored: Some((&fund.score, scheme(&fund.scheme.digest))),
            },
            Purpose::Print,
        )?);
    }
    let title = format!("{}{}年度绩效自评表", subject.unit_name, subject.year);
    page::book(&title, pages)?.save_to_buffer()
}

/// 附件2 to be filled in: with what is filed already and, before anything is, with last year's columns.
///
/// # Errors
/// None for what can be filed.
pub fn base_data_to_fill_in(
    subject: &Subject<'_>,
    filed: Option<&BaseData>,
    prior: Option<&BaseData>,
) -> Result<Vec<u8>, XlsxError> {
    let sheet = match filed {
        Some(filed) => YearSheet::new(filed.clone(), None),
        None => YearSheet::new(BaseData::default(), prior),
    };
    let (page, _) = base_data::write(subject, &sheet, Purpose::FillIn)?;
    page::book(terms::BASE_DATA_TITLE, vec![page])?.save_to_buffer()
}

/// 附件3 to be filled in: a sheet for each fund, or an empty one where there is none.
///
/// # Errors
/// None for what can be filed.
pub fn funds_to_fill_in(subject: &Subject<'_>, filed: &[(FundId, SpecialFundInput)]) -> Result<Vec<u8>, XlsxError> {
    let mut pages = Vec::new();
    for (n, (id, fund)) in filed.iter().enumerate() {
        pages.push(funds::write(
            subject,
            &funds::Fund {
                number: n + 1,
                id: id.as_str(),
                name: fund.name.as_str(),
                scheme_id: fund.scheme.as_str(),
                continues: Some(fund.continues),
                table: &fund.table(),
                scored: None,
            },
            Purpose::FillIn,
        )?);
    }
    if pages.is_empty() {
        pages.push(funds::write(subject, &funds::Fund::empty(), Purpose::FillIn)?);
    }
    page::book(terms::FUND_TITLE, pages)?.save_to_buffer()
}
