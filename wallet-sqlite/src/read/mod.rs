//! Reads, over any connection: one prepared statement per kind of row, called
//! once per key.

mod accounts;
mod entries;
mod holds;
mod journal;
mod numbers;
mod transfers;

use rusqlite::{CachedStatement, Connection};
use wallet_core::{
    AccountKey, AccountState, Amount, CurrencyCode, Policy, Reads, Snapshot, Status, Timestamp,
};

pub(crate) use accounts::{account, account_row, ledgers, list_accounts};
pub(crate) use entries::{ANCHOR_EVERY, Statement, entries};
pub(crate) use holds::{expired_holds, hold, list_holds};
pub(crate) use journal::{outbox_outcomes, record};
pub(crate) use numbers::Numbers;
pub(crate) use transfers::{list_transfers, transfer};

use crate::error::{During, Result};
use crate::value::{column, currency};

/// Where an account is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number in other tables.
    pub(crate) number: i64,
    /// The journal row that tells its latest entry; 0 when it has none.
    pub(crate) last_entry: i64,
    /// What a transfer does not change.
    pub(crate) terms: Terms,
}

/// An account's floor, ceiling and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    policy: Policy,
    max_balance: Option<Amount>,
    status: Status,
}

impl Terms {
    pub(crate) const fn of(state: &AccountState) -> Self {
        Self {
            policy: state.policy,
            max_balance: state.max_balance,
            status: state.status,
        }
    }
}

/// A snapshot, and where each account in it is kept.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) snapshot: Snapshot,
    /// Sorted by key; accounts that do not exist are left out.
    pub(crate) places: Vec<(AccountKey, Place)>,
}

const CURRENCY: &str = "SELECT exponent FROM wallet_currency WHERE code = ?";

/// Everything that `reads` names, and the accounts of the holds and transfers
/// found. Inside `BEGIN IMMEDIATE` all of it is current: the file's write lock
/// guards every row.
pub(crate) fn snapshot(
    connection: &Connection,
    reads: &Reads,
    numbers: &mut Numbers,
) -> Result<Placed> {
    // The time is filled in once the reads are done.
    let mut snapshot = Snapshot::at(Timestamp::EPOCH);
    for key in &reads.holds {
        snapshot.holds.extend(hold(connection, *key)?);
    }
    for key in &reads.transfers {
        snapshot.transfers.extend(transfer(connection, *key)?);
    }
    for key in &reads.keys {
        snapshot.records.extend(record(connection, *key)?);
    }
    for code in &reads.currencies {
        snapshot.currencies.extend(known(connection, *code)?);
    }
    let accounts = reads.lock_set(&snapshot.holds, &snapshot.transfers);
    let mut places = Vec::with_capacity(accounts.len());
    snapshot.accounts.reserve(accounts.len());
    let mut by_key = prepare(connection, accounts::STATE)?;
    let mut by_number = prepare(connection, accounts::STATE_BY_NUMBER)?;
    for key in accounts {
        let found = match numbers.find(key) {
            Some(number) => Some(accounts::numbered_row(&mut by_number, key, number)?),
            None => account_row(&mut by_key, key)?,
        };
        if let Some((place, _)) = found {
            numbers.note(key, place.number);
            places.push((key, place));
        }
        snapshot.accounts.push((key, found.map(|(_, state)| state)));
    }
    Ok(Placed { snapshot, places })
}

fn known(connection: &Connection, code: CurrencyCode) -> Result<Option<wallet_core::Currency>> {
    let mut statement = prepare(connection, CURRENCY)?;
    let mut rows = statement
        .query((code.as_str(),))
        .during("finding a currency")?;
    match rows.next().during("finding a currency")? {
        Some(row) => currency(code.as_str(), column(row, 0)?).map(Some),
        None => Ok(None),
    }
}

/// A statement from the connection's cache.
pub(crate) fn prepare<'c>(
    connection: &'c Connection,
    sql: &'static str,
) -> Result<CachedStatement<'c>> {
    connection
        .prepare_cached(sql)
        .during("preparing a statement")
}
