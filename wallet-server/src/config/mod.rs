//! The server's settings, as flags and environment variables name them.
//!
//! [`Config`] holds them as parsed values. `values` parses single values, `store_url` the
//! address of the store, `mysql` the group of settings of a database. Nothing here opens
//! anything: `app` and `serve` read the settings.

#[cfg(feature = "mysql")]
mod mysql;
mod store_url;
mod values;

use std::net::SocketAddr;

use clap::Parser;
use wallet_core::ledger::CurrencyTable;
use wallet_core::{Currency, Timestamp};

use crate::connection::Network;
use crate::history::TableUrl;
use crate::hosts::HostName;
use crate::log::LogFormat;
use values::{at_least_one, currency, fifo, head_size};

#[cfg(feature = "mysql")]
pub use mysql::MysqlConfig;
pub use store_url::StoreUrl;
pub use values::{AdminListen, time};

/// The server's settings: flags, or the environment variables that `--help` names. Every
/// setting has a default.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "wallet-server",
    version,
    about = "The wallet ledger behind a REST API"
)]
pub struct Config {
    /// The address to listen on.
    #[arg(long, env = "WALLET_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address of the operators' listener, with `/metrics` and a second copy of
    /// `/health/...`. Clients cannot overload it; `off` disables it.
    #[arg(long, env = "WALLET_ADMIN_LISTEN", default_value = "127.0.0.1:8081")]
    pub admin_listen: AdminListen,

    /// Accepted names in the `Host` header, besides `localhost` and IP addresses;
    /// separated by commas, `*` for any. Without this check a page of another site whose
    /// name resolves to this server could call it from a browser.
    #[arg(long, env = "WALLET_HOSTS", value_delimiter = ',')]
    pub hosts: Vec<HostName>,

    /// The store of the books: `sqlite:PATH`, `memory` (lost at exit), or, built with the
    /// feature `mysql`, `mysql://USER:PASSWORD@HOST/DATABASE`.
    #[arg(long, env = "WALLET_STORE", default_value = "sqlite:wallet.db")]
    pub store: StoreUrl,

    /// The URL of a FIFO queue on Amazon SQS that receives the books' events. Needs the
    /// feature `aws`, and AWS credentials in one of the usual places.
    #[arg(long, env = "WALLET_EVENTS_QUEUE", value_parser = fifo)]
    pub events_queue: Option<String>,

    /// The history of accounts, from which statements and past balances are read:
    /// `dynamodb:TABLE`, a table that exists. Needs the feature `aws`. Without a queue
    /// for events the server updates the history itself; with one, a consumer of the
    /// queue does.
    #[arg(long, env = "WALLET_HISTORY")]
    pub history: Option<TableUrl>,

    /// Currencies beyond ISO 4217, as CODE:DECIMALS, separated by commas.
    #[arg(long, env = "WALLET_CURRENCIES", value_delimiter = ',', value_parser = currency)]
    pub currencies: Vec<Currency>,

    /// How many requests may wait for a commit; further ones are refused.
    #[arg(long, env = "WALLET_QUEUE", default_value_t = 8_192, value_parser = at_least_one)]
    pub queue: usize,

    /// How many batches may be committed at a time [default: 2 on MySQL, 3 under load; 1
    /// on SQLite, which has one writer].
    #[arg(long, env = "WALLET_COMMITTERS", value_parser = at_least_one)]
    pub committers: Option<usize>,

    /// How many requests for lists and past balances may be open, running or waiting;
    /// further ones are answered 503.
    #[arg(long, env = "WALLET_LISTS_MAX", default_value_t = 64, value_parser = at_least_one)]
    pub lists_max: usize,

    /// The same for requests that read single resources, and for dry runs.
    #[arg(long, env = "WALLET_READS_MAX", default_value_t = 512, value_parser = at_least_one)]
    pub reads_max: usize,

    /// How many connections may be open; further ones wait. The default stays
    /// below the usual limit of open files.
    #[arg(long, env = "WALLET_CONNECTIONS", default_value_t = 960, value_parser = at_least_one)]
    pub connections: usize,

    /// How many connections one peer may have (an IPv4 address, or an IPv6 network of 64
    /// bits); further ones are answered 429. Behind a trusted proxy, how many requests
    /// one client may have open [default: half of --connections].
    #[arg(long, env = "WALLET_CONNECTIONS_PER_PEER", value_parser = at_least_one)]
    pub connections_per_peer: Option<usize>,

    /// Trusted proxies, as networks (10.0.0.0/8) or addresses, separated by commas. The
    /// client of a request through one of them is the rightmost address in
    /// `X-Forwarded-For` that is not a proxy.
    #[arg(long, env = "WALLET_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// The largest body accepted, in bytes.
    #[arg(long, env = "WALLET_BODY_MAX", default_value_t = 65_536, value_parser = at_least_one)]
    pub body_max: usize,

    /// The largest head of a request accepted (its first line and headers), in
    /// bytes; at least 8192.
    #[arg(long, env = "WALLET_HEADER_MAX", default_value_t = 16_384)]
    #[arg(value_parser = head_size)]
    pub header_max: usize,

    /// How long a request may take, in milliseconds.
    #[arg(long, env = "WALLET_REQUEST_TIMEOUT_MS", default_value_t = 30_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub request_timeout_ms: u64,

    /// How long the body of a request may take to arrive, in milliseconds.
    #[arg(long, env = "WALLET_BODY_TIMEOUT_MS", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub body_timeout_ms: u64,

    /// How long the head of a request (its first line and headers) may take to arrive,
    /// from its first byte on, in milliseconds.
    #[arg(long, env = "WALLET_HEAD_TIMEOUT_MS", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub head_timeout_ms: u64,

    /// The idle timeout of a connection, in milliseconds; at least the time limit of a
    /// request plus one second.
    #[arg(long, env = "WALLET_IDLE_TIMEOUT_MS", default_value_t = 60_000)]
    pub idle_timeout_ms: u64,

    /// How long connections are still accepted at shutdown, in milliseconds, while
    /// `/health/ready` answers 503: as long as a load balancer takes to notice.
    #[arg(long, env = "WALLET_DRAIN_DELAY_MS", default_value_t = 5_000)]
    pub drain_delay_ms: u64,

    /// How long open requests may take to end at shutdown, in milliseconds.
    #[arg(long, env = "WALLET_SHUTDOWN_TIMEOUT_MS", default_value_t = 20_000)]
    pub shutdown_timeout_ms: u64,

    /// How far an account's time may run ahead of the store's clock, in
    /// milliseconds: at most ten minutes. Beyond it requests are refused as
    /// `clock_behind`.
    #[arg(long, env = "WALLET_MAX_AHEAD_MS", default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub max_ahead_ms: u64,

    /// A temporary higher limit, up to seven days, after a clock stepped forward and was
    /// corrected. Needs `--raise-max-ahead-until`.
    #[arg(
        long,
        env = "WALLET_RAISE_MAX_AHEAD_MS",
        requires = "raise_max_ahead_until"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(..=604_800_000))]
    pub raise_max_ahead_ms: Option<u64>,

    /// When the temporary limit ends, as RFC 3339: at most a day ahead.
    #[arg(
        long,
        env = "WALLET_RAISE_MAX_AHEAD_UNTIL",
        requires = "raise_max_ahead_ms"
    )]
    #[arg(value_parser = time)]
    pub raise_max_ahead_until: Option<Timestamp>,

    /// Whether callers may move money between system accounts
    /// (`POST /v1/system-transfers`). Every caller of the server may do so then.
    #[arg(long, env = "WALLET_ALLOW_SYSTEM_TRANSFERS")]
    pub allow_system_transfers: bool,

    /// The settings of a database of MySQL, MariaDB or Aurora.
    #[cfg(feature = "mysql")]
    #[command(flatten)]
    pub mysql: MysqlConfig,

    /// The format of the log: `json` or `text`.
    #[arg(long, env = "WALLET_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
}

impl Config {
    /// The currencies that requests may name.
    ///
    /// # Errors
    /// When a currency of the settings contradicts ISO 4217 or another one.
    pub fn currency_table(&self) -> Result<CurrencyTable, wallet_core::ledger::CurrencyError> {
        let mut table = CurrencyTable::iso();
        self.currencies
            .iter()
            .try_for_each(|currency| table.register(*currency))?;
        Ok(table)
    }

    /// The most connections of one peer.
    pub(crate) fn connections_per_peer(&self) -> usize {
        let half = self.connections.div_ceil(2);
        self.connections_per_peer.unwrap_or(half)
    }
}
