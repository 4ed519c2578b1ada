//! Consumers of queues in memory, on a test clock: no test waits.

mod batches;
pub(crate) mod books;
mod failures;
mod gaps;
mod hangs;
mod kills;
mod once;
mod panics;
mod restore_worlds;
mod restores;
pub(crate) mod shop;
