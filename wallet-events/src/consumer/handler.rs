use std::fmt::Debug;

use async_trait::async_trait;
use thiserror::Error;
use wallet_core::ledger::{Epoch, Restore};
use wallet_core::messaging::InboxStep;
use wallet_core::{Account, Entry};

use crate::Event;

/// Carries out what an event means to somebody.
///
/// ```
/// use wallet_events::{Delivery, EventHandler, Handled, HandlerError};
///
/// /// Prints what happened: an effect that does no harm when it happens twice.
/// #[derive(Debug)]
/// struct Printer;
///
/// #[async_trait::async_trait]
/// impl EventHandler for Printer {
///     async fn handle(&self, delivery: &Delivery) -> Result<Handled, HandlerError> {
///         println!("{}: {:?}", delivery.event.id(), delivery.event.kind);
///         Ok(Handled::Unrecorded)
///     }
/// }
/// ```
#[async_trait]
pub trait EventHandler: Debug + Send + Sync + 'static {
    /// Carries out one event. Those of an account come one after the other.
    ///
    /// To have its effect exactly once, record [`Delivery::step`] in the
    /// transaction of the effect: commit both and answer
    /// [`Recorded`](Handled::Recorded), or where the step could not be recorded
    /// roll both back and answer [`Moved`](Handled::Moved).
    ///
    /// # Errors
    /// [`HandlerError`]: nothing was done; the event comes again.
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, HandlerError>;

    /// The ledger's database went back to an earlier state: effects of epochs before
    /// [`Restore::epoch`] that happened after [`Restore::restored_to`] may be gone.
    /// Discard what came of them, of every account; what the database still holds of
    /// them comes again ([`Missed`]) with the next event of its account, or is read
    /// from the ledger at once. Events of them that are still under way are passed
    /// over.
    ///
    /// It is called before the first event that tells of the restore is handled, while
    /// nothing else is. It may be called several times for one restore: each process of
    /// the consumer that is running calls it, and one that dies before it has noted the
    /// call lets the next one call again. [`Restore::restored_to`] may be earlier than
    /// the ledger says, where the ledger has forgotten an earlier restore.
    ///
    /// Keep [`Delivery::epoch`] beside what an event came to, and beside what came with
    /// it as [`Missed`]; discard only where that is before the restore's. The epoch of
    /// an entry itself does not do: what the database still holds keeps its old one.
    /// Doing nothing is right for effects that cannot be taken back, such as mails.
    ///
    /// # Errors
    /// [`HandlerError`]: the event that told of it comes again.
    async fn restored(&self, restore: &Restore) -> Result<(), HandlerError> {
        let _ = restore;
        Ok(())
    }
}

/// An event for a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// The step that it is, for the inbox.
    pub step: InboxStep,
    /// The restore that lies between the ends of the step, where it leads to another
    /// epoch: [`EventHandler::restored`] was called for it. Without a ledger it is
    /// not known what lies between: read the account yourself.
    pub restored: Option<Restore>,
    /// What happened to the account since the last event that was seen, where
    /// that is not the one before.
    pub missed: Option<Missed>,
}

impl Delivery {
    /// The epoch in which the database is known to hold the event and what was
    /// missed before it.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.event.epoch
    }
}

/// What the ledger says of versions whose events did not come, or, after a restore,
/// of all that it holds past the time that it went back to.
///
/// Entries tell every movement of money. Changes of status and limits, and holds
/// that were placed or ended, have none: how the account stands now is all that
/// is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The account as it stands now, maybe further than the event.
    pub account: Account,
    /// The entries of the missing versions, in order.
    pub entries: Vec<Entry>,
}

/// How an event was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The step is recorded, together with the effect.
    Recorded,
    /// The account does not stand where the step begins, and nothing was done:
    /// another process of this consumer was first. The event is looked at again.
    Moved,
    /// It is not: the consumer records it now. A crash between the two lets the
    /// effect happen twice.
    Unrecorded,
}

/// Why an event could not be handled: in words, for people.
#[derive(Debug, Error)]
#[error("the handler failed: {reason}")]
pub struct HandlerError {
    reason: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl HandlerError {
    /// Why.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        let (reason, source) = (reason.into(), None);
        Self { reason, source }
    }

    /// The same with what caused it.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}
