//! Reads, over any connection: one prepared statement per kind of row, called
//! once per key.

mod accounts;
mod entries;
mod holds;
mod journal;
mod list;
mod memory;
mod pending_sums;
mod transfers;

use rusqlite::{CachedStatement, Connection};
use wallet_core::ledger::{AccountKey, AccountState, CurrencyCode};
use wallet_core::request::Reads;
use wallet_core::store::Snapshot;
use wallet_core::{Amount, Policy, Status, Timestamp};

pub(crate) use accounts::{account, account_state, each_account, ledgers, trial_balance};
pub(crate) use entries::{ANCHOR_EVERY, Statement, entries};
pub(crate) use holds::{expired_holds, hold, list_holds};
pub(crate) use journal::{Old, count_old, oldest, outbox_outcomes, record};
pub(crate) use list::list_accounts;
pub(crate) use memory::Memory;
pub(crate) use pending_sums::pending_sums;
pub(crate) use transfers::{list_transfers, transfer};

use crate::deferred::Books;
use crate::epoch;
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
/// guards every row. Who reads batch after batch brings a memory.
pub(crate) fn snapshot(
    books: &Books<'_>,
    reads: &Reads,
    mut memory: Option<&mut Memory>,
) -> Result<Placed> {
    if let Some(memory) = memory.as_deref_mut() {
        memory.deferred.follow(&books.pieces);
    }
    // The time is filled in once the reads are done.
    let mut snapshot = Snapshot::at(Timestamp::EPOCH);
    snapshot.epoch = epoch::current(books)?;
    for key in &reads.holds {
        snapshot.holds.extend(hold(books, *key)?);
    }
    for key in &reads.transfers {
        snapshot.transfers.extend(transfer(books, *key)?);
    }
    for key in &reads.keys {
        let found = match memory.as_deref() {
            Some(memory) => journal::record_at(books, *key, memory.deferred.key(*key))?,
            None => record(books, *key)?,
        };
        snapshot.records.extend(found);
    }
    for code in &reads.currencies {
        snapshot.currencies.extend(known(books, *code)?);
    }
    let keys = reads.lock_set(&snapshot.holds, &snapshot.transfers);
    let mut places = Vec::with_capacity(keys.len());
    snapshot.accounts.reserve(keys.len());
    let mut rows = accounts::Rows::prepare(books)?;
    for key in keys {
        let found = match memory.as_deref_mut() {
            Some(memory) => memory.account_state(&mut rows, key)?,
            None => account_state(books, key)?,
        };
        if let Some((place, _)) = found {
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
