//! Over random ledgers and histories, answers from history and from the ledger are
//! equal.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use wallet_core::Timestamp;
use wallet_core::history::HistoryQuery;
use wallet_core::runtime::Clock;
use wallet_core::store::Order;

use crate::service::history::Two;
use crate::service::world::account_key;

#[derive(Debug, Clone)]
enum Step {
    Pay(u128, u128, i128),
    /// This many microseconds pass.
    Pass(u8),
    /// History is filled up to the ledger.
    Fill,
    /// A row of an account is removed.
    Hide(u128, i64),
    /// A statement is read page by page, with payments between the pages.
    Read(Reading),
    /// A balance is read at this many microseconds ago.
    Balance(u128, i64),
    /// The ledger is backed up.
    Backup,
    /// The ledger is restored to the last backup. The restored time may be earlier
    /// by this many microseconds.
    Restore(u8),
}

#[derive(Debug, Clone)]
struct Reading {
    account: u128,
    is_descending: bool,
    /// Microseconds after the beginning.
    from: Option<i64>,
    to: Option<i64>,
    limit: u32,
    pays_between: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let account = 1_u128..4;
    let reading = (
        account.clone(),
        any::<bool>(),
        proptest::option::of(0_i64..60),
        proptest::option::of(0_i64..60),
        0_u32..6,
        any::<bool>(),
    );
    let reading =
        reading.prop_map(
            |(account, is_descending, from, to, limit, pays_between)| Reading {
                account,
                is_descending,
                from,
                to,
                limit,
                pays_between,
            },
        );
    let step = prop_oneof![
        6 => (account.clone(), 1_u128..3, 1_i128..100).prop_map(|(from, by, cents)| {
            Step::Pay(from, (from + by - 1) % 3 + 1, cents)
        }),
        3 => (0_u8..4).prop_map(Step::Pass),
        2 => Just(Step::Fill),
        1 => (account.clone(), 1_i64..12).prop_map(|(account, row)| Step::Hide(account, row)),
        4 => reading.prop_map(Step::Read),
        2 => (account, 0_i64..60).prop_map(|(account, ago)| Step::Balance(account, ago)),
        1 => Just(Step::Backup),
        1 => (0_u8..9).prop_map(Step::Restore),
    ];
    vec(step, 1..60)
}

async fn read(two: &mut Two, start: Timestamp, reading: &Reading) {
    let time = |micros: i64| Timestamp::from_micros(start.as_micros() + micros);
    let mut query = HistoryQuery {
        from: reading.from.map(time),
        to: reading.to.map(time),
        order: if reading.is_descending {
            Order::Descending
        } else {
            Order::Ascending
        },
        ..HistoryQuery::first(account_key(reading.account), reading.limit)
    };
    for _ in 0..12 {
        let page = two.page(&query).await;
        if page.entries.is_empty() {
            return;
        }
        query.cursor = page.next;
        if reading.pays_between {
            two.pay(reading.account, reading.account % 3 + 1, 1).await;
        }
    }
}

async fn run(steps: Vec<Step>) -> u64 {
    let mut two = Two::new().await;
    let start = two.clock.now();
    let mut backup = None;
    for step in steps {
        match step {
            Step::Pay(from, to, cents) => two.pay(from, to, cents).await,
            Step::Pass(micros) => two.clock.sleep(Duration::from_micros(micros.into())).await,
            Step::Fill => two.fill().await,
            Step::Hide(account, row) => two.hide(account, row),
            Step::Read(reading) => read(&mut two, start, &reading).await,
            Step::Balance(account, ago) => {
                let at = Timestamp::from_micros(two.clock.now().as_micros() - ago);
                let account = account_key(account);
                let answer = two.with.balance_at(account, at).await.unwrap();
                let due = two.without.balance_at(account, at).await.unwrap();
                assert_eq!(answer, due);
            }
            Step::Backup => backup = Some(two.back_up().await),
            Step::Restore(early) => {
                if let Some((tables, at)) = &backup {
                    let early = Duration::from_micros(early.into());
                    two.restore(tables, at.saturating_sub(early)).await;
                }
            }
        }
    }
    two.with.stats().history_answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_reader_cannot_distinguish_history_from_the_ledger(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps));
    }
}

/// Without this, the property above would also hold for a wallet that never queries
/// history.
#[test]
fn history_answers_many_of_the_random_questions() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut answers = 0;
    for _ in 0..200 {
        let tree = steps().new_tree(&mut runner).unwrap();
        answers += runtime.block_on(run(tree.current()));
    }
    assert!(answers > 500, "{answers}");
}
