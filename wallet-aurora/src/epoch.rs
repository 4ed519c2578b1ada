//! The epoch: read in every transaction that decides, raised after a restore.
//!
//! It stands in the one row of `wallet_identity`. A commit reads it under a shared
//! lock, before it locks anything else, and keeps that lock until it ends; shared
//! locks let each other pass. A raise takes the row's exclusive lock and changes
//! the row: it waits for the commits under way, and those that come meanwhile wait
//! for it and read what it wrote. (A row of its own for each epoch would not do: a
//! locking read that has waited answers the row that it waited for, not a newer
//! one.)

use wallet_core::ledger::{Epoch, Epochs, RaisedBy, RaisedEpoch};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use crate::clock::Time;
use crate::error::{Doing, Failed, Result, corrupt};
use crate::pool::PooledConnection;
use crate::run::{Answers, Row};
use crate::sql::Script;

const CURRENT: &str = "SELECT epoch FROM wallet_identity WHERE only_row = 1";
/// In the words that both servers know.
const SHARED: &str = "SELECT epoch FROM wallet_identity WHERE only_row = 1 LOCK IN SHARE MODE";
const OWN: &str = "SELECT epoch FROM wallet_identity WHERE only_row = 1 FOR UPDATE";
const ALL: &str = "
    SELECT number, restored_to, raised_at, raised_by FROM wallet_epoch ORDER BY number";

/// Asks for the present epoch.
pub(crate) fn ask(script: &mut Script) {
    script.fixed(Doing::Work, "reading the epoch", CURRENT);
}

/// Asks for the present epoch, which then stays for as long as the transaction
/// under way lasts.
pub(crate) fn ask_locked(script: &mut Script) {
    script.fixed(Doing::Work, "reading the epoch", SHARED);
}

/// What either was answered.
pub(crate) fn decode(answers: &mut Answers) -> Result<Epoch> {
    of_row(&answers.row()?, 0)
}

/// Asks for every raise.
pub(crate) fn ask_all(script: &mut Script) {
    script.fixed(Doing::Work, "reading the epochs", ALL);
}

/// The raises found.
pub(crate) fn decode_all(answers: &mut Answers) -> Result<Epochs> {
    let rows = answers.rows();
    let raised = rows.iter().map(|row| {
        let by = RaisedBy::new(row.text(3)?);
        Ok(RaisedEpoch {
            epoch: of_row(row, 0)?,
            restored_to: row.time(1)?,
            raised_at: row.time(2)?,
            by: by.map_err(|_| corrupt("an epoch is damaged"))?,
        })
    });
    raised.collect::<Result<Vec<_>>>().map(Epochs::new)
}

/// Raises it in a transaction of its own.
pub(crate) async fn raise(
    connection: &mut PooledConnection,
    restored_to: Timestamp,
    by: &RaisedBy,
    time: &Time,
) -> std::result::Result<RaisedEpoch, Failed> {
    let mut script = Script::default();
    script.begin();
    script.fixed(Doing::Work, "locking the epoch", OWN);
    time.ask(&mut script);
    ask_all(&mut script);
    let mut answers = connection.run(&script).await?;
    answers.skip(1);
    let current = decode(&mut answers)?;
    let now = time.decode(&mut answers)?;
    let epochs = decode_all(&mut answers)?;
    if epochs.current() != current {
        return Err(corrupt("the present epoch is not the last one that was raised").into());
    }
    let raised = epochs
        .raise(restored_to, by, now)
        .map_err(StoreError::from)?;
    let mut script = Script::default();
    if raised.epoch == current {
        script.fixed(Doing::Work, "ending without changes", "ROLLBACK");
    } else {
        script.work("raising the epoch", |sql| {
            sql.raw("UPDATE wallet_identity SET epoch = ");
            sql.int(raised.epoch.as_i64()).raw(" WHERE only_row = 1");
        });
        script.work("recording an epoch", |sql| {
            sql.raw("INSERT INTO wallet_epoch (number, restored_to, raised_at, raised_by)");
            sql.raw(" VALUES (").int(raised.epoch.as_i64());
            sql.raw(",").time(raised.restored_to);
            sql.raw(",").time(raised.raised_at);
            sql.raw(",").text(raised.by.as_str()).raw(")");
        });
        script.commit();
    }
    connection.run(&script).await?;
    Ok(raised)
}

/// The epoch in a row.
pub(crate) fn of_row(row: &Row, index: usize) -> Result<Epoch> {
    let number: i64 = row.number(index)?;
    let number = u64::try_from(number).ok().and_then(Epoch::new);
    number.ok_or_else(|| {
        let context = "an epoch is damaged";
        StoreError::new(StoreErrorKind::Corrupt, context)
    })
}
