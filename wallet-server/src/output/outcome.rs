use axum::http::HeaderValue;
use serde::Serialize;
use utoipa::ToSchema;
use wallet_core::ledger::{HoldStatus, Posted};
use wallet_core::request::Recorded;
use wallet_core::{Account, Outcome, Receipt};

use super::{AccountBody, HoldBody, TransferBody, time};
use crate::problem::{Code, Problem, ProblemBody};
use crate::{App, schema};

/// The outcome of a batch: one result per item, in the order given.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BatchResults)]
pub(crate) struct BatchBody {
    pub(crate) results: Vec<ItemResult>,
}

/// The outcome recorded under a key.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(crate) struct OutcomeBody {
    key: String,
    /// The index of an item of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    item: Option<u32>,
    #[schema(value_type = schema::Time)]
    recorded_at: String,
    /// The answer to the request: one result. For an accepted atomic batch, one result
    /// per item. Absent for a batch whose items stand by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ItemResult>>,
    /// The items of a batch whose items stand by themselves, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemState>>,
}

/// One item of a batch whose items stand each by itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ItemState {
    state: State,
    /// The answer to the item; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<ItemResult>,
}

/// The progress of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ItemStateName)]
pub(crate) enum State {
    /// It has an outcome.
    Done,
    /// It has no outcome yet: a repetition of the batch carries it out.
    Open,
    /// It was cancelled and is never carried out.
    Cancelled,
}

impl ItemState {
    async fn of(app: &App, outcome: Option<&Outcome>) -> Result<Self, Problem> {
        let Some(outcome) = outcome else {
            return Ok(Self {
                state: State::Open,
                result: None,
            });
        };
        let state = if outcome.is_cancelled() {
            State::Cancelled
        } else {
            State::Done
        };
        let result = Some(ItemResult::of_item(app, outcome).await?);
        Ok(Self { state, result })
    }
}

/// The answer that the request alone would have had.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Result)]
pub(crate) struct ItemResult {
    /// The HTTP status.
    pub(crate) status: u16,
    pub(crate) body: ItemBody,
}

/// The resource, or the problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ResultBody)]
#[serde(untagged)]
pub(crate) enum ItemBody {
    Account(Box<AccountBody>),
    Transfer(Box<TransferBody>),
    Hold(Box<HoldBody>),
    #[schema(no_recursion)]
    Refused(Box<ProblemBody>),
}

impl ItemBody {
    /// The `Location` of the result; a refusal has none.
    pub(crate) fn location(&self) -> Option<HeaderValue> {
        let place = match self {
            Self::Account(account) => format!("/v1/accounts/{}", account.id()),
            Self::Transfer(transfer) => format!("/v1/transfers/{}", transfer.id()),
            Self::Hold(hold) => format!("/v1/holds/{}", hold.id()),
            Self::Refused(_) => return None,
        };
        HeaderValue::try_from(place).ok()
    }
}

impl ItemResult {
    /// One result for each receipt, or the refusal of the whole request.
    pub(crate) async fn of_receipts(
        app: &App,
        outcome: &Outcome,
    ) -> Result<Result<Vec<Self>, Problem>, Problem> {
        let receipts = match &outcome.result {
            Ok(receipts) => receipts,
            Err(rejected) => return Ok(Err((*rejected).into())),
        };
        // A change of status shows the state; owner and currency never change.
        let changed = receipts.iter().filter_map(|receipt| match receipt {
            Receipt::AccountChanged(changed) => Some(changed.state.key),
            _ => None,
        });
        let changed: Vec<_> = changed.collect();
        let mut accounts = if changed.is_empty() {
            Vec::new()
        } else {
            app.wallet().accounts(&changed).await?
        }
        .into_iter()
        .flatten();
        let results = receipts
            .iter()
            .map(|receipt| Self::of_receipt(receipt, &mut accounts));
        Ok(Ok(results.collect::<Result<_, _>>()?))
    }

    /// The result of a request of one command.
    pub(crate) async fn of_item(app: &App, outcome: &Outcome) -> Result<Self, Problem> {
        match Self::of_receipts(app, outcome).await? {
            Ok(results) => results.into_iter().next().ok_or_else(Problem::internal),
            Err(problem) => Ok(Self::refused(problem)),
        }
    }

    fn of_receipt(
        receipt: &Receipt,
        accounts: &mut impl Iterator<Item = Account>,
    ) -> Result<Self, Problem> {
        let (status, body) = match receipt {
            Receipt::AccountOpened(account) => {
                (201, ItemBody::Account(AccountBody::of(account).into()))
            }
            Receipt::AccountChanged(changed) => {
                let account = accounts.next().ok_or_else(Problem::internal)?;
                let body = AccountBody::with_state(&account, &changed.state);
                (200, ItemBody::Account(body.into()))
            }
            Receipt::Posted(Posted {
                transfer,
                hold: Some(hold),
                ..
            }) => {
                let body = HoldBody::captured(hold, transfer.key.id);
                (200, ItemBody::Hold(body.into()))
            }
            Receipt::Posted(posted) => {
                let body = TransferBody::posted(&posted.transfer);
                (201, ItemBody::Transfer(body.into()))
            }
            Receipt::HoldChanged(changed) => {
                let is_placed = changed.hold.status == HoldStatus::Pending;
                let status = if is_placed { 201 } else { 200 };
                (status, ItemBody::Hold(HoldBody::of(&changed.hold).into()))
            }
            _ => return Err(Problem::internal()),
        };
        Ok(Self { status, body })
    }

    /// The result of a request that was refused.
    pub(crate) fn refused(problem: Problem) -> Self {
        Self {
            status: problem.code().status(),
            body: ItemBody::Refused(Box::new(problem.body())),
        }
    }

    /// The results of an atomic batch of `count` items: item `culprit` was refused, so no
    /// item was carried out.
    pub(crate) fn all_refused(problem: &Problem, culprit: usize, count: usize) -> Vec<Self> {
        let result = |index| {
            if index == culprit {
                return Self::refused(problem.clone());
            }
            let detail = format!("item {culprit} was refused, so nothing was done");
            Self::refused(Problem::new(Code::BATCH_REFUSED, detail))
        };
        (0..count).map(result).collect()
    }
}

impl OutcomeBody {
    /// The outcome recorded under `key`.
    pub(crate) async fn of(app: &App, key: String, recorded: &Recorded) -> Result<Self, Problem> {
        match recorded {
            Recorded::Request(outcome) => Self::of_one(app, key, None, outcome).await,
            Recorded::Bulk { accepted, items } => {
                let mut states = Vec::with_capacity(items.len());
                for item in items {
                    states.push(ItemState::of(app, item.as_deref()).await?);
                }
                Ok(Self {
                    key,
                    item: None,
                    recorded_at: time(accepted.at),
                    results: None,
                    items: Some(states),
                })
            }
        }
    }

    /// The outcome of a request, or of an item of a batch.
    pub(crate) async fn of_one(
        app: &App,
        key: String,
        item: Option<u32>,
        outcome: &Outcome,
    ) -> Result<Self, Problem> {
        let results = ItemResult::of_receipts(app, outcome).await?;
        let results = results.unwrap_or_else(|problem| vec![ItemResult::refused(problem)]);
        Ok(Self {
            key,
            item,
            recorded_at: time(outcome.at),
            results: Some(results),
            items: None,
        })
    }
}
