//! Reads rows from the outbox into the events in flight.

use std::collections::BTreeSet;

use wallet_core::ledger::{AccountKey, Epochs};
use wallet_core::store::OutboxRow;
use wallet_core::{Account, StoreError};

use super::super::RelayState;
use super::super::in_flight::InFlight;
use super::super::intake::Unreadable;
use super::state::{Operation, Phase, Reading};
use super::{Answer, Lost, Session, Step};

impl Session<'_> {
    pub(super) fn open(&mut self) {
        self.busy.begin(Operation::Open);
        let (core, lease) = (self.core, self.lease.clone());
        self.push(async move {
            let opened = async {
                let parked = core.outbox.parked().await?;
                // A later unpark is found by the next look at the parked events.
                core.outbox.reopen(&lease).await?;
                Ok(parked.into_iter().map(|event| event.account).collect())
            };
            Step::Opened(opened.await)
        });
    }

    pub(super) fn opened(&mut self, answer: Answer<BTreeSet<AccountKey>>) -> Result<(), Lost> {
        self.busy.end(Operation::Open);
        if let Some(parked) = self.answered(answer)? {
            self.in_flight = InFlight::new(parked);
            self.openings = self.openings.saturating_add(1);
            if self.phase == Phase::Opening {
                self.phase = Phase::Working;
            }
            self.reading.note_news();
            self.core.stats.state(RelayState::Active);
        }
        Ok(())
    }

    pub(super) fn claim(&mut self) {
        let settings = &self.core.settings;
        let has_room = self.in_flight.events() < settings.events_max && self.intake.is_empty();
        let may = self.reading == Reading::Behind && has_room && !self.waits;
        if !may || !self.busy.begin(Operation::Claim) {
            return;
        }
        self.reading = Reading::UpToDate;
        self.core.stats.claims.add(1);
        let room = settings.events_max.saturating_sub(self.in_flight.events());
        let room = room.div_ceil(self.events_per_row.max(1));
        let limit = u32::try_from(room)
            .unwrap_or(u32::MAX)
            .clamp(1, settings.rows);
        let (core, lease) = (self.core, self.lease.clone());
        let skip = self.in_flight.rows();
        self.push(async move {
            let claimed = core.outbox.claim(&lease, &skip, limit).await;
            Step::Claimed(limit, claimed)
        });
    }

    pub(super) fn claimed(
        &mut self,
        limit: u32,
        answer: Answer<Vec<OutboxRow>>,
    ) -> Result<(), Lost> {
        self.busy.end(Operation::Claim);
        let Some(rows) = self.answered(answer)? else {
            return Ok(());
        };
        // The claim was filled up to its limit: there may be more rows.
        let count = rows.len();
        if u32::try_from(count).is_ok_and(|count| count >= limit) {
            self.reading.note_news();
        }
        let system_accounts = self.core.settings.system_accounts;
        self.core
            .stats
            .state(match self.intake.add(rows, system_accounts) {
                Ok(()) => RelayState::Active,
                Err(Unreadable { row, reason }) => {
                    self.reading = Reading::Halted;
                    RelayState::Halted { row, reason }
                }
            });
        if let Some(events) = self.intake.events().checked_div(count) {
            self.events_per_row = events.max(1);
        }
        self.hand_over();
        Ok(())
    }

    pub(super) fn hand_over(&mut self) {
        let unknown = self.intake.hand_over(&mut self.in_flight);
        if unknown.is_nothing() || !self.busy.begin(Operation::Ask) {
            return;
        }
        let core = self.core;
        self.push(async move {
            let found = async {
                let epochs = if unknown.epochs {
                    Some(core.ledger.epochs().await?)
                } else {
                    None
                };
                let owners = if unknown.accounts.is_empty() {
                    Vec::new()
                } else {
                    core.ledger.accounts(&unknown.accounts).await?
                };
                Ok((owners, epochs))
            };
            let found = found.await;
            Step::Found(unknown.accounts, found)
        });
    }

    pub(super) fn found(
        &mut self,
        asked: &[AccountKey],
        answer: Result<(Vec<Option<Account>>, Option<Epochs>), StoreError>,
    ) {
        self.busy.end(Operation::Ask);
        let stats = &self.core.stats;
        match answer {
            Ok((owners, epochs)) => {
                let knows_epochs = epochs.is_none_or(|epochs| self.intake.learn_epochs(&epochs));
                if self.intake.learn(asked, owners) && knows_epochs {
                    self.hand_over();
                    return;
                }
                // A read replica may lag behind the commit.
                let what = "an account or the epoch of an event is not found";
                stats.failure_text(what.to_owned());
            }
            Err(error) => stats.failure(&error),
        }
        stats.store_failures.add(1);
        // The query is repeated with the next tick.
        self.waits = true;
    }
}
