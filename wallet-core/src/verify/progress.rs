/// The stage of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The check lists accounts.
    Accounts,
    /// The check reads entries. The accounts give their number.
    Entries,
    /// The check reads holds, account by account.
    Holds,
    /// The check reads the transfers that entries name.
    Transfers,
    /// The check runs the invariants.
    Checks,
    /// The check reads acknowledged outcomes, key by key.
    Acknowledged,
    /// The check reads the outbox, row by row.
    Events,
    /// The check lists accounts again, to detect changes of the ledger.
    Comparison,
}

/// The progress of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// The number of finished rows of this stage.
    pub done: u64,
    /// The number of rows of this stage, where it is known.
    pub total: Option<u64>,
}

/// The observer of the progress, if there is one.
pub(super) struct Meter<'a>(pub(super) Option<&'a mut (dyn FnMut(Progress) + Send)>);

impl Meter<'_> {
    pub(super) fn report(&mut self, stage: Stage, done: usize, total: Option<u64>) {
        if let Some(observer) = &mut self.0 {
            let done = count(done);
            observer(Progress { stage, done, total });
        }
    }
}

/// Converts a length to a count.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
