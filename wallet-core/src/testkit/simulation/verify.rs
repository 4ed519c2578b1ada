use std::collections::BTreeMap;

use crate::invariants::VerifyError;
use crate::testkit::Handles;
use crate::{AccountId, AccountKey, LedgerId, testkit};

use super::workload;
use super::world::World;

/// Everything that is wrong at the end of a run.
pub(super) async fn verify(world: &World, handles: &Handles) -> Vec<String> {
    let mut wrong = std::mem::take(&mut world.notes().failures);
    match check(world, handles).await {
        Ok(more) => wrong.extend(more),
        Err(error) => wrong.push(format!("the store cannot be read: {error}")),
    }
    wrong
}

async fn check(world: &World, handles: &Handles) -> Result<Vec<String>, VerifyError> {
    let store = handles.store.as_ref();
    let (acknowledged, settled) = {
        let notes = world.notes();
        (notes.acknowledged.clone(), notes.settled.clone())
    };
    let outbox = Some(handles.outbox.as_ref());
    let violations = testkit::violations(store, outbox, &acknowledged).await?;
    let mut wrong: Vec<String> = violations
        .iter()
        .map(|found| format!("{found:?}"))
        .collect();

    let wanted = world.clients * world.operations;
    let done = settled.values().flatten().count();
    if u64::try_from(done) != Ok(wanted) {
        wrong.push(format!("{done} of {wanted} operations are settled"));
    }
    for (key, outcome) in &acknowledged {
        let first = acknowledged.iter().find(|(other, _)| other == key);
        if first.is_some_and(|(_, first)| first != outcome) {
            wrong.push(format!("{key} was answered in two ways"));
        }
    }
    for (key, outcome) in &settled {
        let record = store.records(&[*key]).await?.pop().flatten();
        let recorded = record.map(|record| record.outcome);
        if recorded != *outcome {
            wrong.push(format!(
                "{key}: answered {outcome:?}, recorded {recorded:?}"
            ));
        }
    }

    let mut expected: BTreeMap<AccountId, i128> = BTreeMap::new();
    for outcome in settled.values().flatten() {
        for leg in outcome.transfers().flat_map(|transfer| &transfer.legs) {
            *expected.entry(leg.from).or_default() -= leg.money.amount.minor();
            *expected.entry(leg.to).or_default() += leg.money.amount.minor();
        }
    }
    for id in workload::accounts(world.clients).chain([workload::settlement()]) {
        let key = AccountKey::new(LedgerId::default(), id);
        let account = store.accounts(&[key]).await?.pop().flatten();
        let found = account.map(|account| account.state.counters.posted());
        let wanted = expected.get(&id).copied();
        if found.unwrap_or(0) != wanted.unwrap_or(0) {
            wrong.push(format!(
                "{id}: answers add up to {wanted:?}, the books say {found:?}"
            ));
        }
    }
    Ok(wrong)
}
