//! Compiled schemes, kept so that a score does not parse its scheme again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};

use super::store;
use crate::db::AnyConnection;
use crate::fault::Fault;
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
    /// The SHA-256 of its text, in hex.
    pub digest: Arc<str>,
    /// Whether it came with the program.
    pub builtin: bool,
    /// The scheme.
    pub scheme: Arc<Scheme>,
}

/// Why nothing can be scored by the scheme of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such scheme.
    Unknown,
    /// It is a template without weights.
    Template,
}

impl Unfit {
    /// The fault of a document whose `/scheme` names the scheme.
    pub fn fault(self, id: &SchemeId) -> Fault {
        match self {
            Self::Unknown => Fault::unknown_scheme(id),
            Self::Template => Fault::template_scheme(id),
        }
    }
}

/// The schemes compiled so far, by id. An entry answers only for the edition that it was compiled from, so that it is not
/// stale, whichever process changed the scheme; but for [`Library::builtin`], which says when it could be.
#[derive(Debug, Default)]
pub struct Library {
    compiled: RwLock<HashMap<SchemeId, Compiled>>,
}

/// More schemes than a county has; beyond it the library starts anew rather than grow without end.
const KEPT: usize = 256;

impl Library {
    /// The scheme of that id as it is in the database now, or why there is none to score by.
    ///
    /// # Errors
    /// 500 for what this program cannot read.
    pub fn find(&self, conn: &mut AnyConnection, id: &SchemeId) -> Result<Result<Compiled, Unfit>, Problem> {
        match store::edition(conn, id.as_str())? {
            None => Ok(Err(Unfit::Unknown)),
            Some(edition) => self.of_edition(conn, id, edition),
        }
    }

    /// The scheme of that id if it came with the program and was compiled before: without asking the database, since only
    /// the start of another version of the program changes it, and then only while nothing uses it.
    pub fn builtin(&self, id: &SchemeId) -> Option<Compiled> {
        let known = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        known.get(id).filter(|compiled| compiled.builtin).cloned()
    }

    /// The scheme that a fiscal year names, of which the database was just seen to have this edition.
    ///
    /// # Errors
    /// As [`Library::find`]; 404 if it was deleted meanwhile.
    pub fn in_force(&self, conn: &mut AnyConnection, id: &SchemeId, edition: Edition) -> Result<Compiled, Problem> {
        self.of_edition(conn, id, edition)?.map_err(|unfit| match unfit {
            Unfit::Unknown => Problem::no_scheme(id),
            Unfit::Template => Problem::internal(format!("{id} is in force and a template")),
        })
    }

    fn of_edition(
        &self,
        conn: &mut AnyConnection,
        id: &SchemeId,
        edition: Edition,
    ) -> Result<Result<Compiled, Unfit>, Problem> {
        let known = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(id)
            && compiled.edition == edition
        {
            return Ok(Ok(compiled.clone()));
        }
        drop(known);
        let Some(row) = store::find(conn, id.as_str())? else {
            return Ok(Err(Unfit::Unknown));
        };
        if row.template {
            return Ok(Err(Unfit::Template));
        }
        let edition = row.edition();
        let scheme = Scheme::compile(row.document()?)
            .map_err(|faults| Problem::internal(format!("the stored scheme {id} has faults: {faults:?}")))?;
        let compiled = Compiled {
            id: id.clone(),
            edition,
            digest: hex::encode(Sha256::digest(row.body.as_bytes())).into(),
            builtin: row.builtin,
            scheme: Arc::new(scheme),
        };
        let mut known = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(id.clone(), compiled.clone());
        Ok(Ok(compiled))
    }
}
