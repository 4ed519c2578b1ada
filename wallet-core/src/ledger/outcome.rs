//! The outcome of a request: receipts or a rejection, recorded under its
//! idempotency key.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::ledger::{
    Account, AccountId, AccountKey, AccountState, Amount, Balance, Counters, Currency, Direction,
    Entry, Epoch, Fingerprint, Hold, HoldId, InLedger, LedgerId, Position, RecordKey, Rejected,
    Rejection, Sequence, Timestamp, Transfer, TransferId, Version, table,
};

/// The recorded outcome of a request. A replay needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The time of the request.
    pub at: Timestamp,
    /// The database's epoch at the decision. All effects of the request are of this
    /// epoch.
    pub epoch: Epoch,
    /// One receipt per command in order, or the rejection.
    pub result: Result<Vec<Receipt>, Rejected>,
}

impl Outcome {
    /// The effects of the transfers and holds, in order. Openings and changes of an
    /// account are in their own receipts.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.receipts().iter().flat_map(|receipt| match receipt {
            Receipt::AccountOpened(_)
            | Receipt::AccountChanged(_)
            | Receipt::BulkAccepted { .. } => [].iter(),
            Receipt::Posted(posted) => posted.effects.iter(),
            Receipt::HoldChanged(changed) => changed.effects.iter(),
        })
    }

    /// The balance of each changed account after the request, by account. A cache
    /// holds these balances.
    #[must_use]
    pub fn balances(&self) -> Vec<Balance> {
        let mut latest = BTreeMap::new();
        self.each_balance(&mut |balance| {
            latest.insert(balance.account, balance);
        });
        latest.into_values().collect()
    }

    /// Passes the balance after each effect to `note`, in the order of the effects.
    pub(crate) fn each_balance(&self, note: &mut dyn FnMut(Balance)) {
        let epoch = self.epoch;
        for receipt in self.receipts() {
            match receipt {
                Receipt::BulkAccepted { .. } => {}
                Receipt::AccountOpened(account) => note(Balance::of(&account.state, epoch)),
                Receipt::AccountChanged(changed) => note(Balance::of(&changed.state, epoch)),
                Receipt::Posted(posted) => {
                    let ledger = posted.transfer.key.ledger;
                    for effect in &posted.effects {
                        if let Some(currency) = posted.transfer.currency_of(effect.account) {
                            note(effect.balance(ledger, currency, epoch));
                        }
                    }
                }
                Receipt::HoldChanged(changed) => {
                    let (ledger, currency) = (changed.hold.key.ledger, changed.hold.money.currency);
                    for effect in &changed.effects {
                        note(effect.balance(ledger, currency, epoch));
                    }
                }
            }
        }
    }

    /// The position of each changed account after the request, by account. A read
    /// with [`Freshness::AtLeast`](crate::ledger::Freshness::AtLeast) these
    /// positions sees the effects of the request.
    #[must_use]
    pub fn positions(&self) -> Vec<(AccountKey, Position)> {
        let balances = self.balances().into_iter();
        balances
            .map(|balance| (balance.account, balance.position()))
            .collect()
    }

    /// The outcome of a key that was cancelled at `at`.
    pub(crate) const fn cancelled(at: Timestamp, epoch: Epoch) -> Self {
        let rejected = Rejected {
            rejection: Rejection::Cancelled,
            command: 0,
            subject: Uuid::nil(),
        };
        Self {
            at,
            epoch,
            result: Err(rejected),
        }
    }

    /// The outcome that is recorded under the key of a bulk request with `items`
    /// items.
    pub(crate) fn bulk(at: Timestamp, epoch: Epoch, items: u32) -> Self {
        Self {
            at,
            epoch,
            result: Ok(vec![Receipt::BulkAccepted { items }]),
        }
    }

    /// Whether the key was cancelled. Nothing was done under it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let rejected = self.result.as_ref().err();
        rejected.is_some_and(|rejected| rejected.rejection == Rejection::Cancelled)
    }

    /// The number of items of a bulk request; `None` for the outcome of another
    /// request. The outcomes of the items are recorded under the keys of
    /// [`RecordKey::item`].
    #[must_use]
    pub fn bulk_items(&self) -> Option<u32> {
        match self.receipts() {
            [Receipt::BulkAccepted { items }] => Some(*items),
            _ => None,
        }
    }

    /// The receipts. Empty when the request was refused.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        self.result.as_deref().unwrap_or_default()
    }

    /// The first account that the request opened, if it opened one.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.receipts().iter().find_map(|receipt| match receipt {
            Receipt::AccountOpened(account) => Some(account),
            Receipt::AccountChanged(_)
            | Receipt::Posted(_)
            | Receipt::HoldChanged(_)
            | Receipt::BulkAccepted { .. } => None,
        })
    }

    /// The first transfer that the request posted, if it posted one.
    #[must_use]
    pub fn posted(&self) -> Option<&Posted> {
        self.postings().next()
    }

    /// The first hold that the request placed, captured, released or expired, in its
    /// state after the request.
    #[must_use]
    pub fn hold(&self) -> Option<&Hold> {
        self.receipts().iter().find_map(|receipt| match receipt {
            Receipt::HoldChanged(changed) => Some(&changed.hold),
            Receipt::Posted(posted) => posted.hold.as_deref(),
            Receipt::AccountOpened(_)
            | Receipt::AccountChanged(_)
            | Receipt::BulkAccepted { .. } => None,
        })
    }

    /// The transfers that the request posted.
    pub fn transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.postings().map(|posted| &posted.transfer)
    }

    /// The entries that the request wrote, transfer by transfer.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let epoch = self.epoch;
        self.postings()
            .flat_map(move |posted| posted.entries(epoch))
    }

    /// The receipts of the request's transfers.
    pub fn postings(&self) -> impl Iterator<Item = &Posted> {
        self.receipts().iter().filter_map(|receipt| match receipt {
            Receipt::Posted(posted) => Some(posted),
            Receipt::AccountOpened(_)
            | Receipt::AccountChanged(_)
            | Receipt::HoldChanged(_)
            | Receipt::BulkAccepted { .. } => None,
        })
    }
}

/// The result of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {
    /// An account was opened.
    AccountOpened(Account),
    /// An account's status or limits changed.
    AccountChanged(AccountChanged),
    /// A transfer was posted.
    Posted(Posted),
    /// A hold was placed, released or expired.
    HoldChanged(HoldChanged),
    /// The first item of a bulk request was decided. This receipt is recorded under
    /// the bulk request's own key. It changes no account.
    BulkAccepted {
        /// The number of items of the bulk request.
        items: u32,
    },
}

impl Receipt {
    /// Whether the command changed any account. Only a change makes an event.
    #[must_use]
    pub const fn has_effect(&self) -> bool {
        match self {
            Self::AccountOpened(_) => true,
            Self::AccountChanged(changed) => changed.effect.is_some(),
            Self::Posted(posted) => !posted.effects.is_empty(),
            Self::HoldChanged(changed) => !changed.effects.is_empty(),
            Self::BulkAccepted { .. } => false,
        }
    }
}

/// An account after a change of status or limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountChanged {
    /// The account after the change.
    pub state: AccountState,
    /// The kind of change; `None` when the account already had these values.
    pub effect: Option<EffectKind>,
}

/// A posted transfer with its effects on each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The transfer.
    pub transfer: Transfer,
    /// The hold after its capture. It is boxed, because few transfers have a hold.
    pub hold: Option<Box<Hold>>,
    /// Every effect in order: for each leg, debit before credit.
    pub effects: Vec<Effect>,
}

impl Posted {
    /// The transfer's id.
    #[must_use]
    pub const fn id(&self) -> TransferId {
        self.transfer.key.id
    }

    /// The entries that the transfer wrote, two per leg. `epoch` is the epoch of
    /// its outcome.
    pub fn entries(&self, epoch: Epoch) -> impl Iterator<Item = Entry> {
        let transfer = &self.transfer;
        self.effects.iter().filter_map(move |effect| {
            let mark = effect.entry?;
            Some(Entry {
                account: InLedger::new(transfer.key.ledger, effect.account),
                sequence: mark.sequence,
                epoch,
                version: effect.version,
                direction: mark.direction,
                amount: mark.amount,
                balance_after: effect.counters.posted(),
                transfer: transfer.key.id,
                leg: mark.leg,
                created_at: transfer.created_at,
            })
        })
    }
}

/// A hold after it was placed, released or expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChanged {
    /// The hold after the change.
    pub hold: Hold,
    /// The effects on both accounts. The paying account is first.
    pub effects: Vec<Effect>,
}

impl HoldChanged {
    /// The hold's id.
    #[must_use]
    pub const fn id(&self) -> HoldId {
        self.hold.key.id
    }
}

/// The kind of effect that an account saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EffectKind {
    /// The account was opened.
    Opened,
    /// The account's status changed.
    StatusChanged,
    /// The account's limits changed.
    LimitsChanged,
    /// A leg of a transfer debited the account.
    Debited,
    /// A leg of a transfer credited the account.
    Credited,
    /// A hold was placed on the account or towards it.
    HoldPlaced,
    /// A hold was captured.
    HoldCaptured,
    /// A hold was released.
    HoldReleased,
    /// A hold expired.
    HoldExpired,
    /// A leg was reversed.
    Reversed,
}

// Zero stays free. It means "no effect" where an effect is optional.
table! {
    EffectKind {
        Opened = 1 "account.opened",
        StatusChanged = 2 "account.status_changed",
        LimitsChanged = 3 "account.limits_changed",
        Debited = 4 "account.debited",
        Credited = 5 "account.credited",
        HoldPlaced = 6 "hold.placed",
        HoldCaptured = 7 "hold.captured",
        HoldReleased = 8 "hold.released",
        HoldExpired = 9 "hold.expired",
        Reversed = 10 "transfer.reversed",
    }
}

/// One effect on one account. It raises the account's version by one and becomes
/// one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// The account, in the request's ledger.
    pub account: AccountId,
    /// Whether the account is a system account of the host.
    pub system: bool,
    /// The kind of effect.
    pub kind: EffectKind,
    /// The account's version after the effect.
    pub version: Version,
    /// The account's running sums after the effect.
    pub counters: Counters,
    /// The entry that the effect wrote, if any.
    pub entry: Option<EntryMark>,
}

impl Effect {
    const fn balance(&self, ledger: LedgerId, currency: Currency, epoch: Epoch) -> Balance {
        Balance {
            account: InLedger::new(ledger, self.account),
            currency,
            counters: self.counters,
            epoch,
            version: self.version,
        }
    }
}

/// The fields of an [`Entry`] that its [`Effect`] does not already have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryMark {
    /// The account's sequence after the entry.
    pub sequence: Sequence,
    /// The index of the transfer's leg.
    pub leg: u16,
    /// The side: debit or credit.
    pub direction: Direction,
    /// The amount, in minor units.
    pub amount: Amount,
}

/// The record that a store holds under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The idempotency key's record key.
    pub key: RecordKey,
    /// The fingerprint of the request.
    pub fingerprint: Fingerprint,
    /// The outcome of the request.
    pub outcome: Arc<Outcome>,
}

/// The result of [`decide`](crate::decide::decide) for one request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decided {
    /// The request was decided now. The commit records the outcome.
    Fresh(Arc<Outcome>),
    /// The request is a replay. This is the first outcome again.
    Replayed(Arc<Outcome>),
    /// The key was already used for another request. Nothing is recorded.
    IdempotencyMismatch,
    /// A needed account could not be read under a lock, or something that the
    /// request refers to changed meanwhile. Nothing is recorded. The caller may
    /// retry.
    Blocked,
    /// An account's latest time is ahead of the store's clock by more than the
    /// allowed bound. Nothing is recorded. The caller may retry later.
    ClockBehind {
        /// How far the account's time is ahead, in microseconds.
        ahead_micros: u64,
    },
}
