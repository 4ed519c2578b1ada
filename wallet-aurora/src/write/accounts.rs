use wallet_core::codec::{policy_parts, status_number};
use wallet_core::{Account, AccountState, AccountUpdate, Metadata, Snapshot};

use super::Numbering;
use crate::error::{Doing, Result};
use crate::number::CommitNumber;
use crate::sql::{Insert, Script, Sql};

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
    head: "INSERT INTO wallet_account \
           (num, version, sequence, last_at, debits_posted, credits_posted, \
            debits_pending, credits_pending, policy, overdraft, max_balance, status)",
    tail: "",
};
/// Which columns of an account change, besides version, sequence and time. Most
/// accounts are debited or credited, and nothing else: a statement costs the
/// server by the values that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Debited,
    Credited,
    Any,
}

impl Change {
    const ALL: [Self; 3] = [Self::Debited, Self::Credited, Self::Any];

    fn of(before: &AccountState, after: &AccountState) -> Self {
        let mut debited = *before;
        debited.version = after.version;
        debited.sequence = after.sequence;
        debited.last_at = after.last_at;
        let mut credited = debited;
        debited.counters.debits_posted = after.counters.debits_posted;
        credited.counters.credits_posted = after.counters.credits_posted;
        if debited == *after {
            Self::Debited
        } else if credited == *after {
            Self::Credited
        } else {
            Self::Any
        }
    }

    /// The rows exist and are locked, so that none is inserted: the form of an
    /// insert is what changes many rows in one statement.
    const fn update(self) -> Insert {
        let (head, tail) = match self {
            Self::Debited => (
                "INSERT INTO wallet_account (num, version, sequence, last_at, debits_posted)",
                " ON DUPLICATE KEY UPDATE version = VALUES(version), \
                 sequence = VALUES(sequence), last_at = VALUES(last_at), \
                 debits_posted = VALUES(debits_posted)",
            ),
            Self::Credited => (
                "INSERT INTO wallet_account (num, version, sequence, last_at, credits_posted)",
                " ON DUPLICATE KEY UPDATE version = VALUES(version), \
                 sequence = VALUES(sequence), last_at = VALUES(last_at), \
                 credits_posted = VALUES(credits_posted)",
            ),
            Self::Any => (
                ACCOUNTS.head,
                " ON DUPLICATE KEY UPDATE version = VALUES(version), \
                 sequence = VALUES(sequence), last_at = VALUES(last_at), \
                 debits_posted = VALUES(debits_posted), \
                 credits_posted = VALUES(credits_posted), \
                 debits_pending = VALUES(debits_pending), \
                 credits_pending = VALUES(credits_pending), policy = VALUES(policy), \
                 overdraft = VALUES(overdraft), max_balance = VALUES(max_balance), \
                 status = VALUES(status)",
            ),
        };
        Insert {
            doing: Doing::Work,
            context: "updating accounts",
            head,
            tail,
        }
    }

    fn row(self, sql: &mut Sql, number: i64, state: &AccountState) {
        sql.int(number).raw(",").int(state.version);
        sql.raw(",").int(state.sequence);
        sql.raw(",").time(state.last_at);
        let counters = &state.counters;
        match self {
            Self::Debited => {
                sql.raw(",").decimal(counters.debits_posted);
            }
            Self::Credited => {
                sql.raw(",").decimal(counters.credits_posted);
            }
            Self::Any => {
                for sum in [
                    counters.debits_posted,
                    counters.credits_posted,
                    counters.debits_pending,
                    counters.credits_pending,
                ] {
                    sql.raw(",").decimal(sum);
                }
                let (policy, overdraft) = policy_parts(state.policy);
                sql.raw(",").int(policy).raw(",").amount(overdraft);
                sql.raw(",").amount(state.max_balance);
                sql.raw(",").int(status_number(state.status));
            }
        }
    }
}

/// Inserts new accounts, numbered in their order.
pub(super) fn open(script: &mut Script, opened: &[Account], number: CommitNumber) {
    script.rows(PROFILES, (0_i64..).zip(opened), |sql, (index, account)| {
        let state = &account.state;
        sql.ledger(state.key.ledger).raw(",");
        sql.bytes(state.key.id.as_bytes());
        sql.raw(",").int(number.row(index));
        sql.raw(",").text(state.currency.code().as_str());
        sql.raw(",").int(state.currency.exponent());
        sql.raw(",").int(state.system);
        sql.raw(",").text(account.owner.as_str()).raw(",");
        sql.optional_text(account.metadata.as_ref().map(Metadata::as_str));
        sql.raw(",").time(account.created_at);
    });
    script.rows(ACCOUNTS, (0_i64..).zip(opened), |sql, (index, account)| {
        Change::Any.row(sql, number.row(index), &account.state);
    });
}

/// Writes accounts that existed, as `before` has them.
pub(super) fn update(
    script: &mut Script,
    updated: &[AccountUpdate],
    before: &Snapshot,
    numbers: &Numbering<'_>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(updated.len());
    for update in updated {
        let key = update.after.key;
        let place = before.accounts.binary_search_by_key(&key, |(key, _)| *key);
        let known = place.ok().and_then(|place| before.accounts.get(place));
        let change = match known {
            Some((_, Some(state))) => Change::of(state, &update.after),
            _ => Change::Any,
        };
        rows.push((numbers.of(key)?, change, &update.after));
    }
    rows.sort_unstable_by_key(|(number, ..)| *number);
    for change in Change::ALL {
        let of_this = rows.iter().filter(|(_, of, _)| *of == change);
        script.rows(change.update(), of_this, |sql, (number, _, state)| {
            change.row(sql, *number, state);
        });
    }
    Ok(())
}
