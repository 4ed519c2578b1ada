//! One batch over a connection: what `transact` and `apply_in` share.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wallet_core::StoreError;
use wallet_core::decide::Decision;
use wallet_core::ledger::{AccountKey, Decided, RecordKey};
use wallet_core::request::{Batch, PreparedRequest};

use crate::clock::Time;
use crate::error::{Doing, Failed, code, corrupt};
use crate::number::{self, CommitNumber};
use crate::pool::PooledConnection;
use crate::read::{Locking, Numbers, Plan, Reading, Resolved, open_requests, resolve};
use crate::run::Runner;
use crate::sql::Script;
use crate::write;

/// Decides `batch` and commits the result: two packets once the accounts are
/// known and nothing is to be resolved. On an error the transaction may still
/// be open.
///
/// Where an insert waits for too long, somebody else has inserted the same and not
/// committed it: a key, a new account, a currency. Requests that need it come out as
/// blocked, and are looked at before they are waited for again.
pub(crate) async fn transact(
    lent: &mut PooledConnection,
    batch: &Batch,
    numbers: &Mutex<Numbers>,
    time: &Time,
) -> Result<Vec<Decided>, Failed> {
    let mut runner = lent.runner()?;
    let keys = || batch.requests().iter().map(|request| request.key());
    let mut open = BTreeSet::new();
    let was_open = locked(numbers).has_open(keys());
    if was_open {
        open = find_open(&mut runner, batch, numbers).await?;
    }
    loop {
        let waited = match part(&mut runner, batch, &open, numbers, time).await? {
            Outcome::Done(decided) => return Ok(decided),
            Outcome::Waited(failed) => failed,
        };
        let found = find_open(&mut runner, batch, numbers).await?;
        if found.is_subset(&open) {
            return Err(waited);
        }
        open.extend(found);
    }
}

/// What became of a batch.
enum Outcome<T> {
    Done(T),
    /// An insert waited for a row that somebody else has inserted; it is rolled back.
    Waited(Failed),
}

/// The requests of `batch` that are open, which are remembered.
async fn find_open(
    runner: &mut Runner<'_>,
    batch: &Batch,
    numbers: &Mutex<Numbers>,
) -> Result<BTreeSet<RecordKey>, Failed> {
    let open = open_requests(runner, batch).await?;
    let asked = batch.requests().iter().map(|request| request.key());
    locked(numbers).note_open(asked, open.iter().copied());
    Ok(open)
}

/// Commits all requests but those that are open, which come out as blocked.
async fn part(
    runner: &mut Runner<'_>,
    batch: &Batch,
    open: &BTreeSet<RecordKey>,
    numbers: &Mutex<Numbers>,
    time: &Time,
) -> Result<Outcome<Vec<Decided>>, Failed> {
    if open.is_empty() {
        return proven(runner, batch, numbers, time).await;
    }
    let open = &batch.blocked_by(open);
    let requests = batch.requests().iter();
    let rest = requests.filter(|request| !open.contains(&request.key()));
    let rest: Vec<Arc<PreparedRequest>> = rest.map(Arc::clone).collect();
    let mut decided = Vec::new().into_iter();
    if !rest.is_empty() {
        let rest = Batch::with_max_ahead(rest, batch.max_ahead());
        match proven(runner, &rest, numbers, time).await? {
            Outcome::Done(done) => decided = done.into_iter(),
            waited @ Outcome::Waited(_) => return Ok(waited),
        }
    }
    let all = batch.requests().iter().map(|request| {
        if open.contains(&request.key()) {
            return Ok(Decided::Blocked);
        }
        decided.next().ok_or_else(|| corrupt("too few answers"))
    });
    let all: Result<Vec<Decided>, StoreError> = all.collect();
    Ok(Outcome::Done(all?))
}

/// Commits a batch with numbers that are those of its accounts.
async fn proven(
    runner: &mut Runner<'_>,
    batch: &Batch,
    numbers: &Mutex<Numbers>,
    time: &Time,
) -> Result<Outcome<Vec<Decided>>, Failed> {
    if let Some(done) = attempt(runner, batch, numbers, time).await? {
        return Ok(done);
    }
    // What is remembered is of commits that the database has lost.
    locked(numbers).forget();
    let roll_back = Script::of("rolling back", "ROLLBACK");
    runner.run(&roll_back).await?;
    let fresh = Mutex::new(Numbers::new(usize::MAX));
    let done = attempt(runner, batch, &fresh, time).await?;
    done.ok_or_else(|| corrupt("an account's number is not its own").into())
}

/// The same with the numbers that are remembered; nothing is done where one of them
/// is not that of its account.
async fn attempt(
    runner: &mut Runner<'_>,
    batch: &Batch,
    numbers: &Mutex<Numbers>,
    time: &Time,
) -> Result<Option<Outcome<Vec<Decided>>>, Failed> {
    let resolved = resolve(runner, batch.reads(), numbers).await?;
    let mut begin = Script::default();
    begin.begin();
    let kept = locked(numbers).kept(resolved.numbers());
    let mut try_all = Try {
        batch,
        resolved: &resolved,
        locking: Locking::Wait,
        kept: &kept,
        reading: Reading::Consistent,
        time,
    };
    let first = try_all.decide(runner, &begin);
    let decided = match first.await {
        Err(failed) if failed.code == Some(code::LOCK_WAIT) => {
            // What can be had is locked without waiting again; requests that
            // need the rest come out as blocked.
            let mut again = Script::of("rolling back", "ROLLBACK");
            again.begin();
            try_all.locking = Locking::Skip;
            try_all.decide(runner, &again).await?
        }
        decided => decided?,
    };
    let Some(decided) = decided else {
        return Ok(None);
    };
    if try_all.locking == Locking::Skip || !kept.is_empty() {
        let asked: Vec<i64> = resolved.numbers().collect();
        let missed: Vec<i64> = decided.missed.iter().map(|(_, number)| *number).collect();
        let mut numbers = locked(numbers);
        numbers.note_kept(&asked, &missed);
        // A row that is left out proves nothing: it may not even exist.
        numbers.forget_these(decided.missed.iter().map(|(key, _)| *key));
    }
    let mut script = decided.script;
    let is_replayed = |decided: &Decided| matches!(decided, Decided::Replayed(_));
    if !script.steps.is_empty() {
        script.commit();
    } else if decided.decision.decided.iter().any(is_replayed) {
        // The commit that is told again may not be durable yet; this one's flush
        // covers it.
        decided.number.give_back(&mut script);
        script.commit();
    } else {
        // Not even the number is to be kept.
        script.fixed(Doing::Work, "ending without changes", "ROLLBACK");
    }
    // Whoever wants these accounts now waits behind their locks. A new account has
    // none that others would meet.
    let is_blocked = decided.decision.decided.contains(&Decided::Blocked);
    if !is_blocked && decided.missed.is_empty() && decided.decision.changes.opened.is_empty() {
        batch.locks_acquired();
    }
    let Err(failed) = runner.run(&script).await else {
        return Ok(Some(Outcome::Done(decided.decision.decided)));
    };
    let roll_back = Script::of("rolling back", "ROLLBACK");
    if failed.is_duplicate() {
        runner.run(&roll_back).await?;
        return Err(number::passed_over(runner).await?.unwrap_or(failed));
    }
    if failed.code == Some(code::LOCK_WAIT) {
        runner.run(&roll_back).await?;
        return Ok(Some(Outcome::Waited(failed)));
    }
    Err(failed)
}

/// What was decided and the script that writes it, which is empty where nothing
/// changes.
struct Writes {
    decision: Decision,
    number: CommitNumber,
    script: Script,
    /// The accounts that somebody else keeps, and their numbers.
    missed: Vec<(AccountKey, i64)>,
}

fn locked(numbers: &Mutex<Numbers>) -> MutexGuard<'_, Numbers> {
    numbers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is tried, and how accounts are locked for it.
struct Try<'a> {
    batch: &'a Batch,
    resolved: &'a Resolved,
    locking: Locking,
    kept: &'a [i64],
    reading: Reading,
    time: &'a Time,
}

impl Try<'_> {
    /// Runs `begin`, locks and reads everything, decides; nothing where the number of
    /// an account is not its own.
    async fn decide(
        &self,
        runner: &mut Runner<'_>,
        begin: &Script,
    ) -> Result<Option<Writes>, Failed> {
        let mut script = begin.clone();
        let before = script.steps.len();
        let plan = Plan {
            reads: self.batch.reads(),
            resolved: self.resolved,
            locking: self.locking,
            kept: self.kept,
            reading: self.reading,
            time: self.time,
        };
        plan.ask(&mut script);
        let mut answers = runner.run(&script).await?;
        answers.skip(before);
        let Some((snapshot, number)) = plan.decode(&mut answers)? else {
            return Ok(None);
        };
        let number = number.ok_or_else(|| corrupt("a commit has no number"))?;
        let decision = wallet_core::decide::decide(self.batch, &snapshot);
        let mut writes = Script::default();
        if !decision.changes.is_empty() {
            let changes = &decision.changes;
            write::changes(&mut writes, changes, &snapshot, self.resolved, number)?;
        }
        Ok(Some(Writes {
            missed: self.resolved.missing_in(&snapshot),
            decision,
            number,
            script: writes,
        }))
    }
}

/// What becomes of a batch in a host's transaction if a request is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusals {
    /// The refusal is recorded, and what was accepted is written.
    Recorded,
    /// Nothing is written.
    Dropped,
}

impl Refusals {
    /// Whether a batch with these answers is written.
    pub(crate) fn are_written(self, decided: &[Decided]) -> bool {
        let is_accepted = |decided: &Decided| {
            matches!(decided, Decided::Fresh(outcome) | Decided::Replayed(outcome)
                if outcome.result.is_ok())
        };
        self == Self::Recorded || decided.iter().all(is_accepted)
    }
}

/// Decides `batch` inside a transaction of the host's and writes the result;
/// `end` releases the savepoint that the caller has set.
///
/// A batch that is not written gives its number back, as one does that changes nothing.
/// The transaction is then as it was before. The host's commit is flushed after the
/// commits that the answers were read from.
pub(crate) async fn apply(
    runner: &mut Runner<'_>,
    batch: &Batch,
    time: &Time,
    refusals: Refusals,
    end: &'static str,
) -> Result<Decision, Failed> {
    // What is read here may yet be rolled back: nothing of it is kept.
    let numbers = Mutex::new(Numbers::new(usize::MAX));
    let resolved = resolve(runner, batch.reads(), &numbers).await?;
    let begin = Script::default();
    let all = Try {
        batch,
        resolved: &resolved,
        locking: Locking::Wait,
        kept: &[],
        // The host may have begun it with a snapshot of before.
        reading: Reading::Current,
        time,
    };
    let decided = all.decide(runner, &begin).await?;
    let decided = decided.ok_or_else(|| corrupt("an account's number is not its own"))?;
    let mut script = decided.script;
    if !refusals.are_written(&decided.decision.decided) {
        script = Script::default();
    }
    if script.steps.is_empty() {
        decided.number.give_back(&mut script);
    }
    script.fixed(Doing::Work, "releasing a savepoint", end);
    runner.run(&script).await?;
    Ok(decided.decision)
}
