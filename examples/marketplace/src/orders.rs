//! Orders: each is in the database if and only if it is paid.

use wallet::core::ledger::PercentError;
use wallet::prelude::*;
use wallet::{Accepted, Command, Decimal, Share};

use crate::error::{Error, Result};
use crate::market::{Market, advance, retry};

/// What a customer buys from a merchant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) customer: AccountId,
    pub(crate) merchant: AccountId,
    pub(crate) price: Money,
}

/// Transfers that are refunded together.
pub(crate) type Payment = Vec<TransferId>;

/// An order that is paid. Only [`Market::place`] and [`Market::paid`] make one, so nothing
/// else ships.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a paid order is to be shipped"]
pub(crate) struct PaidOrder {
    name: String,
    pub(crate) payment: Payment,
}

impl Market {
    /// Places an order and pays it. A refused payment leaves no order: the customer may try
    /// again.
    ///
    /// The customer pays the till, which is one line of the statement. The till pays 7.5
    /// percent to the platform, 5 to the tax office, and the rest to the merchant.
    pub(crate) async fn place(&self, order: &Order) -> Result<PaidOrder> {
        let name = format!("order-{}", order.id);
        let parts = [(order.merchant, 875), (self.platform, 75), (self.tax, 50)];
        let share = |(to, tenths)| Share::percent(to, Decimal::new(tenths, 1));
        let shares: std::result::Result<_, PercentError> = parts.into_iter().map(share).collect();
        let pay = PostTransfer::simple(order.customer, self.till, order.price);
        let pay = pay.with_reference(&name)?.with_description("an order")?;
        let split = Split::new(self.till, order.price, shares?);
        let split = split.with_reference(&name)?.with_description("a sale")?;
        let sale = vec![pay.into(), split.into()];
        let paid = self.deal(&name, sale, "paid").await?;
        Ok(PaidOrder::of(name, &paid))
    }

    /// An order that was placed earlier.
    pub(crate) async fn paid(&self, id: i64) -> Result<PaidOrder> {
        let name = format!("order-{id}");
        match self.keys.accepted(&name).await? {
            Some(paid) => Ok(PaidOrder::of(name, &paid)),
            None => Err(Error::State(name)),
        }
    }

    /// Ships an order. The same again is no error.
    pub(crate) async fn ship(&self, order: &PaidOrder) -> Result<()> {
        let name = &order.name;
        self.transact(|tx| async move { advance(&tx, name, "paid", "shipped").await })
            .await
    }

    /// Gives a part of a payment back, from all who got a share of it. The ledger refuses
    /// more than was paid.
    pub(crate) async fn refund(&self, name: &str, payment: &Payment, part: Money) -> Result<()> {
        let mut commands: Vec<Command> = Vec::new();
        // What was paid last comes back first: the till has it before it pays.
        for transfer in payment.iter().rev() {
            let back = Reverse::new(*transfer).with_money_in_proportion(part);
            commands.push(back.with_description("a refund")?.into());
        }
        let key = format!("refund-{name}");
        let refunded = retry(|| self.keys.run_all(&key, commands.clone())).await;
        refunded.map(drop)
    }
}

impl PaidOrder {
    fn of(name: String, paid: &Accepted) -> Self {
        let transfers = paid.outcome().transfers();
        let payment = transfers.map(|paid| paid.key.id).collect();
        Self { name, payment }
    }
}
