use crate::{
    AccountId, AccountState, Amount, COUNTER_MAX, Counters, Direction, Effect, EffectKind,
    EntryMark, Leg, Money, Rejection, Status, Timestamp,
};

use super::{Refusal, Step};

/// What the two effects of a posted leg are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegKinds {
    pub(super) debit: EffectKind,
    pub(super) credit: EffectKind,
}

impl LegKinds {
    pub(super) const TRANSFER: Self = Self {
        debit: EffectKind::Debited,
        credit: EffectKind::Credited,
    };
    pub(super) const REVERSAL: Self = Self {
        debit: EffectKind::Reversed,
        credit: EffectKind::Reversed,
    };
}

/// Two accounts that money moves between, checked for what is always checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    from: (usize, AccountState),
    to: (usize, AccountState),
}

impl Step<'_, '_> {
    /// Both accounts of a movement: they exist and hold its currency.
    pub(super) fn pair(
        &self,
        from: AccountId,
        to: AccountId,
        money: Money,
    ) -> Result<Pair, Refusal> {
        let (from_slot, to_slot) = (self.existing(from)?, self.existing(to)?);
        let missing = |id: AccountId| (Rejection::AccountNotFound, id.uuid());
        let from_state = *self.books.account(from_slot).ok_or(missing(from))?;
        let to_state = *self.books.account(to_slot).ok_or(missing(to))?;
        let both = [&from_state, &to_state];
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
        Ok(Pair {
            from: (from_slot, from_state),
            to: (to_slot, to_state),
        })
    }

    /// Checks that new money may leave `from` and reach `to`: statuses, the
    /// floor unless `force`, the ceiling.
    pub(super) fn admit(pair: &Pair, amount: Amount, force: bool) -> Result<(), Refusal> {
        let (from, to) = (&pair.from.1, &pair.to.1);
        if from.status.refuses_debits() {
            return Err(refuse(Rejection::AccountFrozen, from));
        }
        if to.status.refuses_credits() {
            return Err(refuse(Rejection::AccountFrozen, to));
        }
        let left = from.counters.available().checked_sub(amount.minor());
        let left = left.ok_or(refuse(Rejection::CounterOverflow, from))?;
        if !force && from.policy.floor().is_some_and(|floor| left < floor) {
            return Err(refuse(Rejection::InsufficientFunds, from));
        }
        let risen = expected(&to.counters).and_then(|sum| sum.checked_add(amount.minor()));
        let risen = risen.ok_or(refuse(Rejection::CounterOverflow, to))?;
        if to.max_balance.is_some_and(|max| risen > max.minor()) {
            return Err(refuse(Rejection::MaxBalanceExceeded, to));
        }
        Ok(())
    }

    /// Checks a leg in full and posts it: debit first.
    pub(super) fn post_leg(
        &mut self,
        index: u16,
        leg: &Leg,
        kinds: LegKinds,
        force: bool,
    ) -> Result<[Effect; 2], Refusal> {
        let pair = self.pair(leg.from, leg.to, leg.money)?;
        Self::admit(&pair, leg.money.amount, force)?;
        self.write_leg(&pair, index, leg.money.amount, 0, kinds)
    }

    /// Posts `amount` between `pair`, of which `pending` minor units (with what
    /// a final capture gives back) were held.
    pub(super) fn write_leg(
        &mut self,
        pair: &Pair,
        index: u16,
        amount: Amount,
        pending: i128,
        kinds: LegKinds,
    ) -> Result<[Effect; 2], Refusal> {
        let minor = amount.minor();
        let debit = |counters: &Counters| {
            Some(Counters {
                debits_posted: counters.debits_posted.checked_add(minor)?,
                debits_pending: counters.debits_pending.checked_sub(pending)?,
                ..*counters
            })
        };
        let credit = |counters: &Counters| {
            Some(Counters {
                credits_posted: counters.credits_posted.checked_add(minor)?,
                credits_pending: counters.credits_pending.checked_sub(pending)?,
                ..*counters
            })
        };
        let from = step_state(&pair.from.1, self.at, true, debit)?;
        let to = step_state(&pair.to.1, self.at, true, credit)?;
        self.books.put(pair.from.0, from);
        self.books.put(pair.to.0, to);
        let mark = |state: &AccountState, direction| {
            Some(EntryMark {
                sequence: state.sequence,
                leg: index,
                direction,
                amount,
            })
        };
        Ok([
            effect(&from, kinds.debit, mark(&from, Direction::Debit)),
            effect(&to, kinds.credit, mark(&to, Direction::Credit)),
        ])
    }

    /// Changes what is held between `pair` by `change` minor units.
    pub(super) fn write_pending(
        &mut self,
        pair: &Pair,
        change: i128,
        kind: EffectKind,
    ) -> Result<Vec<Effect>, Refusal> {
        let debit = |counters: &Counters| {
            Some(Counters {
                debits_pending: counters.debits_pending.checked_add(change)?,
                ..*counters
            })
        };
        let credit = |counters: &Counters| {
            Some(Counters {
                credits_pending: counters.credits_pending.checked_add(change)?,
                ..*counters
            })
        };
        let from = step_state(&pair.from.1, self.at, false, debit)?;
        let to = step_state(&pair.to.1, self.at, false, credit)?;
        self.books.put(pair.from.0, from);
        self.books.put(pair.to.0, to);
        Ok(vec![effect(&from, kind, None), effect(&to, kind, None)])
    }

    /// Refuses where either account is frozen altogether.
    pub(super) fn not_frozen(pair: &Pair) -> Result<(), Refusal> {
        for state in [&pair.from.1, &pair.to.1] {
            if state.status == Status::Frozen {
                return Err(refuse(Rejection::AccountFrozen, state));
            }
        }
        Ok(())
    }
}

/// Posted balance with all that is still to come.
pub(super) const fn expected(counters: &Counters) -> Option<i128> {
    counters.posted().checked_add(counters.credits_pending)
}

/// An account after one more effect.
pub(super) fn step_state(
    state: &AccountState,
    at: Timestamp,
    has_entry: bool,
    change: impl FnOnce(&Counters) -> Option<Counters>,
) -> Result<AccountState, Refusal> {
    let counters = change(&state.counters).filter(in_range);
    let version = state.version.checked_add(1);
    let sequence = state.sequence.checked_add(i64::from(has_entry));
    match (counters, version, sequence) {
        (Some(counters), Some(version), Some(sequence)) => Ok(AccountState {
            counters,
            version,
            sequence,
            last_at: at,
            ..*state
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

/// The effect that left `state` behind.
pub(super) const fn effect(
    state: &AccountState,
    kind: EffectKind,
    entry: Option<EntryMark>,
) -> Effect {
    Effect {
        account: state.key.id,
        system: state.system,
        kind,
        version: state.version,
        counters: state.counters,
        entry,
    }
}

/// A refusal about an account.
pub(super) const fn refuse(rejection: Rejection, state: &AccountState) -> Refusal {
    (rejection, state.key.id.uuid())
}
