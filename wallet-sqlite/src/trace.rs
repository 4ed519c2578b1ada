//! What earlier books or an unfinished restore left beside a name.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use crate::file::{LOG_HEADER, beside, names, second_names};

/// The ending of a file that a restore is making.
pub(crate) const RESTORING: &str = ".restoring";

/// The ending of a file that was set aside, followed by a number.
pub(crate) const REPLACED_AS: &str = ".replaced-";

/// A sign that books existed, or that a restore was creating them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trace {
    /// A log without its file.
    #[error(
        "{} is the log of a database that is not there: keep it, or set it aside with the flag \
         of the restore that replaces the database",
        .0.display()
    )]
    Log(PathBuf),
    /// A file of an unfinished restore.
    #[error("{} is what a restore left that did not end: restore again", .0.display())]
    Restore(PathBuf),
}

/// Traces of books beside a name that leads to no file or to an empty one: a log with
/// contents, or files of an unfinished restore. Creating a file there would start new books
/// and overwrite the log.
pub(crate) fn traces(path: &Path) -> Option<Trace> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    // SQLite treats a file of one byte as empty too.
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

/// Whether the log beside the file at `path` holds commits, but none that wrote the first
/// page. Such a log continues books that the file does not hold. (The commit that creates
/// tables in an empty file writes its first page.) A log that cannot be read counts as no
/// sign.
pub(crate) fn log_without_beginning(path: &Path) -> bool {
    const FRAME: usize = 24;
    let number = |bytes: &[u8], at: usize| -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let look = || -> Option<bool> {
        let mut log = File::open(beside(path, "-wal")).ok()?;
        let mut header = [0; LOG_HEADER];
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

/// Removes further names of the file at `path` that a killed restore left behind. The file
/// must be locked against a running restore. A file that is opened under two names gets two
/// logs.
pub(crate) fn remove_second_names(path: &Path) {
    if cfg!(unix) && names(path) < 2 {
        return;
    }
    let ours = |name: &PathBuf| {
        let ending = name.as_os_str().as_encoded_bytes();
        let ending = ending.strip_prefix(path.as_os_str().as_encoded_bytes());
        let number = |ending: &[u8]| {
            let number = ending.strip_prefix(REPLACED_AS.as_bytes());
            number.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        };
        ending.is_some_and(|ending| ending == RESTORING.as_bytes() || number(ending))
    };
    for name in second_names(path).into_iter().filter(ours) {
        // If a name cannot be removed, it only remains as a name that nobody should open.
        let _ = std::fs::remove_file(name);
    }
}
