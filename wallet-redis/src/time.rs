//! The clock of the scripts: the server's, or another one for tests.

use std::sync::Arc;

use wallet_core::runtime::Clock;

/// The clock of the scripts.
#[derive(Debug, Clone)]
pub(crate) enum Time {
    /// The server's clock. The script reads it.
    Server,
    /// Another clock, whose time is an argument of the script. Tests use it to control the
    /// time.
    Clock(Arc<dyn Clock>),
}

impl Time {
    /// The script's argument for the time.
    pub(crate) fn argument(&self) -> Vec<u8> {
        match self {
            Self::Server => Vec::new(),
            Self::Clock(clock) => clock.now().as_micros().to_string().into_bytes(),
        }
    }

    /// The argument for scripts whose last argument is the time. `None` means the server's
    /// clock.
    pub(crate) fn given(&self) -> Option<Vec<u8>> {
        match self {
            Self::Server => None,
            Self::Clock(_) => Some(self.argument()),
        }
    }

    /// How long keys outlive their use, in milliseconds. With another clock the server's
    /// clock proves nothing, so keys stay.
    pub(crate) const fn grace_ms(&self) -> u64 {
        match self {
            Self::Server => 1_000,
            Self::Clock(_) => 3_600_000,
        }
    }
}
