//! The simulation: a whole world from one seed. Several processes serve one ledger
//! to clients that retry until they get an answer. Faults are injected at every
//! port between them.
//!
//! [`run`] plays a [`Scenario`]. A small [`Executor`] chooses the next task by the
//! seed. Time stands still while any task is ready. Every port fails before or
//! after its effect. A [`FaultyStore`] lets commits fail, lose their answer, or
//! answer "unknown" and take effect later. The outbox, queues, cache, history and a
//! consumer's database do the same. Processes die at any point and start again.
//! Clocks differ and step, leases are lost, and the cache is emptied. Clients retry
//! under the same keys, on any process, until each answer is definite.
//!
//! An oracle carries out every commit on the naive
//! [`Model`](wallet_testkit::model::Model) and compares every answer with it at
//! once. When all clients have their answers, faults end. Then every acknowledged
//! request must become visible everywhere: in the ledger, to a consumer once and in
//! order, in history, and to readers. At the end all rows are compared, and the
//! [`invariants`](wallet_core::verify) are checked.
//!
//! A [`Harness`] adds the parts outside the core (queues, relays, consumers):
//! [`whole`] adds all of them. With `()` a world ends with the ledger and its
//! cache. The program `simulate` runs seeds: `simulate --help` lists its options,
//! and `docs/assurance.md` lists its results.
//!
//! The same seed gives the same run, down to the [`Report::hash`]. A failing seed
//! is [shrunk](shrink()), and the report says how to replay it. [`Bug`] lists the
//! planted bugs, which prove that a simulation detects them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a simulation reports faults by panicking"
)]

mod bugs;
mod chaos;
mod client;
mod damage;
mod environment;
mod fault;
mod faulty_cache;
mod faulty_calls;
mod faulty_history;
mod faulty_outbox;
mod faulty_port;
mod faulty_queue;
mod faulty_store;
#[cfg(test)]
mod faulty_store_tests;
mod harness;
mod notes;
mod oracle;
mod process;
mod replica;
mod run;
mod scenario;
mod seeded_faults;
mod seeds;
mod settle;
mod shrink;
mod skewed_clock;
mod stop;
mod under_way;
mod verify;
pub mod whole;
mod workload;
mod world;

pub use bugs::{Bug, Circumstances, Sabotage, Saboteur};
pub use fault::{Fault, FaultPlan, Port, ScriptedFaults};
pub use faulty_store::FaultyStore;
pub use harness::{Harness, Part, Ports, QueueEnds};
pub use oracle::ConsumedEvent;
pub use replica::ConsumerReplica;
pub use run::run;
pub use scenario::{Counts, LeftOut, Report, Scenario, StoreKind};
pub use seeded_faults::SeededFaults;
pub use seeds::{check_seeds, explain, seed_that_fails};
pub use shrink::shrink;
pub use skewed_clock::SkewedClock;
pub use stop::Stop;
pub use wallet_testkit::deterministic::{Executor, Group, Rng, Spawner, Stuck, Trace};
