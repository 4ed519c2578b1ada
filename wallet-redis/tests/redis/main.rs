//! The adapters on a real Redis, in normal operation and under failures.
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
mod load;
mod shared_connection;
mod support;
