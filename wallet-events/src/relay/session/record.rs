//! Records progress in the outbox and parks refused events.

use std::collections::BTreeSet;

use wallet_core::ledger::AccountKey;
use wallet_core::store::{ParkedEvent, RowProgress};

use super::state::{Operation, Phase, Reading};
use super::{Answer, Lost, Session, Step, TEND};

impl Session<'_> {
    pub(super) fn park(&mut self, event: ParkedEvent) {
        self.busy.parks = self.busy.parks.saturating_add(1);
        let (core, lease) = (self.core, self.lease.clone());
        self.push(async move {
            let parked = core.outbox.park(&lease, &event).await;
            Step::Parked(event, parked)
        });
    }

    pub(super) fn park_again(&mut self) {
        for event in std::mem::take(&mut self.unparked) {
            self.park(event);
        }
    }

    pub(super) fn parked(&mut self, event: ParkedEvent, answer: Answer<()>) -> Result<(), Lost> {
        self.busy.parks = self.busy.parks.saturating_sub(1);
        if self.answered(answer)?.is_some() {
            self.core.stats.parked.add(1);
            self.in_flight.park(event.account);
        } else {
            self.unparked.push(event);
        }
        Ok(())
    }

    pub(super) fn mark(&mut self) {
        let is_due = self.in_flight.has_settled() || self.flushes || !self.unmarked.is_empty();
        if !is_due || self.busy.has(Operation::Mark) || self.waits {
            return;
        }
        let all = std::mem::take(&mut self.flushes);
        let mut progress = std::mem::take(&mut self.unmarked);
        progress.extend(self.in_flight.progress(all));
        if progress.is_empty() {
            return;
        }
        self.busy.begin(Operation::Mark);
        let (core, lease) = (self.core, self.lease.clone());
        self.push(async move {
            let marked = core.outbox.mark_done(&lease, &progress).await;
            Step::Marked(progress, marked)
        });
    }

    pub(super) fn marked(
        &mut self,
        progress: Vec<RowProgress>,
        answer: Answer<()>,
    ) -> Result<(), Lost> {
        self.busy.end(Operation::Mark);
        if self.answered(answer)?.is_some() {
            let rows = u64::try_from(progress.len()).unwrap_or(u64::MAX);
            self.core.stats.rows.add(rows);
            self.in_flight.marked(&progress);
        } else {
            self.unmarked = progress;
        }
        Ok(())
    }

    pub(super) fn tend(&mut self) {
        self.flushes = true;
        if self.reading == Reading::Halted {
            self.reading = Reading::Behind;
        }
        if !self.intake.is_empty() {
            self.hand_over();
        }
        let looks = self.phase == Phase::Working && !self.in_flight.parked().is_empty();
        if looks && self.busy.begin(Operation::Look) {
            let core = self.core;
            self.push(async move { Step::Looked(core.outbox.parked().await) });
        }
        self.sleep(TEND, Step::Tend);
    }

    /// If a parked event was released, everything is read again, so that the blocked
    /// events come before newer ones.
    pub(super) fn looked(&mut self, answer: Answer<Vec<ParkedEvent>>) -> Result<(), Lost> {
        self.busy.end(Operation::Look);
        if let Some(parked) = self.answered(answer)? {
            let parked: BTreeSet<AccountKey> = parked.iter().map(|event| event.account).collect();
            if !self.in_flight.parked().is_subset(&parked) && self.phase == Phase::Working {
                self.phase = Phase::Closing;
                self.flushes = true;
            }
        }
        Ok(())
    }
}
