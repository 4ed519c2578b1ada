use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{AccountKey, Inbox, InboxStep, StoreError, Version};

/// Where each consumer stands with each account.
type Positions = BTreeMap<String, BTreeMap<AccountKey, Version>>;

/// An inbox in memory; clones share the positions. They end with the process, so
/// that a consumer begins anew with every start: for tests and demos.
///
/// ```
/// use wallet_core::memory::MemoryInbox;
/// use wallet_core::{AccountId, Inbox, InboxStep, InLedger, LedgerId};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let inbox = MemoryInbox::new();
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let step = InboxStep { account, from: 0, to: 1 };
/// assert!(inbox.advance("mailer", &step).await?);
/// assert!(!inbox.advance("mailer", &step).await?, "seen before");
/// assert_eq!(inbox.positions("mailer", &[account]).await?, [1]);
/// # Ok::<(), wallet_core::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryInbox {
    positions: Arc<Mutex<Positions>>,
}

impl MemoryInbox {
    /// An inbox that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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
    ) -> Result<Vec<Version>, StoreError> {
        InboxStep::validate_consumer(consumer)?;
        let positions = self.lock();
        let of = positions.get(consumer);
        let position = |account| of.and_then(|of| of.get(account)).copied();
        let answers = accounts
            .iter()
            .map(|account| position(account).unwrap_or(0));
        Ok(answers.collect())
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError> {
        step.validate(consumer)?;
        let mut positions = self.lock();
        let of = positions.entry(consumer.to_owned()).or_default();
        if of.get(&step.account).copied().unwrap_or(0) != step.from {
            return Ok(false);
        }
        of.insert(step.account, step.to);
        Ok(true)
    }
}
