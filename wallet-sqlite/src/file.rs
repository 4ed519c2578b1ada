//! Which file a store has open.
//!
//! A file that is replaced under a running process (a backup renamed over it)
//! leaves the process with the old one, which no name leads to any more: it would
//! go on to read old books and to commit where nobody looks. So the name is
//! looked up with each transaction, and again before a commit is acknowledged.
//!
//! The same with its log and the log's index: a commit into a log that somebody
//! removed is gone with the process, and another process makes new ones.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::error::Result;

const REPLACED: &str = "the database file was moved or replaced while it was open: restart";
const LOG_REPLACED: &str = "the database's log was moved or removed while it was open: restart";
/// How many links may lead to each other: as many as Linux follows.
const LINKS_MAX: u32 = 40;

/// A file by its name, and what the system knew it by when it was opened.
#[derive(Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
    /// Its log and the log's index, from when the log is there on.
    log: Vec<(PathBuf, Identity)>,
}

/// Device and inode: no other file has both for as long as this one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl OpenFile {
    /// The file of this name, which has just been opened.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(unreachable)?;
        let identity = identity(&path).map_err(unreachable)?;
        Ok(Self {
            path,
            identity,
            log: Vec::new(),
        })
    }

    /// The same with the log, which a connection has open by now. SQLite removes it
    /// once nobody has the file open.
    pub(crate) fn with_log(mut self) -> Result<Self> {
        let real = follow(&self.path).map_err(unreachable)?;
        for ending in ["-wal", "-shm"] {
            let path = beside(&real, ending);
            if let Ok(Some(identity)) = identity(&path) {
                self.log.push((path, identity));
            }
        }
        Ok(self)
    }

    /// Whether the name still leads to the file: before anything is read.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub(crate) fn check(&self) -> Result<()> {
        self.still(StoreErrorKind::Unavailable)
    }

    /// The same after a commit, before it is acknowledged.
    ///
    /// # Errors
    /// `Indeterminate` when it does not: what was committed may be in the file
    /// that has the name now, or not.
    pub(crate) fn check_committed(&self) -> Result<()> {
        self.still(StoreErrorKind::Indeterminate)
    }

    /// Whether the log was removed, and nobody has begun another one under its name, so
    /// that what is in it may be moved into the file.
    pub(crate) fn has_lost_its_log(&self) -> bool {
        let is_gone = |(path, _): &(PathBuf, Identity)| !path.exists();
        let is_its = identity(&self.path).is_ok_and(|found| found == self.identity);
        is_its && self.log.first().is_some_and(is_gone)
    }

    fn still(&self, kind: StoreErrorKind) -> Result<()> {
        if self.identity.is_none() {
            return Ok(());
        }
        is_still(&self.path, self.identity, kind, REPLACED)?;
        let mut log = self.log.iter();
        log.try_for_each(|(path, known)| is_still(path, Some(*known), kind, LOG_REPLACED))
    }
}

fn is_still(
    path: &Path,
    known: Option<Identity>,
    kind: StoreErrorKind,
    context: &'static str,
) -> Result<()> {
    match identity(path) {
        Ok(found) if found == known => Ok(()),
        Ok(_) => Err(StoreError::new(kind, context)),
        Err(error) => Err(StoreError::new(kind, context).with_source(error)),
    }
}

/// The file that a name leads to, through links, whether it is there or not.
///
/// # Errors
/// The system's, and when links lead in a circle.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..LINKS_MAX {
        let Ok(target) = std::fs::read_link(&path) else {
            // No link, or nothing at all.
            return Ok(path);
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        path = folder.join(target);
    }
    Err(io::Error::other("too many links"))
}

/// Whether both names lead to one file that is there.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) if one == other => true,
        // Two names of one file.
        (Ok(one), Ok(other)) => {
            let both = (identity(&one), identity(&other));
            matches!(both, (Ok(Some(one)), Ok(Some(other))) if one == other)
        }
        _ => false,
    }
}

/// Whether what is known of a file is of the open one.
#[cfg(unix)]
pub(crate) fn is_same_file(open: &File, found: &Metadata) -> bool {
    let known = open.metadata();
    known.is_ok_and(|known| identity_of(&known) == identity_of(found))
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
pub(crate) const fn is_same_file(_: &File, _: &Metadata) -> bool {
    true
}

/// Removes what a restore that was killed left as further names of the file at `path`,
/// which must be locked against one that is at work: a file that is opened under two
/// names gets two logs.
pub(crate) fn remove_second_names(path: &Path) {
    if cfg!(unix) && names(path) < 2 {
        return;
    }
    let mut names = vec![beside(path, RESTORING)];
    let aside = (1_u32..).map(|number| beside(path, &format!("{REPLACED_AS}{number}")));
    names.extend(aside.take_while(|name| name.exists()));
    for name in names.into_iter().filter(|name| is_same(path, name)) {
        // One that stays is only a name that nobody should open.
        let _ = std::fs::remove_file(name);
    }
}

/// How many names the file at `path` has: hard links. 1 where the system does not say.
#[cfg(unix)]
pub(crate) fn names(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(1, |found| found.nlink())
}

#[cfg(not(unix))]
pub(crate) const fn names(_: &Path) -> u64 {
    1
}

/// `path` with `ending` behind its last part.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// What stands beside a name that leads to no file, or to an empty one, and says that
/// there were books: a log that holds something, or what a restore left that did not
/// end. Whoever creates a file there makes new books, and overwrites the log.
pub(crate) fn traces(path: &Path) -> Option<Trace> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    // SQLite takes a file of one byte for an empty one, too.
    if length(path) > 1 {
        return None;
    }
    let log = beside(path, "-wal");
    if length(&log) > 0 {
        return Some(Trace::Log(log));
    }
    let left = beside(path, RESTORING);
    left.exists().then_some(Trace::Restore(left))
}

/// Whether the log beside the file at `path` holds commits, and none of them wrote the
/// first page: it goes on with books that the file does not hold. (What makes a file
/// of tables out of an empty one writes its first page.) What cannot be read says
/// nothing.
pub(crate) fn log_without_beginning(path: &Path) -> bool {
    const HEADER: usize = 32;
    const FRAME: usize = 24;
    let number = |bytes: &[u8], at: usize| -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let look = || -> Option<bool> {
        let mut log = File::open(beside(path, "-wal")).ok()?;
        let mut header = [0; HEADER];
        log.read_exact(&mut header).ok()?;
        let page = i64::from(number(&header, 8)?);
        let salt = header.get(16..24)?.to_owned();
        let mut has_commits = false;
        let mut frame = [0; FRAME];
        while log.read_exact(&mut frame).is_ok() && frame.get(8..16)? == salt {
            if number(&frame, 0)? == 1 {
                return Some(false);
            }
            has_commits |= number(&frame, 4)? > 0;
            log.seek_relative(page).ok()?;
        }
        Some(has_commits)
    };
    look().unwrap_or(false)
}

/// How what a restore is making is called, behind the name of the file.
pub(crate) const RESTORING: &str = ".restoring";

/// What a file that is set aside is called, behind its name, before a number.
pub(crate) const REPLACED_AS: &str = ".replaced-";

/// That there were books, or are to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trace {
    /// A log without its file.
    #[error(
        "{} is the log of a database that is not there: keep it, or set it aside with the flag \
         of the restore that replaces the database",
        .0.display()
    )]
    Log(PathBuf),
    /// A restore that did not end.
    #[error("{} is what a restore left that did not end: restore again", .0.display())]
    Restore(PathBuf),
}

fn unreachable(error: io::Error) -> StoreError {
    let kind = StoreErrorKind::Unavailable;
    StoreError::new(kind, "looking up the database file").with_source(error)
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Option<Identity>> {
    std::fs::metadata(path).map(|found| Some(identity_of(&found)))
}

#[cfg(unix)]
fn identity_of(found: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity(found.dev(), found.ino())
}

/// Elsewhere a file that is open cannot be replaced.
#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Option<Identity>> {
    Ok(None)
}

/// Creates an empty file that its owner alone may read and write.
///
/// # Errors
/// `AlreadyExists`, and any other of the system's.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
