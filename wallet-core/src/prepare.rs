//! From a request to what the queue and `decide` work with.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    AccountId, AccountKey, Command, Currency, Details, Fingerprint, Hold, HoldId, HoldKey,
    IdGenerator, InLedger, InvalidRequest, LedgerId, RecordKey, Request, SettlementName,
    TransferId, TransferKey, TransferWithReversals, fingerprint,
};

/// A validated request with its fingerprint and the ids of all that it may
/// create. Made once when the request is submitted; deciding it again, here or
/// after a retry, yields the same ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub(crate) ledger: LedgerId,
    pub(crate) key: RecordKey,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) commands: Vec<PreparedCommand>,
    /// Accounts known to be touched; sorted, unique.
    pub(crate) accounts: Vec<AccountKey>,
    pub(crate) holds: Vec<HoldKey>,
    pub(crate) transfers: Vec<TransferKey>,
    pub(crate) currencies: Vec<Currency>,
    /// Whether the sweep made it, not a caller.
    pub(crate) is_sweep: bool,
}

/// A command with what was chosen for it when it was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedCommand {
    pub(crate) command: Command,
    /// The id of the account, transfer or hold that it creates.
    pub(crate) id: Uuid,
    /// The settlement account of a deposit or withdrawal.
    pub(crate) settlement: Option<AccountId>,
}

/// How many shards a settlement account has, by name; 1 where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettlementShards {
    by_name: BTreeMap<SettlementName, u16>,
}

impl SettlementShards {
    /// One shard each.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `count` shards (at least 1) for `name`.
    #[must_use]
    pub fn with(mut self, name: SettlementName, count: u16) -> Self {
        self.by_name.insert(name, count.max(1));
        self
    }

    /// How many `name` has.
    #[must_use]
    pub fn count(&self, name: &SettlementName) -> u16 {
        self.by_name.get(name).copied().unwrap_or(1)
    }

    /// The shard of `name` that serves `customer`: always the same one.
    #[must_use]
    pub fn shard(&self, name: &SettlementName, customer: AccountId) -> u16 {
        let low = customer.uuid().as_u64_pair().1;
        // A multiplicative hash: version and variant bits must not decide.
        let mixed = low.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
        let shard = mixed.checked_rem(u64::from(self.count(name))).unwrap_or(0);
        u16::try_from(shard).unwrap_or(0)
    }
}

/// The id of a settlement account: a version 8 UUID derived from ledger,
/// currency, name and shard, so that every process agrees on it.
#[must_use]
pub fn settlement_account(
    ledger: LedgerId,
    currency: Currency,
    name: &SettlementName,
    shard: u16,
) -> AccountId {
    let mut hash = Sha256::new_with_prefix(b"wallet.settlement.1\0");
    hash.update(ledger.number().to_be_bytes());
    hash.update(currency.code().as_str());
    hash.update([0]);
    hash.update(name.as_str());
    hash.update([0]);
    hash.update(shard.to_be_bytes());
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(to, from)| *to = from);
    AccountId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

impl Prepared {
    /// Validates `request`, fingerprints it, makes the ids that it needs.
    ///
    /// # Errors
    /// [`InvalidRequest`]; nothing was made.
    pub fn new(
        request: Request,
        ids: &dyn IdGenerator,
        shards: &SettlementShards,
    ) -> Result<Self, InvalidRequest> {
        request.validate()?;
        let fingerprint = fingerprint::of(&request);
        let key = request.key().record_key(request.ledger());
        Ok(Self::assemble(
            request.ledger(),
            key,
            fingerprint,
            request.into_commands(),
            ids,
            shards,
        ))
    }

    /// The request by which the sweep expires `hold`: its key derives from the
    /// hold, so that any number of sweepers expire it once.
    #[must_use]
    pub fn expiry(hold: HoldKey, ids: &dyn IdGenerator) -> Self {
        let command = Command::Expire(crate::Expire::new(hold.id));
        let fingerprint = fingerprint::of_commands(std::slice::from_ref(&command));
        let key = RecordKey::of_expiry(hold.ledger, hold.id);
        let shards = SettlementShards::new();
        let sweep = Self::assemble(hold.ledger, key, fingerprint, vec![command], ids, &shards);
        Self {
            is_sweep: true,
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
        let mut prepared = Self {
            ledger,
            key,
            fingerprint,
            commands: Vec::with_capacity(commands.len()),
            accounts: Vec::new(),
            holds: Vec::new(),
            transfers: Vec::new(),
            currencies: Vec::new(),
            is_sweep: false,
        };
        for command in commands {
            prepared.add(command, ids, shards);
        }
        prepared.accounts.sort_unstable();
        prepared.accounts.dedup();
        prepared
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

    /// The key that its outcome is recorded under.
    #[must_use]
    pub const fn key(&self) -> RecordKey {
        self.key
    }

    /// What was asked.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The ids of what each command creates, in order, where it creates
    /// something; for a caller that never learns the outcome.
    #[must_use]
    pub fn ids(&self) -> Vec<Uuid> {
        self.commands.iter().map(|command| command.id).collect()
    }

    /// Accounts it is known to touch; sorted, unique.
    #[must_use]
    pub fn accounts(&self) -> &[AccountKey] {
        &self.accounts
    }

    /// Holds that it names.
    #[must_use]
    pub fn holds(&self) -> &[HoldKey] {
        &self.holds
    }

    /// Transfers that it names.
    #[must_use]
    pub fn transfers(&self) -> &[TransferKey] {
        &self.transfers
    }

    /// Takes in what is immutable about the holds and transfers that it names:
    /// whose they are.
    pub fn resolve(&mut self, holds: &[Hold], transfers: &[TransferWithReversals]) {
        self.accounts.extend(accounts_of(holds, transfers));
        self.accounts.sort_unstable();
        self.accounts.dedup();
    }

    /// How many rows committing it writes at most, and how many bytes about.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let mut cost = Cost {
            rows: 2,
            bytes: 256,
        };
        for prepared in &self.commands {
            let (rows, legs) = match &prepared.command {
                Command::ChangeStatus(_) | Command::ChangeLimits(_) => (2, 0),
                Command::PostTransfer(c) => (1, c.legs.len()),
                Command::Deposit(_) | Command::Withdrawal(_) => (3, 1),
                Command::Split(c) => (1, c.shares.len()),
                Command::OpenAccount(_)
                | Command::PlaceHold(_)
                | Command::Release(_)
                | Command::Expire(_) => (3, 0),
                Command::Capture(_) => (2, 1),
                // The legs are known once the transfer is resolved.
                Command::Reverse(_) => (1, self.accounts.len().max(1)),
            };
            let details = prepared.command.details();
            let text = details.map_or(0, Details::text_bytes);
            let open = match &prepared.command {
                Command::OpenAccount(open) => {
                    open.metadata.as_ref().map_or(0, |text| text.as_str().len())
                }
                _ => 0,
            };
            // Per leg: two entries, two accounts, a reversal total. A text
            // stands in the row, the record and the outbox.
            let text = text.saturating_add(open).saturating_mul(3);
            let legs_rows = legs.saturating_mul(5);
            let legs_bytes = legs.saturating_mul(512);
            cost.rows = cost.rows.saturating_add(rows).saturating_add(legs_rows);
            cost.bytes = cost.bytes.saturating_add(512).saturating_add(legs_bytes);
            cost.bytes = cost.bytes.saturating_add(text);
        }
        cost
    }
}

/// Whose the holds and transfers are: the accounts that must be locked before
/// anything about them is decided.
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

/// What committing a request takes, at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rows written.
    pub rows: usize,
    /// Bytes sent, estimated from above.
    pub bytes: usize,
}
