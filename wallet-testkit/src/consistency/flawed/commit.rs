use std::sync::Arc;

use super::Flaw;
use super::store::FlawedStore;
use wallet_core::decide::Decision;
use wallet_core::ledger::{AccountKey, Counters, Decided, Direction};
use wallet_core::memory::Tables;
use wallet_core::request::Batch;
use wallet_core::store::{Committed, Snapshot, StoreErrorKind};
use wallet_core::{Account, Amount, Outcome, Receipt, StoreError};

impl FlawedStore {
    pub(super) async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let early = if self.strikes(Flaw::LosesUpdates) || self.strikes(Flaw::DecidesOnOldBalances)
        {
            let early = self.read(&self.inner.shared().tables(), batch);
            self.pause().await;
            Some(early)
        } else {
            None
        };
        let guard = self.committing.lock().await;
        let (mut decision, earlier) = self.decide(batch, early);
        let opens = !decision.changes.opened.is_empty();
        let before = self.inner.shared().tables().clone();
        if !opens && self.strikes(Flaw::LosesCommits) {
            return Ok(committed(decision));
        }
        if !opens && self.strikes(Flaw::MintsMoney) {
            mint(&mut decision);
        }
        let now = self.inner.shared().now();
        self.inner.shared().tables().apply(&decision.changes, now)?;
        let changed: Vec<AccountKey> = earlier.iter().map(|old| old.state.key).collect();
        if !opens && self.strikes(Flaw::AppliesTwice) {
            again(&mut self.inner.shared().tables(), &earlier);
        }
        if !opens && self.strikes(Flaw::ShowsWhatIsRolledBack) {
            self.pause().await;
            *self.inner.shared().tables() = before;
            return Err(StoreError::new(StoreErrorKind::Conflict, "rolled back"));
        }
        if let [.., last] = earlier.as_slice()
            && self.strikes(Flaw::WritesOneByOne)
        {
            let key = last.state.key;
            let old = last.clone();
            let due = self.inner.shared().tables().accounts.insert(key, old);
            self.pause().await;
            let due = due.expect("an account that was changed");
            self.inner.shared().tables().accounts.insert(key, due);
        }
        self.before()
            .extend(earlier.into_iter().map(|old| (old.state.key, old)));
        if self.has(Flaw::ReadsFromReplica) {
            self.pause().await;
            self.replicate(&changed, &decision);
        }
        drop(guard);
        Ok(committed(decision))
    }

    fn read(&self, tables: &Tables, batch: &Batch) -> Snapshot {
        let now = self.inner.shared().now();
        tables.snapshot(batch.reads(), now, |_| true)
    }

    /// Decides the rows to write. Also returns the current state of the changed
    /// accounts.
    fn decide(&self, batch: &Batch, early: Option<Snapshot>) -> (Decision, Vec<Account>) {
        let tables = self.inner.shared().tables();
        let mut snapshot = self.read(&tables, batch);
        for (key, state) in early.into_iter().flat_map(|early| early.accounts) {
            let mut known = snapshot.accounts.iter_mut();
            let found = known.find(|(found, _)| *found == key);
            if let (Some((_, Some(found))), Some(state)) = (found, state) {
                if self.has(Flaw::LosesUpdates) {
                    *found = state;
                } else {
                    found.counters = state.counters;
                }
            }
        }
        let mut decision = wallet_core::decide::decide(batch, &snapshot);
        let mut earlier = Vec::new();
        for update in &mut decision.changes.updated {
            let account = &tables.accounts[&update.after.key];
            // This version does not check for changes meanwhile.
            update.version_before = account.state.version;
            update.last_at_before = account.state.last_at;
            earlier.push(account.clone());
        }
        (decision, earlier)
    }

    fn replicate(&self, changed: &[AccountKey], decision: &Decision) {
        let tables = self.inner.shared().tables();
        let mut replica = self.replica();
        let opened = decision.changes.opened.iter();
        let opened = opened.map(|account| account.state.key);
        for key in changed.iter().copied().chain(opened) {
            replica.insert(key, tables.accounts[&key].clone());
        }
    }
}

fn committed(decision: Decision) -> Committed {
    Committed {
        decided: decision.decided,
    }
}

/// Repeats the changes of accounts since their `earlier` state.
fn again(tables: &mut Tables, earlier: &[Account]) {
    for old in earlier {
        let Some(account) = tables.accounts.get_mut(&old.state.key) else {
            continue;
        };
        let (now, then) = (&mut account.state, &old.state);
        now.version += now.version - then.version;
        let Counters {
            debits_posted,
            credits_posted,
            ..
        } = then.counters;
        now.counters.debits_posted += now.counters.debits_posted - debits_posted;
        now.counters.credits_posted += now.counters.credits_posted - credits_posted;
    }
}

/// Adds a cent to the one credit of a commit, in all rows and answers.
fn mint(decision: &mut Decision) {
    let [(_, accepted)] = decision.changes.accepted.as_mut_slice() else {
        return;
    };
    let mut outcome = (**accepted).clone();
    let Some(account) = raise(&mut outcome) else {
        return;
    };
    let outcome = Arc::new(outcome);
    let (before, after) = (Arc::clone(accepted), outcome);
    *accepted = Arc::clone(&after);
    for record in &mut decision.changes.records {
        if Arc::ptr_eq(&record.outcome, &before) {
            record.outcome = Arc::clone(&after);
        }
    }
    for decided in &mut decision.decided {
        if matches!(decided, Decided::Fresh(fresh) if Arc::ptr_eq(fresh, &before)) {
            *decided = Decided::Fresh(Arc::clone(&after));
        }
    }
    for update in &mut decision.changes.updated {
        if update.after.key.id == account {
            update.after.counters.credits_posted += 1;
        }
    }
}

/// Raises the credit of an outcome with one leg. Returns its account.
fn raise(outcome: &mut Outcome) -> Option<wallet_core::AccountId> {
    let receipts = outcome.result.as_mut().ok()?;
    let [Receipt::Posted(posted)] = receipts.as_mut_slice() else {
        return None;
    };
    let [debit, credit] = posted.effects.as_mut_slice() else {
        return None;
    };
    let effect = match credit.entry.as_ref()?.direction {
        Direction::Credit => credit,
        Direction::Debit => debit,
    };
    let mark = effect.entry.as_mut()?;
    mark.amount = Amount::new(mark.amount.minor() + 1).ok()?;
    effect.counters.credits_posted += 1;
    Some(effect.account)
}
