use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::MAX_AHEAD;

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
    pub(crate) connect_wait: Duration,
    pub(crate) connections: usize,
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
    /// The schema is brought up to date on opening; up to 8 connections; one
    /// second of waiting for a lock, 30 for an answer, 10 for a connection.
    #[must_use]
    pub fn new(writer: impl Into<String>) -> Self {
        Self {
            writer: writer.into(),
            reader: None,
            migrate: true,
            lock_wait: Duration::from_secs(1),
            answer_wait: Duration::from_secs(30),
            connect_wait: Duration::from_secs(10),
            connections: 8,
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

    /// How long the server may take for one packet of statements before its
    /// connection is given up. Longer than the wait for a lock.
    #[must_use]
    pub const fn with_answer_wait(mut self, answer_wait: Duration) -> Self {
        self.answer_wait = answer_wait;
        self
    }

    /// How long to wait for a connection: a free one of those that are open, or
    /// a new one.
    #[must_use]
    pub const fn with_connect_wait(mut self, connect_wait: Duration) -> Self {
        self.connect_wait = connect_wait;
        self
    }

    /// How many connections there are at most, to the writer and to the reader
    /// each; at least 1.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
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
            .field("connect_wait", &self.connect_wait)
            .field("connections", &self.connections)
            .field("idle", &self.idle)
            .field("lifetime", &self.lifetime)
            .field("remembered", &self.remembered)
            .field("max_ahead", &self.max_ahead)
            .finish_non_exhaustive()
    }
}
