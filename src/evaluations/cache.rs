//! Rendered scores, kept under exactly what they were computed from.

use std::sync::Arc;

use actix_web::web::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::model::PriorSheet;
use super::store::Context;
use crate::codes::{FiscalYear, UnitCode};
use crate::http::etag::ETag;
use crate::schemes::library::Edition;
use crate::scoring::text::SchemeId;
use crate::telemetry::metrics::METRICS;

/// Whose score, under which scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    unit: UnitCode,
    year: FiscalYear,
    scheme: SchemeId,
}

/// All that a score depends on: while it is the same in the database, the bytes are still right. So an entry can never
/// be stale, whichever process changed what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    unit_name: String,
    base_data_version: i64,
    assessments_version: i64,
    claims_version: i64,
    updated_at: String,
    prior: Option<PriorSheet>,
    scheme: Edition,
}

impl Basis {
    /// What the score of `context` under a scheme of this edition depends on.
    pub fn of(context: &Context, scheme: &Edition) -> Self {
        let row = context.evaluation.as_ref();
        Self {
            unit_name: context.unit_name.clone(),
            base_data_version: row.map_or(0, |row| row.base_data_version),
            assessments_version: row.map_or(0, |row| row.assessments_version),
            claims_version: row.map_or(0, |row| row.claims_version),
            updated_at: row.map(|row| row.updated_at.clone()).unwrap_or_default(),
            prior: context.prior.clone(),
            scheme: scheme.clone(),
        }
    }
}

impl Basis {
    /// The tag of what follows from this basis, in one `form` (a media type).
    pub fn etag(&self, scheme: &SchemeId, form: &str) -> ETag {
        let prior = self.prior.as_ref();
        ETag::over([
            form,
            &self.unit_name,
            &self.base_data_version.to_string(),
            &self.assessments_version.to_string(),
            &self.claims_version.to_string(),
            &self.updated_at,
            prior.map_or("", |prior| &prior.unit),
            &prior.map_or(0, |prior| prior.version).to_string(),
            prior.map_or("", |prior| &prior.since),
            scheme.as_str(),
            &self.scheme.version.to_string(),
            &self.scheme.updated_at,
        ])
    }
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Key, Arc<(Basis, Bytes)>> for ByBytes {
    fn weight(&self, key: &Key, entry: &Arc<(Basis, Bytes)>) -> u64 {
        (entry.1.len() + key.unit.as_str().len() + key.scheme.as_str().len() + 200) as u64
    }
}

/// The rendered scores asked for most, up to a bound in bytes.
#[derive(Debug)]
pub struct ScoreCache(Cache<Key, Arc<(Basis, Bytes)>, ByBytes>);

/// What the cache may hold: enough for the units that a county looks at on a day.
const BYTES: u64 = 24 * 1024 * 1024;

impl Default for ScoreCache {
    fn default() -> Self {
        Self(Cache::with_weighter(1000, BYTES, ByBytes))
    }
}

impl ScoreCache {
    /// The bytes rendered from exactly this basis, or what `render` makes of it now.
    ///
    /// # Errors
    /// Those of `render`; nothing is kept then.
    pub fn get_or_render<E>(
        &self,
        (unit, year, scheme): (&UnitCode, FiscalYear, &SchemeId),
        basis: Basis,
        render: impl FnOnce() -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        let key = Key {
            unit: unit.clone(),
            year,
            scheme: scheme.clone(),
        };
        if let Some(entry) = self.0.get(&key)
            && entry.0 == basis
        {
            METRICS.scores_from_cache.inc();
            return Ok(entry.1.clone());
        }
        let bytes = render()?;
        self.0.insert(key, Arc::new((basis, bytes.clone())));
        Ok(bytes)
    }
}
