//! Handles a restore: the ledger's database went back to an earlier state.

use wallet_core::ledger::{Epoch, Position, Restore};

use super::call;
use super::steps::{Failure, Steps};
use crate::event::Event;

/// The restores that a consumer knows.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whether this process has read the inbox.
    is_read: bool,
    /// Restores that the handler was notified of, by this process or before it started.
    notified: Vec<Restore>,
    /// All restores that the handler was notified of by any process. The ledger forgets a
    /// restore when it is restored to a state before it.
    noted: Vec<Restore>,
}

impl Known {
    /// Whether the handler must be notified of a restore. A restore that is older than
    /// the latest notified one, and was never notified itself, is forgotten by the
    /// ledger: the later restore covers it.
    fn is_new(&self, restore: &Restore) -> bool {
        let answers = |seen: &Restore| {
            seen.epoch > restore.epoch
                || seen.epoch == restore.epoch && seen.restored_to <= restore.restored_to
        };
        !self.notified.iter().any(answers)
    }

    /// The restore to notify the handler of. Its time is the earliest of the restores
    /// since `before` that the ledger has forgotten. What the handler discarded for those
    /// comes again, so it must discard the rest too.
    fn widened(&self, restore: &Restore, before: Epoch) -> Restore {
        let forgotten = |one: &&Restore| before < one.epoch && one.epoch < restore.epoch;
        let times = self.noted.iter().filter(forgotten);
        let least = times.map(|one| one.restored_to).min();
        let restored_to = least.map_or(restore.restored_to, |at| at.min(restore.restored_to));
        let epoch = restore.epoch;
        Restore { epoch, restored_to }
    }

    /// Whether a restore may have lost an event.
    pub(super) fn is_lost(&self, event: &Event) -> bool {
        let lost_after = Restore::lost_after(&self.noted, event.epoch);
        lost_after.is_some_and(|time| event.at > time)
    }

    /// The restore between a position and an event of a later epoch. Its time is the
    /// earliest since the last epoch that both have in common.
    pub(super) fn between(&self, from: Position, event: &Event) -> Option<Restore> {
        if from == Position::START || from.epoch >= event.epoch {
            return None;
        }
        let mut common = Epoch::FIRST;
        for restore in &event.restores {
            if restore.epoch <= from.epoch {
                common = common.max(restore.epoch);
            }
        }
        let until_event = |one: &&Restore| one.epoch <= event.epoch;
        let all: Vec<_> = self.noted.iter().filter(until_event).copied().collect();
        let restored_to = Restore::lost_after(&all, common)?;
        let epoch = event.epoch;
        Some(Restore { epoch, restored_to })
    }
}

impl Steps {
    /// Notifies the handler of the restores that this process has not reported yet, the
    /// oldest first, and records them. No event is handled meanwhile. Another process may
    /// have notified its own handler; what this process handled at that time is now
    /// discarded.
    pub(super) async fn restored(&self, restores: &[Restore]) -> Result<(), Failure> {
        {
            let known = self.known.read().await;
            if known.is_read && !restores.iter().any(|one| known.is_new(one)) {
                return Ok(());
            }
        }
        let mut known = self.known.write().await;
        let known = &mut *known;
        let name = &self.name;
        known.noted = self.inbox.restores(name).await?;
        if !known.is_read {
            known.notified.clone_from(&known.noted);
            known.is_read = true;
        }
        let mut before = Epoch::FIRST;
        for restore in restores {
            if known.is_new(restore) {
                let restore = known.widened(restore, before);
                let notify = async { self.handler.restored(&restore).await };
                let notified = call::caught(notify).await;
                notified.map_err(Failure::Restored)?;
                self.inbox.note_restore(name, &restore).await?;
                known.notified.push(restore);
                known.noted.push(restore);
                self.stats.restores.add(1);
            }
            before = restore.epoch;
        }
        Ok(())
    }

    /// Notifies the handler of restores that other processes of this consumer have
    /// recorded. What this process handled at that time is discarded.
    pub(crate) async fn restored_by_others(&self) -> Result<(), Failure> {
        let noted = self.inbox.restores(&self.name).await?;
        self.restored(&noted).await
    }

    /// Notifies the handler of the restores that the ledger reports, where events are
    /// missing: no event of the new epoch may have arrived yet.
    pub(super) async fn ask_for_restores(&self) -> Result<(), Failure> {
        if let Some(ledger) = self.ledger.as_deref() {
            let epochs = ledger.epochs().await?;
            self.restored(&epochs.restores(Event::RESTORES_MAX)).await?;
        }
        Ok(())
    }
}
