use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{ManualClock, block_on};

/// Makes adapters of a port under test: a fresh, empty one for every case.
///
/// `P` is the port, such as `dyn LockManager` or `dyn Inbox`. For a store it is
/// [`StoreEnds`](super::StoreEnds), for a queue [`QueueEnds`](super::QueueEnds).
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::locks::LockManager;
/// use wallet_core::memory::MemoryLocks;
/// use wallet_testkit::{Built, Factory, ManualClock};
///
/// #[derive(Debug)]
/// struct Locks;
///
/// #[async_trait::async_trait]
/// impl Factory<dyn LockManager> for Locks {
///     async fn build(&self, clock: Arc<ManualClock>) -> Built<dyn LockManager> {
///         Built::new(Arc::new(MemoryLocks::new(clock)), ())
///     }
/// }
///
/// wallet_testkit::lock_manager_conformance!(Locks);
/// # fn main() {}
/// ```
///
/// An adapter that is durable has a guard that opens it again:
///
/// ```
/// use std::sync::Arc;
/// use wallet_testkit::{Built, Factory, ManualClock, Reopen, StoreEnds};
///
/// # fn open(_: &File) -> Arc<StoreEnds> { unimplemented!() }
/// #[derive(Debug)]
/// struct MyStores;
///
/// #[derive(Debug)]
/// struct File {
///     // The path, the temporary folder.
///     clock: Arc<ManualClock>,
/// }
///
/// #[async_trait::async_trait]
/// impl Factory<StoreEnds> for MyStores {
///     fn can_reopen(&self) -> bool {
///         true
///     }
///
///     async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
///         let file = File { clock };
///         Built::new(open(&file), file)
///     }
/// }
///
/// #[async_trait::async_trait]
/// impl Reopen<StoreEnds> for File {
///     async fn reopen(&mut self) -> Option<Arc<StoreEnds>> {
///         Some(open(self))
///     }
/// }
///
/// wallet_testkit::ledger_store_conformance!(MyStores);
/// wallet_testkit::outbox_conformance!(MyStores);
/// # fn main() {}
/// ```
#[async_trait]
pub trait Factory<P: ?Sized + Send + Sync + 'static>: Debug + Send + Sync + 'static {
    /// Whether adapters use the kit's clock. A store whose database has its own
    /// clock returns `false` and passes the cases about time elsewhere.
    fn uses_the_clock(&self) -> bool {
        true
    }

    /// Whether adapters can be closed and reopened, which proves durability. If so,
    /// [`Reopen::reopen`] returns `Some`. Otherwise the cases about durability print
    /// that and prove nothing.
    fn can_reopen(&self) -> bool {
        false
    }

    /// Builds a fresh, empty adapter. It takes its time from `clock` where
    /// [`uses_the_clock`](Self::uses_the_clock) is `true`. The guard owns what must
    /// live as long as the adapter (a temporary folder, a server process).
    async fn build(&self, clock: Arc<ManualClock>) -> Built<P>;

    /// Runs a future to its end on this thread. A case calls it from several
    /// threads. A factory whose adapters need a runtime replaces it.
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

/// An adapter under test.
#[derive(Debug)]
pub struct Built<P: ?Sized + Send + Sync + 'static> {
    /// The adapter.
    pub port: Arc<P>,
    /// The guard, which lives as long as the adapter and can reopen it. It stands
    /// after the port, so that it is dropped last.
    pub guard: Box<dyn Reopen<P>>,
}

impl<P: ?Sized + Send + Sync + 'static> Built<P> {
    /// An adapter and its guard; `()` where there is nothing to guard.
    #[must_use]
    pub fn new(port: Arc<P>, guard: impl Reopen<P>) -> Self {
        let guard = Box::new(guard);
        Self { port, guard }
    }
}

/// Reopens the adapter of a guard.
#[async_trait]
pub trait Reopen<P: ?Sized + Send + Sync + 'static>: Debug + Send + Sync + 'static {
    /// Opens the durable state again, with no earlier memory. The kit has dropped
    /// its own handle. `None` where nothing is durable; see
    /// [`Factory::can_reopen`].
    async fn reopen(&mut self) -> Option<Arc<P>> {
        None
    }

    /// Opens the adapter once more, beside the one in use, as another process
    /// would. `None` where only one process can open it. Then the cases about two
    /// processes print that and prove nothing.
    async fn open_another(&mut self) -> Option<Arc<P>> {
        None
    }
}

impl<P: ?Sized + Send + Sync + 'static> Reopen<P> for () {}

/// A guard that owns a value and reopens nothing. It fits a value of another crate,
/// such as a server process.
pub struct Guard<T>(pub T);

impl<T> Debug for Guard<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").finish_non_exhaustive()
    }
}

impl<P, T> Reopen<P> for Guard<T>
where
    P: ?Sized + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
}
