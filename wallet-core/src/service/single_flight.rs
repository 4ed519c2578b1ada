//! Single-flight: concurrent misses of an account share one read of the ledger. The
//! first caller is the leader. The others are followers and get the same result.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::WalletError;
use crate::ledger::{AccountKey, Balance};

/// The result of reading one account.
pub(super) type ReadResult = Result<Option<Balance>, WalletError>;
type Waiting = watch::Receiver<Option<ReadResult>>;

/// The reads in flight, at most one for each account.
#[derive(Debug, Default)]
pub(super) struct SingleFlight(Mutex<BTreeMap<AccountKey, Waiting>>);

impl SingleFlight {
    fn all(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Divides `accounts` into accounts that the caller must read as their leader,
    /// and accounts that another caller is reading.
    pub(super) fn join(
        self: &Arc<Self>,
        accounts: &[AccountKey],
    ) -> (Leader, Vec<(AccountKey, Follower)>) {
        let mut lead = Leader {
            single_flight: Arc::clone(self),
            own: BTreeMap::new(),
        };
        let mut others = Vec::new();
        let mut all = self.all();
        for account in accounts {
            if let Some(waiting) = all.get(account) {
                others.push((*account, Follower(waiting.clone())));
            } else {
                let (sender, waiting) = watch::channel(None);
                all.insert(*account, waiting);
                lead.own.insert(*account, sender);
            }
        }
        drop(all);
        (lead, others)
    }
}

/// Waits for another caller's read.
pub(super) struct Follower(Waiting);

impl Follower {
    /// Waits for the result; `None` where the leader has given up.
    pub(super) async fn result(mut self) -> Option<ReadResult> {
        let result = self.0.wait_for(Option::is_some).await.ok()?;
        result.clone()
    }
}

/// The accounts that the caller reads, for itself and its followers. When the
/// leader is dropped, its followers get no result.
pub(super) struct Leader {
    single_flight: Arc<SingleFlight>,
    own: BTreeMap<AccountKey, watch::Sender<Option<ReadResult>>>,
}

impl Leader {
    /// The accounts to read.
    pub(super) fn accounts(&self) -> Vec<AccountKey> {
        self.own.keys().copied().collect()
    }

    /// Passes the result to the followers of an account. From here on the account
    /// may be read again.
    pub(super) fn complete(&mut self, account: AccountKey, result: &ReadResult) {
        if let Some(sender) = self.own.remove(&account) {
            self.single_flight.all().remove(&account);
            sender.send_replace(Some(result.clone()));
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let mut all = self.single_flight.all();
        for account in self.own.keys() {
            all.remove(account);
        }
    }
}
