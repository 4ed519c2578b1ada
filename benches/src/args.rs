//! What the command line asks for.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::disk;
use crate::pattern::Pattern;
use crate::store::StoreKind;

/// The most requests that the wallet puts into a batch by default.
const BATCH_MAX: u32 = 1_000;

/// Measures the wallet ledger under load, beside a naive baseline.
#[derive(Debug, Parser)]
#[command(name = "wallet-bench")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Drives a fresh store with concurrent callers and verifies its books.
    Load(Load),
    /// Measures the relay on a fresh store: from a full outbox, beside the ledger
    /// at work, and how soon it publishes.
    Relay(Load),
    /// Measures a balance cache on a private Redis beside a fresh store: reads of
    /// balances by Zipf's law, transfers with and without it, limits and locks.
    Cache(Load),
    /// Measures history and audit log: projection into a private emulator of
    /// DynamoDB beside bare calls, a past balance in a short and in a long history,
    /// verification of an audit log in memory.
    History(HistoryLoad),
}

impl Command {
    /// What to measure with.
    #[cfg(test)]
    pub(crate) const fn load(&self) -> &Load {
        match self {
            Self::Load(load) | Self::Relay(load) | Self::Cache(load) => load,
            Self::History(_) => panic!("another kind of load"),
        }
    }

    /// Checks what belongs together.
    ///
    /// # Errors
    /// What is wrong, with the usage.
    pub(crate) fn validate(&self) -> Result<(), clap::Error> {
        match self {
            Self::Load(load) => load.validate(),
            Self::Relay(load) => load.validate_alone("relay"),
            Self::Cache(load) => load.validate_alone("cache"),
            Self::History(load) => load.validate(),
        }
    }
}

/// The load to measure.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line, each on or off by itself"
)]
pub(crate) struct Load {
    /// The store to measure.
    #[arg(long, value_enum)]
    pub(crate) store: StoreKind,
    /// Who pays whom.
    #[arg(long, value_enum, default_value = "uniform")]
    pub(crate) pattern: Pattern,
    /// How many callers submit, each one transfer at a time.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) callers: u32,
    /// How long to measure.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// How many accounts there are.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(2..=50_000_000))]
    pub(crate) accounts: u32,
    /// Measure one hand-written transaction per transfer too.
    #[arg(long)]
    pub(crate) baseline: bool,
    /// Measure the bulk insertion of the same rows too: the upper bound.
    #[arg(long)]
    pub(crate) bulk_limit: bool,
    /// Measure a wallet on tables with so many accounts too, on the same server:
    /// what the size of the tables costs.
    #[arg(long, value_name = "ACCOUNTS", value_parser = clap::value_parser!(u32).range(2..=50_000_000))]
    pub(crate) beside: Option<u32>,
    /// The server's buffer pool [default: 4].
    #[arg(long, value_name = "GB", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) buffer_pool: Option<u32>,
    /// How many accounts the store of the server's kind remembers [default: its
    /// own].
    #[arg(long, value_name = "ACCOUNTS")]
    pub(crate) remembered: Option<usize>,
    /// Verify all balances, but the entries of 1,000 accounts only: for tables
    /// of millions.
    #[arg(long)]
    pub(crate) sampled: bool,
    /// Encrypt the connections to the server, and verify who it is.
    #[arg(long)]
    pub(crate) tls: bool,
    /// MySQL without its binary log, which Aurora does without, too.
    #[arg(long)]
    pub(crate) skip_log_bin: bool,
    /// Share the callers among so many wallets, each with a store of its own on
    /// the one database, as several processes would.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) wallets: u32,
    /// How many batches each wallet has under way at a time [default: 2 where
    /// there is a server, else 1].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) committers: Option<u32>,
    /// How many while there is much to do, where that is more [default: as many as
    /// --committers says; without it 3 where there is a server].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) busy_committers: Option<u32>,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the chart (SVG) into this file [default: one under
    /// target/wallet-bench named after the run].
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Where stores keep their files while they are measured: on a real disk.
    #[arg(long, value_name = "FOLDER", default_value_os_t = default_folder())]
    pub(crate) folder: PathBuf,
}

/// What to measure of history; 0 leaves a part out.
#[derive(Debug, Clone, Args)]
pub(crate) struct HistoryLoad {
    /// How many entries are projected.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) entries: u32,
    /// Over how many accounts, in each of the turns.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) accounts: u32,
    /// In how many turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) turns: u32,
    /// How long the long history is.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) long: u32,
    /// How many audit records are verified.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) records: u32,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where the ledger keeps its file: on a real disk.
    #[arg(long, value_name = "FOLDER", default_value_os_t = default_folder())]
    pub(crate) folder: PathBuf,
}

impl HistoryLoad {
    fn validate(&self) -> Result<(), clap::Error> {
        let prepared = disk::prepare(&self.folder);
        prepared.map_err(|error| Cli::command().error(ErrorKind::Io, error))
    }
}

/// `target/wallet-bench` of the checkout.
fn default_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| {
        let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        package.join("../target")
    });
    target.join("wallet-bench")
}

fn given(count: Option<u32>) -> Option<usize> {
    count.and_then(|count| usize::try_from(count).ok())
}

impl Load {
    /// The length of the measured time.
    pub(crate) fn measured(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }

    /// How many batches are under way at a time.
    pub(crate) fn committers(&self) -> usize {
        given(self.committers).unwrap_or_else(|| self.store.settings().committers)
    }

    /// How many while there is much to do.
    pub(crate) fn busy_committers(&self) -> usize {
        let given = given(self.busy_committers.or(self.committers));
        given.unwrap_or_else(|| self.store.settings().busy_committers)
    }

    /// How large batches get when every caller waits: what bulk writes take.
    pub(crate) fn batch(&self) -> u32 {
        let committers = u32::try_from(self.committers()).unwrap_or(u32::MAX);
        let shares = committers.saturating_mul(self.wallets);
        self.callers.div_ceil(shares).clamp(1, BATCH_MAX)
    }

    /// Where the chart goes.
    pub(crate) fn chart_path(&self) -> PathBuf {
        self.chart.clone().unwrap_or_else(|| {
            let (store, pattern, callers) = (self.store, self.pattern, self.callers);
            self.folder.join(format!("{store}-{pattern}-{callers}.svg"))
        })
    }

    /// What neither the relay nor the cache is measured with.
    ///
    /// # Errors
    /// A message as clap's own.
    pub(crate) fn validate_alone(&self, what: &str) -> Result<(), clap::Error> {
        let others = self.baseline || self.bulk_limit || self.sampled || self.chart.is_some();
        if others || self.beside.is_some() || self.wallets > 1 {
            let message = format!("{what}: nothing is compared, and no chart drawn");
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, message));
        }
        self.validate()
    }

    /// What clap cannot know: which options go together.
    ///
    /// # Errors
    /// A message as clap's own.
    pub(crate) fn validate(&self) -> Result<(), clap::Error> {
        let conflict = |message: String| {
            let error = Cli::command().error(ErrorKind::ArgumentConflict, message);
            Err(error)
        };
        if self.tls && self.store.server().is_none() {
            return conflict(format!(
                "--tls: the store {} is part of this process, so there is no connection to encrypt",
                self.store
            ));
        }
        if self.skip_log_bin && self.store != StoreKind::Mysql {
            let store = self.store;
            return conflict(format!("--skip-log-bin: {store} has no binary log here"));
        }
        if self.buffer_pool.is_some() && self.store.server().is_none() {
            let store = self.store;
            return conflict(format!("--buffer-pool: {store} has no server"));
        }
        if self.remembered.is_some() && self.store.server().is_none() {
            let store = self.store;
            return conflict(format!("--remembered: {store} remembers none"));
        }
        if self.beside == Some(self.accounts) {
            return conflict("--beside: the same number of accounts as --accounts".to_owned());
        }
        if self.store.has_files() {
            let prepared = disk::prepare(&self.folder);
            prepared.map_err(|error| Cli::command().error(ErrorKind::Io, error))?;
        }
        if self.wallets > 1 && self.store.server().is_none() {
            let store = self.store;
            return conflict(format!("--wallets: {store} takes one wallet"));
        }
        Ok(())
    }
}
