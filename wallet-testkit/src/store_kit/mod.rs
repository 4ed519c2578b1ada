use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Factory, Kit, SeededIds, StoreEnds};
use wallet_core::ledger::{Decided, RecordKey, SettlementShards};
use wallet_core::request::{Batch, BulkRequest, PreparedRequest};
use wallet_core::store::{Committed, LedgerStore, Outbox, StoreErrorKind};
use wallet_core::verify::Violation;
use wallet_core::{Command, IdempotencyKey, Outcome, Receipt, Rejection, Request, StoreError};

pub(crate) use answers::{fresh, is_cancelled_with_its_bulk, key, record_key, replayed};

mod answers;

/// The greatest number of retries before a store counts as failed.
const ATTEMPTS_MAX: usize = 10_000;
/// The number of times that a store may be too busy.
const BUSY_MAX: usize = 50;
/// The seed of the kit's ids and keys.
const SEED: u64 = 0x006B_6974;

/// One store under test with all that drives it, which every case gets. It is the
/// [`Kit`] of the store too.
#[derive(Debug)]
pub struct StoreKit {
    kit: Kit<StoreEnds>,
    ids: SeededIds,
    /// The prefix that makes the keys of two kits different.
    name: &'static str,
    keys: AtomicU64,
    acknowledged: Mutex<BTreeMap<RecordKey, Arc<Outcome>>>,
}

impl Deref for StoreKit {
    type Target = Kit<StoreEnds>;

    fn deref(&self) -> &Kit<StoreEnds> {
        &self.kit
    }
}

impl StoreKit {
    /// Builds a fresh store of `factory` and a clock at
    /// [`ManualClock::START`](super::ManualClock::START).
    pub async fn new(factory: Arc<dyn Factory<StoreEnds>>) -> Self {
        Self::of_store(Kit::new(factory).await)
    }

    /// The kit of a store that is open.
    pub(crate) fn of_store(kit: Kit<StoreEnds>) -> Self {
        Self::with(kit, SEED, "auto")
    }

    /// A kit of another process on the same store. Prints a note where only one
    /// process can open it.
    pub async fn another(&self) -> Option<Self> {
        let kit = self.kit.another().await?;
        Some(Self::with(kit, SEED + 1, "another"))
    }

    fn with(kit: Kit<StoreEnds>, seed: u64, name: &'static str) -> Self {
        Self {
            kit,
            ids: SeededIds::new(seed),
            name,
            keys: AtomicU64::new(0),
            acknowledged: Mutex::default(),
        }
    }

    /// The ledger store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn LedgerStore> {
        Arc::clone(&self.port().store)
    }

    /// The outbox of the store.
    #[must_use]
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::clone(&self.port().outbox)
    }

    /// Closes the store and reopens it, where possible. Where it is not, the case
    /// goes on with the open store.
    pub async fn reopen(&self) {
        self.kit.reopen_quietly().await;
    }

    /// Prepares `request`, with one settlement shard each.
    #[must_use]
    pub fn prepare(&self, request: Request) -> Arc<PreparedRequest> {
        self.prepare_with(request, &SettlementShards::new())
    }

    /// Prepares `request` with this many settlement shards.
    #[must_use]
    pub fn prepare_with(
        &self,
        request: Request,
        shards: &SettlementShards,
    ) -> Arc<PreparedRequest> {
        Arc::new(PreparedRequest::new(request, &self.ids, shards).expect("a valid request"))
    }

    /// Prepares the items of `bulk`, with one settlement shard each.
    #[must_use]
    pub fn prepare_items(&self, bulk: BulkRequest) -> Vec<Arc<PreparedRequest>> {
        let items = PreparedRequest::bulk(bulk, &self.ids, &SettlementShards::new());
        let items = items.expect("a valid bulk request");
        items.into_iter().map(Arc::new).collect()
    }

    /// A new key of the kit.
    pub fn fresh_key(&self) -> IdempotencyKey {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        key(&format!("{}-{number}", self.name))
    }

    /// Passes `requests` to the store once, as one batch.
    ///
    /// # Errors
    /// The errors of [`LedgerStore::transact`].
    pub async fn try_transact(
        &self,
        requests: Vec<Arc<PreparedRequest>>,
    ) -> Result<Committed, StoreError> {
        let batch = Arc::new(Batch::new(requests));
        let asked = batch.requests().len();
        let committed = self.store().transact(Arc::clone(&batch)).await?;
        assert_eq!(committed.decided.len(), asked, "one answer per request");
        for (request, decided) in batch.requests().iter().zip(&committed.decided) {
            if !is_cancelled_with_its_bulk(request, decided) {
                self.acknowledge(request.key(), decided);
            }
        }
        Ok(committed)
    }

    /// Commits `requests` in as few batches as the store's limits allow, and
    /// returns one answer each. It decides again after a conflict, and resubmits
    /// blocked requests, as the service does.
    pub async fn transact(&self, requests: Vec<Arc<PreparedRequest>>) -> Vec<Decided> {
        let mut answers: Vec<Option<Decided>> = vec![None; requests.len()];
        let mut busy = 0;
        for _ in 0..ATTEMPTS_MAX {
            let open = answers.iter().enumerate().filter(|(_, a)| a.is_none());
            let open: Vec<usize> = open.map(|(index, _)| index).collect();
            if open.is_empty() {
                return answers.into_iter().flatten().collect();
            }
            let taken = self.cut(&requests, &open);
            let batch = taken.iter().map(|index| Arc::clone(&requests[*index]));
            match self.try_transact(batch.collect()).await {
                Ok(committed) => {
                    for (index, decided) in taken.into_iter().zip(committed.decided) {
                        if !matches!(decided, Decided::Blocked) {
                            answers[index] = Some(decided);
                        }
                    }
                }
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) if error.kind() == StoreErrorKind::Unavailable && busy < BUSY_MAX => {
                    busy += 1;
                }
                Err(error) => panic!("the store failed: {error}"),
            }
            std::thread::yield_now();
        }
        panic!("the store did not decide in {ATTEMPTS_MAX} attempts");
    }

    /// The open requests that fit into one transaction.
    fn cut(&self, requests: &[Arc<PreparedRequest>], open: &[usize]) -> Vec<usize> {
        let limits = self.store().limits();
        let mut total = wallet_core::request::Cost::default();
        let mut taken = Vec::new();
        for index in open {
            let cost = requests[*index].cost();
            total.rows += cost.rows;
            total.bytes += cost.bytes;
            if !taken.is_empty() && (taken.len() >= limits.requests || !limits.admit(total)) {
                break;
            }
            taken.push(*index);
        }
        taken
    }

    /// Commits one request.
    pub async fn submit(&self, request: Request) -> Decided {
        let prepared = self.prepare(request);
        let mut decided = self.transact(vec![prepared]).await;
        decided.pop().expect("one answer")
    }

    /// Commits commands under a fresh key.
    pub async fn decide(&self, commands: Vec<Command>) -> Arc<Outcome> {
        let request = Request::of_many(self.fresh_key(), commands);
        fresh(self.submit(request).await)
    }

    /// Commits one command under a fresh key. It must be accepted.
    pub async fn accept(&self, command: impl Into<Command>) -> Receipt {
        let outcome = self.decide(vec![command.into()]).await;
        match &outcome.result {
            Ok(receipts) => {
                assert_eq!(receipts.len(), 1, "one receipt per command");
                receipts[0].clone()
            }
            Err(rejected) => panic!("rejected: {rejected}"),
        }
    }

    /// Commits one command under a fresh key. It must be refused.
    pub async fn refuse(&self, command: impl Into<Command>) -> Rejection {
        let outcome = self.decide(vec![command.into()]).await;
        match &outcome.result {
            Ok(receipts) => panic!("accepted: {receipts:?}"),
            Err(rejected) => rejected.rejection,
        }
    }

    /// Every outcome that the store acknowledged to this kit.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<(RecordKey, Arc<Outcome>)> {
        let acknowledged = self.lock_acknowledged();
        let pairs = acknowledged.iter();
        pairs
            .map(|(key, outcome)| (*key, Arc::clone(outcome)))
            .collect()
    }

    /// Forgets acknowledged outcomes, for use after a purge.
    pub fn forget_acknowledged(&self) {
        self.lock_acknowledged().clear();
    }

    /// The violations of the ledger, the outbox and the acknowledged outcomes.
    pub async fn violations(&self, with_outbox: bool) -> Vec<Violation> {
        let ends = self.port();
        let acknowledged = self.acknowledged();
        let outbox = with_outbox.then_some(ends.outbox.as_ref());
        super::violations(ends.store.as_ref(), outbox, &acknowledged)
            .await
            .expect("the books can be read")
    }

    fn acknowledge(&self, key: RecordKey, decided: &Decided) {
        if let Decided::Fresh(outcome) | Decided::Replayed(outcome) = decided {
            let mut acknowledged = self.lock_acknowledged();
            let first = acknowledged
                .entry(key)
                .or_insert_with(|| Arc::clone(outcome));
            assert_eq!(first, outcome, "one key, one outcome: {key}");
        }
    }

    fn lock_acknowledged(&self) -> MutexGuard<'_, BTreeMap<RecordKey, Arc<Outcome>>> {
        let acknowledged = &self.acknowledged;
        acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
