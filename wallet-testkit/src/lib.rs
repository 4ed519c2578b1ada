//! The test kit for authors of adapters.
//!
//! The [`invariants`](wallet_core::verify) must hold for every ledger at any time.
//! The kit checks them after every case.
//!
//! | part | what it is |
//! |---|---|
//! | [`conformance`] | the cases that every adapter passes, one macro per port |
//! | [`inbox`] | the cases of a consumer's inbox, with inboxes that are broken |
//! | [`history`] | the cases of the history of accounts, with broken histories |
//! | [`model`] | a naive ledger to compare a store with |
//! | [`deterministic`] | concurrent tasks in an order that a seed reproduces |
//! | [`consistency`] | what concurrent clients saw, and whether one order explains it |
//! | [`scripted`] | a store whose commits go wrong as a test says |
//! | [`broken`] | stores with planted bugs, which prove that the rest can fail |
//!
//! An adapter implements a [`Factory`] of its port and calls the port's macro, such
//! as [`lock_manager_conformance!`](crate::lock_manager_conformance) or
//! [`inbox_conformance!`](crate::inbox_conformance). A store is a [`Factory`] of
//! [`StoreEnds`] and calls
//! [`ledger_store_conformance!`](crate::ledger_store_conformance) and
//! [`outbox_conformance!`](crate::outbox_conformance). See the example there.
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
pub mod model;
pub mod scripted;

mod block_on;
mod clock;
mod factory;
mod ids;
mod kit;
mod planted;
mod queue_ends;
mod store_ends;
mod store_kit;
mod violations;

pub use block_on::block_on;
pub use clock::ManualClock;
pub use conformance::{history, inbox};
pub use factory::{Built, Factory, Guard, Reopen};
pub use ids::SeededIds;
pub use kit::Kit;
pub use queue_ends::QueueEnds;
pub use store_ends::StoreEnds;
pub use store_kit::StoreKit;
pub use violations::violations;
