//! Adapters of the small ports with planted bugs. Every case of their suites
//! detects at least one bug.

mod audits;
mod balances;
mod limits;
mod locks;
mod queues;
mod sessions;

pub use audits::{AuditBug, BrokenAuditLog};
pub use balances::{BalanceBug, BrokenCache};
pub use limits::{BrokenLimiter, LimitBug};
pub use locks::{BrokenLocks, LockBug};
pub use queues::{BrokenQueue, QueueBug};
pub use sessions::{BrokenSessions, SessionBug};
