//! Tests of the kit: the stores that must pass, and the bugs that it must detect.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod broken;
mod broken_ports;
mod consistency;
mod consistency_proof;
mod history;
mod inbox;
mod invariants;
mod memory;
mod model_memory;
mod model_optimistic;
mod model_sweep;
mod optimistic;
mod ports;
mod second_opinion;
