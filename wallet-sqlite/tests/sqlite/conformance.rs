//! The store passes every case of the test kit.

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::conformance::{Case, run, sizes};
use wallet_testkit::{Built, Capabilities, Handles, ManualClock, Reopen, StoreFactory};

/// Stores that defer commits with at least this many changed accounts.
#[derive(Debug)]
struct SqliteStores(usize);

const AT_ONCE: SqliteStores = SqliteStores(usize::MAX);
const DEFERRED: SqliteStores = SqliteStores(1);

#[derive(Debug)]
struct File {
    settings: SqliteSettings,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

impl File {
    fn open(&self) -> Handles {
        let clock = Arc::clone(&self.clock);
        let store = SqliteStore::open(&self.settings, clock).expect("the file opens");
        Handles::of(Arc::new(store))
    }
}

#[async_trait]
impl StoreFactory for SqliteStores {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: true,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = SqliteSettings::new(folder.path().join("wallet.db"));
        let file = File {
            settings: settings.with_defer_from(self.0),
            clock,
            _folder: folder,
        };
        Built::new(file.open(), file)
    }
}

#[async_trait]
impl Reopen for File {
    async fn reopen(&mut self) -> Handles {
        self.open()
    }

    async fn open_another(&mut self) -> Option<Handles> {
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

/// To use ten times as many entries, set `WALLET_KIT_ENTRIES=1000000` and run the case of
/// the list.
#[test]
fn an_account_of_a_hundred_thousand_entries_reads_and_adds_up() {
    let case = Case {
        theme: "sizes",
        name: "many_entries",
        keeps_outbox: true,
        run: |kit| Box::pin(sizes::many_entries(kit, 100_000)),
    };
    run(AT_ONCE, &case);
}
