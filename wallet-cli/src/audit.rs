use std::path::PathBuf;

use clap::{Args, Subcommand};
use wallet_core::SystemClock;
use wallet_core::audit::{AuditCheckpoint, AuditLog, AuditPartition, AuditVerdict, verify};
use wallet_core::runtime::Clock;

use crate::CliError;
use crate::progress::ProgressBar;
use wallet_server::{TableUrl, tools};

/// Manages an audit log.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The table of the audit log: `dynamodb:TABLE`, with the feature `aws`.
    #[arg(long, env = "WALLET_AUDIT_LOG", global = true)]
    log: Option<TableUrl>,
    /// The partition of the audit log.
    #[arg(long, default_value_t = 0, global = true)]
    partition: AuditPartition,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Creates the table, if there is none.
    Create,
    /// Checks that no record was edited, removed, inserted or moved. Exits with 0 when
    /// the log is sound, 1 when it is not, 3 when it could not be read.
    Verify(Verify),
    /// Prints a checkpoint of the chain. Keep it where no writer of the log can change
    /// it.
    Checkpoint,
}

#[derive(Debug, Args)]
struct Verify {
    /// A file of printed checkpoints, one a line. Only they reveal that the end was cut
    /// off, or that the chain was rewritten.
    #[arg(long)]
    checkpoints: Option<PathBuf>,
}

impl Audit {
    pub(crate) async fn run(&self) -> Result<u8, CliError> {
        let url = self.log.as_ref();
        let url = url.ok_or(CliError::Missing("--log dynamodb:TABLE"))?;
        if matches!(self.what, What::Create) {
            create(url).await?;
            return Ok(0);
        }
        let log = tools::open_audit_log(url).await?;
        match &self.what {
            What::Create => Ok(0),
            What::Checkpoint => self.checkpoint(log.as_ref()).await,
            What::Verify(what) => self.verify(log.as_ref(), what).await,
        }
    }

    async fn checkpoint(&self, log: &dyn AuditLog) -> Result<u8, CliError> {
        let last = log.last(self.partition).await?;
        let nothing = || CliError::NotFound("there is no record yet".to_owned());
        let last = last.ok_or_else(nothing)?;
        say!("{}", AuditCheckpoint::of(&last, SystemClock.now()))?;
        Ok(0)
    }

    async fn verify(&self, log: &dyn AuditLog, what: &Verify) -> Result<u8, CliError> {
        let mut published = Vec::new();
        if let Some(path) = &what.checkpoints {
            for line in std::fs::read_to_string(path)?.lines() {
                published.push(line.parse::<AuditCheckpoint>()?);
            }
        }
        let bar = ProgressBar::new();
        let mut notify = |done| bar.show("records", u64::try_from(done).unwrap_or(0), None);
        let verdict = verify(log, self.partition, &published, &mut notify).await;
        bar.finish();
        Ok(match verdict? {
            AuditVerdict::Sound { sequence, hash } => {
                say!("{sequence} records are sound; the last has the hash {hash}")?;
                0
            }
            AuditVerdict::Broken(fault) => {
                say!("BROKEN: {fault}")?;
                1
            }
        })
    }
}

#[cfg(feature = "aws")]
async fn create(url: &TableUrl) -> Result<(), CliError> {
    let client = tools::dynamo().await;
    wallet_dynamo::create_audit_table(&client, &SystemClock, url.table()).await?;
    say!("the table {} is there", url.table())?;
    Ok(())
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "only a table's client is waited for")]
async fn create(_: &TableUrl) -> Result<(), CliError> {
    Err(CliError::Feature("aws"))
}
