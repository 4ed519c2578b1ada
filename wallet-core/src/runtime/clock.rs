use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::ledger::Timestamp;

/// The time and timers. The core has no other source of time.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The current time. It may step back, and nothing in the ledger relies on a
    /// monotonic clock.
    fn now(&self) -> Timestamp;

    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock, with the timers of tokio.
#[cfg(feature = "tokio")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(feature = "tokio")]
#[async_trait]
impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this adapter is where the time comes from"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::EPOCH.saturating_add(since.unwrap_or_default())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
