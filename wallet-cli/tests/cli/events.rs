use std::sync::Arc;
use std::time::Duration;

use wallet_core::ledger::AccountKey;
use wallet_core::store::{Outbox, ParkedEvent};
use wallet_core::{LedgerId, SystemClock};
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::block_on;

use crate::{ADA, books, exits_with, wallet};

fn park(store: &SqliteStore, reason: &str) {
    let parked = async {
        let lease = store.acquire("test", Duration::from_secs(9)).await;
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
    let text = exits_with(&wallet(&file, &["events"]), 0);
    // One row per commit. The refusal has no effect and so no row.
    assert!(text.contains("24 rows wait, the oldest from 20"), "{text}");
    assert!(text.contains("0 events are parked"), "{text}");

    let settings = SqliteSettings::new(&file);
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
    for (how, answer) in [("skip", "skipped"), ("retry", "sent again")] {
        park(&store, "too large\u{1b}[2J");
        let text = exits_with(&wallet(&file, &["events"]), 0);
        let line = format!("row 3 index 0: version 2 of account {ADA}: too large\\u{{1b}}[2J");
        assert!(text.contains(&line), "{text}");
        assert!(text.contains("1 events are parked"), "{text}");

        let other = exits_with(&wallet(&file, &["events", how, "3", "7"]), 1);
        assert!(
            other.contains("no event is parked at row 3, index 7"),
            "{other}"
        );
        let text = exits_with(&wallet(&file, &["events", how, "3", "0"]), 0);
        assert!(text.contains(answer), "{text}");
        let text = exits_with(&wallet(&file, &["events"]), 0);
        assert!(text.contains("0 events are parked"), "{text}");
        exits_with(&wallet(&file, &["events", how, "3", "0"]), 1);
    }
    exits_with(&wallet(&file, &["events", "skip", "three", "0"]), 2);
    exits_with(&wallet(&file, &["events", "skip", "3"]), 2);
}
