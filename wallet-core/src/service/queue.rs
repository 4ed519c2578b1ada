use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashSet;
use tokio::sync::Notify;

use super::selection::{Bounds, Selection};
use super::ticket::Ticket;
use super::{Settings, WalletError};
use crate::ledger::Timestamp;
use crate::request::{PreparedRequest, Resource, Unanswered};
use crate::store::Limits;

/// The number of blocked requests that are passed over to fill one batch, in
/// batches. Paused requests do not count: they stall no other request, and the
/// queue's capacity bounds them.
const SCAN_BATCHES: usize = 8;
/// The smallest batch when committers share work. The fixed cost of a commit is
/// about that of this many requests.
const SHARE_MIN: usize = 32;

/// The waiting requests, and the resources of the batches in flight.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    /// Notified when there is work for an idle committer.
    pub(super) news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Ticket>,
    under_way: FxHashSet<Resource>,
    /// The resources of multi-request calls in batches in flight.
    calls_under_way: Unanswered,
    /// The number of requests in batches in flight.
    taken: usize,
    /// The number of batches in flight.
    batches: usize,
    /// Whether the queue accepts no more requests.
    is_closed: bool,
    /// The number of committers that wait for work.
    idle: usize,
}

impl Inner {
    /// The number of requests that wait or are in batches in flight.
    fn all(&self) -> usize {
        self.waiting.len().saturating_add(self.taken)
    }

    /// The bounds of the next batch.
    ///
    /// Where committers work in parallel, the requests are divided into shares: one
    /// for each batch in flight, one for this batch, and one for the next ready
    /// committer. Otherwise one committer would take nearly all requests, and
    /// another would pay for a whole commit of a few.
    fn bounds(&self, limits: Limits, settings: &Settings) -> Bounds {
        let most = limits.requests.min(settings.batch_requests_max).max(1);
        let shares = settings.committers_max() > 1;
        let requests = if shares {
            let share = self.all().div_ceil(self.batches.saturating_add(2));
            most.min(share.max(SHARE_MIN))
        } else {
            most
        };
        Bounds {
            limits,
            requests,
            passed_over: most.saturating_mul(SCAN_BATCHES),
            shares,
        }
    }

    /// Reserves the resources of a new batch.
    fn reserve(&mut self, mut batch: Vec<Ticket>, shares: bool) -> Vec<Ticket> {
        self.taken = self.taken.saturating_add(batch.len());
        self.batches = self.batches.saturating_add(1);
        for ticket in &mut batch {
            ticket.is_taken = true;
            if shares {
                self.calls_under_way.note(&ticket.request);
                self.under_way.extend(ticket.request.resources());
            }
        }
        batch
    }

    /// Whether another batch may start.
    fn has_turn(&self, settings: &Settings) -> bool {
        self.batches < settings.committers_for(self.all())
    }
}

/// The work for a committer.
#[derive(Debug)]
pub(super) enum Take {
    /// Requests that may be committed together.
    Batch(Vec<Ticket>),
    /// No work now. Check again after this time at the latest.
    Nothing(Option<Duration>),
    /// No work, and none will come.
    End,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            news: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a request to the queue.
    pub(super) fn push(&self, ticket: Ticket, settings: &Settings) -> Result<(), WalletError> {
        let mut inner = self.inner();
        let refusal = if inner.is_closed {
            Some(WalletError::ShuttingDown)
        } else if inner.waiting.len() >= settings.queue_capacity {
            Some(WalletError::Overloaded)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            drop(inner);
            ticket.answer(Err(refusal.clone()));
            return Err(refusal);
        }
        inner.waiting.push_back(ticket);
        let wake = inner.idle > 0 && inner.has_turn(settings);
        drop(inner);
        if wake {
            self.news.notify_one();
        }
        Ok(())
    }

    /// Returns blocked requests to the front of the queue.
    pub(super) fn put_back(&self, tickets: Vec<Ticket>) {
        let mut inner = self.inner();
        for ticket in tickets.into_iter().rev() {
            inner.waiting.push_front(ticket);
        }
    }

    /// Takes the requests that may be committed together now, in order: see
    /// [`Selection`].
    pub(super) fn take(&self, limits: Limits, settings: &Settings, now: Timestamp) -> Take {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let is_end = inner.is_closed && inner.waiting.is_empty();
        if !is_end && !inner.has_turn(settings) {
            inner.idle = inner.idle.saturating_add(1);
            return Take::Nothing(None);
        }
        let bounds = inner.bounds(limits, settings);
        let mut selection = Selection::new(bounds, now, &inner.under_way, &inner.calls_under_way);
        while let Some(ticket) = inner.waiting.pop_front() {
            if selection.add(ticket).is_break() {
                break;
            }
        }
        let Selection {
            batch,
            stay,
            next_time,
            ..
        } = selection;
        for ticket in stay.into_iter().rev() {
            inner.waiting.push_front(ticket);
        }
        if batch.is_empty() {
            if is_end {
                // The next committer is notified too.
                self.news.notify_one();
                return Take::End;
            }
            inner.idle = inner.idle.saturating_add(1);
            return Take::Nothing(next_time.map(|time| time.since(now)));
        }
        let batch = inner.reserve(batch, bounds.shares);
        if inner.idle > 0 && !inner.waiting.is_empty() && inner.has_turn(settings) {
            self.news.notify_one();
        }
        Take::Batch(batch)
    }

    /// Makes a committer without work check again.
    pub(super) fn awake(&self) {
        let mut inner = self.inner();
        inner.idle = inner.idle.saturating_sub(1);
    }

    /// Releases the resources of a batch.
    pub(super) fn give_back(&self, resources: &[Resource]) {
        self.release(&mut self.inner(), resources);
    }

    /// Releases the resources of these requests at the end of their batch.
    pub(super) fn end(&self, resources: &[Resource], requests: &[Arc<PreparedRequest>]) {
        let mut inner = self.inner();
        for request in requests {
            inner.calls_under_way.forget(request);
        }
        inner.taken = inner.taken.saturating_sub(requests.len());
        inner.batches = inner.batches.saturating_sub(1);
        self.release(&mut inner, resources);
    }

    fn release(&self, inner: &mut Inner, resources: &[Resource]) {
        for resource in resources {
            inner.under_way.remove(resource);
        }
        if inner.idle > 0 {
            self.news.notify_one();
        }
    }

    /// Whether the queue takes no more requests.
    pub(super) fn is_closed(&self) -> bool {
        self.inner().is_closed
    }

    /// Stops accepting requests.
    pub(super) fn close(&self) {
        self.inner().is_closed = true;
        self.news.notify_one();
    }

    /// Stops accepting requests and answers the waiting ones, because the driver is
    /// gone.
    pub(super) fn abandon(&self) {
        self.close();
        let abandoned = std::mem::take(&mut self.inner().waiting);
        drop(abandoned);
    }

    pub(super) fn len(&self) -> usize {
        self.inner().waiting.len()
    }
}
