//! Work on PostgreSQL that is done again: since another transaction won, or since the connection was lost.

use std::time::{Duration, Instant};

use diesel::r2d2::{Pool, R2D2Connection};
use diesel::result::{DatabaseErrorKind, Error};

use super::connection::{AnyConnection, Doubt, Manager};
use super::{Origin, PATIENCE, Tx};
use crate::http::problem::Problem;

/// How long there is between two attempts to go on with a database that was lost.
const RECONNECT: Duration = Duration::from_millis(100);

/// How often a write is tried again that lost against another one.
const SERIALIZATION_RETRIES: u32 = 8;
/// A "read, then insert" that lost the race sees the other's row the second time; if not, it is a
/// real duplicate.
const UNIQUE_RETRIES: u32 = 2;

/// Writes, with what it comes to and the number of the last change.
///
/// # Errors
/// Those of `work`; 503 when the database stays away, which says so if it is not known whether the write was done.
pub fn write<T>(
    pool: &Pool<Manager>,
    origin: &Origin,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, Problem>,
) -> Result<(T, i64), Problem> {
    let started = Instant::now();
    let mut attempt = 0;
    let mut doubt = None;
    loop {
        let mut conn = pool.get().map_err(|error| gone(doubt.as_ref(), &error))?;
        let problem = match conn.try_write(origin, work, &mut doubt) {
            Ok(value) => return Ok(value),
            Err(problem) => problem,
        };
        if is_lost(&mut conn, &problem) || doubt.is_some() {
            if matches!(doubt, Some(Doubt::Unlogged)) || started.elapsed() >= PATIENCE {
                return Err(gone(doubt.as_ref(), &problem));
            }
            drop(conn);
            std::thread::sleep(RECONNECT);
            continue;
        }
        let retries = match problem.cause() {
            Some(error) if lost_to_another(error) => SERIALIZATION_RETRIES,
            Some(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => UNIQUE_RETRIES,
            _ => 0,
        };
        if attempt >= retries {
            return Err(problem);
        }
        attempt += 1;
        drop(conn);
        std::thread::sleep(back_off(attempt));
    }
}

/// What is said of a write when the database stays away.
fn gone<T>(doubt: Option<&Doubt<T>>, cause: &impl ToString) -> Problem {
    match doubt {
        Some(_) => Problem::in_doubt(cause.to_string()),
        None => Problem::unavailable(cause.to_string()),
    }
}

/// Reads.
///
/// # Errors
/// Those of `work`; 503 when the database stays away.
pub fn read<T>(
    pool: &Pool<Manager>,
    work: &(impl FnOnce(&mut AnyConnection) -> Result<T, Problem> + Clone),
) -> Result<T, Problem> {
    let started = Instant::now();
    loop {
        let mut conn = pool.get().map_err(|error| Problem::unavailable(error.to_string()))?;
        match work.clone()(&mut conn) {
            Err(problem) if is_lost(&mut conn, &problem) => {
                if started.elapsed() >= PATIENCE {
                    return Err(Problem::unavailable(problem.to_string()));
                }
            }
            outcome => return outcome,
        }
        drop(conn);
        std::thread::sleep(RECONNECT);
    }
}

/// Whether the server has gone, or is no more the primary.
fn is_lost(conn: &mut AnyConnection, problem: &Problem) -> bool {
    use DatabaseErrorKind::{ClosedConnection, ReadOnlyTransaction, UnableToSendCommand};
    let said = matches!(
        problem.cause(),
        Some(Error::DatabaseError(
            ClosedConnection | ReadOnlyTransaction | UnableToSendCommand,
            _
        ))
    );
    said || !problem.is_of_the_request() && conn.is_broken()
}

fn lost_to_another(error: &Error) -> bool {
    match error {
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        // diesel keeps no code for 40P01, and the server may speak Chinese.
        Error::DatabaseError(_, information) => {
            let message = information.message();
            message.contains("deadlock detected") || message.contains("死锁")
        }
        _ => false,
    }
}

/// A random part, so that two that met do not meet again.
fn back_off(attempt: u32) -> Duration {
    let random = u64::from(getrandom::u32().unwrap_or(0) % 1000);
    Duration::from_micros((500 + random) << attempt.min(6))
}
