//! Bugs in the snapshot that a store decides on.

use wallet_core::ledger::HoldStatus;
use wallet_core::request::Batch;
use wallet_core::store::{Committed, Snapshot};
use wallet_core::test_hooks::{PreparedFor, can_lock, prepared_for};
use wallet_core::{Hold, StoreError, Timestamp};

use super::saboteur::EARLY;
use super::{Bug, Saboteur};

impl Saboteur {
    pub(super) const fn reads_early(&self) -> bool {
        matches!(
            self.bug,
            Bug::ReadsKeysBeforeLocks
                | Bug::ReadsAccountsBeforeLocks
                | Bug::ReadsBalancesBeforeLocks
                | Bug::ReadsStatusBeforeLocks
                | Bug::ReadsHoldsBeforeLocks
                | Bug::ReadsReversalsBeforeLocks
        )
    }

    pub(super) const fn distorts_snapshots(&self) -> bool {
        self.reads_early()
            || matches!(
                self.bug,
                Bug::ForgetsReversals
                    | Bug::ForgetsBulkRequests
                    | Bug::IgnoresCancellations
                    | Bug::ExpiryIgnoresCaptures
                    | Bug::ReleasesTwice
                    | Bug::SweepsEarly
                    | Bug::LetsTimeGoBack
            )
    }

    /// Decides on a wrong snapshot and commits without checking for changes.
    pub(super) fn commit_distorted(
        &self,
        batch: &Batch,
        early: Option<Snapshot>,
    ) -> Result<Committed, StoreError> {
        let shared = self.store.shared();
        let now = shared.now();
        let mut snapshot = shared
            .tables()
            .snapshot(batch.reads(), now, |key| can_lock(&self.store, key));
        match early {
            Some(early) => self.take_early(&mut snapshot, early),
            None => self.distort(&mut snapshot, batch),
        }
        let mut decision = wallet_core::decide::decide(batch, &snapshot);
        let changes = &mut decision.changes;
        let keys: Vec<_> = changes.records.iter().map(|record| record.key).collect();
        self.forget_records(&keys);
        let mut tables = shared.tables();
        for update in &mut changes.updated {
            if let Some(account) = tables.accounts.get(&update.after.key) {
                update.version_before = account.state.version;
                update.last_at_before = account.state.last_at;
            }
        }
        if self.bug == Bug::SweepsEarly {
            for update in &mut changes.holds {
                let known = tables.holds.get(&update.hold.key);
                update.hold.expires_at = known.map_or(update.hold.expires_at, |h| h.expires_at);
            }
        }
        tables.apply(changes, now)?;
        Ok(Committed {
            decided: decision.decided,
        })
    }

    /// Replaces a part of the current snapshot with the one that was read early.
    fn take_early(&self, snapshot: &mut Snapshot, early: Snapshot) {
        match self.bug {
            Bug::ReadsKeysBeforeLocks => snapshot.records = early.records,
            Bug::ReadsHoldsBeforeLocks => snapshot.holds = early.holds,
            Bug::ReadsReversalsBeforeLocks => snapshot.transfers = early.transfers,
            _ => {
                let accounts = early.accounts.into_iter();
                for (key, before) in accounts.filter_map(|(key, state)| Some((key, state?))) {
                    let found = snapshot
                        .accounts
                        .iter_mut()
                        .find(|(known, _)| *known == key);
                    let Some((_, Some(state))) = found else {
                        continue;
                    };
                    match self.bug {
                        Bug::ReadsBalancesBeforeLocks => state.counters = before.counters,
                        Bug::ReadsStatusBeforeLocks => state.status = before.status,
                        _ => *state = before,
                    }
                }
            }
        }
    }

    fn distort(&self, snapshot: &mut Snapshot, batch: &Batch) {
        let expires = |hold: &Hold| {
            let sweeps = batch
                .requests()
                .iter()
                .filter(|request| prepared_for(request) == PreparedFor::Sweep);
            let mut swept = sweeps.flat_map(|request| request.holds());
            swept.any(|key| *key == hold.key)
        };
        match self.bug {
            Bug::ForgetsReversals => {
                for row in &mut snapshot.transfers {
                    row.reversed.fill(0);
                }
            }
            Bug::ForgetsBulkRequests => {
                let records = &mut snapshot.records;
                records.retain(|record| record.outcome.bulk_items().is_none());
            }
            Bug::IgnoresCancellations => {
                let records = &mut snapshot.records;
                records.retain(|record| !record.outcome.is_cancelled());
            }
            Bug::ExpiryIgnoresCaptures => {
                for hold in snapshot.holds.iter_mut().filter(|hold| expires(hold)) {
                    hold.captured = 0;
                }
            }
            Bug::ReleasesTwice => {
                for hold in &mut snapshot.holds {
                    if hold.status == HoldStatus::Released {
                        hold.status = HoldStatus::Pending;
                        hold.released = 0;
                    }
                }
            }
            Bug::SweepsEarly => {
                for hold in snapshot.holds.iter_mut().filter(|hold| expires(hold)) {
                    hold.expires_at = hold.expires_at.map(|at| at.saturating_sub(EARLY));
                }
            }
            Bug::LetsTimeGoBack => {
                for (_, state) in &mut snapshot.accounts {
                    if let Some(state) = state {
                        state.last_at = Timestamp::from_micros(0);
                    }
                }
            }
            _ => {}
        }
    }
}
