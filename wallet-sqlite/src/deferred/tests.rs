//! Tests of deltas, their buckets and their index.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::sync::Arc;

use wallet_core::ledger::{Counters, RecordKey};
use wallet_core::{LedgerId, Timestamp};

use super::buckets::{BUCKETS, bucket_of_account, bucket_of_key};
use super::delta::Nonce;
use super::{Delta, Deltas, Index, Key, Moved};

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

/// A key whose hash begins with this byte.
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

/// The nonce of a delta in one history of the file.
fn nonce(history: u8, number: i64) -> Nonce {
    let mut nonce = [history; 16];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    Nonce(nonce)
}

/// Delta `number` has every account whose number it divides, at the account's version.
fn deltas(numbers: std::ops::RangeInclusive<i64>) -> Deltas {
    let delta = |number: i64| {
        let accounts = (1..=5_000).filter(|account| account % number == 0);
        let keys = u8::try_from(number % 256).unwrap();
        Arc::new(Delta::new(
            number,
            nonce(0, number),
            accounts.map(|account| moved(account, number)).collect(),
            vec![key(keys, number)],
        ))
    };
    Deltas(numbers.map(delta).collect())
}

#[test]
fn a_delta_is_read_as_it_was_written_and_refused_when_damaged() {
    let rows = vec![moved(900, 3), moved(1, i64::MAX), moved(64, 1)];
    let delta = Delta::new(9, nonce(0, 9), rows, vec![key(255, 2), key(0, i64::MAX)]);
    let bytes = delta.encode();
    let decode = |bytes: &[u8]| Delta::decode(9, nonce(0, 9), bytes);
    assert_eq!(decode(&bytes).unwrap(), delta);
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
    let later = [&[2], &bytes[1..]].concat();
    assert!(decode(&later).is_err(), "a later format");
    let empty = Delta::new(9, nonce(0, 9), Vec::new(), Vec::new());
    assert_eq!(decode(&empty.encode()).unwrap(), empty);
}

#[test]
fn every_account_and_key_is_in_one_slice_and_found_there() {
    let accounts: Vec<_> = (0..10_000).map(|number| moved(number, 1)).collect();
    let keys: Vec<_> = (0..=255).map(|first| key(first, 5)).collect();
    let delta = Delta::new(1, nonce(0, 1), accounts.clone(), keys.clone());
    let mut seen = 0;
    for bucket in 0..BUCKETS {
        let rows = delta.moved.bucket(bucket);
        assert!(
            rows.iter()
                .all(|row| bucket_of_account(row.number) == bucket)
        );
        let theirs = delta.keys.bucket(bucket);
        assert!(theirs.iter().all(|key| bucket_of_key(&key.hash) == bucket));
        assert_eq!(theirs.len(), 4);
        seen += rows.len();
    }
    assert_eq!(seen, accounts.len());
    for account in &accounts {
        assert_eq!(delta.moved.find(&account.number), Some(account));
    }
    assert_eq!(delta.moved.find(&10_000), None);
    assert!(delta.moved.bucket(BUCKETS).is_empty());
}

#[test]
fn the_latest_delta_counts_until_its_slice_is_folded() {
    let deltas = deltas(1..=64);
    for account in 1..=5_000 {
        // The deltas 1 to 64 merge the buckets 1 to 63 and then 0.
        let merged = i64::try_from(bucket_of_account(account)).unwrap();
        let last = if merged == 0 { 64 } else { merged };
        let latest = (last + 1..=64).rev().find(|number| account % number == 0);
        let found = deltas.moved(account).map(|moved| moved.version);
        assert_eq!(found, latest, "account {account}");
    }
}

#[test]
fn an_index_that_follows_says_what_the_deltas_say() {
    let mut index = Index::default();
    for last in [3, 40, 64, 65, 130, 400, 401] {
        let deltas = deltas((last - 63).max(1)..=last);
        index.follow(&deltas);
        for account in 1..=5_000 {
            // The index may still hold merged rows. The table has the same values.
            if let Some(found) = deltas.moved(account) {
                assert_eq!(index.moved(account), Some(found), "{account} at {last}");
            }
            let known = index.moved(account).map(|moved| moved.version);
            assert!(known.is_none_or(|version| version > last - 64 && version <= last));
        }
        for delta in (last - 63).max(1)..=last {
            let key = record_key(&key(u8::try_from(delta % 256).unwrap(), delta));
            assert_eq!(index.key(key), Some(delta));
            assert!(deltas.key(key).is_none_or(|found| found == delta));
        }
    }
    let gone = record_key(&key(u8::try_from(300 % 256).unwrap(), 300));
    assert_eq!(index.key(gone), None);
    index.follow(&Deltas::default());
    assert_eq!(index.moved(2), None);
}

#[test]
fn an_index_follows_a_file_that_went_back_and_gave_its_numbers_again() {
    let mut index = Index::default();
    index.follow(&deltas(1..=10));
    // The file went back to delta 6. The deltas 7 to 10 came again, with other accounts and
    // keys.
    let mut restored = deltas(1..=6);
    for number in 7..=10 {
        let rows = vec![moved(9_000 + number, number)];
        let keys = vec![key(200, number)];
        let delta = Delta::new(number, nonce(1, number), rows, keys);
        restored.0.push(Arc::new(delta));
    }
    index.follow(&restored);
    assert_eq!(index.moved(10).map(|moved| moved.version), Some(5));
    assert_eq!(index.moved(7).map(|moved| moved.version), Some(1));
    assert_eq!(index.moved(9_007).map(|moved| moved.version), Some(7));
    assert_eq!(index.key(record_key(&key(7, 7))), None);
    assert_eq!(index.key(record_key(&key(200, 0))), Some(10));
    assert_eq!(index.key(record_key(&key(3, 3))), Some(3));
}
