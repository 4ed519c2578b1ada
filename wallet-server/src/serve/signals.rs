use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// SIGXFSZ on Linux (31 on MIPS), macOS and the BSDs.
const FILE_TOO_LARGE: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
    31
} else {
    25
};

/// Handles the signal for a write beyond the file size limit (`ulimit -f`). Unhandled, it
/// ends the program. Handled, the write fails as on a full disk. The handler stays for
/// the life of the process.
///
/// # Errors
/// When the system refuses it. Needs a tokio runtime.
pub fn outlive_full_files() -> io::Result<()> {
    // tokio keeps its handler when the stream is dropped.
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}
