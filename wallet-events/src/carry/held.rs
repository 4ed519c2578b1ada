use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use wallet_core::messaging::{MessageQueue, QueueError, Received};
use wallet_core::runtime::Clock;

/// A visibility of nothing is no reason to do nothing but extend it.
const SHORTEST_BEAT: Duration = Duration::from_millis(100);

/// Calls to the queue under way at a time.
const AT_ONCE: usize = 10;

/// Messages in our hands, kept from others for as long as work on them takes.
#[derive(Debug)]
pub(crate) struct Hands<'a> {
    queue: &'a dyn MessageQueue,
    clock: &'a dyn Clock,
    visibility: Duration,
    /// By the order in which they were received.
    receipts: Mutex<BTreeMap<usize, String>>,
}

impl<'a> Hands<'a> {
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

    /// Takes what was received, numbered from `first` on.
    pub(crate) fn take(&self, first: usize, received: &[Received]) {
        let numbers = first..;
        let receipts = received.iter().map(|received| received.receipt.clone());
        self.receipts().extend(numbers.zip(receipts));
    }

    /// Does `work`, and at every third of the visibility extends that of all
    /// that is in our hands. A failure to is no end to the work: what somebody
    /// else gets meanwhile is delivered twice, and no worse.
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

    /// Ends messages, together: they are not received again. What became of each,
    /// in the order of `numbers`; one that could not be ended comes back when its
    /// visibility ends.
    pub(crate) async fn delete(&self, numbers: &[usize]) -> Vec<Result<(), QueueError>> {
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
            // No answer is none of success.
            Some(_) => deleted.next().unwrap_or_else(|| Err(unanswered())),
            None => Ok(()),
        });
        each.collect()
    }

    /// Gives all back, the last one first and one after the other, so that a
    /// group stays locked until its first is back: each after the pause that
    /// `pause` says for its number. What cannot be given back comes back when
    /// its visibility ends.
    pub(crate) async fn give_back(&self, pause: impl Fn(usize) -> Duration) {
        let receipts = std::mem::take(&mut *self.receipts());
        self.give(receipts, pause).await;
    }

    /// The same of those of a group: what is left of them in our hands.
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

fn unanswered() -> QueueError {
    QueueError::new("deleting: the queue said nothing of it")
}
