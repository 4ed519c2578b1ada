//! The relay over in-memory stores, on a test clock.

mod faults;
mod kills;
mod leases;
mod locks;
mod order;
mod parking;
pub(crate) mod publisher;
mod stores;
mod waking;
