use crate::ledger::{
    AccountId, AccountState, Amount, COUNTER_MAX, Counters, Direction, Effect, EffectKind,
    EntryMark, Hold, Leg, Money, Rejection, Sequence, Status, TransferKind, Version,
};

use super::{CommandExecutor, Refusal};

/// The accounts that a movement may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Customers' accounts only. This is for customers' commands.
    Customers,
    /// System accounts only.
    System,
    /// Any accounts except two system accounts. This is for reversals.
    Undoing,
    /// Any accounts. The command has chosen one and checked the other, or an open
    /// hold names both.
    Chosen,
}

impl Reach {
    /// The accounts that the legs of a transfer of this kind may name.
    const fn of(kind: TransferKind) -> Self {
        match kind {
            TransferKind::Transfer | TransferKind::Split => Self::Customers,
            TransferKind::System => Self::System,
            TransferKind::Reversal => Self::Undoing,
            TransferKind::Deposit | TransferKind::Withdrawal | TransferKind::Capture => {
                Self::Chosen
            }
        }
    }

    /// Refuses an account that may not be named. The paying account is checked
    /// first.
    fn admit(self, from: &AccountState, to: &AccountState) -> Result<(), Refusal> {
        let mut both = [from, to].into_iter();
        let (refused, rejection) = match self {
            Self::Chosen => return Ok(()),
            Self::Customers => (both.find(|state| state.system), Rejection::SystemAccount),
            Self::System => (
                both.find(|state| !state.system),
                Rejection::NotSystemAccount,
            ),
            Self::Undoing => {
                let is_between = from.system && to.system;
                (is_between.then_some(from), Rejection::SystemAccount)
            }
        };
        refused.map_or(Ok(()), |state| Err(refuse(rejection, state)))
    }
}

/// The kinds of the two effects of a posted leg.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegKinds {
    pub(super) debit: EffectKind,
    pub(super) credit: EffectKind,
}

impl LegKinds {
    const TRANSFER: Self = Self {
        debit: EffectKind::Debited,
        credit: EffectKind::Credited,
    };
    const REVERSAL: Self = Self {
        debit: EffectKind::Reversed,
        credit: EffectKind::Reversed,
    };
    pub(super) const CAPTURE: Self = Self {
        debit: EffectKind::HoldCaptured,
        credit: EffectKind::HoldCaptured,
    };

    /// The kinds of the effects in a transfer of this kind.
    const fn of(kind: TransferKind) -> Self {
        match kind {
            TransferKind::Transfer
            | TransferKind::Deposit
            | TransferKind::Withdrawal
            | TransferKind::Split
            | TransferKind::System => Self::TRANSFER,
            TransferKind::Capture => Self::CAPTURE,
            TransferKind::Reversal => Self::REVERSAL,
        }
    }
}

/// The two accounts of a movement. They exist, hold its currency, and neither is
/// closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegAccounts<'a> {
    from: (usize, &'a AccountState),
    to: (usize, &'a AccountState),
}

/// The new states of two accounts: checked, not yet written.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegDelta {
    from: (usize, AccountDelta),
    to: (usize, AccountDelta),
}

/// The change of an account by one effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct AccountDelta {
    pub(super) counters: Counters,
    pub(super) version: Version,
    pub(super) sequence: Sequence,
}

impl LegAccounts<'_> {
    /// Checks that new money may leave `from` and reach `to`: statuses, the floor
    /// unless `force`, and the maximum balance.
    pub(super) fn admit(&self, amount: Amount, force: bool) -> Result<(), Refusal> {
        let (from, to) = (self.from.1, self.to.1);
        if from.status.refuses_debits() {
            return Err(refuse(Rejection::AccountFrozen, from));
        }
        if to.status.refuses_credits() {
            return Err(refuse(Rejection::AccountFrozen, to));
        }
        // Beyond i128 the range of the counters is exceeded too. The next step of the
        // counters checks that.
        let left = from.counters.available().saturating_sub(amount.minor());
        if !force && from.policy.floor().is_some_and(|floor| left < floor) {
            return Err(refuse(Rejection::InsufficientFunds, from));
        }
        let risen = expected(&to.counters).saturating_add(amount.minor());
        if to.max_balance.is_some_and(|max| risen > max.minor()) {
            return Err(refuse(Rejection::MaxBalanceExceeded, to));
        }
        Ok(())
    }

    /// Refuses a movement where either account is frozen entirely.
    pub(super) fn not_frozen(&self) -> Result<(), Refusal> {
        for state in [self.from.1, self.to.1] {
            if state.status == Status::Frozen {
                return Err(refuse(Rejection::AccountFrozen, state));
            }
        }
        Ok(())
    }

    /// Posts `amount` and releases `pending` held minor units.
    pub(super) fn post(&self, amount: Amount, pending: i128) -> Result<LegDelta, Refusal> {
        let minor = amount.minor();
        self.moved(
            true,
            |counters| {
                counters.debits_posted = counters.debits_posted.checked_add(minor)?;
                counters.debits_pending = counters.debits_pending.checked_sub(pending)?;
                Some(())
            },
            |counters| {
                counters.credits_posted = counters.credits_posted.checked_add(minor)?;
                counters.credits_pending = counters.credits_pending.checked_sub(pending)?;
                Some(())
            },
        )
    }

    /// Changes the held amount by `change` minor units.
    pub(super) fn hold(&self, change: i128) -> Result<LegDelta, Refusal> {
        self.moved(
            false,
            |counters| {
                counters.debits_pending = counters.debits_pending.checked_add(change)?;
                Some(())
            },
            |counters| {
                counters.credits_pending = counters.credits_pending.checked_add(change)?;
                Some(())
            },
        )
    }

    fn moved(
        &self,
        has_entry: bool,
        debit: impl FnOnce(&mut Counters) -> Option<()>,
        credit: impl FnOnce(&mut Counters) -> Option<()>,
    ) -> Result<LegDelta, Refusal> {
        Ok(LegDelta {
            from: (self.from.0, next(self.from.1, has_entry, debit)?),
            to: (self.to.0, next(self.to.1, has_entry, credit)?),
        })
    }
}

impl CommandExecutor<'_, '_> {
    /// Returns both accounts of a movement.
    pub(super) fn pair(
        &self,
        from: AccountId,
        to: AccountId,
        money: Money,
        reach: Reach,
    ) -> Result<LegAccounts<'_>, Refusal> {
        let pair = LegAccounts {
            from: self.existing(from)?,
            to: self.existing(to)?,
        };
        if from == to {
            // Every command refuses this earlier. Here it also stops a damaged hold from
            // creating money.
            return Err((Rejection::AccountNotFound, to.uuid()));
        }
        reach.admit(pair.from.1, pair.to.1)?;
        let both = [pair.from.1, pair.to.1];
        let code = money.currency.code();
        for state in both {
            let same_code = state.currency.code() == code;
            if same_code && state.currency.exponent() != money.currency.exponent() {
                return Err(refuse(Rejection::CurrencyExponentMismatch, state));
            }
        }
        for state in both {
            if state.currency.code() != code {
                return Err(refuse(Rejection::CurrencyMismatch, state));
            }
        }
        for state in both {
            if state.status == Status::Closed {
                return Err(refuse(Rejection::AccountClosed, state));
            }
        }
        Ok(pair)
    }

    /// Checks a leg in full and posts it, the debit first.
    pub(super) fn post_leg(
        &mut self,
        index: u16,
        leg: &Leg,
        kind: TransferKind,
        force: bool,
    ) -> Result<[Effect; 2], Refusal> {
        let pair = self.pair(leg.from, leg.to, leg.money, Reach::of(kind))?;
        pair.admit(leg.money.amount, force)?;
        let moved = pair.post(leg.money.amount, 0)?;
        Ok(self.write_leg(leg, index, &moved, LegKinds::of(kind)))
    }

    /// Writes a leg that was checked.
    pub(super) fn write_leg(
        &mut self,
        leg: &Leg,
        index: u16,
        moved: &LegDelta,
        kinds: LegKinds,
    ) -> [Effect; 2] {
        let mark = |next: &AccountDelta, direction| {
            Some(EntryMark {
                sequence: next.sequence,
                leg: index,
                direction,
                amount: leg.money.amount,
            })
        };
        let debit = mark(&moved.from.1, Direction::Debit);
        let credit = mark(&moved.to.1, Direction::Credit);
        [
            self.write(leg.from, &moved.from, kinds.debit, debit),
            self.write(leg.to, &moved.to, kinds.credit, credit),
        ]
    }

    /// Writes a checked change of the held amount.
    pub(super) fn write_hold(
        &mut self,
        hold: &Hold,
        moved: &LegDelta,
        kind: EffectKind,
    ) -> Vec<Effect> {
        vec![
            self.write(hold.from, &moved.from, kind, None),
            self.write(hold.to, &moved.to, kind, None),
        ]
    }

    fn write(
        &mut self,
        account: AccountId,
        (position, next): &(usize, AccountDelta),
        kind: EffectKind,
        entry: Option<EntryMark>,
    ) -> Effect {
        let system = self.books.amend(*position, next, self.at);
        Effect {
            account,
            system,
            kind,
            version: next.version,
            counters: next.counters,
            entry,
        }
    }
}

/// The posted balance plus all pending credits.
pub(super) const fn expected(counters: &Counters) -> i128 {
    counters.posted().saturating_add(counters.credits_pending)
}

/// The state of an account after one more effect.
pub(super) fn next(
    state: &AccountState,
    has_entry: bool,
    change: impl FnOnce(&mut Counters) -> Option<()>,
) -> Result<AccountDelta, Refusal> {
    let mut counters = state.counters;
    let changed = change(&mut counters).filter(|()| in_range(&counters));
    let version = state.version.checked_add(1);
    let sequence = state.sequence.checked_add(i64::from(has_entry));
    match (changed, version, sequence) {
        (Some(()), Some(version), Some(sequence)) => Ok(AccountDelta {
            counters,
            version,
            sequence,
        }),
        _ => Err(refuse(Rejection::CounterOverflow, state)),
    }
}

fn in_range(counters: &Counters) -> bool {
    let all = [
        counters.debits_posted,
        counters.credits_posted,
        counters.debits_pending,
        counters.credits_pending,
    ];
    all.iter()
        .all(|counter| (0..=COUNTER_MAX).contains(counter))
}

/// A refusal with the account that caused it.
pub(super) const fn refuse(rejection: Rejection, state: &AccountState) -> Refusal {
    (rejection, state.key.id.uuid())
}
