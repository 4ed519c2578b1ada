//! Lists the transactions that hold account locks. An operator uses it to find a host that
//! has vanished.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use wallet_core::AccountId;
use wallet_core::ledger::{AccountKey, InLedger};

use crate::AuroraStore;
use crate::error::{Failed, Result, code};
use crate::pool::Purpose;
use crate::run::Row;
use crate::sql::Script;

/// The most accounts to wait for, on servers that show a lock holder only during a wait.
const WAITS_MAX: usize = 16;
/// How often the server is queried during one wait.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// MySQL: every lock on a row of an account.
const HELD: &str = "
    SELECT l.LOCK_DATA, t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_HOST,
           IF(t.PROCESSLIST_COMMAND = 'Sleep', t.PROCESSLIST_TIME, 0)
    FROM performance_schema.data_locks l
        JOIN performance_schema.threads t ON t.THREAD_ID = l.THREAD_ID
    WHERE l.OBJECT_SCHEMA = DATABASE() AND l.OBJECT_NAME = 'wallet_account'
        AND l.INDEX_NAME = 'PRIMARY' AND l.LOCK_TYPE = 'RECORD' AND l.LOCK_STATUS = 'GRANTED'
        AND l.LOCK_DATA NOT LIKE 'supremum%'
    LIMIT 1000";
/// MariaDB: the transaction that blocks the connection whose id is appended.
const WAITED_FOR: &str = "
    SELECT l.lock_data, b.trx_mysql_thread_id, p.user, p.host,
           IF(p.command = 'Sleep', p.time, 0)
    FROM information_schema.INNODB_TRX r
        JOIN information_schema.INNODB_LOCK_WAITS w ON w.requesting_trx_id = r.trx_id
        JOIN information_schema.INNODB_LOCKS l ON l.lock_id = w.blocking_lock_id
        JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id
        LEFT JOIN information_schema.PROCESSLIST p ON p.id = b.trx_mysql_thread_id
    WHERE r.trx_mysql_thread_id = ";
const OWNERS: &str = "
    SELECT num, ledger, id FROM wallet_account FORCE INDEX (PRIMARY) WHERE ";

/// A transaction that holds the lock of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockHolder {
    /// The account.
    pub account: AccountKey,
    /// The connection's id, as `KILL` and the server's process list use it.
    pub connection: u64,
    /// The connection's user.
    pub user: Option<String>,
    /// The machine and port of the client.
    pub host: Option<String>,
    /// The seconds since the connection's last statement. The value grows if the host has
    /// vanished.
    pub silent_secs: u64,
}

/// A lock holder before the account is looked up by its number.
struct Found {
    number: i64,
    connection: u64,
    user: Option<String>,
    host: Option<String>,
    silent_secs: u64,
}

impl AuroraStore {
    /// The transactions that hold account locks now. `None` if this user may not see them.
    /// Use it when requests fail because an account is locked. A connection that has long
    /// been silent belongs to a host that has vanished. `KILL` releases its locks.
    ///
    /// MySQL reports every lock; its performance schema must be on and readable. MariaDB
    /// reports a lock only while another connection waits for it, and requires the right
    /// `PROCESS`. This call therefore waits for the accounts that the store recently
    /// skipped, 16 at most.
    ///
    /// # Errors
    /// [`StoreError`](wallet_core::StoreError).
    pub async fn lock_holders(&self) -> Result<Option<Vec<LockHolder>>> {
        let answer = if self.version.contains("MariaDB") {
            self.waited_for().await
        } else {
            self.held().await
        };
        let Some(found) = answer? else {
            return Ok(None);
        };
        let mut numbers: Vec<i64> = found.iter().map(|found| found.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut script = Script::default();
        script.work("finding accounts", |sql| {
            sql.raw(OWNERS);
            sql.is_in("num", &numbers, |sql, number| {
                sql.int(*number);
            });
        });
        let rows = self.asked(&script).await?.unwrap_or_default();
        let mut holders = Vec::with_capacity(found.len());
        for row in &rows {
            let (number, ledger): (i64, _) = (row.number(0)?, row.ledger(1)?);
            let account = InLedger::new(ledger, row.id(2, AccountId::from_bytes)?);
            let of_this = found.iter().filter(|found| found.number == number);
            holders.extend(of_this.map(|found| LockHolder {
                account,
                connection: found.connection,
                user: found.user.clone(),
                host: found.host.clone(),
                silent_secs: found.silent_secs,
            }));
        }
        Ok(Some(holders))
    }

    async fn held(&self) -> Result<Option<Vec<Found>>> {
        let is_on = Script::of("asking for locks", "SELECT @@performance_schema");
        let is_on = self.asked(&is_on).await?.unwrap_or_default();
        if !is_on
            .first()
            .is_some_and(|row| row.flag(0).unwrap_or(false))
        {
            return Ok(None);
        }
        let rows = self.asked(&Script::of("asking for locks", HELD)).await?;
        rows.map(|rows| rows.iter().map(found).collect())
            .transpose()
    }

    async fn waited_for(&self) -> Result<Option<Vec<Found>>> {
        let mut all = Vec::new();
        for number in self.left_out(WAITS_MAX) {
            let mut waiting = self.writer.acquire(Purpose::Read).await?;
            let id = Script::of("asking for a connection", "SELECT CONNECTION_ID()");
            let id: i64 = waiting.run(&id).await?.row()?.number(0)?;
            let mut wait = Script::default();
            wait.begin();
            wait.work("waiting for an account", |sql| {
                sql.raw(OWNERS).raw("num = ").int(number).raw(" FOR UPDATE");
            });
            wait.fixed(crate::error::Doing::Work, "leaving it", "ROLLBACK");
            let mut ask = Script::default();
            ask.work("asking for locks", |sql| {
                sql.raw(WAITED_FOR).int(id);
            });
            let asking = async {
                loop {
                    let rows = self.asked(&ask).await?;
                    if rows.as_ref().is_none_or(|rows| !rows.is_empty()) {
                        return Ok(rows);
                    }
                    tokio::time::sleep(ASKED_EVERY).await;
                }
            };
            // The first of the two to end cancels the other. Closing the waiting connection
            // ends the wait.
            match select(pin!(waiting.run(&wait)), pin!(asking)).await {
                Either::Left(_) => {}
                Either::Right((rows, _)) => {
                    let rows: Result<Option<Vec<Row>>> = rows;
                    let Some(rows) = rows? else {
                        return Ok(None);
                    };
                    let rows: Result<Vec<Found>> = rows.iter().map(found).collect();
                    all.extend(rows?);
                }
            }
        }
        Ok(Some(all))
    }

    /// The rows of a query. `None` if the user may not run it.
    async fn asked(&self, script: &Script) -> Result<Option<Vec<Row>>> {
        let mut connection = self.writer.acquire(Purpose::Read).await?;
        match connection.run(script).await {
            Ok(mut answers) => {
                connection.give_back();
                Ok(Some(answers.rows()))
            }
            Err(failed) if failed.code.is_some_and(|code| code::DENIED.contains(&code)) => {
                connection.give_back();
                Ok(None)
            }
            Err(failed) => connection.end(Err::<_, Failed>(failed)).await,
        }
    }
}

fn found(row: &Row) -> Result<Found> {
    let text =
        |column| -> Result<Option<String>> { Ok(row.optional_text(column)?.map(str::to_owned)) };
    Ok(Found {
        number: row.number(0)?,
        connection: row.number(1)?,
        user: text(2)?,
        host: text(3)?,
        silent_secs: row.optional_number(4)?.unwrap_or(0),
    })
}
