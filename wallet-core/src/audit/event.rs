use uuid::Uuid;

use super::AuditText;
use crate::ledger::Timestamp;

/// An action or attempt that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// The event's unique id. An append may be repeated when its answer was lost.
    /// Duplicate records have the same id.
    pub id: Uuid,
    /// The time of the action.
    pub at: Timestamp,
    /// The actor: a user, a service, an operator.
    pub actor: AuditText,
    /// The action: `account.freeze`, `purge`.
    pub action: AuditText,
    /// The name or id of the resource that the action changes.
    pub resource: AuditText,
    /// The origin: an address or a host, where it is known.
    pub origin: Option<AuditText>,
    /// The result of the action.
    pub outcome: AuditOutcome,
    /// The reason, or further information.
    pub note: Option<AuditText>,
}

/// The result of an attempted action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    /// The action was done.
    Done,
    /// The action was refused.
    Refused,
    /// The action failed, or its result is unknown.
    Failed,
}

impl AuditOutcome {
    /// The number in stored records. It never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 1,
            Self::Refused => 2,
            Self::Failed => 3,
        }
    }

    /// The outcome with this number; `None` where no outcome has it.
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
