//! A write transaction: a connection, and the changes that it makes.

use std::ops::{Deref, DerefMut};

use super::AnyConnection;
use super::changes::{Change, Head, Origin};
use crate::http::problem::Problem;

/// How many changes wait in memory before they are added to the log; a large import makes many.
const BUFFERED: usize = 500;

/// A connection within a write transaction. Stores take it as the connection that it is; whoever changes something says so
/// with [`Tx::record`], and it is in the log when the transaction commits, and only then.
pub struct Tx<'a> {
    conn: &'a mut AnyConnection,
    /// `None` where nothing is kept.
    log: Option<(&'a Origin, &'a mut Head)>,
    pending: Vec<Change>,
}

impl<'a> Tx<'a> {
    /// Runs `work` on a connection that is in a transaction, and adds what it records to the log after `head`, which
    /// moves on.
    pub(super) fn run<T>(
        conn: &'a mut AnyConnection,
        origin: &'a Origin,
        head: &'a mut Head,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut tx = Tx {
            conn,
            log: Some((origin, head)),
            pending: Vec::new(),
        };
        let value = work(&mut tx)?;
        tx.flush()?;
        Ok(value)
    }

    /// A trial of what would be written: it must not write, and what it records is forgotten.
    pub fn trial(conn: &'a mut AnyConnection) -> Self {
        Self {
            conn,
            log: None,
            pending: Vec::new(),
        }
    }

    /// Who makes the changes; `None` in a trial.
    pub fn origin(&self) -> Option<&Origin> {
        self.log.as_ref().map(|(origin, _)| *origin)
    }

    /// Says that something was changed in this transaction. A write that changes nothing says nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn record(&mut self, change: Change) -> Result<(), Problem> {
        self.pending.push(change);
        match self.pending.len() < BUFFERED {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<(), Problem> {
        let changes = self.pending.drain(..);
        match &mut self.log {
            Some((origin, head)) if changes.len() > 0 => head.append(self.conn, origin, changes),
            _ => Ok(()),
        }
    }
}

impl Deref for Tx<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        self.conn
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.conn
    }
}
