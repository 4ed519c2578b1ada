//! Whether the books are right, by the wallet's own checks.

use wallet_core::LedgerStore;
use wallet_core::invariants::Verifier;

use crate::Result;
use crate::wallet::Acknowledged;

/// How many of many problems are told.
const TOLD: usize = 10;

/// Checks every invariant of the books, that they show `transfers` transfers,
/// and that every outcome of the sample is still there. Answers what is wrong.
pub(crate) async fn books(
    store: &dyn LedgerStore,
    transfers: u64,
    sample: &[Acknowledged],
) -> Result<Vec<String>> {
    let report = Verifier::new(store).with_acknowledged(sample).run().await?;
    let violations = report.violations;
    let told = violations.iter().take(TOLD).map(ToString::to_string);
    let mut problems: Vec<String> = told.collect();
    if let Some(more) = violations.len().checked_sub(TOLD).filter(|more| *more > 0) {
        problems.push(format!("and {more} more"));
    }
    let found = report.totals.transfers;
    if found != transfers {
        problems.push(format!(
            "{transfers} transfers were acknowledged, the books show {found}"
        ));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wallet_core::memory::MemoryStore;
    use wallet_core::{
        Currency, Deposit, IdempotencyKey, LedgerId, Money, OpenAccount, Owner, Request,
        SettlementName, SystemClock, Wallet,
    };

    use super::*;

    /// A store with one deposit, and what was answered to it.
    async fn one_deposit() -> (Arc<MemoryStore>, Acknowledged) {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store)).spawn();
        let wallet = wallet.unwrap();
        let eur = Currency::iso("EUR").unwrap();
        let key = |text| IdempotencyKey::parse("test", text).unwrap();
        let open = OpenAccount::new(Owner::new("ada").unwrap(), eur);
        let opened = wallet.submit(Request::new(key("open"), open)).await;
        let ada = opened.unwrap().account().unwrap().unwrap().state.key.id;
        let money = Money::minor(100, eur).unwrap();
        let deposit = Deposit::new(ada, money, SettlementName::new("bank").unwrap());
        let key = key("deposit");
        let answer = wallet.submit(Request::new(key.clone(), deposit)).await;
        let outcome = answer.unwrap().outcome;
        (store, (key.record_key(LedgerId::default()), outcome))
    }

    #[tokio::test]
    async fn sound_books_that_show_what_was_acknowledged_have_no_problem() {
        let (store, deposit) = one_deposit().await;
        let problems = books(store.as_ref(), 1, &[deposit]).await.unwrap();
        assert_eq!(problems, Vec::<String>::new());
    }

    #[tokio::test]
    async fn an_acknowledged_transfer_that_the_books_do_not_show_is_told() {
        let (store, _) = one_deposit().await;
        let problems = books(store.as_ref(), 2, &[]).await.unwrap();
        assert_eq!(
            problems,
            ["2 transfers were acknowledged, the books show 1"]
        );
    }

    #[tokio::test]
    async fn an_acknowledged_outcome_that_is_gone_is_told() {
        let (_, deposit) = one_deposit().await;
        let empty = MemoryStore::new(Arc::new(SystemClock));
        let problems = books(&empty, 0, &[deposit]).await.unwrap();
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("no longer recorded")),
            "{problems:?}"
        );
    }
}
