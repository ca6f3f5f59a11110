//! Old imports are forgotten, so that they and their faults do not grow without bound.

use jiff::{SignedDuration, Timestamp};

use super::model::address;
use super::store;
use crate::db::changes::{Change, Resource};
use crate::db::{Db, Origin, stored_time};
use crate::http::problem::Problem;

/// How many faults are deleted at once: there can be as many as a file has rows, and other writes wait meanwhile.
const PIECE: i64 = 5000;

/// Forgets the imports that nobody has worked on for so many days, with their faults; what they stored stays. 0: none.
///
/// # Errors
/// Those of the database; what is left then goes the next time.
pub async fn forget_old(db: &Db, days: u32) -> Result<(), Problem> {
    let age = SignedDuration::from_hours(i64::from(days) * 24);
    // Further back than there is time is never, too.
    let since = Timestamp::now().checked_sub(age).ok().filter(|_| days > 0);
    let Some(since) = since.map(stored_time) else {
        return Ok(());
    };
    loop {
        let since = since.clone();
        let found = db.write(Origin::program(), move |tx| {
            let Some(id) = store::oldest(tx, &since)? else {
                return Ok(false);
            };
            if store::forget_some_faults(tx, &id, PIECE)? == 0 {
                store::forget(tx, &id)?;
                tx.record(Change::deleted(Resource::Import, address(&id)))?;
            }
            Ok(true)
        });
        if !found.await? {
            return Ok(());
        }
    }
}
