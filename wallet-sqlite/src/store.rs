//! [`SqliteStore`] implements the ledger store of the core. It passes each call to the
//! writer's thread or to a thread that reads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, ReadSet};
use wallet_core::runtime::Clock;
use wallet_core::store::{
    AccountQuery, Committed, HoldQuery, LedgerStore, Limits, PendingSums, Purge, ReferenceQuery,
    Snapshot, StoreErrorKind, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

use crate::checkpoint::{self, Checkpoints};
use crate::commit::{decide_and_write, in_file, in_transaction, read_in_file};
use crate::deferred::{Books, Cache};
use crate::error::Result;
use crate::file::OpenFile;
use crate::past_balance::{Answer, Question, Settlements};
use crate::probe::{self, Room};
use crate::read::WriterCache;
use crate::settings::SqliteSettings;
use crate::threads::Threads;
use crate::{coherent, connect, epoch, migrate, purge, read};

/// These limits let many requests share one flush. The first request of a batch still does
/// not wait long for the last.
const LIMITS: Limits = Limits {
    requests: 2_000,
    rows: 200_000,
    bytes: 64 << 20,
};

/// The books and their outbox in one SQLite file.
///
/// Any number of stores, in this process or in others, may use the same file. The host and
/// the store may share it too. SQLite can restore a backup into the open file. If the file
/// is moved or replaced, the store ends: every call fails with `Unavailable`.
///
/// Dropping the store waits for its queued work, moves the write-ahead log into the file
/// and ends its threads. Afterwards the file alone is complete, unless another process has
/// it open.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lock_wait: Duration,
    /// How far time may run ahead for requests inside a host's transaction.
    pub(crate) max_ahead: Duration,
    pub(crate) path: String,
    pub(crate) file: Arc<OpenFile>,
    writer: Threads,
    readers: Threads,
    finders: Threads,
    checkpoints: Checkpoints,
    cache: Arc<Mutex<WriterCache>>,
    pub(crate) deltas: Arc<Cache>,
    pub(crate) settlements: Arc<Settlements>,
    pub(crate) room: Arc<Room>,
    defer_from: usize,
    /// File and log do not belong together, and whoever opened the store wanted to look:
    /// the log stays as it is.
    keeps_log: bool,
}

/// Migrates if needed. Nothing is written to a file whose schema is current: it may be a
/// mixture.
fn bring_up_to_date(
    writer: &Connection,
    settings: &SqliteSettings,
    clock: &dyn Clock,
) -> Result<()> {
    if migrate::check(writer).is_ok() {
        return Ok(());
    }
    let now = clock.now();
    in_transaction(writer, settings.lock_wait, |open| migrate::run(open, now))
}

/// Whether the file and its log belong together. If they do not, the file is refused if
/// the settings require it.
fn is_whole(writer: &mut Connection, settings: &SqliteSettings) -> Result<bool> {
    match coherent::check(writer) {
        Err(error) if settings.check => Err(error),
        looked => Ok(looked.is_ok()),
    }
}

impl SqliteStore {
    /// Opens the file, creates it if it does not exist, and brings its schema up to date
    /// unless the settings disable it. It blocks, so call it at start-up.
    ///
    /// # Errors
    /// - `Internal`: a setting is out of range, the file belongs to another application, its
    ///   schema is newer than this release or (without migrating) older, or it cannot use a
    ///   write-ahead log.
    /// - `Corrupt`: the file is no database at all; the file is missing, but its log or an
    ///   unfinished restore exists; or the file and its log do not belong together (see
    ///   [`SqliteSettings::check`]).
    /// - `Conflict`, `Unavailable`: the file is locked, or cannot be opened.
    pub fn open(settings: &SqliteSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let (mut writer, file) = connect::writer(settings)?;
        if settings.migrate {
            bring_up_to_date(&writer, settings, clock.as_ref())?;
        }
        migrate::check(&writer)?;
        let keeps_log = !is_whole(&mut writer, settings)?;
        let path = writer.path().unwrap_or_default().to_owned();
        let file = Arc::new(file);
        let reader = || connect::reader(settings);
        let readers = || (0..settings.readers).map(|_| reader());
        let finders = readers().collect::<Result<Vec<_>>>()?;
        let readers = readers().collect::<Result<Vec<_>>>()?;
        let writer = Threads::start("wallet-writer", vec![writer])?;
        let beside = reader()?;
        let checkpoints = Checkpoints::start(
            beside,
            Arc::clone(&file),
            &writer,
            settings.checkpoint_pages,
        )?;
        Ok(Self {
            clock,
            lock_wait: settings.lock_wait,
            max_ahead: settings.max_ahead,
            path,
            file,
            writer,
            readers: Threads::start("wallet-reader", readers)?,
            finders: Threads::start("wallet-finder", finders)?,
            checkpoints,
            cache: Arc::default(),
            deltas: Arc::default(),
            settlements: Arc::default(),
            room: Arc::default(),
            defer_from: settings.defer_from,
            keeps_log,
        })
    }

    /// Brings the schema of the file up to date without opening a store. A deployment that
    /// migrates in its own step calls it.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn migrate(settings: &SqliteSettings, clock: &dyn Clock) -> Result<()> {
        let (mut writer, _) = connect::writer(settings)?;
        bring_up_to_date(&writer, settings, clock)?;
        is_whole(&mut writer, settings).map(drop)
    }

    /// Runs `work` in a transaction that holds the write lock, and commits it.
    pub(crate) async fn write<T, E>(
        &self,
        work: impl FnOnce(&Books<'_>, Timestamp) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (clock, lock_wait) = (Arc::clone(&self.clock), self.lock_wait);
        let (file, deltas) = (Arc::clone(&self.file), Arc::clone(&self.deltas));
        let job = move |writer: &mut Connection| {
            in_file(&file, writer, lock_wait, |open| {
                work(&deltas.books(open)?, clock.now())
            })
        };
        self.writer.run(job).await
    }

    /// Runs `work` on one consistent state, without locks.
    pub(crate) async fn read<T, E>(
        &self,
        work: impl FnOnce(&Books<'_>) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.read_on(&self.readers, work).await
    }

    /// Like `read`, for small reads. A commit may need such a read, so it never waits
    /// behind large reads.
    async fn find<T>(
        &self,
        work: impl FnOnce(&Books<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        self.read_on(&self.finders, work).await
    }

    async fn read_on<T, E>(
        &self,
        threads: &Threads,
        work: impl FnOnce(&Books<'_>) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (file, deltas) = (Arc::clone(&self.file), Arc::clone(&self.deltas));
        let job = move |reader: &mut Connection| {
            read_in_file(&file, reader, |state| work(&deltas.books(state)?))
        };
        threads.ask(job).await
    }

    /// Answers a question under the write lock, together with all other waiting ones.
    pub(crate) async fn settle(&self, question: Question) -> Result<Option<PastBalance>> {
        let settlements = Arc::clone(&self.settlements);
        let answered = settlements.add(question);
        let (clock, lock_wait) = (Arc::clone(&self.clock), self.lock_wait);
        let (file, deltas) = (Arc::clone(&self.file), Arc::clone(&self.deltas));
        let job = move |writer: &mut Connection| {
            settlements.settle(|answer| {
                in_file(&file, writer, lock_wait, |open| {
                    answer(&deltas.books(open)?, clock.now())
                })
            });
            Ok::<(), StoreError>(())
        };
        self.writer.run(job).await?;
        let lost = |_| StoreError::new(StoreErrorKind::Unavailable, "the question was dropped");
        answered.await.map_err(lost)?
    }

    /// One answer per key, in the order of the keys.
    async fn each<K, T>(
        &self,
        keys: &[K],
        one: impl Fn(&Books<'_>, K) -> Result<Option<T>> + Send + 'static,
    ) -> Result<Vec<Option<T>>>
    where
        K: Copy + Send + 'static,
        T: Send + 'static,
    {
        let keys = keys.to_vec();
        let work = move |books: &Books<'_>| keys.into_iter().map(|key| one(books, key)).collect();
        self.find(work).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.readers.end();
        self.finders.end();
        self.checkpoints.end();
        if !self.keeps_log {
            let file = Arc::clone(&self.file);
            self.writer
                .post(move |writer| checkpoint::end(&file, writer));
        }
        self.writer.end();
    }
}

#[async_trait]
impl LedgerStore for SqliteStore {
    fn limits(&self) -> Limits {
        LIMITS
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed> {
        let (clock, lock_wait) = (Arc::clone(&self.clock), self.lock_wait);
        let requests = batch.requests().len();
        let (cache, deltas) = (Arc::clone(&self.cache), Arc::clone(&self.deltas));
        let (file, defer_from) = (Arc::clone(&self.file), self.defer_from);
        let room = Arc::clone(&self.room);
        let job = move |writer: &mut Connection| {
            let decided = in_file(&file, writer, lock_wait, |open| {
                let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
                let books = deltas.books(open)?;
                decide_and_write(&books, clock.as_ref(), &batch, Some(&mut cache), defer_from)
            });
            let wrote = decided.as_ref().map(|decided| !decided.changes.is_empty());
            room.note(wrote);
            decided
        };
        let decision = self.writer.run(job).await?;
        self.checkpoints.committed(requests);
        Ok(Committed {
            decided: decision.decided,
        })
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot> {
        let (clock, reads) = (Arc::clone(&self.clock), reads.clone());
        let read = move |books: &Books<'_>| {
            let mut read = read::snapshot(books, &reads, None)?;
            read.snapshot.now = clock.now();
            Ok(read.snapshot)
        };
        self.read(read).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>> {
        let keys = keys.to_vec();
        // A commit in flight holds the lock. Once this call has the lock, every earlier
        // commit is visible.
        let work = move |open: &Books<'_>, _| {
            let records = keys.into_iter().map(|key| read::record(open, key));
            records.collect()
        };
        self.write(work).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>> {
        self.each(keys, read::account).await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>> {
        let keys = keys.to_vec();
        let work = move |books: &Books<'_>| {
            let epoch = epoch::current(books)?;
            let each = keys.into_iter().map(|key| {
                let found = read::account_state(books, key)?;
                Ok(found.map(|(_, state)| Balance::of(&state, epoch)))
            });
            each.collect()
        };
        self.read(work).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>> {
        let query = query.clone();
        self.read(move |state| read::list_accounts(state, &query))
            .await
    }

    async fn transfers(&self, keys: &[TransferKey]) -> Result<Vec<Option<TransferWithReversals>>> {
        self.each(keys, |books, key| read::transfer(books, key))
            .await
    }

    async fn list_transfers(&self, query: &ReferenceQuery) -> Result<Vec<TransferWithReversals>> {
        let query = query.clone();
        self.read(move |state| read::list_transfers(state, &query))
            .await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>> {
        self.each(keys, |books, key| read::hold(books, key)).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>> {
        let query = query.clone();
        self.read(move |state| read::list_holds(state, &query))
            .await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>> {
        let now = self.clock.now();
        self.find(move |state| read::expired_holds(state, now, limit))
            .await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>> {
        let query = query.clone();
        self.read(move |state| read::entries(state, &query)).await
    }

    async fn balance_at(&self, account: AccountKey, at: Timestamp) -> Result<Option<PastBalance>> {
        let question = Question { account, at };
        question.check(self.clock.now())?;
        match self.read(move |state| question.read(state)).await? {
            Answer::Known(balance) => Ok(balance),
            Answer::TooRecent => self.settle(question).await,
        }
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>> {
        self.read(|books| read::ledgers(books)).await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>> {
        self.read(move |books| read::trial_balance(books, ledger))
            .await
    }

    async fn epochs(&self) -> Result<Epochs> {
        self.read(|books| epoch::all(books)).await
    }

    async fn raise_epoch(&self, restored_to: Timestamp, by: &RaisedBy) -> Result<RaisedEpoch> {
        let by = by.clone();
        self.write(move |open, now| epoch::raise(open, restored_to, &by, now))
            .await
    }

    async fn probe(&self) -> Result<()> {
        let bytes = self.room.probe_bytes();
        let probed = self.write(move |open, _| probe::run(open, bytes)).await;
        // A small write may fit where a commit does not.
        self.room.note(probed.as_ref().map(|()| bytes > 0));
        probed
    }

    async fn pending_sums(&self, accounts: &[AccountKey]) -> Result<Vec<Option<PendingSums>>> {
        self.each(accounts, read::pending_sums).await
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64> {
        let now = self.clock.now();
        let work = move |state: &Books<'_>| match purge {
            Purge::Records { older_than, limit } => {
                purge::count_records(state, now.saturating_sub(older_than), limit)
            }
            Purge::DeliveredEvents { older_than, limit } => {
                purge::count_delivered(state, now.saturating_sub(older_than), limit)
            }
        };
        self.read(work).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64> {
        let work = move |open: &Books<'_>, now: Timestamp| match purge {
            Purge::Records { older_than, limit } => {
                purge::records(open, now.saturating_sub(older_than), limit)
            }
            Purge::DeliveredEvents { older_than, limit } => {
                purge::delivered(open, now.saturating_sub(older_than), limit)
            }
        };
        self.write(work).await
    }
}
