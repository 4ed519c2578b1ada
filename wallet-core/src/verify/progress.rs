/// What a check is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Listing accounts.
    Accounts,
    /// Reading entries; the accounts say how many there are.
    Entries,
    /// Reading holds, account by account.
    Holds,
    /// Reading the transfers that entries name.
    Transfers,
    /// Checking what was read.
    Checks,
    /// Reading what was acknowledged, key by key.
    Acknowledged,
    /// Reading the outbox, row by row.
    Events,
    /// Listing accounts again, to see whether the books changed.
    Comparison,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// How many rows of this stage are done.
    pub done: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
}

/// Whom to tell, if anybody.
pub(super) struct Meter<'a>(pub(super) Option<&'a mut (dyn FnMut(Progress) + Send)>);

impl Meter<'_> {
    pub(super) fn tell(&mut self, stage: Stage, done: usize, total: Option<u64>) {
        if let Some(tell) = &mut self.0 {
            let done = count(done);
            tell(Progress { stage, done, total });
        }
    }
}

/// A length as a count.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
