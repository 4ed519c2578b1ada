//! Tests of the kit: what it must pass, and what it must catch.
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
mod clients;
mod clients_proof;
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
