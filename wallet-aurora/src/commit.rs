//! One batch over a connection: what `transact` and `apply_in` share.

use std::sync::Mutex;

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
    let first = decide(&mut runner, &begin, batch, &resolved, Locking::Wait, time);
    let decided = match first.await {
        Err(failed) if failed.code == Some(code::LOCK_WAIT) => {
            // What can be had is locked without waiting again; requests that
            // need the rest come out as blocked.
            let mut again = Script::of("rolling back", "ROLLBACK");
            again.begin();
            decide(&mut runner, &again, batch, &resolved, Locking::Skip, time).await?
        }
        decided => decided?,
    };
    let mut script = decided.writes;
    if script.steps.is_empty() {
        // Not even the number is to be kept.
        script.fixed(Doing::Work, "ending without changes", "ROLLBACK");
    } else {
        script.commit();
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
}

/// Runs `begin`, locks and reads everything, decides.
async fn decide(
    runner: &mut Runner<'_>,
    begin: &Script,
    batch: &Batch,
    resolved: &Resolved,
    locking: Locking,
    time: &Time,
) -> Result<Decided, Failed> {
    let mut script = begin.clone();
    let before = script.steps.len();
    let plan = Plan {
        reads: batch.reads(),
        resolved,
        locking,
        time,
    };
    plan.ask(&mut script);
    let mut answers = runner.run(&script).await?;
    answers.skip(before);
    let (snapshot, number) = plan.told_numbered(&mut answers)?;
    let number = number.ok_or_else(|| corrupt("a commit has no number"))?;
    let decision = batch.decide(&snapshot);
    let mut writes = Script::default();
    if !decision.changes.is_empty() {
        write::changes(&mut writes, &decision.changes, &snapshot, resolved, number)?;
    }
    Ok(Decided {
        decision,
        number,
        writes,
    })
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
    let numbers = Mutex::default();
    let resolved = resolve(runner, batch.reads(), &numbers).await?;
    let begin = Script::default();
    let decided = decide(runner, &begin, batch, &resolved, Locking::Wait, time);
    let decided = decided.await?;
    let mut script = decided.writes;
    if script.steps.is_empty() {
        decided.number.give_back(&mut script);
    }
    script.fixed(Doing::Work, "releasing a savepoint", end);
    runner.run(&script).await?;
    Ok(decided.decision)
}
