//! Outcomes of requests, and what is in them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Minor, Ordinal, by_checked_fields, by_fields};
use crate::ledger::{
    Account, AccountChanged, AccountId, AccountState, Amount, COUNTER_MAX, Counters, Direction,
    Effect, EffectKind, EntryMark, Epoch, Hold, HoldChanged, Outcome, Posted, Receipt, Rejected,
    Rejection, Timestamp, Transfer,
};

#[derive(Serialize, Deserialize)]
struct RejectedFields {
    code: Rejection,
    command: u16,
    subject: String,
}

impl RejectedFields {
    fn of(rejected: &Rejected) -> Self {
        Self {
            code: rejected.rejection,
            command: rejected.command,
            subject: rejected.subject.to_string(),
        }
    }

    fn value(&self) -> Result<Rejected, String> {
        let subject = Uuid::parse_str(&self.subject);
        Ok(Rejected {
            rejection: self.code,
            command: self.command,
            subject: subject.map_err(|error| format!("subject: {error}"))?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[allow(
    clippy::struct_field_names,
    reason = "these are the names of the fields in JSON"
)]
struct CountersFields {
    debits_posted_minor: Minor,
    credits_posted_minor: Minor,
    debits_pending_minor: Minor,
    credits_pending_minor: Minor,
}

impl CountersFields {
    const fn of(counters: &Counters) -> Self {
        Self {
            debits_posted_minor: Minor(counters.debits_posted),
            credits_posted_minor: Minor(counters.credits_posted),
            debits_pending_minor: Minor(counters.debits_pending),
            credits_pending_minor: Minor(counters.credits_pending),
        }
    }

    fn value(&self) -> Result<Counters, String> {
        let sum = |Minor(minor)| {
            let is_sum = (0..=COUNTER_MAX).contains(&minor);
            is_sum
                .then_some(minor)
                .ok_or("a running sum is 0 to 10^38 - 1 minor units")
        };
        Ok(Counters {
            debits_posted: sum(self.debits_posted_minor)?,
            credits_posted: sum(self.credits_posted_minor)?,
            debits_pending: sum(self.debits_pending_minor)?,
            credits_pending: sum(self.credits_pending_minor)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct EntryMarkFields {
    sequence: Ordinal,
    leg: u16,
    direction: Direction,
    amount_minor: Amount,
}

impl EntryMarkFields {
    const fn of(mark: &EntryMark) -> Self {
        Self {
            sequence: Ordinal(mark.sequence),
            leg: mark.leg,
            direction: mark.direction,
            amount_minor: mark.amount,
        }
    }

    const fn value(self) -> EntryMark {
        EntryMark {
            sequence: self.sequence.0,
            leg: self.leg,
            direction: self.direction,
            amount: self.amount_minor,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct EffectFields {
    account: AccountId,
    system: bool,
    kind: EffectKind,
    version: Ordinal,
    counters: Counters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<EntryMark>,
}

impl EffectFields {
    const fn of(effect: &Effect) -> Self {
        Self {
            account: effect.account,
            system: effect.system,
            kind: effect.kind,
            version: Ordinal(effect.version),
            counters: effect.counters,
            entry: effect.entry,
        }
    }

    const fn value(self) -> Effect {
        Effect {
            account: self.account,
            system: self.system,
            kind: self.kind,
            version: self.version.0,
            counters: self.counters,
            entry: self.entry,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct AccountChangedFields {
    account: AccountState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effect: Option<EffectKind>,
}

impl AccountChangedFields {
    const fn of(changed: &AccountChanged) -> Self {
        Self {
            account: changed.state,
            effect: changed.effect,
        }
    }

    const fn value(self) -> AccountChanged {
        AccountChanged {
            state: self.account,
            effect: self.effect,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct PostedFields {
    transfer: Transfer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<Box<Hold>>,
    effects: Vec<Effect>,
}

impl PostedFields {
    fn of(posted: &Posted) -> Self {
        let Posted {
            transfer,
            hold,
            effects,
        } = posted.clone();
        Self {
            transfer,
            hold,
            effects,
        }
    }

    fn value(self) -> Posted {
        Posted {
            transfer: self.transfer,
            hold: self.hold,
            effects: self.effects,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct HoldChangedFields {
    hold: Hold,
    effects: Vec<Effect>,
}

impl HoldChangedFields {
    fn of(changed: &HoldChanged) -> Self {
        let HoldChanged { hold, effects } = changed.clone();
        Self { hold, effects }
    }

    fn value(self) -> HoldChanged {
        HoldChanged {
            hold: self.hold,
            effects: self.effects,
        }
    }
}

/// One field, named by what was done: `{"posted": {...}}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReceiptFields {
    AccountOpened(Box<Account>),
    AccountChanged(Box<AccountChanged>),
    Posted(Box<Posted>),
    HoldChanged(Box<HoldChanged>),
    BulkAccepted { items: u32 },
}

impl ReceiptFields {
    fn of(receipt: &Receipt) -> Self {
        match receipt.clone() {
            Receipt::AccountOpened(account) => Self::AccountOpened(account.into()),
            Receipt::AccountChanged(changed) => Self::AccountChanged(changed.into()),
            Receipt::Posted(posted) => Self::Posted(posted.into()),
            Receipt::HoldChanged(changed) => Self::HoldChanged(changed.into()),
            Receipt::BulkAccepted { items } => Self::BulkAccepted { items },
        }
    }

    fn value(self) -> Receipt {
        match self {
            Self::AccountOpened(account) => Receipt::AccountOpened(*account),
            Self::AccountChanged(changed) => Receipt::AccountChanged(*changed),
            Self::Posted(posted) => Receipt::Posted(*posted),
            Self::HoldChanged(changed) => Receipt::HoldChanged(*changed),
            Self::BulkAccepted { items } => Receipt::BulkAccepted { items },
        }
    }
}

/// The receipts, or the rejection.
#[derive(Serialize, Deserialize)]
struct OutcomeFields {
    recorded_at: Timestamp,
    epoch: Epoch,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipts: Option<Vec<Receipt>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejected: Option<Rejected>,
}

impl OutcomeFields {
    fn of(outcome: &Outcome) -> Self {
        Self {
            recorded_at: outcome.at,
            epoch: outcome.epoch,
            receipts: outcome.result.as_ref().ok().cloned(),
            rejected: outcome.result.as_ref().err().copied(),
        }
    }

    fn value(self) -> Result<Outcome, String> {
        let result = match (self.receipts, self.rejected) {
            (Some(receipts), None) => Ok(receipts),
            (None, Some(rejected)) => Err(rejected),
            _ => return Err("an outcome has receipts or is rejected".to_owned()),
        };
        Ok(Outcome {
            at: self.recorded_at,
            epoch: self.epoch,
            result,
        })
    }
}

by_fields! {
    AccountChanged: AccountChangedFields,
    Effect: EffectFields,
    EntryMark: EntryMarkFields,
    HoldChanged: HoldChangedFields,
    Posted: PostedFields,
    Receipt: ReceiptFields,
}

by_checked_fields! {
    Counters: CountersFields,
    Outcome: OutcomeFields,
    Rejected: RejectedFields,
}
