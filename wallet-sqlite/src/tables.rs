//! Tables of this crate in a file that may hold other tables as well, and the thread that
//! owns the connection to them. An inbox and a queue are such tables.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::checkpoint::Checkpoints;
use crate::commit::{in_file, in_transaction, read_in_file};
use crate::error::{During, Result};
use crate::file::OpenFile;
use crate::guard::Guard;
use crate::threads::Threads;
use crate::{SqliteSettings, checkpoint, connect};

const EXISTS: &str = "SELECT count(*) FROM main.sqlite_schema WHERE name = ?";

/// What the tables of one purpose are.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The name of the table that exists if all of them do.
    pub(crate) table: &'static str,
    /// Creates the tables.
    pub(crate) create: &'static str,
    pub(crate) thread: &'static str,
    pub(crate) missing: &'static str,
}

impl Schema {
    fn exists(&self, connection: &Connection) -> Result<bool> {
        let found = connection.query_row(EXISTS, (self.table,), |row| row.get::<_, i64>(0));
        Ok(found.during("looking for tables")? > 0)
    }

    /// Creates the tables if they are missing.
    pub(crate) fn ensure(&self, connection: &Connection) -> Result<()> {
        if self.exists(connection)? {
            return Ok(());
        }
        self.create(connection)
    }

    fn create(&self, connection: &Connection) -> Result<()> {
        let created = connection.execute_batch(self.create);
        created.during("creating tables")
    }
}

/// An open file with tables of this crate.
#[derive(Debug)]
pub(crate) struct Tables {
    thread: Threads,
    file: Arc<OpenFile>,
    /// The guard of the log, if it needs one.
    guard: Option<Arc<Guard>>,
    /// Runs beside a guard only.
    checkpoints: Option<Checkpoints>,
}

impl Tables {
    /// Opens the file, and creates the file and the tables if the settings allow it.
    pub(crate) fn open(settings: &SqliteSettings, schema: &Schema) -> Result<Self> {
        let opened = connect::tables(settings)?;
        let (connection, file, guard) = (opened.connection, opened.file, opened.guard);
        if !schema.exists(&connection)? {
            if !settings.migrate {
                return Err(StoreError::new(StoreErrorKind::Internal, schema.missing));
            }
            in_transaction(&connection, Duration::ZERO, |open| schema.create(open))?;
        }
        let thread = Threads::start(schema.thread, vec![connection])?;
        let file = Arc::new(file);
        let pages = settings.checkpoint_pages;
        let checkpoints = match &guard {
            // SQLite runs a checkpoint in the commit that fills the log.
            None => None,
            Some(guard) => {
                let (beside, file) = (connect::reader(settings)?, Arc::clone(&file));
                let guard = Some(Arc::clone(guard));
                Some(Checkpoints::start(beside, file, &thread, pages, guard)?)
            }
        };
        Ok(Self {
            thread,
            file,
            guard,
            checkpoints,
        })
    }

    /// Runs `work` on one consistent state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| read_in_file(&file, connection, work);
        self.thread.run(work).await
    }

    /// Runs `work` in a transaction that holds the write lock, and commits it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let file = Arc::clone(&self.file);
        let work = move |connection: &mut Connection| {
            // SQLite itself waits for the lock.
            in_file(&file, connection, Duration::ZERO, work)
        };
        self.thread.run(work).await
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.checkpoints = None;
        let (file, guard) = (Arc::clone(&self.file), self.guard.take());
        self.thread.post(move |connection| {
            checkpoint::end(&file, connection, guard.as_deref());
            drop(guard);
        });
        self.thread.end();
    }
}
