use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::block_on;
use wallet_core::history::HistoryStore;

/// Makes the histories under test: a fresh, empty one for every case.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryHistory;
/// use wallet_testkit::history::{BuiltHistory, HistoryFactory};
///
/// #[derive(Debug)]
/// struct MyHistories;
///
/// #[async_trait::async_trait]
/// impl HistoryFactory for MyHistories {
///     async fn build(&self) -> BuiltHistory {
///         BuiltHistory::new(Arc::new(MemoryHistory::new()), ())
///     }
/// }
///
/// wallet_testkit::history_conformance!(MyHistories);
/// # fn main() {}
/// ```
#[async_trait]
pub trait HistoryFactory: Debug + Send + Sync + 'static {
    /// Builds a fresh, empty history. The guard owns what must live as long (a
    /// temporary folder, a database).
    async fn build(&self) -> BuiltHistory;

    /// Runs a future to its end on this thread. A case calls it from several
    /// threads. A factory whose histories need a runtime replaces it.
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

/// A history under test.
#[derive(Debug)]
pub struct BuiltHistory {
    /// The port.
    pub history: Arc<dyn HistoryStore>,
    /// The guard, which lives as long as the history and can reopen it.
    pub guard: Box<dyn OpenHistory>,
}

impl BuiltHistory {
    /// A history and its guard; `()` where there is nothing to guard.
    #[must_use]
    pub fn new(history: Arc<dyn HistoryStore>, guard: impl OpenHistory) -> Self {
        let guard = Box::new(guard);
        Self { history, guard }
    }
}

/// Opens the history of a guard once more.
#[async_trait]
pub trait OpenHistory: Debug + Send + Sync + 'static {
    /// Opens the durable state with no earlier memory, as another process would.
    /// `None` where nothing is durable. Then the cases about durability print that
    /// and prove nothing.
    async fn open(&self) -> Option<Arc<dyn HistoryStore>>;
}

#[async_trait]
impl OpenHistory for () {
    async fn open(&self) -> Option<Arc<dyn HistoryStore>> {
        None
    }
}
