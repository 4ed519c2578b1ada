//! Consumers of queues in memory, on a test clock: no test waits.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, outside of test functions"
)]

mod batches;
mod books;
mod failures;
mod gaps;
mod kills;
#[path = "../relay/kit.rs"]
#[allow(dead_code, reason = "the tests of the relay use more of it")]
mod kit;
mod once;
mod restore_worlds;
mod restores;
mod shop;
