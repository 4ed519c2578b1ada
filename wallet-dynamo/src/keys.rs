//! Keys of rows: bytes in the sort order of their values.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use wallet_core::history::LinePosition;
use wallet_core::ledger::{AccountKey, Epoch, Sequence, TransferKey};
use wallet_core::{LedgerId, Reference, Timestamp};

/// The attributes of a row.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The time after which the table deletes a row, in seconds since 1970.
pub(crate) const ENDS: &str = "ends";

/// The key attributes of the table.
pub(crate) const PARTITION: &str = "pk";
pub(crate) const SORT: &str = "sk";
/// The key attributes of the index by transfer.
pub(crate) const TRANSFER: &str = "t_pk";
pub(crate) const TRANSFER_SORT: &str = "t_sk";
/// The key attributes of the index by reference.
pub(crate) const REFERENCE: &str = "r_pk";
pub(crate) const REFERENCE_SORT: &str = "r_sk";

/// The type of a partition's rows. The partition key begins with this byte.
const ROWS: u8 = b'e';
const HEAD: u8 = b'h';

pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

fn account(kind: u8, account: AccountKey) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend(account.ledger.number().to_be_bytes());
    key.extend(account.id.as_bytes());
    key
}

/// The partition key for the rows of one stripe of an account.
pub(crate) fn rows(of: AccountKey, stripe: u8) -> AttributeValue {
    let mut key = account(ROWS, of);
    key.push(stripe);
    bytes(key)
}

/// The stripe of a row. Consecutive rows are in different stripes.
pub(crate) fn stripe(sequence: Sequence, stripes: u8) -> u8 {
    let stripe = sequence.checked_rem_euclid(i64::from(stripes));
    stripe.and_then(|s| u8::try_from(s).ok()).unwrap_or(0)
}

/// The sort key of a row. An entry that came again after a restore has one row for each
/// epoch in which it was known.
pub(crate) fn row(
    of: AccountKey,
    stripe: u8,
    (at, sequence): (Timestamp, Sequence),
    known_in: Epoch,
) -> Item {
    let mut sort = place(at, sequence);
    if known_in > Epoch::FIRST {
        sort.extend(known_in.number().to_be_bytes());
    }
    Item::from([
        (PARTITION.to_owned(), rows(of, stripe)),
        (SORT.to_owned(), bytes(sort)),
    ])
}

/// The key of an account's head.
pub(crate) fn head(of: AccountKey) -> Item {
    Item::from([
        (PARTITION.to_owned(), bytes(account(HEAD, of))),
        (SORT.to_owned(), bytes([0])),
    ])
}

/// A key that sorts by time, then by sequence, before all rows of the entry.
pub(crate) fn position(at: Timestamp, sequence: Sequence) -> AttributeValue {
    bytes(place(at, sequence))
}

/// A key that sorts after all rows of the entry.
pub(crate) fn behind(at: Timestamp, sequence: Sequence) -> AttributeValue {
    let mut key = place(at, sequence);
    key.extend([u8::MAX; 8]);
    bytes(key)
}

fn place(at: Timestamp, sequence: Sequence) -> Vec<u8> {
    let mut key = signed(at.as_micros()).to_vec();
    key.extend(signed(sequence));
    key
}

/// Eight bytes that sort like the number.
const fn signed(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// A key that sorts like the number.
pub(crate) fn number(number: i64) -> AttributeValue {
    bytes(signed(number))
}

/// Decodes the number of such a key.
pub(crate) fn of_number(key: &[u8]) -> Option<i64> {
    let bits = u64::from_be_bytes(key.try_into().ok()?);
    Some((bits ^ (1 << 63)).cast_signed())
}

pub(crate) fn transfer(of: TransferKey) -> AttributeValue {
    let mut key = of.ledger.number().to_be_bytes().to_vec();
    key.extend(of.id.as_bytes());
    bytes(key)
}

/// A key that sorts by leg, with the debit first.
pub(crate) fn leg(leg: u16, side: u8) -> AttributeValue {
    let mut key = leg.to_be_bytes().to_vec();
    key.push(side);
    bytes(key)
}

pub(crate) fn reference(ledger: LedgerId, reference: &Reference) -> AttributeValue {
    let mut key = ledger.number().to_be_bytes().to_vec();
    key.extend(reference.as_str().as_bytes());
    bytes(key)
}

/// A key that sorts by time, transfer and leg, with the debit first.
pub(crate) fn line(position: &LinePosition) -> Vec<u8> {
    let mut key = signed(position.at.as_micros()).to_vec();
    key.extend(position.transfer.as_bytes());
    key.extend(position.leg.to_be_bytes());
    key.push(position.side);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_sort_as_times_and_sequences_do() {
        let times = [i64::MIN, -1, 0, 1, 1_790_000_000_000_000, i64::MAX];
        let sequences = [1, 2, 255, 256, i64::MAX];
        let all = times.iter().flat_map(|at| {
            sequences.map(|sequence| position(Timestamp::from_micros(*at), sequence))
        });
        let all: Vec<_> = all
            .map(|key| key.as_b().unwrap().clone().into_inner())
            .collect();
        assert!(all.is_sorted());
        assert_eq!(all.len(), 30);
    }

    #[test]
    fn numbers_come_back() {
        for given in [i64::MIN, -1, 0, 1, i64::MAX] {
            let key = number(given);
            assert_eq!(of_number(key.as_b().unwrap().as_ref()), Some(given));
        }
        assert_eq!(of_number(&[0; 7]), None);
    }

    #[test]
    fn neighbours_lie_in_different_stripes() {
        assert_eq!(
            [1, 2, 3, 4].map(|sequence| stripe(sequence, 3)),
            [1, 2, 0, 1]
        );
        assert_eq!(stripe(i64::MAX, 1), 0);
    }
}
