//! Books that a URL names.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::cache::BalanceCache;
use wallet_core::history::HistoryStore;
use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Clock;
use wallet_core::service::Transaction;
use wallet_core::store::{
    CommitSignal, HostTransactions, LedgerStore, Outbox, SqlRow, SqlValue, StoreError,
    StoreErrorKind,
};
use wallet_core::{Settings, SystemClock, Wallet, WalletError};

use crate::url::{StoreUrl, parse};

/// The longest wait of a call that submits, unless the settings say otherwise.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A store with everything that books need.
trait Store: LedgerStore + Outbox + HostTransactions {}

impl<T: LedgerStore + Outbox + HostTransactions> Store for T {}

/// Books on the store that a URL names: a [`Wallet`], and transactions on the host's own
/// tables. It is cheap to clone. Use one per store and process.
///
/// See the [crate's front page](crate) for an example.
#[derive(Debug, Clone)]
pub struct Books {
    wallet: Wallet,
    store: Arc<dyn Store>,
}

impl Books {
    /// Opens the books of a URL, creates them if they do not exist, and starts the service on
    /// the current tokio runtime:
    ///
    /// | URL | store | feature |
    /// |---|---|---|
    /// | `sqlite:PATH` | a SQLite file | `sqlite` |
    /// | `mysql://USER:PASSWORD@HOST/DATABASE` | MySQL, MariaDB, Aurora MySQL | `mysql` |
    /// | `memory:` | for tests; nothing survives the process, and a host has no tables | |
    ///
    /// # Errors
    /// [`WalletError::Store`]: `Invalid` for a URL that names no store, or whose feature is
    /// off; otherwise the errors of the store.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub async fn open(url: &str) -> Result<Self, WalletError> {
        Self::builder(url).open().await
    }

    /// Starts a builder of the books of a URL.
    #[must_use]
    pub fn builder(url: &str) -> BooksBuilder {
        BooksBuilder::of(Source::Url(url.to_owned()))
    }

    /// Starts a builder of books on a store that the host has opened itself, with settings
    /// that a URL does not have. The service has the default settings, unless the builder is
    /// given others: a database server needs
    /// [`Settings::for_server`](wallet_core::Settings::for_server).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use wallet::core::SystemClock;
    /// use wallet::core::memory::MemoryStore;
    /// use wallet::prelude::*;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), WalletError> {
    /// let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    /// let books = Books::on(store).open().await?;
    /// let open = OpenAccount::new("ada".parse()?, Currency::iso("EUR")?);
    /// assert!(books.ensure_account(open).await?.is_new);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on<S>(store: Arc<S>) -> BooksBuilder
    where
        S: LedgerStore + Outbox + HostTransactions,
    {
        BooksBuilder::of(Source::Store(store))
    }

    /// Runs `work` in a transaction on the host's tables and the books: see
    /// [`Wallet::in_transaction`].
    ///
    /// On MySQL each open transaction uses a connection, and a read through the books inside of
    /// it another one.
    ///
    /// # Errors
    /// The same as [`Wallet::in_transaction`].
    pub async fn in_transaction<T, E, F>(&self, work: impl FnMut(Transaction) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<WalletError>,
    {
        self.wallet.in_transaction(&*self.store, work).await
    }

    /// Runs a query on the host's tables, in a transaction of its own, and returns all rows.
    /// Inside [`in_transaction`](Self::in_transaction) it is refused: use the transaction.
    /// On SQLite it waits for the write lock: a host that reads much uses a connection of its
    /// own.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn query(&self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, WalletError> {
        self.in_transaction(|tx| async move { tx.query(sql, values).await })
            .await
    }

    /// Runs one statement on the host's tables, in a transaction of its own, and returns the
    /// number of changed rows.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn execute(&self, sql: &str, values: &[SqlValue]) -> Result<u64, WalletError> {
        self.in_transaction(|tx| async move { tx.execute(sql, values).await })
            .await
    }

    /// Creates tables of the host, each statement by itself. MySQL commits such a statement at
    /// once, so it belongs in no transaction.
    ///
    /// # Errors
    /// [`WalletError::Statement`] for a statement that the database refuses; the statements
    /// before it are done.
    pub async fn create_tables(&self, statements: &[&str]) -> Result<(), WalletError> {
        for sql in statements {
            self.wallet.run_alone(&*self.store, sql).await?;
        }
        Ok(())
    }

    /// The service.
    #[must_use]
    pub const fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The outbox of the store, for a relay.
    #[must_use]
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::<dyn Store>::clone(&self.store)
    }
}

impl Deref for Books {
    type Target = Wallet;

    fn deref(&self) -> &Wallet {
        &self.wallet
    }
}

/// Builds [`Books`]. The options are the same for every store.
#[derive(Debug)]
pub struct BooksBuilder {
    source: Source,
    clock: Arc<dyn Clock>,
    settings: Option<Settings>,
    adopt: bool,
    signal: CommitSignal,
    cache: Option<Arc<dyn BalanceCache>>,
    history: Option<Arc<dyn HistoryStore>>,
}

/// Where the store comes from.
#[derive(Debug)]
enum Source {
    Url(String),
    Store(Arc<dyn Store>),
}

impl BooksBuilder {
    fn of(source: Source) -> Self {
        Self {
            source,
            clock: Arc::new(SystemClock),
            settings: None,
            adopt: false,
            signal: CommitSignal::default(),
            cache: None,
            history: None,
        }
    }

    /// The clock of the service, and of a store that the URL opens in memory or in a file.
    /// By default it is the machine's. A server's store has the server's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The settings of the service. By default they suit the store, and a call that submits
    /// waits for at most 30 seconds.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Whether a SQLite file that already holds tables of the host may become the ledger's
    /// too. By default it is refused, so that a wrong path is an error. The other stores
    /// accept such a database.
    #[must_use]
    pub const fn adopt(mut self, adopt: bool) -> Self {
        self.adopt = adopt;
        self
    }

    /// The signal that is notified of every commit. A relay that watches it need not poll.
    #[must_use]
    pub fn signal(mut self, signal: CommitSignal) -> Self {
        self.signal = signal;
        self
    }

    /// The balance cache: see
    /// [`WalletBuilder::cache`](wallet_core::service::WalletBuilder::cache).
    #[must_use]
    pub fn cache(mut self, cache: Arc<dyn BalanceCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The history store: see
    /// [`WalletBuilder::history`](wallet_core::service::WalletBuilder::history).
    #[must_use]
    pub fn history(mut self, history: Arc<dyn HistoryStore>) -> Self {
        self.history = Some(history);
        self
    }

    /// Opens the books: see [`Books::open`].
    ///
    /// # Errors
    /// The same as [`Books::open`].
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub async fn open(self) -> Result<Books, WalletError> {
        let (store, suggested) = match self.source {
            Source::Url(url) => open(&url, self.adopt, &self.clock).await?,
            Source::Store(store) => (store, Settings::default()),
        };
        let shared: Arc<dyn LedgerStore> = Arc::<dyn Store>::clone(&store);
        let settings = self.settings.unwrap_or(Settings {
            answer_wait: Some(ANSWER_WAIT),
            ..suggested
        });
        let mut builder = Wallet::builder(shared)
            .clock(self.clock)
            .settings(settings)
            .signal(self.signal);
        if let Some(cache) = self.cache {
            builder = builder.cache(cache);
        }
        if let Some(history) = self.history {
            builder = builder.history(history);
        }
        let wallet = builder.spawn()?;
        Ok(Books { wallet, store })
    }
}

/// Opens the store of a URL, and returns settings that suit it.
#[cfg_attr(
    not(feature = "mysql"),
    expect(clippy::unused_async, reason = "only a server's store is waited for")
)]
async fn open(
    url: &str,
    adopt: bool,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn Store>, Settings), StoreError> {
    match parse(url)? {
        StoreUrl::Memory => {
            let store = MemoryStore::new(Arc::clone(clock));
            Ok((Arc::new(store), Settings::default()))
        }
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite(path) => {
            let settings = wallet_sqlite::SqliteSettings {
                adopt,
                ..wallet_sqlite::SqliteSettings::new(path)
            };
            let store = wallet_sqlite::SqliteStore::open(&settings, Arc::clone(clock))?;
            Ok((Arc::new(store), Settings::default()))
        }
        #[cfg(feature = "mysql")]
        StoreUrl::Mysql(url) => {
            let settings = wallet_aurora::AuroraSettings::new(url);
            let store = wallet_aurora::AuroraStore::open(&settings).await?;
            Ok((Arc::new(store), Settings::for_server()))
        }
        #[allow(unreachable_patterns, reason = "all features are on")]
        StoreUrl::Sqlite(_) | StoreUrl::Mysql(_) => {
            let _ = adopt;
            let context = "the crate was built without the feature of this store: sqlite or mysql";
            Err(StoreError::new(StoreErrorKind::Invalid, context))
        }
    }
}
