//! Opens the connection pools of an [`AuroraStore`], migrates its database, and sets how
//! fresh its reads are.

mod ledger;
mod reading;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::ledger::{Freshness, PastBalance};
use wallet_core::runtime::Clock;
use wallet_core::store::{Limits, StoreErrorKind};

use crate::claimed::Claimed;
use crate::clock::Time;
use crate::connect::Wait;
use crate::connect::{Durability, Role, Target, check_version};
use crate::error::Result;
use crate::migrate;
use crate::past_balance::{self, Question, Settlements};
use crate::pool::{Pool, Purpose};
use crate::read::Numbers;
use crate::settings::AuroraSettings;
use crate::sql::Script;

/// The most that one transaction may contain, if the server takes it.
const MOST: Limits = Limits {
    requests: 2_000,
    rows: 60_000,
    bytes: 16 << 20,
};

/// The most tries of a dry run while other transactions open accounts.
const TRIES: usize = 5;

/// The books and their outbox in one database of Aurora MySQL, MySQL or MariaDB.
///
/// Any number of stores, in this process or in others, may use the same database. The host
/// and the store may share it too. The store needs tokio with its I/O and time drivers.
#[derive(Debug)]
pub struct AuroraStore {
    pub(crate) time: Time,
    /// How long a packet may take in a host's transaction.
    pub(crate) host_wait: Duration,
    durability: Durability,
    /// The version of the writer when the store was opened.
    pub(crate) version: Arc<str>,
    /// How far time may run ahead for requests inside a host's transaction.
    pub(crate) max_ahead: Duration,
    /// The identity of these books.
    pub(crate) identity: [u8; 16],
    pub(crate) limits: Limits,
    pub(crate) packet_bytes: usize,
    pub(crate) writer: Arc<Pool>,
    reader: Arc<Pool>,
    freshness: Freshness,
    /// The accounts that were read outside of a commit.
    numbers: Arc<Mutex<Numbers>>,
    /// The claimed outbox rows in flight.
    pub(crate) claimed: Arc<Claimed>,
    /// Questions about the recent past that wait for an answer.
    settlements: Arc<Settlements>,
}

impl AuroraStore {
    /// Connects, and brings the schema up to date unless the settings disable it.
    ///
    /// # Errors
    /// - `Internal`: a setting, the address or the schema is not valid, access is denied,
    ///   or the schema is newer than this release or (without migrating) older.
    /// - `Unavailable`: the server cannot be reached, or is read-only.
    pub async fn open(settings: &AuroraSettings) -> Result<Self> {
        Self::open_at(settings, Time::Database).await
    }

    /// Like [`AuroraStore::open`], with another clock than the database's. Tests use it to
    /// control the time. Every user of the database must share the clock.
    ///
    /// # Errors
    /// As [`AuroraStore::open`].
    pub async fn open_with_clock(settings: &AuroraSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_at(settings, Time::Clock(clock)).await
    }

    async fn open_at(settings: &AuroraSettings, time: Time) -> Result<Self> {
        let target = Target::new(&settings.writer, Role::Writer, settings)?;
        let writer = Pool::new(target, settings);
        let reader = match &settings.reader {
            None => Arc::clone(&writer),
            Some(url) => Pool::new(Target::new(url, Role::Reader, settings)?, settings),
        };
        let connection = writer.acquire(Purpose::Commit).await?;
        let mut connection = connection.for_a(Wait::Migration);
        let unknown = || StoreError::new(StoreErrorKind::Internal, "a connection was given back");
        let opened = connection.opened().ok_or_else(unknown)?;
        check_version(&opened.version)?;
        let (packet_bytes, durability) = (opened.packet_bytes, opened.durability);
        let version = Arc::from(opened.version.as_str());
        if settings.migrate {
            migrate::run(&mut connection).await?;
        }
        migrate::check(&mut connection).await?;
        let script = Script::of("reading the books' identity", IDENTITY);
        let identity = connection.run(&script).await?.row()?.array(0)?;
        connection.give_back();
        Ok(Self {
            time,
            host_wait: settings.long_wait,
            durability,
            version,
            max_ahead: settings.max_ahead,
            identity,
            limits: limits(packet_bytes),
            packet_bytes,
            writer,
            reader,
            freshness: Freshness::Strong,
            numbers: Arc::new(Mutex::new(Numbers::new(settings.remembered_accounts))),
            claimed: Arc::default(),
            settlements: Arc::default(),
        })
    }

    /// Whether the writer keeps acknowledged commits when it crashes. The answer reflects
    /// the server's settings when the store was opened. If it does not, a crash silently
    /// takes back the last acknowledged commits. Log a warning at start.
    #[must_use]
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// The same store with the given freshness for its reads. It is a choice for each call,
    /// at no cost. By default a store reads from the writer. Reads for a decision always go
    /// to the writer.
    ///
    /// ```no_run
    /// use wallet_aurora::AuroraStore;
    /// use wallet_core::{EntryQuery, StoreError};
    /// use wallet_core::ledger::{AccountKey, Freshness, Position};
    /// use wallet_core::store::LedgerStore;
    ///
    /// # async fn statement(
    /// #     store: &AuroraStore, account: AccountKey, seen: Position,
    /// # ) -> Result<(), StoreError> {
    /// let own = Freshness::AtLeast(vec![(account, seen)]);
    /// let page = store.reading(own).entries(&EntryQuery::first(account, 50)).await?;
    /// # drop(page);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn reading(&self, freshness: Freshness) -> Self {
        Self {
            time: self.time.clone(),
            host_wait: self.host_wait,
            durability: self.durability,
            version: Arc::clone(&self.version),
            max_ahead: self.max_ahead,
            identity: self.identity,
            limits: self.limits,
            packet_bytes: self.packet_bytes,
            writer: Arc::clone(&self.writer),
            reader: Arc::clone(&self.reader),
            freshness,
            numbers: Arc::clone(&self.numbers),
            claimed: Arc::clone(&self.claimed),
            settlements: Arc::clone(&self.settlements),
        }
    }

    /// Answers a question about the recent past, together with all other waiting ones.
    async fn settled(&self, question: Question) -> Result<Option<PastBalance>> {
        for _ in 0..TRIES {
            let answered = self.settlements.add(question);
            let mut connection = self.writer.acquire(Purpose::Read).await?;
            let taken = self.settlements.take();
            if taken.is_empty() {
                connection.give_back();
            } else {
                let settled = past_balance::settle(&mut connection, &self.time, taken).await;
                // The caller has its answer already.
                let _ = connection.end(settled).await;
            }
            // The task that took the question may have been dropped before it answered.
            if let Ok(settled) = answered.await {
                return settled;
            }
        }
        let context = "whoever was to settle a past balance was given up";
        Err(StoreError::new(StoreErrorKind::Unavailable, context))
    }

    /// The numbers of the accounts that were locked when they were last read.
    pub(crate) fn left_out(&self, most: usize) -> Vec<i64> {
        let numbers = self.numbers.lock();
        numbers
            .unwrap_or_else(PoisonError::into_inner)
            .left_out(most)
    }

    /// Brings the schema of the database up to date without opening a store. A deployment
    /// that migrates in its own step calls it.
    ///
    /// # Errors
    /// As [`AuroraStore::open`].
    pub async fn migrate(settings: &AuroraSettings) -> Result<()> {
        let target = Target::new(&settings.writer, Role::Writer, settings)?;
        let connection = Pool::new(target, settings).acquire(Purpose::Commit).await?;
        let mut connection = connection.for_a(Wait::Migration);
        let opened = connection
            .opened()
            .map(|opened| check_version(&opened.version));
        opened.transpose()?;
        migrate::run(&mut connection).await?;
        Ok(())
    }
}

const IDENTITY: &str = "SELECT id FROM wallet_identity";

/// The limits of a batch that fits into a packet. Each byte is sent as two hexadecimal
/// digits.
fn limits(packet_bytes: usize) -> Limits {
    let bytes = packet_bytes.saturating_div(2).saturating_sub(1_024);
    Limits {
        bytes: bytes.min(MOST.bytes),
        ..MOST
    }
}
