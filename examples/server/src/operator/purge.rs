use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use wallet_core::{Purge, StoreError};

use super::OperatorError;
use crate::store::Books;

const DAY: u64 = 86_400;

/// Deletes old idempotency records and delivered events, a few at a time. A key
/// whose record is gone is free again.
#[derive(Debug, Args)]
pub(super) struct PurgeOld {
    /// Only what is at least this old.
    #[arg(long, default_value_t = 30)]
    older_than_days: u32,
    /// Records alone.
    #[arg(long, conflicts_with = "events")]
    records: bool,
    /// Events alone.
    #[arg(long)]
    events: bool,
    /// How many rows to delete at a time.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
}

impl PurgeOld {
    pub(super) async fn run(&self, store: &dyn Books) -> Result<u8, OperatorError> {
        let seconds = u64::from(self.older_than_days).saturating_mul(DAY);
        let (older_than, limit) = (Duration::from_secs(seconds), self.batch);
        if !self.events {
            let records = Purge::Records { older_than, limit };
            println!("{} records deleted", self.all(store, records).await?);
        }
        if !self.records {
            let events = Purge::DeliveredEvents { older_than, limit };
            println!("{} events deleted", self.all(store, events).await?);
        }
        Ok(0)
    }

    /// Deletes until a batch is not full.
    async fn all(&self, store: &dyn Books, purge: Purge) -> Result<u64, StoreError> {
        let bar = ProgressBar::new_spinner();
        let mut deleted = 0_u64;
        loop {
            let count = store.purge(purge).await?;
            deleted = deleted.saturating_add(count);
            bar.set_message(format!("{deleted} deleted"));
            bar.tick();
            if count < u64::from(self.batch) {
                bar.finish_and_clear();
                return Ok(deleted);
            }
        }
    }
}
