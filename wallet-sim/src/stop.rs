use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Notifies the parts of a process that it must stop, in the order in which they
/// began to wait. A tokio `watch` may wake in random order, if some crate of the
/// same build enables its runtime. Then no seed could be replayed.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Stopping>);

#[derive(Debug, Default)]
struct Stopping {
    has_come: AtomicBool,
    news: Notify,
}

impl Stop {
    /// Signals the stop.
    pub(super) fn now(&self) {
        self.0.has_come.store(true, Ordering::Relaxed);
        self.0.news.notify_waiters();
    }

    /// Returns once the process must stop.
    pub async fn comes(&self) {
        // Created before the check, so that no notification in between is missed.
        let news = pin!(self.0.news.notified());
        if !self.0.has_come.load(Ordering::Relaxed) {
            news.await;
        }
    }
}
