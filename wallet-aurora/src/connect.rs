//! Opens a connection: checks the server, then sets up the session.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, MySqlConnection};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::credentials::{Credentials, Endpoint};
use crate::error::{Failed, Result, connecting};
use crate::run::Runner;
use crate::sql::Script;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Commits. The server must take writes.
    Writer,
    /// Reads only.
    Reader,
}

/// How to reach a server, and how to treat it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    options: MySqlConnectOptions,
    credentials: Option<Arc<dyn Credentials>>,
    pub(crate) role: Role,
    lock_wait: Duration,
    pub(crate) connect_wait: Duration,
    pub(crate) ping_wait: Duration,
    pub(crate) session_wait: Duration,
    answer_wait: Duration,
    long_wait: Duration,
    migration_wait: Duration,
}

/// An open connection and the facts that its server reported on opening.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: MySqlConnection,
    /// The longest packet that the server takes, in bytes.
    pub(crate) packet_bytes: usize,
    /// The server's version.
    pub(crate) version: String,
    /// Whether commits survive a crash of the server and its machine.
    pub(crate) durability: Durability,
}

/// Packets stay this many bytes below the server's limit.
const HEADROOM: usize = 4_096;
/// The packet limit in bytes that is assumed until the server has reported its own.
const LEAST_PACKET: usize = 16_384;

/// Variables of the session. They limit how long the server waits for the next statement,
/// for the rest of a statement, and for the client to read an answer.
const VANISHED: [&str; 3] = ["wait_timeout", "net_read_timeout", "net_write_timeout"];
const FACTS: &str = "
    SELECT @@read_only, @@innodb_read_only, @@max_allowed_packet, VERSION(),
           @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog";

/// Whether acknowledged commits survive a crash of the server or its machine. See
/// [`AuroraStore::durability`](crate::AuroraStore::durability).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durability {
    /// `innodb_flush_log_at_trx_commit` is 1: the server flushes its redo log to disk
    /// before it acknowledges a commit. Otherwise a crash loses the last commits.
    pub flushes_log: bool,
    /// There is no binary log, or `sync_binlog` is 1. Otherwise a crash may lose commits
    /// from the binary log. Replicas and restores then lack these commits.
    pub flushes_binary_log: bool,
    /// There is a binary log, and `sync_binlog` is 1. Otherwise other connections see a
    /// commit some milliseconds before it is on disk. A crash at that moment may take back
    /// what a balance or a statement showed. Answers to requests, outcomes and events wait
    /// for the disk in either case.
    pub shows_only_durable: bool,
}

impl Durability {
    /// Whether every acknowledged commit survives a crash.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.flushes_log && self.flushes_binary_log
    }
}

/// Refuses servers whose numbers do not ascend with commits. `TiDB` gives numbers that do
/// not ascend across its servers. The order of events would then differ from the order of
/// commits.
pub(crate) fn check_version(version: &str) -> Result<()> {
    if version.contains("TiDB") {
        let context = "TiDB is not supported: its AUTO_INCREMENT is not in the order of commits";
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    Ok(())
}

/// The kind of wait: how long the server may take for one packet of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A commit, or a read by key.
    Answer,
    /// Work on many rows: a list, a verification, a purge.
    Long,
    /// A change of schema.
    Migration,
}

impl crate::AuroraSettings {
    /// Checks the addresses and the settings, without connecting. A host calls it when it
    /// reads its settings long before it uses them.
    ///
    /// # Errors
    /// [`StoreError`](wallet_core::StoreError) of kind `Internal`.
    pub fn check(&self) -> Result<()> {
        Target::new(&self.writer, Role::Writer, self)?;
        if let Some(reader) = &self.reader {
            Target::new(reader, Role::Reader, self)?;
        }
        Ok(())
    }
}

impl Target {
    /// Checks the settings and parses the address.
    pub(crate) fn new(url: &str, role: Role, settings: &crate::AuroraSettings) -> Result<Self> {
        settings.validate()?;
        let options = MySqlConnectOptions::from_str(url).map_err(|error| {
            // The driver's error may contain the address and so the password.
            drop(error);
            StoreError::new(
                StoreErrorKind::Internal,
                "the database's address is not valid",
            )
        })?;
        // The function `session` below sets everything else up.
        let options = options
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .disable_statement_logging();
        // Sends the password in clear text, as IAM tokens require, over TLS only.
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
        if let Some(credentials) = &self.credentials {
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
        // Sets every option that a commit relies on, whatever the server's defaults are.
        script.work(context, |sql| {
            sql.raw("SET SESSION autocommit = 1, completion_type = 0, sql_safe_updates = 0, ");
            sql.raw("sql_select_limit = DEFAULT");
        });
        let lock_secs = i64::try_from(self.lock_wait.as_secs()).unwrap_or(i64::MAX);
        script.work(context, |sql| {
            sql.raw("SET SESSION innodb_lock_wait_timeout = ");
            sql.int(lock_secs);
        });
        // A change of schema locks a table for longer than a transaction locks a row.
        script.work(context, |sql| {
            sql.raw("SET SESSION lock_wait_timeout = ");
            sql.int(lock_secs.saturating_mul(5));
        });
        // A host may vanish without closing its connection. The server then holds the
        // host's locks until a timeout: eight hours, unless the session sets a shorter one.
        let session_secs = i64::try_from(self.session_wait.as_secs()).unwrap_or(i64::MAX);
        script.work(context, |sql| {
            for (index, name) in VANISHED.into_iter().enumerate() {
                sql.raw(if index == 0 { "SET SESSION " } else { ", " });
                sql.raw(name).raw(" = ");
                sql.int(session_secs);
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
