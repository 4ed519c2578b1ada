use std::fmt::Debug;

use async_trait::async_trait;
use wallet_core::ledger::{Epoch, Restore};
use wallet_core::messaging::{DeliveryError, InboxStep};
use wallet_core::{Account, Entry};

use crate::Event;

/// Carries out the effect of an event.
///
/// A panic counts as a failure with the panic's text: the event comes again, and other
/// accounts continue. So the handler must be usable after a panic. A standard library
/// `Mutex` that was locked at that time is poisoned. With `panic = "abort"` in the
/// host's profile, a panic ends the process.
///
/// A call of [`handle`](EventHandler::handle) that takes longer than the setting
/// `handler_wait` counts as a failure too. Its future is dropped where it waits: an open
/// transaction must roll back when it is dropped. If the effect was committed and recorded
/// by then, the event comes again and is skipped. A handler that blocks its thread is not
/// interrupted, so blocking work belongs on a thread of its own.
///
/// ```
/// use wallet_core::messaging::DeliveryError;
/// use wallet_events::{Delivery, EventHandler, Handled};
///
/// /// Prints what happened: an effect that does no harm when it happens twice.
/// #[derive(Debug)]
/// struct Printer;
///
/// #[async_trait::async_trait]
/// impl EventHandler for Printer {
///     async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError> {
///         println!("{}: {:?}", delivery.event.id(), delivery.event.kind);
///         Ok(Handled::Unrecorded)
///     }
/// }
/// ```
#[async_trait]
pub trait EventHandler: Debug + Send + Sync + 'static {
    /// Carries out one event. The events of an account come one after the other.
    ///
    /// To have its effect exactly once, record [`Delivery::step`] in the
    /// transaction of the effect: commit both and answer
    /// [`Recorded`](Handled::Recorded), or where the step could not be recorded
    /// roll both back and answer [`Moved`](Handled::Moved).
    ///
    /// # Errors
    /// [`DeliveryError`]: nothing was done; the event comes again.
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError>;

    /// The ledger's database went back to an earlier state. Effects of epochs before
    /// [`Restore::epoch`] that happened after [`Restore::restored_to`] may be gone.
    /// Discard what came of them, for every account. What the database still holds of
    /// them comes again ([`Missed`]) with the next event of its account, or can be read
    /// from the ledger at once. Events of them that are still in the queue are skipped.
    ///
    /// The consumer calls it before it handles the first event that reports the restore,
    /// and handles no other event meanwhile. It may be called several times for one
    /// restore. Each running process of the consumer calls it. A process that crashes
    /// before it has recorded the call makes the next process call again.
    /// [`Restore::restored_to`] may be earlier than in the ledger, if the ledger has
    /// forgotten an earlier restore.
    ///
    /// Store [`Delivery::epoch`] with the result of an event, and with what came as
    /// [`Missed`]. Discard only results with an epoch before the restore's. The epoch of
    /// an entry is not enough: what the database still holds keeps its old epoch. For
    /// effects that cannot be undone, such as mails, do nothing.
    ///
    /// No time limit applies: to discard may take long.
    ///
    /// # Errors
    /// [`DeliveryError`]: the event that reported the restore comes again.
    async fn restored(&self, restore: &Restore) -> Result<(), DeliveryError> {
        let _ = restore;
        Ok(())
    }
}

/// An event for a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// The step of the event, for the inbox.
    pub step: InboxStep,
    /// The restore between the ends of the step, if the step leads to another epoch:
    /// [`EventHandler::restored`] was called for it. Without a ledger the missed changes
    /// are not known: read the account yourself.
    pub restored: Option<Restore>,
    /// What happened to the account since the last seen event, if events are missing in
    /// between.
    pub missed: Option<Missed>,
}

impl Delivery {
    /// The latest epoch in which the database is known to hold the event and what was
    /// missed before it.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.event.epoch
    }
}

/// What the ledger holds of versions without an event. After a restore: what it holds
/// past the time that it was restored to.
///
/// Entries report every movement of money. Changes of status or limits, and holds that
/// were placed or ended, have no entry; only the account's present state shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The account's present state, possibly later than the event.
    pub account: Account,
    /// The entries of the missing versions, in order.
    pub entries: Vec<Entry>,
}

/// How an event was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The handler recorded the step together with the effect.
    Recorded,
    /// The account's position is not at the beginning of the step, and nothing was done:
    /// another process of this consumer was first. The consumer checks the event again.
    Moved,
    /// The handler did not record the step: the consumer records it now. A crash between
    /// the two makes the effect happen twice.
    Unrecorded,
}
