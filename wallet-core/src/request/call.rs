//! The order of requests that one call of `submit_all` submits.

use rustc_hash::FxHashSet;

use crate::ledger::{AccountKey, HoldKey, RecordKey, TransferKey};
use crate::request::PreparedRequest;

/// One call of [`Wallet::submit_all`](crate::service::Wallet::submit_all) in a
/// process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Call(pub(crate) u64);

/// A resource that two requests may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Key(RecordKey),
    Account(AccountKey),
    /// A hold with unknown accounts.
    Hold(HoldKey),
    /// A transfer with unknown accounts.
    Transfer(TransferKey),
}

impl PreparedRequest {
    /// The same request as part of a call. Requests of a call keep their order
    /// where they share a resource.
    pub(crate) fn in_call(mut self, call: Call) -> Self {
        self.call = Some(call);
        self
    }

    /// The key of the bulk request, if this request is one of its items.
    pub(crate) fn bulk_key(&self) -> Option<Resource> {
        let membership = self.membership();
        membership.map(|membership| Resource::Key(membership.key))
    }

    /// The resources that the request touches. Its key is first.
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

/// The resources of unanswered requests, by call. Later requests of the same call
/// wait while they share one of these resources.
#[derive(Debug, Default)]
pub(crate) struct Unanswered(FxHashSet<(Call, Resource)>);

impl Unanswered {
    /// Adds the resources of a request.
    pub(crate) fn note(&mut self, request: &PreparedRequest) {
        if let Some(call) = request.call {
            self.0.extend(request.resources().map(|one| (call, one)));
        }
    }

    /// Removes the resources of a request.
    pub(crate) fn forget(&mut self, request: &PreparedRequest) {
        if let Some(call) = request.call.filter(|_| !self.0.is_empty()) {
            for one in request.resources() {
                self.0.remove(&(call, one));
            }
        }
    }

    /// Whether a request must wait for another request of its own call.
    pub(crate) fn holds_back(&self, request: &PreparedRequest) -> bool {
        let Some(call) = request.call.filter(|_| !self.0.is_empty()) else {
            return false;
        };
        request.resources().any(|one| self.0.contains(&(call, one)))
    }
}
