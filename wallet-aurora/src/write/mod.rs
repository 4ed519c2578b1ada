//! Writes a change set as one script: each kind of row in the order of its key,
//! in as few statements as possible.

mod accounts;
mod holds;
mod journal;
mod transfers;

use wallet_core::StoreError;
use wallet_core::ledger::AccountKey;
use wallet_core::store::{ChangeSet, Snapshot, StoreErrorKind};

use crate::error::{Doing, Result, corrupt};
use crate::number::CommitNumber;
use crate::read::Resolved;
use crate::sql::{Insert, Script};
use journal::Journal;

const CURRENCIES: Insert = Insert {
    doing: Doing::Insert,
    context: "registering a currency",
    head: "INSERT INTO wallet_currency (code, exponent)",
    tail: "",
};

/// Adds the statements that write everything that was decided on `snapshot`.
pub(crate) fn changes(
    script: &mut Script,
    changes: &ChangeSet,
    snapshot: &Snapshot,
    resolved: &Resolved,
    number: CommitNumber,
) -> Result<()> {
    let journal = Journal::new(changes, number)?;
    if !CommitNumber::has_room(journal.len().max(changes.opened.len())) {
        let context = "more in one commit than it has numbers for";
        return Err(StoreError::new(StoreErrorKind::Invalid, context));
    }
    let numbers = Numbering {
        changes,
        resolved,
        number,
    };
    script.rows(CURRENCIES, &changes.currencies, |sql, currency| {
        sql.text(currency.code().as_str())
            .raw(",")
            .int(currency.exponent());
    });
    accounts::open(script, &changes.opened, number);
    accounts::update(script, &changes.updated, snapshot, &numbers)?;
    journal.append(script, snapshot.now);
    transfers::references(script, &journal.told);
    transfers::captures(script, &journal.told);
    transfers::reversals(script, &changes.reversals);
    transfers::entries(script, &journal.told, &numbers)?;
    holds::put(script, &changes.holds);
    Ok(())
}

/// The numbers of the accounts that a change set names.
struct Numbering<'a> {
    changes: &'a ChangeSet,
    resolved: &'a Resolved,
    number: CommitNumber,
}

impl Numbering<'_> {
    fn of(&self, key: AccountKey) -> Result<i64> {
        if let Some(Some(number)) = self.resolved.accounts.get(&key) {
            return Ok(*number);
        }
        let opened = &self.changes.opened;
        let index = opened.binary_search_by_key(&key, |account| account.state.key);
        let index = index.ok().and_then(|index| i64::try_from(index).ok());
        let index = index.ok_or_else(|| corrupt("an account that was changed was not read"))?;
        Ok(self.number.row(index))
    }
}
