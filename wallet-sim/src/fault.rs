use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wallet_core::store::StoreErrorKind;

/// What goes wrong with one call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It fails before it has any effect.
    Refuse(StoreErrorKind),
    /// It takes effect this much later, then answers.
    Delay(Duration),
    /// It takes effect; the answer comes this much later.
    DelayAnswer(Duration),
    /// It takes effect, and the answer is lost: `Indeterminate`.
    LoseAnswer,
    /// `Indeterminate` at once, while the commit is still under way: it takes
    /// effect this much later, and keeps its locks until then.
    CommitLater(Duration),
    /// The same, with what it writes still on its way to the store: it keeps its
    /// accounts and not its keys, which others may take before it arrives.
    ArriveLater(Duration),
    /// `Indeterminate`, and the commit never takes effect.
    Abandon,
}

/// A port beside the ledger's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// The outbox, as relays use it.
    Outbox,
    /// What events are published to.
    Publisher,
    /// What messages are received from.
    Queue,
    /// The cache of balances.
    Cache,
    /// The history of accounts.
    History,
    /// A consumer's database.
    Inbox,
}

/// Decides what goes wrong.
pub trait FaultPlan: Debug + Send + Sync + 'static {
    /// With the next commit.
    fn on_commit(&self) -> Fault;

    /// With the next reading call; only `Refuse`, `Delay` and `DelayAnswer`
    /// have a meaning there.
    fn on_read(&self) -> Fault;

    /// With the next call of another port; `CommitLater`, `ArriveLater` and
    /// `Abandon` have no meaning there.
    fn on_call(&self, port: Port) -> Fault;

    /// Whether a commit that meets what another one keeps goes on with the
    /// requests that do not need it, instead of failing as a whole.
    fn skips_kept(&self) -> bool;
}

/// Faults in the order in which they were written down, then none: for tests
/// of a single situation. Only commits fail.
#[derive(Debug, Default)]
pub struct ScriptedFaults(Mutex<VecDeque<Fault>>);

impl ScriptedFaults {
    /// These faults, one a commit.
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
