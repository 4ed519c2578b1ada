//! The database: tables behind one lock, with transactions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tables::Tables;

/// A database in memory. Clones are connections to the same database.
#[derive(Debug, Clone, Default)]
pub struct Database(Arc<Mutex<Tables>>);

/// A transaction. It holds the database's lock and changes a copy of the tables.
/// Dropped without [`commit`](Self::commit), it changes nothing.
pub(crate) struct Transaction<'a> {
    committed: MutexGuard<'a, Tables>,
    /// The tables as this transaction sees them.
    pub(crate) tables: Tables,
}

impl Database {
    /// An empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The committed tables. No transaction commits while the guard lives.
    pub(crate) fn read(&self) -> MutexGuard<'_, Tables> {
        // A panic cannot leave half of a transaction: a commit is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a transaction. It waits for the transaction before it.
    pub(crate) fn begin(&self) -> Transaction<'_> {
        let committed = self.read();
        let tables = committed.clone();
        Transaction { committed, tables }
    }
}

impl Transaction<'_> {
    /// Makes every change of the transaction visible at once.
    pub(crate) fn commit(mut self) {
        *self.committed = self.tables;
    }
}
