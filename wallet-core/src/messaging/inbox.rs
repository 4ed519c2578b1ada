use std::fmt::Debug;

use async_trait::async_trait;

use crate::ledger::{AccountKey, Position, Restore};
use crate::store::{StoreError, StoreErrorKind};

/// The inbox: records for each consumer and account the position of the last event
/// that the consumer has seen. An event is one version of one account in one epoch.
/// So all events up to the position have been seen. Positions are ordered by epoch,
/// then by version.
///
/// This port runs its own transactions. Where an effect and its event must be
/// recorded together, the consumer records the step in its own transaction. It uses
/// the inbox of the database that it writes to.
///
/// Names of consumers are compared byte by byte.
#[async_trait]
pub trait Inbox: Debug + Send + Sync + 'static {
    /// Returns the position of each account in the order of `accounts`;
    /// [`Position::START`] where no event was seen. A repeated account gets a
    /// repeated answer.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](StoreErrorKind::Invalid) for a consumer's name
    /// that is empty or longer than 128 bytes.
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError>;

    /// Moves the position of an account, durably. Returns whether the account was
    /// at the start of the step. If not, nothing changes. Of concurrent equal
    /// steps, exactly one returns `true`.
    ///
    /// # Errors
    /// - [`Invalid`](StoreErrorKind::Invalid): the step does not lead forward, or
    ///   the consumer's name is empty or longer than 128 bytes.
    /// - [`Indeterminate`](StoreErrorKind::Indeterminate): the result is unknown,
    ///   and must not be taken for `true` or `false`. Repeat the same step. `true`
    ///   means that the position moved only now. `false` means that it had moved
    ///   before, by the first call or by another process.
    /// - Any other error: the position did not move.
    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError>;

    /// Returns the restores that a consumer was notified of, by epoch. It is empty
    /// where there was no notification. The ledger's database may have lost some of
    /// them in a later restore.
    ///
    /// # Errors
    /// The same as [`positions`](Self::positions).
    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError>;

    /// Records a restore that a consumer was notified of, durably. The call is
    /// idempotent. Of two times for one epoch, the earlier one is recorded.
    ///
    /// # Errors
    /// The same as [`positions`](Self::positions). Where the result is unknown,
    /// call again.
    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError>;
}

/// A step of a consumer: it has seen an account's events up to a position.
///
/// ```
/// use wallet_core::{AccountId, LedgerId};
/// use wallet_core::ledger::{Epoch, InLedger, Position};
/// use wallet_core::messaging::InboxStep;
/// use wallet_core::store::StoreErrorKind;
///
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let at = |version| Position::new(Epoch::FIRST, version);
/// let step = InboxStep { account, from: at(3), to: at(4) };
/// assert!(step.validate("mailer").is_ok());
/// let back = InboxStep { account, from: at(4), to: at(3) };
/// assert_eq!(back.validate("mailer").unwrap_err().kind(), StoreErrorKind::Invalid);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InboxStep {
    /// The account of the events.
    pub account: AccountKey,
    /// The position before the step; [`Position::START`] where no event was seen.
    pub from: Position,
    /// The position after the step. It is greater than `from`.
    pub to: Position,
}

impl InboxStep {
    /// The greatest length of a consumer's name, in bytes.
    pub const CONSUMER_BYTES_MAX: usize = 128;

    /// Checks the rules of every inbox.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate(&self, consumer: &str) -> Result<(), StoreError> {
        Self::validate_consumer(consumer)?;
        let Self { from, to, .. } = self;
        let is_start = from.version > 0 || *from == Position::START;
        if !is_start || to.version < 1 || to <= from {
            return Err(invalid("a step of an inbox leads forward"));
        }
        Ok(())
    }

    /// Checks a consumer's name.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate_consumer(consumer: &str) -> Result<(), StoreError> {
        if consumer.is_empty() || consumer.len() > Self::CONSUMER_BYTES_MAX {
            return Err(invalid("a consumer's name has 1 to 128 bytes"));
        }
        Ok(())
    }
}

fn invalid(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}
