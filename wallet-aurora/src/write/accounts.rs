use wallet_core::ledger::AccountState;
use wallet_core::store::{AccountUpdate, Snapshot};
use wallet_core::{Account, Metadata, Timestamp};

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
            debits_pending, credits_pending, policy, overdraft, max_balance, status, \
            ledger, id, currency, exponent, is_system)",
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
    /// insert is what changes many rows to any values in one statement.
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
                "INSERT INTO wallet_account \
                 (num, version, sequence, last_at, debits_posted, credits_posted, \
                 debits_pending, credits_pending, policy, overdraft, max_balance, status)",
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
            context: UPDATING,
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
                let (policy, overdraft) = state.policy.parts();
                sql.raw(",").int(policy).raw(",").amount(overdraft);
                sql.raw(",").amount(state.max_balance);
                sql.raw(",").int(state.status.number());
            }
        }
    }
}

const UPDATING: &str = "updating accounts";
/// How many accounts a statement steps: as many as are looked for in one group.
const STEPPED: usize = 500;

/// Writes accounts that have one entry more, of the commit's time: the number and
/// the new sum of each, in the order of numbers. All else follows from the row, which
/// is locked, so that a plain update does; it finds the sum by the place that the
/// number has among all.
fn step(script: &mut Script, sum: &'static str, rows: &[(i64, i128)], at: Timestamp) {
    for rows in rows.chunks(STEPPED) {
        script.work(UPDATING, |sql| {
            sql.raw("UPDATE wallet_account FORCE INDEX (PRIMARY) SET ");
            sql.raw(sum).raw(" = ELT(INTERVAL(num");
            for (number, _) in rows {
                sql.raw(",").int(*number);
            }
            sql.raw(")");
            for (_, sum) in rows {
                sql.raw(",").decimal(*sum);
            }
            sql.raw("), version = version + 1, sequence = sequence + 1, last_at = ");
            sql.time(at).raw(" WHERE ");
            sql.is_in("num", rows, |sql, (number, _)| {
                sql.int(*number);
            });
        });
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
        let state = &account.state;
        Change::Any.row(sql, number.row(index), state);
        sql.raw(",").ledger(state.key.ledger);
        sql.raw(",").bytes(state.key.id.as_bytes());
        sql.raw(",").text(state.currency.code().as_str());
        sql.raw(",").int(state.currency.exponent());
        sql.raw(",").int(state.system);
    });
}

/// Writes accounts that existed, as `before` has them.
pub(super) fn update(
    script: &mut Script,
    updated: &[AccountUpdate],
    before: &Snapshot,
    numbers: &Numbering<'_>,
) -> Result<()> {
    let (mut debited, mut credited) = (Vec::new(), Vec::new());
    let mut rest = Vec::new();
    for update in updated {
        let after = &update.after;
        let place = before
            .accounts
            .binary_search_by_key(&after.key, |(key, _)| *key);
        let known = place.ok().and_then(|place| before.accounts.get(place));
        let known = known.and_then(|(_, state)| state.as_ref());
        let change = known.map_or(Change::Any, |before| Change::of(before, after));
        let is_step = known.is_some_and(|known| is_step(known, after, before.now));
        let number = numbers.of(after.key)?;
        match change {
            Change::Debited if is_step => debited.push((number, after.counters.debits_posted)),
            Change::Credited if is_step => credited.push((number, after.counters.credits_posted)),
            change => rest.push((number, change, after)),
        }
    }
    debited.sort_unstable();
    credited.sort_unstable();
    rest.sort_unstable_by_key(|(number, ..)| *number);
    step(script, "debits_posted", &debited, before.now);
    step(script, "credits_posted", &credited, before.now);
    for change in Change::ALL {
        let of_this = rest.iter().filter(|(_, of, _)| *of == change);
        script.rows(change.update(), of_this, |sql, (number, _, state)| {
            change.row(sql, *number, state);
        });
    }
    Ok(())
}

/// Whether an account has one entry more, of this time.
fn is_step(before: &AccountState, after: &AccountState, at: Timestamp) -> bool {
    after.last_at == at
        && before.version.checked_add(1) == Some(after.version)
        && before.sequence.checked_add(1) == Some(after.sequence)
}
