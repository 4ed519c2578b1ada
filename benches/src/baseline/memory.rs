//! A hand-written ledger in memory: one lock per transfer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Answer, Baseline, Bulk, Checked, Posted, Session, Way};
use crate::Result;
use crate::pattern::{BANK, Order};

/// Everything behind one lock.
#[derive(Debug)]
pub(crate) struct Memory {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    accounts: HashMap<u32, Account>,
    transfers: Vec<Order>,
    keys: HashMap<String, Answer>,
    /// Transfers to publish.
    outbox: Vec<i64>,
}

#[derive(Debug, Default)]
struct Account {
    floor: Option<i64>,
    balance: i64,
    /// Transfer, amount, balance after; the place is the sequence.
    entries: Vec<(i64, i64, i64)>,
}

impl Memory {
    pub(crate) fn open(accounts: u32) -> Self {
        let accounts = (BANK..=accounts).map(|number| {
            let floor = (number != BANK).then_some(0);
            let account = Account {
                floor,
                ..Account::default()
            };
            (number, account)
        });
        let tables = Tables {
            accounts: accounts.collect(),
            ..Tables::default()
        };
        Self {
            tables: Mutex::new(tables),
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn transfer(&mut self, key: &str, order: Order) -> Result<Answer> {
        if let Some(answer) = self.keys.get(key) {
            return Ok(*answer);
        }
        let amount = i64::from(order.cents);
        let payer = self.accounts.get(&order.from).ok_or("no such account")?;
        let left = payer.balance.saturating_sub(amount);
        let is_refused = payer.floor.is_some_and(|floor| left < floor);
        let answer = if is_refused {
            Answer::InsufficientFunds
        } else {
            self.post(order, amount)?
        };
        self.keys.insert(key.to_owned(), answer);
        Ok(answer)
    }

    fn post(&mut self, order: Order, amount: i64) -> Result<Answer> {
        let transfer = i64::try_from(self.transfers.len())?;
        let from_balance = self.side(order.from, transfer, amount.saturating_neg())?;
        let to_balance = self.side(order.to, transfer, amount)?;
        self.transfers.push(order);
        self.outbox.push(transfer);
        Ok(Answer::Posted(Posted {
            transfer,
            from_balance,
            to_balance,
        }))
    }

    fn side(&mut self, account: u32, transfer: i64, amount: i64) -> Result<i64> {
        let account = self.accounts.get_mut(&account).ok_or("no such account")?;
        account.balance = account.balance.saturating_add(amount);
        account.entries.push((transfer, amount, account.balance));
        Ok(account.balance)
    }

    fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let sum: i64 = self.accounts.values().map(|account| account.balance).sum();
        if sum != 0 {
            problems.push(format!("the sum of all balances: {sum}"));
        }
        for (number, account) in &self.accounts {
            let total: i64 = account.entries.iter().map(|(_, amount, _)| *amount).sum();
            if total != account.balance {
                problems.push(format!("account {number} is not the sum of its entries"));
            }
            if account.floor.is_some_and(|floor| account.balance < floor) {
                problems.push(format!("account {number} is below its floor"));
            }
        }
        let entries = self.accounts.values().map(|account| account.entries.len());
        let sides = self.transfers.len().saturating_mul(2);
        if entries.sum::<usize>() != sides || self.outbox.len() != self.transfers.len() {
            problems.push("entries, transfers and what is to be published differ".to_owned());
        }
        problems
    }
}

impl Baseline for Memory {
    fn describe(&self) -> &'static str {
        "one lock per transfer"
    }

    fn ways(&self) -> &'static [Way] {
        &[Way::Lock]
    }

    fn session(&self, _: Way) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Locking(self)))
    }

    fn bulk(&self) -> Result<Box<dyn Bulk + '_>> {
        Ok(Box::new(Locking(self)))
    }

    fn bytes(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn check(&self) -> Result<Checked> {
        let tables = self.tables();
        Ok(Checked {
            transfers: u64::try_from(tables.transfers.len())?,
            problems: tables.check(),
        })
    }
}

struct Locking<'a>(&'a Memory);

impl Session for Locking<'_> {
    fn transfer(&mut self, key: &str, order: Order) -> Result<Answer> {
        self.0.tables().transfer(key, order)
    }
}

impl Bulk for Locking<'_> {
    fn write(&mut self, orders: &[(String, Order)]) -> Result<()> {
        let mut tables = self.0.tables();
        for (key, order) in orders {
            let answer = tables.post(*order, i64::from(order.cents))?;
            tables.keys.insert(key.clone(), answer);
        }
        Ok(())
    }
}
