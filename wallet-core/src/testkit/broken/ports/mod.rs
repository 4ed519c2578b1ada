//! Adapters of the small ports with planted bugs: for every case of their lists
//! at least one that it catches.

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

/// Defines an enum of bugs and the list of all.
macro_rules! port_bugs {
    ($(#[$enum_doc:meta])* $name:ident { $($(#[$doc:meta])* $bug:ident,)* }) => {
        $(#[$enum_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $bug,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$bug),*];
        }
    };
}
pub(crate) use port_bugs;
