//! The simulation: two processes, one store, clients that insist, and
//! everything that can go wrong between them, from one seed.
//!
//! [`run`] plays a [`Scenario`]. A small [`Executor`] chooses the next task by
//! the seed; time stands still while any task is ready. A [`FaultyStore`] lets
//! commits fail before their effect, lose their answer after it, or answer
//! "unknown" and take effect later. Processes die in the middle of things and
//! start again; the clock steps back. Clients ask again under equal keys, on
//! either process, until each answer is definite. Then everything is compared:
//! invariants, each answer with what is recorded, the sum of all answers with
//! every balance.
//!
//! The same seed does the same again, down to the [`Report::hash`]. A failing
//! seed says how to replay it. [`Bug`] lists the bugs that were planted to
//! prove that a simulation finds such.

mod bug;
mod chaos;
mod client;
mod executor;
mod fault;
mod faulty_calls;
mod faulty_store;
#[cfg(test)]
mod faulty_store_tests;
mod process;
mod rng;
mod run;
mod seeds;
mod trace;
mod under_way;
mod verify;
mod workload;
mod world;

pub use bug::{Bug, Sabotage, Saboteur};
pub use executor::{Executor, Group, Spawner, Stuck};
pub use fault::{Fault, FaultPlan, ScriptedFaults, SeededFaults};
pub use faulty_store::FaultyStore;
pub use rng::Rng;
pub use run::{Report, Scenario, StoreKind, run};
pub use seeds::{check_seeds, seed_that_shows};
pub use trace::Trace;
