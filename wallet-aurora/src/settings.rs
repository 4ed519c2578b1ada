//! The settings of the store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::request::MAX_AHEAD;
use wallet_core::store::StoreErrorKind;

use crate::Credentials;

/// The longest wait for a row lock, in seconds.
const LOCK_SECS_MAX: u64 = 1_000_000;
/// The longest session timeout that a server takes, in seconds.
const SESSION_SECS_MAX: u64 = 31_536_000;

/// The settings of an [`AuroraStore`](crate::AuroraStore): how it reaches and uses its
/// database. Plain data.
///
/// ```
/// use std::time::Duration;
/// use wallet_aurora::AuroraSettings;
/// let mut settings = AuroraSettings::new("mysql://shop:secret@writer.example:3306/shop");
/// settings.reader = Some("mysql://shop:secret@reader.example:3306/shop".to_owned());
/// settings.lock_wait = Duration::from_secs(2);
/// assert!(settings.check().is_ok());
/// assert!(!format!("{settings:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct AuroraSettings {
    /// The address of the server for commits and decisions, like
    /// `mysql://user:password@host:port/database`. For a cluster, use its writer endpoint.
    /// `?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path.pem` requires TLS. By default TLS is used if
    /// the server offers it, and the certificate is not verified.
    pub writer: String,
    /// The address of the server for reads that need not see the latest commit
    /// ([`AuroraStore::reading`](crate::AuroraStore::reading)): a cluster's reader
    /// endpoint. It may lag behind the writer. Reads for a decision never go there. Without
    /// it, the default, the store reads from the writer.
    pub reader: Option<String>,
    /// The source of the password of every new connection, in place of the one in the
    /// address. A server may want the password in clear text, as with IAM tokens. It is then
    /// sent over TLS only: with an `ssl-mode` of `REQUIRED` or stricter. `None` by default.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// Whether opening brings the schema up to date. `true` by default. A host that migrates
    /// in its own step sets `false` and calls
    /// [`AuroraStore::migrate`](crate::AuroraStore::migrate) there.
    pub migrate: bool,
    /// How long to wait for a row lock that another transaction holds: whole seconds, from 1
    /// to 1,000,000. Afterwards the store locks what is free. Requests that need the rest
    /// come out as blocked. 1 s by default.
    pub lock_wait: Duration,
    /// How long the server may take for a commit or a read by key. Afterwards the store
    /// gives the connection up. It must be longer than the wait for a lock. 5 s by default.
    pub answer_wait: Duration,
    /// How long the server may take for work on many rows (lists, verification, purges). It
    /// also limits each statement in a transaction of a host, and
    /// [`AuroraStore::apply_in`](crate::AuroraStore::apply_in), which waits for locks as long
    /// as the host's session does. 60 s by default.
    pub long_wait: Duration,
    /// How long the server may take for a change of the schema, including the wait for a
    /// concurrent change. One hour by default.
    pub migration_wait: Duration,
    /// How long to wait for a connection: a free one of the pool, or a new one. 3 s by
    /// default.
    pub connect_wait: Duration,
    /// How long the test of an idle connection may take. After a test fails, no connection
    /// is used that was opened before. 1 s by default.
    pub ping_wait: Duration,
    /// The session timeout: whole seconds, from 1 to 31,536,000 (a year). The server closes
    /// a connection without a statement for that long and rolls its transaction back. A host
    /// that vanishes without closing its connections keeps its locks for that long. A
    /// connection that is idle for longer is replaced. 15 s by default.
    pub session_wait: Duration,
    /// The size of the connection pool, for the writer and for the reader each: at least 1.
    /// 12 by default.
    pub connections: usize,
    /// How many connections to the writer are reserved for commits and the relay. Reads and
    /// transactions of hosts, however many and slow, then never make a commit wait for a
    /// connection. At least one connection is left for them, whatever the number is. Set it to
    /// the number of committers, plus one for a relay. 4 by default.
    pub reserved_connections: usize,
    /// For about how many accounts the immutable part is cached: 1,048,576 by default, about
    /// 100 bytes each. The cache holds the accounts that were used last. A commit that needs
    /// others reads them first, which costs one more round trip.
    pub remembered_accounts: usize,
    /// How long a connection may be idle before it is tested on use. 5 s by default.
    pub idle: Duration,
    /// How long a connection lives before it is replaced. New connections follow a
    /// cluster's changes of address. 30 minutes by default.
    pub lifetime: Duration,
    /// How far an account's time may run ahead of the store's clock in
    /// [`AuroraStore::apply_in`](crate::AuroraStore::apply_in). 2 s by default. The service
    /// has its own setting.
    pub max_ahead: Duration,
}

impl AuroraSettings {
    /// The defaults for the database at `writer`, an address like
    /// `mysql://user:password@host:port/database`.
    ///
    /// Opening brings the schema up to date. With the default waits, a new writer is used
    /// within 5 seconds after it can be reached.
    #[must_use]
    pub fn new(writer: impl Into<String>) -> Self {
        Self {
            writer: writer.into(),
            reader: None,
            credentials: None,
            migrate: true,
            lock_wait: Duration::from_secs(1),
            answer_wait: Duration::from_secs(5),
            long_wait: Duration::from_secs(60),
            migration_wait: Duration::from_secs(3_600),
            connect_wait: Duration::from_secs(3),
            ping_wait: Duration::from_secs(1),
            session_wait: Duration::from_secs(15),
            connections: 12,
            reserved_connections: 4,
            remembered_accounts: 1 << 20,
            idle: Duration::from_secs(5),
            lifetime: Duration::from_secs(1_800),
            max_ahead: MAX_AHEAD,
        }
    }

    /// Refuses settings with which the store could not work. The addresses are checked
    /// elsewhere.
    pub(crate) fn validate(&self) -> Result<(), StoreError> {
        let is_timeout = |wait: Duration, most: u64| {
            wait.subsec_nanos() == 0 && (1..=most).contains(&wait.as_secs())
        };
        let problems = [
            (
                self.connections == 0,
                "the setting `connections` must be at least 1",
            ),
            (
                !is_timeout(self.lock_wait, LOCK_SECS_MAX),
                "the setting `lock_wait` must be whole seconds, from 1 to 1,000,000",
            ),
            (
                !is_timeout(self.session_wait, SESSION_SECS_MAX),
                "the setting `session_wait` must be whole seconds, from 1 to 31,536,000",
            ),
        ];
        let found = problems.iter().find(|(is_problem, _)| *is_problem);
        found.map_or(Ok(()), |(_, problem)| {
            Err(StoreError::new(StoreErrorKind::Internal, *problem))
        })
    }
}

/// Credentials are equal only to themselves.
impl PartialEq for AuroraSettings {
    fn eq(&self, other: &Self) -> bool {
        // Names every field, so that a new one is not forgotten.
        let Self {
            writer,
            reader,
            credentials,
            migrate,
            lock_wait,
            answer_wait,
            long_wait,
            migration_wait,
            connect_wait,
            ping_wait,
            session_wait,
            connections,
            reserved_connections,
            remembered_accounts,
            idle,
            lifetime,
            max_ahead,
        } = self;
        let same_credentials = match (credentials, &other.credentials) {
            (None, None) => true,
            (Some(one), Some(another)) => Arc::ptr_eq(one, another),
            (None, Some(_)) | (Some(_), None) => false,
        };
        same_credentials
            && *writer == other.writer
            && *reader == other.reader
            && *migrate == other.migrate
            && *lock_wait == other.lock_wait
            && *answer_wait == other.answer_wait
            && *long_wait == other.long_wait
            && *migration_wait == other.migration_wait
            && *connect_wait == other.connect_wait
            && *ping_wait == other.ping_wait
            && *session_wait == other.session_wait
            && *connections == other.connections
            && *reserved_connections == other.reserved_connections
            && *remembered_accounts == other.remembered_accounts
            && *idle == other.idle
            && *lifetime == other.lifetime
            && *max_ahead == other.max_ahead
    }
}

impl Eq for AuroraSettings {}

/// Leaves the addresses out, because they contain passwords.
impl fmt::Debug for AuroraSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuroraSettings")
            .field("has_reader", &self.reader.is_some())
            .field("credentials", &self.credentials)
            .field("migrate", &self.migrate)
            .field("lock_wait", &self.lock_wait)
            .field("answer_wait", &self.answer_wait)
            .field("long_wait", &self.long_wait)
            .field("migration_wait", &self.migration_wait)
            .field("connect_wait", &self.connect_wait)
            .field("ping_wait", &self.ping_wait)
            .field("session_wait", &self.session_wait)
            .field("connections", &self.connections)
            .field("reserved_connections", &self.reserved_connections)
            .field("remembered_accounts", &self.remembered_accounts)
            .field("idle", &self.idle)
            .field("lifetime", &self.lifetime)
            .field("max_ahead", &self.max_ahead)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::Endpoint;

    const ADDRESS: &str = "mysql://shop:secret@localhost/shop";

    #[derive(Debug)]
    struct Fixed;

    #[async_trait::async_trait]
    impl Credentials for Fixed {
        async fn password(&self, _: &Endpoint) -> Result<String, Box<dyn Error + Send + Sync>> {
            Ok("fixed".to_owned())
        }
    }

    fn with(change: fn(&mut AuroraSettings)) -> AuroraSettings {
        let mut settings = AuroraSettings::new(ADDRESS);
        change(&mut settings);
        settings
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let refused = |name: &str, change: fn(&mut AuroraSettings)| {
            let error = with(change).check().unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Internal);
            let named = format!("`{name}`");
            assert!(error.to_string().contains(&named), "{error}");
        };
        refused("connections", |s| s.connections = 0);
        refused("lock_wait", |s| s.lock_wait = Duration::ZERO);
        refused("lock_wait", |s| s.lock_wait = Duration::from_millis(1_500));
        refused("lock_wait", |s| {
            s.lock_wait = Duration::from_secs(1_000_001);
        });
        refused("session_wait", |s| s.session_wait = Duration::ZERO);
        refused("session_wait", |s| {
            s.session_wait = Duration::from_millis(1_500);
        });
        refused("session_wait", |s| {
            s.session_wait = Duration::from_secs(31_536_001);
        });
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        let least = with(|s| {
            s.connections = 1;
            s.lock_wait = Duration::from_secs(1);
            s.session_wait = Duration::from_secs(1);
        });
        least.check().unwrap();
        let most = with(|s| {
            s.lock_wait = Duration::from_secs(1_000_000);
            s.session_wait = Duration::from_secs(31_536_000);
        });
        most.check().unwrap();
    }

    #[test]
    fn settings_are_equal_if_every_field_is() {
        assert_eq!(with(|_| ()), AuroraSettings::new(ADDRESS));
        assert_ne!(
            with(|s| s.idle = Duration::from_secs(6)),
            AuroraSettings::new(ADDRESS)
        );
        let one = with(|s| s.credentials = Some(Arc::new(Fixed)));
        assert_eq!(one, one.clone());
        assert_ne!(one, AuroraSettings::new(ADDRESS));
        assert_ne!(one, with(|s| s.credentials = Some(Arc::new(Fixed))));
    }
}
