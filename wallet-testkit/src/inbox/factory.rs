use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::block_on;
use wallet_core::messaging::Inbox;

/// Makes the inboxes under test: a fresh, empty one for every case.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryInbox;
/// use wallet_testkit::inbox::{BuiltInbox, InboxFactory};
///
/// #[derive(Debug)]
/// struct MyInboxes;
///
/// #[async_trait::async_trait]
/// impl InboxFactory for MyInboxes {
///     async fn build(&self) -> BuiltInbox {
///         BuiltInbox::new(Arc::new(MemoryInbox::new()), ())
///     }
/// }
///
/// wallet_testkit::inbox_conformance!(MyInboxes);
/// # fn main() {}
/// ```
#[async_trait]
pub trait InboxFactory: Debug + Send + Sync + 'static {
    /// Builds a fresh, empty inbox. The guard owns what must live as long (a
    /// temporary folder, a database).
    async fn build(&self) -> BuiltInbox;

    /// Runs a future to its end on this thread. A case calls it from several
    /// threads. A factory whose inboxes need a runtime replaces it.
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

/// An inbox under test.
#[derive(Debug)]
pub struct BuiltInbox {
    /// The port.
    pub inbox: Arc<dyn Inbox>,
    /// The guard, which lives as long as the inbox and can reopen it.
    pub guard: Box<dyn OpenInbox>,
}

impl BuiltInbox {
    /// An inbox and its guard; `()` where there is nothing to guard.
    #[must_use]
    pub fn new(inbox: Arc<dyn Inbox>, guard: impl OpenInbox) -> Self {
        let guard = Box::new(guard);
        Self { inbox, guard }
    }
}

/// Opens the inbox of a guard once more.
#[async_trait]
pub trait OpenInbox: Debug + Send + Sync + 'static {
    /// Opens the durable state with no earlier memory, as another process would.
    /// `None` where nothing is durable. Then the cases about durability print that
    /// and prove nothing.
    async fn open(&self) -> Option<Arc<dyn Inbox>>;
}

#[async_trait]
impl OpenInbox for () {
    async fn open(&self) -> Option<Arc<dyn Inbox>> {
        None
    }
}
