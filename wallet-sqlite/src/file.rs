//! Checks that a store still has the right file open.
//!
//! A file can be replaced under a running process, for example by a backup that is renamed
//! over it. The process then has the old file, which has no name any more. It would read
//! old books, and commit where nobody looks. So each transaction looks the name up, and
//! again before it acknowledges a commit.
//!
//! The same holds for the write-ahead log and its index. A commit into a removed log is
//! lost when the process ends. Another process creates a new log.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::error::Result;
use crate::identity::{self, Identity, has_no_name};

const REPLACED: &str = "the database file was moved or replaced while it was open: restart";
const TWO_GUARDS: &str = "the lock file of the log's guard was removed, and another process has \
                          the database open: restart";
const MODE_CHANGED: &str = "the file's journal mode was changed while it was open: restart";
const LOG_REPLACED: &str = "the database's log was moved or removed while it was open: restart";
/// The longest chain of symbolic links: the same limit as Linux.
const LINKS_MAX: u32 = 40;
pub(crate) const LOG_HEADER: usize = 32;

/// Moves the log into the file in a way of its own.
pub(crate) trait SaveLog: std::fmt::Debug + Send + Sync + 'static {
    /// Moves what no reader needs.
    fn save_log(&self);
}

/// A file, its name, and its identity when it was opened.
#[derive(Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    /// What the name leads to through links. SQLite has the log beside it.
    real: PathBuf,
    identity: Option<Identity>,
    /// The log and its index, once the log exists.
    log: Vec<(PathBuf, Identity)>,
    /// The name of the log that must not appear, if the file had a rollback journal. A new log
    /// has neither a guard nor a thread that keeps it short.
    no_log: Option<PathBuf>,
    /// The log itself, whose number of names says whether it was removed or only moved.
    open_log: Option<File>,
    /// The name of the file or of its log led elsewhere once. What is in the log since then
    /// may be of another file, so the store does not go on, even if the name leads back.
    was_replaced: AtomicBool,
    /// Another process has a guard of the log, too.
    has_two_guards: AtomicBool,
    /// What the file and its log looked like when they were last looked up.
    contents: Mutex<Option<Contents>>,
    /// The guard of the log, if it has one.
    guard: Option<Weak<dyn SaveLog>>,
}

/// Whoever moves pages into a file changes its size or time. Whoever begins a log again changes
/// its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Contents {
    bytes: u64,
    changed_at: Option<SystemTime>,
    log_header: Option<[u8; LOG_HEADER]>,
}

fn contents_of(found: &Metadata, log: Option<&File>) -> Contents {
    Contents {
        bytes: found.len(),
        changed_at: found.modified().ok(),
        log_header: log.and_then(header_of),
    }
}

/// The header of a log that is not empty.
#[cfg(unix)]
fn header_of(log: &File) -> Option<[u8; LOG_HEADER]> {
    let mut header = [0; LOG_HEADER];
    std::os::unix::fs::FileExt::read_exact_at(log, &mut header, 0).ok()?;
    Some(header)
}

/// On other systems an open log cannot be moved.
#[cfg(not(unix))]
const fn header_of(_: &File) -> Option<[u8; LOG_HEADER]> {
    None
}

impl OpenFile {
    /// The file of this name, which has just been opened.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(unreachable)?;
        let real = follow(&path).map_err(unreachable)?;
        let identity = identity::of_file(&real).map_err(unreachable)?;
        Ok(Self {
            path,
            real,
            identity,
            log: Vec::new(),
            no_log: None,
            open_log: None,
            was_replaced: AtomicBool::new(false),
            has_two_guards: AtomicBool::new(false),
            contents: Mutex::default(),
            guard: None,
        })
    }

    /// Adds the log, which a connection has open by now. SQLite removes the log when no
    /// connection has the file open.
    pub(crate) fn with_log(mut self) -> Self {
        self.open_log = File::open(beside(&self.real, "-wal")).ok();
        for ending in ["-wal", "-shm"] {
            let path = beside(&self.real, ending);
            if let Ok(Some(identity)) = identity::of_file(&path) {
                self.log.push((path, identity));
            }
        }
        self
    }

    /// Notes that the file has a rollback journal, and no log.
    pub(crate) fn without_log(mut self) -> Self {
        self.no_log = Some(beside(&self.real, "-wal"));
        self
    }

    /// Adds the guard of the log, which the store owns.
    pub(crate) fn with_guard(mut self, guard: Option<&Arc<impl SaveLog>>) -> Self {
        self.guard = guard.map(|guard| {
            let guard = Arc::downgrade(guard);
            let guard: Weak<dyn SaveLog> = guard;
            guard
        });
        self
    }

    /// The guard of the log, if it has one. It may have ended.
    pub(crate) const fn guard(&self) -> Option<&Weak<dyn SaveLog>> {
        self.guard.as_ref()
    }

    /// The one path of the file: no part of it is a link or `..`. All spellings of a path lead
    /// to it.
    pub(crate) fn canonical(&self) -> PathBuf {
        let folder = self.real.parent().map(std::fs::canonicalize);
        match (folder, self.real.file_name()) {
            (Some(Ok(folder)), Some(name)) => folder.join(name),
            _ => self.real.clone(),
        }
    }

    pub(crate) const fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Fails if the log or its index was removed while the file was opened: the connection
    /// has a log that no other one will see.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) fn require_log(self) -> Result<Self> {
        if cfg!(unix) && self.log.len() < 2 {
            let context = "the log was removed while the file was opened: start again";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context));
        }
        Ok(self)
    }

    /// Checks, before any read, that the name still leads to the file.
    ///
    /// # Errors
    /// `Unavailable`: the name leads elsewhere.
    pub(crate) fn check(&self) -> Result<()> {
        self.still(StoreErrorKind::Unavailable)
    }

    /// Makes the same check after a commit, before it is acknowledged.
    ///
    /// # Errors
    /// `Indeterminate`: the name leads elsewhere. The commit may or may not be in the file
    /// that now has the name.
    pub(crate) fn check_committed(&self) -> Result<()> {
        self.still(StoreErrorKind::Indeterminate)
    }

    /// Whether the log was removed, no other log has its name, and since the store last looked
    /// nobody has written to the file or begun the log again. The log's pages may then be moved
    /// into the file. (Whoever opens a log under another name may begin it again. The pages that
    /// this process knows of are then overwritten.)
    pub(crate) fn has_lost_its_log(&self) -> bool {
        let log = self.open_log.as_ref().map(File::metadata);
        let is_gone = matches!(log, Some(Ok(log)) if has_no_name(&log));
        let found = std::fs::symlink_metadata(&self.real);
        let is_as_it_was = |found: &Metadata| {
            let known = *self.contents.lock().unwrap_or_else(PoisonError::into_inner);
            identity::of(found) == self.identity
                && known == Some(contents_of(found, self.open_log.as_ref()))
        };
        is_gone
            && !self.was_replaced.load(Ordering::Relaxed)
            && found.is_ok_and(|found| is_as_it_was(&found))
    }

    /// Whether the name still leads to the file.
    pub(crate) fn is_in_place(&self) -> bool {
        self.names(StoreErrorKind::Unavailable).is_ok()
    }

    /// Notes whether another process has a guard of the log, too. Nobody could shorten the
    /// log, so the file is not used as long as that holds.
    pub(crate) fn note_guards(&self, has_two: bool) {
        self.has_two_guards.store(has_two, Ordering::Relaxed);
    }

    fn still(&self, kind: StoreErrorKind) -> Result<()> {
        if self.has_two_guards.load(Ordering::Relaxed) {
            return Err(StoreError::new(kind, TWO_GUARDS));
        }
        self.names(kind)
    }

    /// Looks up the names of the file and of its log.
    fn names(&self, kind: StoreErrorKind) -> Result<()> {
        if self.no_log.as_deref().is_some_and(Path::exists) {
            return Err(StoreError::new(kind, MODE_CHANGED));
        }
        if self.identity.is_none() {
            return Ok(());
        }
        if self.was_replaced.load(Ordering::Relaxed) {
            return Err(StoreError::new(kind, REPLACED));
        }
        if self.path != self.real && !follow(&self.path).is_ok_and(|real| real == self.real) {
            self.was_replaced.store(true, Ordering::Relaxed);
            return Err(StoreError::new(kind, REPLACED));
        }
        let found = std::fs::symlink_metadata(&self.real);
        let found = found.map(|found| (identity::of(&found), found));
        let found = self.known(&self.real, found, self.identity, (kind, REPLACED))?;
        for (path, known) in &self.log {
            let found = identity::of_name(path).map(|identity| (identity, ()));
            self.known(path, found, Some(*known), (kind, LOG_REPLACED))?;
        }
        // Without its log the store does not know who wrote to the file.
        let contents = contents_of(&found, self.open_log.as_ref());
        *self.contents.lock().unwrap_or_else(PoisonError::into_inner) = Some(contents);
        Ok(())
    }

    /// What the name leads to, if it is the known file. A link in its place leads to a file
    /// that has its log elsewhere.
    fn known<T>(
        &self,
        path: &Path,
        found: io::Result<(Option<Identity>, T)>,
        known: Option<Identity>,
        (kind, context): (StoreErrorKind, &'static str),
    ) -> Result<T> {
        match found {
            Ok((identity, found)) if identity == known => Ok(found),
            Ok(_) => {
                self.was_replaced.store(true, Ordering::Relaxed);
                Err(StoreError::new(kind, context))
            }
            Err(error) => {
                // A log that was removed can still be saved.
                if path == self.real || self.is_log_elsewhere(path) {
                    self.was_replaced.store(true, Ordering::Relaxed);
                }
                Err(StoreError::new(kind, context).with_source(error))
            }
        }
    }

    /// Whether `path`, which leads to nothing, was the log's name, and the log has another
    /// name now. Somebody may write to it there.
    fn is_log_elsewhere(&self, path: &Path) -> bool {
        let is_log = self.log.first().is_some_and(|(log, _)| log == path);
        let found = self.open_log.as_ref().map(File::metadata);
        is_log && matches!(found, Some(Ok(found)) if !has_no_name(&found))
    }
}

/// The file that a name leads to through links. The file need not exist.
///
/// # Errors
/// Any error of the operating system; also if the links form a cycle.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..LINKS_MAX {
        let Ok(target) = std::fs::read_link(&path) else {
            // Not a link, or nothing at all.
            return Ok(path);
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        path = folder.join(target);
    }
    Err(io::Error::other("too many links"))
}

/// Whether both names lead to the same existing file.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) if one == other => true,
        // Two names of one file.
        (Ok(one), Ok(other)) => {
            let both = (identity::of_file(&one), identity::of_file(&other));
            matches!(both, (Ok(Some(one)), Ok(Some(other))) if one == other)
        }
        _ => false,
    }
}

/// The other names in the same folder that lead to the file at `path`.
pub(crate) fn second_names(path: &Path) -> Vec<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_file = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let entries = entries.filter_map(io::Result::ok).filter(is_file);
    let beside = entries.map(|entry| folder.join(entry.file_name()));
    beside
        .filter(|name| name.file_name() != path.file_name() && is_same(path, name))
        .collect()
}

/// The number of hard links of the file at `path`. 1 if the system does not report it.
#[cfg(unix)]
pub(crate) fn names(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(1, |found| found.nlink())
}

#[cfg(not(unix))]
pub(crate) const fn names(_: &Path) -> u64 {
    1
}

/// `path` with `ending` appended to its last part.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn unreachable(error: io::Error) -> StoreError {
    let kind = StoreErrorKind::Unavailable;
    StoreError::new(kind, "looking up the database file").with_source(error)
}

/// Creates an empty file that only its owner may read and write.
///
/// # Errors
/// `AlreadyExists`, and any other error of the operating system.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
