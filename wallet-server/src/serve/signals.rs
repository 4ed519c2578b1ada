//! The signals of the process: those that end the server ([`Stop`]), and the one for a
//! full file, which must not end it ([`outlive_full_files`]).

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{StartError, io};

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
pub fn outlive_full_files() -> std::io::Result<()> {
    // tokio keeps its handler when the stream is dropped.
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}

/// The signals that end the server.
#[derive(Debug)]
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    pub(super) fn listen() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(io("listening for signals"));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
