//! The upper bound on MySQL and MariaDB: one fixed set of rows for a transfer
//! (key, transfer, two entries, its share of an outbox row), inserted in the
//! order of their keys, without logic.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;

use super::mysql::{Own, rows};
use super::sqlite::micros;
use super::{Bulk, Checked, Limit};
use crate::Result;
use crate::pattern::Order;
use crate::server::Database;

const SCHEMA: &str = "
CREATE TABLE idempotency (
    hash     BINARY(16) NOT NULL PRIMARY KEY,
    transfer BINARY(16) NOT NULL
) ENGINE = InnoDB;
CREATE TABLE transfer (
    id         BINARY(16)     NOT NULL PRIMARY KEY,
    payer      BINARY(16)     NOT NULL,
    payee      BINARY(16)     NOT NULL,
    amount     DECIMAL(28, 0) NOT NULL,
    created_at BIGINT         NOT NULL
) ENGINE = InnoDB;
CREATE TABLE entry (
    account       BINARY(16)     NOT NULL,
    sequence      BIGINT         NOT NULL,
    transfer      BINARY(16)     NOT NULL,
    amount        DECIMAL(28, 0) NOT NULL,
    balance_after DECIMAL(28, 0) NOT NULL,
    PRIMARY KEY (account, sequence)
) ENGINE = InnoDB;
CREATE TABLE outbox (
    id     BIGINT     NOT NULL AUTO_INCREMENT PRIMARY KEY,
    events MEDIUMBLOB NOT NULL
) ENGINE = InnoDB";

/// What an event of a transfer may take, in bytes.
const EVENT: usize = 64;

/// The rows' tables.
#[derive(Debug)]
pub(crate) struct Tables {
    database: Database,
    /// The last sequence of each account, by number.
    sequences: Vec<AtomicU64>,
}

impl Tables {
    /// Makes them.
    pub(crate) fn create(database: Database, accounts: u32) -> Result<Self> {
        Own::connect(&database)?.text(SCHEMA)?;
        let sequences = (0..=accounts).map(|_| AtomicU64::default()).collect();
        Ok(Self {
            database,
            sequences,
        })
    }
}

impl Limit for Tables {
    fn writers(&self) -> &'static [u32] {
        &[1, 2]
    }

    fn bulk(&self) -> Result<Box<dyn Bulk + '_>> {
        Ok(Box::new(Writer {
            own: Own::connect(&self.database)?,
            sequences: &self.sequences,
            rng: Rng::new(),
        }))
    }

    fn bytes(&self) -> Result<Option<u64>> {
        self.database.bytes().map(Some)
    }

    fn check(&self) -> Result<Checked> {
        let mut own = Own::connect(&self.database)?;
        let mut count = |table: &str| own.number(&format!("SELECT count(*) FROM {table}"));
        let (transfers, keys) = (count("transfer")?, count("idempotency")?);
        let entries = count("entry")?;
        let mut problems = Vec::new();
        if transfers != keys || transfers.saturating_mul(2) != entries {
            problems.push(format!(
                "{transfers} transfers have {keys} keys and {entries} entries"
            ));
        }
        Ok(Checked {
            transfers: u64::try_from(transfers)?,
            problems,
        })
    }
}

struct Writer<'a> {
    own: Own,
    sequences: &'a [AtomicU64],
    rng: Rng,
}

impl Writer<'_> {
    fn entry(&self, account: u32) -> Result<(u32, u64)> {
        let sequence = self.sequences.get(usize::try_from(account)?);
        let sequence = sequence.ok_or("no such account")?;
        let next = sequence.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Ok((account, next))
    }
}

impl Bulk for Writer<'_> {
    fn write(&mut self, orders: &[(String, Order)]) -> Result<()> {
        let now = micros();
        let first = u128::try_from(now)? << 64;
        let mut transfers = Vec::with_capacity(orders.len());
        let mut entries = Vec::with_capacity(orders.len().saturating_mul(2));
        for (key, order) in orders {
            let id = first | u128::from(self.rng.u64(..));
            transfers.push((id, *order, key.as_str()));
            for account in [order.from, order.to] {
                let (account, sequence) = self.entry(account)?;
                entries.push((account, sequence, id, order.cents));
            }
        }
        let events_bytes = EVENT.saturating_mul(orders.len());
        let mut events = String::new();
        for _ in 0..events_bytes {
            write!(events, "{:02x}", self.rng.u8(..))?;
        }
        transfers.sort_unstable_by_key(|(id, ..)| *id);
        let mut sql = "BEGIN;INSERT INTO transfer".to_owned();
        rows(&mut sql, &transfers, |sql, (id, order, _)| {
            let Order { from, to, cents } = order;
            write!(
                sql,
                "x'{id:032x}',x'{from:032x}',x'{to:032x}',{cents},{now}"
            )
        })?;
        entries.sort_unstable();
        sql.push_str(";INSERT INTO entry");
        rows(&mut sql, &entries, |sql, (account, sequence, id, cents)| {
            write!(
                sql,
                "x'{account:032x}',{sequence},x'{id:032x}',{cents},{cents}"
            )
        })?;
        transfers.sort_unstable_by_key(|(_, _, key)| *key);
        sql.push_str(";INSERT INTO idempotency");
        rows(&mut sql, &transfers, |sql, (id, _, key)| {
            write!(sql, "x'{key}',x'{id:032x}'")
        })?;
        write!(
            sql,
            ";INSERT INTO outbox (events) VALUES (x'{events}');COMMIT"
        )?;
        self.own.text(&sql)?;
        Ok(())
    }
}
