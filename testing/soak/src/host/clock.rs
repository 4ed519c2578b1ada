use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::runtime::Clock;
use wallet_core::{SystemClock, Timestamp};

/// The machine's clock with an adjustable offset.
#[derive(Debug, Default)]
pub(crate) struct SteppedClock {
    off_micros: AtomicI64,
}

impl SteppedClock {
    /// Sets the offset.
    pub(crate) fn step(&self, off_micros: i64) {
        self.off_micros.store(off_micros, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        let off = self.off_micros.load(Ordering::Relaxed);
        Timestamp::from_micros(SystemClock.now().as_micros().saturating_add(off))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}
