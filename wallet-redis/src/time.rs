use std::sync::Arc;

use wallet_core::runtime::Clock;

/// Where scripts take their time from.
#[derive(Debug, Clone)]
pub(crate) enum Time {
    /// The server's clock, read by the script itself.
    Server,
    /// Another one, given along: for tests that drive the time.
    Clock(Arc<dyn Clock>),
}

impl Time {
    /// What a script is told.
    pub(crate) fn argument(&self) -> Vec<u8> {
        match self {
            Self::Server => Vec::new(),
            Self::Clock(clock) => clock.now().as_micros().to_string().into_bytes(),
        }
    }

    /// The same for scripts that take it as their last argument, and the server's
    /// where there is none.
    pub(crate) fn given(&self) -> Option<Vec<u8>> {
        match self {
            Self::Server => None,
            Self::Clock(_) => Some(self.argument()),
        }
    }

    /// How long keys outlive their use. Where another clock is given the
    /// server's says nothing, so they stay.
    pub(crate) const fn grace_ms(&self) -> u64 {
        match self {
            Self::Server => 1_000,
            Self::Clock(_) => 3_600_000,
        }
    }
}
