//! What a consumer does when the ledger's database went back to an earlier state.

use wallet_core::ledger::{Epoch, Position, Restore};

use super::Core;
use super::stats::count;
use super::work::Failure;
use crate::event::Event;

/// The restores that a consumer knows of.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whether the inbox was read since the process began.
    is_read: bool,
    /// The handler was told of these: by this process, or before it began.
    told: Vec<Restore>,
    /// All that the handler was told of by any process. The ledger forgets a restore
    /// when it is restored to what was before it.
    noted: Vec<Restore>,
}

impl Known {
    /// Whether the handler needs to be told of a restore. One that is older than what
    /// it was told of, and was not among that, is forgotten by the ledger: the later
    /// one takes back all that came of it.
    fn is_new(&self, restore: &Restore) -> bool {
        let answers = |told: &Restore| {
            told.epoch > restore.epoch
                || told.epoch == restore.epoch && told.restored_to <= restore.restored_to
        };
        !self.told.iter().any(answers)
    }

    /// The restore as the handler is to be told of it: with the least time of those
    /// since `before` that the ledger has forgotten. What the handler discarded for
    /// them comes again, so the rest of it has to go as well.
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
        lost_after.is_some_and(|kept| event.at > kept)
    }

    /// The restore that lies between a position and an event of a later epoch: the
    /// least of the times since the last epoch that both have in common.
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

impl Core {
    /// Tells the handler of restores that this process was not told of, the oldest
    /// first, and notes them. Nothing is being handled meanwhile. Another process may
    /// have told its own handler: what this one was handling at that time is taken back
    /// now.
    pub(super) async fn restored(&self, restores: &[Restore]) -> Result<(), Failure> {
        {
            let known = self.known.read().await;
            if known.is_read && !restores.iter().any(|one| known.is_new(one)) {
                return Ok(());
            }
        }
        let mut known = self.known.write().await;
        let known = &mut *known;
        let name = &self.settings.name;
        known.noted = self.inbox.restores(name).await?;
        if !known.is_read {
            known.told.clone_from(&known.noted);
            known.is_read = true;
        }
        let mut before = Epoch::FIRST;
        for restore in restores {
            if known.is_new(restore) {
                let restore = known.widened(restore, before);
                self.handler.restored(&restore).await?;
                self.inbox.note_restore(name, &restore).await?;
                known.told.push(restore);
                known.noted.push(restore);
                count(&self.stats.restores);
            }
            before = restore.epoch;
        }
        Ok(())
    }

    /// Tells the handler of what other processes of this consumer have noted meanwhile:
    /// what this one was handling at that time is taken back.
    pub(super) async fn restored_by_others(&self) -> Result<(), Failure> {
        let noted = self.inbox.restores(&self.settings.name).await?;
        self.restored(&noted).await
    }

    /// The same with what the ledger itself says, where events are missing: none of
    /// the new epoch may have come yet.
    pub(super) async fn ask_for_restores(&self) -> Result<(), Failure> {
        if let Some(ledger) = self.ledger.as_deref() {
            let epochs = ledger.epochs().await?;
            self.restored(&epochs.restores(Event::RESTORES_MAX)).await?;
        }
        Ok(())
    }
}
