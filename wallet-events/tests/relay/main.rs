//! The relay over in-memory stores, on a test clock.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, outside of test functions"
)]

mod faults;
mod kills;
mod kit;
mod leases;
mod locks;
mod order;
mod parking;
mod publisher;
mod stores;
#[path = "../envelope/strict.rs"]
mod strict;
mod waking;
