//! Consumers of queues in memory, on a test clock: no test waits.

mod batches;
mod books;
mod failures;
mod gaps;
mod kills;
mod once;
mod restore_worlds;
mod restores;
mod shop;
