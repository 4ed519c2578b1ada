//! The simulation of `wallet-core`'s test kit with all that the core does not
//! know: in each process of a [`Whole`] world run a relay, in some worlds a
//! forwarder, and a consumer with a projector, over queues that keep the rules of
//! Amazon SQS.
//!
//! ```text
//! outbox ── Relay ──► [ queue ── Forwarder ──► ] queue ── Consumer ──┬── history
//!                                                                    └── mirror
//! ```
//!
//! The program `simulate` runs seeds: `simulate --help` lists its options, and
//! `docs/assurance.md` says what it has shown.

mod parts;
mod whole;

pub use whole::{Whole, whole};
