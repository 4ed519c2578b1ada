//! Events of the wallet ledger: from committed effects to effects in other
//! systems, each in order per account and none lost.
//!
//! ```text
//! outbox ── Relay ──► HandlerPublisher ──► an effect in the same process, once
//!
//! outbox ── Relay ──► SQS FIFO ──┬── Consumer ──► an effect, once
//!                                └── Forwarder ──► SNS ──► subscribers' queues
//!                                                            │
//!                                                            └── Forwarder ── Webhook ──► URL
//! ```
//!
//! | part | what it does |
//! |---|---|
//! | [`Event`] | one effect on one account, as CloudEvents 1.0 JSON; [`schema_of`] its type |
//! | [`Relay`] | publishes what was committed, at least once, in order per account |
//! | [`HandlerPublisher`] | hands the relay's events to a handler in the same process, once |
//! | [`Tee`] | publishes to several publishers |
//! | [`Forwarder`] | carries messages from a queue to a topic |
//! | [`Redrive`] | brings dead letters back to their queue |
//! | [`Consumer`] | hands each event to a handler once, with what was missed |
//! | [`Projector`] | brings events into the history of accounts |
//! | [`memory`] | queues in memory, and a publisher with scripted faults |
//! | `webhook` | delivers signed events to subscribers' URLs (feature `webhooks`) |
//! | `aws` | queues on SQS, topics on SNS (features `sqs`, `sns`) |
//!
//! Every message may come more than once; an event's id is the same each time. An
//! [`Inbox`](wallet_core::messaging::Inbox) in the consumer's own database makes its effect
//! happen once.

#[cfg(any(feature = "sns", feature = "sqs"))]
pub mod aws;
mod consumer;
mod delivery;
mod event;
mod forwarder;
mod handler_publisher;
mod identity;
pub mod memory;
mod projector;
mod redrive;
mod relay;
mod setting;
mod tee;
#[cfg(feature = "webhooks")]
pub mod webhook;

pub use consumer::{
    Consumer, ConsumerSettings, ConsumerStats, Delivery, EventHandler, Gaps, Handled, Missed, Start,
};
pub use event::{
    Balance, Event, EventEntry, EventError, NotAnEvent, Parsed, Terms, schema_of, type_of,
};
pub use forwarder::{Forwarder, ForwarderSettings, ForwarderStats};
pub use handler_publisher::{HandlerPublisher, HandlerSettings};
pub use projector::{Projector, ProjectorStats};
pub use redrive::{Redrive, RedriveError, RedriveFate, RedriveReport, RedriveStep};
pub use relay::{Relay, RelayBuilder, RelaySettings, RelayState, RelayStats};
pub use setting::SettingError;
pub use tee::Tee;
pub use wallet_core::messaging::EVENT_ID;
