//! The test kit for authors of adapters.
//!
//! The [`invariants`](wallet_core::verify) must hold for every ledger at any time.
//! The kit checks them after every case.
//!
//! | part | what it is |
//! |---|---|
//! | [`conformance`] | the cases that every store passes, one macro per port |
//! | [`inbox`] | the same for a consumer's inbox, with inboxes that are broken |
//! | [`history`] | the same for the history of accounts |
//! | [`model`] | a naive ledger to compare a store with |
//! | [`deterministic`] | concurrent tasks in an order that a seed reproduces |
//! | [`consistency`] | what concurrent clients saw, and whether one order explains it |
//! | [`broken`] | stores with planted bugs, which prove that the rest can fail |
//!
//! An adapter implements [`StoreFactory`] and calls
//! [`ledger_store_conformance!`](crate::ledger_store_conformance) and
//! [`outbox_conformance!`](crate::outbox_conformance); for an inbox
//! [`InboxFactory`](inbox::InboxFactory) and
//! [`inbox_conformance!`](crate::inbox_conformance). See their examples.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test kit reports faults by panicking"
)]

pub mod broken;
pub mod conformance;
pub mod consistency;
pub mod deterministic;
pub mod history;
pub mod inbox;
pub mod model;

mod block_on;
mod clock;
mod factory;
mod ids;
mod kit;
mod planted;
mod port_factory;
mod queue_ends;
mod violations;

pub use block_on::block_on;
pub use clock::ManualClock;
pub use factory::{Built, Capabilities, Handles, Reopen, StoreFactory};
pub use ids::SeededIds;
pub use kit::Kit;
pub use port_factory::{BuiltPort, PortFactory, PortKit};
pub use queue_ends::QueueEnds;
pub use violations::violations;
