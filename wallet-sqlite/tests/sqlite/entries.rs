//! Pages of a statement. They may begin and end anywhere between the anchors, the entries
//! with their own row.

use std::sync::Arc;

use rusqlite::Connection;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{LedgerStore, Order, StoreErrorKind};
use wallet_core::verify::{Verifier, Violation};
use wallet_core::{Command, EntryQuery, Leg, PostTransfer};
use wallet_sqlite::SqliteStore;
use wallet_testkit::block_on;

use crate::support::{self, account, account_key, commit, euros, prepare};

/// A request that writes `entries` on account 0. The other sides are spread over the other
/// accounts.
fn request(text: &str, entries: u8) -> Arc<PreparedRequest> {
    let legs = (0..entries).map(|leg| Leg::new(account(0), account(1 + leg % 3), euros(1)));
    prepare(text, Command::from(PostTransfer::new(legs.collect())))
}

fn page(store: &SqliteStore, order: Order, after: Option<i64>, limit: u32) -> Vec<i64> {
    let query = EntryQuery {
        account: account_key(0),
        from: None,
        to: None,
        order,
        after,
        limit,
    };
    let entries = block_on(store.entries(&query)).unwrap();
    entries.iter().map(|entry| entry.sequence).collect()
}

#[test]
fn every_page_is_the_range_of_sequences_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(&folder.path().join("wallet.db"));
    support::set_up(&store, 1_000);
    let mut count = 1;
    for (number, entries) in [1, 1, 13, 1, 2, 15, 16, 17, 1, 33, 1, 1, 7]
        .into_iter()
        .enumerate()
    {
        // Two requests of one batch on the same account.
        let twins = [("a", entries), ("b", 1)];
        let twins = twins.map(|(name, entries)| request(&format!("{name}-{number}"), entries));
        commit(&store, twins.to_vec());
        count += i64::from(entries) + 1;
    }
    for after in 0..=count + 1 {
        for limit in [1, 2, 15, 16, 17, 40, 500] {
            let end = (after + i64::from(limit)).min(count);
            let expected: Vec<i64> = (after + 1..=end).collect();
            assert_eq!(page(&store, Order::Ascending, Some(after), limit), expected);
            let last = (after - 1).min(count);
            let first = (last - i64::from(limit) + 1).max(1);
            let expected: Vec<i64> = (first..=last).rev().collect();
            assert_eq!(
                page(&store, Order::Descending, Some(after), limit),
                expected
            );
        }
    }
    assert_eq!(
        page(&store, Order::Ascending, None, 500).len(),
        usize::try_from(count).unwrap()
    );
    support::assert_sound(&store);
}

#[test]
fn a_row_of_an_entry_that_is_lost_or_false_is_reported_on_every_page() {
    let damages = [
        "DELETE FROM wallet_entry WHERE sequence = 16",
        "UPDATE wallet_entry SET journal = journal - 1 WHERE sequence = 16",
        "UPDATE wallet_entry SET created_at = created_at + 1 WHERE sequence = 16",
    ];
    for damage in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.db");
        let store = support::open(&path);
        support::set_up(&store, 1_000);
        for number in 0..40 {
            commit(&store, vec![request(&format!("r-{number}"), 1)]);
        }
        support::assert_sound(&store);
        let file = Connection::open(&path).unwrap();
        file.busy_timeout(std::time::Duration::from_secs(5))
            .unwrap();
        let damage = format!(
            "{damage} AND account = (SELECT num FROM wallet_account WHERE id = x'{}')",
            "11".repeat(16)
        );
        assert_eq!(file.execute(&damage, ()).unwrap(), 1, "{damage}");

        // One page of all entries uses only the row of the last entry.
        let mut query = EntryQuery::first(account_key(0), 100);
        let error = block_on(store.entries(&query)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{damage}");
        query.after = Some(16);
        assert_eq!(block_on(store.entries(&query)).unwrap().len(), 25);

        let report = block_on(Verifier::new(&store).run()).unwrap();
        let [Violation::EntriesUnreadable { account, first, .. }] = &report.violations[..] else {
            panic!("{damage}: {:#?}", report.violations)
        };
        assert_eq!((*account, *first), (account_key(0), 1), "{damage}");
    }
}
