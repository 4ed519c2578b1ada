//! The numbers of enums in columns. They are the same in every adapter's tables,
//! and never change.

use crate::ledger::{Amount, HoldStatus, Policy, Status};
use crate::store::RowState;

/// Every status of a hold.
pub const HOLD_STATUSES: [HoldStatus; 4] = [
    HoldStatus::Pending,
    HoldStatus::Captured,
    HoldStatus::Released,
    HoldStatus::Expired,
];

/// An overdraft policy as its number, 0 to 2, and its overdraft limit.
///
/// ```
/// use wallet_core::Policy;
/// use wallet_core::store::codec;
/// assert_eq!(codec::policy_parts(Policy::Unlimited), (2, None));
/// assert_eq!(codec::policy_of_parts(2, None), Some(Policy::Unlimited));
/// ```
#[must_use]
pub const fn policy_parts(policy: Policy) -> (i64, Option<Amount>) {
    match policy {
        Policy::NonNegative => (0, None),
        Policy::Overdraft(limit) => (1, Some(limit)),
        Policy::Unlimited => (2, None),
    }
}

/// The policy of [`policy_parts`]; `None` for parts that no release wrote.
#[must_use]
pub const fn policy_of_parts(number: i64, overdraft: Option<Amount>) -> Option<Policy> {
    match (number, overdraft) {
        (0, None) => Some(Policy::NonNegative),
        (1, Some(limit)) => Some(Policy::Overdraft(limit)),
        (2, None) => Some(Policy::Unlimited),
        _ => None,
    }
}

/// An account's status as its number, 0 to 4.
///
/// ```
/// use wallet_core::Status;
/// use wallet_core::store::codec;
/// assert_eq!(codec::status_number(Status::Frozen), 3);
/// assert_eq!(codec::status_of_number(3), Some(Status::Frozen));
/// ```
#[must_use]
pub const fn status_number(status: Status) -> i64 {
    match status {
        Status::Active => 0,
        Status::DebitsFrozen => 1,
        Status::CreditsFrozen => 2,
        Status::Frozen => 3,
        Status::Closed => 4,
    }
}

/// The status of [`status_number`]; `None` for a number that no release wrote.
#[must_use]
pub const fn status_of_number(number: i64) -> Option<Status> {
    match number {
        0 => Some(Status::Active),
        1 => Some(Status::DebitsFrozen),
        2 => Some(Status::CreditsFrozen),
        3 => Some(Status::Frozen),
        4 => Some(Status::Closed),
        _ => None,
    }
}

/// A hold's status as its number: its index in [`HOLD_STATUSES`].
#[must_use]
pub const fn hold_status_number(status: HoldStatus) -> i64 {
    match status {
        HoldStatus::Pending => 0,
        HoldStatus::Captured => 1,
        HoldStatus::Released => 2,
        HoldStatus::Expired => 3,
    }
}

/// The state of an outbox row as its number, 0 to 2. Complete rows have 1.
///
/// ```
/// use wallet_core::store::{codec, RowState};
/// assert_eq!(codec::row_state_number(RowState::Aside), 2);
/// ```
#[must_use]
pub const fn row_state_number(state: RowState) -> i64 {
    match state {
        RowState::Open => 0,
        RowState::Complete => 1,
        RowState::Aside => 2,
    }
}
