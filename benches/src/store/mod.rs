//! The stores that can be measured: one module each. To add one, add a variant here, a
//! module that opens the store, and a baseline.

mod aurora;
mod memory;
mod sqlite;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;
use wallet_core::store::{HostTransactions, LedgerStore, Outbox};

use crate::Result;
use crate::args::Load;
use crate::baseline::{self, Baseline, Limit};
use crate::server::Server;
use crate::store_kind::StoreKind;
use crate::work::Meter;

/// The location of a run's stores: files in one folder, databases on one server.
#[derive(Debug)]
pub(crate) struct Site {
    kind: StoreKind,
    server: Option<Server>,
    /// How many accounts a store of the server's kind caches, if given.
    remembered: Option<usize>,
    folder: tempfile::TempDir,
}

impl Site {
    /// Makes the folder and starts the server.
    pub(crate) fn prepare(load: &Load) -> Result<Self> {
        std::fs::create_dir_all(&load.folder)?;
        let folder = tempfile::Builder::new()
            .prefix("load-")
            .tempdir_in(&load.folder)?;
        let server = load.store.server().map(|kind| {
            let folder = folder.path().join("server");
            Server::start(kind, &folder, load)
        });
        Ok(Self {
            kind: load.store,
            server,
            remembered: load.remembered,
            folder,
        })
    }

    /// The configuration of the server, as text.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.server.as_ref().map(Server::profile)
    }

    /// Reads the processor time of the server and of this process; `None` where there
    /// is no server.
    pub(crate) fn meter(&self) -> Result<Option<Meter>> {
        self.server.as_ref().map(Server::meter).transpose()
    }

    /// The number of deadlocks so far; `None` if deadlocks are impossible.
    pub(crate) fn deadlocks(&self, runtime: &Runtime) -> Result<Option<u64>> {
        let server = self.server.as_ref();
        server.map(|server| server.deadlocks(runtime)).transpose()
    }

    /// Opens a new store under its own name.
    pub(crate) fn open(&self, name: &str, runtime: &Runtime) -> Result<Box<dyn Subject>> {
        Ok(match self.kind {
            StoreKind::Memory => Box::new(memory::Memory::open()),
            StoreKind::Sqlite => Box::new(sqlite::Sqlite::open(&self.folder(name)?)?),
            StoreKind::Mysql | StoreKind::Mariadb => {
                let database = self.server()?.create(name, runtime)?;
                Box::new(runtime.block_on(aurora::Aurora::open(database, self.remembered))?)
            }
        })
    }

    /// Opens a new naive ledger on the same kind of store.
    pub(crate) fn open_baseline(
        &self,
        accounts: u32,
        runtime: &Runtime,
    ) -> Result<Box<dyn Baseline>> {
        self.baseline("baseline", accounts, runtime)
    }

    /// Opens new tables for the bulk insertion of rows.
    pub(crate) fn open_limit(&self, accounts: u32, runtime: &Runtime) -> Result<Box<dyn Limit>> {
        if let Some(server) = &self.server {
            let database = server.create("limit", runtime)?;
            let tables = baseline::mysql_limit::Tables::create(database, accounts)?;
            return Ok(Box::new(tables));
        }
        let ledger = self.baseline("limit", accounts, runtime)?;
        Ok(Box::new(baseline::Unchecked::new(ledger, accounts)?))
    }

    fn baseline(&self, name: &str, accounts: u32, runtime: &Runtime) -> Result<Box<dyn Baseline>> {
        Ok(match self.kind {
            StoreKind::Memory => Box::new(baseline::memory::Memory::open(accounts)),
            StoreKind::Sqlite => {
                let folder = self.folder(name)?;
                Box::new(baseline::sqlite::Sqlite::open(&folder, accounts)?)
            }
            StoreKind::Mysql | StoreKind::Mariadb => {
                let database = self.server()?.create(name, runtime)?;
                Box::new(baseline::mysql::MySql::create(database, accounts)?)
            }
        })
    }

    fn server(&self) -> Result<&Server> {
        Ok(self.server.as_ref().ok_or("there is no server")?)
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder: &Path = self.folder.path();
        let folder = folder.join(name);
        std::fs::create_dir(&folder)?;
        Ok(folder)
    }
}

/// A store under load.
pub(crate) trait Subject: Debug {
    /// The store.
    fn ledger(&self) -> Arc<dyn LedgerStore>;

    /// Transactions of a host on its database.
    fn transactions(&self) -> Arc<dyn HostTransactions>;

    /// Its outbox.
    fn outbox(&self) -> Arc<dyn Outbox>;

    /// Another store on the same books; `None` if only one is possible.
    ///
    /// # Errors
    /// The errors of the store.
    fn another(&self, runtime: &Runtime) -> Result<Option<Arc<dyn LedgerStore>>> {
        let _ = runtime;
        Ok(None)
    }

    /// The size of its files in bytes after the log is emptied; `None` without files.
    /// Nothing may be written meanwhile.
    ///
    /// # Errors
    /// The errors of the store.
    fn bytes(&self) -> Result<Option<u64>>;
}
