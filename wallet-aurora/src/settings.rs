use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::request::MAX_AHEAD;

use crate::Credentials;
use crate::connect::{Role, Target};
use crate::credentials::Source;
use crate::error::Result;

/// How an [`AuroraStore`](crate::AuroraStore) reaches and uses its database:
/// plain data.
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
    /// The database at `writer`, an address like
    /// `mysql://user:password@host:port/database`; of a cluster its writer
    /// endpoint. `?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path.pem` asks for TLS; by
    /// default it is used where the server offers it, and not verified.
    ///
    /// The schema is brought up to date on opening; up to 12 connections, 4 of them
    /// for commits alone; one second of waiting for a lock, 5 for an answer, 3 for a
    /// connection, so that a new writer is used within 5 seconds of being reachable.
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

    /// Where reads go that need not see the latest commit
    /// ([`AuroraStore::reading`](crate::AuroraStore::reading)): a cluster's reader
    /// endpoint. It may lag behind the writer; whatever decides anything never
    /// goes there.
    #[must_use]
    pub fn with_reader(mut self, reader: impl Into<String>) -> Self {
        self.reader = Some(reader.into());
        self
    }

    /// Asks for the password of every new connection instead of taking it from
    /// the address. Passwords that the server wants in clear text, as it does
    /// with IAM tokens, are sent over TLS only: with an `ssl-mode` of `REQUIRED`
    /// or stricter.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Arc<dyn Credentials>) -> Self {
        self.credentials = Some(Source(credentials));
        self
    }

    /// Whether opening brings the schema up to date (the default). A host that
    /// migrates in a step of its own says no and calls
    /// [`AuroraStore::migrate`](crate::AuroraStore::migrate) there.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// How far an account's time may run ahead of the store's clock in
    /// [`AuroraStore::apply_in`](crate::AuroraStore::apply_in); two seconds by default. The
    /// service has a setting of its own.
    #[must_use]
    pub const fn with_max_ahead(mut self, max_ahead: Duration) -> Self {
        self.max_ahead = max_ahead;
        self
    }

    /// How long to wait for a row that somebody else keeps locked; whole
    /// seconds, at least 1. Afterwards what can be had is locked, and requests
    /// that need the rest come out as blocked.
    #[must_use]
    pub const fn with_lock_wait(mut self, lock_wait: Duration) -> Self {
        self.lock_wait = lock_wait;
        self
    }

    /// How long the server may take for a commit, or for what is found by its key,
    /// before the connection is given up. Longer than the wait for a lock.
    #[must_use]
    pub const fn with_answer_wait(mut self, answer_wait: Duration) -> Self {
        self.answer_wait = answer_wait;
        self
    }

    /// The same for what goes through many rows (lists, verification, purges), and for
    /// [`AuroraStore::apply_in`](crate::AuroraStore::apply_in), which waits for locks
    /// as long as the host's session does. 60 seconds by default.
    #[must_use]
    pub const fn with_long_wait(mut self, long_wait: Duration) -> Self {
        self.long_wait = long_wait;
        self
    }

    /// The same for a change of the schema, and for whoever else changes it. One hour
    /// by default.
    #[must_use]
    pub const fn with_migration_wait(mut self, migration_wait: Duration) -> Self {
        self.migration_wait = migration_wait;
        self
    }

    /// How long to wait for a connection: a free one of those that are open, or
    /// a new one.
    #[must_use]
    pub const fn with_connect_wait(mut self, connect_wait: Duration) -> Self {
        self.connect_wait = connect_wait;
        self
    }

    /// How long a connection that rested may take for a sign of life. After one that
    /// gives none no connection is used that was opened before.
    #[must_use]
    pub const fn with_ping_wait(mut self, ping_wait: Duration) -> Self {
        self.ping_wait = ping_wait;
        self
    }

    /// After how long without a statement the server closes a connection and rolls
    /// back what was begun on it; whole seconds, at least 1. A host that vanishes
    /// without an end of its connections keeps locks for so long. A connection that
    /// rests for longer is replaced.
    #[must_use]
    pub const fn with_session_wait(mut self, session_wait: Duration) -> Self {
        self.session_wait = session_wait;
        self
    }

    /// How many connections there are at most, to the writer and to the reader
    /// each; at least 1.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How many of the connections to the writer are for commits and the relay alone,
    /// so that reads, however many and however slow, never keep a commit waiting for a
    /// connection; one is left for reads in any case. As many as there are committers,
    /// and one more for a relay.
    #[must_use]
    pub const fn with_reserved_connections(mut self, reserved: usize) -> Self {
        self.reserved = reserved;
        self
    }

    /// Of how many accounts the immutable part is remembered, 1,048,576 by
    /// default: those that were used lately, about 100 bytes each. A commit that
    /// needs others asks for them first, which is one more round trip.
    #[must_use]
    pub const fn with_remembered_accounts(mut self, accounts: usize) -> Self {
        self.remembered = accounts;
        self
    }

    /// After how long without use a connection is tried before it is used.
    #[must_use]
    pub const fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// After how long a connection is replaced by a new one, so that a
    /// cluster's changes of address are followed.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Whether the addresses make sense, without connecting: for a host that
    /// reads them long before it uses them.
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

/// Without the addresses: they hold passwords.
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
