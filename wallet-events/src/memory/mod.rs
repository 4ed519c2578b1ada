//! Queues in memory: for the tests of hosts, and for simulations.
//!
//! Deterministic: time comes from the [`Clock`](wallet_core::runtime::Clock) alone,
//! nothing is random, nothing is spawned.

mod queue;
mod scripted;
mod state;

pub use queue::MemoryQueue;
pub use scripted::{Fault, ScriptedPublisher};
