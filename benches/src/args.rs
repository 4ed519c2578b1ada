//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::disk;
use crate::pattern::Pattern;
use crate::store_kind::StoreKind;

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
    /// The measurement to run.
    #[cfg(test)]
    pub(crate) const fn load(&self) -> &Load {
        match self {
            Self::Load(load) | Self::Relay(load) | Self::Cache(load) => load,
            Self::History(_) => panic!("another kind of load"),
        }
    }

    /// Checks combinations of options.
    ///
    /// # Errors
    /// The error text, with the usage.
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
    /// How payers and payees are drawn.
    #[arg(long, value_enum, default_value = "uniform")]
    pub(crate) pattern: Pattern,
    /// The number of callers; each submits one transfer at a time.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) callers: u32,
    /// The length of the measurement.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// The number of accounts.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(2..=50_000_000))]
    pub(crate) accounts: u32,
    /// Measure one hand-written transaction per transfer too.
    #[arg(long)]
    pub(crate) baseline: bool,
    /// Measure the bulk insertion of the same rows too: the upper bound.
    #[arg(long)]
    pub(crate) bulk_limit: bool,
    /// Make each transfer in a transaction of the host that inserts a row of its own too,
    /// without group commit.
    #[arg(long)]
    pub(crate) in_transaction: bool,
    /// Also measure a wallet on tables with this many accounts, on the same server: the
    /// cost of table size.
    #[arg(long, value_name = "ACCOUNTS", value_parser = clap::value_parser!(u32).range(2..=50_000_000))]
    pub(crate) beside: Option<u32>,
    /// The server's buffer pool [default: 4].
    #[arg(long, value_name = "GB", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) buffer_pool: Option<u32>,
    /// How many accounts the store of the server's kind caches [default: its own].
    #[arg(long, value_name = "ACCOUNTS")]
    pub(crate) remembered: Option<usize>,
    /// Verify all balances, but only the entries of 1,000 accounts: for tables of
    /// millions.
    #[arg(long)]
    pub(crate) sampled: bool,
    /// Use TLS to the server, and verify its certificate.
    #[arg(long)]
    pub(crate) tls: bool,
    /// MySQL without its binary log, as on Aurora.
    #[arg(long)]
    pub(crate) skip_log_bin: bool,
    /// Share the callers among this many wallets. Each has its own store on the one
    /// database, as several processes would.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) wallets: u32,
    /// How many batches each wallet has in flight [default: 2 with a server, else 1].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) committers: Option<u32>,
    /// How many under load, if that is more [default: the value of --committers; without
    /// it 3 with a server].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) busy_committers: Option<u32>,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the chart (SVG) into this file [default: one under
    /// target/wallet-bench named after the run].
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// The folder of the stores' files during the run: on a real disk.
    #[arg(long, value_name = "FOLDER", default_value_os_t = default_folder())]
    pub(crate) folder: PathBuf,
}

/// The sizes of the history measurement; 0 skips a part.
#[derive(Debug, Clone, Args)]
pub(crate) struct HistoryLoad {
    /// The number of entries to project.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) entries: u32,
    /// The number of accounts in each turn.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) accounts: u32,
    /// The number of turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) turns: u32,
    /// The number of entries of the long history.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) long: u32,
    /// The number of audit records to verify.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub(crate) records: u32,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// The folder of the ledger's file: on a real disk.
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

    /// The number of batches in flight.
    pub(crate) fn committers(&self) -> usize {
        given(self.committers).unwrap_or_else(|| self.store.settings().committers)
    }

    /// The number of batches in flight under load.
    pub(crate) fn busy_committers(&self) -> usize {
        let given = given(self.busy_committers.or(self.committers));
        given.unwrap_or_else(|| self.store.settings().busy_committers)
    }

    /// The batch size when every caller waits, for bulk writes.
    pub(crate) fn batch(&self) -> u32 {
        let committers = u32::try_from(self.committers()).unwrap_or(u32::MAX);
        let shares = committers.saturating_mul(self.wallets);
        self.callers.div_ceil(shares).clamp(1, BATCH_MAX)
    }

    /// The file of the chart.
    pub(crate) fn chart_path(&self) -> PathBuf {
        self.chart.clone().unwrap_or_else(|| {
            let (store, pattern, callers) = (self.store, self.pattern, self.callers);
            self.folder.join(format!("{store}-{pattern}-{callers}.svg"))
        })
    }

    /// Options that neither the relay nor the cache measurement supports.
    ///
    /// # Errors
    /// A message in the format of clap.
    pub(crate) fn validate_alone(&self, what: &str) -> Result<(), clap::Error> {
        let others = self.baseline || self.bulk_limit || self.sampled || self.chart.is_some();
        let others = others || self.in_transaction;
        if others || self.beside.is_some() || self.wallets > 1 {
            let message = format!("{what}: nothing is compared, and no chart drawn");
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, message));
        }
        self.validate()
    }

    /// Checks that clap cannot express: which options go together.
    ///
    /// # Errors
    /// A message in the format of clap.
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
        if self.in_transaction && !self.store.has_files() {
            let store = self.store;
            return conflict(format!("--in-transaction: {store} has no tables of a host"));
        }
        if self.in_transaction && self.wallets > 1 {
            return conflict("--in-transaction: one wallet".to_owned());
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
