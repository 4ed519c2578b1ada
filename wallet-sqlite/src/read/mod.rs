//! Reads on any connection. There is one prepared statement per kind of row, called once
//! per key.

mod accounts;
mod entries;
mod holds;
mod journal;
mod list;
mod pending_sums;
mod transfers;
mod writer_cache;

use rusqlite::{Connection, Params};
use wallet_core::ledger::{AccountKey, AccountState, CurrencyCode};
use wallet_core::request::ReadSet;
use wallet_core::store::Snapshot;
use wallet_core::{Amount, Policy, Status, Timestamp};

pub(crate) use accounts::{account, account_state, each_account, ledgers, trial_balance};
pub(crate) use entries::{ANCHOR_EVERY, Statement, entries};
pub(crate) use holds::{expired_holds, hold, list_holds, referenced_holds};
pub(crate) use journal::{Old, count_old, oldest, outbox_outcomes, record};
pub(crate) use list::list_accounts;
pub(crate) use pending_sums::pending_sums;
pub(crate) use transfers::{captures, list_transfers, transfer};
pub(crate) use writer_cache::WriterCache;

use crate::deferred::Books;
use crate::epoch;
use crate::error::{During, Result};
use crate::statement::prepare;
use crate::value::{column, currency, id_column};

/// The ids in the first column of a page of an index.
fn ids<Id>(
    connection: &Connection,
    sql: &'static str,
    by: impl Params,
    from_bytes: fn([u8; 16]) -> Id,
) -> Result<Vec<Id>> {
    let context = "listing ids";
    let mut statement = prepare(connection, sql)?;
    let mut rows = statement.query(by).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        found.push(id_column(row, 0, from_bytes)?);
    }
    Ok(found)
}

/// The location of an account's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The account's number in other tables.
    pub(crate) number: i64,
    /// The journal row of its latest entry. 0 if it has no entry.
    pub(crate) last_entry: i64,
    /// The part that a transfer does not change.
    pub(crate) terms: Terms,
}

/// An account's overdraft limit (floor), ceiling and status.
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

/// A snapshot, and the place of each of its accounts.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) snapshot: Snapshot,
    /// Sorted by key. Accounts that do not exist are left out.
    pub(crate) places: Vec<(AccountKey, Place)>,
}

const CURRENCY: &str = "SELECT exponent FROM wallet_currency WHERE code = ?";

/// Everything that `reads` names, and the accounts of the holds and transfers found. Inside
/// `BEGIN IMMEDIATE` all of it is current, because the file's write lock protects every
/// row. A writer passes its cache from batch to batch.
pub(crate) fn snapshot(
    books: &Books<'_>,
    reads: &ReadSet,
    mut cache: Option<&mut WriterCache>,
) -> Result<Placed> {
    if let Some(cache) = cache.as_deref_mut() {
        cache.deferred.follow(&books.deltas);
    }
    // The time is set after the reads.
    let mut snapshot = Snapshot::at(Timestamp::EPOCH);
    snapshot.epoch = epoch::current(books)?;
    for key in &reads.holds {
        snapshot.holds.extend(hold(books, *key)?);
    }
    for key in &reads.transfers {
        snapshot.transfers.extend(transfer(books, *key)?);
    }
    for key in &reads.keys {
        let found = match cache.as_deref() {
            Some(cache) => journal::record_at(books, *key, cache.deferred.key(*key))?,
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
        let found = match cache.as_deref_mut() {
            Some(cache) => cache.account_state(&mut rows, key)?,
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
