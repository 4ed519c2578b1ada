use uuid::Uuid;

use super::AuditText;
use crate::ledger::Timestamp;

/// Something that somebody did or tried: what is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Names it for ever. An append whose answer was lost may be repeated: what
    /// is recorded twice is recognised by its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who: a user, a service, an operator.
    pub actor: AuditText,
    /// What: `account.freeze`, `purge`.
    pub action: AuditText,
    /// To what: the name or id of a resource.
    pub resource: AuditText,
    /// From where: an address, a host; where that is known.
    pub origin: Option<AuditText>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why, or what else is to be known.
    pub note: Option<AuditText>,
}

/// How something ended that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
    /// It failed, or nobody knows whether it was done.
    Failed,
}

impl AuditOutcome {
    /// Its number in stored records, given once and for ever.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 1,
            Self::Refused => 2,
            Self::Failed => 3,
        }
    }

    /// The outcome of this number; `None` where there is none.
    #[must_use]
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Done),
            2 => Some(Self::Refused),
            3 => Some(Self::Failed),
            _ => None,
        }
    }
}
