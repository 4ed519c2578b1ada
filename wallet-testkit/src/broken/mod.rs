//! Stores with planted bugs. Some conformance case or invariant must detect each
//! bug, which proves that the suite can fail.

mod bug;
mod commit;
mod factory;
mod outbox;
pub mod ports;
mod store;

pub use bug::Bug;
pub use factory::Broken;
pub use store::BrokenStore;
