//! What is published, and what a consumer and history are told.

use wallet_core::history::HistoryLine;
use wallet_core::ledger::Sequence;
use wallet_core::messaging::{InboxStep, Message};

use super::super::mirror::Told;
use super::Oracle;

impl Oracle {
    /// A queue has taken a message. Those of a group may come again; each first
    /// comes after the one before.
    pub(in super::super) fn published(&self, queue: usize, message: &Message) {
        let version = message.id.rsplit('/').next();
        let Some(version) = version.and_then(|text| text.parse().ok()) else {
            return self.find(format_args!("{}: no id of an event", message.id));
        };
        let mut state = self.state();
        let latest = state.published[queue]
            .entry(message.group.clone())
            .or_default();
        let before = *latest;
        *latest = before.max(version);
        drop(state);
        if version > before + 1 {
            self.find(format_args!(
                "{} is published to queue {queue} behind version {before}",
                message.id
            ));
        }
    }

    /// A consumer was told of an effect, which then happened to it.
    pub(in super::super) fn told(&self, told: &Told) {
        let mut state = self.state();
        let effect = state.effect(told.account, told.version).copied();
        let agrees = effect.is_some_and(|effect| {
            let sums = &effect.counters;
            effect.kind == told.kind
                && sums.credits_posted - sums.debits_posted == told.posted
                && sums.debits_pending == told.pending_out
                && sums.credits_pending == told.pending_in
                && effect.entry.map(|mark| mark.sequence) == told.sequence
        });
        let seen = state.accounts.entry(told.account).or_default();
        let before = std::mem::replace(&mut seen.told, told.version);
        state.totals.told += 1;
        drop(state);
        if !agrees {
            self.find(format_args!("{told:?} was told, {effect:?} committed"));
        }
        if told.version != before + 1 {
            let (account, version) = (told.account, told.version);
            self.find(format_args!(
                "{account}: version {version} took effect in a consumer behind {before}"
            ));
        }
    }

    /// A consumer finds events missing, and none is ever lost.
    pub(in super::super) fn missed(&self, step: &InboxStep) {
        self.find(format_args!("events are missing: {step:?}"));
    }

    /// History says that it has these lines.
    pub(in super::super) fn history_took(&self, lines: &[HistoryLine]) {
        for line in lines {
            let entry = &line.entry;
            let mut state = self.state();
            let committed = state.entry(entry.account, entry.sequence).copied();
            let seen = state.accounts.entry(entry.account).or_default();
            let more: Sequence = (entry.sequence - seen.history).max(0);
            seen.history += more;
            state.totals.history += u64::try_from(more).unwrap();
            drop(state);
            if committed.as_ref() != Some(entry) {
                self.find(format_args!(
                    "history has {entry:?}, the ledger {committed:?}"
                ));
            }
        }
    }
}
