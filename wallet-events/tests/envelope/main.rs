//! The JSON of events, as consumers receive it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, outside of test functions"
)]

mod bad;
mod golden;
mod samples;
mod schemas;
mod strict;
