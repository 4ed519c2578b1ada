//! An active relay, from taking the partition to losing or leaving it. All that
//! waits is in one set of steps, so that one task does everything in an order
//! that depends on nothing but what they answer.

mod publish;
mod read;
mod record;
mod renew;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use wallet_core::ledger::{AccountKey, Epochs};
use wallet_core::messaging::{PublishError, Published};
use wallet_core::store::{Lease, OutboxError, OutboxRow, ParkedEvent, RowProgress};
use wallet_core::{Account, StoreError};

use super::call::Flight;
use super::hand::Hand;
use super::intake::Intake;
use super::{Core, Stop};

/// How often parked events are looked at, and rows that are done in part are
/// marked.
const TEND: Duration = Duration::from_secs(1);

/// After how many steps the others of the host's runtime have their turn.
const YIELDS: u32 = 64;

/// How a session ended.
pub(super) enum End {
    /// It was asked to.
    Stopped,
    /// The lease is somebody else's, or may be.
    Lost,
}

type Told<T> = Result<T, OutboxError>;

/// What was waited for.
enum Step {
    Opened(Told<BTreeSet<AccountKey>>),
    /// At most so many rows.
    Claimed(u32, Told<Vec<OutboxRow>>),
    Found(
        Vec<AccountKey>,
        Result<(Vec<Option<Account>>, Option<Epochs>), StoreError>,
    ),
    Called(Vec<Flight>, Result<Vec<Published>, PublishError>),
    /// The pause of a group is over, of so many openings ago.
    Paused(u64, AccountKey),
    Parked(ParkedEvent, Told<()>),
    Marked(Vec<RowProgress>, Told<()>),
    Looked(Told<Vec<ParkedEvent>>),
    Renewed(u64, Told<Lease>),
    /// The lease as it was renewed so many times ends soon.
    Ends(u64),
    /// The pause after an outage is over.
    Rested,
    Renew,
    Poll,
    Tend,
    News(wallet_core::store::CommitWatch),
    Stop,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The parked events are read and what waits behind them is opened.
    Opening,
    Working,
    /// Calls end, then everything is read again: a parking has ended.
    Closing,
}

/// What is under way at most once.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is about a call of its own"
)]
struct Busy {
    opening: bool,
    claiming: bool,
    asking: bool,
    marking: bool,
    looking: bool,
    renewing: bool,
    calls: usize,
    parks: usize,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each stops something of its own"
)]
pub(super) struct Session<'a> {
    core: &'a Core,
    lease: Lease,
    /// How often it was renewed; 0 before the first time.
    renewals: u64,
    phase: Phase,
    /// How often everything was read from the beginning.
    openings: u64,
    /// How many events a row has, about.
    events_per_row: usize,
    busy: Busy,
    steps: FuturesUnordered<BoxFuture<'a, Step>>,
    hand: Hand,
    intake: Intake,
    /// Progress that could not be marked yet.
    unmarked: Vec<RowProgress>,
    /// Events that could not be parked yet.
    unparked: Vec<ParkedEvent>,
    /// Whether something may be new in the outbox.
    has_news: bool,
    /// Whether everything done is to be marked, and not finished rows only.
    flushes: bool,
    /// How many calls in a row have failed as a whole: then one at a time is
    /// tried, with pauses.
    outages: u32,
    is_resting: bool,
    is_halted: bool,
    is_stopping: bool,
    waits: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(core: &'a Core, lease: Lease, stop: Stop<'a>) -> Self {
        let mut session = Self {
            core,
            lease,
            renewals: 0,
            phase: Phase::Opening,
            openings: 0,
            events_per_row: 1_000,
            busy: Busy::default(),
            steps: FuturesUnordered::new(),
            hand: Hand::default(),
            intake: Intake::default(),
            unmarked: Vec::new(),
            unparked: Vec::new(),
            has_news: true,
            flushes: false,
            outages: 0,
            is_resting: false,
            is_halted: false,
            is_stopping: false,
            waits: false,
        };
        session.push(stop.map(|()| Step::Stop));
        session.push(news(core.signal.watch()));
        session.sleep(core.settings.poll, Step::Poll);
        session.sleep(TEND, Step::Tend);
        // What the lease says was asked for some time ago: a fresh one tells when
        // it ends by our own clock.
        session.renew();
        session
    }

    pub(super) async fn run(mut self) -> End {
        let mut taken: u32 = 0;
        loop {
            self.advance();
            let events = u64::try_from(self.hand.events()).unwrap_or(u64::MAX);
            self.core.stats.in_hand.set(events);
            if self.is_stopping && self.is_idle() && !self.waits {
                return self.leave().await;
            }
            let Some(step) = self.steps.next().await else {
                return End::Lost;
            };
            taken = taken.wrapping_add(1);
            if taken.is_multiple_of(YIELDS) {
                // A publisher may never wait: then this is all that others get.
                yield_once().await;
            }
            if self.take(step).is_err() {
                return End::Lost;
            }
        }
    }

    async fn leave(self) -> End {
        if let Err(error) = self.core.outbox.release(&self.lease).await {
            self.core.store_failed(&error);
        }
        End::Stopped
    }

    fn push(&mut self, step: impl Future<Output = Step> + Send + 'a) {
        self.steps.push(step.boxed());
    }

    fn sleep(&mut self, pause: Duration, then: Step) {
        let sleep = self.core.clock.sleep(pause);
        self.push(sleep.map(|()| then));
    }

    /// Whether nothing is under way that changes anything.
    const fn is_idle(&self) -> bool {
        let busy = &self.busy;
        let has_calls = busy.calls > 0 || busy.parks > 0;
        !(busy.opening || busy.claiming || busy.marking || busy.looking || has_calls)
    }

    /// Begins all that can be begun.
    fn advance(&mut self) {
        if self.renewals == 0 {
            return;
        }
        if self.phase == Phase::Working && !self.is_stopping {
            self.claim();
            self.call();
        }
        self.mark();
        if self.is_stopping || !self.is_idle() || self.waits {
            return;
        }
        if self.phase == Phase::Closing {
            self.hand = Hand::default();
            self.intake.clear();
            self.phase = Phase::Opening;
        }
        if self.phase == Phase::Opening {
            self.open();
        }
    }

    /// Takes what was waited for. An error is the loss of the lease.
    fn take(&mut self, step: Step) -> Result<(), Lost> {
        match step {
            Step::Opened(told) => self.opened(told)?,
            Step::Claimed(limit, told) => self.claimed(limit, told)?,
            Step::Found(asked, told) => self.found(&asked, told),
            Step::Called(flights, told) => self.called(&flights, told),
            Step::Paused(opening, account) if opening == self.openings => {
                self.hand.let_go(account);
            }
            Step::Parked(event, told) => self.parked(event, told)?,
            Step::Marked(progress, told) => self.marked(progress, told)?,
            Step::Looked(told) => self.looked(told)?,
            Step::Renewed(renewal, told) => self.renewed(renewal, told)?,
            Step::Ends(renewal) if renewal == self.renewals => return Err(Lost),
            Step::Paused(..) | Step::Ends(_) => {}
            Step::Rested => self.is_resting = false,
            Step::Renew => self.renew(),
            Step::Poll => {
                self.has_news = true;
                self.waits = false;
                self.park_again();
                self.sleep(self.core.settings.poll, Step::Poll);
            }
            Step::Tend => self.tend(),
            Step::News(watch) => {
                self.has_news = true;
                self.push(news(watch));
            }
            Step::Stop => {
                self.is_stopping = true;
                self.flushes = true;
            }
        }
        Ok(())
    }

    /// What a call to the store says; none where it is tried again later.
    fn told<T>(&mut self, told: Told<T>) -> Result<Option<T>, Lost> {
        match told {
            Ok(told) => Ok(Some(told)),
            Err(OutboxError::LeaseLost) => Err(Lost),
            Err(error) => {
                self.core.store_failed(&error);
                self.waits = true;
                Ok(None)
            }
        }
    }
}

/// The lease is lost.
struct Lost;

async fn news(mut watch: wallet_core::store::CommitWatch) -> Step {
    watch.changed().await;
    Step::News(watch)
}

/// Lets others go first.
async fn yield_once() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
