//! Reads of accounts. The greater version counts, out of the account's row and its latest
//! delta.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, Row, params};
use wallet_core::ledger::{AccountKey, AccountState, InLedger};
use wallet_core::store::TrialBalance;
use wallet_core::{Account, AccountId, LedgerId, Metadata, Owner};

use super::{Place, Terms};
use crate::deferred::{Books, Moved};
use crate::error::{During, Result, corrupt};
use crate::statement::prepare;
use crate::value::{
    column, counters, currency, id_column, ledger, ledger_number, optional_amount, policy, status,
    time_column,
};

const STATE: &str = "
    SELECT num, currency, exponent, system, policy, overdraft, max_balance, status,
           counters, version, sequence, last_at, last_entry
    FROM wallet_account WHERE ledger = ? AND id = ?";
const STATE_BY_NUMBER: &str = "
    SELECT num, currency, exponent, system, policy, overdraft, max_balance, status,
           counters, version, sequence, last_at, last_entry, ledger, id
    FROM wallet_account WHERE num = ?";
const PROFILE: &str =
    "SELECT owner, metadata, created_at FROM wallet_account_profile WHERE num = ?";
const STATES_OF_LEDGER: &str = "
    SELECT num, currency, exponent, system, policy, overdraft, max_balance, status,
           counters, version, sequence, last_at, last_entry, id
    FROM wallet_account WHERE ledger = ?";
const FIRST_LEDGER: &str = "SELECT min(ledger) FROM wallet_account WHERE ledger > ?";

/// The part of an account that `decide` needs, and the account's place.
pub(crate) fn account_state(
    books: &Books<'_>,
    key: AccountKey,
) -> Result<Option<(Place, AccountState)>> {
    let found = Rows::prepare(books)?.by_key(key)?;
    Ok(found.map(|found| latest(found, |number| books.deltas.moved(number))))
}

/// Reads rows of accounts, one after the other.
pub(super) struct Rows<'c> {
    by_key: CachedStatement<'c>,
    by_number: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> Result<Self> {
        Ok(Self {
            by_key: prepare(connection, STATE)?,
            by_number: prepare(connection, STATE_BY_NUMBER)?,
        })
    }

    /// Reads the account's row.
    pub(super) fn by_key(&mut self, key: AccountKey) -> Result<Option<(Place, AccountState)>> {
        let context = "reading an account";
        let by = params![ledger_number(key.ledger), key.id.as_bytes()];
        let mut rows = self.by_key.query(by).during(context)?;
        let found = rows.next().during(context)?;
        found.map(|row| state(row, key)).transpose()
    }

    /// Reads the row by a number that the account once had. Returns `None` if that row is
    /// gone or belongs to another account.
    pub(super) fn by_number(
        &mut self,
        key: AccountKey,
        number: i64,
    ) -> Result<Option<(Place, AccountState)>> {
        let context = "reading an account";
        let mut rows = self.by_number.query((number,)).during(context)?;
        let Some(row) = rows.next().during(context)? else {
            return Ok(None);
        };
        let is_its = column::<i64>(row, 13)? == ledger_number(key.ledger)
            && column::<[u8; 16]>(row, 14)? == *key.id.as_bytes();
        is_its.then(|| state(row, key)).transpose()
    }
}

fn state(row: &Row<'_>, key: AccountKey) -> Result<(Place, AccountState)> {
    let code = row.get_ref(1).during("reading a column")?;
    let code = code
        .as_str()
        .map_err(|_| corrupt("a currency is damaged"))?;
    let sums = row.get_ref(8).during("reading a column")?;
    let sums = sums.as_blob().map_err(|_| corrupt("sums are damaged"))?;
    let state = AccountState {
        key,
        currency: currency(code, column(row, 2)?)?,
        system: column(row, 3)?,
        policy: policy(column(row, 4)?, column(row, 5)?)?,
        max_balance: optional_amount(column(row, 6)?)?,
        status: status(column(row, 7)?)?,
        counters: counters(sums)?,
        version: column(row, 9)?,
        sequence: column(row, 10)?,
        last_at: time_column(row, 11)?,
    };
    let place = Place {
        number: column(row, 0)?,
        last_entry: column(row, 12)?,
        terms: Terms::of(&state),
    };
    Ok((place, state))
}

/// The greater version, out of the account's row and the account in a delta.
pub(super) fn latest<'p>(
    (mut place, mut state): (Place, AccountState),
    delta: impl FnOnce(i64) -> Option<&'p Moved>,
) -> (Place, AccountState) {
    if let Some(moved) = delta(place.number)
        && moved.version > state.version
    {
        state.counters = moved.counters;
        state.version = moved.version;
        state.sequence = moved.sequence;
        // The answer to a past balance raises the row's time without a new version.
        state.last_at = state.last_at.max(moved.last_at);
        place.last_entry = moved.last_entry;
    }
    (place, state)
}

/// An account as readers see it.
pub(crate) fn account(books: &Books<'_>, key: AccountKey) -> Result<Option<Account>> {
    let Some((place, state)) = account_state(books, key)? else {
        return Ok(None);
    };
    let mut statement = prepare(books, PROFILE)?;
    let mut rows = statement
        .query((place.number,))
        .during("reading a profile")?;
    let row = rows.next().during("reading a profile")?;
    let row = row.ok_or_else(|| corrupt("an account has no profile"))?;
    let owner = row.get_ref(0).during("reading a column")?;
    let owner = owner.as_str().map_err(|_| corrupt("an owner is damaged"))?;
    let metadata: Option<String> = column(row, 1)?;
    let metadata = metadata.as_deref().map(Metadata::parse).transpose();
    Ok(Some(Account {
        state,
        owner: Owner::new(owner).map_err(|_| corrupt("an owner is damaged"))?,
        metadata: metadata.map_err(|_| corrupt("metadata is damaged"))?,
        created_at: time_column(row, 2)?,
    }))
}

/// The trial balance of a ledger, by currency.
pub(crate) fn trial_balance(books: &Books<'_>, ledger: LedgerId) -> Result<Vec<TrialBalance>> {
    let mut sums = BTreeMap::new();
    each_account(books, ledger, |state| {
        let currency = state.currency;
        let sum = sums.entry(currency);
        let sum = sum.or_insert_with(|| TrialBalance::of(currency));
        sum.add(state.counters.posted());
    })?;
    Ok(sums.into_values().collect())
}

/// Every account of a ledger, in no particular order.
pub(crate) fn each_account(
    books: &Books<'_>,
    ledger: LedgerId,
    mut each: impl FnMut(AccountState),
) -> Result<()> {
    let context = "adding up accounts";
    let mut statement = prepare(books, STATES_OF_LEDGER)?;
    let mut rows = statement.query((ledger_number(ledger),)).during(context)?;
    while let Some(row) = rows.next().during(context)? {
        let key = InLedger::new(ledger, id_column(row, 13, AccountId::from_bytes)?);
        let found = state(row, key)?;
        let (_, state) = latest(found, |number| books.deltas.moved(number));
        each(state);
    }
    Ok(())
}

/// The ledgers that hold accounts, ascending: one index probe for each.
pub(crate) fn ledgers(connection: &Connection) -> Result<Vec<LedgerId>> {
    let mut found = Vec::new();
    let mut last = -1;
    let mut statement = prepare(connection, FIRST_LEDGER)?;
    loop {
        let next: Option<i64> = statement
            .query_row((last,), |row| row.get(0))
            .during("listing ledgers")?;
        let Some(number) = next else {
            return Ok(found);
        };
        found.push(ledger(number)?);
        last = number;
    }
}
