//! Selects the waiting requests that may be committed together now, in order.
//!
//! A request that shares a resource with a batch in flight stays in the queue. Later
//! requests that share a resource with it stay too. A paused request holds back only its
//! own key, and later requests of its own call that share a resource. A foreign
//! transaction blocks it, and it must not stall its neighbours.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

use super::ticket::Ticket;
use crate::ledger::Timestamp;
use crate::request::{Cost, Resource, Unanswered};
use crate::store::Limits;

/// The bounds of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The limits of the store.
    pub(super) limits: Limits,
    /// The greatest number of requests.
    pub(super) requests: usize,
    /// The number of blocked requests that are passed over. Paused requests do not count.
    pub(super) passed_over: usize,
    /// Whether several batches may be in flight at once.
    pub(super) shares: bool,
}

/// The requests selected so far, and those that stay.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    bounds: Bounds,
    now: Timestamp,
    /// The resources of the batches in flight.
    in_flight: &'a FxHashSet<Resource>,
    /// The resources of multi-request calls in batches in flight.
    calls_in_flight: &'a Unanswered,
    /// The resources that an earlier request of the queue waits for.
    held_back: FxHashSet<Resource>,
    unanswered: Unanswered,
    keys: FxHashSet<Resource>,
    cost: Cost,
    passed_over: usize,
    pub(super) batch: Vec<Ticket>,
    /// The requests that stay, in order.
    pub(super) stay: VecDeque<Ticket>,
    /// When the first paused request is due.
    pub(super) next_time: Option<Timestamp>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(
        bounds: Bounds,
        now: Timestamp,
        in_flight: &'a FxHashSet<Resource>,
        calls_in_flight: &'a Unanswered,
    ) -> Self {
        Self {
            bounds,
            now,
            in_flight,
            calls_in_flight,
            held_back: FxHashSet::default(),
            unanswered: Unanswered::default(),
            keys: FxHashSet::default(),
            cost: Cost::default(),
            passed_over: 0,
            batch: Vec::new(),
            stay: VecDeque::new(),
            next_time: None,
        }
    }

    /// Selects the next request of the queue, or leaves it there. Breaks when the
    /// selection is complete.
    pub(super) fn add(&mut self, ticket: Ticket) -> ControlFlow<()> {
        if ticket.not_before > self.now {
            let at = ticket.not_before;
            self.next_time = Some(self.next_time.map_or(at, |time| time.min(at)));
            self.hold_back(ticket);
        } else if self.waits_for_its_key(&ticket) {
            // The request becomes a replay of the first, or it is an item after a
            // waiting item. Only later items, and later requests of its call, wait
            // for it.
            self.hold_back(ticket);
        } else if self.bounds.shares && ticket.request.resources().any(|one| self.is_busy(&one)) {
            self.passed_over = self.passed_over.saturating_add(1);
            self.held_back.extend(ticket.request.resources());
            self.stay.push_back(ticket);
        } else {
            let sum = self.cost.plus(ticket.request.cost());
            if !self.batch.is_empty() && !self.bounds.limits.admit(sum) {
                self.stay.push_back(ticket);
                return ControlFlow::Break(());
            }
            self.cost = sum;
            self.keys.insert(Resource::Key(ticket.request.key()));
            self.batch.push(ticket);
        }
        let is_full = self.batch.len() >= self.bounds.requests;
        if is_full || self.passed_over >= self.bounds.passed_over {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Leaves a request in the queue. It holds back its key, its bulk request's key, and
    /// what follows it in its own call.
    fn hold_back(&mut self, ticket: Ticket) {
        self.held_back.insert(Resource::Key(ticket.request.key()));
        self.held_back.extend(ticket.request.bulk_key());
        self.unanswered.note(&ticket.request);
        self.stay.push_back(ticket);
    }

    /// Whether an earlier request with its key, or of its call, has no answer yet.
    fn waits_for_its_key(&self, ticket: &Ticket) -> bool {
        let request = &ticket.request;
        let key = Resource::Key(request.key());
        self.unanswered.holds_back(request)
            || self.calls_in_flight.holds_back(request)
            || self.keys.contains(&key)
            || self.is_busy(&key)
            || request.bulk_key().is_some_and(|bulk| self.is_busy(&bulk))
    }

    fn is_busy(&self, resource: &Resource) -> bool {
        self.in_flight.contains(resource) || self.held_back.contains(resource)
    }
}
