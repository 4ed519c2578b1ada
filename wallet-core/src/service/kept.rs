use std::sync::{Arc, Mutex, PoisonError};

use super::queue::Queue;
use super::ticket::Ticket;
use crate::request::{Prepared, Resource};

/// What a batch under way keeps others from touching.
#[derive(Debug)]
pub(super) struct Kept {
    /// Until the store orders others behind the batch; empty from then on.
    accounts: Mutex<Vec<Resource>>,
    /// Until it is over: its keys, and whatever has accounts that are not known.
    rest: Vec<Resource>,
    requests: Vec<Arc<Prepared>>,
}

impl Kept {
    pub(super) fn new(tickets: &[Ticket]) -> Self {
        let resources = tickets.iter().flat_map(|ticket| ticket.request.resources());
        let is_account = |resource: &Resource| matches!(resource, Resource::Account(_));
        let (accounts, rest) = resources.partition(is_account);
        Self {
            accounts: Mutex::new(accounts),
            rest,
            requests: tickets
                .iter()
                .map(|ticket| Arc::clone(&ticket.request))
                .collect(),
        }
    }

    /// How many requests it has.
    pub(super) const fn len(&self) -> usize {
        self.requests.len()
    }

    /// The accounts may be touched. Only once: they are soon kept by others.
    pub(super) fn let_follow(&self, queue: &Queue) {
        queue.give_back(&self.take_accounts());
    }

    /// The batch is over.
    pub(super) fn end(&self, queue: &Queue) {
        let mut left = self.take_accounts();
        left.extend_from_slice(&self.rest);
        queue.end(&left, &self.requests);
    }

    fn take_accounts(&self) -> Vec<Resource> {
        let accounts = self.accounts.lock();
        std::mem::take(&mut accounts.unwrap_or_else(PoisonError::into_inner))
    }
}
