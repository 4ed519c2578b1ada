use crate::ledger::{
    AccountId, Currency, Details, Direction, Entry, HoldId, Money, SignedMoney, Transfer,
    TransferId, TransferKind,
};

/// An entry with what a statement shows of its transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatementLine {
    /// The entry.
    pub entry: Entry,
    /// The account's currency.
    pub currency: Currency,
    /// The account on the other side of the entry's leg.
    pub counterparty: AccountId,
    /// The command that the transfer came from.
    pub kind: TransferKind,
    /// The host's details of the transfer.
    pub details: Details,
    /// The hold that the transfer captures.
    pub hold: Option<HoldId>,
    /// The transfer that the transfer reverses.
    pub reverses: Option<TransferId>,
}

impl StatementLine {
    /// The line of an entry of `transfer`. `None` if the entry is of another transfer, or of
    /// no leg of it.
    #[must_use]
    pub fn of(entry: Entry, transfer: &Transfer) -> Option<Self> {
        let leg = transfer.leg_of(&entry)?;
        let (own, counterparty) = match entry.direction {
            Direction::Debit => (leg.from, leg.to),
            Direction::Credit => (leg.to, leg.from),
        };
        let is_own = (transfer.key.ledger, own) == (entry.account.ledger, entry.account.id);
        is_own.then(|| Self {
            entry,
            currency: leg.money.currency,
            counterparty,
            kind: transfer.kind,
            details: transfer.details.clone(),
            hold: transfer.hold,
            reverses: transfer.reversal.as_ref().map(|reversal| reversal.transfer),
        })
    }

    /// The amount.
    #[must_use]
    pub const fn money(&self) -> Money {
        self.entry.money(self.currency)
    }

    /// The change of the balance: below zero for a debit.
    #[must_use]
    pub const fn change(&self) -> SignedMoney {
        let minor = self.entry.amount.minor();
        let change = match self.entry.direction {
            Direction::Debit => minor.saturating_neg(),
            Direction::Credit => minor,
        };
        SignedMoney::new(change, self.currency)
    }

    /// The posted balance after the entry.
    #[must_use]
    pub const fn balance_after(&self) -> SignedMoney {
        self.entry.balance_after_money(self.currency)
    }
}
