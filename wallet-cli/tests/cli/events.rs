use std::sync::Arc;
use std::time::Duration;

use wallet_core::ledger::AccountKey;
use wallet_core::store::{Outbox, ParkedEvent};
use wallet_core::{LedgerId, SystemClock};
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::block_on;

use crate::{ADA, books, told, wallet};

fn park(store: &SqliteStore, reason: &str) {
    let parked = async {
        let lease = store.acquire(0, "test", Duration::from_secs(9)).await;
        let lease = lease.unwrap().unwrap();
        let event = ParkedEvent {
            row: 3,
            index: 0,
            account: AccountKey::new(LedgerId::default(), ADA.parse().unwrap()),
            version: 2,
            reason: reason.to_owned(),
        };
        store.park(&lease, &event).await.unwrap();
        store.release(&lease).await.unwrap();
    };
    block_on(parked);
}

#[test]
fn parked_events_are_shown_and_skipped_or_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    let text = told(&wallet(&file, &["events"]), 0);
    // One row per commit but for the refusal, which has no effect.
    assert!(text.contains("24 rows wait, the oldest from 20"), "{text}");
    assert!(text.contains("0 events are parked"), "{text}");

    let settings = SqliteSettings::new(&file);
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
    for (how, answer) in [("skip", "skipped"), ("retry", "sent again")] {
        park(&store, "too large\u{1b}[2J");
        let text = told(&wallet(&file, &["events"]), 0);
        let line = format!("row 3 index 0: version 2 of account {ADA}: too large\\u{{1b}}[2J");
        assert!(text.contains(&line), "{text}");
        assert!(text.contains("1 events are parked"), "{text}");

        let other = told(&wallet(&file, &["events", how, "3", "7"]), 1);
        assert!(
            other.contains("no event is parked at row 3, index 7"),
            "{other}"
        );
        let text = told(&wallet(&file, &["events", how, "3", "0"]), 0);
        assert!(text.contains(answer), "{text}");
        let text = told(&wallet(&file, &["events"]), 0);
        assert!(text.contains("0 events are parked"), "{text}");
        told(&wallet(&file, &["events", how, "3", "0"]), 1);
    }
    told(&wallet(&file, &["events", "skip", "three", "0"]), 2);
    told(&wallet(&file, &["events", "skip", "3"]), 2);
}
