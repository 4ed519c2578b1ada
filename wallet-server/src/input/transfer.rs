//! The requests that make a transfer or reverse one.

use serde::Deserialize;
use utoipa::ToSchema;
use wallet_core::ledger::TransferKey;
use wallet_core::request::ReverseWhat;
use wallet_core::{Amount, Command, Leg, PostTransfer, Reverse, Transfer, TransferId};

use super::details::posting;
use super::object::Object;
use super::{currency, field, money, optional};
use crate::problem::{Code, Problem};
use crate::{App, lookup, schema};

posting! {
    /// A transfer: one leg in its own fields, or `legs`.
    NewTransfer {
        /// The account that pays.
        #[schema(value_type = Option<schema::Id>)]
        from: Option<String>,
        /// The account that is paid.
        #[schema(value_type = Option<schema::Id>)]
        to: Option<String>,
        /// The amount.
        #[schema(value_type = Option<schema::Amount>)]
        amount: Option<String>,
        /// The currency.
        #[schema(value_type = Option<schema::Currency>)]
        currency: Option<String>,
        /// Several movements, applied in order, all or none: 1 to 500.
        #[schema(value_type = Option<Vec<NewLeg>>, min_items = 1, max_items = 500)]
        legs: Option<Vec<Object<NewLeg>>>,
    }
}

/// One movement.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLeg {
    /// The account that pays.
    #[schema(value_type = schema::Id)]
    from: String,
    /// The account that is paid.
    #[schema(value_type = schema::Id)]
    to: String,
    /// The amount.
    #[schema(value_type = schema::Amount)]
    amount: String,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: String,
}

fn leg(app: &App, from: &str, to: &str, amount: &str, code: &str) -> Result<Leg, Problem> {
    let currency = currency(app, code)?;
    Ok(Leg::new(
        field("from", from)?,
        field("to", to)?,
        money(amount, currency)?,
    ))
}

impl NewTransfer {
    pub(crate) fn command(&self, app: &App) -> Result<Command, Problem> {
        let command = PostTransfer::new(self.legs(app)?)
            .with_id(optional::<TransferId>("id", self.id.as_deref())?)
            .with_details(self.details()?);
        Ok(command.into())
    }

    fn legs(&self, app: &App) -> Result<Vec<Leg>, Problem> {
        let Self {
            legs,
            from,
            to,
            amount,
            currency,
            ..
        } = self;
        match (legs, from, to, amount, currency) {
            (Some(legs), None, None, None, None) => {
                let legs = legs.iter();
                legs.map(|Object(new)| leg(app, &new.from, &new.to, &new.amount, &new.currency))
                    .collect()
            }
            (None, Some(from), Some(to), Some(amount), Some(currency)) => {
                Ok(vec![leg(app, from, to, amount, currency)?])
            }
            _ => {
                let detail = "give from, to, amount and currency, or legs, and not both";
                Err(Problem::new(Code::INVALID_BODY, detail))
            }
        }
    }
}

posting! {
    /// The part of a transfer to reverse: all that is left of it unless an amount, legs
    /// or a proportional amount are given.
    NewReversal, Default {
        /// The amount, for a transfer with one leg.
        #[schema(value_type = Option<schema::Amount>)]
        amount: Option<String>,
        /// The legs to reverse of a transfer with several, in this order.
        #[schema(value_type = Option<Vec<UndoneLeg>>, min_items = 1, max_items = 500)]
        legs: Option<Vec<Object<UndoneLeg>>>,
        /// The amount over all legs, in proportion to what is left of each: a partial
        /// refund of a split payment.
        #[schema(value_type = Option<schema::Amount>)]
        proportional: Option<String>,
        /// Whether the account that pays back may fall below its overdraft limit, as for
        /// a chargeback. This is a privilege: do not offer it to the public.
        force: Option<bool>,
    }
}

/// A leg to reverse.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoneLeg {
    /// Its index in the transfer, from 0.
    #[schema(maximum = 499)]
    leg: u16,
    /// The amount to reverse; all that is left by default.
    #[schema(value_type = Option<schema::Amount>)]
    amount: Option<String>,
}

impl UndoneLeg {
    fn of(&self, transfer: &Transfer) -> Result<(u16, Option<Amount>), Problem> {
        let amount = match &self.amount {
            Some(text) => Some(money(text, currency_of(transfer, self.leg)?)?.amount),
            None => None,
        };
        Ok((self.leg, amount))
    }
}

impl NewReversal {
    pub(crate) async fn command(&self, app: &App, key: TransferKey) -> Result<Command, Problem> {
        let command = Reverse::new(key.id)
            .with_what(self.what(app, key).await?)
            .with_force(self.force.unwrap_or(false))
            .with_id(optional::<TransferId>("id", self.id.as_deref())?)
            .with_details(self.details()?);
        Ok(command.into())
    }

    async fn what(&self, app: &App, key: TransferKey) -> Result<ReverseWhat, Problem> {
        match (&self.amount, &self.legs, &self.proportional) {
            (None, None, None) => Ok(ReverseWhat::Rest),
            (Some(amount), None, None) => {
                let transfer = lookup::transfer(app, key).await?.transfer;
                let money = money(amount, currency_of(&transfer, 0)?)?;
                Ok(ReverseWhat::Amount(money.amount))
            }
            (None, None, Some(amount)) => {
                let transfer = lookup::transfer(app, key).await?.transfer;
                let money = money(amount, currency_of(&transfer, 0)?)?;
                Ok(ReverseWhat::Proportional(money.amount))
            }
            (None, Some(legs), None) => {
                let transfer = lookup::transfer(app, key).await?.transfer;
                let undone = legs.iter().map(|Object(undone)| undone.of(&transfer));
                Ok(ReverseWhat::Legs(undone.collect::<Result<_, _>>()?))
            }
            _ => {
                let detail = "give an amount, legs or a proportional amount, and only one of them";
                Err(Problem::new(Code::INVALID_BODY, detail))
            }
        }
    }
}

/// The money that a leg moved. For a leg that does not exist, that of the first leg; the
/// rules then refuse the request.
fn currency_of(transfer: &Transfer, index: u16) -> Result<wallet_core::Currency, Problem> {
    let legs = &transfer.legs;
    let leg = legs.get(usize::from(index)).or_else(|| legs.first());
    leg.map(|leg| leg.money.currency)
        .ok_or_else(Problem::internal)
}
