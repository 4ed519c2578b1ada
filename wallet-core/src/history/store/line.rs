use rustc_hash::FxHashMap;

use crate::ledger::{
    AccountKey, Currency, Direction, Entry, Epoch, PastBalance, Posted, Reference, Restore,
    Sequence, Timestamp, Transfer, TransferKind,
};
use crate::store::{StoreError, StoreErrorKind};

/// An entry with the fields of its transfer that a statement shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// The entry from the ledger.
    pub entry: Entry,
    /// The currency of the account.
    pub currency: Currency,
    /// The kind of the transfer.
    pub kind: TransferKind,
    /// The host's code of the transfer; 0 means none.
    pub code: u32,
    /// The host's reference of the transfer.
    pub reference: Option<Reference>,
}

impl HistoryLine {
    /// The line of an entry of `transfer`, which must be the entry's transfer.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Corrupt` when the transfer has no such leg.
    pub fn of(entry: Entry, transfer: &Transfer) -> Result<Self, StoreError> {
        let Some(leg) = transfer.leg_of(&entry) else {
            let context = "an entry names a leg that its transfer does not have";
            return Err(StoreError::new(StoreErrorKind::Corrupt, context));
        };
        Ok(Self {
            entry,
            currency: leg.money.currency,
            kind: transfer.kind,
            code: transfer.details.code,
            reference: transfer.details.reference.clone(),
        })
    }

    /// The lines of a transfer that was posted in `epoch`, in the order of its
    /// entries.
    ///
    /// # Errors
    /// The same as [`of`](Self::of).
    pub fn of_posted(posted: &Posted, epoch: Epoch) -> Result<Vec<Self>, StoreError> {
        let entries = posted.entries(epoch);
        let lines = entries.map(|entry| Self::of(entry, &posted.transfer));
        lines.collect()
    }

    /// Checks the order of lines, as every history must. The lines of an account
    /// must follow each other without a gap. They must not go back in time or be of
    /// a later epoch than `known_in`.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn check_order(lines: &[Self], known_in: Epoch) -> Result<(), StoreError> {
        if lines.iter().any(|line| line.entry.epoch > known_in) {
            let context = "a line is of a later epoch than its writer knows";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        let mut last: FxHashMap<AccountKey, (Sequence, Timestamp)> = FxHashMap::default();
        for line in lines {
            let entry = &line.entry;
            let place = (entry.sequence, entry.created_at);
            let before = last.insert(entry.account, place);
            let follows = before.is_none_or(|(sequence, at)| {
                sequence.checked_add(1) == Some(entry.sequence) && at <= entry.created_at
            });
            if !follows || entry.sequence < 1 {
                let context = "the lines of an account do not follow each other";
                return Err(StoreError::new(StoreErrorKind::Invalid, context));
            }
        }
        Ok(())
    }

    /// The account's posted balance before the entry, in minor units.
    #[must_use]
    pub const fn balance_before(&self) -> i128 {
        let (after, amount) = (self.entry.balance_after, self.entry.amount.minor());
        match self.entry.direction {
            Direction::Debit => after.saturating_add(amount),
            Direction::Credit => after.saturating_sub(amount),
        }
    }
}

/// A line as history stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// The line.
    pub line: HistoryLine,
    /// The time of the previous entry of the account; `None` for the first.
    pub previous_at: Option<Timestamp>,
    /// The epoch in which the writer knew that the ledger holds the entry. The
    /// entry's own epoch may be earlier. After a restore, entries that the ledger
    /// still holds are written again, in rows of the new epoch.
    pub known_in: Epoch,
}

impl HistoryRow {
    /// Whether a ledger that went through exactly these restores certainly holds
    /// the entry. If not, no answer may use the row: ask the ledger.
    #[must_use]
    pub fn is_held(&self, restores: &[Restore]) -> bool {
        Restore::holds(restores, self.known_in, self.line.entry.created_at)
    }

    /// The posted balance of the account at `at`, if this row proves it. The row
    /// must be later than `at`, and the previous entry must not be.
    #[must_use]
    pub fn proves_balance_at(&self, at: Timestamp) -> Option<PastBalance> {
        let entry = &self.line.entry;
        let is_next = entry.created_at > at && self.previous_at.is_none_or(|before| before <= at);
        is_next.then(|| PastBalance {
            posted: self.line.balance_before(),
            sequence: entry.sequence.saturating_sub(1),
            currency: self.line.currency,
        })
    }

    /// The account of the entry.
    #[must_use]
    pub const fn account(&self) -> AccountKey {
        self.line.entry.account
    }
}

/// The end of an account's history without a gap. Heads are ordered by epoch, then
/// by sequence, and never go back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryHead {
    /// The epoch of the account's history.
    pub epoch: Epoch,
    /// The sequence of the last entry; 0 where there is none.
    pub sequence: Sequence,
    /// The time of the last entry; `None` where there is none.
    pub at: Option<Timestamp>,
}
