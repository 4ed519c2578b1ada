//! The decision function.

use crate::{Batch, ChangeSet, Decided, Snapshot};

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// One answer per request.
    pub decided: Vec<Decided>,
    /// What to write.
    pub changes: ChangeSet,
}

/// Decides a batch.
#[must_use]
pub fn decide(batch: &Batch, _snapshot: &Snapshot) -> Decision {
    Decision { decided: vec![Decided::Blocked; batch.requests().len()], changes: ChangeSet::default() }
}
