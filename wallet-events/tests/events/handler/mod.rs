//! A handler behind the relay in one process, on a test clock.

mod failures;
mod hangs;
mod kills;
mod once;
mod panics;
pub(crate) mod place;
