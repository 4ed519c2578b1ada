use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use wallet_core::ledger::{
    AccountKey, AccountState, COUNTER_MAX, Counters, CurrencyCode, Direction, Effect, EffectKind,
    EntryMark, Epoch, HoldKey, InLedger, TransferKey, TransferWithReversals,
};
use wallet_core::{
    Account, AccountId, Amount, Entry, Hold, LedgerId, Rejection, Timestamp, TransferId,
};

/// The state of the model, in plain maps.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Every account.
    pub accounts: BTreeMap<AccountKey, Account>,
    /// Every hold.
    pub holds: BTreeMap<HoldKey, Hold>,
    /// Every transfer with the reversed amount of each leg.
    pub transfers: BTreeMap<TransferKey, TransferWithReversals>,
    /// Every entry, in the order in which they were written.
    pub entries: Vec<Entry>,
    /// The exponent of every currency.
    pub currencies: BTreeMap<CurrencyCode, u8>,
    /// The current epoch.
    pub epoch: Epoch,
}

/// The names in a request. The times of their accounts bound the request's time.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) accounts: BTreeSet<AccountKey>,
    pub(super) holds: Vec<HoldKey>,
    pub(super) transfers: Vec<TransferKey>,
}

impl Books {
    /// A copy of the named rows only, without entries.
    pub(super) fn copy_of(&self, named: &Named) -> Self {
        let mut copy = Self {
            currencies: self.currencies.clone(),
            epoch: self.epoch,
            ..Self::default()
        };
        for key in &named.accounts {
            if let Some(account) = self.accounts.get(key) {
                copy.accounts.insert(*key, account.clone());
            }
        }
        for key in &named.holds {
            if let Some(hold) = self.holds.get(key) {
                copy.holds.insert(*key, hold.clone());
            }
        }
        for key in &named.transfers {
            if let Some(row) = self.transfers.get(key) {
                copy.transfers.insert(*key, row.clone());
            }
        }
        copy
    }

    /// Replaces the rows in `copy`, and adds its entries.
    pub(super) fn take_in(&mut self, copy: Self) {
        self.accounts.extend(copy.accounts);
        self.holds.extend(copy.holds);
        self.transfers.extend(copy.transfers);
        self.entries.extend(copy.entries);
        self.currencies = copy.currencies;
    }
}

/// The rejection of a command, and its subject.
pub(super) type Refusal = (Rejection, Uuid);

/// One request that works on a copy of its named rows.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) books: Books,
    pub(super) ledger: LedgerId,
    /// The store's clock.
    pub(super) now: Timestamp,
    /// The request's time.
    pub(super) at: Timestamp,
}

/// One side of a leg that is being posted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) account: AccountId,
    pub(super) direction: Direction,
    pub(super) amount: Amount,
    /// Minor units that stop being held.
    pub(super) unheld: i128,
    pub(super) transfer: TransferId,
    pub(super) leg: u16,
}

impl Attempt {
    pub(super) const fn key<Id: Copy>(&self, id: Id) -> InLedger<Id> {
        InLedger::new(self.ledger, id)
    }

    pub(super) fn exists(&self, id: AccountId) -> bool {
        self.books.accounts.contains_key(&self.key(id))
    }

    /// An account that certainly exists.
    pub(super) fn state(&self, id: AccountId) -> &AccountState {
        &self.books.accounts[&self.key(id)].state
    }

    /// One more effect on an account: its version rises by one, and its time
    /// becomes that of the request.
    pub(super) fn touch(
        &mut self,
        id: AccountId,
        kind: EffectKind,
        change: impl FnOnce(&mut AccountState),
    ) -> Result<Effect, Refusal> {
        let (key, at) = (self.key(id), self.at);
        let state = &mut self.books.accounts.get_mut(&key).unwrap().state;
        change(state);
        state.version += 1;
        state.last_at = at;
        let sums = state.counters;
        let all = [
            sums.debits_posted,
            sums.credits_posted,
            sums.debits_pending,
            sums.credits_pending,
        ];
        if all.iter().any(|sum| *sum > COUNTER_MAX) {
            return Err((Rejection::CounterOverflow, id.uuid()));
        }
        assert!(all.iter().all(|sum| *sum >= 0), "a sum fell below zero");
        Ok(Effect {
            account: id,
            system: state.system,
            kind,
            version: state.version,
            counters: sums,
            entry: None,
        })
    }

    /// Writes one entry: one effect, and one more in the account's sequence.
    pub(super) fn enter(&mut self, side: Side, kind: EffectKind) -> Result<Effect, Refusal> {
        let minor = side.amount.minor();
        let effect = self.touch(side.account, kind, |state| {
            let sums = &mut state.counters;
            match side.direction {
                Direction::Debit => {
                    sums.debits_posted += minor;
                    sums.debits_pending -= side.unheld;
                }
                Direction::Credit => {
                    sums.credits_posted += minor;
                    sums.credits_pending -= side.unheld;
                }
            }
            state.sequence += 1;
        })?;
        let sequence = self.state(side.account).sequence;
        self.books.entries.push(Entry {
            account: self.key(side.account),
            sequence,
            epoch: self.books.epoch,
            version: effect.version,
            direction: side.direction,
            amount: side.amount,
            balance_after: balance(&effect.counters),
            transfer: side.transfer,
            leg: side.leg,
            created_at: self.at,
        });
        Ok(Effect {
            entry: Some(EntryMark {
                sequence,
                leg: side.leg,
                direction: side.direction,
                amount: side.amount,
            }),
            ..effect
        })
    }
}

/// The posted balance.
pub(super) const fn balance(sums: &Counters) -> i128 {
    sums.credits_posted - sums.debits_posted
}
