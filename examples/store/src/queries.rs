//! Lists, sums, and the past balance.

use std::collections::{BTreeMap, BTreeSet};

use wallet_core::ledger::{
    Account, AccountKey, Entry, Hold, HoldKey, HoldStatus, InLedger, LedgerId, PastBalance,
    Sequence, Timestamp, TransferWithReversals,
};
use wallet_core::store::{
    AccountQuery, CaptureQuery, EntryQuery, HoldQuery, HoldReferenceQuery, Order, PendingSums,
    ReferenceQuery, StoreError, StoreErrorKind, TrialBalance,
};

use crate::tables::Tables;

impl Tables {
    pub(crate) fn list_accounts(&self, query: &AccountQuery) -> Vec<Account> {
        let accounts = self.accounts.values().filter(|account| {
            account.state.key.ledger == query.ledger
                && query
                    .owner
                    .as_ref()
                    .is_none_or(|owner| account.owner == *owner)
                && query
                    .currency
                    .is_none_or(|one| account.state.currency == one)
                && query.after.is_none_or(|after| account.state.key.id > after)
        });
        accounts.take(length(query.limit)).cloned().collect()
    }

    pub(crate) fn list_transfers(&self, query: &ReferenceQuery) -> Vec<TransferWithReversals> {
        let transfers = self.transfers.values().filter(|row| {
            let transfer = &row.transfer;
            transfer.key.ledger == query.ledger
                && transfer.details.reference.as_ref() == Some(&query.reference)
                && query.after.is_none_or(|after| transfer.key.id > after)
        });
        transfers.take(length(query.limit)).cloned().collect()
    }

    pub(crate) fn captures(&self, query: &CaptureQuery) -> Vec<TransferWithReversals> {
        let transfers = self.transfers.values().filter(|row| {
            let transfer = &row.transfer;
            transfer.key.ledger == query.hold.ledger
                && transfer.hold == Some(query.hold.id)
                && query.after.is_none_or(|after| transfer.key.id > after)
        });
        transfers.take(length(query.limit)).cloned().collect()
    }

    pub(crate) fn list_holds(&self, query: &HoldQuery) -> Vec<Hold> {
        let AccountKey { ledger, id } = query.account;
        let holds = self.holds.values().filter(|hold| {
            hold.key.ledger == ledger
                && (hold.from == id || hold.to == id)
                && query.status.is_none_or(|status| hold.status == status)
                && query.after.is_none_or(|after| hold.key.id > after)
        });
        holds.take(length(query.limit)).cloned().collect()
    }

    pub(crate) fn referenced_holds(&self, query: &HoldReferenceQuery) -> Vec<Hold> {
        let holds = self.holds.values().filter(|hold| {
            hold.key.ledger == query.ledger
                && hold.details.reference.as_ref() == Some(&query.reference)
                && query.after.is_none_or(|after| hold.key.id > after)
        });
        holds.take(length(query.limit)).cloned().collect()
    }

    pub(crate) fn expired_holds(&self, now: Timestamp, limit: u32) -> Vec<HoldKey> {
        let expired = self.pending_holds().filter(|hold| hold.is_expired(now));
        let expired: BTreeSet<_> = expired.map(|hold| (hold.expires_at, hold.key)).collect();
        let keys = expired.into_iter().map(|(_, key)| key);
        keys.take(length(limit)).collect()
    }

    fn pending_holds(&self) -> impl Iterator<Item = &Hold> {
        let holds = self.holds.values();
        holds.filter(|hold| hold.status == HoldStatus::Pending)
    }

    /// The entries of an account by sequence.
    fn entries_of(&self, account: AccountKey) -> impl DoubleEndedIterator<Item = &Entry> {
        let rows = self
            .entries
            .range((account, Sequence::MIN)..=(account, Sequence::MAX));
        rows.map(|(_, entry)| entry)
    }

    pub(crate) fn list_entries(&self, query: &EntryQuery) -> Vec<Entry> {
        let in_time = |entry: &&Entry| {
            query.from.is_none_or(|from| entry.created_at >= from)
                && query.to.is_none_or(|to| entry.created_at < to)
        };
        let entries = self.entries_of(query.account).filter(in_time);
        let limit = length(query.limit);
        match query.order {
            Order::Ascending => entries
                .filter(|entry| query.after.is_none_or(|after| entry.sequence > after))
                .take(limit)
                .copied()
                .collect(),
            Order::Descending => entries
                .rev()
                .filter(|entry| query.after.is_none_or(|after| entry.sequence < after))
                .take(limit)
                .copied()
                .collect(),
        }
    }

    /// The balance after all entries at or before `at`. Raises the account's latest
    /// time, so that no later entry can change the answer.
    ///
    /// # Errors
    /// `Invalid` when `at` is later than `now`.
    pub(crate) fn balance_at(
        &mut self,
        key: AccountKey,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        if at > now {
            let context = "a past balance at a time in the future";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        let last = self
            .entries_of(key)
            .take_while(|entry| entry.created_at <= at);
        let last = last.last().copied();
        let Some(account) = self.accounts.get_mut(&key) else {
            return Ok(None);
        };
        let next = Timestamp::from_micros(at.as_micros().saturating_add(1));
        account.state.last_at = account.state.last_at.max(next);
        Ok(Some(PastBalance {
            posted: last.map_or(0, |entry| entry.balance_after),
            sequence: last.map_or(0, |entry| entry.sequence),
            currency: account.state.currency,
        }))
    }

    pub(crate) fn ledgers(&self) -> Vec<LedgerId> {
        let ledgers: BTreeSet<_> = self.accounts.keys().map(|key| key.ledger).collect();
        ledgers.into_iter().collect()
    }

    pub(crate) fn trial_balance(&self, ledger: LedgerId) -> Vec<TrialBalance> {
        let mut sums = BTreeMap::new();
        let states = self.accounts.values().map(|account| &account.state);
        for state in states.filter(|state| state.key.ledger == ledger) {
            let sum = sums.entry(state.currency);
            let sum = sum.or_insert_with(|| TrialBalance::of(state.currency));
            sum.add(state.counters.posted());
        }
        sums.into_values().collect()
    }

    pub(crate) fn pending_sums(&self, keys: &[AccountKey]) -> Vec<Option<PendingSums>> {
        let sums_of = |key: &AccountKey| {
            let mut sums = PendingSums::of(&self.accounts.get(key)?.state);
            for hold in self.pending_holds() {
                if InLedger::new(hold.key.ledger, hold.from) == *key {
                    sums.add_debit(hold.remaining());
                }
                if InLedger::new(hold.key.ledger, hold.to) == *key {
                    sums.add_credit(hold.remaining());
                }
            }
            Some(sums)
        };
        keys.iter().map(sums_of).collect()
    }
}

/// The size of a page as a length.
pub(crate) fn length(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
