use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{ManualClock, block_on};
use wallet_core::store::{LedgerStore, Outbox};

/// Makes the stores under test: a fresh, empty one for every case.
///
/// ```
/// use std::sync::Arc;
/// use wallet_testkit::{Built, Capabilities, Handles, ManualClock, StoreFactory};
/// use wallet_core::store::{LedgerStore, Outbox};
///
/// # fn open(_: Arc<ManualClock>) -> Handles { unimplemented!() }
/// #[derive(Debug)]
/// struct MyStores;
///
/// #[async_trait::async_trait]
/// impl StoreFactory for MyStores {
///     fn capabilities(&self) -> Capabilities {
///         Capabilities { manual_clock: true, reopen: false }
///     }
///
///     async fn build(&self, clock: Arc<ManualClock>) -> Built {
///         Built::new(open(clock), ())
///     }
/// }
///
/// wallet_testkit::ledger_store_conformance!(MyStores);
/// wallet_testkit::outbox_conformance!(MyStores);
/// # fn main() {}
/// ```
#[async_trait]
pub trait StoreFactory: Debug + Send + Sync + 'static {
    /// The capabilities of the stores. A case without a required capability prints
    /// that and proves nothing.
    fn capabilities(&self) -> Capabilities;

    /// Builds a fresh, empty store with its outbox. It takes its time from `clock`,
    /// where [`Capabilities::manual_clock`] is set. The guard owns what must live
    /// as long as the store (a temporary folder, a container).
    async fn build(&self, clock: Arc<ManualClock>) -> Built;

    /// Runs a future to its end on this thread. A case calls it from several
    /// threads. A factory whose stores need a runtime replaces it.
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

/// The capabilities of a [`StoreFactory`]'s stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The stores use the kit's clock. A store whose database has its own clock
    /// sets `false` and passes the cases about time elsewhere.
    pub manual_clock: bool,
    /// The stores can be closed and reopened, which proves durability.
    pub reopen: bool,
}

/// A store under test.
#[derive(Debug)]
pub struct Built {
    /// The two ports of the store.
    pub handles: Handles,
    /// The guard, which lives as long as the store and can reopen it.
    pub guard: Box<dyn Reopen>,
}

impl Built {
    /// A store and its guard; `()` where there is nothing to guard.
    #[must_use]
    pub fn new(handles: Handles, guard: impl Reopen) -> Self {
        let guard = Box::new(guard);
        Self { handles, guard }
    }
}

/// The two ports of one store.
#[derive(Debug, Clone)]
pub struct Handles {
    /// The ledger store.
    pub store: Arc<dyn LedgerStore>,
    /// The outbox of the store.
    pub outbox: Arc<dyn Outbox>,
}

impl Handles {
    /// Both ports of a store that implements both.
    #[must_use]
    pub fn of<S: LedgerStore + Outbox>(store: Arc<S>) -> Self {
        Self {
            outbox: Arc::<S>::clone(&store),
            store,
        }
    }
}

/// Reopens the store of a guard.
#[async_trait]
pub trait Reopen: Debug + Send + Sync + 'static {
    /// Opens the durable state again, with no earlier memory. The kit has dropped
    /// its own handles. It is called only where [`Capabilities::reopen`] is set.
    async fn reopen(&mut self) -> Handles;

    /// Opens the store once more, beside the handles in use, as another process
    /// would. `None` where only one process can open it. Then the cases about two
    /// processes print that and prove nothing.
    async fn open_another(&mut self) -> Option<Handles> {
        None
    }
}

#[async_trait]
impl Reopen for () {
    async fn reopen(&mut self) -> Handles {
        panic!("this store cannot be opened again: say so in its capabilities");
    }
}
