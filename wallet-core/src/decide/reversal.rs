use crate::ledger::{
    Amount, Leg, Money, Receipt, Rejection, Reversal, TransferKind, TransferWithReversals,
};
use crate::request::{Reverse, ReverseWhat};

use super::{CommandExecutor, Refusal, same_currency};
use crate::ledger::cut_in_proportion;

impl CommandExecutor<'_, '_> {
    pub(super) fn reverse(&mut self, command: &Reverse) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        let about = command.transfer.uuid();
        let row = self.books.transfer(self.key(command.transfer));
        let mut row = row.ok_or((Rejection::TransferNotFound, about))?.clone();
        if row.transfer.reversal.is_some() {
            return Err((Rejection::NotReversible, about));
        }
        let parts = parts(command, &row)?;
        let (mut legs, mut undone) = (Vec::new(), Vec::new());
        let mut effects = Vec::with_capacity(parts.len().saturating_mul(2));
        for ((undoes, amount), index) in parts.into_iter().zip(0_u16..) {
            let leg = take(&mut row, undoes, amount).map_err(|why| (why, about))?;
            same_currency(command.currency, leg.money.currency).map_err(|why| (why, about))?;
            let kind = TransferKind::Reversal;
            effects.extend(self.post_leg(index, &leg, kind, command.force)?);
            legs.push(leg);
            undone.push(undoes);
        }
        self.books.put_reversed(row);
        let reversal = Reversal {
            transfer: command.transfer,
            legs: undone,
            forced: command.force,
        };
        let details = command.details.clone();
        let kind = TransferKind::Reversal;
        Ok(self.posted(kind, legs, details, None, Some(reversal), effects))
    }
}

/// Builds the leg that reverses `amount` (or the rest) of leg `undoes`. It also
/// adds the amount to the reversed total in `row`.
fn take(
    row: &mut TransferWithReversals,
    undoes: u16,
    amount: Option<Amount>,
) -> Result<Leg, Rejection> {
    let index = usize::from(undoes);
    let leg = row.transfer.legs.get(index).ok_or(Rejection::LegNotFound)?;
    let done = row.reversed.get_mut(index).ok_or(Rejection::LegNotFound)?;
    let exceeds = Rejection::ReversalExceedsTransfer;
    let left = leg.money.amount.minor().checked_sub(*done).ok_or(exceeds)?;
    let minor = amount.map_or(left, Amount::minor);
    if minor > left {
        return Err(exceeds);
    }
    let amount = Amount::new(minor).map_err(|_| exceeds)?;
    *done = done.saturating_add(minor);
    let money = Money {
        amount,
        currency: leg.money.currency,
    };
    Ok(Leg::new(leg.to, leg.from, money))
}

/// The legs to reverse in order, with the amount of each (the rest when absent).
fn parts(
    command: &Reverse,
    row: &TransferWithReversals,
) -> Result<Vec<(u16, Option<Amount>)>, Refusal> {
    let about = command.transfer.uuid();
    match &command.what {
        ReverseWhat::Amount(_) if row.transfer.legs.len() > 1 => {
            Err((Rejection::LegRequired, about))
        }
        ReverseWhat::Amount(amount) => Ok(vec![(0, Some(*amount))]),
        ReverseWhat::Legs(legs) => Ok(legs.clone()),
        ReverseWhat::Proportional(amount) => {
            in_proportion(*amount, row).map_err(|why| (why, about))
        }
        ReverseWhat::Rest => {
            let legs = row.transfer.legs.iter().zip(&row.reversed).zip(0_u16..);
            let open = legs.filter(|((leg, done), _)| leg.money.amount.minor() > **done);
            let mut parts: Vec<_> = open.map(|(_, index)| (index, None)).collect();
            if parts.is_empty() {
                return Err((Rejection::ReversalExceedsTransfer, about));
            }
            // The last leg is reversed first, so that floors hold.
            parts.reverse();
            Ok(parts)
        }
    }
}

/// The amount of each leg when `amount` of the whole transfer is reversed. The last
/// leg is first.
fn in_proportion(
    amount: Amount,
    row: &TransferWithReversals,
) -> Result<Vec<(u16, Option<Amount>)>, Rejection> {
    let mut currencies = row.transfer.legs.iter().map(|leg| leg.money.currency);
    let first = currencies.next();
    if currencies.any(|currency| Some(currency) != first) {
        return Err(Rejection::LegRequired);
    }
    let legs = row.transfer.legs.iter().zip(&row.reversed);
    let left: Vec<i128> = legs
        .map(|(leg, done)| leg.money.amount.minor().saturating_sub(*done))
        .collect();
    let parts = cut_in_proportion(amount.minor(), &left);
    let parts = parts.ok_or(Rejection::ReversalExceedsTransfer)?;
    // A part of zero is no amount and makes no leg.
    let legs = parts
        .into_iter()
        .zip(0_u16..)
        .filter_map(|(part, index)| Some((index, Some(Amount::new(part).ok()?))));
    let mut legs: Vec<_> = legs.collect();
    legs.reverse();
    Ok(legs)
}
