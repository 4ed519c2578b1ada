use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use wallet_core::history::{Backfill, BackfillProgress, Export, ExportReport};
use wallet_core::runtime::Clock;
use wallet_core::{SystemClock, Timestamp};

use crate::CliError;
use crate::progress::ProgressBar;
use crate::statement::when;
use wallet_server::tools::Books;
use wallet_server::{TableUrl, tools};

const DAY: u64 = 86_400;

/// Manages the history of accounts.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The table of the history: `dynamodb:TABLE`, with the feature `aws`.
    #[arg(long, env = "WALLET_HISTORY", global = true)]
    history: Option<TableUrl>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Creates the table, if there is none.
    Create,
    /// Updates the history to the state of the books, from nothing or from where it is.
    /// It may be stopped and restarted, also while the books are in use. After a restore
    /// of the books it supersedes lines in doubt and repairs the rest.
    Rebuild,
    Export(ExportLines),
}

/// Exports old lines, one JSON object a line, and then lets them expire.
#[derive(Debug, Args)]
struct ExportLines {
    /// The file to write, which must not exist.
    #[arg(long)]
    out: PathBuf,
    /// Only lines before this time (RFC 3339).
    #[arg(long, value_parser = when)]
    before: Timestamp,
    /// Exported lines expire after this many days; without it they stay. The last line of
    /// each account always stays.
    #[arg(long, value_name = "DAYS")]
    expire_in: Option<u32>,
}

/// A flush also syncs the file to disk.
struct Synced(File);

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

impl History {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        let url = self.history.as_ref();
        let url = url.ok_or(CliError::Missing("--history dynamodb:TABLE"))?;
        match &self.what {
            What::Create => create(url).await?,
            What::Rebuild => rebuild(store, url).await?,
            What::Export(export) => export.run(store, url).await?,
        }
        Ok(0)
    }
}

async fn rebuild(store: &dyn Books, url: &TableUrl) -> Result<(), CliError> {
    let history = tools::open_history(url).await?;
    let bar = ProgressBar::new();
    let mut notify = |progress: BackfillProgress| {
        let stage = progress.total.map_or("counting", |_| "entries");
        bar.show(stage, progress.done, progress.total);
    };
    let backfill = Backfill::new(history.as_ref(), store);
    let report = backfill.run(&mut notify).await;
    bar.finish();
    let report = report?;
    let (accounts, written, held) = (report.accounts, report.written, report.held);
    say!("{accounts} accounts: {written} lines written, {held} were there")?;
    if report.restored > 0 {
        let restored = report.restored;
        say!("of {restored} accounts it was from before a restore of the books")?;
    }
    Ok(())
}

impl ExportLines {
    async fn run(&self, store: &dyn Books, url: &TableUrl) -> Result<(), CliError> {
        let history = tools::open_history(url).await?;
        let file = File::create_new(&self.out)?;
        let mut out = std::io::BufWriter::new(Synced(file));
        let mut export = Export::new(history.as_ref(), store, self.before);
        if let Some(days) = self.expire_in {
            let life = Duration::from_secs(u64::from(days).saturating_mul(DAY));
            export = export.expiring_at(SystemClock.now().saturating_add(life));
        }
        let bar = ProgressBar::new();
        let mut notify = |report: ExportReport| bar.show("lines", report.lines, None);
        let report = export.run(&mut out, &mut notify).await;
        bar.finish();
        let report = report?;
        say!("{} accounts: {} lines", report.accounts, report.lines)?;
        Ok(())
    }
}

#[cfg(feature = "aws")]
async fn create(url: &TableUrl) -> Result<(), CliError> {
    let client = tools::dynamo().await;
    wallet_dynamo::create_history_table(&client, &SystemClock, url.table()).await?;
    say!("the table {} is there", url.table())?;
    Ok(())
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "only a table's client is waited for")]
async fn create(_: &TableUrl) -> Result<(), CliError> {
    Err(CliError::Feature("aws"))
}
