//! Advisory leases on names ([`LockManager`]), and a hint which of many processes
//! should do a job ([`LeaderHint`]).

mod leader_hint;
mod lock_manager;

pub use leader_hint::LeaderHint;
pub use lock_manager::{LockError, LockLease, LockManager};
