//! The settings of the store and the inbox.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wallet_core::request::MAX_AHEAD;

/// The settings of a [`SqliteStore`](crate::SqliteStore): how it uses its file. Plain data.
///
/// ```
/// use std::time::Duration;
/// use wallet_sqlite::SqliteSettings;
/// let settings = SqliteSettings::new("wallet.db").with_lock_wait(Duration::from_millis(500));
/// assert_eq!(settings.path(), std::path::Path::new("wallet.db"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own, and has a method that says which"
)]
pub struct SqliteSettings {
    pub(crate) path: PathBuf,
    pub(crate) create: bool,
    pub(crate) migrate: bool,
    pub(crate) adopt: bool,
    pub(crate) check: bool,
    pub(crate) lock_wait: Duration,
    pub(crate) readers: usize,
    pub(crate) checkpoint_pages: u32,
    pub(crate) cache_kib: u32,
    pub(crate) defer_from: usize,
    pub(crate) max_ahead: Duration,
}

impl SqliteSettings {
    /// Settings for the file at `path`, which opening creates and migrates. One second of
    /// waiting for a lock; two readers.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            create: true,
            migrate: true,
            adopt: false,
            check: true,
            lock_wait: Duration::from_secs(1),
            readers: 2,
            checkpoint_pages: 16_000,
            cache_kib: 16_384,
            defer_from: 100,
            max_ahead: MAX_AHEAD,
        }
    }

    /// Whether opening creates a missing file (the default), and makes an empty file a
    /// ledger's. A program that only inspects books passes `false`.
    #[must_use]
    pub const fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether opening brings the schema up to date (the default). A host that migrates in
    /// its own step passes `false` and calls
    /// [`SqliteStore::migrate`](crate::SqliteStore::migrate) there.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Whether a file that already holds other tables may become the ledger's too. A host
    /// that adds the ledger to its own database passes `true`. It is off by default, so
    /// that a wrong path is an error.
    #[must_use]
    pub const fn with_adopt(mut self, adopt: bool) -> Self {
        self.adopt = adopt;
        self
    }

    /// Whether opening checks some hundred rows, most of them the last ones, for missing
    /// pages (the default). It refuses a file that was copied over an open one, or put
    /// beside the log of another one. The check takes some milliseconds. To examine damaged
    /// books, pass `false`: the file is opened. If the file and its log do not belong
    /// together, the log stays as it is when the store is dropped.
    #[must_use]
    pub const fn with_check(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// How far an account's time may run ahead of the store's clock in
    /// [`SqliteStore::apply_in`](crate::SqliteStore::apply_in). Two seconds by default. The
    /// service has its own setting.
    #[must_use]
    pub const fn with_max_ahead(mut self, max_ahead: Duration) -> Self {
        self.max_ahead = max_ahead;
        self
    }

    /// How long to wait for the file's write lock while another process or the host's own
    /// transaction holds it. Then the call fails with `Conflict`.
    #[must_use]
    pub const fn with_lock_wait(mut self, lock_wait: Duration) -> Self {
        self.lock_wait = lock_wait;
        self
    }

    /// How many threads read lists, and how many read single rows. Each has its own
    /// connection. At least 1.
    #[must_use]
    pub fn with_readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// The checkpoint interval: the number of pages after which a background thread moves
    /// the write-ahead log into the file. A page has 2 KiB in a file that the store
    /// created. A greater number makes commits faster and the log longer. At four times
    /// this number a commit runs the checkpoint itself.
    #[must_use]
    pub const fn with_checkpoint_pages(mut self, pages: u32) -> Self {
        self.checkpoint_pages = pages;
        self
    }

    /// How much memory each connection may use to cache pages, in KiB.
    #[must_use]
    pub const fn with_cache_kib(mut self, kib: u32) -> Self {
        self.cache_kib = kib;
        self
    }

    /// The number of changed accounts from which a commit defers its rows. It then writes
    /// the accounts and keys as one delta, and later commits merge them bucket by bucket.
    /// Large commits write far fewer pages; small ones write a few more. Durability is the
    /// same. 100 by default; `usize::MAX` turns it off.
    #[must_use]
    pub const fn with_defer_from(mut self, accounts: usize) -> Self {
        self.defer_from = accounts;
        self
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
