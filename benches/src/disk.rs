//! Files: where they may be, and how large they are.

use std::path::Path;
use std::time::Duration;

use wallet_sqlite::rusqlite::Connection;

use crate::Result;
use crate::clock::now;

/// How long to wait for other processes to release a file.
const PATIENCE: Duration = Duration::from_secs(10);

/// The size of an SQLite file after its log is moved into it.
pub(crate) fn sqlite_bytes(path: &Path) -> Result<u64> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    // While the store's own checkpoint runs, no busy timeout helps: SQLite returns busy
    // at once.
    let start = now();
    while start.elapsed() < PATIENCE {
        let busy: i64 =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
        if busy == 0 {
            return Ok(std::fs::metadata(path)?.len());
        }
        std::thread::yield_now();
    }
    Err("the log could not be moved into the file: somebody reads or writes".into())
}

/// Creates the folder. Refuses one in memory, because the figures must be those of a
/// disk.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    // Only Linux shows this; elsewhere temporary folders are on disk.
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    if is_in_memory(&folder, &mounts) {
        let folder = folder.display();
        return Err(format!("{folder} is in memory; name another --folder").into());
    }
    Ok(())
}

fn is_in_memory(folder: &Path, mounts: &str) -> bool {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        folder.starts_with(point).then_some((point.len(), kind))
    });
    // Of two mounts at the same place the later one hides the other.
    let nearest = mounts.max_by_key(|(depth, _)| *depth);
    nearest.is_some_and(|(_, kind)| matches!(kind, "tmpfs" | "ramfs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_memory_is_recognised_by_its_nearest_mount() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk ext4 rw";
        assert!(is_in_memory(Path::new("/tmp/x"), mounts));
        assert!(!is_in_memory(Path::new("/tmp/disk/x"), mounts));
        assert!(!is_in_memory(Path::new("/home/x"), mounts));
        assert!(!is_in_memory(Path::new("/tmpx"), mounts));
    }
}
