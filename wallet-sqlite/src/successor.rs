//! Locks the file that took the name of an open one.
//!
//! SQLite's connections hold record locks of their process on a file. Such a lock is lost as
//! soon as the process closes the file anywhere. So this lock is of the other kind, which
//! belongs to an open file description and conflicts with the locks of every process, its own
//! too. Its file is never closed.

use std::path::Path;

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct SuccessorLock {
    #[cfg(target_os = "linux")]
    file: std::mem::ManuallyDrop<std::fs::File>,
}

#[cfg(target_os = "linux")]
impl SuccessorLock {
    /// Opens the file at `path`, which is not locked yet.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).open(path);
        file.ok().map(|file| Self {
            file: std::mem::ManuallyDrop::new(file),
        })
    }

    /// Locks the file. `false` if a connection has it open.
    pub(crate) fn lock(&self) -> bool {
        self.set(nix::libc::F_WRLCK)
    }

    /// Sets the lock of the whole file.
    fn set(&self, kind: nix::libc::c_int) -> bool {
        use nix::fcntl::{FcntlArg, fcntl};
        let Ok(kind) = nix::libc::c_short::try_from(kind) else {
            return false;
        };
        let Ok(start) = nix::libc::c_short::try_from(nix::libc::SEEK_SET) else {
            return false;
        };
        let lock = nix::libc::flock {
            l_type: kind,
            l_whence: start,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(&*self.file, FcntlArg::F_OFD_SETLK(&lock)).is_ok()
    }
}

#[cfg(target_os = "linux")]
impl Drop for SuccessorLock {
    fn drop(&mut self) {
        // A lock that was not taken is not released.
        self.set(nix::libc::F_UNLCK);
    }
}

/// Other systems have no such lock.
#[cfg(not(target_os = "linux"))]
impl SuccessorLock {
    pub(crate) const fn open(_: &Path) -> Option<Self> {
        None
    }

    pub(crate) const fn lock(&self) -> bool {
        false
    }
}
