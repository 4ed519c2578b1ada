//! The store on MariaDB and on MySQL. A missing server fails a test.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod apply_in;
mod backlog;
mod clients;
mod clock;
mod conformance;
mod credentials;
mod cuts;
mod demoted;
mod durable;
mod ends;
mod facts;
mod failover;
mod faults;
mod host;
mod inbox;
mod inbox_own;
mod isolation;
mod locks;
mod packets;
mod plans;
mod processes;
mod readers;
mod reconcile;
mod refusals;
mod retention;
mod schema;
mod sessions;
mod silence;
mod soak;
mod steps;
mod support;
