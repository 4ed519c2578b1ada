use std::fmt::Debug;

use async_trait::async_trait;

use crate::{AccountKey, StoreError, Version};

/// Remembers, for each consumer, up to which version it has seen each account's
/// events. An event is one version of one account, so that this tells every
/// event seen: those up to the position.
///
/// This is the inbox in transactions of its own. Where an effect and its event
/// must be recorded together, a consumer records the step in its own
/// transaction, with the inbox of the database that it writes to.
#[async_trait]
pub trait Inbox: Debug + Send + Sync + 'static {
    /// The position of each account, in order; 0 where no event was seen.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Version>, StoreError>;

    /// Moves the position of an account, durably; answers whether it stood where
    /// the step begins. Nothing changes where it did not.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](crate::StoreErrorKind::Invalid) for a step
    /// that does not lead forward, or a consumer's name of more than 128 bytes
    /// or none.
    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError>;
}

/// A step of a consumer: it has seen an account's events up to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InboxStep {
    /// Whose events.
    pub account: AccountKey,
    /// Where the consumer stood before; 0 where it had seen none.
    pub from: Version,
    /// Where it stands now: greater.
    pub to: Version,
}

impl InboxStep {
    /// The greatest length of a consumer's name, in bytes.
    pub const CONSUMER_BYTES_MAX: usize = 128;

    /// Checks what every inbox refuses.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate(&self, consumer: &str) -> Result<(), StoreError> {
        let invalid = |context| StoreError::new(crate::StoreErrorKind::Invalid, context);
        if consumer.is_empty() || consumer.len() > Self::CONSUMER_BYTES_MAX {
            return Err(invalid("a consumer's name has 1 to 128 bytes"));
        }
        if self.from < 0 || self.to <= self.from {
            return Err(invalid("a step of an inbox leads forward"));
        }
        Ok(())
    }
}
