//! Compiled schemes, kept so that a score does not parse its scheme again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::fault::Fault;
use crate::scoring::scheme::{Scheme, SchemeDocument};

/// What makes a stored scheme the same scheme: its version, and when it was written, in case its id was used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Counts the changes of the stored scheme.
    pub version: i64,
    /// When that version was written.
    pub updated_at: String,
}

/// The schemes compiled so far, by id. An entry answers only for the edition that it was compiled from, so that it can
/// never be stale, whichever process changed the scheme.
#[derive(Debug, Default)]
pub struct Library {
    compiled: RwLock<HashMap<String, (Edition, Arc<Scheme>)>>,
}

/// More schemes than a county has; beyond it the library starts anew rather than grow without end.
const KEPT: usize = 256;

impl Library {
    /// The scheme compiled before from this edition.
    pub fn get(&self, id: &str, edition: &Edition) -> Option<Arc<Scheme>> {
        let compiled = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        let (known, scheme) = compiled.get(id)?;
        (known == edition).then(|| Arc::clone(scheme))
    }

    /// Compiles an edition and keeps it.
    ///
    /// # Errors
    /// The faults of a document that is a template or was stored by an older, more lenient program.
    pub fn compile(&self, id: &str, edition: Edition, document: SchemeDocument) -> Result<Arc<Scheme>, Vec<Fault>> {
        let scheme = Arc::new(Scheme::compile(document)?);
        let mut compiled = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(id.to_owned(), (edition, Arc::clone(&scheme)));
        Ok(scheme)
    }
}
