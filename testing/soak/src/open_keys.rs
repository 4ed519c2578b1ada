//! A transaction of another program that holds the next keys of one caller. Only this
//! caller may wait for it: what others send in the same batches is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wallet_aurora::sqlx::{Connection, MySqlConnection};
use wallet_aurora::{AuroraSettings, AuroraStore, HostTransaction};
use wallet_core::ledger::SettlementShards;
use wallet_core::request::PreparedRequest;
use wallet_core::runtime::Uuid7;
use wallet_core::{OpenAccount, Owner, Request};

use crate::plan::{self, Place};
use crate::world::World;
use crate::{Result, acks};

/// How many of the caller's rounds are held.
const ROUNDS: u32 = 8;
/// How long the host must have been without an answer for a violation.
const LONG: Duration = Duration::from_secs(2);
/// How long the transaction may take to get the keys.
const BEGINNING: Duration = Duration::from_secs(10);

/// The transaction, open until [`OpenKeys::end`].
#[derive(Debug)]
pub(crate) struct OpenKeys {
    host: usize,
    caller: u16,
    since: Instant,
    answers_before: u64,
    end: oneshot::Sender<()>,
    running: JoinHandle<Result<()>>,
}

impl OpenKeys {
    /// Writes the next keys of a caller of `host` with other contents, and does not
    /// commit.
    pub(crate) async fn begin(world: &World, host: usize, amount: u64) -> Result<Self> {
        let (url, number) = (world.database_url(), world.hosts[host].number());
        let caller = u16::try_from(amount % u64::from(world.args.callers))?;
        let next = acks::next_rounds(world.hosts[host].acks())?;
        let next = next.get(&caller).copied().unwrap_or(0);
        let places = (next..next.saturating_add(ROUNDS)).map(|round| Place {
            host: number,
            caller,
            round,
        });
        let requests = places.map(opening).collect();
        let (opened, is_open) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(hold(url, requests, opened, ended));
        if !matches!(timeout(BEGINNING, is_open).await, Ok(Ok(()))) {
            running.abort();
            return Err("no transaction got the keys".into());
        }
        Ok(Self {
            host,
            caller,
            since: now(),
            answers_before: answers(world, host),
            end,
            running,
        })
    }

    /// A host that answered nobody meanwhile.
    pub(crate) fn violation(&self, world: &World) -> Option<String> {
        let lasted = now().duration_since(self.since);
        let is_silent = answers(world, self.host) == self.answers_before;
        (lasted >= LONG && is_silent && world.args.callers > 1).then(|| {
            let (host, caller) = (self.host, self.caller);
            format!("host {host} answered nobody while keys of its caller {caller} were open")
        })
    }

    /// Rolls back.
    pub(crate) async fn end(self) {
        let _ = self.end.send(());
        // A database that was killed meanwhile has rolled it back.
        let _ = self.running.await;
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the time that a fault lasted, which no rule of the ledger depends on"
)]
fn now() -> Instant {
    Instant::now()
}

/// A new account under a caller's key, which the caller uses for something else. The
/// transaction locks no account that anybody uses.
fn opening(place: Place) -> Result<Request> {
    let open = OpenAccount::new(Owner::new("elsewhere")?, plan::eur()?);
    Ok(Request::new(place.key()?, open))
}

async fn hold(
    url: String,
    requests: Vec<Result<Request>>,
    opened: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
) -> Result<()> {
    let store = AuroraStore::open(&AuroraSettings::new(url.clone())).await?;
    let mut prepared = Vec::new();
    for request in requests {
        let shards = SettlementShards::new();
        prepared.push(Arc::new(PreparedRequest::new(request?, &Uuid7, &shards)?));
    }
    let mut connection = MySqlConnection::connect(&url).await?;
    let mut transaction = HostTransaction::begin(&mut connection).await?;
    let _applied = store.apply_in_raw(&mut transaction, &prepared).await?;
    let _ = opened.send(());
    let _ = ended.await;
    Ok(transaction.rollback().await?)
}

/// How many requests the host has answered.
fn answers(world: &World, host: usize) -> u64 {
    let counts = world.hosts[host].counts();
    let answers = counts
        .iter()
        .filter(|(name, _)| name.starts_with("answers: ") && !name.contains("given up"));
    answers.map(|(_, count)| count).sum()
}
