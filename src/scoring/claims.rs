//! What a unit wrote itself (自填得分): the ratios, points and total of its own table. Compared, never trusted: no score
//! is worked out from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::assessment::{by_code, unique};
use super::printed::PrintedRatio;
use super::scheme::Scheme;
use super::score::Score;
use super::text::Code;
use super::values::Points;
use crate::fault::Fault;

/// The claims of one unit for one year.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// What is claimed of each line, by the line's code as the score has it: an indicator's code, or for a unit's own row
    /// its section's code and its number, such as `output_1`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique")]
    #[schema(schema_with = by_code::<Claim>)]
    pub lines: BTreeMap<Code, Claim>,
    /// The total, in points (自评总分).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Points>,
}

/// What is claimed of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its ratio, as the unit's table prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<PrintedRatio>,
    /// Its points (自评得分).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
}

/// How many own rows of a section can be claimed: as many as can be filed.
const OWN_ROWS: usize = 200;

impl Claims {
    /// Claims of lines that the scheme cannot have.
    pub fn faults(&self, scheme: &Scheme) -> Vec<Fault> {
        let sections = &scheme.document.sections;
        let known = |code: &str| {
            sections.iter().any(|section| match &section.own_rows {
                None => section
                    .indicators
                    .iter()
                    .any(|indicator| indicator.code.as_str() == code),
                Some(_) => code
                    .strip_prefix(section.code.as_str())
                    .and_then(|rest| rest.strip_prefix('_'))
                    .filter(|number| !number.starts_with('0'))
                    .and_then(|number| number.parse().ok())
                    .is_some_and(|number: usize| (1..=OWN_ROWS).contains(&number)),
            })
        };
        self.lines
            .keys()
            .filter(|code| !known(code.as_str()))
            .map(|code| {
                Fault::new(
                    format!("/lines/{code}"),
                    "unknown_line",
                    format!("评分标准没有代码为“{code}”的指标；自定指标的代码是其部分的代码加序号，如output_1。"),
                    format!("the scheme has no line \"{code}\"; an own row's code is its section's and its number, such as output_1"),
                )
            })
            .collect()
    }

    /// Puts each claim beside the line that it is about.
    pub fn beside(&self, score: &mut Score) {
        for line in &mut score.lines {
            line.claimed = self.lines.get(line.code.as_str()).copied();
        }
    }
}
