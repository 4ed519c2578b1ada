//! Queries for accounts, with and without locks, and the decoders of their answers. Every
//! transaction locks accounts in the order of their numbers.

use wallet_core::ledger::{AccountKey, AccountState, Counters, InLedger};
use wallet_core::store::AccountQuery;
use wallet_core::{Account, AccountId, LedgerId, Metadata, Owner};

use crate::error::{Result, corrupt};
use crate::run::{Answers, Row};
use crate::sql::Script;
use crate::value::{amount_column, currency, policy, status};

const NUMBERS: &str = "
    SELECT ledger, id, num FROM wallet_account_profile FORCE INDEX (PRIMARY) WHERE ";
const STATES: &str = "
    SELECT num, policy, overdraft, max_balance, status, debits_posted, credits_posted,
           debits_pending, credits_pending, version, sequence, last_at,
           ledger, id, currency, exponent, is_system
    FROM wallet_account FORCE INDEX (PRIMARY) WHERE ";
/// How many columns [`WHOLE`] shares with [`STATES`].
const STATE_COLUMNS: usize = 17;
const WHOLE: &str = "
    SELECT a.num, a.policy, a.overdraft, a.max_balance, a.status, a.debits_posted,
           a.credits_posted, a.debits_pending, a.credits_pending, a.version, a.sequence,
           a.last_at, a.ledger, a.id, a.currency, a.exponent, a.is_system, p.owner, p.metadata,
           p.created_at
    FROM wallet_account_profile p";
const WITH_STATE: &str = " STRAIGHT_JOIN wallet_account a ON a.num = p.num WHERE ";
// Within one set of books, a currency code always has the same exponent.
const IS_KNOWN: &str = " AND EXISTS (SELECT 1 FROM wallet_currency WHERE code = ";
const FIRST_LEDGER: &str = "
    WITH RECURSIVE found (ledger) AS (
        SELECT (SELECT min(ledger) FROM wallet_account_profile)
        UNION ALL
        SELECT (SELECT min(p.ledger) FROM wallet_account_profile p WHERE p.ledger > found.ledger)
        FROM found WHERE found.ledger IS NOT NULL
    ) SELECT ledger FROM found WHERE ledger IS NOT NULL";

/// Asks for the numbers of accounts. `keys` are sorted.
pub(super) fn ask_numbers(script: &mut Script, keys: &[AccountKey], reading: Reading) {
    script.work("finding accounts", |sql| {
        sql.raw(NUMBERS);
        sql.keyed("ledger", "id", keys, |key| (key.ledger, *key.id.as_bytes()));
        sql.raw(reading.lock());
    });
}

/// The numbers found, in no particular order.
pub(super) fn decode_numbers(answers: &mut Answers) -> Result<Vec<(AccountKey, i64)>> {
    let rows = answers.rows();
    let number = |row: &Row| {
        let key = InLedger::new(row.ledger(0)?, row.id(1, AccountId::from_bytes)?);
        Ok((key, row.number(2)?))
    };
    rows.iter().map(number).collect()
}

/// The version of a row that is read while no account lock protects the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The committed rows, or the snapshot of the open transaction.
    Consistent,
    /// The committed rows, whatever the open transaction's snapshot is. The rows are locked
    /// against changes.
    Current,
}

impl Reading {
    /// The clause that a statement with this reading ends in.
    pub(super) const fn lock(self) -> &'static str {
        match self {
            Self::Consistent => "",
            Self::Current => " LOCK IN SHARE MODE",
        }
    }
}

/// How accounts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locking {
    /// Without locks.
    None,
    /// With locks. Waits for locks that another transaction holds.
    Wait,
    /// With locks. Skips accounts that another transaction has locked.
    Skip,
}

/// Asks for the mutable part of accounts. `numbers` are sorted. Every transaction locks
/// accounts in this order.
pub(super) fn ask_states(script: &mut Script, numbers: &[i64], locking: Locking) {
    script.work("locking accounts", |sql| {
        sql.raw(STATES);
        sql.is_in("num", numbers, |sql, number| {
            sql.int(*number);
        });
        sql.raw(match locking {
            Locking::None => "",
            Locking::Wait => " ORDER BY num FOR UPDATE",
            Locking::Skip => " ORDER BY num FOR UPDATE SKIP LOCKED",
        });
    });
}

/// The state of the account in `row`. The key in the row proves which account it is.
pub(super) fn state(row: &Row) -> Result<AccountState> {
    Ok(AccountState {
        key: InLedger::new(row.ledger(12)?, row.id(13, AccountId::from_bytes)?),
        currency: currency(row.text(14)?, row.number(15)?)?,
        system: row.flag(16)?,
        policy: policy(row.number(1)?, amount_column(row, 2)?)?,
        max_balance: amount_column(row, 3)?,
        status: status(row.number(4)?)?,
        counters: Counters {
            debits_posted: row.number(5)?,
            credits_posted: row.number(6)?,
            debits_pending: row.number(7)?,
            credits_pending: row.number(8)?,
        },
        version: row.number(9)?,
        sequence: row.number(10)?,
        last_at: row.time(11)?,
    })
}

/// Asks for whole accounts. `keys` are sorted.
pub(crate) fn ask_accounts(script: &mut Script, keys: &[AccountKey]) {
    script.work("reading accounts", |sql| {
        sql.raw(WHOLE).raw(WITH_STATE);
        sql.keyed("p.ledger", "p.id", keys, |key| {
            (key.ledger, *key.id.as_bytes())
        });
    });
}

/// Asks for a page of accounts. Each kind of query has an index in the order of the page.
/// So no account is read that is not on the page.
pub(crate) fn ask_list(script: &mut Script, query: &AccountQuery) {
    let index = match (&query.owner, &query.currency) {
        (None, None) => " FORCE INDEX (PRIMARY)",
        (None, Some(_)) => " FORCE INDEX (wallet_account_by_currency)",
        (Some(_), None) => " FORCE INDEX (wallet_account_by_owner)",
        (Some(_), Some(_)) => " FORCE INDEX (wallet_account_by_owner_and_currency)",
    };
    script.work("listing accounts", |sql| {
        sql.raw(WHOLE).raw(index).raw(WITH_STATE);
        sql.raw("p.ledger = ").ledger(query.ledger);
        if let Some(after) = &query.after {
            sql.raw(" AND p.id > ").bytes(after.as_bytes());
        }
        if let Some(owner) = &query.owner {
            sql.raw(" AND p.owner = ").text(owner.as_str());
        }
        if let Some(currency) = &query.currency {
            sql.raw(" AND p.currency = ").text(currency.code().as_str());
            sql.raw(IS_KNOWN).text(currency.code().as_str());
            sql.raw(" AND exponent = ").int(currency.exponent());
            sql.raw(")");
        }
        sql.raw(" ORDER BY p.id LIMIT ").int(query.limit);
    });
}

/// The accounts found.
pub(crate) fn decode_accounts(answers: &mut Answers) -> Result<Vec<Account>> {
    answers.rows().iter().map(account).collect()
}

fn account(row: &Row) -> Result<Account> {
    let at = |index: usize| STATE_COLUMNS.saturating_add(index);
    let metadata = row.optional_text(at(1))?.map(Metadata::parse).transpose();
    Ok(Account {
        state: state(row)?,
        owner: Owner::new(row.text(at(0))?).map_err(|_| corrupt("an owner is damaged"))?,
        metadata: metadata.map_err(|_| corrupt("metadata is damaged"))?,
        created_at: row.time(at(2))?,
    })
}

/// Asks for the ledgers that hold accounts: one index probe for each.
pub(crate) fn ask_ledgers(script: &mut Script) {
    script.work("listing ledgers", |sql| {
        sql.raw(FIRST_LEDGER);
    });
}

/// The ledgers found, ascending.
pub(crate) fn decode_ledgers(answers: &mut Answers) -> Result<Vec<LedgerId>> {
    answers.rows().iter().map(|row| row.ledger(0)).collect()
}
