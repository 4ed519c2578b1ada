//! A census counts and adds up what a file holds, in one consistent state.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};
use wallet_core::ledger::AccountState;
use wallet_core::store::codec::decode_outcome;
use wallet_core::{Currency, LedgerId, StoreError, Timestamp};

use crate::deferred::{Books, Cache};
use crate::error::{During, Result, corrupt, undecodable};
use crate::read::{each_account, ledgers};
use crate::statement::prepare;
use crate::value::{column, ledger};
use crate::{connect, migrate};

const BACKWARDS: &str = "
    SELECT id, ledger, outcome FROM wallet_journal WHERE id < ? ORDER BY id DESC LIMIT 1000";
const ROW: &str = "
    SELECT ledger, hash, fingerprint, outcome, links FROM wallet_journal WHERE id = ?";
/// The index tables of holds follow from the journal and from the holds.
const COUNTS: &str = "
    SELECT (SELECT count(*) FROM wallet_account),
           (SELECT count(*) FROM wallet_transfer),
           (SELECT count(*) FROM wallet_reference),
           (SELECT count(*) FROM wallet_reversal),
           (SELECT count(*) FROM wallet_hold),
           (SELECT count(*) FROM wallet_hold WHERE status = 0),
           (SELECT count(*) FROM wallet_currency),
           (SELECT count(*) FROM wallet_journal),
           (SELECT count(*) FROM wallet_record)";

/// The contents of a set of books. Two states of the same books have different censuses if
/// any account was affected between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// The last accepted commit. `None` in new books.
    pub last: Option<LastCommit>,
    /// The trial balance, by ledger and currency.
    pub sums: Vec<LedgerSum>,
    /// How many rows there are.
    pub rows: RowCounts,
}

/// An accepted outcome, with a hash that identifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCommit {
    /// The outcome's number in the journal.
    pub number: i64,
    /// The outcome's time.
    pub at: Timestamp,
    /// The SHA-256 of the outcome's row.
    pub sha256: [u8; 32],
}

/// The sums over the accounts of one ledger and currency, in minor units modulo 2^128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerSum {
    /// The set of books.
    pub ledger: LedgerId,
    /// The currency.
    pub currency: Currency,
    /// The number of accounts that hold the currency.
    pub accounts: u64,
    /// The number of their entries.
    pub entries: u64,
    /// The number of effects on them: the sum of their versions.
    pub effects: u64,
    /// Posted debits. They equal the credits in sound books.
    pub debits_posted: i128,
    /// Posted credits.
    pub credits_posted: i128,
    /// Pending debits: held, to be paid.
    pub debits_pending: i128,
    /// Pending credits: held, to be received.
    pub credits_pending: i128,
}

/// The number of rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Accounts.
    pub accounts: u64,
    /// Transfers.
    pub transfers: u64,
    /// Transfers with a reference.
    pub references: u64,
    /// Legs that are reversed at least in part.
    pub reversals: u64,
    /// Holds, pending or ended.
    pub holds: u64,
    /// Pending holds.
    pub open_holds: u64,
    /// Currencies.
    pub currencies: u64,
    /// Outcomes. A purge deletes refusals.
    pub outcomes: u64,
    /// Idempotency keys. A purge deletes them.
    pub keys: u64,
}

impl Census {
    /// Counts and adds up what the file at `path` holds, in one consistent state. Other
    /// connections may use the file meanwhile.
    ///
    /// # Errors
    /// `Internal`: the file is not a ledger of this release. `Corrupt`, `Unavailable`.
    pub fn take(path: &Path) -> std::result::Result<Self, StoreError> {
        let mut looked = connect::look(path)?;
        migrate::check(&looked.connection)?;
        in_one_state(&mut looked.connection, Self::of)
    }

    pub(super) fn of(books: &Books<'_>) -> Result<Self> {
        Ok(Self {
            last: last_accepted(books)?,
            sums: sums(books)?,
            rows: rows(books)?,
        })
    }
}

/// Runs `work` on one consistent state of the file.
pub(super) fn in_one_state<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Books<'_>) -> Result<T>,
) -> Result<T> {
    let state = Transaction::new(connection, TransactionBehavior::Deferred);
    let state = state.during("beginning to read")?;
    work(&Cache::default().books(&state)?)
}

/// The last accepted outcome. Refusals may follow it; a purge deletes them with their keys.
fn last_accepted(books: &Books<'_>) -> Result<Option<LastCommit>> {
    let context = "reading the journal";
    let mut before = i64::MAX;
    let mut statement = prepare(books, BACKWARDS)?;
    loop {
        let mut rows = statement.query((before,)).during(context)?;
        let mut is_end = true;
        while let Some(row) = rows.next().during(context)? {
            is_end = false;
            before = column(row, 0)?;
            let bytes: Vec<u8> = column(row, 2)?;
            let outcome = decode_outcome(ledger(column(row, 1)?)?, &bytes);
            let outcome = outcome.map_err(|error| undecodable(error, context))?;
            if outcome.result.is_ok() {
                let sha256 = digest(books, before)?;
                let sha256 = sha256.ok_or_else(|| corrupt("the journal's end is gone"))?;
                return Ok(Some(LastCommit {
                    number: before,
                    at: outcome.at,
                    sha256,
                }));
            }
        }
        if is_end {
            return Ok(None);
        }
    }
}

/// The SHA-256 of row `number` of the journal. Each column is preceded by its length.
pub(super) fn digest(connection: &Connection, number: i64) -> Result<Option<[u8; 32]>> {
    let row = prepare(connection, ROW)?
        .query_row((number,), |row| {
            let ledger: i64 = row.get(0)?;
            let mut hash = Sha256::new();
            hash.update(ledger.to_be_bytes());
            for index in 1..5 {
                let bytes: Vec<u8> = row.get(index)?;
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                hash.update(length.to_be_bytes());
                hash.update(&bytes);
            }
            Ok(hash.finalize().into())
        })
        .optional();
    row.during("reading the journal")
}

fn sums(books: &Books<'_>) -> Result<Vec<LedgerSum>> {
    let mut sums = BTreeMap::new();
    for ledger in ledgers(books)? {
        each_account(books, ledger, |state| {
            let sum = sums.entry((ledger, state.currency));
            let sum = sum.or_insert_with(|| LedgerSum::of(ledger, state.currency));
            sum.add(&state);
        })?;
    }
    Ok(sums.into_values().collect())
}

impl LedgerSum {
    const fn of(ledger: LedgerId, currency: Currency) -> Self {
        Self {
            ledger,
            currency,
            accounts: 0,
            entries: 0,
            effects: 0,
            debits_posted: 0,
            credits_posted: 0,
            debits_pending: 0,
            credits_pending: 0,
        }
    }

    fn add(&mut self, state: &AccountState) {
        let count = |number| u64::try_from(number).unwrap_or_default();
        self.accounts = self.accounts.saturating_add(1);
        self.entries = self.entries.saturating_add(count(state.sequence));
        self.effects = self.effects.saturating_add(count(state.version));
        let counters = &state.counters;
        for (sum, more) in [
            (&mut self.debits_posted, counters.debits_posted),
            (&mut self.credits_posted, counters.credits_posted),
            (&mut self.debits_pending, counters.debits_pending),
            (&mut self.credits_pending, counters.credits_pending),
        ] {
            *sum = sum.wrapping_add(more);
        }
    }
}

fn rows(books: &Books<'_>) -> Result<RowCounts> {
    let counts: [i64; 9] = prepare(books, COUNTS)?
        .query_row((), |row| {
            let mut counts = [0; 9];
            for (index, count) in counts.iter_mut().enumerate() {
                *count = row.get(index)?;
            }
            Ok(counts)
        })
        .during("counting rows")?;
    let [
        accounts,
        transfers,
        references,
        reversals,
        holds,
        open_holds,
        currencies,
        outcomes,
        keys,
    ] = counts.map(|count| u64::try_from(count).unwrap_or_default());
    Ok(RowCounts {
        accounts,
        transfers,
        references,
        reversals,
        holds,
        open_holds,
        currencies,
        outcomes,
        keys: keys.saturating_add(books.deltas.unfolded_keys()),
    })
}
