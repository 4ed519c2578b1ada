//! Batches: several requests in one, each by its path and body.

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use wallet_core::Command;
use wallet_core::request::COMMANDS_MAX;

use super::object::Object;
use super::{
    Freeze, Movement, NewAccount, NewCapture, NewHold, NewReversal, NewSystemTransfer, NewTransfer,
    Nothing, SystemTransfers, closing, id, parse, releasing, unfreezing,
};
use crate::App;
use crate::problem::Problem;

/// Several requests in one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBatch {
    /// Whether all are carried out or none (atomic). If not, each is carried out by
    /// itself, in the order given.
    pub(crate) atomic: bool,
    /// 1 to 100.
    #[schema(value_type = Vec<Item>, min_items = 1, max_items = 100)]
    requests: Vec<Object<Item>>,
}

impl NewBatch {
    /// The requests in the order given.
    pub(crate) fn items(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.requests.iter().map(|Object(item)| item)
    }

    /// Refuses an empty batch and one that is too large.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if (1..=COMMANDS_MAX).contains(&self.requests.len()) {
            Ok(())
        } else {
            let detail = format!("must be 1 to {COMMANDS_MAX}");
            Err(Problem::field("requests", detail))
        }
    }
}

/// One request of a batch, as it would be posted alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    /// A path of this API that takes a POST, except this one.
    #[schema(examples("/v1/transfers"))]
    path: String,
    /// The body of the request; may be absent if the path needs no body.
    #[schema(value_type = Option<AnyBody>)]
    body: Option<Box<RawValue>>,
}

/// The body of an item, as its path takes it. Some bodies fit several paths.
struct AnyBody;

impl PartialSchema for AnyBody {
    fn schema() -> RefOr<Schema> {
        let names = [
            NewAccount::name(),
            Movement::name(),
            NewTransfer::name(),
            NewReversal::name(),
            NewSystemTransfer::name(),
            NewHold::name(),
            NewCapture::name(),
            Freeze::name(),
            Nothing::name(),
        ];
        let bodies = names.into_iter().map(Ref::from_schema_name);
        let any = bodies.fold(AnyOfBuilder::new(), AnyOfBuilder::item);
        let any = any.description(Some("The body that the path takes."));
        Schema::AnyOf(any.build()).into()
    }
}

impl ToSchema for AnyBody {}

impl Item {
    pub(crate) async fn command(&self, app: &App) -> Result<Command, Problem> {
        let body = self.body.as_ref().map_or("{}", |body| body.get());
        let body = body.as_bytes();
        let parts = self.path.strip_prefix("/v1/").unwrap_or_default();
        let parts: Vec<&str> = parts.split('/').collect();
        match *parts.as_slice() {
            ["accounts"] => parse::<NewAccount>(body)?.command(app),
            ["accounts", account, "deposits"] => {
                let movement: Movement = parse(body)?;
                movement.deposit(app, id(account)?).await
            }
            ["accounts", account, "withdrawals"] => {
                let movement: Movement = parse(body)?;
                movement.withdrawal(app, id(account)?).await
            }
            ["accounts", account, "freeze"] => parse::<Freeze>(body)?.command(id(account)?.id),
            ["accounts", account, "unfreeze"] => {
                parse::<Nothing>(body)?;
                Ok(unfreezing(id(account)?.id))
            }
            ["accounts", account, "close"] => {
                parse::<Nothing>(body)?;
                Ok(closing(id(account)?.id))
            }
            ["transfers"] => parse::<NewTransfer>(body)?.command(app),
            ["transfers", transfer, "reverse"] => {
                let reversal: NewReversal = parse(body)?;
                reversal.command(app, id(transfer)?).await
            }
            ["system-transfers"] => {
                SystemTransfers::allowed(app)?;
                parse::<NewSystemTransfer>(body)?.command(app)
            }
            ["holds"] => parse::<NewHold>(body)?.command(app),
            ["holds", hold, "capture"] => {
                let capture: NewCapture = parse(body)?;
                capture.command(app, id(hold)?).await
            }
            ["holds", hold, "release"] => {
                parse::<Nothing>(body)?;
                Ok(releasing(id(hold)?.id))
            }
            _ => Err(Problem::field("path", "none that a batch can post to")),
        }
    }
}
