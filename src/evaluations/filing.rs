//! All that is filed for a unit's year, read with a bounded number of statements: what the checks look at, and what a
//! submission freezes.

use std::sync::Arc;

use super::cache::Basis;
use super::parts;
use super::store::{self, Context, FundRow, Part};
use crate::checks;
use crate::checks::facts::{Facts, FundFacts};
use crate::checks::finding::Finding;
use crate::checks::reasons::Reasons;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::documents::narrative::Narrative;
use crate::http::etag::ETag;
use crate::http::problem::Problem;
use crate::schemes::library::{Compiled, Library};
use crate::scoring::Case;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::prior::YearSheet;
use crate::scoring::scheme::Scheme;
use crate::scoring::score::Score;
use crate::scoring::sheet::BaseData;
use crate::scoring::text::SchemeId;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::timeline;

/// What is filed for a unit's year and what follows from it.
#[derive(Debug)]
pub struct Filing {
    /// The fiscal year.
    pub year: FiscalYear,
    /// The tag of all that is filed and of the schemes that it is scored by.
    pub etag: ETag,
    /// The base data sheet, its gaps filled from `prior`; empty before it is filed.
    pub sheet: YearSheet,
    /// The sheet of the year before, of the unit or of the one that it continues.
    pub prior: Option<BaseData>,
    /// The assessments; empty before they are filed.
    pub assessments: Assessments,
    /// The reasons for what the checks found; empty before they are filed.
    pub reasons: Reasons,
    /// What the unit wrote itself; `None` before it is filed.
    pub claims: Option<Claims>,
    /// The words of the report; `None` before they are filed.
    pub narrative: Option<Narrative>,
    /// The special funds by id, each with its score.
    pub funds: Vec<FundFacts>,
    /// The schemes that the funds were scored by, in the order of the funds.
    pub fund_schemes: Vec<Compiled>,
    /// The scheme that was asked for.
    pub scheme: Arc<Scheme>,
    /// The score by it.
    pub score: Score,
}

impl Filing {
    /// Reads the year of a unit and scores it: two or three statements, and one for each scheme that was not seen before.
    ///
    /// # Errors
    /// 500 for what this program cannot read.
    pub fn load(
        conn: &mut AnyConnection,
        library: &Library,
        compiled: &Compiled,
        (unit, year): (&UnitCode, FiscalYear),
        context: &Context,
    ) -> Result<Self, Problem> {
        let prior = parts::prior_sheet(conn, context)?;
        let funds = store::funds(conn, unit, year)?;
        Self::of(conn, library, compiled, (year, context), prior, funds)
    }

    /// The same of what was read already, which leaves schemes that were not seen before.
    ///
    /// # Errors
    /// 500 for what this program cannot read.
    pub fn of(
        conn: &mut AnyConnection,
        library: &Library,
        compiled: &Compiled,
        (year, context): (FiscalYear, &Context),
        prior: Option<BaseData>,
        filed_funds: Vec<FundRow>,
    ) -> Result<Self, Problem> {
        let row = context.evaluation.as_ref();
        let sheet = YearSheet::new(parts::read(Part::BaseData, row)?.unwrap_or_default(), prior.as_ref());
        let assessments: Assessments = parts::read(Part::Assessments, row)?.unwrap_or_default();
        let (mut funds, mut fund_schemes) = (Vec::new(), Vec::new());
        let mut versions = format!("checks {}", Part::Reasons.of(row).1);
        for fund in filed_funds {
            for part in [&fund.id, &fund.updated_at, &fund.scheme, &fund.edition.updated_at] {
                versions.extend([" ", part]);
            }
            versions.extend([format!(" {} {}", fund.version, fund.edition.version)]);
            let id = SchemeId::try_from(fund.scheme).map_err(Problem::internal)?;
            let compiled = library.in_force(conn, &id, fund.edition)?;
            let table = serde_json::from_str(&fund.table)
                .map_err(|error| Problem::internal(format!("special fund {} cannot be read: {error}", fund.id)))?;
            funds.push(FundFacts {
                id: fund.id,
                name: fund.name,
                continues: fund.continues,
                score: timeline::score(&compiled.scheme, &Case::of_fund(&table)),
                table,
            });
            fund_schemes.push(compiled);
        }
        let claims: Option<Claims> = parts::read(Part::Claims, row)?;
        let mut score = timeline::score(&compiled.scheme, &Case::of_year(&sheet, &assessments));
        if let Some(claims) = &claims {
            claims.beside(&mut score);
        }
        Ok(Self {
            year,
            etag: Basis::of(context, &compiled.edition).etag(&compiled.id, &versions),
            score,
            sheet,
            prior,
            assessments,
            reasons: parts::read(Part::Reasons, row)?.unwrap_or_default(),
            claims,
            narrative: parts::read(Part::Narrative, row)?,
            funds,
            fund_schemes,
            scheme: compiled.scheme.clone(),
        })
    }

    /// What the checks find in it, in the order of the catalogue.
    pub fn findings(&self) -> Vec<Finding> {
        let findings = checks::findings(&Facts {
            year: self.year.get(),
            sheet: &self.sheet,
            prior: self.prior.as_ref(),
            assessments: &self.assessments,
            funds: &self.funds,
            claims: self.claims.as_ref(),
            scheme: &self.scheme,
            score: &self.score,
        });
        for finding in &findings {
            METRICS.findings.with_label_values(&[&*finding.check]).inc();
        }
        findings
    }

    /// Of findings, those that stand in the way of a submission: errors, and warnings without a reason.
    pub fn obstacles<'a>(&self, findings: &'a [Finding]) -> Vec<&'a Finding> {
        findings
            .iter()
            .filter(|finding| finding.blocks(self.reasons.of(&finding.key)))
            .collect()
    }
}
