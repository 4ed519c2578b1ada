//! What makes a file the same file under every name.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// Device and inode. No other file has both while this one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity(u64, u64);

#[cfg(unix)]
#[allow(
    clippy::unnecessary_wraps,
    reason = "other systems know no such identity"
)]
pub(crate) fn of(found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity(found.dev(), found.ino()))
}

/// On other systems an open file cannot be replaced.
#[cfg(not(unix))]
pub(crate) const fn of(_: &Metadata) -> Option<Identity> {
    None
}

/// The file that a name leads to through links.
pub(crate) fn of_file(path: &Path) -> io::Result<Option<Identity>> {
    std::fs::metadata(path).map(|found| of(&found))
}

/// The file, or the link, of a name.
///
/// It asks for no time. Since Linux 6.13, a file system that was asked for a file's times notes
/// the next write with a finer time. The next flush must then write the file's entry as well,
/// which makes a small commit a fifth slower.
#[cfg(target_os = "linux")]
pub(crate) fn of_name(path: &Path) -> io::Result<Option<Identity>> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    use rustix::io::Errno;
    match statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::INO) {
        Ok(found) if found.stx_mask & StatxFlags::INO.bits() != 0 => {
            let device = makedev(found.stx_dev_major, found.stx_dev_minor);
            Ok(Some(Identity(device, found.stx_ino)))
        }
        // An old kernel, or a container that forbids the call.
        Ok(_) | Err(Errno::NOSYS | Errno::PERM) => of_name_with_times(path),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of_name(path: &Path) -> io::Result<Option<Identity>> {
    of_name_with_times(path)
}

fn of_name_with_times(path: &Path) -> io::Result<Option<Identity>> {
    std::fs::symlink_metadata(path).map(|found| of(&found))
}

/// Whether an open file was removed.
#[cfg(unix)]
pub(crate) fn has_no_name(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) == 0
}

/// On other systems an open file cannot be removed.
#[cfg(not(unix))]
pub(crate) const fn has_no_name(_: &Metadata) -> bool {
    false
}

/// Whether what was found is the open file.
#[cfg(unix)]
pub(crate) fn is_same_file(open: &File, found: &Metadata) -> bool {
    let known = open.metadata();
    known.is_ok_and(|known| of(&known) == of(found))
}

/// On other systems an open file keeps its name.
#[cfg(not(unix))]
pub(crate) const fn is_same_file(_: &File, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_identity_of_its_file_and_a_link_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other, link] = ["file", "other", "link"].map(|name| folder.path().join(name));
        File::create(&file).unwrap();
        File::create(&other).unwrap();
        let known = of_file(&file).unwrap();
        assert!(cfg!(not(unix)) || known.is_some());
        assert_eq!(of_name(&file).unwrap(), known);
        assert_eq!(of_name_with_times(&file).unwrap(), known);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&file, &link).unwrap();
            assert_ne!(of_name(&other).unwrap(), known);
            assert_eq!(of_file(&link).unwrap(), known);
            assert_ne!(of_name(&link).unwrap(), known);
        }
        std::fs::remove_file(&file).unwrap();
        let error = of_name(&file).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
