//! Reads of the ledger under way: who misses what somebody else is reading
//! already waits for that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::WalletError;
use crate::ledger::{AccountKey, Balance};

/// What a read of one account came to.
pub(super) type Landed = Result<Option<Balance>, WalletError>;
type Seat = watch::Receiver<Option<Landed>>;

/// One at most for each account.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<BTreeMap<AccountKey, Seat>>);

impl Flights {
    fn all(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Seat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Divides `accounts` into those that the caller must read and those that are
    /// being read.
    pub(super) fn board(
        self: &Arc<Self>,
        accounts: &[AccountKey],
    ) -> (Lead, Vec<(AccountKey, Passenger)>) {
        let mut lead = Lead {
            flights: Arc::clone(self),
            own: BTreeMap::new(),
        };
        let mut others = Vec::new();
        let mut all = self.all();
        for account in accounts {
            if let Some(seat) = all.get(account) {
                others.push((*account, Passenger(seat.clone())));
            } else {
                let (pilot, seat) = watch::channel(None);
                all.insert(*account, seat);
                lead.own.insert(*account, pilot);
            }
        }
        drop(all);
        (lead, others)
    }
}

/// Waits for a read of somebody else's.
pub(super) struct Passenger(Seat);

impl Passenger {
    /// What it came to; `None` where whoever read has given up.
    pub(super) async fn landed(mut self) -> Option<Landed> {
        let landed = self.0.wait_for(Option::is_some).await.ok()?;
        landed.clone()
    }
}

/// The accounts that the caller reads, for itself and others. A caller that is
/// dropped leaves them to whoever waits.
pub(super) struct Lead {
    flights: Arc<Flights>,
    own: BTreeMap<AccountKey, watch::Sender<Option<Landed>>>,
}

impl Lead {
    /// What to read.
    pub(super) fn accounts(&self) -> Vec<AccountKey> {
        self.own.keys().copied().collect()
    }

    /// Tells what one account came to. From here on it may be read again.
    pub(super) fn land(&mut self, account: AccountKey, landed: &Landed) {
        if let Some(pilot) = self.own.remove(&account) {
            self.flights.all().remove(&account);
            pilot.send_replace(Some(landed.clone()));
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut all = self.flights.all();
        for account in self.own.keys() {
            all.remove(account);
        }
    }
}
