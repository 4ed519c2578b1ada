use clap::Args;
use wallet_core::Timestamp;
use wallet_core::ledger::RaisedBy;

use crate::CliError;
use wallet_server::tools::{Books, time};

/// Begins a new epoch after a database went back to an earlier state, by a restore or a
/// failover that lost commits. Run it before anything writes again. Repeated with the same
/// time and name, it begins no further epoch and says so.
#[derive(Debug, Args)]
pub(crate) struct RestoreDone {
    /// All commits up to this time are there, as RFC 3339. A time that is too early is
    /// safe; a time that is too late is not.
    #[arg(long, value_parser = wallet_server::tools::parse_time)]
    restored_to: Timestamp,
    /// The person or program that restored it; recorded with the epoch.
    #[arg(long, default_value = "wallet restore-done")]
    by: String,
    /// Begins an epoch even if the last one began for the same time and name: the database
    /// went back once more.
    #[arg(long)]
    again: bool,
}

impl RestoreDone {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        let before = store.epochs().await?.current();
        let by = if self.again {
            format!("{}, again after epoch {before}", self.by)
        } else {
            self.by.clone()
        };
        let by = RaisedBy::new(&by).map_err(CliError::Name)?;
        let raised = store.raise_epoch(self.restored_to, &by).await?;
        if raised.epoch == before {
            say!("nothing was begun: the last epoch began for the same time and name already.")?;
            say!("If the database went back once more since then, repeat this with --again")?;
        }
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
