//! One host process: a wallet with its callers, a relay and a consumer.

mod caller;
mod clock;
pub(crate) mod effects;
mod events;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;
use tokio::time::sleep;
use wallet_aurora::{AuroraInbox, AuroraSettings, AuroraStore};
use wallet_core::ledger::{AccountKey, LockOwner};
use wallet_core::runtime::Clock;
use wallet_core::store::CommitSignal;
use wallet_core::{Settings, Wallet};
use wallet_redis::{Redis, RedisSettings};

use crate::acks::{self, Ack, Acks};
use crate::plan::Place;
use crate::tally::{SETTLED, Tally, VIOLATION};
use crate::{Result, print_line};
use caller::Caller;
use clock::SteppedClock;
use events::Events;

/// The arguments of a host.
#[derive(Debug, Clone, Args)]
pub(crate) struct HostArgs {
    /// The number of the host.
    #[arg(long)]
    pub(crate) host: u16,
    /// The database's address.
    #[arg(long)]
    pub(crate) database: String,
    /// The address of Redis.
    #[arg(long)]
    pub(crate) redis: String,
    /// The endpoint of queues.
    #[arg(long)]
    pub(crate) queue: String,
    /// The address of the queue of events.
    #[arg(long)]
    pub(crate) queue_url: String,
    /// The endpoint of history.
    #[arg(long)]
    pub(crate) history: String,
    /// The file of answers.
    #[arg(long)]
    pub(crate) acks: PathBuf,
    /// The number of callers.
    #[arg(long)]
    pub(crate) callers: u16,
    /// How long a caller waits between requests.
    #[arg(long)]
    pub(crate) tick_ms: u64,
    /// Whether the database's clock was an hour ahead.
    #[arg(long)]
    pub(crate) ahead: bool,
}

/// The state that the callers of a host share.
#[derive(Debug)]
pub(crate) struct Host {
    wallet: Wallet,
    acks: Mutex<Acks>,
    everything: Vec<AccountKey>,
    tally: Arc<Tally>,
}

impl Host {
    fn note(&self, ack: Ack) -> Result<()> {
        self.acks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(ack)
    }

    #[allow(clippy::unused_self, reason = "only a host reports violations")]
    fn violation(&self, words: &str) {
        print_line(&format!("{VIOLATION}\t{words}"));
    }
}

/// The orders to a running host.
#[derive(Debug, Default)]
struct Orders {
    clock: Arc<SteppedClock>,
    /// First send no more requests; then end.
    settle: watch::Sender<bool>,
    end: watch::Sender<bool>,
    /// Accounts may be an hour ahead.
    ahead: watch::Sender<bool>,
}

impl Orders {
    /// Follows the orders on standard input; its end ends the host.
    async fn follow(self: Arc<Self>) {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match line.split_once(' ') {
                None if line == "settle" => drop(self.settle.send_replace(true)),
                None if line == "end" => drop(self.end.send_replace(true)),
                None if line == "ahead" => drop(self.ahead.send_replace(true)),
                Some(("clock", micros)) => self.clock.step(micros.parse().unwrap_or_default()),
                _ => print_line(&format!("{VIOLATION}\tan order that is not known: {line}")),
            }
        }
        std::process::exit(1);
    }
}

/// Runs until the order to end, or until killed.
pub(crate) async fn run(args: HostArgs) -> Result<()> {
    let orders = Arc::new(Orders::default());
    tokio::spawn(Arc::clone(&orders).follow());
    let tally = Arc::new(Tally::default());
    let settings = AuroraSettings {
        // Shorter than the default: a run has many silent connections.
        session_wait: Duration::from_secs(10),
        ..AuroraSettings::new(&args.database)
    };
    let (store, inbox) = opened(&settings, &tally).await?;
    let store = Arc::new(store);
    let redis = RedisSettings {
        // Kept until the verification compares them with the books.
        cache_ttl: Duration::from_secs(7_200),
        ..RedisSettings::new(&args.redis)
    };
    let redis = Redis::open(&redis).await?;
    let clock: Arc<dyn Clock> = Arc::<SteppedClock>::clone(&orders.clock);
    let signal = CommitSignal::default();
    let owner = LockOwner::new(&format!("sweeper-{}", std::process::id()))?;
    let wallet = Wallet::builder(Arc::<AuroraStore>::clone(&store))
        .clock(Arc::clone(&clock))
        .signal(signal.clone())
        .cache(Arc::new(redis.cache()))
        .sweep_lock(Arc::new(redis.locks()), owner)
        .settings(Settings::for_server())
        .spawn()?;
    orders.ahead.send_if_modified(|ahead| {
        *ahead |= args.ahead;
        *ahead
    });
    tokio::spawn(let_run_ahead(
        wallet.clone(),
        Arc::clone(&clock),
        Arc::clone(&orders),
    ));
    let events = Events::new(&args, &store, inbox, &redis, &clock, signal, &tally)?;
    let end = orders.end.subscribe();
    let until_end = move || {
        let mut end = end.clone();
        async move { drop(end.wait_for(|ends| *ends).await) }
    };
    let carrying = {
        let (events, until_end) = (events.clone(), until_end.clone());
        tokio::spawn(async move { events.run(until_end).await })
    };
    let telling = tokio::spawn(report(
        Arc::clone(&tally),
        wallet.clone(),
        events,
        until_end,
    ));
    let host = Arc::new(Host {
        wallet: wallet.clone(),
        acks: Mutex::new(Acks::open(&args.acks)?),
        everything: caller::everything()?,
        tally,
    });
    call(&args, &host, &orders).await?;
    print_line(SETTLED);
    carrying.await?;
    wallet.shutdown().await;
    telling.await?;
    Ok(())
}

/// The recovery for accounts that a clock has left an hour ahead, once it is ordered.
async fn let_run_ahead(wallet: Wallet, clock: Arc<dyn Clock>, orders: Arc<Orders>) {
    let mut ahead = orders.ahead.subscribe();
    while ahead.wait_for(|is_ahead| *is_ahead).await.is_ok() {
        let until = clock.now().saturating_add(Duration::from_secs(20 * 3_600));
        if let Err(error) = wallet.raise_max_ahead(Duration::from_secs(2 * 3_600), until) {
            print_line(&format!("{VIOLATION}\tthe bound was not raised: {error}"));
            return;
        }
        if ahead.changed().await.is_err() {
            return;
        }
    }
}

/// Opens the store once there is a database.
async fn opened(settings: &AuroraSettings, tally: &Tally) -> Result<(AuroraStore, AuroraInbox)> {
    loop {
        let store = AuroraStore::open(settings).await;
        let both = match store {
            Ok(store) => AuroraInbox::open(settings)
                .await
                .map(|inbox| (store, inbox)),
            Err(error) => Err(error),
        };
        match both {
            Ok(both) => return Ok(both),
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error.into()),
        }
        tally.add("errors: opening the store", 1);
        sleep(Duration::from_millis(200)).await;
    }
}

/// Each caller continues after its last recorded answer.
async fn call(args: &HostArgs, host: &Arc<Host>, orders: &Orders) -> Result<()> {
    let next = acks::next_rounds(&args.acks)?;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..args.callers {
        let place = Place {
            host: args.host,
            caller: number,
            round: next.get(&number).copied().unwrap_or(0),
        };
        let caller = Caller {
            host: Arc::clone(host),
            place,
            rng: fastrand::Rng::new(),
            seen: BTreeMap::new(),
        };
        let tick = Duration::from_millis(args.tick_ms);
        callers.spawn(caller.run(tick, orders.settle.subscribe()));
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

/// Reports the counters twice a second.
async fn report<F>(tally: Arc<Tally>, wallet: Wallet, events: Events, until_end: impl Fn() -> F)
where
    F: Future<Output = ()> + Send,
{
    loop {
        let has_ended = tokio::select! {
            () = sleep(Duration::from_millis(500)) => false,
            () = until_end() => true,
        };
        events.add_to(&tally);
        let stats = wallet.stats();
        tally.set("wallet: batches", stats.batches);
        tally.set("wallet: batches tried again", stats.retries);
        tally.set("wallet: unknown commits settled", stats.settled);
        tally.set("wallet: panics", stats.panics);
        tally.set("wallet: holds expired", stats.expired);
        tally.set("cache: hits", stats.cache_hits);
        tally.set("cache: misses", stats.cache_misses);
        tally.set("cache: failures", stats.cache_failures);
        print_line(&tally.line());
        if has_ended {
            return;
        }
    }
}
