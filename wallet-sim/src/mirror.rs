use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rustc_hash::FxHashMap;

use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, EffectKind, Position, Restore, Sequence, Version};
use wallet_core::memory::MemoryInbox;
use wallet_core::messaging::{Inbox, InboxStep};

use super::faulty_port::{FaultyPort, planned};
use super::oracle::Oracle;

/// A consumer's own database: what events told it, and how far it has seen each
/// account, both in one transaction. Its calls go wrong; an oracle compares what
/// was told with what was committed.
#[derive(Debug)]
pub struct Mirror {
    positions: Mutex<FxHashMap<AccountKey, Position>>,
    told: MemoryInbox,
    faults: FaultyPort,
    oracle: Arc<Oracle>,
}

/// What an event told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whose event it is.
    pub account: AccountKey,
    /// The account's version after it.
    pub version: Version,
    /// What happened.
    pub kind: EffectKind,
    /// The posted balance after it, in minor units.
    pub posted: i128,
    /// Held from the account after it.
    pub pending_out: i128,
    /// Held towards the account after it.
    pub pending_in: i128,
    /// The number of the entry that it wrote, where money moved.
    pub sequence: Option<Sequence>,
}

impl Mirror {
    /// The name of the consumer whose database it is.
    pub const CONSUMER: &'static str = "mirror";

    pub(super) fn new(faults: FaultyPort, oracle: Arc<Oracle>) -> Self {
        let positions = Mutex::default();
        Self {
            positions,
            told: MemoryInbox::new(),
            faults,
            oracle,
        }
    }

    /// Records what was told and the step that it is, both or neither; answers
    /// whether the account stood where the step begins.
    ///
    /// # Errors
    /// [`StoreError`]; of kind `Indeterminate` both may be recorded.
    pub async fn apply(&self, step: &InboxStep, told: &Told) -> Result<bool, StoreError> {
        let call = async {
            let moved = self.advance_now(step);
            if moved {
                self.oracle.told(told);
            }
            Ok(moved)
        };
        self.faults.call("apply", call, planned).await
    }

    /// Records what was told alone, as nobody should.
    ///
    /// # Errors
    /// [`StoreError`]; of kind `Indeterminate` it may be recorded.
    pub async fn apply_alone(&self, told: &Told) -> Result<(), StoreError> {
        let call = async {
            self.oracle.told(told);
            Ok(())
        };
        self.faults.call("apply alone", call, planned).await
    }

    /// Tells the oracle that events are missing before one: what the ledger
    /// commits reaches a queue without gaps, so that none may ever show.
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
impl Inbox for Mirror {
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
        self.told.restores(consumer).await
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        self.told.note_restore(consumer, restore).await
    }
}
