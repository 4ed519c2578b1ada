//! The simulation: a whole world from one seed. Several processes serve one
//! ledger to clients that insist, and everything goes wrong that can go wrong
//! between them.
//!
//! [`run`] plays a [`Scenario`]. A small [`Executor`] chooses the next task by
//! the seed; time stands still while any task is ready. Every port goes wrong
//! before its effect or after it: a [`FaultyStore`] lets commits fail, lose their
//! answer, or answer "unknown" and take effect later; the outbox, queues, cache,
//! history and a consumer's database do the same. Processes die in the middle of
//! things and start again; clocks differ and step; leases are lost, the cache
//! forgets. Clients ask again under equal keys, on any process, until each answer
//! is definite.
//!
//! An oracle carries out every commit on the naive
//! [`Model`](wallet_testkit::model::Model) and compares whatever anybody is told
//! with it, as it happens. When the clients are served, faults end, and
//! everything that was acknowledged must become visible everywhere: in the ledger,
//! to a consumer once and in order, in history, to readers. In the end all rows
//! are compared, and the [`invariants`](wallet_core::verify) checked.
//!
//! What the core does not know (queues, relays, consumers) a [`Harness`] adds:
//! [`whole`] adds all of it; with `()` a world ends with the ledger and its cache.
//! The program `simulate` runs seeds: `simulate --help` lists its options, and
//! `docs/assurance.md` says what it has shown.
//!
//! The same seed does the same again, down to the [`Report::hash`]. A failing
//! seed is [shrunk](shrink()) and says how to replay it. [`Bug`] lists the bugs
//! that were planted to prove that a simulation finds such.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a simulation tells what is wrong by panicking"
)]

mod bugs;
mod chaos;
mod client;
mod damage;
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
mod mirror;
mod oracle;
mod plant;
mod process;
mod referee;
mod run;
mod scenario;
mod seeded_faults;
mod seeds;
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
pub use mirror::{Mirror, Told};
pub use run::run;
pub use scenario::{Counts, LeftOut, Report, Scenario, StoreKind};
pub use seeded_faults::SeededFaults;
pub use seeds::{check_seeds, explain, seed_that_fails};
pub use shrink::shrink;
pub use skewed_clock::SkewedClock;
pub use stop::Stop;
pub use wallet_testkit::deterministic::{Executor, Group, Rng, Spawner, Stuck, Trace};
