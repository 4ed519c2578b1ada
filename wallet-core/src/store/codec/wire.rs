//! Bytes, numbers and texts: the building blocks of all formats.

use super::{DecodeError, VERSION};
use crate::ledger::Timestamp;

/// The bit that marks a varint with more bytes.
const MORE: u8 = 0x80;

/// Appends to one buffer.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A writer after the version byte, with capacity for `size_hint` bytes.
    pub(super) fn new(size_hint: usize) -> Self {
        let mut bytes = Vec::with_capacity(size_hint.saturating_add(1));
        bytes.push(VERSION);
        Self { bytes }
    }

    /// The written bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[inline]
    pub(super) fn id(&mut self, id: &[u8; 16]) {
        self.bytes.extend_from_slice(id);
    }

    #[inline]
    pub(super) fn unsigned(&mut self, mut value: u64) {
        while value >= u64::from(MORE) {
            let [low, ..] = value.to_le_bytes();
            self.bytes.push(low | MORE);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.bytes.push(low);
    }

    /// The same format for more bits.
    #[inline]
    pub(super) fn wide(&mut self, mut value: u128) {
        loop {
            // Nearly every sum fits into 64 bits, and 64-bit shifts are faster.
            if let Ok(narrow) = u64::try_from(value) {
                return self.unsigned(narrow);
            }
            let [low, ..] = value.to_le_bytes();
            self.bytes.push(low | MORE);
            value >>= 7;
        }
    }

    #[inline]
    pub(super) fn time(&mut self, time: Timestamp, base: Timestamp) {
        let apart = time.as_micros().wrapping_sub(base.as_micros());
        let sign = apart >> 63;
        self.unsigned((apart << 1).cast_unsigned() ^ sign.cast_unsigned());
    }

    #[inline]
    pub(super) fn count(&mut self, count: usize) {
        self.unsigned(u64::try_from(count).unwrap_or(u64::MAX));
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// Reads from the front of the remaining bytes.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader after the version byte, which must be a known version.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest }),
            Some((&version, _)) => Err(DecodeError::UnknownVersion(version)),
            None => Err(DecodeError::Damaged),
        }
    }

    /// Returns `value` if no byte is left.
    pub(super) fn finish<T>(self, value: T) -> Result<T, DecodeError> {
        if self.rest.is_empty() {
            Ok(value)
        } else {
            Err(DecodeError::Damaged)
        }
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Damaged)?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads a byte of flags, with no bit outside `known`.
    pub(super) fn flags(&mut self, known: u8) -> Result<u8, DecodeError> {
        let flags = self.byte()?;
        if flags & !known == 0 {
            Ok(flags)
        } else {
            Err(DecodeError::Damaged)
        }
    }

    pub(super) fn id(&mut self) -> Result<[u8; 16], DecodeError> {
        let (id, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Damaged)?;
        self.rest = rest;
        Ok(*id)
    }

    pub(super) fn wide(&mut self) -> Result<u128, DecodeError> {
        let first = self.byte()?;
        let mut value = u128::from(first & !MORE);
        if first < MORE {
            return Ok(value);
        }
        for shift in (7_u32..u128::BITS).step_by(7) {
            let byte = self.byte()?;
            let part = u128::from(byte & !MORE);
            let shifted = part.unbounded_shl(shift);
            // Bits were lost at the top, or the form is longer than needed.
            if shifted.unbounded_shr(shift) != part || byte == 0 {
                return Err(DecodeError::Damaged);
            }
            value |= shifted;
            if byte < MORE {
                return Ok(value);
            }
        }
        Err(DecodeError::Damaged)
    }

    /// Skips a zero byte if it is next.
    pub(super) fn skip_zero(&mut self) -> bool {
        match self.rest.split_first() {
            Some((0, rest)) => {
                self.rest = rest;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Reads a number of any unsigned type up to 64 bits, or a non-negative `i64`.
    pub(super) fn number<T: TryFrom<u128>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.wide()?).map_err(|_| DecodeError::Damaged)
    }

    pub(super) fn time(&mut self, base: Timestamp) -> Result<Timestamp, DecodeError> {
        let coded: u64 = self.number()?;
        let sign = (coded & 1).cast_signed().wrapping_neg();
        let apart = (coded >> 1).cast_signed() ^ sign;
        let micros = base.as_micros().wrapping_add(apart);
        Ok(Timestamp::from_micros(micros))
    }

    /// Reads the number of following items, each of at least `least_bytes`. A
    /// forged count reserves no more memory than its bytes justify.
    pub(super) fn count(&mut self, least_bytes: usize) -> Result<usize, DecodeError> {
        let count: usize = self.number()?;
        if count.saturating_mul(least_bytes) > self.rest.len() {
            return Err(DecodeError::Damaged);
        }
        Ok(count)
    }

    /// Reads a text that its type accepts.
    pub(super) fn text<T, E>(
        &mut self,
        check: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<T, DecodeError> {
        let length = self.count(1)?;
        let (text, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(DecodeError::Damaged)?;
        self.rest = rest;
        let text = std::str::from_utf8(text).map_err(|_| DecodeError::Damaged)?;
        check(text).map_err(|_| DecodeError::Damaged)
    }
}
