//! History and audit log on an emulator of DynamoDB, one for each test.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, outside of test functions"
)]

mod audit;
mod conformance;
mod retention;
mod setup;
mod support;
mod template;
mod wire;
