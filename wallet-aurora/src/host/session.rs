//! Questions to the session of a host.

use sqlx::MySqlConnection;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use super::PACKET_BYTES;
use crate::error::{Doing, Failed, code};
use crate::run::{Answers, Runner};
use crate::sql::Script;

/// Fails with a distinct code exactly while a transaction is open.
const PROBE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// The isolation variable has a different name on each server.
const SESSION: &str =
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')";
const MODE: &str = "SELECT @@sql_mode";

/// Whether a transaction is open, as the server sees it.
pub(crate) async fn in_transaction(connection: &mut MySqlConnection) -> Result<bool, StoreError> {
    probe(connection, Script::default()).await
}

/// Runs a script, and returns whether a transaction is open after it.
pub(super) async fn probe(
    connection: &mut MySqlConnection,
    mut script: Script,
) -> Result<bool, StoreError> {
    script.fixed(Doing::Work, "asking for a transaction", PROBE);
    match run(connection, &script).await {
        Ok(_) => Ok(false),
        Err(failed) if failed.code == Some(code::IN_TRANSACTION) => Ok(true),
        Err(failed) => Err(failed.error),
    }
}

/// Refuses a session that is not at READ COMMITTED.
pub(super) async fn check_isolation(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    let script = Script::of("asking for the isolation", SESSION);
    let rows = run(connection, &script).await?.rows();
    // MariaDB 11 and later has both names for this value.
    let mut levels = Vec::with_capacity(rows.len());
    for row in &rows {
        levels.push(row.text(1)?);
    }
    if levels.is_empty() || levels.iter().any(|level| *level != "READ-COMMITTED") {
        return Err(invalid("the host's transaction must be at READ COMMITTED"));
    }
    Ok(())
}

/// Refuses a session without a strict mode: the server would truncate values that do not
/// fit.
pub(super) async fn check_mode(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    let script = Script::of("asking for the mode", MODE);
    let row = run(connection, &script).await?.row()?;
    let mut modes = row.text(0)?.split(',');
    if !modes.any(|mode| mode == "STRICT_ALL_TABLES" || mode == "STRICT_TRANS_TABLES") {
        return Err(invalid("the host's session must have a strict sql_mode"));
    }
    Ok(())
}

pub(super) async fn run(
    connection: &mut MySqlConnection,
    script: &Script,
) -> Result<Answers, Failed> {
    let mut runner = Runner {
        connection,
        // These statements wait for no lock.
        answer_wait: std::time::Duration::from_secs(30),
        packet_bytes: PACKET_BYTES,
        is_limit: false,
    };
    runner.run(script).await
}

pub(super) fn invalid(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}
