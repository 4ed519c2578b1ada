//! Histories that are built from events, over stores in memory, on a test clock.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, outside of test functions"
)]

mod events;
mod far;
#[path = "../relay/kit.rs"]
#[allow(dead_code, reason = "the tests of the relay use more of it")]
mod kit;
mod live;
mod place;
mod restore_worlds;
mod restores;
