use clap::Args;
use wallet_core::Timestamp;
use wallet_core::ledger::RaisedBy;

use crate::CliError;
use wallet_server::tools::{Books, time};

/// Begins a new epoch after a database went back to an earlier state, by a restore or a
/// failover that lost commits. Run it before anything writes again. It is idempotent.
#[derive(Debug, Args)]
pub(crate) struct RestoreDone {
    /// All commits up to this time are there, as RFC 3339. A time that is too early is
    /// safe; a time that is too late is not.
    #[arg(long, value_parser = wallet_server::tools::parse_time)]
    restored_to: Timestamp,
    /// The person or program that restored it; recorded with the epoch.
    #[arg(long, default_value = "wallet restore-done")]
    by: String,
}

impl RestoreDone {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        let by = RaisedBy::new(&self.by).map_err(CliError::Name)?;
        let raised = store.raise_epoch(self.restored_to, &by).await?;
        say!(
            "epoch {} since {}, restored to {}, by {}",
            raised.epoch,
            time(raised.raised_at),
            time(raised.restored_to),
            raised.by
        )?;
        say!("what to do with caches, consumers and history:")?;
        say!("docs/operate/backup-and-restore.md")?;
        Ok(0)
    }
}
