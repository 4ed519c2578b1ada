use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;
use tokio::sync::Notify;

use wallet_core::ledger::Decided;
use wallet_core::request::Batch;
use wallet_core::runtime::Clock;
use wallet_core::store::{Committed, LedgerStore, StoreErrorKind};
use wallet_core::{StoreError, Timestamp};

use super::bugs::{Circumstances, Sabotage};
use super::damage::Damage;
use super::faulty_port::planned;
use super::oracle::Oracle;
use super::under_way::{Locks, UnderWay};
use super::{Fault, FaultPlan, Trace};

/// The longest wait of a call for a commit in flight before a `Conflict`.
pub(super) const WAIT_MAX: Duration = Duration::from_millis(300);
/// The wait before a commit continues without locked rows.
const SKIP_AFTER: Duration = Duration::from_millis(50);
/// The interval of checks in a waiting call.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A store with the injected faults of a [`FaultPlan`]. Everything else is
/// forwarded.
///
/// A commit may still be in flight when its answer is lost
/// ([`Fault::CommitLater`]). It takes effect once [`run`](Self::run) is driven to
/// its time, or at [`settle`](Self::settle). Until then it locks its accounts and
/// keys. Commits that need them wait for a while and then fail with `Conflict`. If
/// the plan says so, they continue without the affected requests, which become
/// `Blocked`. Reading `records` waits too. With [`Fault::ArriveLater`] the keys are
/// not locked, since the store does not know them yet. Then reading `records` does
/// not wait, and finds nothing.
/// them yet: reading `records` does not wait, and finds nothing.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryStore;
/// use wallet_testkit::ManualClock;
/// use wallet_sim::{Fault, FaultyStore, ScriptedFaults};
///
/// let clock = Arc::new(ManualClock::default());
/// let store = Arc::new(MemoryStore::new(clock.clone()));
/// let faults = ScriptedFaults::new([Fault::LoseAnswer]);
/// let store = FaultyStore::new(store, clock, Arc::new(faults));
/// # drop(store);
/// ```
#[derive(Debug)]
pub struct FaultyStore {
    pub(super) inner: Arc<dyn LedgerStore>,
    clock: Arc<dyn Clock>,
    pub(super) plan: Arc<dyn FaultPlan>,
    under_way: UnderWay,
    more: Notify,
    trace: Option<Trace>,
    pub(super) sabotage: Option<Arc<dyn Sabotage>>,
    pub(super) oracle: Option<Arc<Oracle>>,
    pub(super) damage: Damage,
}

impl FaultyStore {
    /// A store around `inner` with the faults of `plan`.
    #[must_use]
    pub fn new(
        inner: Arc<dyn LedgerStore>,
        clock: Arc<dyn Clock>,
        plan: Arc<dyn FaultPlan>,
    ) -> Self {
        Self {
            inner,
            clock,
            plan,
            under_way: UnderWay::default(),
            more: Notify::new(),
            trace: None,
            sabotage: None,
            oracle: None,
            damage: Damage::default(),
        }
    }

    /// The same store, where an unreadable row fails reads of neighbouring rows.
    #[must_use]
    pub(super) const fn with_damage_that_spreads(mut self) -> Self {
        self.damage.spreads = true;
        self
    }

    /// The same store, with a record of its calls in `trace`.
    #[must_use]
    pub fn with_trace(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The same store with a planted bug.
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: Arc<dyn Sabotage>) -> Self {
        self.sabotage = Some(sabotage);
        self
    }

    /// The same store with an oracle.
    #[must_use]
    pub(super) fn with_oracle(mut self, oracle: Arc<Oracle>) -> Self {
        self.oracle = Some(oracle);
        self
    }

    /// Lets commits in flight take effect at their time. It never returns. Without
    /// a task that drives it, they stay in flight.
    pub async fn run(&self) {
        loop {
            match self.under_way.next_in(self.clock.now()) {
                None => self.more.notified().await,
                Some(wait) if wait.is_zero() => {
                    let now = self.clock.now();
                    self.land(|due| due <= now).await;
                }
                Some(wait) => {
                    // A new commit may be due earlier.
                    let more = pin!(self.more.notified());
                    select(self.clock.sleep(wait), more).await;
                }
            }
        }
    }

    /// Lets every commit in flight take effect now.
    pub async fn settle(&self) {
        while self.land(|_| true).await {}
    }

    /// Whether no commit is in flight.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.under_way.is_empty()
    }

    async fn land(&self, is_due: impl Fn(Timestamp) -> bool) -> bool {
        let Some(commit) = self.under_way.land(is_due) else {
            return false;
        };
        let result = self.forward(commit.batch, commit.circumstances).await;
        self.under_way.landed();
        let number = commit.number;
        match result {
            Ok(_) => self.note(format_args!("store: commit {number} takes effect")),
            Err(error) => self.note(format_args!("store: commit {number} fails late: {error}")),
        }
        true
    }

    pub(super) fn note(&self, line: fmt::Arguments<'_>) {
        if let Some(trace) = &self.trace {
            trace.note(line);
        }
    }

    async fn forward(
        &self,
        batch: Arc<Batch>,
        circumstances: Circumstances,
    ) -> Result<Committed, StoreError> {
        let inner = self.inner.as_ref();
        let Some(oracle) = &self.oracle else {
            return self.forward_to(inner, batch, circumstances).await;
        };
        // No other task runs before the answer is checked.
        let now = self.clock.now();
        let committed = self
            .forward_to(inner, Arc::clone(&batch), circumstances)
            .await?;
        oracle.committed(&batch, &committed.decided, now);
        Ok(committed)
    }

    async fn forward_to(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
        circumstances: Circumstances,
    ) -> Result<Committed, StoreError> {
        match &self.sabotage {
            Some(sabotage) => sabotage.transact(inner, batch, circumstances).await,
            None => inner.transact(batch).await,
        }
    }

    /// The locks of a batch: its keys, its accounts, and the accounts of its holds
    /// and transfers.
    async fn locks(&self, batch: &Batch) -> Result<Locks, StoreError> {
        let reads = batch.reads();
        let (mut holds, mut transfers) = (Vec::new(), Vec::new());
        if !reads.holds.is_empty() {
            let found = self.inner.holds(&reads.holds).await?;
            holds.extend(found.into_iter().flatten());
        }
        if !reads.transfers.is_empty() {
            let found = self.inner.transfers(&reads.transfers).await?;
            transfers.extend(found.into_iter().flatten());
        }
        Ok(Locks {
            accounts: reads.lock_set(&holds, &transfers).into_iter().collect(),
            keys: reads.keys.iter().copied().collect(),
        })
    }

    /// Waits for commits in flight.
    pub(super) async fn wait_for(&self, locks: &Locks, most: Duration) -> Result<(), StoreError> {
        let mut waited = Duration::ZERO;
        while self.under_way.keeps(locks) {
            if waited >= most {
                let context = "a commit under way keeps the rows";
                return Err(StoreError::new(StoreErrorKind::Conflict, context));
            }
            self.clock.sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
        Ok(())
    }

    pub(super) async fn commit(
        &self,
        batch: Arc<Batch>,
        fault: Fault,
    ) -> Result<Committed, StoreError> {
        let early = self.sabotage.as_ref();
        let early = early.and_then(|sabotage| sabotage.read_early(&batch));
        let is_rest = false;
        let circumstances = Circumstances { early, is_rest };
        match fault {
            Fault::Refuse(kind) => return Err(planned(kind)),
            Fault::Abandon => {
                if let Some(sabotage) = &self.sabotage {
                    sabotage.roll_back(&batch);
                }
                return Err(planned(StoreErrorKind::Indeterminate));
            }
            Fault::Delay(delay) => self.clock.sleep(delay).await,
            Fault::None
            | Fault::DelayAnswer(_)
            | Fault::LoseAnswer
            | Fault::CommitLater(_)
            | Fault::ArriveLater(_) => {}
        }
        self.damage.check_batch(&batch)?;
        let mut locks = self.locks(&batch).await?;
        let skips = self.plan.skips_kept();
        let most = if skips { SKIP_AFTER } else { WAIT_MAX };
        match self.wait_for(&locks, most).await {
            Ok(()) => {}
            Err(_) if skips => return self.commit_rest(&batch, circumstances).await,
            Err(error) => return Err(error),
        }
        if let Fault::CommitLater(delay) | Fault::ArriveLater(delay) = fault {
            if matches!(fault, Fault::ArriveLater(_)) {
                locks.keys.clear();
            }
            let due = self.clock.now().saturating_add(delay);
            let number = self.under_way.add(batch, circumstances, locks, due);
            self.more.notify_one();
            self.note(format_args!(
                "store: commit {number} is under way until {due}"
            ));
            return Err(planned(StoreErrorKind::Indeterminate));
        }
        let committed = self.forward(batch, circumstances).await?;
        match fault {
            Fault::LoseAnswer => return Err(planned(StoreErrorKind::Indeterminate)),
            Fault::DelayAnswer(delay) => self.clock.sleep(delay).await,
            Fault::None
            | Fault::Delay(_)
            | Fault::Refuse(_)
            | Fault::Abandon
            | Fault::CommitLater(_)
            | Fault::ArriveLater(_) => {}
        }
        Ok(committed)
    }

    /// Commits the requests that need no lock of a commit in flight. The others are
    /// `Blocked`.
    async fn commit_rest(
        &self,
        batch: &Batch,
        circumstances: Circumstances,
    ) -> Result<Committed, StoreError> {
        let mut rest = Vec::new();
        let mut is_free = Vec::new();
        for request in batch.requests() {
            let alone = Batch::new(vec![Arc::clone(request)]);
            let is_locked = self.under_way.keeps(&self.locks(&alone).await?);
            if !is_locked {
                rest.push(Arc::clone(request));
            }
            is_free.push(!is_locked);
        }
        self.note(format_args!("store: {} of them go on", rest.len()));
        let rest = Arc::new(Batch::with_max_ahead(rest, batch.max_ahead()));
        let circumstances = Circumstances {
            is_rest: true,
            ..circumstances
        };
        let committed = self.forward(rest, circumstances).await?;
        let mut decided = committed.decided.into_iter();
        let decided = is_free.into_iter().map(|is_free| {
            let answer = if is_free { decided.next() } else { None };
            answer.unwrap_or(Decided::Blocked)
        });
        Ok(Committed {
            decided: decided.collect(),
        })
    }

    /// Injects the fault of a probe.
    pub(super) async fn fail_probe(&self) -> Result<(), StoreError> {
        match self.plan.on_commit() {
            Fault::Refuse(kind) => Err(planned(kind)),
            Fault::Abandon | Fault::LoseAnswer | Fault::CommitLater(_) | Fault::ArriveLater(_) => {
                Err(planned(StoreErrorKind::Indeterminate))
            }
            Fault::Delay(delay) | Fault::DelayAnswer(delay) => {
                self.clock.sleep(delay).await;
                Ok(())
            }
            Fault::None => Ok(()),
        }
    }

    /// Reads with the injected faults of a read.
    pub(super) async fn read<T>(
        &self,
        read: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fault = self.plan.on_read();
        match fault {
            Fault::Refuse(kind) => return Err(planned(kind)),
            Fault::Delay(delay) => self.clock.sleep(delay).await,
            _ => {}
        }
        let result = read.await;
        if let Fault::DelayAnswer(delay) = fault {
            self.clock.sleep(delay).await;
        }
        result
    }
}
