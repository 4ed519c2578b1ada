use std::path::{Path, PathBuf};
use std::time::Duration;

use wallet_core::request::MAX_AHEAD;

/// How a [`SqliteStore`](crate::SqliteStore) uses its file: plain data.
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
    /// The file at `path`, created and migrated when it is opened; one second
    /// of waiting for a lock; two readers.
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

    /// Whether a file that does not exist is created (the default), and an
    /// empty one made a ledger's. A program that only looks after books says no.
    #[must_use]
    pub const fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether opening brings the schema up to date (the default). A host that
    /// migrates in a step of its own says no and calls
    /// [`SqliteStore::migrate`](crate::SqliteStore::migrate) there.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Whether a file that already holds somebody's tables may be taken as the
    /// ledger's too: for a host that adds the ledger to its own database. Not
    /// by default, so that a wrong path is an error.
    #[must_use]
    pub const fn with_adopt(mut self, adopt: bool) -> Self {
        self.adopt = adopt;
        self
    }

    /// Whether opening looks at some hundred rows, most of them the last ones, for pages
    /// that are missing (the default): a file that was copied over an open one, or put
    /// beside the log of another one, is refused. It takes some milliseconds. Who
    /// examines damaged books says no: the file is opened, and where file and log do not
    /// belong together the log stays as it is when the store is dropped.
    #[must_use]
    pub const fn with_check(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// How far an account's time may run ahead of the store's clock in
    /// [`SqliteStore::apply_in`](crate::SqliteStore::apply_in); two seconds by default. The
    /// service has a setting of its own.
    #[must_use]
    pub const fn with_max_ahead(mut self, max_ahead: Duration) -> Self {
        self.max_ahead = max_ahead;
        self
    }

    /// How long to wait for the file's write lock while another process or the
    /// host's own transaction keeps it, before a call fails as `Conflict`.
    #[must_use]
    pub const fn with_lock_wait(mut self, lock_wait: Duration) -> Self {
        self.lock_wait = lock_wait;
        self
    }

    /// How many threads read lists, and how many single rows, each with a
    /// connection; at least 1.
    #[must_use]
    pub fn with_readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// After how many pages (of 2 KiB, in a file that the store created) the
    /// write-ahead log is moved into the file, by a thread beside the writer.
    /// More makes commits faster and the log longer; at four times as many a
    /// commit moves it by itself.
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

    /// From how many moved accounts on a commit writes them, and its keys, in one
    /// piece, and later commits a share each to where they belong: far fewer
    /// pages when commits are large, a few more when they are small. Nothing is
    /// less durable for it. 100 by default; `usize::MAX` for never.
    #[must_use]
    pub const fn with_defer_from(mut self, accounts: usize) -> Self {
        self.defer_from = accounts;
        self
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
