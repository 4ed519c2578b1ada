//! The relay: how fast it empties an outbox, what it costs the ledger beside it, and how
//! soon after a commit an event is published.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wallet_core::SystemClock;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::store::{CommitSignal, Outbox};
use wallet_events::{Relay, RelaySettings};

use crate::args::Load;
use crate::measure::{Figures, Tally};
use crate::pattern::Picker;
use crate::store::{Site, Subject};
use crate::store_kind::StoreKind;
use crate::wallet::Loaded;
use crate::{Result, clock};

/// How many transfers are made one by one to measure the delay of each.
const SINGLE: u32 = 500;
/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(10);

/// The figures.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    store: StoreKind,
    server: Option<String>,
    callers: u32,
    accounts: u32,
    seconds: u32,
    /// Transfers per second without a relay.
    alone_per_sec: f64,
    /// Events in the outbox after that.
    waiting: u64,
    /// How fast the relay published those events, without other load.
    drained_per_sec: f64,
    /// Transfers per second beside a running relay.
    beside_per_sec: f64,
    /// Events per second that it published meanwhile.
    published_per_sec: f64,
    /// From the answer to a caller to the call of the publisher, at a hundred
    /// transfers per second.
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// Looks into the outbox per second with nothing to do.
    idle_looks_per_sec: f64,
    /// How often the relay took the outbox; more than twice means that it lost the lease.
    takeovers: u64,
    /// Events published in the whole run, and events that were due.
    published: u64,
    due: u64,
    /// Whether both are equal.
    verified: bool,
}

/// A publisher that discards each message at once and counts it.
#[derive(Debug, Default)]
struct Nobody {
    count: AtomicU64,
    /// The time of the event of each group, if it is measured.
    seen: Mutex<Option<HashMap<String, Instant>>>,
}

#[async_trait]
impl EventPublisher for Nobody {
    fn limits(&self) -> PublisherLimits {
        // The limits of SQS FIFO.
        PublisherLimits {
            messages: 10,
            bytes: 1_048_576,
            keeps_order: false,
        }
    }

    async fn publish(
        &self,
        messages: &[Message],
    ) -> std::result::Result<Vec<Published>, DeliveryError> {
        let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        self.count.fetch_add(count, Ordering::Relaxed);
        if let Some(seen) = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            let now = clock::now();
            seen.extend(messages.iter().map(|message| (message.id.clone(), now)));
        }
        let answers = vec![Published::Done; messages.len()];
        Ok(answers)
    }
}

/// A running relay.
struct Running {
    relay: Relay,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Bench<'r> {
    load: Load,
    runtime: &'r Runtime,
    subject: Box<dyn Subject>,
    loaded: Loaded,
    picker: Picker,
    signal: CommitSignal,
    nobody: Arc<Nobody>,
}

/// Measures all of it, one after the other.
pub(crate) fn run(load: &Load, runtime: &Runtime) -> Result<Report> {
    let site = Site::prepare(load)?;
    let subject = site.open("ledger", runtime)?;
    let signal = CommitSignal::default();
    let tally = Arc::new(Tally::default());
    let ledgers = vec![subject.ledger()];
    let loaded = Loaded::prepare(ledgers, load, load.accounts, signal.clone(), &tally);
    let mut bench = Bench {
        load: load.clone(),
        runtime,
        loaded: runtime.block_on(loaded)?,
        subject,
        picker: Picker::new(load.pattern, load.accounts),
        signal,
        nobody: Arc::new(Nobody::default()),
    };
    // The events of opening and funding the accounts.
    let running = bench.start()?;
    bench.drained()?;
    bench.end(running)?;

    let alone = bench.transfers()?;
    let waiting = alone.acknowledged.saturating_mul(2);
    let before = bench.nobody.count.load(Ordering::Relaxed);
    let running = bench.start()?;
    let begin = clock::now();
    bench.until(before.saturating_add(waiting));
    let drained = clock::now().saturating_duration_since(begin);
    bench.drained()?;

    let before = bench.nobody.count.load(Ordering::Relaxed);
    let beside = bench.transfers()?;
    let published = bench
        .nobody
        .count
        .load(Ordering::Relaxed)
        .saturating_sub(before);
    bench.drained()?;
    let delays = bench.single()?;
    let looks = running.relay.stats().claims;
    runtime.block_on(async { tokio::time::sleep(Duration::from_secs(2)).await });
    let looks = running.relay.stats().claims.saturating_sub(looks);
    let takeovers = running.relay.stats().takeovers;
    bench.end(running)?;
    runtime.block_on(bench.loaded.shutdown());

    let accounts = u64::from(load.accounts);
    let transfers = [alone.acknowledged, beside.acknowledged, u64::from(SINGLE)];
    let transfers = transfers.into_iter().fold(accounts, u64::saturating_add);
    let due = transfers.saturating_mul(2);
    Ok(Report {
        store: load.store,
        server: site.profile().map(str::to_owned),
        callers: load.callers,
        accounts: load.accounts,
        seconds: load.seconds,
        alone_per_sec: alone.summary().transfers_per_sec,
        waiting,
        drained_per_sec: rate(waiting, drained),
        beside_per_sec: beside.summary().transfers_per_sec,
        published_per_sec: rate(published, load.measured()),
        p50_ms: millis(delays.value_at_quantile(0.5)),
        p99_ms: millis(delays.value_at_quantile(0.99)),
        max_ms: millis(delays.max()),
        idle_looks_per_sec: rate(looks, Duration::from_secs(2)),
        takeovers,
        published: bench.nobody.count.load(Ordering::Relaxed),
        due,
        verified: bench.nobody.count.load(Ordering::Relaxed) == due,
    })
}

impl Bench<'_> {
    fn outbox(&self) -> Arc<dyn Outbox> {
        self.subject.outbox()
    }

    fn start(&self) -> Result<Running> {
        let publisher: Arc<dyn EventPublisher> = Arc::<Nobody>::clone(&self.nobody);
        let relay = Relay::builder(
            self.outbox(),
            self.subject.ledger(),
            publisher,
            Arc::new(SystemClock),
            RelaySettings::new("bench"),
        );
        let relay = relay.signal(self.signal.clone()).build()?;
        let (stop, stopped) = oneshot::channel();
        let at_work = relay.clone();
        let task = self.runtime.spawn(async move {
            let stop = async {
                stopped.await.ok();
            };
            at_work.run(stop).await;
        });
        Ok(Running { relay, stop, task })
    }

    fn end(&self, running: Running) -> Result<()> {
        running.stop.send(()).map_err(|()| "the relay has ended")?;
        Ok(self.runtime.block_on(running.task)?)
    }

    fn transfers(&mut self) -> Result<Figures> {
        let mut figures = Figures::new()?;
        let tally = Arc::new(Tally::default());
        let (callers, length) = (self.load.callers, self.load.measured());
        let run = self
            .loaded
            .run(callers, &self.picker, length, &tally, &mut figures);
        self.runtime.block_on(run)?;
        match &figures.problem {
            None => Ok(figures),
            Some(problem) => Err(problem.clone().into()),
        }
    }

    /// Waits until this many events were published.
    fn until(&self, count: u64) {
        self.runtime.block_on(async {
            while self.nobody.count.load(Ordering::Relaxed) < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }

    /// Waits until nothing is left in the outbox.
    fn drained(&self) -> Result<()> {
        let outbox = self.outbox();
        self.runtime.block_on(async {
            while outbox.depth().await?.rows > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        })
    }

    /// Makes one transfer after the other, with pauses. Returns the delay from each
    /// answer to its publication, in microseconds.
    fn single(&mut self) -> Result<Histogram<u64>> {
        let all = |seen| {
            let mut slot = self
                .nobody
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *slot, seen)
        };
        all(Some(HashMap::new()));
        let loaded = &self.loaded;
        let picker = &self.picker;
        let answers: Result<Vec<(String, Instant)>> = self.runtime.block_on(async {
            let mut answers = Vec::new();
            let mut rng = fastrand::Rng::new();
            for _ in 0..SINGLE {
                tokio::time::sleep(PAUSE).await;
                answers.push(loaded.one(picker, &mut rng).await?);
            }
            Ok(answers)
        });
        let answers = answers?;
        self.drained()?;
        let seen = all(None).unwrap_or_default();
        let mut delays = Histogram::new(3)?;
        for (id, answered) in answers {
            let published = seen.get(&id).ok_or("an event was not published")?;
            let delay = published.saturating_duration_since(answered).as_micros();
            delays.record(u64::try_from(delay)?)?;
        }
        Ok(delays)
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn rate(count: u64, length: Duration) -> f64 {
    count as f64 / length.as_secs_f64()
}

#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

impl Report {
    /// Whether every event was published once.
    pub(crate) fn is_verified(&self) -> bool {
        self.verified
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The figures as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "\n{}: {} callers, {} accounts, {} s\n\n",
            self.store, self.callers, self.accounts, self.seconds
        );
        if let Some(server) = &self.server {
            let _ = writeln!(text, "the server: {server}\n");
        }
        let lines = [
            ("transfers/s without a relay", self.alone_per_sec),
            ("transfers/s beside the relay", self.beside_per_sec),
            ("events/s beside the ledger", self.published_per_sec),
            ("events/s from a full outbox", self.drained_per_sec),
            ("looks/s with nothing to do", self.idle_looks_per_sec),
        ];
        for (what, figure) in lines {
            let _ = writeln!(text, "{what:<30} {figure:>10.0}");
        }
        let _ = writeln!(
            text,
            "answer to publication at 100/s: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
            self.p50_ms, self.p99_ms, self.max_ms
        );
        let verdict = if self.verified { "yes" } else { "NO" };
        let (published, due) = (self.published, self.due);
        let _ = writeln!(
            text,
            "{published} of {due} events published, takeovers: {}; verified: {verdict}",
            self.takeovers
        );
        text
    }
}
