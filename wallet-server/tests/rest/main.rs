//! The API over the wire, against a server on a port of its own.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod attacks;
mod backup;
mod batches;
mod changes;
mod contract;
mod endpoints;
#[cfg(feature = "aws")]
mod events;
mod full_disk;
mod holds;
mod hostile;
mod hosts;
mod idempotency;
mod operation;
mod outcomes;
mod paging;
mod process;
mod readiness;
mod rejections;
mod replaced;
mod stopping;
mod support;
