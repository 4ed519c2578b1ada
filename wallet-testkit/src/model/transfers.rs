use wallet_core::ledger::{
    AccountState, Details, Direction, Effect, EffectKind, Posted, TransferKind,
    TransferWithReversals, settlement_account,
};
use wallet_core::request::{SystemAccount, SystemTransfer};
use wallet_core::{
    Account, AccountId, Deposit, Leg, Money, Owner, Policy, Receipt, Rejection, SettlementName,
    Split, Status, Transfer, TransferId, Withdrawal,
};

use super::accounts::least;
use super::books::{Attempt, Refusal, Side, balance};

impl Attempt {
    pub(super) fn free_transfer(&self, id: TransferId) -> Result<(), Refusal> {
        if self.books.transfers.contains_key(&self.key(id)) {
            return Err((Rejection::IdTaken, id.uuid()));
        }
        Ok(())
    }

    pub(super) fn transfer(
        &mut self,
        id: TransferId,
        kind: TransferKind,
        legs: Vec<Leg>,
        details: &Details,
    ) -> Result<Receipt, Refusal> {
        self.free_transfer(id)?;
        let mut effects = Vec::new();
        for (index, leg) in legs.iter().enumerate() {
            self.customers_only(&[leg.from, leg.to])?;
            let index = u16::try_from(index).unwrap();
            let kinds = [EffectKind::Debited, EffectKind::Credited];
            effects.extend(self.leg(id, index, leg, kinds, false)?);
        }
        Ok(self.booked(id, kind, legs, details, effects))
    }

    pub(super) fn deposit(
        &mut self,
        id: TransferId,
        command: &Deposit,
    ) -> Result<Receipt, Refusal> {
        self.free_transfer(id)?;
        let mut effects = Vec::new();
        let from = self.settlement(
            command.account,
            command.money,
            &command.settlement,
            &mut effects,
        )?;
        let legs = vec![Leg::new(from, command.account, command.money)];
        effects.extend(self.legs(
            id,
            &legs,
            [EffectKind::Debited, EffectKind::Credited],
            false,
        )?);
        Ok(self.booked(id, TransferKind::Deposit, legs, &command.details, effects))
    }

    pub(super) fn withdrawal(
        &mut self,
        id: TransferId,
        command: &Withdrawal,
    ) -> Result<Receipt, Refusal> {
        self.free_transfer(id)?;
        let mut effects = Vec::new();
        let to = self.settlement(
            command.account,
            command.money,
            &command.settlement,
            &mut effects,
        )?;
        let legs = vec![Leg::new(command.account, to, command.money)];
        effects.extend(self.legs(
            id,
            &legs,
            [EffectKind::Debited, EffectKind::Credited],
            false,
        )?);
        Ok(self.booked(
            id,
            TransferKind::Withdrawal,
            legs,
            &command.details,
            effects,
        ))
    }

    pub(super) fn split(&mut self, id: TransferId, command: &Split) -> Result<Receipt, Refusal> {
        let shares: Vec<i128> = command
            .shares
            .iter()
            .map(|s| i128::from(s.share_bp))
            .collect();
        let parts = largest_remainder(command.money.amount.minor(), &shares);
        let mut legs = Vec::new();
        for (share, part) in command.shares.iter().zip(parts) {
            if let Ok(money) = Money::minor(part, command.money.currency) {
                legs.push(Leg::new(command.from, share.to, money));
            }
        }
        self.transfer(id, TransferKind::Split, legs, &command.details)
    }

    /// The settlement account for `customer`, opened on first use.
    fn settlement(
        &mut self,
        customer: AccountId,
        money: Money,
        name: &SettlementName,
        effects: &mut Vec<Effect>,
    ) -> Result<AccountId, Refusal> {
        self.customers_only(&[customer])?;
        self.open_settlement(money, name, effects)
    }

    fn open_settlement(
        &mut self,
        money: Money,
        name: &SettlementName,
        effects: &mut Vec<Effect>,
    ) -> Result<AccountId, Refusal> {
        let id = settlement_account(self.ledger, money.currency, name, 0);
        if !self.exists(id) {
            let state = AccountState {
                system: true,
                policy: Policy::Unlimited,
                ..self.fresh(id, money.currency)
            };
            self.open(Account {
                state,
                owner: Owner::new(&format!("settlement:{name}")).unwrap(),
                metadata: None,
                created_at: self.at,
            })?;
            effects.push(Effect {
                account: id,
                system: true,
                kind: EffectKind::Opened,
                version: 1,
                counters: state.counters,
                entry: None,
            });
        }
        Ok(id)
    }

    /// A transfer between system accounts, which are named or opened on first use,
    /// leg by leg.
    pub(super) fn system_transfer(
        &mut self,
        id: TransferId,
        command: &SystemTransfer,
    ) -> Result<Receipt, Refusal> {
        self.free_transfer(id)?;
        let (mut legs, mut effects) = (Vec::new(), Vec::new());
        for (index, asked) in command.legs.iter().enumerate() {
            let sides = [&asked.from, &asked.to];
            let mut named = Vec::new();
            for side in sides {
                if let SystemAccount::Account(id) = side {
                    named.push(*id);
                }
            }
            if let Some(missing) = named.iter().find(|id| !self.exists(**id)) {
                return Err((Rejection::AccountNotFound, missing.uuid()));
            }
            if let Some(other) = named.iter().find(|id| !self.state(**id).system) {
                return Err((Rejection::NotSystemAccount, other.uuid()));
            }
            let mut ids = Vec::new();
            for side in sides {
                ids.push(match side {
                    SystemAccount::Account(id) => *id,
                    SystemAccount::Settlement(name) => {
                        self.open_settlement(asked.money, name, &mut effects)?
                    }
                });
            }
            let leg = Leg::new(ids[0], ids[1], asked.money);
            let index = u16::try_from(index).unwrap();
            let kinds = [EffectKind::Debited, EffectKind::Credited];
            effects.extend(self.leg(id, index, &leg, kinds, false)?);
            legs.push(leg);
        }
        Ok(self.booked(id, TransferKind::System, legs, &command.details, effects))
    }

    /// Returns the first system account that a customer's command names, which is
    /// refused.
    pub(super) fn customers_only(&self, ids: &[AccountId]) -> Result<(), Refusal> {
        for id in ids {
            if !self.exists(*id) {
                return Err((Rejection::AccountNotFound, id.uuid()));
            }
        }
        for id in ids {
            if self.state(*id).system {
                return Err((Rejection::SystemAccount, id.uuid()));
            }
        }
        Ok(())
    }

    /// Posts legs in order. Each is checked in full before the next.
    fn legs(
        &mut self,
        transfer: TransferId,
        legs: &[Leg],
        kinds: [EffectKind; 2],
        force: bool,
    ) -> Result<Vec<Effect>, Refusal> {
        let mut effects = Vec::new();
        for (index, leg) in legs.iter().enumerate() {
            let index = u16::try_from(index).unwrap();
            effects.extend(self.leg(transfer, index, leg, kinds, force)?);
        }
        Ok(effects)
    }

    pub(super) fn leg(
        &mut self,
        transfer: TransferId,
        index: u16,
        leg: &Leg,
        [debit, credit]: [EffectKind; 2],
        force: bool,
    ) -> Result<[Effect; 2], Refusal> {
        self.may_meet(leg)?;
        self.may_move(leg, force)?;
        let side = Side {
            account: leg.from,
            direction: Direction::Debit,
            amount: leg.money.amount,
            unheld: 0,
            transfer,
            leg: index,
        };
        let other = Side {
            account: leg.to,
            direction: Direction::Credit,
            ..side
        };
        Ok([self.enter(side, debit)?, self.enter(other, credit)?])
    }

    /// Checks that both accounts exist, have the currency and are not closed. Each
    /// check is for the paying account first, then for the other one.
    pub(super) fn may_meet(&self, leg: &Leg) -> Result<(), Refusal> {
        let (ids, asked) = ([leg.from, leg.to], leg.money.currency);
        let first = |bad: &dyn Fn(AccountId) -> bool| ids.into_iter().find(|id| bad(*id));
        let about = |why: Rejection| move |id: AccountId| Err((why, id.uuid()));
        if let Some(id) = first(&|id| !self.exists(id)) {
            return about(Rejection::AccountNotFound)(id);
        }
        let held = |id| self.state(id).currency;
        if let Some(id) = first(&|id| held(id) != asked && held(id).code() == asked.code()) {
            return about(Rejection::CurrencyExponentMismatch)(id);
        }
        if let Some(id) = first(&|id| held(id) != asked) {
            return about(Rejection::CurrencyMismatch)(id);
        }
        if let Some(id) = first(&|id| self.state(id).status == Status::Closed) {
            return about(Rejection::AccountClosed)(id);
        }
        Ok(())
    }

    /// Checks the statuses, the floor of the paying account, and the maximum
    /// balance of the other.
    pub(super) fn may_move(&self, leg: &Leg, force: bool) -> Result<(), Refusal> {
        let (from, to) = (self.state(leg.from), self.state(leg.to));
        let amount = leg.money.amount.minor();
        if matches!(from.status, Status::DebitsFrozen | Status::Frozen) {
            return Err((Rejection::AccountFrozen, leg.from.uuid()));
        }
        if matches!(to.status, Status::CreditsFrozen | Status::Frozen) {
            return Err((Rejection::AccountFrozen, leg.to.uuid()));
        }
        let left = balance(&from.counters) - from.counters.debits_pending - amount;
        if !force && least(from.policy).is_some_and(|least| left < least) {
            return Err((Rejection::InsufficientFunds, leg.from.uuid()));
        }
        let risen = balance(&to.counters) + to.counters.credits_pending + amount;
        if to.max_balance.is_some_and(|max| risen > max.minor()) {
            return Err((Rejection::MaxBalanceExceeded, leg.to.uuid()));
        }
        Ok(())
    }

    /// Records a plain transfer with posted legs.
    fn booked(
        &mut self,
        id: TransferId,
        kind: TransferKind,
        legs: Vec<Leg>,
        details: &Details,
        effects: Vec<Effect>,
    ) -> Receipt {
        let transfer = Transfer {
            key: self.key(id),
            kind,
            legs,
            details: details.clone(),
            hold: None,
            reversal: None,
            created_at: self.at,
        };
        self.book(&transfer);
        Receipt::Posted(Posted {
            transfer,
            hold: None,
            effects,
        })
    }

    pub(super) fn book(&mut self, transfer: &Transfer) {
        let row = TransferWithReversals {
            transfer: transfer.clone(),
            reversed: vec![0; transfer.legs.len()],
        };
        self.books.transfers.insert(transfer.key, row);
    }
}

/// Shares of `total` in basis points, rounded down. The largest remainders get one
/// more unit each; the earlier share first.
fn largest_remainder(total: i128, shares: &[i128]) -> Vec<i128> {
    let mut parts: Vec<i128> = shares.iter().map(|share| total * share / 10_000).collect();
    let mut left: i128 = total - parts.iter().sum::<i128>();
    let mut given = vec![false; parts.len()];
    while left > 0 {
        let remainder = |index: &usize| total * shares[*index] % 10_000;
        let mut best: Option<usize> = None;
        for index in (0..parts.len()).filter(|index| !given[*index]) {
            if best.is_none_or(|best| remainder(&index) > remainder(&best)) {
                best = Some(index);
            }
        }
        let best = best.unwrap();
        given[best] = true;
        parts[best] += 1;
        left -= 1;
    }
    parts
}
