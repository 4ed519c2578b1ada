//! The stable number of every stored variant. The meaning of a released number
//! never changes.

use super::DecodeError;
use super::wire::{Reader, Writer};
use crate::ledger::{EffectKind, HoldStatus, Status, TransferKind};

/// An enum without data that is stored as one byte.
pub(super) trait Numbered: Copy {
    fn number(self) -> u8;
    fn from_number(number: u8) -> Option<Self>;
}

/// Defines both directions in one table. A missing variant does not compile.
macro_rules! numbered {
    ($name:ident { $($variant:ident = $number:literal,)* }) => {
        impl Numbered for $name {
            #[inline]
            fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

numbered! {
    Status {
        Active = 1,
        DebitsFrozen = 2,
        CreditsFrozen = 3,
        Frozen = 4,
        Closed = 5,
    }
}

numbered! {
    TransferKind {
        Transfer = 1,
        Deposit = 2,
        Withdrawal = 3,
        Split = 4,
        Capture = 5,
        Reversal = 6,
        System = 7,
    }
}

numbered! {
    HoldStatus {
        Pending = 1,
        Captured = 2,
        Released = 3,
        Expired = 4,
    }
}

// Zero stays free. It means "no effect" where an effect is optional.
numbered! {
    EffectKind {
        Opened = 1,
        StatusChanged = 2,
        LimitsChanged = 3,
        Debited = 4,
        Credited = 5,
        HoldPlaced = 6,
        HoldCaptured = 7,
        HoldReleased = 8,
        HoldExpired = 9,
        Reversed = 10,
    }
}

impl Writer {
    #[inline]
    pub(super) fn numbered(&mut self, value: impl Numbered) {
        self.byte(value.number());
    }
}

impl Reader<'_> {
    pub(super) fn numbered<T: Numbered>(&mut self) -> Result<T, DecodeError> {
        T::from_number(self.byte()?).ok_or(DecodeError::Damaged)
    }
}
