use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use wallet_core::ledger::Version;
use wallet_core::memory::MemoryStore;
use wallet_core::messaging::{EventPublisher, Message};
use wallet_core::runtime::Clock;
use wallet_core::service::Answer;
use wallet_core::store::{CommitSignal, LedgerStore, Outbox, ParkedEvent};
use wallet_core::{
    AccountId, Command, Currency, Deposit, IdempotencyKey, Leg, Money, OpenAccount, Owner,
    PostTransfer, Request, SettlementName, Timestamp, Wallet,
};
use wallet_events::memory::MemoryQueue;
use wallet_events::{Event, Parsed, Relay, RelayBuilder, RelaySettings};

/// The paused clock of tokio's tests: a sleep takes no time, and all tasks see the same
/// time.
#[derive(Debug)]
pub(crate) struct TestClock(tokio::time::Instant);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(tokio::time::Instant::now()))
    }

    /// The time since the clock was made.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        start.saturating_add(self.elapsed())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A ledger in memory with its wallet.
pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) signal: CommitSignal,
    pub(crate) wallet: Wallet,
    keys: AtomicU64,
}

/// A ledger with all events in `currency`.
pub(crate) fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}

pub(crate) fn cents(minor: i128) -> Money {
    Money::minor(minor, eur()).unwrap()
}

pub(crate) fn bank() -> SettlementName {
    SettlementName::new("bank").unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = TestClock::new();
        let store = Arc::new(MemoryStore::new(Arc::<TestClock>::clone(&clock)));
        let signal = CommitSignal::default();
        let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store))
            .clock(Arc::<TestClock>::clone(&clock))
            .signal(signal.clone())
            .spawn()
            .unwrap();
        Self {
            clock,
            store,
            signal,
            wallet,
            keys: AtomicU64::new(0),
        }
    }

    pub(crate) async fn submit(&self, commands: Vec<Command>) -> Answer {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        let key = IdempotencyKey::parse("test", &format!("key-{number}")).unwrap();
        let answer = self
            .wallet
            .submit_raw(Request::of_many(key, commands))
            .await;
        let answer = answer.unwrap();
        answer.accepted().unwrap();
        answer
    }

    /// The same without the answer.
    pub(crate) async fn must(&self, commands: Vec<Command>) {
        let answer = self.submit(commands).await;
        answer.accepted().unwrap();
    }

    pub(crate) async fn open(&self, owner: &str) -> AccountId {
        let open = OpenAccount::new(Owner::new(owner).unwrap(), eur());
        let answer = self.submit(vec![open.into()]).await;
        answer.account().unwrap().unwrap().state.key.id
    }

    pub(crate) async fn deposit(&self, account: AccountId) {
        let deposit = Deposit::new(account, cents(1_000_000), bank());
        self.must(vec![deposit.into()]).await;
    }

    pub(crate) async fn pay(&self, from: AccountId, to: AccountId) {
        let transfer = PostTransfer::new(vec![Leg::new(from, to, cents(1))]);
        self.must(vec![transfer.into()]).await;
    }

    /// Accounts with funds, each in its own commits.
    pub(crate) async fn accounts<const N: usize>(&self) -> [AccountId; N] {
        let mut accounts = Vec::new();
        for number in 0..N {
            let account = self.open(&format!("owner-{number}")).await;
            self.deposit(account).await;
            accounts.push(account);
        }
        accounts.try_into().unwrap()
    }

    pub(crate) fn settings(owner: &str) -> RelaySettings {
        RelaySettings::new(owner)
    }

    pub(crate) fn relay(&self, publisher: Arc<dyn EventPublisher>) -> Relay {
        self.relay_with(publisher, Self::settings("first"))
    }

    pub(crate) fn relay_with(
        &self,
        publisher: Arc<dyn EventPublisher>,
        settings: RelaySettings,
    ) -> Relay {
        let outbox: Arc<dyn Outbox> = Arc::<MemoryStore>::clone(&self.store);
        self.relay_on(outbox, publisher, settings)
    }

    pub(crate) fn relay_on(
        &self,
        outbox: Arc<dyn Outbox>,
        publisher: Arc<dyn EventPublisher>,
        settings: RelaySettings,
    ) -> Relay {
        self.builder(outbox, publisher, settings).build().unwrap()
    }

    pub(crate) fn builder(
        &self,
        outbox: Arc<dyn Outbox>,
        publisher: Arc<dyn EventPublisher>,
        settings: RelaySettings,
    ) -> RelayBuilder {
        let ledger: Arc<dyn LedgerStore> = Arc::<MemoryStore>::clone(&self.store);
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.clock);
        let builder = Relay::builder(outbox, ledger, publisher, clock, settings);
        builder.signal(self.signal.clone())
    }

    /// Waits until this number of events is parked, and returns them.
    pub(crate) async fn parked(&self, count: usize) -> Vec<ParkedEvent> {
        for _ in 0..100_000 {
            let parked = self.store.parked().await.unwrap();
            if parked.len() == count {
                return parked;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {count} parked");
    }

    /// Waits until nothing is left in the outbox.
    pub(crate) async fn drained(&self) {
        self.until_rows(0).await;
    }

    pub(crate) async fn until_rows(&self, rows: u64) {
        for _ in 0..100_000 {
            if self.store.depth().await.unwrap().rows == rows {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let depth = self.store.depth().await.unwrap();
        panic!("not {rows} rows left after a thousand seconds, but {depth:?}");
    }

    /// All messages that the ledger has published since the last call, in the order of
    /// one relay.
    pub(crate) async fn published(&self, settings: RelaySettings) -> Vec<Message> {
        let clock = Arc::<TestClock>::clone(&self.clock);
        let all = Arc::new(MemoryQueue::new(clock));
        let relay = self.relay_with(Arc::<MemoryQueue>::clone(&all), settings);
        let running = spawn(&relay);
        self.drained().await;
        running.stop().await;
        all.messages()
    }

    /// The present version of every account.
    pub(crate) async fn version(&self, account: AccountId) -> Version {
        let key = wallet_core::ledger::AccountKey::new(wallet_core::LedgerId::default(), account);
        let found = self.store.accounts(&[key]).await.unwrap();
        found[0].as_ref().unwrap().state.version
    }
}

/// Waits until a condition holds; fails after a thousand seconds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition never holds");
}

/// A relay or a consumer that runs until it is stopped.
pub(crate) struct Running {
    stop: tokio::sync::oneshot::Sender<()>,
    task: JoinHandle<()>,
}

pub(crate) fn spawn(relay: &Relay) -> Running {
    let relay = relay.clone();
    Running::start(|stopped| async move { relay.run(stopped).await })
}

impl Running {
    /// Starts `work`, which gets the future that stops it.
    pub(crate) fn start<F>(work: impl FnOnce(BoxFuture<'static, ()>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async {
            stopped.await.ok();
        };
        let task = tokio::spawn(work(stopped.boxed()));
        Self { stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }

    /// Stops as kill -9 does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// The event in a message.
pub(crate) fn event(message: &Message) -> Event {
    match Event::parse(&message.body).unwrap() {
        Parsed::Known(event) => event,
        Parsed::Unknown { kind, .. } => panic!("an unknown type {kind}"),
    }
}

/// The versions of each account in the order in which they were first seen, and the
/// number of repetitions.
pub(crate) fn firsts(messages: &[Message]) -> (BTreeMap<AccountId, Vec<Version>>, usize) {
    let mut seen: BTreeMap<AccountId, Vec<Version>> = BTreeMap::new();
    let mut again = 0;
    for message in messages {
        let event = event(message);
        let versions = seen.entry(event.account.id).or_default();
        if versions.contains(&event.version) {
            again += 1;
        } else {
            versions.push(event.version);
        }
    }
    (seen, again)
}

/// Asserts that every account's events were first seen in order from 1 on; returns the
/// number of repetitions.
pub(crate) fn assert_in_order(messages: &[Message]) -> usize {
    let (seen, again) = firsts(messages);
    for (account, versions) in seen {
        let last = Version::try_from(versions.len()).unwrap();
        let due: Vec<Version> = (1..=last).collect();
        assert_eq!(versions, due, "events of {account}");
    }
    again
}

/// Asserts that a planted bug shows in the world of one of the first `seeds` seeds. `run`
/// builds the world of a seed, and returns the difference that it finds.
pub(crate) async fn assert_caught<F>(bug: impl Debug, seeds: u64, run: impl Fn(u64) -> F)
where
    F: Future<Output = Option<String>>,
{
    for seed in 0..seeds {
        if let Some(wrong) = run(seed).await {
            println!("{bug:?}: seed {seed}: {wrong}");
            return;
        }
    }
    panic!("{bug:?} is not caught within {seeds} seeds");
}

impl World {
    /// Whether a hold is still open.
    pub(crate) async fn store_holds(&self, hold: wallet_core::HoldId) -> bool {
        let key = wallet_core::ledger::HoldKey::new(wallet_core::LedgerId::default(), hold);
        let found = self.store.holds(&[key]).await.unwrap();
        found[0].as_ref().unwrap().status == wallet_core::ledger::HoldStatus::Pending
    }
}
