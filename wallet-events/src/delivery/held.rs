use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use wallet_core::messaging::{DeliveryError, MessageQueue, Received};
use wallet_core::runtime::Clock;

/// The shortest pause between two extensions. Without it, a visibility timeout of 0 would
/// leave no time for the work.
const SHORTEST_BEAT: Duration = Duration::from_millis(100);

/// Queue calls in flight at a time.
const AT_ONCE: usize = 10;

/// Messages in flight: received by this process and not yet deleted or given back. Their
/// visibility timeout is extended, so that no other receiver gets them.
#[derive(Debug)]
pub(crate) struct HeldMessages<'a> {
    queue: &'a dyn MessageQueue,
    clock: &'a dyn Clock,
    visibility: Duration,
    /// Messages by the order in which they were received.
    receipts: Mutex<BTreeMap<usize, String>>,
}

impl<'a> HeldMessages<'a> {
    pub(crate) fn new(
        queue: &'a dyn MessageQueue,
        clock: &'a dyn Clock,
        visibility: Duration,
    ) -> Self {
        Self {
            queue,
            clock,
            visibility,
            receipts: Mutex::default(),
        }
    }

    /// Adds received messages, numbered from `first` on.
    pub(crate) fn take(&self, first: usize, received: &[Received]) {
        let numbers = first..;
        let receipts = received.iter().map(|received| received.receipt.clone());
        self.receipts().extend(numbers.zip(receipts));
    }

    /// Runs `work` and extends the visibility timeout of all messages in flight at every
    /// third of it. A failed extension does not stop the work: another receiver may get
    /// the message, which is then delivered twice.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let third = self.visibility.checked_div(3).unwrap_or_default();
        let third = third.max(SHORTEST_BEAT);
        let beats = async {
            loop {
                self.clock.sleep(third).await;
                let receipts: Vec<_> = self.receipts().values().cloned().collect();
                for some in receipts.chunks(AT_ONCE) {
                    let extend = |receipt| self.queue.extend(receipt, self.visibility);
                    join_all(some.iter().map(|receipt| extend(receipt))).await;
                }
            }
        };
        match select(pin!(work), pin!(beats)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => never,
        }
    }

    /// Deletes messages in one call. Returns the results in the order of `numbers`. A
    /// message that could not be deleted returns when its visibility timeout ends.
    pub(crate) async fn delete(&self, numbers: &[usize]) -> Vec<Result<(), DeliveryError>> {
        let taken: Vec<_> = {
            let mut receipts = self.receipts();
            numbers
                .iter()
                .map(|number| receipts.remove(number))
                .collect()
        };
        let receipts: Vec<_> = taken.iter().flatten().cloned().collect();
        if receipts.is_empty() {
            return taken.iter().map(|_| Ok(())).collect();
        }
        let mut deleted = self.queue.delete_batch(&receipts).await.into_iter();
        let each = taken.into_iter().map(|receipt| match receipt {
            // A missing answer is not a success.
            Some(_) => deleted.next().unwrap_or_else(|| Err(unanswered())),
            None => Ok(()),
        });
        each.collect()
    }

    /// Gives all messages back, one after the other and the last one first, so that a
    /// group stays locked until its first message is back. Each waits for the pause that
    /// `pause` returns for its number. A message that cannot be given back returns when
    /// its visibility timeout ends.
    pub(crate) async fn give_back(&self, pause: impl Fn(usize) -> Duration) {
        let receipts = std::mem::take(&mut *self.receipts());
        self.give(receipts, pause).await;
    }

    /// Gives back the messages of one group that are still in flight.
    pub(crate) async fn give_back_some(&self, numbers: &[usize], pause: Duration) {
        let some: BTreeMap<_, _> = {
            let mut receipts = self.receipts();
            let taken = numbers.iter();
            let taken = taken.filter_map(|number| receipts.remove_entry(number));
            taken.collect()
        };
        self.give(some, |_| pause).await;
    }

    async fn give(&self, receipts: BTreeMap<usize, String>, pause: impl Fn(usize) -> Duration) {
        for (number, receipt) in receipts.into_iter().rev() {
            let _ = self.queue.extend(&receipt, pause(number)).await;
        }
    }

    fn receipts(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unanswered() -> DeliveryError {
    DeliveryError::new("deleting: the queue said nothing of it")
}
