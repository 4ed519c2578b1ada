//! A route: a queue, a forwarder and a receiver.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use wallet_core::Timestamp;
use wallet_core::messaging::{EventPublisher, Message};
use wallet_core::runtime::Clock;
use wallet_events::Forwarder;
use wallet_events::memory::MemoryQueue;
use wallet_events::webhook::{
    Addresses, Webhook, WebhookClient, WebhookError, WebhookSecret, WebhookSettings,
};

use crate::kit::TestClock;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A clock that shows the time and never wakes. No timeout fires because a paused clock
/// jumped while a socket was busy.
#[derive(Debug)]
struct Patient(Arc<TestClock>);

#[async_trait]
impl Clock for Patient {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

pub(crate) fn patient() -> Arc<dyn Clock> {
    Arc::new(Patient(TestClock::new()))
}

pub(crate) fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::parse(text).unwrap()
}

/// Settings for receivers on this machine.
pub(crate) fn settings() -> WebhookSettings {
    WebhookSettings {
        addresses: Addresses::Any,
        plain_http: true,
        ..WebhookSettings::default()
    }
}

pub(crate) fn webhook_with(
    settings: WebhookSettings,
    url: &str,
    clock: Arc<dyn Clock>,
) -> Result<Webhook, WebhookError> {
    let client = WebhookClient::new(settings)?;
    Webhook::new(client, url, vec![secret(SECRET)], clock)
}

pub(crate) fn webhook(url: &str) -> Webhook {
    webhook_with(settings(), url, patient()).unwrap()
}

/// An event of the account that its id begins with.
pub(crate) fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        group: id.chars().take(1).collect(),
        attributes: vec![("currency".to_owned(), "EUR".to_owned())],
        body: format!("{{\"id\": \"{id}\", \"text\": \"ü\"}}"),
    }
}

/// A subscription: a queue with dead letters and what forwards from it.
pub(crate) struct Route {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) dead: Arc<MemoryQueue>,
    pub(crate) forwarder: Arc<Forwarder>,
    task: JoinHandle<()>,
}

impl Route {
    /// A route to a URL, with attempts that never time out.
    pub(crate) fn start(url: &str) -> Self {
        let clock = TestClock::new();
        let patient = Arc::new(Patient(Arc::clone(&clock)));
        let webhook = webhook_with(settings(), url, patient).unwrap();
        Self::of(webhook, clock)
    }

    pub(crate) fn of(webhook: Webhook, clock: Arc<TestClock>) -> Self {
        let dead = Arc::new(MemoryQueue::new(clock.clone()));
        let queue = MemoryQueue::new(clock.clone())
            .with_wait(Duration::from_secs(20))
            .with_dead_letters(Webhook::MAX_RECEIVES, dead.clone());
        let queue = Arc::new(queue);
        let forwarder = Forwarder::new(queue.clone(), Arc::new(webhook), clock.clone());
        let forwarder = Arc::new(forwarder.with_settings(Webhook::forwarding()));
        let running = Arc::clone(&forwarder);
        let task = tokio::spawn(async move { running.run(std::future::pending()).await });
        Self {
            clock,
            queue,
            dead,
            forwarder,
            task,
        }
    }

    pub(crate) async fn send(&self, ids: &[&str]) {
        for id in ids {
            self.queue.publish(&[message(id)]).await.unwrap();
        }
    }

    /// Waits until the queue is empty: every message is delivered or dead.
    pub(crate) async fn emptied(&self) {
        for _ in 0..1_000_000 {
            if self.queue.messages().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        panic!("never empty: {:?}", self.forwarder.stats());
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        self.task.abort();
    }
}
