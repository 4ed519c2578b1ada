//! One batch over a connection: what `transact` and `apply_in` share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wallet_core::Batch;
use wallet_core::decide::Decision;

use crate::clock::Time;
use crate::error::{Doing, Failed, code, corrupt};
use crate::number::CommitNumber;
use crate::pool::Lent;
use crate::read::{Locking, Numbers, Plan, Resolved, resolve};
use crate::run::Runner;
use crate::sql::Script;
use crate::write;

/// Decides `batch` and commits the result: two packets once the accounts are
/// known and nothing is to be resolved. On an error the transaction may still
/// be open.
pub(crate) async fn transact(
    lent: &mut Lent,
    batch: &Batch,
    numbers: &Mutex<Numbers>,
    time: &Time,
) -> Result<Decision, Failed> {
    let mut runner = lent.runner()?;
    let resolved = resolve(&mut runner, batch.reads(), numbers).await?;
    let mut begin = Script::default();
    begin.begin();
    let kept = locked(numbers).kept(resolved.numbers());
    let mut try_all = Try {
        batch,
        resolved: &resolved,
        locking: Locking::Wait,
        kept: &kept,
        time,
    };
    let first = try_all.decide(&mut runner, &begin);
    let decided = match first.await {
        Err(failed) if failed.code == Some(code::LOCK_WAIT) => {
            // What can be had is locked without waiting again; requests that
            // need the rest come out as blocked.
            let mut again = Script::of("rolling back", "ROLLBACK");
            again.begin();
            try_all.locking = Locking::Skip;
            try_all.decide(&mut runner, &again).await?
        }
        decided => decided?,
    };
    if try_all.locking == Locking::Skip || !kept.is_empty() {
        let asked: Vec<i64> = resolved.numbers().collect();
        locked(numbers).note_kept(&asked, &decided.missed);
    }
    let mut script = decided.writes;
    if script.steps.is_empty() {
        // Not even the number is to be kept.
        script.fixed(Doing::Work, "ending without changes", "ROLLBACK");
    } else {
        script.commit();
    }
    // Whoever wants these accounts now waits behind their locks. A new account has
    // none that others would meet.
    if decided.missed.is_empty() && decided.decision.changes.opened.is_empty() {
        batch.may_follow();
    }
    runner.run(&script).await?;
    Ok(decided.decision)
}

/// What was decided and the script that writes it, which is empty where nothing
/// changes.
struct Decided {
    decision: Decision,
    number: CommitNumber,
    writes: Script,
    /// The accounts that somebody else keeps.
    missed: Vec<i64>,
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
    time: &'a Time,
}

impl Try<'_> {
    /// Runs `begin`, locks and reads everything, decides.
    async fn decide(&self, runner: &mut Runner<'_>, begin: &Script) -> Result<Decided, Failed> {
        let mut script = begin.clone();
        let before = script.steps.len();
        let plan = Plan {
            reads: self.batch.reads(),
            resolved: self.resolved,
            locking: self.locking,
            kept: self.kept,
            time: self.time,
        };
        plan.ask(&mut script);
        let mut answers = runner.run(&script).await?;
        answers.skip(before);
        let (snapshot, number) = plan.told_numbered(&mut answers)?;
        let number = number.ok_or_else(|| corrupt("a commit has no number"))?;
        let decision = self.batch.decide(&snapshot);
        let mut writes = Script::default();
        if !decision.changes.is_empty() {
            let changes = &decision.changes;
            write::changes(&mut writes, changes, &snapshot, self.resolved, number)?;
        }
        Ok(Decided {
            missed: self.resolved.missing_in(&snapshot),
            decision,
            number,
            writes,
        })
    }
}

/// Decides `batch` inside a transaction of the host's and writes the result;
/// `end` releases the savepoint that the caller has set.
pub(crate) async fn apply(
    runner: &mut Runner<'_>,
    batch: &Batch,
    time: &Time,
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
        time,
    };
    let decided = all.decide(runner, &begin).await?;
    let mut script = decided.writes;
    if script.steps.is_empty() {
        decided.number.give_back(&mut script);
    }
    script.fixed(Doing::Work, "releasing a savepoint", end);
    runner.run(&script).await?;
    Ok(decided.decision)
}
