use wallet_core::{Account, AccountState, AccountUpdate, Metadata};

use super::{Number, Numbering};
use crate::error::{Doing, Result};
use crate::sql::{Insert, Script, Sql};
use crate::value::{policy_parts, status_number};

const PROFILES: Insert = Insert {
    doing: Doing::Insert,
    context: "opening an account",
    head: "INSERT INTO wallet_account_profile \
           (ledger, id, num, currency, exponent, is_system, owner, metadata, created_at)",
    tail: "",
};
const ACCOUNTS: Insert = Insert {
    doing: Doing::Append,
    context: "opening an account",
    head: INSERT_HEAD,
    tail: "",
};
const INSERT_HEAD: &str = "INSERT INTO wallet_account \
    (num, policy, overdraft, max_balance, status, debits_posted, credits_posted, \
     debits_pending, credits_pending, version, sequence, last_at)";
/// The rows exist and are locked, so that none is inserted: the form of an
/// insert is what changes many rows in one statement.
const UPDATES: Insert = Insert {
    doing: Doing::Work,
    context: "updating accounts",
    head: INSERT_HEAD,
    tail: " ON DUPLICATE KEY UPDATE policy = VALUES(policy), overdraft = VALUES(overdraft), \
           max_balance = VALUES(max_balance), status = VALUES(status), \
           debits_posted = VALUES(debits_posted), credits_posted = VALUES(credits_posted), \
           debits_pending = VALUES(debits_pending), credits_pending = VALUES(credits_pending), \
           version = VALUES(version), sequence = VALUES(sequence), last_at = VALUES(last_at)",
};

/// Inserts new accounts, numbered in their order.
pub(super) fn open(script: &mut Script, opened: &[Account]) {
    script.rows(PROFILES, (0_i64..).zip(opened), |sql, (index, account)| {
        let state = &account.state;
        sql.ledger(state.key.ledger).raw(",");
        sql.bytes(state.key.id.as_bytes()).raw(",");
        Number::New(index).write(sql);
        sql.raw(",").text(state.currency.code().as_str());
        sql.raw(",").int(state.currency.exponent());
        sql.raw(",").int(state.system);
        sql.raw(",").text(account.owner.as_str()).raw(",");
        sql.optional_text(account.metadata.as_ref().map(Metadata::as_str));
        sql.raw(",").time(account.created_at);
    });
    script.rows(ACCOUNTS, (0_i64..).zip(opened), |sql, (index, account)| {
        row(sql, Number::New(index), &account.state);
    });
}

/// Writes accounts that existed.
pub(super) fn update(
    script: &mut Script,
    updated: &[AccountUpdate],
    numbers: &Numbering<'_>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(updated.len());
    for update in updated {
        rows.push((numbers.of(update.after.key)?, &update.after));
    }
    rows.sort_unstable_by_key(|(number, _)| *number);
    script.rows(UPDATES, rows, |sql, (number, state)| {
        row(sql, number, state);
    });
    Ok(())
}

fn row(sql: &mut Sql, number: Number, state: &AccountState) {
    let (policy, overdraft) = policy_parts(state.policy);
    number.write(sql);
    sql.raw(",").int(policy);
    sql.raw(",").amount(overdraft);
    sql.raw(",").amount(state.max_balance);
    sql.raw(",").int(status_number(state.status));
    let counters = &state.counters;
    for sum in [
        counters.debits_posted,
        counters.credits_posted,
        counters.debits_pending,
        counters.credits_pending,
    ] {
        sql.raw(",").decimal(sum);
    }
    sql.raw(",").int(state.version);
    sql.raw(",").int(state.sequence);
    sql.raw(",").time(state.last_at);
}
