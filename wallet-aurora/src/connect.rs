//! Opening a connection: how it is set up, and what the server must be.

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, MySqlConnection};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::credentials::{Endpoint, Source};
use crate::error::{Failed, Result, connecting};
use crate::pool::Wait;
use crate::run::Runner;
use crate::sql::Script;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Commits; the server must take writes.
    Writer,
    /// Reads only.
    Reader,
}

/// How to reach a server, and how to treat it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    options: MySqlConnectOptions,
    credentials: Option<Source>,
    pub(crate) role: Role,
    lock_wait: Duration,
    pub(crate) connect_wait: Duration,
    pub(crate) ping_wait: Duration,
    pub(crate) session_wait: Duration,
    answer_wait: Duration,
    long_wait: Duration,
    migration_wait: Duration,
}

/// An open connection and what its server told.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: MySqlConnection,
    /// The longest packet that it takes, in bytes.
    pub(crate) packet_bytes: usize,
    /// Which server it is.
    pub(crate) version: String,
    /// Whether what is committed survives a crash of the server and its machine.
    pub(crate) durability: Durability,
}

/// Packets are kept a little below what the server takes.
const HEADROOM: usize = 4_096;
/// What is asked for before the server has said what it takes.
const LEAST_PACKET: usize = 16_384;

/// How long the server waits for the next statement, for the rest of one, and for
/// the client to take an answer.
const VANISHED: [&str; 3] = ["wait_timeout", "net_read_timeout", "net_write_timeout"];
const FACTS: &str = "
    SELECT @@read_only, @@innodb_read_only, @@max_allowed_packet, VERSION(),
           @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog";

/// What becomes of acknowledged commits when the server or its machine crashes: see
/// [`AuroraStore::durability`](crate::AuroraStore::durability).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durability {
    /// `innodb_flush_log_at_trx_commit` is 1: the server's log is on the disk before
    /// a commit is acknowledged. Else a crash loses the last commits.
    pub flushes_log: bool,
    /// There is no binary log, or `sync_binlog` is 1. Else a crash may lose commits
    /// from the binary log, and replicas and restores lack them.
    pub flushes_binary_log: bool,
    /// There is a binary log, and `sync_binlog` is 1. Else other connections see a commit
    /// some milliseconds before it is on the disk, and what a balance or a statement
    /// shows may be gone after a crash at that moment. Answers to requests, outcomes and
    /// events wait until it is there in either case.
    pub shows_only_durable: bool,
}

impl Durability {
    /// Whether whatever is acknowledged survives a crash.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.flushes_log && self.flushes_binary_log
    }
}

/// Refuses servers whose commits are not as this crate needs them: `TiDB` gives numbers
/// that do not ascend over its servers, so that the order of events would not be that
/// of commits.
pub(crate) fn check_version(version: &str) -> Result<()> {
    if version.contains("TiDB") {
        let context = "TiDB is not supported: its AUTO_INCREMENT is not in the order of commits";
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    Ok(())
}

impl Target {
    /// Reads the address.
    pub(crate) fn new(url: &str, role: Role, settings: &crate::AuroraSettings) -> Result<Self> {
        let options = MySqlConnectOptions::from_str(url).map_err(|error| {
            // The driver's error may repeat the address with its password.
            drop(error);
            StoreError::new(
                StoreErrorKind::Internal,
                "the database's address is not valid",
            )
        })?;
        // Everything about the session is said in `session` below.
        let options = options
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .disable_statement_logging();
        // In clear text, as IAM tokens are sent, over TLS only.
        let is_encrypted = matches!(
            options.get_ssl_mode(),
            MySqlSslMode::Required | MySqlSslMode::VerifyCa | MySqlSslMode::VerifyIdentity
        );
        let has_source = settings.credentials.is_some();
        Ok(Self {
            options: options.enable_cleartext_plugin(has_source && is_encrypted),
            credentials: settings.credentials.clone(),
            role,
            lock_wait: settings.lock_wait,
            connect_wait: settings.connect_wait,
            ping_wait: settings.ping_wait,
            session_wait: settings.session_wait,
            answer_wait: settings.answer_wait,
            long_wait: settings.long_wait,
            migration_wait: settings.migration_wait,
        })
    }

    /// How long a packet may take.
    pub(crate) const fn wait(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Answer => self.answer_wait,
            Wait::Long => self.long_wait,
            Wait::Migration => self.migration_wait,
        }
    }

    /// Connects and sets the session up.
    pub(crate) async fn open(&self) -> Result<Opened> {
        let context = "connecting to the database";
        let connected = tokio::time::timeout(self.connect_wait, self.connect()).await;
        let mut connection = connected.map_err(|_| {
            StoreError::new(StoreErrorKind::Unavailable, context).with_source("no answer in time")
        })??;
        let mut runner = Runner {
            connection: &mut connection,
            answer_wait: self.answer_wait,
            packet_bytes: LEAST_PACKET,
            is_limit: false,
        };
        let script = self.session();
        let mut answers = runner.run(&script).await?;
        answers.skip(script.steps.len().saturating_sub(1));
        let facts = answers.row()?;
        let is_read_only = facts.flag(0)? || facts.flag(1)?;
        if self.role == Role::Writer && is_read_only {
            // After a failover the old writer still answers for a while.
            return Err(Failed::read_only().error);
        }
        let most: usize = facts.number(2)?;
        let version = facts.text(3)?.to_owned();
        let durability = Durability {
            flushes_log: facts.text(4)? == "1",
            flushes_binary_log: !facts.flag(5)? || facts.text(6)? == "1",
            shows_only_durable: facts.flag(5)? && facts.text(6)? == "1",
        };
        Ok(Opened {
            connection,
            packet_bytes: most.saturating_sub(HEADROOM).max(LEAST_PACKET),
            version,
            durability,
        })
    }

    async fn connect(&self) -> Result<MySqlConnection> {
        let mut options = self.options.clone();
        if let Some(Source(credentials)) = &self.credentials {
            let endpoint = Endpoint {
                host: options.get_host().to_owned(),
                port: options.get_port(),
                user: options.get_username().to_owned(),
            };
            let password = credentials.password(&endpoint).await.map_err(|error| {
                let context = "asking for a password";
                StoreError::new(StoreErrorKind::Unavailable, context).with_source(error)
            })?;
            options = options.password(&password);
        }
        let connected = MySqlConnection::connect_with(&options).await;
        let has_source = self.credentials.is_some();
        connected.map_err(|error| connecting(error, "connecting to the database", has_source))
    }

    fn session(&self) -> Script {
        let context = "setting a session up";
        let mut script = Script::default();
        script.work(context, |sql| {
            sql.raw("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
        });
        script.work(context, |sql| {
            sql.raw("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'");
        });
        // Whatever else a server may be set up with and a commit relies on.
        script.work(context, |sql| {
            sql.raw("SET SESSION autocommit = 1, completion_type = 0, sql_safe_updates = 0, ");
            sql.raw("sql_select_limit = DEFAULT");
        });
        let lock_secs = i64::try_from(self.lock_wait.as_secs()).unwrap_or(i64::MAX);
        script.work(context, |sql| {
            sql.raw("SET SESSION innodb_lock_wait_timeout = ");
            sql.int(lock_secs.clamp(1, 1_000_000));
        });
        // A change of schema under way keeps a table longer than a row is kept.
        script.work(context, |sql| {
            sql.raw("SET SESSION lock_wait_timeout = ");
            sql.int(lock_secs.clamp(1, 1_000_000).saturating_mul(5));
        });
        // A host that vanishes without an end of its connection keeps its locks until
        // the server misses it: for eight hours, unless it is told otherwise.
        let session_secs = i64::try_from(self.session_wait.as_secs()).unwrap_or(i64::MAX);
        script.work(context, |sql| {
            for (index, name) in VANISHED.into_iter().enumerate() {
                sql.raw(if index == 0 { "SET SESSION " } else { ", " });
                sql.raw(name).raw(" = ");
                sql.int(session_secs.clamp(1, 31_536_000));
            }
        });
        script.work(context, |sql| {
            sql.raw(FACTS);
        });
        script
    }
}

/// Whether the connection still answers.
pub(crate) async fn answers(connection: &mut MySqlConnection, wait: Duration) -> bool {
    let ping = tokio::time::timeout(wait, connection.ping()).await;
    matches!(ping, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_number_commits_out_of_order_are_refused() {
        for version in ["5.7.25-TiDB-v7.1.0", "8.0.11-TiDB-v8.5.1"] {
            let refused = check_version(version).unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Internal);
        }
        for version in [
            "8.0.36",
            "9.7.0",
            "10.11.8-MariaDB-ubu2404",
            "8.0.mysql_aurora.3.08.0",
        ] {
            check_version(version).unwrap();
        }
    }
}
