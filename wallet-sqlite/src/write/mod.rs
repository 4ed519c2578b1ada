//! Writes a change set inside the open transaction. Each kind of row is written in the
//! order of its key, with one prepared statement per kind.

mod accounts;
mod entries;
mod holds;
mod journal;
mod transfers;

use wallet_core::Timestamp;
use wallet_core::ledger::AccountKey;
use wallet_core::store::ChangeSet;

use crate::deferred::{self, Books};
use crate::error::{Doing, During, Result, corrupt};
use crate::read::Place;
use crate::statement::prepare;
use journal::Journal;

const INSERT_CURRENCY: &str = "INSERT INTO wallet_currency (code, exponent) VALUES (?, ?)";

/// Writes everything that was decided. `places` belong to the accounts that were read.
pub(crate) fn changes(
    books: &Books<'_>,
    changes: &ChangeSet,
    places: Vec<(AccountKey, Place)>,
    now: Timestamp,
    defer_from: usize,
) -> Result<()> {
    let connection = books.connection;
    for currency in &changes.currencies {
        prepare(connection, INSERT_CURRENCY)?
            .execute((currency.code().as_str(), currency.exponent()))
            .while_doing(Doing::Insert, "registering a currency")?;
    }
    // Rows that point to each other get their numbers before any of them is written.
    let mut places = accounts::number(connection, &changes.opened, places)?;
    let journal = Journal::number(connection, changes)?;
    let linked = entries::link(&journal.accepted, &mut places)?;
    accounts::open(connection, &changes.opened, &places)?;
    let keys = journal.append(connection, &linked.links, now)?;
    if changes.updated.len() >= defer_from {
        let moved = accounts::defer(connection, &changes.updated, &places)?;
        deferred::write(books, moved, keys)?;
    } else {
        accounts::update(connection, &changes.updated, &places)?;
        journal::insert_keys(connection, &keys)?;
    }
    transfers::insert(connection, &journal.accepted)?;
    entries::insert(connection, linked.anchors)?;
    transfers::reversals(connection, &changes.reversals)?;
    holds::put(connection, &changes.holds)
}

/// The place of an account that was read or opened.
fn find(places: &[(AccountKey, Place)], key: AccountKey) -> Result<usize> {
    let found = places.binary_search_by_key(&key, |(key, _)| *key);
    found.map_err(|_| corrupt("an account that was read has no place"))
}
