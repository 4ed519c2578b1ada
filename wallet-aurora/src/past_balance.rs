//! The balance at a past time.

use wallet_core::{
    AccountKey, Currency, Entry, PastBalance, Sequence, StoreError, StoreErrorKind, Timestamp,
};

use crate::clock::Time;
use crate::error::{Failed, Result, corrupt};
use crate::pool::Lent;
use crate::read::{Bound, count, outcome};
use crate::run::Answers;
use crate::sql::{Script, Sql};
use crate::value::currency;

const FIND: &str = "
    SELECT p.num, p.currency, p.exponent, a.last_at
    FROM wallet_account_profile p STRAIGHT_JOIN wallet_account a ON a.num = p.num
    WHERE p.ledger = ";
const LAST: &str = "
    SELECT e.sequence, j.outcome
    FROM wallet_account_profile p
        STRAIGHT_JOIN wallet_entry e ON e.account = p.num
        STRAIGHT_JOIN wallet_journal j ON j.id = e.journal
    WHERE p.ledger = ";
const LOCK: &str = "
    SELECT num FROM wallet_account FORCE INDEX (PRIMARY) WHERE num = ";
const RAISE: &str = "UPDATE wallet_account SET last_at = ";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) account: AccountKey,
    pub(crate) at: Timestamp,
}

/// What a reader can say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// It never changes any more.
    Known(Option<PastBalance>),
    /// Only under the account's lock.
    TooRecent,
}

/// An account as the answer needs it.
struct Found {
    number: i64,
    currency: Currency,
    last_at: Timestamp,
}

impl Question {
    /// Refuses a time that lies in the future.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        if self.at > now {
            let context = "the time lies in the future";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(())
    }

    /// Asks for the account and its last entry by then: two statements that
    /// have to see one state.
    pub(crate) fn ask(&self, script: &mut Script) {
        let account = self.account;
        script.work("finding an account", |sql| {
            sql.raw(FIND).ledger(account.ledger);
            sql.raw(" AND p.id = ").bytes(account.id.as_bytes());
        });
        script.work("finding a past balance", |sql| {
            sql.raw(LAST).ledger(account.ledger);
            sql.raw(" AND p.id = ").bytes(account.id.as_bytes());
            sql.raw(" AND e.sequence = (");
            count(sql, account, Bound::Until(self.at));
            sql.raw(")");
        });
    }

    /// The answer of any consistent state: an effect to come has at least the
    /// account's `last_at`, so what lies before that is settled.
    pub(crate) fn told(&self, answers: &mut Answers) -> Result<Answer> {
        match Self::found(answers)? {
            None => Ok(Answer::Known(None)),
            Some(found) if self.at >= found.last_at => Ok(Answer::TooRecent),
            Some(found) => self.balance(answers, &found).map(Some).map(Answer::Known),
        }
    }

    /// Answers under the account's lock, having raised `last_at` past the time.
    pub(crate) async fn settle(
        &self,
        lent: &mut Lent,
        time: &Time,
    ) -> std::result::Result<Option<PastBalance>, Failed> {
        let mut script = Script::default();
        self.ask(&mut script);
        let Some(found) = Self::found(&mut lent.run(&script).await?)? else {
            return Ok(None);
        };
        let mut script = Script::default();
        script.begin();
        script.work("locking an account", |sql| {
            sql.raw(LOCK).int(found.number);
            self.prove(sql);
            sql.raw(" FOR UPDATE");
        });
        time.ask(&mut script);
        let mut answers = lent.run(&script).await?;
        answers.skip(1);
        if answers.rows().is_empty() {
            let context = "an account's number is another's by now";
            return Err(StoreError::new(StoreErrorKind::Conflict, context).into());
        }
        self.check(time.told(&mut answers)?)?;
        let next = self.at.as_micros().saturating_add(1);
        let mut script = Script::default();
        script.work("settling a past balance", |sql| {
            sql.raw(RAISE)
                .int(next)
                .raw(" WHERE num = ")
                .int(found.number);
            sql.raw(" AND last_at < ").int(next);
        });
        self.ask(&mut script);
        script.commit();
        let mut answers = lent.run(&script).await?;
        answers.skip(1);
        let found = Self::found(&mut answers)?;
        let found = found.ok_or_else(|| corrupt("an account is gone"))?;
        Ok(Some(self.balance(&mut answers, &found)?))
    }

    /// Holds a row that is found by its number to be the account's.
    fn prove(&self, sql: &mut Sql) {
        sql.raw(" AND ledger = ").ledger(self.account.ledger);
        sql.raw(" AND id = ").bytes(self.account.id.as_bytes());
    }

    fn found(answers: &mut Answers) -> Result<Option<Found>> {
        let rows = answers.rows();
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(Found {
            number: row.number(0)?,
            currency: currency(row.text(1)?, row.number(2)?)?,
            last_at: row.time(3)?,
        }))
    }

    fn balance(&self, answers: &mut Answers, found: &Found) -> Result<PastBalance> {
        let rows = answers.rows();
        let mut balance = PastBalance {
            posted: 0,
            sequence: 0,
            currency: found.currency,
        };
        let Some(row) = rows.first() else {
            return Ok(balance);
        };
        let sequence: Sequence = row.number(0)?;
        let told = outcome(row, 1, self.account.ledger, || {
            let AccountKey { ledger, id } = self.account;
            format!("ledger {ledger}, account {id}, entry {sequence}")
        })?;
        let mut entries = told.entries();
        let is_last = |entry: &Entry| entry.account == self.account && entry.sequence == sequence;
        let last = entries.find(is_last);
        let last = last.ok_or_else(|| corrupt("the journal does not tell an entry"))?;
        balance.posted = last.balance_after;
        balance.sequence = sequence;
        Ok(balance)
    }
}
