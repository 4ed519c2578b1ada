//! Takes the write lock, waits for it while another connection holds it, and rolls back.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use wallet_core::StoreError;

use crate::error::{During, Result};

/// The pause between two tries for a lock.
const PROBE: Duration = Duration::from_micros(500);

/// The file is open in another process, and only one process may guard its log.
#[derive(Debug, thiserror::Error)]
#[error("the log is guarded by another process")]
pub(crate) struct InUse;

/// `BEGIN IMMEDIATE`. Waits for the lock for at most `lock_wait`.
pub(crate) fn begin(connection: &Connection, lock_wait: Duration) -> Result<()> {
    insist(lock_wait, || {
        connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute(()))
            .during("beginning a transaction")
            .map(|_| ())
    })
}

/// Retries `work` while another connection holds a lock, for at most `wait`.
pub(crate) fn insist<T>(wait: Duration, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let mut left = wait;
    loop {
        match work() {
            Err(error) if is_busy(&error) && !left.is_zero() => {
                left = left.saturating_sub(PROBE);
                pause();
            }
            done => return done,
        }
    }
}

fn is_busy(error: &StoreError) -> bool {
    let source = std::error::Error::source(error);
    let driver = source.and_then(|source| source.downcast_ref::<rusqlite::Error>());
    driver.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::DatabaseBusy)
        || source.is_some_and(<dyn std::error::Error>::is::<InUse>)
}

#[allow(
    clippy::disallowed_methods,
    reason = "between two tries for SQLite's lock, on a thread of the store's, as SQLite's own \
              busy handler does; no rule depends on its length"
)]
fn pause() {
    std::thread::sleep(PROBE);
}

/// Rolls back the open transaction. A failure does not matter: either no transaction is
/// open, or closing the connection rolls it back.
pub(crate) fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
}
