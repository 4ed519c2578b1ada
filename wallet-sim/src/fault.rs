use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wallet_core::store::StoreErrorKind;

/// The fault of one call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    None,
    /// The call fails before it has any effect.
    Refuse(StoreErrorKind),
    /// The call takes effect this much later, then answers.
    Delay(Duration),
    /// The call takes effect, and the answer arrives this much later.
    DelayAnswer(Duration),
    /// The call takes effect, and the answer is lost: `Indeterminate`.
    LoseAnswer,
    /// `Indeterminate` at once, while the commit is still in flight. The commit
    /// takes effect this much later, and holds its locks until then.
    CommitLater(Duration),
    /// `Indeterminate` at once, while the commit is still on its way to the store.
    /// It locks its accounts but not its keys, which others may use before it
    /// arrives.
    ArriveLater(Duration),
    /// `Indeterminate`, and the commit never takes effect.
    Abandon,
}

/// A port beside the ledger's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// The outbox, as relays use it.
    Outbox,
    /// The publisher of events.
    Publisher,
    /// The queue that messages are received from.
    Queue,
    /// The cache of balances.
    Cache,
    /// The history of accounts.
    History,
    /// A consumer's database.
    Inbox,
}

/// Chooses the fault of each call.
pub trait FaultPlan: Debug + Send + Sync + 'static {
    /// The fault of the next commit.
    fn on_commit(&self) -> Fault;

    /// The fault of the next read. Only `Refuse`, `Delay` and `DelayAnswer` are
    /// valid there.
    fn on_read(&self) -> Fault;

    /// The fault of the next call of another port. `CommitLater`, `ArriveLater` and
    /// `Abandon` are not valid there.
    fn on_call(&self, port: Port) -> Fault;

    /// Whether a commit that meets a locked row continues with the unaffected
    /// requests, instead of failing as a whole.
    fn skips_kept(&self) -> bool;
}

/// Faults in the given order, then none: for tests of a single situation. Only
/// commits fail.
#[derive(Debug, Default)]
pub struct ScriptedFaults(Mutex<VecDeque<Fault>>);

impl ScriptedFaults {
    /// These faults, one per commit.
    #[must_use]
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(Mutex::new(faults.into_iter().collect()))
    }
}

impl FaultPlan for ScriptedFaults {
    fn on_commit(&self) -> Fault {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.pop_front().unwrap_or(Fault::None)
    }

    fn on_read(&self) -> Fault {
        Fault::None
    }

    fn on_call(&self, _: Port) -> Fault {
        Fault::None
    }

    fn skips_kept(&self) -> bool {
        false
    }
}
