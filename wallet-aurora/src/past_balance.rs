//! The balance at a past time.
//!
//! What is asked of the recent past writes: it raises the account's latest time. All
//! who ask while nobody has answered yet are answered by one commit ([`Settlements`]).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wallet_core::ledger::{AccountKey, PastBalance, Sequence};
use wallet_core::store::StoreErrorKind;
use wallet_core::{Currency, Entry, StoreError, Timestamp};

use crate::clock::Time;
use crate::error::{Failed, Result, corrupt};
use crate::pool::PooledConnection;
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
    pub(crate) fn decode(&self, answers: &mut Answers) -> Result<Answer> {
        match Self::found(answers)? {
            None => Ok(Answer::Known(None)),
            Some(found) if self.at >= found.last_at => Ok(Answer::TooRecent),
            Some(found) => self.balance(answers, &found).map(Some).map(Answer::Known),
        }
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
        let last = last.ok_or_else(|| corrupt("the journal does not hold an entry"))?;
        balance.posted = last.balance_after;
        balance.sequence = sequence;
        Ok(balance)
    }
}

/// Questions that need the locks of their accounts, and who asks them.
#[derive(Debug, Default)]
pub(crate) struct Settlements {
    waiting: Mutex<Vec<Waiting>>,
}

/// One question.
#[derive(Debug)]
pub(crate) struct Waiting {
    question: Question,
    caller: oneshot::Sender<Settled>,
}

/// What a question is answered.
pub(crate) type Settled = Result<Option<PastBalance>>;

impl Settlements {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a question to those that wait. Whoever does so takes what waits once it has
    /// a connection.
    pub(crate) fn add(&self, question: Question) -> oneshot::Receiver<Settled> {
        let (caller, answered) = oneshot::channel();
        self.waiting().push(Waiting { question, caller });
        answered
    }

    /// All that wait, for one commit to answer; one's own among them, unless somebody
    /// else has taken it.
    pub(crate) fn take(&self) -> Vec<Waiting> {
        let mut taken = std::mem::take(&mut *self.waiting());
        // Who has gone needs no answer.
        taken.retain(|one| !one.caller.is_closed());
        taken
    }
}

/// Answers all of `taken` with one commit; where that fails, each by itself, so that
/// one account that somebody keeps or that is damaged fails nobody else. An account that
/// failed once is not asked for again, and nothing is once the connection is lost.
pub(crate) async fn settle(
    lent: &mut PooledConnection,
    time: &Time,
    taken: Vec<Waiting>,
) -> std::result::Result<(), Failed> {
    let questions: Vec<Question> = taken.iter().map(|one| one.question).collect();
    let mut last = match settle_all(lent, time, &questions).await {
        Ok(answers) => {
            for (waiting, answer) in taken.into_iter().zip(answers) {
                // A caller who has gone loses nothing but the answer.
                let _ = waiting.caller.send(answer);
            }
            return Ok(());
        }
        Err(failed) => failed,
    };
    let roll_back = Script::of("rolling back", "ROLLBACK");
    let mut failures: BTreeMap<AccountKey, StoreErrorKind> = BTreeMap::new();
    for waiting in taken {
        let Waiting { question, caller } = waiting;
        let on_a_dead_connection = last.code.is_none().then(|| last.error.kind());
        let mut failure = failures
            .get(&question.account)
            .copied()
            .or(on_a_dead_connection);
        let mut answer = Ok(None);
        if failure.is_none() {
            let settled = match lent.run(&roll_back).await {
                Ok(_) => settle_all(lent, time, &[question]).await,
                Err(failed) => Err(failed),
            };
            match settled {
                Ok(mut answers) => answer = answers.pop().unwrap_or(Ok(None)),
                Err(failed) => {
                    failure = Some(failed.error.kind());
                    last = failed;
                }
            }
        }
        if let Some(kind) = failure {
            failures.insert(question.account, kind);
            answer = Err(StoreError::new(kind, "settling a past balance"));
        }
        let _ = caller.send(answer);
    }
    Err(last)
}

/// Answers under the accounts' locks, having raised each `last_at` past the time.
async fn settle_all(
    lent: &mut PooledConnection,
    time: &Time,
    questions: &[Question],
) -> std::result::Result<Vec<Settled>, Failed> {
    let mut script = Script::default();
    for question in questions {
        question.ask(&mut script);
    }
    let mut answers = lent.run(&script).await?;
    // By number, in whose order everybody locks.
    let mut locked: BTreeMap<i64, AccountKey> = BTreeMap::new();
    let mut numbers = Vec::with_capacity(questions.len());
    for question in questions {
        let found = Question::found(&mut answers)?;
        answers.skip(1);
        let number = found.map(|found| found.number);
        locked.extend(number.map(|number| (number, question.account)));
        numbers.push(number);
    }
    if locked.is_empty() {
        return Ok(questions.iter().map(|_| Ok(None)).collect());
    }
    let mut script = Script::default();
    script.begin();
    for (number, account) in &locked {
        script.work("locking an account", |sql| {
            sql.raw(LOCK).int(*number);
            prove(sql, *account);
            sql.raw(" FOR UPDATE");
        });
    }
    time.ask(&mut script);
    let mut answers = lent.run(&script).await?;
    answers.skip(1);
    locked.retain(|_, _| !answers.rows().is_empty());
    let now = time.decode(&mut answers)?;
    let is_open = |question: &Question, number: &Option<i64>| {
        let is_locked = number.is_some_and(|number| locked.contains_key(&number));
        is_locked && question.check(now).is_ok()
    };
    let mut script = Script::default();
    for (question, number) in questions.iter().zip(&numbers) {
        if let Some(number) = number.filter(|_| is_open(question, number)) {
            let next = question.at.as_micros().saturating_add(1);
            script.work("settling a past balance", |sql| {
                sql.raw(RAISE).int(next).raw(" WHERE num = ").int(number);
                sql.raw(" AND last_at < ").int(next);
            });
            question.ask(&mut script);
        }
    }
    script.commit();
    let mut answers = lent.run(&script).await?;
    let mut settled = Vec::with_capacity(questions.len());
    for (question, number) in questions.iter().zip(&numbers) {
        settled.push(if is_open(question, number) {
            answers.skip(1);
            let found = Question::found(&mut answers)?;
            let found = found.ok_or_else(|| corrupt("an account is gone"))?;
            question.balance(&mut answers, &found).map(Some)
        } else if let Err(error) = question.check(now) {
            Err(error)
        } else if number.is_some() {
            let context = "an account's number is another's by now";
            Err(StoreError::new(StoreErrorKind::Conflict, context))
        } else {
            Ok(None)
        });
    }
    Ok(settled)
}

/// Holds a row that is found by its number to be the account's.
fn prove(sql: &mut Sql, account: AccountKey) {
    sql.raw(" AND ledger = ").ledger(account.ledger);
    sql.raw(" AND id = ").bytes(account.id.as_bytes());
}
