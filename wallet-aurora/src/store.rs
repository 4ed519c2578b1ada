mod reading;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::{
    AccountKey, Epochs, Freshness, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, Reads};
use wallet_core::runtime::Clock;
use wallet_core::store::{
    AccountQuery, Committed, HoldQuery, LedgerStore, Limits, PendingSums, Purge, ReferenceQuery,
    Snapshot, StoreErrorKind, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

use crate::clock::Time;
use crate::connect::{Durability, Role, Target, check_version};
use crate::error::Result;
use crate::outbox::Claimed;
use crate::past_balance::{self, Answer, Question, Settlements};
use crate::pool::{Pool, Purpose, Wait};
use crate::read::{self, Numbers};
use crate::run::Answers;
use crate::settings::AuroraSettings;
use crate::sql::Script;
use crate::{commit, durable, epoch, migrate, purge};
use reading::{ask_writer, sorted};

/// At most this much in one transaction, where the server takes it.
const MOST: Limits = Limits {
    requests: 2_000,
    rows: 60_000,
    bytes: 16 << 20,
};
/// How often a dry run is read again while accounts are opened beside it.
const TRIES: usize = 5;

/// The books and their outbox in one database of Aurora MySQL, MySQL or
/// MariaDB.
///
/// Any number of stores, in this process or in others, may use the same
/// database; host and store may share it too. It needs tokio with its I/O and
/// time drivers.
#[derive(Debug)]
pub struct AuroraStore {
    pub(crate) time: Time,
    /// How long a packet may take in a host's transaction.
    pub(crate) host_wait: Duration,
    durability: Durability,
    /// Which server the writer was when the store was opened.
    pub(crate) version: Arc<str>,
    /// For requests inside a transaction of the host's own.
    pub(crate) max_ahead: Duration,
    /// Which books these are.
    pub(crate) identity: [u8; 16],
    pub(crate) limits: Limits,
    pub(crate) packet_bytes: usize,
    pub(crate) writer: Arc<Pool>,
    reader: Arc<Pool>,
    freshness: Freshness,
    /// The accounts that were read outside of transactions.
    numbers: Arc<Mutex<Numbers>>,
    /// The outbox rows in hand.
    pub(crate) claimed: Arc<Claimed>,
    /// Questions about the recent past that wait for an answer.
    settlements: Arc<Settlements>,
}

impl AuroraStore {
    /// Connects, and brings the schema up to date unless the settings say
    /// otherwise.
    ///
    /// # Errors
    /// - `Internal`: the address or the schema is not valid, access is denied,
    ///   or the schema is newer than this release or (without migrating) older.
    /// - `Unavailable`: the server cannot be reached, or is read-only.
    pub async fn open(settings: &AuroraSettings) -> Result<Self> {
        Self::open_at(settings, Time::Database).await
    }

    /// The same with another clock than the database's: for tests that drive
    /// the time. Every user of the database must share it.
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
        let lent = writer.lend(Purpose::Commit).await?;
        let mut lent = lent.for_a(Wait::Migration);
        let unknown = || StoreError::new(StoreErrorKind::Internal, "a connection was given back");
        let opened = lent.opened().ok_or_else(unknown)?;
        check_version(&opened.version)?;
        let (packet_bytes, durability) = (opened.packet_bytes, opened.durability);
        let version = Arc::from(opened.version.as_str());
        if settings.migrate {
            migrate::run(&mut lent).await?;
        }
        migrate::check(&mut lent).await?;
        let script = Script::of("reading the books' identity", IDENTITY);
        let identity = lent.run(&script).await?.row()?.array(0)?;
        lent.give_back();
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
            numbers: Arc::new(Mutex::new(Numbers::new(settings.remembered))),
            claimed: Arc::default(),
            settlements: Arc::default(),
        })
    }

    /// Whether the writer keeps what it has acknowledged when it crashes, as its
    /// settings were when the store was opened. Where it does not, a crash takes the
    /// last commits back after their callers were told of them, without a trace: warn
    /// at start.
    #[must_use]
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// The same store, whose reads are as fresh as asked for: a choice for each
    /// call, at no cost. A store reads from the writer until it is asked otherwise;
    /// whatever decides anything is read from the writer in any case.
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

    /// Answers a question about the recent past, with all others that wait for one.
    async fn settled(&self, question: Question) -> Result<Option<PastBalance>> {
        for _ in 0..TRIES {
            let answered = self.settlements.add(question);
            let mut lent = self.writer.lend(Purpose::Read).await?;
            let taken = self.settlements.take();
            if taken.is_empty() {
                lent.give_back();
            } else {
                let settled = past_balance::settle(&mut lent, &self.time, taken).await;
                // Whoever asked has been told.
                let _ = lent.end(settled).await;
            }
            // Whoever took the question may have been given up in the middle.
            if let Ok(settled) = answered.await {
                return settled;
            }
        }
        let context = "whoever was to settle a past balance was given up";
        Err(StoreError::new(StoreErrorKind::Unavailable, context))
    }

    /// The numbers of accounts that somebody kept when they were asked for last.
    pub(crate) fn left_out(&self, most: usize) -> Vec<i64> {
        let numbers = self.numbers.lock();
        numbers
            .unwrap_or_else(PoisonError::into_inner)
            .left_out(most)
    }

    /// Brings the schema of the database up to date without opening a store:
    /// for a deployment that migrates in a step of its own.
    ///
    /// # Errors
    /// As [`AuroraStore::open`].
    pub async fn migrate(settings: &AuroraSettings) -> Result<()> {
        let target = Target::new(&settings.writer, Role::Writer, settings)?;
        let lent = Pool::new(target, settings).lend(Purpose::Commit).await?;
        let mut lent = lent.for_a(Wait::Migration);
        let opened = lent.opened().map(|opened| check_version(&opened.version));
        opened.transpose()?;
        migrate::run(&mut lent).await?;
        Ok(())
    }
}

const IDENTITY: &str = "SELECT id FROM wallet_identity";

/// What fits: bytes are sent as two hexadecimal digits each.
fn limits(packet_bytes: usize) -> Limits {
    let bytes = packet_bytes.saturating_div(2).saturating_sub(1_024);
    Limits {
        bytes: bytes.min(MOST.bytes),
        ..MOST
    }
}

#[async_trait]
impl LedgerStore for AuroraStore {
    fn limits(&self) -> Limits {
        self.limits
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed> {
        let mut lent = self.writer.lend(Purpose::Commit).await?;
        let decided = commit::transact(&mut lent, &batch, &self.numbers, &self.time).await;
        let decided = lent.end(decided).await?;
        Ok(Committed { decided })
    }

    async fn snapshot(&self, reads: &Reads) -> Result<Snapshot> {
        for _ in 1..TRIES {
            match self.try_snapshot(reads).await {
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                done => return done,
            }
        }
        self.try_snapshot(reads).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let sorted = sorted(keys);
        let mut script = Script::default();
        script.begin();
        read::ask_keys_locked(&mut script, &sorted);
        read::ask_records(&mut script, &sorted, read::Reading::Consistent);
        script.end_reading();
        let lent = self.writer.lend(Purpose::Read).await?;
        let mut answers = ask_writer(lent, script).await?;
        answers.skip(2);
        let found = read::told_records(&mut answers)?;
        if !found.is_empty() {
            let mut lent = self.writer.lend(Purpose::Read).await?;
            let written = durable::write(&mut lent).await;
            lent.end(written).await?;
        }
        let answer = |key: &RecordKey| {
            let place = found.binary_search_by_key(key, |record| record.key);
            found.get(place.ok()?).cloned()
        };
        Ok(keys.iter().map(answer).collect())
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>> {
        let key_of = |account: &Account| account.state.key;
        self.each(keys, read::ask_accounts, read::told_accounts, key_of)
            .await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let sorted = sorted(keys);
        // The epoch is read first: what is read behind it is no older.
        let ask = |script: &mut Script| {
            epoch::ask(script);
            read::ask_accounts(script, &sorted);
            false
        };
        let told = |answers: &mut Answers| {
            let epoch = epoch::told(answers)?;
            let found = read::told_accounts(answers)?.into_iter();
            let found = found.map(|account| Balance::of(&account.state, epoch));
            Ok(found.map(|balance| (balance.account, balance)).collect())
        };
        let found: HashMap<AccountKey, Balance> = self.read(ask, told).await?;
        Ok(keys.iter().map(|key| found.get(key).copied()).collect())
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>> {
        let ask = |script: &mut Script| {
            read::ask_account_list(script, query);
            false
        };
        self.read_long(ask, read::told_accounts).await
    }

    async fn transfers(&self, keys: &[TransferKey]) -> Result<Vec<Option<TransferWithReversals>>> {
        let key_of = |found: &TransferWithReversals| found.transfer.key;
        let ask = |script: &mut Script, keys: &[TransferKey]| {
            read::ask_transfers(script, keys, read::Reading::Consistent);
        };
        self.each(keys, ask, read::told_transfers, key_of).await
    }

    async fn list_transfers(&self, query: &ReferenceQuery) -> Result<Vec<TransferWithReversals>> {
        let ask = |script: &mut Script| {
            read::ask_transfer_list(script, query);
            true
        };
        self.read_long(ask, read::told_transfers).await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>> {
        let key_of = |hold: &Hold| hold.key;
        let ask = |script: &mut Script, keys: &[HoldKey]| {
            read::ask_holds(script, keys, read::Reading::Consistent);
        };
        self.each(keys, ask, read::told_holds, key_of).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>> {
        let mut asked = Script::default();
        let statements = read::ask_hold_list(&mut asked, query);
        let ask = |script: &mut Script| {
            script.append(asked);
            true
        };
        let told = |answers: &mut Answers| read::told_hold_list(answers, statements, query);
        self.read_long(ask, told).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>> {
        let ask = |script: &mut Script| {
            read::ask_expired(script, &self.time, limit);
            false
        };
        self.read_long(ask, read::told_expired).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>> {
        let ask = |script: &mut Script| {
            read::ask_page(script, query);
            false
        };
        let told = |answers: &mut Answers| read::told_entries(answers, query.account);
        self.read_long(ask, told).await
    }

    async fn balance_at(&self, account: AccountKey, at: Timestamp) -> Result<Option<PastBalance>> {
        let question = Question { account, at };
        question.check(self.now().await?)?;
        let ask = |script: &mut Script| {
            question.ask(script);
            true
        };
        match self.read(ask, |answers| question.told(answers)).await? {
            Answer::Known(balance) => Ok(balance),
            Answer::TooRecent => self.settled(question).await,
        }
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>> {
        let ask = |script: &mut Script| {
            read::ask_ledgers(script);
            false
        };
        self.read_long(ask, read::told_ledgers).await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>> {
        self.trial_balance_of(ledger).await
    }

    async fn epochs(&self) -> Result<Epochs> {
        let ask = |script: &mut Script| {
            epoch::ask_all(script);
            false
        };
        self.read(ask, epoch::told_all).await
    }

    async fn raise_epoch(&self, restored_to: Timestamp, by: &RaisedBy) -> Result<RaisedEpoch> {
        let mut lent = self.writer.lend(Purpose::Commit).await?;
        let raised = epoch::raise(&mut lent, restored_to, by, &self.time).await;
        lent.end(raised).await
    }

    async fn probe(&self) -> Result<()> {
        let mut lent = self.writer.lend(Purpose::Commit).await?;
        let probed = durable::write(&mut lent).await;
        lent.end(probed).await
    }

    async fn pending_sums(&self, accounts: &[AccountKey]) -> Result<Vec<Option<PendingSums>>> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let mut lent = self.writer.lend(Purpose::Read).await?.for_a(Wait::Long);
        let sums = read::pending_sums(&mut lent, &sorted(accounts)).await;
        let sums = lent.end(sums).await?;
        Ok(accounts.iter().map(|key| sums.get(key).copied()).collect())
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64> {
        let now = self.now().await?;
        let mut lent = self.writer.lend(Purpose::Read).await?.for_a(Wait::Long);
        let counted = match purge {
            Purge::Records { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::count_records(&mut lent, bound, limit).await
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::count_delivered(&mut lent, bound, limit).await
            }
        };
        lent.end(counted).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64> {
        let now = self.now().await?;
        let mut lent = self.writer.lend(Purpose::Read).await?.for_a(Wait::Long);
        let done = match purge {
            Purge::Records { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::records(&mut lent, bound, limit).await
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::delivered(&mut lent, bound, limit).await
            }
        };
        lent.end(done).await
    }
}
