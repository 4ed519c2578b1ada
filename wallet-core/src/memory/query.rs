use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::Tables;
use crate::ledger::{
    Account, AccountId, AccountKey, Entry, Hold, HoldKey, HoldStatus, InLedger, LedgerId,
    PastBalance, RecordKey, Timestamp, TransferWithReversals,
};
use crate::store::{
    AccountQuery, CaptureQuery, EntryQuery, HoldQuery, HoldReferenceQuery, Order, PendingSums,
    Purge, ReferenceQuery, StoreError, StoreErrorKind, TrialBalance,
};

/// A `u32` page size as a length.
fn length(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl Tables {
    pub(super) fn list_accounts(&self, query: &AccountQuery) -> Vec<Account> {
        let ledger = query.ledger;
        // An index is read only to the end of the page.
        let behind = match query.after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Unbounded,
        };
        let in_index = |ids: Option<&BTreeSet<AccountId>>| {
            let ids = ids.into_iter();
            let ids = ids.flat_map(|ids| ids.range((behind, Bound::Unbounded)));
            let keys = ids.map(|id| InLedger::new(ledger, *id));
            let accounts = keys.filter_map(|key| self.accounts.get(&key));
            accounts.take(length(query.limit)).cloned().collect()
        };
        match (&query.owner, query.currency) {
            (Some(owner), Some(currency)) => {
                let named = (ledger, owner.clone(), currency);
                in_index(self.by_owner_currency.get(&named))
            }
            (Some(owner), None) => in_index(self.by_owner.get(&(ledger, owner.clone()))),
            (None, Some(currency)) => in_index(self.by_currency.get(&(ledger, currency))),
            (None, None) => {
                let first = query.after.map_or(
                    Bound::Included(InLedger::new(ledger, AccountId::new(uuid::Uuid::nil()))),
                    |after| Bound::Excluded(InLedger::new(ledger, after)),
                );
                let last = InLedger::new(ledger, AccountId::new(uuid::Uuid::max()));
                let keys = self.account_order.range((first, Bound::Included(last)));
                let accounts = keys.filter_map(|key| self.accounts.get(key));
                accounts.take(length(query.limit)).cloned().collect()
            }
        }
    }

    pub(super) fn pending_sums(&self, accounts: &[AccountKey]) -> Vec<Option<PendingSums>> {
        let sums = accounts.iter().filter_map(|key| self.accounts.get(key));
        let sums = sums.map(|account| (account.state.key, PendingSums::of(&account.state)));
        let mut sums: BTreeMap<AccountKey, PendingSums> = sums.collect();
        let holds = self.holds.values();
        for hold in holds.filter(|hold| hold.status == HoldStatus::Pending) {
            let key = |id| InLedger::new(hold.key.ledger, id);
            if let Some(payer) = sums.get_mut(&key(hold.from)) {
                payer.add_debit(hold.remaining());
            }
            if let Some(payee) = sums.get_mut(&key(hold.to)) {
                payee.add_credit(hold.remaining());
            }
        }
        accounts.iter().map(|key| sums.get(key).copied()).collect()
    }

    pub(super) fn list_transfers(&self, query: &ReferenceQuery) -> Vec<TransferWithReversals> {
        let named = self
            .by_reference
            .get(&(query.ledger, query.reference.clone()));
        let ids = named.into_iter().flatten();
        let ids = ids.filter(|id| query.after.is_none_or(|after| **id > after));
        let keys = ids.map(|id| InLedger::new(query.ledger, *id));
        let rows = keys.filter_map(|key| self.transfers.get(&key).cloned());
        rows.take(length(query.limit)).collect()
    }

    pub(super) fn list_holds(&self, query: &HoldQuery) -> Vec<Hold> {
        let AccountKey { ledger, id } = query.account;
        let holds = self.holds.values().filter(|hold| {
            hold.key.ledger == ledger
                && (hold.from == id || hold.to == id)
                && query.status.is_none_or(|status| hold.status == status)
                && query.after.is_none_or(|after| hold.key.id > after)
        });
        holds.take(length(query.limit)).cloned().collect()
    }

    pub(super) fn referenced_holds(&self, query: &HoldReferenceQuery) -> Vec<Hold> {
        let named = (query.ledger, query.reference.clone());
        let ids = self.held_by_reference.get(&named).into_iter().flatten();
        let ids = ids.filter(|id| query.after.is_none_or(|after| **id > after));
        let keys = ids.map(|id| InLedger::new(query.ledger, *id));
        let rows = keys.filter_map(|key| self.holds.get(&key).cloned());
        rows.take(length(query.limit)).collect()
    }

    pub(super) fn captures(&self, query: &CaptureQuery) -> Vec<TransferWithReversals> {
        let ids = self.captures.get(&query.hold).into_iter().flatten();
        let ids = ids.filter(|id| query.after.is_none_or(|after| **id > after));
        let keys = ids.map(|id| InLedger::new(query.hold.ledger, *id));
        let rows = keys.filter_map(|key| self.transfers.get(&key).cloned());
        rows.take(length(query.limit)).collect()
    }

    pub(crate) fn expired_holds(&self, now: Timestamp, limit: u32) -> Vec<HoldKey> {
        let pending = self.holds.values();
        let pending = pending.filter(|hold| hold.status == HoldStatus::Pending);
        let mut expired: Vec<_> = pending
            .filter(|hold| hold.is_expired(now))
            .map(|hold| (hold.expires_at, hold.key))
            .collect();
        expired.sort_unstable();
        let keys = expired.into_iter().map(|(_, key)| key);
        keys.take(length(limit)).collect()
    }

    pub(super) fn entries(&self, query: &EntryQuery) -> Vec<Entry> {
        let all = self
            .entries
            .get(&query.account)
            .map_or(&[][..], Vec::as_slice);
        let wanted = |entry: &&Entry| {
            let after = query.after.is_none_or(|after| match query.order {
                Order::Ascending => entry.sequence > after,
                Order::Descending => entry.sequence < after,
            });
            after
                && query.from.is_none_or(|from| entry.created_at >= from)
                && query.to.is_none_or(|to| entry.created_at < to)
        };
        let limit = length(query.limit);
        match query.order {
            Order::Ascending => all.iter().filter(wanted).take(limit).copied().collect(),
            Order::Descending => all
                .iter()
                .rev()
                .filter(wanted)
                .take(limit)
                .copied()
                .collect(),
        }
    }

    pub(super) fn balance_at(
        &mut self,
        key: AccountKey,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        if at > now {
            let context = "the time lies in the future";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        let Some(account) = self.accounts.get_mut(&key) else {
            return Ok(None);
        };
        // No later effect may have a time that this answer covers.
        let next = Timestamp::from_micros(at.as_micros().saturating_add(1));
        account.state.last_at = account.state.last_at.max(next);
        let currency = account.state.currency;
        let entries = self.entries.get(&key).map_or(&[][..], Vec::as_slice);
        let count = entries.partition_point(|entry| entry.created_at <= at);
        let last = count.checked_sub(1).and_then(|index| entries.get(index));
        Ok(Some(PastBalance {
            posted: last.map_or(0, |entry| entry.balance_after),
            sequence: last.map_or(0, |entry| entry.sequence),
            currency,
        }))
    }

    pub(super) fn ledgers(&self) -> Vec<LedgerId> {
        let mut ledgers = Vec::new();
        let mut next = self.account_order.first().copied();
        while let Some(key) = next {
            ledgers.push(key.ledger);
            let last = AccountId::new(uuid::Uuid::max());
            let behind = Bound::Excluded(InLedger::new(key.ledger, last));
            next = self
                .account_order
                .range((behind, Bound::Unbounded))
                .next()
                .copied();
        }
        ledgers
    }

    pub(super) fn trial_balance(&self, ledger: LedgerId) -> Vec<TrialBalance> {
        let mut sums = BTreeMap::new();
        let accounts = self.accounts.values();
        for account in accounts.filter(|account| account.state.key.ledger == ledger) {
            let currency = account.state.currency;
            let sum = sums.entry(currency);
            let sum = sum.or_insert_with(|| TrialBalance::of(currency));
            sum.add(account.state.counters.posted());
        }
        sums.into_values().collect()
    }

    pub(super) fn purgeable(&self, purge: Purge, now: Timestamp) -> u64 {
        match purge {
            Purge::Records { older_than, limit } => {
                let old = self.old_records(now.saturating_sub(older_than));
                u64::try_from(old.take(length(limit)).count()).unwrap_or(u64::MAX)
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                let delivered = self.outbox.delivered(bound).take(length(limit));
                u64::try_from(delivered.count()).unwrap_or(u64::MAX)
            }
        }
    }

    fn old_records(&self, bound: Timestamp) -> impl Iterator<Item = &(Timestamp, RecordKey)> {
        let order = self.record_order.iter();
        order.take_while(move |(written_at, _)| *written_at <= bound)
    }

    pub(super) fn purge(&mut self, purge: Purge, now: Timestamp) -> u64 {
        match purge {
            Purge::Records { older_than, limit } => {
                self.purge_records(now.saturating_sub(older_than), length(limit))
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                self.outbox.purge(bound, length(limit))
            }
        }
    }

    /// Stops at a bulk request, or at an item of one, if an item of it is not old
    /// enough. The items of a bulk request are deleted before its record.
    fn purge_records(&mut self, bound: Timestamp, limit: usize) -> u64 {
        let in_use = self.bulk_requests_in_use(bound);
        let bulk_requests = self.bulk_requests_of_items();
        let mut purged = 0;
        while purged < limit {
            let oldest = self.record_order.first().copied();
            let Some((_, key)) = oldest.filter(|(written_at, _)| *written_at <= bound) else {
                break;
            };
            if in_use.contains(&key) {
                break;
            }
            // Whichever of its records is the oldest, all of a bulk request go together.
            let key = bulk_requests.get(&key).copied().unwrap_or(key);
            for key in self.bulk_items(key).into_iter().chain([key]) {
                if self.forget(key) {
                    purged = purged.saturating_add(1);
                }
            }
        }
        u64::try_from(purged).unwrap_or(u64::MAX)
    }

    /// The keys of bulk requests with an item later than `bound`, and the keys of
    /// their items. An item does not name its bulk request, and records of one time
    /// are in the order of their keys.
    fn bulk_requests_in_use(&self, bound: Timestamp) -> BTreeSet<RecordKey> {
        let mut in_use = BTreeSet::new();
        for key in self.records.keys() {
            let items = self.bulk_items(*key);
            let mut stored = items.iter().filter_map(|item| self.records.get(item));
            if stored.any(|item| item.written_at > bound) {
                in_use.insert(*key);
                in_use.extend(items);
            }
        }
        in_use
    }

    /// The bulk request of each item.
    fn bulk_requests_of_items(&self) -> BTreeMap<RecordKey, RecordKey> {
        let each = self.records.keys().copied();
        let each = each.flat_map(|key| {
            self.bulk_items(key)
                .into_iter()
                .map(move |item| (item, key))
        });
        each.collect()
    }

    /// The keys of a bulk request's items; empty for another record.
    fn bulk_items(&self, key: RecordKey) -> Vec<RecordKey> {
        let record = self.records.get(&key);
        let items = record.and_then(|record| record.outcome.bulk_items());
        (0..items.unwrap_or(0)).map(|item| key.item(item)).collect()
    }

    fn forget(&mut self, key: RecordKey) -> bool {
        let Some(record) = self.records.remove(&key) else {
            return false;
        };
        self.record_order.remove(&(record.written_at, key))
    }
}
