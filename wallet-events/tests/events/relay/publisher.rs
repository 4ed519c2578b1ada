use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};

/// The result of a message, by its id and the number of earlier attempts.
type Script = Box<dyn Fn(&Message, u32) -> Published + Send + Sync>;

/// Records what is published, and fails by its script.
pub(crate) struct Recorder {
    limits: PublisherLimits,
    pub(crate) latency: Duration,
    script: Script,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    published: Vec<Message>,
    calls: Vec<Vec<Message>>,
    tried: BTreeMap<String, u32>,
    /// How many of the next calls fail as a whole, published or not.
    outages: u32,
    publishes_anyway: bool,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::scripted(|_, _| Published::Done))
    }

    pub(crate) fn scripted(
        script: impl Fn(&Message, u32) -> Published + Send + Sync + 'static,
    ) -> Self {
        Self {
            limits: PublisherLimits {
                messages: 10,
                bytes: 256 * 1024,
                keeps_order: false,
            },
            latency: Duration::from_millis(3),
            script: Box::new(script),
            state: Mutex::default(),
        }
    }

    pub(crate) fn with_limits(mut self, change: impl FnOnce(&mut PublisherLimits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub(crate) fn published(&self) -> Vec<Message> {
        self.state.lock().unwrap().published.clone()
    }

    pub(crate) fn calls(&self) -> Vec<Vec<Message>> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The next calls fail as a whole.
    pub(crate) fn fail(&self, calls: u32, publishes_anyway: bool) {
        let mut state = self.state.lock().unwrap();
        state.outages = calls;
        state.publishes_anyway = publishes_anyway;
    }
}

#[async_trait]
impl EventPublisher for Recorder {
    fn limits(&self) -> PublisherLimits {
        self.limits
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        tokio::time::sleep(self.latency).await;
        let mut state = self.state.lock().unwrap();
        state.calls.push(messages.to_vec());
        let is_out = state.outages > 0;
        if is_out {
            state.outages -= 1;
            if !state.publishes_anyway {
                return Err(DeliveryError::new("the network is away"));
            }
        }
        let mut answers = Vec::new();
        let mut stopped: Vec<String> = Vec::new();
        for message in messages {
            if self.limits.keeps_order && stopped.contains(&message.group) {
                let reason = "behind a failure".to_owned();
                answers.push(Published::Failed { reason });
                continue;
            }
            let tried = state.tried.entry(message.id.clone()).or_default();
            let before = *tried;
            *tried += 1;
            let answer = (self.script)(message, before);
            match answer {
                Published::Done => state.published.push(message.clone()),
                Published::Failed { .. } | Published::Refused { .. } => {
                    stopped.push(message.group.clone());
                }
            }
            answers.push(answer);
        }
        if is_out {
            return Err(DeliveryError::new("the connection was cut"));
        }
        Ok(answers)
    }
}

pub(crate) fn failed() -> Published {
    let reason = "busy".to_owned();
    Published::Failed { reason }
}

pub(crate) fn refused() -> Published {
    let reason = "malformed".to_owned();
    Published::Refused { reason }
}
