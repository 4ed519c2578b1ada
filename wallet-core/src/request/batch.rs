//! A batch: independent requests decided together.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{
    AccountKey, CurrencyCode, Hold, HoldKey, RecordKey, TransferKey, TransferWithReversals,
};
use crate::request::{Prepared, Unanswered, accounts_of};

/// How far an account's latest time may run ahead of the store's clock before
/// a request on it is refused as [`Decided::ClockBehind`](crate::ledger::Decided).
pub const MAX_AHEAD: Duration = Duration::from_secs(2);

/// Independent requests that a store decides and commits together. No two of
/// them have the same key.
#[derive(Debug, Clone)]
pub struct Batch {
    requests: Vec<Arc<Prepared>>,
    reads: Reads,
    max_ahead: Duration,
    follow: Follow,
}

/// Who is told that others may follow.
#[derive(Clone, Default)]
struct Follow(Option<Arc<dyn Fn() + Send + Sync>>);

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Follow").field(&self.0.is_some()).finish()
    }
}

/// What a batch touches; every list sorted and unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reads {
    /// Idempotency records.
    pub keys: Vec<RecordKey>,
    /// Accounts to lock and read, as far as known; those to be opened too.
    pub accounts: Vec<AccountKey>,
    /// Holds that are named or whose new id was given by the caller.
    pub holds: Vec<HoldKey>,
    /// Transfers that are named or whose new id was given by the caller.
    pub transfers: Vec<TransferKey>,
    /// Currencies of accounts that may be opened.
    pub currencies: Vec<CurrencyCode>,
}

impl Reads {
    /// The accounts to lock, sorted and unique: those known beforehand plus
    /// those of the holds and transfers that were found without a lock.
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
    /// A batch of `requests` in the order in which they are decided. A request
    /// whose key stands earlier in the list is left out: the caller must wait
    /// for the first and take its outcome.
    #[must_use]
    pub fn new(requests: Vec<Arc<Prepared>>) -> Self {
        Self::with_max_ahead(requests, MAX_AHEAD)
    }

    /// The same with another bound than [`MAX_AHEAD`].
    #[must_use]
    pub fn with_max_ahead(mut requests: Vec<Arc<Prepared>>, max_ahead: Duration) -> Self {
        let mut reads = Reads {
            keys: requests.iter().map(|request| request.key).collect(),
            ..Reads::default()
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
        // A hold or transfer that an earlier request of the batch makes needs no
        // resolving: its accounts are among those of that request.
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

    /// The same, and `told` is called whenever a store says that others
    /// [`may follow`](Self::may_follow).
    #[must_use]
    pub fn on_follow(mut self, told: impl Fn() + Send + Sync + 'static) -> Self {
        self.follow = Follow(Some(Arc::new(told)));
        self
    }

    /// For a store that has locked every account of the batch, opens none, and is
    /// about to write: whoever asks for one of these accounts from now on waits
    /// there for this commit, and decides on what it has written. The service may
    /// then send the next batch on the same accounts, so that the store has it at
    /// hand when this one is committed. A store that never says so gets it later.
    pub fn may_follow(&self) {
        if let Some(told) = &self.follow.0 {
            told();
        }
    }

    /// The requests, in the order in which they are decided.
    #[must_use]
    pub fn requests(&self) -> &[Arc<Prepared>] {
        &self.requests
    }

    /// What to read.
    #[must_use]
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }

    /// How far an account's time may run ahead of the clock.
    #[must_use]
    pub const fn max_ahead(&self) -> Duration {
        self.max_ahead
    }

    /// The keys of the requests that cannot be decided where those of `open` cannot:
    /// they themselves, and later ones of the same
    /// [`Wallet::submit_all`](crate::service::Wallet::submit_all) that touch what they touch.
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
