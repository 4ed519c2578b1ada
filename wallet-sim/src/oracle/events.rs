//! Checks published events, and the events that a consumer and history receive.

use wallet_core::history::HistoryLine;
use wallet_core::ledger::{AccountKey, EffectKind, Sequence, Version};
use wallet_core::messaging::{InboxStep, Message};

use super::Oracle;

/// The data of an event that a consumer applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumedEvent {
    /// The account of the event.
    pub account: AccountKey,
    /// The account's version after the event.
    pub version: Version,
    /// The kind of effect.
    pub kind: EffectKind,
    /// The posted balance after the event, in minor units.
    pub posted: i128,
    /// The held amount from the account after the event.
    pub pending_out: i128,
    /// The held amount towards the account after the event.
    pub pending_in: i128,
    /// The sequence of the event's entry, where money moved.
    pub sequence: Option<Sequence>,
}

impl Oracle {
    /// Checks a message that a queue accepted. Messages of a group may be repeated.
    /// The first copy of each comes after the previous message.
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

    /// Checks an effect that a consumer has applied.
    pub(in super::super) fn consumed(&self, event: &ConsumedEvent) {
        let mut state = self.state();
        let effect = state.effect(event.account, event.version).copied();
        let agrees = effect.is_some_and(|effect| {
            let sums = &effect.counters;
            effect.kind == event.kind
                && sums.credits_posted - sums.debits_posted == event.posted
                && sums.debits_pending == event.pending_out
                && sums.credits_pending == event.pending_in
                && effect.entry.map(|mark| mark.sequence) == event.sequence
        });
        let seen = state.accounts.entry(event.account).or_default();
        let before = std::mem::replace(&mut seen.consumed, event.version);
        state.totals.consumed += 1;
        drop(state);
        if !agrees {
            self.find(format_args!(
                "{event:?} was published, {effect:?} committed"
            ));
        }
        if event.version != before + 1 {
            let (account, version) = (event.account, event.version);
            self.find(format_args!(
                "{account}: version {version} took effect in a consumer behind {before}"
            ));
        }
    }

    /// Records that a consumer found a gap in the events. No event is ever lost, so
    /// this is an error.
    pub(in super::super) fn missed(&self, step: &InboxStep) {
        self.find(format_args!("events are missing: {step:?}"));
    }

    /// Checks the lines that history reports as stored.
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
