use std::sync::{Arc, Mutex};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use crate::store_kit::is_cancelled_with_its_bulk;
use crate::{Built, Factory, ManualClock, StoreEnds};
use wallet_core::ledger::Decided;
use wallet_core::request::{Batch, Cost, PreparedRequest};
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{Outcome, Rejection, StoreError};

use super::machine::Task;
use super::{Expected, Machine, Step, World, compare};

/// The number of steps in a case.
const STEPS: std::ops::Range<usize> = 1..30;
/// The number of retries after conflicts before a failure.
const CONFLICTS_MAX: u32 = 200;

/// Runs `cases` random cases (or `PROPTEST_CASES`) against fresh stores and
/// compares each with the model. `WALLET_MODEL_SEED` selects other cases.
///
/// # Panics
/// If store and model differ, with the shortest case found.
pub fn check_store(factory: &dyn Factory<StoreEnds>, cases: u32) {
    if !factory.uses_the_clock() {
        eprintln!("{factory:?} has a clock of its own: the model cannot predict its times");
        return;
    }
    let seed = number("WALLET_MODEL_SEED").unwrap_or(0);
    let cases = number("PROPTEST_CASES")
        .and_then(|cases| u32::try_from(cases).ok())
        .unwrap_or(cases);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(
        &Machine::sequential_strategy(STEPS),
        |(world, steps, seen)| {
            let result = Mutex::new(Ok(()));
            let case = async {
                let outcome = run(factory, world, &steps, || {
                    if let Some(seen) = &seen {
                        seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
                *result.lock().unwrap() = outcome.await;
            };
            factory.block_on(Box::pin(case));
            result.into_inner().unwrap().map_err(TestCaseError::fail)
        },
    );
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("the model gave up: {reason}"),
        Err(TestError::Fail(reason, (_, steps, _))) => {
            let steps: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
            let steps = steps.join("\n");
            panic!("{reason}\n\nafter:\n{steps}\n\nreplay with WALLET_MODEL_SEED={seed}")
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

async fn run(
    factory: &dyn Factory<StoreEnds>,
    mut world: World,
    steps: &[Step],
    seen: impl Fn(),
) -> Result<(), String> {
    let clock = Arc::new(ManualClock::default());
    let Built { port, guard } = factory.build(Arc::clone(&clock)).await;
    let store = port.store.as_ref();
    let mut acknowledged = Vec::new();
    for step in steps {
        seen();
        world.take(step);
        clock.set(world.now);
        carry_out(store, &world, &mut acknowledged).await?;
        compare::live_rows(store, world.model()).await?;
    }
    compare::everything(store, world.model()).await?;
    let outbox = Some(port.outbox.as_ref());
    let checked = crate::violations(store, outbox, &acknowledged).await;
    let violations = checked.map_err(|error| error.to_string())?;
    drop(guard);
    if violations.is_empty() {
        Ok(())
    } else {
        Err(format!("violated: {violations:?}"))
    }
}

type Acknowledged = Vec<(wallet_core::ledger::RecordKey, Arc<Outcome>)>;

async fn carry_out(
    store: &dyn LedgerStore,
    world: &World,
    acknowledged: &mut Acknowledged,
) -> Result<(), String> {
    match &world.task {
        Task::Nothing => Ok(()),
        Task::Submit(requests) => submit(store, requests, acknowledged).await,
        Task::Sweep(due, requests) => {
            let found = store.expired_holds(1_000).await.map_err(text)?;
            same("expired holds", due, &found)?;
            submit(store, requests, acknowledged).await
        }
        Task::PastBalance(account, at, expected) => {
            let found = store.balance_at(*account, *at).await.map_err(text)?;
            same("past balance", expected, &found)
        }
    }
}

/// Submits requests in batches as large as the store allows.
async fn submit(
    store: &dyn LedgerStore,
    requests: &[(Arc<PreparedRequest>, Expected)],
    acknowledged: &mut Acknowledged,
) -> Result<(), String> {
    let mut rest = requests;
    while !rest.is_empty() {
        let limits = store.limits();
        let mut total = Cost::default();
        let mut count = 0;
        for (request, _) in rest.iter().take(limits.requests) {
            let cost = request.cost();
            total.rows += cost.rows;
            total.bytes += cost.bytes;
            if count > 0 && !limits.admit(total) {
                break;
            }
            count += 1;
        }
        let (now, later) = rest.split_at(count);
        let batch: Vec<_> = now.iter().map(|(request, _)| Arc::clone(request)).collect();
        let decided = transact(store, &Arc::new(Batch::new(batch)))
            .await
            .map_err(text)?;
        if decided.len() != now.len() {
            return Err(format!(
                "{} answers to {} requests",
                decided.len(),
                now.len()
            ));
        }
        for ((request, expected), decided) in now.iter().zip(decided) {
            agree(request, expected, &decided)?;
            if is_cancelled_with_its_bulk(request, &decided) {
                continue;
            }
            if let Decided::Fresh(outcome) | Decided::Replayed(outcome) = decided {
                acknowledged.push((request.key(), outcome));
            }
        }
        rest = later;
    }
    Ok(())
}

async fn transact(store: &dyn LedgerStore, batch: &Arc<Batch>) -> Result<Vec<Decided>, StoreError> {
    let mut conflicts = 0;
    loop {
        match store.transact(Arc::clone(batch)).await {
            Ok(committed) => return Ok(committed.decided),
            Err(error) if error.kind() == StoreErrorKind::Conflict && conflicts < CONFLICTS_MAX => {
                conflicts += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether the store's answer equals the model's.
fn agree(request: &PreparedRequest, expected: &Expected, found: &Decided) -> Result<(), String> {
    let agreed = match (expected, found) {
        (Expected::Fresh(expected), Decided::Fresh(found))
        | (Expected::Replayed(expected), Decided::Replayed(found)) => same_outcome(expected, found),
        (Expected::Mismatch, Decided::IdempotencyMismatch)
        | (Expected::Blocked, Decided::Blocked) => true,
        (Expected::ClockBehind(expected), Decided::ClockBehind { ahead_micros }) => {
            expected == ahead_micros
        }
        _ => false,
    };
    if agreed {
        Ok(())
    } else {
        Err(format!(
            "{request:#?}\n\nthe model: {expected:#?}\n\nthe store: {found:#?}"
        ))
    }
}

/// The subject of a currency refusal is not specified.
fn same_outcome(expected: &Outcome, found: &Outcome) -> bool {
    match (&expected.result, &found.result) {
        (Err(mine), Err(theirs)) if mine.rejection == Rejection::CurrencyExponentMismatch => {
            let same = (mine.rejection, mine.command) == (theirs.rejection, theirs.command);
            same && expected.at == found.at
        }
        _ => expected == found,
    }
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &T,
    found: &T,
) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!(
        "{what}\n\nthe model: {expected:#?}\n\nthe store: {found:#?}"
    ))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the form that `map_err` takes"
)]
pub(super) fn text(error: StoreError) -> String {
    format!("the store failed: {error}")
}
