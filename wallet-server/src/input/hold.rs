//! The requests about holds: place, capture, release.

use std::time::Duration;

use wallet_core::ledger::HoldKey;
use wallet_core::{Capture, Command, HoldId, PlaceHold, Release, TransferId};

use super::details::posting;
use super::{currency, field, money, optional, time};
use crate::problem::Problem;
use crate::{App, lookup, schema};

posting! {
    /// Reserves money on one account for another.
    NewHold {
        /// The account that pays.
        #[schema(value_type = schema::Id)]
        from: String,
        /// The account that is paid.
        #[schema(value_type = schema::Id)]
        to: String,
        /// The amount to reserve.
        #[schema(value_type = schema::Amount)]
        amount: String,
        /// The currency.
        #[schema(value_type = schema::Currency)]
        currency: String,
        /// For how many seconds the hold can be captured, at most ten years; without
        /// limit by default.
        #[schema(minimum = 1, maximum = 316_224_000)]
        expires_in_secs: Option<u64>,
        /// Instead of a duration, the time until which the hold can be captured: after
        /// now, at most ten years ahead. A retry must send the same time.
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
    /// The part of a hold to capture: all that remains unless an amount is given.
    NewCapture, Default {
        /// The amount to capture.
        #[schema(value_type = Option<schema::Amount>)]
        amount: Option<String>,
        /// Whether the remaining amount is released; by default the hold stays open while
        /// an amount remains.
        r#final: Option<bool>,
    }
}

impl NewCapture {
    pub(crate) async fn command(&self, app: &App, key: HoldKey) -> Result<Command, Problem> {
        let amount = match &self.amount {
            // A hold's currency never changes.
            Some(text) => Some(money(text, lookup::hold(app, key).await?.money.currency)?.amount),
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

/// Releases a hold.
pub(crate) fn releasing(hold: HoldId) -> Command {
    Release::new(hold).into()
}
