use clap::{Args, Subcommand};
use wallet_core::store::{EventIndex, Resolution, RowId};

use crate::{CliError, plain};
use wallet_server::tools::{Books, time};

/// Shows what waits in the outbox and which events are parked; skips one, or has
/// it sent again.
///
/// A parked event is one that the queue refused: it stops the later events of its
/// account, and of no other.
#[derive(Debug, Args)]
pub(crate) struct Events {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Skips a parked event for ever: the events behind it are published.
    Skip(Parked),
    /// Publishes a parked event again, then those behind it.
    Retry(Parked),
}

/// A parked event, as the list shows it.
#[derive(Debug, Args)]
struct Parked {
    /// Its outbox row.
    row: RowId,
    /// Its index in the row.
    index: EventIndex,
}

impl Events {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        match &self.what {
            None => self.list(store).await,
            Some(What::Skip(parked)) => self.unpark(store, parked, Resolution::Skip).await,
            Some(What::Retry(parked)) => self.unpark(store, parked, Resolution::Redrive).await,
        }
    }

    async fn list(&self, store: &dyn Books) -> Result<u8, CliError> {
        let depth = store.depth().await?;
        let oldest = depth.oldest.map(time);
        let oldest = oldest.map_or_else(String::new, |at| format!(", the oldest from {at}"));
        say!("{} rows wait{oldest}", depth.rows)?;
        say!("{} events are parked", depth.parked)?;
        for event in store.parked().await? {
            say!(
                "row {} index {}: version {} of account {}: {}",
                event.row,
                event.index,
                event.version,
                event.account.id,
                plain(&event.reason)
            )?;
        }
        Ok(0)
    }

    async fn unpark(
        &self,
        store: &dyn Books,
        parked: &Parked,
        then: Resolution,
    ) -> Result<u8, CliError> {
        let Parked { row, index } = *parked;
        let done = store.unpark(row, index, then).await?;
        if !done {
            let problem = format!("no event is parked at row {row}, index {index}");
            return Err(CliError::NotFound(problem));
        }
        say!(
            "{}",
            match then {
                Resolution::Skip => "skipped",
                Resolution::Redrive => "sent again when the relay looks next",
            }
        )?;
        Ok(0)
    }
}
