use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Tells the parts of a process that it is to stop, in the order in which they
/// began to wait: a `watch` of tokio wakes in an order that is random wherever
/// some crate of the same build turns its runtime on, and then no seed replays.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Stopping>);

#[derive(Debug, Default)]
struct Stopping {
    has_come: AtomicBool,
    news: Notify,
}

impl Stop {
    /// The process is to stop now.
    pub(super) fn now(&self) {
        self.0.has_come.store(true, Ordering::Relaxed);
        self.0.news.notify_waiters();
    }

    /// Returns once the process is to stop.
    pub async fn comes(&self) {
        // Made before looking, so that no news in between is missed.
        let news = pin!(self.0.news.notified());
        if !self.0.has_come.load(Ordering::Relaxed) {
            news.await;
        }
    }
}
