//! A batch: independent requests that are decided together.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{
    AccountKey, CurrencyCode, Hold, HoldKey, RecordKey, TransferKey, TransferWithReversals,
};
use crate::request::{PreparedRequest, Unanswered, accounts_of};

/// How far an account's latest time may run ahead of the store's clock before
/// a request on it is refused as [`Decided::ClockBehind`](crate::ledger::Decided).
pub const MAX_AHEAD: Duration = Duration::from_secs(2);

/// Independent requests that a store decides and commits together. Each has its own
/// idempotency key.
#[derive(Debug, Clone)]
pub struct Batch {
    requests: Vec<Arc<PreparedRequest>>,
    reads: ReadSet,
    max_ahead: Duration,
    follow: Follow,
}

/// The observer that is notified when the store holds the locks of the batch.
#[derive(Clone, Default)]
struct Follow(Option<Arc<dyn Fn() + Send + Sync>>);

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Follow").field(&self.0.is_some()).finish()
    }
}

/// The keys that a batch touches. Every list is sorted and unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadSet {
    /// Idempotency records.
    pub keys: Vec<RecordKey>,
    /// Accounts to lock and read, as far as they are known, including accounts to
    /// open.
    pub accounts: Vec<AccountKey>,
    /// Holds that a request names, and new holds with an id that the caller gave.
    pub holds: Vec<HoldKey>,
    /// Transfers that a request names, and new transfers with an id that the caller
    /// gave.
    pub transfers: Vec<TransferKey>,
    /// Currencies of accounts that may be opened.
    pub currencies: Vec<CurrencyCode>,
}

impl ReadSet {
    /// The accounts to lock, sorted and unique: the accounts known beforehand, plus
    /// the accounts of the holds and transfers that were found without a lock.
    #[must_use]
    pub fn lock_set(&self, holds: &[Hold], transfers: &[TransferWithReversals]) -> Vec<AccountKey> {
        let mut accounts = self.accounts.clone();
        if !holds.is_empty() || !transfers.is_empty() {
            accounts.extend(accounts_of(holds, transfers));
            accounts.sort_unstable();
            accounts.dedup();
        }
        accounts
    }
}

impl Batch {
    /// A batch of `requests` in the order in which they are decided. A request is
    /// left out when an earlier one has the same key. Its caller must wait for the
    /// earlier one and take its outcome.
    #[must_use]
    pub fn new(requests: Vec<Arc<PreparedRequest>>) -> Self {
        Self::with_max_ahead(requests, MAX_AHEAD)
    }

    /// The same batch with another bound than [`MAX_AHEAD`].
    #[must_use]
    pub fn with_max_ahead(mut requests: Vec<Arc<PreparedRequest>>, max_ahead: Duration) -> Self {
        let mut reads = ReadSet {
            keys: requests.iter().map(|request| request.key).collect(),
            ..ReadSet::default()
        };
        reads.keys.sort_unstable();
        reads.keys.dedup();
        if reads.keys.len() < requests.len() {
            let mut seen = BTreeSet::new();
            requests.retain(|request| seen.insert(request.key));
        }
        if requests
            .iter()
            .any(|request| request.membership().is_some())
        {
            reads.keys = requests.iter().flat_map(|request| request.keys()).collect();
            reads.keys.sort_unstable();
            reads.keys.dedup();
        }
        for request in &requests {
            reads.accounts.extend_from_slice(&request.accounts);
            reads.holds.extend_from_slice(&request.holds);
            reads.transfers.extend_from_slice(&request.transfers);
            reads
                .currencies
                .extend(request.currencies.iter().map(crate::ledger::Currency::code));
        }
        // A hold or transfer that an earlier request of the batch creates needs no
        // resolving. Its accounts are among the accounts of that request.
        reads.accounts.sort_unstable();
        reads.accounts.dedup();
        reads.holds.sort_unstable();
        reads.holds.dedup();
        reads.transfers.sort_unstable();
        reads.transfers.dedup();
        reads.currencies.sort_unstable();
        reads.currencies.dedup();
        Self {
            requests,
            reads,
            max_ahead,
            follow: Follow::default(),
        }
    }

    /// The same batch with an `observer`. It is called whenever a store reports
    /// that it [holds the locks](Self::locks_acquired).
    #[must_use]
    pub fn on_locks_acquired(mut self, observer: impl Fn() + Send + Sync + 'static) -> Self {
        self.follow = Follow(Some(Arc::new(observer)));
        self
    }

    /// A store calls this when it has locked every account of the batch, opens
    /// none, and is about to write. A later request for one of these accounts waits
    /// at the store for this commit, and decides on its result. So the service may
    /// send the next batch on the same accounts early. Without this call, the
    /// service sends the next batch only after the commit.
    pub fn locks_acquired(&self) {
        if let Some(observer) = &self.follow.0 {
            observer();
        }
    }

    /// The requests, in the order in which they are decided.
    #[must_use]
    pub fn requests(&self) -> &[Arc<PreparedRequest>] {
        &self.requests
    }

    /// The keys to read.
    #[must_use]
    pub const fn reads(&self) -> &ReadSet {
        &self.reads
    }

    /// How far an account's time may be ahead of the store's clock.
    #[must_use]
    pub const fn max_ahead(&self) -> Duration {
        self.max_ahead
    }

    /// The keys of the requests that cannot be decided because those of `open`
    /// cannot. These are the keys of `open`, and those of later requests of the
    /// same [`Wallet::submit_all`](crate::service::Wallet::submit_all) that touch
    /// the same things.
    #[must_use]
    pub fn blocked_by(&self, open: &BTreeSet<RecordKey>) -> BTreeSet<RecordKey> {
        let mut unanswered = Unanswered::default();
        let mut blocked = BTreeSet::new();
        for request in &self.requests {
            if open.contains(&request.key) || unanswered.holds_back(request) {
                unanswered.note(request);
                blocked.insert(request.key);
            }
        }
        blocked
    }
}
