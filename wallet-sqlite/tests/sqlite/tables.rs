//! Queues and inboxes hold to the rules of the store for their file and its log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::ledger::{Epoch, Position};
use wallet_core::messaging::{EventPublisher, Inbox, InboxStep, Message, MessageQueue};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, SystemClock};
use wallet_sqlite::{SqliteInbox, SqliteQueue, SqliteQueueSettings, SqliteSettings};
use wallet_testkit::block_on;

use crate::support::account_key;

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

fn open_queue(path: &Path) -> Result<SqliteQueue, StoreError> {
    open_queue_with(&SqliteSettings::new(path))
}

fn open_queue_with(settings: &SqliteSettings) -> Result<SqliteQueue, StoreError> {
    let queue = SqliteQueueSettings::new("test");
    SqliteQueue::open(settings, queue, Arc::new(SystemClock))
}

fn message(number: u8) -> Message {
    Message {
        id: number.to_string(),
        group: "group".to_owned(),
        attributes: Vec::new(),
        body: String::new(),
    }
}

/// The kind of the store's error behind an error of a queue.
fn kind_behind(error: &dyn std::error::Error) -> StoreErrorKind {
    let source = error.source().expect("a source");
    source.downcast_ref::<StoreError>().unwrap().kind()
}

/// A queue that has created its file. The log holds everything.
#[test]
fn a_queue_in_a_new_file_notices_that_its_log_was_removed_and_loses_nothing() {
    for (ending, guard_log) in [
        ("-wal", false),
        ("-shm", false),
        ("-wal", true),
        ("-shm", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let settings = SqliteSettings {
            guard_log,
            ..SqliteSettings::new(&path)
        };
        let queue = open_queue_with(&settings).unwrap();
        for number in 0..10 {
            block_on(queue.publish(&[message(number)])).unwrap();
        }
        std::fs::remove_file(beside(&path, ending)).unwrap();
        let error = block_on(queue.publish(&[message(10)])).unwrap_err();
        assert_eq!(kind_behind(&error), StoreErrorKind::Unavailable, "{ending}");
        let error = block_on(queue.receive(1, Duration::from_secs(9))).unwrap_err();
        assert_eq!(kind_behind(&error), StoreErrorKind::Unavailable, "{ending}");
        drop(queue);
        let queue = open_queue_with(&settings).unwrap();
        assert_eq!(block_on(queue.len()).unwrap(), 10, "{ending} {guard_log}");
    }
}

#[test]
fn an_inbox_in_a_new_file_notices_that_its_log_was_removed_and_loses_nothing() {
    for ending in ["-wal", "-shm"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let open = || SqliteInbox::open(&SqliteSettings::new(&path)).unwrap();
        let inbox = open();
        let step = |version| InboxStep {
            account: account_key(0),
            from: match version {
                1 => Position::START,
                later => Position::new(Epoch::FIRST, later - 1),
            },
            to: Position::new(Epoch::FIRST, version),
        };
        for version in 1..=10 {
            assert!(block_on(inbox.advance("a", &step(version))).unwrap());
        }
        std::fs::remove_file(beside(&path, ending)).unwrap();
        let error = block_on(inbox.advance("a", &step(11))).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{ending}");
        let error = block_on(inbox.positions("a", &[account_key(0)])).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{ending}");
        drop(inbox);
        let found = block_on(open().positions("a", &[account_key(0)])).unwrap();
        assert_eq!(found, [step(10).to], "{ending}");
    }
}

#[test]
fn queue_and_inbox_refuse_a_file_with_two_names_under_each() {
    let folder = tempfile::tempdir().unwrap();
    for is_host_s in [false, true] {
        let name = |name: &str| folder.path().join(format!("{is_host_s}-{name}"));
        let [path, other] = ["one.db", "other.db"].map(name);
        if is_host_s {
            // With a rollback journal.
            let host = Connection::open(&path).unwrap();
            host.execute_batch("CREATE TABLE host (id)").unwrap();
        }
        open_queue(&path).unwrap();
        std::fs::hard_link(&path, &other).unwrap();
        for name in [&path, &other] {
            let inbox = SqliteInbox::open(&SqliteSettings::new(name)).err();
            for error in [open_queue(name).err(), inbox] {
                let error = error.expect("refused");
                assert_eq!(error.kind(), StoreErrorKind::Internal);
                assert!(error.to_string().contains("2 names (hard links"), "{error}");
            }
        }
        // A name that a killed restore left is removed.
        std::fs::rename(&other, beside(&path, ".replaced-1")).unwrap();
        open_queue(&path).unwrap();
        assert!(!beside(&path, ".replaced-1").exists());
    }
}

/// A host's file with a rollback journal, which the host gives a log while a queue and an
/// inbox have it open. Nobody would keep the log short.
#[test]
fn a_change_of_the_journal_mode_is_noticed_by_the_next_write() {
    for guard_log in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let settings = SqliteSettings {
            guard_log,
            ..SqliteSettings::new(folder.path().join("host.db"))
        };
        let host = Connection::open(&settings.path).unwrap();
        host.execute_batch("CREATE TABLE host (id)").unwrap();
        let queue = || open_queue_with(&settings).unwrap();
        let (first, inbox) = (queue(), SqliteInbox::open(&settings).unwrap());
        block_on(first.publish(&[message(1)])).unwrap();
        let change = |mode: &str| {
            let change = format!("PRAGMA journal_mode = {mode}");
            let changed = host.query_row(&change, (), |row| row.get::<_, String>(0));
            assert_eq!(changed.unwrap(), mode);
        };
        change("wal");
        let words = "the file's journal mode was changed while it was open: restart";
        let step = InboxStep {
            account: account_key(0),
            from: Position::START,
            to: Position::new(Epoch::FIRST, 1),
        };
        let error = block_on(inbox.advance("a", &step)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains(words), "{error}");
        let error = block_on(first.publish(&[message(2)])).unwrap_err();
        assert_eq!(kind_behind(&error), StoreErrorKind::Unavailable);
        drop((first, inbox));
        let second = queue();
        block_on(second.publish(&[message(2)])).unwrap();
        assert_eq!(block_on(second.len()).unwrap(), 2);
    }
}
