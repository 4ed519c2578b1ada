//! The store passes every case of the test kit.
#![allow(
    clippy::expect_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use wallet_core::testkit::{Built, Capabilities, Handles, ManualClock, Reopen, StoreFactory};
use wallet_sqlite::{SqliteSettings, SqliteStore};

#[derive(Debug)]
struct SqliteStores;

/// A folder of its own for every store.
#[derive(Debug)]
struct Folder {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Folder {
    fn file(&self) -> PathBuf {
        self.folder.path().join("wallet.db")
    }

    fn open(&self) -> Handles {
        let settings = SqliteSettings::new(self.file());
        let clock = Arc::clone(&self.clock);
        let store = SqliteStore::open(&settings, clock).expect("the file opens");
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
        let folder = Folder { folder, clock };
        Built::new(folder.open(), folder)
    }
}

#[async_trait]
impl Reopen for Folder {
    async fn reopen(&mut self) -> Handles {
        self.open()
    }

    async fn open_another(&mut self) -> Option<Handles> {
        Some(self.open())
    }
}

wallet_core::ledger_store_conformance!(SqliteStores);
wallet_core::outbox_conformance!(SqliteStores);
wallet_core::model_tests!(SqliteStores);
