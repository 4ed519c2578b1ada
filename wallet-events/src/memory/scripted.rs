use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::runtime::Clock;

/// The fault of one call to a [`ScriptedPublisher`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    None,
    /// The call waits for this long, then succeeds.
    DelayBefore(Duration),
    /// All messages are published, and the answer takes this long.
    DelayAfter(Duration),
    /// The messages with these ids fail, the others are published.
    Fail(Vec<String>),
    /// The messages with these ids are refused, the others are published.
    Refuse(Vec<String>),
    /// The call fails, and no message was published.
    ErrorBefore,
    /// The call fails, and all messages were published: an unknown outcome.
    ErrorAfter,
}

/// A publisher with scripted faults, call by call, in front of another publisher.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use wallet_core::Timestamp;
/// # use wallet_core::messaging::{EventPublisher, Message};
/// # use wallet_core::runtime::Clock;
/// use wallet_events::memory::{Fault, MemoryQueue, ScriptedPublisher};
///
/// # async fn example(clock: Arc<dyn Clock>, message: Message) {
/// let queue = Arc::new(MemoryQueue::new(clock.clone()));
/// let topic = ScriptedPublisher::new(queue.clone(), clock);
/// topic.then(Fault::ErrorAfter);
/// assert!(topic.publish(&[message]).await.is_err());
/// assert_eq!(queue.messages().len(), 1);
/// # }
/// ```
#[derive(Debug)]
pub struct ScriptedPublisher {
    inner: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Fault>,
    failing: BTreeSet<String>,
    refused: BTreeSet<String>,
    calls: Vec<Vec<String>>,
}

impl ScriptedPublisher {
    /// Publishes to `inner`, without faults so far.
    #[must_use]
    pub fn new(inner: Arc<dyn EventPublisher>, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            script: Mutex::default(),
        }
    }

    /// Adds the fault of one more call, after the earlier ones.
    pub fn then(&self, fault: Fault) {
        self.script().next.push_back(fault);
    }

    /// The message with this id fails in every call.
    pub fn always_fail(&self, id: impl Into<String>) {
        self.script().failing.insert(id.into());
    }

    /// The message with this id is refused in every call.
    pub fn always_refuse(&self, id: impl Into<String>) {
        self.script().refused.insert(id.into());
    }

    /// Removes the script: the faults of every call and of calls to come.
    pub fn heal(&self) {
        let mut script = self.script();
        script.next.clear();
        script.failing.clear();
        script.refused.clear();
    }

    /// The ids of the messages of each call so far, whatever its result.
    #[must_use]
    pub fn calls(&self) -> Vec<Vec<String>> {
        self.script().calls.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of the call that begins, and what fails and is refused in it.
    fn begin(&self, messages: &[Message]) -> (Fault, BTreeSet<String>, BTreeSet<String>) {
        let mut script = self.script();
        let ids = messages.iter().map(|message| message.id.clone());
        script.calls.push(ids.collect());
        let fault = script.next.pop_front().unwrap_or(Fault::None);
        let (mut failing, mut refused) = (script.failing.clone(), script.refused.clone());
        match &fault {
            Fault::Fail(ids) => failing.extend(ids.iter().cloned()),
            Fault::Refuse(ids) => refused.extend(ids.iter().cloned()),
            Fault::None
            | Fault::DelayBefore(_)
            | Fault::DelayAfter(_)
            | Fault::ErrorBefore
            | Fault::ErrorAfter => {}
        }
        (fault, failing, refused)
    }
}

#[async_trait]
impl EventPublisher for ScriptedPublisher {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            keeps_order: false,
            ..self.inner.limits()
        }
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let (fault, failing, refused) = self.begin(messages);
        if fault == Fault::ErrorBefore {
            return Err(DeliveryError::new("scripted to fail before"));
        }
        if let Fault::DelayBefore(duration) = fault {
            self.clock.sleep(duration).await;
        }
        let reason = || "scripted".to_owned();
        let held = |id: &String| failing.contains(id) || refused.contains(id);
        let through = messages.iter().filter(|message| !held(&message.id));
        let through: Vec<_> = through.cloned().collect();
        let mut answers = if through.is_empty() {
            Vec::new().into_iter()
        } else {
            self.inner.publish(&through).await?.into_iter()
        };
        if let Fault::DelayAfter(duration) = fault {
            self.clock.sleep(duration).await;
        }
        if fault == Fault::ErrorAfter {
            return Err(DeliveryError::new("scripted to fail after"));
        }
        let answers = messages.iter().map(|message| {
            if refused.contains(&message.id) {
                Published::Refused { reason: reason() }
            } else if failing.contains(&message.id) {
                Published::Failed { reason: reason() }
            } else {
                let silent = || Published::Failed { reason: reason() };
                answers.next().unwrap_or_else(silent)
            }
        });
        Ok(answers.collect())
    }
}
