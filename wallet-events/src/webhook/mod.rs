//! Webhooks: deliver the messages of a queue to a subscriber's URL, signed.
//!
//! A subscription is a separate queue, a [`Forwarder`](crate::Forwarder) and a
//! [`Webhook`]. The webhook takes the place of a topic and posts each message to a URL.
//! Queue and forwarder provide what webhooks need:
//!
//! | | |
//! |---|---|
//! | which events | the filter of the queue's subscription to the topic |
//! | order | an account's events one after the other, accounts side by side |
//! | back-off | the forwarder's pauses: [`Webhook::forwarding`] |
//! | dead letters | the queue's redrive policy: [`Webhook::MAX_RECEIVES`] |
//! | redelivery by hand | [`Redrive`](crate::Redrive) |
//!
//! A webhook is delivered at least once, and its id is the same each time: subscribers
//! detect repetitions by the id. [`WebhookSecret`] shows how to verify a webhook.
//!
//! Give the queue and its dead letter queue 14 days of retention. While a receiver is
//! down the next event of an account waits until the earlier ones are delivered or dead.
//! A queue drops messages that are older than its retention.

mod address;
mod client;
mod error;
mod resolver;
mod secret;
mod settings;
mod target;

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, join_all, select};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request};
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::runtime::Backoff;
use wallet_core::runtime::Clock;

pub use address::Addresses;
pub use client::WebhookClient;
use client::drain;
use error::Failure;
pub use error::WebhookError;
pub use secret::WebhookSecret;
pub use settings::WebhookSettings;
use target::Target;

use crate::forwarder::ForwarderSettings;

/// The most secrets of a webhook.
const SECRETS_MAX: usize = 10;

/// The limits of one call: ten messages, as a queue returns them.
const LIMITS: PublisherLimits = PublisherLimits {
    messages: 10,
    bytes: 10_485_760,
    keeps_order: false,
};

/// Delivers events to one URL by the scheme of
/// [Standard Webhooks](https://www.standardwebhooks.com).
///
/// A message is a `POST` with its body as it is, CloudEvents in JSON, and the
/// headers `webhook-id` (the event's id), `webhook-timestamp` (of this attempt)
/// and `webhook-signature` (one for each secret). It is delivered when the
/// receiver answers 2xx in time. Everything else is a failure and tried again:
/// other answers, redirects, no answer. `410 Gone` is no exception: it is for the
/// host to end a subscription. `Retry-After` is not looked at.
///
/// The failure reasons are for the host's own staff. A subscriber could learn from them
/// which internal addresses answer.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use wallet_core::messaging::MessageQueue;
/// use wallet_core::runtime::Clock;
/// use wallet_events::Forwarder;
/// use wallet_events::webhook::{Webhook, WebhookClient, WebhookSecret, WebhookSettings};
///
/// # async fn example(
/// #     queue: Arc<dyn MessageQueue>,
/// #     clock: Arc<dyn Clock>,
/// #     shutdown: impl Future<Output = ()>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let client = WebhookClient::new(WebhookSettings::default())?;
/// let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let url = "https://hooks.example.com/wallet";
/// let webhook = Arc::new(Webhook::new(client, url, vec![secret], clock.clone())?);
///
/// let forwarder = Forwarder::new(queue, webhook.clone(), clock);
/// let forwarder = forwarder.with_settings(Webhook::forwarding());
/// forwarder.run(shutdown).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Webhook {
    client: WebhookClient,
    target: Target,
    secrets: Mutex<Arc<[WebhookSecret]>>,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    /// How often the queue hands out an event before it moves the event to the dead
    /// letter queue (`maxReceiveCount`). With the pauses of
    /// [`forwarding`](Self::forwarding), an event is retried for a day.
    pub const MAX_RECEIVES: u32 = 34;

    /// A webhook to `url`, signed with each of `secrets`.
    ///
    /// # Errors
    /// [`WebhookError`], by what is wrong with URL or secrets. A name is resolved
    /// when it is connected to: one that stands for an address which is not
    /// public is a failure then.
    pub fn new(
        client: WebhookClient,
        url: &str,
        secrets: Vec<WebhookSecret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WebhookError> {
        let target = Target::parse(url, client.settings())?;
        let secrets = Mutex::new(sound(secrets)?);
        Ok(Self {
            client,
            target,
            secrets,
            clock,
        })
    }

    /// Signs with other secrets from the next attempt on. To change a secret,
    /// sign with the new one and the old one until the subscriber knows the new
    /// one, then with that alone.
    ///
    /// # Errors
    /// [`WebhookError::Secrets`]; it signs as before.
    pub fn rotate(&self, secrets: Vec<WebhookSecret>) -> Result<(), WebhookError> {
        let secrets = sound(secrets)?;
        *self.secrets.lock().unwrap_or_else(PoisonError::into_inner) = secrets;
        Ok(())
    }

    /// The settings of a forwarder to a webhook. A failed event is retried after 5
    /// seconds; the pause doubles with each failure, up to one hour.
    #[must_use]
    pub fn forwarding() -> ForwarderSettings {
        ForwarderSettings {
            retry: Backoff::new(Duration::from_secs(5), Duration::from_secs(3_600)),
            ..ForwarderSettings::default()
        }
    }

    async fn deliver(&self, message: &Message) -> Published {
        match self.attempt(message).await {
            Ok(()) => Published::Done,
            Err(failure) => {
                let reason = failure.to_string();
                match failure {
                    Failure::Id => Published::Refused { reason },
                    Failure::Status(_) | Failure::Timeout | Failure::NotReached(_) => {
                        Published::Failed { reason }
                    }
                }
            }
        }
    }

    async fn attempt(&self, message: &Message) -> Result<(), Failure> {
        let request = self.request(message)?;
        let mut timeout = self.clock.sleep(self.client.settings().timeout);
        let sent = pin!(self.client.send(request));
        let answer = match select(sent, &mut timeout).await {
            Either::Left((answer, _)) => answer?,
            Either::Right(_) => return Err(Failure::Timeout),
        };
        let status = answer.status();
        select(pin!(drain(answer.into_body())), timeout).await;
        if status.is_success() {
            return Ok(());
        }
        Err(Failure::Status(status))
    }

    fn request(&self, message: &Message) -> Result<Request<Full<Bytes>>, Failure> {
        let id = message.event_id();
        // The signed content separates the id from the rest with a dot.
        if id.contains('.') {
            return Err(Failure::Id);
        }
        let now_secs = self.clock.now().as_micros().div_euclid(1_000_000);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.target.uri())
            .header(CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header(USER_AGENT, self.client.settings().user_agent.as_str())
            .header("webhook-id", id)
            .header("webhook-timestamp", now_secs)
            .header(
                "webhook-signature",
                self.signatures(id, now_secs, &message.body),
            );
        let body = Full::new(Bytes::from(message.body.clone()));
        request.body(body).map_err(|_| Failure::Id)
    }

    fn signatures(&self, id: &str, now_secs: i64, body: &str) -> String {
        let secrets = self.secrets.lock();
        let secrets = Arc::clone(&secrets.unwrap_or_else(PoisonError::into_inner));
        let all = secrets.iter().map(|secret| secret.sign(id, now_secs, body));
        all.collect::<Vec<_>>().join(" ")
    }
}

fn sound(secrets: Vec<WebhookSecret>) -> Result<Arc<[WebhookSecret]>, WebhookError> {
    if !(1..=SECRETS_MAX).contains(&secrets.len()) {
        return Err(WebhookError::Secrets);
    }
    Ok(secrets.into())
}

#[async_trait]
impl EventPublisher for Webhook {
    fn limits(&self) -> PublisherLimits {
        LIMITS
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let deliver = |message| self.deliver(message);
        Ok(join_all(messages.iter().map(deliver)).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first attempt is made at the first receive. A pause lies between two receives.
    /// After the last receive the event becomes a dead letter.
    #[test]
    fn an_event_is_tried_for_a_day() {
        let settings = Webhook::forwarding();
        let until = |receives: u32| -> Duration {
            (1..receives).map(|one| settings.retry.pause(one)).sum()
        };
        let day = Duration::from_secs(86_400);
        assert!(until(Webhook::MAX_RECEIVES) >= day);
        assert!(until(Webhook::MAX_RECEIVES - 1) < day);
        assert_eq!(settings.retry.pause(1), Duration::from_secs(5));
        assert_eq!(settings.retry.pause(2), Duration::from_secs(10));
        assert_eq!(settings.retry.pause(11), Duration::from_secs(3_600));
    }
}
