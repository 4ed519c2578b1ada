//! Prepares a request for the queue and for `decide`.

use uuid::Uuid;

use crate::ledger::{
    AccountId, AccountKey, Currency, Fingerprint, Hold, HoldId, HoldKey, InLedger, LedgerId,
    Outcome, Receipt, RecordKey, SettlementName, SettlementShards, TransferId, TransferKey,
    TransferWithReversals, settlement_account,
};
use crate::request::{
    BulkRequest, Call, Command, InvalidRequest, Membership, Request, Resolved, fingerprint,
};
use crate::runtime::IdGenerator;

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

impl PreparedCommand {
    /// Whether the customer of a deposit or withdrawal is the settlement
    /// account itself, or a leg of a system transfer names one account twice.
    fn settles_with_itself(&self, ledger: LedgerId) -> bool {
        match &self.command {
            Command::SystemTransfer(transfer) => {
                let mut legs = transfer.legs.iter().map(|leg| leg.leg(ledger));
                legs.any(|leg| leg.from == leg.to)
            }
            Command::Deposit(deposit) => self.settlement == Some(deposit.account),
            Command::Withdrawal(withdrawal) => self.settlement == Some(withdrawal.account),
            _ => false,
        }
    }
}

impl PreparedRequest {
    /// Validates `request`, fingerprints it, and makes its new ids.
    ///
    /// # Errors
    /// [`InvalidRequest`]: nothing was made.
    pub fn new(
        request: Request,
        ids: &dyn IdGenerator,
        shards: &SettlementShards,
    ) -> Result<Self, InvalidRequest> {
        request.validate()?;
        let fingerprint = fingerprint::of(&request);
        let key = request.key().record_key(request.ledger());
        let ledger = request.ledger();
        let commands = request.into_commands();
        Self::assemble(ledger, key, fingerprint, commands, ids, shards).check()
    }

    /// Validates every item of `bulk` and prepares each item as a separate request,
    /// in order.
    ///
    /// # Errors
    /// [`InvalidRequest`] with the index of the first item that is not valid, or 0
    /// where the error concerns the whole bulk request. Nothing was made.
    pub fn bulk(
        bulk: BulkRequest,
        ids: &dyn IdGenerator,
        shards: &SettlementShards,
    ) -> Result<Vec<Self>, (usize, InvalidRequest)> {
        bulk.validate()?;
        let ledger = bulk.ledger();
        let mut membership = Membership {
            key: bulk.key().record_key(ledger),
            fingerprint: fingerprint::of_bulk(&bulk),
            items: u32::try_from(bulk.items().len()).unwrap_or(u32::MAX),
            index: 0,
        };
        let mut prepared = Vec::with_capacity(bulk.items().len());
        for (index, command) in bulk.into_items().into_iter().enumerate() {
            let commands = vec![command];
            let fingerprint = fingerprint::of_commands(&commands);
            let key = membership.key.item(membership.index);
            let item = Self::assemble(ledger, key, fingerprint, commands, ids, shards);
            let item = item.check().map_err(|error| (index, error))?;
            prepared.push(Self {
                purpose: Purpose::Item(membership),
                ..item
            });
            membership.index = membership.index.saturating_add(1);
        }
        Ok(prepared)
    }

    /// The request that cancels `key`: see [`Wallet::cancel`](crate::service::Wallet::cancel).
    #[must_use]
    pub fn cancellation(key: RecordKey) -> Self {
        Self {
            purpose: Purpose::Cancellation,
            ..Self::empty(key.ledger, key, fingerprint::of_cancellation())
        }
    }

    fn check(self) -> Result<Self, InvalidRequest> {
        let mut commands = self.commands.iter();
        let ledger = self.ledger;
        if commands.any(|command| command.settles_with_itself(ledger)) {
            return Err(InvalidRequest::SameAccount);
        }
        Ok(self)
    }

    /// The request by which the sweep expires `hold`. Its key derives from the
    /// hold, so any number of sweepers expire the hold once.
    #[must_use]
    pub fn expiry(hold: HoldKey, ids: &dyn IdGenerator) -> Self {
        let command = Command::Expire(crate::request::Expire::new(hold.id));
        let fingerprint = fingerprint::of_commands(std::slice::from_ref(&command));
        let key = RecordKey::of_expiry(hold.ledger, hold.id);
        let shards = SettlementShards::new();
        let sweep = Self::assemble(hold.ledger, key, fingerprint, vec![command], ids, &shards);
        Self {
            purpose: Purpose::Sweep,
            ..sweep
        }
    }

    fn assemble(
        ledger: LedgerId,
        key: RecordKey,
        fingerprint: Fingerprint,
        commands: Vec<Command>,
        ids: &dyn IdGenerator,
        shards: &SettlementShards,
    ) -> Self {
        let mut prepared = Self::empty(ledger, key, fingerprint);
        prepared.commands.reserve_exact(commands.len());
        for command in commands {
            prepared.add(command, ids, shards);
        }
        prepared.accounts.sort_unstable();
        prepared.accounts.dedup();
        prepared
    }

    fn empty(ledger: LedgerId, key: RecordKey, fingerprint: Fingerprint) -> Self {
        Self {
            ledger,
            key,
            fingerprint,
            commands: Vec::new(),
            accounts: Vec::new(),
            holds: Vec::new(),
            transfers: Vec::new(),
            currencies: Vec::new(),
            purpose: Purpose::Caller,
            call: None,
            resolved: Resolved::default(),
        }
    }

    fn add(&mut self, command: Command, ids: &dyn IdGenerator, shards: &SettlementShards) {
        let (mut given, mut settlement) = (None, None);
        match &command {
            Command::OpenAccount(open) => {
                given = open.id.map(AccountId::uuid);
                self.currencies.push(open.currency);
            }
            Command::ChangeStatus(change) => self.touch(change.account),
            Command::ChangeLimits(change) => self.touch(change.account),
            Command::PostTransfer(transfer) => {
                given = self.new_transfer(transfer.id);
                for leg in &transfer.legs {
                    self.touch(leg.from);
                    self.touch(leg.to);
                }
            }
            Command::Deposit(c) => {
                given = self.new_transfer(c.id);
                settlement = Some(self.settle(c.account, c.money.currency, &c.settlement, shards));
            }
            Command::Withdrawal(c) => {
                given = self.new_transfer(c.id);
                settlement = Some(self.settle(c.account, c.money.currency, &c.settlement, shards));
            }
            Command::SystemTransfer(c) => {
                given = self.new_transfer(c.id);
                let ledger = self.ledger;
                for leg in c.legs.iter().map(|leg| leg.leg(ledger)) {
                    self.touch(leg.from);
                    self.touch(leg.to);
                    self.currencies.push(leg.money.currency);
                }
            }
            Command::Split(split) => {
                given = self.new_transfer(split.id);
                self.touch(split.from);
                split.shares.iter().for_each(|share| self.touch(share.to));
            }
            Command::PlaceHold(hold) => {
                given = hold.id.map(HoldId::uuid);
                if let Some(id) = hold.id {
                    self.holds.push(InLedger::new(self.ledger, id));
                }
                self.touch(hold.from);
                self.touch(hold.to);
            }
            Command::Capture(capture) => {
                given = self.new_transfer(capture.id);
                self.holds.push(InLedger::new(self.ledger, capture.hold));
            }
            Command::Release(c) => self.holds.push(InLedger::new(self.ledger, c.hold)),
            Command::Expire(c) => self.holds.push(InLedger::new(self.ledger, c.hold)),
            Command::Reverse(reverse) => {
                given = self.new_transfer(reverse.id);
                self.transfers
                    .push(InLedger::new(self.ledger, reverse.transfer));
            }
        }
        let id = given.unwrap_or_else(|| ids.new_id());
        if matches!(command, Command::OpenAccount(_)) {
            self.touch(AccountId::new(id));
        }
        self.commands.push(PreparedCommand {
            command,
            id,
            settlement,
        });
    }

    fn touch(&mut self, account: AccountId) {
        self.accounts.push(InLedger::new(self.ledger, account));
    }

    fn new_transfer(&mut self, id: Option<TransferId>) -> Option<Uuid> {
        let id = id?;
        self.transfers.push(InLedger::new(self.ledger, id));
        Some(id.uuid())
    }

    fn settle(
        &mut self,
        customer: AccountId,
        currency: Currency,
        name: &SettlementName,
        shards: &SettlementShards,
    ) -> AccountId {
        let shard = shards.shard(name, customer);
        let settlement = settlement_account(self.ledger, currency, name, shard);
        self.touch(customer);
        self.touch(settlement);
        self.currencies.push(currency);
        settlement
    }

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
