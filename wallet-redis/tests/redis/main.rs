//! What the adapters do on a real Redis, well and ill.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and their helpers may panic"
)]

mod conformance;
mod credentials;
mod faults;
mod limits;
mod link;
mod load;
mod support;
