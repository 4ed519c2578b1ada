//! An enum without data is stored as one byte: its number in the table of its type.

use super::DecodeError;
use super::wire::{Reader, Writer};
use crate::ledger::{EffectKind, HoldStatus, Status, TransferKind};

pub(super) trait Numbered: Copy {
    fn number(self) -> u8;
    fn of_number(number: u8) -> Option<Self>;
}

macro_rules! numbered {
    ($($name:ident),*) => {
        $(impl Numbered for $name {
            #[inline]
            fn number(self) -> u8 {
                Self::number(self)
            }

            fn of_number(number: u8) -> Option<Self> {
                Self::of_number(number)
            }
        })*
    };
}

numbered!(Status, TransferKind, HoldStatus, EffectKind);

impl Writer {
    #[inline]
    pub(super) fn numbered(&mut self, value: impl Numbered) {
        self.byte(value.number());
    }
}

impl Reader<'_> {
    pub(super) fn numbered<T: Numbered>(&mut self) -> Result<T, DecodeError> {
        T::of_number(self.byte()?).ok_or(DecodeError::Damaged)
    }
}
