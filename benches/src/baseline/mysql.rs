//! A hand-written ledger on MySQL or MariaDB: one transaction per transfer,
//! prepared statements, both accounts in one statement, rows locked in the order
//! of their keys. That a key is new shows when it is inserted.

use std::fmt::Write;
use std::sync::Mutex;

use tokio::runtime::Runtime;
use wallet_aurora::sqlx::mysql::{MySqlArguments, MySqlRow};
use wallet_aurora::sqlx::{self, Connection, Executor, MySqlConnection, Row};

use super::sqlite::{CHECKS, micros};
use super::{Answer, Baseline, Bulk, Checked, Posted, Session, Way};
use crate::Result;
use crate::pattern::{BANK, Order};
use crate::server::Database;

const SCHEMA: &str = include_str!("mysql.sql");
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

const ANSWERED: &str =
    "SELECT transfer, payer_balance, payee_balance FROM idempotency WHERE name = ?";
const LOCK: &str = "
    SELECT id, floor, balance, version FROM account WHERE id IN (?, ?) ORDER BY id FOR UPDATE";
const SET: &str = "
    UPDATE account SET balance = IF(id = ?, ?, ?), version = version + 1 WHERE id IN (?, ?)";
const TRANSFER: &str =
    "INSERT INTO transfer (payer, payee, amount, created_at) VALUES (?, ?, ?, ?)";
const ENTRIES: &str = "
    INSERT INTO entry (account, sequence, transfer, amount, balance_after)
    VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)";
const RECORD: &str = "
    INSERT INTO idempotency (name, transfer, payer_balance, payee_balance) VALUES (?, ?, ?, ?)";
const PUBLISH: &str = "INSERT INTO outbox (transfer) VALUES (?)";

/// A ledger in its own database.
#[derive(Debug)]
pub(crate) struct MySql {
    database: Database,
    /// Balance and version of each account, by number: for the bulk writer.
    accounts: Mutex<Vec<(i64, i64)>>,
}

impl MySql {
    /// Makes the tables, and the accounts 1 to `accounts`, whose balance is
    /// zero, and the bank, which has no floor.
    pub(crate) fn create(database: Database, accounts: u32) -> Result<Self> {
        let mut own = Own::connect(&database)?;
        own.text(SCHEMA)?;
        let numbers: Vec<u32> = (BANK..=accounts).collect();
        for numbers in numbers.chunks(1_000) {
            let mut sql = "INSERT INTO account (id, currency, floor, balance, version)".to_owned();
            rows(&mut sql, numbers, |sql, number| {
                let floor = if *number == BANK { "NULL" } else { "0" };
                write!(sql, "{number},'EUR',{floor},0,0")
            })?;
            own.text(&sql)?;
        }
        let accounts = vec![(0, 0); usize::try_from(accounts)?.saturating_add(1)];
        Ok(Self {
            database,
            accounts: Mutex::new(accounts),
        })
    }
}

impl Baseline for MySql {
    fn describe(&self) -> &'static str {
        "one transaction per transfer"
    }

    fn ways(&self) -> &'static [Way] {
        &[Way::Server]
    }

    fn session(&self, _: Way) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Own::connect(&self.database)?))
    }

    fn bulk(&self) -> Result<Box<dyn Bulk + '_>> {
        let mut own = Own::connect(&self.database)?;
        let next = own.number("SELECT coalesce(max(id), 0) + 1 FROM transfer")?;
        for (number, balance, version) in own.accounts()? {
            let mut accounts = self.accounts.lock().map_err(|_| "a writer panicked")?;
            let place = accounts.get_mut(usize::try_from(number)?);
            *place.ok_or("no such account")? = (balance, version);
        }
        Ok(Box::new(Writer {
            own,
            accounts: &self.accounts,
            next,
        }))
    }

    fn bytes(&self) -> Result<Option<u64>> {
        self.database.bytes().map(Some)
    }

    fn check(&self) -> Result<Checked> {
        let mut own = Own::connect(&self.database)?;
        let mut problems = Vec::new();
        for (what, sql) in CHECKS {
            let found = own.number(sql)?;
            if found != 0 {
                problems.push(format!("{what}: {found}"));
            }
        }
        let transfers = u64::try_from(own.number("SELECT count(*) FROM transfer")?)?;
        Ok(Checked {
            transfers,
            problems,
        })
    }
}

/// The connection of a caller; the caller's thread waits for it.
pub(super) struct Own {
    runtime: Runtime,
    connection: MySqlConnection,
}

type PreparedRequest<'q> = sqlx::query::Query<'q, sqlx::MySql, MySqlArguments>;

impl Own {
    pub(super) fn connect(database: &Database) -> Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build()?;
        let connection = runtime.block_on(MySqlConnection::connect(database.url()))?;
        let mut own = Self {
            runtime,
            connection,
        };
        own.text(ISOLATION)?;
        Ok(own)
    }

    /// Runs statements as text; returns the rows of all.
    pub(super) fn text(&mut self, sql: &str) -> Result<Vec<MySqlRow>> {
        let rows = self.connection.fetch_all(sql);
        Ok(self.runtime.block_on(rows)?)
    }

    pub(super) fn number(&mut self, sql: &str) -> Result<i64> {
        let sql = format!("SELECT CAST(({sql}) AS SIGNED)");
        let rows = self.text(&sql)?;
        Ok(rows.first().ok_or("no row")?.try_get(0)?)
    }

    fn accounts(&mut self) -> Result<Vec<(i64, i64, i64)>> {
        let rows = self.text("SELECT id, balance, version FROM account")?;
        let rows = rows.iter();
        let read = rows.map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
        read.collect()
    }

    fn run(&mut self, query: PreparedRequest<'_>) -> Result<u64> {
        let done = query.execute(&mut self.connection);
        Ok(self.runtime.block_on(done)?.last_insert_id())
    }

    fn rows(&mut self, query: PreparedRequest<'_>) -> Result<Vec<MySqlRow>> {
        let rows = query.fetch_all(&mut self.connection);
        Ok(self.runtime.block_on(rows)?)
    }

    fn answered(&mut self, key: &str) -> Result<Answer> {
        let rows = self.rows(sqlx::query(ANSWERED).bind(key))?;
        let row = rows.first().ok_or("no such key")?;
        let (Some(transfer), Some(from_balance), Some(to_balance)) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)
        else {
            return Ok(Answer::InsufficientFunds);
        };
        Ok(Answer::Posted(Posted {
            transfer,
            from_balance,
            to_balance,
        }))
    }

    fn post(&mut self, key: &str, order: Order) -> Result<Answer> {
        let (from, to) = (i64::from(order.from), i64::from(order.to));
        let locked = self.rows(sqlx::query(LOCK).bind(from).bind(to))?;
        let (debited, credited) = (side(&locked, from)?, side(&locked, to)?);
        let amount = i64::from(order.cents);
        let from_balance = debited.balance.saturating_sub(amount);
        let to_balance = credited.balance.saturating_add(amount);
        if debited.floor.is_some_and(|floor| from_balance < floor) {
            let none = None::<i64>;
            let record = sqlx::query(RECORD).bind(key);
            self.run(record.bind(none).bind(none).bind(none))?;
            return Ok(Answer::InsufficientFunds);
        }
        let set = sqlx::query(SET).bind(from).bind(from_balance);
        self.run(set.bind(to_balance).bind(from).bind(to))?;
        let transfer = sqlx::query(TRANSFER).bind(from).bind(to).bind(amount);
        let transfer = i64::try_from(self.run(transfer.bind(micros()))?)?;
        let entries = sqlx::query(ENTRIES);
        let entries = entries.bind(from).bind(debited.version.saturating_add(1));
        let entries = entries.bind(transfer).bind(amount.saturating_neg());
        let entries = entries.bind(from_balance);
        let entries = entries.bind(to).bind(credited.version.saturating_add(1));
        self.run(entries.bind(transfer).bind(amount).bind(to_balance))?;
        let record = sqlx::query(RECORD).bind(key).bind(transfer);
        self.run(record.bind(from_balance).bind(to_balance))?;
        self.run(sqlx::query(PUBLISH).bind(transfer))?;
        Ok(Answer::Posted(Posted {
            transfer,
            from_balance,
            to_balance,
        }))
    }
}

impl Session for Own {
    fn transfer(&mut self, key: &str, order: Order) -> Result<Answer> {
        self.text("BEGIN")?;
        let done = self.post(key, order).and_then(|answer| {
            self.text("COMMIT")?;
            Ok(answer)
        });
        let Err(error) = done else { return done };
        self.text("ROLLBACK")?;
        let reported = error.downcast_ref::<sqlx::Error>();
        let reported = reported.and_then(sqlx::Error::as_database_error);
        // The key exists: the recorded answer is returned.
        if reported.is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
            return self.answered(key);
        }
        Err(error)
    }
}

/// A locked account.
struct Side {
    floor: Option<i64>,
    balance: i64,
    version: i64,
}

fn side(rows: &[MySqlRow], account: i64) -> Result<Side> {
    for row in rows {
        if row.try_get::<i64, _>(0)? == account {
            return Ok(Side {
                floor: row.try_get(1)?,
                balance: row.try_get(2)?,
                version: row.try_get(3)?,
            });
        }
    }
    Err("no such account".into())
}

/// Adds ` VALUES (..),(..)` to the text of an insert.
pub(super) fn rows<T>(
    sql: &mut String,
    rows: &[T],
    row: impl Fn(&mut String, &T) -> std::fmt::Result,
) -> Result<()> {
    for (index, value) in rows.iter().enumerate() {
        sql.push_str(if index == 0 { " VALUES (" } else { ",(" });
        row(sql, value)?;
        sql.push(')');
    }
    Ok(())
}

/// Writes rows in bulk; knows the balances, so that it reads nothing.
struct Writer<'a> {
    own: Own,
    accounts: &'a Mutex<Vec<(i64, i64)>>,
    next: i64,
}

impl Bulk for Writer<'_> {
    fn write(&mut self, orders: &[(String, Order)]) -> Result<()> {
        let mut accounts = self.accounts.lock().map_err(|_| "a writer panicked")?;
        let mut entries = Vec::new();
        let mut transfers = Vec::new();
        for (key, order) in orders {
            let transfer = self.next;
            self.next = self.next.saturating_add(1);
            let amount = i64::from(order.cents);
            let mut after = [0; 2];
            let sides = [(order.from, amount.saturating_neg()), (order.to, amount)];
            for ((account, amount), after) in sides.into_iter().zip(&mut after) {
                let place = accounts.get_mut(usize::try_from(account)?);
                let (balance, version) = place.ok_or("no such account")?;
                *balance = balance.saturating_add(amount);
                *version = version.saturating_add(1);
                *after = *balance;
                entries.push((account, *version, transfer, amount, *balance));
            }
            transfers.push((transfer, *order, key.as_str(), after));
        }
        let now = micros();
        let mut sql =
            "BEGIN;INSERT INTO transfer (id, payer, payee, amount, created_at)".to_owned();
        rows(&mut sql, &transfers, |sql, (id, order, ..)| {
            let Order { from, to, cents } = order;
            write!(sql, "{id},{from},{to},{cents},{now}")
        })?;
        sql.push_str(";INSERT INTO outbox (transfer)");
        rows(&mut sql, &transfers, |sql, (id, ..)| write!(sql, "{id}"))?;
        sql.push_str(";INSERT INTO idempotency");
        rows(&mut sql, &transfers, |sql, (id, _, key, [from, to])| {
            write!(sql, "'{key}',{id},{from},{to}")
        })?;
        entries.sort_unstable();
        sql.push_str(";INSERT INTO entry");
        rows(
            &mut sql,
            &entries,
            |sql, (account, sequence, id, amount, after)| {
                write!(sql, "{account},{sequence},{id},{amount},{after}")
            },
        )?;
        // The last entry of an account holds its balance.
        sql.push_str(";INSERT INTO account (id, currency, balance, version)");
        rows(&mut sql, &entries, |sql, (account, version, .., after)| {
            write!(sql, "{account},'EUR',{after},{version}")
        })?;
        sql.push_str(
            " ON DUPLICATE KEY UPDATE balance = VALUES(balance), version = VALUES(version);COMMIT",
        );
        drop(accounts);
        self.own.text(&sql)?;
        Ok(())
    }
}
