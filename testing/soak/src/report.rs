use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::args::RunArgs;
use crate::fault::Kind;
use crate::tally::Counts;

/// What a run did, and its violations.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) args: RunArgs,
    pub(crate) ran: Duration,
    pub(crate) faults: BTreeMap<Kind, u64>,
    pub(crate) has_slow_disk: bool,
    /// Connections cut within what a client sent.
    pub(crate) lost_within: u64,
    /// Faults that could not be injected, with the reason.
    pub(crate) failed: Vec<String>,
    /// The counters that hosts reported. Of a killed host the last half second is
    /// missing.
    pub(crate) counts: Counts,
    pub(crate) figures: Counts,
    pub(crate) violations: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunArgs {
            seed,
            database,
            hosts,
            callers,
            tick_ms,
            ..
        } = &self.args;
        writeln!(
            f,
            "ran {} s: seed {seed}, {database:?}, {hosts} hosts of {callers} callers, \
             a request per caller every {tick_ms} ms at most",
            self.ran.as_secs()
        )?;
        let faults: u64 = self.faults.values().sum();
        writeln!(f, "\nfaults: {faults}")?;
        for (kind, count) in &self.faults {
            writeln!(f, "{count:>10}  {}", kind.name())?;
        }
        writeln!(
            f,
            "{:>10}  connections lost that way within a request",
            self.lost_within
        )?;
        if !self.has_slow_disk {
            writeln!(
                f,
                "left out: slow disk, which takes strace and the right to trace"
            )?;
        }
        for failed in &self.failed {
            writeln!(f, "not made in full: {failed}")?;
        }
        writeln!(
            f,
            "\nwhat hosts did (of one that was killed, but for its last half second):"
        )?;
        for (name, count) in &self.counts {
            writeln!(f, "{count:>10}  {name}")?;
        }
        writeln!(f, "\nverified at the end:")?;
        for (name, count) in &self.figures {
            writeln!(f, "{count:>10}  {name}")?;
        }
        writeln!(f, "\nviolations: {}", self.violations.len())?;
        for violation in self.violations.iter().take(100) {
            writeln!(f, "  {violation}")?;
        }
        Ok(())
    }
}
