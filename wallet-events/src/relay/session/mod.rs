//! The session of an active relay, from taking the outbox to losing or leaving it. All
//! pending futures are in one set of steps. One task handles them, so the order depends
//! only on their answers.

mod publish;
mod read;
mod record;
mod renew;
mod state;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use wallet_core::ledger::{AccountKey, Epochs};
use wallet_core::messaging::{DeliveryError, Published};
use wallet_core::store::{Lease, OutboxError, OutboxRow, ParkedEvent, RowProgress};
use wallet_core::{Account, StoreError};

use state::{Busy, Phase, Publishing, Reading};

use super::call::Flight;
use super::in_flight::InFlight;
use super::intake::Intake;
use super::{Core, Stop};

/// How often the parked events are checked, and partly completed rows are marked.
const TEND: Duration = Duration::from_secs(1);

/// The number of steps after which the task yields to the host's runtime.
const YIELDS: u32 = 64;

/// How a session ended.
pub(super) enum End {
    /// The host asked it to stop.
    Stopped,
    /// The lease belongs to another relay, or may.
    Lost,
}

type Answer<T> = Result<T, OutboxError>;

/// The result of a pending future.
enum Step {
    Opened(Answer<BTreeSet<AccountKey>>),
    /// The claim limit, and the claimed rows.
    Claimed(u32, Answer<Vec<OutboxRow>>),
    Found(
        Vec<AccountKey>,
        Result<(Vec<Option<Account>>, Option<Epochs>), StoreError>,
    ),
    Called(Vec<Flight>, Result<Vec<Published>, DeliveryError>),
    /// The pause of a group is over; the number is the opening that it belongs to.
    Paused(u64, AccountKey),
    Parked(ParkedEvent, Answer<()>),
    Marked(Vec<RowProgress>, Answer<()>),
    Looked(Answer<Vec<ParkedEvent>>),
    Renewed(u64, Answer<Lease>),
    /// The lease of this renewal ends soon.
    Ends(u64),
    /// The pause after an outage is over.
    Rested,
    Renew,
    Poll,
    Tend,
    News(wallet_core::store::CommitWatch),
    Stop,
}

pub(super) struct Session<'a> {
    core: &'a Core,
    lease: Lease,
    /// How often it was renewed; 0 before the first time.
    renewals: u64,
    phase: Phase,
    /// How often everything was read from the beginning.
    openings: u64,
    /// The average number of events of a row.
    events_per_row: usize,
    busy: Busy,
    steps: FuturesUnordered<BoxFuture<'a, Step>>,
    in_flight: InFlight,
    intake: Intake,
    /// Progress that could not be marked yet.
    unmarked: Vec<RowProgress>,
    /// Events that could not be parked yet.
    unparked: Vec<ParkedEvent>,
    reading: Reading,
    publishing: Publishing,
    /// Whether all progress is to be marked, and not only finished rows.
    flushes: bool,
    /// A call to the store failed: the session waits for the next poll.
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
            in_flight: InFlight::default(),
            intake: Intake::default(),
            unmarked: Vec::new(),
            unparked: Vec::new(),
            reading: Reading::Behind,
            publishing: Publishing::Open,
            flushes: false,
            waits: false,
        };
        session.push(stop.map(|()| Step::Stop));
        session.push(news(core.signal.watch()));
        session.sleep(core.settings.poll, Step::Poll);
        session.sleep(TEND, Step::Tend);
        // The lease was taken some time ago. A renewal shows by this process's clock when
        // the lease ends.
        session.renew();
        session
    }

    pub(super) async fn run(mut self) -> End {
        let mut taken: u32 = 0;
        loop {
            self.advance();
            let events = u64::try_from(self.in_flight.events()).unwrap_or(u64::MAX);
            self.core.stats.in_flight.set(events);
            if self.phase == Phase::Stopping && self.busy.is_idle() && !self.waits {
                return self.leave().await;
            }
            let Some(step) = self.steps.next().await else {
                return End::Lost;
            };
            taken = taken.wrapping_add(1);
            if taken.is_multiple_of(YIELDS) {
                // A publisher may never wait: without this yield other tasks would not
                // run.
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

    /// Starts every operation that can start.
    fn advance(&mut self) {
        if self.renewals == 0 {
            return;
        }
        if self.phase == Phase::Working {
            self.claim();
            self.call();
        }
        self.mark();
        if self.phase == Phase::Stopping || !self.busy.is_idle() || self.waits {
            return;
        }
        if self.phase == Phase::Closing {
            self.in_flight = InFlight::default();
            self.intake.clear();
            self.phase = Phase::Opening;
        }
        if self.phase == Phase::Opening {
            self.open();
        }
    }

    /// Handles the result of a step. An error means that the lease is lost.
    fn take(&mut self, step: Step) -> Result<(), Lost> {
        match step {
            Step::Opened(answer) => self.opened(answer)?,
            Step::Claimed(limit, answer) => self.claimed(limit, answer)?,
            Step::Found(asked, answer) => self.found(&asked, answer),
            Step::Called(flights, answer) => self.called(&flights, answer),
            Step::Paused(opening, account) if opening == self.openings => {
                self.in_flight.let_go(account);
            }
            Step::Parked(event, answer) => self.parked(event, answer)?,
            Step::Marked(progress, answer) => self.marked(progress, answer)?,
            Step::Looked(answer) => self.looked(answer)?,
            Step::Renewed(renewal, answer) => self.renewed(renewal, answer)?,
            Step::Ends(renewal) if renewal == self.renewals => return Err(Lost),
            Step::Paused(..) | Step::Ends(_) => {}
            Step::Rested => self.publishing.rested(),
            Step::Renew => self.renew(),
            Step::Poll => {
                self.reading.note_news();
                self.waits = false;
                self.park_again();
                self.sleep(self.core.settings.poll, Step::Poll);
            }
            Step::Tend => self.tend(),
            Step::News(watch) => {
                self.reading.note_news();
                self.push(news(watch));
            }
            Step::Stop => {
                self.phase = Phase::Stopping;
                self.flushes = true;
            }
        }
        Ok(())
    }

    /// The answer of a call to the store; `None` if the call is retried later.
    fn answered<T>(&mut self, answer: Answer<T>) -> Result<Option<T>, Lost> {
        match answer {
            Ok(value) => Ok(Some(value)),
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

/// Yields to other tasks once.
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
