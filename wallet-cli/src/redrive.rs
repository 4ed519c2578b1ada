use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use wallet_core::SystemClock;
use wallet_core::messaging::MessageQueue;
use wallet_events::aws::{SqsPublisher, SqsQueue};
use wallet_events::{Redrive, RedriveFate, RedriveStep};

use crate::{CliError, plain};
use wallet_server::tools;

/// How long a receive waits: without long polling the service may miss messages.
const WAIT: Duration = Duration::from_secs(2);

/// Moves dead letters of a FIFO queue on Amazon SQS back to it, oldest first, each
/// account's in order. They now come after the messages that the queue delivered
/// meanwhile.
#[derive(Debug, Args)]
pub(crate) struct RedriveDead {
    /// The URL of the dead-letter queue.
    #[arg(long)]
    from: String,
    /// The URL of the queue that receives them.
    #[arg(long)]
    to: String,
    /// The most messages to move.
    #[arg(long)]
    limit: Option<usize>,
    /// Lists the dead letters and moves nothing.
    #[arg(long)]
    list: bool,
}

impl RedriveDead {
    /// Exits with 1 if a message stays behind.
    pub(crate) async fn run(&self) -> Result<u8, CliError> {
        let client = tools::sqs().await;
        let from = SqsQueue::new(client.clone(), &self.from)?.with_wait(WAIT);
        let from: Arc<dyn MessageQueue> = Arc::new(from);
        let to = Arc::new(SqsPublisher::new(client, &self.to)?);
        let mut redrive = Redrive::new(from, to, Arc::new(SystemClock));
        if let Some(limit) = self.limit {
            redrive = redrive.with_limit(limit);
        }
        if self.list {
            for received in redrive.list().await? {
                let body = plain(&received.message.body);
                say!("{}\t{body}", plain(&received.message.id))?;
            }
            return Ok(0);
        }
        let report = redrive.run(|step| print_step(&step)).await?;
        let left = [
            report.undeleted,
            report.failed,
            report.refused,
            report.behind,
        ];
        let left: u64 = left.into_iter().fold(0, u64::saturating_add);
        say!("{} moved, {left} left", report.moved)?;
        Ok(u8::from(left > 0))
    }
}

/// Prints one step. A closed output does not stop the redrive.
fn print_step(step: &RedriveStep<'_>) {
    let id = plain(&step.message.id);
    let _ = match step.fate {
        RedriveFate::Moved => say!("{id}: moved"),
        RedriveFate::Undeleted { reason } => say!(
            "{id}: moved, and still among the dead letters: {}",
            plain(reason)
        ),
        RedriveFate::Failed { reason } => say!("{id}: stays: {}", plain(reason)),
        RedriveFate::Refused { reason } => say!("{id}: refused: {}", plain(reason)),
        RedriveFate::Behind => say!("{id}: stays behind an earlier one of its account"),
    };
}
