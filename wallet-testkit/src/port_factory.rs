use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{ManualClock, block_on};

/// Makes adapters of a small port under test: a fresh, empty one for every case.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryLocks;
/// use wallet_testkit::{BuiltPort, ManualClock, PortFactory};
/// use wallet_core::locks::LockManager;
///
/// #[derive(Debug)]
/// struct Locks;
///
/// #[async_trait::async_trait]
/// impl PortFactory<dyn LockManager> for Locks {
///     async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<dyn LockManager> {
///         BuiltPort::new(Arc::new(MemoryLocks::new(clock)), ())
///     }
/// }
///
/// wallet_testkit::lock_manager_conformance!(Locks);
/// # fn main() {}
/// ```
#[async_trait]
pub trait PortFactory<P: ?Sized + Send + Sync + 'static>: Debug + Send + Sync + 'static {
    /// Builds a fresh adapter with the time from `clock`. The guard owns what must
    /// live as long (a server process).
    async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<P>;

    /// Runs a future to its end on this thread. A factory whose adapters need a
    /// runtime replaces it.
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

/// An adapter under test.
#[derive(Debug)]
pub struct BuiltPort<P: ?Sized> {
    port: Arc<P>,
    /// Declared after the port, so that it is dropped last.
    _guard: Box<dyn Any + Send + Sync>,
}

impl<P: ?Sized> BuiltPort<P> {
    /// An adapter and its guard; `()` where there is nothing to guard.
    #[must_use]
    pub fn new(port: Arc<P>, guard: impl Any + Send + Sync) -> Self {
        Self {
            port,
            _guard: Box::new(guard),
        }
    }
}

/// One adapter under test with its clock, which every case of a small port gets.
#[derive(Debug)]
pub struct PortKit<P: ?Sized> {
    built: BuiltPort<P>,
    clock: Arc<ManualClock>,
}

impl<P: ?Sized + Send + Sync + 'static> PortKit<P> {
    /// Builds a fresh adapter of `factory` and a clock at [`ManualClock::START`].
    pub async fn new(factory: &impl PortFactory<P>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let built = factory.build(Arc::clone(&clock)).await;
        Self { built, clock }
    }

    /// The adapter.
    #[must_use]
    pub fn port(&self) -> &P {
        &self.built.port
    }

    /// The clock that drives the adapter.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Moves the clock forward by this number of milliseconds.
    pub fn advance_ms(&self, by: u64) {
        self.advance(Duration::from_millis(by));
    }
}
