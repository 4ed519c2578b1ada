use std::fmt::Debug;

use async_trait::async_trait;

use crate::ledger::{AccountKey, Position, Restore};
use crate::store::{StoreError, StoreErrorKind};

/// Remembers, for each consumer, up to which position it has seen each account's
/// events. An event is one version of one account in one epoch, so that this tells
/// every event seen: those up to the position. Positions are ordered by epoch, then
/// by version.
///
/// This is the inbox in transactions of its own. Where an effect and its event
/// must be recorded together, a consumer records the step in its own
/// transaction, with the inbox of the database that it writes to.
///
/// Names of consumers are compared byte by byte.
#[async_trait]
pub trait Inbox: Debug + Send + Sync + 'static {
    /// The position of each account, in the order asked, as often as it is asked
    /// for; [`Position::START`] where no event was seen.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](StoreErrorKind::Invalid) for a consumer's name
    /// of more than 128 bytes or none.
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError>;

    /// Moves the position of an account, durably; answers whether it stood where
    /// the step begins. Nothing changes where it did not. Of equal steps at once
    /// one is answered `true`.
    ///
    /// # Errors
    /// - [`Invalid`](StoreErrorKind::Invalid): the step does not lead forward, or
    ///   the consumer's name has more than 128 bytes or none.
    /// - [`Indeterminate`](StoreErrorKind::Indeterminate): whether it moved is not
    ///   known. Take it for neither answer. The same step again settles it: `true`
    ///   says that it moved only now; `false` that it had moved before, be it by
    ///   the first call or by somebody else.
    /// - Any other: it did not move.
    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError>;

    /// The restores that a consumer was told of, by epoch; none where it was told of
    /// none. The ledger's database may have forgotten some of them, when it was
    /// restored again.
    ///
    /// # Errors
    /// As [`positions`](Self::positions).
    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError>;

    /// Notes a restore that a consumer was told of, durably. Noting twice is noting
    /// once; of two times for one epoch the earlier one counts.
    ///
    /// # Errors
    /// As [`positions`](Self::positions). Where it may be noted or not, note it again.
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
    /// Whose events.
    pub account: AccountKey,
    /// Where the consumer stood before; [`Position::START`] where it had seen none.
    pub from: Position,
    /// Where it stands now: greater.
    pub to: Position,
}

impl InboxStep {
    /// The greatest length of a consumer's name, in bytes.
    pub const CONSUMER_BYTES_MAX: usize = 128;

    /// Checks what every inbox refuses.
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
