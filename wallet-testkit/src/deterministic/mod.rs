//! Concurrent tasks on one thread, in an order that a seed reproduces. An
//! [`Executor`] chooses the next task by random numbers ([`Rng`]). Time passes only
//! when no task is ready. The hash of a [`Trace`] shows whether two runs were
//! equal.

mod executor;
mod rng;
mod trace;

pub use executor::{Executor, Group, Spawner, Stuck};
pub use rng::Rng;
pub use trace::Trace;
