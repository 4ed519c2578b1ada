//! Business rejections: reasons for a refusal, recorded under the idempotency key.

use uuid::Uuid;

/// Defines the enum, its stable codes and stable numbers in one table.
macro_rules! rejections {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $retry:ident;)*) => {
        /// The reason why a request was refused. A refusal is part of a successful
        /// commit. It is recorded under the request's key and replayed.
        ///
        /// # Precedence
        /// Commands of a request are checked in order, and the first refusal ends the
        /// request. Within one command the checks run in the order of the variants below,
        /// which is the order of [`Rejection::ALL`]. Legs are checked in their order: all
        /// checks of a leg come before the checks of the next leg.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rejection {
            $($(#[$doc])* $name,)*
        }

        impl Rejection {
            /// All rejections, in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code, such as `"insufficient_funds"`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What a caller can do about the rejection.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// The stable number in stored records.
            pub(crate) const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The rejection with this stable number.
            pub(crate) const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

/// Whether a retry makes sense after a [`Rejection`]. The same key always replays
/// the refusal, so a retry needs a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same command under a new key may succeed later, after a state or the time
    /// changed.
    NewKey,
    /// The command never succeeds in this form: change it, and use a new key.
    Never,
}

// The greatest number ever given is 27. The order is the precedence: ids, objects, the command
// itself, accounts and their status, balances, ranges of numbers.
rejections! {
    /// The key was cancelled before a request under it was decided: see
    /// [`Wallet::cancel`](crate::service::Wallet::cancel). Nothing was done, and
    /// nothing will be done under this key.
    Cancelled = 23, "cancelled", NewKey;
    /// The given id of a new account, transfer or hold already exists.
    IdTaken = 1, "id_taken", Never;
    /// The transfer to reverse does not exist.
    TransferNotFound = 2, "transfer_not_found", NewKey;
    /// The hold does not exist.
    HoldNotFound = 3, "hold_not_found", NewKey;
    /// A reversal cannot be reversed.
    NotReversible = 4, "not_reversible", Never;
    /// The transfer has several legs, and the reversal must name the legs to
    /// reverse. For a proportional reversal, the legs have several currencies.
    LegRequired = 5, "leg_required", Never;
    /// The transfer has no leg with this index.
    LegNotFound = 6, "leg_not_found", Never;
    /// The hold has already ended.
    HoldNotPending = 7, "hold_not_pending", Never;
    /// The hold has expired, so it can no longer be captured.
    HoldExpired = 8, "hold_expired", Never;
    /// The hold has not expired yet, or it never expires. So it cannot be expired
    /// now.
    HoldNotExpired = 9, "hold_not_expired", NewKey;
    /// The expiry time of the new hold has already passed.
    ExpiryPassed = 26, "expiry_passed", Never;
    /// The expiry time of the new hold is more than ten years ahead.
    ExpiryTooFar = 27, "expiry_too_far", NewKey;
    /// The capture exceeds the remaining amount of the hold.
    CaptureExceedsHold = 10, "capture_exceeds_hold", Never;
    /// The reversal exceeds the amount that is left to reverse.
    ReversalExceedsTransfer = 11, "reversal_exceeds_transfer", Never;
    /// An account does not exist.
    AccountNotFound = 12, "account_not_found", NewKey;
    /// The account is a system account. Only deposits, withdrawals and system
    /// transfers move it, and nothing changes its status or its limits.
    SystemAccount = 24, "system_account", Never;
    /// A system transfer names an account that is no system account.
    NotSystemAccount = 25, "not_system_account", Never;
    /// The store knows the currency with another exponent.
    CurrencyExponentMismatch = 13, "currency_exponent_mismatch", Never;
    /// An account holds another currency.
    CurrencyMismatch = 14, "currency_mismatch", Never;
    /// An account is closed.
    AccountClosed = 15, "account_closed", Never;
    /// An account is frozen for this operation.
    AccountFrozen = 16, "account_frozen", NewKey;
    /// The account still has open holds: it cannot be closed.
    HoldsOutstanding = 17, "holds_outstanding", NewKey;
    /// The account's balance is not zero: it cannot be closed.
    BalanceNotZero = 18, "balance_not_zero", NewKey;
    /// The balance already exceeds the new limit.
    LimitBreached = 19, "limit_breached", NewKey;
    /// The available balance would fall below the account's floor, which is its
    /// overdraft limit.
    InsufficientFunds = 20, "insufficient_funds", NewKey;
    /// The balance would rise above the account's maximum balance.
    MaxBalanceExceeded = 21, "max_balance_exceeded", NewKey;
    /// A running sum, a version or a sequence would exceed its range.
    CounterOverflow = 22, "counter_overflow", Never;
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A [`Rejection`] with its position in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The reason.
    pub rejection: Rejection,
    /// The index of the command that was refused.
    pub command: u16,
    /// The account whose state stands against the command; the transfer or hold where it
    /// does, or where the command itself is refused: then it may be the id of a new one.
    pub subject: Uuid,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            rejection,
            command,
            subject,
        } = self;
        write!(f, "{rejection} (command {command}, {subject})")
    }
}

impl std::error::Error for Rejected {}
