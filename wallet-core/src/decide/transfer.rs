use crate::ledger::{
    AccountId, AccountState, Counters, Details, Effect, EffectKind, Hold, Leg, Money, Owner,
    Policy, Posted, Receipt, Rejection, Reversal, SettlementName, Status, Transfer, TransferId,
    TransferKind, split_amount,
};
use crate::request::{
    Deposit, PostTransfer, Split, SystemAccount, SystemLeg, SystemTransfer, Withdrawal,
};

use super::working_set::Opening;
use super::{CommandExecutor, Refusal};

impl CommandExecutor<'_, '_> {
    pub(super) fn post_transfer(&mut self, command: &PostTransfer) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        let legs = command.legs.clone();
        self.post(TransferKind::Transfer, legs, &command.details, Vec::new())
    }

    pub(super) fn deposit(&mut self, command: &Deposit) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        self.customer(command.account)?;
        let settlement = self.settlement_id(command.account);
        let opened = self.open_settlement(settlement, command.money, &command.settlement)?;
        let leg = Leg::new(settlement, command.account, command.money);
        self.post(TransferKind::Deposit, vec![leg], &command.details, opened)
    }

    pub(super) fn withdrawal(&mut self, command: &Withdrawal) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        self.customer(command.account)?;
        let settlement = self.settlement_id(command.account);
        let opened = self.open_settlement(settlement, command.money, &command.settlement)?;
        let leg = Leg::new(command.account, settlement, command.money);
        self.post(
            TransferKind::Withdrawal,
            vec![leg],
            &command.details,
            opened,
        )
    }

    pub(super) fn system_transfer(&mut self, command: &SystemTransfer) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        let kind = TransferKind::System;
        let mut effects = Vec::with_capacity(command.legs.len().saturating_mul(2));
        let mut legs = Vec::with_capacity(command.legs.len());
        for (named, index) in command.legs.iter().zip(0_u16..) {
            let leg = named.leg(self.request.ledger);
            self.system_accounts(named)?;
            for (side, id) in [(&named.from, leg.from), (&named.to, leg.to)] {
                if let SystemAccount::Settlement(name) = side {
                    effects.extend(self.open_settlement(id, leg.money, name)?);
                }
            }
            effects.extend(self.post_leg(index, &leg, kind, false)?);
            legs.push(leg);
        }
        let details = command.details.clone();
        Ok(self.posted(kind, legs, details, None, None, effects))
    }

    pub(super) fn split(&mut self, command: &Split) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        let shares: Vec<u32> = command.shares.iter().map(|share| share.share_bp).collect();
        // The shares were validated when the request was made.
        let parts = split_amount(command.money.amount, &shares).unwrap_or_default();
        let legs = command
            .shares
            .iter()
            .zip(parts)
            .filter_map(|(share, part)| {
                let money = Money::minor(part, command.money.currency).ok()?;
                Some(Leg::new(command.from, share.to, money))
            });
        let legs = legs.collect();
        self.post(TransferKind::Split, legs, &command.details, Vec::new())
    }

    /// Checks the accounts of a leg that are named by id, before any settlement
    /// account is opened. It refuses missing accounts and customers' accounts.
    fn system_accounts(&self, leg: &SystemLeg) -> Result<(), Refusal> {
        let named = || {
            [&leg.from, &leg.to]
                .into_iter()
                .filter_map(|side| match side {
                    SystemAccount::Account(id) => Some(*id),
                    SystemAccount::Settlement(_) => None,
                })
        };
        for id in named() {
            self.existing(id)?;
        }
        for id in named() {
            if !self.existing(id)?.1.system {
                return Err((Rejection::NotSystemAccount, id.uuid()));
            }
        }
        Ok(())
    }

    /// Refuses an id that exists already. Ids that the service makes are new.
    pub(super) fn new_transfer(&self) -> Result<(), Refusal> {
        let key = self.key(TransferId::new(self.prepared.id));
        match self.books.transfer(key) {
            Some(_) => Err((Rejection::IdTaken, self.prepared.id)),
            None => Ok(()),
        }
    }

    /// Posts legs in order, after the effects so far.
    fn post(
        &mut self,
        kind: TransferKind,
        legs: Vec<Leg>,
        details: &Details,
        mut effects: Vec<Effect>,
    ) -> Result<Receipt, Refusal> {
        effects.reserve_exact(legs.len().saturating_mul(2));
        for (leg, index) in legs.iter().zip(0_u16..) {
            effects.extend(self.post_leg(index, leg, kind, false)?);
        }
        Ok(self.posted(kind, legs, details.clone(), None, None, effects))
    }

    /// The receipt of a transfer when all its legs are posted.
    pub(super) fn posted(
        &mut self,
        kind: TransferKind,
        legs: Vec<Leg>,
        details: Details,
        hold: Option<Hold>,
        reversal: Option<Reversal>,
        effects: Vec<Effect>,
    ) -> Receipt {
        let transfer = Transfer {
            key: self.key(TransferId::new(self.prepared.id)),
            kind,
            legs,
            details,
            hold: hold.as_ref().map(|hold| hold.key.id),
            reversal,
            created_at: self.at,
        };
        self.books.track(&transfer);
        Receipt::Posted(Posted {
            transfer,
            hold: hold.map(Box::new),
            effects,
        })
    }

    /// The settlement account chosen when the request was submitted.
    fn settlement_id(&self, customer: AccountId) -> AccountId {
        // Every deposit and withdrawal has one. A transfer to the same account would be
        // refused below.
        self.prepared.settlement.unwrap_or(customer)
    }

    /// Opens a settlement account on first use.
    fn open_settlement(
        &mut self,
        id: AccountId,
        money: Money,
        name: &SettlementName,
    ) -> Result<Vec<Effect>, Refusal> {
        if self.books.find(self.key(id)).is_some() {
            return Ok(Vec::new());
        }
        self.admit_currency(money.currency)?;
        let state = AccountState {
            key: self.key(id),
            currency: money.currency,
            system: true,
            policy: Policy::Unlimited,
            max_balance: None,
            status: Status::Active,
            counters: Counters::default(),
            version: 1,
            sequence: 0,
            last_at: self.at,
        };
        // A settlement name is at most 32 bytes, so this always fits.
        let owner = Owner::new(&format!("settlement:{name}"));
        let owner = owner.map_err(|_| (Rejection::AccountNotFound, id.uuid()))?;
        let opening = Opening {
            owner,
            metadata: None,
            created_at: self.at,
        };
        self.books.open(state, opening);
        Ok(vec![Effect {
            account: id,
            system: true,
            kind: EffectKind::Opened,
            version: state.version,
            counters: state.counters,
            entry: None,
        }])
    }
}
