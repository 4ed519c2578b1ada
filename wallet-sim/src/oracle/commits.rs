//! Checks the answers of the ledger's store.

use std::sync::Arc;

use wallet_core::ledger::{
    AccountKey, Decided, Effect, EffectKind, InLedger, PastBalance, RecordKey,
};
use wallet_core::request::Batch;
use wallet_core::{LedgerId, Outcome, Receipt, Timestamp};
use wallet_testkit::model::Expected;

use super::{Oracle, State};

impl Oracle {
    /// Checks a batch that a store committed at `now`, with its answers.
    pub(in super::super) fn committed(&self, batch: &Batch, decided: &[Decided], now: Timestamp) {
        let mut wrong = Vec::new();
        let mut state = self.state();
        if decided.len() != batch.requests().len() {
            wrong.push("a store leaves out answers".to_owned());
        }
        for (request, decided) in batch.requests().iter().zip(decided) {
            if matches!(decided, Decided::Blocked) {
                continue;
            }
            let expected = state.model.decide(request, now);
            let agrees = match (decided, &expected) {
                (Decided::Fresh(found), Expected::Fresh(wanted))
                | (Decided::Replayed(found), Expected::Replayed(wanted)) => **found == *wanted,
                (Decided::IdempotencyMismatch, Expected::Mismatch) => true,
                (Decided::ClockBehind { ahead_micros }, Expected::ClockBehind(wanted)) => {
                    ahead_micros == wanted
                }
                _ => false,
            };
            if !agrees {
                wrong.push(format!(
                    "{}: the store decided {decided:?}, the model {expected:?}",
                    request.key()
                ));
            }
            match decided {
                Decided::Fresh(outcome) => {
                    state.totals.decided += 1;
                    state.records.insert(request.key(), Arc::clone(outcome));
                    wrong.extend(state.take_in(request.key().ledger, outcome));
                    for balance in outcome.balances() {
                        self.trace.count(balance.version.cast_unsigned());
                        self.trace.count(low_half(balance.counters.posted()));
                    }
                }
                Decided::Replayed(_) => state.totals.replayed += 1,
                _ => {}
            }
        }
        drop(state);
        for wrong in wrong {
            self.find(wrong);
        }
    }

    /// Checks a store's balance at a past time.
    pub(in super::super) fn past_balance(
        &self,
        account: AccountKey,
        at: Timestamp,
        found: Option<&PastBalance>,
    ) {
        let expected = self.state().model.balance_at(account, at);
        if expected.as_ref() != found {
            self.find(format_args!(
                "{account} at {at}: the store says {found:?}, the model {expected:?}"
            ));
        }
    }

    /// Checks that an acknowledged outcome is recorded and stays recorded.
    pub(in super::super) fn acknowledged(&self, key: RecordKey, outcome: &Arc<Outcome>) {
        let recorded = self.state().records.get(&key).cloned();
        if recorded.as_ref() != Some(outcome) {
            self.find(format_args!(
                "{key}: answered {outcome:?}, recorded {recorded:?}"
            ));
        }
    }

    /// The number of holds that have expired at `now` and are still pending.
    pub(in super::super) fn expired_holds(&self, now: Timestamp) -> usize {
        self.state().model.expired(now).len()
    }

    /// Whether an outcome is recorded under a key.
    pub(in super::super) fn knows(&self, key: RecordKey) -> bool {
        self.state().records.contains_key(&key)
    }
}

/// The part of a balance that enters a hash.
fn low_half(minor: i128) -> u64 {
    let bytes = minor.to_be_bytes();
    let (_, low) = bytes.split_at(8);
    low.iter()
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

impl State {
    /// Adds the effects of an outcome. Returns an error in their order, if any.
    fn take_in(&mut self, ledger: LedgerId, outcome: &Outcome) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut add = |effect: Effect| {
            let account = InLedger::new(ledger, effect.account);
            let seen = self.accounts.entry(account).or_default();
            seen.effects.push(effect);
            self.totals.effects += 1;
            if usize::try_from(effect.version) != Ok(seen.effects.len()) {
                wrong.push(format!(
                    "{account}: version {} is out of order",
                    effect.version
                ));
            }
        };
        let mut unknown = None;
        for receipt in outcome.receipts() {
            match receipt {
                Receipt::AccountOpened(account) => add(Effect {
                    account: account.state.key.id,
                    system: account.state.system,
                    kind: EffectKind::Opened,
                    version: account.state.version,
                    counters: account.state.counters,
                    entry: None,
                }),
                Receipt::AccountChanged(changed) => {
                    if let Some(kind) = changed.effect {
                        add(Effect {
                            account: changed.state.key.id,
                            system: changed.state.system,
                            kind,
                            version: changed.state.version,
                            counters: changed.state.counters,
                            entry: None,
                        });
                    }
                }
                Receipt::Posted(posted) => posted.effects.iter().copied().for_each(&mut add),
                Receipt::HoldChanged(changed) => {
                    changed.effects.iter().copied().for_each(&mut add);
                }
                Receipt::BulkAccepted { .. } => {}
                other => unknown = Some(format!("the oracle does not know {other:?}")),
            }
        }
        wrong.extend(unknown);
        for entry in outcome.entries() {
            let seen = self.accounts.entry(entry.account).or_default();
            seen.entries.push(entry);
            self.totals.entries += 1;
            if usize::try_from(entry.sequence) != Ok(seen.entries.len()) {
                let (account, sequence) = (entry.account, entry.sequence);
                wrong.push(format!("{account}: entry {sequence} is out of order"));
            }
        }
        wrong
    }
}
