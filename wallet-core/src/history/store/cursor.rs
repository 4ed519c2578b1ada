use sha2::{Digest, Sha256};

use super::LinePosition;
use crate::ledger::{AccountKey, LedgerId, Reference, Sequence, Timestamp, TransferId};
use crate::store::{Order, StoreError, StoreErrorKind};

/// The number of digest bytes that identify a query.
const MARK: usize = 8;
/// Kind, mark, time, and then either a sequence, or transfer, leg and side.
const ACCOUNT_BYTES: usize = 1 + MARK + 8 + 8;
const REFERENCE_BYTES: usize = 1 + MARK + 8 + 19;
/// The size of the longer kind.
const BYTES_MAX: usize = REFERENCE_BYTES;
/// The first byte of a cursor of an account.
const OF_ACCOUNT: u8 = 1;
const OF_REFERENCE: u8 = 2;

/// The position at which a page of history ended: opaque, as text for remote
/// callers. It names a row and not a count of rows, so rows that are written later
/// do not move it. It stays valid for ever, even when its row is gone.
///
/// ```
/// use wallet_core::{AccountId, LedgerId, Timestamp};
/// use wallet_core::history::{HistoryCursor, HistoryQuery};
/// use wallet_core::ledger::InLedger;
///
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let mut query = HistoryQuery::first(account, 50);
/// let cursor = query.cursor_behind(Timestamp::from_micros(1_000), 12);
/// let text = cursor.to_string();
/// query.cursor = Some(text.parse()?);
/// assert_eq!(query.after()?, Some((Timestamp::from_micros(1_000), 12)));
///
/// // It is of no use for another account.
/// query.account.id = AccountId::from_bytes([8; 16]);
/// assert!(query.after().is_err());
/// assert!("12".parse::<HistoryCursor>().is_err());
/// # Ok::<(), wallet_core::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HistoryCursor(Vec<u8>);

impl HistoryCursor {
    /// The cursor after the entry with this time and sequence.
    pub(super) fn behind(
        account: AccountKey,
        order: Order,
        at: Timestamp,
        sequence: Sequence,
    ) -> Self {
        let mut bytes = start(&account_mark(account, order), at);
        bytes.extend(sequence.to_be_bytes());
        Self(bytes)
    }

    pub(super) fn in_reference(ledger: LedgerId, reference: &Reference, at: LinePosition) -> Self {
        let mut bytes = start(&reference_mark(ledger, reference), at.at);
        bytes.extend(at.transfer.as_bytes());
        bytes.extend(at.leg.to_be_bytes());
        bytes.push(at.side);
        Self(bytes)
    }

    pub(super) fn of_account(
        &self,
        account: AccountKey,
        order: Order,
    ) -> Result<(Timestamp, Sequence), StoreError> {
        let (at, rest) = self.split(&account_mark(account, order))?;
        let sequence = rest.try_into().map_err(|_| foreign())?;
        Ok((at, i64::from_be_bytes(sequence)))
    }

    pub(super) fn of_reference(
        &self,
        ledger: LedgerId,
        reference: &Reference,
    ) -> Result<LinePosition, StoreError> {
        let (at, rest) = self.split(&reference_mark(ledger, reference))?;
        let (transfer, rest) = rest.split_first_chunk().ok_or_else(foreign)?;
        let (leg, rest) = rest.split_first_chunk().ok_or_else(foreign)?;
        let &[side] = rest else { return Err(foreign()) };
        Ok(LinePosition {
            at,
            transfer: TransferId::from_bytes(*transfer),
            leg: u16::from_be_bytes(*leg),
            side,
        })
    }

    fn split(&self, mark: &[u8; MARK + 1]) -> Result<(Timestamp, &[u8]), StoreError> {
        let rest = self.0.strip_prefix(&mark[..]).ok_or_else(foreign)?;
        let (at, rest) = rest.split_first_chunk().ok_or_else(foreign)?;
        Ok((Timestamp::from_micros(i64::from_be_bytes(*at)), rest))
    }
}

impl std::fmt::Display for HistoryCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for HistoryCursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.is_empty() || text.len() > BYTES_MAX.saturating_mul(2) {
            return Err(foreign());
        }
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(foreign());
        }
        let bytes = pairs.iter().map(|[high, low]| {
            let (high, low) = (digit(*high)?, digit(*low)?);
            Some(high << 4 | low)
        });
        let bytes: Vec<u8> = bytes.collect::<Option<_>>().ok_or_else(foreign)?;
        let due = match bytes.first() {
            Some(&OF_ACCOUNT) => ACCOUNT_BYTES,
            Some(&OF_REFERENCE) => REFERENCE_BYTES,
            _ => return Err(foreign()),
        };
        if bytes.len() != due {
            return Err(foreign());
        }
        Ok(Self(bytes))
    }
}

/// Reads a lower-case hex digit. Only one spelling of each cursor is valid.
const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(letter.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

fn foreign() -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, "not a cursor of this query")
}

fn start(mark: &[u8; MARK + 1], at: Timestamp) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES_MAX);
    bytes.extend(mark);
    bytes.extend(at.as_micros().to_be_bytes());
    bytes
}

fn account_mark(account: AccountKey, order: Order) -> [u8; MARK + 1] {
    let direction = match order {
        Order::Ascending => 0,
        Order::Descending => 1,
    };
    let ledger = account.ledger.number().to_be_bytes();
    mark(OF_ACCOUNT, &[&ledger, account.id.as_bytes(), &[direction]])
}

fn reference_mark(ledger: LedgerId, reference: &Reference) -> [u8; MARK + 1] {
    let ledger = ledger.number().to_be_bytes();
    mark(OF_REFERENCE, &[&ledger, reference.as_str().as_bytes()])
}

fn mark(kind: u8, parts: &[&[u8]]) -> [u8; MARK + 1] {
    let mut hash = Sha256::new();
    hash.update([kind]);
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut mark = [kind; MARK + 1];
    for (to, from) in mark.iter_mut().skip(1).zip(digest) {
        *to = from;
    }
    mark
}
