use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ledger::{AccountKey, Epoch, Position, Restore, Timestamp};
use crate::messaging::{Inbox, InboxStep};
use crate::store::StoreError;

/// The position of each consumer in each account.
type Positions = BTreeMap<String, BTreeMap<AccountKey, Position>>;

/// The restores that each consumer was notified of.
type Restores = BTreeMap<String, BTreeMap<Epoch, Timestamp>>;

/// An inbox in memory. Clones share the positions. They end with the process, so a
/// consumer starts again at the beginning with every start. It is for tests and
/// demos.
///
/// ```
/// use wallet_core::memory::MemoryInbox;
/// use wallet_core::{AccountId, LedgerId};
/// use wallet_core::ledger::{Epoch, InLedger, Position};
/// use wallet_core::messaging::{Inbox, InboxStep};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let inbox = MemoryInbox::new();
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let first = Position::new(Epoch::FIRST, 1);
/// let step = InboxStep { account, from: Position::START, to: first };
/// assert!(inbox.advance("mailer", &step).await?);
/// assert!(!inbox.advance("mailer", &step).await?, "seen before");
/// assert_eq!(inbox.positions("mailer", &[account]).await?, [first]);
/// # Ok::<(), wallet_core::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryInbox {
    positions: Arc<Mutex<Positions>>,
    restores: Arc<Mutex<Restores>>,
}

impl MemoryInbox {
    /// An inbox without any event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock_restores(&self) -> MutexGuard<'_, Restores> {
        let restores = self.restores.lock();
        restores.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Positions> {
        let positions = self.positions.lock();
        positions.unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Inbox for MemoryInbox {
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError> {
        InboxStep::validate_consumer(consumer)?;
        let positions = self.lock();
        let of = positions.get(consumer);
        let position = |account| of.and_then(|of| of.get(account)).copied();
        let answers = accounts
            .iter()
            .map(|account| position(account).unwrap_or_default());
        Ok(answers.collect())
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError> {
        step.validate(consumer)?;
        let mut positions = self.lock();
        let of = positions.entry(consumer.to_owned()).or_default();
        if of.get(&step.account).copied().unwrap_or_default() != step.from {
            return Ok(false);
        }
        of.insert(step.account, step.to);
        Ok(true)
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError> {
        InboxStep::validate_consumer(consumer)?;
        let restores = self.lock_restores();
        let of = restores.get(consumer).into_iter().flatten();
        Ok(of
            .map(|(epoch, restored_to)| Restore {
                epoch: *epoch,
                restored_to: *restored_to,
            })
            .collect())
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        InboxStep::validate_consumer(consumer)?;
        let mut restores = self.lock_restores();
        let of = restores.entry(consumer.to_owned()).or_default();
        let known = of.entry(restore.epoch).or_insert(restore.restored_to);
        *known = restore.restored_to.min(*known);
        Ok(())
    }
}
