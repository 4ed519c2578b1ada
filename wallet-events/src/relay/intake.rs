//! Rows between the outbox and the events in flight: decoded, and completed with each
//! event's owner.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wallet_core::ledger::{AccountKey, Epoch, Epochs, Restore};
use wallet_core::store::codec::decode_outbox;
use wallet_core::store::{OutboxRow, RowId};
use wallet_core::{Account, Owner, Timestamp};

use super::in_flight::InFlight;
use crate::event::{EffectRef, Event, effects_of};

/// The most owners that are cached.
const OWNERS: usize = 1 << 18;
/// The most accounts of one query.
const ASKED: usize = 1_000;

/// Rows in the order of their numbers, until all owners are known.
#[derive(Debug, Default)]
pub(super) struct Intake {
    rows: VecDeque<Read>,
    owners: FxHashMap<AccountKey, Owner>,
    /// The restores of the ledger's epochs.
    epoch: Epoch,
    restores: Arc<[Restore]>,
}

/// What must be looked up before rows can be handed over.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    pub(super) accounts: Vec<AccountKey>,
    /// Whether an event has an unknown epoch.
    pub(super) epochs: bool,
}

impl Unknown {
    pub(super) const fn is_nothing(&self) -> bool {
        self.accounts.is_empty() && !self.epochs
    }
}

#[derive(Debug)]
struct Read {
    id: RowId,
    committed_at: Timestamp,
    events: Vec<EffectRef>,
}

/// A row that cannot be read.
pub(super) struct Unreadable {
    pub(super) row: RowId,
    pub(super) reason: String,
}

impl Intake {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// The number of events that wait here.
    pub(super) fn events(&self) -> usize {
        self.rows.iter().map(|read| read.events.len()).sum()
    }

    /// Decodes rows up to the first that cannot be read.
    pub(super) fn add(
        &mut self,
        rows: Vec<OutboxRow>,
        system_accounts: bool,
    ) -> Result<(), Unreadable> {
        for row in rows {
            let outcomes = decode_outbox(&row.payload).map_err(|error| Unreadable {
                row: row.id,
                reason: error.to_string(),
            })?;
            let mut events = effects_of(outcomes);
            events.retain(|effect| {
                let is_wanted = system_accounts || !effect.is_system;
                is_wanted && !row.done.contains(&effect.index)
            });
            for effect in &events {
                if let Some(owner) = &effect.owner {
                    self.know(effect.account, owner.clone());
                }
            }
            self.rows.push_back(Read {
                id: row.id,
                committed_at: row.created_at,
                events,
            });
        }
        Ok(())
    }

    fn know(&mut self, account: AccountKey, owner: Owner) {
        if self.owners.len() >= OWNERS {
            self.owners.clear();
        }
        self.owners.insert(account, owner);
    }

    /// Hands over the rows with known owners and epochs, in order. Returns what must be
    /// looked up before it can continue.
    pub(super) fn hand_over(&mut self, in_flight: &mut InFlight) -> Unknown {
        while let Some(read) = self.rows.front_mut() {
            let mut is_whole = true;
            for effect in &mut read.events {
                if effect.owner.is_none() {
                    effect.owner = self.owners.get(&effect.account).cloned();
                }
                if effect.epoch() > Epoch::FIRST {
                    effect.restores = Arc::clone(&self.restores);
                }
                is_whole &= effect.owner.is_some() && effect.epoch() <= self.epoch;
            }
            if !is_whole {
                return self.unknown();
            }
            if let Some(read) = self.rows.pop_front() {
                in_flight.take(read.id, read.committed_at, read.events);
            }
        }
        Unknown::default()
    }

    fn unknown(&self) -> Unknown {
        let mut events = self.rows.iter().flat_map(|read| &read.events);
        let epochs = events.any(|effect| effect.epoch() > self.epoch);
        let events = self.rows.iter().flat_map(|read| &read.events);
        let unknown = events.filter(|effect| effect.owner.is_none());
        let unknown = unknown.map(|effect| effect.account);
        let unknown = unknown.filter(|account| !self.owners.contains_key(account));
        let unknown: BTreeSet<AccountKey> = unknown.take(ASKED).collect();
        Unknown {
            accounts: unknown.into_iter().collect(),
            epochs,
        }
    }

    /// Stores the ledger's epochs; returns whether they cover all waiting events.
    pub(super) fn learn_epochs(&mut self, epochs: &Epochs) -> bool {
        self.epoch = epochs.current();
        self.restores = epochs.restores(Event::RESTORES_MAX).into();
        !self.unknown().epochs
    }

    /// Stores the owners of accounts; returns whether the ledger knows all of them.
    pub(super) fn learn(&mut self, asked: &[AccountKey], found: Vec<Option<Account>>) -> bool {
        let mut knows_all = found.len() == asked.len();
        for (account, found) in asked.iter().zip(found) {
            match found {
                Some(found) => self.know(*account, found.owner),
                None => knows_all = false,
            }
        }
        knows_all
    }
}
