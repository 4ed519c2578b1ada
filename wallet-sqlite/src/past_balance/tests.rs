//! Tests of balances at past times.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::ledger::{AccountKey, InLedger, SettlementShards};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::{Clock, Uuid7};
use wallet_core::store::LedgerStore;
use wallet_core::{
    AccountId, Command, Currency, Deposit, IdempotencyKey, LedgerId, Money, OpenAccount, Owner,
    Request, SettlementName, SystemClock,
};

use super::*;
use crate::{SqliteSettings, SqliteStore};

/// The size in bytes of a frame of the log: a page and its header.
const FRAME_BYTES: u64 = 2_048 + 24;

fn account(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), AccountId::from_bytes([number; 16]))
}

/// Six accounts. Each holds as many cents as its number.
async fn books(path: &Path, lock_wait: Duration) -> SqliteStore {
    let settings = SqliteSettings {
        lock_wait,
        ..SqliteSettings::new(path)
    };
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
    let eur = Currency::iso("EUR").unwrap();
    let mut commands: Vec<Command> = Vec::new();
    for number in 1..=6 {
        let id = account(number).id;
        let open = OpenAccount::new(Owner::new("ada").unwrap(), eur).with_id(Some(id));
        let bank = SettlementName::new("bank").unwrap();
        let cents = Money::minor(i128::from(number), eur).unwrap();
        commands.extend([open.into(), Deposit::new(id, cents, bank).into()]);
    }
    let key = IdempotencyKey::parse("test", "books").unwrap();
    let request = Request::of_many(key, commands);
    let prepared = PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap();
    let batch = Batch::new(vec![Arc::new(prepared)]);
    store.transact(Arc::new(batch)).await.unwrap();
    store
}

/// A question about the most recent past.
fn recent(number: u8) -> Question {
    let at = SystemClock.now();
    Question {
        account: account(number),
        at,
    }
}

fn log_bytes(path: &Path) -> u64 {
    let log = format!("{}-wal", path.display());
    std::fs::metadata(log).unwrap().len()
}

#[tokio::test]
async fn all_who_wait_for_the_recent_past_are_answered_by_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = books(&path, Duration::from_secs(60)).await;
    let mut waiting = Vec::new();
    for number in (1..=6).cycle().take(60) {
        let question = recent(number);
        waiting.push((number, question, store.settlements.add(question)));
    }
    let before = log_bytes(&path);
    let last = store.settle(recent(1)).await.unwrap().unwrap();
    assert_eq!(last.posted, 1);
    let frames = log_bytes(&path)
        .saturating_sub(before)
        .div_euclid(FRAME_BYTES);
    assert!(
        (1..10).contains(&frames),
        "{frames} frames for 61 questions"
    );
    for (number, question, answered) in waiting {
        let balance = answered.await.unwrap().unwrap().unwrap();
        assert_eq!(balance.posted, i128::from(number));
        // The answered time is final: a reader gives the same answer from here on.
        let again = store.balance_at(question.account, question.at).await;
        assert_eq!(again.unwrap().unwrap(), balance);
    }
    assert_eq!(
        log_bytes(&path),
        before.saturating_add(frames * FRAME_BYTES)
    );
}

#[tokio::test]
async fn a_question_that_is_refused_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = books(&path, Duration::from_secs(60)).await;
    let mut future = recent(1);
    future.at = future.at.saturating_add(Duration::from_secs(3_600));
    let future = store.settlements.add(future);
    let nobody = store.settlements.add(recent(9));
    let found = store.settle(recent(2)).await.unwrap().unwrap();
    assert_eq!(found.posted, 2);
    let refused = future.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    assert_eq!(nobody.await.unwrap().unwrap(), None);
}

#[tokio::test]
async fn a_damaged_account_fails_no_other_question() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = books(&path, Duration::from_secs(60)).await;
    let other = Connection::open(&path).unwrap();
    let damage = "UPDATE wallet_account SET currency = 'x' WHERE id = ?";
    let id = account(3).id;
    assert_eq!(other.execute(damage, (id.as_bytes(),)).unwrap(), 1);
    let damaged = store.settlements.add(recent(3));
    let whole = store.settlements.add(recent(4));
    store.settle(recent(5)).await.unwrap().unwrap();
    let error = damaged.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(whole.await.unwrap().unwrap().unwrap().posted, 4);
}

#[tokio::test]
async fn where_the_lock_cannot_be_had_each_caller_gets_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = books(&path, Duration::ZERO).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answers = tokio::join!(store.settle(recent(1)), store.settle(recent(2)));
    for answer in [answers.0, answers.1] {
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Conflict);
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.settle(recent(6)).await.unwrap().unwrap().posted, 6);
}
