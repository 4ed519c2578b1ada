//! Payouts of merchants. The money leaves the books first; the bank may send it back.

use wallet::Command;
use wallet::Decimal;
use wallet::prelude::*;

use crate::error::{Error, Result};
use crate::market::{Market, advance, percentage};

impl Market {
    /// Takes a payout and the platform's fee of 0.5 percent from a merchant, in one
    /// transaction with the row from which a worker pays it.
    pub(crate) async fn pay_out(&self, id: i64, merchant: AccountId, money: Money) -> Result<()> {
        let payout = Withdrawal::new(merchant, money, SettlementName::new("bank")?);
        let mut commands: Vec<Command> = vec![payout.with_description("a payout")?.into()];
        if let Some(fee) = percentage(money, Decimal::new(5, 1))? {
            let fee = PostTransfer::simple(merchant, self.platform, fee);
            commands.push(fee.with_description("the fee of a payout")?.into());
        }
        let sent = self.deal(&format!("payout-{id}"), commands, "sent").await;
        sent.map(drop)
    }

    /// The bank has paid.
    pub(crate) async fn payout_arrived(&self, id: i64) -> Result<()> {
        let name = &format!("payout-{id}");
        self.transact(|tx| async move { advance(&tx, name, "sent", "arrived").await })
            .await
    }

    /// The bank has sent the money back: the merchant gets it again, with the fee.
    pub(crate) async fn payout_returned(&self, id: i64) -> Result<()> {
        let name = &format!("payout-{id}");
        let sent = self.keys.accepted(name).await?;
        let sent = sent.ok_or_else(|| Error::State(name.clone()))?;
        let mut commands: Vec<Command> = Vec::new();
        for transfer in sent.outcome().transfers() {
            let back = Reverse::new(transfer.key.id).with_description("a payout came back")?;
            commands.push(back.into());
        }
        let key = self.keys.key(&format!("{name}-returned"))?;
        let request = &Request::of_many(key, commands);
        let returned = self.transact(|tx| async move {
            tx.apply(request.clone()).await?;
            advance(&tx, name, "sent", "returned").await
        });
        returned.await
    }
}
