//! A consumer's own database: effects and positions change together or not at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::{AccountKey, Position, Restore, Version};
use wallet_core::memory::MemoryInbox;
use wallet_core::messaging::DeliveryError;
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::{AccountId, StoreError};
use wallet_events::{Delivery, EventHandler, Handled};

use crate::consumer::shop::NAME;

#[derive(Debug, Default)]
struct State {
    positions: BTreeMap<(String, AccountKey), Position>,
    restores: Vec<Restore>,
    effects: Vec<Delivery>,
    /// How the next deliveries of a version fail, and how many of them.
    failing: BTreeMap<Version, (Failing, u32)>,
    /// How many of the next reports of a restore panic.
    panics_at_restores: u32,
    moved: u32,
}

/// How a handler fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failing {
    Error,
    Panic,
    /// It never answers.
    Hang,
}

/// How a handler records its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Effect and step in one transaction.
    Together,
    /// The effect only.
    EffectOnly,
}

#[derive(Debug)]
pub(crate) struct Books {
    state: Mutex<State>,
    noted: MemoryInbox,
    way: Way,
    latency: Duration,
}

impl Books {
    pub(crate) fn new(way: Way) -> Arc<Self> {
        Self::slow(way, Duration::ZERO)
    }

    /// Books with a handler that waits before its transaction.
    pub(crate) fn slow(way: Way, latency: Duration) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self {
            state,
            noted: MemoryInbox::new(),
            way,
            latency,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fail(&self, version: Version, times: u32) {
        self.fail_by(Failing::Error, version, times);
    }

    pub(crate) fn fail_by(&self, failing: Failing, version: Version, times: u32) {
        self.state().failing.insert(version, (failing, times));
    }

    pub(crate) fn panic_at_restores(&self, times: u32) {
        self.state().panics_at_restores = times;
    }

    pub(crate) fn effects(&self) -> Vec<Delivery> {
        self.state().effects.clone()
    }

    /// The versions with an effect, in order.
    pub(crate) fn versions(&self, account: AccountId) -> Vec<Version> {
        let effects = self.effects().into_iter();
        let of_account = effects.filter(|effect| effect.event.account.id == account);
        of_account.map(|effect| effect.event.version).collect()
    }

    /// The restores that the handler was notified of, in order.
    pub(crate) fn restores(&self) -> Vec<Restore> {
        self.state().restores.clone()
    }

    /// How often a step did not begin at the account's position.
    pub(crate) fn moved(&self) -> u32 {
        self.state().moved
    }
}

impl State {
    /// How this delivery of a version fails, if it does.
    fn failing(&mut self, version: Version) -> Option<Failing> {
        let (failing, times) = self.failing.get_mut(&version)?;
        *times = times.checked_sub(1)?;
        Some(*failing)
    }

    fn advance(&mut self, consumer: &str, step: &InboxStep) -> bool {
        let key = (consumer.to_owned(), step.account);
        let position = self.positions.entry(key).or_default();
        let stands = *position == step.from;
        if stands {
            *position = step.to;
        }
        stands
    }
}

#[async_trait]
impl Inbox for Books {
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError> {
        let state = self.state();
        let position = |account: &AccountKey| {
            let key = (consumer.to_owned(), *account);
            state.positions.get(&key).copied().unwrap_or_default()
        };
        Ok(accounts.iter().map(position).collect())
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError> {
        step.validate(consumer)?;
        Ok(self.state().advance(consumer, step))
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError> {
        self.noted.restores(consumer).await
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        self.noted.note_restore(consumer, restore).await
    }
}

#[async_trait]
impl EventHandler for Books {
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError> {
        tokio::time::sleep(self.latency).await;
        let failing = self.state().failing(delivery.event.version);
        match failing {
            Some(Failing::Error) => return Err(DeliveryError::new("out of stock")),
            Some(Failing::Panic) => panic!("a fault of the handler"),
            Some(Failing::Hang) => std::future::pending().await,
            None => {}
        }
        let mut state = self.state();
        if self.way == Way::Together && !state.advance(NAME, &delivery.step) {
            state.moved += 1;
            return Ok(Handled::Moved);
        }
        state.effects.push(delivery.clone());
        Ok(match self.way {
            Way::Together => Handled::Recorded,
            Way::EffectOnly => Handled::Unrecorded,
        })
    }

    async fn restored(&self, restore: &Restore) -> Result<(), DeliveryError> {
        let mut state = self.state();
        if let Some(left) = state.panics_at_restores.checked_sub(1) {
            state.panics_at_restores = left;
            drop(state);
            panic!("a fault of the handler");
        }
        state.restores.push(*restore);
        state.effects.retain(|effect| {
            let event = &effect.event;
            event.epoch >= restore.epoch || event.at <= restore.restored_to
        });
        Ok(())
    }
}
