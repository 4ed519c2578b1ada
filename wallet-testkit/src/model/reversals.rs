use wallet_core::ledger::{EffectKind, Posted, Reversal, TransferKind};
use wallet_core::request::ReverseWhat;
use wallet_core::{Amount, Leg, Money, Receipt, Rejection, Reverse, Transfer, TransferId};

use super::books::{Attempt, Refusal};
use super::holds::other_currency;

impl Attempt {
    pub(super) fn reverse(
        &mut self,
        id: TransferId,
        command: &Reverse,
    ) -> Result<Receipt, Refusal> {
        self.free_transfer(id)?;
        let about = command.transfer.uuid();
        let key = self.key(command.transfer);
        let Some(row) = self.books.transfers.get(&key) else {
            return Err((Rejection::TransferNotFound, about));
        };
        if row.transfer.reversal.is_some() {
            return Err((Rejection::NotReversible, about));
        }
        let before = row.transfer.clone();
        let mut reversed = row.reversed.clone();
        let wanted = wanted(command, &before, &reversed)?;
        let (mut legs, mut undone, mut effects) = (Vec::new(), Vec::new(), Vec::new());
        for (undoes, amount) in wanted {
            let index = usize::from(undoes);
            let Some(leg) = before.legs.get(index) else {
                return Err((Rejection::LegNotFound, about));
            };
            let left = leg.money.amount.minor() - reversed[index];
            let minor = amount.map_or(left, Amount::minor);
            if left == 0 || minor > left {
                return Err((Rejection::ReversalExceedsTransfer, about));
            }
            if let Some(why) = other_currency(command.currency, leg.money.currency) {
                return Err((why, about));
            }
            reversed[index] += minor;
            let money = Money::minor(minor, leg.money.currency).unwrap();
            let back = Leg::new(leg.to, leg.from, money);
            let is_own = |id| self.exists(id) && self.state(id).system;
            if is_own(back.from) && is_own(back.to) {
                return Err((Rejection::SystemAccount, back.from.uuid()));
            }
            let number = u16::try_from(legs.len()).unwrap();
            let kinds = [EffectKind::Reversed; 2];
            effects.extend(self.leg(id, number, &back, kinds, command.force)?);
            legs.push(back);
            undone.push(undoes);
        }
        self.books.transfers.get_mut(&key).unwrap().reversed = reversed;
        let transfer = Transfer {
            key: self.key(id),
            kind: TransferKind::Reversal,
            legs,
            details: command.details.clone(),
            hold: None,
            reversal: Some(Reversal {
                transfer: command.transfer,
                legs: undone,
                forced: command.force,
            }),
            created_at: self.at,
        };
        self.book(&transfer);
        Ok(Receipt::Posted(Posted {
            transfer,
            hold: None,
            effects,
        }))
    }
}

/// The legs to reverse in order, with the amount of each.
fn wanted(
    command: &Reverse,
    before: &Transfer,
    reversed: &[i128],
) -> Result<Vec<(u16, Option<Amount>)>, Refusal> {
    let about = command.transfer.uuid();
    match &command.what {
        ReverseWhat::Legs(legs) => Ok(legs.clone()),
        ReverseWhat::Amount(amount) if before.legs.len() == 1 => Ok(vec![(0, Some(*amount))]),
        ReverseWhat::Amount(_) => Err((Rejection::LegRequired, about)),
        ReverseWhat::Proportional(amount) => {
            in_proportion(*amount, before, reversed).map_err(|why| (why, about))
        }
        ReverseWhat::Rest => {
            let mut legs = Vec::new();
            for index in (0..before.legs.len()).rev() {
                if before.legs[index].money.amount.minor() > reversed[index] {
                    legs.push((u16::try_from(index).unwrap(), None));
                }
            }
            if legs.is_empty() {
                return Err((Rejection::ReversalExceedsTransfer, about));
            }
            Ok(legs)
        }
    }
}

/// A leg's share of the amount is in proportion to the leg's remaining amount. The
/// largest remainders get one more unit each. The last leg is first.
fn in_proportion(
    amount: Amount,
    before: &Transfer,
    reversed: &[i128],
) -> Result<Vec<(u16, Option<Amount>)>, Rejection> {
    let currency = before.legs[0].money.currency;
    if before.legs.iter().any(|leg| leg.money.currency != currency) {
        return Err(Rejection::LegRequired);
    }
    let left = |index: usize| before.legs[index].money.amount.minor() - reversed[index];
    let open: Vec<usize> = (0..before.legs.len()).filter(|at| left(*at) > 0).collect();
    let all: i128 = open.iter().map(|index| left(*index)).sum();
    if amount.minor() > all {
        return Err(Rejection::ReversalExceedsTransfer);
    }
    let mut missing = amount.minor();
    let mut shares = Vec::new();
    for index in &open {
        let (share, remainder) = times_over(amount.minor(), left(*index), all);
        missing -= share;
        shares.push((*index, share, remainder));
    }
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(shares[*at].2));
    for at in order {
        if missing > 0 {
            shares[at].1 += 1;
            missing -= 1;
        }
    }
    let mut legs = Vec::new();
    for (index, share, _) in shares.into_iter().rev() {
        if share > 0 {
            let index = u16::try_from(index).unwrap();
            legs.push((index, Some(Amount::new(share).unwrap())));
        }
    }
    Ok(legs)
}

/// Quotient and remainder of `a * b / c`. The product is added up bit by bit,
/// because it may exceed any integer type.
const fn times_over(a: i128, b: i128, c: i128) -> (i128, i128) {
    let (mut quotient, mut remainder) = (0, 0);
    let mut bit = 100;
    while bit > 0 {
        bit -= 1;
        quotient *= 2;
        remainder *= 2;
        if a >> bit & 1 == 1 {
            remainder += b;
        }
        quotient += remainder / c;
        remainder %= c;
    }
    (quotient, remainder)
}
