//! The order of requests that one call submits.

use rustc_hash::FxHashSet;

use crate::ledger::{AccountKey, HoldKey, RecordKey, TransferKey};
use crate::request::Prepared;

/// One call of [`Wallet::submit_all`](crate::service::Wallet::submit_all) of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Call(pub(crate) u64);

/// What two requests may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Key(RecordKey),
    Account(AccountKey),
    /// A hold whose accounts are not known.
    Hold(HoldKey),
    /// A transfer whose accounts are not known.
    Transfer(TransferKey),
}

impl Prepared {
    /// The same, as one of the requests of a call, which keep their order where they
    /// touch the same.
    pub(crate) fn in_call(mut self, call: Call) -> Self {
        self.call = Some(call);
        self
    }

    /// The key of the bulk request that it is an item of.
    pub(crate) fn bulk_key(&self) -> Option<Resource> {
        let membership = self.membership();
        membership.map(|membership| Resource::Key(membership.key))
    }

    /// What it touches, its key first.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource> + '_ {
        let accounts = self.accounts().iter().copied();
        let holds = self.holds().iter().copied();
        let transfers = self.transfers().iter().copied();
        std::iter::once(Resource::Key(self.key()))
            .chain(self.bulk_key())
            .chain(accounts.map(Resource::Account))
            .chain(holds.map(Resource::Hold))
            .chain(transfers.map(Resource::Transfer))
    }
}

/// What requests without an answer touch, by call: later ones of the same call that
/// touch it wait for them.
#[derive(Debug, Default)]
pub(crate) struct Unanswered(FxHashSet<(Call, Resource)>);

impl Unanswered {
    /// Adds what a request touches.
    pub(crate) fn note(&mut self, request: &Prepared) {
        if let Some(call) = request.call {
            self.0.extend(request.resources().map(|one| (call, one)));
        }
    }

    /// Removes it.
    pub(crate) fn forget(&mut self, request: &Prepared) {
        if let Some(call) = request.call.filter(|_| !self.0.is_empty()) {
            for one in request.resources() {
                self.0.remove(&(call, one));
            }
        }
    }

    /// Whether a request has to wait for one of its own call.
    pub(crate) fn holds_back(&self, request: &Prepared) -> bool {
        let Some(call) = request.call.filter(|_| !self.0.is_empty()) else {
            return false;
        };
        request.resources().any(|one| self.0.contains(&(call, one)))
    }
}
