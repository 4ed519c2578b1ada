//! The run of a verification: what changes meanwhile, and its progress.

use std::sync::Arc;

use wallet_core::ledger::InLedger;
use wallet_core::verify::{Delivered, Progress, Stage, Verifier, VerifyError};
use wallet_core::{LedgerId, Timestamp};
use wallet_testkit::conformance::sample;
use wallet_testkit::{StoreKit, block_on};

use super::Exposed;

#[test]
fn a_change_while_the_books_are_read_is_reported_as_such() {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        let ada = InLedger::new(LedgerId::default(), sample(&kit).await);
        let memory = factory.0.get().expect("it was built");
        for stage in [Stage::Accounts, Stage::Transfers, Stage::Events] {
            let mut change = |progress: Progress| {
                let mut tables = memory.shared().tables();
                let state = &mut tables.accounts.get_mut(&ada).unwrap().state;
                state.version += i64::from(progress.stage == stage);
            };
            let verifier = Verifier::new(memory)
                .with_outbox(memory, Delivered::Unknown)
                .with_progress(&mut change);
            match verifier.run().await {
                Err(VerifyError::Changed { accounts }) => assert_eq!(accounts, [ada]),
                other => panic!("{stage:?}: {other:?}"),
            }
        }
        // A past balance that was read raises a time and changes nothing.
        let mut ask = |_| {
            let mut tables = memory.shared().tables();
            let state = &mut tables.accounts.get_mut(&ada).unwrap().state;
            state.last_at = Timestamp::from_micros(i64::MAX);
        };
        let verifier = Verifier::new(memory).with_progress(&mut ask);
        assert!(verifier.books().await.is_ok());
    });
}

#[test]
fn progress_ends_where_it_said_it_would() {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        sample(&kit).await;
        let memory = factory.0.get().expect("it was built");
        let mut last: Vec<Progress> = Vec::new();
        let mut note = |progress: Progress| match last.last_mut() {
            Some(before) if before.stage == progress.stage => {
                assert!(before.done <= progress.done);
                *before = progress;
            }
            _ => last.push(progress),
        };
        let acknowledged = kit.acknowledged();
        let verifier = Verifier::new(memory)
            .with_page(1)
            .with_acknowledged(&acknowledged)
            .with_outbox(memory, Delivered::Nothing)
            .with_progress(&mut note);
        let report = verifier.run().await.unwrap();
        assert_eq!(report.violations, []);
        let stages: Vec<Stage> = last.iter().map(|progress| progress.stage).collect();
        let right = [
            Stage::Accounts,
            Stage::Entries,
            Stage::Holds,
            Stage::Transfers,
            Stage::Comparison,
            Stage::Checks,
            Stage::Acknowledged,
            Stage::Events,
            Stage::Comparison,
        ];
        assert_eq!(stages, right);
        for Progress { stage, done, total } in last {
            assert!(total.is_none_or(|total| total == done), "{stage:?}");
        }
        let totals = report.totals;
        assert_eq!((totals.ledgers, totals.accounts, totals.holds), (1, 3, 2));
        assert!(totals.entries > totals.transfers && totals.transfers > 0);
        let [((_, currency), sum)] = report.sums[..] else {
            panic!("{:?}", report.sums)
        };
        assert_eq!(currency.as_str(), "EUR");
        assert_eq!((sum.accounts, sum.posted), (3, 0));
    });
}
