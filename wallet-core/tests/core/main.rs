//! Tests of the core through its public names.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod audit;
mod codec;
mod cycles;
mod decide;
#[cfg(feature = "decimal")]
mod decimal;
mod fingerprint;
mod golden;
mod layers;
mod limits;
mod money;
mod reconcile;
mod request;
#[cfg(feature = "serde")]
mod serialized;
mod service;
mod support;
mod text;
mod time;
