use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// SIGXFSZ on Linux (but for MIPS, where it is 31), macOS and the BSDs.
const FILE_TOO_LARGE: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
    31
} else {
    25
};

/// Takes the signal that the system sends to a program that writes more to a file than
/// it may (`ulimit -f`), and that ends a program which does not take it. Taken, the write
/// fails, as on a full disk. Holds for as long as the process lives.
///
/// # Errors
/// When the system refuses it. Needs a tokio runtime.
pub fn outlive_full_files() -> io::Result<()> {
    // tokio keeps its handler when the stream is dropped.
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}
