use std::collections::BTreeMap;
use std::time::Duration;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::leg::AccountDelta;
use crate::ledger::{
    Account, AccountKey, AccountState, Currency, Decided, Hold, HoldKey, InLedger, Metadata, Owner,
    Timestamp, TransferKey, TransferWithReversals,
};
use crate::request::{Batch, PreparedRequest, ReadSet};
use crate::store::{AccountUpdate, ChangeSet, HoldUpdate, ReversalTotal, Snapshot};

/// The snapshot with the effects of the requests decided so far. It also holds the
/// undo log of the current request.
#[derive(Debug)]
pub(super) struct WorkingSet<'a> {
    snapshot: &'a Snapshot,
    reads: &'a ReadSet,
    index: FxHashMap<AccountKey, usize>,
    slots: Vec<Slot>,
    opened: BTreeMap<usize, Opening>,
    holds: BTreeMap<HoldKey, HoldUpdate>,
    transfers: BTreeMap<TransferKey, Tracked>,
    currencies: Vec<Currency>,
    undo: Vec<Undo>,
}

/// A slot of an account: its current state, and whether it changed.
#[derive(Debug, Clone, Copy)]
struct Slot {
    state: Option<AccountState>,
    dirty: bool,
}

/// The immutable part of an account opened in this batch.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) owner: Owner,
    pub(super) metadata: Option<Metadata>,
    pub(super) created_at: Timestamp,
}

/// A transfer that a request of this batch names.
#[derive(Debug, Clone)]
struct Tracked {
    row: TransferWithReversals,
    /// Reversed amounts as the store holds them.
    stored: Vec<i128>,
}

/// One change to undo.
#[derive(Debug)]
enum Undo {
    Amended {
        position: usize,
        before: AccountDelta,
        last_at: Timestamp,
        dirty: bool,
    },
    /// Boxed, because few commands replace a whole account.
    Replaced(usize, Box<Slot>),
    Hold(HoldKey, Option<Box<HoldUpdate>>),
    Transfer(TransferKey, Option<Box<Tracked>>),
    Currency,
}

impl<'a> WorkingSet<'a> {
    pub(super) fn new(batch: &'a Batch, snapshot: &'a Snapshot) -> Self {
        let mut index = FxHashMap::with_capacity_and_hasher(snapshot.accounts.len(), FxBuildHasher);
        let mut slots = Vec::with_capacity(snapshot.accounts.len());
        for (position, (key, state)) in snapshot.accounts.iter().enumerate() {
            index.insert(*key, position);
            slots.push(Slot {
                state: *state,
                dirty: false,
            });
        }
        Self {
            snapshot,
            reads: batch.reads(),
            index,
            slots,
            opened: BTreeMap::new(),
            holds: BTreeMap::new(),
            transfers: BTreeMap::new(),
            currencies: Vec::new(),
            undo: Vec::new(),
        }
    }

    /// The request's time: the current time, but not before the latest time of any
    /// account that the request touches.
    pub(super) fn time_of(
        &self,
        request: &PreparedRequest,
        max_ahead: Duration,
    ) -> Result<Timestamp, Decided> {
        let mut at = self.snapshot.now;
        let mut see = |key: AccountKey| match self.index.get(&key) {
            None => Err(Decided::Blocked),
            Some(position) => {
                let state = self.slots.get(*position).and_then(|slot| slot.state);
                at = state.map_or(at, |state| at.max(state.last_at));
                Ok(())
            }
        };
        request.accounts.iter().try_for_each(|key| see(*key))?;
        for hold in request.holds.iter().filter_map(|key| self.hold(*key)) {
            see(InLedger::new(hold.key.ledger, hold.from))?;
            see(InLedger::new(hold.key.ledger, hold.to))?;
        }
        for row in request
            .transfers
            .iter()
            .filter_map(|key| self.transfer(*key))
        {
            for leg in &row.transfer.legs {
                see(InLedger::new(row.transfer.key.ledger, leg.from))?;
                see(InLedger::new(row.transfer.key.ledger, leg.to))?;
            }
        }
        let ahead = at.since(self.snapshot.now);
        if ahead > max_ahead {
            let ahead_micros = u64::try_from(ahead.as_micros()).unwrap_or(u64::MAX);
            return Err(Decided::ClockBehind { ahead_micros });
        }
        Ok(at)
    }

    fn amend_back(
        &mut self,
        position: usize,
        before: AccountDelta,
        last_at: Timestamp,
        dirty: bool,
    ) {
        let Some(slot) = self.slots.get_mut(position) else {
            return;
        };
        slot.dirty = dirty;
        if let Some(state) = slot.state.as_mut() {
            state.counters = before.counters;
            state.version = before.version;
            state.sequence = before.sequence;
            state.last_at = last_at;
        }
    }

    /// The store's clock.
    pub(super) const fn now(&self) -> Timestamp {
        self.snapshot.now
    }

    /// Starts a new undo log. Changes after this call can be undone.
    pub(super) fn begin(&mut self) {
        self.undo.clear();
    }

    /// Undoes all changes since [`begin`](Self::begin).
    pub(super) fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Amended {
                    position,
                    before,
                    last_at,
                    dirty,
                } => self.amend_back(position, before, last_at, dirty),
                Undo::Replaced(position, before) => {
                    if let Some(slot) = self.slots.get_mut(position) {
                        *slot = *before;
                    }
                }
                Undo::Hold(key, before) => restore(&mut self.holds, key, before),
                Undo::Transfer(key, before) => restore(&mut self.transfers, key, before),
                Undo::Currency => {
                    self.currencies.pop();
                }
            }
        }
    }

    /// Returns an existing account and its slot.
    pub(super) fn find(&self, key: AccountKey) -> Option<(usize, &AccountState)> {
        let position = *self.index.get(&key)?;
        let state = self.slots.get(position)?.state.as_ref()?;
        Some((position, state))
    }

    /// Writes one effect on the account in a slot. Returns whether the account is a
    /// system account.
    pub(super) fn amend(&mut self, position: usize, next: &AccountDelta, at: Timestamp) -> bool {
        let Some(slot) = self.slots.get_mut(position) else {
            return false;
        };
        let Some(state) = slot.state.as_mut() else {
            return false;
        };
        let before = AccountDelta {
            counters: state.counters,
            version: state.version,
            sequence: state.sequence,
        };
        self.undo.push(Undo::Amended {
            position,
            before,
            last_at: state.last_at,
            dirty: slot.dirty,
        });
        state.counters = next.counters;
        state.version = next.version;
        state.sequence = next.sequence;
        state.last_at = at;
        slot.dirty = true;
        state.system
    }

    /// Replaces the account in a slot.
    pub(super) fn put(&mut self, position: usize, state: AccountState) {
        if let Some(slot) = self.slots.get_mut(position) {
            self.undo.push(Undo::Replaced(position, Box::new(*slot)));
            *slot = Slot {
                state: Some(state),
                dirty: true,
            };
        }
    }

    /// Opens an account that was read and not found. After a rollback the slot is
    /// empty again, and its entry in `opened` belongs to no account.
    pub(super) fn open(&mut self, state: AccountState, opening: Opening) {
        if let Some(position) = self.index.get(&state.key).copied() {
            self.put(position, state);
            self.opened.insert(position, opening);
        }
    }

    /// The currency that the store knows by this code.
    pub(super) fn currency(&self, currency: Currency) -> Option<Currency> {
        let stored = self.snapshot.currencies.iter();
        stored
            .chain(&self.currencies)
            .find(|known| known.code() == currency.code())
            .copied()
    }

    /// Registers a currency seen for the first time.
    pub(super) fn register(&mut self, currency: Currency) {
        self.currencies.push(currency);
        self.undo.push(Undo::Currency);
    }

    /// A hold that this batch names, in its current state.
    pub(super) fn hold(&self, key: HoldKey) -> Option<&Hold> {
        if let Some(update) = self.holds.get(&key) {
            return Some(&update.hold);
        }
        let stored = &self.snapshot.holds;
        let found = stored.binary_search_by_key(&key, |hold| hold.key);
        stored.get(found.ok()?)
    }

    /// Writes a hold.
    pub(super) fn put_hold(&mut self, hold: Hold, is_new: bool) {
        let key = hold.key;
        let was_new = self.holds.get(&key).is_some_and(|before| before.is_new);
        let update = HoldUpdate {
            is_new: is_new || was_new,
            hold,
        };
        let before = self.holds.insert(key, update).map(Box::new);
        self.undo.push(Undo::Hold(key, before));
    }

    /// A transfer that this batch names, in its current state.
    pub(super) fn transfer(&self, key: TransferKey) -> Option<&TransferWithReversals> {
        if let Some(tracked) = self.transfers.get(&key) {
            return Some(&tracked.row);
        }
        let stored = &self.snapshot.transfers;
        let found = stored.binary_search_by_key(&key, |row| row.transfer.key);
        stored.get(found.ok()?)
    }

    /// Records a new transfer if a request of this batch names it.
    pub(super) fn track(&mut self, transfer: &crate::ledger::Transfer) {
        if self.reads.transfers.binary_search(&transfer.key).is_ok() {
            let zeros = vec![0; transfer.legs.len()];
            let tracked = Tracked {
                row: TransferWithReversals {
                    transfer: transfer.clone(),
                    reversed: zeros.clone(),
                },
                stored: zeros,
            };
            let before = self.transfers.insert(transfer.key, tracked).map(Box::new);
            self.undo.push(Undo::Transfer(transfer.key, before));
        }
    }

    /// Writes the reversed amounts of a transfer's legs.
    pub(super) fn put_reversed(&mut self, row: TransferWithReversals) {
        let key = row.transfer.key;
        let before = self.transfers.get(&key);
        let stored = before.map_or_else(
            || self.transfer(key).map(|row| row.reversed.clone()),
            |tracked| Some(tracked.stored.clone()),
        );
        let stored = stored.unwrap_or_default();
        let tracked = Tracked { row, stored };
        let before = self.transfers.insert(key, tracked).map(Box::new);
        self.undo.push(Undo::Transfer(key, before));
    }

    /// Adds all changed rows to `changes`.
    pub(super) fn finish(mut self, changes: &mut ChangeSet) {
        changes.updated.reserve(self.slots.len());
        let read = self.snapshot.accounts.iter().zip(&self.slots).enumerate();
        for (position, ((_, before), slot)) in read {
            let (Some(after), true) = (slot.state, slot.dirty) else {
                continue;
            };
            if let Some(before) = before {
                changes.updated.push(AccountUpdate {
                    version_before: before.version,
                    last_at_before: before.last_at,
                    after,
                });
            } else if let Some(opening) = self.opened.remove(&position) {
                changes.opened.push(Account {
                    state: after,
                    owner: opening.owner,
                    metadata: opening.metadata,
                    created_at: opening.created_at,
                });
            }
        }
        changes.holds = self.holds.into_values().collect();
        for (transfer, tracked) in self.transfers {
            let legs = tracked.row.reversed.iter().zip(&tracked.stored);
            for ((reversed, stored), leg) in legs.zip(0_u16..) {
                if reversed != stored {
                    changes.reversals.push(ReversalTotal {
                        transfer,
                        leg,
                        is_new: *stored == 0,
                        reversed: *reversed,
                    });
                }
            }
        }
        self.currencies.sort_unstable();
        changes.currencies = self.currencies;
    }
}

fn restore<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, before: Option<Box<V>>) {
    match before {
        Some(value) => map.insert(key, *value),
        None => map.remove(&key),
    };
}
