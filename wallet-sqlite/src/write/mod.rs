//! Writes a change set inside the transaction that is open: each kind of row in
//! the order of its key, one prepared statement per kind.

mod accounts;
mod holds;
mod journal;
mod transfers;

use rusqlite::Connection;
use wallet_core::{AccountKey, ChangeSet, Timestamp};

use crate::error::{Doing, During, Result};
use crate::read::prepare;

const INSERT_CURRENCY: &str = "INSERT INTO wallet_currency (code, exponent) VALUES (?, ?)";

/// Writes everything that was decided. `numbers` are those of the accounts
/// that were read.
pub(crate) fn changes(
    connection: &Connection,
    changes: &ChangeSet,
    numbers: Vec<(AccountKey, i64)>,
    now: Timestamp,
) -> Result<()> {
    for currency in &changes.currencies {
        prepare(connection, INSERT_CURRENCY)?
            .execute((currency.code().as_str(), currency.exponent()))
            .while_doing(Doing::Insert, "registering a currency")?;
    }
    let numbers = accounts::open(connection, &changes.opened, numbers)?;
    accounts::update(connection, &changes.updated, &numbers)?;
    let told = journal::append(connection, changes, now)?;
    transfers::insert(connection, changes, &told, &numbers)?;
    transfers::reversals(connection, &changes.reversals)?;
    holds::put(connection, &changes.holds)
}
