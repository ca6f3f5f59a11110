//! Why a warning is right nevertheless (情况说明): what a unit says to the findings of its year.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::catalogue;
use crate::fault::{Fault, LANGUAGES};
use crate::scoring::assessment::{by_key, unique};
use crate::scoring::text::{Reason, text_type};

text_type!(
    /// What a finding's reason is filed under: the check's code, and what was found where a check can find several things.
    FindingKey, 1..=300, r"^[a-z][a-z0-9_]*(:[^\x00-\x1f\x7f]+)?$",
    |text| {
        let (code, thing) = text.split_once(':').unwrap_or((text, "-"));
        code.starts_with(|c: char| c.is_ascii_lowercase())
            && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !thing.is_empty()
            && !thing.chars().any(|c| c < ' ' || c == '\u{7f}')
    },
    "The `key` of a finding: the code of its check, and where that can find several things a colon and what was found.",
    "incomplete",
    "问题的key（检查代码，必要时加冒号和所指事项，最长300位）",
    "the `key` of a finding: a check's code, perhaps with a colon and what was found, at most 300 long"
);

/// The reasons that a unit gives for what the checks found (情况说明).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    /// A reason per finding, by the finding's `key`. One for a finding that is no longer there has no effect.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique")]
    #[schema(schema_with = by_key::<FindingKey, Reason>)]
    pub findings: BTreeMap<FindingKey, Reason>,
}

impl Reasons {
    /// The reason for the finding of that key.
    pub fn of(&self, key: &str) -> Option<&Reason> {
        self.findings.get(key)
    }

    /// Keys whose check is not in the catalogue.
    pub fn faults(&self) -> Vec<Fault> {
        let unknown = self.findings.keys().filter(|key| {
            let code = key.as_str().split(':').next().unwrap_or_default();
            catalogue::find(code).is_none()
        });
        unknown
            .map(|key| {
                Fault::new(
                    format!("/findings/{}", key.as_str().replace('~', "~0").replace('/', "~1")),
                    "unknown_check",
                    format!("“{key}”不对应任何检查项，检查项见 /api/v1/checks。"),
                    format!("\"{key}\" belongs to no check; /api/v1/checks lists those there are"),
                )
            })
            .collect()
    }
}
