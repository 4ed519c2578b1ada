//! The relay: publishes the events of the outbox.

mod call;
mod in_flight;
mod intake;
mod session;
mod settings;
mod stats;

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, select};
use wallet_core::ledger::{LockName, LockOwner};
use wallet_core::locks::LeaderHint;
use wallet_core::locks::LockManager;
use wallet_core::messaging::EventPublisher;
use wallet_core::runtime::Clock;
use wallet_core::store::{CommitSignal, Lease, LedgerStore, Outbox, OutboxDepth, OutboxError};

use crate::setting::SettingError;
use session::{End, Session};
pub use settings::RelaySettings;
use stats::Counters;
pub use stats::{RelayState, RelayStats};

/// The name of the relays' lock at the lock service.
const LOCK: &str = "wallet-relay";

/// Publishes the committed events, at least once and in order.
///
/// One relay of an outbox is active; the others are on standby and take over when its
/// lease ends. An event is published after every earlier one of its account, and marked
/// in the outbox once the publisher has accepted it. A crash between the two repeats the
/// event: consumers recognise it by its id.
///
/// - A failed event is retried without limit, with growing pauses. Later events of its
///   account wait; other accounts continue.
/// - An event that the publisher refuses, or that exceeds its limits, is parked. It is
///   listed in [`Outbox::parked`] and blocks only its account's events, until
///   [`Outbox::unpark`] skips it or sends it again.
/// - A row that cannot be read stops every row behind it: it comes from a later
///   release, or is damaged. [`RelayState::Halted`] names the row and the reason.
///
/// # Cost
/// The relay reads the outbox once for each commit that it is notified of, and once every
/// [`poll`](RelaySettings::poll). It makes one write for all rows that were finished
/// during the write before, and two writes per lease time. It queries the ledger for the
/// owners of accounts that it has not seen lately.
#[derive(Debug, Clone)]
pub struct Relay {
    core: Arc<Core>,
}

/// The parts that a relay works with.
#[derive(Debug)]
struct Core {
    outbox: Arc<dyn Outbox>,
    ledger: Arc<dyn LedgerStore>,
    publisher: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
    signal: CommitSignal,
    settings: RelaySettings,
    turn: Option<LeaderHint>,
    stats: Counters,
}

/// Builds a [`Relay`].
#[derive(Debug)]
pub struct RelayBuilder {
    outbox: Arc<dyn Outbox>,
    ledger: Arc<dyn LedgerStore>,
    publisher: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
    signal: CommitSignal,
    settings: RelaySettings,
    locks: Option<(Arc<dyn LockManager>, LockOwner)>,
}

impl RelayBuilder {
    /// The signal that notifies of commits: the one given to the
    /// [`Wallet`](wallet_core::service::WalletBuilder::signal) of this process. Without
    /// it commits are found by [polling](RelaySettings::poll).
    #[must_use]
    pub fn signal(mut self, signal: CommitSignal) -> Self {
        self.signal = signal;
        self
    }

    /// Standby relays query this lock service, and not the database, whether another
    /// relay is active. The lease still guards the outbox. If the lock service fails,
    /// they query the database.
    #[must_use]
    pub fn lock(mut self, locks: Arc<dyn LockManager>, owner: LockOwner) -> Self {
        self.locks = Some((locks, owner));
        self
    }

    /// The relay.
    ///
    /// # Errors
    /// [`SettingError`].
    pub fn build(self) -> Result<Relay, SettingError> {
        self.settings.validate()?;
        let name = LockName::new(LOCK).map_err(|_| SettingError("lock"))?;
        let turn = |(locks, owner)| LeaderHint::new(locks, name, owner);
        let core = Core {
            outbox: self.outbox,
            ledger: self.ledger,
            publisher: self.publisher,
            clock: self.clock,
            signal: self.signal,
            settings: self.settings,
            turn: self.locks.map(turn),
            stats: Counters::default(),
        };
        let core = Arc::new(core);
        Ok(Relay { core })
    }
}

impl Relay {
    /// A relay from `outbox` to `publisher`. It reads the owners of accounts from
    /// `ledger`.
    #[must_use]
    pub fn builder(
        outbox: Arc<dyn Outbox>,
        ledger: Arc<dyn LedgerStore>,
        publisher: Arc<dyn EventPublisher>,
        clock: Arc<dyn Clock>,
        settings: RelaySettings,
    ) -> RelayBuilder {
        RelayBuilder {
            outbox,
            ledger,
            publisher,
            clock,
            signal: CommitSignal::default(),
            settings,
            locks: None,
        }
    }

    /// Publishes until `stop` is ready; then finishes the calls in flight, marks the
    /// progress and releases the outbox. Failures are counted and retried after a
    /// pause; they never end the run.
    ///
    /// Dropping this future equals a crash: events may be published twice.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let core = self.core.as_ref();
        let stop: Stop<'_> = stop.boxed().shared();
        while stop.peek().is_none() {
            let Some(lease) = core.acquire().await else {
                let pause = core.settings.lease.checked_div(4).unwrap_or_default();
                core.rest(pause, stop.clone()).await;
                continue;
            };
            core.stats.takeovers.add(1);
            let session = pin!(Session::new(core, lease, stop.clone()).run());
            let end = match select(session, pin!(core.keep_turn())).await {
                Either::Left((end, _)) => end,
                Either::Right((never, _)) => match never {},
            };
            core.pass_turn().await;
            core.stats.state(RelayState::Standby);
            match end {
                End::Stopped => return,
                End::Lost => core.rest(core.settings.poll, stop.clone()).await,
            }
        }
    }

    /// The stats so far.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.core.stats.snapshot()
    }

    /// How much waits in its outbox.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        self.core.outbox.depth().await
    }
}

type Stop<'a> = Shared<BoxFuture<'a, ()>>;

impl Core {
    async fn acquire(&self) -> Option<Lease> {
        let settings = &self.settings;
        if let Some(turn) = &self.turn
            && self.soon(turn.take(settings.lease)).await == Some(false)
        {
            return None;
        }
        let taken = self.outbox.acquire(&settings.owner, settings.lease).await;
        let lease = taken.unwrap_or_else(|error| {
            self.store_failed(&error);
            None
        });
        if lease.is_none() {
            // Another relay may reach the database.
            self.pass_turn().await;
        }
        lease
    }

    /// Works for as long as this relay owns the outbox.
    async fn keep_turn(&self) -> Infallible {
        let Some(turn) = &self.turn else {
            return pending().await;
        };
        loop {
            let pause = self.settings.lease.checked_div(3).unwrap_or_default();
            self.clock.sleep(pause).await;
            turn.take(self.settings.lease).await;
        }
    }

    async fn pass_turn(&self) {
        if let Some(turn) = &self.turn {
            self.soon(turn.pass()).await;
        }
    }

    /// The answer of the lock service; `None` if it takes too long.
    async fn soon<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        let patience = self.clock.sleep(self.settings.poll);
        match select(pin!(asked), patience).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    fn store_failed(&self, error: &OutboxError) {
        self.stats.store_failures.add(1);
        self.stats.failure(error);
    }

    async fn rest(&self, pause: Duration, stop: Stop<'_>) {
        match select(self.clock.sleep(pause), stop).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}
