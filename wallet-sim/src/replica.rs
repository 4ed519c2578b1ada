//! The database of a consumer, with injected faults. The oracle checks what it applies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rustc_hash::FxHashMap;

use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::memory::MemoryInbox;
use wallet_core::messaging::{Inbox, InboxStep};

use super::faulty_port::{FaultyPort, planned};
use super::oracle::{ConsumedEvent, Oracle};

/// A consumer's own database: the data of events, and the consumer's position in
/// each account, in one transaction. Its calls have injected faults. An oracle
/// compares applied events with committed effects.
#[derive(Debug)]
pub struct ConsumerReplica {
    positions: Mutex<FxHashMap<AccountKey, Position>>,
    inbox: MemoryInbox,
    faults: FaultyPort,
    oracle: Arc<Oracle>,
}

impl ConsumerReplica {
    /// The name of the consumer of this database.
    pub const CONSUMER: &'static str = "replica";

    pub(super) fn new(faults: FaultyPort, oracle: Arc<Oracle>) -> Self {
        let positions = Mutex::default();
        Self {
            positions,
            inbox: MemoryInbox::new(),
            faults,
            oracle,
        }
    }

    /// Records an event and its step, atomically. Returns whether the account was
    /// at the start of the step.
    ///
    /// # Errors
    /// [`StoreError`]; of kind `Indeterminate` both may be recorded.
    pub async fn apply(&self, step: &InboxStep, event: &ConsumedEvent) -> Result<bool, StoreError> {
        let call = async {
            let moved = self.advance_now(step);
            if moved {
                self.oracle.consumed(event);
            }
            Ok(moved)
        };
        self.faults.call("apply", call, planned).await
    }

    /// Records an event without its step, which is a bug.
    ///
    /// # Errors
    /// [`StoreError`]; of kind `Indeterminate` the event may be recorded.
    pub async fn apply_alone(&self, event: &ConsumedEvent) -> Result<(), StoreError> {
        let call = async {
            self.oracle.consumed(event);
            Ok(())
        };
        self.faults.call("apply alone", call, planned).await
    }

    /// Reports a gap before an event to the oracle. Committed effects reach a queue
    /// without gaps, so there must never be one.
    pub fn missed(&self, step: &InboxStep) {
        self.oracle.missed(step);
    }

    fn advance_now(&self, step: &InboxStep) -> bool {
        let mut positions = self.positions();
        let position = positions.entry(step.account).or_default();
        let stands_there = *position == step.from;
        if stands_there {
            *position = step.to;
        }
        stands_there
    }

    fn positions(&self) -> MutexGuard<'_, FxHashMap<AccountKey, Position>> {
        self.positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Inbox for ConsumerReplica {
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError> {
        InboxStep::validate_consumer(consumer)?;
        let call = async {
            let positions = self.positions();
            let position = |account| positions.get(account).copied().unwrap_or_default();
            Ok(accounts.iter().map(position).collect())
        };
        self.faults.call("positions", call, planned).await
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError> {
        step.validate(consumer)?;
        let call = async { Ok(self.advance_now(step)) };
        self.faults.call("advance", call, planned).await
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError> {
        self.inbox.restores(consumer).await
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        self.inbox.note_restore(consumer, restore).await
    }
}
