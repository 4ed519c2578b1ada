//! The epoch. Every transaction that decides reads it. A restore raises it.

use rusqlite::{Connection, params};
use wallet_core::Timestamp;
use wallet_core::ledger::{Epoch, Epochs, RaisedBy, RaisedEpoch};

use crate::error::{During, Result, corrupt, used_up};
use crate::statement::prepare;
use crate::value::{column, time_column};

const CURRENT: &str = "SELECT max(number) FROM wallet_epoch";
const ALL: &str = "
    SELECT number, restored_to, raised_at, raised_by FROM wallet_epoch ORDER BY number";
const ADD: &str = "
    INSERT INTO wallet_epoch (number, restored_to, raised_at, raised_by) VALUES (?, ?, ?, ?)";

/// The current epoch.
pub(crate) fn current(connection: &Connection) -> Result<Epoch> {
    let number: Option<i64> = prepare(connection, CURRENT)?
        .query_row((), |row| row.get(0))
        .during("reading the epoch")?;
    number.map_or(Ok(Epoch::FIRST), of_number)
}

/// All raises of the epoch.
pub(crate) fn all(connection: &Connection) -> Result<Epochs> {
    let context = "reading the epochs";
    let mut statement = prepare(connection, ALL)?;
    let mut rows = statement.query(()).during(context)?;
    let mut raised = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let by: String = column(row, 3)?;
        raised.push(RaisedEpoch {
            epoch: of_number(column(row, 0)?)?,
            restored_to: time_column(row, 1)?,
            raised_at: time_column(row, 2)?,
            by: RaisedBy::new(&by).map_err(|_| corrupt("an epoch is damaged"))?,
        });
    }
    Ok(Epochs::new(raised))
}

/// Raises the epoch in the open transaction. The transaction holds the file's write lock,
/// so no other commit is in flight.
pub(crate) fn raise(
    connection: &Connection,
    restored_to: Timestamp,
    by: &RaisedBy,
    now: Timestamp,
) -> Result<RaisedEpoch> {
    let epochs = all(connection)?;
    let raised = epochs.raise(restored_to, by, now)?;
    if raised.epoch > epochs.current() {
        add(connection, &raised)?;
    }
    Ok(raised)
}

/// Raises the epoch of a restored file. The new epoch is greater than the current one and
/// than `above`, and at least the current second. It also raises when the last raise was
/// the same.
pub(crate) fn raise_above(
    connection: &Connection,
    above: Epoch,
    restored_to: Timestamp,
    by: &RaisedBy,
    now: Timestamp,
) -> Result<RaisedEpoch> {
    let next = current(connection)?.max(above).next(now);
    let raised = RaisedEpoch {
        epoch: next.ok_or_else(|| used_up("the numbers of epochs are used up"))?,
        restored_to,
        raised_at: now,
        by: by.clone(),
    };
    add(connection, &raised)?;
    Ok(raised)
}

fn add(connection: &Connection, raised: &RaisedEpoch) -> Result<()> {
    let row = params![
        raised.epoch.as_i64(),
        raised.restored_to.as_micros(),
        raised.raised_at.as_micros(),
        raised.by.as_str()
    ];
    prepare(connection, ADD)?
        .execute(row)
        .during("raising the epoch")
        .map(|_| ())
}

/// The epoch of a stored number.
pub(crate) fn of_number(number: i64) -> Result<Epoch> {
    let number = u64::try_from(number).ok().and_then(Epoch::new);
    number.ok_or_else(|| corrupt("an epoch is damaged"))
}
