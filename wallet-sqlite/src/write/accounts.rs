//! Writes new and changed accounts.

use rusqlite::{Connection, params};
use wallet_core::ledger::AccountKey;
use wallet_core::store::AccountUpdate;
use wallet_core::{Account, Metadata};

use super::find;
use crate::deferred::Moved;
use crate::error::{Doing, During, Result, corrupt, next_number};
use crate::read::{Place, Terms};
use crate::statement::prepare;
use crate::value::{amount_bytes, counters_bytes, ledger_number};

const LAST: &str = "SELECT coalesce(max(num), 0) FROM wallet_account";
const INSERT: &str = "
    INSERT INTO wallet_account
        (num, ledger, id, currency, exponent, system, policy, overdraft, max_balance, status,
         counters, version, sequence, last_at, last_entry)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_PROFILE: &str = "
    INSERT INTO wallet_account_profile (num, ledger, id, owner, currency, metadata, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)";
const MOVE: &str = "
    UPDATE wallet_account
    SET counters = ?2, version = ?3, sequence = ?4, last_at = ?5, last_entry = ?6
    WHERE num = ?1 AND version <= ?7";
const UPDATE: &str = "
    UPDATE wallet_account
    SET policy = ?2, overdraft = ?3, max_balance = ?4, status = ?5,
        counters = ?6, version = ?7, sequence = ?8, last_at = ?9, last_entry = ?10
    WHERE num = ?1 AND version <= ?11";

/// Assigns numbers to new accounts. Adds them to `places`, which stays sorted by key.
pub(super) fn number(
    connection: &Connection,
    opened: &[Account],
    mut places: Vec<(AccountKey, Place)>,
) -> Result<Vec<(AccountKey, Place)>> {
    if opened.is_empty() {
        return Ok(places);
    }
    let last: i64 = prepare(connection, LAST)?
        .query_row((), |row| row.get(0))
        .during("finding the last account")?;
    let first = next_number(last, opened.len(), "the accounts' numbers are used up")?;
    for (account, number) in opened.iter().zip(first..) {
        let place = Place {
            number,
            last_entry: 0,
            terms: Terms::of(&account.state),
        };
        places.push((account.state.key, place));
    }
    places.sort_unstable_by_key(|(key, _)| *key);
    Ok(places)
}

/// Inserts new accounts.
pub(super) fn open(
    connection: &Connection,
    opened: &[Account],
    places: &[(AccountKey, Place)],
) -> Result<()> {
    if opened.is_empty() {
        return Ok(());
    }
    let mut insert = prepare(connection, INSERT)?;
    let mut insert_profile = prepare(connection, INSERT_PROFILE)?;
    for account in opened {
        let state = &account.state;
        let place = place(places, state.key)?;
        let (policy, overdraft) = state.policy.parts();
        let ledger = ledger_number(state.key.ledger);
        let currency = state.currency.code();
        let row = params![
            place.number,
            ledger,
            state.key.id.as_bytes(),
            currency.as_str(),
            state.currency.exponent(),
            state.system,
            policy,
            amount_bytes(overdraft),
            amount_bytes(state.max_balance),
            state.status.number(),
            counters_bytes(&state.counters),
            state.version,
            state.sequence,
            state.last_at.as_micros(),
            place.last_entry,
        ];
        insert
            .execute(row)
            .while_doing(Doing::Insert, "opening an account")?;
        let row = params![
            place.number,
            ledger,
            state.key.id.as_bytes(),
            account.owner.as_str(),
            currency.as_str(),
            account.metadata.as_ref().map(Metadata::as_str),
            account.created_at.as_micros(),
        ];
        insert_profile
            .execute(row)
            .while_doing(Doing::Append, "opening an account")?;
    }
    Ok(())
}

/// Writes existing accounts, except those whose sums are the only change. Returns these, to
/// be deferred.
pub(super) fn defer(
    connection: &Connection,
    updated: &[AccountUpdate],
    places: &[(AccountKey, Place)],
) -> Result<Vec<Moved>> {
    let mut moved = Vec::with_capacity(updated.len());
    for update in updated {
        let place = place(places, update.after.key)?;
        if place.terms != Terms::of(&update.after) {
            self::update(connection, std::slice::from_ref(update), places)?;
            continue;
        }
        moved.push(Moved {
            number: place.number,
            version: update.after.version,
            sequence: update.after.sequence,
            last_at: update.after.last_at,
            last_entry: place.last_entry,
            counters: update.after.counters,
        });
    }
    Ok(moved)
}

/// Writes existing accounts.
pub(super) fn update(
    connection: &Connection,
    updated: &[AccountUpdate],
    places: &[(AccountKey, Place)],
) -> Result<()> {
    let context = "updating an account";
    let mut update = prepare(connection, UPDATE)?;
    let mut moved = prepare(connection, MOVE)?;
    for AccountUpdate {
        after,
        version_before,
        ..
    } in updated
    {
        let place = place(places, after.key)?;
        let count = if place.terms == Terms::of(after) {
            // The usual case: unchanged columns are neither bound nor checked.
            moved.execute(params![
                place.number,
                counters_bytes(&after.counters),
                after.version,
                after.sequence,
                after.last_at.as_micros(),
                place.last_entry,
                version_before,
            ])
        } else {
            let (policy, overdraft) = after.policy.parts();
            update.execute(params![
                place.number,
                policy,
                amount_bytes(overdraft),
                amount_bytes(after.max_balance),
                after.status.number(),
                counters_bytes(&after.counters),
                after.version,
                after.sequence,
                after.last_at.as_micros(),
                place.last_entry,
                version_before,
            ])
        };
        // Under the write lock the row is as it was read, or older if a delta has the later
        // state. Nothing else could have assigned the same version and sequence.
        if count.during(context)? != 1 {
            return Err(corrupt("an account is not as it was read"));
        }
    }
    Ok(())
}

fn place(places: &[(AccountKey, Place)], key: AccountKey) -> Result<Place> {
    let found = places.get(find(places, key)?);
    let (_, place) = found.ok_or_else(|| corrupt("an account has no place"))?;
    Ok(*place)
}
