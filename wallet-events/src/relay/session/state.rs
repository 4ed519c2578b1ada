//! The state of a session: what it does, what it knows of the outbox, whether the publisher
//! answers, and what is in flight.

use std::collections::BTreeSet;

/// The phase of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The parked events are read, and the events blocked behind them are opened.
    Opening,
    Working,
    /// The calls in flight end, then everything is read again: a parked event was
    /// released.
    Closing,
    /// The host asked the session to stop: the calls in flight end, and all progress is
    /// recorded.
    Stopping,
}

/// What the session knows of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The last claim found all rows.
    UpToDate,
    /// There may be new rows.
    Behind,
    /// A row cannot be read. Nothing behind it is claimed until the next look.
    Halted,
}

impl Reading {
    /// There may be new rows.
    pub(super) fn note_news(&mut self) {
        if *self != Self::Halted {
            *self = Self::Behind;
        }
    }
}

/// Whether the publisher answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Publishing {
    /// The last call succeeded as a whole.
    Open,
    /// So many calls in a row have failed as a whole. One call at a time is tried.
    Outage { failures: u32 },
    /// The same, in the pause before the next call.
    Resting { failures: u32 },
}

impl Publishing {
    /// How many calls may be in flight, at most `max`.
    pub(super) const fn calls(self, max: usize) -> usize {
        match self {
            Self::Open => max,
            Self::Outage { .. } => 1,
            Self::Resting { .. } => 0,
        }
    }

    /// A call has failed as a whole. Returns the number of failures in a row when a pause
    /// begins, and nothing when there is one already.
    pub(super) fn fail(&mut self) -> Option<u32> {
        let failures = match *self {
            Self::Open => 1,
            Self::Outage { failures } => failures.saturating_add(1),
            Self::Resting { .. } => return None,
        };
        *self = Self::Resting { failures };
        Some(failures)
    }

    /// The pause is over.
    pub(super) fn rested(&mut self) {
        if let Self::Resting { failures } = *self {
            *self = Self::Outage { failures };
        }
    }
}

/// An operation that runs at most once at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// Reads the parked events and reopens rows.
    Open,
    /// Claims rows.
    Claim,
    /// Asks the ledger for owners and epochs.
    Ask,
    /// Records progress.
    Mark,
    /// Looks at the parked events.
    Look,
    /// Renews the lease.
    Renew,
}

/// What is in flight.
#[derive(Debug, Default)]
pub(super) struct Busy {
    operations: BTreeSet<Operation>,
    pub(super) calls: usize,
    pub(super) parks: usize,
}

impl Busy {
    pub(super) fn has(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Notes that the operation runs. Returns whether it did not run before.
    pub(super) fn begin(&mut self, operation: Operation) -> bool {
        self.operations.insert(operation)
    }

    pub(super) fn end(&mut self, operation: Operation) {
        self.operations.remove(&operation);
    }

    /// Whether nothing is in flight that changes state.
    pub(super) fn is_idle(&self) -> bool {
        let changes = [
            Operation::Open,
            Operation::Claim,
            Operation::Mark,
            Operation::Look,
        ];
        let runs = changes.into_iter().any(|operation| self.has(operation));
        !runs && self.calls == 0 && self.parks == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_pauses_once_for_all_calls_that_failed_together() {
        let mut publishing = Publishing::Open;
        assert_eq!((publishing.fail(), publishing.fail()), (Some(1), None));
        assert_eq!(publishing.calls(32), 0);
        publishing.rested();
        assert_eq!(publishing.calls(32), 1);
        assert_eq!(publishing.fail(), Some(2));
        publishing = Publishing::Open;
        publishing.rested();
        assert_eq!(publishing, Publishing::Open);
        assert_eq!(publishing.calls(32), 32);
    }

    #[test]
    fn news_do_not_end_a_halt() {
        let mut reading = Reading::UpToDate;
        reading.note_news();
        assert_eq!(reading, Reading::Behind);
        reading = Reading::Halted;
        reading.note_news();
        assert_eq!(reading, Reading::Halted);
    }
}
