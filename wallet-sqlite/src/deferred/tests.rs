#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::sync::Arc;

use wallet_core::ledger::{Counters, RecordKey};
use wallet_core::{LedgerId, Timestamp};

use super::piece::Nonce;
use super::slices::{SLICES, slice_of_account, slice_of_key};
use super::{Index, Key, Moved, Piece, Pieces};

fn moved(number: i64, version: i64) -> Moved {
    Moved {
        number,
        version,
        sequence: version - 1,
        last_at: Timestamp::from_micros(-version),
        last_entry: version.saturating_mul(1_000),
        counters: Counters {
            debits_posted: i128::from(number) << 80,
            ..Counters::default()
        },
    }
}

/// A key whose hash begins so.
fn key(first: u8, journal: i64) -> Key {
    let mut hash = [0xEE; 16];
    (hash[0], hash[1]) = (first, 7);
    Key {
        ledger: 3,
        hash,
        journal,
    }
}

fn record_key(key: &Key) -> RecordKey {
    RecordKey {
        ledger: LedgerId::new(3),
        hash: key.hash,
    }
}

/// The nonce of a piece in one history of the file.
fn nonce(history: u8, number: i64) -> Nonce {
    let mut nonce = [history; 16];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    Nonce(nonce)
}

/// Piece `number` has every account whose number it divides, at its version.
fn pieces(numbers: std::ops::RangeInclusive<i64>) -> Pieces {
    let piece = |number: i64| {
        let accounts = (1..=5_000).filter(|account| account % number == 0);
        let keys = u8::try_from(number % 256).unwrap();
        Arc::new(Piece::new(
            number,
            nonce(0, number),
            accounts.map(|account| moved(account, number)).collect(),
            vec![key(keys, number)],
        ))
    };
    Pieces(numbers.map(piece).collect())
}

#[test]
fn a_piece_is_read_as_it_was_written_and_refused_when_damaged() {
    let rows = vec![moved(900, 3), moved(1, i64::MAX), moved(64, 1)];
    let piece = Piece::new(9, nonce(0, 9), rows, vec![key(255, 2), key(0, i64::MAX)]);
    let bytes = piece.encode();
    let decode = |bytes: &[u8]| Piece::decode(9, nonce(0, 9), bytes);
    assert_eq!(decode(&bytes).unwrap(), piece);
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
    let later = [&[2], &bytes[1..]].concat();
    assert!(decode(&later).is_err(), "a later format");
    let empty = Piece::new(9, nonce(0, 9), Vec::new(), Vec::new());
    assert_eq!(decode(&empty.encode()).unwrap(), empty);
}

#[test]
fn every_account_and_key_is_in_one_slice_and_found_there() {
    let accounts: Vec<_> = (0..10_000).map(|number| moved(number, 1)).collect();
    let keys: Vec<_> = (0..=255).map(|first| key(first, 5)).collect();
    let piece = Piece::new(1, nonce(0, 1), accounts.clone(), keys.clone());
    let mut seen = 0;
    for slice in 0..SLICES {
        let rows = piece.moved.slice(slice);
        assert!(rows.iter().all(|row| slice_of_account(row.number) == slice));
        let theirs = piece.keys.slice(slice);
        assert!(theirs.iter().all(|key| slice_of_key(&key.hash) == slice));
        assert_eq!(theirs.len(), 4);
        seen += rows.len();
    }
    assert_eq!(seen, accounts.len());
    for account in &accounts {
        assert_eq!(piece.moved.find(&account.number), Some(account));
    }
    assert_eq!(piece.moved.find(&10_000), None);
    assert!(piece.moved.slice(SLICES).is_empty());
}

#[test]
fn the_latest_piece_counts_until_its_slice_is_folded() {
    let pieces = pieces(1..=64);
    for account in 1..=5_000 {
        // Piece 1 to 64 fold slices 1 to 63 and then 0.
        let folded = i64::try_from(slice_of_account(account)).unwrap();
        let last = if folded == 0 { 64 } else { folded };
        let latest = (last + 1..=64).rev().find(|number| account % number == 0);
        let found = pieces.moved(account).map(|moved| moved.version);
        assert_eq!(found, latest, "account {account}");
    }
}

#[test]
fn an_index_that_follows_says_what_the_pieces_say() {
    let mut index = Index::default();
    for last in [3, 40, 64, 65, 130, 400, 401] {
        let pieces = pieces((last - 63).max(1)..=last);
        index.follow(&pieces);
        for account in 1..=5_000 {
            // What is folded the index may still know: the table has the same.
            if let Some(found) = pieces.moved(account) {
                assert_eq!(index.moved(account), Some(found), "{account} at {last}");
            }
            let known = index.moved(account).map(|moved| moved.version);
            assert!(known.is_none_or(|version| version > last - 64 && version <= last));
        }
        for piece in (last - 63).max(1)..=last {
            let key = record_key(&key(u8::try_from(piece % 256).unwrap(), piece));
            assert_eq!(index.key(key), Some(piece));
            assert!(pieces.key(key).is_none_or(|found| found == piece));
        }
    }
    let gone = record_key(&key(u8::try_from(300 % 256).unwrap(), 300));
    assert_eq!(index.key(gone), None);
    index.follow(&Pieces::default());
    assert_eq!(index.moved(2), None);
}

#[test]
fn an_index_follows_a_file_that_went_back_and_gave_its_numbers_again() {
    let mut index = Index::default();
    index.follow(&pieces(1..=10));
    // The file went back to piece 6; pieces 7 to 10 came again, with other
    // accounts and keys.
    let mut restored = pieces(1..=6);
    for number in 7..=10 {
        let rows = vec![moved(9_000 + number, number)];
        let keys = vec![key(200, number)];
        let piece = Piece::new(number, nonce(1, number), rows, keys);
        restored.0.push(Arc::new(piece));
    }
    index.follow(&restored);
    assert_eq!(index.moved(10).map(|moved| moved.version), Some(5));
    assert_eq!(index.moved(7).map(|moved| moved.version), Some(1));
    assert_eq!(index.moved(9_007).map(|moved| moved.version), Some(7));
    assert_eq!(index.key(record_key(&key(7, 7))), None);
    assert_eq!(index.key(record_key(&key(200, 0))), Some(10));
    assert_eq!(index.key(record_key(&key(3, 3))), Some(3));
}
