use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use super::queue::Take;
use super::reservation::Reservation;
use super::shared::Shared;
use super::ticket::Ticket;
use super::{Answer, WalletError};
use crate::ledger::{Decided, Outcome};
use crate::request::{Batch, Unanswered};
use crate::runtime::yield_once;
use crate::store::{StoreError, StoreErrorKind};

/// Takes batches from the queue and commits them, until the queue is closed and
/// empty.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let now = shared.clock.now();
        match shared
            .queue
            .take(shared.store.limits(), &shared.settings, now)
        {
            Take::Batch(tickets) => {
                let reservation = Arc::new(Reservation::new(&tickets));
                commit(&shared, tickets, &reservation).await;
                reservation.end(&shared.queue);
                // Callers that were answered may join the next batch.
                yield_once().await;
            }
            Take::Nothing(pause) => {
                let news = shared.queue.news.notified();
                match pause {
                    Some(pause) => {
                        let sleep = shared.clock.sleep(pause);
                        let (news, sleep) = (std::pin::pin!(news), std::pin::pin!(sleep));
                        match select(news, sleep).await {
                            Either::Left(_) | Either::Right(_) => {}
                        }
                    }
                    None => news.await,
                }
                shared.queue.awake();
            }
            Take::End => return,
        }
    }
}

/// The number of consecutive conflicts before a batch is split. A faster commit has
/// finished by then. A remaining conflict means that another transaction has locked
/// a row.
const CONFLICTS_MAX: u32 = 3;

/// Commits a batch. The batch is split when a single request may be the cause: the
/// store refuses its data, its stored row cannot be read, or another transaction
/// has locked its row.
async fn commit(shared: &Arc<Shared>, tickets: Vec<Ticket>, reservation: &Arc<Reservation>) {
    let mut parts = vec![(tickets, 0)];
    let mut blocked = Blocked::default();
    while let Some((part, mut failures)) = parts.pop() {
        let mut part = blocked.keep_back(part);
        if part.is_empty() {
            continue;
        }
        let failure = match transact(shared, &mut part, reservation, &mut failures).await {
            Ok(decided) => {
                answer(shared, part, decided, &mut blocked);
                continue;
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Panicked => {
                for ticket in part {
                    let error = ticket.indeterminate();
                    ticket.answer(Err(error));
                }
            }
            Failure::Store(error) if part.len() > 1 && may_split(error.kind()) => {
                shared.stats.splits.add(1);
                let rest = part.split_off(part.len().div_euclid(2));
                // The first half is on top, because it is decided first.
                parts.push((rest, failures));
                parts.push((part, failures));
            }
            Failure::Store(error) => {
                if error.kind() == StoreErrorKind::Corrupt {
                    shared.stats.damaged.add(1);
                }
                let error = WalletError::Store(Arc::new(error));
                for ticket in part {
                    ticket.fail(error.clone());
                }
            }
        }
    }
    shared.queue.put_back(blocked.tickets);
}

/// Requests of a batch that return to the queue.
#[derive(Default)]
struct Blocked {
    /// The tickets, in the order in which they were taken.
    tickets: Vec<Ticket>,
    unanswered: Unanswered,
}

impl Blocked {
    fn push(&mut self, ticket: Ticket) {
        self.unanswered.note(&ticket.request);
        self.tickets.push(ticket);
    }

    /// Returns a part of the batch without the requests that must wait for a
    /// blocked request of their own call.
    fn keep_back(&mut self, part: Vec<Ticket>) -> Vec<Ticket> {
        let mut rest = Vec::with_capacity(part.len());
        for mut ticket in part {
            if self.unanswered.holds_back(&ticket.request) {
                ticket.is_taken = false;
                self.push(ticket);
            } else {
                rest.push(ticket);
            }
        }
        rest
    }
}

/// Whether a single request of a batch may be the cause. If all would fail alike, a
/// split would only multiply the load of a failing store.
const fn may_split(kind: StoreErrorKind) -> bool {
    match kind {
        StoreErrorKind::Invalid | StoreErrorKind::Corrupt | StoreErrorKind::Conflict => true,
        StoreErrorKind::Unavailable | StoreErrorKind::Indeterminate | StoreErrorKind::Internal => {
            false
        }
    }
}

/// The reason why a batch got no answer.
enum Failure {
    /// The last attempt did not commit.
    Store(StoreError),
    /// The result is unknown.
    Panicked,
}

/// Submits a batch until the store answers, with backoff, as often as the settings
/// allow. The same retry settles an unknown commit, because the keys are read after
/// the locks. Tickets that an attempt may have committed are marked.
async fn transact(
    shared: &Arc<Shared>,
    tickets: &mut [Ticket],
    reservation: &Arc<Reservation>,
    failures: &mut u32,
) -> Result<Vec<Decided>, Failure> {
    let requests = tickets
        .iter()
        .map(|ticket| Arc::clone(&ticket.request))
        .collect();
    let mut batch = Batch::with_max_ahead(requests, shared.max_ahead());
    // A part of a batch has only some of the accounts.
    if tickets.len() == reservation.len() {
        let (reservation, shared) = (Arc::clone(reservation), Arc::clone(shared));
        batch = batch.on_locks_acquired(move || reservation.release_accounts(&shared.queue));
    }
    let batch = Arc::new(batch);
    let mut is_unknown = false;
    let mut conflicts = 0_u32;
    // A part of a batch has had these conflicts already.
    let is_part = tickets.len() < reservation.len();
    let conflicts_max = if is_part { 1 } else { CONFLICTS_MAX };
    loop {
        shared.stats.batches.add(1);
        let work = shared.store.transact(Arc::clone(&batch));
        let Ok(answer) = AssertUnwindSafe(work).catch_unwind().await else {
            shared.stats.panics.add(1);
            return Err(Failure::Panicked);
        };
        let error = match answer {
            Ok(committed) => {
                if is_unknown {
                    shared.stats.settled.add(1);
                }
                shared.committed(&committed.decided);
                shared.signal.notify();
                return Ok(committed.decided);
            }
            Err(error) => error,
        };
        shared.failed(&error);
        conflicts = match error.kind() {
            StoreErrorKind::Conflict => conflicts.saturating_add(1),
            StoreErrorKind::Unavailable => 0,
            StoreErrorKind::Indeterminate => {
                is_unknown = true;
                for ticket in &mut *tickets {
                    ticket.is_unknown = true;
                }
                0
            }
            StoreErrorKind::Invalid | StoreErrorKind::Corrupt | StoreErrorKind::Internal => {
                return Err(Failure::Store(error));
            }
        };
        *failures = failures.saturating_add(1);
        let is_kept = tickets.len() > 1 && conflicts >= conflicts_max;
        if is_kept || *failures >= shared.settings.tries_max.max(1) {
            return Err(Failure::Store(error));
        }
        shared.stats.retries.add(1);
        shared
            .clock
            .sleep(shared.settings.retry.pause(*failures))
            .await;
    }
}

/// Whether the recorded outcome is the request's own, from a commit with an unknown
/// result.
fn is_own(ticket: &Ticket, outcome: &Outcome) -> bool {
    ticket.is_unknown && ticket.request.made(outcome)
}

/// Answers each caller. Requests with accounts that could not be locked return to
/// the queue.
fn answer(shared: &Shared, tickets: Vec<Ticket>, decided: Vec<Decided>, blocked: &mut Blocked) {
    let made = tickets.iter().zip(&decided);
    shared.note_outcomes(made.filter_map(|(ticket, decided)| match decided {
        Decided::Fresh(outcome) => Some(&**outcome),
        Decided::Replayed(outcome) => is_own(ticket, outcome).then_some(&**outcome),
        Decided::IdempotencyMismatch | Decided::Blocked | Decided::ClockBehind { .. } => None,
    }));
    let mut decided = decided.into_iter();
    for mut ticket in tickets {
        let Some(decided) = decided.next() else {
            // The store returned too few answers. Dropping the ticket answers with the
            // known facts.
            drop(ticket);
            continue;
        };
        match decided {
            Decided::Fresh(outcome) => ticket.answer(Ok(Answer {
                outcome,
                replayed: false,
            })),
            Decided::Replayed(outcome) => {
                let replayed = !is_own(&ticket, &outcome);
                ticket.answer(Ok(Answer { outcome, replayed }));
            }
            Decided::IdempotencyMismatch => ticket.answer(Err(WalletError::IdempotencyMismatch)),
            Decided::ClockBehind { ahead_micros } => {
                shared.stats.clock_behind.add(1);
                ticket.answer(Err(WalletError::ClockBehind { ahead_micros }));
            }
            Decided::Blocked if blocked.unanswered.holds_back(&ticket.request) => {
                // The request waits for a request of its own call, which is tried again.
                ticket.is_taken = false;
                blocked.push(ticket);
            }
            Decided::Blocked => {
                // Without the locks, the keys that were read prove nothing. An unknown
                // result stays unknown.
                ticket.blocked = ticket.blocked.saturating_add(1);
                if ticket.blocked >= shared.settings.tries_max.max(1) {
                    let context = "an account is locked by somebody else, or an earlier item of \
                                   the bulk request has no outcome";
                    let error = StoreError::new(StoreErrorKind::Conflict, context);
                    ticket.fail(error.into());
                } else {
                    shared.stats.blocked.add(1);
                    let pause = shared.settings.retry.pause(ticket.blocked);
                    ticket.not_before = shared.clock.now().saturating_add(pause);
                    ticket.is_taken = false;
                    blocked.push(ticket);
                }
            }
        }
    }
}
