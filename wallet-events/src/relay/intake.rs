//! Rows between the outbox and the hand: read, and each event's owner found.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wallet_core::ledger::{AccountKey, Epoch, Epochs, Restore};
use wallet_core::store::codec::decode_outbox;
use wallet_core::store::{OutboxRow, RowId};
use wallet_core::{Account, Owner, Timestamp};

use super::hand::Hand;
use crate::event::{Event, Told, tell};

/// How many owners are remembered.
const OWNERS: usize = 1 << 18;
/// How many are asked for at a time.
const ASKED: usize = 1_000;

/// Rows in the order of their numbers, until the owners of all are known.
#[derive(Debug, Default)]
pub(super) struct Intake {
    rows: VecDeque<Read>,
    owners: FxHashMap<AccountKey, Owner>,
    /// What the ledger said of its epochs.
    epoch: Epoch,
    restores: Arc<[Restore]>,
}

/// What has to be found before rows can be handed over.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    pub(super) accounts: Vec<AccountKey>,
    /// Whether there is an epoch that is not known.
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
    events: Vec<Told>,
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

    /// How many events wait here.
    pub(super) fn events(&self) -> usize {
        self.rows.iter().map(|read| read.events.len()).sum()
    }

    /// Reads rows up to the first that cannot be.
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
            let mut events = tell(outcomes);
            events.retain(|told| {
                let is_wanted = system_accounts || !told.is_system;
                is_wanted && !row.done.contains(&told.index)
            });
            for told in &events {
                if let Some(owner) = &told.owner {
                    self.know(told.account, owner.clone());
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

    /// Hands over the rows whose owners and epochs are known, in order; answers what
    /// has to be found before it can go on.
    pub(super) fn hand_over(&mut self, hand: &mut Hand) -> Unknown {
        while let Some(read) = self.rows.front_mut() {
            let mut is_whole = true;
            for told in &mut read.events {
                if told.owner.is_none() {
                    told.owner = self.owners.get(&told.account).cloned();
                }
                if told.epoch() > Epoch::FIRST {
                    told.restores = Arc::clone(&self.restores);
                }
                is_whole &= told.owner.is_some() && told.epoch() <= self.epoch;
            }
            if !is_whole {
                return self.unknown();
            }
            if let Some(read) = self.rows.pop_front() {
                hand.take(read.id, read.committed_at, read.events);
            }
        }
        Unknown::default()
    }

    fn unknown(&self) -> Unknown {
        let mut events = self.rows.iter().flat_map(|read| &read.events);
        let epochs = events.any(|told| told.epoch() > self.epoch);
        let events = self.rows.iter().flat_map(|read| &read.events);
        let unknown = events.filter(|told| told.owner.is_none());
        let unknown = unknown.map(|told| told.account);
        let unknown = unknown.filter(|account| !self.owners.contains_key(account));
        let unknown: BTreeSet<AccountKey> = unknown.take(ASKED).collect();
        Unknown {
            accounts: unknown.into_iter().collect(),
            epochs,
        }
    }

    /// What the ledger says of its epochs; whether that is all that is waited for.
    pub(super) fn learn_epochs(&mut self, epochs: &Epochs) -> bool {
        self.epoch = epochs.current();
        self.restores = epochs.restores(Event::RESTORES_MAX).into();
        !self.unknown().epochs
    }

    /// What the ledger says of accounts; whether it knows all of them.
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
