use crate::{
    Amount, EffectKind, Leg, Money, Posted, Receipt, Rejection, Reversal, Reverse, ReverseWhat,
    Transfer, TransferId, TransferKind,
};

use super::books::{Attempt, Refusal};

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

/// Which legs are to be undone, in which order, how much of each.
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
