//! The rows and events in flight in a relay, with the events of each group in order. This
//! module does no I/O and does not wait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;
use wallet_core::Timestamp;
use wallet_core::ledger::AccountKey;
use wallet_core::store::{DoneSet, RowId, RowProgress, RowState};

use crate::event::EffectRef;

/// An event that waits to be published.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) row: RowId,
    /// When its row was committed.
    pub(super) committed_at: Timestamp,
    pub(super) effect: EffectRef,
}

#[derive(Debug, Default)]
struct Row {
    /// Events that are ready and not yet published.
    left: usize,
    /// Events blocked behind a parked event.
    blocked: usize,
    /// Published events that are not yet marked in the outbox.
    done: DoneSet,
}

/// The events of one account, in order.
#[derive(Debug, Default)]
struct Group {
    queue: VecDeque<Item>,
    /// How many of the first events are being published.
    flying: usize,
    /// How often the first event has failed in a row.
    failures: u32,
    /// Whether the group is held: until a pause ends or its first event is parked.
    is_held: bool,
}

/// Rows in flight and their events by group.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    rows: BTreeMap<RowId, Row>,
    groups: FxHashMap<AccountKey, Group>,
    /// Groups with a first event that may be published, each once.
    ready: VecDeque<AccountKey>,
    /// Groups that are blocked behind a parked event.
    parked: BTreeSet<AccountKey>,
    /// Rows with nothing left to publish, which can be marked.
    settled: Vec<RowId>,
    /// Rows that are being marked.
    marking: BTreeSet<RowId>,
    events: usize,
}

impl InFlight {
    /// Empty, with these groups blocked.
    pub(super) fn new(parked: BTreeSet<AccountKey>) -> Self {
        Self {
            parked,
            ..Self::default()
        }
    }

    /// How many events wait or are being published.
    pub(super) const fn events(&self) -> usize {
        self.events
    }

    pub(super) const fn parked(&self) -> &BTreeSet<AccountKey> {
        &self.parked
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Every row in flight.
    pub(super) fn rows(&self) -> BTreeSet<RowId> {
        self.rows.keys().chain(&self.marking).copied().collect()
    }

    /// Takes a row with those of its events that are to be published.
    pub(super) fn take(&mut self, id: RowId, committed_at: Timestamp, events: Vec<EffectRef>) {
        let mut row = Row::default();
        for effect in events {
            if self.parked.contains(&effect.account) {
                row.blocked = row.blocked.saturating_add(1);
                continue;
            }
            row.left = row.left.saturating_add(1);
            self.events = self.events.saturating_add(1);
            let account = effect.account;
            let group = self.groups.entry(account).or_default();
            group.queue.push_back(Item {
                row: id,
                committed_at,
                effect,
            });
            if group.queue.len() == 1 {
                self.ready.push_back(account);
            }
        }
        if row.left == 0 {
            self.settled.push(id);
        }
        self.rows.insert(id, row);
    }

    /// The next event that may be published: the first of a group. If several events of a
    /// group may be in flight together (`several`), the one behind those.
    pub(super) fn next(&self) -> Option<&Item> {
        let group = self.groups.get(self.ready.front()?)?;
        group.queue.get(group.flying)
    }

    /// Marks the [next](Self::next) event as being published.
    pub(super) fn launch(&mut self, several: bool) {
        let Some(account) = self.ready.pop_front() else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&account) {
            group.flying = group.flying.saturating_add(1);
            if several && group.flying < group.queue.len() {
                self.ready.push_front(account);
            }
        }
    }

    /// Ends the call for groups with a [launched](Self::launch) event: no later event of
    /// them joins it.
    pub(super) fn seal(&mut self) {
        let groups = &self.groups;
        let is_flying = |account: &AccountKey| {
            let group = groups.get(account);
            group.is_some_and(|group| group.flying > 0)
        };
        if self.ready.front().is_some_and(is_flying) {
            self.ready.pop_front();
        }
    }

    /// The first event of a group is published.
    pub(super) fn done(&mut self, account: AccountKey) {
        let Some(group) = self.groups.get_mut(&account) else {
            return;
        };
        let Some(item) = group.queue.pop_front() else {
            return;
        };
        group.flying = group.flying.saturating_sub(1);
        group.failures = 0;
        self.events = self.events.saturating_sub(1);
        if let Some(row) = self.rows.get_mut(&item.row) {
            row.left = row.left.saturating_sub(1);
            row.done.insert(item.effect.index);
            if row.left == 0 {
                self.settled.push(item.row);
            }
        }
    }

    /// All launched events of a group have returned; the rest of the group may continue.
    pub(super) fn landed(&mut self, account: AccountKey) {
        let Some(group) = self.groups.get_mut(&account) else {
            return;
        };
        group.flying = 0;
        if group.queue.is_empty() {
            self.groups.remove(&account);
        } else {
            self.ready.push_back(account);
        }
    }

    /// The first event of a group has failed. The group is held until it is [let
    /// go](Self::let_go). Returns how often it has failed in a row.
    pub(super) fn hold(&mut self, account: AccountKey) -> u32 {
        let Some(group) = self.groups.get_mut(&account) else {
            return 0;
        };
        group.flying = 0;
        group.is_held = true;
        group.failures = group.failures.saturating_add(1);
        group.failures
    }

    /// A held group continues.
    pub(super) fn let_go(&mut self, account: AccountKey) {
        if let Some(group) = self.groups.get_mut(&account)
            && group.is_held
        {
            group.is_held = false;
            self.ready.push_back(account);
        }
    }

    /// The first event of a group is parked: the group is blocked.
    pub(super) fn park(&mut self, account: AccountKey) {
        self.parked.insert(account);
        let Some(group) = self.groups.remove(&account) else {
            return;
        };
        self.events = self.events.saturating_sub(group.queue.len());
        for item in group.queue {
            if let Some(row) = self.rows.get_mut(&item.row) {
                row.left = row.left.saturating_sub(1);
                row.blocked = row.blocked.saturating_add(1);
                if row.left == 0 {
                    self.settled.push(item.row);
                }
            }
        }
    }

    /// The progress to mark: the rows with nothing left to publish. With `all`, also the
    /// published events of the other rows.
    pub(super) fn progress(&mut self, all: bool) -> Vec<RowProgress> {
        let mut progress = Vec::new();
        for id in std::mem::take(&mut self.settled) {
            if let Some(row) = self.rows.remove(&id) {
                self.marking.insert(id);
                let state = if row.blocked > 0 {
                    RowState::Aside
                } else {
                    RowState::Complete
                };
                progress.push(RowProgress {
                    row: id,
                    done: row.done,
                    state,
                });
            }
        }
        if all {
            let begun = self.rows.iter_mut().filter(|(_, row)| !row.done.is_empty());
            progress.extend(begun.map(|(id, row)| RowProgress {
                row: *id,
                done: std::mem::take(&mut row.done),
                state: RowState::Open,
            }));
        }
        progress
    }

    /// Whether any row waits to be marked.
    pub(super) const fn has_settled(&self) -> bool {
        !self.settled.is_empty()
    }

    /// These are marked.
    pub(super) fn marked(&mut self, progress: &[RowProgress]) {
        for step in progress {
            self.marking.remove(&step.row);
        }
    }
}
