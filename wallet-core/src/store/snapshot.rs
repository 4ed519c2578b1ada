//! The rows that a store read for a batch, and the rows that it must write.

use std::sync::Arc;

use crate::ledger::{
    Account, AccountKey, AccountState, Currency, Entry, Epoch, Hold, LedgerId, Outcome, Record,
    Timestamp, Transfer, TransferKey, TransferWithReversals, Version,
};

/// The rows that a batch touches, as the store read them under its locks, and the
/// time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The store's clock, read while the locks were held.
    pub now: Timestamp,
    /// The database's epoch, read in the transaction that commits.
    pub epoch: Epoch,
    /// Every locked account, sorted by key; `None` where the account does not
    /// exist. An account that is not in the list could not be locked. Requests that
    /// need it become [`Decided::Blocked`](crate::ledger::Decided::Blocked).
    pub accounts: Vec<(AccountKey, Option<AccountState>)>,
    /// The records found, sorted by key.
    pub records: Vec<Record>,
    /// The holds found, sorted by key.
    pub holds: Vec<Hold>,
    /// The transfers found, sorted by key.
    pub transfers: Vec<TransferWithReversals>,
    /// The currencies found, sorted.
    pub currencies: Vec<Currency>,
}

impl Snapshot {
    /// An empty snapshot taken at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }
}

/// The rows that a store writes in one transaction. Every list is sorted by its
/// primary key. Transfers and entries are in the records' outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeSet {
    /// The epoch of the decision. The commit must land in this epoch. A store whose
    /// epoch has changed by then returns `Conflict`.
    pub epoch: Epoch,
    /// New records. A duplicate means that another commit used the key:
    /// [`Conflict`](crate::store::StoreErrorKind::Conflict).
    pub records: Vec<Record>,
    /// New accounts in their state after the batch. A duplicate is a `Conflict`.
    pub opened: Vec<Account>,
    /// Existing accounts that changed.
    pub updated: Vec<AccountUpdate>,
    /// Holds, new or changed.
    pub holds: Vec<HoldUpdate>,
    /// The reversed amounts of transfers' legs.
    pub reversals: Vec<ReversalTotal>,
    /// Currencies seen for the first time. A duplicate is a `Conflict`.
    pub currencies: Vec<Currency>,
    /// The accepted outcomes among `records`, in the order of their decisions,
    /// which is the order of the effects on each account.
    pub accepted: Vec<(LedgerId, Arc<Outcome>)>,
}

/// An account that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountUpdate {
    /// The version that was read. An optimistic store commits only if it is
    /// unchanged.
    pub version_before: Version,
    /// The `last_at` that was read. An optimistic store commits only if it is
    /// unchanged.
    pub last_at_before: Timestamp,
    /// The new state to write.
    pub after: AccountState,
}

/// A hold that is new or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldUpdate {
    /// Whether the hold must be inserted. A duplicate is a `Conflict`.
    pub is_new: bool,
    /// The hold to write.
    pub hold: Hold,
}

/// The reversed amount of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReversalTotal {
    /// The transfer that was reversed.
    pub transfer: TransferKey,
    /// The leg's index.
    pub leg: u16,
    /// Whether this is the leg's first reversal, so that a row must be inserted.
    pub is_new: bool,
    /// Minor units reversed in total.
    pub reversed: i128,
}

impl ChangeSet {
    /// Whether there is nothing to write, because every request is a replay or
    /// undecided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The new transfers with their effects, sorted by key.
    #[must_use]
    pub fn postings(&self) -> Vec<&crate::ledger::Posted> {
        let accepted = self.accepted.iter();
        let mut postings: Vec<_> = accepted
            .flat_map(|(_, outcome)| outcome.postings())
            .collect();
        postings.sort_unstable_by_key(|posted| posted.transfer.key);
        postings
    }

    /// The new transfers, sorted by key. A duplicate is a `Conflict`.
    #[must_use]
    pub fn transfers(&self) -> Vec<&Transfer> {
        self.postings()
            .into_iter()
            .map(|posted| &posted.transfer)
            .collect()
    }

    /// The new entries, sorted by account and sequence. A duplicate is
    /// [`Corrupt`](crate::store::StoreErrorKind::Corrupt).
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let accepted = self.accepted.iter();
        let mut entries: Vec<Entry> = accepted
            .flat_map(|(_, outcome)| outcome.entries())
            .collect();
        entries.sort_unstable_by_key(|entry| (entry.account, entry.sequence));
        entries
    }

    /// The payload of the batch's outbox row: every accepted outcome in the order
    /// of its effects on each account; `None` when there is no effect.
    #[must_use]
    pub fn outbox_payload(&self) -> Option<Vec<u8>> {
        crate::store::codec::encode_outbox(&self.accepted)
    }
}
