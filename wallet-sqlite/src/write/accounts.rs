use rusqlite::{Connection, params};
use wallet_core::{Account, AccountKey, AccountUpdate, Metadata};

use crate::error::{Doing, During, Result, corrupt};
use crate::read::prepare;
use crate::value::{amount_bytes, counters_bytes, ledger_number, policy_parts, status_number};

const INSERT: &str = "
    INSERT INTO wallet_account
        (ledger, id, currency, exponent, system, policy, overdraft, max_balance, status,
         counters, version, sequence, last_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_PROFILE: &str = "
    INSERT INTO wallet_account_profile (num, ledger, id, owner, metadata, created_at)
    VALUES (?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "
    UPDATE wallet_account
    SET policy = ?2, overdraft = ?3, max_balance = ?4, status = ?5,
        counters = ?6, version = ?7, sequence = ?8, last_at = ?9
    WHERE num = ?1";

/// Inserts new accounts; `numbers` afterwards has theirs too, sorted by key.
pub(super) fn open(
    connection: &Connection,
    opened: &[Account],
    mut numbers: Vec<(AccountKey, i64)>,
) -> Result<Vec<(AccountKey, i64)>> {
    if opened.is_empty() {
        return Ok(numbers);
    }
    let mut insert = prepare(connection, INSERT)?;
    let mut insert_profile = prepare(connection, INSERT_PROFILE)?;
    for account in opened {
        let state = &account.state;
        let (policy, overdraft) = policy_parts(state.policy);
        let ledger = ledger_number(state.key.ledger);
        let currency = state.currency.code();
        let row = params![
            ledger,
            state.key.id.as_bytes(),
            currency.as_str(),
            state.currency.exponent(),
            state.system,
            policy,
            amount_bytes(overdraft),
            amount_bytes(state.max_balance),
            status_number(state.status),
            counters_bytes(&state.counters),
            state.version,
            state.sequence,
            state.last_at.as_micros(),
        ];
        let number = insert
            .insert(row)
            .while_doing(Doing::Insert, "opening an account")?;
        let row = params![
            number,
            ledger,
            state.key.id.as_bytes(),
            account.owner.as_str(),
            account.metadata.as_ref().map(Metadata::as_str),
            account.created_at.as_micros(),
        ];
        insert_profile
            .execute(row)
            .while_doing(Doing::Append, "opening an account")?;
        numbers.push((state.key, number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes accounts that existed.
pub(super) fn update(
    connection: &Connection,
    updated: &[AccountUpdate],
    numbers: &[(AccountKey, i64)],
) -> Result<()> {
    let context = "updating an account";
    let mut update = prepare(connection, UPDATE)?;
    for AccountUpdate { after, .. } in updated {
        let (policy, overdraft) = policy_parts(after.policy);
        let row = params![
            number(numbers, after.key)?,
            policy,
            amount_bytes(overdraft),
            amount_bytes(after.max_balance),
            status_number(after.status),
            counters_bytes(&after.counters),
            after.version,
            after.sequence,
            after.last_at.as_micros(),
        ];
        let count = update.execute(row).during(context)?;
        if count != 1 {
            return Err(corrupt("an account that was read is gone"));
        }
    }
    Ok(())
}

/// The number of an account that was read or opened.
pub(super) fn number(numbers: &[(AccountKey, i64)], key: AccountKey) -> Result<i64> {
    let found = numbers.binary_search_by_key(&key, |(key, _)| *key);
    let found = found.ok().and_then(|index| numbers.get(index));
    let (_, number) = found.ok_or_else(|| corrupt("an account that was read has no number"))?;
    Ok(*number)
}
