//! Publishes the events in flight.

use std::collections::BTreeSet;

use wallet_core::ledger::AccountKey;
use wallet_core::messaging::{DeliveryError, Published};

use super::super::call::{self, Flight};
use super::state::Publishing;
use super::{Session, Step};

impl Session<'_> {
    pub(super) fn call(&mut self) {
        let most = self.publishing.calls(self.core.settings.calls_max);
        let limits = self.core.publisher.limits();
        while self.in_flight.has_ready() && self.busy.calls < most {
            let mut refused = Vec::new();
            let call = call::fill(
                &mut self.in_flight,
                limits,
                &self.core.settings.source,
                &mut refused,
            );
            for (flight, reason) in refused {
                self.park(flight.parked(reason));
            }
            if call.messages.is_empty() {
                continue;
            }
            self.busy.calls = self.busy.calls.saturating_add(1);
            let core = self.core;
            self.push(async move {
                let published = core.publisher.publish(&call.messages).await;
                Step::Called(call.flights, published)
            });
        }
    }

    pub(super) fn called(
        &mut self,
        flights: &[Flight],
        answer: Result<Vec<Published>, DeliveryError>,
    ) {
        self.busy.calls = self.busy.calls.saturating_sub(1);
        let stats = &self.core.stats;
        stats.calls.add(1);
        let answers = match answer {
            Ok(answers) if answers.len() == flights.len() => answers,
            Ok(_) => {
                stats.failure_text("the publisher left out answers".to_owned());
                return self.outage(flights);
            }
            Err(error) => {
                stats.failure(&error);
                return self.outage(flights);
            }
        };
        self.publishing = Publishing::Open;
        let mut stopped = BTreeSet::new();
        for (flight, answer) in flights.iter().zip(answers) {
            let account = flight.account;
            if stopped.contains(&account) {
                // It followed a failure of its group, so it does not count.
                continue;
            }
            match answer {
                Published::Done => {
                    stats.published.add(1);
                    let lag = self.core.clock.now().since(flight.committed_at);
                    let lag = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
                    stats.lag_micros.set(lag);
                    self.in_flight.done(account);
                }
                Published::Failed { reason } => {
                    stopped.insert(account);
                    stats.failed.add(1);
                    if !reason.is_empty() {
                        stats.failure_text(reason);
                    }
                    self.pause(account);
                }
                Published::Refused { reason } => {
                    stopped.insert(account);
                    self.in_flight.hold(account);
                    self.park(flight.parked(reason));
                }
            }
        }
        self.landed(flights, &stopped);
    }

    /// The events of a failed call are ready again, except those of held groups.
    pub(super) fn landed(&mut self, flights: &[Flight], stopped: &BTreeSet<AccountKey>) {
        let landed: BTreeSet<AccountKey> = flights.iter().map(|flight| flight.account).collect();
        for account in landed.difference(stopped) {
            self.in_flight.landed(*account);
        }
    }

    /// A call has failed as a whole, which does not show which event failed. All calls
    /// pause, and the events continue as soon as one call succeeds.
    pub(super) fn outage(&mut self, flights: &[Flight]) {
        let failed = u64::try_from(flights.len()).unwrap_or(u64::MAX);
        self.core.stats.failed.add(failed);
        self.landed(flights, &BTreeSet::new());
        if let Some(failures) = self.publishing.fail() {
            let salt = u64::from(failures).wrapping_mul(7_919);
            let pause = self.core.settings.retry;
            let pause = pause.pause_with_jitter(failures, salt);
            self.sleep(pause, Step::Rested);
        }
    }

    pub(super) fn pause(&mut self, account: AccountKey) {
        let failures = self.in_flight.hold(account);
        let [.., low] = account.id.as_bytes();
        let salt = u64::from(*low)
            .wrapping_mul(7_919)
            .wrapping_add(u64::from(failures));
        let pause = self
            .core
            .settings
            .retry
            .pause_with_jitter(failures, salt.wrapping_mul(31));
        self.sleep(pause, Step::Paused(self.openings, account));
    }
}
