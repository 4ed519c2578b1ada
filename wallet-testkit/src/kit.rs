use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Factory, ManualClock, Reopen};
use wallet_core::Timestamp;
use wallet_core::runtime::Clock;

/// One adapter under test with its clock, which every case gets.
///
/// The kit prints a note that begins with `NOT PROVEN` where an adapter lacks what a
/// case needs.
#[derive(Debug)]
pub struct Kit<P: ?Sized + Send + Sync + 'static> {
    factory: Arc<dyn Factory<P>>,
    port: Mutex<Option<Arc<P>>>,
    /// Declared after the port, so that it is dropped last.
    guard: tokio::sync::Mutex<Box<dyn Reopen<P>>>,
    clock: Arc<ManualClock>,
}

impl<P: ?Sized + Send + Sync + 'static> Kit<P> {
    /// Builds a fresh adapter of `factory` and a clock at [`ManualClock::START`].
    pub async fn new(factory: Arc<dyn Factory<P>>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let built = factory.build(Arc::clone(&clock)).await;
        Self {
            factory,
            port: Mutex::new(Some(built.port)),
            guard: tokio::sync::Mutex::new(built.guard),
            clock,
        }
    }

    /// A kit of another process on the same adapter. Prints a note where only one
    /// process can open it.
    pub async fn another(&self) -> Option<Self> {
        let Some(port) = self.guard.lock().await.open_another().await else {
            eprintln!("NOT PROVEN: only one process can open this adapter");
            return None;
        };
        Some(Self {
            factory: Arc::clone(&self.factory),
            port: Mutex::new(Some(port)),
            guard: tokio::sync::Mutex::new(Box::new(())),
            clock: Arc::clone(&self.clock),
        })
    }

    /// The factory of the adapter.
    #[must_use]
    pub fn factory(&self) -> &dyn Factory<P> {
        self.factory.as_ref()
    }

    /// The adapter.
    #[must_use]
    pub fn port(&self) -> Arc<P> {
        self.lock_port().clone().expect("the adapter is open")
    }

    /// The clock that drives the adapter, unless the adapter has its own.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The time of the kit's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the kit's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Moves the kit's clock forward by this number of milliseconds.
    pub fn advance_ms(&self, by: u64) {
        self.advance(Duration::from_millis(by));
    }

    /// Whether the adapter uses the kit's clock. Prints a note where it does not.
    #[must_use]
    pub fn drives_the_clock(&self) -> bool {
        let drives = self.factory.uses_the_clock();
        if !drives {
            eprintln!("NOT PROVEN: this adapter has a clock of its own");
        }
        drives
    }

    /// Whether the adapter can be reopened. Prints a note where it cannot.
    #[must_use]
    pub fn can_reopen(&self) -> bool {
        let can = self.factory.can_reopen();
        if !can {
            eprintln!("NOT PROVEN: this adapter cannot be opened again");
        }
        can
    }

    /// Closes the adapter and reopens it, where possible. Returns whether it can be
    /// reopened. Prints a note where it cannot.
    pub async fn reopen(&self) -> bool {
        self.reopen_quietly().await;
        self.can_reopen()
    }

    /// Closes the adapter and reopens it, where possible. Prints no note.
    pub(crate) async fn reopen_quietly(&self) {
        let mut guard = self.guard.lock().await;
        if !self.factory.can_reopen() {
            // A factory that forgot to say so would prove nothing and pass.
            let reopened = guard.reopen().await;
            let factory = &self.factory;
            assert!(reopened.is_none(), "{factory:?} denies that it can reopen");
            return;
        }
        drop(self.lock_port().take());
        let reopened = guard.reopen().await;
        let port = reopened.expect("the factory says that it can reopen");
        *self.lock_port() = Some(port);
    }

    fn lock_port(&self) -> MutexGuard<'_, Option<Arc<P>>> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
