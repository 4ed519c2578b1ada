//! The relay, its consumers and projections, and the adapters of queues and topics.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

#[cfg(all(feature = "sns", feature = "sqs"))]
mod aws;
mod consumer;
mod envelope;
mod handler;
mod kit;
mod memory;
mod projector;
mod relay;
mod strict;
mod tee;
#[cfg(feature = "webhooks")]
mod webhook;
