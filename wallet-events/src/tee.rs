//! One stream of events to several publishers.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};

use crate::setting::SettingError;

/// Publishes every event to several publishers (fan-out).
///
/// An event counts as published when all publishers have it. Until then its account's next
/// event goes to none of them, so each publisher gets the events of an account in order.
///
/// If one publisher fails for an event, the event is published again to **all** of them:
/// the others get it again. They recognise it by its id
/// ([`Message::event_id`]): a [`HandlerPublisher`](crate::HandlerPublisher) by its inbox, a
/// queue by its de-duplication and its consumers by their inboxes.
///
/// - If a publisher refuses an event and no other one fails for it, the event is refused,
///   and the relay parks it. So a parked event is published everywhere else. Skip it, and
///   only the refusing publishers lack it.
/// - If a call to a publisher fails as a whole, the call to the tee fails as a whole: the
///   relay pauses all accounts until it succeeds.
/// - The [`limits`](EventPublisher::limits) are the narrowest of all. An event that exceeds
///   them is parked before any publisher has it.
///
/// All publishers are called concurrently. The slowest of them sets the pace.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use wallet_core::SystemClock;
/// use wallet_core::messaging::{EventPublisher, Message, Published};
/// use wallet_events::Tee;
/// use wallet_events::memory::{Fault, MemoryQueue, ScriptedPublisher};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(SystemClock);
/// let mails = Arc::new(MemoryQueue::new(clock.clone()));
/// let invoices = Arc::new(MemoryQueue::new(clock.clone()));
/// let unsteady = Arc::new(ScriptedPublisher::new(invoices.clone(), clock));
/// let tee = Tee::new(vec![mails.clone(), unsteady.clone()])?;
///
/// let message = Message {
///     id: "0/ada/1/1".to_owned(),
///     group: "0/ada".to_owned(),
///     attributes: Vec::new(),
///     body: "{}".to_owned(),
/// };
/// unsteady.then(Fault::Fail(vec![message.id.clone()]));
/// let first = tee.publish(&[message.clone()]).await?;
/// assert!(matches!(first[..], [Published::Failed { .. }]));
/// let again = tee.publish(&[message]).await?;
/// assert_eq!(again, [Published::Done]);
/// assert_eq!((mails.messages().len(), invoices.messages().len()), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Tee {
    publishers: Vec<Arc<dyn EventPublisher>>,
}

impl Tee {
    /// Publishes to all of `publishers`.
    ///
    /// # Errors
    /// [`SettingError`]: there is no publisher, so every event would be lost.
    pub fn new(publishers: Vec<Arc<dyn EventPublisher>>) -> Result<Self, SettingError> {
        if publishers.is_empty() {
            return Err(SettingError("publishers"));
        }
        Ok(Self { publishers })
    }
}

#[async_trait]
impl EventPublisher for Tee {
    /// A call takes one event of a group at most, whatever the publishers keep: otherwise
    /// one of them would get an event past another one's failure.
    fn limits(&self) -> PublisherLimits {
        let limits = self.publishers.iter().map(|publisher| publisher.limits());
        let widest = PublisherLimits {
            messages: usize::MAX,
            bytes: usize::MAX,
            keeps_order: false,
        };
        limits.fold(widest, |narrowest, one| PublisherLimits {
            messages: narrowest.messages.min(one.messages),
            bytes: narrowest.bytes.min(one.bytes),
            keeps_order: false,
        })
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let publishers = self.publishers.iter();
        let calls = publishers.map(|publisher| publisher.publish(messages));
        let mut all = vec![Published::Done; messages.len()];
        for answer in join_all(calls).await {
            let published = answer?;
            if published.len() != messages.len() {
                return Err(DeliveryError::new("a publisher left out answers"));
            }
            for (sum, one) in all.iter_mut().zip(published) {
                merge(sum, one);
            }
        }
        Ok(all)
    }
}

/// Adds one publisher's answer to the sum. A failure outweighs a refusal: the event is tried
/// again until only the refusing publishers lack it.
fn merge(sum: &mut Published, one: Published) {
    match (&mut *sum, one) {
        (_, Published::Done) => {}
        (
            Published::Failed { reason: known } | Published::Refused { reason: known },
            Published::Refused { reason },
        ) => add(known, &reason),
        (Published::Done, other) => *sum = other,
        (
            Published::Failed { reason: known } | Published::Refused { reason: known },
            Published::Failed { reason },
        ) => {
            let mut words = std::mem::take(known);
            add(&mut words, &reason);
            *sum = Published::Failed { reason: words };
        }
    }
}

fn add(known: &mut String, reason: &str) {
    known.push_str("; ");
    known.push_str(reason);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_a_refusal_and_both_outweigh_done() {
        let failed = |reason: &str| Published::Failed {
            reason: reason.to_owned(),
        };
        let refused = |reason: &str| Published::Refused {
            reason: reason.to_owned(),
        };
        let sum = |answers: &[Published]| {
            let mut sum = Published::Done;
            for answer in answers {
                merge(&mut sum, answer.clone());
            }
            sum
        };
        let done = Published::Done;
        assert_eq!(sum(&[done.clone(), done.clone()]), done);
        assert_eq!(sum(&[failed("a"), done.clone()]), failed("a"));
        assert_eq!(sum(&[done.clone(), refused("a")]), refused("a"));
        assert_eq!(sum(&[refused("a"), done]), refused("a"));
        assert_eq!(sum(&[refused("a"), failed("b")]), failed("a; b"));
        assert_eq!(sum(&[failed("a"), refused("b")]), failed("a; b"));
        assert_eq!(sum(&[refused("a"), refused("b")]), refused("a; b"));
        assert_eq!(sum(&[failed("a"), failed("b")]), failed("a; b"));
    }

    #[test]
    fn a_tee_without_a_publisher_is_refused() {
        assert_eq!(
            Tee::new(Vec::new()).unwrap_err(),
            SettingError("publishers")
        );
    }
}
