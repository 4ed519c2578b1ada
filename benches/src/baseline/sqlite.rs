//! One hand-written transaction per transfer on SQLite.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use wallet_sqlite::rusqlite::config::DbConfig;
use wallet_sqlite::rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::{Answer, Baseline, Bulk, Checked, Posted, Session, Way};
use crate::pattern::{BANK, Order};
use crate::{Result, disk};

const SCHEMA: &str = include_str!("sqlite.sql");

/// The connection settings of `wallet-sqlite`, so that both do the same work for the same
/// durability.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 16000;
    PRAGMA cache_size = -65536;";
const PAGE_SIZE: &str = "PRAGMA page_size = 2048";

const OPEN: &str =
    "INSERT INTO account (id, currency, floor, balance, version) VALUES (?, 'EUR', ?, 0, 0)";
const ANSWERED: &str =
    "SELECT transfer, payer_balance, payee_balance FROM idempotency WHERE key = ?";
const DEBIT: &str = "
    UPDATE account SET balance = balance - ?2, version = version + 1
    WHERE id = ?1 AND (floor IS NULL OR balance - ?2 >= floor)
    RETURNING balance, version";
const CREDIT: &str = "
    UPDATE account SET balance = balance + ?2, version = version + 1
    WHERE id = ?1
    RETURNING balance, version";
const TRANSFER: &str =
    "INSERT INTO transfer (payer, payee, amount, created_at) VALUES (?, ?, ?, ?)";
const ENTRY: &str = "
    INSERT INTO entry (account, sequence, transfer, amount, balance_after)
    VALUES (?, ?, ?, ?, ?)";
const RECORD: &str = "
    INSERT INTO idempotency (key, transfer, payer_balance, payee_balance) VALUES (?, ?, ?, ?)";
const PUBLISH: &str = "INSERT INTO outbox (transfer) VALUES (?)";
const SET: &str = "UPDATE account SET balance = ?2, version = ?3 WHERE id = ?1";

/// A ledger in its own file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    shared: Mutex<Connection>,
}

impl Sqlite {
    /// Makes the file in `folder`, and the accounts 1 to `accounts` in it,
    /// whose balance is zero, and the bank, which has no floor.
    pub(crate) fn open(folder: &Path, accounts: u32) -> Result<Self> {
        let path = folder.join("baseline.db");
        let connection = Connection::open(&path)?;
        connection.execute_batch(PAGE_SIZE)?;
        connect(&connection)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut open = connection.prepare(OPEN)?;
        for account in BANK..=accounts {
            let floor = (account != BANK).then_some(0);
            open.execute((account, floor))?;
        }
        drop(open);
        connection.execute_batch("COMMIT")?;
        let shared = Mutex::new(connection);
        Ok(Self { path, shared })
    }

    fn connection(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connect(&connection)?;
        Ok(connection)
    }
}

fn connect(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(32);
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(SETTINGS)?;
    Ok(())
}

impl Baseline for Sqlite {
    fn describe(&self) -> &'static str {
        "one transaction per transfer"
    }

    fn ways(&self) -> &'static [Way] {
        &[Way::Own, Way::Shared]
    }

    fn session(&self, way: Way) -> Result<Box<dyn Session + '_>> {
        Ok(match way {
            Way::Own => Box::new(Own(self.connection()?)),
            Way::Shared | Way::Lock | Way::Server => Box::new(Shared(&self.shared)),
        })
    }

    fn bulk(&self) -> Result<Box<dyn Bulk + '_>> {
        Ok(Box::new(Writer::new(self.connection()?)?))
    }

    fn bytes(&self) -> Result<Option<u64>> {
        disk::sqlite_bytes(&self.path).map(Some)
    }

    fn check(&self) -> Result<Checked> {
        check(&self.connection()?)
    }
}

struct Own(Connection);

impl Session for Own {
    fn transfer(&mut self, key: &str, order: Order) -> Result<Answer> {
        transfer(&self.0, key, order)
    }
}

struct Shared<'a>(&'a Mutex<Connection>);

impl Session for Shared<'_> {
    fn transfer(&mut self, key: &str, order: Order) -> Result<Answer> {
        let connection: MutexGuard<'_, Connection> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner);
        transfer(&connection, key, order)
    }
}

/// The whole transfer: one transaction, which is rolled back on any error.
fn transfer(connection: &Connection, key: &str, order: Order) -> Result<Answer> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let done = post(connection, key, order).and_then(|answer| {
        connection.prepare_cached("COMMIT")?.execute(())?;
        Ok(answer)
    });
    if done.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    done
}

fn post(connection: &Connection, key: &str, order: Order) -> Result<Answer> {
    if let Some(answer) = answered(connection, key)? {
        return Ok(answer);
    }
    let Order { from, to, cents } = order;
    let payer = connection
        .prepare_cached(DEBIT)?
        .query_row((from, cents), balance)
        .optional()?;
    let mut record = connection.prepare_cached(RECORD)?;
    let Some((from_balance, from_sequence)) = payer else {
        record.execute((key, None::<i64>, None::<i64>, None::<i64>))?;
        return Ok(Answer::InsufficientFunds);
    };
    let (to_balance, to_sequence) = connection
        .prepare_cached(CREDIT)?
        .query_row((to, cents), balance)?;
    connection
        .prepare_cached(TRANSFER)?
        .execute((from, to, cents, micros()))?;
    let transfer = connection.last_insert_rowid();
    let mut entry = connection.prepare_cached(ENTRY)?;
    let amount = i64::from(cents);
    let debit = amount.saturating_neg();
    entry.execute((from, from_sequence, transfer, debit, from_balance))?;
    entry.execute((to, to_sequence, transfer, amount, to_balance))?;
    record.execute((key, transfer, from_balance, to_balance))?;
    connection.prepare_cached(PUBLISH)?.execute((transfer,))?;
    Ok(Answer::Posted(Posted {
        transfer,
        from_balance,
        to_balance,
    }))
}

fn balance(row: &Row<'_>) -> wallet_sqlite::rusqlite::Result<(i64, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn answered(connection: &Connection, key: &str) -> Result<Option<Answer>> {
    let read = |row: &Row<'_>| {
        let Some(transfer) = row.get(0)? else {
            return Ok(Answer::InsufficientFunds);
        };
        let (from_balance, to_balance) = (row.get(1)?, row.get(2)?);
        Ok(Answer::Posted(Posted {
            transfer,
            from_balance,
            to_balance,
        }))
    };
    let mut statement = connection.prepare_cached(ANSWERED)?;
    Ok(statement.query_row((key,), read).optional()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the hand-written ledger knows no port: it reads the clock"
)]
pub(super) fn micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

/// Writes rows in bulk; knows the balances, so that it reads nothing.
struct Writer {
    connection: Connection,
    /// Balance and version of each account, by number.
    accounts: Vec<(i64, i64)>,
    next: i64,
}

impl Writer {
    fn new(connection: Connection) -> Result<Self> {
        let accounts = connection
            .prepare("SELECT balance, version FROM account ORDER BY id")?
            .query_map((), balance)?
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let last: i64 =
            connection.query_row("SELECT coalesce(max(id), 0) FROM transfer", (), |row| {
                row.get(0)
            })?;
        Ok(Self {
            connection,
            accounts,
            next: last.saturating_add(1),
        })
    }

    /// Books one side; the entry's row.
    fn side(&mut self, account: u32, transfer: i64, amount: i64) -> Result<Entry> {
        let index = usize::try_from(account)?;
        let (balance, version) = self.accounts.get_mut(index).ok_or("no such account")?;
        *balance = balance.saturating_add(amount);
        *version = version.saturating_add(1);
        Ok((account, *version, transfer, amount, *balance))
    }

    fn insert(&self, rows: &Rows<'_>) -> Result<()> {
        let connection = &self.connection;
        let (mut transfer, mut publish) = (
            connection.prepare_cached(TRANSFER)?,
            connection.prepare_cached(PUBLISH)?,
        );
        for (id, order) in &rows.transfers {
            transfer.execute((order.from, order.to, order.cents, rows.now))?;
            publish.execute((id,))?;
        }
        let mut entry = connection.prepare_cached(ENTRY)?;
        for row in &rows.entries {
            entry.execute(*row)?;
        }
        let mut record = connection.prepare_cached(RECORD)?;
        for (key, transfer, payer, payee) in &rows.keys {
            record.execute(params![key, transfer, payer, payee])?;
        }
        let mut set = connection.prepare_cached(SET)?;
        for account in &rows.accounts {
            let found = self.accounts.get(usize::try_from(*account)?);
            let (balance, version) = found.ok_or("no such account")?;
            set.execute((account, balance, version))?;
        }
        Ok(())
    }
}

/// Account, sequence, transfer, amount, balance after.
type Entry = (u32, i64, i64, i64, i64);

/// What is inserted, each kind in the order of its key.
struct Rows<'a> {
    now: i64,
    transfers: Vec<(i64, Order)>,
    entries: Vec<Entry>,
    keys: Vec<(&'a str, i64, i64, i64)>,
    accounts: Vec<u32>,
}

impl Bulk for Writer {
    fn write(&mut self, orders: &[(String, Order)]) -> Result<()> {
        let mut rows = Rows {
            now: micros(),
            transfers: Vec::with_capacity(orders.len()),
            entries: Vec::new(),
            keys: Vec::with_capacity(orders.len()),
            accounts: Vec::new(),
        };
        for (key, order) in orders {
            let id = self.next;
            self.next = self.next.saturating_add(1);
            let amount = i64::from(order.cents);
            let debit = self.side(order.from, id, amount.saturating_neg())?;
            let credit = self.side(order.to, id, amount)?;
            rows.transfers.push((id, *order));
            rows.keys.push((key, id, debit.4, credit.4));
            rows.entries.extend([debit, credit]);
            rows.accounts.extend([order.from, order.to]);
        }
        rows.entries.sort_unstable();
        rows.keys.sort_unstable();
        rows.accounts.sort_unstable();
        rows.accounts.dedup();
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute(())?;
        self.insert(&rows)?;
        self.connection.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }
}

/// Queries that return zero in sound books.
pub(super) const CHECKS: [(&str, &str); 6] = [
    (
        "the sum of all balances",
        "SELECT coalesce(sum(balance), 0) FROM account",
    ),
    (
        "accounts whose balance is not the sum of their entries, or whose entries have gaps",
        "SELECT count(*) FROM account
         LEFT JOIN (SELECT account, sum(amount) AS total, count(*) AS count,
                           min(sequence) AS first, max(sequence) AS last
                    FROM entry GROUP BY account) AS found ON found.account = account.id
         WHERE balance <> coalesce(total, 0) OR version <> coalesce(count, 0)
            OR version <> coalesce(last, 0) OR coalesce(first, 1) <> 1",
    ),
    (
        "accounts below their floor",
        "SELECT count(*) FROM account WHERE balance < floor",
    ),
    (
        "transfers without their two entries",
        "SELECT 2 * (SELECT count(*) FROM transfer) - (SELECT count(*) FROM entry)",
    ),
    (
        "transfers without a key",
        "SELECT (SELECT count(*) FROM transfer)
              - (SELECT count(*) FROM idempotency WHERE transfer IS NOT NULL)",
    ),
    (
        "transfers that are not to be published",
        "SELECT (SELECT count(*) FROM transfer) - (SELECT count(*) FROM outbox)",
    ),
];

fn check(connection: &Connection) -> Result<Checked> {
    let one = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let mut problems = Vec::new();
    for (what, sql) in CHECKS {
        let found = one(sql)?;
        if found != 0 {
            problems.push(format!("{what}: {found}"));
        }
    }
    let transfers = u64::try_from(one("SELECT count(*) FROM transfer")?)?;
    Ok(Checked {
        transfers,
        problems,
    })
}
