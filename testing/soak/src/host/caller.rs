use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use wallet_core::ledger::{AccountKey, Freshness, Position};
use wallet_core::service::Answer;
use wallet_core::{Outcome, Receipt, WalletError};

use super::Host;
use crate::Result;
use crate::acks::Ack;
use crate::plan::{self, Place};

/// The pause before a retry.
const PAUSE: Duration = Duration::from_millis(50);

/// A caller that sends one request after the other, retries each until it is answered,
/// and then checks the result.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) host: Arc<Host>,
    pub(super) place: Place,
    pub(super) rng: Rng,
    /// The newest version of each account that it has seen.
    pub(super) seen: BTreeMap<AccountKey, Position>,
}

impl Caller {
    /// Sends a request at each tick until it is to stop.
    pub(super) async fn run(
        mut self,
        tick: Duration,
        mut stop: watch::Receiver<bool>,
    ) -> Result<()> {
        let mut ticks = interval(tick);
        // After a stall it continues at the same time as the others, so that they share
        // commits.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // A request of the killed process that has no recorded answer.
        let mut is_first = true;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // The request that the killed process left open is settled before a stop.
                _ = stop.wait_for(|stops| *stops), if !is_first => return Ok(()),
            }
            let answer = self.answered(is_first).await?;
            is_first = false;
            self.note(&answer)?;
            self.look(&answer.outcome).await;
            self.place.round += 1;
        }
    }

    /// Retries until there is an answer, under the same key each time.
    async fn answered(&mut self, is_first: bool) -> Result<Answer> {
        let mut is_unknown = false;
        let tally = &self.host.tally;
        loop {
            let request = self.place.request()?;
            tally.add("requests", 1);
            let submit = self.host.wallet.submit_raw(request);
            let patience = if self.rng.u8(0..50) == 0 {
                Duration::from_millis(self.rng.u64(1..40))
            } else {
                Duration::from_secs(60)
            };
            let Ok(answered) = timeout(patience, submit).await else {
                // An impatient caller retries at once.
                tally.add("answers: given up by the caller", 1);
                continue;
            };
            let error = match answered {
                Ok(answer) => {
                    self.settled(is_first, is_unknown, answer.replayed);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            tally.add(&format!("errors: {}", error.code()), 1);
            is_unknown |= matches!(error, WalletError::Indeterminate { .. });
            if !error.is_retryable() {
                self.host.violation(&format!("{:?}: {error}", self.place));
                return Err(error.into());
            }
            sleep(PAUSE).await;
        }
    }

    /// The outcome of a request with an unknown result.
    fn settled(&self, is_first: bool, is_unknown: bool, replayed: bool) {
        let what = if replayed { "had committed" } else { "had not" };
        let tally = &self.host.tally;
        if is_unknown {
            tally.add(&format!("unknowns settled: {what}"), 1);
        } else if is_first && self.place.round > 0 {
            tally.add(&format!("settled after a death: {what}"), 1);
        }
    }

    fn note(&self, answer: &Answer) -> Result<()> {
        let outcome = &answer.outcome;
        let transfer = outcome.transfers().next().map(|transfer| transfer.key.id);
        self.host.note(Ack {
            caller: self.place.caller,
            round: self.place.round,
            is_accepted: outcome.result.is_ok(),
            transfer,
        })?;
        let tally = &self.host.tally;
        let replayed = if answer.replayed { ", replayed" } else { "" };
        match &outcome.result {
            Ok(receipts) => {
                let kind = match receipts.first() {
                    Some(Receipt::Posted(posted)) => posted.transfer.kind.name(),
                    _ => "hold",
                };
                tally.add(&format!("answers: {kind}{replayed}"), 1);
                tally.add("acknowledged transfers", u64::from(transfer.is_some()));
            }
            Err(rejected) => {
                let code = rejected.rejection.code();
                tally.add(&format!("answers: refused, {code}{replayed}"), 1);
            }
        }
        Ok(())
    }

    /// Checks the result of its request, and sometimes all balances.
    async fn look(&mut self, outcome: &Outcome) {
        for (account, position) in outcome.positions() {
            let seen = self.seen.entry(account).or_default();
            *seen = position.max(*seen);
        }
        match self.rng.u8(0..64) {
            0..8 => self.look_at(outcome).await,
            8 => self.look_at_all().await,
            _ => {}
        }
    }

    /// Checks that a read with known versions returns no older ones, cached or not.
    async fn look_at(&mut self, outcome: &Outcome) {
        let accounts: Vec<_> = outcome
            .positions()
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        let own = accounts
            .iter()
            .filter_map(|key| Some((*key, *self.seen.get(key)?)));
        let freshness = Freshness::AtLeast(own.collect());
        let read = self.host.wallet.balances(&accounts, &freshness).await;
        let Ok(found) = read else {
            self.host.tally.add("reads: failed", 1);
            return;
        };
        self.host.tally.add("reads: own writes", 1);
        for (account, balance) in accounts.into_iter().zip(found) {
            let position = balance.map_or(Position::START, |balance| balance.position());
            let seen = self.seen.entry(account).or_default();
            if position < *seen {
                let words = format!("read {account} at {position} after {seen}");
                self.host.violation(&words);
            }
            *seen = position.max(*seen);
        }
    }

    /// Checks that all balances add up to zero, whatever moves meanwhile.
    async fn look_at_all(&self) {
        let all = &self.host.everything;
        let Ok(found) = self.host.wallet.store().accounts(all).await else {
            self.host.tally.add("reads: failed", 1);
            return;
        };
        self.host.tally.add("reads: whole books", 1);
        let found = found.iter().flatten();
        let sum: i128 = found.map(|account| account.state.counters.posted()).sum();
        if sum != 0 {
            self.host
                .violation(&format!("a read of all accounts adds up to {sum}"));
        }
    }
}

/// The accounts of the books: those of the plan, and the bank's.
pub(super) fn everything() -> Result<Vec<AccountKey>> {
    let bank = wallet_core::SettlementName::new("bank")?;
    let ledger = wallet_core::LedgerId::default();
    let bank = wallet_core::ledger::settlement_account(ledger, plan::eur()?, &bank, 0);
    let mut all = plan::accounts();
    all.push(wallet_core::ledger::InLedger::new(ledger, bank));
    Ok(all)
}
