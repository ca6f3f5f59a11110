//! An entry of the audit trail on the wire.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::store::Entry;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::changes::{Action, Resource};
use crate::http::problem::Problem;

/// A change, with who made it and what was there before.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// The number of the change: from 1, without a gap, in the order of the commits.
    #[schema(minimum = 1, example = 42)]
    pub seq: i64,
    /// When (RFC 3339, UTC).
    #[schema(format = DateTime, example = "2026-01-05T08:30:00.000000Z")]
    pub at: String,
    /// Who: the id of the token, or `jwt:`, eight digits for the issuer and the subject where the county's identity provider vouches for
    /// it; `null` for the program and its command line.
    #[schema(example = "0123456789abcdef")]
    pub actor: Option<String>,
    /// Whose token it was.
    #[schema(example = "开云镇财政所")]
    pub actor_name: String,
    /// What the actor was: `bureau`, `unit`, or `system` for the program and its command line.
    #[schema(example = "unit")]
    pub role: String,
    /// The id of the request; `null` where there was none.
    #[schema(example = "0194fdc2-fa2f-7cc0-81d3-ff1205000000")]
    pub request_id: Option<String>,
    /// The address that the request came from.
    #[schema(example = "10.1.2.3")]
    pub address: Option<String>,
    /// What was done.
    #[schema(value_type = Action)]
    pub action: String,
    /// What was changed.
    #[schema(value_type = Resource)]
    pub resource: String,
    /// Its address.
    #[schema(example = "/api/v1/units/219001/evaluations/2019/base-data")]
    pub key: String,
    /// The unit that it belongs to.
    #[schema(value_type = Option<UnitCode>, example = "219001")]
    pub unit: Option<String>,
    /// The fiscal year that it belongs to.
    #[schema(value_type = Option<FiscalYear>, example = 2019)]
    pub year: Option<i64>,
    /// The document before the change; `null` where there was none, or where it is older than the trail.
    #[schema(value_type = Option<Object>, example = json!({"staff": {"posts": 171}}))]
    pub before: Option<Box<RawValue>>,
    /// The document after the change; `null` where it is gone.
    #[schema(value_type = Option<Object>, example = json!({"staff": {"posts": 171, "in_post": 104}}))]
    pub after: Option<Box<RawValue>>,
    /// SHA-256 over the hash of the change before and all of this one: whoever notes it down can hold the trail against it later.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub hash: String,
}

impl TryFrom<Entry> for AuditEntry {
    type Error = Problem;

    fn try_from(Entry { row, before }: Entry) -> Result<Self, Problem> {
        let document = |text: Option<String>| {
            text.map(RawValue::from_string)
                .transpose()
                .map_err(|error| Problem::internal(format!("change {}: {error}", row.seq)))
        };
        Ok(Self {
            before: document(before)?,
            after: document(row.after)?,
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            actor_name: row.actor_name,
            role: row.role,
            request_id: row.request_id,
            address: row.address,
            action: row.action,
            resource: row.resource,
            key: row.key,
            unit: row.unit_code,
            year: row.year,
            hash: row.hash,
        })
    }
}
