//! Concurrent tasks on one thread, in an order that a seed reproduces: an
//! [`Executor`] chooses the next task by a random stream ([`Rng`]), time passes
//! only when no task is ready, and a [`Trace`] shows by its hash whether two runs
//! were the same.

mod executor;
mod rng;
mod trace;

pub use executor::{Executor, Group, Spawner, Stuck};
pub use rng::Rng;
pub use trace::Trace;
