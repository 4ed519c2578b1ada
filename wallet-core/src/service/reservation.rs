use std::sync::{Arc, Mutex, PoisonError};

use super::queue::Queue;
use super::ticket::Ticket;
use crate::request::{PreparedRequest, Resource};

/// The keys and accounts that a batch in flight reserves. No other batch may use
/// them.
#[derive(Debug)]
pub(super) struct Reservation {
    /// Reserved until the store has locked them. Empty from then on.
    accounts: Mutex<Vec<Resource>>,
    /// Reserved until the batch ends: its keys, and holds and transfers with
    /// unknown accounts.
    rest: Vec<Resource>,
    requests: Vec<Arc<PreparedRequest>>,
}

impl Reservation {
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

    /// The number of requests in the batch.
    pub(super) const fn len(&self) -> usize {
        self.requests.len()
    }

    /// Releases the accounts. Only once: another batch may reserve them right
    /// after.
    pub(super) fn release_accounts(&self, queue: &Queue) {
        queue.give_back(&self.take_accounts());
    }

    /// Releases all reservations at the end of the batch.
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
