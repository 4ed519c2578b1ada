use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{BrokenStore, Bug};
use wallet_core::ledger::{Counters, Decided, Direction, Epoch, InLedger, RecordKey};
use wallet_core::memory::Tables;
use wallet_core::request::Batch;
use wallet_core::store::{ChangeSet, Committed, Snapshot, codec};
use wallet_core::test_hooks::first_commands;
use wallet_core::{LedgerId, Outcome, Receipt, StoreError, Timestamp};

/// The number of yields during which another commit can interleave.
const TURNS: usize = 1_000;

impl BrokenStore {
    pub(super) fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let shared = self.inner.shared();
        let early = self.read_early(batch);
        let epoch = self.epoch_read_early();
        let mut tables = shared.tables();
        let now = shared.now();
        let mut snapshot = tables.snapshot(batch.reads(), now, |_| true);
        if let Some(early) = early {
            if self.has(Bug::LosesUpdates) {
                snapshot = early;
            } else {
                snapshot.records = early.records;
            }
        }
        self.distort_reads(batch, &mut snapshot);
        let present = snapshot.epoch;
        snapshot.epoch = epoch.unwrap_or(present);
        let mut decision = wallet_core::decide::decide(batch, &snapshot);
        decision.changes.epoch = present;
        self.distort_writes(&mut tables, &mut decision.changes);
        let outbox = tables.outbox.clone();
        tables.apply(&decision.changes, now)?;
        self.distort_tables(&mut tables, &decision.changes);
        if self.distorts_payloads() {
            tables.outbox = outbox;
            if let Some(payload) = self.other_payload(&decision.changes) {
                tables.outbox.append(payload, now);
            }
        }
        if self.has(Bug::HalfApplies) {
            keep_first_halves(&mut tables, batch, &decision.decided, now);
        }
        if self.has(Bug::ReplaysLiveBalances) {
            decision.decided = decision
                .decided
                .into_iter()
                .map(|decided| match decided {
                    Decided::Replayed(outcome) => Decided::Replayed(reread(&tables, &outcome)),
                    other => other,
                })
                .collect();
        }
        Ok(Committed {
            decided: decision.decided,
        })
    }

    /// Reads a snapshot without the lock, with a wait so that another commit can
    /// interleave.
    fn read_early(&self, batch: &Batch) -> Option<Snapshot> {
        if !self.has(Bug::LosesUpdates) && !self.has(Bug::ReadsKeysBeforeLocks) {
            return None;
        }
        let shared = self.inner.shared();
        let now = shared.now();
        let early = shared.tables().snapshot(batch.reads(), now, |_| true);
        self.under_way.fetch_add(1, Ordering::SeqCst);
        for _ in 0..TURNS {
            if self.under_way.load(Ordering::SeqCst) > 1 {
                break;
            }
            std::thread::yield_now();
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Some(early)
    }

    /// The epoch that is written instead of the current one. A commit that reads it
    /// before the lock waits a while, so that it can be raised in between.
    fn epoch_read_early(&self) -> Option<Epoch> {
        match self.bug {
            Some(Bug::StaysInTheFirstEpoch) => Some(Epoch::FIRST),
            Some(Bug::ReadsEpochBeforeLocks) => {
                let current = || self.inner.shared().tables().epochs.current();
                let early = current();
                for _ in 0..TURNS {
                    if current() != early {
                        break;
                    }
                    std::thread::yield_now();
                }
                Some(early)
            }
            _ => None,
        }
    }

    fn distort_reads(&self, batch: &Batch, snapshot: &mut Snapshot) {
        match self.bug {
            Some(Bug::IgnoresRecords) => snapshot.records.clear(),
            Some(Bug::IgnoresCancellations) => {
                snapshot
                    .records
                    .retain(|record| !record.outcome.is_cancelled());
            }
            Some(Bug::IgnoresFingerprints) => {
                for record in &mut snapshot.records {
                    let mut asked = batch.requests().iter();
                    if let Some(asked) = asked.find(|request| request.key() == record.key) {
                        record.fingerprint = asked.fingerprint();
                    }
                }
            }
            Some(Bug::LetsTimeGoBack) => {
                for (_, state) in &mut snapshot.accounts {
                    if let Some(state) = state {
                        state.last_at = Timestamp::from_micros(i64::MIN);
                    }
                }
            }
            Some(Bug::ForgetsCurrencies) => snapshot.currencies.clear(),
            _ => {}
        }
    }

    fn distort_writes(&self, tables: &mut Tables, changes: &mut ChangeSet) {
        match self.bug {
            Some(Bug::LosesUpdates | Bug::LetsTimeGoBack) => {
                for update in &mut changes.updated {
                    if let Some(stored) = tables.accounts.get(&update.after.key) {
                        update.version_before = stored.state.version;
                        update.last_at_before = stored.state.last_at;
                    }
                }
            }
            Some(Bug::ReadsKeysBeforeLocks | Bug::IgnoresRecords | Bug::IgnoresCancellations) => {
                for record in &changes.records {
                    tables.records.remove(&record.key);
                }
            }
            Some(Bug::ForgetsRecords) => changes.records.clear(),
            Some(Bug::ForgetsBulkRequests) => {
                changes
                    .records
                    .retain(|record| record.outcome.bulk_items().is_none());
            }
            Some(Bug::ForgetsRefusals) => {
                changes
                    .records
                    .retain(|record| record.outcome.result.is_ok());
            }
            Some(Bug::ForgetsReversals) => changes.reversals.clear(),
            Some(Bug::ForgetsCaptures) => changes.holds.retain(|update| update.is_new),
            Some(Bug::ForgetsCurrencies) => changes.currencies.clear(),
            Some(Bug::RoundsMoney) => {
                for update in &mut changes.updated {
                    round(&mut update.after.counters);
                }
            }
            _ => {}
        }
    }

    fn distort_tables(&self, tables: &mut Tables, changes: &ChangeSet) {
        for entry in changes.entries() {
            let Some(stored) = tables.entries.get_mut(&entry.account) else {
                continue;
            };
            if self.has(Bug::DuplicatesSequences)
                && let [.., before, last] = stored.as_mut_slice()
            {
                last.sequence = before.sequence;
            }
            if self.has(Bug::WritesOneSide) && entry.direction == Direction::Credit {
                stored.retain(|stored| stored.sequence != entry.sequence);
            }
        }
    }

    fn distorts_payloads(&self) -> bool {
        let bugs = [
            Bug::ForgetsOutbox,
            Bug::ReversesOutcomes,
            Bug::HoldsRowsBack,
        ];
        bugs.into_iter().any(|bug| self.has(bug))
    }

    /// The outbox payload that is written instead.
    fn other_payload(&self, changes: &ChangeSet) -> Option<Vec<u8>> {
        match self.bug {
            Some(Bug::ReversesOutcomes) => {
                let reversed = changes.accepted.iter().rev();
                let reversed: Vec<(LedgerId, Arc<Outcome>)> = reversed.cloned().collect();
                codec::encode_outbox(&reversed)
            }
            Some(Bug::HoldsRowsBack) => {
                let payload = changes.outbox_payload()?;
                let mut held_back = self.held_back.lock().expect("not poisoned");
                held_back.replace(payload)
            }
            _ => None,
        }
    }
}

/// Rounds each sum to its first 53 bits.
fn round(counters: &mut Counters) {
    let sums = [
        &mut counters.debits_posted,
        &mut counters.credits_posted,
        &mut counters.debits_pending,
        &mut counters.credits_pending,
    ];
    for sum in sums {
        let bits = i128::BITS.saturating_sub(sum.leading_zeros());
        let lost = bits.saturating_sub(53);
        *sum = (*sum >> lost) << lost;
    }
}

/// Commits the commands before the refused one of each refused request, without a
/// record.
fn keep_first_halves(tables: &mut Tables, batch: &Batch, decided: &[Decided], now: Timestamp) {
    for (request, decided) in batch.requests().iter().zip(decided) {
        let Decided::Fresh(outcome) = decided else {
            continue;
        };
        let Some(rejected) = outcome.result.as_ref().err() else {
            continue;
        };
        // Another key, so that no record prevents it.
        let key = RecordKey {
            hash: [0xFF; 16],
            ..request.key()
        };
        let half = first_commands(request, usize::from(rejected.command), key);
        let half = Batch::new(vec![Arc::new(half)]);
        let snapshot = tables.snapshot(half.reads(), now, |_| true);
        let mut changes = wallet_core::decide::decide(&half, &snapshot).changes;
        changes.records.clear();
        let _ = tables.apply(&changes, now);
    }
}

/// Replaces the balances of `outcome` with the current ones.
fn reread(tables: &Tables, outcome: &Arc<Outcome>) -> Arc<Outcome> {
    let mut live = (**outcome).clone();
    for receipt in live.result.iter_mut().flatten() {
        if let Receipt::Posted(posted) = receipt {
            let ledger = posted.transfer.key.ledger;
            for effect in &mut posted.effects {
                let key = InLedger::new(ledger, effect.account);
                if let Some(account) = tables.accounts.get(&key) {
                    effect.counters = account.state.counters;
                }
            }
        }
    }
    Arc::new(live)
}
