use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::Timestamp;
use wallet_core::runtime::Clock;
use wallet_testkit::ManualClock;

/// The clock of one machine. Its time differs from the world's, and it sleeps for
/// the same durations.
#[derive(Debug)]
pub struct SkewedClock {
    world: Arc<ManualClock>,
    /// The offset to the world's clock in microseconds; positive when ahead.
    ahead: AtomicI64,
}

impl SkewedClock {
    /// A clock without offset.
    #[must_use]
    pub const fn new(world: Arc<ManualClock>) -> Self {
        Self {
            world,
            ahead: AtomicI64::new(0),
        }
    }

    /// Sets the offset to the world's clock, in microseconds; negative when behind.
    pub fn set_ahead(&self, micros: i64) {
        self.ahead.store(micros, Ordering::Relaxed);
    }

    /// The offset to the world's clock, in microseconds.
    #[must_use]
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let now = self.world.now().as_micros();
        Timestamp::from_micros(now.saturating_add(self.ahead()))
    }

    // Written as the macro would expand it, without a box around the world's own
    // future.
    fn sleep<'life0, 'async_trait>(
        &'life0 self,
        duration: Duration,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        self.world.sleep(duration)
    }
}
