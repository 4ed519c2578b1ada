use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use wallet_core::runtime::Clock;
use wallet_core::store::Purge;
use wallet_core::{StoreError, SystemClock, Timestamp};

use crate::CliError;
use wallet_server::tools::Books;

const DAY: u64 = 86_400;
/// How long keys are kept, in days: [`Purge::RETENTION`].
const RETENTION_DAYS: u32 = 30;

/// Deletes old idempotency records and delivered events in small batches, after printing
/// how many there are. A key without a record is free again: a repeated request under it
/// moves money again.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct PurgeOld {
    /// The minimum age of what is deleted; at least 30 days for records.
    #[arg(long, default_value_t = RETENTION_DAYS)]
    older_than_days: u32,
    /// Delete records younger than 30 days as well. A client that repeats a request under
    /// a freed key pays twice.
    #[arg(long)]
    free_recent_keys: bool,
    /// Delete records only.
    #[arg(long, conflicts_with = "events")]
    records: bool,
    /// Delete events only.
    #[arg(long)]
    events: bool,
    /// Print how many there are, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// The number of rows of one batch.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// The most records, and the most events, to delete. The items of a bulk request are
    /// deleted together, so that it may be a few more.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_rows: u32,
    /// The number of seconds after which no further batch begins.
    #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(1..))]
    max_seconds: u32,
}

/// Whether a bound allows more deletions.
#[derive(Debug, Clone, Copy)]
enum Ended {
    Done,
    RowsUsedUp,
    TimeUsedUp,
}

impl PurgeOld {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        self.admit()?;
        let seconds = u64::from(self.older_than_days).saturating_mul(DAY);
        let older_than = Duration::from_secs(seconds);
        let end = SystemClock
            .now()
            .saturating_add(Duration::from_secs(self.max_seconds.into()));
        if !self.events {
            let records = |limit| Purge::Records { older_than, limit };
            self.purge(store, "records", records, end).await?;
        }
        if !self.records {
            let events = |limit| Purge::DeliveredEvents { older_than, limit };
            self.purge(store, "events", events, end).await?;
        }
        Ok(0)
    }

    /// Refuses to free keys that may still be used, unless the option asks for it.
    fn admit(&self) -> Result<(), CliError> {
        let (asked, min) = (self.older_than_days, RETENTION_DAYS);
        if self.events || self.free_recent_keys || asked >= min {
            return Ok(());
        }
        Err(CliError::RecentKeys { asked, min })
    }

    /// Prints how many rows there are, deletes them, and prints how many were deleted.
    async fn purge(
        &self,
        store: &dyn Books,
        what: &str,
        purge: impl Fn(u32) -> Purge,
        end: Timestamp,
    ) -> Result<(), CliError> {
        let found = store.purgeable(purge(self.max_rows)).await?;
        let more = if found < u64::from(self.max_rows) {
            ""
        } else {
            " or more"
        };
        say!("{found}{more} {what} to delete")?;
        if self.dry_run {
            return Ok(());
        }
        let (deleted, ended) = self.delete(store, purge, end).await?;
        say!("{deleted} {what} deleted")?;
        match ended {
            Ended::Done => {}
            Ended::RowsUsedUp => say!("stopped at --max-rows: run it again")?,
            Ended::TimeUsedUp => say!("stopped after --max-seconds: run it again")?,
        }
        Ok(())
    }

    /// Deletes until nothing is left or a bound is reached. The records of one bulk
    /// request are deleted together, so that a batch may be smaller or larger.
    async fn delete(
        &self,
        store: &dyn Books,
        purge: impl Fn(u32) -> Purge,
        end: Timestamp,
    ) -> Result<(u64, Ended), StoreError> {
        let bar = ProgressBar::new_spinner();
        let (mut deleted, mut left) = (0_u64, self.max_rows);
        let ended = loop {
            let limit = self.batch.min(left);
            let count = store.purge(purge(limit)).await?;
            deleted = deleted.saturating_add(count);
            bar.set_message(format!("{deleted} deleted"));
            bar.tick();
            if count == 0 {
                break Ended::Done;
            }
            left = left.saturating_sub(u32::try_from(count).unwrap_or(left));
            if left == 0 {
                break Ended::RowsUsedUp;
            }
            if SystemClock.now() >= end {
                break Ended::TimeUsedUp;
            }
        };
        bar.finish_and_clear();
        Ok((deleted, ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_are_those_of_the_retention() {
        let days = u64::from(RETENTION_DAYS);
        assert_eq!(Purge::RETENTION, Duration::from_secs(days * DAY));
    }
}
