//! Makes prepared requests: validates and fingerprints what a caller or the sweep asks for,
//! and chooses the ids.

use uuid::Uuid;

use super::{PreparedCommand, PreparedRequest, Purpose};
use crate::ledger::{
    AccountId, Currency, Fingerprint, HoldId, HoldKey, InLedger, LedgerId, RecordKey,
    SettlementName, SettlementShards, TransferId, settlement_account,
};
use crate::request::{
    BulkRequest, Command, InvalidRequest, Membership, Request, Resolved, fingerprint,
};
use crate::runtime::IdGenerator;

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
