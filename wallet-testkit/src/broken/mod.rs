//! Stores with planted bugs: each must be caught by some conformance case or
//! invariant, which proves that the suite can fail.

mod bug;
mod commit;
mod factory;
mod outbox;
pub mod ports;
mod store;

pub use bug::Bug;
pub use factory::Broken;
pub use store::BrokenStore;
