use std::collections::BTreeMap;

use wallet_core::cache::BalanceCache;
use wallet_core::history::{HistoryQuery, HistoryStore};
use wallet_core::ledger::AccountKey;
use wallet_core::store::Order;
use wallet_core::verify::VerifyError;
use wallet_core::{AccountId, LedgerId};
use wallet_testkit::StoreEnds;
use wallet_testkit::model::{Model, compare};

use super::workload;
use super::world::World;

/// All errors at the end of a run.
pub(super) async fn verify(world: &World, ends: &StoreEnds) -> Vec<String> {
    let model = world.oracle.take_model();
    let mut wrong = match check(world, ends).await {
        Ok(wrong) => wrong,
        Err(error) => vec![format!("the store cannot be read: {error}")],
    };
    let store = ends.store.as_ref();
    wrong.extend(compare::live_rows(store, &model).await.err());
    wrong.extend(compare::everything(store, &model).await.err());
    let environment = &world.processes.environment;
    if environment.is_whole() {
        wrong.extend(history(environment.bare_history.as_ref(), &model).await);
    }
    wrong.extend(cache(world, environment.bare_cache.as_ref(), &model).await);
    wrong
}

async fn check(world: &World, ends: &StoreEnds) -> Result<Vec<String>, VerifyError> {
    let store = ends.store.as_ref();
    let (acknowledged, settled, items, bulks) = {
        let mut notes = world.notes();
        let acknowledged = std::mem::take(&mut notes.acknowledged);
        let settled = std::mem::take(&mut notes.settled);
        let items = std::mem::take(&mut notes.settled_items);
        (acknowledged, settled, items, notes.settled_bulks)
    };
    let whole = world.processes.environment.is_whole();
    let outbox = (!whole).then_some(ends.outbox.as_ref());
    let violations = wallet_testkit::violations(store, outbox, &acknowledged).await?;
    let mut wrong: Vec<String> = violations
        .iter()
        .map(|found| format!("{found:?}"))
        .collect();

    let left_out = u64::try_from(world.scenario.left_out.operations.len()).unwrap();
    let wanted = world.scenario.clients * world.scenario.operations - left_out;
    let done = u64::try_from(settled.values().flatten().count()).unwrap() + bulks;
    if done != wanted {
        wrong.push(format!("{done} of {wanted} operations are settled"));
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
    let items = items.iter().map(|(_, outcome)| outcome);
    for outcome in settled.values().flatten().chain(items) {
        for leg in outcome.transfers().flat_map(|transfer| &transfer.legs) {
            *expected.entry(leg.from).or_default() -= leg.money.amount.minor();
            *expected.entry(leg.to).or_default() += leg.money.amount.minor();
        }
    }
    let accounts = workload::accounts(world.scenario.clients);
    for id in accounts.chain([workload::settlement()]) {
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

/// Checks that history holds every entry, and nothing else.
async fn history(history: &dyn HistoryStore, model: &Model) -> Vec<String> {
    let mut wrong = Vec::new();
    for account in model.books().accounts.keys() {
        let query = HistoryQuery {
            account: *account,
            from: None,
            to: None,
            order: Order::Ascending,
            limit: u32::MAX,
            cursor: None,
        };
        let page = history.page(&query, &[]).await;
        let found = page.map(|page| page.rows);
        let found: Vec<_> = found.iter().flatten().map(|row| row.line.entry).collect();
        let entries = model.books().entries.iter();
        let mine: Vec<_> = entries
            .filter(|entry| entry.account == *account)
            .copied()
            .collect();
        if found != mine {
            let (has, had) = (found.len(), mine.len());
            wrong.push(format!("{account}: history has {has} of {had} entries"));
        }
    }
    wrong
}

/// Checks that each cached balance was committed, and that its version exists.
async fn cache(world: &World, cache: &dyn BalanceCache, model: &Model) -> Vec<String> {
    let accounts = workload::account_keys(world.scenario.clients);
    let cached = cache.get(&accounts).await.unwrap_or_default();
    let mut wrong = Vec::new();
    for balance in cached.into_iter().flatten() {
        let account = model.books().accounts.get(&balance.account);
        let state = account.map(|account| account.state);
        let agrees = state.is_some_and(|state| {
            balance.version < state.version
                || (balance.version == state.version && balance.counters == state.counters)
        });
        if !agrees {
            wrong.push(format!("the cache has {balance:?}, the ledger {state:?}"));
        }
    }
    wrong
}
