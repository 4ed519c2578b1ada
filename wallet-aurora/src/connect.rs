//! Opening a connection: how it is set up, and what the server must be.

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, MySqlConnection};
use wallet_core::{StoreError, StoreErrorKind};

use crate::credentials::{Endpoint, Source};
use crate::error::{Result, connecting};
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
    role: Role,
    lock_wait: Duration,
    pub(crate) connect_wait: Duration,
    pub(crate) answer_wait: Duration,
}

/// An open connection and what its server told.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: MySqlConnection,
    /// The longest packet that it takes, in bytes.
    pub(crate) packet_bytes: usize,
}

/// Packets are kept a little below what the server takes.
const HEADROOM: usize = 4_096;
/// What is asked for before the server has said what it takes.
const LEAST_PACKET: usize = 16_384;

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
            answer_wait: settings.answer_wait,
        })
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
        };
        let script = self.session();
        let mut answers = runner.run(&script).await?;
        answers.skip(script.steps.len().saturating_sub(1));
        let facts = answers.row()?;
        let is_read_only = facts.flag(0)? || facts.flag(1)?;
        if self.role == Role::Writer && is_read_only {
            // After a failover the old writer still answers for a while.
            let context = "the server is read-only";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context));
        }
        let most: usize = facts.number(2)?;
        Ok(Opened {
            connection,
            packet_bytes: most.saturating_sub(HEADROOM).max(LEAST_PACKET),
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
        connected.map_err(|error| connecting(error, "connecting to the database"))
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
        script.work(context, |sql| {
            sql.raw("SELECT @@read_only, @@innodb_read_only, @@max_allowed_packet");
        });
        script
    }
}

/// Whether the connection still answers.
pub(crate) async fn answers(connection: &mut MySqlConnection, wait: Duration) -> bool {
    let ping = tokio::time::timeout(wait, connection.ping()).await;
    matches!(ping, Ok(Ok(())))
}
