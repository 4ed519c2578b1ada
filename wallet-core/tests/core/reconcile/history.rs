//! Damage of the history, and a history that is behind.

use wallet_core::Currency;
use wallet_core::history::{HistoryLine, HistoryStore};
use wallet_core::memory::MemoryHistory;
use wallet_core::runtime::Clock;
use wallet_core::verify::reconcile::Difference;

use super::{Place, key};

#[tokio::test]
async fn damage_of_history_is_found() {
    let account = key(2);
    let place = Place::new().await;
    place.lose(2, 3..=3).await;
    place.lose(2, 8..=11).await;
    let missing = |first, last| Difference::HistoryMissing {
        account,
        first,
        last,
    };
    assert_eq!(place.found().await, [missing(3, 3), missing(8, 11)]);

    // Expired lines are no difference. Missing lines that cannot have expired are
    // one.
    let lines = place.lines(2).await;
    let until = lines[7].entry.created_at;
    let report = place.reconciler().with_expired_before(until);
    let report = report.run(&mut |_| ()).await.unwrap();
    assert_eq!(report.differences, [missing(8, 11)]);
    assert_eq!(report.history.unwrap().expired, 1);

    let changes: [fn(&mut HistoryLine); 4] = [
        |line| line.entry.balance_after += 1,
        |line| line.code += 1,
        |line| line.currency = Currency::iso("USD").unwrap(),
        |line| line.reference = Some(wallet_core::Reference::new("r").unwrap()),
    ];
    for change in changes {
        let mut place = Place::new().await;
        let mut lines = place.lines(2).await;
        change(&mut lines[4]);
        place.history = MemoryHistory::new();
        place.history.append(&lines, &[]).await.unwrap();
        let wrong = Difference::HistoryWrong {
            account,
            sequence: 5,
        };
        assert_eq!(place.found().await, [wrong]);
    }

    let place = Place::new().await;
    let mut more = lines.last().unwrap().clone();
    more.entry.sequence += 1;
    place.history.append(&[more], &[]).await.unwrap();
    let ahead = Difference::HistoryAhead {
        account,
        history: 21,
        ledger: 20,
    };
    assert_eq!(place.found().await, [ahead]);
}

#[tokio::test]
async fn a_history_that_is_behind_is_reported_and_a_difference_only_where_it_is_due() {
    let mut place = Place::new().await;
    let lines = place.lines(2).await;
    place.history = MemoryHistory::new();
    for number in [1, 3, 4] {
        let lines = place.lines(number).await;
        place.history.append(&lines, &[]).await.unwrap();
    }
    place.history.append(&lines[..15], &[]).await.unwrap();
    let since = lines[15].entry.created_at;
    let report = place.report().await;
    assert!(report.is_clean());
    let tally = report.history.unwrap();
    assert_eq!((tally.behind, tally.behind_since), (5, Some(since)));

    for (due, differs) in [(since, false), (place.clock.now(), true)] {
        let reconciler = place.reconciler().with_history_due(due);
        for reconciler in [reconciler.clone(), reconciler.with_last(2)] {
            let report = reconciler.run(&mut |_| ()).await.unwrap();
            assert_eq!(!report.is_clean(), differs);
            let all = report.differences.iter();
            assert!(all.clone().all(|one| one.code() == "history_behind"));
        }
    }
}

#[tokio::test]
async fn a_history_that_lost_everything_is_behind() {
    let place = Place::new().await;
    for number in 1..=4 {
        place.lose(number, 1..=20).await;
    }
    let report = place.report().await;
    assert!(report.is_clean());
    let json = report.json();
    assert_eq!(json["history"]["behind"], 80);
    assert_eq!(json["sums"][0]["posted"], "0.00");
}
