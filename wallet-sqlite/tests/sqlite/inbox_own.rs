//! Steps inside the consumer's transaction. The effect and the step commit together.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tempfile::TempDir;
use wallet_core::ledger::{AccountKey, Epoch, InLedger, Position, Version};
use wallet_core::messaging::InboxStep;
use wallet_core::store::ApplyError;
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, LedgerId};
use wallet_sqlite::{HostTransaction, SqliteInbox};

const NAME: &str = "mailer";

fn account(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), AccountId::from_bytes([number; 16]))
}

fn step(number: u8, from: Version, to: Version) -> InboxStep {
    let account = account(number);
    let at = |version| Position::new(Epoch::FIRST, version);
    InboxStep {
        account,
        from: at(from),
        to: at(to),
    }
}

fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection
}

/// A consumer's database, with a table for its effects.
fn mails() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let connection = connect(&folder.path().join("mails.db"));
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE mail (id INTEGER PRIMARY KEY, account BLOB NOT NULL) STRICT",
        )
        .unwrap();
    SqliteInbox::create_in(&connection).unwrap();
    (folder, connection)
}

fn send(connection: &Connection, number: u8) -> rusqlite::Result<usize> {
    let id = account(number).id;
    connection.execute("INSERT INTO mail (account) VALUES (?)", (id.as_bytes(),))
}

fn sent(connection: &Connection) -> i64 {
    let count = "SELECT count(*) FROM mail";
    connection.query_row(count, (), |row| row.get(0)).unwrap()
}

fn position(connection: &Connection, number: u8) -> Version {
    let position = SqliteInbox::position_in(connection, NAME, account(number));
    position.unwrap().version
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, ApplyError>) -> StoreErrorKind {
    match result.unwrap_err() {
        ApplyError::Store(error) => error.kind(),
        other => panic!("{other}"),
    }
}

#[test]
fn an_effect_and_its_step_commit_together() {
    let (_folder, mut connection) = mails();
    for version in 1..=3 {
        let transaction = HostTransaction::begin(&mut connection).unwrap();
        let own = transaction.connection().unwrap();
        let step = step(1, version - 1, version);
        assert!(SqliteInbox::advance_in(own, NAME, &step).unwrap());
        send(own, 1).unwrap();
        assert_eq!(position(own, 1), version, "its own step is seen");
        transaction.commit().unwrap();
        assert_eq!(
            (sent(&connection), position(&connection, 1)),
            (version, version)
        );
    }
    let transaction = connection.transaction().unwrap();
    let again = SqliteInbox::advance_in(&transaction, NAME, &step(1, 2, 3));
    assert!(!again.unwrap(), "seen before");
}

#[test]
fn an_effect_and_its_step_roll_back_together() {
    let (_folder, mut connection) = mails();
    for from in [0, 1] {
        let transaction = connection.transaction().unwrap();
        send(&transaction, 1).unwrap();
        let step = step(1, from, from + 1);
        assert!(SqliteInbox::advance_in(&transaction, NAME, &step).unwrap());
        transaction.rollback().unwrap();
        assert_eq!((sent(&connection), position(&connection, 1)), (0, from));
        let transaction = connection.transaction().unwrap();
        assert!(SqliteInbox::advance_in(&transaction, NAME, &step).unwrap());
        transaction.commit().unwrap();
    }
}

#[test]
fn what_is_refused_leaves_the_transaction_as_it_was() {
    let (_folder, mut connection) = mails();
    let transaction = connection.transaction().unwrap();
    send(&transaction, 1).unwrap();
    for (name, step) in [
        (NAME, step(1, 1, 1)),
        (NAME, step(1, -1, 1)),
        ("", step(1, 0, 1)),
    ] {
        let refused = SqliteInbox::advance_in(&transaction, name, &step);
        assert_eq!(kind_of(refused), StoreErrorKind::Invalid);
    }
    let refused = SqliteInbox::position_in(&transaction, "", account(1));
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Invalid);
    assert!(!SqliteInbox::advance_in(&transaction, NAME, &step(1, 1, 2)).unwrap());
    transaction.commit().unwrap();
    assert_eq!((sent(&connection), position(&connection, 1)), (1, 0));
}

#[test]
fn without_a_transaction_no_step_is_recorded() {
    let (_folder, connection) = mails();
    let refused = SqliteInbox::advance_in(&connection, NAME, &step(1, 0, 1));
    assert!(matches!(refused, Err(ApplyError::TransactionLost(None))));
    assert_eq!(position(&connection, 1), 0);
}

/// Interrupts the statements of the connection while the flag is true.
fn interrupts(connection: &mut Connection) -> Arc<AtomicBool> {
    let is_on = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_on);
    let handler = move || asked.load(Ordering::SeqCst);
    let _ = connection.progress_handler(1, Some(handler));
    is_on
}

#[test]
fn a_transaction_that_an_effect_lost_records_no_step() {
    let (_folder, mut connection) = mails();
    let interrupts = interrupts(&mut connection);
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    send(&connection, 1).unwrap();
    interrupts.store(true, Ordering::SeqCst);
    send(&connection, 1).unwrap_err();
    interrupts.store(false, Ordering::SeqCst);
    let refused = SqliteInbox::advance_in(&connection, NAME, &step(1, 0, 1));
    assert!(matches!(refused, Err(ApplyError::TransactionLost(None))));
    assert_eq!((sent(&connection), position(&connection, 1)), (0, 0));
}

#[test]
fn a_transaction_that_a_step_lost_is_reported_as_lost() {
    let (_folder, mut connection) = mails();
    let interrupts = interrupts(&mut connection);
    let transaction = HostTransaction::begin(&mut connection).unwrap();
    let own = transaction.connection().unwrap();
    send(own, 1).unwrap();
    interrupts.store(true, Ordering::SeqCst);
    let lost = SqliteInbox::advance_in(own, NAME, &step(1, 0, 1));
    interrupts.store(false, Ordering::SeqCst);
    assert!(matches!(lost, Err(ApplyError::TransactionLost(Some(_)))));
    assert!(transaction.connection().is_err());
    drop(transaction);
    assert_eq!((sent(&connection), position(&connection, 1)), (0, 0));
}

#[test]
fn a_deferred_transaction_that_was_overtaken_is_a_conflict() {
    let (folder, mut connection) = mails();
    let other = connect(&folder.path().join("mails.db"));
    let transaction = connection.transaction().unwrap();
    assert_eq!(position(&transaction, 1), 0);
    send(&other, 2).unwrap();
    let refused = SqliteInbox::advance_in(&transaction, NAME, &step(1, 0, 1));
    assert_eq!(kind_of(refused), StoreErrorKind::Conflict);
    transaction.commit().unwrap();
    assert_eq!(position(&connection, 1), 0);
}

/// Handles one event like a consumer. Repeats it if another writer was in the way.
fn handle(connection: &mut Connection, kind: TransactionBehavior, number: u8) -> bool {
    loop {
        let Ok(transaction) = connection.transaction_with_behavior(kind) else {
            continue;
        };
        let from = position(&transaction, number);
        if from > 0 {
            return false;
        }
        match SqliteInbox::advance_in(&transaction, NAME, &step(number, from, 1)) {
            Ok(true) => {
                send(&transaction, number).unwrap();
                transaction.commit().unwrap();
                return true;
            }
            Ok(false) => return false,
            Err(ApplyError::Store(error)) if error.kind() == StoreErrorKind::Conflict => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn of_two_consumers_at_once_one_has_the_effect() {
    const EVENTS: u8 = 40;
    for kind in [
        TransactionBehavior::Immediate,
        TransactionBehavior::Deferred,
    ] {
        let (folder, connection) = mails();
        let path = folder.path().join("mails.db");
        let start = Barrier::new(2);
        let work = || {
            let mut connection = connect(&path);
            start.wait();
            let handled = (0..EVENTS).filter(|number| handle(&mut connection, kind, *number));
            handled.count()
        };
        let handled = std::thread::scope(|scope| {
            let other = scope.spawn(work);
            work() + other.join().unwrap()
        });
        assert_eq!(handled, usize::from(EVENTS));
        assert_eq!(sent(&connection), i64::from(EVENTS));
        let each = "SELECT count(DISTINCT account) FROM mail";
        let each: i64 = connection.query_row(each, (), |row| row.get(0)).unwrap();
        assert_eq!(each, i64::from(EVENTS));
    }
}
