//! The settings of a file.

use std::path::PathBuf;
use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::request::MAX_AHEAD;
use wallet_core::store::StoreErrorKind;

/// The settings of a [`SqliteStore`](crate::SqliteStore): how it uses its file. Plain data.
///
/// ```
/// use std::time::Duration;
/// use wallet_sqlite::SqliteSettings;
/// let settings = SqliteSettings {
///     lock_wait: Duration::from_millis(500),
///     ..SqliteSettings::new("wallet.db")
/// };
/// assert_eq!(settings.path, std::path::Path::new("wallet.db"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own, and has a name that says which"
)]
pub struct SqliteSettings {
    /// The path of the file. `:memory:`, an empty path and a path that begins with `file:`
    /// are refused: SQLite takes them for a database in memory, a temporary one, and a URI.
    pub path: PathBuf,
    /// Whether opening creates a missing file, and makes an empty file a ledger's. `true` by
    /// default. A program that only inspects books sets `false`.
    pub create: bool,
    /// Whether opening brings the schema up to date. `true` by default. A host that migrates
    /// in its own step sets `false` and calls
    /// [`SqliteStore::migrate`](crate::SqliteStore::migrate) there.
    pub migrate: bool,
    /// Whether a file that already holds other tables may become the ledger's too. `false`
    /// by default, so that a wrong path is an error. A host that adds the ledger to its own
    /// database sets `true`.
    pub adopt: bool,
    /// Whether opening checks some hundred rows, most of them the last ones, for missing
    /// pages. `true` by default. The check refuses a file that was copied over an open one,
    /// or put beside the log of another one. It takes some milliseconds. To examine damaged
    /// books, set `false`: the file is opened. If the file and its log do not belong
    /// together, the log stays as it is when the store is dropped.
    pub check: bool,
    /// How long to wait for the file's write lock while another process or the host's own
    /// transaction holds it. Then the call fails with `Conflict`. 1 s by default, at most
    /// 2,147,483,647 ms (24.8 days), which is SQLite's limit.
    pub lock_wait: Duration,
    /// How many threads read lists, and how many read single rows, at least 1. Each has its
    /// own connection. 2 by default.
    pub readers: usize,
    /// The checkpoint interval: the number of pages after which a background thread moves
    /// the write-ahead log into the file. 16,000 by default. A page has 2 KiB in a file that
    /// the store created. A greater number makes commits faster and the log longer. At four
    /// times this number a commit runs the checkpoint itself.
    pub checkpoint_pages: u32,
    /// Whether the store guards the log against connections with an old SQLite. `false` by
    /// default. With a linked SQLite that needs it (before 3.51.3, except 3.50.7 and 3.44.6
    /// with their later patches) the log is always guarded. Set `true` if another program
    /// uses the file through such a SQLite. With a guard, a second process is refused, and a
    /// checkpoint moves the last pages while no other connection can write.
    pub guard_log: bool,
    /// How much memory each connection may use to cache pages, in KiB. 16,384 by default.
    pub cache_kib: u32,
    /// The number of changed accounts from which a commit defers its rows, at least 1. It
    /// then writes the accounts and keys as one delta, and later commits merge them bucket
    /// by bucket. Large commits write far fewer pages; small ones write a few more.
    /// Durability is the same. 100 by default; `usize::MAX` turns it off.
    pub defer_from: usize,
    /// How far an account's time may run ahead of the store's clock in
    /// [`SqliteStore::apply_in`](crate::SqliteStore::apply_in). 2 s by default. The service
    /// has its own setting.
    pub max_ahead: Duration,
}

/// The longest wait for a lock that SQLite takes: an `int` of milliseconds.
const LOCK_WAIT_MAX: Duration = Duration::from_millis(2_147_483_647);

impl SqliteSettings {
    /// The defaults for the file at `path`, which opening creates and migrates.
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
            guard_log: false,
            cache_kib: 16_384,
            defer_from: 100,
            max_ahead: MAX_AHEAD,
        }
    }

    /// Whether SQLite takes the path for something else than a file of this name.
    fn is_no_path(&self) -> bool {
        let path = self.path.as_os_str().as_encoded_bytes();
        path.is_empty() || path == b":memory:" || path.starts_with(b"file:")
    }

    /// Refuses settings with which the store could not work.
    pub(crate) fn validate(&self) -> Result<(), StoreError> {
        let problems = [
            (
                self.is_no_path(),
                "the setting `path` must be the path of a file, not empty, `:memory:` or `file:...`",
            ),
            (
                self.readers == 0,
                "the setting `readers` must be at least 1",
            ),
            (
                self.defer_from == 0,
                "the setting `defer_from` must be at least 1",
            ),
            (
                self.lock_wait > LOCK_WAIT_MAX,
                "the setting `lock_wait` must be at most 2147483647 ms",
            ),
        ];
        let found = problems.iter().find(|(is_problem, _)| *is_problem);
        found.map_or(Ok(()), |(_, problem)| {
            Err(StoreError::new(StoreErrorKind::Internal, *problem))
        })
    }
}
