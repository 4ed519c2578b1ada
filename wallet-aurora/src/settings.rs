//! The settings of the store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::request::MAX_AHEAD;

use crate::Credentials;
use crate::credentials::Source;

/// The settings of an [`AuroraStore`](crate::AuroraStore): how it reaches and uses its
/// database. Plain data.
///
/// ```
/// use std::time::Duration;
/// use wallet_aurora::AuroraSettings;
/// let settings = AuroraSettings::new("mysql://shop:secret@writer.example:3306/shop")
///     .with_reader("mysql://shop:secret@reader.example:3306/shop")
///     .with_lock_wait(Duration::from_secs(2));
/// assert!(!format!("{settings:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AuroraSettings {
    pub(crate) writer: String,
    pub(crate) reader: Option<String>,
    pub(crate) migrate: bool,
    pub(crate) lock_wait: Duration,
    pub(crate) answer_wait: Duration,
    pub(crate) long_wait: Duration,
    pub(crate) migration_wait: Duration,
    pub(crate) connect_wait: Duration,
    pub(crate) ping_wait: Duration,
    pub(crate) session_wait: Duration,
    pub(crate) connections: usize,
    pub(crate) reserved: usize,
    pub(crate) idle: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) remembered: usize,
    pub(crate) max_ahead: Duration,
    pub(crate) credentials: Option<Source>,
}

impl AuroraSettings {
    /// Settings for the database at `writer`, an address like
    /// `mysql://user:password@host:port/database`. For a cluster, use its writer endpoint.
    /// `?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path.pem` requires TLS. By default TLS is used if
    /// the server offers it, and the certificate is not verified.
    ///
    /// Opening brings the schema up to date. There are up to 12 connections, 4 of them
    /// reserved for commits. The waits are one second for a lock, 5 for an answer and 3 for
    /// a connection. So a new writer is used within 5 seconds after it can be reached.
    #[must_use]
    pub fn new(writer: impl Into<String>) -> Self {
        Self {
            writer: writer.into(),
            reader: None,
            migrate: true,
            lock_wait: Duration::from_secs(1),
            answer_wait: Duration::from_secs(5),
            long_wait: Duration::from_secs(60),
            migration_wait: Duration::from_secs(3_600),
            connect_wait: Duration::from_secs(3),
            ping_wait: Duration::from_secs(1),
            session_wait: Duration::from_secs(15),
            connections: 12,
            reserved: 4,
            idle: Duration::from_secs(5),
            lifetime: Duration::from_secs(1_800),
            remembered: 1 << 20,
            max_ahead: MAX_AHEAD,
            credentials: None,
        }
    }

    /// Sets the server for reads that need not see the latest commit
    /// ([`AuroraStore::reading`](crate::AuroraStore::reading)): a cluster's reader
    /// endpoint. It may lag behind the writer. Reads for a decision never go there.
    #[must_use]
    pub fn with_reader(mut self, reader: impl Into<String>) -> Self {
        self.reader = Some(reader.into());
        self
    }

    /// Asks `Credentials` for the password of every new connection instead of taking it
    /// from the address. A server may want the password in clear text, as with IAM tokens.
    /// It is then sent over TLS only: with an `ssl-mode` of `REQUIRED` or stricter.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Arc<dyn Credentials>) -> Self {
        self.credentials = Some(Source(credentials));
        self
    }

    /// Whether opening brings the schema up to date (the default). A host that migrates in
    /// its own step passes `false` and calls
    /// [`AuroraStore::migrate`](crate::AuroraStore::migrate) there.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// How far an account's time may run ahead of the store's clock in
    /// [`AuroraStore::apply_in`](crate::AuroraStore::apply_in). Two seconds by default. The
    /// service has its own setting.
    #[must_use]
    pub const fn with_max_ahead(mut self, max_ahead: Duration) -> Self {
        self.max_ahead = max_ahead;
        self
    }

    /// How long to wait for a row lock that another transaction holds: whole seconds, at
    /// least 1. Afterwards the store locks what is free. Requests that need the rest come
    /// out as blocked.
    #[must_use]
    pub const fn with_lock_wait(mut self, lock_wait: Duration) -> Self {
        self.lock_wait = lock_wait;
        self
    }

    /// How long the server may take for a commit or a read by key. Afterwards the store
    /// gives the connection up. It must be longer than the wait for a lock.
    #[must_use]
    pub const fn with_answer_wait(mut self, answer_wait: Duration) -> Self {
        self.answer_wait = answer_wait;
        self
    }

    /// How long the server may take for work on many rows (lists, verification, purges). It
    /// also limits [`AuroraStore::apply_in`](crate::AuroraStore::apply_in), which waits for
    /// locks as long as the host's session does. 60 seconds by default.
    #[must_use]
    pub const fn with_long_wait(mut self, long_wait: Duration) -> Self {
        self.long_wait = long_wait;
        self
    }

    /// How long the server may take for a change of the schema, including the wait for a
    /// concurrent change. One hour by default.
    #[must_use]
    pub const fn with_migration_wait(mut self, migration_wait: Duration) -> Self {
        self.migration_wait = migration_wait;
        self
    }

    /// How long to wait for a connection: a free one of the pool, or a new one.
    #[must_use]
    pub const fn with_connect_wait(mut self, connect_wait: Duration) -> Self {
        self.connect_wait = connect_wait;
        self
    }

    /// How long the test of an idle connection may take. After a test fails, no connection
    /// is used that was opened before.
    #[must_use]
    pub const fn with_ping_wait(mut self, ping_wait: Duration) -> Self {
        self.ping_wait = ping_wait;
        self
    }

    /// The session timeout: whole seconds, at least 1. The server closes a connection
    /// without a statement for that long and rolls its transaction back. A host that
    /// vanishes without closing its connections keeps its locks for that long. A connection
    /// that is idle for longer is replaced.
    #[must_use]
    pub const fn with_session_wait(mut self, session_wait: Duration) -> Self {
        self.session_wait = session_wait;
        self
    }

    /// The size of the connection pool, for the writer and for the reader each. At least 1.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How many connections to the writer are reserved for commits and the relay. Reads,
    /// however many and slow, then never make a commit wait for a connection. At least one
    /// connection is left for reads. Set it to the number of committers, plus one for a
    /// relay.
    #[must_use]
    pub const fn with_reserved_connections(mut self, reserved: usize) -> Self {
        self.reserved = reserved;
        self
    }

    /// For how many accounts the immutable part is cached: 1,048,576 by default, about 100
    /// bytes each. The cache holds the accounts that were used last. A commit that needs
    /// others reads them first, which costs one more round trip.
    #[must_use]
    pub const fn with_remembered_accounts(mut self, accounts: usize) -> Self {
        self.remembered = accounts;
        self
    }

    /// How long a connection may be idle before it is tested on use.
    #[must_use]
    pub const fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// How long a connection lives before it is replaced. New connections follow a
    /// cluster's changes of address.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }
}

/// Leaves the addresses out, because they contain passwords.
impl fmt::Debug for AuroraSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuroraSettings")
            .field("has_reader", &self.reader.is_some())
            .field("migrate", &self.migrate)
            .field("credentials", &self.credentials)
            .field("lock_wait", &self.lock_wait)
            .field("answer_wait", &self.answer_wait)
            .field("long_wait", &self.long_wait)
            .field("migration_wait", &self.migration_wait)
            .field("connect_wait", &self.connect_wait)
            .field("ping_wait", &self.ping_wait)
            .field("session_wait", &self.session_wait)
            .field("connections", &self.connections)
            .field("reserved", &self.reserved)
            .field("idle", &self.idle)
            .field("lifetime", &self.lifetime)
            .field("remembered", &self.remembered)
            .field("max_ahead", &self.max_ahead)
            .finish_non_exhaustive()
    }
}
