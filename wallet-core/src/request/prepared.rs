//! A request that is prepared for the queue and for `decide`.

mod assemble;

use uuid::Uuid;

use crate::ledger::{
    AccountId, AccountKey, Currency, Fingerprint, Hold, HoldKey, InLedger, LedgerId, Outcome,
    Receipt, RecordKey, TransferKey, TransferWithReversals,
};
use crate::request::{Call, Command, Membership, Resolved};

/// A validated request with its fingerprint and the ids that it may create. It is
/// made once, when the request is submitted. Deciding it again, here or after a
/// retry, yields the same ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedRequest {
    pub(crate) ledger: LedgerId,
    pub(crate) key: RecordKey,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) commands: Vec<PreparedCommand>,
    /// Accounts that the request is known to touch, sorted and unique.
    pub(crate) accounts: Vec<AccountKey>,
    pub(crate) holds: Vec<HoldKey>,
    pub(crate) transfers: Vec<TransferKey>,
    pub(crate) currencies: Vec<Currency>,
    /// The origin and purpose of the request.
    pub(crate) purpose: Purpose,
    /// The facts that its cost depends on, beside its commands.
    pub(crate) resolved: Resolved,
    /// The `submit_all` call that submitted it with other requests.
    pub(crate) call: Option<Call>,
}

/// The purpose of a prepared request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A caller's request.
    Caller,
    /// An item of a caller's bulk request.
    Item(Membership),
    /// A caller cancels the key.
    Cancellation,
    /// The sweep expires a hold.
    Sweep,
}

/// A command with the values that were chosen for it when it was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedCommand {
    pub(crate) command: Command,
    /// The id of the account, transfer or hold that the command creates.
    pub(crate) id: Uuid,
    /// The settlement account of a deposit or withdrawal.
    pub(crate) settlement: Option<AccountId>,
}

impl PreparedRequest {
    /// The key that the outcome is recorded under.
    #[must_use]
    pub const fn key(&self) -> RecordKey {
        self.key
    }

    /// The keys that are read for the decision: the request's own key. For an item
    /// of a bulk request, also the keys of the bulk request and of the previous
    /// item.
    pub fn keys(&self) -> impl Iterator<Item = RecordKey> {
        let membership = self.membership().copied();
        let bulk = membership.map(|membership| membership.key);
        let previous = membership.and_then(|membership| membership.previous());
        std::iter::once(self.key).chain(bulk).chain(previous)
    }

    /// The bulk request, if this request is one of its items.
    pub(crate) const fn membership(&self) -> Option<&Membership> {
        match &self.purpose {
            Purpose::Item(membership) => Some(membership),
            Purpose::Caller | Purpose::Cancellation | Purpose::Sweep => None,
        }
    }

    /// The fingerprint of the request.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The currencies of accounts that the request may open.
    #[must_use]
    pub fn currencies(&self) -> &[Currency] {
        &self.currencies
    }

    /// The ids that the commands create, in order, for each command that creates
    /// something. A caller that never receives the outcome can use them.
    #[must_use]
    pub fn ids(&self) -> Vec<Uuid> {
        self.commands.iter().map(|command| command.id).collect()
    }

    /// Whether `outcome` created what this request would create. If so, it is this
    /// request's own outcome, not that of an earlier request with the same key.
    #[must_use]
    pub fn made(&self, outcome: &Outcome) -> bool {
        if outcome.is_cancelled() {
            return self.purpose == Purpose::Cancellation;
        }
        let receipts = outcome.receipts().iter().zip(&self.commands);
        let mut created = receipts.filter_map(|(receipt, prepared)| {
            let id = match receipt {
                Receipt::AccountOpened(account) => account.state.key.id.uuid(),
                Receipt::Posted(posted) => posted.transfer.key.id.uuid(),
                Receipt::HoldChanged(changed)
                    if matches!(prepared.command, Command::PlaceHold(_)) =>
                {
                    changed.hold.key.id.uuid()
                }
                Receipt::HoldChanged(_)
                | Receipt::AccountChanged(_)
                | Receipt::BulkAccepted { .. } => return None,
            };
            Some(id == prepared.id)
        });
        created.all(|is_own| is_own)
    }

    /// Accounts that the request is known to touch, sorted and unique.
    #[must_use]
    pub fn accounts(&self) -> &[AccountKey] {
        &self.accounts
    }

    /// Holds that the request names.
    #[must_use]
    pub fn holds(&self) -> &[HoldKey] {
        &self.holds
    }

    /// Transfers that the request names.
    #[must_use]
    pub fn transfers(&self) -> &[TransferKey] {
        &self.transfers
    }

    /// Records the immutable facts about the holds and transfers that the request
    /// names: their accounts.
    pub fn resolve(&mut self, holds: &[Hold], transfers: &[TransferWithReversals]) {
        self.accounts.extend(accounts_of(holds, transfers));
        self.accounts.sort_unstable();
        self.accounts.dedup();
        self.resolved = Resolved::of(holds, transfers);
    }
}

/// The accounts of the holds and transfers. These accounts must be locked before
/// anything about the holds and transfers is decided.
pub fn accounts_of<'a>(
    holds: &'a [Hold],
    transfers: &'a [TransferWithReversals],
) -> impl Iterator<Item = AccountKey> + 'a {
    let of_holds = holds.iter().flat_map(|hold| {
        [hold.from, hold.to].map(|account| InLedger::new(hold.key.ledger, account))
    });
    let of_transfers = transfers.iter().flat_map(|row| {
        let ledger = row.transfer.key.ledger;
        row.transfer
            .legs
            .iter()
            .flat_map(move |leg| [leg.from, leg.to].map(|id| InLedger::new(ledger, id)))
    });
    of_holds.chain(of_transfers)
}
