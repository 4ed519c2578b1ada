//! The inbox passes every case of the test kit, and works in any file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tempfile::TempDir;
use wallet_core::ledger::{AccountKey, Epoch, InLedger, Position};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{AccountId, LedgerId, SystemClock};
use wallet_sqlite::{SqliteInbox, SqliteSettings, SqliteStore};
use wallet_testkit::{Built, Factory, ManualClock, Reopen, block_on};

/// Inboxes in new files, or in a host's file with a rollback journal.
#[derive(Debug)]
struct Inboxes {
    is_host_s: bool,
}

const ITS_OWN: Inboxes = Inboxes { is_host_s: false };
const HOST_S: Inboxes = Inboxes { is_host_s: true };

#[derive(Debug)]
struct File {
    // A long wait, because many threads want the lock at once.
    settings: SqliteSettings,
    _folder: TempDir,
}

#[async_trait]
impl Factory<dyn Inbox> for Inboxes {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn Inbox> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inbox.db");
        if self.is_host_s {
            shop(&path);
        }
        let file = File {
            settings: SqliteSettings {
                lock_wait: Duration::from_secs(60),
                ..SqliteSettings::new(path)
            },
            _folder: folder,
        };
        Built::new(file.open(), file)
    }
}

impl File {
    fn open(&self) -> Arc<dyn Inbox> {
        Arc::new(SqliteInbox::open(&self.settings).expect("the file opens"))
    }
}

#[async_trait]
impl Reopen<dyn Inbox> for File {
    async fn reopen(&mut self) -> Option<Arc<dyn Inbox>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<dyn Inbox>> {
        Some(self.open())
    }
}

mod its_own {
    use super::ITS_OWN;
    wallet_testkit::inbox_conformance!(ITS_OWN);
}
mod host_s {
    use super::HOST_S;
    wallet_testkit::inbox_conformance!(HOST_S);
}

/// A host's file.
fn shop(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the file opens");
    let create = "CREATE TABLE shop_order (id INTEGER PRIMARY KEY) STRICT";
    connection.execute_batch(create).expect("a table");
    connection
}

fn account(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), AccountId::from_bytes([number; 16]))
}

fn first(number: u8) -> InboxStep {
    InboxStep {
        account: account(number),
        from: Position::START,
        to: Position::new(Epoch::FIRST, 1),
    }
}

#[test]
fn a_host_s_file_keeps_its_journal_and_a_new_one_gets_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| {
        let connection = Connection::open(path).unwrap();
        let mode = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0));
        mode.unwrap()
    };
    let path = folder.path().join("shop.db");
    shop(&path);
    SqliteInbox::open(&SqliteSettings::new(&path)).unwrap();
    let found: String = mode(&path);
    assert_eq!(found, "delete");
    let path = folder.path().join("new.db");
    SqliteInbox::open(&SqliteSettings::new(&path)).unwrap();
    let new: String = mode(&path);
    assert_eq!(new, "wal");
}

#[test]
fn ledger_and_inbox_share_a_file_whichever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    for is_inbox_first in [false, true] {
        let path = folder.path().join(format!("{is_inbox_first}.db"));
        let settings = SqliteSettings::new(path);
        let ledger = || SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
        let inbox = || SqliteInbox::open(&settings).unwrap();
        let (inbox, ledger) = if is_inbox_first {
            let inbox = inbox();
            (inbox, ledger())
        } else {
            let ledger = ledger();
            (inbox(), ledger)
        };
        assert!(block_on(inbox.advance("a", &first(1))).unwrap());
        assert_eq!(block_on(ledger.ledgers()).unwrap(), []);
    }
}

#[test]
fn without_migrating_the_table_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqliteSettings::new(folder.path().join("shop.db"));
    let kind = |settings: &SqliteSettings| SqliteInbox::open(settings).unwrap_err().kind();
    let none = SqliteSettings {
        create: false,
        ..settings.clone()
    };
    assert_eq!(kind(&none), StoreErrorKind::Unavailable);
    let host = shop(&settings.path);
    let careful = SqliteSettings {
        migrate: false,
        ..settings
    };
    assert_eq!(kind(&careful), StoreErrorKind::Internal);
    SqliteInbox::create_in(&host).unwrap();
    SqliteInbox::create_in(&host).unwrap();
    let inbox = SqliteInbox::open(&careful).unwrap();
    assert!(block_on(inbox.advance("a", &first(1))).unwrap());
    std::fs::write(folder.path().join("text.db"), "x".repeat(9_000)).unwrap();
    let text = SqliteSettings::new(folder.path().join("text.db"));
    assert_eq!(kind(&text), StoreErrorKind::Corrupt);
}

#[test]
fn a_lock_that_somebody_keeps_is_a_conflict_and_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let settings = SqliteSettings {
        lock_wait: Duration::ZERO,
        ..SqliteSettings::new(&path)
    };
    let inbox = SqliteInbox::open(&settings).unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = block_on(inbox.advance("a", &first(1))).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Conflict);
    assert_eq!(
        block_on(inbox.positions("a", &[account(1)])).unwrap(),
        [Position::START]
    );
    holder.execute_batch("COMMIT").unwrap();
    assert!(block_on(inbox.advance("a", &first(1))).unwrap());
}

#[test]
fn a_commit_that_fails_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    // With a rollback journal, a reader stops a writer from committing.
    let host = shop(&path);
    let settings = SqliteSettings {
        lock_wait: Duration::ZERO,
        ..SqliteSettings::new(&path)
    };
    let inbox = SqliteInbox::open(&settings).unwrap();
    host.execute_batch("BEGIN; SELECT count(*) FROM shop_order")
        .unwrap();
    let read = host.query_row("SELECT count(*) FROM shop_order", (), |_| Ok(()));
    read.unwrap();
    let refused = block_on(inbox.advance("a", &first(1))).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Conflict);
    host.execute_batch("COMMIT").unwrap();
    assert_eq!(
        block_on(inbox.positions("a", &[account(1)])).unwrap(),
        [Position::START]
    );
    assert!(block_on(inbox.advance("a", &first(1))).unwrap());
}
