//! Webhooks to receivers on this machine. Queues and pauses use a test clock, so no test
//! waits for them.
#![cfg(feature = "webhooks")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that fails says so by panicking"
)]

mod answers;
#[path = "../relay/kit.rs"]
#[allow(dead_code, reason = "the tests of the relay use more of it")]
mod kit;
mod receiver;
mod retries;
mod route;
mod signatures;
mod tls;
mod wallet;
