//! What a check found.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::catalogue::Check;
use super::cause::Cause;
use crate::fault::Text;
use crate::scoring::score::Severity;
use crate::scoring::text::Reason;
use crate::scoring::values::digits;

/// What a check found (问题), with the figures that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The code of the check, see `/api/v1/checks`.
    #[schema(value_type = String, example = "three_public_parts")]
    pub check: Cow<'static, str>,
    /// An error blocks submission, a warning needs a reason, a notice informs.
    pub severity: Severity,
    /// What a reason for it is filed under: the same as long as the thing that was found is.
    #[schema(example = "three_public_parts:/three_public/total/final")]
    pub key: String,
    /// The code of the score's line or section that it is about; `null` if it is about none.
    #[schema(example = json!(null))]
    pub line: Option<String>,
    /// The fields that contradict each other, or that the question is about.
    pub places: Vec<Place>,
    /// The figures that were compared.
    pub figures: Vec<Figure>,
    /// What was found, as a reviewer would write it.
    pub text: Text,
    /// Why a figure that was claimed probably is what it is: the usual mistakes are tried until one gives it. `null` where
    /// none does, and for findings of another kind.
    pub cause: Option<Cause>,
    /// What to do about it.
    pub remedy: Text,
}

/// A field that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingPlace)]
pub struct Place {
    /// The document that it is in.
    pub document: Source,
    /// The id of the special fund, where the document is a special fund's table; else `null`.
    #[schema(example = json!(null))]
    pub fund: Option<String>,
    /// Its JSON Pointer in that document.
    #[schema(example = "/three_public/total/final")]
    pub pointer: String,
    /// Its label in the forms.
    pub label: Text,
}

/// A document that findings are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FindingDocument)]
pub enum Source {
    /// The base data sheet (基础数据表).
    BaseData,
    /// The base data sheet of the year before (上年基础数据表).
    PriorBaseData,
    /// The assessments (评价打分依据).
    Assessments,
    /// The table of a special fund (专项资金绩效目标自评表).
    SpecialFund,
    /// What the unit wrote itself (自填得分).
    Claims,
    /// A published table that was sent along.
    Table,
}

/// A figure that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingFigure)]
pub struct Figure {
    /// What it is.
    pub label: Text,
    /// The figure, exact; of a quotient at most six decimals.
    #[schema(example = "4.96")]
    pub value: String,
    /// What it is counted in, as the forms print it; empty for a pure number.
    #[schema(value_type = String, example = "万元")]
    pub unit: Cow<'static, str>,
}

impl Check {
    /// What this check found, in words; filed under its code.
    pub fn found(&self, zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Finding {
        Finding {
            check: self.code.into(),
            severity: self.severity,
            key: self.code.to_owned(),
            line: None,
            places: Vec::new(),
            figures: Vec::new(),
            text: Text::new(zh, en),
            cause: None,
            remedy: self.remedy.clone(),
        }
    }
}

impl Finding {
    /// The same, filed under the check's code and `thing`: for a check that can find several things.
    #[must_use]
    pub fn keyed(mut self, thing: &str) -> Self {
        self.key = format!("{}:{thing}", self.check);
        self
    }

    /// The same, about a line or a section of the score, and filed under it.
    #[must_use]
    pub fn on_line(mut self, code: &str) -> Self {
        self.line = Some(code.to_owned());
        self.keyed(code)
    }

    /// The same with one more place.
    #[must_use]
    pub fn at(mut self, document: Source, pointer: impl Into<String>, label: Text) -> Self {
        self.places.push(Place {
            document,
            fund: None,
            pointer: pointer.into(),
            label,
        });
        self
    }

    /// The same with one more place, in the table of a special fund.
    #[must_use]
    pub fn at_fund(mut self, id: &str, pointer: impl Into<String>, label: Text) -> Self {
        self.places.push(Place {
            document: Source::SpecialFund,
            fund: Some(id.to_owned()),
            pointer: pointer.into(),
            label,
        });
        self
    }

    /// The same with its probable cause.
    #[must_use]
    pub fn because(mut self, cause: Option<Cause>) -> Self {
        self.cause = cause;
        self
    }

    /// The same with one more figure.
    #[must_use]
    pub fn figure(mut self, label: Text, value: Decimal, unit: impl Into<Cow<'static, str>>) -> Self {
        self.figures.push(Figure {
            label,
            value: digits(value),
            unit: unit.into(),
        });
        self
    }
}

impl Finding {
    /// Whether it stands in the way of a submission, given the reason that was filed for it: an error always does, a
    /// warning while it has none.
    pub fn blocks(&self, reason: Option<&Reason>) -> bool {
        match self.severity {
            Severity::Error => true,
            Severity::Warning => reason.is_none(),
            Severity::Notice => false,
        }
    }
}
