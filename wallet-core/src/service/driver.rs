use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, Either, FutureExt, join, join_all, select};
use tokio::sync::watch;

use super::shared::Shared;
use super::{committer, pending, sweep};

/// Runs the service: the committers, the sweep, and the write-behind of balances.
/// It ends once the service is shut down and the queue is empty. Until then a task
/// of the host's runtime must poll it.
///
/// Dropping the driver answers every caller at once: `Indeterminate` where a
/// committer had taken the request, `ShuttingDown` otherwise.
#[must_use = "nothing is committed unless the driver is polled"]
pub struct Driver {
    shared: Arc<Shared>,
    work: Option<BoxFuture<'static, ()>>,
    has_ended: watch::Sender<bool>,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, has_ended: watch::Sender<bool>) -> Self {
        let count = shared.settings.committers_max();
        let committers = (0..count).map(|_| committer::run(Arc::clone(&shared)));
        let committers = join_all(committers.collect::<Vec<_>>());
        let beside = join(
            sweep::run(Arc::clone(&shared)),
            pending::run(Arc::clone(&shared)),
        );
        let last = Arc::clone(&shared);
        let work = async move {
            let (committers, beside) = (std::pin::pin!(committers), std::pin::pin!(beside));
            // The sweep never ends by itself. It waits for answers of the committers, so
            // it ends with them.
            match select(committers, beside).await {
                Either::Left(_) => {}
                Either::Right((_, committers)) => {
                    committers.await;
                }
            }
            pending::finish(&last).await;
        };
        Self {
            shared,
            work: Some(work.boxed()),
            has_ended,
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(work) = self.work.as_mut() else {
            return Poll::Ready(());
        };
        if work.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.work = None;
        self.has_ended.send_replace(true);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.queue.abandon();
        // Drops the batches in flight. Their tickets answer as they are dropped.
        self.work = None;
        self.has_ended.send_replace(true);
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let has_ended = self.work.is_none();
        f.debug_struct("Driver")
            .field("has_ended", &has_ended)
            .finish_non_exhaustive()
    }
}
