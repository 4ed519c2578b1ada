use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use tokio::sync::oneshot;
use wallet_core::history::Backfill;
use wallet_core::store::{CommitSignal, LedgerStore, Outbox};
use wallet_core::verify::reconcile::Reconciler;
use wallet_core::{
    AccountId, Command, Currency, IdempotencyKey, Leg, Money, OpenAccount, Owner, Policy,
    PostTransfer, Request, SystemClock, Wallet,
};
use wallet_events::{Projector, Relay, RelaySettings};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use super::emulator::Emulator;
use super::memory;
use crate::args::HistoryLoad;
use crate::{Result, clock};

/// The rows of one bare call, and the number of calls in flight.
const ROWS: usize = 25;
const CALLS: usize = 16;
/// Rows that are written bare between two reads.
const CHUNK: usize = 5_000;
/// Requests that are submitted together.
const TOGETHER: usize = 1_000;

type Item = std::collections::HashMap<String, AttributeValue>;

/// The figures of a projection.
#[derive(Debug, Default, Serialize)]
pub(super) struct Projection {
    entries: u32,
    turns: u32,
    accounts: u32,
    /// Entries per second from the outbox into history.
    projected_per_sec: f64,
    /// Entries per second from the ledger's entries into an empty history.
    rebuilt_per_sec: f64,
    /// Entries per second of the same rows by bare calls.
    bare_per_sec: f64,
    /// Rows, including those that record the progress of an account.
    rows: u64,
    requests: u64,
    rebuild_requests: u64,
    bare_requests: u64,
    /// Memory of this process during the projection, and before it.
    peak_mb: u64,
    before_mb: u64,
    /// Differences between ledger and history.
    differences: u64,
    missing: u64,
}

/// The total times of all turns.
#[derive(Debug, Default)]
struct Times {
    projected: Duration,
    rebuilt: Duration,
    bare: Duration,
}

/// Each turn makes new accounts with payments. It measures their projection into an empty
/// table, the same rows written by bare calls, and a rebuild of the history from the
/// ledger.
pub(super) async fn measure(load: &HistoryLoad) -> Result<Projection> {
    let folder = tempfile::tempdir_in(&load.folder)?;
    let mut projection = Projection {
        turns: load.turns,
        accounts: load.accounts,
        ..Projection::default()
    };
    let mut times = Times::default();
    for turn in 0..load.turns {
        // Each turn has its own file and emulator, so that all have the same size.
        let file = folder.path().join(format!("{turn}.db"));
        let settings = SqliteSettings::new(file);
        let store = SqliteStore::open(&settings, Arc::new(SystemClock))?;
        let turn = Turn {
            store: Arc::new(store),
            emulator: Emulator::start(),
            entries: load.entries.div_ceil(load.turns),
        };
        turn.pay(load.accounts).await?;
        turn.project(&mut projection, &mut times).await?;
        turn.bare(&mut projection, &mut times).await?;
        turn.rebuild(&mut projection, &mut times).await?;
    }
    projection.projected_per_sec = rate(projection.entries, times.projected);
    projection.rebuilt_per_sec = rate(projection.entries, times.rebuilt);
    projection.bare_per_sec = rate(projection.entries, times.bare);
    Ok(projection)
}

/// Submits requests in groups. All of them at once would take more memory than the
/// projection itself.
async fn submit(
    wallet: &Wallet,
    mut requests: impl Iterator<Item = Result<Request>>,
) -> Result<()> {
    loop {
        let some = requests.by_ref().take(TOGETHER);
        let some: Vec<Request> = some.collect::<Result<_>>()?;
        if some.is_empty() {
            return Ok(());
        }
        for answer in wallet.submit_all_raw(some).await {
            let answer = answer?;
            answer
                .accepted()
                .map_err(|refused| format!("refused: {refused:?}"))?;
        }
    }
}

struct Turn {
    store: Arc<SqliteStore>,
    emulator: Emulator,
    entries: u32,
}

impl Turn {
    /// Accounts that pay each other at random.
    async fn pay(&self, accounts: u32) -> Result<()> {
        let wallet = Wallet::builder(Arc::<SqliteStore>::clone(&self.store)).spawn()?;
        let currency = Currency::iso("EUR")?;
        // The number 0 would be the nil id.
        let id = |number: u32| AccountId::new(uuid::Uuid::from_u128(1 << 64 | u128::from(number)));
        let opened = (0..accounts).map(|number| {
            let open = OpenAccount::new(Owner::new("bench")?, currency).with_id(id(number));
            let open = open.with_policy(Policy::Unlimited);
            request(&format!("open-{number}"), open)
        });
        submit(&wallet, opened).await?;
        let mut rng = fastrand::Rng::with_seed(11);
        let paid = (0..self.entries.div_ceil(2)).map(|number| {
            let from = rng.u32(..accounts);
            let step = rng.u32(1..accounts);
            let to = from.saturating_add(step).checked_rem(accounts).unwrap_or(0);
            let money = Money::minor(i128::from(rng.u32(1..10_000)), currency)?;
            let pay = PostTransfer::new(vec![Leg::new(id(from), id(to), money)]);
            request(&format!("pay-{number}"), pay)
        });
        submit(&wallet, paid).await?;
        wallet.shutdown().await;
        Ok(())
    }

    /// Projects the outbox into history, as a server does it.
    async fn project(&self, projection: &mut Projection, times: &mut Times) -> Result<()> {
        self.emulator.table("projected").await?;
        let history = self.emulator.history("projected")?;
        let ledger: Arc<dyn LedgerStore> = Arc::<SqliteStore>::clone(&self.store);
        let outbox: Arc<dyn Outbox> = Arc::<SqliteStore>::clone(&self.store);
        let projector = Arc::new(Projector::new(Arc::clone(&history), Arc::clone(&ledger)));
        let mut settings = RelaySettings::new("bench");
        settings.system_accounts = true;
        settings.calls_max = Projector::CALLS;
        let publisher = Arc::<Projector>::clone(&projector);
        let relay = Relay::builder(
            Arc::clone(&outbox),
            Arc::clone(&ledger),
            publisher,
            Arc::new(SystemClock),
            settings,
        );
        let relay = relay.signal(CommitSignal::default()).build()?;
        let (stop, stopped) = oneshot::channel();
        memory::begin()?;
        let (_, before) = memory::highest_and_now()?;
        let requests = self.emulator.requests();
        let begin = clock::now();
        let task = tokio::spawn(async move {
            relay.run(async { drop(stopped.await) }).await;
        });
        while projector.stats().lines < u64::from(self.entries) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        add(&mut times.projected, begin);
        let requests = self.emulator.requests().saturating_sub(requests);
        let (peak, _) = memory::highest_and_now()?;
        while outbox.depth().await?.rows > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.send(()).map_err(|()| "the relay has ended")?;
        task.await?;
        projection.requests = projection.requests.saturating_add(requests);
        projection.peak_mb = projection.peak_mb.max(peak);
        projection.before_mb = projection.before_mb.max(before);
        let reconciler = Reconciler::new(ledger.as_ref()).with_history(history.as_ref());
        let report = reconciler.run(&mut |_| ()).await?;
        let tally = report.history.unwrap_or_default();
        let entries = u32::try_from(tally.same)?;
        projection.entries = projection.entries.saturating_add(entries);
        projection.differences = projection.differences.saturating_add(report.found);
        projection.missing = projection.missing.saturating_add(tally.behind);
        Ok(())
    }

    /// Writes the projected rows into another table by bare calls.
    async fn bare(&self, projection: &mut Projection, times: &mut Times) -> Result<()> {
        self.emulator.table("bare").await?;
        let client = &self.emulator.client;
        let pages = client.scan().table_name("projected").into_paginator();
        let mut pages = pages.send();
        let (mut items, mut is_last) = (Vec::new(), false);
        while !is_last {
            match pages.next().await {
                Some(page) => items.extend(page?.items.unwrap_or_default()),
                None => is_last = true,
            }
            if items.len() < CHUNK && !is_last {
                continue;
            }
            let items = std::mem::take(&mut items);
            projection.rows = projection.rows.saturating_add(u64::try_from(items.len())?);
            let requests = self.emulator.requests();
            let begin = clock::now();
            self.write(items).await?;
            add(&mut times.bare, begin);
            let requests = self.emulator.requests().saturating_sub(requests);
            projection.bare_requests = projection.bare_requests.saturating_add(requests);
        }
        Ok(())
    }

    async fn write(&self, items: Vec<Item>) -> Result<()> {
        let mut calls: Vec<Vec<Item>> = Vec::new();
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            calls.push(items.by_ref().take(ROWS).collect());
        }
        let calls = calls.into_iter().map(|items| async {
            let mut requests = Vec::with_capacity(items.len());
            for item in items {
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                requests.push(WriteRequest::builder().put_request(put).build());
            }
            let call = self.emulator.client.batch_write_item();
            let answer = call.request_items("bare", requests).send().await?;
            if answer
                .unprocessed_items
                .is_some_and(|left| !left.is_empty())
            {
                return Err("rows were not processed".into());
            }
            Result::Ok(())
        });
        let calls = stream::iter(calls).buffer_unordered(CALLS);
        calls.try_collect::<()>().await
    }

    /// Rebuilds an empty history from the ledger's entries.
    async fn rebuild(&self, projection: &mut Projection, times: &mut Times) -> Result<()> {
        self.emulator.table("rebuilt").await?;
        let history = self.emulator.history("rebuilt")?;
        let requests = self.emulator.requests();
        let begin = clock::now();
        let backfill = Backfill::new(history.as_ref(), self.store.as_ref());
        let report = backfill.run(&mut |_| ()).await?;
        add(&mut times.rebuilt, begin);
        let requests = self.emulator.requests().saturating_sub(requests);
        projection.rebuild_requests = projection.rebuild_requests.saturating_add(requests);
        let left = u64::from(self.entries).saturating_sub(report.written);
        projection.missing = projection.missing.saturating_add(left);
        Ok(())
    }
}

fn add(time: &mut Duration, begin: Instant) {
    let passed = clock::now().saturating_duration_since(begin);
    *time = time.saturating_add(passed);
}

fn request(key: &str, command: impl Into<Command>) -> Result<Request> {
    Ok(Request::new(IdempotencyKey::parse("bench", key)?, command))
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn rate(count: u32, length: Duration) -> f64 {
    f64::from(count) / length.as_secs_f64()
}

impl Projection {
    /// Whether history equals the ledger.
    pub(super) const fn is_whole(&self) -> bool {
        self.differences == 0 && self.missing == 0
    }

    #[expect(clippy::float_arithmetic, reason = "figures for people")]
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} entries in {} turns, {} accounts in each; {} rows",
            self.entries, self.turns, self.accounts, self.rows
        );
        for (what, per_sec, requests) in [
            ("bare calls", self.bare_per_sec, self.bare_requests),
            ("projection", self.projected_per_sec, self.requests),
            ("rebuilding", self.rebuilt_per_sec, self.rebuild_requests),
        ] {
            let ratio = per_sec / self.bare_per_sec;
            let _ = writeln!(
                text,
                "{what:<12} {per_sec:>10.0} entries/s  {ratio:.2}  {requests:>8} requests"
            );
        }
        let verdict = if self.is_whole() { "yes" } else { "NO" };
        let _ = writeln!(
            text,
            "memory of this process: at most {} MB while it projected, {} MB before; verified: {verdict}",
            self.peak_mb, self.before_mb
        );
        text
    }
}
