//! The wallet under load: accounts opened and funded, then the closed loop.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::JoinSet;
use wallet_core::ledger::{AccountKey, KeyScope, KeyText, Position, RecordKey};
use wallet_core::store::{CommitSignal, HostTransactions, LedgerStore};
use wallet_core::{
    Accepted, AccountId, Command, Currency, Deposit, IdempotencyKey, LedgerId, Leg, Money,
    OpenAccount, Outcome, Owner, PostTransfer, Receipt, Request, Settings, SettlementName, Wallet,
    WalletError,
};

use crate::args::Load;
use crate::clock::{self, Window};
use crate::measure::{Figures, Log, Tally, per};
use crate::pattern::{self, BANK, Order, Picker};
use crate::{FUNDS_CENTS, Result};

/// Commands per request while accounts are opened and funded.
const COMMANDS: usize = 100;
/// Requests in flight meanwhile.
const AHEAD: usize = 16;
/// How many acknowledged outcomes are looked up again at the end.
pub(crate) const SAMPLE: usize = 1_000;

/// A transfer that was acknowledged: its key and its outcome.
pub(crate) type Acknowledged = (RecordKey, Arc<Outcome>);

/// A wallet whose accounts are open and funded.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// At least one; callers are shared among them.
    wallets: Vec<Wallet>,
    terms: Arc<Terms>,
    /// Each transfer is made in a transaction of the host here, if given.
    host: Option<Arc<dyn HostTransactions>>,
    /// A sample of the outcomes acknowledged so far.
    pub(crate) sample: Vec<Acknowledged>,
}

const CREATE: &str = "CREATE TABLE host_order (id BIGINT PRIMARY KEY)";
const INSERT: &str = "INSERT INTO host_order (id) VALUES (?)";

/// The inputs of requests.
#[derive(Debug)]
struct Terms {
    scope: KeyScope,
    currency: Currency,
    settlement: SettlementName,
    /// The accounts, by number less one.
    accounts: Vec<AccountId>,
}

impl Terms {
    fn account(&self, number: u32) -> Result<AccountId> {
        let index = usize::try_from(number)?.checked_sub(1);
        let account = index.and_then(|index| self.accounts.get(index));
        Ok(*account.ok_or("no such account")?)
    }

    fn command(&self, order: Order) -> Result<Command> {
        let money = Money::minor(i128::from(order.cents), self.currency)?;
        let to = self.account(order.to)?;
        if order.from == BANK {
            return Ok(Deposit::new(to, money, self.settlement.clone()).into());
        }
        let leg = Leg::new(self.account(order.from)?, to, money);
        Ok(PostTransfer::new(vec![leg]).into())
    }

    fn key(&self, rng: &mut Rng) -> Result<IdempotencyKey> {
        let text = KeyText::new(&pattern::key(rng))?;
        Ok(IdempotencyKey::new(self.scope.clone(), text))
    }
}

impl Loaded {
    /// Opens `accounts` accounts on a fresh store and funds each.
    pub(crate) async fn prepare(
        ledgers: Vec<Arc<dyn LedgerStore>>,
        load: &Load,
        accounts: u32,
        signal: CommitSignal,
        tally: &Tally,
    ) -> Result<Self> {
        let settings = settings(load)?;
        let mut wallets = Vec::with_capacity(ledgers.len());
        for ledger in ledgers {
            let builder = Wallet::builder(ledger).settings(settings.clone());
            let builder = builder.signal(signal.clone());
            wallets.push(builder.spawn()?);
        }
        let wallet = wallets.first().ok_or("there is no wallet")?;
        let mut terms = Terms {
            scope: KeyScope::new("bench")?,
            currency: Currency::iso("EUR")?,
            settlement: SettlementName::new("bank")?,
            accounts: Vec::new(),
        };
        terms.accounts = open(wallet, &terms, accounts, tally).await?;
        fund(wallet, &terms, tally).await?;
        Ok(Self {
            wallets,
            terms: Arc::new(terms),
            host: None,
            sample: Vec::new(),
        })
    }

    /// Makes each transfer from here on in a transaction of the host.
    pub(crate) async fn in_transactions(&mut self, host: Arc<dyn HostTransactions>) -> Result<()> {
        host.run_alone(CREATE).await?;
        self.host = Some(host);
        Ok(())
    }

    /// Runs the closed loop for `length`: one task per caller.
    pub(crate) async fn run(
        &mut self,
        callers: u32,
        picker: &Picker,
        length: Duration,
        tally: &Arc<Tally>,
        figures: &mut Figures,
    ) -> Result<()> {
        let size = SAMPLE.div_ceil(usize::try_from(callers)?);
        let window = Window::open(length);
        let mut tasks = JoinSet::new();
        let wallets = self.wallets.iter().cycle();
        for (_, wallet) in (0..callers).zip(wallets) {
            let caller = Caller {
                wallet: wallet.clone(),
                host: self.host.clone(),
                terms: Arc::clone(&self.terms),
                picker: picker.clone(),
                tally: Arc::clone(tally),
                rng: Rng::new(),
                log: Log::default(),
                sample: Vec::new(),
                sample_size: size,
                count: 0,
            };
            tasks.spawn(caller.run(window));
        }
        let mut logs = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let caller = done?;
            logs.push(caller.log);
            self.sample.extend(caller.sample);
        }
        figures.add(&window, logs);
        Ok(())
    }

    /// Makes one transfer; returns the id of the payer's event and the time of the
    /// acknowledgement.
    pub(crate) async fn one(&self, picker: &Picker, rng: &mut Rng) -> Result<(String, Instant)> {
        let order = picker.draw(rng);
        let request = Request::new(self.terms.key(rng)?, self.terms.command(order)?);
        let wallet = self.wallets.first().ok_or("there is no wallet")?;
        let answer = wallet.submit_raw(request).await?;
        let answered = clock::now();
        let mut effects = answer.outcome.effects().filter(|effect| !effect.system);
        let effect = effects.next().ok_or("a transfer without effect")?;
        let ledger = LedgerId::default();
        let account = AccountKey::new(ledger, effect.account);
        let position = Position::new(answer.outcome.epoch, effect.version);
        let id = format!("{}/{}/{position}", ledger.number(), account.id);
        Ok((id, answered))
    }

    /// The same accounts behind another wallet on the same books.
    pub(crate) fn beside(&self, wallet: Wallet) -> Self {
        Self {
            wallets: vec![wallet],
            terms: Arc::clone(&self.terms),
            host: None,
            sample: Vec::new(),
        }
    }

    /// The accounts, in the order of their numbers from 1 on.
    pub(crate) fn accounts(&self) -> Vec<AccountKey> {
        let key = |account: &AccountId| AccountKey::new(LedgerId::default(), *account);
        self.terms.accounts.iter().map(key).collect()
    }

    /// The first wallet.
    pub(crate) fn wallet(&self) -> Result<&Wallet> {
        Ok(self.wallets.first().ok_or("there is no wallet")?)
    }

    /// The numbers of requests and batches so far.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for wallet in &self.wallets {
            let stats = wallet.stats();
            counts.requests = counts.requests.saturating_add(stats.submitted);
            counts.batches = counts.batches.saturating_add(stats.batches);
        }
        counts
    }

    /// Ends the work of all wallets.
    pub(crate) async fn shutdown(&self) {
        for wallet in &self.wallets {
            wallet.shutdown().await;
        }
    }
}

/// The wallet settings under this load.
pub(crate) fn settings(load: &Load) -> Result<Settings> {
    let mut settings = Settings {
        committers: load.committers(),
        busy_committers: load.busy_committers(),
        ..load.store.settings()
    };
    // Every caller waits in the queue at the same time.
    let callers = usize::try_from(load.callers)?;
    settings.queue_capacity = settings.queue_capacity.max(callers);
    Ok(settings)
}

/// The work of the wallets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    requests: u64,
    batches: u64,
}

impl Counts {
    /// The average number of requests in one batch since `before`.
    pub(crate) fn mean_batch(self, before: Self) -> f64 {
        let requests = self.requests.saturating_sub(before.requests);
        per(requests, self.batches.saturating_sub(before.batches))
    }
}

/// One caller: submits, waits, records, goes on.
#[derive(Debug)]
struct Caller {
    wallet: Wallet,
    host: Option<Arc<dyn HostTransactions>>,
    terms: Arc<Terms>,
    picker: Picker,
    tally: Arc<Tally>,
    rng: Rng,
    log: Log,
    /// A random sample of what was acknowledged.
    sample: Vec<Acknowledged>,
    sample_size: usize,
    count: usize,
}

impl Caller {
    async fn run(mut self, window: Window) -> Self {
        while window.is_open() {
            if let Err(error) = self.once(&window).await {
                self.log.failed(&error);
            }
        }
        self
    }

    async fn once(&mut self, window: &Window) -> Result<()> {
        let order = self.picker.draw(&mut self.rng);
        let key = self.terms.key(&mut self.rng)?;
        let request = Request::new(key.clone(), self.terms.command(order)?);
        let row = self.rng.i64(..);
        let begin = clock::now();
        let done = match &self.host {
            None => self.wallet.submit(request).await,
            Some(host) => order_and_pay(&self.wallet, host.as_ref(), row, &request).await,
        };
        let end = clock::now();
        match done {
            Ok(accepted) => {
                self.log.acknowledged(window, begin, end);
                self.tally.add(1);
                self.keep(&key, Arc::clone(accepted.outcome()));
            }
            Err(WalletError::Rejected(rejected)) => self.log.refused(&rejected),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Reservoir sampling: every outcome is kept with equal probability.
    fn keep(&mut self, key: &IdempotencyKey, outcome: Arc<Outcome>) {
        self.count = self.count.saturating_add(1);
        let sampled = || (key.record_key(LedgerId::default()), outcome);
        if self.sample.len() < self.sample_size {
            self.sample.push(sampled());
        } else if let Some(place) = self.sample.get_mut(self.rng.usize(..self.count)) {
            *place = sampled();
        }
    }
}

/// Inserts a row of the host and makes the transfer, in one transaction.
async fn order_and_pay(
    wallet: &Wallet,
    host: &dyn HostTransactions,
    row: i64,
    request: &Request,
) -> std::result::Result<Accepted, WalletError> {
    let ordered = wallet.in_transaction(host, |tx| {
        let request = request.clone();
        async move {
            tx.execute(INSERT, &[row.into()]).await?;
            tx.apply(request).await
        }
    });
    ordered.await
}

/// Opens accounts, many to a request; their ids in the order of their numbers.
async fn open(wallet: &Wallet, terms: &Terms, count: u32, tally: &Tally) -> Result<Vec<AccountId>> {
    let mut rng = Rng::new();
    let owner = Owner::new("bench")?;
    let open: Command = OpenAccount::new(owner, terms.currency).into();
    let count = usize::try_from(count)?;
    let requests = (0..count).step_by(COMMANDS).map(|done| {
        let commands = vec![open.clone(); count.saturating_sub(done).min(COMMANDS)];
        Ok(Request::of_many(terms.key(&mut rng)?, commands))
    });
    let mut opened = Vec::with_capacity(count);
    let keep = |receipts: &[Receipt]| {
        opened.extend(receipts.iter().filter_map(|receipt| match receipt {
            Receipt::AccountOpened(account) => Some(account.state.key.id),
            _ => None,
        }));
    };
    submit_all(wallet, requests, tally, keep).await?;
    Ok(opened)
}

/// Gives every account its funds by a deposit.
async fn fund(wallet: &Wallet, terms: &Terms, tally: &Tally) -> Result<()> {
    let mut rng = Rng::new();
    let money = Money::minor(i128::from(FUNDS_CENTS), terms.currency)?;
    let requests = terms.accounts.chunks(COMMANDS).map(|accounts| {
        let deposits = accounts.iter().map(|account| {
            let settlement = terms.settlement.clone();
            Deposit::new(*account, money, settlement).into()
        });
        let commands = deposits.collect();
        Ok(Request::of_many(terms.key(&mut rng)?, commands))
    });
    submit_all(wallet, requests, tally, |_| ()).await
}

/// Submits requests, several at a time; `keep` sees the receipts in their order.
async fn submit_all(
    wallet: &Wallet,
    requests: impl Iterator<Item = Result<Request>>,
    tally: &Tally,
    mut keep: impl FnMut(&[Receipt]),
) -> Result<()> {
    let answers = stream::iter(requests).map(|request| async {
        let answer = wallet.submit_raw(request?).await?;
        let count = answer.accepted()?.len();
        tally.add(u64::try_from(count)?);
        Result::Ok(answer)
    });
    let mut answers = pin!(answers.buffered(AHEAD));
    while let Some(answer) = answers.try_next().await? {
        keep(answer.accepted()?);
    }
    Ok(())
}
