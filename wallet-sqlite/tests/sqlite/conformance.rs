//! The store passes every case of the test kit.

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::conformance::{Case, keeps_outbox, run, sizes};
use wallet_testkit::{Built, Factory, ManualClock, Reopen, StoreEnds, StoreKit};

/// Stores that defer commits with at least `defer_from` changed accounts.
#[derive(Debug)]
struct SqliteStores {
    defer_from: usize,
    guard_log: bool,
}

const AT_ONCE: SqliteStores = SqliteStores {
    defer_from: usize::MAX,
    guard_log: false,
};
const DEFERRED: SqliteStores = SqliteStores {
    defer_from: 1,
    guard_log: false,
};
/// As with a linked SQLite that needs a guard of the log.
const GUARDED: SqliteStores = SqliteStores {
    defer_from: usize::MAX,
    guard_log: true,
};

#[derive(Debug)]
struct File {
    settings: SqliteSettings,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

impl File {
    fn open(&self) -> Arc<StoreEnds> {
        let clock = Arc::clone(&self.clock);
        let store = SqliteStore::open(&self.settings, clock).expect("the file opens");
        Arc::new(StoreEnds::of(Arc::new(store)))
    }
}

#[async_trait]
impl Factory<StoreEnds> for SqliteStores {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wallet.db");
        let file = File {
            settings: SqliteSettings {
                defer_from: self.defer_from,
                guard_log: self.guard_log,
                ..SqliteSettings::new(path)
            },
            clock,
            _folder: folder,
        };
        Built::new(file.open(), file)
    }
}

#[async_trait]
impl Reopen<StoreEnds> for File {
    async fn reopen(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open())
    }
}

mod at_once {
    use super::AT_ONCE;
    wallet_testkit::ledger_store_conformance!(AT_ONCE);
    wallet_testkit::outbox_conformance!(AT_ONCE);
    wallet_testkit::model_tests!(AT_ONCE);
}
mod deferred {
    use super::DEFERRED;
    wallet_testkit::ledger_store_conformance!(DEFERRED);
    wallet_testkit::outbox_conformance!(DEFERRED);
    wallet_testkit::model_tests!(DEFERRED);
}

mod guarded {
    use super::GUARDED;
    wallet_testkit::ledger_store_conformance!(GUARDED);
    wallet_testkit::outbox_conformance!(GUARDED);
    wallet_testkit::model_tests!(GUARDED);
}

/// To use ten times as many entries, set `WALLET_KIT_ENTRIES=1000000` and run the case of
/// the list.
#[test]
fn an_account_of_a_hundred_thousand_entries_reads_and_adds_up() {
    let case: Case<StoreKit> = Case {
        theme: "sizes",
        name: "many_entries",
        run: |kit| keeps_outbox(kit, sizes::many_entries(kit, 100_000)),
    };
    run(AT_ONCE, &case);
}
