use std::error::Error;

use thiserror::Error;

use crate::aws::NotFifo;

/// Setting up a queue, a topic or a subscription failed. Completed steps stay; the same
/// call again completes the rest.
#[derive(Debug, Error)]
#[error("setting up {what} failed")]
pub struct SetupError {
    what: String,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl SetupError {
    pub(super) fn new(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let (what, source) = (what.into(), source.into());
        Self { what, source }
    }
}

impl From<NotFifo> for SetupError {
    fn from(error: NotFifo) -> Self {
        Self::new("what keeps no order", error)
    }
}
