//! The store's own connection for transactions of hosts.
//!
//! SQLite has one writer at a time, so one connection serves all hosts of a store, one
//! transaction after the other. It has a thread of its own: a host's statements block no
//! task.

use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::connect;
use crate::error::Result;
use crate::file::OpenFile;
use crate::host_statement::Switch;
use crate::settings::SqliteSettings;
use crate::threads::Threads;

/// The connection for hosts, opened when it is first used.
#[derive(Debug)]
pub(crate) struct HostConnection {
    settings: SqliteSettings,
    thread: OnceLock<Threads>,
    switch: Switch,
    /// One transaction at a time.
    turn: Arc<Semaphore>,
}

impl HostConnection {
    pub(crate) fn new(settings: &SqliteSettings) -> Arc<Self> {
        Arc::new(Self {
            settings: settings.clone(),
            thread: OnceLock::new(),
            switch: Switch::default(),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// The thread. Only the owner of the turn asks for it, so it is started once. A file that
    /// was replaced is not opened: it has its own log. The first call opens the file on the
    /// caller's task.
    pub(crate) fn thread(&self, file: &OpenFile) -> Result<&Threads> {
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        file.check()?;
        let mut connection = connect::existing(&self.settings)?;
        self.switch.watch(&mut connection);
        let thread = Threads::start("wallet-host", vec![connection])?;
        Ok(self.thread.get_or_init(|| thread))
    }

    /// The switch of the connection: whose statements it prepares.
    pub(crate) const fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Waits until no other transaction of a host is open.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        turn.map_err(|error| {
            let kind = StoreErrorKind::Unavailable;
            StoreError::new(kind, "waiting for the host's connection").with_source(error)
        })
    }

    /// Queues `work` for the connection, if it is open.
    pub(crate) fn post(&self, work: impl FnOnce(&Connection) + Send + 'static) {
        if let Some(thread) = self.thread.get() {
            thread.post(move |connection| work(connection));
        }
    }

    /// Closes the connection.
    pub(crate) fn end(&mut self) {
        drop(self.thread.take());
    }
}
