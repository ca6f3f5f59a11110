//! Compiled schemes, kept so that a score does not parse its scheme again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::store;
use crate::db::AnyConnection;
use crate::http::problem::Problem;
use crate::scoring::scheme::Scheme;
use crate::scoring::text::SchemeId;

/// What makes a stored scheme the same scheme: its version, and when it was written, in case its id was used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Counts the changes of the stored scheme.
    pub version: i64,
    /// When that version was written.
    pub updated_at: String,
}

/// A stored scheme, ready to score by.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Its id.
    pub id: SchemeId,
    /// Which edition of it this is.
    pub edition: Edition,
    /// The scheme.
    pub scheme: Arc<Scheme>,
}

/// The schemes compiled so far, by id. An entry answers only for the edition that it was compiled from, so that it can
/// never be stale, whichever process changed the scheme.
#[derive(Debug, Default)]
pub struct Library {
    compiled: RwLock<HashMap<SchemeId, Compiled>>,
}

/// More schemes than a county has; beyond it the library starts anew rather than grow without end.
const KEPT: usize = 256;

impl Library {
    /// The scheme of that id as it is in the database now; `None` if there is no such scheme.
    ///
    /// # Errors
    /// 422 for a template, by which nothing can be scored; 500 for what this program cannot read.
    pub fn find(&self, conn: &mut AnyConnection, id: &SchemeId) -> Result<Option<Compiled>, Problem> {
        match store::edition(conn, id.as_str())? {
            None => Ok(None),
            Some(edition) => self.edition(conn, id, edition).map(Some),
        }
    }

    /// The scheme of that id, of which the database was just seen to have this edition.
    ///
    /// # Errors
    /// As [`Library::find`]; 404 if it was deleted meanwhile.
    pub fn edition(&self, conn: &mut AnyConnection, id: &SchemeId, edition: Edition) -> Result<Compiled, Problem> {
        let known = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(id)
            && compiled.edition == edition
        {
            return Ok(compiled.clone());
        }
        drop(known);
        let row = store::find(conn, id.as_str())?.ok_or_else(|| Problem::no_scheme(id))?;
        if row.template {
            return Err(Problem::template(id));
        }
        let edition = row.edition();
        let scheme = Scheme::compile(row.document()?)
            .map_err(|faults| Problem::internal(format!("the stored scheme {id} has faults: {faults:?}")))?;
        let compiled = Compiled {
            id: id.clone(),
            edition,
            scheme: Arc::new(scheme),
        };
        let mut known = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(id.clone(), compiled.clone());
        Ok(compiled)
    }
}
