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
    /// What the kit may ask of the stores. A case that needs what is missing
    /// says so and proves nothing.
    fn capabilities(&self) -> Capabilities;

    /// A fresh, empty store, with its outbox, that takes its time from `clock`
    /// (where [`Capabilities::manual_clock`] says so). Whatever must live as
    /// long as the store (a temporary folder, a container) is the guard.
    async fn build(&self, clock: Arc<ManualClock>) -> Built;

    /// Runs a future to its end on this thread; a case calls it from several
    /// threads. A factory whose stores need a runtime replaces it.
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

/// What a [`StoreFactory`]'s stores can do for the kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// They take their time from the kit's clock. A store whose database has a
    /// clock of its own says no and passes the cases about time elsewhere.
    pub manual_clock: bool,
    /// They can be closed and opened again, which proves what is durable.
    pub reopen: bool,
}

/// A store under test.
#[derive(Debug)]
pub struct Built {
    /// Its two ports.
    pub handles: Handles,
    /// What lives as long, and opens it again.
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
    /// The books.
    pub store: Arc<dyn LedgerStore>,
    /// Its outbox.
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

/// Opens the store of a guard again.
#[async_trait]
pub trait Reopen: Debug + Send + Sync + 'static {
    /// Opens what is durable of the store anew, with nothing in memory from
    /// before; the kit has dropped its own handles. Called only where
    /// [`Capabilities::reopen`] says so.
    async fn reopen(&mut self) -> Handles;

    /// Opens it once more, beside the handles in use, as another process would;
    /// `None` where only one process can have it, and then the cases about two
    /// say so and prove nothing.
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
