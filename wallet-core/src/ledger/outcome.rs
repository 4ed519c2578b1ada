//! What became of a request: receipts or a rejection, recorded under its key.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::ledger::{
    Account, AccountId, AccountKey, AccountState, Amount, Balance, Counters, Currency, Direction,
    Entry, Epoch, Fingerprint, Hold, InLedger, LedgerId, Position, RecordKey, Rejected, Rejection,
    Sequence, Timestamp, Transfer, Version,
};

/// The recorded answer to a request: all that a replay needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The request's time.
    pub at: Timestamp,
    /// The database's epoch when it was decided: that of all its effects.
    pub epoch: Epoch,
    /// One receipt per command in order, or why nothing was done.
    pub result: Result<Vec<Receipt>, Rejected>,
}

impl Outcome {
    /// The effects of its transfers and holds, in order. Openings and changes of
    /// an account stand in their own receipts.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.receipts().iter().flat_map(|receipt| match receipt {
            Receipt::AccountOpened(_)
            | Receipt::AccountChanged(_)
            | Receipt::BulkAccepted { .. } => [].iter(),
            Receipt::Posted(posted) => posted.effects.iter(),
            Receipt::HoldChanged(changed) => changed.effects.iter(),
        })
    }

    /// The balance of each account that it changed, after it, by account: what a
    /// cache keeps of it.
    #[must_use]
    pub fn balances(&self) -> Vec<Balance> {
        let mut latest = BTreeMap::new();
        self.each_balance(&mut |balance| {
            latest.insert(balance.account, balance);
        });
        latest.into_values().collect()
    }

    /// Tells the balance after each effect, in their order.
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

    /// The position of each account that it changed, after it, by account. Who
    /// reads with [`Freshness::AtLeast`](crate::ledger::Freshness::AtLeast) these sees
    /// what it did.
    #[must_use]
    pub fn positions(&self) -> Vec<(AccountKey, Position)> {
        let balances = self.balances().into_iter();
        balances
            .map(|balance| (balance.account, balance.position()))
            .collect()
    }

    /// The outcome under a key that was cancelled at `at`.
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

    /// What is recorded under the key of a bulk request of so many items.
    pub(crate) fn bulk(at: Timestamp, epoch: Epoch, items: u32) -> Self {
        Self {
            at,
            epoch,
            result: Ok(vec![Receipt::BulkAccepted { items }]),
        }
    }

    /// Whether the key was cancelled: nothing was done under it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let rejected = self.result.as_ref().err();
        rejected.is_some_and(|rejected| rejected.rejection == Rejection::Cancelled)
    }

    /// How many items a bulk request has; `None` where this is the outcome of
    /// another request. The outcomes of the items are recorded under the keys of
    /// [`RecordKey::item`].
    #[must_use]
    pub fn bulk_items(&self) -> Option<u32> {
        match self.receipts() {
            [Receipt::BulkAccepted { items }] => Some(*items),
            _ => None,
        }
    }

    /// The receipts; empty when the request was refused.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        self.result.as_deref().unwrap_or_default()
    }

    /// The transfers that it posted.
    pub fn transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.postings().map(|posted| &posted.transfer)
    }

    /// The entries that it wrote, transfer by transfer.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let epoch = self.epoch;
        self.postings()
            .flat_map(move |posted| posted.entries(epoch))
    }

    /// The receipts of its transfers.
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

/// What one command did.
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
    /// The first item of a bulk request was decided. Recorded under the bulk
    /// request's own key; it changes no account.
    BulkAccepted {
        /// How many items the bulk request has.
        items: u32,
    },
}

impl Receipt {
    /// Whether it changed any account, which is what makes an event.
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
    /// The account after it.
    pub state: AccountState,
    /// What changed; nothing when it was so already.
    pub effect: Option<EffectKind>,
}

/// A posted transfer with what it did to each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The transfer.
    pub transfer: Transfer,
    /// The hold after it, for a capture. Boxed, since few transfers have one.
    pub hold: Option<Box<Hold>>,
    /// Every effect in order; debit before credit of each leg.
    pub effects: Vec<Effect>,
}

impl Posted {
    /// The entries that it wrote in `epoch`, that of its outcome: two per leg.
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
    /// The hold after it.
    pub hold: Hold,
    /// What it did to both accounts: the one that pays first.
    pub effects: Vec<Effect>,
}

/// What kind of effect an account saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EffectKind {
    /// It was opened.
    Opened,
    /// Its status changed.
    StatusChanged,
    /// Its limits changed.
    LimitsChanged,
    /// A leg of a transfer debited it.
    Debited,
    /// A leg of a transfer credited it.
    Credited,
    /// A hold was placed on it or towards it.
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

/// One effect on one account: what raises its version by one, and what becomes
/// one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Which account, in the request's ledger.
    pub account: AccountId,
    /// Whether it is one of the host's own.
    pub system: bool,
    /// What happened.
    pub kind: EffectKind,
    /// The account's version after it.
    pub version: Version,
    /// The account's running sums after it.
    pub counters: Counters,
    /// The entry that it wrote, if any.
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

/// The part of an [`Entry`] that an [`Effect`] does not already say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryMark {
    /// The account's sequence after it.
    pub sequence: Sequence,
    /// The index of the transfer's leg.
    pub leg: u16,
    /// Which side.
    pub direction: Direction,
    /// How much, in minor units.
    pub amount: Amount,
}

/// What a store keeps under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: RecordKey,
    /// What was asked.
    pub fingerprint: Fingerprint,
    /// What was answered.
    pub outcome: Arc<Outcome>,
}

/// What [`decide`](crate::decide::decide) says of one request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decided {
    /// Decided now, and recorded by the commit.
    Fresh(Arc<Outcome>),
    /// Answered before: the first outcome again.
    Replayed(Arc<Outcome>),
    /// The key was used for something else. Nothing is recorded.
    IdempotencyMismatch,
    /// An account that it needs could not be read under a lock, or what it
    /// refers to changed meanwhile. Nothing is recorded; ask again.
    Blocked,
    /// An account's latest time runs ahead of the store's clock by more than
    /// is allowed. Nothing is recorded; ask again later.
    ClockBehind {
        /// How far, in microseconds.
        ahead_micros: u64,
    },
}
