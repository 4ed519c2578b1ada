use std::time::Duration;

use wallet_core::ledger::HoldKey;
use wallet_core::{Capture, Command, HoldId, PlaceHold, TransferId};

use super::details::posting;
use super::{currency, field, money, optional, time};
use crate::problem::Problem;
use crate::routes::holds::find;
use crate::{App, schema};

posting! {
    /// Money to reserve on one account for another.
    NewHold {
        /// Whose money.
        #[schema(value_type = schema::Id)]
        from: String,
        /// For whom.
        #[schema(value_type = schema::Id)]
        to: String,
        /// How much.
        #[schema(value_type = schema::Amount)]
        amount: String,
        /// Of what.
        #[schema(value_type = schema::Currency)]
        currency: String,
        /// For how many seconds it can be captured, at most ten years; for ever
        /// by default.
        #[schema(minimum = 1, maximum = 316_224_000)]
        expires_in_secs: Option<u64>,
        /// Until when it can be captured, instead: after now, at most ten years
        /// ahead. A retry names the same time.
        #[schema(value_type = Option<schema::Time>)]
        expires_at: Option<String>,
    }
}

impl NewHold {
    pub(crate) fn command(&self, app: &App) -> Result<Command, Problem> {
        let money = money(&self.amount, currency(app, &self.currency)?)?;
        let (from, to) = (field("from", &self.from)?, field("to", &self.to)?);
        let expires_at = self.expires_at.as_deref();
        let expires_at = expires_at.map(|text| time("expires_at", text));
        let command = PlaceHold::new(from, to, money)
            .with_id(optional::<HoldId>("id", self.id.as_deref())?)
            .with_expires_in(self.expires_in_secs.map(Duration::from_secs))
            .with_expires_at(expires_at.transpose()?)
            .with_details(self.details()?);
        Ok(command.into())
    }
}

posting! {
    /// What to take of a hold: all that remains unless an amount is given.
    NewCapture, Default {
        /// How much.
        #[schema(value_type = Option<schema::Amount>)]
        amount: Option<String>,
        /// Whether what then remains is given back; by default the hold stays
        /// open while something remains.
        r#final: Option<bool>,
    }
}

impl NewCapture {
    pub(crate) async fn command(&self, app: &App, key: HoldKey) -> Result<Command, Problem> {
        let amount = match &self.amount {
            // Whatever becomes of the hold, its currency stays.
            Some(text) => Some(money(text, find(app, key).await?.money.currency)?.amount),
            None => None,
        };
        let command = Capture::new(key.id)
            .with_amount(amount)
            .with_is_final(self.r#final)
            .with_id(optional::<TransferId>("id", self.id.as_deref())?)
            .with_details(self.details()?);
        Ok(command.into())
    }
}
