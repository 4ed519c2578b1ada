//! The stores that can be measured: one module each. A new one is a variant
//! here, a module that opens it, and a baseline beside it.

mod memory;
mod sqlite;

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;
use wallet_core::LedgerStore;

use crate::Result;
use crate::baseline::{self, Baseline};

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    /// `MemoryStore`: nothing is kept.
    Memory,
    /// `SqliteStore` on a file of its own.
    Sqlite,
}

impl std::fmt::Display for StoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
        })
    }
}

impl StoreKind {
    /// Whether it is reached over a connection, which could be encrypted.
    pub(crate) const fn has_connection(self) -> bool {
        match self {
            Self::Memory | Self::Sqlite => false,
        }
    }

    /// Whether it keeps files of its own, which must be on a real disk.
    pub(crate) const fn has_files(self) -> bool {
        match self {
            Self::Memory => false,
            Self::Sqlite => true,
        }
    }

    /// Opens a fresh one, whose files go into `folder`.
    pub(crate) fn open(self, folder: &Path) -> Result<Box<dyn Subject>> {
        Ok(match self {
            Self::Memory => Box::new(memory::Memory::open()),
            Self::Sqlite => Box::new(sqlite::Sqlite::open(folder)?),
        })
    }

    /// Opens a fresh naive ledger on the same kind of store.
    pub(crate) fn open_baseline(self, folder: &Path, accounts: u32) -> Result<Box<dyn Baseline>> {
        Ok(match self {
            Self::Memory => Box::new(baseline::memory::Memory::open(accounts)),
            Self::Sqlite => Box::new(baseline::sqlite::Sqlite::open(folder, accounts)?),
        })
    }
}

/// A store under load.
pub(crate) trait Subject: Debug {
    /// The store.
    fn ledger(&self) -> Arc<dyn LedgerStore>;

    /// How many bytes its files take once nothing is left in a log; `None`
    /// where it has none. Nothing may be written meanwhile.
    ///
    /// # Errors
    /// Those of the store.
    fn bytes(&self) -> Result<Option<u64>>;
}
