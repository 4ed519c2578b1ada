//! What a relay has in hand: rows, and the events of each group in order. Pure;
//! all that waits for anything is elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;
use wallet_core::Timestamp;
use wallet_core::ledger::AccountKey;
use wallet_core::store::{DoneSet, RowId, RowProgress, RowState};

use crate::event::Told;

/// An event that waits for its turn.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) row: RowId,
    /// When its row was committed.
    pub(super) committed_at: Timestamp,
    pub(super) told: Told,
}

#[derive(Debug, Default)]
struct Row {
    /// Events that can be published, and are not.
    left: usize,
    /// Events behind parked ones.
    blocked: usize,
    /// Events done that are not marked so yet.
    done: DoneSet,
}

/// The events of one account, in order.
#[derive(Debug, Default)]
struct Group {
    queue: VecDeque<Item>,
    /// How many of the first are being published.
    flying: usize,
    /// How often the first has failed in a row.
    failures: u32,
    /// Whether it waits: for the end of a pause, or to be parked.
    is_held: bool,
}

/// Rows in hand and their events by group.
#[derive(Debug, Default)]
pub(super) struct Hand {
    rows: BTreeMap<RowId, Row>,
    groups: FxHashMap<AccountKey, Group>,
    /// Groups whose first event may be published, each once.
    ready: VecDeque<AccountKey>,
    /// Groups that stand still behind a parked event.
    parked: BTreeSet<AccountKey>,
    /// Rows of which nothing is left but to mark them.
    settled: Vec<RowId>,
    /// Rows that are being marked.
    marking: BTreeSet<RowId>,
    events: usize,
}

impl Hand {
    /// Empty, with these groups standing still.
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

    /// Every row in hand.
    pub(super) fn rows(&self) -> BTreeSet<RowId> {
        self.rows.keys().chain(&self.marking).copied().collect()
    }

    /// Takes a row with those of its events that are to be published.
    pub(super) fn take(&mut self, id: RowId, committed_at: Timestamp, events: Vec<Told>) {
        let mut row = Row::default();
        for told in events {
            if self.parked.contains(&told.account) {
                row.blocked = row.blocked.saturating_add(1);
                continue;
            }
            row.left = row.left.saturating_add(1);
            self.events = self.events.saturating_add(1);
            let account = told.account;
            let group = self.groups.entry(account).or_default();
            group.queue.push_back(Item {
                row: id,
                committed_at,
                told,
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

    /// The next event that may be published: the first of a group, or where
    /// `several` of a group may be under way together, the one behind those.
    pub(super) fn next(&self) -> Option<&Item> {
        let group = self.groups.get(self.ready.front()?)?;
        group.queue.get(group.flying)
    }

    /// The [next](Self::next) event is being published.
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

    /// No more of a group whose event was [launched](Self::launch) goes with it.
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
            row.done.insert(item.told.index);
            if row.left == 0 {
                self.settled.push(item.row);
            }
        }
    }

    /// All that was launched of a group has come back; what is left of it may go
    /// on.
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

    /// The first event of a group has failed: nothing of it goes on until it is
    /// [let go](Self::let_go). How often in a row.
    pub(super) fn hold(&mut self, account: AccountKey) -> u32 {
        let Some(group) = self.groups.get_mut(&account) else {
            return 0;
        };
        group.flying = 0;
        group.is_held = true;
        group.failures = group.failures.saturating_add(1);
        group.failures
    }

    /// A group that was held goes on.
    pub(super) fn let_go(&mut self, account: AccountKey) {
        if let Some(group) = self.groups.get_mut(&account)
            && group.is_held
        {
            group.is_held = false;
            self.ready.push_back(account);
        }
    }

    /// The first event of a group is parked: the group stands still.
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

    /// What is to be marked: the rows of which nothing is left to publish, and
    /// where `all` is asked for, what is done of the others.
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
