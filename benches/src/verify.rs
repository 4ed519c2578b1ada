//! Verifies the books with the wallet's own checks.

use std::collections::BTreeMap;

use fastrand::Rng;
use wallet_core::ledger::{CurrencyCode, RecordKey};
use wallet_core::store::{AccountQuery, LedgerStore};
use wallet_core::verify::{Books, Verifier, Violation};
use wallet_core::{Account, Entry, EntryQuery, LedgerId, verify};

use crate::Result;
use crate::wallet::Acknowledged;

/// The most problems that are listed.
const PROBLEMS_MAX: usize = 10;
/// Rows of one page.
const PAGE: u32 = 1_000;
/// The sample size: accounts with their entries.
const ACCOUNTS: usize = 1_000;

/// Checks every invariant of the books, the number of transfers, and every outcome of the
/// sample. Returns the problems.
pub(crate) async fn books(
    store: &dyn LedgerStore,
    transfers: u64,
    sample: &[Acknowledged],
) -> Result<Vec<String>> {
    let report = Verifier::new(store).with_acknowledged(sample).run().await?;
    let mut problems = described(&report.violations);
    problems.extend(counted(transfers, report.totals.transfers));
    Ok(problems)
}

/// The checks for tables that are too large to read: the sum of all balances per
/// currency, the number of all entries by the accounts' counters, the entries of a random
/// sample of accounts, and the outcomes of the sample.
pub(crate) async fn sample(
    store: &dyn LedgerStore,
    transfers: u64,
    sample: &[Acknowledged],
) -> Result<Vec<String>> {
    let mut totals = Totals::default();
    let mut query = AccountQuery {
        ledger: LedgerId::default(),
        owner: None,
        currency: None,
        after: None,
        limit: PAGE,
    };
    loop {
        let page = store.list_accounts(&query).await?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.state.key.id);
        for account in page {
            totals.add(account);
        }
    }
    let mut books = Books::default();
    for account in totals.sample {
        let key = account.state.key;
        books
            .entries
            .insert(key, entries_of(store, &account).await?);
        books.accounts.insert(key, account);
    }
    let mut problems = described(&verify::accounts(&books));
    for (currency, sum) in totals.sums.into_iter().filter(|(_, sum)| *sum != 0) {
        problems.push(format!("the balances in {currency} add up to {sum}"));
    }
    // Each transfer has one leg, and so two entries.
    problems.extend(counted(transfers, totals.entries.div_euclid(2)));
    problems.extend(lost(store, sample).await?);
    Ok(problems)
}

/// The totals over all accounts.
#[derive(Debug, Default)]
struct Totals {
    sums: BTreeMap<CurrencyCode, i128>,
    entries: u64,
    seen: usize,
    sample: Vec<Account>,
    rng: Rng,
}

impl Totals {
    /// Reservoir sampling: every account is kept with equal probability.
    fn add(&mut self, account: Account) {
        let state = &account.state;
        let sum = self.sums.entry(state.currency.code()).or_default();
        *sum = sum.saturating_add(state.counters.posted());
        let entries = u64::try_from(state.sequence).unwrap_or(0);
        self.entries = self.entries.saturating_add(entries);
        self.seen = self.seen.saturating_add(1);
        if self.sample.len() < ACCOUNTS {
            self.sample.push(account);
        } else if let Some(place) = self.sample.get_mut(self.rng.usize(..self.seen)) {
            *place = account;
        }
    }
}

async fn entries_of(store: &dyn LedgerStore, account: &Account) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut query = EntryQuery::first(account.state.key, PAGE);
    loop {
        let page = store.entries(&query).await?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.sequence);
        entries.extend(page);
    }
    Ok(entries)
}

/// The acknowledged outcomes that are not recorded as they were acknowledged.
async fn lost(store: &dyn LedgerStore, sample: &[Acknowledged]) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for some in sample.chunks(100) {
        let keys: Vec<RecordKey> = some.iter().map(|(key, _)| *key).collect();
        let records = store.records(&keys).await?;
        for ((key, outcome), record) in some.iter().zip(records) {
            let key = *key;
            match record {
                None => violations.push(Violation::AcknowledgedLost { key }),
                Some(record) if record.outcome != *outcome => {
                    violations.push(Violation::AcknowledgedChanged { key });
                }
                Some(_) => {}
            }
        }
    }
    Ok(described(&violations))
}

/// The first of many violations, as texts.
fn described(violations: &[Violation]) -> Vec<String> {
    let texts = violations
        .iter()
        .take(PROBLEMS_MAX)
        .map(ToString::to_string);
    let mut problems: Vec<String> = texts.collect();
    if let Some(more) = violations
        .len()
        .checked_sub(PROBLEMS_MAX)
        .filter(|more| *more > 0)
    {
        problems.push(format!("and {more} more"));
    }
    problems
}

fn counted(acknowledged: u64, found: u64) -> Option<String> {
    let differ = acknowledged != found;
    differ.then(|| format!("{acknowledged} transfers were acknowledged, the books show {found}"))
}

#[cfg(test)]
mod tests {
    use std::slice;
    use std::sync::Arc;

    use wallet_core::memory::MemoryStore;
    use wallet_core::{
        Currency, Deposit, IdempotencyKey, LedgerId, Money, OpenAccount, Owner, Request,
        SettlementName, SystemClock, Wallet,
    };

    use super::*;

    /// A store with one deposit, and the acknowledged outcome.
    async fn one_deposit() -> (Arc<MemoryStore>, Acknowledged) {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store)).spawn();
        let wallet = wallet.unwrap();
        let eur = Currency::iso("EUR").unwrap();
        let key = |text| IdempotencyKey::parse("test", text).unwrap();
        let open = OpenAccount::new(Owner::new("ada").unwrap(), eur);
        let opened = wallet.submit_raw(Request::new(key("open"), open)).await;
        let ada = opened.unwrap().account().unwrap().unwrap().state.key.id;
        let money = Money::minor(100, eur).unwrap();
        let deposit = Deposit::new(ada, money, SettlementName::new("bank").unwrap());
        let key = key("deposit");
        let answer = wallet.submit_raw(Request::new(key.clone(), deposit)).await;
        let outcome = answer.unwrap().outcome;
        (store, (key.record_key(LedgerId::default()), outcome))
    }

    #[tokio::test]
    async fn sound_books_that_show_what_was_acknowledged_have_no_problem() {
        let (store, deposit) = one_deposit().await;
        let problems = books(store.as_ref(), 1, slice::from_ref(&deposit))
            .await
            .unwrap();
        assert_eq!(problems, Vec::<String>::new());
        let problems = sample(store.as_ref(), 1, &[deposit]).await.unwrap();
        assert_eq!(problems, Vec::<String>::new());
    }

    #[tokio::test]
    async fn an_acknowledged_transfer_that_the_books_do_not_show_is_reported() {
        let (store, _) = one_deposit().await;
        let problems = books(store.as_ref(), 2, &[]).await.unwrap();
        let missed = ["2 transfers were acknowledged, the books show 1"];
        assert_eq!(problems, missed);
        let problems = sample(store.as_ref(), 2, &[]).await.unwrap();
        assert_eq!(problems, missed);
    }

    #[tokio::test]
    async fn an_acknowledged_outcome_that_is_gone_is_reported() {
        let (_, deposit) = one_deposit().await;
        let empty = MemoryStore::new(Arc::new(SystemClock));
        let whole = books(&empty, 0, slice::from_ref(&deposit)).await.unwrap();
        let sampled = sample(&empty, 0, &[deposit]).await.unwrap();
        for problems in [whole, sampled] {
            let mut lines = problems.iter();
            let is_reported = lines.any(|problem| problem.contains("no longer recorded"));
            assert!(is_reported, "{problems:?}");
        }
    }
}
