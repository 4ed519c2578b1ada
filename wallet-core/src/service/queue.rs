use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashSet;
use tokio::sync::Notify;

use super::ticket::Ticket;
use super::{Settings, WalletError};
use crate::ledger::Timestamp;
use crate::request::{Cost, Prepared, Resource, Unanswered};
use crate::store::Limits;

/// How many requests that wait for a batch under way are passed over to fill one
/// batch, in batches. Those that pause are not counted: however many they are,
/// they stall nobody, and the queue's capacity bounds them.
const SCAN_BATCHES: usize = 8;
/// Below so many requests a batch is not cut for another committer's sake: what a
/// commit costs by itself is about as much as so many requests.
const SHARE_MIN: usize = 32;

/// Requests that wait, and what the batches under way touch.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    /// Told when there is something new for an idle committer.
    pub(super) news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Ticket>,
    under_way: FxHashSet<Resource>,
    /// What calls of several requests have in batches under way.
    calls_under_way: Unanswered,
    /// How many requests are in batches under way.
    taken: usize,
    /// How many batches are under way.
    batches: usize,
    /// No more requests are accepted.
    is_closed: bool,
    /// Committers that wait for news.
    idle: usize,
}

impl Inner {
    /// Requests that wait or are in batches under way.
    fn all(&self) -> usize {
        self.waiting.len().saturating_add(self.taken)
    }

    /// Whether another batch may be under way.
    fn has_turn(&self, settings: &Settings) -> bool {
        self.batches < settings.committers_for(self.all())
    }
}

/// What a committer found.
#[derive(Debug)]
pub(super) enum Found {
    /// Requests that may be committed together.
    Batch(Vec<Ticket>),
    /// Nothing for now; look again after this long at the latest.
    Nothing(Option<Duration>),
    /// Nothing, and nothing will come.
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

    /// Appends a request.
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

    /// Puts blocked requests back where they were: in front.
    pub(super) fn put_back(&self, tickets: Vec<Ticket>) {
        let mut inner = self.inner();
        for ticket in tickets.into_iter().rev() {
            inner.waiting.push_front(ticket);
        }
    }

    /// Takes what may be committed together now, in order.
    ///
    /// A request that touches what a batch under way touches stays, and so do
    /// later ones that touch what it touches. One that pauses keeps back only
    /// its own key, and what comes behind it in its own call and touches the same: what
    /// blocks it is foreign and must not stall its neighbours.
    ///
    /// Where committers work beside each other, all requests make one share for each
    /// batch under way, one for this batch, and one that waits for whoever is ready
    /// next: else one has nearly all of them and another pays for whole commits of a few.
    pub(super) fn take(&self, limits: Limits, settings: &Settings, now: Timestamp) -> Found {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let is_end = inner.is_closed && inner.waiting.is_empty();
        if !is_end && !inner.has_turn(settings) {
            inner.idle = inner.idle.saturating_add(1);
            return Found::Nothing(None);
        }
        let all = inner.all();
        let most = limits.requests.min(settings.batch_requests_max).max(1);
        let passed_over_max = most.saturating_mul(SCAN_BATCHES);
        let shares = settings.committers_max() > 1;
        let most = if shares {
            let share = all.div_ceil(inner.batches.saturating_add(2));
            most.min(share.max(SHARE_MIN))
        } else {
            most
        };
        let mut kept_back: FxHashSet<Resource> = FxHashSet::default();
        let mut unanswered = Unanswered::default();
        let mut batch = Vec::new();
        let mut keys: FxHashSet<Resource> = FxHashSet::default();
        let mut cost = Cost::default();
        let mut stay = VecDeque::new();
        let mut next_time: Option<Timestamp> = None;
        let mut passed_over = 0_usize;
        while let Some(ticket) = inner.waiting.pop_front() {
            let key = Resource::Key(ticket.request.key());
            let bulk = ticket.request.bulk_key();
            if ticket.not_before > now {
                let at = ticket.not_before;
                next_time = Some(next_time.map_or(at, |time| time.min(at)));
                kept_back.insert(key);
                kept_back.extend(bulk);
                unanswered.note(&ticket.request);
                stay.push_back(ticket);
                continue;
            }
            let waits_for_its_call = unanswered.holds_back(&ticket.request)
                || inner.calls_under_way.holds_back(&ticket.request);
            let is_busy = |resource: &Resource| {
                inner.under_way.contains(resource) || kept_back.contains(resource)
            };
            if waits_for_its_call
                || keys.contains(&key)
                || is_busy(&key)
                || bulk.as_ref().is_some_and(is_busy)
            {
                // It is to be a replay of the first, or an item behind one that
                // waits: nothing but the items behind it, and what comes behind it in its
                // call, waits for it.
                kept_back.insert(key);
                kept_back.extend(bulk);
                unanswered.note(&ticket.request);
                stay.push_back(ticket);
            } else if shares && ticket.request.resources().any(|one| is_busy(&one)) {
                passed_over = passed_over.saturating_add(1);
                kept_back.extend(ticket.request.resources());
                stay.push_back(ticket);
            } else {
                let sum = cost.plus(ticket.request.cost());
                if !batch.is_empty() && !limits.admit(sum) {
                    stay.push_back(ticket);
                    break;
                }
                cost = sum;
                keys.insert(key);
                batch.push(ticket);
            }
            if batch.len() >= most || passed_over >= passed_over_max {
                break;
            }
        }
        while let Some(ticket) = stay.pop_back() {
            inner.waiting.push_front(ticket);
        }
        if batch.is_empty() {
            if is_end {
                // The next committer learns it too.
                self.news.notify_one();
                return Found::End;
            }
            inner.idle = inner.idle.saturating_add(1);
            return Found::Nothing(next_time.map(|time| time.since(now)));
        }
        inner.taken = inner.taken.saturating_add(batch.len());
        inner.batches = inner.batches.saturating_add(1);
        for ticket in &mut batch {
            ticket.is_taken = true;
            if shares {
                inner.calls_under_way.note(&ticket.request);
                inner.under_way.extend(ticket.request.resources());
            }
        }
        if inner.idle > 0 && !inner.waiting.is_empty() && inner.has_turn(settings) {
            self.news.notify_one();
        }
        Found::Batch(batch)
    }

    /// A committer that found nothing looks again.
    pub(super) fn awake(&self) {
        let mut inner = self.inner();
        inner.idle = inner.idle.saturating_sub(1);
    }

    /// What a batch touched may be touched again.
    pub(super) fn give_back(&self, resources: &[Resource]) {
        self.release(&mut self.inner(), resources);
    }

    /// The same at the end of a batch of these requests.
    pub(super) fn end(&self, resources: &[Resource], requests: &[Arc<Prepared>]) {
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

    /// Accepts no more requests.
    pub(super) fn close(&self) {
        self.inner().is_closed = true;
        self.news.notify_one();
    }

    /// Accepts no more and answers those that wait: the driver is gone.
    pub(super) fn abandon(&self) {
        self.close();
        let abandoned = std::mem::take(&mut self.inner().waiting);
        drop(abandoned);
    }

    pub(super) fn len(&self) -> usize {
        self.inner().waiting.len()
    }
}
