//! The requests that move money in and out: deposits and withdrawals.

use wallet_core::ledger::AccountKey;
use wallet_core::{Command, Deposit, Money, SettlementName, TransferId, Withdrawal};

use super::details::posting;
use super::{currency, field, money, optional};
use crate::problem::Problem;
use crate::{App, lookup, schema};

/// The settlement account if the caller names none.
const SETTLEMENT: &str = "bank";

posting! {
    /// A deposit or a withdrawal.
    Movement {
        /// The amount, in the account's currency.
        #[schema(value_type = schema::Amount)]
        amount: String,
        /// The account's currency. Needed only in an atomic batch that also opens the
        /// account; another currency than the account's is refused.
        #[schema(value_type = Option<schema::Currency>)]
        currency: Option<String>,
        /// The name of the settlement account on the other side, which is opened when
        /// first needed: 1 to 32 of `a-z`, `0-9`, `_`, `-`; `bank` by default.
        #[schema(pattern = "^[a-z0-9_-]{1,32}$")]
        settlement: Option<String>,
    }
}

impl Movement {
    pub(crate) async fn deposit(&self, app: &App, key: AccountKey) -> Result<Command, Problem> {
        let command = Deposit::new(key.id, self.money(app, key).await?, self.settlement()?)
            .with_id(self.transfer_id()?)
            .with_details(self.details()?);
        Ok(command.into())
    }

    pub(crate) async fn withdrawal(&self, app: &App, key: AccountKey) -> Result<Command, Problem> {
        let command = Withdrawal::new(key.id, self.money(app, key).await?, self.settlement()?)
            .with_id(self.transfer_id()?)
            .with_details(self.details()?);
        Ok(command.into())
    }

    async fn money(&self, app: &App, key: AccountKey) -> Result<Money, Problem> {
        // The account's currency never changes, so it can be read before the commit.
        let currency = match &self.currency {
            Some(code) => currency(app, code)?,
            None => lookup::account(app, key).await?.state.currency,
        };
        money(&self.amount, currency)
    }

    fn settlement(&self) -> Result<SettlementName, Problem> {
        let name = self.settlement.as_deref().unwrap_or(SETTLEMENT);
        field("settlement", name)
    }

    fn transfer_id(&self) -> Result<Option<TransferId>, Problem> {
        optional("id", self.id.as_deref())
    }
}
