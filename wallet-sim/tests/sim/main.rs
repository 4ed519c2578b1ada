//! Tests of the simulation: it passes with correct stores, and finds every planted
//! bug.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod ledger;
mod model_proof;
mod whole;
