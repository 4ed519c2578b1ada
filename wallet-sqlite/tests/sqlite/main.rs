//! The store, the inbox and the backups on SQLite, in files.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod apply_in;
mod apply_in_faults;
mod backup;
mod checkpoint;
mod clients;
mod conformance;
mod damaged;
mod deferred;
#[path = "../../src/driver.rs"]
mod driver;
mod ends;
mod entries;
mod facts;
mod file;
mod guarded;
mod inbox;
mod inbox_own;
mod kill;
mod log;
mod mixed;
mod purge;
mod queue;
mod restore;
mod support;
mod tables;
mod transaction;
mod two_processes;
mod whole_file;
